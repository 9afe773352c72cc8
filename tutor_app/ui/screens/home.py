"""Home: go on where one was, the lessons with their progress, free talk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tutor_app.session.events import ModelState
from tutor_app.ui import preferences, wording, wording_path, wording_progress
from tutor_app.ui.home_text import (
    about_lesson,
    about_review,
    about_talk,
    due_words,
    lesson_prompt,
    review_words,
    short_title,
)
from tutor_app.ui.messages import SetsFound
from tutor_app.ui.places import show_place
from tutor_app.ui.service import REVIEW, LessonOverview, SetOverview
from tutor_app.ui.text import one_line
from tutor_app.ui.widgets.key_bar import KeyBar
from tutor_app.ui.widgets.status_bar import StatusBar
from tutor_app.ui.widgets.words import Words, arabic_mode, drawn_line

if TYPE_CHECKING:
    from tutor_app.ui.app import TutorApp


LEVELS = tuple(wording_path.LEVEL_NAMES)


@dataclass(frozen=True)
class Way:
    """Something Enter can open."""

    overview: SetOverview
    lesson: LessonOverview | None
    review: bool = False
    """What is due in the set, with `lesson` None."""
    why: str = ""
    """Why it is offered first."""

    @property
    def lesson_id(self) -> str | None:
        """As `start_lesson` wants it; None for free talk."""
        return REVIEW if self.review else self.lesson.id if self.lesson else None


class HomeScreen(Screen[None]):
    """What there is to do; the first line is always the next sensible thing."""

    HELP = f"{wording.HELP_HOME}\n{wording_progress.HELP_HOME}"
    CSS_PATH = "home.tcss"
    AUTO_FOCUS = "#ways"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "talk", wording.KEY_TALK, id="home.talk"),
        Binding("r", "review", wording_path.KEY_REVIEW, id="home.review"),
        Binding("h", "hand_in", wording_path.KEY_HAND_IN, show=False, id="home.hand-in"),
        Binding("p", "place('progress')", wording_progress.KEY_PLACES, id="home.progress"),
        Binding("c", "place('calendar')", wording_progress.KEY_CALENDAR, show=False, id="home.calendar"),
        Binding("f", "place('forms')", wording_progress.KEY_FORMS, show=False, id="home.forms"),
        Binding("slash", "place('search')", wording_progress.KEY_SEARCH, show=False, id="home.search"),
        Binding("m", "place('memory')", wording_progress.KEY_MEMORY, show=False, id="home.memory"),
        Binding("l", "learners", wording.KEY_LEARNERS, id="home.learners"),
        Binding("q", "app.quit", wording.KEY_QUIT, id="home.quit"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._ways: list[Way | None] = []

    @property
    def tutor(self) -> TutorApp:
        return cast("TutorApp", self.app)

    def compose(self) -> ComposeResult:
        yield StatusBar(wording.APP)
        yield Words(Content(""), id="greeting")
        yield Static(Content(""), id="due")
        with Horizontal(id="panes"):
            yield OptionList(id="ways", markup=False, compact=True)
            with VerticalScroll(id="about", can_focus=False):
                yield Words(Content(wording.HOME_LOADING), leftward=False, id="about-text")
        yield KeyBar()

    def on_mount(self) -> None:
        self.watch(self.app, "model_state", self._show_model)

    def on_screen_resume(self) -> None:
        self._greet()
        self.find_sets()

    @work(thread=True, exit_on_error=False, exclusive=True, group="sets")
    def find_sets(self) -> None:
        """Look the lessons up: they and the progress are on disk."""
        sets = self.tutor.attempt(self.tutor.service.sets)
        if sets is not None:
            self.post_message(SetsFound(sets))

    @on(SetsFound)
    def _sets_found(self, message: SetsFound) -> None:
        ways = self.query_one("#ways", OptionList)
        before = self._chosen_key(ways.highlighted)
        self._ways = []
        ways.clear_options()
        self._add_next(ways, message.sets)
        for overview in message.sets:
            self._add_set(ways, overview)
        self._show_due(message.sets)
        if not self._ways:
            self.query_one("#about-text", Static).update(Content(wording.NO_LESSONS))
            return
        keys = [self._chosen_key(index) for index in range(len(self._ways))]
        ways.highlighted = keys.index(before) if before in keys and before is not None else 0

    def _add_next(self, ways: OptionList, sets: Sequence[SetOverview]) -> None:
        """The one thing to do next: what was left open latest, else the first lesson that is not done."""
        found = next_way(sets)
        if found is None or found.lesson is None:
            return
        words = wording.CONTINUE if found.lesson.open_session else wording.BEGIN_WITH
        title = words.format(title=short_title(found.lesson.title)[0])
        self._add(ways, Content.assemble(("▸ ", "bold $accent"), (title, "bold")), found)

    def _add_set(self, ways: OptionList, overview: SetOverview) -> None:
        self._ways.append(None)
        title = drawn_line(Content(one_line(overview.title, 80)), arabic_mode(self.app))
        ways.add_option(Option(Content("\n") + title.stylize("bold $primary"), disabled=True))
        for lesson in overview.lessons:
            self._add(ways, lesson_prompt(lesson, self._compact()), Way(overview, lesson))
        if overview.review_items:
            words = review_words(overview.review_items)
            self._add(ways, Content.assemble(("↻ ", "$accent"), words), Way(overview, None, review=True))
        talk = wording.FREE_TALK.format(language=one_line(overview.language_name, 40))
        self._add(ways, Content.assemble(("◇ ", "$accent"), talk), Way(overview, None))

    def _add(self, ways: OptionList, prompt: Content, way: Way) -> None:
        self._ways.append(way)
        mode = arabic_mode(self.app)
        lines = prompt.split("\n", allow_blank=True)
        ways.add_option(Option(Content("\n").join(drawn_line(line, mode, leftward=False) for line in lines)))

    def _chosen_key(self, index: int | None) -> tuple[int, str, str] | None:
        way = self._ways[index] if index is not None and index < len(self._ways) else None
        if way is None:
            return None
        first = 0 if index == 0 else 1
        return first, way.overview.id, way.lesson_id or ""

    def _compact(self) -> bool:
        return preferences.DENSITY.of(self.tutor.settings) == "compact" or self.has_class("-short")

    def _greet(self) -> None:
        learner = self.tutor.learner
        if learner is None:
            return
        language = str(self.tutor.settings.get(preferences.LANGUAGE, "")).split("-")[0]
        greeting = wording.GREETINGS.get(language, wording.GREETING)
        self.query_one("#greeting", Static).update(Content(greeting.format(name=one_line(learner.name, 40))))

    def _show_due(self, sets: Sequence[SetOverview]) -> None:
        mine = {overview.language: overview for overview in sets}.values()  # what is due is one of a language
        due, waiting = sum(one.due for one in mine), sum(one.waiting for one in mine)
        self.query_one("#due", Static).update(Content(due_words(due, waiting)))
        for overview in sets:
            if overview.level_reached:
                below = LEVELS[max(0, LEVELS.index(overview.level) - 1)]
                words = wording_path.LEVEL_REACHED.format(before=below, level=overview.level)
                self.notify(f"{one_line(overview.title, 60)}: {words}", markup=False, timeout=10)

    def _show_model(self, state: ModelState) -> None:
        service = self.tutor.service
        self.query_one(StatusBar).show_model(state, service.active_model(), None)

    @on(OptionList.OptionHighlighted)
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        way = self._ways[event.option_index] if event.option_index < len(self._ways) else None
        if way is None:
            return
        readings = preferences.READINGS.of(self.tutor.settings) == "shown"
        text = about_review() if way.review else about_talk(way.overview)
        if way.lesson is not None:
            text = about_lesson(way.lesson, readings, way.why)
        self.query_one("#about-text", Static).update(text)
        self.query_one("#about").scroll_home(animate=False)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        way = self._ways[event.option_index] if event.option_index < len(self._ways) else None
        if way is not None:
            self.tutor.open_lesson(way.overview, way.lesson_id)

    def action_talk(self) -> None:
        """Free talk in the set that is highlighted, or in the first."""
        index = self.query_one("#ways", OptionList).highlighted
        chosen = self._ways[index] if index is not None and index < len(self._ways) else None
        way = chosen or next((way for way in self._ways if way), None)
        if way is not None:
            self.tutor.open_lesson(way.overview, None)

    def action_place(self, name: str) -> None:
        """One of the screens about what the learner did and knows."""
        show_place(self.app, name)

    def action_review(self) -> None:
        """What is due in the set that is highlighted, or in the first that has something."""
        index = self.query_one("#ways", OptionList).highlighted
        here = self._ways[index] if index is not None and index < len(self._ways) else None
        found = [way for way in self._ways if way and way.review]
        own = [way for way in found if here and way.overview.id == here.overview.id]
        if found:
            self.tutor.open_lesson((own or found)[0].overview, REVIEW)
        else:
            self.notify(wording.DUE_NONE, markup=False, timeout=4)

    def action_hand_in(self) -> None:
        self.tutor.open_hand_in()

    def action_learners(self) -> None:
        self.tutor.choose_learner()


def next_way(sets: Sequence[SetOverview]) -> Way | None:
    """What was left open latest, else what is recommended in the first set that has something to recommend."""
    ways = [Way(overview, lesson) for overview in sets for lesson in overview.lessons]
    left = [way for way in ways if way.lesson and way.lesson.open_session]
    if left:
        return max(left, key=lambda way: (way.lesson and way.lesson.last_at) or 0.0)
    return next(
        (
            Way(way.overview, way.lesson, why=way.overview.next_why)
            for way in ways
            if way.lesson and way.lesson.id == way.overview.next_lesson
        ),
        None,
    )
