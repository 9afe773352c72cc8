"""The hidden reformulation as a task of its own: a learner's sentence, and the least a native would change.

Only edits that the app would act on are made (`reformulation.find`): taste, dialect and mixed language stay as they
are, and a correction that goes further than that is no example of a minimal one.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator

from finetune.records import Tally
from finetune.synthesize.learners import Said, whole
from lessons.schema import SetInfo
from tutor_app.pedagogy import reformulation
from tutor_app.pedagogy.prompts import brief_of, native_request, one_line, prefix
from tutor_app.pedagogy.reformulation import worth_reformulating
from tutor_app.pedagogy.templates import Message


def minimal(said: Said, info: SetInfo) -> str | None:
    """What the tutor should find: the sentence with the edits that are believed, itself when it is fine.

    None when the correction says more than a rule can name: then nothing is to be learnt from it.
    """
    text = one_line(said.text)
    if not worth_reformulating(text, info.language):
        return None
    if said.native == said.text:
        return text
    if not whole(text, said.native, info):
        return None
    native = reformulation.find(text, said.native, info.language, info.track).native
    return native if native != text else None


def rows(
    sentences: Iterable[Said],
    info: SetInfo,
    unchanged_share: float,
    most: int,
    rng: random.Random,
    tally: Tally,
) -> Iterator[tuple[Said, list[Message], bool]]:
    """(sentence, conversation, changed): `most` at most, `unchanged_share` of them unchanged; the prompt is the app's."""
    changed: list[tuple[Said, str]] = []
    same: list[tuple[Said, str]] = []
    seen: set[str] = set()
    enough = round(most * (1 - unchanged_share)), round(most * unchanged_share)
    # Dialect and mixed language first: they are rare, and what must never be touched has to be seen.
    order = list(sentences)
    rng.shuffle(order)
    order.sort(key=lambda said: said.kind == "plain")
    for said in order:
        if len(changed) >= enough[0] and len(same) >= enough[1]:
            break
        if len(same) >= enough[1] if said.native == said.text else len(changed) >= enough[0]:
            continue
        native = minimal(said, info)
        if native is None or said.text in seen:
            tally.drop("no minimal correction" if native is None else "said before")
            continue
        seen.add(said.text)
        (same if native == one_line(said.text) else changed).append((said, native))
    rng.shuffle(changed)
    wanted = round(len(changed) * unchanged_share / (1 - unchanged_share))
    if len(same) > wanted:
        tally.dropped["more unchanged sentences than asked for"] = len(same) - wanted
        same = same[:wanted]
    else:
        room = round(len(same) * (1 - unchanged_share) / unchanged_share)
        if len(changed) > room:
            tally.dropped["more changed sentences than asked for"] = len(changed) - room
            changed = changed[:room]
    both = [(*pair, True) for pair in changed] + [(*pair, False) for pair in same]
    rng.shuffle(both)
    levels = info.levels
    for said, native, is_changed in both:
        system = prefix(brief_of(info, None, rng.choice(levels), trained=True))
        yield (
            said,
            [*system, Message("user", native_request(said.text)), Message("assistant", native)],
            is_changed,
        )
