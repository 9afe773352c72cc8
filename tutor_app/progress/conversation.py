"""Sessions, the learner's turns and the replies to them, as rows."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from typing import Any, Literal

from tutor_app.progress.cards import Cards
from tutor_app.progress.lock import is_running_elsewhere, whoami
from tutor_app.progress.records import SavedReply, SavedSession, SavedTurn, Status
from tutor_app.progress.text import asks, folded, storable

PACE_TURNS = 50
"""Turns that the learner's own pace is taken from: the last few sessions, not last year."""


IDLE_S = 300.0
"""A pause longer than this is not time on task."""


class Conversation(Cards):
    """The part of the store that a session writes as it goes."""

    def begin_session(
        self,
        *,
        set_id: str,
        set_version: str,
        lesson_id: str | None,
        mode: Literal["lesson", "talk"],
        model: str | None,
        model_sha256: str | None,
        adapters: tuple[str, ...],
        seed: int,
        now: float,
        language: str = "",
    ) -> int:
        """Id of a new session. Give `language` (BCP 47), so that pace and reviews hold across its sets."""
        with self.transaction():
            return self.database.insert(
                "sessions",
                {
                    "set_id": set_id,
                    "set_version": set_version,
                    "lesson_id": lesson_id,
                    "mode": mode,
                    "language": language,
                    "model": model,
                    "model_sha256": model_sha256,
                    "adapters": json.dumps(list(adapters)),
                    "seed": seed,
                    "started_at": now,
                    "last_at": now,
                    "owner": whoami(),
                },
            )

    def open_session(self, set_id: str, lesson_id: str | None) -> SavedSession | None:
        """The newest session of this lesson (None: talk) that was not ended and that no other window is in."""
        rows = self.database.rows(
            "SELECT * FROM sessions WHERE set_id = ? AND lesson_id IS ? AND ended_at IS NULL ORDER BY id DESC",
            (set_id, lesson_id),
        )
        row = next((row for row in rows if not is_running_elsewhere(row["owner"])), None)
        if row is None:
            return None
        return SavedSession(
            id=row["id"],
            set_id=row["set_id"],
            set_version=row["set_version"],
            lesson_id=row["lesson_id"],
            seed=row["seed"],
            position=self.database.json(row["position"]),
            turns=tuple(self.turns(row["id"])),
        )

    def save_position(self, session_id: int, position: dict[str, Any]) -> None:
        """Where the session stands, as its own JSON."""
        row = {"position": json.dumps(position, ensure_ascii=False), "owner": whoami()}
        with self.transaction():
            self.database.update("sessions", session_id, row)

    def end_session(self, session_id: int, summary: dict[str, Any], now: float) -> None:
        """Close a session for good; `summary["finished"]` says whether the lesson was gone through."""
        row: dict[str, Any] = {
            "ended_at": now,
            "last_at": now,
            "active_s": self._active_s(session_id, now, None),
            "summary": json.dumps(summary, ensure_ascii=False),
            "finished": bool(summary.get("finished")),
        }
        with self.transaction():
            self.database.update("sessions", session_id, row)

    def add_turn(
        self,
        session_id: int,
        *,
        text: str,
        command: str | None,
        elapsed_s: float | None,
        item_id: str | None,
        now: float,
    ) -> int:
        """Id of the turn, which is on the disk when this returns."""
        text = storable(text)
        with self.transaction():
            turn_id = self.database.insert(
                "turns",
                {
                    "session_id": session_id,
                    "text": text,
                    "folded": folded(text),
                    "characters": len(text),
                    "command": command,
                    "elapsed_s": elapsed_s,
                    "item_id": item_id,
                    "asked": asks(text),
                    "at": now,
                },
            )
            active_s = self._active_s(session_id, now, elapsed_s)
            row = {"last_at": now, "active_s": active_s, "owner": whoami()}
            self.database.update("sessions", session_id, row)
        return turn_id

    def _active_s(self, session_id: int, now: float, elapsed_s: float | None) -> float:
        row = self.database.row("SELECT active_s, last_at FROM sessions WHERE id = ?", (session_id,))
        return 0.0 if row is None else row["active_s"] + time_on_task(now - row["last_at"], elapsed_s)

    def begin_reply(self, turn_id: int, *, move: str, now: float) -> int:
        """Id of a reply that is `partial` until `finish_reply`: what a crash leaves behind is marked already."""
        with self.transaction():
            return self.database.insert("replies", {"turn_id": turn_id, "move": move, "started_at": now})

    def checkpoint_reply(self, reply_id: int, text: str) -> None:
        """The reply as far as it has come."""
        text = storable(text)
        with self.transaction():
            self.database.update("replies", reply_id, {"text": text, "folded": folded(text)})

    def finish_reply(
        self,
        reply_id: int,
        *,
        text: str,
        status: Status,
        signals: Iterable[str],
        source: str,
        hint_level: int,
        recast: str | None,
        ttft_ms: float | None,
        total_ms: float | None,
        prompt_tokens: int | None,
        cached_tokens: int | None,
        now: float,
        move: str | None = None,
    ) -> None:
        """The reply as it stands for good. What a recast offered becomes a card; `move` when it changed meanwhile."""
        text = storable(text)
        row: dict[str, Any] = {
            "text": text,
            "folded": folded(text),
            "status": status,
            "signals": json.dumps(list(signals)),
            "source": source,
            "hint_level": hint_level,
            "recast": recast and storable(recast),
            "ttft_ms": ttft_ms,
            "total_ms": total_ms,
            "prompt_tokens": prompt_tokens,
            "cached_tokens": cached_tokens,
            "finished_at": now,
        }
        with self.transaction():
            self.database.update("replies", reply_id, row if move is None else {**row, "move": move})
            if recast:
                self.add_recast_card(reply_id, recast, now)

    def set_uptake(
        self, reply_id: int, *, uptake: bool | None, repair: bool | None, now: float | None = None
    ) -> None:
        """Whether the learner reacted to a move, and whether they then produced the form.

        Either is None when there was nothing to take up. A recast form is reviewed by it: `now` defaults to the
        time of the reply.
        """
        with self.transaction():
            self._count_moves("r.id", reply_id, -1)  # what was known before, when it is set again
            self.database.update("replies", reply_id, {"uptake": uptake, "repair": repair})
            self._count_moves("r.id", reply_id)
            if repair is not None:
                self.review_recast(reply_id, repaired=repair, now=now)

    def _count_moves(self, which: Literal["r.id", "a.id"], row_id: int, sign: int = 1) -> None:
        """Add the uptake and repair of one reply, or of the replies to one attempt, to the forms of the attempt.

        With `sign` -1 they are taken off.
        """
        self.database.connection.execute(
            "UPDATE forms SET taken = forms.taken + :sign * r.taken, taken_of = forms.taken_of + :sign * r.taken_of,"
            " repaired = forms.repaired + :sign * r.repaired,"
            " repaired_of = forms.repaired_of + :sign * r.repaired_of"
            " FROM (SELECT f.set_id, f.form_id, coalesce(sum(r.uptake), 0) AS taken, count(r.uptake) AS taken_of,"
            " coalesce(sum(r.repair), 0) AS repaired, count(r.repair) AS repaired_of FROM replies r"
            " JOIN attempts a ON a.turn_id = r.turn_id JOIN attempt_forms f ON f.attempt_id = a.id"
            f" WHERE {which} = :row_id GROUP BY f.set_id, f.form_id) r"
            " WHERE forms.set_id = r.set_id AND forms.form_id = r.form_id",
            {"sign": sign, "row_id": row_id},
        )

    def turns(self, session_id: int) -> list[SavedTurn]:
        """Everything said in a session, in order; a turn with several replies has its last."""
        rows = self.database.rows(
            "SELECT t.id AS turn_id, t.text AS turn_text, t.command, t.elapsed_s, t.at, t.item_id, r.*"
            " FROM turns t LEFT JOIN replies r ON r.id = (SELECT max(id) FROM replies WHERE turn_id = t.id)"
            " WHERE t.session_id = ? ORDER BY t.id",
            (session_id,),
        )
        return [
            SavedTurn(
                id=row["turn_id"],
                text=row["turn_text"],
                command=row["command"],
                elapsed_s=row["elapsed_s"],
                at=row["at"],
                item_id=row["item_id"],
                reply=None if row["id"] is None else self._reply(row),
            )
            for row in rows
        ]

    def _reply(self, row: sqlite3.Row) -> SavedReply:
        return SavedReply(
            id=row["id"],
            turn_id=row["turn_id"],
            move=row["move"],
            text=row["text"],
            status=row["status"],
            signals=tuple(self.database.json(row["signals"])),
            source=row["source"],
            hint_level=row["hint_level"],
            recast=row["recast"],
            uptake=_flag(row["uptake"]),
            repair=_flag(row["repair"]),
        )

    def pace(self, language: str) -> list[tuple[int, float]]:
        """(characters, seconds) of the learner's latest typed turns in a language, oldest first."""
        rows = self.database.rows(
            "SELECT t.characters, t.elapsed_s FROM turns t JOIN sessions s ON s.id = t.session_id"
            " WHERE s.language IN (?, '') AND t.elapsed_s > 0 AND t.command IS NULL"
            " ORDER BY t.id DESC LIMIT ?",
            (language, PACE_TURNS),
        )
        return [(row["characters"], row["elapsed_s"]) for row in reversed(rows)]


def time_on_task(gap_s: float, elapsed_s: float | None) -> float:
    """Seconds at work between two turns: a longer pause was spent elsewhere, save what the answer itself took.

    A clock that went backwards counts as nothing.
    """
    if 0 <= gap_s <= IDLE_S:
        return gap_s
    return min(max(0.0, elapsed_s or 0.0), IDLE_S)


def _flag(value: int | None) -> bool | None:
    return None if value is None else bool(value)
