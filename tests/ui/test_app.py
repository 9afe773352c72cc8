"""Settings, help, palette, themes, crashes, and what start-up must not import."""

from __future__ import annotations

import asyncio
import itertools
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from textual.binding import Binding
from textual.color import Color
from textual.widgets import OptionList, Select

from tests.ui import script
from tests.ui.conftest import driven
from tutor_app.session.events import ModelState
from tutor_app.ui import preferences, wording, wording_path
from tutor_app.ui.app import TutorApp
from tutor_app.ui.crash import crash_sentence, write_crash_log
from tutor_app.ui.messages import Broke, ModelChanged, ModelsFound
from tutor_app.ui.screens.calendar import CalendarScreen
from tutor_app.ui.screens.confirm import ConfirmDialog
from tutor_app.ui.screens.dialogs import KeepDialog, LeaveDialog
from tutor_app.ui.screens.entry_dialog import EntryDialog
from tutor_app.ui.screens.forms import FormsScreen
from tutor_app.ui.screens.help import HelpScreen
from tutor_app.ui.screens.home import HomeScreen
from tutor_app.ui.screens.lesson import LessonScreen
from tutor_app.ui.screens.memory import MemoryScreen
from tutor_app.ui.screens.new_learner import NewLearnerScreen
from tutor_app.ui.screens.place import PlaceScreen
from tutor_app.ui.screens.progress import ProgressScreen
from tutor_app.ui.screens.settings import SettingsScreen
from tutor_app.ui.screens.summary import SummaryScreen
from tutor_app.ui.screens.talks import TalksScreen
from tutor_app.ui.screens.transcript import TranscriptScreen
from tutor_app.ui.screens.welcome import WelcomeScreen
from tutor_app.ui.themes import THEMES
from tutor_app.ui.widgets.composer import Composer
from tutor_app.ui.widgets.conversation import Conversation
from tutor_app.ui.widgets.letter_bar import LetterBar
from tutor_app.ui.widgets.match_pad import MatchPad
from tutor_app.ui.widgets.month_grid import MonthGrid
from tutor_app.ui.widgets.order_pad import OrderPad

SCREENS = [
    WelcomeScreen, NewLearnerScreen, HomeScreen, LessonScreen, SummaryScreen, SettingsScreen,
    LeaveDialog, KeepDialog, ProgressScreen, CalendarScreen, FormsScreen, TalksScreen, MemoryScreen,
    TranscriptScreen, ConfirmDialog, EntryDialog,
]  # fmt: skip
BOUND = [
    TutorApp,
    *SCREENS,
    HelpScreen,
    Composer,
    Conversation,
    LetterBar,
    OrderPad,
    MatchPad,
    MonthGrid,
    PlaceScreen,
]


def test_every_binding_has_an_id_of_its_own_so_that_keys_can_be_changed() -> None:
    ids = [
        binding.id
        for kind in BOUND
        for binding in kind.__dict__.get("BINDINGS", ())
        if isinstance(binding, Binding)
    ]
    assert None not in ids
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("screen", SCREENS)
def test_every_screen_has_help(screen: Any) -> None:
    assert screen.HELP


async def test_help_opens_over_a_lesson_and_names_its_keys() -> None:
    async with driven() as ui:
        await ui.open_lesson()
        await ui.pilot.press("f1")
        await ui.pilot.pause()
        assert isinstance(ui.app.screen, HelpScreen)
        keys = ui.app.screen._key_table().plain
        assert "F2" in keys
        assert wording.KEY_HINT in keys
        await ui.pilot.press("escape")
        assert isinstance(ui.app.screen, LessonScreen)


async def test_a_setting_counts_at_once_and_is_kept() -> None:
    async with driven() as ui:
        await ui.home()
        await ui.pilot.press("f10")
        await ui.heard.wait(ModelsFound)
        await ui.pilot.pause()
        chooser = next(each for each in ui.app.screen.query(Select) if each.name == "theme")
        chooser.value = "linguist-light"
        await ui.heard.wait(Select.Changed)
        await ui.pilot.pause()
        assert ui.app.theme == "linguist-light"
        density = next(each for each in ui.app.screen.query(Select) if each.name == "density")
        density.value = "compact"
        await ui.heard.wait(Select.Changed, 2)
        await ui.pilot.pause()
        assert ui.app.has_class("-dense")
        await ui.app.workers.wait_for_complete()
        assert ui.service.kept["theme"] == "linguist-light"
        assert ui.service.kept["density"] == "compact"


async def test_a_model_that_cannot_run_here_cannot_be_chosen_and_says_why() -> None:
    async with driven() as ui:
        await ui.home()
        await ui.pilot.press("f10")
        await ui.heard.wait(ModelsFound)
        await ui.pilot.pause()
        models = ui.app.screen.query_one("#models")
        prompts = [str(option.prompt) for option in models.options]  # type: ignore[attr-defined]
        assert "3.1 free" in prompts[2]
        assert [option.disabled for option in models.options] == [False, False, True]  # type: ignore[attr-defined]


async def test_the_model_in_use_is_marked_anew_when_it_changes_and_the_way_back_is_open() -> None:
    async with driven() as ui:
        await ui.home()
        await ui.pilot.press("f10")
        await ui.heard.wait(ModelsFound)
        await ui.pilot.pause()
        screen = ui.app.screen
        assert isinstance(screen, SettingsScreen)
        models = screen.query_one("#models", OptionList)
        models.focus()
        models.highlighted = 1
        await ui.pilot.press("enter")
        await ui.app.workers.wait_for_complete()
        ui.app.post_message(ModelChanged(ModelState("loading")))
        await ui.heard.wait(ModelsFound, 2)
        await ui.app.workers.wait_for_complete()
        await ui.pilot.pause()
        assert ui.service.used == "gemma3-270m"
        active = [wording.MODEL_ACTIVE in str(option.prompt) for option in models.options]
        assert active == [False, True, False]
        assert models.highlighted == 1, "the cursor stays"
        models.highlighted = 0
        await ui.pilot.press("enter")
        await ui.app.workers.wait_for_complete()
        assert ui.service.used == "qwen2.5-1.5b"


async def test_the_active_model_can_be_chosen_again_when_it_was_lost() -> None:
    async with driven() as ui:
        await ui.home()
        ui.app.post_message(ModelChanged(ModelState("lost")))
        await ui.pilot.press("f10")
        await ui.heard.wait(ModelsFound)
        await ui.pilot.pause()
        loads = ui.service.loads
        models = ui.app.screen.query_one("#models", OptionList)
        models.focus()
        models.highlighted = 0
        await ui.pilot.press("enter")
        await ui.app.workers.wait_for_complete()
        assert ui.service.loads == loads + 1


async def test_nothing_is_offered_in_a_lesson_that_would_end_it_unasked() -> None:
    async with driven() as ui:
        await ui.home()
        await ui.pilot.press("f10")
        offered = {option.id for option in ui.app.screen.query_one("#actions", OptionList).options}
        assert offered == {"background", "placement", "pin", "hand_in"}
        await ui.pilot.press("escape")
        await ui.open_lesson()
        await ui.pilot.press("f10")
        await ui.pilot.pause()
        assert isinstance(ui.app.screen, SettingsScreen)
        offered = {option.id for option in ui.app.screen.query_one("#actions", OptionList).options}
        assert offered == {"pin", "hand_in"}
        titles = {command.title for command in ui.app.get_system_commands(ui.app.screen)}
        assert not titles & {"Change learner", *(title for title, _ in wording_path.COMMANDS.values())}


async def test_the_palette_offers_what_the_lesson_can_do() -> None:
    async with driven() as ui:
        await ui.open_lesson()
        titles = {command.title for command in ui.app.get_system_commands(ui.app.screen)}
        assert {"Hint", "Explain", "Skip", "Settings", "Help", "Quit", "Theme: High contrast"} <= titles


def test_every_preference_has_words_and_an_unknown_value_falls_back_to_its_default() -> None:
    for choice in preferences.ALL:
        assert choice.label
        assert choice.help
        assert choice.of({}) == choice.default
        assert choice.of({choice.key: "no such thing"}) == choice.default
        assert choice.of({choice.key: choice.values[-1][0]}) == choice.values[-1][0]


def test_theme_preferences_are_all_registered() -> None:
    app = TutorApp(script.service())
    assert {value for value, _ in preferences.THEME.values} <= set(app.available_themes)


@pytest.mark.parametrize("theme", THEMES[:3], ids=lambda theme: str(theme.name))
def test_text_has_contrast_enough_on_every_ground_it_stands_on(theme: Any) -> None:
    body, quiet = (10.0, 7.0) if theme.name == "linguist-contrast" else (7.0, 4.5)
    grounds = [theme.background, theme.surface, theme.panel, theme.variables["block-cursor-background"]]
    for ground in grounds[:3]:
        assert _contrast(theme.foreground, ground) >= body
        for colour in (
            theme.variables["text-quiet"],
            theme.primary,
            theme.secondary,
            theme.accent,
            theme.success,
        ):
            assert _contrast(colour, ground) >= quiet, (colour, ground)
    for colour in (theme.variables["block-cursor-foreground"], theme.variables["text-quiet"], theme.accent):
        assert _contrast(colour, grounds[3]) >= 4.5, (colour, grounds[3])


def _contrast(first: str, second: str) -> float:
    """The ratio of WCAG 2: 1 to 21."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = [value / 255 for value in Color.parse(colour).rgb]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_a_crash_log_is_private_and_holds_nobodys_words(tmp_path: Path) -> None:
    def breaks(answer: str) -> None:
        raise ValueError(f"could not show {answer}")

    try:
        breaks("mi " + "".join(["sec", "reto"]))
    except ValueError as error:
        path = write_crash_log(tmp_path / "logs", error, now=0.0)
    assert path is not None
    log = path.read_text("utf-8")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert "builtins.ValueError" in log
    assert "breaks" in log
    assert "secreto" not in log
    assert str(path) in crash_sentence(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_crash_without_a_place_to_write_is_still_one_sentence(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert write_crash_log(tmp_path / "logs", ValueError()) is None
    assert crash_sentence(None) == wording.CRASHED


def test_a_fault_ends_the_app_with_one_plain_sentence_and_no_local_variables(tmp_path: Path) -> None:
    program = """
import sys
from pathlib import Path
from tests.ui import script
from tutor_app.ui.app import TutorApp
app = TutorApp(script.service(), log_dir=Path(sys.argv[1]))
def boom():
    learner_words = "mi secreto"
    raise ValueError(learner_words)
app.call_later(boom)
app.run(headless=True)
sys.exit(app.return_code)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    shown = done.stdout + done.stderr
    assert done.returncode == 1
    assert "Linguist had to close" in " ".join(shown.split())
    assert "secreto" not in shown
    assert "Traceback" not in shown
    assert "secreto" not in (tmp_path / "crash.log").read_text("utf-8")


async def test_a_fault_in_a_thread_of_a_screen_ends_the_app_in_the_same_way(tmp_path: Path) -> None:
    service = script.service()

    def broken() -> list[Any]:
        raise ValueError("mi secreto")

    service.sets = broken  # type: ignore[method-assign]
    with pytest.raises(ValueError, match="secreto"):
        async with driven(service, log_dir=tmp_path) as ui:
            await ui.heard.wait(Broke)
    assert "broken" in (tmp_path / "crash.log").read_text("utf-8")


async def test_what_breaks_in_a_thread_of_a_screen_that_has_gone_is_nobodys_trouble() -> None:
    service = script.service()
    asked, go_on, raised = threading.Event(), threading.Event(), threading.Event()

    def closed() -> list[Any]:
        asked.set()
        go_on.wait(10)
        raised.set()
        raise ValueError("Cannot operate on a closed database.")

    async with driven(service) as ui:
        await ui.home()
        service.models = closed  # type: ignore[method-assign]
        await ui.pilot.press("f10")
        assert await asyncio.to_thread(asked.wait, 10)
        await ui.pilot.press("escape")
        await ui.pilot.pause()
        go_on.set()
        assert await asyncio.to_thread(raised.wait, 10)
        await ui.app.workers.wait_for_complete()
        await ui.pilot.pause()
        assert isinstance(ui.app.screen, HomeScreen)
        assert ui.heard.of(Broke) == []


def test_starting_the_app_imports_nothing_heavy() -> None:
    program = """
import asyncio, sys
from tests.ui import script
from tutor_app.ui.app import TutorApp
async def main():
    app = TutorApp(script.service())
    async with app.run_test() as pilot:
        await pilot.pause()
asyncio.run(main())
heavy = {"llama_cpp", "faster_whisper", "torch", "sounddevice", "transformers", "numpy", "wordfreq", "jieba"}
print(sorted(heavy & {name.split(".")[0] for name in sys.modules}))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"


def test_only_the_ui_imports_textual() -> None:
    root = Path(__file__).parents[2]
    others = itertools.chain((root / "tutor_app").rglob("*.py"), (root / "lessons").rglob("*.py"))
    guilty = [
        path.relative_to(root)
        for path in others
        if "ui" not in path.relative_to(root).parts[:2]
        and any(
            line.lstrip().startswith(("import textual", "from textual"))
            for line in path.read_text("utf-8").splitlines()
        )
    ]
    assert guilty == []


def test_kitty_keys_are_off_before_textual_is_imported() -> None:
    program = "import tutor_app.ui.app, textual.constants; print(textual.constants.DISABLE_KITTY_KEY)"
    environment = {key: value for key, value in os.environ.items() if key != "TEXTUAL_DISABLE_KITTY_KEY"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env=environment,
    )
    assert done.stdout.strip() == "True"
