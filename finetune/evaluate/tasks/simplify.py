"""What comes after "I don't understand": is it simpler than the question before?"""

from __future__ import annotations

from finetune.evaluate.lesson_material import talk_questions
from finetune.evaluate.prompting import Bench, directed, prefix, shown
from finetune.evaluate.readability import counts, readability
from tutor_app.pedagogy.language import primary, words, zipf
from tutor_app.pedagogy.templates import Message
from tutor_app.pedagogy.validator import Situation, plain_form

LOST = {
    "es": "No entiendo.",
    "fr": "Je ne comprends pas.",
    "zh": "我不懂。",
    "ar": "لا أفهم.",
    "en": "I don't understand.",
}


def run(bench: Bench) -> None:
    """Before and after, for the longest questions of the lessons of each track."""
    tag, level = bench.language, bench.config.replies.level
    for track in bench.model.tracks:
        asked = talk_questions(tag, track, bench.config.simplify)
        start = prefix(bench, track, level)
        lost = LOST.get(primary(tag), LOST["en"])
        asks = [
            directed(
                bench, f"simplify/{id}", (*start, Message("user", "[ask]"), Message("assistant", question)), lost,
                f"simplify: {question}", number,
            )
            for number, (id, question) in enumerate(asked)
        ]  # fmt: skip
        after = [shown(answer.text, tag) for answer in bench.answers.of(asks)]
        pairs = [
            (id, before, text) for (id, before), text in zip(asked, after, strict=True) if words(text, tag)
        ]
        ids = [id for id, _, _ in pairs]
        sheet = bench.sheet
        sheet.share(
            "shorter", track, ids, [_long(text, tag) <= _long(before, tag) for _, before, text in pairs]
        )
        sheet.share(
            "easier", track, ids, [_rarest(text, tag) >= _rarest(before, tag) for _, before, text in pairs]
        )
        sheet.share("again", track, ids, [
            plain_form(text, Situation(tag, track, level, previous=(before,), returns=True)) is not None
            for _, before, text in pairs
        ])  # fmt: skip
        gains = [
            (id, easy - hard) for id, before, text in pairs
            if (easy := readability(text, tag)) is not None and (hard := readability(before, tag)) is not None
        ]  # fmt: skip
        sheet.mean("readability_gain", track, [id for id, _ in gains], [gain for _, gain in gains])
        sheet.extra.setdefault("simplified", {})[track] = [
            {"before": before, "after": text} for _, before, text in pairs
        ]  # fmt: skip


def _long(text: str, tag: str) -> float:
    """Words a sentence."""
    return len(words(text, tag)) / counts(text, tag).sentences


def _rarest(text: str, tag: str) -> float:
    return min((zipf(word, tag) for word in words(text, tag) if not word.isdigit()), default=0.0)
