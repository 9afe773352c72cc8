"""`tutor lessons pack | key | sign | verify | install | upgrade | remove | list | trust`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tutor_app.cli.context import Context, prepared
from tutor_app.cli.lesson_errors import told
from tutor_app.errors import TutorError

if TYPE_CHECKING:
    from lessons.install import Library, Plan, Question
    from lessons.load import FoundSet
    from lessons.signing import Key

PATH = click.Path(exists=True, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
OUT_FOLDER = click.Path(file_okay=False, path_type=Path)
KEY_FILE = "author-key.pem"


def _library(context: Context) -> Library:
    from lessons.install import Library

    return Library(prepared(context.data_dir))


@click.command()
@click.argument("folder", type=FOLDER)
@click.option("--out", type=OUT_FOLDER, default=Path(), help="Where to put the pack [here].")
@click.option("--sign", "signed", is_flag=True, help="Sign it with your key (`tutor lessons key`).")
@click.option("--key", "key_file", type=FILE, help="Sign it with the key in this file.")
@click.pass_obj
def pack(context: Context, folder: Path, out: Path, signed: bool, key_file: Path | None) -> None:
    """Pack the set in FOLDER into one file, <id>-<version>.lessons: the same set gives the same bytes."""
    from lessons.pack import make_pack

    with told():
        key = _key(context, key_file) if signed or key_file else None
        path = make_pack(folder, out, key)
    click.echo(path)
    from lessons.lint import lint

    if found := sum(finding.severity == "error" for finding in lint(folder)):
        click.echo(
            f"{found} things in it could trip a student: `tutor lessons lint {folder}` shows them.", err=True
        )
    if key is None:
        click.echo("Not signed. `tutor lessons sign` lets students know it is yours.", err=True)


@click.command()
@click.argument("name", required=False)
@click.option("--file", "key_file", type=click.Path(dir_okay=False, path_type=Path), help="Where to keep it.")
@click.pass_obj
def key(context: Context, name: str | None, key_file: Path | None) -> None:
    """Make your author's key under NAME, or show the one you have.

    Keep a copy of the file in a safe place and give it to nobody: who has it can sign as you.
    """
    from lessons.signing import Key

    path = key_file or prepared(context.data_dir) / KEY_FILE
    with told():
        if name:
            Key.create(name).write(path)
        mine = Key.read(path)
    click.echo(f"{path}\n{mine.name}\n{mine.signer.fingerprint}")


def _key(context: Context, key_file: Path | None) -> Key:
    from lessons.signing import Key

    path = key_file or context.data_dir / KEY_FILE
    if not path.is_file():
        raise TutorError('You have no key yet. Make one with `tutor lessons key "Your name"`.')
    return Key.read(path)


@click.command()
@click.argument("packs", nargs=-1, required=True, type=FILE)
@click.option("--key", "key_file", type=FILE, help="A key other than the one in your data folder.")
@click.pass_obj
def sign(context: Context, packs: tuple[Path, ...], key_file: Path | None) -> None:
    """Sign packs, so that students know they are yours and unchanged."""
    from lessons.pack import sign_pack

    with told():
        mine = _key(context, key_file)
        for path in packs:
            sign_pack(path, mine)
            click.echo(f"{path}: signed by {mine.name}, {mine.signer.fingerprint}")


@click.command()
@click.argument("packs", nargs=-1, required=True, type=FILE)
@click.option("--json", "as_json", is_flag=True, help="What was found as one JSON list.")
@click.pass_obj
def verify(context: Context, packs: tuple[Path, ...], as_json: bool) -> None:
    """Check packs to the last byte, and say who signed them. Installs nothing."""
    from lessons.unpack import verify_pack

    rows = []
    with told():
        trust = _library(context).trust
        for path in packs:
            found = verify_pack(path)
            info, signer = found.set.info, found.signer
            row = {
                "file": str(path),
                "id": info.id,
                "version": info.version,
                "lessons": len(found.set.lessons),
            }
            row |= {"sha256": found.sha256, "signer": None, "fingerprint": None, "trusted": False}
            if signer:
                row |= {
                    "signer": signer.name,
                    "fingerprint": signer.fingerprint,
                    "trusted": trust.known(signer),
                }
            rows.append(row)
            if not as_json:
                click.echo(
                    f"{path}: {info.title} ({info.id} {info.version}), {len(found.set.lessons)} lessons, whole"
                )
                click.echo(
                    f"  {_signed_by(signer.name, signer.fingerprint, trust.known(signer)) if signer else 'not signed'}"
                )
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))


def _signed_by(name: str, fingerprint: str, trusted: bool) -> str:
    standing = "whom you trust" if trusted else "a key that is new here; compare the digits with its author's"
    return f"signed by {name}, {fingerprint} ({standing})"


@click.command()
@click.argument("paths", nargs=-1, required=True, type=PATH)
@click.option("--yes", is_flag=True, help="Accept an unsigned pack, or an author whose key is new here.")
@click.option("--replace-author", is_flag=True, help="Let it replace a set by somebody else.")
@click.option("--older", is_flag=True, help="Let it replace a newer version.")
@click.pass_obj
def install(context: Context, paths: tuple[Path, ...], yes: bool, replace_author: bool, older: bool) -> None:
    """Install packs (or set folders). A newer version replaces the old one; progress stays."""
    _install(context, paths, yes, replace_author, older, upgrade=False)


@click.command()
@click.argument("paths", nargs=-1, required=True, type=PATH)
@click.option("--yes", is_flag=True, help="Accept an unsigned pack, or an author whose key is new here.")
@click.pass_obj
def upgrade(context: Context, paths: tuple[Path, ...], yes: bool) -> None:
    """Replace installed sets by newer versions and say what is different. Progress stays."""
    _install(context, paths, yes, replace_author=False, older=False, upgrade=True)


def _install(
    context: Context, paths: tuple[Path, ...], yes: bool, replace_author: bool, older: bool, *, upgrade: bool
) -> None:
    with told():
        library = _library(context)
        for path in paths:
            plan = library.plan(path)
            info = plan.set.info
            if upgrade and plan.replaces is None:
                raise TutorError(f"The set {info.id!r} is not here yet. Use `tutor lessons install {path}`.")
            _describe(plan)
            agreed: set[Question] = set()
            if replace_author:
                agreed |= {"other-author", "namesake"}
            if older:
                agreed.add("older")
            if yes:
                agreed |= {"unsigned", "new-author"}
            agreed |= _asked(plan, agreed)
            done = library.install(path, frozenset(agreed), plan)
            click.echo(
                f"{info.id} {info.version} " + ("was there already." if done.already_there else "is ready.")
            )


def _describe(plan: Plan) -> None:
    info = plan.set.info
    click.echo(
        f"{info.title}: {len(plan.set.lessons)} lessons, {', '.join(info.levels)}, by {', '.join(info.authors)}"
    )
    click.echo(
        f"  {f'signed by {plan.signer.name}, {plan.signer.fingerprint}' if plan.signer else 'not signed'}"
    )
    if plan.replaces is not None and not plan.already_there:
        click.echo(f"  replaces version {plan.replaces.version}; what you have learnt stays")
        for line in plan.changes.lines() if plan.changes else []:
            click.echo(f"    {line}")


def _asked(plan: Plan, agreed: set[Question]) -> set[Question]:
    """What the student says yes to, asked one by one; without a terminal nobody can say yes."""
    from lessons.install import REASONS

    if not sys.stdin.isatty():
        return set()
    answers: set[Question] = set()
    for question in plan.questions:
        if question in agreed:
            continue
        if not click.confirm(f"{_sentence(REASONS[question])} Go on?", default=False):
            break
        answers.add(question)
    return answers


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


@click.command()
@click.argument("set_ids", nargs=-1, required=True)
@click.pass_obj
def remove(context: Context, set_ids: tuple[str, ...]) -> None:
    """Remove installed sets. What was learnt with them stays in the learners' files."""
    with told():
        library = _library(context)
        for set_id in set_ids:
            library.remove(set_id)
            click.echo(f"{set_id} removed.")


@click.command(name="list")
@click.option("--counts", is_flag=True, help="What is in each set, as a table.")
@click.option("--json", "as_json", is_flag=True, help="The sets as one JSON list.")
@click.pass_obj
def list_sets(context: Context, counts: bool, as_json: bool) -> None:
    """Show the sets that can be studied."""
    from lessons.problems import LessonError
    from lessons.statistics import HEADINGS

    rows, broken = [], []
    with told():
        library = _library(context)
        for found in library.sets():
            try:
                rows.append(_set_row(library, found, counts))
            except LessonError as error:
                broken.append(str(error))
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
    elif counts:
        click.echo(f"| set | {' | '.join(HEADINGS.values())} |")
        click.echo("|---|" + "---:|" * len(HEADINGS))
        for row in rows:
            click.echo(f"| {row['id']} | {' | '.join(str(row[name]) for name in HEADINGS)} |")
    else:
        for row in rows:
            who = f", signed by {row['signer']}" if row["signer"] else ""
            kind = f"{row['language']}, {row['track']}, {row['from']}{who}"
            click.echo(f"{row['id']} {row['version']}  {row['title']}  ({kind})")
    for problem in broken:
        click.echo(f"Cannot be used: {problem}", err=True)


def _set_row(library: Library, found: FoundSet, counts: bool) -> dict[str, object]:
    """One set as the list shows it. Raises LessonError when it cannot be used."""
    from lessons.load import load_set
    from lessons.problems import LessonError
    from lessons.statistics import count

    if found.info is None:
        raise LessonError(found.problem)
    info, signer = found.info, library.signer_of(found.folder)
    return {
        "id": info.id,
        "version": info.version,
        "title": info.title,
        "language": info.language,
        "track": info.track,
        "levels": info.levels,
        "from": "installed" if found.folder.is_relative_to(library.folder) else "built in",
        "signer": signer.name if signer else None,
        "folder": str(found.folder),
        **(count(load_set(found.folder)) if counts else {}),
    }


@click.command()
@click.option("--forget", metavar="FINGERPRINT", help="Stop trusting the key with these digits.")
@click.pass_obj
def trust(context: Context, forget: str | None) -> None:
    """Show the authors' keys you have accepted, or forget one."""
    with told():
        store = _library(context).trust
        if forget and not store.forget(forget):
            raise TutorError(
                f"No trusted key has the fingerprint {forget!r}. `tutor lessons trust` shows them."
            )
        for signer in store.signers():
            click.echo(f"{signer.fingerprint}  {signer.name}")


COMMANDS = [pack, key, sign, verify, install, upgrade, remove, list_sets, trust]
