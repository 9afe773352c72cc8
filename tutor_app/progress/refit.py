"""FSRS parameters fitted to a learner from their own reviews, and every card scheduled anew by them."""

from __future__ import annotations

from tutor_app.progress import fitting
from tutor_app.progress.reviews import DAY_S
from tutor_app.progress.store import Store

SETTING = "fsrs_parameters"


def refit(store: Store) -> bool:
    """True when there was history enough and the schedule has changed. Takes a second or two: not for a start."""
    rows = store.database.rows(
        "SELECT r.card_id, r.rating, r.elapsed_days FROM reviews r ORDER BY r.card_id, r.id"
    )
    cards: dict[int, list[tuple[int, float]]] = {}
    for row in rows:
        cards.setdefault(row["card_id"], []).append((row["rating"], row["elapsed_days"] or 0.0))
    if not cards:
        return False
    past = fitting.histories(list(cards.values()))
    parameters = fitting.fit(past)
    if parameters is None:
        return False
    _, stability, difficulty = fitting.replay(past, parameters)
    days = fitting.intervals(stability, parameters)
    with store.transaction() as connection:
        store.set_setting(SETTING, list(parameters))
        connection.executemany(
            "UPDATE cards SET stability = ?, difficulty = ?, due_at = last_at + ? WHERE id = ?",
            [
                (float(stability[place]), float(difficulty[place]), float(days[place]) * DAY_S, card_id)
                for place, card_id in enumerate(cards)
            ],
        )
    return True
