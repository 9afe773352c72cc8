"""`tutor session`: a lesson or a talk as JSON lines."""

from __future__ import annotations

import sys
import time

import click

from tutor_app.cli.context import Context, prepared


@click.command(short_help="A lesson as JSON lines, for scripts and tests.")
@click.option("--jsonl", is_flag=True, required=True, help="JSON lines in and out (the only form there is).")
@click.option("--set", "set_id", required=True, metavar="S", help="Id or folder of a lesson set.")
@click.option("--lesson", "lesson_id", metavar="L", help="Id of a lesson of the set.")
@click.option("--talk", is_flag=True, help="A free talk instead of a lesson.")
@click.option(
    "--learner", default="guest", show_default=True, metavar="N", help="Whose session it is; made if new."
)
@click.option("--model", metavar="M", help="A model of `tutor models list` instead of the chosen one.")
@click.option("--level", type=click.Choice(["A1", "A2", "B1"]), help="Level of a free talk [the learner's].")
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed gives the same lesson.")
@click.option("--no-llm", is_flag=True, help="Without a model: every reply is the lesson's own.")
@click.option("--fresh", is_flag=True, help="Begin anew even if a session was left in the middle.")
@click.pass_obj
def session(
    context: Context,
    jsonl: bool,
    set_id: str,
    lesson_id: str | None,
    talk: bool,
    learner: str,
    model: str | None,
    level: str | None,
    seed: int,
    no_llm: bool,
    fresh: bool,
) -> None:
    """A session without a screen: one JSON object a line in, one or more out.

    In: {"text": "...", "elapsed_s": 4.2}, {"audio": "answer.wav"}, {"command": "hint|skip|explain|quit"}.
    """
    if talk == (lesson_id is not None):
        raise click.UsageError("Give either --lesson L or --talk.")
    from tutor_app.jsonl import guarded_stdout, run_jsonl
    from tutor_app.session.guidance import level_of
    from tutor_app.session.library import lesson_of, open_set
    from tutor_app.session.models import make_host
    from tutor_app.session.people import open_or_create
    from tutor_app.session.session import Session
    from tutor_app.session.speech import hearer, pronunciation, voice

    data_dir = prepared(context.data_dir)
    lessons = open_set(data_dir, set_id)
    if lesson_id is not None:
        lesson_of(lessons, lesson_id)
    info = lessons.info
    speaking = voice(data_dir)
    sounds = pronunciation(data_dir, speaking)
    host = None if no_llm else make_host(data_dir, model, language=info.language, track=info.track)
    with guarded_stdout() as out, open_or_create(data_dir, learner, info) as store:
        try:
            if host is not None:
                host.start()
            now = time.time()
            run = Session(
                lessons, lesson_id, store, host, level=level or level_of(lessons, store, now), seed=seed,  # type: ignore[arg-type]
                hear=hearer(data_dir, info.track), fresh=fresh, due=store.due(info.language, now), pronounce=sounds.remarks if sounds is not None else None,
            )  # fmt: skip
            code = run_jsonl(run, sys.stdin.buffer, out)
        finally:
            for process in (host, speaking, sounds):
                if process is not None:
                    process.close()
    if code:
        sys.exit(code)
