"""Plots as inline SVG: they need no library, no network and no script, and grow with the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

SERIES = ("s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7")
"""Classes with a colour each in the page's style sheet; lines also differ by their dashes and end labels."""
DASHES = ("", "6 3", "2 3", "8 3 2 3", "1 2", "10 4", "4 2", "3 6")
WIDTH = 640
ROW = 26


@dataclass(frozen=True)
class Bar:
    """One model's figure: a point and its interval."""

    name: str
    value: float
    low: float
    high: float
    text: str
    series: int


def intervals(bars: Sequence[Bar], label: str, target: float | None, target_text: str, top: float) -> str:
    """A row for each model: the value as a dot, its interval as a line, the target as a broken line."""
    left, right, head = 150, 120, 8
    height = head + ROW * len(bars) + 24
    room = WIDTH - left - right

    def at(value: float) -> float:
        return left + room * max(0.0, min(1.0, value / top if top else 0.0))

    parts = [_open(WIDTH, height, label)]
    parts.append(f'<line class="axis" x1="{left}" y1="{height - 22}" x2="{left + room}" y2="{height - 22}"/>')
    for i, bar in enumerate(bars):
        y = head + ROW * i + ROW / 2
        parts.append(
            f'<text class="name" x="{left - 10}" y="{y + 4:.1f}" text-anchor="end">{escape(_short(bar.name, 20))}</text>'
        )
        parts.append(
            f'<line class="{SERIES[bar.series % 8]} whisker" x1="{at(bar.low):.1f}" y1="{y}" x2="{at(bar.high):.1f}" y2="{y}"/>'
        )
        parts.append(
            f'<circle class="{SERIES[bar.series % 8]} dot" cx="{at(bar.value):.1f}" cy="{y}" r="5"/>'
        )
        parts.append(f'<text class="value" x="{left + room + 10}" y="{y + 4:.1f}">{escape(bar.text)}</text>')
    if target is not None:
        x = at(target)
        parts.append(f'<line class="target" x1="{x:.1f}" y1="2" x2="{x:.1f}" y2="{height - 22}"/>')
        parts.append(
            f'<text class="small" x="{x:.1f}" y="{height - 6}" text-anchor="middle">{escape(target_text)}</text>'
        )
    return "".join(parts) + "</svg>"


@dataclass(frozen=True)
class Line:
    """One curve."""

    name: str
    points: Sequence[tuple[float, float]]
    series: int


def lines(
    curves: Sequence[Line], label: str, x_text: str, y_text: str, x_range: tuple[float, float], y_range: tuple[float, float],
    *, x_mark: float | None = None, y_mark: float | None = None, percent: bool = False, height: int = 300,
) -> str:  # fmt: skip
    """Curves over common axes, each named at its end; `x_mark` and `y_mark` are targets."""
    left, right, top, bottom = 58, 150, 16, 44
    room_x, room_y = WIDTH - left - right, height - top - bottom

    def x(value: float) -> float:
        return left + room_x * (value - x_range[0]) / ((x_range[1] - x_range[0]) or 1)

    def y(value: float) -> float:
        return top + room_y * (1 - (value - y_range[0]) / ((y_range[1] - y_range[0]) or 1))

    parts = [_open(WIDTH, height, label)]
    for step in range(5):
        value = y_range[0] + (y_range[1] - y_range[0]) * step / 4
        parts.append(
            f'<line class="grid" x1="{left}" y1="{y(value):.1f}" x2="{left + room_x}" y2="{y(value):.1f}"/>'
        )
        parts.append(
            f'<text class="small" x="{left - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{_tick(value)}</text>'
        )
        value = x_range[0] + (x_range[1] - x_range[0]) * step / 4
        parts.append(f'<text class="small" x="{x(value):.1f}" y="{height - 26}" text-anchor="middle">{_tick(value * 100) + " %" if percent else _tick(value)}</text>')  # fmt: skip
    parts.append(
        f'<text class="small" x="{left + room_x / 2:.1f}" y="{height - 8}" text-anchor="middle">{escape(x_text)}</text>'
    )
    parts.append(f'<text class="small" x="{left}" y="11">{escape(y_text)}</text>')
    if x_mark is not None and x_range[0] <= x_mark <= x_range[1]:
        parts.append(
            f'<line class="target" x1="{x(x_mark):.1f}" y1="{top}" x2="{x(x_mark):.1f}" y2="{top + room_y}"/>'
        )
    if y_mark is not None and y_range[0] <= y_mark <= y_range[1]:
        parts.append(
            f'<line class="target" x1="{left}" y1="{y(y_mark):.1f}" x2="{left + room_x}" y2="{y(y_mark):.1f}"/>'
        )
    ends = _apart(
        [(y(curve.points[-1][1]), i) for i, curve in enumerate(curves) if curve.points],
        14.0,
        top,
        top + room_y,
    )
    for i, curve in enumerate(curves):
        if not curve.points:
            continue
        path = " ".join(f"{x(px):.1f},{y(py):.1f}" for px, py in curve.points)
        series = SERIES[curve.series % 8]
        parts.append(
            f'<polyline class="{series} curve" stroke-dasharray="{DASHES[curve.series % 8]}" points="{path}"/>'
        )
        parts.append(
            f'<text class="{series} end" x="{left + room_x + 8}" y="{ends[i] + 4:.1f}">{escape(_short(curve.name, 22))}</text>'
        )
    return "".join(parts) + "</svg>"


def _apart(places: list[tuple[float, int]], space: float, low: float, high: float) -> dict[int, float]:
    """Heights of the labels, moved so far apart that none covers another."""
    result: dict[int, float] = {}
    at = low - space
    for wanted, i in sorted(places):
        at = max(wanted, at + space)
        result[i] = at
    over = max(0.0, at - high)
    return {i: place - over for i, place in result.items()}


def _open(width: int, height: int, label: str) -> str:
    return f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(label, quote=True)}">'


def _short(name: str, most: int) -> str:
    return name if len(name) <= most else name[: most - 1] + "…"


def _tick(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 10 else f"{value:.2g}"
