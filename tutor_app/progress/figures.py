"""How figures are written, for screens, CSV and HTML alike, so that they agree to the digit."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal


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
