"""How alike two recordings sound, apart from who speaks and how fast. For child processes: it computes a lot.

A recording is compared with two examples by the same voice, one of what should be said and one of what is easily
said instead. Where the examples differ from each other is where listening matters; the rest is the same sentence.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tutor_app.speech.pcm import RATE_HZ

Array = NDArray[np.float64]
HOP = RATE_HZ // 100  # 10 ms
WINDOW = RATE_HZ // 40  # 25 ms
FFT = 512
MELS, CEPSTRA = 40, 13
LOWEST_HZ, HIGHEST_HZ = 80.0, 7600.0
SILENT = 0.01
"""Amplitude below which the ends of a recording are cut off."""
MARGIN = RATE_HZ // 20
PITCH_WINDOW = 1024
PITCH_LOW_HZ, PITCH_HIGH_HZ = 70, 420
VOICED = 0.5
"""Height of the autocorrelation's peak from which a frame has a pitch."""
OCTAVE_SLIP = 9.0
"""Semitones from the median beyond which a pitch is taken for a mistake of the tracker."""
PITCH_MATTERS = 2.0
"""Semitones by which two examples differ where their melody is compared."""
FEWEST_PITCHES = 5


@dataclass(frozen=True)
class Frames:
    """A recording, 100 times a second."""

    timbre: Array
    """Shape [frames, 26]: cepstra and their slopes, each with mean 0 and variance 1 over the recording."""
    pitch: Array
    """Shape [frames]: semitones from the median of the recording; NaN where there is no voice."""


def frames(samples: NDArray[np.float32]) -> Frames | None:
    """What is compared of a recording; None when there is nothing in it."""
    loud = np.flatnonzero(np.abs(samples) > SILENT)
    if not len(loud) or loud[-1] - loud[0] < 4 * WINDOW:
        return None
    sound = samples[max(0, loud[0] - MARGIN) : loud[-1] + MARGIN].astype(np.float64)
    timbre = _timbre(sound)
    return Frames(timbre, _pitch(sound, len(timbre)))


def _mel_filters() -> Array:
    """Shape [mels, bins]."""
    low, high = (2595 * np.log10(1 + hz / 700) for hz in (LOWEST_HZ, HIGHEST_HZ))
    edges = 700 * (10 ** (np.linspace(low, high, MELS + 2) / 2595) - 1)
    bins = np.fft.rfftfreq(FFT, 1 / RATE_HZ)
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    return np.asarray(np.clip(np.minimum(rising, falling), 0, None))


_FILTERS = _mel_filters()
_COSINES = np.cos(np.pi / MELS * (np.arange(MELS) + 0.5)[None] * np.arange(CEPSTRA)[:, None])
_LOUDNESS = np.r_[0.6, np.ones(CEPSTRA - 1)]
"""Loudness counts for less than colour."""


def _timbre(sound: Array) -> Array:
    bright = np.append(sound[0], sound[1:] - 0.97 * sound[:-1])
    windows = np.lib.stride_tricks.sliding_window_view(bright, WINDOW)[::HOP] * np.hanning(WINDOW)
    power = np.abs(np.fft.rfft(windows, FFT)) ** 2
    cepstra = np.log(power @ _FILTERS.T + 1e-6) @ _COSINES.T
    level = _standard(cepstra) * _LOUDNESS
    slope = _standard(np.gradient(level, axis=0))
    return np.hstack([level, 0.5 * slope])


def _standard(values: Array) -> Array:
    return np.asarray((values - values.mean(0)) / (values.std(0) + 1e-3))


def _pitch(sound: Array, count: int) -> Array:
    """Autocorrelation, freed from the window's own (Boersma 1993), in semitones from the median."""
    before = (PITCH_WINDOW - WINDOW) // 2
    padded = np.pad(sound, (before, PITCH_WINDOW))
    windows = np.lib.stride_tricks.sliding_window_view(padded, PITCH_WINDOW)[::HOP][:count]
    windows = windows - windows.mean(1, keepdims=True)
    shape = np.hanning(PITCH_WINDOW)
    own = _autocorrelation(shape[None])
    found = _autocorrelation(windows * shape) / (own + 1e-3)
    low, high = RATE_HZ // PITCH_HIGH_HZ, RATE_HZ // PITCH_LOW_HZ
    # Of equally high peaks the first is the pitch, the others are its octaves.
    lag = (found[:, low:high] - 3e-4 * np.arange(high - low)).argmax(1) + low
    energy = (windows**2).mean(1)
    voiced = (found[np.arange(count), lag] > VOICED) & (energy > 0.02 * np.percentile(energy, 95))
    if not voiced.any():
        return np.full(count, np.nan)
    semitones = np.where(voiced, 12 * np.log2(RATE_HZ / lag / 100.0), np.nan)
    semitones = semitones - np.nanmedian(semitones)
    return np.where(np.abs(semitones) > OCTAVE_SLIP, np.nan, semitones)


def _autocorrelation(windows: Array) -> Array:
    size = 2 * PITCH_WINDOW
    found = np.fft.irfft(np.abs(np.fft.rfft(windows, size)) ** 2)[:, :PITCH_WINDOW]
    return np.asarray(found / (found[:, :1] + 1e-9))


@dataclass(frozen=True)
class Path:
    """The cheapest way to lay one recording over another."""

    pairs: list[tuple[int, int]]
    distances: Array
    """Shape [frames of one, frames of the other]."""
    mean: float
    """Distance along the way, by frame."""


def warp(one: Array, other: Array) -> Path:
    """Dynamic time warping of timbres of shape [frames, 26]."""
    squares = (one**2).sum(1)[:, None] + (other**2).sum(1)[None] - 2 * one @ other.T
    distances = np.sqrt(np.maximum(squares, 0))
    rows, columns = distances.shape
    total = np.full((rows + 1, columns + 1), np.inf)
    total[0, 0] = 0
    # Along the diagonals, so that each is one step for numpy.
    for diagonal in range(2, rows + columns + 1):
        i = np.arange(max(1, diagonal - columns), min(rows, diagonal - 1) + 1)
        j = diagonal - i
        best = np.minimum(np.minimum(total[i - 1, j], total[i, j - 1]), total[i - 1, j - 1])
        total[i, j] = distances[i - 1, j - 1] + best
    i, j = rows, columns
    pairs = []
    while i > 0 and j > 0:
        pairs.append((i - 1, j - 1))
        came = int(np.argmin([total[i - 1, j - 1], total[i - 1, j], total[i, j - 1]]))
        i, j = i - (came != 2), j - (came != 1)
    return Path(pairs[::-1], distances, float(total[rows, columns]) / (rows + columns))


def nearer(sound: Frames, wanted: Frames, other: Frames) -> float:
    """Which example a recording sounds like: about 1 for `wanted`, -1 for `other`, 0 for neither more.

    Two distances count: over the whole, which hears length, and where the examples differ, which hears colour.
    """
    between = warp(wanted.timbre, other.timbre)
    if between.mean < 1e-9:
        return 0.0
    to_wanted, to_other = warp(sound.timbre, wanted.timbre), warp(sound.timbre, other.timbre)
    weights = _where_different(between, len(wanted.timbre), len(other.timbre))
    apart = sum(weights[0][i] * between.distances[i, j] for i, j in between.pairs) / max(
        1e-9, sum(weights[0][i] for i, _ in between.pairs)
    )
    colour = (_weighted(to_other, weights[1]) - _weighted(to_wanted, weights[0])) / max(apart, 1e-9)
    length = (to_other.mean - to_wanted.mean) / between.mean
    return float(colour + 3 * length)


def nearer_melody(sound: Frames, wanted: Frames, other: Frames) -> float | None:
    """The same by pitch alone; None when the examples have hardly a different melody, or no pitch is heard."""
    between = warp(wanted.timbre, other.timbre)
    gaps = np.array([abs(wanted.pitch[i] - other.pitch[j]) for i, j in between.pairs])
    chosen = [pair for pair, gap in zip(between.pairs, gaps, strict=True) if gap > PITCH_MATTERS]
    if len(chosen) < FEWEST_PITCHES:
        return None
    apart = float(np.mean([abs(wanted.pitch[i] - other.pitch[j]) for i, j in chosen]))
    to_wanted = _pitch_gap(sound, wanted, {i for i, _ in chosen})
    to_other = _pitch_gap(sound, other, {j for _, j in chosen})
    if to_wanted is None or to_other is None:
        return None
    return (to_other - to_wanted) / apart


def _pitch_gap(sound: Frames, example: Frames, where: set[int]) -> float | None:
    """Mean semitones between them at those frames of the example."""
    gaps = [
        abs(sound.pitch[i] - example.pitch[j])
        for i, j in warp(sound.timbre, example.timbre).pairs
        if j in where
    ]
    known = [gap for gap in gaps if not np.isnan(gap)]
    return float(np.mean(known)) if len(known) >= FEWEST_PITCHES else None


def _where_different(between: Path, rows: int, columns: int) -> tuple[Array, Array]:
    """How much each frame of two examples counts; each sums to 1."""
    one, other = np.zeros(rows), np.zeros(columns)
    for i, j in between.pairs:
        one[i] = max(one[i], between.distances[i, j])
        other[j] = max(other[j], between.distances[i, j])
    return _peaks(one), _peaks(other)


def _peaks(distances: Array) -> Array:
    smooth = np.convolve(distances, np.ones(5) / 5, "same")
    above = np.clip(smooth - np.median(smooth), 0, None) ** 2
    return np.asarray(above / (above.sum() + 1e-9))


def _weighted(path: Path, weights: Array) -> float:
    """Mean distance along a path, by the weights of the frames of the example."""
    total, count = np.zeros(len(weights)), np.zeros(len(weights))
    for i, j in path.pairs:
        total[j] += path.distances[i, j]
        count[j] += 1
    return float((weights * total / np.maximum(count, 1)).sum())
