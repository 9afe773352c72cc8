"""The hidden reformulation as a task of its own: a learner's sentence, and the least a native would change.

What a teacher changed is taken whole, also where the app would not act on it (a dropped pronoun, another word): the
app chooses among the edits afterwards, and a model that learns only the ones it chooses is too timid. Left out is what
would teach the wrong thing: corrections of dialect or of mixed language, sentences written anew, and corrections that
leave a slip of spelling standing, as those of COWS-L2H do with most accents.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator

from finetune.records import Tally
from finetune.sources.learner import LEFT_ALONE
from finetune.synthesize.learners import Said, misspelt
from lessons.schema import Lesson, LessonSet, SetInfo
from tutor_app.pedagogy.edits import edits, tokens
from tutor_app.pedagogy.language import length, primary
from tutor_app.pedagogy.prompts import brief_of, native_request, one_line, prefix
from tutor_app.pedagogy.reformulation import MAX_CHANGED_SHARE, worth_reformulating
from tutor_app.pedagogy.templates import Message

MOST_EDITS = 4
"""More in one sentence is the sentence written anew."""
LESSONS = 3
"""Briefs of lessons beside those of free talk. Few, because conversations that begin alike are trained together."""


def corrected(said: Said, info: SetInfo) -> str | None:
    """What a native speaker would say: the sentence itself when it is fine, None when nothing is to be learnt from it."""
    text, native = one_line(said.text), one_line(said.native)
    if not worth_reformulating(text, info.language):
        return None
    if said.native == said.text:
        return text
    found = edits(text, native, info.language)
    if not found or len(found) > MOST_EDITS or any(edit.tag in LEFT_ALONE for edit in found):
        return None
    changed = sum(max(len(edit.wrong), len(edit.right)) for edit in found)
    if changed > max(2.0, MAX_CHANGED_SHARE * len(tokens(text, info.language).written)):
        return None
    if primary(info.language) == "es" and misspelt(native):
        return None
    # "Yo estudio" becomes "estudio" in the corpus, at the beginning of a sentence.
    return native[:1].upper() + native[1:] if text[:1].isupper() else native


def rows(
    sentences: Iterable[Said],
    info: SetInfo,
    sets: Iterable[LessonSet],
    *,
    unchanged_share: float,
    longest: int,
    most: int,
    rng: random.Random,
    tally: Tally,
) -> Iterator[tuple[Said, list[Message], bool]]:
    """(sentence, conversation, changed): `most` at most, `unchanged_share` of them unchanged; the prompt is the app's.

    `longest` is in words. In free talk and in some lessons of `sets`, in equal parts.
    """
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
        if length(said.text, info.language) > longest:
            tally.drop("too long")
            continue
        native = corrected(said, info)
        if native is None or said.text in seen:
            tally.drop("nothing to learn" if native is None else "said before")
            continue
        seen.add(said.text)
        (same if native == one_line(said.text) else changed).append((said, native))
    rng.shuffle(changed)
    wanted = round(len(changed) * unchanged_share / (1 - unchanged_share))
    if len(same) > wanted:
        tally.drop("more unchanged sentences than asked for", len(same) - wanted)
        same = same[:wanted]
    else:
        room = round(len(same) * (1 - unchanged_share) / unchanged_share)
        if len(changed) > room:
            tally.drop("more changed sentences than asked for", len(changed) - room)
            changed = changed[:room]
    both = [(*pair, True) for pair in changed] + [(*pair, False) for pair in same]
    rng.shuffle(both)
    lessons = [lesson for one in sets for lesson in one.lessons]
    chosen = rng.sample(lessons, min(LESSONS, len(lessons)))
    begin = _beginnings(info, chosen)
    for said, native, is_changed in both:
        yield (
            said,
            [*rng.choice(begin), Message("user", native_request(said.text)), Message("assistant", native)],
            is_changed,
        )


def _beginnings(info: SetInfo, lessons: list[Lesson]) -> list[list[Message]]:
    """The app's fixed prefixes: of a free talk at each level, and of lessons."""
    talks = [prefix(brief_of(info, None, level, trained=True)) for level in info.levels]
    return talks + [prefix(brief_of(info, lesson, lesson.level, trained=True)) for lesson in lessons]
