"""Forms: how each one went over time, with the learner's own sentences from the beginning and from now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Container, VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tutor_app.progress import figures
from tutor_app.ui import wording_progress as wording
from tutor_app.ui.charts import Column, column_chart, grouped
from tutor_app.ui.dates import date_of
from tutor_app.ui.place_messages import FormsFound, HistoryFound
from tutor_app.ui.screens.place import PlaceScreen
from tutor_app.ui.text import one_line, plain
from tutor_app.ui.widgets.plot import Plot
from tutor_app.ui.widgets.words import Words, arabic_mode, drawn_line

if TYPE_CHECKING:
    from tutor_app.progress.queries import FormPoint
    from tutor_app.progress.records import FormKnowledge
    from tutor_app.session.insight import Insight

PLOT_ROWS = 4
EDGE_CELLS = 4
"""What the scale of the plot takes: "100" and its line."""
LIST_BAR_CELLS = 6


class FormsScreen(PlaceScreen):
    """The list, and the history of the form that is highlighted in it."""

    PLACE = "forms"
    HELP = wording.HELP_FORMS
    CSS_PATH: ClassVar[list[str]] = ["place.tcss", "forms.tcss"]  # type: ignore[assignment]
    AUTO_FOCUS = "#forms"

    def __init__(self) -> None:
        super().__init__()
        self._forms: Sequence[FormKnowledge] = ()
        self._insight: Insight | None = None

    def between(self) -> ComposeResult:
        with Container(id="halves"):
            yield OptionList(id="forms", markup=False, compact=True)
            with VerticalScroll(id="history", classes="page"):
                yield Words(Content(wording.LOOKING), leftward=False, id="name", classes="title")
                yield Words(Content(""), leftward=False, id="facts")
                yield Static(Content(wording.ATTEMPTS_TITLE), classes="title part")
                yield Plot(id="attempts", classes="part")
                yield Static(Content(wording.ATTEMPTS_LEGEND), classes="quiet part")
                yield Static(Content(wording.BEFORE), classes="title part")
                yield Words(Content(""), id="before", classes="part")
                yield Static(Content(wording.AFTER), classes="title part")
                yield Words(Content(""), id="after", classes="part")

    def on_mount(self) -> None:
        self.find_forms()

    @work(thread=True, exit_on_error=False, exclusive=True, group="place")
    def find_forms(self) -> None:
        """Ask for the forms."""
        found = self.ask(lambda insight: insight.forms())
        if found is not None:
            self.post_message(FormsFound(*found))

    @on(FormsFound)
    def _forms_found(self, message: FormsFound) -> None:
        from tutor_app.ui.progress_text import form_row

        self._insight, self._forms = message.insight, message.forms
        listed = self.query_one("#forms", OptionList)
        listed.clear_options()
        self.set_class(not message.forms, "-empty")
        if not message.forms:
            self.query_one("#name", Static).update(Content(wording.NO_FORMS))
            return
        mode = arabic_mode(self.app)
        for form in message.forms:
            row = form_row(form, message.insight.form_name(form.set_id, form.form_id), LIST_BAR_CELLS)
            listed.add_option(Option(drawn_line(row, mode, leftward=False)))
        listed.highlighted = 0

    @on(OptionList.OptionHighlighted, "#forms")
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        if event.option_index < len(self._forms):
            self.find_history(self._forms[event.option_index])

    @on(OptionList.OptionSelected, "#forms")
    def _selected(self) -> None:
        self.query_one("#history").focus()

    @work(thread=True, exit_on_error=False, exclusive=True, group="history")
    def find_history(self, form: FormKnowledge) -> None:
        """Ask for the attempts at a form."""
        found = self.ask(lambda insight: insight.form_history(form.set_id, form.form_id))
        if found is not None:
            self.post_message(HistoryFound(form, found[1]))

    @on(HistoryFound)
    def _history_found(self, message: HistoryFound) -> None:
        form, history = message.form, message.history
        place = self.query_one("#forms", OptionList).highlighted
        if self._insight is None or place is None or self._forms[place] != form:
            return
        name = self._insight.form_name(form.set_id, form.form_id)
        self.query_one("#name", Static).update(Content(one_line(name, 100)))
        self.query_one("#facts", Static).update(Content(_facts(form)))
        self.query_one("#attempts", Plot).show(lambda width: attempts_plot(history.points, width))
        self.query_one("#before", Static).update(_sentences(history.before))
        after = (
            _sentences(history.after) if history.after else Content(wording.AFTER_NONE).stylize("$text-quiet")
        )
        self.query_one("#after", Static).update(after)
        self.query_one("#history").scroll_home(animate=False)


def _facts(form: FormKnowledge) -> str:
    lines = [
        wording.FORM_FACTS.format(
            right=form.right, tried=form.tried, percent=figures.probability(form.probability),
            date=date_of(form.last_at),
        )
    ]  # fmt: skip
    if form.uptake[1]:
        lines.append(
            wording.FORM_ECHOES.format(
                taken=form.uptake[0],
                taken_of=form.uptake[1],
                repaired=form.repair[0],
                repaired_of=form.repair[1],
            )
        )
    return "\n".join(lines)


def _sentences(given: Sequence[str]) -> Content:
    return Content("\n").join(plain(f"“{one_line(text, 300)}”") for text in given)


def attempts_plot(points: Sequence[FormPoint], width: int) -> Content:
    """How sure the app was of each attempt, with a sign below for what came of it."""
    cells, gap = (2, 1) if 3 * len(points) <= width - EDGE_CELLS else (1, 0)
    groups = grouped(points, (width - EDGE_CELLS) // (cells + gap))
    chart = column_chart(
        [Column(group.expected) for group in groups],
        width,
        PLOT_ROWS,
        ceiling=1.0,
        top="100",
        cells=cells,
        gap=gap,
    ).split("\n")
    signs = Content((" " * gap).join(group.sign.ljust(cells) for group in groups))
    rows = [*chart[:-1], Content.assemble(" " * EDGE_CELLS, signs)]
    if groups and groups[0].of > 1:
        rows.append(Content(wording.ATTEMPTS_GROUPED.format(count=groups[0].of)).stylize("$text-quiet"))
    return Content("\n").join(rows)
