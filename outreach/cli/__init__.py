"""The command line: parse, call one flow or one query, show. Heavy imports stay inside the bodies of commands, and a
command is loaded when it is typed."""

import gc
import io
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from outreach import __version__
from outreach.cli._shell import Program, Shell

app = typer.Typer(
    name="outreach",
    cls=Program,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:  # noqa: FBT001  Typer calls it with the option's value
    if wanted:
        typer.echo(f"outreach {__version__}")
        raise typer.Exit


@app.callback()
def program(
    context: typer.Context,
    directory: Annotated[
        Path, typer.Option("-C", metavar="DIR", envvar="OUTREACH_WORKSPACE", help="The workspace to work in.")
    ] = Path(),
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    _show_version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """From a startup list to replies in the inbox.

    Start with `outreach demo` to watch the whole job on invented data, or with `outreach init` for your own.
    """
    host = context.obj if isinstance(context.obj, Shell) else Shell()
    host.directory, host.debug = directory, debug
    context.obj = host


def run(arguments: list[str], host: Shell | None = None) -> int:
    """Run one command line in this process; return its exit code. `host` brings another clock or environment."""
    try:
        app(args=arguments, prog_name="outreach", obj=host)
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else int(bool(done.code))
    return 0


def main() -> Any:
    """The console script. A terminal of an older encoding shows `?` for what it lacks: no name ends a run."""
    for number in range(3):  # one that was closed (`2>&-`) would become the next file's, and our words go there
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    gc.set_threshold(50_000)  # loading modules makes many objects and no garbage to look for
    code = run(sys.argv[1:])
    gc.freeze()  # nor is there any need to look for it before the process ends
    sys.exit(code)
