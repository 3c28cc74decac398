"""`outreach demo`: watch the whole job run."""

import shutil
import sys
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from outreach.cli._output import say, show
from outreach.cli._shell import Shell

if TYPE_CHECKING:
    from outreach.bootstrap import Network
    from outreach.core.ports import Clock

_DEFAULT = "outreach-demo"


def register(app: typer.Typer) -> None:
    app.command()(demo)


def demo(
    directory: Annotated[Path | None, typer.Argument(metavar="DIR", help="A new folder for the workspace.")] = None,
) -> None:
    """The whole job on invented startups: import, preview, send, replies, report. Nothing leaves this machine.

    Example: outreach demo
    """
    from outreach.cli import run
    from outreach.demo.play import play

    def type_in(words: list[str], clock: "Clock", network: "Network") -> int:
        return run(words, Shell(environment={}, clock=clock, network=network))

    folder = directory or _free(_DEFAULT)
    say(f"playing in {folder.resolve()}")
    raise typer.Exit(play(folder, run=type_in, tell=show, today=datetime.now(UTC), program=_program()))


def _program() -> str:
    """How to type this program here: by its name where the shell finds it, else by its path."""
    return "outreach" if shutil.which("outreach") else sys.argv[0]


def _free(name: str) -> Path:
    """The first name that is not taken: a demo never touches an earlier one."""
    names = (Path(name if number == 1 else f"{name}-{number}") for number in count(1))
    return next(path for path in names if not path.exists())
