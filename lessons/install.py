"""Sets on a student's machine: `<data folder>/lessons/<set id>/<version>/`, with `current` naming the version.

    Library(data_dir)
        .plan(pack_path)            -> Plan       what installing would do; nothing is changed
        .install(pack_path, agreed) -> Plan       do it, `agreed` being what the student said yes to
        .remove(set_id)             -> None       the learner's progress stays
        .sets()                     -> [FoundSet] installed and built in
        .trust                      the authors' keys this student accepts

A version is unpacked and checked in a folder of its own, moved into place whole, and only then named by
`current`, which is replaced in one step. Whenever the power goes, either the old version or the new one works.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from lessons.changes import Changes, compare
from lessons.files import replace_file
from lessons.load import (
    CURRENT_FILE,
    FoundSet,
    builtin_sets_dir,
    find_sets,
    load_set,
    resolve_set,
    version_key,
)
from lessons.lock import locked
from lessons.pack import MANIFEST, SIGNATURE, PackError, make_pack
from lessons.problems import ReadError
from lessons.schema import LessonSet, SetInfo
from lessons.signing import Signer, TrustStore, check
from lessons.unpack import unpack

LESSONS_FOLDER = "lessons"
TRUST_FILE = "trusted-authors.json"
STAGING = ".staging-"
GONE = ".removed-"

_SET_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")

Question = Literal["unsigned", "new-author", "other-author", "older", "namesake"]
"""What a student has to agree to:

`unsigned`: anybody may have made or changed the pack. `new-author`: signed with a key never seen here.
`namesake`: that key goes by the name of another, trusted one. `other-author`: it would replace a set of
somebody else. `older`: it would replace a newer version.
"""


@dataclass(frozen=True)
class Plan:
    """What an installation does, and what it needs the student's word for."""

    set: LessonSet
    signer: Signer | None
    questions: tuple[Question, ...]
    replaces: SetInfo | None
    """The version in use before, if there was one."""
    replaces_signer: Signer | None
    changes: Changes | None
    """What is different from that version, item by item."""
    already_there: bool
    """The very same version is in use: nothing to do."""


class Library:
    """The lesson sets of one data folder."""

    def __init__(self, data_dir: Path, builtin: Path | None = None) -> None:
        self.folder = data_dir / LESSONS_FOLDER
        self.builtin = builtin or builtin_sets_dir()
        self.trust = TrustStore(self.folder / TRUST_FILE)

    def sets(self) -> list[FoundSet]:
        """What can be studied: for each set the highest version, installed or built in."""
        return find_sets([self.folder, self.builtin])

    def plan(self, path: Path) -> Plan:
        """What installing the pack (or set folder) at `path` would do. Raises PackError when it is refused."""
        with self._unpacked(path) as (_, plan):
            return plan

    def install(
        self, path: Path, agreed: frozenset[Question] = frozenset(), shown: Plan | None = None
    ) -> Plan:
        """Install the pack (or set folder) at `path`; a newer version replaces the one in use.

        `shown` is the plan that the student agreed to; the pack must still be that one. Raises PackError when
        the pack is refused, or when `agreed` lacks one of the plan's questions. Either way nothing of the
        pack is left behind.
        """
        with self._unpacked(path) as (staging, plan):
            if shown is not None and (shown.set, shown.signer) != (plan.set, plan.signer):
                raise PackError(
                    f"{path.name} was exchanged for another while you were asked. Nothing was installed."
                )
            missing = [question for question in plan.questions if question not in agreed]
            if missing:
                raise PackError(f"{path.name} was not installed: {REASONS[missing[0]]}")
            if plan.already_there:
                return plan
            if plan.signer is not None:
                self.trust.trust(plan.signer)
            self._put(staging, plan)
            return plan

    def remove(self, set_id: str) -> None:
        """Delete an installed set. What learners did with it stays in their own files."""
        folder = self.folder / set_id
        if not _SET_ID.fullmatch(set_id) or not (folder / CURRENT_FILE).is_file():
            why = (
                "it came with the program"
                if (self.builtin / set_id).is_dir()
                else "`tutor lessons list` shows the sets"
            )
            raise PackError(f"The set {set_id!r} is not installed here, so it cannot be removed: {why}.")
        with locked(self.folder):
            # Moved away in one step first: half-deleted it would look like a damaged set.
            gone = Path(tempfile.mkdtemp(dir=self.folder, prefix=GONE)) / set_id
            os.replace(folder, gone)
            shutil.rmtree(gone.parent)

    def signer_of(self, folder: Path) -> Signer | None:
        """Who signed the set that is installed in `folder`; None when nobody did."""
        signature = folder / SIGNATURE
        return (
            check((folder / MANIFEST).read_bytes(), signature.read_bytes()) if signature.is_file() else None
        )

    @contextmanager
    def _unpacked(self, path: Path) -> Iterator[tuple[Path, Plan]]:
        """The verified content of a pack in a folder that is gone afterwards, and what to do with it."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(self.folder):
            self._sweep()
            staging = Path(tempfile.mkdtemp(dir=self.folder, prefix=STAGING))
            try:
                pack = path
                if path.is_dir():
                    pack = make_pack(path, staging / "pack")
                content = staging / "set"
                content.mkdir()
                verified = unpack(pack, content)
                yield content, self._planned(verified.set, verified.signer, content)
            finally:
                shutil.rmtree(staging)

    def _sweep(self) -> None:
        """Throw away what an interrupted installation left; the lock is held, so nobody is using it."""
        for pattern in (f"{STAGING}*", f"{GONE}*"):
            for leftover in self.folder.glob(pattern):
                shutil.rmtree(leftover, ignore_errors=True)

    def _planned(self, new: LessonSet, signer: Signer | None, content: Path) -> Plan:
        plan = Plan(new, signer, (), None, None, None, False)
        questions: list[Question] = []
        if signer is None:
            questions.append("unsigned")
        elif not self.trust.known(signer):
            questions.append("namesake" if self.trust.namesake(signer) else "new-author")
        found = next((found for found in self.sets() if found.info and found.info.id == new.info.id), None)
        if found is None or found.info is None:
            return replace(plan, questions=tuple(questions))
        owner = self.signer_of(found.folder)
        if not _same_author(found.info, owner, new.info, signer):
            questions.append("other-author")
        if version_key(new.info.version) < version_key(found.info.version):
            questions.append("older")
        same = False
        if new.info.version == found.info.version and found.folder.parent.parent == self.folder:
            if not _same_manifest(found.folder, content):
                raise PackError(
                    f"Version {new.info.version} of {new.info.id!r} is installed with other content. "
                    "Ask its author for a higher version number."
                )
            same = _is_intact(found.folder)
        changes = None
        with suppress(ReadError):  # a damaged one is replaced; there is nothing to compare with
            changes = compare(load_set(found.folder), new)
        return Plan(new, signer, () if same else tuple(questions), found.info, owner, changes, same)

    def _put(self, staging: Path, plan: Plan) -> None:
        """Move the checked content into place, then name it."""
        info = plan.set.info
        home = self.folder / info.id
        home.mkdir(mode=0o700, exist_ok=True)
        target = home / info.version
        if target.exists():
            # Left by an installation that ended before `current` was written, or an earlier version that is
            # wanted again: the new content has been checked, this has not.
            shutil.rmtree(target)
        os.replace(staging, target)
        before = _current_version(home)
        replace_file(home / CURRENT_FILE, f"{info.version}\n".encode("ascii"))
        for version in home.iterdir():
            if version.is_dir() and version.name not in (info.version, before):
                shutil.rmtree(version, ignore_errors=True)


REASONS: dict[Question, str] = {
    "unsigned": "it is not signed, so anybody may have made or changed it. Install it only if you know where it comes from.",
    "new-author": "it is signed with a key that is new here. Compare its fingerprint with its author's.",
    "namesake": "it is signed with a new key that goes by the name of an author you trust. Ask that author.",
    "other-author": "it would replace a set that is not by the same author.",
    "older": "a newer version is in use.",
}
"""What each question means to the student."""


def _same_author(old: SetInfo, old_signer: Signer | None, new: SetInfo, new_signer: Signer | None) -> bool:
    """A signed set belongs to its key for good; between unsigned ones only the names can be compared."""
    if old_signer is not None:
        return new_signer is not None and new_signer.public_key == old_signer.public_key
    return old.authors == new.authors


def _same_manifest(installed: Path, new: Path) -> bool:
    return (installed / MANIFEST).read_bytes() == (new / MANIFEST).read_bytes()


def _is_intact(installed: Path) -> bool:
    """Whether the files are still what was installed; otherwise installing again repairs them."""
    files = json.loads((installed / MANIFEST).read_bytes())["files"]
    for name, row in files.items():
        path = installed / name
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != row["sha256"]:
            return False
    return True


def _current_version(home: Path) -> str:
    try:
        return resolve_set(home).name
    except ReadError:
        return ""
