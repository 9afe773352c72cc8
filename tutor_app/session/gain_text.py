"""A gain from one check to the next in two sentences, for screens and lines alike."""

from __future__ import annotations

from tutor_app.progress.outcomes import Gain

COUNTS = "Before: {before} of {before_of}. Now: {after} of {after_of}."
SURE = "That is {gain} points of a hundred more; with so few tasks, somewhere between {low} and {high}."
UNSURE = "The difference is {gain} points of a hundred, and so few tasks cannot tell it from none ({low} to {high})."


def gain_lines(gain: Gain) -> list[str]:
    """The counts, and the difference with its 95 % interval in points of a hundred."""
    counts = COUNTS.format(
        before=gain.pre[0], before_of=gain.pre[1], after=gain.post[0], after_of=gain.post[1]
    )
    said = SURE if gain.low > 0 else UNSURE
    return [
        counts,
        said.format(gain=round(100 * gain.value), low=round(100 * gain.low), high=round(100 * gain.high)),
    ]
