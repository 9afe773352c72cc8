"""What a class's hand-ins say, computed by the functions that the learners' own screens use."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tutor_app.errors import TutorError
from tutor_app.progress import health, queries, schema
from tutor_app.progress.archive import load_tables
from tutor_app.progress.database import Database
from tutor_app.progress.handin import SUFFIX, HandIn, read_hand_in
from tutor_app.progress.outcomes import ClassGain, Gain, class_gain, learner_gain
from tutor_app.progress.records import FormKnowledge
from tutor_app.progress.store import Store


@dataclass(frozen=True)
class LearnerLine:
    """One learner in one set."""

    name: str
    learner: str
    """Fingerprint, the same in every hand-in of theirs."""
    made_at: float
    overview: queries.Overview
    lessons: tuple[queries.LessonLine, ...]
    forms: tuple[FormKnowledge, ...]
    errors: tuple[queries.ErrorLine, ...]
    moves: tuple[queries.MoveLine, ...]
    gain: Gain | None


@dataclass(frozen=True)
class SetReport:
    set_id: str
    learners: tuple[LearnerLine, ...]
    """By name."""
    gain: ClassGain | None


@dataclass(frozen=True)
class ClassReport:
    sets: tuple[SetReport, ...]
    hand_ins: tuple[HandIn, ...]
    """Those that were used, each with the sets that no newer one of the learner has."""
    remarks: tuple[str, ...]
    """What an instructor should know: files that could not be read, one name with two keys."""

    @property
    def learners(self) -> int:
        """How many handed in."""
        return len({one.learner for one in self.hand_ins})

    @property
    def set_ids(self) -> set[str]:
        return {one.set_id for one in self.sets}


def class_report(folder: Path, private_key: Path | None = None) -> ClassReport:
    """The report on all hand-ins in a folder. Raises TutorError when there is not one that can be read."""
    found, remarks = _newest(folder, private_key)
    if not found:
        raise TutorError(remarks[0] if remarks else f"There is no hand-in (*{SUFFIX}) in {folder}.")
    lines: dict[str, list[LearnerLine]] = {}
    used = []
    for hand_in in found:
        try:
            with opened(hand_in) as store:
                own = [(set_id, _line(hand_in, store, set_id)) for set_id in hand_in.set_ids]
        except TutorError as error:
            remarks.append(f"{hand_in.file}: {error}")
        except (ValueError, TypeError, ArithmeticError, sqlite3.Error):
            # Signed, whole and of the right shape, but with figures that nobody can count with: forged.
            remarks.append(f"{hand_in.file}: it holds figures that no tutor wrote; ask for it again.")
        else:
            used.append(hand_in)
            for set_id, line in own:
                lines.setdefault(set_id, []).append(line)
    sets = [
        SetReport(
            set_id=set_id,
            learners=tuple(sorted(learners, key=lambda line: (line.name.casefold(), line.learner))),
            gain=class_gain([line.gain for line in learners if line.gain]),
        )
        for set_id, learners in sorted(lines.items())
    ]
    return ClassReport(tuple(sets), tuple(used), tuple(remarks + _doubles(found)))


@contextmanager
def opened(hand_in: HandIn) -> Iterator[Store]:
    """A hand-in as a store, in a folder that is gone afterwards. Raises TutorError when its rows are not ours."""
    with tempfile.TemporaryDirectory(prefix="tutor-report-") as scratch:
        database = Database(Path(scratch) / "learner.db", network=False)
        try:
            with database.transaction() as connection:
                connection.execute("PRAGMA defer_foreign_keys = ON")
                schema.migrate(connection)
                load_tables(connection, hand_in.tables)
                if wrong := health.problems(connection):
                    raise TutorError(f"the hand-in does not hold together ({wrong[0]})")
            yield Store(database, hand_in.learner)
        finally:
            database.close()


def _newest(folder: Path, private_key: Path | None) -> tuple[list[HandIn], list[str]]:
    """The hand-ins that are the newest of their learner in some set, with those sets alone; and remarks."""
    newest: dict[tuple[str, str], HandIn] = {}
    read, remarks = [], []
    for path in sorted(folder.rglob("*" + SUFFIX)):
        try:
            hand_in = read_hand_in(path, private_key)
        except TutorError as error:
            remarks.append(str(error))
            continue
        read.append(hand_in)
        for set_id in hand_in.set_ids:
            before = newest.get((hand_in.learner, set_id))
            if before is None or hand_in.made_at >= before.made_at:
                newest[hand_in.learner, set_id] = hand_in
    found = []
    for hand_in in read:
        set_ids = tuple(one for one in hand_in.set_ids if newest[hand_in.learner, one] is hand_in)
        if set_ids:
            found.append(replace(hand_in, set_ids=set_ids))
    return sorted(found, key=lambda one: (one.name.casefold(), one.learner)), remarks


def _line(hand_in: HandIn, store: Store, set_id: str) -> LearnerLine:
    # As of the moment it was handed in: what the learner's own screen showed then.
    now = hand_in.made_at
    return LearnerLine(
        name=hand_in.name,
        learner=hand_in.learner,
        made_at=now,
        overview=queries.overview(store, now, set_id),
        lessons=tuple(queries.lessons(store, set_id)),
        forms=tuple(store.form_knowledge(set_id, now).values()),
        errors=tuple(queries.errors(store.database, set_id)),
        moves=tuple(queries.moves(store.database, set_id)),
        gain=learner_gain(store.database, set_id),
    )


def _doubles(hand_ins: Sequence[HandIn]) -> list[str]:
    keys: dict[str, set[str]] = {}
    for one in hand_ins:
        keys.setdefault(one.name.casefold(), set()).add(one.learner)
    return [
        f"The name {one.name} comes with {len(keys[one.name.casefold()])} different keys: two learners, or one who "
        "began anew."
        for one in {one.name.casefold(): one for one in hand_ins}.values()
        if len(keys[one.name.casefold()]) > 1
    ]
