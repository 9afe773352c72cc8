"""The bottom row: the keys of this screen, in the same order whatever has the focus."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

MINOR = frozenset({"meaning", "learners"})
"""Actions whose keys are left out where there is little room; help and the palette still have them."""


class KeyBar(Footer):
    """Textual's footer, without the palette key and with less on a narrow screen."""

    def __init__(self) -> None:
        super().__init__(show_command_palette=False)

    def compose(self) -> ComposeResult:
        for key in super().compose():
            if isinstance(key, FooterKey) and key.action.split("(")[0] in MINOR:
                key.add_class("-minor")
            yield key
