"""What of a native version is not a tutor's to say: how names are written, and of which gender people are.

A model that is asked for a native version gives Malia another name, and makes a graduate student of "estudiante graduada"
a man. What a learner says of themself or of somebody they know is theirs to know.
"""

from __future__ import annotations

from collections.abc import Sequence

from tutor_app.pedagogy.edits import SPELLINGS, Edit, differ_in_ending, tokens
from tutor_app.pedagogy.language import compiled, kinds, language, primary, zipf

NAME_ZIPF = 4.0
"""How common a name must be in the language before its usual spelling is offered …"""
NAME_MARGIN = 0.7
"""… and how much commoner than the learner's (Zipf scale, so five times)."""


def left_alone(edit: Edit, found: Sequence[Edit], learner: str, tag: str) -> bool:
    """Whether `edit`, one of those `found` between the learner's sentence and its native version, is never acted on."""
    return (
        _spells_a_name(edit, learner, tag)
        or _of_a_name(edit, learner, tag)
        or _loses_the_plural(edit, tag)
        or _gender_of_people(edit, found, learner, tag)
    )


def _spells_a_name(edit: Edit, learner: str, tag: str) -> bool:
    """Whether the edit only spells somebody's or something's name otherwise ("Malia", "Adele"): names are as they are.

    A name that the language itself mostly writes the other way is mended ("Mexico"), but not after "me llamo".
    """
    if edit.tag not in SPELLINGS or len(edit.wrong) != 1 or len(edit.right) != 1 or edit.start == 0:
        return False
    cut = tokens(learner, tag)
    if not cut.written[edit.start][:1].isupper() or cut.begins_sentence(edit.start):
        return False
    if cut.written[edit.start - 1].casefold() in language(tag).classes.get("naming", ()):
        return True
    known = zipf(edit.right[0], tag)
    return known < NAME_ZIPF or known - zipf(edit.wrong[0], tag) < NAME_MARGIN


def _of_a_name(edit: Edit, learner: str, tag: str) -> bool:
    """Whether the edit only gives a name its article or takes it away ("en el Disney Channel", "del Perú"): either is said."""
    data = language(tag)
    contractions = {"al": ("a", "el"), "del": ("de", "el")} if primary(tag) == "es" else {}
    if not contractions:  # French names have an article or have none
        return False
    before, after = (
        [part for word in side for part in contractions.get(word, (word,))]
        for side in (edit.wrong, edit.right)
    )
    articles = set(data.classes.get("article", ())) - set(contractions)
    others = [[word for word in side if word not in articles] for side in (before, after)]
    if others[0] != others[1] or len(before) == len(after):
        return False
    cut = tokens(learner, tag)
    return (
        0 < edit.end < len(cut.written)
        and cut.written[edit.end][:1].isupper()
        and not cut.begins_sentence(edit.end)
    )


def _loses_the_plural(edit: Edit, tag: str) -> bool:
    """Whether the edit mends a spelling and takes the plural away with it ("los musulmánes", "los musulmán").

    In Spanish, where an s is heard; a French one that goes or comes is the point.
    """
    if edit.tag not in SPELLINGS or len(edit.wrong) != 1 or len(edit.right) != 1 or primary(tag) != "es":
        return False
    return edit.wrong[0].endswith("s") and not edit.right[0].endswith("s")


def _gender_of_people(edit: Edit, found: Sequence[Edit], learner: str, tag: str) -> bool:
    """Whether the edit changes the gender in which somebody speaks of themself or of a person ("soy estudiante graduada").

    That is theirs to know. Of oneself speaks what follows a verb that says so, as long as nothing else that it could be
    said of is named in between, or before a verb that has no person.
    """
    bent = {e.start for e in found if _bends(e, tag)}
    if edit.start not in bent:
        return False
    cut = tokens(learner, tag)
    compared = cut.compared
    own = kinds(compared[edit.start], tag)
    if own & {"we", "alone"}:
        return True
    before = [kinds(word, tag) for word in compared[: edit.start]]
    if "people" in own:  # "mi novia", unless something before says who it is ("ella es mi amigo")
        return not any(
            kind & {"article", "subject-pronoun"} and "speaker-pronoun" not in kind and at not in bent
            for at, kind in enumerate(before)
        )
    if primary(tag) == "ar":  # the sentence has no verb that would end what is said of oneself
        at = edit.start - 1
        while at in bent:
            at -= 1
        return at >= 0 and "speaker" in before[at]
    if "article" in own and edit.end not in bent and not _either_gender(compared[edit.end :], tag):
        return False
    anyone = False
    for at, kind in reversed(list(enumerate(before))):
        if cut.begins_sentence(at + 1):
            break
        if "speaker" in kind:
            return True
        if "speaker-pronoun" in kind:
            return anyone
        if kind & {"article", "possessive", "quantifier", "subject-pronoun"} and at not in bent:
            return False
        if "of-anyone" in kind:
            anyone = True
            if {"me", "nos", "m'"} & set(compared[max(0, at - 2) : at]):
                return True  # "me pone nerviosa", "me hace sentir orgullosa", whoever it is that does
            if at and not before[at - 1]:
                return False  # "mamá era", "María estaba"
        elif not anyone and kind & {"preposition", "ser", "estar", "irregular"}:
            return False
        elif not anyone and compared[at].endswith(("ando", "iendo", "yendo")):
            return False  # "estoy comprando ropa barato"
    return anyone


def _bends(edit: Edit, tag: str) -> bool:
    """Whether the edit changes one word's gender, by its ending or as an article."""
    if len(edit.wrong) != 1 or len(edit.right) != 1:
        return False
    own = kinds(edit.wrong[0], tag)
    if "article" in own:
        return edit.tag == "gender"
    named = edit.tag in ("gender", "sound-alike") or own & {"people", "we"}
    return bool(named) and differ_in_ending(edit.wrong[0], edit.right[0], language(tag).agreement_endings)


def _either_gender(following: Sequence[str], tag: str) -> bool:
    return bool(following) and any(pattern.search(following[0]) for pattern in compiled(tag, "either_gender"))
