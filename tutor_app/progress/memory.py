"""What the tutor remembers about a person, in sentences they can read, correct and delete; and deleting for good."""

from __future__ import annotations

from tutor_app.progress import counts
from tutor_app.progress.backups import FOLDER as BACKUPS
from tutor_app.progress.backups import back_up
from tutor_app.progress.practice import Practice
from tutor_app.progress.recordings import delete_recordings
from tutor_app.progress.records import Memory
from tutor_app.progress.recovery import FOLDER as DAMAGED
from tutor_app.progress.text import storable


class Memories(Practice):
    """The part of the store that belongs to the learner alone."""

    def add_memory(self, text: str, *, language: str, turn_id: int | None, now: float) -> int:
        """Id of a new sentence about the learner; `turn_id` says where they told it."""
        row = {"text": storable(text), "language": language, "turn_id": turn_id, "at": now}
        with self.transaction():
            return self.database.insert("memories", row)

    def memories(self, language: str | None = None) -> list[Memory]:
        """What is remembered, newest first; of one language or of all."""
        rows = self.database.rows(
            "SELECT * FROM memories WHERE :language IS NULL OR language = :language ORDER BY id DESC",
            {"language": language},
        )
        return [Memory(row["id"], row["text"], row["language"], row["turn_id"], row["at"]) for row in rows]

    def correct_memory(self, memory_id: int, text: str, now: float) -> None:
        """The learner's own wording takes the place of what was there, also in the backups."""
        with self.transaction():
            self.database.update("memories", memory_id, {"text": storable(text), "at": now})
        self._forget_for_good(now)

    def delete_memory(self, memory_id: int, now: float) -> None:
        """Gone, also from the backups."""
        with self.transaction() as connection:
            connection.execute("DELETE FROM memories WHERE id = ?", (memory_id,))
        self._forget_for_good(now)

    def delete_card(self, card_id: int, now: float) -> None:
        """A saved word or a recast sentence is gone, also from the backups."""
        with self.transaction() as connection:
            connection.execute("DELETE FROM cards WHERE id = ?", (card_id,))
        self._forget_for_good(now)

    def correct_card(self, card_id: int, *, gloss: str, sentence: str, now: float) -> None:
        """The learner's own meaning and example take the place of what was there, also in the backups."""
        with self.transaction():
            row = {"gloss": storable(gloss), "sentence": storable(sentence)}
            self.database.update("cards", card_id, row)
        self._forget_for_good(now)

    def forget_form(self, set_id: str, form_id: str, now: float) -> None:
        """What was concluded about a form is gone, also from the backups: it begins anew.

        What the learner wrote stays in the transcripts; deleting the session takes that too.
        """
        with self.transaction() as connection:
            for table in ("attempt_forms", "forms"):
                connection.execute(f"DELETE FROM {table} WHERE set_id = ? AND form_id = ?", (set_id, form_id))
            connection.execute(
                "DELETE FROM cards WHERE kind = 'form' AND scope = ? AND key = ?", (set_id, form_id)
            )
        self._forget_for_good(now)

    def delete_session(self, session_id: int, now: float) -> None:
        """Everything said in a session is gone, also from the backups; what was learnt (counts, dates) stays.

        The counts of forms are of attempts, and go with them. So do its recordings.
        """
        with self.transaction() as connection:
            turns = "SELECT id FROM turns WHERE session_id = ?"
            at = connection.execute("SELECT at FROM turns WHERE session_id = ?", (session_id,))
            delete_recordings(self.database.path.parent, session_id, [row["at"] for row in at])
            connection.execute(f"UPDATE cards SET sentence = '' WHERE turn_id IN ({turns})", (session_id,))
            # Words that were kept before cards knew their turn.
            connection.execute(
                "UPDATE cards SET sentence = '' WHERE kind = 'word' AND turn_id IS NULL AND sentence IN"
                " (SELECT text FROM turns WHERE session_id = :session_id UNION ALL SELECT r.text FROM replies r"
                " JOIN turns t ON t.id = r.turn_id WHERE t.session_id = :session_id)",
                {"session_id": session_id},
            )
            connection.execute(f"DELETE FROM memories WHERE turn_id IN ({turns})", (session_id,))
            connection.execute("DELETE FROM sessions WHERE id = ?", (session_id,))
            counts.recount(connection)
        self._forget_for_good(now)

    def _forget_for_good(self, now: float) -> None:
        """Out of the journal, and out of the copies: one new backup in place of the old ones."""
        self.database.forget()
        newest = back_up(self.database, now)
        for folder in (BACKUPS, DAMAGED):
            for path in (self.database.path.parent / folder).glob("*"):
                if path != newest.path:
                    path.unlink(missing_ok=True)
