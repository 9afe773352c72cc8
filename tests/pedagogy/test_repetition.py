"""What was said or asked a moment ago is not said or asked again, unless that is what the move is for."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from lessons.load import builtin_sets_dir, load_set
from lessons.schema import TalkStep
from tutor_app.pedagogy import author, policy
from tutor_app.pedagogy.clean import questions
from tutor_app.pedagogy.language import known_languages, language
from tutor_app.pedagogy.repetition import LAST_REPLIES, asked_ago, freshest
from tutor_app.pedagogy.validator import Situation, unacceptable_beginning, validate

ASKED = {
    "es": "¿Con quién vives?",
    "fr": "Tu habites avec qui ?",
    "zh": "你和谁一起住？",
    "ar": "مَعَ مَنْ تَسْكُن؟",
    "en": "Who do you live with?",
}
AGAIN = {
    "es": "Muy bien, ¡CON QUIÉN… no! ¿con quién, vives?",
    "fr": "C'est bien. TU HABITES AVEC QUI?",
    "zh": "很好！你和谁，一起住?",
    "ar": "جميل! مع من تسكن؟",
    "en": "That is nice! WHO do you live with?",
}
"""The same question in other capitals, with other punctuation, and in Arabic without its vowel signs."""
OTHERS = {
    "es": ["¡Qué bien! ¿Qué comes tú hoy?", "Gracias. ¿Te gusta mucho leer?", "Claro. ¿Cuándo vas allí?", "Sí. ¿Dónde está tu casa?"],
    "fr": ["Super ! Tu manges quoi ce soir ?", "Merci. Tu aimes beaucoup lire ?", "Oui. Quand vas-tu là-bas ?", "Ah. Où est ta maison ?"],
    "zh": ["真好！你今天吃什么？", "谢谢。你喜欢看书吗？", "好。你什么时候去？", "是。你的家在哪里？"],
    "ar": ["جميل! ماذا تأكل اليوم؟", "شكرا. هل تحب أن تقرأ؟", "نعم. متى تذهب إلى هناك؟", "حسنا. أين بيتك يا صديقي؟"],
    "en": ["Nice! What do you eat today?", "Thanks. Do you like to read?", "Sure. When do you go there?", "Yes. Where is your house?"],
}  # fmt: skip
SHORT = {"es": "¿Y tú?", "fr": "Et toi ?", "zh": "你呢？", "ar": "وَأَنْت؟", "en": "And you?"}
BEGUN = {"es": "Ya veo.", "fr": "Je vois.", "zh": "我明白了。", "ar": "أَفْهَم.", "en": "I see."}
TAGS = sorted(ASKED)
SETS = ["es-l2", "fr-l2", "zh-heritage", "ar-l2"]


def refused(reply: str, tag: str, *previous: str, returns: bool = False) -> bool:
    """Whether the reply breaks a rule here that it does not break at the beginning of a talk."""
    situation = Situation(tag, "l2", "B1", returns=returns)
    assert validate(reply, situation) == []
    broken = {one.rule for one in validate(reply, replace(situation, previous=previous))}
    assert broken <= {"form"}
    return bool(broken)


def test_every_language_of_the_tutor_is_tried() -> None:
    assert set(TAGS) == set(known_languages())


@pytest.mark.parametrize("tag", TAGS)
def test_a_question_of_the_last_four_replies_is_not_asked_again(tag: str) -> None:
    first = f"{BEGUN[tag]} {ASKED[tag]}"
    for between in range(LAST_REPLIES):
        assert refused(AGAIN[tag], tag, first, *OTHERS[tag][:between])
    assert not refused(AGAIN[tag], tag, first, *OTHERS[tag])


@pytest.mark.parametrize("tag", TAGS)
def test_another_question_may_be_asked(tag: str) -> None:
    assert not refused(OTHERS[tag][0], tag, f"{BEGUN[tag]} {ASKED[tag]}", *OTHERS[tag][1:])


@pytest.mark.parametrize("tag", TAGS)
def test_a_short_question_may_come_back_after_two_other_replies(tag: str) -> None:
    kinder = {"es": "¡Qué bien!", "fr": "C'est super !", "zh": "真好！", "ar": "جميل!", "en": "How nice!"}
    first, again = f"{BEGUN[tag]} {SHORT[tag]}", f"{kinder[tag]} {SHORT[tag]}"
    assert refused(again, tag, first)
    assert refused(again, tag, first, OTHERS[tag][1])
    assert not refused(again, tag, first, *OTHERS[tag][1:3])


@pytest.mark.parametrize("tag", TAGS)
def test_the_same_words_come_back_in_none_of_four_replies(tag: str) -> None:
    """Told by the words: the question of fewer than three would pass."""
    longer = {"es": "Me gusta mucho tu casa nueva.", "fr": "J'aime beaucoup ta nouvelle maison.", "zh": "我很喜欢你的新家。", "ar": "أنا أحب بيتك الجديد كثيرا.", "en": "I like your new house a lot."}  # fmt: skip
    same = f"{longer[tag]} {SHORT[tag]}"
    assert refused(same, tag, same, *OTHERS[tag][:3])
    assert not refused(same, tag, same, *OTHERS[tag])


@pytest.mark.parametrize("tag", TAGS)
def test_a_move_that_returns_may_ask_again_but_not_say_the_last_reply_again(tag: str) -> None:
    before = f"{BEGUN[tag]} {ASKED[tag]}"
    simpler = author.joined(tag, author.phrase(tag, "simplify", 1), ASKED[tag])
    assert not refused(simpler, tag, before, returns=True)
    assert not refused(AGAIN[tag], tag, before, returns=True)
    assert refused(AGAIN[tag], tag, before)
    assert refused(before, tag, before, returns=True)
    assert not refused(before, tag, before, OTHERS[tag][0], returns=True)


def test_being_lost_hints_and_forms_to_compare_return_and_nothing_else_does() -> None:
    lost = policy.decide(["confused"], policy.History(), "talk", track="l2", may=())
    still = policy.decide(["confused"], policy.History(moves=("simplify",)), "talk", track="l2", may=())
    slow = policy.decide(["slow"], policy.History(), "talk", track="l2", may=())
    told = ["error:x", "repeat_error:x"]
    once = policy.History(moves=("recast",))
    compared = [
        policy.decide(told, once, "talk", track=track, may=("question", "explore"), foreseen=True)
        for track in ("l2", "heritage")
    ]
    onward = policy.decide(["ok"], policy.History(), "talk", track="l2", may=())
    recast = policy.decide(["error:x"], policy.History(), "talk", track="l2", may=("recast",), foreseen=True)
    assert {one.move for one in (lost, still, slow, *compared)} == policy.RETURNING
    assert not {onward.move, recast.move} & policy.RETURNING


@pytest.mark.parametrize("tag", TAGS)
def test_a_question_said_more_simply_counts_as_asked(tag: str) -> None:
    """After "Plus simplement : …" the question of the next turn is another one."""
    for seed in range(3):
        simpler = author.joined(tag, author.phrase(tag, "simplify", seed), ASKED[tag])
        assert asked_ago(f"{BEGUN[tag]} {ASKED[tag]}", [simpler], tag) == 1


def test_a_beginning_is_not_blamed_for_what_other_words_may_follow() -> None:
    situation = Situation("es", "l2", "A2", previous=("Claro. ¿Con quién vives?",))
    asked = "Ya veo, tienes una casa. ¿Con quién vives?"
    assert unacceptable_beginning(asked, situation) is None
    assert validate(asked, situation) != []
    assert validate(f"{asked} ¿Vives con tu familia?", situation) == []
    assert unacceptable_beginning("Claro. ¿Con quién vives", situation) is None
    assert validate("Claro. ¿Con quién vives?", situation) != []
    assert validate("Claro. ¿Con quién vives en tu casa de la ciudad?", situation) == []


@pytest.mark.parametrize("tag", TAGS)
def test_a_phrase_that_was_just_asked_makes_room_for_another_of_its_kind(tag: str) -> None:
    values = dict.fromkeys(("form", "a", "b", "starter", "dialect", "word"), "…")
    tried = 0
    for kind, bank in language(tag).phrases.items():
        if len(bank) < 2 or not all(questions(line) for line in bank):
            continue
        for seed in range(12):
            first = author.phrase(tag, kind, seed, **values)
            second = author.phrase(tag, kind, seed, previous=[first], **values)
            assert questions(second)[-1] != questions(first)[-1], kind
            assert second == author.phrase(tag, kind, seed, previous=[first], **values)
            tried += 1
    assert tried


@pytest.mark.parametrize("tag", TAGS)
def test_a_phrase_is_what_its_seed_chose_as_long_as_it_was_not_asked(tag: str) -> None:
    bank = language(tag).phrases["topics"]
    for seed in range(12):
        chosen = random.Random(f"topics/{seed}").choice(bank)
        others = [line for line in bank if line != chosen][:LAST_REPLIES]
        assert author.phrase(tag, "topics", seed, previous=others) == chosen


@pytest.mark.parametrize("tag", TAGS)
def test_of_lines_that_were_all_asked_the_one_longest_ago_is_taken(tag: str) -> None:
    a, b, c = language(tag).phrases["topics"][:3]
    assert freshest([a, b, c], [b, c, a], tag) == [b]
    assert freshest([a, b, c], [b, a], tag) == [c]
    assert freshest([a, b, c], [], tag) == [a, b, c]


@pytest.mark.parametrize("tag", TAGS)
def test_a_free_talk_goes_on_with_a_topic_that_was_not_just_asked(tag: str) -> None:
    for seed in range(6):
        due = author.talk_question(None, 1, tag, seed)
        following = author.talk_question(None, 2, tag, seed)
        said = [f"{BEGUN[tag]} {due}", OTHERS[tag][0]]
        assert author.talk_question(None, 1, tag, seed, previous=said) == following
        assert author.talk_question(None, 1, tag, seed, previous=said, simpler=True) == due


@pytest.mark.parametrize("name", SETS)
def test_a_lesson_goes_on_with_its_next_question_where_one_was_just_asked(name: str) -> None:
    lessons = load_set(builtin_sets_dir() / name)
    tag = lessons.info.language
    step = next(step for one in lessons.lessons for step in one.steps if isinstance(step, TalkStep))
    asked = [author.without_emphasis(line).text for line in step.questions]
    assert author.talk_question(step, 1, tag, 0, previous=[asked[1]]) == asked[2]
    assert author.talk_question(step, 1, tag, 0, previous=[asked[2]]) == asked[1]
    last = len(asked) - 1
    assert author.talk_question(step, last + 3, tag, 0, previous=[asked[last]]) != asked[last]


def test_one_other_word_makes_a_short_reply_another_and_a_long_one_the_same() -> None:
    assert not refused("Qué bien. ¿Y tu papá?", "es", "Qué bien. ¿Y tu mamá?")
    assert refused("Qué bien. ¿Y tu mamá?", "es", "¡Qué bien! ¿Y tu mamá?")
    long = "Me gusta mucho la comida de tu mamá. ¿Qué cocina ella los domingos por la {}?"
    assert refused(long.format("mañana"), "es", long.format("tarde"))
