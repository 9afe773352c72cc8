"""A PIN opens only for its own digits, and is never stored."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.progress.making import new_store
from tutor_app.errors import TutorError
from tutor_app.progress import pin
from tutor_app.progress.archive import export_file, import_file


def test_the_right_pin_opens_and_any_other_does_not() -> None:
    settings = {pin.SETTING: json.loads(json.dumps(pin.hashed("4711ñ")))}
    assert pin.is_set(settings)
    assert pin.opens(settings, "4711ñ")
    assert not pin.opens(settings, "4711n")
    assert not pin.opens(settings, "")
    assert "4711" not in json.dumps(settings)


def test_two_learners_with_one_pin_have_different_hashes() -> None:
    assert pin.hashed("1234")["hash"] != pin.hashed("1234")["hash"]


def test_without_a_pin_everybody_may_in() -> None:
    assert not pin.is_set({})
    assert pin.opens({}, "")


def test_a_forgotten_pin_is_left_out_of_an_import(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        store.set_setting(pin.SETTING, pin.hashed("1234"))
        store.set_setting("theme", "dark")
        export_file(store, tmp_path / "a.json")
    kept = import_file(tmp_path, tmp_path / "a.json", name="Kept")
    lifted = import_file(tmp_path, tmp_path / "a.json", name="Lifted", without_pin=True)
    assert pin.is_set(kept.settings)
    assert lifted.settings == {"theme": "dark"}


def test_a_pin_of_three_is_refused() -> None:
    with pytest.raises(TutorError, match="at least 4"):
        pin.hashed("123")
