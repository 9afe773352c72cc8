"""Near-duplicates: texts that share most of their runs of words, found in memory of fixed size.

MinHash by `rensa` (https://github.com/beowolx/rensa); of each signature the bands go into one Bloom filter
(`pybloomfiltermmap3`), as in LSHBloom (arXiv 2411.04257): how much memory it takes follows from how many texts are
expected, not from how many were read.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import regex
from pybloomfilter import BloomFilter
from rensa import RMinHash

Sketch = npt.NDArray[np.uint32]
"""The MinHash of a text. Shape: [PERMUTATIONS]."""

RUN = 5
"""Words, or Chinese characters, of one run."""
PERMUTATIONS = 64
"""Jaccard similarity is estimated to within about 1/sqrt(64) = 0.125."""
VALUE_BYTES = 4
"""Of one value of a sketch."""
FALSE_ALARM = 1e-8
"""How often one band of a new text is taken for a known one."""
SEED = 1
HASH_SEEDS = [(0x9E3779B1 * (i + 1)) & 0xFFFFFFFF for i in range(27)]
"""Of the filter, which would draw them itself; 27 = log2(1 / FALSE_ALARM), rounded up."""
_UNIT = regex.compile(r"\p{Han}|[\p{L}\p{M}\p{N}]+")
_ASCII = {i: chr(i) if chr(i).isalnum() else " " for i in range(128)}


def units(text: str) -> list[str]:
    """The words, or Chinese characters, of a text, without case and punctuation."""
    folded = text.casefold()
    # The same for ASCII, in a tenth of the time; what comes by the million is mostly English.
    return folded.translate(_ASCII).split() if folded.isascii() else _UNIT.findall(folded)


def runs(text: str) -> list[str]:
    """The overlapping runs of words of a text; a text shorter than one run is one run."""
    found = units(text)
    if len(found) < RUN:
        return [" ".join(found)]
    return list(map(" ".join, zip(*(found[i:] for i in range(RUN)), strict=False)))


def sketch(text: str) -> Sketch:
    """The MinHash of a text's runs; the same in every process."""
    made = RMinHash(PERMUTATIONS, SEED)
    made.update(runs(text))
    return np.array(made.digest(), dtype=np.uint32)


def rows_of_a_band(similarity: float) -> int:
    """Values in a band, so that two texts of this similarity share a band about as often as not.

    With b bands of r values that happens at a similarity of about (1/b)^(1/r) (Leskovec et al., Mining of Massive
    Datasets, 3.4.2).
    """
    choices = [rows for rows in range(1, PERMUTATIONS + 1) if PERMUTATIONS % rows == 0]
    return min(choices, key=lambda rows: abs((rows / PERMUTATIONS) ** (1 / rows) - similarity))


class Seen:
    """Texts met so far."""

    def __init__(self, similarity: float, expected: int) -> None:
        """`similarity`: Jaccard similarity of runs from which two texts count as the same. `expected`: how many texts."""
        rows = rows_of_a_band(similarity)
        bands = PERMUTATIONS // rows
        self._cuts = [
            (bytes([start]), start * VALUE_BYTES, (start + rows) * VALUE_BYTES)
            for start in range(0, PERMUTATIONS, rows)
        ]
        self._filter = BloomFilter(max(expected, 1000) * bands, FALSE_ALARM, None, hash_seeds=HASH_SEEDS)

    def holds(self, one: Sketch) -> bool:
        """Whether a text like this one was added."""
        return self._any(self._bands(one))

    def add(self, one: Sketch) -> bool:
        """Keep the text; True when one like it was there already."""
        bands = self._bands(one)
        known = self._any(bands)
        if not known:
            self._filter.update(bands)
        return known

    def _any(self, bands: list[bytes]) -> bool:
        return any(map(self._filter.__contains__, bands))

    def _bands(self, one: Sketch) -> list[bytes]:
        values = one.tobytes()
        return [place + values[start:end] for place, start, end in self._cuts]


class Names:
    """Names met so far; one in a hundred million is taken for known when it is not."""

    def __init__(self, expected: int) -> None:
        """`expected`: how many names."""
        self._filter = BloomFilter(max(expected, 1000), FALSE_ALARM, None, hash_seeds=HASH_SEEDS)

    def add(self, name: bytes) -> None:
        """Keep it."""
        self._filter.add(name)

    def __contains__(self, name: bytes) -> bool:
        return name in self._filter
