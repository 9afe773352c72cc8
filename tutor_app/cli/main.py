"""The `tutor` command: opens the app, or runs one of its sub-commands.

Sub-commands are imported only when they are called, so that the first paint waits for none of them.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

import click

from lessons.problems import LessonError
from tutor_app.cli.context import Context, data_dir
from tutor_app.errors import TutorError

COMMANDS = {
    "demo": ("tutor_app.cli.demo", "demo", "A minute's lesson with a scripted learner and the real model."),
    "session": ("tutor_app.cli.session", "session", "A lesson as JSON lines, for scripts and tests."),
    "doctor": ("tutor_app.cli.doctor", "doctor", "What this machine can run, and what to change."),
    "models": ("tutor_app.cli.models", "models", "List, choose, check, import and fetch language models."),
    "lessons": ("tutor_app.cli.lessons", "lessons", "Make, check, pack, install and convert lesson sets."),
    "progress": (
        "tutor_app.cli.progress",
        "progress",
        "Show, export, import, back up or delete a learner's data.",
    ),
    "report": ("tutor_app.cli.report", "report", "Class report from learners' hand-in files."),
}
"""Name → (module, attribute, one line for `--help`)."""


class TutorGroup(click.Group):
    """A group that knows its commands by name and imports each on its first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, _, summary) in COMMANDS.items()])


@click.group(
    cls=TutorGroup, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.option(
    "--data-dir", "folder", metavar="DIR", help="Where learners, models and lessons are kept [$TUTOR_HOME]."
)
@click.option(
    "--plain",
    is_flag=True,
    help="Line by line, without escape codes: for screen readers and simple terminals.",
)
@click.option("--learner", metavar="NAME", help="Open as this learner.")
@click.option(
    "--offline/--online", default=True, help="Whether a command may use the network (default: it may not)."
)
@click.version_option(package_name="linguist-tutor", prog_name="tutor")
@click.pass_context
def cli(ctx: click.Context, folder: str | None, plain: bool, learner: str | None, offline: bool) -> None:
    """A private, patient language tutor that runs on this machine.

    Without a command it opens the app, or its plain form where there is no terminal.
    """
    ctx.obj = Context(data_dir(folder), offline)
    if ctx.invoked_subcommand is not None:
        return
    if plain or not (sys.stdin.isatty() and sys.stdout.isatty()) or os.environ.get("TERM") == "dumb":
        from tutor_app.plain import run_plain

        ctx.exit(run_plain(ctx.obj.data_dir, learner))
    from tutor_app.cli.app import run_app

    ctx.exit(run_app(ctx.obj.data_dir, learner))


def main(args: Sequence[str] | None = None) -> None:
    """Entry point: 0 done, 1 could not (one plain sentence on stderr), 2 wrong usage."""
    try:
        cli.main(args=list(args) if args is not None else None, prog_name="tutor", standalone_mode=True)
    except (TutorError, LessonError) as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    except BrokenPipeError:
        # The reader of our output went away (`tutor ... | head`); nothing is left to say, and nobody to say it to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
