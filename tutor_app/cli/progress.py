"""`tutor progress`: show, export, hand in, import, back up or delete a learner's data."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from tutor_app.cli.context import Context, prepared
from tutor_app.errors import TutorError
from tutor_app.progress import queries
from tutor_app.progress.archive import export_file, import_file
from tutor_app.progress.backups import back_up
from tutor_app.progress.figures import minutes, percent, probability
from tutor_app.progress.handin import hand_in
from tutor_app.progress.learners import find, learners
from tutor_app.progress.removal import delete_learner
from tutor_app.progress.sharing import LEVELS, Share
from tutor_app.progress.store import Store

learner_option = click.option(
    "--learner", "name", metavar="NAME", help="Name or id; not needed when there is only one."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def progress() -> None:
    """Show, export, import, back up or delete a learner's data.

    Everything about a learner is in one file on this machine, and leaves it only by `export`.
    """


@progress.command()
@learner_option
@click.option("--set", "set_id", metavar="SET", help="Only this lesson set.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
@click.pass_obj
def show(context: Context, name: str | None, set_id: str | None, as_json: bool) -> None:
    """What a learner has done and knows."""
    everybody = learners(context.data_dir)
    if name is None and len(everybody) != 1 and not as_json:
        for one in everybody:
            click.echo(f"{one.name}  ({one.id})")
        click.echo("Choose one with --learner." if everybody else "There is no learner here yet.")
        return
    now = time.time()
    with Store.open(context.data_dir, find(context.data_dir, name).id) as store:
        _notice(store)
        figures = _figures(store, now, set_id)
        if as_json:
            click.echo(json.dumps(figures, ensure_ascii=False, indent=2))
            return
        click.echo(f"{store.learner.name}\n")
        _echo_overview(queries.overview(store, now, set_id), store.due_count(now))
        for practised in [set_id] if set_id else queries.set_ids(store.database):
            _echo_set(store, practised, now)


def _figures(store: Store, now: float, set_id: str | None) -> dict[str, Any]:
    sets = [set_id] if set_id else queries.set_ids(store.database)
    return {
        "learner": store.learner.name,
        "overview": asdict(queries.overview(store, now, set_id)),
        "due_today": store.due_count(now),
        "lessons": {one: [asdict(line) for line in queries.lessons(store, one)] for one in sets},
        "forms": {one: [asdict(form) for form in store.form_knowledge(one, now).values()] for one in sets},
        "errors": [asdict(line) for line in queries.errors(store.database, set_id)],
        "moves": [asdict(line) for line in queries.moves(store.database, set_id)],
    }


def _echo_overview(seen: queries.Overview, due: int) -> None:
    lines = [
        ("Time on task", f"{minutes(seen.minutes)} min in {seen.sessions} sessions"),
        ("Items right", f"{percent(seen.items) or '–'} % ({seen.items[0]} of {seen.items[1]})"),
        ("Words known", f"{seen.words_known} of {seen.words_met} met"),
        ("Forms known", f"{seen.forms_known} of {seen.forms_met} met"),
        ("Questions asked", str(seen.questions)),
        ("Hints", str(seen.hints)),
        ("Uptake, repair", f"{percent(seen.uptake) or '–'} %, {percent(seen.repair) or '–'} %"),
        ("Reviews today", str(due)),
    ]
    if seen.streak_days > 1:
        lines.append(("Days in a row", str(seen.streak_days)))
    for label, value in lines:
        click.echo(f"  {label:<16} {value}")


def _echo_set(store: Store, set_id: str, now: float) -> None:
    click.echo(f"\n{set_id}")
    for lesson in queries.lessons(store, set_id):
        state = "finished" if lesson.finished else "begun"
        click.echo(f"  {lesson.lesson_id:<24} {percent(lesson.items) or '–':>3} % right, {state}")
    for form in sorted(store.form_knowledge(set_id, now).values(), key=lambda form: form.probability):
        click.echo(
            f"  {form.form_id:<24} {form.right} of {form.tried} right; next time {probability(form.probability)} %"
        )


@progress.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@learner_option
@click.option(
    "--hand-in", "handed_in", is_flag=True, help="A signed file for an instructor, not a full copy."
)
@click.option(
    "--set", "set_ids", multiple=True, metavar="SET", help="Sets to hand in (default: all practised)."
)
@click.option(
    "--share",
    type=click.Choice(list(LEVELS)),
    default="results",
    show_default=True,
    help="What a hand-in contains. "
    + " ".join(f"{level}: {text[0].lower()}{text[1:]}" for level, text in LEVELS.items()),
)
@click.option(
    "--to",
    "recipient",
    type=click.Path(path_type=Path, exists=True),
    help="The instructor's public key: seals it.",
)
@click.option("--as", "shown_as", metavar="NAME", help="The name to appear under.")
@click.pass_obj
def export(
    context: Context,
    file: Path,
    name: str | None,
    handed_in: bool,
    set_ids: tuple[str, ...],
    share: Share,
    recipient: Path | None,
    shown_as: str | None,
) -> None:
    """Write a learner's data to FILE: all of it (JSON when FILE ends in .json), or a hand-in."""
    with Store.open(context.data_dir, find(context.data_dir, name).id) as store:
        _notice(store)
        if not handed_in:
            export_file(store, file)
            click.echo(f"Everything of {store.learner.name} is in {file}; `tutor progress import` reads it.")
            return
        chosen = set_ids or tuple(queries.set_ids(store.database))
        if not chosen:
            raise TutorError("There is nothing to hand in yet.")
        if unknown := set(chosen) - set(queries.set_ids(store.database)):
            raise TutorError(
                f"{', '.join(sorted(unknown))} was never practised; there is nothing to hand in."
            )
        hand_in(store, file, set_ids=chosen, share=share, now=time.time(), name=shown_as, recipient=recipient)
        click.echo(f"{file} holds {', '.join(chosen)}. {LEVELS[share]}")
        if recipient is None:
            click.echo("It is signed but not sealed: whoever gets it can read it. --to seals it.")


@progress.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--name", metavar="NAME", help="Another name for the imported learner.")
@click.option("--replace", metavar="NAME", help="Put it in place of this learner, who is backed up first.")
@click.option("--without-pin", is_flag=True, help="Leave its PIN out, when that was forgotten.")
@click.pass_obj
def import_(context: Context, file: Path, name: str | None, replace: str | None, without_pin: bool) -> None:
    """Read a learner from an exported FILE, as a new one or in place of one who is here."""
    data_dir = prepared(context.data_dir)
    replaced = find(data_dir, replace).id if replace else None
    learner = import_file(data_dir, file, name=name, replace=replaced, without_pin=without_pin)
    click.echo(f"{learner.name} is here as {learner.id}.")


@progress.command()
@learner_option
@click.pass_obj
def backup(context: Context, name: str | None) -> None:
    """Make a backup now; the program makes one a day by itself and keeps five."""
    with Store.open(context.data_dir, find(context.data_dir, name).id) as store:
        _notice(store)
        click.echo(f"{back_up(store.database, time.time()).path}")


@progress.command()
@click.option("--learner", "name", metavar="NAME", required=True, help="Name or id.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def delete(context: Context, name: str, yes: bool) -> None:
    """Delete a learner for good: file, backups, damaged copies and recordings."""
    learner = find(context.data_dir, name)
    if not yes:
        click.confirm(
            f"Delete everything of {learner.name} ({learner.id})? This cannot be undone", abort=True
        )
    delete_learner(context.data_dir, learner.id)
    click.echo(f"{learner.name} is deleted. Copies that you exported or handed in are where you put them.")


def _notice(store: Store) -> None:
    if store.notice:
        click.echo(store.notice, err=True)
