"""Progress: what the learner did and what stays with them, in figures and plots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tutor_app.progress import figures
from tutor_app.progress.queries import local_day
from tutor_app.ui import wording_progress as wording
from tutor_app.ui.charts import Column, Week, column_chart, weekly
from tutor_app.ui.place_messages import ProgressFound
from tutor_app.ui.screens.place import PlaceScreen
from tutor_app.ui.text import one_line
from tutor_app.ui.widgets.plot import Plot
from tutor_app.ui.widgets.words import Words

if TYPE_CHECKING:
    from tutor_app.session.insight import Insight, Progress

WEEKS = 52
"""As far back as the plots go; fewer where there is less room."""
PLOT_ROWS, TALL_PLOT_ROWS = 5, 9
TALL = 40
"""Rows of a terminal that has room for taller plots."""


class ProgressScreen(PlaceScreen):
    """Figures of one set or of all; the plots are of weeks."""

    PLACE = "progress"
    HELP = wording.HELP_PROGRESS
    CSS_PATH: ClassVar[list[str]] = ["place.tcss", "progress.tcss"]  # type: ignore[assignment]
    AUTO_FOCUS = "#page"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "other_set", wording.KEY_SET, id="progress.set"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._set_id: str | None = None
        self._set_ids: Sequence[str] = ()

    def between(self) -> ComposeResult:
        with VerticalScroll(id="page", classes="page"):
            yield Words(Content(wording.LOOKING), leftward=False, id="set", classes="title")
            yield Plot(id="figures")
            with Container(id="plots"):
                yield from self._section(
                    "minutes", wording.MINUTES_TITLE, Plot(id="minutes-plot"), wording.LOOKING
                )
                yield from self._section(
                    "right", wording.RIGHT_TITLE, Plot(id="right-plot"), wording.RIGHT_NOTE
                )
            with Container(id="tables"):
                yield from self._section(
                    "forms", wording.FORMS_TITLE, Words(Content(""), leftward=False, id="forms-rows")
                )
                yield from self._section(
                    "lessons", wording.LESSONS_TITLE, Words(Content(""), leftward=False, id="lessons-rows")
                )
                yield from self._section("errors", wording.ERRORS_TITLE, Words(Content(""), id="errors-rows"))
                yield from self._section("moves", wording.MOVES_TITLE, Words(Content(""), id="moves-rows"))

    def _section(self, name: str, title: str, body: Static, note: str = "") -> ComposeResult:
        with Vertical(id=name, classes="section"):
            yield Static(Content(title), classes="title")
            yield body
            if note:
                yield Static(Content(note), id=f"{name}-note", classes="quiet")

    def on_mount(self) -> None:
        self.find_progress()

    @work(thread=True, exit_on_error=False, exclusive=True, group="place")
    def find_progress(self) -> None:
        """Ask for the figures."""
        set_id = self._set_id
        found = self.ask(lambda insight: (insight.progress(set_id), insight.set_ids()))
        if found is not None:
            insight, (progress, set_ids) = found
            self.post_message(ProgressFound(insight, progress, set_ids))

    @on(ProgressFound)
    def _found(self, message: ProgressFound) -> None:
        insight, progress = message.insight, message.progress
        if progress.set_id != self._set_id:
            return
        self._set_ids = message.set_ids
        self.query_one("#set", Static).update(Content(self._title(insight, progress)))
        empty = not progress.overview.sessions
        self.set_class(empty, "-empty")
        if empty:
            self.query_one("#figures", Plot).show(
                lambda width: Content("\n").join(Content(wording.NOTHING_YET).wrap(width))
            )
            return
        self._show_plots(progress)
        self._show_tables(insight, progress)
        self.refresh_bindings()

    def _title(self, insight: Insight, progress: Progress) -> str:
        if progress.set_id is None:
            return wording.ALL_SETS
        return one_line(insight.set_name(progress.set_id).title, 80)

    def _show_plots(self, progress: Progress) -> None:
        weeks = weekly(progress.days, local_day(progress.now), WEEKS)
        begun = next((place for place, week in enumerate(weeks) if week.minutes), 0)
        weeks = weeks[min(begun, len(weeks) - 8) :]
        most = max(max(week.minutes for week in weeks), 1.0)
        self.query_one("#minutes-plot", Plot).show(
            lambda width: column_chart(
                [Column(week.minutes or None, label) for week, label in zip(weeks, _labels(weeks), strict=True)],
                width, self._plot_rows(), ceiling=most, top=figures.rounded(most, 0),
            )
        )  # fmt: skip
        note = wording.MINUTES_NOTE.format(
            this=figures.minutes(weeks[-1].minutes), most=figures.minutes(most)
        )
        self.query_one("#minutes-note", Static).update(Content(note))
        self.query_one("#right-plot", Plot).show(
            lambda width: column_chart(
                [
                    Column(week.items[0] / week.items[1] if week.items[1] else None, label)
                    for week, label in zip(weeks, _labels(weeks), strict=True)
                ],
                width, self._plot_rows(), ceiling=1.0, top="100", style="$secondary",
            )
        )  # fmt: skip

    def _plot_rows(self) -> int:
        return TALL_PLOT_ROWS if self.size.height >= TALL else PLOT_ROWS

    def _show_tables(self, insight: Insight, progress: Progress) -> None:
        from tutor_app.ui.progress_text import error_rows, figure_table, form_rows, lesson_rows, move_rows

        self.query_one("#figures", Plot).show(lambda width: figure_table(progress, width))
        tables = {
            "forms": form_rows(progress.forms, insight),
            "lessons": lesson_rows(progress, insight),
            "errors": error_rows(progress.errors),
            "moves": move_rows(progress.moves),
        }
        for name, rows in tables.items():
            self.query_one(f"#{name}").display = bool(rows)
            self.query_one(f"#{name}-rows", Static).update(Content("\n").join(rows))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return len(self._set_ids) > 1 if action == "other_set" else True

    def action_other_set(self) -> None:
        """All sets, then one after the other."""
        choices = [None, *self._set_ids]
        self._set_id = choices[(choices.index(self._set_id) + 1) % len(choices)]
        self.find_progress()


def _labels(weeks: Sequence[Week]) -> list[str]:
    """The month at its first whole week."""
    return [wording.MONTHS[week.begins.month - 1][:3] if week.begins.day <= 7 else "" for week in weeks]
