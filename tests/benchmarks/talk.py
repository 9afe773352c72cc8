"""Real learner sentences through free talk: what the tutor says to them, and what it takes for an error.

    python -m tests.benchmarks talk sentences.jsonl.gz [--errors 200] [--correct 200] [--model M] [--seed K]
        [--typed | --peer]

The file has one object a line: `group` (L2 or heritage), `writer`, `learner`, `corrected`, `errors` [{`right`}].
Writers are split in two by a checksum of their id; this reads the half that thresholds were not tuned on unless
`--tuning` is given. A turn's seconds count from Enter to the whole reply. Without `--typed` a sentence comes all at once,
as from a script; with it, it is typed letter by letter in real time (a quarter of a minute each), the session reads along
as in the app, and the seconds are given by how long the writer looked at the sentence before Enter. With `--peer` plain
llama-cpp-python answers each sentence too, in one step (`_plain_chat`), by turns with the tutor.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import statistics
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any

from lessons.patterns import contains
from lessons.schema import Level, Track
from tests.benchmarks._plain_chat import PlainChat
from tutor_app.cli.context import data_dir
from tutor_app.llm.models import resolve
from tutor_app.pedagogy import author
from tutor_app.pedagogy.language import without_accents
from tutor_app.pedagogy.validator import Situation, validate
from tutor_app.session.events import Reply, Said
from tutor_app.session.library import open_set
from tutor_app.session.models import adapt, make_host
from tutor_app.session.people import open_or_create
from tutor_app.session.session import Session
from tutor_app.ui.messages import SessionClosed, SessionEvent, SessionFailed, TurnOver
from tutor_app.ui.runner import SessionRunner

LEVEL: Level = "A2"
TALK_LENGTH = 6
"""Sentences to a talk, so that replies are made with some history and of the usual length."""
WORDS = (4, 20)
LETTERS_PER_S = 4
"""How fast a sentence is typed: 48 words of five letters a minute."""
LOOKS_S = (1 / LETTERS_PER_S, 0.5, 1.0, 2.0)
"""How long a sentence is looked at before Enter, by lot; the first: Enter is the next key."""
ELAPSED_S = 8.0
"""How long a learner takes over a sentence, as far as the session is told: neither fast nor slow."""
READS_S = 2.0
"""How long a reply is read before an answer is begun."""


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
    ways = parser.add_mutually_exclusive_group()
    ways.add_argument("--typed", action="store_true", help="letter by letter, as in the app, in real time")
    ways.add_argument(
        "--peer", action="store_true", help="plain llama-cpp-python answers each sentence as well"
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
    with ExitStack() as stack:
        peer = stack.enter_context(closing(_peer(given.model))) if given.peer else None
        seen = talk_about(chosen, given.model, given.seed, typed=given.typed, peer=peer)
    if given.replies:
        given.replies.write_text(
            "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in seen), encoding="utf-8"
        )
    return {"model": given.model, "sentences": len(seen), **figures(seen)}


def _peer(model: str) -> PlainChat:
    resolved = resolve(data_dir(), model, adapter_paths=())
    return PlainChat(resolved.spec.path, resolved.family)


def talk_about(
    rows: list[dict[str, Any]], model: str, seed: int, *, typed: bool, peer: PlainChat | None
) -> list[dict[str, Any]]:
    """Each sentence said to the tutor, and to the peer, in talks of a few turns on the track of its writer."""
    folder = data_dir()
    host = make_host(folder, model)
    host.start()
    seen: list[dict[str, Any]] = []
    lot = random.Random(seed)
    tracks: tuple[Track, ...] = ("l2", "heritage")
    try:
        for track in tracks:
            lessons = open_set(folder, f"es-{track}")
            adapt(host, folder, model, lessons.info.language, track)
            mine = [row for row in rows if (row["group"] == "heritage") == (track == "heritage")]
            for start in range(0, len(mine), TALK_LENGTH):
                with (
                    tempfile.TemporaryDirectory() as home,
                    open_or_create(Path(home), "Someone", lessons.info) as store,
                    (_typist if typed else _script)(
                        Session(lessons, None, store, host, level=LEVEL, seed=seed + start)
                    ) as say,
                ):
                    for _ in host.wait(lambda: False):
                        pass
                    if peer is not None:
                        opening = author.phrase(lessons.info.language, "hello", seed + start)
                        peer.begin(lessons.info.language, track, LEVEL, opening)
                    for row in mine[start : start + TALK_LENGTH]:
                        look_s = lot.choice(LOOKS_S)
                        one = _said(row, track, *say(row["learner"], look_s))
                        seen.append(one | ({"look_s": look_s} if typed else {}) | _of_peer(row, track, peer))
                        print(f"\r{len(seen)}/{len(rows)}", end="", file=sys.stderr)
    finally:
        host.close()
        print(file=sys.stderr)
    return seen


Say = Callable[[str, float], tuple[Reply, float]]
"""Says a sentence after looking at it so many seconds; gives the reply and the seconds it took."""


@contextmanager
def _script(session: Session) -> Iterator[Say]:
    list(session.start())

    def say(text: str, _: float) -> tuple[Reply, float]:
        began = time.monotonic()
        reply = next(event for event in session.submit(Said(text, ELAPSED_S)) if isinstance(event, Reply))
        return reply, time.monotonic() - began

    yield say


@contextmanager
def _typist(session: Session) -> Iterator[Say]:
    """Types into what the lesson's screen types into."""
    messages: SimpleQueue[object] = SimpleQueue()
    runner = SessionRunner(lambda: session, messages.put)
    thread = Thread(target=runner.run)
    thread.start()

    def replied() -> Reply | None:
        """What was replied until the turn was over."""
        reply = None
        while not isinstance(message := messages.get(), TurnOver):
            if isinstance(message, SessionFailed | SessionClosed):
                raise RuntimeError(f"the session ended: {message}")
            if isinstance(message, SessionEvent) and isinstance(message.event, Reply):
                reply = message.event
        return reply

    def say(text: str, look_s: float) -> tuple[Reply, float]:
        time.sleep(READS_S)
        for end in range(1, len(text) + 1):
            time.sleep(1 / LETTERS_PER_S)
            runner.write(text[:end], ELAPSED_S)
        time.sleep(look_s)
        runner.write("")
        began = time.monotonic()
        runner.submit(Said(text, ELAPSED_S + look_s))
        reply = replied()
        assert reply is not None
        return reply, time.monotonic() - began

    try:
        replied()
        yield say
    finally:
        runner.end()
        thread.join()


def _of_peer(row: dict[str, Any], track: Track, peer: PlainChat | None) -> dict[str, Any]:
    if peer is None:
        return {}
    reply = peer.say(row["learner"])
    return {
        "peer_reply": reply.text, "peer_seconds": round(reply.seconds, 3), "peer_tokens": reply.tokens,
        "peer_broken": _broken(reply.text, row, track), "peer_holds_form": _holds_form(reply.text, row),
    }  # fmt: skip


def _said(row: dict[str, Any], track: Track, reply: Reply, seconds: float) -> dict[str, Any]:
    return {
        "track": track, "learner": row["learner"], "corrected": row["corrected"], "reply": reply.text,
        "move": reply.move, "recast": reply.recast, "signals": list(reply.signals), "source": reply.source, "seconds": round(seconds, 3),
        "broken": _broken(reply.text, row, track), "holds_form": _holds_form(reply.text, row), "wrong": bool(row["errors"]),
    }  # fmt: skip


def _broken(text: str, row: dict[str, Any], track: Track) -> list[str]:
    """Rules that a reply breaks, but for the words of its level, which are the least certain."""
    situation = Situation("es", track, LEVEL, learner=row["learner"])
    return sorted({violation.rule for violation in validate(text, situation)} - {"vocabulary"})


def _holds_form(text: str, row: dict[str, Any]) -> bool | None:
    """Whether one of the forms is there that the annotators put in; None where they only took something out."""
    forms = [error["right"] for error in row["errors"] if error["right"].strip()]
    return any(contains(text, form, "es") for form in forms) if forms else None


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
    recast = [one for one in seen if one["recast"]]
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
        **_after_looks(seen),
        **_beside_peer(seen),
        "recast_as_corrected": _share(sum(_as_corrected(one) for one in recast), len(recast)),
        "holds_corrected_form": _share(sum(one["holds_form"] for one in with_form), len(with_form)),
        "signal_precision": _share(hits, len(flagged)),
        "signal_recall": _share(hits, len(wrong)),
        "correct_taken_for_errors": _share(len(flagged) - hits, right),
    }


def _after_looks(seen: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    looked = {look: [one["seconds"] for one in seen if one.get("look_s") == look] for look in LOOKS_S}
    if not any(looked.values()):
        return {}
    return {
        "median_s_after_look_of": {
            f"{look:g}": round(statistics.median(seconds), 2) for look, seconds in looked.items() if seconds
        }
    }


def _beside_peer(seen: list[dict[str, Any]]) -> dict[str, Any]:
    """What the peer said and took, and what a turn of ours takes of one of the peer's."""
    if not seen or "peer_seconds" not in seen[0]:
        return {}
    with_form = [one for one in seen if one["wrong"] and one["peer_holds_form"] is not None]
    median_s = statistics.median(one["peer_seconds"] for one in seen)
    return {
        "peer": {
            "median_s": round(median_s, 2),
            "median_tokens": statistics.median(one["peer_tokens"] for one in seen),
            "asks": _share(sum("asks" not in one["peer_broken"] for one in seen), len(seen)),
            "valid": _share(sum(not one["peer_broken"] for one in seen), len(seen)),
            "holds_corrected_form": _share(sum(one["peer_holds_form"] for one in with_form), len(with_form)),
        },
        "median_of_peers": round(statistics.median(one["seconds"] for one in seen) / median_s, 2),
    }


def _as_corrected(one: dict[str, Any]) -> bool:
    """Whether the annotators wrote what was recast, accents aside, which some of them left as they were."""
    return contains(
        without_accents(one["corrected"].casefold()), without_accents(one["recast"].casefold()), "es"
    )


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
