"""The one engine of a program: another model takes its place at any moment."""

from __future__ import annotations

import threading
from dataclasses import replace

from tutor_app.llm.fake import SCRIPTED, ScriptedEngine
from tutor_app.llm.protocol import EngineStopped, Loaded, LoadSpec, Progress
from tutor_app.session.events import ModelState
from tutor_app.session.host import Announced, ModelHost, Ready


class SlowToLoad(ScriptedEngine):
    """Loads its first model until it is stopped: as the real one, by an exception."""

    def __init__(self) -> None:
        super().__init__()
        self.loading = threading.Event()

    def load(self, spec: LoadSpec = SCRIPTED, on_progress: Progress | None = None) -> Loaded:
        if spec.model_id == "large":
            self.loading.set()
            assert self._cancelled.wait(10)
            raise EngineStopped("Stopped.")
        return super().load(spec, on_progress)


def test_another_model_may_be_chosen_while_one_is_loaded() -> None:
    engine = SlowToLoad()
    large, small = (replace(SCRIPTED, model_id=name) for name in ("large", "small"))
    host = ModelHost(engine, lambda _: Ready(large, "chatml"), announced=Announced("large", None))
    states: list[ModelState] = []
    host.listen(states.append)
    host.start()
    assert engine.loading.wait(10)
    host.use(lambda _: Ready(small, "chatml"), Announced("small", None))
    for _ in host.wait(lambda: False):
        pass
    assert host.state.state == "ready"
    assert host.ready is not None
    assert engine.loaded is not None
    assert engine.loaded.model_id == "small"
    assert [state.message for state in states if state.state == "lost"] == []
    host.close()
