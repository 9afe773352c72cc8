"""How figures are written, for screens, CSV and HTML alike, so that they agree to the digit."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tutor_app.progress.outcomes import Gain
    from tutor_app.progress.queries import Overview


def overview_figures(seen: Overview) -> dict[str, str]:
    """The figures of one learner by column name: what the progress screen, the CSV and the class page write."""
    return {
        "minutes": minutes(seen.minutes),
        "sessions": str(seen.sessions),
        "turns": str(seen.turns),
        "questions": str(seen.questions),
        "hints": str(seen.hints),
        "items_right": str(seen.items[0]),
        "items_tried": str(seen.items[1]),
        "items_percent": percent(seen.items),
        "words_known": str(seen.words_known),
        "words_met": str(seen.words_met),
        "forms_known": str(seen.forms_known),
        "forms_met": str(seen.forms_met),
        "uptake_percent": percent(seen.uptake),
        "repair_percent": percent(seen.repair),
    }


def gain_figures(gain: Gain | None) -> dict[str, str]:
    """A gain with its interval, two decimals each; empty when there is none."""
    values = (gain.value, gain.low, gain.high) if gain else None
    return {
        name: rounded(values[place], 2) if values else ""
        for place, name in enumerate(("gain", "gain_low", "gain_high"))
    }


def percent(share: tuple[int, int]) -> str:
    """`"83"` for (5, 6); empty when there was nothing to count."""
    right, of = share
    return rounded(100 * right / of, 0) if of else ""


def probability(value: float) -> str:
    """A probability as whole per cent."""
    return rounded(100 * value, 0)


def minutes(value: float) -> str:
    """Minutes to one decimal."""
    return rounded(value, 1)


def rounded(value: float, places: int) -> str:
    """Half goes up, as people expect; Python's own rounding goes to even."""
    return str(Decimal(repr(value)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP) + 0)  # + 0: no "-0"
