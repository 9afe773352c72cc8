"""`tutor lessons …`: make, check, preview, pack, sign, install and convert lesson sets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from lessons.problems import LessonError
from tutor_app.errors import TutorError

PATHS = click.Path(exists=True, path_type=Path)


@contextmanager
def _told() -> Iterator[None]:
    """Lesson errors as the one error that the command line shows without a traceback."""
    try:
        yield
    except LessonError as error:
        raise TutorError(str(error)) from error


@click.group()
def lessons() -> None:
    """Make, check, pack, install and convert lesson sets."""


@lessons.command()
@click.argument("paths", nargs=-1, required=True, type=PATHS)
@click.option("--errors-only", is_flag=True, help="Leave out what only could be better.")
@click.option("--json", "as_json", is_flag=True, help="Findings as one JSON list.")
@click.pass_context
def lint(ctx: click.Context, paths: tuple[Path, ...], errors_only: bool, as_json: bool) -> None:
    """Check lesson files, sets, or folders of sets.

    Prints `file:line: what is wrong — how to fix it [rule]`; exits with 1 when there is anything to fix.
    """
    from lessons.lint import lint as check

    with _told():
        found = [finding for path in paths for finding in check(path)]
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
