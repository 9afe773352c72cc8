"""Our own themes: calm dark, warm light, high contrast, and the terminal's own colours.

Contrast is tested: body text has at least 7:1, quiet text 4.5:1, and high contrast 10:1 and 7:1.
"""

from __future__ import annotations

from dataclasses import replace

from textual.theme import BUILTIN_THEMES, Theme


def _scrollbars(track: str, bar: str, held: str) -> dict[str, str]:
    tracks = ("scrollbar-background", "scrollbar-background-hover", "scrollbar-background-active")
    return {
        **dict.fromkeys((*tracks, "scrollbar-corner-color"), track),
        "scrollbar": bar,
        "scrollbar-hover": held,
        "scrollbar-active": held,
    }


_DARK = Theme(
    name="linguist-dark",
    primary="#8ab8d4",
    secondary="#a9c08a",
    accent="#e8b873",
    warning="#e8b873",
    error="#e59080",
    success="#a9c08a",
    foreground="#dfe3e8",
    background="#15191f",
    surface="#1c222a",
    panel="#232b35",
    dark=True,
    text_alpha=1.0,
    variables={
        "border": "#8ab8d4",
        "border-blurred": "#3d4855",
        "block-cursor-background": "#2b3d4f",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-text-style": "bold",
        "block-cursor-blurred-background": "#28323d",
        "block-cursor-blurred-foreground": "#dfe3e8",
        "footer-background": "#1c222a",
        "footer-key-foreground": "#e8b873",
        "footer-description-foreground": "#b9c2cc",
        "input-selection-background": "#8ab8d4 35%",
        "text-quiet": "#a3adb8",
        "rule": "#3d4855",
        **_scrollbars("#15191f", "#3d4855", "#8ab8d4"),
    },
)
_LIGHT = Theme(
    name="linguist-light",
    primary="#1d5f7a",
    secondary="#46692a",
    accent="#8a4b00",
    warning="#8a4b00",
    error="#a32f22",
    success="#3d6422",
    foreground="#23272b",
    background="#fbf8f1",
    surface="#f4efe4",
    panel="#ece5d6",
    dark=False,
    text_alpha=1.0,
    variables={
        "border": "#1d5f7a",
        "border-blurred": "#c9bfa9",
        "block-cursor-background": "#cfe0e6",
        "block-cursor-foreground": "#10222b",
        "block-cursor-text-style": "bold",
        "block-cursor-blurred-background": "#e6ddca",
        "block-cursor-blurred-foreground": "#23272b",
        "footer-background": "#f0e9da",
        "footer-key-foreground": "#8a4b00",
        "footer-description-foreground": "#4a4f55",
        "input-selection-background": "#1d5f7a 25%",
        "text-quiet": "#5b6067",
        "rule": "#c9bfa9",
        **_scrollbars("#fbf8f1", "#c9bfa9", "#1d5f7a"),
    },
)
_CONTRAST = Theme(
    name="linguist-contrast",
    primary="#7fdfff",
    secondary="#b6ff9e",
    accent="#ffe14d",
    warning="#ffe14d",
    error="#ffb3a6",
    success="#b6ff9e",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#101010",
    dark=True,
    text_alpha=1.0,
    variables={
        "border": "#ffffff",
        "border-blurred": "#9a9a9a",
        "block-cursor-background": "#1d4a86",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-text-style": "bold",
        "block-cursor-blurred-background": "#3a3a3a",
        "block-cursor-blurred-foreground": "#ffffff",
        "footer-background": "#000000",
        "footer-key-foreground": "#ffe14d",
        "footer-description-foreground": "#ffffff",
        "input-selection-background": "#7fdfff 50%",
        "text-quiet": "#d0d0d0",
        "rule": "#9a9a9a",
        **_scrollbars("#000000", "#9a9a9a", "#ffffff"),
    },
)


def _terminal(name: str, base: Theme) -> Theme:
    """Sixteen colours that only the terminal knows: so what is chosen is bold and underlined."""
    chosen = {
        "block-cursor-foreground": "ansi_default",
        "block-cursor-background": "ansi_default",
        "block-cursor-text-style": "bold underline",
    }
    return replace(base, name=name, variables={**base.variables, **chosen})


THEMES = (
    _DARK,
    _LIGHT,
    _CONTRAST,
    _terminal("linguist-ansi-dark", BUILTIN_THEMES["ansi-dark"]),
    _terminal("linguist-ansi-light", BUILTIN_THEMES["ansi-light"]),
)


def variable_defaults(theme: Theme) -> dict[str, str]:
    """Our own variables for a theme that is not ours, such as the terminal's own colours."""
    if theme.ansi:
        return {"text-quiet": "ansi_default", "rule": "ansi_bright_black"}
    quiet = theme.foreground or ("#c8c8c8" if theme.dark else "#404040")
    return {"text-quiet": quiet, "rule": theme.primary}
