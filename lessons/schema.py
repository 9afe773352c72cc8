"""What a lesson set is: the models that `set.yaml` and `lessons/*.yaml` are checked against.

The JSON Schema for editors is generated from these classes, so the text under each field is what an
instructor sees when hovering over it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

FORMAT_VERSION = 1
"""Raised when an older tutor could no longer read a set; a tutor refuses a newer format by name."""

GAP = "___"
"""The gap of a cloze item: three underscores, exactly one to an item."""

Level = Literal["A1", "A2", "B1"]
Track = Literal["heritage", "l2"]
Move = Literal[
    "ask", "check", "affirm", "recast", "question", "hint", "explore", "simplify", "culture", "reflect"
]

Check = Literal["pre", "post"]
CHECK_IDS: dict[Check, str] = {"pre": "pre-check", "post": "post-check"}
"""Ids of the two checks of a set; progress and reports find them by these."""

Identifier = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
"""Lower-case letters, digits and hyphens: ids become file names and database keys."""

Tag = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
"""The kind of an error, shared by a whole language: `ser-estar`, `gender`, `accent`, `sound-alike` …"""

Text = Annotated[str, Field(min_length=1, max_length=4000)]


class Model(BaseModel):
    """Plain data: unknown keys are mistakes, and nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Dialect(Model):
    """A variety of the language that the set knows and accepts."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
    """BCP 47, such as `es-MX`, `es-419`, `ar-EG`, `zh-TW`."""
    name: Text
    """As the student reads it: "Mexican Spanish"."""


class SetInfo(Model):
    """`set.yaml`: what the set is and who answers for it."""

    format: int = FORMAT_VERSION
    """Version of this format; leave it at 1."""
    id: Identifier
    """Names the set for ever: progress is kept under it."""
    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
    """Three numbers; a higher one upgrades an installed set."""
    title: Text
    description: str = ""
    """Two or three sentences for the student who chooses."""
    language: Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
    """The language taught, BCP 47: es, zh, ar, fr."""
    support_language: Annotated[str, Field(pattern=r"^[a-z]{2,3}$")] = "en"
    """The language of glosses and explanations."""
    track: Track
    """`heritage` for learners who grew up with the language, `l2` for learners who start from English."""
    levels: Annotated[list[Level], Field(min_length=1)]
    authors: Annotated[list[Text], Field(min_length=1)]
    licence: Text
    """An SPDX id such as CC-BY-SA-4.0."""
    dialects: list[Dialect] = []
    """Every variety named by an item of the set."""
    needs: list[Literal["voice", "microphone"]] = []
    """What the set cannot do without. Dictation without a voice still works from a masked text."""


class Word(Model):
    """One entry of the lesson's vocabulary; it becomes a review card."""

    word: Text
    """With its article where the language has one: `la mano`."""
    gloss: Text
    example: Text
    """One short sentence at the level of the lesson."""
    example_gloss: str = ""
    reading: str = ""
    """Pinyin with tone marks for Chinese; transliteration for Arabic. Shown or hidden by the learner."""
    variants: dict[str, str] = {}
    """Dialect id → word: `{es-MX: "el camión", es-PR: "la guagua"}`. Traditional characters: `zh-Hant`."""


class Form(Model):
    """A grammar target: what the tutor tries to make the learner need."""

    id: Identifier
    """The same id in every lesson of the set that practises it, e.g. `ser-estar`."""
    name: Text
    """As the student reads it: "ser and estar"."""
    explain: Text
    """Shown on "explain" after an item is over: a pattern to notice, with examples; never "remember the rule"."""
    examples: Annotated[list[Text], Field(min_length=2)]
    """Sentences in the language taught that show the form at work."""
    surface: Annotated[list[Text], Field(min_length=1)]
    """Words that show the form is being used, so that a free sentence counts as practice: [soy, eres, estoy …]."""


class Accepted(Model):
    """One right answer. In YAML a bare string is enough when there is nothing to say about it."""

    text: Text
    dialect: str | None = None
    """The variety this form belongs to, as a dialect id of the set; the tutor names it with respect."""
    note: str = ""


def _as_accepted(value: object) -> object:
    return {"text": value} if isinstance(value, str) else value


HintLadder = Annotated[list[Text], Field(min_length=4, max_length=4)]
"""Four lines in order: nudge, cue, choice, model. Only the fourth may contain the answer."""


class ErrorPattern(Model):
    """A mistake that learners of this profile really make, and how the tutor answers it."""

    pattern: Text
    """Plain text is compared with the whole answer (case, spaces and end punctuation do not matter); `*`
    stands for any words. Between slashes it is a regular expression searched in the answer: `/\\bes?toy\\b/`."""
    tag: Tag
    recast: Text
    """The learner's meaning said back in a good form, as a natural reply, with the form in *asterisks*."""
    question: Text
    """A question that needs the form again, or that lets the learner compare two forms."""
    hints: HintLadder | None = None
    """Only when this error wants other hints than the item's."""


class Item(Model):
    """One thing to answer. Ids are for ever: a learner's progress is kept under them."""

    id: Identifier
    prompt: Text
    """What the learner reads. A cloze has exactly one `___`."""
    gloss: str = ""
    """The meaning in the support language, shown on request (and always at L2 A1)."""
    accept: Annotated[list[Annotated[Accepted, BeforeValidator(_as_accepted)]], Field(min_length=1)]
    """Every right answer, dialect forms included. The first is the one shown at hint 4."""
    errors: list[ErrorPattern] = []
    """Two or more, most specific first."""
    hints: HintLadder
    forms: list[Identifier] = []
    """Grammar targets this item practises (ids from the lesson's `forms`)."""
    words: list[str] = []
    """Vocabulary this item practises, spelled as in `vocabulary`."""
    may: list[Move] = ["affirm", "recast", "question", "hint", "explore", "simplify", "culture"]
    """What the tutor may do here."""
    explain: str = ""
    """Shown on "explain" once the item is over; the form's own text is used when empty."""
    audio: str | None = None
    """A file in `media/` in which somebody says `say`: WAV, FLAC, MP3 or OGG (Vorbis). Only where something is heard."""


class ChoiceItem(Item):
    choices: Annotated[list[Text], Field(min_length=2, max_length=6)]
    """Each accepted answer must be one of these."""


class OrderItem(Item):
    tokens: Annotated[list[Text], Field(min_length=2, max_length=20)]
    """The pieces, in the right order; the tutor shuffles them the same way for everybody with the same seed."""


class MatchItem(Model):
    """Pairs to put together. The learner writes `1b 2a 3c`, or uses the keys on screen."""

    id: Identifier
    prompt: Text
    gloss: str = ""
    pairs: Annotated[
        list[Annotated[list[Text], Field(min_length=2, max_length=2)]], Field(min_length=3, max_length=8)
    ]
    """Left and right; the right side is shuffled."""
    errors: list[ErrorPattern] = []
    """A pattern here is `left = right`, the wrong pair as the learner made it."""
    hints: HintLadder
    forms: list[Identifier] = []
    words: list[str] = []
    may: list[Move] = ["affirm", "recast", "question", "hint", "explore", "simplify", "culture"]
    explain: str = ""


class ConjugateItem(Item):
    lemma: Text
    person: Text
    """As shown: `nosotros`, `elle`, `أنتِ`."""
    tense: Text


class SpokenItem(Item):
    say: Text
    """What is heard: read by the voice unless `audio` is given. For dictation it is also the first answer."""


class ListenItem(SpokenItem):
    choices: list[Text] = []


class StepBase(Model):
    id: Identifier
    """Unique in the lesson, for ever."""
    prompt: Text
    """What to do, said to the learner in the language taught where the level allows."""
    support: str = ""
    """The same in the support language, for the level that needs it."""
    forms: list[Identifier] = []
    culture: Identifier | None = None
    """A culture note that the tutor weaves in during this step."""


class TalkStep(StepBase):
    """A conversation or role-play with a goal, led by the tutor."""

    kind: Literal["talk"]
    scenario: Text
    """Who the tutor is, where we are, what the learner wants. Two or three sentences, in the support language."""
    goal: Text
    """What the learner will have done when the talk is over, in the support language."""
    opening: Text
    """The tutor's first line; it ends in a question."""
    questions: Annotated[list[Text], Field(min_length=5)]
    """Short questions in order, one a turn, that carry the talk to its goal; also what is asked when the
    model's own reply cannot be used."""
    simpler: Annotated[list[Text], Field(min_length=1)]
    """The same questions said more simply, in the same order; asked when the learner is lost."""
    starters: Annotated[list[Text], Field(min_length=3)]
    """Ways to begin an answer ("Me gusta …"), offered as hints."""
    closing: Text
    """The tutor's last line: what the learner did well, in meaning; it ends in a question to take home."""
    turns: Annotated[int, Field(ge=3, le=20)] = 6
    """Learner turns until the talk closes by itself."""


class ReflectStep(StepBase):
    """A question about learning or identity that has no right answer."""

    kind: Literal["reflect"]
    question: Text
    """In the language taught, or in the support language for A1."""
    follow_up: Text
    """Asked after the learner's first answer."""


class WriteStep(StepBase):
    """A few sentences of the learner's own."""

    kind: Literal["write"]
    goal: Text
    min_words: Annotated[int, Field(ge=1, le=200)] = 15
    """For Chinese, characters."""
    include: list[Text] = []
    """Words or forms to use; any of the forms separated by `|` counts."""
    questions: Annotated[list[Text], Field(min_length=2)]
    """Asked about what the learner wrote, to invite a second draft."""
    starters: Annotated[list[Text], Field(min_length=1)]
    model: Text
    """One good text, shown only after the learner has written theirs."""


class ChoiceStep(StepBase):
    kind: Literal["choice"]
    items: Annotated[list[ChoiceItem], Field(min_length=1)]


class ClozeStep(StepBase):
    kind: Literal["cloze"]
    items: Annotated[list[Item], Field(min_length=1)]


class OrderStep(StepBase):
    kind: Literal["order"]
    items: Annotated[list[OrderItem], Field(min_length=1)]


class MatchStep(StepBase):
    kind: Literal["match"]
    items: Annotated[list[MatchItem], Field(min_length=1)]


class TranslateStep(StepBase):
    kind: Literal["translate"]
    items: Annotated[list[Item], Field(min_length=1)]


class ConjugateStep(StepBase):
    kind: Literal["conjugate"]
    items: Annotated[list[ConjugateItem], Field(min_length=1)]


class DictationStep(StepBase):
    """Hear and write. Without a voice the text is shown with letters masked."""

    kind: Literal["dictation"]
    items: Annotated[list[SpokenItem], Field(min_length=1)]


class ListenStep(StepBase):
    """Hear and answer a question about it. Without a voice the text is shown."""

    kind: Literal["listen"]
    items: Annotated[list[ListenItem], Field(min_length=1)]


class SpeakStep(StepBase):
    """Hear, say, compare. Without a microphone the learner types what they would say."""

    kind: Literal["speak"]
    items: Annotated[list[SpokenItem], Field(min_length=1)]


class ReadStep(StepBase):
    """A text and questions about it."""

    kind: Literal["read"]
    text: Text
    items: Annotated[list[Item | ChoiceItem], Field(min_length=1)]


ItemStep = (
    ChoiceStep
    | ClozeStep
    | OrderStep
    | MatchStep
    | TranslateStep
    | ConjugateStep
    | DictationStep
    | ListenStep
    | SpeakStep
    | ReadStep
)
OpenStep = TalkStep | ReflectStep | WriteStep
Step = Annotated[ItemStep | OpenStep, Field(discriminator="kind")]
AnyItem = Item | ChoiceItem | OrderItem | MatchItem | ConjugateItem | SpokenItem | ListenItem


class CultureNote(Model):
    id: Identifier
    title: Text
    text: Text
    """Three to five sentences, about people rather than curiosities; no generalising about "the" culture."""
    ask: Text
    """A question that links the note to the learner's own life."""


class Mastery(Model):
    """When the lesson counts as learnt."""

    correct: Annotated[float, Field(ge=0.5, le=1.0)] = 0.8
    """Share of items right at first try or after one hint."""
    items: Annotated[int, Field(ge=1)] = 8
    """How many items must have been met."""


class Lesson(Model):
    """`lessons/*.yaml`: one sitting of 15 to 25 minutes."""

    id: Identifier
    title: Text
    level: Level
    minutes: Annotated[int, Field(ge=5, le=60)] = 20
    objectives: Annotated[list[Text], Field(min_length=1)]
    """What the learner can do afterwards ("Say where you are from …")."""
    prerequisites: list[Identifier] = []
    """Lessons of this set that come before."""
    vocabulary: list[Word]
    forms: Annotated[list[Form], Field(min_length=1)]
    culture: list[CultureNote] = []
    steps: Annotated[list[Step], Field(min_length=1)]
    mastery: Mastery = Mastery()
    check: Check | None = None
    """`pre` or `post` for the two checks that a set may carry: a dozen items each, the same forms at the same
    difficulty with other words. Each item is answered once, without hints, and nothing is said about right or wrong.
    The report gives the gain from one to the other, with its uncertainty. Their ids are `pre-check` and `post-check`."""

    @model_validator(mode="after")
    def _a_check_only_asks(self) -> Lesson:
        if self.check is None:
            if self.id in CHECK_IDS.values():
                raise ValueError(f"the id {self.id!r} belongs to a check; add `check:` or choose another id")
            return self
        if self.id != CHECK_IDS[self.check]:
            raise ValueError(f"the id of a lesson with `check: {self.check}` is {CHECK_IDS[self.check]!r}")
        if any(isinstance(step, TalkStep | ReflectStep | WriteStep) for step in self.steps):
            raise ValueError(
                "a check has only steps with items; talk, writing and reflection belong to lessons"
            )
        return self

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Lesson:
        seen: set[str] = set()
        for step in self.steps:
            for name in [step.id, *(item.id for item in items_of(step))]:
                if name in seen:
                    raise ValueError(f"the id {name!r} is used twice; every step and item needs its own")
                seen.add(name)
        return self


class LessonSet(Model):
    """A whole set, checked and in order (lessons sorted by file name)."""

    info: SetInfo
    lessons: list[Lesson]

    def lesson(self, lesson_id: str) -> Lesson | None:
        """The lesson with this id, or None."""
        return next((lesson for lesson in self.lessons if lesson.id == lesson_id), None)


def items_of(step: ItemStep | OpenStep) -> list[AnyItem]:
    """The items of a step, in order; empty for a talk, a reflection or a writing task."""
    return [] if isinstance(step, TalkStep | ReflectStep | WriteStep) else list(step.items)
