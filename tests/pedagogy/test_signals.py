from __future__ import annotations

import pytest

from tutor_app.pedagogy.signals import code_switched, confused, off_task, repeats, slow


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        ("es", "no entiendo"), ("es", "No sé."), ("es", "¿Qué?"), ("es", "?"), ("es", "huh"), ("es", "¿qué significa eso?"),
        ("es", "I don't understand"), ("es", "estoy perdida"), ("es", "Perdón, no entiendo la pregunta."), ("es", "Hola, no te entiendo"),
        ("es", "No sé qué más decir."), ("es", "no sé cómo se dice"), ("es", "Ayuda, por favor"), ("es", "¿Me puedes ayudar?"),
        ("es", "más despacio, por favor"), ("es", "Perdón, ¿qué quiere decir chamba?"), ("es", "no entiendo lo que quieres decir"),
        ("es", "No tengo idea de que escribir"), ("es", "no me acuerdo de la palabra"), ("es", "ni idea"), ("es", "me perdí"), ("zh", "听不懂"), ("zh", "我不知道"), ("zh", "什么意思？"),
        ("zh", "沒聽懂"), ("ar", "لا أفهم"), ("ar", "مش فاهم"), ("ar", "لَا أَفْهَمُ"), ("fr", "je ne comprends pas"),
        ("fr", "j'ai rien compris"), ("fr", "je sais pas"), ("fr", "Je ne comprends pas ce mot"), ("fr", "Je suis un peu perdue."),
        ("fr", "Plus lentement, s'il vous plaît"), ("ar", "لا أفهم السؤال"), ("ar", "لا أعرف كيف أقول"), ("ar", "مرة أخرى من فضلك"), ("fr", "hein ?"), ("fr", "no sé"), ("ar", "what does that mean"),
        ("es", "no entiendo qué es eso"),
        ("es", "No entiendo, por favor repite"),
        ("es", "Disculpe, no entiendo la palabra chamba"),
        ("es", "No sé qué hacer"),
        ("es", "No sé cómo explicarlo"),
        ("es", "¿Podrías hablar más despacio?"),
        ("es", "Por favor, más despacio"),
        ("es", "¿Me puedes decir qué significa chamba?"),
        ("es", "Necesito ayuda con esta pregunta"),
        ("es", "Perdón, no me acuerdo"),
        ("es", "Perdón, no tengo idea"),
        ("es", "Estoy perdida, perdón"),
        ("es", "pues no entiendo"),
        ("es", "no entiendo lo que me dices"),
        ("es", "no entiendo nada de esto"),
        ("es", "no entiendo español"),
        ("fr", "Pouvez-vous parler plus lentement, s'il vous plaît ?"),
        ("fr", "Je ne comprends pas les mots"),
        ("fr", "Je suis perdu, désolé"),
        ("ar", "لا أعرف الجواب"),
        ("ar", "من فضلك تكلم ببطء"),
        ("ar", "هل يمكنك أن تساعدني؟"),
        ("ar", "لا أفهم، آسف"),
    ],
)  # fmt: skip
def test_being_lost_is_heard_in_the_language_taught_and_in_english(tag: str, text: str) -> None:
    assert confused(text, tag)


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        ("es", "No sé bailar pero me gusta la música de mi país"), ("es", "Mi hermano no entiende inglés"), ("es", "sí"),
        ("es", "No me gusta el chocolate."), ("es", "Ella nos ayuda con la escuela"), ("es", "Recibí ayuda de mi tía"),
        ("es", "Me perdí en el aeropuerto"), ("es", "La llamamos Pilpil, que significa mariposa"), ("es", "Si no entiendo nada, me lo explica"),
        ("es", "No entiendo por qué se fue"), ("es", "No sé qué haría sin ella"), ("es", "Los otros iban más despacio"),
        ("es", "No me acuerdo de su cara"), ("es", "Estoy perdido en Queens"), ("fr", "Je comprends bien"), ("fr", "Je ne comprends pas pourquoi il est parti"),
        ("fr", "Hier je suis perdu dans la ville"), ("ar", "لا أعرف الطبخ"), ("ar", "ساعدني أخي في البيت"), ("ar", "زرت مصر مرة أخرى"), ("zh", "我懂了"), ("ar", "أفهم العربية"), ("es", ""),
        ("es", "Creo que mucha gente no entiende lo difícil que es para mis padres vivir aquí"),
        ("es", "Mi abuela habla italiano pero no la entiendo bien"),
        ("es", "Si repruebas puedes repetir el año"),
        ("es", "Me gusta la física pero no entiendo todo"),
        ("es", "La verdad es que no sé cómo escribir una bella historia"),
        ("fr", "Il parle plus lentement que moi"),
        ("ar", "لا أعرف كيف أطبخ"),
        ("ar", "لم أفهم ما قاله أخي"),
    ],
)  # fmt: skip
def test_telling_about_not_knowing_is_not_being_lost(tag: str, text: str) -> None:
    assert not confused(text, tag)


def test_slow_is_measured_against_the_learners_own_pace() -> None:
    quick = [(20, 5.0)] * 6
    leisurely = [(20, 40.0)] * 6
    assert slow("una respuesta corta.", 50.0, quick)
    assert not slow("una respuesta corta.", 50.0, leisurely)


def test_one_interrupted_turn_does_not_change_the_pace() -> None:
    assert slow("una respuesta corta.", 50.0, [*[(20, 5.0)] * 6, (20, 900.0)])


def test_nobody_is_slow_within_a_few_seconds_or_without_a_clock() -> None:
    assert not slow("a", 11.0, [(20, 0.5)] * 6)
    assert not slow("a", None, [(20, 0.5)] * 6)


def test_a_long_answer_may_take_longer() -> None:
    pace = [(20, 10.0)] * 6
    assert slow("sí", 60.0, pace)
    assert not slow("palabra " * 30, 60.0, pace)


@pytest.mark.parametrize(
    ("tag", "text", "mixed"),
    [
        ("es", "Yo fui al store con mi sister", True), ("es", "Yo fui a la tienda con mi hermana", False),
        ("fr", "Je vais au store avec my brother", True), ("zh", "我喜欢eat苹果", True), ("zh", "我喜欢吃苹果", False),
        ("ar", "أنا من Brooklyn and Queens", True), ("es", "Soy de Sunset Park en Brooklyn", False), ("es", "once once hotel final", False),
    ],
)  # fmt: skip
def test_english_words_in_a_turn_are_noticed(tag: str, text: str, mixed: bool) -> None:
    assert code_switched(text, tag) is mixed


def test_mashed_keys_and_other_scripts_are_off_the_task() -> None:
    assert off_task("jjjjjjj", "es")
    assert off_task("你好你好我很好", "es")
    assert not off_task("Vivo en Queens", "es")


def test_saying_the_same_again_is_noticed_whatever_its_case() -> None:
    assert repeats("Sí, claro.", ["sí, claro"], "es")
    assert not repeats("Sí, claro.", [], "es")
