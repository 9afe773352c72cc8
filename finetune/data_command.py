"""`tutor-finetune data` and `tutor-finetune synthesize`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click


@click.command(short_help="Mix datasets to exact shares of trained tokens.")
@click.argument("config", type=click.Path(path_type=Path))
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="Folder for train.jsonl and the report."
)
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change a setting of the config."
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def data(config: Path, out: Path, overrides: tuple[str, ...], as_json: bool) -> None:
    """Read the datasets of CONFIG and write token ids with their loss mask, in the app's own prompt format.

    Near-duplicates, also of evaluation data that CONFIG names, are left out. A run that was stopped goes on where it
    was. Writes train.jsonl, report.json and report.png.
    """
    from finetune.config import load
    from finetune.data_report import plot, table
    from finetune.data_run import build

    report = build(load(config, overrides), out, _progress if sys.stderr.isatty() else None)
    plot(report, out / "report.png")
    click.echo(json.dumps(report) if as_json else table(report))


@click.command(short_help="Make pedagogical dialogues from lessons and learner sentences.")
@click.argument("config", type=click.Path(path_type=Path))
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="Folder for the dialogues and the report."
)
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change a setting of the config."
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def synthesize(config: Path, out: Path, overrides: tuple[str, ...], as_json: bool) -> None:
    """Let the app's own policy lead talks with simulated learners, and write what a good tutor would have said.

    Writes talk.jsonl, item.jsonl and native.jsonl (the reformulation task), for a `dialogues` source of
    `tutor-finetune data`, and report.json. No model takes part.
    """
    from finetune.synthesize.config import load
    from finetune.synthesize.report import table
    from finetune.synthesize.run import synthesize as make

    def told(name: str, done: int, wanted: int) -> None:
        print(f"\r{name}: {done} of {wanted}   ", end="", file=sys.stderr)

    report = make(load(config, overrides), out, told if sys.stderr.isatty() else None)
    click.echo(json.dumps(report, ensure_ascii=False) if as_json else table(report))


def _progress(share: float) -> None:
    print(f"\r{share:.0%}", end="", file=sys.stderr)
