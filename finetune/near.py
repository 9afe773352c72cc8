"""Near-duplicates: texts that share most of their runs of words, found in memory of fixed size.

MinHash by `rensa` (https://github.com/beowolx/rensa); of each signature the bands go into one Bloom filter
(`pybloomfiltermmap3`), as in LSHBloom (arXiv 2411.04257): how much memory it takes follows from how many texts are
expected, not from how many were read.
"""

from __future__ import annotations

from collections.abc import Iterator

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
FALSE_ALARM = 1e-8
"""How often one band of a new text is taken for a known one."""
SEED = 1
HASH_SEEDS = [(0x9E3779B1 * (i + 1)) & 0xFFFFFFFF for i in range(27)]
"""Of the filter, which would draw them itself; 27 = log2(1 / FALSE_ALARM), rounded up."""
_UNIT = regex.compile(r"\p{Han}|[\p{L}\p{M}\p{N}]+")


def runs(text: str) -> list[str]:
    """The overlapping runs of words of a text; a text shorter than one run is one run."""
    units = _UNIT.findall(text.casefold())
    return [" ".join(units[i : i + RUN]) for i in range(max(1, len(units) - RUN + 1))]


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
        self._rows = rows_of_a_band(similarity)
        bands = PERMUTATIONS // self._rows
        self._filter = BloomFilter(max(expected, 1000) * bands, FALSE_ALARM, None, hash_seeds=HASH_SEEDS)

    def holds(self, one: Sketch) -> bool:
        """Whether a text like this one was added."""
        return any(band in self._filter for band in self._bands(one))

    def add(self, one: Sketch) -> bool:
        """Keep the text; True when one like it was there already."""
        known = self.holds(one)
        if not known:
            self._filter.update(self._bands(one))
        return known

    def _bands(self, one: Sketch) -> Iterator[bytes]:
        for start in range(0, PERMUTATIONS, self._rows):
            yield bytes([start]) + one[start : start + self._rows].tobytes()
