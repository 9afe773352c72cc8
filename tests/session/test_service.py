"""The service behind the screens: whose file is open while it is cared for, and which models fit."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tutor_app.llm import catalogue
from tutor_app.llm.machine import Memory
from tutor_app.progress.store import Store, create_learner
from tutor_app.session import models, service
from tutor_app.session.service import TutorService


@pytest.fixture
def two(tmp_path: Path) -> Iterator[TutorService]:
    """Ana's file is open, and Ben has one too."""
    for name in ("Ana", "Ben"):
        create_learner(tmp_path, name)
    opened = TutorService(tmp_path, with_model=False)
    opened.open_learner("ana")
    yield opened
    opened.close()


def test_another_learner_can_be_chosen_while_a_file_is_cared_for(
    two: TutorService, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    cared_for: list[Store] = []
    faults: list[Exception] = []

    def slow(store: Store, now: float) -> None:
        cared_for.append(store)
        begun.set()
        go_on.wait(10)
        store.set_setting("cared_for", now)

    def care() -> None:
        try:
            two.care()
        except Exception as error:  # noqa: BLE001  # whatever it is, the test names it
            faults.append(error)

    monkeypatch.setattr(service, "maintain", slow)
    at_work = threading.Thread(target=care)
    at_work.start()
    assert begun.wait(10)
    assert two.open_learner("ben").name == "Ben"  # at once: it waits for nothing
    two.care()  # one at a time
    go_on.set()
    at_work.join(10)
    assert faults == []
    assert [store.folder.name for store in cared_for] == ["ana"]
    with pytest.raises(Exception, match="closed"):
        cared_for[0].settings()
    two.care()
    assert cared_for[1].folder.name == "ben"
    assert cared_for[1].settings()["cared_for"], "who is open stays open"


def test_the_running_model_is_not_refused_for_the_memory_it_has_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small, large = sorted(catalogue.ENTRIES, key=lambda entry: entry.memory_bytes)[:2]
    free = large.memory_bytes - small.memory_bytes
    monkeypatch.setattr(models, "memory", lambda: Memory(2 * large.memory_bytes, free))

    def refused(active: str | None, freed_bytes: int) -> dict[str, bool]:
        found = models.model_overviews(tmp_path, active, freed_bytes)
        return {one.id: bool(one.refused) for one in found if one.id in (small.id, large.id)}

    assert refused(None, 0)[large.id]
    assert refused(large.id, 0)[large.id] is False
    assert refused(small.id, small.memory_bytes) == {small.id: False, large.id: False}
    assert refused(small.id, small.memory_bytes - 1)[large.id]
