"""Attempts, what they say about forms and words, and how lessons stand."""

from __future__ import annotations

import json

from tutor_app.progress import knowledge, reviews
from tutor_app.progress.conversation import Conversation
from tutor_app.progress.knowledge import FormState
from tutor_app.progress.records import FormKnowledge, ItemResult, LessonProgress
from tutor_app.progress.text import folded, storable

CLEAN_HINT = 1
"""Mastery counts what is right at the first try or after one hint."""
CLEAN_ATTEMPT = 2
WORD_TAGS = frozenset({"vocabulary", "false-friend", "word-choice", "spelling", "sound-alike", "other-word"})
"""Error tags that are about a word; any other tag explains the mistake without it, so no word is blamed."""


class Practice(Conversation):
    """The part of the store that turns attempts into knowledge."""

    def add_attempt(
        self,
        turn_id: int,
        *,
        session_id: int,
        set_id: str,
        lesson_id: str | None,
        step_id: str | None,
        item_id: str | None,
        kind: str,
        forms: tuple[str, ...],
        words: tuple[str, ...],
        correct: bool,
        near_miss: str | None,
        error_tags: tuple[str, ...],
        given: str,
        hint_level: int,
        attempt_number: int,
        dialect: str | None,
        now: float,
    ) -> int:
        """Id of the attempt; its forms and cards move with it, in one transaction."""
        clean = correct and hint_level <= CLEAN_HINT and attempt_number <= CLEAN_ATTEMPT
        with self.transaction():
            attempt_id = self.database.insert(
                "attempts",
                {
                    "turn_id": turn_id,
                    "session_id": session_id,
                    "set_id": set_id,
                    "lesson_id": lesson_id,
                    "step_id": step_id,
                    "item_id": item_id,
                    "kind": kind,
                    "words": json.dumps(list(words), ensure_ascii=False),
                    "correct": correct,
                    "clean": clean,
                    "near_miss": near_miss,
                    "given": storable(given),
                    "hint_level": hint_level,
                    "attempt_number": attempt_number,
                    "dialect": dialect,
                    "at": now,
                },
            )
            for tag in dict.fromkeys(error_tags):
                self.database.insert("attempt_tags", {"attempt_id": attempt_id, "tag": tag})
            language = self._language(session_id)
            self._move_forms(attempt_id, set_id, forms, kind, language, correct, hint_level, now)
            self._count_moves("a.id", attempt_id)
            rated = reviews.rating(correct=correct, hint_level=hint_level, attempt_number=attempt_number)
            for form_id in dict.fromkeys(forms):
                card_id = self._card("form", form_id, language=language, set_id=set_id, now=now, due_at=now)
                self._review(card_id, rated, now, attempt_id)
            for word in dict.fromkeys(words):
                if correct or _blamed(word, given, error_tags):
                    card_id = self._card("word", word, language=language, set_id=set_id, now=now, due_at=now)
                    self._review(card_id, rated, now, attempt_id)
        return attempt_id

    def _language(self, session_id: int) -> str:
        row = self.database.row("SELECT language FROM sessions WHERE id = ?", (session_id,))
        return str(row["language"]) if row else ""

    def _move_forms(
        self,
        attempt_id: int,
        set_id: str,
        forms: tuple[str, ...],
        kind: str,
        language: str,
        correct: bool,
        hint_level: int,
        now: float,
    ) -> None:
        connection = self.database.connection
        key = f"ability:{language or set_id}"
        learner = self._ability(language or set_id)
        for form_id in dict.fromkeys(forms):
            state = self._form_state(set_id, form_id)
            predicted = knowledge.probability(state, now, kind=kind, learner=learner)
            moved = knowledge.after(state, now, correct=correct, hint_level=hint_level)
            learner = knowledge.learner_after(learner, predicted, correct=correct, hint_level=hint_level)
            connection.execute(
                "INSERT INTO attempt_forms (attempt_id, set_id, form_id, predicted) VALUES (?, ?, ?, ?)",
                (attempt_id, set_id, form_id, predicted),
            )
            connection.execute(
                "INSERT INTO forms (set_id, form_id, tried, right, recent_right, recent_wrong, last_at)"
                " VALUES (:set_id, :form_id, 1, :right, :recent_right, :recent_wrong, :last_at)"
                " ON CONFLICT (set_id, form_id) DO UPDATE SET tried = tried + 1, right = right + excluded.right,"
                " recent_right = excluded.recent_right, recent_wrong = excluded.recent_wrong,"
                " last_at = excluded.last_at",
                {"set_id": set_id, "form_id": form_id, "right": correct, "last_at": moved.last_at}
                | {"recent_right": moved.recent_right, "recent_wrong": moved.recent_wrong},
            )
        if forms:
            connection.execute(
                "INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (key, json.dumps(learner))
            )

    def _ability(self, scope: str) -> float:
        """The learner's own offset in the form model, for a language (or a set that names none)."""
        row = self.database.row("SELECT value FROM meta WHERE key = ?", (f"ability:{scope}",))
        return float(self.database.json(row["value"])) if row else 0.0

    def _form_state(self, set_id: str, form_id: str) -> FormState:
        row = self.database.row(
            "SELECT recent_right, recent_wrong, last_at FROM forms WHERE set_id = ? AND form_id = ?",
            (set_id, form_id),
        )
        return FormState(*row) if row else FormState()

    def form_knowledge(self, set_id: str, now: float) -> dict[str, FormKnowledge]:
        """Every form of a set that was practised, with the probability of getting it right next time."""
        language = self.database.row(
            "SELECT language FROM sessions WHERE set_id = ? ORDER BY id DESC LIMIT 1", (set_id,)
        )
        learner = self._ability((language["language"] if language else "") or set_id)
        found = {}
        for row in self.database.rows("SELECT * FROM forms WHERE set_id = ? ORDER BY form_id", (set_id,)):
            state = FormState(row["recent_right"], row["recent_wrong"], row["last_at"])
            found[row["form_id"]] = FormKnowledge(
                set_id=set_id,
                form_id=row["form_id"],
                right=row["right"],
                tried=row["tried"],
                probability=knowledge.probability(state, now, learner=learner),
                uptake=(row["taken"], row["taken_of"]),
                repair=(row["repaired"], row["repaired_of"]),
                last_at=row["last_at"],
            )
        return found

    def item_results(self, set_id: str, lesson_id: str | None) -> dict[str, ItemResult]:
        """Item id → how it went in a lesson; the session that met it last decides."""
        return {
            result.item_id: result for result in self._item_results(set_id) if result.lesson_id == lesson_id
        }

    def _item_results(self, set_id: str) -> list[ItemResult]:
        rows = self.database.rows(
            "WITH met AS (SELECT lesson_id, item_id, count(*) AS n, max(session_id) AS last FROM attempts"
            " WHERE set_id = :set_id AND item_id IS NOT NULL GROUP BY lesson_id, item_id)"
            " SELECT m.lesson_id, m.item_id, m.n, max(a.correct) AS correct, max(a.clean) AS clean, max(a.at) AS at"
            " FROM met m JOIN attempts a ON a.set_id = :set_id AND a.lesson_id IS m.lesson_id"
            " AND a.item_id = m.item_id AND a.session_id = m.last GROUP BY m.lesson_id, m.item_id",
            {"set_id": set_id},
        )
        return [
            ItemResult(
                item_id=row["item_id"],
                lesson_id=row["lesson_id"],
                attempts=row["n"],
                correct=bool(row["correct"]),
                clean=bool(row["clean"]),
                last_at=row["at"],
            )
            for row in rows
        ]

    def lesson_progress(self, set_id: str) -> dict[str, LessonProgress]:
        """Lesson id → how far it is; lessons never begun are absent."""
        items: dict[str, list[ItemResult]] = {}
        for result in self._item_results(set_id):
            items.setdefault(result.lesson_id or "", []).append(result)
        rows = self.database.rows(
            "SELECT lesson_id, max(finished) AS finished, max(last_at) AS last_at, max(ended_at IS NULL) AS is_open"
            " FROM sessions WHERE set_id = ? AND lesson_id IS NOT NULL GROUP BY lesson_id",
            (set_id,),
        )
        return {
            row["lesson_id"]: LessonProgress(
                lesson_id=row["lesson_id"],
                items_seen=len(items.get(row["lesson_id"], [])),
                items_correct=sum(result.clean for result in items.get(row["lesson_id"], [])),
                finished=bool(row["finished"]),
                last_at=row["last_at"],
                open_session=bool(row["is_open"]),
            )
            for row in rows
        }


def _blamed(word: str, given: str, error_tags: tuple[str, ...]) -> bool:
    """Whether a wrong answer says anything about this word: it is missing, and nothing else explains the mistake."""
    if error_tags and not WORD_TAGS.intersection(error_tags):
        return False
    return folded(word) not in folded(given)
