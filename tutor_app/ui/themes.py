"""Our own themes: calm dark, warm light, and high contrast. The terminal's own colours come with Textual.

Contrast is tested: body text has at least 7:1, quiet text 4.5:1, and high contrast 10:1 and 7:1.
"""

from __future__ import annotations

from textual.theme import Theme

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
        "block-cursor-background": "#33475a",
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
        "block-cursor-background": "#ffe14d",
        "block-cursor-foreground": "#000000",
        "block-cursor-text-style": "bold",
        "block-cursor-blurred-background": "#3a3a3a",
        "block-cursor-blurred-foreground": "#ffffff",
        "footer-background": "#000000",
        "footer-key-foreground": "#ffe14d",
        "footer-description-foreground": "#ffffff",
        "input-selection-background": "#7fdfff 50%",
        "text-quiet": "#d0d0d0",
        "rule": "#9a9a9a",
    },
)
THEMES = (_DARK, _LIGHT, _CONTRAST)


def variable_defaults(theme: Theme) -> dict[str, str]:
    """Our own variables for a theme that is not ours, such as the terminal's own colours."""
    if theme.ansi:
        return {"text-quiet": "ansi_default", "rule": "ansi_bright_black"}
    quiet = theme.foreground or ("#c8c8c8" if theme.dark else "#404040")
    return {"text-quiet": quiet, "rule": theme.primary}
