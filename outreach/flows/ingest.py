"""Brings lists of startups into the store: read every file, plan, then write it all in one transaction or nothing.

Identity is decided by `core` from the rows themselves, known ones and new ones together. Which formats there are
arrives as an argument.
"""

import csv
import gc
import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from pathlib import Path

import sqlalchemy as sa

from outreach.core.merge import MergePlan, RowOutcome, judge_rows, plan_merge
from outreach.core.ports import Clock
from outreach.core.records import Lead, RowError
from outreach.core.survivors import Entry
from outreach.core.values import export_date
from outreach.flows._erased import without_erased
from outreach.flows._ingest_report import Count, FileReport, IngestReport
from outreach.flows._known import with_known
from outreach.flows._row_text import row_writer
from outreach.flows._stream import File, Tally, stage
from outreach.importers import Importers, StartupList
from outreach.store.database import reading, writing
from outreach.store.leads import Leads
from outreach.store.merging import Merging, NewImport, NewLead, tag_import
from outreach.store.staging import Staging, fingerprint, references_unchecked, staging_connection
from outreach.store.store import Store

__all__ = ["FileReport", "IngestReport", "Source", "ingest"]


LONG = 2_000_000
"""Bytes: some thousand rows, which can be held and judged at once."""
_TRIES = 3
_RECORDS_AT_ONCE = 200_000


@dataclass(frozen=True, slots=True)
class Source:
    """One file: its bytes, or where they are. `modified_at` dates its contents where its name does not."""

    name: str
    data: bytes | Path
    modified_at: datetime

    @property
    def size(self) -> int:
        """In bytes."""
        return len(self.data) if isinstance(self.data, bytes) else self.data.stat().st_size

    @classmethod
    def of_row(cls, name: str, cells: Mapping[str, str], now: datetime) -> "Source":
        """A list of one row: what a person adds by hand."""
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, list(cells))
        writer.writeheader()
        writer.writerow(cells)
        return cls(name, text.getvalue().encode(), now)


def ingest(
    store: Store,
    sources: Sequence[Source],
    *,
    importers: Importers,
    clock: Clock,
    format_name: str = "",
    overrides: Mapping[str, str] | None = None,
    encoding: str = "",
    tag: str = "",
    dry_run: bool = False,
    long_from: int = LONG,
    beside: Callable[[sa.Connection], None] = lambda _connection: None,
) -> IngestReport:
    """Import these files. Raises ImportRefused, before anything is written, if one of them is no list. `beside` is what
    comes in with them or not at all: it is called in their transaction, once they are written.

    A dry run makes the same plan from the same store and writes nothing. Files of together `long_from` bytes and more
    are streamed: rows that share nothing with others are not judged together with all of them.
    """
    now = clock.now()
    lists = [
        importers.open_list(each.data, each.name, format_name=format_name, overrides=overrides or {}, encoding=encoding)
        for each in sources
    ]
    shared = bool(store.database.server)
    is_long = sum(each.size for each in sources) >= long_from and not shared
    work = _Work(store, sources, lists, importers, now, tag, dry_run)
    with _cycles_sought_rarely(), staging_connection(store.database) as connection:
        for _ in range(0 if shared and not dry_run else _TRIES):
            with reading(connection):
                seen = fingerprint(connection)
                planned = work.plan(connection, is_long=is_long)
            if dry_run:
                return planned.report
            with references_unchecked(connection) if planned.is_first else nullcontext(), writing(connection):
                if fingerprint(connection) == seen:
                    planned.apply()
                    beside(connection)
                    break
        else:  # others keep changing who is who: nobody may while this is planned
            with writing(connection):
                planned = work.plan(connection, is_long=is_long)
                planned.apply()
                beside(connection)
    store.people.refresh_search()
    return planned.report


@contextmanager
def _cycles_sought_rarely() -> Iterator[None]:
    """Millions of records are made and let go, and none of them refers back to itself: to look for those that do as
    often as Python does by itself takes a quarter of the time."""
    usual = gc.get_threshold()
    gc.set_threshold(_RECORDS_AT_ONCE, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


@dataclass(frozen=True, slots=True)
class _Planned:
    """What an import would do, told; and how to do it."""

    report: IngestReport
    apply: Callable[[], None]
    is_first: bool = False
    """Nobody is known yet: all that it refers to it makes itself."""


@dataclass(frozen=True, slots=True)
class _Work:
    """One import, to be planned on some connection."""

    store: Store
    sources: Sequence[Source]
    lists: Sequence[StartupList]
    importers: Importers
    now: datetime
    tag: str
    dry_run: bool

    def plan(self, connection: sa.Connection, *, is_long: bool) -> _Planned:
        """Rows that name somebody who was erased are read without them, or not at all."""
        erased = self.store.erasures.known(connection)
        lists = [without_erased(each, erased, self.importers) for each in self.lists] if erased else self.lists
        work = replace(self, lists=lists)
        return work.plan_long(connection) if is_long else work.plan_short(connection)

    def plan_short(self, connection: sa.Connection) -> _Planned:
        """All rows judged together."""
        leads = self.store.leads
        files = [
            _file(leads, connection, each, of, self.now) for each, of in zip(self.sources, self.lists, strict=True)
        ]
        lines, fresh = _sort_lines(files, leads, connection)
        entries, known = with_known(fresh, leads, self.importers, connection)
        plan = plan_merge(entries, known)
        judged = _judged(lines, judge_rows(plan, entries, known.companies, known.founders))
        merging = Merging(connection, self.now, self.store.suppression_log)
        unasked = merging.unasked(plan.questions, known.companies, known.founders)

        def apply() -> None:
            _write(merging, files, lines, judged, plan, entries, self.tag)
            merging.ask(plan.questions, known.companies, known.founders)
            _tag_again(connection, files, self.tag)

        report = _report(files, lines, judged, plan, candidates=len(unasked), dry_run=self.dry_run)
        return _Planned(report, apply)

    def plan_long(self, connection: sa.Connection) -> _Planned:
        """Rows that share nothing become records by themselves; the others are judged, part by part."""
        leads = self.store.leads
        files = [
            File(of, *_dated(leads, connection, each, of, self.now))
            for each, of in zip(self.sources, self.lists, strict=True)
        ]
        staging = Staging(connection, leads.next_ids(connection))
        size = sum(each.size for each in self.sources)
        tally = stage(staging, files, leads, self.importers, connection, now=self.now, expected=size // 100)
        merging = Merging(connection, self.now, self.store.suppression_log)

        def apply() -> None:
            new = [at for at, file in enumerate(files) if file.seen_as is None]
            numbers = merging.record_imports([_new_import(files[at], tally.rows[at].total(), self.tag) for at in new])
            with staging.indexes_aside():
                staging.copy_records(self.now)
                for part in staging.plans():
                    merging.apply_records(part.plan, part.entries)
                    merging.ask(part.plan.questions, part.companies, part.founders)
                staging.copy_rows(dict(zip(new, numbers, strict=True)))
                for part in staging.plans():
                    merging.apply_addresses(part.plan, part.entries, part.lead_of)
                staging.copy_seats(self.now)
                if self.tag:
                    staging.tag(self.tag)
            _tag_again(connection, files, self.tag)

        return _Planned(_long_report(files, tally, dry_run=self.dry_run), apply, leads.is_empty(connection))


# --- reading --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _File(File):
    """A list with its rows, all of them."""

    rows: tuple[Lead | RowError, ...]


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
    return _File(of, *_dated(leads, connection, source, of, now), tuple(of.rows))


def _dated(
    leads: Leads, connection: sa.Connection, source: Source, of: StartupList, now: datetime
) -> tuple[datetime, int | None]:
    """When the list was exported, and the import that has read it already."""
    named = export_date(source.name)
    dated = datetime.combine(named, time(), UTC) if named else source.modified_at
    seen = leads.find_same_file(connection, of.sha256, of.format, of.mapping, of.encoding)
    return min(dated, now), seen


def _sort_lines(files: Sequence[_File], leads: Leads, connection: sa.Connection) -> tuple[list[_Line], list[Entry]]:
    """Every row, and the entries to judge: rows that nobody has said before, or that a newer export repeats."""
    writers = [row_writer(file.list) for file in files]
    told = [(at, row, writers[at](row.cells)[0]) for at, file in enumerate(files) for row in file.rows]
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
        [_new_import(files[at], len(files[at].rows), tag) for at in new],
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


def _new_import(file: File, rows: int, tag: str) -> NewImport:
    of = file.list
    return NewImport(of.name, of.sha256, of.format, of.encoding, of.mapping, rows, tag, file.exported_at)


def _tag_again(connection: sa.Connection, files: Iterable[File], tag: str) -> None:
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
        files=tuple(
            _file_report(file, count, [row for row in file.rows if isinstance(row, RowError)], list(_warnings(file)))
            for file, count in zip(files, rows, strict=True)
        ),
        companies=Count.of(Counter(outcome.company for outcome in outcomes)),
        founders=Count.of(Counter(each for outcome in outcomes for each in outcome.founders)),
        new_addresses=sum(change.is_new for change in plan.addresses),
        candidates=candidates,
        weak=plan.weak,
        shared_domains=plan.shared_domains,
        notes=plan.notes,
        dry_run=dry_run,
    )


def _long_report(files: Sequence[File], tally: Tally, *, dry_run: bool) -> IngestReport:
    told = zip(files, tally.rows, tally.skipped, tally.warnings, strict=True)
    return IngestReport(
        files=tuple(_file_report(*each) for each in told),
        companies=Count.of(tally.companies),
        founders=Count.of(tally.founders),
        new_addresses=tally.addresses,
        candidates=tally.candidates,
        weak=tally.weak,
        shared_domains=tuple(sorted(tally.shared_domains)),
        notes=tuple(tally.notes),
        dry_run=dry_run,
    )


def _file_report(
    file: File, outcomes: Counter[str], skipped: Sequence[RowError], warnings: Sequence[RowError]
) -> FileReport:
    of = file.list
    used = set(of.mapping.values())
    rows = outcomes.total()
    return FileReport(
        file=of.name,
        format=of.format,
        encoding=of.encoding,
        mapping=of.mapping,
        unmapped=tuple(header for header in of.headers if header not in used),
        rows=rows,
        outcomes=Count.of(outcomes),
        skipped=tuple(skipped),
        warnings=tuple(warnings),
        notes=(*of.notes, *_advice(of, rows)),
        headers=of.headers,
        seen_as=file.seen_as,
    )


def _warnings(file: _File) -> Iterable[RowError]:
    leads = (row for row in file.rows if isinstance(row, Lead))
    return (RowError(lead.line, warning) for lead in leads for warning in lead.warnings)


def _advice(of: StartupList, rows: int) -> Iterable[str]:
    """What the user should know about the list as a whole."""
    if not {"website", "email", "company_email"} & set(of.mapping):
        yield "no column with websites: add Website to the export, so that companies can be told apart and found"
    if not {"founders", "founder", "person", "first", "contact", "email"} & {each.split(" ")[0] for each in of.mapping}:
        yield "no column with founders: add Founders to the export, or import a list of people too"
    if of.row_limit and rows == of.row_limit:
        yield f"exactly {of.row_limit:,} rows, where {of.format} cuts its exports: narrow the search, export the rest"
