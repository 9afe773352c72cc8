"""Each rule in four languages: what passes, what does not, and why."""

from __future__ import annotations

import pytest

from lessons.schema import Level, Track
from tutor_app.pedagogy.language import known_languages, language
from tutor_app.pedagogy.validator import MAX_WORDS, Situation, unacceptable_beginning, validate


def rules(reply: str, tag: str, level: Level = "A1", track: Track = "l2", **more: object) -> set[str]:
    return {violation.rule for violation in validate(reply, Situation(tag, track, level, **more))}  # type: ignore[arg-type]


GOOD = [
    ("es", "¡Ah, eres de Puebla! ¿Y dónde vives ahora?"),
    ("fr", "Ah, tu habites à Paris. Tu aimes ta ville ?"),
    ("zh", "你家有五口人，真好！你有哥哥吗？"),
    ("ar", "جميل! أين تسكن الآن؟"),
]


@pytest.mark.parametrize(("tag", "reply"), GOOD)
def test_a_short_kind_reply_with_a_question_passes(tag: str, reply: str) -> None:
    assert rules(reply, tag) == set()


@pytest.mark.parametrize(
    ("tag", "reply"),
    [
        ("es", "Eso está mal. ¿Lo dices otra vez?"),
        ("es", "No se dice así. ¿Cómo se dice?"),
        ("es", "Te equivocaste. ¿Otra vez?"),
        ("es", "Recuerda la regla. ¿Sí?"),
        ("es", "No, es «estoy». ¿Y tú?"),
        ("fr", "C'est faux. Tu recommences ?"),
        ("fr", "On ne dit pas ça. Et toi ?"),
        ("fr", "Il y a une faute ici. Tu vois ?"),
        ("zh", "不对。再说一遍好吗？"),
        ("zh", "你说错了，应该说「一本书」。好吗？"),
        ("ar", "هذا خطأ. هل تفهم؟"),
        ("ar", "لا نقول هذا. ماذا نقول؟"),
        ("es", "That's wrong. ¿Otra vez?"),
        ("es", "Remember the rule. ¿Sí?"),
    ],
)
def test_explicit_correction_is_refused_in_every_language(tag: str, reply: str) -> None:
    assert "correction" in rules(reply, tag)


@pytest.mark.parametrize(
    ("tag", "reply"),
    [
        ("es", "¡Qué mal día! ¿Y qué hiciste después?"),
        ("es", "¿Está malo tu hermano?"),
        ("fr", "Tu as mal à la tête ? Depuis quand ?"),
        ("zh", "你今天很忙吗？"),
        ("ar", "هل تحب الأرز؟"),
    ],
)
def test_everyday_words_near_the_forbidden_ones_are_no_correction(tag: str, reply: str) -> None:
    assert "correction" not in rules(reply, tag, "B1")


@pytest.mark.parametrize(
    ("tag", "answer", "reply"),
    [
        ("es", "soy", "Di «soy de Lima». ¿Sí?"),
        ("fr", "je suis", "Dis « je suis fatigué ». D'accord ?"),
        ("zh", "本", "我们说一本书，好吗？"),
        ("ar", "كتاب", "نقول كِتاب. نعم؟"),
    ],
)
def test_a_hidden_answer_may_not_be_said(tag: str, answer: str, reply: str) -> None:
    assert "reveal" in rules(reply, tag, hidden=(answer,))


def test_an_answer_inside_another_word_is_not_said() -> None:
    assert "reveal" not in rules("¿Eres una persona alegre?", "es", hidden=("ere", "son"))


@pytest.mark.parametrize(
    ("tag", "reply"), [("es", "¡Soy de Lima también! ¿Y tú?"), ("fr", "Ah, soy ? Et toi ?")]
)
def test_what_the_learner_said_or_attempted_may_be_said_back(tag: str, reply: str) -> None:
    assert "reveal" not in rules(reply, tag, hidden=("soy",), attempted=("soy de Lima",))
    assert "reveal" not in rules(reply, tag, hidden=("soy",), learner="Yo soy de Lima")


@pytest.mark.parametrize(
    ("tag", "reply"), [("es", "Me gusta."), ("fr", "C'est bien."), ("zh", "很好。"), ("ar", "هذا جميل.")]
)
def test_a_reply_without_a_question_leaves_the_learner_alone(tag: str, reply: str) -> None:
    assert "asks" in rules(reply, tag)


@pytest.mark.parametrize("level", ["A1", "A2", "B1"])
@pytest.mark.parametrize(("tag", "word"), [("es", "casa "), ("fr", "maison "), ("ar", "بيت ")])
def test_length_is_counted_in_words_by_level(tag: str, word: str, level: Level) -> None:
    limit = int(MAX_WORDS[level])
    assert "length" not in rules(word * limit + "?", tag, level)
    assert "length" in rules(word * (limit + 1) + "?", tag, level)


def test_a_chinese_character_counts_six_tenths_of_a_word() -> None:
    fits = int(MAX_WORDS["A1"] / 0.6)
    assert "length" not in rules("好" * fits + "？", "zh")
    assert "length" in rules("好" * (fits + 1) + "？", "zh")


@pytest.mark.parametrize("tag", ["es", "fr", "zh", "ar"])
def test_a_reply_in_english_only_is_not_in_the_language(tag: str) -> None:
    reply = "That is really great, where does your brother live now?"
    assert "language" in rules(reply, tag)
    assert "language" in rules(reply, tag, "B1")


@pytest.mark.parametrize(
    ("tag", "reply"), [("es", "你好吗？"), ("fr", "¿Dónde está tu hermano mayor ahora mismo?"), ("zh", "¿Dónde estás ahora?"), ("ar", "你好吗？")]
)  # fmt: skip
def test_a_third_language_is_refused(tag: str, reply: str) -> None:
    assert {"language", "vocabulary"} & rules(reply, tag)


def test_heritage_tutors_may_mix_languages_where_l2_tutors_may_not() -> None:
    reply = "¡Qué chévere tu weekend con your brother! ¿Y adónde fueron?"
    assert "language" not in rules(reply, "es", "B1", "heritage")
    assert "language" in rules(reply, "es", "B1", "l2")


@pytest.mark.parametrize(
    ("tag", "reply"),
    [
        ("es", "¿Qué piensas de la hermenéutica existencialista subyacente?"),
        ("fr", "Que penses-tu de l'herméneutique phénoménologique sous-jacente ?"),
        ("zh", "你对诠释学与现象学之悖论有何高见？"),
        ("ar", "ما رأيك في التأويلية الظاهراتية الأنطولوجية؟"),
    ],
)
def test_words_far_above_the_level_are_refused_unless_the_lesson_has_them(tag: str, reply: str) -> None:
    from tutor_app.pedagogy.language import words

    assert "vocabulary" in rules(reply, tag)
    assert "vocabulary" not in rules(reply, tag, allowed_words=frozenset(words(reply, tag)))


@pytest.mark.parametrize(
    "reply",
    [
        "Tutor: ¿Cómo estás?",
        "Assistant: ¿Cómo estás?",
        "<|im_start|>¿Cómo estás?",
        "[recast] ¿Cómo estás?",
        "**¿Cómo estás?**",
        "# ¿Cómo estás?",
        "1. ¿Cómo estás? 2. ¿Y tú?",
        "Mira www.ejemplo.com, ¿sí?",
        "¿Cómo \u202eestás?",
        "¿Cómo\x1b[31m estás?",
        "[/] ¿Qué tal?",
    ],
)
def test_what_is_not_plain_speech_is_refused(reply: str) -> None:
    assert "form" in rules(reply, "es")


def test_a_gap_to_fill_is_plain_speech() -> None:
    assert rules("¿Empieza con s__ o con est__?", "es") == set()


@pytest.mark.parametrize(("tag", "reply"), GOOD)
def test_the_same_reply_twice_is_refused(tag: str, reply: str) -> None:
    assert "form" in rules(reply, tag, previous=(reply,))


@pytest.mark.parametrize(
    ("tag", "learner", "reply"),
    [
        ("es", "Hola, soy Ana. Soy muy cansada hoy.", "¡Hola! Soy Ana. Soy muy cansada hoy. ¿Y tú?"),
        ("fr", "Je suis de Chicago et toi", "Je suis de Chicago. Et toi ?"),
        ("zh", "我昨天跟朋友去看电影", "我昨天跟朋友去看电影。你呢？"),
        ("ar", "أنا أسكن في نيويورك", "أنا أسكن في نيويورك. وأنت؟"),
    ],
)
def test_saying_the_learners_own_sentence_is_no_answer(tag: str, learner: str, reply: str) -> None:
    assert "form" in rules(reply, tag, "B1", learner=learner)


def test_a_form_between_quotes_may_be_the_learners() -> None:
    said = "Sí, mi hermana está en casa hoy"
    assert "form" not in rules("¡Ah, «mi hermana está en casa»! ¿Y tu mamá?", "es", learner=said)


@pytest.mark.parametrize(
    ("tag", "reply"),
    [
        ("es", "¡Eres un idiota! ¿No?"),
        ("fr", "Merde alors, ça va ?"),
        ("zh", "笨蛋，好吗？"),
        ("ar", "أنت غبي؟"),
    ],
)
def test_what_does_not_suit_a_classroom_is_refused(tag: str, reply: str) -> None:
    assert "unsafe" in rules(reply, tag)


@pytest.mark.parametrize("tag", [code for code in known_languages() if code != "en"])
def test_every_authored_phrase_passes_at_the_lowest_level(tag: str) -> None:
    fill = {"form": "…", "a": "…", "b": "…", "starter": "…", "dialect": "…", "word": "…"}
    for bank in language(tag).phrases.values():
        for phrase in bank:
            assert rules(phrase.format(**fill), tag) <= {"asks"}, phrase


def test_a_beginning_is_stopped_at_the_first_word_that_could_not_stand() -> None:
    situation = Situation("es", "l2", "A1", hidden=("estoy",))
    assert unacceptable_beginning("¡Qué bien! Tu", situation) is None
    assert unacceptable_beginning("Eso está mal", situation) is not None
    assert unacceptable_beginning("Di estoy", situation) is not None


def test_a_beginning_is_not_blamed_for_what_may_still_come() -> None:
    assert unacceptable_beginning("Me gusta", Situation("es", "l2", "A1")) is None


def test_an_empty_reply_is_refused() -> None:
    assert {"asks", "length"} <= rules("", "es")


def test_ten_thousand_characters_are_refused_quickly_and_without_error() -> None:
    assert "length" in rules("palabra " * 1250, "es")
