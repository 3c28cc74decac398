"""A list too long to be held: its rows are gone through once, and only those that share something are judged together.

A row that shares nothing with any other, nor with anything known, becomes records by itself. Everything is made ready
in a place of its own, from a snapshot; `ingest` then has it copied over in one transaction.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice, repeat

import sqlalchemy as sa

from outreach.core.identity import LookupKeys, lookup_keys
from outreach.core.merge import Known, MergePlan, RowOutcome, judge_rows, plan_merge
from outreach.core.ports import Row
from outreach.core.quick import record
from outreach.core.records import Lead, RowError
from outreach.core.rulings import Ruling
from outreach.core.singles import Sharing, single
from outreach.core.survivors import Entry
from outreach.flows._known import with_known
from outreach.flows._row_text import row_writer
from outreach.importers import Importers, StartupList
from outreach.store.leads import Leads
from outreach.store.merging import Merging
from outreach.store.staging import Staging, stored_time

_CHUNK = 2000
"""Rows looked up in the store at once, and rows judged at once if they share nothing with others."""


@dataclass(frozen=True, slots=True)
class File:
    """A list, with the date of its contents. `seen_as`: the import that has read it already."""

    list: StartupList
    exported_at: datetime
    seen_as: int | None


@dataclass(slots=True)
class Tally:
    """What became of the rows, in numbers; and the rows that a person must look at."""

    rows: list[Counter[str]]
    skipped: list[list[RowError]]
    warnings: list[list[RowError]]
    companies: Counter[str] = field(default_factory=Counter)
    founders: Counter[str] = field(default_factory=Counter)
    addresses: int = 0
    candidates: int = 0
    weak: int = 0
    shared_domains: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)

    def count(self, file: int, outcome: RowOutcome, times: int = 1) -> None:
        self.rows[file][outcome.row] += times
        self.companies[outcome.company] += times
        for each in outcome.founders:
            self.founders[each] += times


@record
class Line:
    """A staged row that is judged: by `entry` among those judged together, or as the stored row `twin` was."""

    id: int
    file: int
    has_company: bool
    people: int
    entry: int | None
    twin: int | None
    decides: bool
    """It is the first that says this; any further such row is a repetition."""


@dataclass(frozen=True, slots=True)
class Part:
    """A plan for rows that belong together. `lead_of`: entry of the plan → its staged row; then the records it knew."""

    plan: MergePlan
    entries: tuple[Entry, ...]
    lines: tuple[Line, ...]
    lead_of: Mapping[int, int]
    companies: frozenset[int]
    founders: frozenset[int]


def stage(
    staging: Staging,
    files: Sequence[File],
    leads: Leads,
    importers: Importers,
    connection: sa.Connection,
    *,
    now: datetime,
    expected: int,
) -> Tally:
    """Make everything ready that these files bring."""
    tally = Tally([Counter() for _ in files], [[] for _ in files], [[] for _ in files])
    sharing = Sharing(expected)
    first = staging.lead
    stream = _Stream(staging, tally, sharing, leads, connection)
    for at, file in enumerate(files):
        if file.seen_as is None:
            stream.file(at, file)
        else:
            _count_again(tally, at, file.list)
    groups = [[first + row for row in group] for group in sharing.groups(stream.odd)]
    judged = [lead for group in groups for lead in group]
    staging.judge(judged)
    _count_alone(tally, staging)
    _Judge(staging, tally, files, leads, importers, connection, now).all(groups)
    return tally


def _count_again(tally: Tally, at: int, of: StartupList) -> None:
    """A file that was read before: nothing changes."""
    for row in of.rows:
        if isinstance(row, RowError):
            tally.skipped[at].append(row)
            tally.rows[at]["skipped"] += 1
        else:
            tally.warnings[at] += [RowError(row.line, warning) for warning in row.warnings]
            tally.count(at, RowOutcome("same" if row.company else "", ("same",) * len(row.people)))


def _count_alone(tally: Tally, staging: Staging) -> None:
    """Rows that stand alone are new, with all that they name."""
    alone = staging.count_alone()
    for at, number in alone.rows.items():
        tally.rows[at]["new"] += number
    tally.companies["new"] += alone.companies
    tally.founders["new"] += alone.founders
    tally.addresses += alone.addresses
    tally.weak += alone.weak


# --- one pass over the rows -----------------------------------------------------------------------


class _Stream:
    """Goes through the rows once. `odd` rows must be judged whatever they share, by their place among all rows."""

    def __init__(
        self, staging: Staging, tally: Tally, sharing: Sharing, leads: Leads, connection: sa.Connection
    ) -> None:
        self._staging, self._tally, self._sharing = staging, tally, sharing
        self._leads, self._c = leads, connection
        self._is_new = leads.is_empty(connection)
        self._ruled = _by_seat(leads.rulings(connection))
        self._first = staging.lead
        self.odd: list[int] = []

    def file(self, at: int, file: File) -> None:
        facts_at, write = stored_time(self._c, file.exported_at), row_writer(file.list)
        rows = iter(file.list.rows)
        while chunk := list(islice(rows, _CHUNK)):
            written = [write(row.cells) for row in chunk]
            hashes = [sha256 for sha256, _ in written]
            twins = {} if self._is_new else self._twins(hashes, file.exported_at)
            owners: Iterable[Iterable[str]] = repeat(()) if self._is_new else self._owners(chunk, hashes, twins)
            for row, (sha256, cells), known in zip(chunk, written, owners, strict=False):
                if not isinstance(row, RowError) and sha256 in twins:
                    self._staging.add_repeated(at, row.line, sha256, cells, twins[sha256])
                    self._sharing.add(())
                    same = RowOutcome("same" if row.company else "", ("same",) * len(row.people))
                    self._tally.count(at, same)
                    self._tally.warnings[at] += [RowError(row.line, warning) for warning in row.warnings]
                elif isinstance(row, RowError):
                    self._tally.skipped[at].append(row)
                    self._tally.rows[at]["skipped"] += 1
                    self._staging.add_skipped(at, row.line, sha256, cells, row.reason)
                    self._sharing.add(())
                else:
                    self._row(at, row, sha256, cells, facts_at, file.list.format, known)
            self._staging.flush()

    def _row(
        self, at: int, lead: Lead, sha256: str, cells: str, facts_at: str, origin: str, known: Iterable[str]
    ) -> None:
        what = single(lead)
        own = what.shared or [f"row {sha256}"]
        for told in (known, self._ruled.get(sha256, ())):
            for each in told:
                own.append(each)
                self._sharing.repeat(each)
        if not what.plain or (not what.shared and not self._is_new):
            self.odd.append(self._staging.lead - self._first)
        self._sharing.add(own)
        self._staging.add_row(at, lead, sha256, cells, what=what, facts_at=facts_at, origin=origin)
        self._tally.warnings[at] += [RowError(lead.line, warning) for warning in lead.warnings]

    def _twins(self, hashes: Sequence[str], exported_at: datetime) -> dict[str, int]:
        """Rows that the store has, and that change nothing: it has them from a newer list, or nothing else is said of
        whom they name."""
        stored = self._leads.twins(self._c, dict.fromkeys(hashes))
        older = [twin for twin, dated in stored.values() if exported_at > dated]
        settled = self._leads.settled(self._c, older)
        return {sha256: twin for sha256, (twin, dated) in stored.items() if exported_at <= dated or twin in settled}

    def _owners(
        self, chunk: Sequence[Lead | RowError], hashes: Sequence[str], twins: Mapping[str, int]
    ) -> list[set[str]]:
        """For each row the records that the store knows by one of its keys."""
        told = zip(chunk, hashes, strict=True)
        keys = [lookup_keys([row] if isinstance(row, Lead) and sha256 not in twins else []) for row, sha256 in told]
        known = self._leads.owners_by_key(self._c, LookupKeys.all_of(keys))
        return [{owner for key in _words(each) for owner in known.get(key, ())} for each in keys]


def _by_seat(rulings: Iterable[Ruling]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for at, ruling in enumerate(rulings):
        for seat in (ruling.left, ruling.right):
            found.setdefault(seat.sha256, []).append(f"ruling {at}")
    return found


def _words(keys: LookupKeys) -> Iterator[str]:
    yield from (f"company {key}" for key in keys.companies)
    yield from (f"founder {key}" for key in keys.founders)
    yield from (f"address {key}" for key in keys.addresses)


# --- those that share something -------------------------------------------------------------------


class _Judge:
    """Judges rows in parts that have nothing to do with each other, so that each fits in memory."""

    def __init__(
        self,
        staging: Staging,
        tally: Tally,
        files: Sequence[File],
        leads: Leads,
        importers: Importers,
        connection: sa.Connection,
        now: datetime,
    ) -> None:
        self._staging, self._tally, self._files = staging, tally, files
        self._leads, self._importers, self._c = leads, importers, connection
        self._merging = Merging(connection, now)
        self._is_new = leads.is_empty(connection)
        self._nothing = Known({}, {}, {}, {}, 0, 0, rulings=leads.rulings(connection))
        self._rows: dict[int, Sequence[int]] = {}
        self._part_of: dict[tuple[str, int], int] = {}

    def all(self, groups: Sequence[Sequence[int]]) -> None:
        self._staging.index_repeated()
        for number, leads in enumerate(_packed(groups)):
            self._part(number, leads)
        for part in self._staging.plans():
            self._settle(part)

    def _part(self, number: int, leads: Sequence[int]) -> None:
        """Judge these rows; where they turn out to touch what an earlier part touches, all of it together."""
        while True:
            lines, fresh = self._lines(leads)
            entries, known = self._with_known(fresh)
            touched = [("company", id_) for id_ in known.companies] + [("founder", id_) for id_ in known.founders]
            met = {self._part_of[record] for record in touched if record in self._part_of}
            repeated = self._repeated(known) if touched else []
            if not met and not repeated:
                break
            leads = sorted({*leads, *repeated, *(lead for at in met for lead in self._rows.pop(at))})
            if met:
                self._staging.drop_plans(met)
            self._part_of = {record: at for record, at in self._part_of.items() if at not in met}
        known = replace(known, next_company=self._staging.company, next_founder=self._staging.founder)
        plan = plan_merge(entries, known)
        self._staging.company = max([self._staging.company, *(each.id + 1 for each in plan.companies)])
        self._staging.founder = max([self._staging.founder, *(each.id + 1 for each in plan.founders)])
        offset = len(entries) - len(fresh)
        part = Part(
            plan=plan,
            entries=tuple(map(_bare, entries)),
            lines=tuple(lines),
            lead_of={line.entry + offset: line.id for line in lines if line.decides and line.entry is not None},
            companies=frozenset(known.companies),
            founders=frozenset(known.founders),
        )
        self._staging.keep_plan(number, part)
        if touched:
            self._rows[number] = leads
            self._part_of.update(dict.fromkeys(touched, number))

    def _repeated(self, known: Known) -> list[int]:
        """Rows that repeat stored rows about these records; they have been counted, and will be again."""
        found = self._staging.take_repeated(known.companies, known.founders)
        for line in self._lines(found)[0] if found else ():
            same = RowOutcome("same" if line.has_company else "", ("same",) * line.people)
            self._tally.count(line.file, same, -1)
        return found

    def _lines(self, leads: Sequence[int]) -> tuple[list[Line], list[Entry]]:
        """These staged rows, and the entries to judge: those that nobody has said before, or a newer export repeats."""
        staged = [(*row, self._files[row[1]]) for row in self._staging.rows(leads)]
        newest: dict[str, datetime] = {}
        for *_, sha256, _, file in staged:
            newest[sha256] = max(file.exported_at, newest.get(sha256, file.exported_at))
        twins = {} if self._is_new else self._leads.twins(self._c, newest)
        entries: list[Entry] = []
        entry_of: dict[str, int] = {}
        lines = []
        for id_, at, line, sha256, cells, file in staged:
            lead = self._importers.read_again(file.list.format, file.list.mapping, Row(line, cells))
            if isinstance(lead, RowError):
                continue
            named = (lead.company is not None, len(lead.people))
            twin, dated = twins.get(sha256, (None, None))
            if dated is not None and newest[sha256] <= dated:
                lines.append(Line(id_, at, *named, entry=None, twin=twin, decides=False))
                continue
            decides = sha256 not in entry_of
            if decides:
                entry_of[sha256] = len(entries)
                known = twin is not None
                entries.append(Entry(lead, file.list.format, newest[sha256], sha256=sha256, repeated=known))
            lines.append(Line(id_, at, *named, entry=entry_of[sha256], twin=twin, decides=decides))
        return lines, entries

    def _with_known(self, fresh: list[Entry]) -> tuple[list[Entry], Known]:
        if self._is_new or not fresh:
            return fresh, self._nothing
        return with_known(fresh, self._leads, self._importers, self._c)

    def _settle(self, part: Part) -> None:
        """Where each row of the part belongs, and what became of it."""
        plan, tally = part.plan, self._tally
        offset = len(part.entries) - len({line.entry for line in part.lines} - {None})
        outcomes = judge_rows(plan, part.entries, part.companies, part.founders)
        rows: list[tuple[str, int | None, int]] = []
        seats: list[tuple[int, int, int]] = []
        for line in part.lines:
            outcome = RowOutcome("same" if line.has_company else "", ("same",) * line.people)
            if line.entry is not None:
                outcome = outcomes[line.entry] if line.decides else outcome
                rows.append((outcome.row, plan.entry_company[line.entry + offset], line.id))
                founders = plan.entry_founders[line.entry + offset]
                seats += ((line.id, place, founder) for place, founder in enumerate(founders))
            tally.count(line.file, outcome)
        self._staging.settle(rows, seats)
        self._staging.repeat(
            (line.id, line.twin) for line in part.lines if line.entry is None and line.twin is not None
        )
        tally.addresses += sum(change.is_new for change in plan.addresses)
        tally.weak += plan.weak
        tally.candidates += len(self._merging.unasked(plan.questions, part.companies, part.founders))
        tally.shared_domains.update(plan.shared_domains)
        tally.notes += plan.notes


def _bare(entry: Entry) -> Entry:
    """What of an entry is needed to carry a plan out."""
    people = entry.lead.people if any(person.emails for person in entry.lead.people) else ()
    lead = Lead(entry.lead.line, {}, None, people)
    of = entry.exported_at, entry.lead_id, entry.company_id, entry.founder_ids
    return Entry(lead, entry.format, *of, repeated=entry.repeated)


def _packed(groups: Iterable[Sequence[int]]) -> Iterator[list[int]]:
    """Groups that share nothing with each other, several at once."""
    waiting: list[int] = []
    for group in groups:
        waiting += group
        if len(waiting) >= _CHUNK:
            yield waiting
            waiting = []
    if waiting:
        yield waiting
