"""Progress, calendar, forms and talks, over a real file of ten weeks, of three years, and an empty one."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from textual.widgets import Input, OptionList

from tests.progress import three_years
from tests.ui import practised
from tests.ui.conftest import driven
from tests.ui.places import (
    Learner,
    at_home,
    at_place,
    beginner,
    learner,
    opened,
    press,
    rows_of,
    settled,
    ten_weeks,
    text_of,
)
from tutor_app.progress.class_files import csv_files
from tutor_app.progress.class_report import class_report
from tutor_app.progress.handin import hand_in
from tutor_app.ui import wording_progress as wording
from tutor_app.ui.place_messages import LinesFound
from tutor_app.ui.places import ORDER
from tutor_app.ui.screens.calendar import CalendarScreen
from tutor_app.ui.screens.forms import FormsScreen
from tutor_app.ui.screens.help import HelpScreen
from tutor_app.ui.screens.home import HomeScreen
from tutor_app.ui.screens.memory import MemoryScreen
from tutor_app.ui.screens.place import PlaceScreen
from tutor_app.ui.screens.progress import ProgressScreen
from tutor_app.ui.screens.talks import TalksScreen
from tutor_app.ui.screens.transcript import TranscriptScreen
from tutor_app.ui.widgets.month_grid import MonthGrid
from tutor_app.ui.widgets.place_bar import PlaceBar

__all__ = ["beginner", "learner", "ten_weeks"]  # fixtures
KINDS = dict(
    zip(ORDER, (ProgressScreen, CalendarScreen, FormsScreen, TalksScreen, MemoryScreen), strict=True)
)
PADDING = 2
"""Cells before the names on the bar."""
HOME_KEYS = {"p": "progress", "c": "calendar", "f": "forms", "slash": "search", "m": "memory"}


async def test_every_screen_has_a_key_at_home_that_help_names_and_escape_goes_back(learner: Learner) -> None:
    async with at_home(learner) as ui:
        await ui.pilot.press("f1")
        await ui.pilot.pause()
        assert isinstance(ui.app.screen, HelpScreen)
        table = ui.app.screen._key_table().plain
        for label in (
            wording.KEY_PLACES,
            wording.KEY_CALENDAR,
            wording.KEY_FORMS,
            wording.KEY_SEARCH,
            wording.KEY_MEMORY,
        ):
            assert label in table
        await ui.pilot.press("escape")
        for key, name in HOME_KEYS.items():
            await press(ui, key)
            assert isinstance(ui.app.screen, KINDS[name])
            await press(ui, "escape")
            assert isinstance(ui.app.screen, HomeScreen)


async def test_the_numbers_and_the_mouse_go_from_one_screen_to_another_and_none_piles_up(
    learner: Learner,
) -> None:
    async with at_place(learner, "progress") as ui:
        for number, kind in ((2, CalendarScreen), (3, FormsScreen), (1, ProgressScreen), (5, MemoryScreen)):
            await press(ui, str(number))
            assert isinstance(ui.app.screen, kind)
        for name in ORDER:
            bar = ui.app.screen.query_one(PlaceBar).render().plain
            await ui.pilot.click(PlaceBar, offset=(PADDING + bar.index(wording.PLACES[name]), 0))
            await settled(ui)
            assert isinstance(ui.app.screen, KINDS[name])
        await press(ui, "escape")
        assert isinstance(ui.app.screen, HomeScreen)


async def test_the_palette_offers_every_screen(learner: Learner) -> None:
    async with at_home(learner) as ui:
        titles = {command.title for command in ui.app.get_system_commands(ui.app.screen)}
        assert {title for title, _ in wording.COMMANDS_PLACES.values()} <= titles


async def test_the_figures_are_those_of_the_csv_to_the_digit(learner: Learner, tmp_path: Path) -> None:
    folder = tmp_path / "class"
    folder.mkdir()
    hand_in(
        learner.store, folder / "ana.handin", set_ids=("es-l2", "ar-l2"), share="results", now=practised.NOW
    )
    files = {
        name: list(csv.DictReader(io.StringIO(text)))
        for name, text in csv_files(class_report(folder)).items()
    }
    row = next(row for row in files["learners.csv"] if row["set"] == "es-l2")
    async with at_place(learner, "progress") as ui:
        await press(ui, "s", "s")
        assert text_of(ui, "#set") == "Spanish from English"
        shown = [line.split("  ") for line in text_of(ui, "#figures").split("\n")]
        figures = {line[0]: " ".join(" ".join(line[1:]).split()) for line in shown}
        assert figures[wording.TIME].startswith(
            f"{row['minutes']} min in {row['sessions']} sessions, {row['turns']} turns"
        )
        assert figures[wording.WORDS].startswith(f"{row['words_known']} of {row['words_met']} ")
        assert figures[wording.FORMS].startswith(f"{row['forms_known']} of {row['forms_met']} ")
        assert figures[wording.ITEMS].startswith(
            f"{row['items_percent']} % {row['items_right']} of {row['items_tried']},"
        )
        assert figures[wording.UPTAKE].startswith(f"{row['uptake_percent']} % ")
        assert figures[wording.REPAIR].startswith(f"{row['repair_percent']} % ")
        assert figures[wording.QUESTIONS].startswith(f"{row['questions']} and {row['hints']} hints")
        assert len(figures) >= 8
        lessons = text_of(ui, "#lessons-rows")
        for lesson in (each for each in files["lessons.csv"] if each["set"] == "es-l2"):
            assert f"{lesson['minutes']} min  {lesson['items_right']}/{lesson['items_met']} right" in lessons
        forms = text_of(ui, "#forms-rows")
        for form in (each for each in files["forms.csv"] if each["set"] == "es-l2"):
            assert f"{form['next_time_percent']} %" in forms
            assert f"{form['right']}/{form['tried']}" in forms
        errors = text_of(ui, "#errors-rows")
        for error in (each for each in files["errors.csv"] if each["set"] == "es-l2"):
            assert f"{error['error'].replace('-', ' ')}  {error['count']}" in errors


async def test_progress_is_of_all_sets_first_and_then_of_each(learner: Learner) -> None:
    async with at_place(learner, "progress") as ui:
        titles = []
        for _ in range(5):
            titles.append(text_of(ui, "#set"))
            await press(ui, "s")
        assert titles == [
            wording.ALL_SETS, "Arabic from English", "Spanish from English", "zh-heritage", wording.ALL_SETS,
        ]  # fmt: skip


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (160, 50)])
async def test_the_plots_fit_and_say_the_same_at_every_size(learner: Learner, size: tuple[int, int]) -> None:
    async with at_place(learner, "progress", size) as ui:
        plot = ui.app.screen.query_one("#minutes-plot")
        assert max(map(len, text_of(ui, "#minutes-plot").split("\n"))) <= plot.content_size.width
        weeks: dict[tuple[int, int], float] = {}
        for day in learner.insight.calendar():
            week = day.day.isocalendar()[:2]
            weeks[week] = weeks.get(week, 0.0) + day.minutes
        assert f"{max(weeks.values()):.1f}" in text_of(ui, "#minutes-note")
        assert text_of(ui, "#minutes-plot").split("\n")[0].startswith(f"{max(weeks.values()):.0f}┤")


async def test_the_streak_is_quiet_and_absent_when_there_is_none(learner: Learner) -> None:
    async with at_place(learner, "progress") as ui:
        shown = text_of(ui, "#figures")
        days = learner.insight.progress().overview.streak_days
        assert days > 1
        assert wording.STREAK.format(days=days) in shown
    with opened(learner.folder, now=practised.NOW + 30 * 86_400) as later:
        async with at_place(later, "progress") as ui:
            assert "row" not in text_of(ui, "#figures"), "a streak that ended is not mentioned"


@pytest.mark.parametrize(
    ("name", "selector", "words"),
    [
        ("progress", "#figures", wording.NOTHING_YET),
        ("calendar", "#day-facts", wording.DAY_EMPTY),
        ("forms", "#name", wording.NO_FORMS),
        ("search", "#count", wording.NO_SESSIONS),
        ("memory", "#note", wording.MEMORY_EMPTY),
    ],
)
@pytest.mark.parametrize("size", [(60, 20), (160, 50)])
async def test_a_beginner_is_told_what_will_be_there(
    beginner: Learner, name: str, selector: str, words: str, size: tuple[int, int]
) -> None:
    async with at_place(beginner, name, size) as ui:
        assert " ".join(text_of(ui, selector).split()) == words
        await press(ui, "enter", "down", "y", "tab", "enter")  # nothing to act on, and nothing happens
        assert isinstance(ui.app.screen, KINDS[name])


async def test_a_refusal_of_the_file_is_said_and_the_app_goes_on() -> None:
    async with driven() as ui:  # a service that has no file
        await ui.home()
        await press(ui, "p")
        assert "There is no file." in [str(notice.message) for notice in ui.app._notifications]
        await press(ui, "escape")
        assert isinstance(ui.app.screen, HomeScreen)


async def test_the_calendar_opens_on_the_latest_day_and_moves_by_day_month_and_mouse(
    learner: Learner,
) -> None:
    latest = max(day.day for day in learner.insight.calendar())
    async with at_place(learner, "calendar") as ui:
        grid = ui.app.screen.query_one(MonthGrid)
        assert grid.chosen == latest
        await press(ui, "left", "up")
        assert grid.chosen == date.fromordinal(latest.toordinal() - 8)
        await press(ui, "t")
        assert grid.chosen == learner.insight.today()
        await press(ui, "pageup")
        assert (grid.chosen.year, grid.chosen.month) == (2026, 10)
        assert "October 2026" in grid.render().plain
        rows = grid.render().plain.split("\n")
        row = next(number for number, line in enumerate(rows) if " 14" in line)
        await ui.pilot.click(MonthGrid, offset=(rows[row].index(" 14") + 2, row))
        await settled(ui)
        assert grid.chosen == date(2026, 10, 14)
        await ui.pilot.click(MonthGrid, offset=(rows[0].index("▸"), 0))
        await settled(ui)
        assert grid.chosen == date(2026, 11, 14)


async def test_a_short_month_takes_the_last_of_a_long_one(learner: Learner) -> None:
    async with at_place(learner, "calendar") as ui:
        grid = ui.app.screen.query_one(MonthGrid)
        grid._choose(date(2026, 10, 31))
        await press(ui, "pagedown")
        assert grid.chosen == date(2026, 11, 30)


async def test_from_a_day_to_its_session_and_back(learner: Learner) -> None:
    async with at_place(learner, "calendar") as ui:
        day = ui.app.screen.query_one(MonthGrid).chosen
        assert day is not None
        lines = learner.insight.sessions_on(day)
        assert lines
        assert len(rows_of(ui, "#sessions")) == len(lines)
        facts = next(one for one in learner.insight.calendar() if one.day == day)
        assert f"{facts.items[0]} of {facts.items[1]}" in text_of(ui, "#day-facts")
        await press(ui, "enter", "enter")
        assert isinstance(ui.app.screen, TranscriptScreen)
        said = learner.insight.transcript(lines[0].id).turns
        assert said[0].text in rows_of(ui, "#lines")[0]
        await press(ui, "escape")
        assert isinstance(ui.app.screen, CalendarScreen)


async def test_a_form_shows_its_attempts_and_the_learners_own_sentences(learner: Learner) -> None:
    forms = learner.insight.forms()
    async with at_place(learner, "forms", (160, 50)) as ui:
        assert [row.split("  ")[-1] for row in rows_of(ui, "#forms")] == [
            learner.insight.form_name(form.set_id, form.form_id) for form in forms
        ]
        place = next(number for number, form in enumerate(forms) if form.form_id == "gustar")
        await press(ui, *["down"] * place)
        form = forms[place]
        assert text_of(ui, "#name") == "gustar (what is pleasing to me)"
        assert f"{form.right} of {form.tried} right" in text_of(ui, "#facts")
        history = learner.insight.form_history("es-l2", "gustar")
        signs = text_of(ui, "#attempts").split("\n")[-1].replace(" ", "")
        assert len(signs) == len(history.points) == form.tried
        assert signs.count("○") == form.tried - form.right
        assert practised.EARLY["gustar"] in text_of(ui, "#before")
        assert practised.LATE["gustar"] in text_of(ui, "#after")


async def test_a_form_met_once_has_a_beginning_and_no_after(learner: Learner) -> None:
    async with at_place(learner, "forms") as ui:
        assert "طَالِب" in text_of(ui, "#before")
        assert text_of(ui, "#after") == wording.AFTER_NONE


@pytest.mark.parametrize(
    ("wanted", "found"),
    [("BIEN", "¡Qué bien!"), ("simpatica", "simpática"), ("طالب", "طَالِب"), ("猫", "一只猫")],
)
async def test_talks_are_searched_in_every_script_without_accents(
    learner: Learner, wanted: str, found: str
) -> None:
    async with at_place(learner, "search") as ui:
        ui.app.screen.query_one(Input).value = wanted
        await settled(ui)
        rows = rows_of(ui, "#lines")
        assert rows
        assert all(found.casefold() in row.casefold() for row in rows)
        assert str(len(rows)) in text_of(ui, "#count")


async def test_a_hit_opens_the_session_at_its_line(learner: Learner) -> None:
    async with at_place(learner, "search") as ui:
        ui.app.screen.query_one(Input).value = "por que se dice"
        await settled(ui)
        await press(ui, "down", "down", "enter")
        assert isinstance(ui.app.screen, TranscriptScreen)
        listed = ui.app.screen.query_one("#lines", OptionList)
        assert listed.highlighted is not None
        assert "¿Por qué se dice así?" in rows_of(ui, "#lines")[listed.highlighted]
        assert listed.highlighted > 0
        await press(ui, "escape")
        assert ui.app.screen.query_one(Input).value == "por que se dice", "the search is still there"


async def test_without_a_word_the_latest_sessions_are_listed_and_nothing_found_is_said(
    learner: Learner,
) -> None:
    async with at_place(learner, "search") as ui:
        rows = rows_of(ui, "#lines")
        assert len(rows) == len(learner.insight.latest_sessions())
        assert wording.FREE_TALK in rows[0]
        ui.app.screen.query_one(Input).value = "nobody said this"
        await settled(ui)
        assert rows_of(ui, "#lines") == []
        assert text_of(ui, "#count") == wording.SEARCH_NONE


async def test_an_answer_that_comes_late_is_not_shown(learner: Learner) -> None:
    async with at_place(learner, "search") as ui:
        ui.app.screen.query_one(Input).value = "bien"
        await settled(ui)
        shown = rows_of(ui, "#lines")
        ui.app.screen.post_message(LinesFound(learner.insight, "bi", (), ()))
        await settled(ui)
        assert rows_of(ui, "#lines") == shown


async def test_a_deleted_session_is_gone_from_the_file_and_the_lists(learner: Learner) -> None:
    session = learner.insight.latest_sessions()[0]
    async with at_place(learner, "search") as ui:
        before = rows_of(ui, "#lines")
        await press(ui, "tab", "enter", "d", "escape")
        assert isinstance(ui.app.screen, TranscriptScreen), "asking is not deleting"
        assert learner.insight.transcript(session.id).turns
        await press(ui, "d", "right", "enter")
        assert isinstance(ui.app.screen, TalksScreen)
        assert rows_of(ui, "#lines") == before[1:]
        assert learner.insight.search("猫") == []


async def test_a_line_of_a_transcript_is_copied_as_it_was_said(
    learner: Learner, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with at_place(learner, "search", arabic_display="visual") as ui:
        copied: list[str] = []
        monkeypatch.setattr(ui.app, "copy_to_clipboard", copied.append)
        await press(ui, "tab", "down", "enter", "y")
        assert copied == ["أَنَا طَالِب فِي الجَامِعَة"], "in reading order, however it is drawn"
        assert copied[0] not in rows_of(ui, "#lines")[0], "and drawn for this terminal"


@pytest.mark.slow
async def test_three_years_of_daily_use_are_shown_whole(tmp_path: Path) -> None:
    learner_id, now = three_years.make(tmp_path)
    with opened(tmp_path, learner_id, now=now) as learner:
        async with at_place(learner, "progress", (160, 50)) as ui:
            assert "43800 turns" in text_of(ui, "#figures")
            await press(ui, "2")
            assert "15.0 min" in text_of(ui, "#day-facts")
            await press(ui, "3")
            tried = learner.insight.forms()[0].tried
            columns = text_of(ui, "#attempts").split("\n")[-2].strip()
            assert len(columns) < tried
            assert "attempts" in text_of(ui, "#attempts").split("\n")[-1]
            await press(ui, "4")
            assert len(rows_of(ui, "#lines")) == 100
            ui.app.screen.query_one(Input).value = "mercado"
            await settled(ui)
            assert len(rows_of(ui, "#lines")) == 50
            await press(ui, "escape", "m")
            rows = rows_of(ui, "#entries")
            assert "3000" in rows[0]
            assert len(rows) == 1 + 100 + 1 + 40
            ui.app.screen.query_one(Input).value = "palabra 7"
            await settled(ui)
            assert "palabra 7" in rows_of(ui, "#entries")[-1]


def test_screens_are_not_read_in_before_they_are_opened() -> None:
    program = "import tutor_app.ui.app, tutor_app.ui.screens.home, sys; print([m for m in sys.modules if 'screens.progress' in m or 'session.insight' in m])"
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "[]"


def test_every_place_is_a_screen_with_help() -> None:
    for name, kind in KINDS.items():
        assert issubclass(kind, PlaceScreen)
        assert name == kind.PLACE
        assert wording.HELP_PLACES.strip() in (kind.HELP or "")
