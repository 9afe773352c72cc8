"""`tutor lessons import | export`: other programs' material in, ours out, and what got lost on the way."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import click

from tutor_app.cli.context import Context
from tutor_app.cli.lesson_errors import told
from tutor_app.errors import TutorError

EXPORTERS = {
    "anki": ("lessons.exporters.anki", "export_anki", ".apkg"),
    "brightspace": ("lessons.exporters.brightspace", "export_brightspace", ".csv"),
    "gift": ("lessons.exporters.gift", "export_gift", ".gift"),
    "qti": ("lessons.exporters.qti", "export_qti", ".zip"),
    "worksheet": ("lessons.exporters.worksheet", "export_worksheet", ".html"),
}
IMPORTERS = {
    "anki": ("lessons.importers.anki", "import_anki"),
    "csv": ("lessons.importers.csv_words", "import_csv"),
    "gift": ("lessons.importers.gift", "import_gift"),
    "librelingo": ("lessons.importers.librelingo", "import_librelingo"),
}
BY_SUFFIX = {".apkg": "anki", ".colpkg": "anki", ".csv": "csv", ".tsv": "csv", ".gift": "gift"}


@click.command(name="export")
@click.argument("format_name", metavar="FORMAT", type=click.Choice(list(EXPORTERS)))
@click.argument("set_name", metavar="SET")
@click.option(
    "--out", type=click.Path(path_type=Path), help="The file to write [SET and the format's ending, here]."
)
@click.option("--json", "as_json", is_flag=True, help="The outcome as JSON.")
@click.pass_obj
def export_set(context: Context, format_name: str, set_name: str, out: Path | None, as_json: bool) -> None:
    """Write SET (the id of a set that is here, or a folder) for another program.

    anki: a deck of its words. brightspace: questions for CUNY's system. gift: Moodle. qti: Canvas, Blackboard
    and others. worksheet: a page to print, with its key.
    """
    from lessons.load import load_set

    module, name, suffix = EXPORTERS[format_name]
    with told():
        lesson_set = load_set(_folder(context, set_name))
        write = getattr(import_module(module), name)
        outcome = write(lesson_set, out or Path(f"{lesson_set.info.id}{suffix}"))
    _report(outcome, as_json)


@click.command(name="import")
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--format", "format_name", type=click.Choice(list(IMPORTERS)), help="What SOURCE is [from its ending]."
)
@click.option("--id", "set_id", help="Id of the new set [the folder's name].")
@click.option("--title", help="Its title.")
@click.option("--language", required=True, help="Language taught: es, zh, ar, fr …")
@click.option("--track", type=click.Choice(["heritage", "l2"]), default="l2", show_default=True)
@click.option("--level", type=click.Choice(["A1", "A2", "B1"]), default="A1", show_default=True)
@click.option("--author", default="Imported", help="Who answers for it.")
@click.option("--licence", default="LicenseRef-unknown", help="Its licence, as an SPDX id.")
@click.option("--json", "as_json", is_flag=True, help="The outcome as JSON.")
def import_set(
    source: Path,
    folder: Path,
    format_name: str | None,
    set_id: str | None,
    title: str | None,
    as_json: bool,
    **about: str,
) -> None:
    """Make a set in a new FOLDER from SOURCE: an Anki deck, a CSV word list, Moodle GIFT, or a LibreLingo course.

    The set can be studied at once; `tutor lessons lint` then says what is left to write.
    """
    from lessons.importers.draft import About

    chosen = format_name or ("librelingo" if source.is_dir() else BY_SUFFIX.get(source.suffix.lower()))
    if chosen is None:
        raise click.UsageError(f"What is {source}? Say it with --format.")
    name = set_id or folder.absolute().name.lower()
    module, function = IMPORTERS[chosen]
    read: Callable[..., object] = getattr(import_module(module), function)
    with told():
        outcome = read(source, folder, About(name, title or name, **about))  # type: ignore[arg-type]
    _report(outcome, as_json)
    if not as_json:
        click.echo(f"Next: `tutor lessons lint {folder}` says what is left to write.", err=True)


def _folder(context: Context, name: str) -> Path:
    """A set by its folder, or by the id of one that is installed or built in."""
    from lessons.install import Library
    from lessons.load import CURRENT_FILE, SET_FILE

    path = Path(name)
    if (path / SET_FILE).is_file() or (path / CURRENT_FILE).is_file():
        return path
    for found in Library(context.data_dir).sets():
        if found.info is not None and found.info.id == name:
            return found.folder
    raise TutorError(f"There is no set {name!r} here. `tutor lessons list` shows the sets.")


def _report(outcome: object, as_json: bool) -> None:
    from lessons.exchange import Outcome

    assert isinstance(outcome, Outcome)
    if as_json:
        losses = [
            {"what": loss.what, "count": loss.count, "examples": loss.examples} for loss in outcome.losses
        ]
        value = {
            "path": str(outcome.path),
            "written": outcome.written,
            "unit": outcome.unit,
            "losses": losses,
        }
        click.echo(json.dumps(value, ensure_ascii=False, indent=2))
    else:
        for line in outcome.lines():
            click.echo(line)


COMMANDS = [import_set, export_set]
