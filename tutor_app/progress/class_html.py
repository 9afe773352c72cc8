"""A class report as one HTML file: no script, no outside resource, readable on a phone and by a screen reader.

Every chart is drawn from a table that stands below it, so nothing is told by the picture alone.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from html import escape
from statistics import median

from tutor_app.progress.class_files import learner_figures
from tutor_app.progress.class_report import ClassReport, LearnerLine, SetReport
from tutor_app.progress.class_style import STYLE
from tutor_app.progress.figures import percent, probability, rounded
from tutor_app.progress.knowledge import MASTERED

DIFFICULTIES = 5
"""Forms and errors named at the top as what the class finds hard."""

_LEARNER_TABLE = (
    ("minutes", "Minutes"),
    ("sessions", "Sessions"),
    ("questions", "Questions asked"),
    ("hints", "Hints"),
    ("items_percent", "Items right (%)"),
    ("words_known", "Words known"),
    ("forms_known", "Forms known"),
    ("uptake_percent", "Uptake (%)"),
    ("repair_percent", "Repair (%)"),
)


def page(report: ClassReport, made_at: float, titles: dict[str, dict[str, str]] | None = None) -> str:
    """The whole page. `titles`: set id → names for the ids of the set, its lessons and forms; else ids are shown."""
    names = titles or {}
    day = datetime.fromtimestamp(made_at, UTC).strftime("%d %B %Y")
    body = "".join(_set(one, names.get(one.set_id, {})) for one in report.sets)
    remarks = "".join(f"<li>{escape(remark)}</li>" for remark in report.remarks)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>Class report, {day}</title><style>{STYLE}</style></head><body><main>"
        f"<h1>Class report</h1><p>{_count(report.learners, 'learner')} handed in; made on {day}. It shows "
        "what they agreed to share and nothing else. Figures are those of the learners' own screens.</p>"
        + (f"<section><h2>Please note</h2><ul>{remarks}</ul></section>" if remarks else "")
        + f"{body}</main></body></html>\n"
    )


def _set(report: SetReport, names: dict[str, str]) -> str:
    return (
        f"<section><h2>{_name(report.set_id, names)}</h2>{_glance(report, names)}"
        f"{_learners(report)}{_lessons(report, names)}{_forms(report, names)}{_errors(report, names)}"
        f"{_details(report, names)}</section>"
    )


def _glance(report: SetReport, names: dict[str, str]) -> str:
    items = (
        sum(line.overview.items[0] for line in report.learners),
        sum(line.overview.items[1] for line in report.learners),
    )
    middle = median(line.overview.minutes for line in report.learners)
    facts = [
        f"<li><b>{_count(len(report.learners), 'learner')}</b></li>",
        f"<li><b>{rounded(middle, 0)}</b> minutes on task (median)</li>",
        f"<li><b>{percent(items) or '–'} %</b> of items right at the first try or after one hint</li>",
    ]
    if report.gain:
        gain = report.gain
        facts.append(
            f"<li>Gain from pre- to post-check: <b>{_points(gain.value)}</b> points (95 % interval "
            f"{_points(gain.low)} to {_points(gain.high)}; {gain.learners} learners)</li>"
        )
    hard = [_name(form, names) for form, _, _ in _form_totals(report)[:DIFFICULTIES]]
    common = [_name(tag, names) for tag, _, _ in _error_totals(report)[:DIFFICULTIES]]
    lines = f"<p>Hardest forms: {', '.join(hard)}.</p>" if hard else ""
    lines += f"<p>Most frequent errors: {', '.join(common)}.</p>" if common else ""
    return f"<h3>At a glance</h3><ul class=facts>{''.join(facts)}</ul>{lines}"


def _learners(report: SetReport) -> str:
    figures = [(line, learner_figures(line)) for line in report.learners]
    chart = _bars("Items right, by learner", [(line.name, line.overview.items) for line in report.learners])
    head = "".join(f'<th scope="col" class=n>{label}</th>' for _, label in _LEARNER_TABLE)
    rows = "".join(
        f'<tr><th scope="row">{escape(line.name)}</th>'
        + "".join(f"<td class=n>{own[key] or '–'}</td>" for key, _ in _LEARNER_TABLE)
        + "</tr>"
        for line, own in figures
    )
    return f"<h3>Learners</h3>{chart}{_table('Learners', f'<th scope=col>Learner</th>{head}', rows)}"


def _lessons(report: SetReport, names: dict[str, str]) -> str:
    totals: dict[str, list[int]] = {}
    for line in report.learners:
        for lesson in line.lessons:
            total = totals.setdefault(lesson.lesson_id, [0, 0, 0, 0])
            for place, value in enumerate((*lesson.items, 1, int(lesson.finished))):
                total[place] += value
    chart = _bars(
        "Items right, by lesson",
        [(_plain(key, names), (one[0], one[1])) for key, one in sorted(totals.items())],
    )
    rows = "".join(
        f'<tr><th scope="row">{_name(key, names)}</th><td class=n>{one[2]}</td><td class=n>{one[3]}</td>'
        f"<td class=n>{percent((one[0], one[1])) or '–'}</td></tr>"
        for key, one in sorted(totals.items())
    )
    head = "<th scope=col>Lesson</th><th scope=col class=n>Began</th><th scope=col class=n>Finished</th>"
    return f"<h3>Lessons</h3>{chart}{_table('Lessons', head + '<th scope=col class=n>Items right (%)</th>', rows)}"


def _forms(report: SetReport, names: dict[str, str]) -> str:
    totals = _form_totals(report)
    chart = _bars(
        "Right answers, by form, hardest first", [(_plain(form, names), share) for form, share, _ in totals]
    )
    rows = "".join(
        f'<tr><th scope="row">{_name(form, names)}</th><td class=n>{share[0]}</td><td class=n>{share[1]}</td>'
        f"<td class=n>{percent(share)}</td><td class=n>{known[0]} of {known[1]}</td></tr>"
        for form, share, known in totals
    )
    head = (
        "<th scope=col>Form</th><th scope=col class=n>Right</th><th scope=col class=n>Tried</th>"
        "<th scope=col class=n>Right (%)</th><th scope=col class=n>Learners who know it</th>"
    )
    note = f"<p>Known: the estimated chance of getting it right next time is at least {probability(MASTERED)} %.</p>"
    return f"<h3>Forms</h3>{chart}{_table('Forms, hardest first', head, rows)}{note}"


def _errors(report: SetReport, names: dict[str, str]) -> str:
    totals = _error_totals(report)
    if not totals:
        return ""
    rows = "".join(
        f'<tr><th scope="row">{_name(tag, names)}</th><td class=n>{count}</td><td class=n>{learners}</td></tr>'
        for tag, count, learners in totals
    )
    head = (
        "<th scope=col>Kind of error</th><th scope=col class=n>Times</th><th scope=col class=n>Learners</th>"
    )
    return f"<h3>Errors</h3>{_table('Errors, most frequent first', head, rows)}"


def _details(report: SetReport, names: dict[str, str]) -> str:
    return "<h3>Each learner</h3>" + "".join(_detail(line, names) for line in report.learners)


def _detail(line: LearnerLine, names: dict[str, str]) -> str:
    forms = "".join(
        f'<tr><th scope="row">{_name(form.form_id, names)}</th><td class=n>{form.right} of {form.tried}</td>'
        f"<td class=n>{probability(form.probability)}</td></tr>"
        for form in sorted(line.forms, key=lambda form: form.probability)
    )
    errors = ", ".join(f"{_name(error.tag, names)} ({error.count})" for error in line.errors) or "none noted"
    gain = ""
    if line.gain:
        gain = (
            f"<p>Pre-check {line.gain.pre[0]} of {line.gain.pre[1]}, post-check {line.gain.post[0]} of "
            f"{line.gain.post[1]}: {_points(line.gain.value)} points (95 % interval {_points(line.gain.low)} to "
            f"{_points(line.gain.high)}).</p>"
        )
    head = "<th scope=col>Form</th><th scope=col class=n>Right</th><th scope=col class=n>Next time (%)</th>"
    return (
        f"<details><summary>{escape(line.name)}</summary>{gain}<p>Errors: {errors}.</p>"
        f"{_table(f'Forms of {escape(line.name)}', head, forms)}</details>"
    )


def _form_totals(report: SetReport) -> list[tuple[str, tuple[int, int], tuple[int, int]]]:
    """(form, (right, tried), (learners who know it, learners who tried)), hardest first."""
    right: Counter[str] = Counter()
    tried: Counter[str] = Counter()
    known: Counter[str] = Counter()
    met: Counter[str] = Counter()
    for line in report.learners:
        for form in line.forms:
            right[form.form_id] += form.right
            tried[form.form_id] += form.tried
            known[form.form_id] += form.probability >= MASTERED
            met[form.form_id] += 1
    order = sorted(tried, key=lambda form: (right[form] / tried[form], form))
    return [(form, (right[form], tried[form]), (known[form], met[form])) for form in order]


def _error_totals(report: SetReport) -> list[tuple[str, int, int]]:
    """(tag, times, learners), most frequent first."""
    times: Counter[str] = Counter()
    learners: Counter[str] = Counter()
    for line in report.learners:
        for error in line.errors:
            times[error.tag] += error.count
            learners[error.tag] += 1
    return [(tag, times[tag], learners[tag]) for tag in sorted(times, key=lambda tag: (-times[tag], tag))]


def _bars(title: str, values: list[tuple[str, tuple[int, int]]]) -> str:
    """Horizontal bars of shares. The picture is hidden from screen readers: the table below says the same."""
    rows = []
    for place, (label, share) in enumerate(values):
        y, width = place * 26, 0.0 if not share[1] else 100 * share[0] / share[1]
        rows.append(
            f'<text x="0" y="{y + 17}">{escape(_short(label))}</text>'
            f'<rect class=track x="150" y="{y + 4}" width="200" height="18"/>'
            f'<rect class=bar x="150" y="{y + 4}" width="{2 * width:.1f}" height="18"/>'
            f'<text x="356" y="{y + 17}">{percent(share) + " %" if share[1] else "–"}</text>'
        )
    height = 26 * len(values)
    return (
        f"<figure><figcaption>{escape(title)} (%)</figcaption>"
        f'<svg viewBox="0 0 400 {height}" aria-hidden="true">{"".join(rows)}</svg></figure>'
    )


def _table(caption: str, head: str, rows: str) -> str:
    return (
        f'<div class=scroll tabindex="0" role="region" aria-label="{caption}"><table><caption>{caption}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _short(label: str) -> str:
    return label if len(label) <= 20 else label[:19] + "…"


def _plain(key: str, names: dict[str, str]) -> str:
    return names.get(key, key)


def _name(key: str, names: dict[str, str]) -> str:
    return escape(names.get(key, key))


def _points(value: float) -> str:
    return ("+" if value > 0 else "") + rounded(100 * value, 0)


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
