"""Real learner sentences through free talk: what the tutor says to them, and what it takes for an error.

    python -m tests.benchmarks talk sentences.jsonl.gz [--errors 200] [--correct 200] [--model M] [--seed K] [--read-along]

The file has one object a line: `group` (L2 or heritage), `writer`, `learner`, `corrected`, `errors` [{`right`}].
Writers are split in two by a checksum of their id; this reads the half that thresholds were not tuned on unless
`--tuning` is given. A turn's seconds count from Enter. Without `--read-along` the sentence comes all at once, as from a
script; with it, the session reads along as in the app, and the seconds are given for several pauses of the writer's
between the last letter and Enter (0: all that has to be done is done after it).
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
import statistics
import sys
import tempfile
import time
import zlib
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

from lessons.patterns import contains
from tutor_app.cli.context import data_dir
from tutor_app.pedagogy.validator import Situation, validate
from tutor_app.session.events import Reply, Said
from tutor_app.session.library import open_set
from tutor_app.session.models import adapt, make_host
from tutor_app.session.people import open_or_create
from tutor_app.session.session import Session
from tutor_app.ui.draft import ENDS, PAUSE_S, REST_S

LEVEL = "A2"
TALK_LENGTH = 6
"""Sentences to a talk, so that replies are made with some history and of the usual length."""
WORDS = (4, 20)
PAUSES_S = (0, 1, 2, 3)
LETTERS_PER_S = 4
"""How fast a sentence is typed that is read along: 48 words of five letters a minute."""


def read(path: Path, *, tuning: bool) -> list[dict[str, Any]]:
    """Sentences of usual length from one half of the writers."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return [
        row
        for row in rows
        if WORDS[0] <= len(row["learner"].split()) <= WORDS[1]
        and "*" not in row["learner"]
        and (zlib.crc32(str(row["writer"]).encode()) % 2 == 0) == tuning
    ]


def main() -> dict[str, Any]:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks talk")
    parser.add_argument("sentences", type=Path)
    parser.add_argument("--errors", type=int, default=200)
    parser.add_argument("--correct", type=int, default=200)
    parser.add_argument("--model", default="qwen2.5-1.5b")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--read-along", action="store_true", help="as in the app, while the learner still looks"
    )
    parser.add_argument("--tuning", action="store_true")
    parser.add_argument("--replies", type=Path, help="write every sentence and reply here, one object a line")
    given = parser.parse_args()
    rows = read(given.sentences, tuning=given.tuning)
    rng = random.Random(given.seed)
    wrong = [row for row in rows if row["errors"] and row["learner"] != row["corrected"]]
    right = [row for row in rows if not row["errors"] and row["learner"] == row["corrected"]]
    chosen = rng.sample(wrong, given.errors) + rng.sample(right, given.correct)
    rng.shuffle(chosen)
    seen = talk_about(chosen, given.model, given.seed, read_along=given.read_along)
    if given.replies:
        given.replies.write_text(
            "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in seen), encoding="utf-8"
        )
    return {"model": given.model, "sentences": len(seen), **figures(seen)}


def talk_about(
    rows: list[dict[str, Any]], model: str, seed: int, *, read_along: bool = False
) -> list[dict[str, Any]]:
    """Each sentence said to the tutor, in talks of a few turns on the track of its writer."""
    folder = data_dir()
    host = make_host(folder, model)
    host.start()
    seen: list[dict[str, Any]] = []
    try:
        for track in ("l2", "heritage"):
            lessons = open_set(folder, f"es-{track}")
            adapt(host, folder, model, lessons.info.language, track)
            mine = [row for row in rows if (row["group"] == "heritage") == (track == "heritage")]
            for start in range(0, len(mine), TALK_LENGTH):
                with (
                    tempfile.TemporaryDirectory() as home,
                    open_or_create(Path(home), "Someone", lessons.info) as store,
                ):
                    session = Session(lessons, None, store, host, level=LEVEL, seed=seed + start)  # type: ignore[arg-type]
                    list(session.start())
                    for _ in host.wait(lambda: False):
                        pass
                    for row in mine[start : start + TALK_LENGTH]:
                        ahead = _read_along(session, row["learner"]) if read_along else {}
                        seen.append(_said(session, row, track) | ahead)
                        print(f"\r{len(seen)}/{len(rows)}", end="", file=sys.stderr)
    finally:
        host.close()
        print(file=sys.stderr)
    return seen


def _read_along(session: Session, text: str) -> dict[str, float]:
    """What is read ahead of a sentence that is typed without a pause. The typing itself takes no time here: of the words,
    those are read in that would be, going by how long each reading took."""
    _timed(session, "", whole=False)  # while the learner reads what the tutor said
    ends = [match.end() for match in re.finditer(r"\S+\s", text)]
    at = 0.0
    for end, following in pairwise([*ends, len(text)]):
        if at * LETTERS_PER_S < following:  # else the next word is there already, and is read with this one
            at = max(at, end / LETTERS_PER_S) + _timed(session, text[:end], whole=False)
    late = max(0.0, at - len(text) / LETTERS_PER_S)
    return {
        "ahead_s": round(late + _timed(session, text, whole=True), 3),
        "begins_s": PAUSE_S if text.endswith(ENDS) else REST_S,
    }


def _timed(session: Session, text: str, *, whole: bool) -> float:
    began = time.monotonic()
    session.read_along(Said(text, 8.0), whole=whole, wanted=lambda: True)
    return time.monotonic() - began


def _said(session: Session, row: dict[str, Any], track: str) -> dict[str, Any]:
    began = time.monotonic()
    reply = next(event for event in session.submit(Said(row["learner"], 8.0)) if isinstance(event, Reply))
    seconds = time.monotonic() - began
    situation = Situation("es", track, LEVEL, learner=row["learner"])  # type: ignore[arg-type]
    forms = [error["right"] for error in row["errors"] if error["right"].strip()]
    return {
        "track": track, "learner": row["learner"], "corrected": row["corrected"], "reply": reply.text,
        "move": reply.move, "signals": list(reply.signals), "source": reply.source, "seconds": round(seconds, 3),
        "broken": sorted({violation.rule for violation in validate(reply.text, situation)} - {"vocabulary"}),
        "wrong": bool(row["errors"]), "holds_form": any(contains(reply.text, form, "es") for form in forms) if forms else None,
    }  # fmt: skip


def figures(seen: list[dict[str, Any]]) -> dict[str, Any]:
    """The figures of the issue, over all sentences and a track."""
    return {"all": _figures(seen)} | {
        track: _figures(mine)
        for track in ("l2", "heritage")
        if (mine := [one for one in seen if one["track"] == track])
    }


def _figures(seen: list[dict[str, Any]]) -> dict[str, Any]:
    flagged = [one for one in seen if any(signal.startswith("error:") for signal in one["signals"])]
    wrong = [one for one in seen if one["wrong"]]
    with_form = [one for one in wrong if one["holds_form"] is not None]
    hits = sum(one["wrong"] for one in flagged)
    right = len(seen) - len(wrong)
    return {
        "sentences": len(seen),
        "explicit_correction": _share(sum("correction" in one["broken"] for one in seen), len(seen)),
        "asks": _share(sum("asks" not in one["broken"] for one in seen), len(seen)),
        "within_length": _share(sum("length" not in one["broken"] for one in seen), len(seen)),
        "valid": _share(sum(not one["broken"] for one in seen), len(seen)),
        "sources": dict(Counter(one["source"] for one in seen)),
        "moves": dict(Counter(one["move"] for one in seen)),
        "median_s": round(statistics.median(one["seconds"] for one in seen), 2) if seen else None,
        "p90_s": round(sorted(one["seconds"] for one in seen)[int(len(seen) * 0.9)], 2) if seen else None,
        **_after_pauses(seen),
        "holds_corrected_form": _share(sum(one["holds_form"] for one in with_form), len(with_form)),
        "signal_precision": _share(hits, len(flagged)),
        "signal_recall": _share(hits, len(wrong)),
        "correct_taken_for_errors": _share(len(flagged) - hits, right),
    }


def _after_pauses(seen: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Median seconds from Enter to the reply, by the seconds that the writer looked at the sentence before it."""
    if not all("ahead_s" in one for one in seen):
        return {}
    return {
        "median_s_after_pause_of": {
            str(pause): round(statistics.median(_from_enter(one, pause) for one in seen), 2)
            for pause in PAUSES_S
        }
    }


def _from_enter(one: dict[str, Any], pause: float) -> float:
    left: float = one["ahead_s"] - max(0.0, pause - one["begins_s"])
    return max(0.0, left) + float(one["seconds"])


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
