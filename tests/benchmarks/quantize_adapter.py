"""What a run-time adapter loses in 16 and in 8 bits, against float32.

    QUANTIZE_BENCH_ADAPTER=runs/linguist:runs/es-l2 python -m tests.benchmarks quantize_adapter

On QUANTIZE_BENCH_MODEL (default `gemma3-270m`), twice: as the app runs it, where rounding of activations hides everything
smaller (the row `without` says how much the adapter does at all), and with the base in F16, where little else is rounded.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from quantize.build import Recipe, build
from tests.benchmarks._adapters import described, main_language, run_time_files, stack_for
from tests.benchmarks._compare import Runs, compare
from tests.benchmarks.quantize_quality import TEMPLATES, lesson_texts
from tests.quantize.real import real_model


def main() -> dict[str, Any]:
    """Type → sizes and, on either base, the divergence from float32."""
    model = os.environ.get("QUANTIZE_BENCH_MODEL", "gemma3-270m")
    tokens = int(os.environ.get("QUANTIZE_BENCH_TOKENS", "512"))
    template = TEMPLATES / ("gemma.jinja" if model.startswith("gemma") else "chatml.jinja")
    with tempfile.TemporaryDirectory(
        dir=os.environ.get("QUANTIZE_BENCH_DIR"), prefix="quantize-adapter-"
    ) as scratch:
        work = Path(scratch)
        base = real_model(model)
        stack = stack_for(base, work)
        language = main_language(stack) or "es"
        files = {kind: run_time_files(base, stack, work, kind) for kind in ("F32", "F16", "Q8_0")}
        sizes = {kind: [path.stat().st_size for path in paths] for kind, paths in files.items()}
        f16 = build(Recipe(base, (), work / "F16.gguf", "F16", None, template, "bench")).path
        found: dict[str, Any] = {}
        for name, path in (("as shipped", base), ("in F16", f16)):
            others = {
                "without": Runs(path),
                **{kind: Runs(path, files[kind]) for kind in ("F16", "Q8_0")},
            }
            compared = compare(
                path,
                others,
                {language: lesson_texts()[1][language]},
                {language: tokens},
                source_adapters=files["F32"],
            )
            found[name] = {kind: of.languages()[language] | of.speed() for kind, of in compared.items()}
    return {
        "base": model,
        "adapters": described(stack),
        "bytes": sizes,
        "ratio": round(sum(sizes["Q8_0"]) / sum(sizes["F16"]), 3),
        "against_float32": found,
    }
