"""Key sequences that Textual 8.2.8 does not know.

Without the kitty protocol a terminal sends Alt+Enter as ESC CR, which Textual reads as a plain Enter: a learner
who wants a new line would send half a thought instead. Terminals set up for Shift+Enter send one of the others.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, cast

from textual._ansi_sequences import ANSI_SEQUENCES_KEYS


class _Extra(StrEnum):
    ALT_ENTER = "alt+enter"
    SHIFT_ENTER = "shift+enter"


_SEQUENCES = {
    "\x1b\r": _Extra.ALT_ENTER,
    "\x1b[13;3u": _Extra.ALT_ENTER,
    "\x1b[13;2u": _Extra.SHIFT_ENTER,
    "\x1b[27;2;13~": _Extra.SHIFT_ENTER,
    "\x1b[27;3;13~": _Extra.ALT_ENTER,
}


def teach_new_line_keys() -> None:
    """Make Textual's parser report Alt+Enter and Shift+Enter as what they are. Harmless when repeated."""
    known = cast("dict[str, Any]", ANSI_SEQUENCES_KEYS)
    for sequence, key in _SEQUENCES.items():
        known.setdefault(sequence, (key,))
