"""A form is shown as a tutor would write it, or not at all."""

from __future__ import annotations

import pytest

from tutor_app.pedagogy.edits import tokens
from tutor_app.pedagogy.reformulation import NOTHING, find
from tutor_app.pedagogy.showing import as_model, misspelt, with_accents


@pytest.mark.parametrize(
    ("tag", "phrase", "changed", "shown"),
    [
        ("es", "ojos grandes y una nariz", ["grandes"], "ojos grandes y una nariz"),
        ("es", "muchos deliciosas comidas", ["deliciosas"], "deliciosas comidas"),
        ("es", "muchas deliciosas comidas", ["deliciosas"], "muchas deliciosas comidas"),
        ("es", "muchos problemas graves", ["graves"], "muchos problemas graves"),
        ("es", "mucha gente buena", ["buena"], "mucha gente buena"),
        ("es", "Es comico", ["comico"], "Es cómico"),
        ("es", "Musica clásica", ["clásica"], "Música clásica"),
        ("es", "Nostros vamos al parque", ["vamos"], "vamos al parque"),
        ("es", "resbalo en la calle", ["resbalo"], "resbalo en la calle"),
        ("es", "con Xiomarita en casa", ["en"], "con Xiomarita en casa"),
        ("es", "Xiomarita está en casa", ["está"], "Xiomarita está en casa"),
        ("es", "el store está cerrado", ["está"], "el store está cerrado"),
        ("fr", "à l'universite de Paris", ["à"], "à l'université de Paris"),
        ("fr", "une fete magnifique", ["magnifique"], "une fête magnifique"),
        ("zh", "买一本书", ["本"], "买一本书"),
        ("ar", "جامعة كبيرة", ["كبيرة"], "جامعة كبيرة"),
    ],
)  # fmt: skip
def test_a_form_is_shown_well_spelt_and_without_what_does_not_go_with_it(
    tag: str, phrase: str, changed: list[str], shown: str
) -> None:
    assert as_model(phrase, changed, tag) == shown


@pytest.mark.parametrize(
    ("tag", "phrase", "changed"),
    [
        ("es", "Nostros vamos", ["nostros"]),
        ("es", "Por la vacasione", ["la"]),
        ("es", "No me gusta las redes", ["gusta"]),
        ("es", "la problema grande", ["grande"]),
        ("es", "voy a el parque", ["voy"]),
        ("es", "ella tengo hambre", ["hambre"]),
        ("es", "soy veinte años", ["años"]),
        ("es", "muchas problemas graves", ["graves"]),
        ("es", "otro persona amable", ["amable"]),
        ("es", "otro vez tarde", ["tarde"]),
        ("es", "el canción bonita", ["bonita"]),
        ("es", "yo somos de Queens", ["somos"]),
        ("es", "nosotros va al parque", ["parque"]),
        ("es", "me gustaba los libros", ["libros"]),
        ("es", "muchos deliciosas comidas", []),
        ("es", "muy estúpida", ["estúpida"]),
        ("fr", "je ai faim", ["faim"]),
        ("fr", "ma amie habite", ["habite"]),
        ("fr", "c'est plus bon", ["plus"]),
        ("zh", "我不有时间", ["时"]),
    ],
)
def test_what_is_wrong_in_itself_is_not_shown(tag: str, phrase: str, changed: list[str]) -> None:
    assert as_model(phrase, changed, tag) == ""


@pytest.mark.parametrize(
    ("tag", "said"),
    [
        ("es", "me gusta mucho la playa"), ("es", "me gusta todos los días bailar"), ("zh", "今天是星期二个人很多"), ("es", "es dos años mayor"), ("es", "son tres años juntos"), ("es", "muy poca gente"),
        ("es", "voy a él"), ("es", "de El Salvador"), ("es", "otra mano libre"), ("es", "otro tema importante"),
        ("es", "con ella voy al cine"), ("es", "me gusta los sábados bailar"), ("es", "más mayor"),
        ("es", "en cuanto llegué"), ("es", "para cuando venga"), ("es", "casa en arriendo"), ("es", "un mano a mano"),
        ("es", "practico deportes"), ("es", "la campana suena"), ("es", "yo llego tarde"), ("es", "estudio y trabajo"),
        ("fr", "je voudrais du pain"), ("fr", "dit-je alors"), ("fr", "mon frère et elle sont là"), ("fr", "ma huitième année"),
        ("zh", "第二个问题"), ("zh", "十二个苹果"), ("zh", "不有趣"),
    ],
)  # fmt: skip
def test_what_only_looks_wrong_is_shown_as_it_stands(tag: str, said: str) -> None:
    assert said in [as_model(said, [word], tag) for word in tokens(said, tag).compared]


@pytest.mark.parametrize(
    ("word", "written"),
    [
        ("nacio", "nació"), ("television", "televisión"), ("cafe", "café"), ("practica", "practica"), ("musica", "música"), ("ninos", "niños"), ("adicion", "adición"), ("tenia", "tenía"), ("verguenza", "vergüenza"),
        ("llego", "llego"), ("hable", "hable"), ("hablaras", "hablaras"), ("esta", "esta"), ("mama", "mama"), ("solo", "solo"),
        ("cosa", "cosa"), ("xyzzyo", "xyzzyo"),
    ],
)  # fmt: skip
def test_an_accent_is_put_in_where_the_word_is_hardly_written_without(word: str, written: str) -> None:
    assert with_accents(word, "es") == written


def test_of_two_spellings_with_accents_the_one_that_is_no_other_form_is_taken() -> None:
    assert (with_accents("realise", "fr"), with_accents("eleve", "fr")) == ("réalise", "élève")


def test_a_rare_word_is_not_a_misspelt_one() -> None:
    right = (
        "lavo",
        "peino",
        "cocino",
        "resbalo",
        "deliciosas",
        "atropellamiento",
        "store",
        "enfadarse",
        "paseado",
        "programan",
        "cantes",
    )
    assert [word for word in right if misspelt(word, "es")] == []
    assert all(misspelt(word, "es") for word in ("nostros", "vacasione", "diferantes", "descrubido"))


def test_another_edit_is_picked_up_when_the_weightiest_cannot_be_shown() -> None:
    learner = "Mi hermano tiene muchos problema y el vacasione es largo"
    native = "Mi hermano tiene muchos problemas y la vacasione es largo"
    finding = find(learner, native, "es", "l2")
    assert finding.target == "muchos problemas"
    assert finding.native == native
    assert find("Por el vacasione", "Por la vacasione", "es", "l2") == NOTHING
