"""Brings lists of startups into the store: read every file, plan, then write it all in one transaction or nothing.

Identity is decided by `core` from the rows themselves, known ones and new ones together. Which formats there are
arrives as an argument.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from pathlib import Path

import sqlalchemy as sa

from outreach.core.merge import MergePlan, RowOutcome, judge_rows, plan_merge
from outreach.core.ports import Clock
from outreach.core.records import Lead, RowError
from outreach.core.survivors import Entry
from outreach.core.values import export_date
from outreach.flows._ingest_report import Count, FileReport, IngestReport
from outreach.flows._known import with_known
from outreach.importers import Importers, StartupList
from outreach.store.leads import Leads
from outreach.store.merging import Merging, NewImport, NewLead, tag_import
from outreach.store.store import Store

__all__ = ["FileReport", "IngestReport", "Source", "ingest"]


@dataclass(frozen=True, slots=True)
class Source:
    """One file: its bytes, or where they are. `modified_at` dates its contents where its name does not."""

    name: str
    data: bytes | Path
    modified_at: datetime


def ingest(
    store: Store,
    sources: Sequence[Source],
    *,
    importers: Importers,
    clock: Clock,
    format_name: str = "",
    overrides: Mapping[str, str] | None = None,
    tag: str = "",
    dry_run: bool = False,
) -> IngestReport:
    """Import these files. Raises ImportRefused, before anything is written, if one of them is no list.

    A dry run makes the same plan from the same store and writes nothing.
    """
    now = clock.now()
    lists = [
        importers.open_list(each.data, each.name, format_name=format_name, overrides=overrides or {})
        for each in sources
    ]
    with store.database.read() if dry_run else store.database.write() as connection:
        leads = store.leads
        files = [_file(leads, connection, each, of, now) for each, of in zip(sources, lists, strict=True)]
        lines, fresh = _sort_lines(files, leads, connection)
        entries, known = with_known(fresh, leads, importers, connection)
        plan = plan_merge(entries, known)
        judged = _judged(lines, judge_rows(plan, entries, known))
        merging = Merging(connection, now, store.suppression_log)
        unasked = merging.unasked(plan.questions, known.companies, known.founders)
        if not dry_run:
            _write(merging, files, lines, judged, plan, entries, tag)
            merging.ask(plan.questions, known.companies, known.founders)
            _tag_again(connection, files, tag)
    return _report(files, lines, judged, plan, candidates=len(unasked), dry_run=dry_run)


# --- reading --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _File:
    """A list, with what dates and identifies it. `seen_as`: the import that has read it already."""

    list: StartupList
    rows: tuple[Lead | RowError, ...]
    exported_at: datetime
    seen_as: int | None


@dataclass(frozen=True, slots=True)
class _Line:
    """A row of a file. Whom it speaks of is decided at `entry`, or was for the stored row `twin`."""

    file: int
    row: Lead | RowError
    sha256: str
    entry: int | None = None
    twin: int | None = None
    decides: bool = False
    """It is the first that says this; any further such row is a repetition."""


def _file(leads: Leads, connection: sa.Connection, source: Source, of: StartupList, now: datetime) -> _File:
    named = export_date(source.name)
    dated = datetime.combine(named, time(), UTC) if named else source.modified_at
    seen = leads.find_same_file(connection, of.sha256, of.format, of.mapping)
    return _File(of, tuple(of.rows), min(dated, now), seen)


def _sort_lines(files: Sequence[_File], leads: Leads, connection: sa.Connection) -> tuple[list[_Line], list[Entry]]:
    """Every row, and the entries to judge: rows that nobody has said before, or that a newer export repeats."""
    told = [(at, row, _row_hash(file.list, row)) for at, file in enumerate(files) for row in file.rows]
    newest: dict[str, datetime] = {}
    for at, _, sha256 in told:
        newest[sha256] = max(files[at].exported_at, newest.get(sha256, files[at].exported_at))
    twins = leads.twins(connection, newest)
    entries: list[Entry] = []
    entry_of: dict[str, int] = {}
    lines = []
    for at, row, sha256 in told:
        twin, dated = twins.get(sha256, (None, None))
        if isinstance(row, RowError) or files[at].seen_as is not None:
            lines.append(_Line(at, row, sha256))
        elif dated is not None and newest[sha256] <= dated:
            lines.append(_Line(at, row, sha256, twin=twin))
        else:
            decides = sha256 not in entry_of
            if decides:
                entry_of[sha256] = len(entries)
                entries.append(
                    Entry(row, files[at].list.format, newest[sha256], sha256=sha256, repeated=twin is not None)
                )
            lines.append(_Line(at, row, sha256, entry=entry_of[sha256], decides=decides))
    return lines, entries


def _row_hash(of: StartupList, row: Lead | RowError) -> str:
    """The same cells, read in the same way, say the same."""
    said = [of.format, sorted(of.mapping.items()), sorted(row.cells.items())]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


# --- writing --------------------------------------------------------------------------------------


def _judged(lines: Sequence[_Line], outcomes: Sequence[RowOutcome]) -> list[RowOutcome | None]:
    """What became of each row; None for one that was skipped."""
    return [
        None if isinstance(line.row, RowError)
        else outcomes[line.entry] if line.decides and line.entry is not None
        else RowOutcome("same" if line.row.company else "", ("same",) * len(line.row.people))
        for line in lines
    ]  # fmt: skip


def _write(
    merging: Merging,
    files: Sequence[_File],
    lines: Sequence[_Line],
    judged: Sequence[RowOutcome | None],
    plan: MergePlan,
    entries: Sequence[Entry],
    tag: str,
) -> None:
    """Hand the plan to the store. A file that was read before leaves nothing behind."""
    new = [at for at, file in enumerate(files) if file.seen_as is None]
    offset = sum(entry.lead_id is not None for entry in entries)
    merging.apply(
        plan,
        entries,
        [_new_import(files[at], tag) for at in new],
        [
            NewLead(
                file=new.index(line.file),
                line=line.row.line,
                sha256=line.sha256,
                cells=line.row.cells,
                outcome=outcome.row if outcome else "skipped",
                reason=line.row.reason if isinstance(line.row, RowError) else "",
                entry=None if line.entry is None else line.entry + offset,
                twin=line.twin,
            )
            for line, outcome in zip(lines, judged, strict=True)
            if line.file in new
        ],
    )


def _new_import(file: _File, tag: str) -> NewImport:
    of = file.list
    return NewImport(of.name, of.sha256, of.format, of.encoding, of.mapping, len(file.rows), tag, file.exported_at)


def _tag_again(connection: sa.Connection, files: Iterable[_File], tag: str) -> None:
    for file in files:
        if tag and file.seen_as is not None:
            tag_import(connection, file.seen_as, tag)


# --- reporting ------------------------------------------------------------------------------------


def _report(
    files: Sequence[_File],
    lines: Sequence[_Line],
    judged: Sequence[RowOutcome | None],
    plan: MergePlan,
    *,
    candidates: int,
    dry_run: bool,
) -> IngestReport:
    outcomes = [outcome for outcome in judged if outcome]
    rows: list[Counter[str]] = [Counter() for _ in files]
    for line, outcome in zip(lines, judged, strict=True):
        rows[line.file][outcome.row if outcome else "skipped"] += 1
    return IngestReport(
        files=tuple(_file_report(file, count) for file, count in zip(files, rows, strict=True)),
        companies=Count.of(Counter(outcome.company for outcome in outcomes)),
        founders=Count.of(Counter(each for outcome in outcomes for each in outcome.founders)),
        new_addresses=sum(change.is_new for change in plan.addresses),
        candidates=candidates,
        weak=plan.weak,
        shared_domains=plan.shared_domains,
        notes=plan.notes,
        dry_run=dry_run,
    )


def _file_report(file: _File, outcomes: Counter[str]) -> FileReport:
    of = file.list
    used = set(of.mapping.values())
    return FileReport(
        file=of.name,
        format=of.format,
        encoding=of.encoding,
        mapping=of.mapping,
        unmapped=tuple(header for header in of.headers if header not in used),
        rows=len(file.rows),
        outcomes=Count.of(outcomes),
        skipped=tuple(row for row in file.rows if isinstance(row, RowError)),
        warnings=tuple(_warnings(file)),
        notes=(*of.notes, *_advice(file)),
        headers=of.headers,
        seen_as=file.seen_as,
    )


def _warnings(file: _File) -> Iterable[RowError]:
    leads = (row for row in file.rows if isinstance(row, Lead))
    return (RowError(lead.line, warning) for lead in leads for warning in lead.warnings)


def _advice(file: _File) -> Iterable[str]:
    """What the user should know about the list as a whole."""
    of = file.list
    if not {"website", "email"} & set(of.mapping):
        yield "no column with websites: add Website to the export, so that companies can be told apart and found"
    if not {"founders", "person", "first", "email"} & set(of.mapping):
        yield "no column with founders: add Founders to the export, or import a list of people too"
    if of.row_limit and len(file.rows) == of.row_limit:
        yield f"exactly {of.row_limit:,} rows, where {of.format} cuts its exports: narrow the search, export the rest"
