"""Where the files that ship with the program are."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def asset(*parts: str) -> Path:
    """Path below `assets/`, in a source checkout or in an installed wheel (where it lies in the package)."""
    for root in (_PACKAGE.parent / "assets", _PACKAGE / "assets"):
        path = root.joinpath(*parts)
        if path.exists():
            return path
    return _PACKAGE.parent / "assets" / Path(*parts)
