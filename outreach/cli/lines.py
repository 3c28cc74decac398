"""What the user writes by hand about one person, and the way back of a filled table."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from outreach.cli._output import count, say, show, show_json, show_some
from outreach.cli._shell import DONE_IN_PART, Json, shell
from outreach.errors import UsageError

if TYPE_CHECKING:
    from outreach.flows.lines import LinesReport


def register(app: typer.Typer) -> None:
    app.command("import-lines")(import_lines)


def checked_notes(**given: str | None) -> dict[str, str]:
    """The notes that were named, each on one line. Raises UsageError for one that is no sentence any more."""
    from outreach.core.text import one_line
    from outreach.flows.lines import MAX_LINE

    named = {name: text for name, text in given.items() if text is not None}
    if too_long := next((name for name, text in named.items() if len(text) > MAX_LINE), ""):
        raise UsageError(f"--{too_long} is longer than {MAX_LINE} characters.", hint="one sentence is enough")
    return {name: one_line(text, MAX_LINE) for name, text in named.items()}


def import_lines(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="As `preview --export-lines` wrote it, filled.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    json: Json = False,
) -> None:
    """Take the lines for each person from a filled table. An empty cell changes nothing.

    Example: outreach import-lines lines.csv
    """
    from outreach.bootstrap import read_rows
    from outreach.flows.lines import import_lines as run

    with shell(context).app() as app:
        report = run(app.store, read_rows(file), clock=app.clock, dry_run=dry_run)
    if json:
        rejected = [{"line": row.line, "reason": row.reason} for row in report.rejected]
        show_json({"set": report.set, "same": report.same, "empty": report.empty, "rejected": rejected})
    else:
        _show(report, dry_run=dry_run)
    if report.rejected:
        raise typer.Exit(DONE_IN_PART)


def _show(report: "LinesReport", *, dry_run: bool) -> None:
    show_some(f"line {row.line}: not taken, {row.reason}" for row in report.rejected)
    show(
        f"{count(report.set, 'line')} {'would be ' if dry_run else ''}set, {report.same} as before, "
        f"{report.empty} left empty, {len(report.rejected)} not taken"
    )
    if report.set and not dry_run:
        say("next: outreach preview CAMPAIGN")
