"""What the app remembers, read, corrected, left alone and deleted; and screens over text that can be anything."""

from __future__ import annotations

import pytest
from textual.widgets import Button, Input, OptionList

from tests.progress.making import DAY, NOON, attempt, begin, reply, turn
from tests.ui import practised
from tests.ui.conftest import Driven
from tests.ui.places import (
    Learner,
    at_place,
    beginner,
    learner,
    press,
    rows_of,
    settled,
    ten_weeks,
    text_of,
)
from tests.ui.test_hostile import HOSTILE
from tutor_app.progress.health import problems
from tutor_app.progress.records import SavedCard
from tutor_app.progress.text import storable
from tutor_app.ui import wording_progress as wording
from tutor_app.ui.screens.confirm import ConfirmDialog
from tutor_app.ui.screens.entry_dialog import EntryDialog
from tutor_app.ui.screens.memory import MemoryScreen
from tutor_app.ui.text import clean

__all__ = ["beginner", "learner", "ten_weeks"]  # fixtures


async def open_entry(ui: Driven, name: str) -> None:
    """The dialog of the first entry with this name."""
    listed = ui.app.screen.query_one("#entries", OptionList)
    listed.focus()
    listed.highlighted = next(
        place for place, row in enumerate(rows_of(ui, "#entries")) if name in row.split("\n")[0]
    )
    await press(ui, "enter")
    assert isinstance(ui.app.screen, EntryDialog)


async def click(ui: Driven, button: str) -> None:
    await ui.pilot.click(f"#{button}")
    await settled(ui)


def card(learner: Learner, key: str) -> SavedCard | None:
    return next((each for each in learner.insight.remembered().cards if each.key == key), None)


async def test_everything_remembered_is_listed_in_groups_with_its_meaning(learner: Learner) -> None:
    learner.store.add_memory("Has a cat called Nube.", language="es", turn_id=None, now=NOON)
    async with at_place(learner, "memory") as ui:
        rows = rows_of(ui, "#entries")
        remembered = learner.insight.remembered()
        headings = [row.strip() for row in rows if row.startswith("\n")]
        words = sum(each.kind == "word" for each in remembered.cards)
        assert headings == [
            wording.GROUP.format(title=wording.MEMORY_SENTENCES, count=1),
            wording.GROUP.format(title=wording.MEMORY_WORDS, count=words),
            wording.GROUP.format(title=wording.MEMORY_RECASTS, count=len(remembered.cards) - words),
            wording.GROUP.format(title=wording.MEMORY_FORMS, count=len(remembered.forms)),
        ]
        assert any("la mano" in row and "hand" in row for row in rows), (
            "the lesson's meaning, when there is no own"
        )


async def test_a_word_is_found_by_its_meaning_and_without_accents(learner: Learner) -> None:
    async with at_place(learner, "memory") as ui:
        ui.app.screen.query_one(Input).value = "UNIVERSITY"
        await settled(ui)
        assert [row for row in rows_of(ui, "#entries") if "الجامعة" in row]
        ui.app.screen.query_one(Input).value = "nino"
        await settled(ui)
        assert [row for row in rows_of(ui, "#entries") if "de niño" in row]
        ui.app.screen.query_one(Input).value = "nowhere"
        await settled(ui)
        assert rows_of(ui, "#entries") == []
        assert text_of(ui, "#note") == wording.MEMORY_NONE


async def test_a_correction_is_kept_by_key_or_mouse(learner: Learner) -> None:
    async with at_place(learner, "memory") as ui:
        await open_entry(ui, "喜欢")
        field = ui.app.screen.query(Input).first()
        assert field.value == "to like"
        field.value = "to be fond of"
        await press(ui, "enter")
        assert isinstance(ui.app.screen, MemoryScreen)
        found = card(learner, "喜欢")
        assert found is not None
        assert (found.gloss, found.sentence) == ("to be fond of", "我喜欢猫")
        assert any("to be fond of" in row for row in rows_of(ui, "#entries"))
        await open_entry(ui, "喜欢")
        ui.app.screen.query(Input).last().value = "我喜欢你"
        await click(ui, "save")
        found = card(learner, "喜欢")
        assert found is not None
        assert found.sentence == "我喜欢你"


async def test_a_sentence_about_the_learner_is_corrected_and_never_emptied(learner: Learner) -> None:
    learner.store.add_memory("Has a cat called Nube.", language="es", turn_id=None, now=NOON)
    async with at_place(learner, "memory") as ui:
        await open_entry(ui, "Nube")
        assert not ui.app.screen.query("#rest"), "a sentence is corrected or deleted"
        ui.app.screen.query_one(Input).value = "Has two cats."
        await press(ui, "enter")
        assert [each.text for each in learner.store.memories()] == ["Has two cats."]
        await open_entry(ui, "two cats")
        ui.app.screen.query_one(Input).value = "   "
        await press(ui, "enter")
        assert [each.text for each in learner.store.memories()] == ["Has two cats."]
        await open_entry(ui, "two cats")
        await click(ui, "delete")
        await click(ui, "yes")
        assert learner.store.memories() == []


@pytest.mark.parametrize("name", ["الجامعة", "gustar"])
async def test_what_is_left_alone_is_not_brought_up_until_it_is_wanted_again(
    learner: Learner, name: str
) -> None:
    def due(now: float) -> set[str]:
        return {item.key for item in learner.store.due(None, now, 1000)}

    learner.store.set_setting("daily_reviews", 1000)
    later = practised.NOW + 3000 * DAY
    async with at_place(learner, "memory") as ui:
        assert name in due(later)
        await open_entry(ui, name)
        await click(ui, "rest")
        assert name not in due(later)
        row = next(row for row in rows_of(ui, "#entries") if name in row.split("\n")[0])
        assert wording.RESTING in row
        assert row.startswith("‖"), "a sign, not only another colour"
        await open_entry(ui, name)
        assert str(ui.app.screen.query_one("#rest", Button).label) == wording.WAKE
        await click(ui, "rest")
        assert name in due(later)


async def test_a_word_is_deleted_only_when_the_learner_says_so_twice(learner: Learner) -> None:
    async with at_place(learner, "memory") as ui:
        await open_entry(ui, "الجامعة")
        await click(ui, "delete")
        assert isinstance(ui.app.screen, ConfirmDialog)
        await press(ui, "enter")  # the way back has the focus
        assert card(learner, "الجامعة") is not None
        await open_entry(ui, "الجامعة")
        await click(ui, "delete")
        await click(ui, "yes")
        assert card(learner, "الجامعة") is None
        assert not any("الجامعة" in row for row in rows_of(ui, "#entries"))
        assert b"university" not in b"".join(
            path.read_bytes() for path in learner.folder.rglob("*") if path.is_file()
        ), "nor is it in the backups"


async def test_a_form_begins_anew_and_the_talks_stay(learner: Learner) -> None:
    lines = len(learner.insight.search(practised.EARLY["gustar"]))
    async with at_place(learner, "memory") as ui:
        await open_entry(ui, "gustar")
        await click(ui, "delete")
        assert "“gustar (what is pleasing to me)”" in str(ui.app.screen.query_one(".title").content)  # type: ignore[attr-defined]
        await click(ui, "yes")
        assert "gustar" not in {form.form_id for form in learner.insight.forms()}
        assert learner.insight.form_history("es-l2", "gustar").points == ()
        assert len(learner.insight.search(practised.EARLY["gustar"])) == lines
        assert problems(learner.store.database.connection) == []


async def test_closing_an_entry_changes_nothing(learner: Learner) -> None:
    before = learner.insight.remembered()
    async with at_place(learner, "memory") as ui:
        for close in (lambda: press(ui, "escape"), lambda: click(ui, "close")):
            await open_entry(ui, "la mano")
            ui.app.screen.query(Input).first().value = "foot"
            await close()
            assert isinstance(ui.app.screen, MemoryScreen)
        assert learner.insight.remembered() == before


@pytest.mark.parametrize("size", [(60, 20), (80, 24)])
@pytest.mark.parametrize("name", ["喜欢", "Hoy estoy", "gustar"])
async def test_every_button_of_an_entry_is_on_the_screen(
    learner: Learner, name: str, size: tuple[int, int]
) -> None:
    async with at_place(learner, "memory", size) as ui:
        await open_entry(ui, name)
        dialog = ui.app.screen.query_one(".dialog").region
        for button in ui.app.screen.query(Button):
            assert button.region.right <= dialog.right
            assert button.region.bottom <= dialog.bottom


async def test_a_file_that_cannot_be_written_says_so_and_keeps_the_word(
    learner: Learner, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with at_place(learner, "memory") as ui:
        monkeypatch.setattr(learner.store.database, "read_only", True)
        await open_entry(ui, "喜欢")
        ui.app.screen.query(Input).first().value = "x"
        await press(ui, "enter")
        assert any("reading only" in str(notice.message) for notice in ui.app._notifications)
        assert any("to like" in row for row in rows_of(ui, "#entries"))


def hostile_file(learner: Learner, text: str) -> None:
    """Every text that screens show is `text`, but ids, which come from lessons that were checked."""
    store, ids = learner.store, storable(text)[:200]
    session = begin(store, "l1")
    for number in range(2):
        now = NOON + 60 * number
        said = turn(store, session, text, now=now)
        attempt(
            store, said, session, forms=(ids,), words=(ids,), given=text, error_tags=(ids[:100],), correct=False, now=now
        )  # fmt: skip
        reply(store, said, text, recast=text[:100], move="recast", now=now)
    store.save_word(text[:300], text, text, "es", text, NOON)
    store.add_memory(text, language="es", turn_id=None, now=NOON)


@pytest.mark.parametrize(
    ("text", "arabic"),
    [*((text, "logical") for text in HOSTILE), (HOSTILE[2], "visual-shaped")],
    ids=[*map(str, range(len(HOSTILE))), "shaped"],
)
async def test_text_can_be_anything(beginner: Learner, text: str, arabic: str) -> None:
    hostile_file(beginner, text)
    async with at_place(beginner, "progress", (60, 20), arabic_display=arabic) as ui:
        for number in "23":
            await press(ui, number, "enter")
            _nothing_unsafe(ui)
        await press(ui, "4")
        ui.app.screen.query_one(Input).value = clean(text)[:5]
        await settled(ui)
        _nothing_unsafe(ui)
        await press(ui, "tab", "enter")
        _nothing_unsafe(ui)
        await press(ui, "escape", "escape", "m")
        _nothing_unsafe(ui)
        listed = ui.app.screen.query_one("#entries", OptionList)
        entries = [
            place for place in range(listed.option_count) if not listed.get_option_at_index(place).disabled
        ]
        assert len(entries) >= 4, "a sentence, a word, a recast and a form at least"
        for place in entries:
            listed.highlighted = place
            await press(ui, "enter")
            assert isinstance(ui.app.screen, EntryDialog)
            _nothing_unsafe(ui)
            await press(ui, "escape")


def _nothing_unsafe(ui: Driven) -> None:
    shown = "\n".join(
        "".join(segment.text for segment in strip) for strip in ui.app.screen._compositor.render_strips()
    )
    assert not any(character in shown for character in "\x1b\x07\x9b\x00\u202e\u2067\ud800")
