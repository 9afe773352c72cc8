"""Our own pedagogical dialogues, as `tutor-finetune synthesize` writes them: `id`, `messages`, `untrained`.

No loss counts on the messages named in `untrained`: an instructor's opening, or what the app says by itself.
"""

from __future__ import annotations

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
) -> Examples:
    """Dialogues of these languages, tracks and tasks (`talk`, `item`, `native`); of all by default."""
    for place, row in good_rows(paths, tally, ("id", "messages")):
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
