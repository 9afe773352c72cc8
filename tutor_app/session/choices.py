"""What of a learner's settings changes how a session goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Feedback = Literal["normal", "less", "more"]
LanguageSupport = Literal["auto", "always", "never"]

FEEDBACK = "feedback"
SUPPORT = "language_support"
DAILY = "daily_reviews"
"""The most reviews a day."""
MOST_DAILY = 60
"""The highest figure that can be chosen for it: some twenty minutes."""
START_LEVEL = "start_level."
"""With a set's id after it: where the placement, or the learner, said to begin. Setting keys, shared with the screens."""


@dataclass(frozen=True)
class Choices:
    """The defaults are those of a learner who never opened the settings."""

    feedback: Feedback = "normal"
    """`less`: in talk only what comes back is echoed; `more`: an echo that passed by is taken up once more."""
    support: LanguageSupport = "auto"
    """Whether English may help: when the level calls for it, always, or never."""


def choices_of(settings: Mapping[str, Any]) -> Choices:
    """The choices in a learner's settings; a value that is unknown here counts as the default."""
    feedback: dict[Any, Feedback] = {"less": "less", "more": "more"}
    support: dict[Any, LanguageSupport] = {"always": "always", "never": "never"}
    return Choices(feedback.get(settings.get(FEEDBACK), "normal"), support.get(settings.get(SUPPORT), "auto"))
