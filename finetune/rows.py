"""Rows of the files a trainer has downloaded, one at a time: JSONL (plain or gzip) and Parquet."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from finetune.errors import FinetuneError

SUFFIXES = (".jsonl", ".jsonl.gz", ".json.gz", ".ndjson", ".parquet")
PARQUET_ROWS = 1024
"""Rows of a Parquet file in memory at once."""


def files(paths: list[Path]) -> list[Path]:
    """Every data file in these files and folders, sorted, so that the order of rows never depends on the disk.

    Raises FinetuneError for a path that is not there or holds nothing to read.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(one for one in path.rglob("*") if one.name.endswith(SUFFIXES))
            if not inside:
                raise FinetuneError(f"{path} has no {', '.join(SUFFIXES)} file in it.")
            found += inside
        elif path.is_file():
            found.append(path)
        else:
            raise FinetuneError(
                f"{path} is not there. Download the dataset first, or take it out of the config."
            )
    return found


def rows(paths: list[Path]) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """(file:row, the row), or None for a row that cannot be read. Memory does not grow with the file."""
    for path in files(paths):
        empty = True
        for number, row in enumerate(_parquet(path) if path.suffix == ".parquet" else _lines(path), 1):
            empty = False
            yield f"{path.name}:{number}", row
        if empty:
            raise FinetuneError(f"{path} is empty.")


def _lines(path: Path) -> Iterator[dict[str, Any] | None]:
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
        for line in file:
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                row = None
            yield row if isinstance(row, dict) else None


def _parquet(path: Path) -> Iterator[dict[str, Any] | None]:
    try:
        import pyarrow.parquet as parquet
    except ImportError as error:
        raise FinetuneError(f"{path.name} is Parquet. Run: pip install pyarrow") from error
    for batch in parquet.ParquetFile(path).iter_batches(batch_size=PARQUET_ROWS):
        yield from batch.to_pylist()
