"""`tutor report`: a class report from learners' hand-in files."""

from __future__ import annotations

import json
import time
from pathlib import Path

import click

from lessons.load import load_set
from lessons.problems import LessonError
from tutor_app.cli.context import Context
from tutor_app.errors import TutorError
from tutor_app.progress.class_files import csv_files, statements
from tutor_app.progress.class_html import page
from tutor_app.progress.class_report import class_report
from tutor_app.progress.handin import make_key
from tutor_app.session.library import available


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("folder", required=False, type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="Where to write [FOLDER/report]."
)
@click.option(
    "--key",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Your private key, for sealed hand-ins.",
)
@click.option(
    "--set",
    "set_folders",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of a set that is not installed here, for names in place of ids.",
)
@click.option(
    "--new-key",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Make a key pair instead: FILE for you alone, FILE.pub for the class.",
)
@click.option("--json", "as_json", is_flag=True, help="Say what was written as one JSON object.")
@click.pass_obj
def report(
    context: Context,
    folder: Path | None,
    out: Path | None,
    key: Path | None,
    set_folders: tuple[Path, ...],
    new_key: Path | None,
    as_json: bool,
) -> None:
    """Make a class page from the hand-ins (*.handin) in FOLDER.

    Learners make them with `tutor progress export --hand-in`. Written are report.html, which needs nothing else,
    CSV tables of learners, lessons, forms and errors, and xAPI statements, one a line.
    """
    if new_key is not None:
        public = make_key(new_key)
        click.echo(f"Keep {new_key} to yourself, and safe: without it sealed hand-ins cannot be read.")
        click.echo(f"Give {public} to the class; they add it with --to.")
        return
    if folder is None:
        raise click.UsageError("Name the folder of the hand-ins, or --new-key.")
    found = class_report(folder, key)
    here = [one.folder for one in available(context.data_dir) if one.info and one.info.id in found.set_ids]
    target = out or folder / "report"
    files = {
        "report.html": page(found, time.time(), _titles([*here, *set_folders])),
        **csv_files(found),
        "statements.jsonl": "".join(line + "\n" for line in statements(found)),
    }
    try:
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, text in files.items():
            part = target / f".{name}.part"
            # A byte order mark, or spreadsheets take UTF-8 for something else.
            part.write_text(text, encoding="utf-8-sig" if name.endswith(".csv") else "utf-8", newline="")
            part.replace(target / name)
    except OSError as error:
        raise TutorError(f"{target} could not be written ({error.strerror}).") from error
    if as_json:
        written = {"folder": str(target), "files": sorted(files), "learners": found.learners}
        click.echo(json.dumps({**written, "remarks": list(found.remarks)}, ensure_ascii=False))
        return
    for remark in found.remarks:
        click.echo(f"Note: {remark}", err=True)
    click.echo(f"{found.learners} learners; open {target / 'report.html'}.")


def _titles(folders: list[Path]) -> dict[str, dict[str, str]]:
    """Set id → names. One table each: sets share ids of lessons and forms, and call them differently."""
    titles: dict[str, dict[str, str]] = {}
    for folder in folders:
        try:
            lessons = load_set(folder)
        except LessonError as error:
            raise TutorError(str(error)) from error
        names = titles[lessons.info.id] = {lessons.info.id: lessons.info.title}
        for lesson in lessons.lessons:
            names[lesson.id] = lesson.title
            names.update({form.id: form.name for form in lesson.forms})
    return titles
