"""Review cards in the learner's file: words, forms, and what the tutor recast."""

from __future__ import annotations

import sqlite3
from contextlib import AbstractContextManager
from typing import Any

from tutor_app.progress import queue, reviews
from tutor_app.progress.database import Database
from tutor_app.progress.records import CardKind, DueItem, SavedCard
from tutor_app.progress.reviews import DAY_S, CardState
from tutor_app.progress.text import storable


class Cards:
    """The part of the store that decides what comes up again."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def transaction(self) -> AbstractContextManager[sqlite3.Connection]:
        """Several writes as one: all of them are kept, or none."""
        return self.database.transaction()

    def settings(self) -> dict[str, Any]:
        raise NotImplementedError

    def save_word(
        self,
        word: str,
        gloss: str,
        sentence: str,
        language: str,
        source: str,
        now: float,
        session_id: int | None = None,
    ) -> int:
        """Id of the card for a word that the learner kept; saving it again updates gloss and sentence.

        `session_id` says where the sentence was met, and goes with it when that session is deleted.
        """
        with self.transaction():
            turn = self.database.row("SELECT max(id) AS id FROM turns WHERE session_id = ?", (session_id,))
            card_id = self._card("word", word, language=language, set_id=None, now=now, due_at=now)
            row = {
                "gloss": storable(gloss),
                "sentence": storable(sentence),
                "source": storable(source),
                "turn_id": turn and turn["id"],
                "suspended": False,
            }
            self.database.update("cards", card_id, row)
        return card_id

    def add_review(
        self, card_id: int, *, correct: bool, now: float, hint_level: int = 0, attempt_number: int = 1
    ) -> None:
        """A card was asked on its own, outside the items of a lesson."""
        rated = reviews.rating(correct=correct, hint_level=hint_level, attempt_number=attempt_number)
        with self.transaction():
            self._review(card_id, rated, now)

    def suspend_card(self, card_id: int, suspended: bool = True) -> None:
        """The learner does not want it brought up (or wants it again)."""
        with self.transaction():
            self.database.update("cards", card_id, {"suspended": suspended})

    def cards(self, now: float) -> list[SavedCard]:
        """Every card, what came up last first, with what is known about it."""
        parameters = self.fsrs_parameters()
        rows = self.database.rows("SELECT * FROM cards ORDER BY coalesce(last_at, created_at) DESC, id DESC")
        return [
            SavedCard(
                id=row["id"],
                kind=row["kind"],
                key=row["key"],
                language=row["language"],
                set_id=row["set_id"],
                gloss=row["gloss"],
                sentence=row["sentence"],
                due_at=row["due_at"],
                last_at=row["last_at"],
                suspended=bool(row["suspended"]),
                retrievability=reviews.retrievability(
                    CardState(row["stability"], row["difficulty"], row["last_at"]), now, parameters=parameters
                ),
            )
            for row in rows
        ]

    def due(self, scope: str | None, now: float, limit: int | None = None) -> list[DueItem]:
        """What to bring up now, most useful first, within today's amount; `scope` is a set id or a language."""
        parameters = self.fsrs_parameters()
        waiting = [
            _due_item(row, now, parameters)
            for row in self.database.rows(
                "SELECT * FROM cards WHERE suspended = 0 AND due_at <= :now"
                " AND (:scope IS NULL OR set_id = :scope OR language = :scope)",
                {"now": now, "scope": scope},
            )
        ]
        left = queue.left_today(self._daily(), self._done_today(now))
        return queue.chosen(waiting, left if limit is None else min(left, limit))

    def due_count(self, now: float) -> int:
        """How many reviews today still has: never more than the daily amount, however long the learner was away."""
        row = self.database.row("SELECT count(*) FROM cards WHERE suspended = 0 AND due_at <= ?", (now,))
        assert row is not None
        return min(int(row[0]), queue.left_today(self._daily(), self._done_today(now)))

    def waiting(self, scope: str | None, now: float) -> int:
        """How many more are due than today's amount takes: the forgiven backlog of a set or a language."""
        row = self.database.row(
            "SELECT count(*) FROM cards WHERE suspended = 0 AND due_at <= :now"
            " AND (:scope IS NULL OR set_id = :scope OR language = :scope)",
            {"now": now, "scope": scope},
        )
        assert row is not None
        return max(0, int(row[0]) - queue.left_today(self._daily(), self._done_today(now)))

    def add_recast_card(self, reply_id: int, recast: str, now: float) -> None:
        """A recast form comes up again from tomorrow, with the sentence that the learner wrote.

        What stands out in another reply, as in an explanation, was nobody's mistake and makes no card.
        """
        row = self._turn_of(reply_id)
        if row is None or row["move"] != "recast":
            return
        card_id = self._card(
            "recast", recast, language=row["language"], set_id=row["set_id"], now=now, due_at=now + DAY_S
        )
        self.database.update("cards", card_id, {"sentence": row["text"], "turn_id": row["turn_id"]})

    def review_recast(self, reply_id: int, *, repaired: bool, now: float | None) -> None:
        """The learner did, or did not, produce a recast form at the next turn."""
        row = self._turn_of(reply_id)
        if row is None or not row["recast"]:
            return
        card = self.database.row(
            "SELECT id FROM cards WHERE kind = 'recast' AND scope = ? AND key = ?",
            (row["language"] or row["set_id"] or "", row["recast"]),
        )
        if card is None:  # it was never recast, or the learner has deleted it
            return
        at = now if now is not None else row["finished_at"] or row["at"]
        self._review(card["id"], reviews.GOOD if repaired else reviews.AGAIN, at)

    def _turn_of(self, reply_id: int) -> sqlite3.Row | None:
        return self.database.row(
            "SELECT r.move, r.recast, r.finished_at, r.turn_id, t.text, t.at, s.language, s.set_id FROM replies r"
            " JOIN turns t ON t.id = r.turn_id JOIN sessions s ON s.id = t.session_id WHERE r.id = ?",
            (reply_id,),
        )

    def _card(
        self, kind: CardKind, key: str, *, language: str, set_id: str | None, now: float, due_at: float
    ) -> int:
        """Id of the card, made if need be. A word is one card a language, a form one a set: its id is the set's."""
        key = storable(key)
        scope = (set_id or language) if kind == "form" else (language or set_id or "")
        connection = self.database.connection
        connection.execute(
            "INSERT INTO cards (kind, scope, key, language, set_id, due_at, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (kind, scope, key) DO UPDATE SET set_id = coalesce(excluded.set_id, set_id)",
            (kind, scope, key, language, set_id, due_at, now),
        )
        row = self.database.row(
            "SELECT id FROM cards WHERE kind = ? AND scope = ? AND key = ?", (kind, scope, key)
        )
        assert row is not None
        return int(row["id"])

    def _review(self, card_id: int, rated: int, now: float, attempt_id: int | None = None) -> None:
        row = self.database.row("SELECT stability, difficulty, last_at FROM cards WHERE id = ?", (card_id,))
        if row is None:
            return
        done = reviews.review(
            CardState(row["stability"], row["difficulty"], row["last_at"]),
            rated,
            now,
            parameters=self.fsrs_parameters(),
        )
        state = done.state
        schedule = {"stability": state.stability, "difficulty": state.difficulty, "last_at": state.last_at}
        self.database.update("cards", card_id, {**schedule, "due_at": done.due_at})
        self.database.insert(
            "reviews",
            {
                "card_id": card_id,
                "attempt_id": attempt_id,
                "rating": rated,
                "elapsed_days": done.elapsed_days,
                "predicted": done.predicted,
                "at": state.last_at,
            },
        )

    def fsrs_parameters(self) -> tuple[float, ...]:
        """FSRS parameters fitted to this learner, or none."""
        return tuple(self.settings().get("fsrs_parameters", ()))

    def _daily(self) -> int:
        return int(self.settings().get("daily_reviews", queue.DAILY))

    def _done_today(self, now: float) -> int:
        row = self.database.row(
            "SELECT count(DISTINCT card_id) FROM reviews WHERE at >= ? AND at <= ? AND elapsed_days >= 0.5",
            (queue.day_began(now), now),
        )
        assert row is not None
        return int(row[0])


def _due_item(row: sqlite3.Row, now: float, parameters: tuple[float, ...]) -> DueItem:
    state = CardState(row["stability"], row["difficulty"], row["last_at"])
    return DueItem(
        card_id=row["id"],
        kind=row["kind"],
        key=row["key"],
        language=row["language"],
        set_id=row["set_id"],
        gloss=row["gloss"],
        sentence=row["sentence"],
        due_at=row["due_at"],
        retrievability=reviews.retrievability(state, now, parameters=parameters),
    )
