"""What a heritage learner says in two languages, each part of it in its own.

Whisper reads a sentence in one language. A word of English inside Spanish it writes as it is; a clause it translates,
or leaves out, and nothing shows that it did ("tenía a really bad headache" came out as "tenía una muy buena edad").
So the language of short windows is asked for, a clause of English is cut out where the two languages are furthest
apart, and each part is read by itself. The sentence as one stays when it is the likelier reading.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import regex

from tutor_app.speech.audio import Samples
from tutor_app.speech.pcm import RATE_HZ
from tutor_app.speech.words import Words

WINDOW_S = 1.2
"""Shorter, and the language is guessed; longer, and a clause is lost in what stands beside it."""
HOP_S = 0.4
SURE = 0.8
"""Share of English from which a window is surely English."""
MAYBE = 0.5
"""A window beside a sure one is English from here."""
FEWEST = 3
"""Sure windows in a row that make a clause, about a second of English. Single words are left to the decoder."""
SHORTEST_S = 0.6
"""A part shorter than this is heard together with what is beside it."""
BEGINS_S, ENDS_S = (0.2, 1.5), (0.1, 1.3)
"""Where a clause begins or ends, from the beginning of its first or last window: a window with a third of a second
of English in it already sounds English, and one before the clause sometimes does."""
CONTEXT_S, CLAUSE_S = 2.0, 1.0
"""What is compared on either side of a cut: the learner's language wants more of it than English to be sure."""
FRAME = RATE_HZ // 100
HUSH_FRAMES = 10
"""Loudness is looked at every 10 ms, over 0.1 s."""
PLACES = 4
"""Quiet places that are tried for a cut."""
DOUBTFUL = -0.3
"""Mean log probability of a token below which some of it may be translated or missing: sentences that were had -0.3 to
-0.7, those written as they were said 0 to -0.25."""
ALIKE = 0.5
"""Of cuts that separate the languages equally well, by this much in log odds, the quietest is taken."""
CERTAIN = 0.002
"""No share counts for more than this close to 0 or 1."""

CUT_SHORT = regex.compile(r"\.+(?= \p{Ll})")
"""A full stop that the decoder put where the sound was cut and the sentence goes on."""

Share = Callable[[Samples], float]
"""How likely a sound is English rather than the learner's language, 0 to 1."""
Read = Callable[[Samples, str], Words]
"""The words of a sound, in a language."""


@dataclass(frozen=True)
class Part:
    """Samples from `start` up to `end` in one language."""

    start: int
    end: int
    english: bool


def read_both(sound: Samples, language: str, share: Share, read: Read) -> Words:
    """The words of a piece of sound that has some English in it; `unsure` when no reading of it is likely."""
    as_one = read(sound, language)
    found = parts(sound, share)
    heard = []
    for part in found:
        piece = sound[part.start : part.end]
        words = read(piece, language) if len(found) > 1 else as_one
        if part.english and likelihood([english := read(piece, "en")]) > likelihood([words]):
            words = english
        heard.append(words)
    best = joined(heard) if likelihood(heard) > likelihood([as_one]) else as_one
    return replace(best, unsure=best.avg_logprob < DOUBTFUL)


def likelihood(heard: Sequence[Words]) -> float:
    """Mean log probability of a token over all of them, with the ends."""
    return sum(_total(words) for words in heard) / sum(words.tokens + 1 for words in heard)


def _total(words: Words) -> float:
    return words.avg_logprob * (words.tokens + 1)


def joined(heard: Sequence[Words]) -> Words:
    """Several parts as one; the language is that of the longest."""
    heard = [words for words in heard if words.text] or heard[:1]
    return Words(
        text=CUT_SHORT.sub("", " ".join(words.text for words in heard)),
        language=max(heard, key=lambda words: words.tokens).language,
        avg_logprob=likelihood(heard),
        no_speech_prob=min(words.no_speech_prob for words in heard),
        compression_ratio=max(words.compression_ratio for words in heard),
        tokens=sum(words.tokens for words in heard),
    )


def parts(sound: Samples, share: Share) -> list[Part]:
    """The sound in parts of one language each; one part when it is not mixed."""
    window, hop = int(WINDOW_S * RATE_HZ), int(HOP_S * RATE_HZ)
    shares = [share(sound[at : at + window]) for at in range(0, max(1, len(sound) - window + hop), hop)]
    least = SHORTEST_S * RATE_HZ
    found: list[Part] = []
    at = 0
    for first, last in clauses(shares):
        start, end = at, len(sound)
        if first > 0:
            start = _cut(sound, share, first * HOP_S, BEGINS_S, english_after=True)
        if last + 1 < len(shares):
            end = _cut(sound, share, last * HOP_S, ENDS_S, english_after=False)
        start = start if start - at > least else at
        end = end if len(sound) - end > least else len(sound)
        if end - start < least:
            continue
        found += [Part(at, start, english=False)] if start > at else []
        found.append(Part(start, end, english=True))
        at = end
    return [*found, Part(at, len(sound), english=False)] if at < len(sound) else found


def clauses(shares: Sequence[float]) -> list[tuple[int, int]]:
    """First and last window of each stretch of English that is long enough."""
    found: list[tuple[int, int]] = []
    at = 0
    while at < len(shares):
        end = at
        while end < len(shares) and shares[end] >= MAYBE:
            end += 1
        if sum(share >= SURE for share in shares[at:end]) >= min(FEWEST, len(shares)):
            found.append((at, end - 1))
        at = max(end, at + 1)
    return found


def _cut(
    sound: Samples, share: Share, window_s: float, where_s: tuple[float, float], *, english_after: bool
) -> int:
    """The quiet place on whose two sides the languages are furthest apart."""
    low, high = (int(np.clip((window_s + each) * RATE_HZ, 0, len(sound))) for each in where_s)
    before, after = (
        int(each * RATE_HZ) for each in ((CONTEXT_S, CLAUSE_S) if english_after else (CLAUSE_S, CONTEXT_S))
    )
    tried: list[tuple[float, int]] = []
    for place in quiet_places(sound, low, high):
        rise = _odds(share(sound[place : place + after])) - _odds(
            share(sound[max(0, place - before) : place])
        )
        tried.append((rise if english_after else -rise, place))
    best = max((apart for apart, _ in tried), default=0.0)
    return next((place for apart, place in tried if apart >= best - ALIKE), low)


def _odds(share: float) -> float:
    """Log odds, which tell 0.99 from 0.9 as well as 0.01 from 0.1."""
    share = min(1 - CERTAIN, max(CERTAIN, share))
    return math.log(share / (1 - share))


def quiet_places(sound: Samples, low: int, high: int) -> list[int]:
    """Up to `PLACES` samples from `low` up to `high` that are quieter than what is around them, the quietest first."""
    count = len(sound) // FRAME
    power = np.square(sound[: count * FRAME], dtype=np.float64).reshape(count, FRAME).mean(1)
    power = np.convolve(power, np.ones(HUSH_FRAMES) / HUSH_FRAMES, "same")
    inside = range(low // FRAME, min(count, high // FRAME))
    lowest = [
        at for at in inside if power[at] <= power[max(0, at - HUSH_FRAMES) : at + HUSH_FRAMES + 1].min()
    ]
    found: list[int] = []
    for place in sorted(lowest, key=lambda at: power[at]):
        if all(abs(place - other) > HUSH_FRAMES for other in found):
            found.append(place)
    return [place * FRAME for place in found[:PLACES]]
