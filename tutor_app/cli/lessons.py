"""`tutor lessons …`: make, check and preview lesson sets; packing and converting are in files of their own."""

from __future__ import annotations

import json
import time
from pathlib import Path

import click

from lessons.problems import LessonError, ReadError
from tutor_app.cli import lesson_exchange, lesson_packs
from tutor_app.cli.lesson_errors import told

PATH = click.Path(exists=True, path_type=Path)
OUT_FOLDER = click.Path(file_okay=False, path_type=Path)
POLL_S = 0.3
"""How often `preview` looks whether the file was saved: quick enough to feel immediate."""


@click.group()
def lessons() -> None:
    """Make, check, pack, install and convert lesson sets."""


@lessons.command()
@click.argument("folder", type=OUT_FOLDER)
@click.option("--id", "set_id", help="Id of the set or lesson [the folder's name; a lesson has to be named].")
@click.option("--title", help="Title of the set.")
@click.option("--language", default="es", show_default=True, help="Language taught: es, zh, ar, fr …")
@click.option("--track", type=click.Choice(["heritage", "l2"]), default="l2", show_default=True)
@click.option("--level", type=click.Choice(["A1", "A2", "B1"]), default="A1", show_default=True)
@click.option("--author", default="", help="Your name, as students read it.")
def new(
    folder: Path, set_id: str | None, title: str | None, language: str, track: str, level: str, author: str
) -> None:
    """Begin a set in a new FOLDER, or add a lesson to the set that is in FOLDER.

    What is written is commented and valid, in plain YAML; write over it in any text editor.
    """
    from lessons.load import SET_FILE
    from lessons.skeleton import new_lesson, new_set

    with told():
        if (folder / SET_FILE).is_file():
            if not set_id:
                raise click.UsageError(f"{folder} is a set already. Name the new lesson: --id ID")
            written = [new_lesson(folder, set_id, level)]  # type: ignore[arg-type]
        else:
            name = set_id or folder.absolute().name.lower()
            written = new_set(
                folder,
                set_id=name,
                title=title or name,
                language=language,
                track=track,  # type: ignore[arg-type]
                level=level,  # type: ignore[arg-type]
                author=author or "Your name",
            )
    for path in written:
        click.echo(path)
    click.echo(f"Next: edit it, then `tutor lessons lint {folder}`.", err=True)


@lessons.command()
@click.argument("paths", nargs=-1, required=True, type=PATH)
@click.option("--errors-only", is_flag=True, help="Leave out what only could be better.")
@click.option(
    "--replies", is_flag=True, help="Also put every line of the tutor through its own checks (slower)."
)
@click.option("--json", "as_json", is_flag=True, help="Findings as one JSON list.")
@click.pass_context
def lint(
    ctx: click.Context, paths: tuple[Path, ...], errors_only: bool, replies: bool, as_json: bool
) -> None:
    """Check lesson files, sets, or folders of sets.

    Prints `file:line: what is wrong — how to fix it [rule]`; exits with 1 when there is anything to fix.
    """
    from lessons.lint import lint as check

    with told():
        found = [finding for path in paths for finding in check(path)]
        if replies:
            from tutor_app.cli.lesson_replies import reply_findings

            found = sorted([*found, *(finding for path in paths for finding in reply_findings(path))])
    if errors_only:
        found = [finding for finding in found if finding.severity == "error"]
    if as_json:
        rows = [{**vars(finding), "file": str(finding.file)} for finding in found]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
    else:
        for finding in found:
            click.echo(str(finding))
        click.echo(f"{len(found)} to look at." if found else "Nothing to fix.", err=True)
    ctx.exit(1 if found else 0)


@lessons.command()
@click.argument("path", type=PATH)
@click.option("--lesson", "lesson_id", help="Which lesson of a set [all].")
@click.option("--once", is_flag=True, help="Print it and end, instead of waiting for the next save.")
@click.option(
    "--app", "in_app", is_flag=True, help="In the app itself, with the tutor's authored lines; PATH is a set."
)
def preview(path: Path, lesson_id: str | None, once: bool, in_app: bool) -> None:
    """Show what students will meet, with every line of the tutor; shown again when the file is saved."""
    if in_app:
        from tutor_app.cli.lesson_preview import preview_in_app

        with told():
            code = preview_in_app(path)
        click.get_current_context().exit(code)
    from lessons.load import load_lesson, load_set
    from lessons.preview import preview as lines_of

    def show() -> None:
        found = [load_lesson(path)] if path.is_file() else load_set(path).lessons
        chosen = [lesson for lesson in found if lesson_id in (None, lesson.id)]
        if not chosen:
            raise LessonError(f"There is no lesson {lesson_id!r} in {path}.")
        for lesson in chosen:
            for line in lines_of(lesson):
                click.echo(line)
            click.echo()

    if once:
        with told():
            show()
        return
    seen: dict[Path, float] = {}
    while True:
        files = [path] if path.is_file() else sorted(path.rglob("*.yaml"))
        now = {file: file.stat().st_mtime for file in files if file.exists()}
        if now != seen:
            seen = now
            click.clear()
            try:
                show()
            except ReadError as error:
                click.echo(str(error))
            click.echo("Waiting for the next save; Ctrl+C ends.", err=True)
        time.sleep(POLL_S)


@lessons.command()
@click.argument("kind", type=click.Choice(["lesson", "set"]), default="lesson")
def schema(kind: str) -> None:
    """Print the JSON Schema of lesson files (or of set.yaml), for your editor."""
    from lessons.json_schema import json_schema_text

    click.echo(json_schema_text("set" if kind == "set" else "lesson"), nl=False)


for command in (*lesson_packs.COMMANDS, *lesson_exchange.COMMANDS):
    lessons.add_command(command)
