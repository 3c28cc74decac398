"""`outreach import FILE…`: brings lists in, and says what became of every row."""

import csv
import shutil
import sys
from collections.abc import Iterable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, TYPE_CHECKING, Annotated

import typer

from outreach.cli._output import FEW, count, say, show, show_json, show_some
from outreach.cli._shell import DONE_IN_PART, Json, shell
from outreach.errors import ImportRefused, UsageError

if TYPE_CHECKING:
    from outreach.flows.ingest import FileReport, IngestReport, Source


def register(app: typer.Typer) -> None:
    app.command("import")(import_lists)


def import_lists(
    context: typer.Context,
    files: Annotated[
        list[str], typer.Argument(metavar="FILE", help="CSV, TSV, XLSX or JSON files; - reads standard input.")
    ],
    format_name: Annotated[
        str, typer.Option("--format", metavar="NAME", help="The format, if it is not recognised.")
    ] = "",
    mapped: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="FIELD=HEADER", help="Which column holds a field; may be repeated."),
    ] = None,
    encoding: Annotated[
        str, typer.Option(metavar="NAME", help="How letters are written, if names look wrong, such as windows-1250.")
    ] = "",
    tag: Annotated[str, typer.Option(help="Tag every founder in these files.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would happen.")] = False,
    rejects: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write skipped rows here, with the reason, to be fixed and imported."),
    ] = None,
    json: Json = False,
) -> None:
    """Bring lists of startups in: rows that speak of the same company or founder become one, nothing is lost.

    Example: outreach import companies-9-24-2025.csv --tag autumn
    """
    overrides = _overrides(mapped or [])
    if rejects and (rejects.exists() or not rejects.parent.is_dir()):
        raise UsageError(
            f"{rejects} cannot be made: it is there already, or its folder is not.", hint="name a new file"
        )
    with shell(context).app() as app:
        from outreach.flows.ingest import ingest
        from outreach.importers import all_importers

        with ExitStack() as spooled:
            sources = [_source(name, app.clock.now(), app.workspace.folder, spooled) for name in files]
            report = ingest(
                app.store,
                sources,
                importers=all_importers(),
                clock=app.clock,
                format_name=format_name,
                overrides=overrides,
                encoding=encoding,
                tag=tag.strip(),
                dry_run=dry_run,
            )
        people = app.store.report.people()
    if rejects:
        _write_rejects(rejects, report)
    if json:
        show_json(report.as_json())
    else:
        _show_report(report, rejects)
        if not report.dry_run:
            _say_next(people.imported, people.with_address)
    if report.in_part:
        raise typer.Exit(DONE_IN_PART)


def _say_next(founders: int, with_address: int) -> None:
    if with_address:
        rest = "; outreach find looks for the others" if with_address < founders else ""
        say(f"{with_address:,} of {founders:,} founders {'has' if with_address == 1 else 'have'} an address{rest}")
        say("next: outreach campaign new NAME --sequence job-search")
    elif founders:
        say("no founder has an e-mail address yet: few lists hold them")
        say("next: outreach find   (or outreach import LIST.csv: any table with names, companies and addresses)")


def _overrides(mapped: Iterable[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in mapped]
    if wrong := next((field for field, equals, header in pairs if not field or not equals or not header), None):
        raise UsageError(
            f"--map {wrong} names no column.", hint='write --map FIELD=HEADER, such as --map company="Firm name"'
        )
    return {field.strip(): header for field, _, header in pairs}


def _source(name: str, now: datetime, folder: Path, spooled: ExitStack) -> "Source":
    """A file, or what a pipe delivers: that can be read only once, so it lies in the workspace until `spooled` ends."""
    from outreach.flows.ingest import Source

    if name == "-":
        return Source("standard input", _spool(sys.stdin.buffer, folder, spooled), now)
    path = Path(name)
    try:
        with path.open("rb") as file:
            if not path.is_file():
                return Source(_printable(path.name), _spool(file, folder, spooled), now)
            return Source(_printable(path.name), path, datetime.fromtimestamp(path.stat().st_mtime, UTC))
    except IsADirectoryError:
        raise ImportRefused(f"{name} is a folder.", hint=f"name the files: outreach import {name}/*.csv") from None
    except FileNotFoundError:
        raise ImportRefused(
            f"there is no file {name}.", hint="check the path, or use - to read standard input"
        ) from None
    except OSError as error:
        raise ImportRefused(f"{name} cannot be read: {error.strerror}.", hint="check its permissions") from None


def _spool(pipe: IO[bytes], folder: Path, spooled: ExitStack) -> Path:
    path = Path(spooled.enter_context(TemporaryDirectory(dir=folder, prefix=".import-"))) / "list"
    with path.open("wb") as file:
        shutil.copyfileobj(pipe, file)
    return path


def _printable(name: str) -> str:
    """A file name may hold bytes that are no text; the store takes text only."""
    return name.encode("utf-8", "replace").decode("utf-8")


def _write_rejects(path: Path, report: "IngestReport") -> None:
    """The skipped rows with their own headers, so that the file can be imported once it is fixed.

    Cells that stood beyond the header come last.
    """
    from outreach.core.cells import Cells, guarded

    skipped = [(file, row) for file in report.files for row in file.skipped]
    headers = list(dict.fromkeys(header for file, _ in skipped for header in file.headers))
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*map(guarded, headers), "reject_line", "reject_reason"])
        for _, row in skipped:
            beyond = Cells.of(row.cells).texts[len(row.cells) :]
            writer.writerow(
                [
                    *(guarded(row.cells.get(header, "")) for header in headers),
                    row.line,
                    row.reason,
                    *map(guarded, beyond),
                ]
            )


def _show_report(report: "IngestReport", rejects: Path | None) -> None:
    for file in report.files:
        _show_file(file)
    verb = "would bring" if report.dry_run else "brought"
    companies, founders = report.companies, report.founders
    show(f"{verb}  {'':12}new  merged  same".rstrip())
    show(f"  companies     {companies.new:>5}  {companies.merged:>6}  {companies.same:>4}")
    show(f"  founders      {founders.new:>5}  {founders.merged:>6}  {founders.same:>4}")
    show(f"  addresses     {report.new_addresses:>5}")
    if report.candidates:
        show(
            f"{count(report.candidates, 'pair')} may be the same; they stay apart until you decide: outreach duplicates"
        )
    if report.weak:
        show(f"{count(report.weak, 'new company', 'new companies')} known by name only")
    if report.shared_domains:
        show(f"shared by several companies, so no proof of anything: {', '.join(report.shared_domains[:FEW])}")
    show_some(report.notes)
    skipped = sum(len(file.skipped) for file in report.files)
    if skipped:
        kept = f"they are in {rejects}" if rejects else "write them to a file with --rejects FILE"
        say(f"{count(skipped, 'row')} skipped; {kept}")
    if report.dry_run:
        say("dry run: nothing was changed; without --dry-run it is")


def _show_file(file: "FileReport") -> None:
    outcomes = file.outcomes
    told = f"{outcomes.new} new, {outcomes.merged} merged, {outcomes.same} same, {len(file.skipped)} skipped"
    show(f"{file.file}: {file.format}, {file.encoding}, {count(file.rows, 'row')}: {told}")
    show(f"  columns: {', '.join(f'{field} = {header}' for field, header in file.mapping.items())}")
    if file.unmapped:
        more = f", and {len(file.unmapped) - FEW} more columns" if len(file.unmapped) > FEW else ""
        show(f"  kept as they are: {', '.join(file.unmapped[:FEW])}{more}")
    if file.seen_as is not None:
        show(f"  the same file was imported before (import {file.seen_as}): nothing changes")
    show_some(file.notes)
    show_some(f"line {row.line}: skipped, {row.reason}" for row in file.skipped)
    show_some(f"line {row.line}: {row.reason}" for row in file.warnings)
