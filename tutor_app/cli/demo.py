"""`tutor demo`: a scripted learner meets the real tutor, so that anybody can watch it work in a minute."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import click

from lessons.patterns import is_regex
from lessons.schema import AnyItem, Lesson, MatchItem, items_of
from tutor_app.cli.context import Context, prepared
from tutor_app.session.events import Asked, Event, ModelState, Said, StepShown, Summary, TurnIn
from tutor_app.session.session import Session

SET, LESSON = "es-l2", "hola"
HELLO = ("Hola, soy Alex.", "Soy de Queens.", "Estoy bien, gracias.")
"""What the learner says in the talk that opens the lesson."""
BEHAVIOURS = ("hello",) * len(HELLO) + (
    "lost", "right", "wrong", "right", "slow", "right", "wrong", "hint", "right",
)  # fmt: skip
"""What the learner does, turn by turn; "hello" is for the opening talk, the others for the items."""
SLOW_S, USUAL_S = 95.0, 6.0
TALK = (
    "Hola. Yo soy muy cansado hoy.",
    "Porque tengo mucho trabajo en la universidad.",
    "Mi hermana es en la casa con mi mamá.",
    "No entiendo.",
    "Me gusta la pizza de my neighborhood, it is so good.",
)
"""An error, a right sentence, the same error again, being lost, and two languages in one sentence."""


@click.command(short_help="A minute's lesson with a scripted learner and the real model.")
@click.option("--model", metavar="M", help="A model of `tutor models list` instead of the chosen one.")
@click.option("--no-llm", is_flag=True, help="Without a model: every reply is the lesson's own.")
@click.pass_obj
def demo(context: Context, model: str | None, no_llm: bool) -> None:
    """Part of a Spanish lesson, then a talk, with a learner who is right, wrong, lost, slow and mixes languages.

    Nothing of it is kept.
    """
    from tutor_app.session.library import lesson_of, open_set
    from tutor_app.session.models import make_host
    from tutor_app.session.people import open_or_create

    data_dir = prepared(context.data_dir)
    lessons = open_set(data_dir, SET)
    lesson = lesson_of(lessons, LESSON)
    host = None if no_llm else make_host(data_dir, model, language="es", track="l2")
    click.echo("A learner meets the tutor. Lines that begin with > are the learner's.")
    if host is not None and host.announced is not None:
        click.echo(
            f"Model: {host.announced.id}. The first start reads it in, which takes a minute; later ones seconds."
        )
        host.start()
    try:
        with (
            tempfile.TemporaryDirectory() as folder,
            open_or_create(Path(folder), "Demo", lessons.info) as store,
        ):
            _play(Session(lessons, LESSON, store, host, seed=3), lambda n, step: _at_item(lesson, n, step))
            _play(Session(lessons, None, store, host, level="A1", seed=3), _in_talk)
    finally:
        if host is not None:
            host.close()
    click.echo("\nThat was the tutor. Start yours with: tutor")


Script = Callable[[int, StepShown], TurnIn | None]
"""(number of the turn, what is shown) → what the learner does; None to end."""


def _play(session: Session, script: Script) -> None:
    step = _shown(list(session.start()), None)
    number = 0
    while step is not None and not session.over and (turn := script(number, step)) is not None:
        said = turn.text if isinstance(turn, Said) else "(asks for a hint)"
        click.echo(
            f"> {said}"
            + (" (after a long while)" if isinstance(turn, Said) and turn.elapsed_s == SLOW_S else "")
        )
        step = _shown(session.submit(turn), step)
        number += 1
    for event in () if session.over else session.submit(Asked("quit")):
        if isinstance(event, Summary):
            moves = ", ".join(f"{move} {count}" for move, count in event.moves.items())
            click.echo(f"\nThe tutor's moves: {moves}.")


def _shown(events: Iterable[Event], step: StepShown | None) -> StepShown | None:
    from tutor_app.plain import show

    waiting = False
    for event in events:
        if isinstance(event, ModelState) and event.state != "lost":
            if not waiting:
                click.echo("(The tutor is getting ready …)")
            waiting = True
            continue
        show(event, click.echo)
        step = event if isinstance(event, StepShown) else step
    return step


def _at_item(lesson: Lesson, number: int, step: StepShown) -> TurnIn | None:
    if number >= len(BEHAVIOURS):
        return None
    item = next((item for one in lesson.steps for item in items_of(one) if item.id == step.id), None)
    if item is None:
        return Said(HELLO[number % len(HELLO)], USUAL_S)
    match BEHAVIOURS[number]:
        case "lost":
            return Said("No entiendo.", USUAL_S)
        case "hint":
            return Asked("hint")
        case "wrong" | "slow" as how:
            return Said(_wrong(item), SLOW_S if how == "slow" else USUAL_S)
        case _:
            return Said(_right(item, step), USUAL_S)


def _right(item: AnyItem, step: StepShown) -> str:
    if not isinstance(item, MatchItem):
        return item.accept[0].text
    partner = {pair[0]: pair[1] for pair in item.pairs}
    return " ".join(
        f"{i}{'abcdefgh'[step.choices.index(partner[left])]}" for i, left in enumerate(step.left, 1)
    )


def _wrong(item: AnyItem) -> str:
    """A mistake that the instructor foresaw, where it is written out; else something beside the point."""
    plain = (
        error.pattern for error in item.errors if not is_regex(error.pattern) and "*" not in error.pattern
    )
    return next(plain, "Me gusta mucho.")


def _in_talk(number: int, step: StepShown) -> TurnIn | None:
    return Said(TALK[number], USUAL_S) if number < len(TALK) else None
