"""The peer: the same conversation through plain llama-cpp-python, in a process of its own. Prints one JSON object."""

from __future__ import annotations

import json
import resource
import sys
import time
from typing import Any

from llama_cpp import Llama, llama_cpp

from tests.benchmarks._conversation import CONTEXT_TOKENS, REPLY_TOKENS, SYSTEM, TURNS
from tutor_app.llm.amx import weights_may_be_repacked


def plain_llama(path: str, chat_format: str, threads: int) -> Llama:
    """The package's defaults except for the window; `threads` 0 leaves its own choice too."""
    # With AMX its own default dies of the first matrix product; without AMX it repacks as elsewhere, and so do we.
    if not weights_may_be_repacked():
        defaults = llama_cpp.llama_model_default_params

        def without_repacking() -> Any:
            params = defaults()
            params.use_extra_bufts = False
            return params

        llama_cpp.llama_model_default_params = without_repacking
    return Llama(
        model_path=path,
        n_ctx=CONTEXT_TOKENS,
        n_threads=threads or None,
        chat_format=chat_format,
        verbose=False,
    )


def main(path: str, chat_format: str, turns: int, threads: int) -> dict[str, Any]:
    started = time.perf_counter()
    llama = plain_llama(path, chat_format, threads)
    load_ms = (time.perf_counter() - started) * 1000
    messages: list[Any] = [{"role": "system", "content": SYSTEM}]
    if chat_format == "gemma":  # its format has no system turn: the text goes in front of the learner's first
        messages = []
    rows = []
    for index, text in enumerate(TURNS[:turns]):
        before = f"{SYSTEM}\n\n" if chat_format == "gemma" and index == 0 else ""
        messages.append({"role": "user", "content": before + text})
        rows.append(_turn(llama, messages))
        messages.append({"role": "assistant", "content": rows[-1].pop("text")})
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return {"load_ms": load_ms, "turns": rows, "peak_rss_bytes": peak}


def _turn(llama: Llama, messages: list[Any]) -> dict[str, Any]:
    started = time.perf_counter()
    at: list[float] = []
    text = ""
    stream = llama.create_chat_completion(
        messages, temperature=0.0, repeat_penalty=1.1, max_tokens=REPLY_TOKENS, stream=True
    )
    for chunk in stream:
        if piece := chunk["choices"][0]["delta"].get("content"):
            at.append(time.perf_counter())
            text += piece
    return {
        "text": text,
        "ttft_ms": (at[0] - started) * 1000,
        "decode_s": at[-1] - at[0],
        "decoded": len(at) - 1,
        "prompt_tokens": llama.n_tokens - len(at),
    }


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))))
