"""What every command shares: the options of the program itself, the open workspace, and the one catch of its errors."""

import errno
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from outreach.cli._commands import LINES, SECTIONS, build
from outreach.cli._output import check_written, say
from outreach.errors import OutreachError, UsageError, WorkspaceError

if TYPE_CHECKING:
    from outreach.bootstrap import App, Network  # loads SQLAlchemy and the rest: only commands that need it pay for it
    from outreach.core.ports import Clock

DONE_IN_PART = 3
INTERRUPTED = 130
_NO_ROOM = ("written", "free some space, then type the same command again")
_NOT_YOURS = ("used", "see to its permissions and those of its folder, then type the same command again")
_REMEDIES = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EROFS), _NO_ROOM),
    **dict.fromkeys((errno.EACCES, errno.EPERM), _NOT_YOURS),
}
"""What a system says of a file → what cannot be done with it, and what helps."""

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]


@dataclass
class Shell:
    """Where the program runs: which workspace, which environment, whose clock; `at` is told each labelled step."""

    directory: Path = field(default_factory=Path)
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    clock: "Clock | None" = None
    network: "Network | None" = None
    at: Callable[[str], None] = lambda _label: None
    debug: bool = False

    @contextmanager
    def app(self) -> Iterator["App"]:
        """The open workspace."""
        from outreach.bootstrap import open_app

        with open_app(self.directory, self.environment, clock=self.clock, network=self.network, at=self.at) as app:
            yield app


def shell(context: typer.Context) -> Shell:
    """The shell of a running command."""
    found = context.find_root().obj
    assert isinstance(found, Shell)  # noqa: S101  the root callback has put it there
    return found


def report_error(error: OutreachError) -> None:
    """`error:` says what happened, `hint:` what to type next."""
    say(f"error: {error}")
    if error.hint:
        say(f"hint: {error.hint}")


class Program(TyperGroup):
    """The root: the one place where errors become text and exit codes."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        # As names only: `resolve_command` makes the one that is typed.
        self.commands = {name: TyperCommand(name, help=line) for name, line in LINES.items()}

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, found, rest = super().resolve_command(ctx, args)
        return name, build(name) if name and found else None, rest

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002  Typer's signature
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, line) for name, (_, line) in commands.items()])

    def invoke(self, ctx: Any) -> Any:
        try:
            done = super().invoke(ctx)
            check_written()
        except OutreachError as error:
            if _debugging(ctx):
                raise
            report_error(error)
            raise typer.Exit(error.exit_code) from None
        except (KeyboardInterrupt, typer.Abort):
            say("interrupted; nothing is lost: the same command goes on where this one stopped")
            raise typer.Exit(INTERRUPTED) from None
        except Exception as error:  # the last resort: a bug must not print a user's secrets
            if _debugging(ctx) or type(error).__module__.startswith("typer"):
                raise  # its own ways to end a command, usage errors among them
            if isinstance(error, OSError) and error.errno in _REMEDIES:
                does, hint = _REMEDIES[error.errno]
                named = error.filename or "a file"
                report_error(WorkspaceError(f"{named} cannot be {does}: {error.strerror}.", hint=hint))
                raise typer.Exit(1) from None
            if isinstance(error, OverflowError):  # more than SQLite or a calendar can hold: no list shows such a one
                report_error(UsageError("a number is too big.", hint="ids are short, and the lists show them"))
                raise typer.Exit(UsageError.exit_code) from None
            say(f"error: outreach has a bug ({type(error).__name__}). What was already done is recorded.")
            say("hint: run the same command with `outreach --debug …` and report what it prints")
            raise typer.Exit(1) from None
        return done


class Group(TyperGroup):
    """Commands that belong together, each with its whole first sentence in the help."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002  Typer's signature
        with formatter.section("Commands"):
            formatter.write_dl([(name, (each.help or "").partition("\n\n")[0]) for name, each in self.commands.items()])


class Listing(Group):
    """A group of commands whose `list` may be left out: `outreach founders --limit 5`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        names = {*self.commands, "--help", "-h"}
        completing = ctx.resilient_parsing and not args  # what comes next may be any of the commands
        if not completing and (not args or (args[0].startswith("-") and args[0] not in names)):
            args = ["list", *args]
        return super().parse_args(ctx, args)

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        """The commands, and the options of `list`."""
        found = super().shell_complete(ctx, incomplete)
        listed = self.get_command(ctx, "list")
        if listed and incomplete.startswith("-"):
            within = listed.make_context("list", [], parent=ctx, resilient_parsing=True)
            found += listed.shell_complete(within, incomplete)
        return found


def listing(help_text: str) -> typer.Typer:
    """An empty group of that kind. Plain help: rich would cost more than everything else at start-up."""
    return typer.Typer(cls=Listing, help=help_text, no_args_is_help=False, rich_markup_mode=None)


def _debugging(context: Any) -> bool:
    return isinstance(context.obj, Shell) and context.obj.debug
