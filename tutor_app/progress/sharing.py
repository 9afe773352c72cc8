"""What of a learner's file a hand-in contains: what they agreed to, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Literal

Share = Literal["results", "answers", "all"]

LEVELS: dict[Share, str] = {
    "results": "What you practised and how it went: right or not, hints, kinds of errors, times. No words of yours.",
    "answers": "The same, and what you answered to the exercises of the lessons.",
    "all": "The same, and everything you and the tutor said, also in free talk, and the words you saved.",
}
"""What the learner reads before they choose."""

Row = dict[str, Any]
Tables = Mapping[str, list[Row]]


def shared(tables: Tables, share: Share, set_ids: Collection[str]) -> dict[str, list[Row]]:
    """The rows that may leave, of the sets named. Preferences, PIN, drafts and what the tutor remembers never do."""
    sessions = [
        _without(row, position="{}", summary=None, owner="")
        for row in tables["sessions"]
        if row["set_id"] in set_ids
    ]
    session_ids = {row["id"] for row in sessions}
    turns = [row for row in tables["turns"] if row["session_id"] in session_ids]
    turn_ids = {row["id"] for row in turns}
    attempts = [row for row in tables["attempts"] if row["session_id"] in session_ids]
    attempt_ids = {row["id"] for row in attempts}
    languages = {row["language"] for row in sessions}
    cards = [row for row in tables["cards"] if _may_card(row, share, set_ids, languages)]
    card_ids = {row["id"] for row in cards}
    silent: Callable[[Row], Row] = (lambda row: row) if share == "all" else _said_nothing
    return {
        "meta": [
            row for row in tables["meta"] if row["key"] == "created_at" or row["key"].startswith("ability:")
        ],
        "settings": [row for row in tables["settings"] if row["key"] == "fsrs_parameters"],
        "sessions": sessions,
        "turns": [silent(row) for row in turns],
        "attempts": [
            row if may_answer(row["item_id"], share) else _without(row, given="", dialect=None)
            for row in attempts
        ],
        "attempt_forms": [row for row in tables["attempt_forms"] if row["attempt_id"] in attempt_ids],
        "attempt_tags": [row for row in tables["attempt_tags"] if row["attempt_id"] in attempt_ids],
        "replies": [silent(row) for row in tables["replies"] if row["turn_id"] in turn_ids],
        "forms": [row for row in tables["forms"] if row["set_id"] in set_ids],
        "cards": [
            _without(
                row if share == "all" else _without(row, sentence="", gloss=""),
                turn_id=_kept(row["turn_id"], turn_ids),
            )
            for row in cards
        ],
        "reviews": [
            _without(row, attempt_id=_kept(row["attempt_id"], attempt_ids))
            for row in tables["reviews"]
            if row["card_id"] in card_ids
        ],
        "memories": [],
    }


def _may_card(row: Row, share: Share, set_ids: Collection[str], languages: Collection[str]) -> bool:
    """Words and forms of the lessons; what the learner saved or what was recast is of their own making.

    So is the meaning of a lesson's word: it has one in the file only where the learner wrote it.
    """
    saved = row["set_id"] is None
    if share == "all":
        return row["language"] in languages if saved else row["set_id"] in set_ids
    return row["set_id"] in set_ids and row["kind"] != "recast" and not row["source"]


def may_answer(item_id: str | None, share: Share) -> bool:
    """Whether what was given may leave: an answer to an item, or without one a sentence of a talk."""
    return share == "all" or (share == "answers" and item_id is not None)


def _said_nothing(row: Row) -> Row:
    blank = {"text": "", "folded": ""}
    return _without(row, **blank, **({"recast": None} if "recast" in row else {}))


def _without(row: Row, **changes: Any) -> Row:
    return {**row, **changes}


def _kept(row_id: int | None, there: Collection[int]) -> int | None:
    return row_id if row_id in there else None
