from __future__ import annotations

from typing import Any

import pytest

from tutor_app.pedagogy.policy import MAX_HINT, Decision, History, decide, signal_list

MAY = ("ask", "check", "affirm", "recast", "question", "hint", "explore", "simplify", "culture", "reflect")


def move(
    signals: list[str], history: History | None = None, situation: str = "item", **more: Any
) -> Decision:
    options: dict[str, Any] = {"track": "l2", "may": MAY} | more
    return decide(signals, history or History(attempts=1), situation, **options)  # type: ignore[arg-type]


def test_being_lost_comes_before_being_wrong() -> None:
    assert move(["confused", "error:gender"], foreseen=True).move == "simplify"


def test_whoever_is_still_lost_gets_a_step_up_the_ladder() -> None:
    decision = move(["confused"], History(moves=("simplify",)))
    assert (decision.move, decision.hint_level) == ("hint", 1)


def test_a_first_error_is_recast_and_asked_for_again() -> None:
    decision = move(["error:gender"], foreseen=True)
    assert (decision.move, decision.elicit) == ("recast", True)


def test_a_repeated_error_is_a_question_and_then_a_hint() -> None:
    again = ["error:gender", "repeat_error:gender"]
    assert move(again, History(attempts=2, moves=("recast",)), foreseen=True).move == "question"
    assert move(again, History(attempts=3, moves=("recast", "question")), foreseen=True).move == "hint"


def test_an_error_nobody_foresaw_is_answered_by_the_ladder() -> None:
    assert move(["error:other"]).move == "hint"


@pytest.mark.parametrize("level", [0, 1, 2, 3, 4])
def test_the_ladder_goes_up_one_rung_and_ends_at_four(level: int) -> None:
    assert move(["error:other"], History(hint_level=level)).hint_level == min(level + 1, MAX_HINT)


def test_a_right_answer_is_affirmed_and_a_run_of_them_asks_for_more() -> None:
    assert move(["ok"], correct=True) == Decision("affirm", signals=("ok",))
    assert move(["strong"], History(attempts=1, run=3), correct=True).harder


def test_an_item_that_may_not_be_recast_is_not() -> None:
    may = tuple(one for one in MAY if one != "recast")
    assert move(["error:gender"], foreseen=True, may=may).move == "hint"


def test_in_talk_an_error_that_is_believed_is_recast_and_another_is_passed_over() -> None:
    assert move(["error:gender"], situation="talk", foreseen=True).move == "recast"
    assert move(["error:gender"], situation="talk", foreseen=False).move == "ask"


def test_in_talk_the_same_error_after_a_recast_is_put_to_the_learner() -> None:
    history = History(moves=("recast",), turns=2)
    again = ["error:gender", "repeat_error:gender"]
    assert move(again, history, "talk", foreseen=True).move == "question"
    assert move(again, history, "talk", foreseen=True, track="heritage").move == "explore"


def test_slowness_in_talk_gets_a_nudge() -> None:
    assert move(["slow", "ok"], History(turns=1), "talk").move == "hint"


def test_mixing_languages_is_never_an_error() -> None:
    assert move(["code_switch", "ok"], History(turns=1), "talk", track="heritage").move == "ask"


def test_a_culture_note_is_told_once_the_talk_is_under_way() -> None:
    assert move(["ok"], History(turns=1, culture_due=True), "talk").move == "ask"
    assert move(["ok"], History(turns=2, culture_due=True), "talk").move == "culture"


def test_asking_for_a_hint_always_gets_one() -> None:
    assert move([], asked_for="hint").move == "hint"


def test_signals_are_the_closed_set_in_order_of_weight() -> None:
    def told(**more: Any) -> tuple[str, ...]:
        options: dict[str, Any] = {
            "confused": False,
            "slow": False,
            "off_task": False,
            "code_switched": False,
            "tags": (),
            "history": History(),
        }
        return signal_list(**(options | more))

    assert told() == ("ok",)
    assert told(history=History(run=3)) == ("strong",)
    assert told(tags=("gender",), slow=True, history=History(tags=("gender",))) == (
        "error:gender",
        "repeat_error:gender",
        "slow",
    )
    assert told(confused=True, tags=("gender",)) == ("confused",)
    assert told(code_switched=True) == ("code_switch", "ok")
