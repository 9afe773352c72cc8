"""What a mixture came to: a table for the terminal and a plot."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from finetune.errors import FinetuneError


def left_out(one: dict[str, Any]) -> dict[str, int]:
    """Why and how often a source's conversations were left out, by its reader and by the mixture."""
    return {**one["tally"]["dropped"], **one["refused"]}


def table(report: dict[str, Any]) -> str:
    """One line a source: asked, reached, tokens, conversations, passes, and what was left out."""
    lines = [f"{'source':<24}{'asked':>8}{'reached':>9}{'tokens':>12}{'talks':>9}{'passes':>8}  left out"]
    for name, one in report["sources"].items():
        left = ", ".join(f"{count} {reason}" for reason, count in sorted(left_out(one).items()))
        lines.append(
            f"{name:<24}{one['asked']:>8.1%}{one['share']:>9.1%}{one['tokens']:>12,}{one['conversations']:>9,}"
            f"{one['passes']:>8}  {left}"
        )
    return "\n".join(lines)


def plot(report: dict[str, Any], path: Path) -> None:
    """Shares asked and reached, and by source what was taken and what was left out, as a PNG."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise FinetuneError("The plot needs matplotlib. Run: pip install linguist-tutor[finetune]") from error
    names = list(report["sources"])
    every = [report["sources"][name] for name in names]
    figure = Figure(figsize=(11, 1.6 + 0.45 * len(names)), layout="constrained")
    shares, counts = figure.subplots(1, 2, sharey=True)
    places = range(len(names))
    shares.barh(
        [p - 0.2 for p in places], [100 * one["asked"] for one in every], 0.38, label="asked", color="0.75"
    )
    shares.barh(
        [p + 0.2 for p in places], [100 * one["share"] for one in every], 0.38, label="reached", color="C0"
    )
    shares.set_yticks(list(places), names)
    shares.invert_yaxis()
    shares.set_xlabel("% of trained tokens")
    shares.legend()
    reasons = sorted({reason for one in every for reason in left_out(one)})
    start = [float(one["conversations"]) for one in every]
    counts.barh(places, start, 0.6, label="taken", color="C0")
    for number, reason in enumerate(reasons, 1):
        sizes = [float(left_out(one).get(reason, 0)) for one in every]
        counts.barh(places, sizes, 0.6, left=start, label=reason, color=f"C{number}")
        start = [a + b for a, b in zip(start, sizes, strict=True)]
    counts.set_xlabel("conversations read")
    counts.legend(fontsize="small")
    part = path.with_name(path.name + ".part")
    figure.savefig(part, format="png", dpi=120)
    os.replace(part, path)
