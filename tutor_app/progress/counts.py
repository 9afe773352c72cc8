"""The counts in a form's row, which are kept as attempts and replies come, counted from those again."""

from __future__ import annotations

import sqlite3

COLUMNS = ("tried", "right", "taken", "taken_of", "repaired", "repaired_of")

RECOUNTED = """
SELECT f.set_id, f.form_id, count(*) AS tried, sum(a.correct) AS right,
    coalesce(sum(r.taken), 0) AS taken, coalesce(sum(r.taken_of), 0) AS taken_of,
    coalesce(sum(r.repaired), 0) AS repaired, coalesce(sum(r.repaired_of), 0) AS repaired_of,
    max(a.at) AS last_at
FROM attempt_forms f JOIN attempts a ON a.id = f.attempt_id
LEFT JOIN (
    SELECT turn_id, sum(uptake) AS taken, count(uptake) AS taken_of,
        sum(repair) AS repaired, count(repair) AS repaired_of
    FROM replies GROUP BY turn_id) r ON r.turn_id = a.turn_id
GROUP BY f.set_id, f.form_id
"""
"""One row a form, as the row in `forms` should be."""


def wrong_counts(connection: sqlite3.Connection) -> list[str]:
    """Ids of forms whose row disagrees with the attempts; empty when all is well."""
    kept, counted = (
        {
            (row[0], row[1]): tuple(row[2:])
            for row in connection.execute(f"SELECT set_id, form_id, {', '.join(COLUMNS)} FROM {source}")
        }
        for source in ("forms", f"({RECOUNTED})")
    )
    return sorted(
        f"{key[0]}/{key[1]}" for key in kept.keys() | counted.keys() if kept.get(key) != counted.get(key)
    )


def recount(connection: sqlite3.Connection) -> None:
    """Set every count by the attempts; forms without any go, forms that are missing come. Inside a transaction."""
    connection.execute(
        "DELETE FROM forms WHERE (set_id, form_id) NOT IN (SELECT set_id, form_id FROM attempt_forms)"
    )
    names = ", ".join(COLUMNS)
    connection.execute(
        f"INSERT INTO forms (set_id, form_id, {names}, recent_right, recent_wrong, last_at)"
        # A form that had no row is taken for as good as its latest ten answers could make it.
        f" SELECT set_id, form_id, {names}, min(right, 5), min(tried - right, 5), last_at FROM ({RECOUNTED})"
        " WHERE true ON CONFLICT (set_id, form_id) DO UPDATE SET "
        + ", ".join(f"{name} = excluded.{name}" for name in COLUMNS)
    )
