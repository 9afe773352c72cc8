"""The headline figures as a table for the terminal, and which of them the page shows first."""

from __future__ import annotations

from typing import Any

HEADLINE = (
    "f05", "f05_plain", "changed", "changed_clean", "exact", "f05_calm", "changed_calm", "acted_calm", "flags_calm", "holds_form", "holds_phrase", "one_step_form", "acted", "acted_right", "false_flags", "flags_clean", "correction", "asks", "reveal",
    "words", "gap_kept", "stop", "valid", "elicits",
)  # fmt: skip
"""Kinds of figures, most important first."""


def rows(report: dict[str, Any], kinds: tuple[str, ...] | None = None) -> list[tuple[str, str]]:
    """(kind, group) of every figure that some model has, in the order of `kinds` and then as they were counted."""
    found: dict[tuple[str, str], None] = {}
    for model in report["models"].values():
        for figure in model["figures"].values():
            found[figure["kind"], figure["group"]] = None
    order = list(kinds or report["kinds"])
    return sorted((one for one in found if one[0] in order), key=lambda one: order.index(one[0]))


def value(figure: dict[str, Any] | None, unit: str) -> str:
    """A figure as it is read: 12.3 %, 0.645, 17; a dash when there is none."""
    if figure is None:
        return "–"
    return number(figure["value"], unit)


def number(given: float, unit: str) -> str:
    """One number in its unit."""
    if unit == "share":
        return f"{given * 100:.1f} %"
    return f"{given:.3f}" if abs(given) < 2 else f"{given:.1f}"


def interval(figure: dict[str, Any], unit: str) -> str:
    """The 95 % interval, or nothing for a figure that has none."""
    if figure["low"] == figure["high"] == figure["value"]:
        return ""
    if unit == "share":
        return f"[{figure['low'] * 100:.0f}, {figure['high'] * 100:.0f}]"
    return f"[{number(figure['low'], unit)}, {number(figure['high'], unit)}]"


def target(kind: dict[str, Any]) -> str:
    """What is aimed for, in words."""
    if kind["target"] is None:
        return ""
    sign = "≥" if kind["better"] == "higher" else "≤"
    return f"{sign} {number(kind['target'], kind['unit'])}"


def summary(report: dict[str, Any]) -> str:
    """A table in plain text: a line for each headline figure, a column for each model."""
    names = list(report["models"])
    width = max(20, *(len(name) + 2 for name in names))
    lines = [f"{'':<46}" + "".join(f"{name:>{width}}" for name in names)]
    for kind, group in rows(report, HEADLINE):
        about = report["kinds"][kind]
        cells = []
        for name in names:
            figure = report["models"][name]["figures"].get(f"{kind}@{group}")
            cells.append(
                f"{value(figure, about['unit'])} {interval(figure, about['unit']) if figure else ''}".strip()
            )
        label = f"{about['label'].removeprefix('… ')} ({group})"
        lines.append(f"{label[:45]:<46}" + "".join(f"{cell:>{width}}" for cell in cells))
    if report["cima"]:
        told = ", ".join(f"{one['label']} {one['f1']:.2f}" for one in report["cima"]["labels"])
        lines.append(
            f"\nMoves told by rule against CIMA's people, F1: {told}; macro {report['cima']['macro_f1']:.2f}"
        )
    return "\n".join(lines)
