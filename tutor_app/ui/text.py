"""Text from a model, a lesson or a learner, made safe for the screen. It never goes through markup.

clean(text)                -> str      without what would move the cursor or turn the line round
one_line(text, limit)      -> str      cleaned, on one line, cut with an ellipsis
salient(text, form, ...)   -> Content  with the recast form standing out, and not by colour alone
gauge(fraction, width)     -> Content  a bar that reads without colour
words_of(text, known)      -> list     the words of a line, to pick one from
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from textual.content import Content

MARKS = ("«", "»")
MARKS_CHINESE = ("「", "」")
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters but tab and line feed; ESC above all
    "\u202a-\u202e\u2066-\u2069"  # bidirectional embeddings, overrides, isolates: they outlive the text
    "\u2028\u2029\ufeff\ufff9-\ufffb"
    "\ud800-\udfff]"  # lone surrogates cannot be encoded: writing one would end the app
)
_WORD = re.compile(r"[^\W\d_]+(?:[’'\-][^\W\d_]+)*")
_CHINESE = re.compile("[\u3400-\u9fff]")


def clean(text: str) -> str:
    """`text` without control characters and direction overrides; line feeds and tabs stay."""
    return _HIDDEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def one_line(text: str, limit: int = 200) -> str:
    """`text` cleaned, with single spaces, at most `limit` characters."""
    flat = " ".join(clean(text).split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


def plain(text: str) -> Content:
    """`text` as content: nothing in it is a style."""
    return Content(clean(text))


def salient(text: str, form: str | None) -> Content:
    """`text` with each whole-word occurrence of `form` bold, underlined and between marks.

    The marks are left out where the text already has quotation marks there.
    """
    text = clean(text)
    form = clean(form or "").strip()
    if not form:
        return Content(text)
    pieces: list[str | tuple[str, str]] = []
    end = 0
    for match in _occurrences(text, form):
        pieces.append(text[end : match.start()])
        pieces.append((_marked(text, match), "bold underline $text-accent"))
        end = match.end()
    pieces.append(text[end:])
    return Content.assemble(*(piece for piece in pieces if piece))


def _occurrences(text: str, form: str) -> list[re.Match[str]]:
    pattern = r"\s+".join(re.escape(part) for part in form.split())
    if not _CHINESE.search(form):
        pattern = rf"(?<!\w){pattern}(?!\w)"
    return list(re.finditer(pattern, text, re.IGNORECASE))


def _marked(text: str, match: re.Match[str]) -> str:
    word = match.group()
    before, after = text[: match.start()][-1:], text[match.end() :][:1]
    if before and after and before in "«“\"「'‹" and after in "»”\"」'›":
        return word
    opening, closing = MARKS_CHINESE if _CHINESE.search(word) else MARKS
    return f"{opening}{word}{closing}"


def gauge(fraction: float, width: int, style: str = "$primary") -> Content:
    """A bar `width` cells long; the part done has a heavier line as well as another colour."""
    done = round(max(0.0, min(1.0, fraction)) * width)
    return Content.assemble(("━" * done, style), ("─" * (width - done), "$rule"))


def words_of(text: str, known: Sequence[str] = ()) -> list[str]:
    """The words of a line in order, each once; `known` words found in it come first.

    Chinese has no spaces, so there only known words are found, or the characters when there are none.
    """
    text = clean(text)
    found = [word for word in known if word and word in text]
    for run in _WORD.findall(unicodedata.normalize("NFC", text)):
        found.extend(_CHINESE.findall(run) if _CHINESE.search(run) else [run])
    return list(dict.fromkeys(found))
