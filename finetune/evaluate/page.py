"""The report as one HTML page: no script, no outside resource, readable on a phone and without colours."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from finetune.evaluate.page_style import STYLE
from finetune.evaluate.plots import Bar, Line, intervals, lines
from finetune.evaluate.summary import HEADLINE, interval, rows, target, value

PLOTTED = ("f05", "changed", "holds_form", "false_flags", "correction", "asks", "words", "reveal", "stop")
SECTIONS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("Finding what is wrong", "Sentences of writers whom no model was trained on, given back as a native speaker would say them. "
     "Word edits are compared with a teacher's.",
     ("f05", "f05_plain", "precision", "recall", "exact", "changed", "changed_plain", "changed_clean", "acted", "acted_right", "false_flags", "flags_clean", "f05_calm", "changed_calm", "acted_calm", "flags_calm")),
    ("Answering what is wrong", "Replies to those sentences, made as in the app: first the hidden reformulation, then a reply "
     "that begins with the form when there is one.",
     ("holds_form", "holds_phrase", "one_step_form", "recast", "elicits", "recast_elicits", "structure")),
    ("The rules", "Every reply as the model wrote it, before the app mends or replaces it.",
     ("valid", "correction", "rule_reveal", "asks", "rule_length", "rule_language", "rule_vocabulary", "rule_form", "rule_unsafe")),
    ("How it talks", "Lengths and questions of those replies.",
     ("words", "words_p90", "open", "distinct1", "distinct2", "stop")),
    ("Mixing languages, hints, being lost", "Our own sentences in dialect and in mixed language, and questions and items of the lessons, which a trained "
        "model may have met in its training dialogues.",
     ("met", "mixes", "reveal", "shorter", "easier", "readability_gain", "again")),
    ("Drift over a talk", "Levels should stay apart. Higher readability is easier; each talk follows one real essay.",
     ("gap_first", "gap_last", "gap_kept", "slope", "readability")),
    ("What training cost", "Ordinary text of our own in five languages.", ("endings", "perplexity", "bits")),
)  # fmt: skip
"""Heading, what it is about, and the kinds of figures in it."""


def page(report: dict[str, Any]) -> str:
    """The whole page."""
    body = [_head(report), _targets(report), _pictures(report)]
    body += [_section(report, *one) for one in SECTIONS]
    body += [_tags(report), _examples(report), _cima(report), _how(report)]
    title = escape(report["title"])
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{title}</title><style>{STYLE}</style></head><body><main>{''.join(body)}</main></body></html>\n"
    )


def _head(report: dict[str, Any]) -> str:
    held = ", ".join(
        f"{one['sentences']:,} sentences of {one['writers']} {track} writers" for track, one in report["held_back"].items()
    )  # fmt: skip
    models = "".join(
        f"<li><b>{escape(name)}</b>: {escape(' + '.join([one['model'], *one['adapters']]))}, "
        f"{escape(_STYLES[one['style']])}{'; ' + escape(one['note']) if one['note'] else ''}</li>"
        for name, one in report["models"].items()
    )
    kept = f"<p>Kept back from all training: {escape(held)}.</p>" if held else ""
    return (
        f"<header><h1>{escape(report['title'])}</h1><p>Every model is asked the same. Nothing here is judged by another "
        "model: replies pass through the app's own rules, and corrections are compared with teachers'. Intervals hold "
        f"95 % of resamples of whole writers.</p>{kept}<ul>{models}</ul></header>"
    )


_STYLES = {
    "prompted": "told what to do, without examples",
    "few-shot": "with the app's example turns in front",
    "trained": "trained, without examples",
}


def _targets(report: dict[str, Any]) -> str:
    wanted = [
        (kind, group)
        for kind, group in rows(report, HEADLINE)
        if report["kinds"][kind]["target"] is not None and _is_main(kind, group)
    ]
    return (
        f"<section><h2>Against the targets</h2>{_table(report, wanted, with_target=True)}</section>"
        if wanted
        else ""
    )


def _is_main(kind: str, group: str) -> bool:
    """Whether a figure belongs to the first table: talks and varieties are told once, further down in full."""
    if group.startswith("talk"):
        return kind == "words" and group == "talk A1"
    return kind == "false_flags" or not group.startswith(("dialect", "code-switched"))


def _section(report: dict[str, Any], heading: str, about: str, kinds: tuple[str, ...]) -> str:
    wanted = rows(report, kinds)
    plots = _drift(report) if "gap_kept" in kinds else _curves(report) if "f05" in kinds else ""
    if not wanted:
        return ""
    published = _published(report) if "gap_kept" in kinds else ""
    return f"<section><h2>{heading}</h2><p>{about}</p>{plots}{_table(report, wanted)}{published}</section>"


def _table(report: dict[str, Any], wanted: Sequence[tuple[str, str]], *, with_target: bool = False) -> str:
    names = list(report["models"])
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
    aimed = '<th scope="col">Aim</th>' if with_target else ""
    body = []
    for kind, group in wanted:
        about = report["kinds"][kind]
        cells = "".join(
            _cell(report["models"][name]["figures"].get(f"{kind}@{group}"), about) for name in names
        )
        goal = f"<td>{escape(target(about))}</td>" if with_target else ""
        body.append(
            f'<tr><th scope="row" title="{escape(about["help"], quote=True)}">{escape(about["label"])} '
            f"<small>{escape(group)}</small></th>{goal}{cells}</tr>"
        )
    return (
        f'<div class="wide"><table><thead><tr><td></td>{aimed}{head}</tr></thead><tbody>{"".join(body)}</tbody></table></div>'
        f"{_helps(report, [kind for kind, _ in wanted])}"
    )


def _helps(report: dict[str, Any], kinds: Sequence[str]) -> str:
    said = "".join(
        f"<dt>{escape(report['kinds'][kind]['label'].removeprefix('… '))}</dt><dd>{escape(report['kinds'][kind]['help'])}</dd>"
        for kind in dict.fromkeys(kinds)
    )
    return f"<details><summary>What these mean</summary><dl>{said}</dl></details>"


def _cell(figure: dict[str, Any] | None, about: dict[str, Any]) -> str:
    if figure is None:
        return "<td>–</td>"
    mark = {True: '<span class="met">✓ </span>', False: '<span class="missed">✗ </span>', None: ""}[
        figure["met"]
    ]
    apart = figure.get("against_first")
    clear = ""
    if apart is not None and (apart["low"] > 0 or apart["high"] < 0):
        clear = f' <abbr title="differs from the first model by {escape(_signed(apart["value"], about["unit"]))}">*</abbr>'
    return (
        f"<td>{mark}{escape(value(figure, about['unit']))}{clear}"
        f"<small>{escape(interval(figure, about['unit']))} n={figure['n']}</small></td>"
    )


def _signed(given: float, unit: str) -> str:
    return f"{given * 100:+.1f} points" if unit == "share" else f"{given:+.3f}"


def _pictures(report: dict[str, Any]) -> str:
    """A picture for each headline figure, the models in one order and colour throughout."""
    parts = []
    for kind, group in rows(report, PLOTTED):
        about = report["kinds"][kind]
        found = [
            (i, name, one["figures"][f"{kind}@{group}"])
            for i, (name, one) in enumerate(report["models"].items())
            if f"{kind}@{group}" in one["figures"]
        ]
        if group.startswith("reformulation") or not _is_main(kind, group) or not found:
            continue
        bars = [
            Bar(name, one["value"], one["low"], one["high"], value(one, about["unit"]), i) for i, name, one in found
        ]  # fmt: skip
        most = max([bar.high for bar in bars] + [about["target"] or 0.0])
        top = min(1.0, most * 1.15) if about["unit"] == "share" or most <= 1 else most * 1.15
        label = f"{about['label']}, {group}"
        aim = f"aim {target(about)}" if about["target"] is not None else ""
        parts.append(
            f"<figure><figcaption>{escape(label)}</figcaption>{intervals(bars, label, about['target'], aim, top or 1.0)}</figure>"
        )  # fmt: skip
    return (
        f'<section><h2>In pictures</h2><div class="plots">{"".join(parts)}</div></section>' if parts else ""
    )


def _curves(report: dict[str, Any]) -> str:
    """How much is found against how much that was right is touched, as the threshold moves."""
    parts = []
    for track in ("l2", "heritage"):
        curves = []
        for i, (name, one) in enumerate(report["models"].items()):
            points = [
                (point["changed"], point["f05"]) for point in one.get("curve", {}).get(track, [])
                if point["changed"] is not None and point["f05"] is not None
            ]  # fmt: skip
            curves.append(Line(name, points[::-1], i))  # ends, and is named, where every version is believed
        drawn = [point for curve in curves for point in curve.points]
        if not drawn:
            continue
        most = max(0.05, *(x for x, _ in drawn))
        label = f"F0.5 against correct sentences changed, {track}"
        picture = lines(
            curves, label, "correct sentences changed", "F0.5", (0, most), (0, max(0.8, *(y for _, y in drawn))),
            x_mark=0.02, y_mark=0.70, percent=True,
        )  # fmt: skip
        parts.append(f"<figure><figcaption>{label}: each point is a threshold of the likelihood margin; up and to the left is better</figcaption>{picture}</figure>")  # fmt: skip
    return f'<div class="plots">{"".join(parts)}</div>' if parts else ""


def _drift(report: dict[str, Any]) -> str:
    parts = []
    everyone = [*report["models"].items(), *report["published"].items()]
    values = [
        turn["readability"] for _, one in everyone for turns in one.get("turns", {}).values() for turn in turns
        if turn.get("readability") is not None
    ]  # fmt: skip
    for name, one in everyone:
        curves = [
            Line(
                level,
                [
                    (turn["turn"], turn["readability"])
                    for turn in turns
                    if turn.get("readability") is not None
                ],
                i,
            )
            for i, (level, turns) in enumerate(one.get("turns", {}).items())
        ]
        if not any(curve.points for curve in curves):
            continue
        last = max(x for curve in curves for x, _ in curve.points)
        label = f"Readability by turn, {name}"
        picture = lines(
            curves, label, "turn", "readability", (1, last), (min(values), max(values)), height=240
        )
        source = " (published, 7 to 12 B, prompted)" if name in report["published"] else ""
        parts.append(f"<figure><figcaption>{escape(label)}{source}</figcaption>{picture}</figure>")
    return f'<div class="plots">{"".join(parts)}</div>' if parts else ""


def _published(report: dict[str, Any]) -> str:
    if not report["published"]:
        return ""
    wanted = rows({**report, "models": report["published"]}, ("gap_first", "gap_last", "gap_kept", "words"))
    return f"<h3>The same of published tutors</h3>{_table({**report, 'models': report['published']}, wanted)}"


def _tags(report: dict[str, Any]) -> str:
    """Recall by kind of error."""
    parts = []
    for track in ("l2", "heritage"):
        found = {
            name: one["by_tag"][track]
            for name, one in report["models"].items()
            if track in one.get("by_tag", {})
        }
        if not found:
            continue
        head = "".join(f'<th scope="col">{escape(name)}</th>' for name in found)
        tags = list(next(iter(found.values())))
        body = "".join(
            f'<tr><th scope="row">{escape(tag)}</th>' + "".join(f"<td>{one[tag][0]} of {one[tag][1]}</td>" for one in found.values()) + "</tr>"
            for tag in tags
        )  # fmt: skip
        parts.append(
            f'<h3>{track}</h3><div class="wide"><table><thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table></div>'
        )  # fmt: skip
    return f"<section><h2>Errors found, by kind</h2>{''.join(parts)}</section>" if parts else ""


def _examples(report: dict[str, Any]) -> str:
    """Some replies, side by side."""
    parts = []
    for track in ("l2", "heritage"):
        found = {
            name: one["examples"][track]
            for name, one in report["models"].items()
            if track in one.get("examples", {})
        }
        if not found:
            continue
        for i, first in enumerate(next(iter(found.values()))):
            replies = "".join(
                f"<dt>{escape(name)}</dt><dd><bdi>{escape(one[i]['reply']) or '<i>nothing</i>'}</bdi>{_broken(one[i]['broken'])}</dd>"
                for name, one in found.items()
            )  # fmt: skip
            parts.append(
                f'<article><p class="said"><bdi>{escape(first["learner"])}</bdi></p>'
                f"<p><small>{track}; a teacher: <bdi>{escape(first['teacher'])}</bdi></small></p><dl>{replies}</dl></article>"
            )
    return f"<section><h2>What they said</h2><details><summary>{len(parts)} learner sentences and every model's reply</summary>{''.join(parts)}</details></section>" if parts else ""  # fmt: skip


def _broken(rules: list[str]) -> str:
    return f' <small class="missed">breaks: {escape(", ".join(rules))}</small>' if rules else ""


def _cima(report: dict[str, Any]) -> str:
    if not report["cima"]:
        return ""
    body = "".join(
        f'<tr><th scope="row">{one["label"]}</th><td>{one["f1"]:.3f}</td><td>{one["precision"]:.3f}</td><td>{one["recall"]:.3f}</td>'
        f"<td>{one['always']:.3f}</td><td>{one['share'] * 100:.0f} %</td></tr>"
        for one in report["cima"]["labels"]
    )
    return (
        "<section><h2>Are moves told rightly?</h2><p>The rules that tell moves from their surface, against people's labels of "
        f"{report['cima']['replies']:,} tutor replies of CIMA that the rules were not written on. Macro F1 {report['cima']['macro_f1']:.3f}. "
        "“Always” is the F1 of saying it of every reply.</p>"
        '<div class="wide"><table><thead><tr><td></td><th scope="col">F1</th><th scope="col">precision</th><th scope="col">recall</th>'
        f'<th scope="col">always</th><th scope="col">share</th></tr></thead><tbody>{body}</tbody></table></div></section>'
    )


def _how(report: dict[str, Any]) -> str:
    few = min((one["writers"] for one in report["held_back"].values()), default=0)
    warning = (
        f"<li>Only {few} writers of one group are kept back: resampling so few understates how uncertain a figure is.</li>"
        if 0 < few < 20
        else ""
    )
    return (
        "<section><h2>How to read this</h2><ul>"
        "<li>✓ and ✗ compare the figure itself with the aim, whatever its interval.</li>"
        "<li>* marks a figure that differs from the first model's: the interval of the difference, over the same resampled "
        "writers, leaves out zero.</li>"
        "<li>A teacher's correction is one norm among several; sentences whose correction touches dialect or mixed "
        "language are left out.</li>"
        "<li>Shares of 0 % and 100 % have Wilson's interval.</li>"
        f"{warning}</ul><p>Seed {report['seed']}; {report['samples']['bootstrap']:,} resamples.</p></section>"
    )
