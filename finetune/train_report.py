"""What a run leaves to look at: one JSON line an update, a plot, and a manifest once it is done."""

from __future__ import annotations

import datetime
import importlib.metadata
import json
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

METRICS = "metrics.jsonl"
TOOLS = ("linguist-tutor", "torch", "transformers", "trl", "peft", "accelerate")


class Metrics:
    """metrics.jsonl: `step`, `seconds`, and `loss`, `rate`, `grad_norm`, `tokens` or `held_out_loss`."""

    def __init__(self, folder: Path, resumed_at: int, *, writes: bool = True) -> None:
        """Keeps the lines up to the update that is taken up again; later ones will be written anew.

        Of several processes one `writes`; the others only read what came before.
        """
        self.path = folder / METRICS
        self.rows = [row for row in _read(self.path) if row["step"] <= resumed_at]
        if writes:
            write_text(self.path, "".join(json.dumps(row) + "\n" for row in self.rows))

    @property
    def seconds(self) -> float:
        """Of training, up to the last line."""
        return float(self.rows[-1]["seconds"]) if self.rows else 0.0

    @property
    def tokens(self) -> int:
        """Computed, up to the last line."""
        return int(max((row.get("tokens", 0) for row in self.rows), default=0))

    def add(self, row: dict[str, Any]) -> None:
        """On the disk at once, so that a kill loses nothing."""
        self.rows.append(row)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")

    def series(self, key: str) -> tuple[list[int], list[float]]:
        """Updates and values of one figure."""
        found = [(int(row["step"]), float(row[key])) for row in self.rows if key in row]
        return [step for step, _ in found], [value for _, value in found]


def _read(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        return []
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            rows.append(json.loads(line))
        except ValueError:
            break  # the line that a kill cut short
    return rows


def write_text(path: Path, text: str) -> None:
    """Replace a file whole."""
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)


def plot(metrics: Metrics, title: str, path: Path) -> None:
    """Loss and learning rate over the updates, as PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    steps, losses = metrics.series("loss")
    upper.plot(steps, losses, color="0.8", linewidth=1, label="each update")
    upper.plot(steps, _smooth(losses), color="tab:blue", label="mean of the last 10")
    held = metrics.series("held_out_loss")
    upper.plot(*held, color="tab:orange", marker="o", markersize=3, label="held-out conversations")
    upper.set_ylabel("loss, nats a trained token")
    upper.legend(frameon=False)
    upper.set_title(title)
    lower.plot(*metrics.series("rate"), color="tab:green")
    lower.set_ylabel("learning rate")
    lower.set_xlabel("updates")
    figure.savefig(path, dpi=120)


def _smooth(values: Sequence[float], window: int = 10) -> list[float]:
    means = []
    for end in range(1, len(values) + 1):
        last = values[max(0, end - window) : end]
        means.append(sum(last) / len(last))
    return means


def tool_versions() -> dict[str, str]:
    """Installed versions of what shapes the weights."""
    versions = {"python": platform.python_version()}
    for tool in TOOLS:
        try:
            versions[tool] = importlib.metadata.version(tool)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def now() -> str:
    """UTC, ISO 8601."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
