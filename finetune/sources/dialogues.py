"""Our own pedagogical dialogues, as `tutor-finetune synthesize` writes them: `id`, `messages`, `untrained`.

No loss counts on the messages named in `untrained`: an instructor's opening, or what the app says by itself.
The files are small beside the corpora, and their rows stand in the order of their makers (writers, languages), so they
are read whole and given in an order that is as good as random and always the same.
"""

from __future__ import annotations

import zlib
from pathlib import Path

from finetune.records import Example, Examples, Tally
from finetune.sources.shapes import good_rows, messages


def examples(
    paths: list[Path],
    tally: Tally,
    *,
    languages: list[str] | None = None,
    tracks: list[str] | None = None,
    tasks: list[str] | None = None,
    part: tuple[float, float] = (0.0, 1.0),
) -> Examples:
    """Dialogues of these languages, tracks and tasks (`talk`, `item`, `native`); of all by default.

    `part` takes a share of the rows by a checksum of their id: what [0, 0.6] and [0.6, 1] give has no row in common.
    """
    every = [
        (_draw(str(row["id"])), place, row) for place, row in good_rows(paths, tally, ("id", "messages"))
    ]
    every.sort(key=lambda one: one[:2])
    for draw, place, row in every:
        if not part[0] <= draw < part[1]:
            tally.drop("in another part")
            continue
        for key, wanted in (("language", languages), ("track", tracks), ("task", tasks)):
            if wanted is not None and row.get(key) not in wanted:
                tally.drop(f"other {key}")
                break
        else:
            turns = messages(row["messages"], "role", "content")
            if turns is None or len(turns) != len(row["messages"]):
                tally.drop("not a conversation")
                continue
            tally.kept += 1
            untrained = frozenset(int(index) for index in row.get("untrained") or ())
            yield Example(str(row["id"] or place), "dialogues", turns, untrained)


def _draw(name: str) -> float:
    """0 up to 1, the same for the same name."""
    return zlib.crc32(name.encode()) / 2**32
