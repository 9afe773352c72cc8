"""Plots made of letters, against what one would draw by hand."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tutor_app.progress.queries import Day, FormPoint
from tutor_app.ui.charts import Column, column_chart, grouped, month_before, monthly, weekly
from tutor_app.ui.found_text import found_line, places

MONDAY = date(2026, 11, 2)


def point(*, correct: bool, hint_level: int = 0, predicted: float = 0.5) -> FormPoint:
    return FormPoint(0.0, predicted, correct, hint_level, None, "")


def test_columns_stand_on_their_scale_with_labels_below() -> None:
    chart = column_chart(
        [Column(2.0, "Oct"), Column(1.0), Column(None, "Nov"), Column(0.0)], 20, 2, ceiling=2.0, top="2"
    )
    assert chart.plain.split("\n") == ["2┤██         ", "0┤██ ██ ·· ▁▁", "  Oct   Nov"]


def test_a_column_is_drawn_to_an_eighth_of_a_row() -> None:
    chart = column_chart([Column(eighth / 8) for eighth in range(1, 9)], 40, 1, ceiling=1.0, top="1", cells=1)
    assert chart.plain.split("\n")[0] == "1┤▁ ▂ ▃ ▄ ▅ ▆ ▇ █"


def test_only_the_latest_columns_are_shown_where_not_all_fit() -> None:
    columns = [Column(1.0, str(number % 10)) for number in range(100)]
    chart = column_chart(columns, 12, 1, ceiling=1.0, top="1")
    assert chart.plain.split("\n") == ["1┤██ ██ ██", "  7  8  9"]


@pytest.mark.parametrize("width", [1, 5, 17, 60, 160])
def test_no_row_is_wider_than_the_room_it_has(width: int) -> None:
    columns = [Column(number / 50, f"Label {number}") for number in range(50)]
    chart = column_chart(columns, width, 4, ceiling=1.0, top="100")
    assert max(map(len, chart.plain.split("\n"))) <= max(width, 6), "a scale and one column always stand"


def test_a_value_over_the_ceiling_and_a_ceiling_of_nothing_are_drawn_too() -> None:
    over = column_chart([Column(9.0)], 8, 1, ceiling=1.0, top="1").plain
    nothing = column_chart([Column(0.0)], 8, 1, ceiling=0.0, top="0").plain
    assert over.startswith("1┤██")
    assert nothing.startswith("0┤▁▁")


def test_weeks_begin_on_monday_and_empty_ones_are_there() -> None:
    days = [
        Day(MONDAY - timedelta(days=1), 5.0, 3, (1, 2)),
        Day(MONDAY + timedelta(days=14), 10.0, 3, (3, 3)),
        Day(MONDAY + timedelta(days=20), 2.5, 3, (0, 1)),
        Day(MONDAY + timedelta(days=21), 99.0, 3, (9, 9)),
    ]
    weeks = weekly(days, today=MONDAY + timedelta(days=16), weeks=4)
    assert [week.begins for week in weeks] == [MONDAY + timedelta(weeks=place) for place in (-1, 0, 1, 2)]
    assert [week.minutes for week in weeks] == [5.0, 0.0, 0.0, 12.5], "next week is not counted"
    assert weeks[-1].items == (3, 4)


def test_months_go_back_over_the_year() -> None:
    days = [Day(date(2025, 12, 31), 7.0, 1, (0, 0)), Day(date(2026, 2, 1), 1.0, 1, (0, 0))]
    found = monthly(days, date(2026, 2, 28), 3)
    assert [(month.begins, month.minutes) for month in found] == [
        (date(2025, 12, 1), 7.0),
        (date(2026, 1, 1), 0.0),
        (date(2026, 2, 1), 1.0),
    ]
    assert month_before(date(2026, 1, 1), 1) == date(2025, 12, 1)
    assert month_before(date(2026, 12, 1), -1) == date(2027, 1, 1)


def test_each_attempt_has_a_sign_of_its_own() -> None:
    alone, helped, missed = point(correct=True), point(correct=True, hint_level=2), point(correct=False)
    assert [group.sign for group in grouped([alone, helped, missed], 10)] == ["●", "◐", "○"]


def test_many_attempts_share_columns_and_none_is_lost() -> None:
    points = [point(correct=number % 3 > 0, predicted=number / 100) for number in range(100)]
    groups = grouped(points, 30)
    assert len(groups) <= 30
    assert sum(group.of for group in groups) == 100
    assert sum(group.right for group in groups) == sum(one.correct for one in points)
    assert groups[0].expected == pytest.approx((0.0 + 0.01 + 0.02 + 0.03) / 4)
    assert grouped([], 30) == []


@pytest.mark.parametrize(
    ("text", "wanted", "shown"),
    [
        ("Nos vemos MAÑANA.", "manana", ["MAÑANA"]),
        ("أَنَا طَالِبٌ هُنَا", "طالب", ["طَالِبٌ "]),
        ("我喜欢猫，你喜欢吗", "喜欢", ["喜欢", "喜欢"]),
        ("Straße", "strasse", ["Straße"]),
        ("ﬁn", "fi", ["ﬁ"]),
        ("nada", "x", []),
        ("nada", "  ", []),
    ],
)
def test_what_was_searched_is_found_in_the_text_as_it_was_written(
    text: str, wanted: str, shown: list[str]
) -> None:
    assert [text[start:end].strip() for start, end in places(text, wanted)] == [
        each.strip() for each in shown
    ]


def test_a_long_line_is_cut_around_what_was_searched() -> None:
    line = found_line("a " * 200 + "tesoro" + " b" * 200, "tesoro")
    assert "tesoro" in line.plain
    assert line.plain.startswith("…")
    assert line.plain.endswith("…")
    assert len(line.plain) < 140
    assert [line.plain[span.start : span.end] for span in line.spans] == ["tesoro"]
