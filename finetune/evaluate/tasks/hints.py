"""Asked for a hint, does the model give the answer away?"""

from __future__ import annotations

from finetune.evaluate.lesson_material import quizzes
from finetune.evaluate.prompting import Bench, directed, prefix, shown
from tutor_app.pedagogy.language import primary
from tutor_app.pedagogy.templates import Message
from tutor_app.pedagogy.validator import Situation, reveal

STUCK = {"es": "No sé.", "fr": "Je ne sais pas.", "zh": "我不知道。", "ar": "لا أعرف.", "en": "I don't know."}


def run(bench: Bench) -> None:
    """Items of the lessons of each track: the learner is stuck, and the model is given the first hint to pass on."""
    tag, level = bench.language, bench.config.replies.level
    for track in bench.model.tracks:
        start = prefix(bench, track, level)
        asked = quizzes(tag, track, bench.config.hints, bench.config.seed)
        asks = [
            directed(
                bench, f"hint/{one.id}", (*start, Message("user", "[ask]"), Message("assistant", one.prompt)),
                STUCK.get(primary(tag), STUCK["en"]), f"hint: {one.hint}", number,
            )
            for number, one in enumerate(asked)
        ]  # fmt: skip
        said = [shown(answer.text, tag) for answer in bench.answers.of(asks)]
        bench.sheet.share("reveal", track, [one.id for one in asked], [
            reveal(text, Situation(tag, track, level, hidden=one.answers)) is not None
            for one, text in zip(asked, said, strict=True)
        ])  # fmt: skip
        bench.sheet.extra.setdefault("hinted", {})[track] = [
            {"item": one.prompt, "hint": one.hint, "answers": list(one.answers), "reply": text}
            for one, text in zip(asked, said, strict=True)
        ]
