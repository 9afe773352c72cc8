"""The `tutor-quantize` command."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from quantize.errors import QuantizeError

if TYPE_CHECKING:
    from quantize.lora_gguf import AdapterType

FILE = click.Path(path_type=Path)
"""A path that need not exist: what is missing is said in our words, with exit code 1."""


class LanguageValue(click.ParamType[tuple[str, str]]):
    """`es=FILE` or `es=2`: a language and something of it."""

    name = "LANG=VALUE"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """(language, the rest)."""
        if isinstance(value, tuple):
            return value
        language, found, rest = str(value).partition("=")
        if not (found and language and rest):
            self.fail(f"{value!r} is not of the form es=FILE", param, ctx)
        return language, rest


TEXTS = click.option(
    "--text",
    "texts",
    type=LanguageValue(),
    multiple=True,
    metavar="LANG=FILE",
    help="UTF-8 text in a language; repeat.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print figures as JSON on stdout.")
THREADS = click.option("--threads", type=click.IntRange(min=1), help="Processor threads.")
OVERWRITE = click.option("--overwrite", is_flag=True, help="Replace the output file if there is one.")
ALLOW_UNKNOWN = click.option(
    "--allow-unknown-base",
    is_flag=True,
    help="Take adapters without a manifest, whose base cannot be checked.",
)
BASE_ID = click.option(
    "--base-id", metavar="ID", help="The base's name in the lineage (default: as the adapters say)."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="linguist-tutor", prog_name="tutor-quantize")
def cli() -> None:
    """Turn a base model and LoRA adapters into files that the app runs.

    A base is a model folder in Hugging Face's layout or a GGUF file; an adapter is a folder saved by PEFT, or a GGUF
    LoRA such as those that the app brings. Nothing is downloaded, and torch is not needed.
    """
    # The library warns about tokenizer files on stderr; what matters is checked, and refused in our words.
    logging.getLogger("gguf").setLevel(logging.ERROR)


@cli.command()
@click.argument("base", type=FILE)
@click.argument("adapters", type=FILE, nargs=-1)
@click.option("--type", "kind", default="Q4_K_M", show_default=True, help="llama.cpp's name of a type.")
@click.option("-o", "--output", type=FILE, required=True, help="The GGUF to write.")
@click.option("--imatrix", type=FILE, help="Importance matrix, from `tutor-quantize imatrix` or llama.cpp.")
@click.option(
    "--template", type=FILE, help="Chat template (default: the one the adapters were trained with)."
)
@click.option("--name", help="The model's name (default: the output file's).")
@BASE_ID
@click.option(
    "--keep-f16", is_flag=True, help="Keep the 16-bit file, to make other types from or to verify against."
)
@OVERWRITE
@ALLOW_UNKNOWN
@THREADS
@JSON
def build(
    base: Path,
    adapters: tuple[Path, ...],
    kind: str,
    output: Path,
    imatrix: Path | None,
    template: Path | None,
    name: str | None,
    base_id: str | None,
    keep_f16: bool,
    overwrite: bool,
    allow_unknown_base: bool,
    threads: int | None,
    as_json: bool,
) -> None:
    """Merge ADAPTERS into BASE, in this order, and write one GGUF with its manifest.

    F32, F16, BF16 and Q8_0 are written directly; other types go through a 16-bit file beside the output. If that is
    interrupted, the same command takes it up again.
    """
    from quantize.build import Recipe
    from quantize.build import build as run

    recipe = Recipe(
        base=base,
        adapters=adapters,
        output=output,
        type=kind,
        imatrix=imatrix,
        template=template,
        name=name,
        base_id=base_id,
        keep_f16=keep_f16,
        overwrite=overwrite,
        allow_unknown_base=allow_unknown_base,
        threads=threads,
    )
    stack = " + ".join([base.name, *(adapter.name for adapter in adapters)])
    click.echo(f"building {output.name} ({kind.upper()}) from {stack}", err=True)
    built = run(recipe)
    if as_json:
        _print_json(dataclasses.asdict(built))
        return
    click.echo(f"{built.path}  {built.type}, {built.size_bytes / 1e9:.2f} GB, sha256 {built.sha256}")
    click.echo(
        f"template: {built.template_source}"
        + ("; the 16-bit file of an earlier run was used" if built.resumed else "")
    )


@cli.command()
@click.argument("base", type=FILE)
@click.argument("adapters", type=FILE, nargs=-1, required=True)
@click.option("-o", "--output", type=FILE, required=True, help="The GGUF LoRA to write.")
@click.option(
    "--type",
    "kind",
    type=click.Choice(["Q8_0", "F16", "F32"], case_sensitive=False),
    default="Q8_0",
    show_default=True,
    help="Q8_0 is the smallest, and runs like F16.",
)
@click.option(
    "--below", type=FILE, multiple=True, help="An adapter it was trained on top of, loaded beside it; repeat."
)
@click.option("--name", help="The adapter's name (default: the output file's).")
@BASE_ID
@OVERWRITE
@ALLOW_UNKNOWN
@JSON
def adapter(
    base: Path,
    adapters: tuple[Path, ...],
    output: Path,
    kind: str,
    below: tuple[Path, ...],
    name: str | None,
    base_id: str | None,
    overwrite: bool,
    allow_unknown_base: bool,
    as_json: bool,
) -> None:
    """Write ADAPTERS as one GGUF LoRA that the app puts on top of BASE at run time."""
    from quantize.lora_gguf import build_adapter

    built = build_adapter(
        base,
        adapters,
        output,
        kind=cast("AdapterType", kind.upper()),
        below=below,
        name=name,
        base_id=base_id,
        allow_unknown_base=allow_unknown_base,
        overwrite=overwrite,
    )
    if as_json:
        _print_json(dataclasses.asdict(built))
    else:
        click.echo(f"{built.path}  {built.size_bytes / 1e6:.1f} MB, sha256 {built.sha256}")


@cli.command()
@click.argument("model", type=FILE)
@TEXTS
@click.option(
    "--dialogues",
    type=FILE,
    multiple=True,
    help='Conversations with their "language" as JSON lines, as `tutor-finetune synthesize` writes them; repeat.',
)
@click.option(
    "--weight", "weights", type=LanguageValue(), multiple=True, metavar="LANG=N", help="Weight of a language."
)
@click.option(
    "--adapter", "adapters", type=FILE, multiple=True, help="GGUF LoRA to apply while measuring; repeat."
)
@click.option(
    "--max-tokens", type=click.IntRange(min=512), default=50_000, show_default=True, help="Of each language."
)
@click.option(
    "-o", "--output", type=FILE, required=True, help="The matrix to write, in llama.cpp's GGUF format."
)
@OVERWRITE
@THREADS
@JSON
def imatrix(
    model: Path,
    texts: tuple[tuple[str, str], ...],
    dialogues: tuple[Path, ...],
    weights: tuple[tuple[str, str], ...],
    adapters: tuple[Path, ...],
    max_tokens: int,
    output: Path,
    overwrite: bool,
    threads: int | None,
    as_json: bool,
) -> None:
    """Measure which weights of MODEL (a GGUF) matter for your texts and conversations, for `build --imatrix`.

    Languages count equally however much text there is of each, unless --weight says otherwise.
    """
    from quantize.dialogues import read_dialogues
    from quantize.files import check_output
    from quantize.imatrix_file import write_imatrix
    from quantize.importance import measure_importance

    if not texts and not dialogues:
        raise click.UsageError("give at least one --text LANG=FILE or --dialogues FILE")
    check_output(output, overwrite=overwrite)
    matrix = measure_importance(
        model,
        _texts(texts),
        dialogues=[one for path in dialogues for one in read_dialogues(path)],
        weights={language: _number(value) for language, value in weights},
        max_tokens=max_tokens,
        adapters=adapters,
        threads=threads,
    )
    write_imatrix(output, matrix)
    if as_json:
        _print_json({"path": output, "tensors": len(matrix.importance), "tokens": dict(matrix.tokens)})
    else:
        counts = ", ".join(f"{language} {count}" for language, count in matrix.tokens.items())
        click.echo(f"{output}  {len(matrix.importance)} matrices; tokens: {counts}")


@cli.command()
@click.argument("result", type=FILE)
@click.option(
    "--source", type=FILE, required=True, help="What it was made from: the 16-bit GGUF, or a model folder."
)
@click.option(
    "--adapter",
    "adapters",
    type=FILE,
    multiple=True,
    help="Adapters of the source, in order: GGUF LoRA files, or PEFT folders; repeat.",
)
@TEXTS
@click.option(
    "--dialogues", type=FILE, help="Conversations as JSON lines, with training's token ids if it kept them."
)
@click.option("--tokenizer", type=FILE, help="tokenizer.json of training, to compare ids with.")
@click.option("--limits", type=FILE, help="YAML file with limits (default: built in).")
@THREADS
@JSON
def verify(
    result: Path,
    source: Path,
    adapters: tuple[Path, ...],
    texts: tuple[tuple[str, str], ...],
    dialogues: Path | None,
    tokenizer: Path | None,
    limits: Path | None,
    threads: int | None,
    as_json: bool,
) -> None:
    """Compare RESULT with its source on your texts and write the figures into its manifest.

    Exits 1, saying why, when it is further away than the limits allow.
    """
    from quantize.dialogues import BUILT_IN, read_dialogues
    from quantize.errors import VerificationFailed
    from quantize.limits import read_limits
    from quantize.source import as_gguf
    from quantize.verify import record
    from quantize.verify import verify as run

    if not texts:
        raise click.UsageError("give at least one --text LANG=FILE")
    with as_gguf(source, adapters, result) as (source_file, run_time):
        verification = run(
            result,
            source_file,
            _texts(texts),
            limits=read_limits(limits),
            adapters=run_time,
            dialogues=read_dialogues(dialogues) if dialogues else BUILT_IN,
            tokenizer=tokenizer,
            threads=threads,
        )
    record(verification)
    if as_json:
        _print_json(verification.evaluation() | {"failures": list(verification.failures)})
    else:
        for line in verification.lines():
            click.echo(line)
    if verification.failures:
        raise VerificationFailed("; ".join(verification.failures))


@cli.command()
@click.argument("path", type=FILE)
@JSON
def inspect(path: Path, as_json: bool) -> None:
    """What is in a GGUF file or an adapter folder, lineage first."""
    from quantize.describe import describe, table

    shown = describe(path)
    if as_json:
        _print_json(shown)
    else:
        for line in table(shown):
            click.echo(line)


def _texts(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Language → text; several files of a language follow each other."""
    from quantize.files import read_text

    texts: dict[str, str] = {}
    for language, path in pairs:
        texts[language] = texts.get(language, "") + read_text(Path(path))
    return texts


def _number(value: str) -> float:
    try:
        return float(value)
    except ValueError as error:
        raise click.UsageError(f"--weight: {value!r} is not a number") from error


def _print_json(data: dict[str, Any]) -> None:
    def plain(value: Any) -> Any:
        return value.model_dump(mode="json") if hasattr(value, "model_dump") else str(value)

    click.echo(json.dumps(data, ensure_ascii=False, indent=2, default=plain))


def main(args: Sequence[str] | None = None) -> None:
    """Entry point: 0 done, 1 could not (one line on stderr says why), 2 wrong usage."""
    try:
        cli.main(
            args=list(args) if args is not None else None, prog_name="tutor-quantize", standalone_mode=True
        )
    except QuantizeError as error:
        click.echo(f"tutor-quantize: {error}", err=True)
        sys.exit(1)
    except BrokenPipeError:
        # The reader of our output went away (`tutor-quantize inspect … | head`), and nobody is left to be told.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except (OSError, MemoryError) as error:
        # What no place in the code foresaw: a disk that was pulled out, memory that another program took.
        click.echo(
            f"tutor-quantize: {error or 'out of memory; close other programs and try again'}", err=True
        )
        sys.exit(1)
