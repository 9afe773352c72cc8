"""`tutor-finetune evaluate`."""

from __future__ import annotations

import json
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import TracebackType
from typing import Any

import click


@click.command(short_help="Measure whether models teach, side by side.")
@click.argument("config", type=click.Path(path_type=Path))
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change a setting of the config."
)
@click.option(
    "--limit", type=click.IntRange(min=1), help="At most so many samples of each kind: a quick look."
)
@click.option("--only", multiple=True, metavar="MODEL", help="Leave the other models of CONFIG out.")
@click.option(
    "--record",
    is_flag=True,
    help="Write the headline figures and the threshold into the manifests of trained models.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def evaluate(
    config: Path,
    overrides: tuple[str, ...],
    limit: int | None,
    only: tuple[str, ...],
    record: bool,
    as_json: bool,
) -> None:
    """Ask every model of CONFIG the same things, and write report.json and report.html.

    What the models say is kept and never asked for twice: a run that was stopped goes on where it was, and models
    that were asked one by one (--only) are put together by a last run without it.
    """
    from finetune.evaluate.config import load
    from finetune.evaluate.page import page
    from finetune.evaluate.record import record as write_record
    from finetune.evaluate.run import evaluate as measure
    from finetune.evaluate.summary import summary
    from tutor_app.llm.files import replace_file

    given = load(config, overrides, limit, only)
    with _bar() as bar:
        report = measure(given, bar)
    given.out.mkdir(parents=True, exist_ok=True)
    replace_file(given.out / "report.html", page(report).encode())
    # Written last on purpose: a folder with report.json is a folder that is complete.
    replace_file(
        given.out / "report.json", (json.dumps(report, ensure_ascii=False, indent=1) + "\n").encode()
    )
    if record:
        for path in write_record(given, report):
            click.echo(f"recorded in {path}", err=True)
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False))
        return
    click.echo(summary(report))
    click.echo(f"\n{given.out / 'report.html'}")


def _bar() -> AbstractContextManager[Any]:
    """A progress bar on standard error, and only on a terminal."""
    return _Bar() if sys.stderr.isatty() else nullcontext()


class _Bar:
    """One line a model: how many answers of about how many, and how long it will take."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
            console=Console(stderr=True),
        )  # fmt: skip
        self._task: Any = None

    def __enter__(self) -> _Bar:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:  # fmt: skip
        self._progress.stop()

    def model(self, name: str, expected: int) -> None:
        """A new line."""
        self._task = self._progress.add_task(name, total=expected)

    def answer(self, known: bool) -> None:
        """One more; the estimate may be a little low, since a shortened version is scored again."""
        del known
        self._progress.advance(self._task)
