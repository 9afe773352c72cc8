"""The `tutor-finetune` command."""

from __future__ import annotations

import errno
import json
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click

from finetune.data_command import data, retell, synthesize
from finetune.errors import FinetuneError
from finetune.evaluate.command import evaluate
from lessons.problems import LessonError
from tutor_app.errors import TutorError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Prepare data for the tutor's models, train them, and measure whether they teach."""


@cli.command(short_help="Train a stage: a LoRA on a base and what it stands on.")
@click.argument("config", type=click.Path(path_type=Path))
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="Folder for the adapter and its figures."
)
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change a setting of the config."
)
@click.option("--restart", is_flag=True, help="Delete the checkpoints in --out and begin anew.")
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


cli.add_command(data)
cli.add_command(synthesize)
cli.add_command(retell)
cli.add_command(evaluate)


def main(args: Sequence[str] | None = None) -> None:
    """Entry point: 0 done, 1 could not (one plain sentence on stderr), 2 wrong usage."""
    try:
        cli.main(args=list(args) if args is not None else None, prog_name="tutor-finetune")
    except (FinetuneError, LessonError, TutorError) as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    except (OSError, MemoryError) as error:
        # What no place in the code foresaw: a disk that filled up, memory that another program took.
        click.echo(_unforeseen(error), err=True)
        sys.exit(1)


def _unforeseen(error: OSError | MemoryError) -> str:
    if isinstance(error, MemoryError):
        return "There is not enough memory: close other programs, or ask for less at once, and try again."
    if error.errno == errno.ENOSPC:
        return (
            f"The disk is full{f' at {error.filename}' if error.filename else ''}: make room and try again."
        )
    if error.strerror:
        return f"{error.filename}: {error.strerror}." if error.filename else f"{error.strerror}."
    return next(iter(str(error).splitlines()), type(error).__name__)
