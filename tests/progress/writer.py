"""A process that writes to a learner's file until it is killed, and says what was acknowledged.

    python -m tests.progress.writer DATA_DIR LEARNER {wal,network}

Prints one line a turn, `turn-id attempt-id`, after both were acknowledged, and `started` before the first.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.progress.making import NOON, attempt, begin, reply, turn
from tutor_app.progress.store import Store


def main() -> None:
    data_dir, learner_id, kind = sys.argv[1:]
    with Store.open(Path(data_dir), learner_id, network=kind == "network") as store:
        session = begin(store)
        print("started", flush=True)
        number = 0
        while True:
            at = NOON + number
            turn_id = turn(store, session, f"turn {number}", now=at)
            attempt_id = attempt(
                store, turn_id, session, correct=number % 2 == 0, forms=("ser-estar", "gender"), now=at
            )
            answer = reply(store, turn_id, recast="estoy", now=at)
            store.set_uptake(answer, uptake=True, repair=True, now=at)
            print(turn_id, attempt_id, flush=True)
            number += 1


if __name__ == "__main__":
    main()
