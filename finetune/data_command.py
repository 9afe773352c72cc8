"""`tutor-finetune data`, `synthesize` and `retell`."""

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


@click.command(short_help="Let a model say the tutor's lines of dialogues anew.")
@click.argument("talks", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The file to write.")
@click.option("--model", required=True, help="A name of `tutor models list`, or a GGUF file.")
@click.option("--language", required=True, help="Only dialogues in this language, such as es.")
@click.option("--track", type=click.Choice(["heritage", "l2"]), help="Only those for these learners.")
@click.option(
    "--free-talk",
    is_flag=True,
    help="Only free talk: each lesson's own prompt takes as long to read as ten replies.",
)
@click.option("--most", type=click.IntRange(min=1), default=100, show_default=True, help="Dialogues.")
@click.option(
    "--threads", type=click.IntRange(min=1), help="Processor threads; the engine chooses by default."
)
def retell(
    talks: Path,
    out: Path,
    model: str,
    language: str,
    track: str | None,
    free_talk: bool,
    most: int,
    threads: int | None,
) -> None:
    """Have MODEL, shown the app's example turns, react in its own words in the dialogues of TALKS (a talk.jsonl).

    A reply that the app's validator refuses stays as it was composed. The file is a `dialogues` source of
    `tutor-finetune data`.
    """
    from collections import Counter
    from contextlib import closing
    from itertools import islice

    from finetune.evaluate.config import Model
    from finetune.evaluate.run import opened
    from finetune.records import Tally
    from finetune.sources.shapes import good_rows
    from finetune.synthesize.retell import retold

    rows = (
        row
        for _, row in good_rows([talks], Tally(), ("messages", "language", "track", "level"))
        if row["language"] == language
        and track in (None, row["track"])
        and not (free_talk and row.get("lesson"))
    )
    # Those with the same prompt one after another, so that it is read once.
    chosen = sorted(islice(rows, most), key=lambda row: str(row["messages"][0]["content"]))
    counts: Counter[str] = Counter()
    _, load = opened(Model(model=model, style="few-shot", threads=threads))
    part = out.with_name(out.name + ".part")
    with closing(load()) as speaker, part.open("w", encoding="utf-8") as file:
        for number, row in enumerate(retold(chosen, speaker, counts), 1):
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            file.flush()
            if sys.stderr.isatty():
                print(f"\r{number} of {most}   ", end="", file=sys.stderr)
    part.replace(out)
    click.echo(", ".join(f"{count} {why}" for why, count in counts.most_common()))


def _progress(share: float) -> None:
    print(f"\r{share:.0%}", end="", file=sys.stderr)
