"""Divergence against file size as an SVG drawing, a line a language, filled marks with an importance matrix."""

from __future__ import annotations

import math
from typing import Any

WIDTH, HEIGHT, LEFT, BOTTOM = 720, 420, 70, 64
MARKS = ("circle", "square", "triangle", "diamond", "cross")
"""A shape for each language, so that colour is never the only difference."""
COLOURS = ("#1b6ca8", "#b5482a", "#2f7d4f", "#7a4fa3", "#8a6d1b")


def mark(shape: str, x: float, y: float, colour: str, filled: bool) -> str:
    """One point."""
    style = f'fill="{colour if filled else "white"}" stroke="{colour}" stroke-width="1.5"'
    if shape == "circle":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" {style}/>'
    if shape == "square":
        return f'<rect x="{x - 4.5:.1f}" y="{y - 4.5:.1f}" width="9" height="9" {style}/>'
    corners = {
        "triangle": ((0, -6), (6, 5), (-6, 5)),
        "diamond": ((0, -6), (6, 0), (0, 6), (-6, 0)),
        "cross": ((-5, -2), (-2, -2), (-2, -5), (2, -5), (2, -2), (5, -2), (5, 2), (2, 2), (2, 5), (-2, 5), (-2, 2), (-5, 2)),
    }[shape]  # fmt: skip
    points = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in corners)
    return f'<polygon points="{points}" {style}/>'


def draw(rows: list[dict[str, Any]]) -> str:
    """The rows of `quantize_quality` as a drawing: gigabytes to the right, divergence (logarithmic) upwards."""
    languages = sorted({language for row in rows for language in row["languages"]})
    values = [max(row["languages"][name]["mean_kl"], 1e-7) for row in rows for name in row["languages"]]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)) + 1e-9)
    sizes = [row["gb"] for row in rows]
    smallest, largest = min(sizes) * 0.95, max(sizes) * 1.02

    def x_of(gigabytes: float) -> float:
        return LEFT + (gigabytes - smallest) / (largest - smallest) * (WIDTH - LEFT - 110)

    def y_of(divergence: float) -> float:
        share = (math.log10(max(divergence, 1e-7)) - low) / max(high - low, 1)
        return HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - 30)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
        "<title>Divergence from F16 by file size</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{LEFT}" y="18">KL divergence from F16, nats a token (filled: with importance matrix)</text>',
        f'<text x="{WIDTH / 2:.0f}" y="{HEIGHT - 8}">file, GB</text>',
    ]
    for power in range(low, high + 1):
        y = y_of(10.0**power)
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - 110}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">10^{power}</text>')
    named = {row["type"]: row["gb"] for row in rows}
    for index, (name, size) in enumerate(sorted(named.items(), key=lambda one: one[1])):
        # In two lines by turns: the smallest type and the base with adapters have nearly one size.
        y = HEIGHT - BOTTOM + 16 + 14 * (index % 2)
        parts.append(f'<text x="{x_of(size):.1f}" y="{y}" text-anchor="middle">{name}</text>')
    for index, language in enumerate(languages):
        shape, colour = MARKS[index % len(MARKS)], COLOURS[index % len(COLOURS)]
        for row in rows:
            divergence = row["languages"][language]["mean_kl"]
            parts.append(mark(shape, x_of(row["gb"]), y_of(divergence), colour, row["imatrix"]))
        y = 50 + 22 * index
        parts.append(mark(shape, WIDTH - 80, y, colour, True))
        parts.append(f'<text x="{WIDTH - 66}" y="{y + 4}">{language}</text>')
    return "\n".join([*parts, "</svg>", ""])
