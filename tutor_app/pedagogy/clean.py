"""A model's raw words made fit to be judged: what is only packaging is taken off, nothing is rewritten."""

from __future__ import annotations

import regex

from tutor_app.pedagogy.language import language, primary

_TOKENS = regex.compile(r"<\|[^|>]{0,40}\|?>?|</?(start|end)_of_turn>|</?s>|<(eos|bos|pad|unk)>")
_INVISIBLE = regex.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\p{Cc}&&[^\n\t]]", regex.V1)
_EMPHASIS = regex.compile(r"(\*\*|__|\*|`)(?=\S)(.{1,80}?)(?<=\S)\1")
_LABEL = regex.compile(r"^\s*([\p{L}\p{M}]{2,14})\s*[:：]\s*")
_UNOPENED = regex.compile(r"((?:^|[.!?…])[»”\")]*\s*)(\p{L}[^.!?…¿]*\?)")
"""A Spanish question without its opening mark; one that opens in mid-sentence ("Y tú, ¿qué comes?") has it."""
_SENTENCE_END = regex.compile(r"[.!?…]+[»”\"')]*(?=\s|$)|[。！？؟]+[」”]*")
"""A dot inside "3.5" ends nothing; Chinese has no space after its marks."""
_QUESTION = regex.compile(r"[^.!?。！？؟…¿]*[?？؟]")
_DIRECTIVE = regex.compile(r"^\s*\[[^\]]{0,80}\]\s*|\s*\[[^\]]{0,80}\]\s*$")


def clean(text: str, language_tag: str) -> str:
    """One paragraph without template tokens, invisible characters, emphasis marks, labels or outer quotes."""
    text = _INVISIBLE.sub("", _TOKENS.sub("", text))
    text = _DIRECTIVE.sub("", text)
    text = _EMPHASIS.sub(r"\2", text)
    label = _LABEL.match(text)
    if label and label.group(1).casefold() in {*language(language_tag).labels, *language("en").labels}:
        text = text[label.end() :]
    text = regex.sub(r"\s*\n+\s*", " ", text.strip())
    text = regex.sub(r"[ \t]{2,}", " ", text)
    text = regex.sub(r"([¡¿])\1+", r"\1", text)
    for left, right in (('"', '"'), ("“", "”"), ("«", "»"), ("'", "'"), ("「", "」")):
        inside = text[1:-1]
        if (
            len(text) > 2
            and text[0] == left
            and text[-1] == right
            and left not in inside
            and right not in inside
        ):
            text = inside.strip()
    return text


def whole_sentences(text: str) -> str:
    """`text` without a last sentence that was cut off, if a whole one comes before it."""
    match = list(regex.finditer(r"[.!?。！？؟…][»”\")]*", text))
    return text[: match[-1].end()] if match else text


def first_sentence(text: str) -> str:
    """`text` up to the end of its first sentence; all of it while there is none."""
    end = _SENTENCE_END.search(text)
    return text[: end.end()] if end else text


def questions(text: str) -> list[str]:
    """The questions of a text, in order, without the words before them."""
    return [match.group().strip() for match in _QUESTION.finditer(text)]


def up_to_question(text: str) -> str:
    """`text` up to the end of its last question; all of it when there is none."""
    match = list(regex.finditer(r"[?？؟]+[»”\"')]*", text))
    return text[: match[-1].end()] if match else text


def presentable(text: str, language_tag: str) -> str:
    """A whole reply as it is shown: cut after its last question, and in Spanish with the marks that open one."""
    text = up_to_question(whole_sentences(text))
    return _UNOPENED.sub(r"\1¿\2", text) if primary(language_tag) == "es" else text
