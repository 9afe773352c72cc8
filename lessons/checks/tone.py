"""Does any line of the tutor correct, judge or lecture. The tutor scaffolds; it never marks."""

from __future__ import annotations

from collections.abc import Iterator

import regex

from lessons.checks.hints import QUESTION_MARK
from lessons.checks.sheet import Note, Sheet, each_line

CORRECTIONS = {
    "en": r"\b(?:wrong|incorrect|mistakes?|errors?|the rule|rules? (?:is|says))\b|(?<!you )(?<!i )(?<!we )(?<!to )\bremember\b",
    "es": r"\b(?:incorrect[oa]s?|equivocad[oa]s?|te equivocas(?:te)?|no se dice|est[áa] mal|la regla|fallaste|"
    r"recuerda que|acu[ée]rdate de que|tu error|un error|el error|errores)\b",
    "fr": r"\b(?:c['’]est faux|incorrecte?s?|n['’]est pas correct|pas correct|la règle|(?:une|ton|votre|l['’])\s?erreur|"
    r"ne se dit pas|on ne dit pas|rappelle-toi que|n['’]oublie pas la)\b|\bfaux(?![- ]amis?)\b",
    "zh": r"(?<![不没沒])错(?![过過])|(?<![不没沒])錯(?![过過])|(?<!对)(?<!對)不[对對](?![称稱劲勁])|不正确|不正確|规则是|規則是",
    "ar": r"خطأ|أخطأت|خاطئ|غلط|غير صحيح|ليس صحيحا|القاعدة هي|تذكر أن",
}
"""What no line may say, for every language a learner may be taught or supported in."""

_BEGINNINGS = {
    "en": ("wrong", "incorrect", "mistake", "error", "rule", "remember"),
    "es": ("incorrect", "equivoca", "se dice", "mal", "regla", "fallaste", "recuerda", "acu", "error"),
    "fr": ("faux", "incorrect", "correct", "règle", "erreur", "se dit", "dit pas", "rappelle", "oublie"),
    "zh": ("错", "錯", "不对", "不對", "不正", "规则", "規則"),
    "ar": ("خطأ", "أخطأت", "خاطئ", "غلط", "صحيح", "القاعدة", "تذكر"),
}
"""Cheap to look for: only a line that has one of these is searched with the patterns above."""

_TASHKEEL = regex.compile(r"[\u064b-\u0652\u0670\u0640]")
_COMPILED = {code: regex.compile(pattern, regex.IGNORECASE) for code, pattern in CORRECTIONS.items()}


def check(sheet: Sheet) -> Iterator[Note]:
    """Corrections, judgements and lectures anywhere; talk lines that ask nothing."""
    languages = {sheet.language, sheet.info.support_language if sheet.info else "en", "en"}
    for line in each_line(sheet.lesson):
        text = _TASHKEEL.sub("", line.text) if sheet.language == "ar" else line.text
        lowered = text.lower()
        for language in languages & _COMPILED.keys():
            likely = any(beginning in lowered for beginning in _BEGINNINGS[language])
            if likely and (found := _COMPILED[language].search(text)):
                message = f"{found.group()!r} corrects or judges; the tutor never does"
                fix = "answer the meaning, show the good form, ask"
                yield Note(line.where, "tone-correction", message, fix)
        if line.role == "talk" and not QUESTION_MARK.search(text):
            message = f"`{next(step for step in reversed(line.where) if isinstance(step, str))}` asks nothing"
            yield Note(line.where, "talk-asks", message, "end it with a question")
