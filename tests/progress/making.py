"""Rows for tests: a learner's session in few words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tutor_app.progress.store import Store, create_learner

NOON = 1_790_000_000.0
"""A time of day far from midnight in most places; tests never ask the clock."""
DAY = 86_400.0


def new_store(data_dir: Path, name: str = "Ana", **options: Any) -> Store:
    """An open store of a new learner."""
    return Store.open(data_dir, create_learner(data_dir, name, now=NOON).id, **options)


def begin(store: Store, lesson_id: str | None = "l1", *, now: float = NOON, **changes: Any) -> int:
    return store.begin_session(
        **{
            "set_id": "es-l2",
            "set_version": "1.0.0",
            "lesson_id": lesson_id,
            "mode": "lesson" if lesson_id else "talk",
            "model": None,
            "model_sha256": None,
            "adapters": (),
            "seed": 1,
            "now": now,
            "language": "es",
            **changes,
        }
    )


def turn(
    store: Store, session_id: int, text: str = "Soy en casa", *, now: float = NOON, **changes: Any
) -> int:
    row = {"text": text, "command": None, "elapsed_s": 4.0, "item_id": "i1", "now": now, **changes}
    return store.add_turn(session_id, **row)


def attempt(store: Store, turn_id: int, session_id: int, *, now: float = NOON, **changes: Any) -> int:
    return store.add_attempt(
        turn_id,
        **{
            "session_id": session_id,
            "set_id": "es-l2",
            "lesson_id": "l1",
            "step_id": "s1",
            "item_id": "i1",
            "kind": "cloze",
            "forms": ("ser-estar",),
            "words": ("la casa",),
            "correct": True,
            "near_miss": None,
            "error_tags": (),
            "given": "estoy",
            "hint_level": 0,
            "attempt_number": 1,
            "dialect": None,
            "now": now,
            **changes,
        },
    )


def reply(
    store: Store, turn_id: int, text: str = "¿Y dónde estás?", *, now: float = NOON, **changes: Any
) -> int:
    reply_id = store.begin_reply(turn_id, move=changes.pop("move", "recast"), now=now)
    store.finish_reply(
        reply_id,
        **{
            "text": text,
            "status": "final",
            "signals": ("ok",),
            "source": "model",
            "hint_level": 0,
            "recast": None,
            "ttft_ms": 10.0,
            "total_ms": 20.0,
            "prompt_tokens": 5,
            "cached_tokens": 4,
            "now": now,
            **changes,
        },
    )
    return reply_id
