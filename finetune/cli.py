"""The `tutor-finetune` command."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import click

from finetune.errors import FinetuneError
from finetune.evaluate.command import evaluate

PROGRESS_EVERY = 500
"""Conversations between two lines of progress."""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Prepare the data that the tutor's models are trained on."""


@cli.command(short_help="Mix datasets to exact shares of trained tokens.")
@click.argument("config", type=click.Path(path_type=Path))
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="Folder for train.jsonl and report.json."
)
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change a setting of the config."
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def data(config: Path, out: Path, overrides: tuple[str, ...], as_json: bool) -> None:
    """Read the datasets of CONFIG and write token ids with their loss mask, in the app's own prompt format."""
    from finetune import sources
    from finetune.config import load
    from finetune.mix import Ingredient, mixed
    from finetune.tokens import rendered, tokenizer
    from tutor_app.pedagogy.templates import template_sha256

    given = load(config, overrides)
    tokenize = tokenizer(given.tokenizer)
    ingredients = [
        Ingredient(
            name, source.share,
            partial(_opened, sources.examples, source.kind, source.paths, source.options), source.repeat,
        )
        for name, source in given.sources.items()
    ]  # fmt: skip
    mixture, stream = mixed(
        ingredients, given.total_tokens, lambda example: rendered(example, given.family, tokenize), seed=given.seed,
        reweight=given.reweight,
    )  # fmt: skip
    out.mkdir(parents=True, exist_ok=True)
    part = out / "train.jsonl.part"
    with part.open("w", encoding="utf-8") as file:
        for number, (example, encoded) in enumerate(stream, 1):
            row = {
                "id": example.id,
                "source": example.source,
                "ids": encoded.ids,
                "trained": [int(t) for t in encoded.trained],
            }
            file.write(json.dumps(row) + "\n")
            if sys.stderr.isatty() and number % PROGRESS_EVERY == 0:
                print(f"\r{mixture.tokens / given.total_tokens:.0%}", end="", file=sys.stderr)
    os.replace(part, out / "train.jsonl")
    report = {
        "tokens": mixture.tokens, "family": given.family, "template_sha256": template_sha256(given.family), "seed": given.seed,
        "sources": {name: asdict(one) | {"share": round(mixture.share(name), 5)} for name, one in mixture.reached.items()},
    }  # fmt: skip
    # Written last on purpose: a folder with a report is a folder that is complete.
    (out / "report.json.part").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    os.replace(out / "report.json.part", out / "report.json")
    if as_json:
        click.echo(json.dumps(report))
        return
    click.echo(f"{'source':<24}{'asked':>8}{'reached':>9}{'tokens':>12}{'talks':>9}{'passes':>8}  left out")
    for name, one in mixture.reached.items():
        left = ", ".join(f"{count} {reason}" for reason, count in one.tally.dropped.items())
        click.echo(
            f"{name:<24}{one.asked:>8.1%}{mixture.share(name):>9.1%}{one.tokens:>12,}{one.conversations:>9,}{one.passes:>8}  {left}"
        )


@cli.command(short_help="Train a stage: a LoRA on a base and what it stands on.")
@click.argument("config", type=click.Path(path_type=Path))
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="Folder for the adapter and its figures."
)
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change a setting of the config."
)
@click.option("--restart", is_flag=True, help="Begin anew instead of taking up the last checkpoint in --out.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def train(config: Path, out: Path, overrides: tuple[str, ...], restart: bool, as_json: bool) -> None:
    """Train as CONFIG says and leave an adapter that `tutor-quantize` takes.

    Interrupted (Ctrl-C, SIGTERM), it ends after the running update with a usable adapter; the same command takes it up
    again. Several GPUs or hosts: `accelerate launch --config_file finetune/configs/accelerate/fsdp.yaml -m finetune
    train CONFIG --out FOLDER`.
    """
    from finetune.train_config import load

    given = load(config, overrides)
    from finetune.train import as_json as figures
    from finetune.train import train as run

    done = run(given, out, resume=not restart, say=partial(click.echo, err=True))
    if as_json:
        click.echo(json.dumps(figures(done)))
        return
    held = "" if done.held_out_loss is None else f", {done.held_out_loss:.3f} on held-out conversations"
    click.echo(
        f"{done.folder}: {done.steps} updates in {done.seconds / 60:.0f} min, loss {done.loss:.3f}{held}"
    )


def _opened(read: Any, kind: str, paths: list[Path], options: dict[str, Any], tally: Any) -> Any:
    return read(kind, paths, tally, options)


cli.add_command(evaluate)


def main(args: Sequence[str] | None = None) -> None:
    """Entry point: 0 done, 1 could not (one plain sentence on stderr), 2 wrong usage."""
    try:
        cli.main(args=list(args) if args is not None else None, prog_name="tutor-finetune")
    except FinetuneError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
