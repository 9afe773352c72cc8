"""`tutor demo`: a scripted learner meets the real tutor, so that anybody can watch it work in a minute."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import click

from tutor_app.cli.context import Context, prepared

SET, LESSON = "es-l2", "hola"


@click.command(short_help="A minute's lesson with a scripted learner and the real model.")
@click.option("--model", metavar="M", help="A model of `tutor models list` instead of the chosen one.")
@click.option("--no-llm", is_flag=True, help="Without a model: every reply is the lesson's own.")
@click.pass_obj
def demo(context: Context, model: str | None, no_llm: bool) -> None:
    """Part of a Spanish lesson, then a talk, with a learner who is right, wrong, lost, slow and mixes languages.

    Nothing of it is kept.
    """
    from tutor_app.plain import show
    from tutor_app.session.events import Asked, ModelState, Said, StepShown, Summary, TurnIn
    from tutor_app.session.library import open_set
    from tutor_app.session.models import make_host
    from tutor_app.session.people import open_or_create
    from tutor_app.session.session import Session

    data_dir = prepared(context.data_dir)
    lessons = open_set(data_dir, SET)
    lesson = lessons.lesson(LESSON)
    assert lesson is not None
    host = None if no_llm else make_host(data_dir, model, language="es", track="l2")
    click.echo("A learner meets the tutor. Lines with > are the learner's.")
    if host is not None and host.announced is not None:
        click.echo(f"Model: {host.announced[0]} (the first start takes a minute; later ones seconds)")
        host.start()
    try:
        with tempfile.TemporaryDirectory() as folder, open_or_create(Path(folder), "Demo", lessons.info) as store:
            for mode in (LESSON, None):
                session = Session(lessons, mode, store, host, level="A1", seed=3)
                step: StepShown | None = None
                script = _lesson_script(lesson) if mode else iter(_TALK)
                waiting: list[TurnIn] = []
                for event in session.start():
                    show(event, click.echo)
                    step = event if isinstance(event, StepShown) else step
                turn: TurnIn | None = next(script, None)
                while turn is not None and not session.over:
                    said = turn.text if isinstance(turn, Said) else f"({turn.command})" if isinstance(turn, Asked) else ""
                    click.echo(f"> {said}")
                    for event in session.submit(turn):
                        if not isinstance(event, ModelState | Summary):
                            show(event, click.echo)
                    turn = waiting.pop() if waiting else next(script, None)
                if not session.over:
                    for event in session.submit(Asked("quit")):
                        if isinstance(event, Summary):
                            moves = ", ".join(f"{move} {count}" for move, count in event.moves.items())
                            click.echo(f"\nThe tutor's moves: {moves}.")
    finally:
        if host is not None:
            host.close()
    click.echo("\nThat was the tutor. Start yours with: tutor")


def _lesson_script(lesson: object) -> Iterator[object]:  # replaced below
    yield from ()


_TALK: list[object] = []
