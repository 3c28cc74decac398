"""Carries out the plan of an import, in the one transaction it was made in. Decides nothing.

What a record was part of goes with it: mails, answers, enrollments, tags. Suppressions are copied, never moved, and an
answer that one record got holds for all it becomes one with: the stricter wins, whichever way they come together or
apart.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from outreach.core.address_check import SENDABLE
from outreach.core.merge import MergePlan, Question
from outreach.core.records import AddressStatus
from outreach.core.survivors import CompanyRecord, Entry, FounderRecord
from outreach.store import gate
from outreach.store import tables as t
from outreach.store.bulk import chunks, delete_in, insert_all, next_id, select_in, update_all
from outreach.store.consequences import (
    hold_together,
    hold_twins,
    keep_one_sequence,
    stop_answered,
    stop_people,
    suppress_learned,
)
from outreach.store.dialect import insert_missing, update_unless_taken
from outreach.store.journal import Recorder
from outreach.store.leads import implied_keys
from outreach.store.staging import mark_changed
from outreach.store.stops import WAITING

_ELSEWHERE = ("aliases", "keys", "hints")
"""Parts of a record that have tables of their own."""
_COMPANY_COLUMNS = tuple(name for name in CompanyRecord.__dataclass_fields__ if name not in _ELSEWHERE)
_FOUNDER_COLUMNS = tuple(name for name in FounderRecord.__dataclass_fields__ if name not in _ELSEWHERE)


@dataclass(frozen=True, slots=True)
class NewImport:
    """A file to record."""

    file: str
    sha256: str
    format: str
    encoding: str
    mapping: Mapping[str, str]
    rows: int
    tag: str
    exported_at: datetime


@dataclass(frozen=True, slots=True)
class NewLead:
    """A row to record. Whom it speaks of: what `entry` of the plan says, else what the stored row `twin` says."""

    file: int
    line: int
    sha256: str
    cells: Mapping[str, str]
    outcome: str
    reason: str = ""
    entry: int | None = None
    twin: int | None = None


class Merging:
    """One import's changes, written through one connection."""

    def __init__(self, connection: sa.Connection, now: datetime, log: Recorder | None = None) -> None:
        self._c = connection
        self._now = now
        self._log = log

    def apply(
        self, plan: MergePlan, entries: Sequence[Entry], files: Sequence[NewImport], leads: Sequence[NewLead]
    ) -> None:
        """Write it all: records first, then the rows that speak of them, then what is left of absorbed records."""
        imports = self.record_imports(files)
        self.apply_records(plan, entries)
        fresh = self._new_rows(plan, imports, leads)
        lead_of = {each.lead.entry: each.id for each in reversed(fresh) if each.lead.entry is not None}
        self.apply_addresses(plan, entries, lead_of)
        self._tag(files, fresh)

    def apply_records(self, plan: MergePlan, entries: Sequence[Entry]) -> None:
        """The records, and whatever is known of them already."""
        mark_changed(self._c)
        self._company_records(plan)
        self._founder_records(plan)
        self._merges(plan, entries)
        self._repoint(t.founders, "person", plan.absorbed_founders, plan.split_founders)
        self._repoint(t.companies, "company", plan.absorbed_companies, plan.split_companies)
        hold_together(self._c, set(plan.absorbed_founders.values()), self._now)
        hold_twins(self._c, plan.twins, self._now)
        stop_answered(self._c, self._now)
        keep_one_sequence(self._c, sorted(set(plan.absorbed_founders.values())), self._now)
        self._known_rows(plan, entries)

    def apply_addresses(self, plan: MergePlan, entries: Sequence[Entry], lead_of: Mapping[int, int]) -> None:
        """Whose each address is now; `lead_of` are the stored rows of new entries."""
        self._address_changes(plan, entries, lead_of)
        self._confirm_found(entries, lead_of)
        self._follow_addresses(plan)
        touched = {each.founder_id for each in plan.addresses if each.founder_id is not None}
        suppress_learned(self._c, touched, self._now, self._log)
        self._stop_suppressed(touched)

    def _stop_suppressed(self, founders: Iterable[int]) -> None:
        """Whoever turns out to be somebody who must not be written to: what waits for them is cancelled (T18)."""
        waiting = sa.select(t.outbox.c.id, t.outbox.c.founder_id).where(t.outbox.c.state.in_(WAITING))
        for row in select_in(self._c, waiting, t.outbox.c.founder_id, founders):
            if self._c.scalar(sa.select(gate.is_suppressed(gate.keys_of(self._c, row["id"])))):
                stop_people(self._c, [row["founder_id"]], reason="suppressed", cancel="suppressed", now=self._now)

    def unasked(
        self, questions: Sequence[Question], companies: Iterable[int], founders: Iterable[int]
    ) -> list[Question]:
        """The questions that have not been recorded yet."""
        there = self._asked("company", companies) | self._asked("founder", founders)
        return [each for each in questions if (each.kind, each.left_id, each.right_id) not in there]

    def ask(self, questions: Sequence[Question], companies: Iterable[int], founders: Iterable[int]) -> None:
        """Record what only a person can tell; take back open questions on these records that are none any more."""
        wanted = {(each.kind, each.left_id, each.right_id) for each in questions}
        there = self._asked("company", companies) | self._asked("founder", founders)
        settled = [id_ for key, (id_, decision) in there.items() if key not in wanted and not decision]
        delete_in(self._c, t.candidates.c.id, settled)
        fresh = self.unasked(questions, companies, founders)
        insert_all(self._c, t.candidates, [{**asdict(each), "decision": "", "found_at": self._now} for each in fresh])

    # --- records ------------------------------------------------------------------------------------

    def record_imports(self, files: Sequence[NewImport]) -> list[int]:
        first = next_id(self._c, t.imports)
        rows = [{"id": first + at, **asdict(file), "imported_at": self._now} for at, file in enumerate(files)]
        insert_all(self._c, t.imports, rows)
        return [int(row["id"]) for row in rows]

    def _company_records(self, plan: MergePlan) -> None:
        rows = [_columns(record) for record in plan.companies]
        known = self._upsert(t.companies, rows)
        implied = {row["id"]: implied_keys(row) for row in rows}
        for of, column, texts in (
            (t.company_names, "name", {each.id: each.aliases for each in plan.companies}),
            (t.company_keys, "key", {each.id: each.keys - implied[each.id][0] for each in plan.companies}),
            (t.company_hints, "key", {each.id: each.hints - implied[each.id][1] for each in plan.companies}),
        ):
            delete_in(self._c, of.c.company_id, [*known, *plan.absorbed_companies])
            insert_all(
                self._c, of, [{"company_id": id_, column: text} for id_, each in texts.items() for text in sorted(each)]
            )

    def _founder_records(self, plan: MergePlan) -> None:
        rows = [{name: getattr(record, name) for name in _FOUNDER_COLUMNS} for record in plan.founders]
        known = self._upsert(t.founders, rows)
        for of, texts in (
            (t.founder_keys, {each.id: each.keys for each in plan.founders}),
            (t.founder_hints, {each.id: each.hints for each in plan.founders}),
        ):
            delete_in(self._c, of.c.founder_id, [*known, *plan.absorbed_founders])
            insert_all(
                self._c, of, [{"founder_id": id_, "key": key} for id_, each in texts.items() for key in sorted(each)]
            )

    def _merges(self, plan: MergePlan, entries: Sequence[Entry]) -> None:
        """Which record became part of which, by which rule, with which rows; so that it can be explained."""
        rows_of: dict[tuple[str, int], list[int]] = {}
        for entry in entries:
            told = [("founder", founder) for founder in entry.founder_ids]
            told += [("company", entry.company_id)] if entry.company_id is not None else []
            for record in told:
                if record in plan.reasons and entry.lead_id is not None:
                    rows_of.setdefault(record, []).append(entry.lead_id)
        absorbed = {"company": plan.absorbed_companies, "founder": plan.absorbed_founders}
        rows = [
            {
                "kind": kind,
                "record_id": absorbed[kind][old],
                "absorbed_id": old,
                "rule": rule,
                "evidence": evidence,
                "leads": rows_of.get((kind, old), []),
                "merged_at": self._now,
            }
            for (kind, old), (rule, evidence) in plan.reasons.items()
        ]
        insert_all(self._c, t.merges, rows)

    def _upsert(self, of: sa.Table, rows: Sequence[Mapping[str, Any]]) -> set[int]:
        """Write these records; those that were there already are returned."""
        there = {row["id"] for row in select_in(self._c, sa.select(of.c.id), of.c.id, [row["id"] for row in rows])}
        update_all(self._c, of, [row for row in rows if row["id"] in there])
        insert_all(self._c, of, [{**row, "created_at": self._now} for row in rows if row["id"] not in there])
        return there

    def _repoint(self, of: sa.Table, word: str, absorbed: Mapping[int, int], split: Mapping[int, int]) -> None:
        """Everything that points to an absorbed record points to its new one; then the record goes."""
        gone = [{"old": old, "new": new} for old, new in absorbed.items()]
        if gone:
            for column in _pointing_to(of):
                update_unless_taken(self._c, {column: sa.bindparam("new")}, column == sa.bindparam("old"), gone)
                if column.table in (
                    t.founder_tags,
                    t.company_names,
                    t.founder_edits,
                    t.founder_notes,
                ):  # what both had is left over
                    delete_in(self._c, column, absorbed)
            self._move_questions(word, gone)
            self._retire(word, absorbed)
        self._copy_suppressions(word, [*absorbed.items(), *((old, new) for new, old in split.items())])
        delete_in(self._c, of.c.id, absorbed)

    def _retire(self, word: str, absorbed: Mapping[int, int]) -> None:
        earlier = sa.update(t.retired_ids).where(
            t.retired_ids.c.kind == word, t.retired_ids.c.became == sa.bindparam("old")
        )
        self._c.execute(
            earlier.values(became=sa.bindparam("new")), [{"old": old, "new": new} for old, new in absorbed.items()]
        )
        rows = [
            {"kind": word, "id": old, "became": new, "retired_at": self._now} for old, new in sorted(absorbed.items())
        ]
        insert_all(self._c, t.retired_ids, rows)

    def _move_questions(self, word: str, gone: Sequence[Mapping[str, int]]) -> None:
        """Questions that a person has answered stay answered; those between the two themselves are settled."""
        kind = {"person": "founder"}.get(word, word)
        same = sa.and_(t.candidates.c.kind == kind, t.candidates.c.decision != "")
        for column in (t.candidates.c.left_id, t.candidates.c.right_id):
            where = sa.and_(same, column == sa.bindparam("old"))
            update_unless_taken(self._c, {column: sa.bindparam("new")}, where, gone)
        left, right = t.candidates.c.left_id, t.candidates.c.right_id
        update_unless_taken(self._c, {left: right, right: left}, sa.and_(same, left > right))
        asked = sa.delete(t.candidates).where(t.candidates.c.kind == kind)
        self._c.execute(asked.where(left == right))
        for old in chunks(each["old"] for each in gone):
            self._c.execute(asked.where(sa.or_(left.in_(old), right.in_(old))))

    def _copy_suppressions(self, word: str, pairs: Sequence[tuple[int, int]]) -> None:
        """From each old record to its new one; several may have come from one."""
        old = {f"{word}:{old}" for old, _ in pairs}
        found: dict[str, list[dict[str, Any]]] = {}
        for row in select_in(self._c, sa.select(t.suppressions), t.suppressions.c.value, old):
            kept = {name: row[name] for name in ("kind", "reason", "origin", "created_at")}
            found.setdefault(row["value"], []).append(kept)
        rows = [{**row, "value": f"{word}:{new}"} for old, new in pairs for row in found.get(f"{word}:{old}", ())]
        insert_missing(self._c, t.suppressions, rows)

    # --- rows ---------------------------------------------------------------------------------------

    def _known_rows(self, plan: MergePlan, entries: Sequence[Entry]) -> None:
        """Rows of earlier imports that are taken for somebody else now."""
        told = list(zip(entries, plan.entry_company, plan.entry_founders, strict=True))
        moved = [
            {"id": entry.lead_id, "company_id": company}
            for entry, company, _ in told
            if entry.lead_id and entry.company_id != company
        ]
        update_all(self._c, t.leads, moved)
        people = {entry.lead_id: those for entry, _, those in told if entry.lead_id and entry.founder_ids != those}
        delete_in(self._c, t.lead_founders.c.lead_id, people)
        insert_all(self._c, t.lead_founders, [row for lead, those in people.items() for row in _seats(lead, those)])

    def _new_rows(self, plan: MergePlan, imports: Sequence[int], leads: Sequence[NewLead]) -> list["_Written"]:
        """Every row of the files, with whom it was taken for."""
        twins = self._taken_for({lead.twin for lead in leads if lead.twin is not None})
        first = next_id(self._c, t.leads)
        written = []
        for at, lead in enumerate(leads):
            company, founders = twins[lead.twin] if lead.twin is not None else (None, ())
            if lead.entry is not None:
                company, founders = plan.entry_company[lead.entry], plan.entry_founders[lead.entry]
            written.append(_Written(first + at, lead, company, founders))
        insert_all(self._c, t.leads, [_lead_row(each, imports[each.lead.file]) for each in written])
        insert_all(self._c, t.lead_founders, [row for each in written for row in _seats(each.id, each.founders)])
        return written

    def _taken_for(self, leads: Iterable[int]) -> dict[int, tuple[int | None, tuple[int, ...]]]:
        leads = list(leads)
        people: dict[int, list[int]] = {}
        seats = select_in(self._c, sa.select(t.lead_founders), t.lead_founders.c.lead_id, leads)
        for seat in sorted(seats, key=lambda seat: int(seat["position"])):
            people.setdefault(seat["lead_id"], []).append(seat["founder_id"])
        rows = select_in(self._c, sa.select(t.leads.c.id, t.leads.c.company_id), t.leads.c.id, leads)
        return {row["id"]: (row["company_id"], tuple(people.get(row["id"], ()))) for row in rows}

    def _address_changes(self, plan: MergePlan, entries: Sequence[Entry], lead_of: Mapping[int, int]) -> None:
        added = []
        for change in plan.addresses:
            if change.is_new:
                entry = entries[change.entry]
                owner = {"founder_id": change.founder_id, "company_id": change.company_id}
                lead = entry.lead_id or lead_of.get(change.entry)
                known = {"status": _status(entry, change.key), "origin": entry.format, "lead_id": lead}
                added.append({"address": change.key, "key": change.key, **owner, **known, "created_at": self._now})
        insert_all(self._c, t.addresses, added)
        moved = sa.update(t.addresses).where(t.addresses.c.key == sa.bindparam("at_key"))
        rows = [
            {"at_key": each.key, "founder": each.founder_id, "company": each.company_id}
            for each in plan.addresses
            if not each.is_new
        ]
        if rows:
            new: dict[str, Any] = {"founder_id": sa.bindparam("founder"), "company_id": sa.bindparam("company")}
            self._c.execute(moved.values(new), rows)

    def _follow_addresses(self, plan: MergePlan) -> None:
        """Where one record comes apart, mails and places in campaigns stay with whose address they went to."""
        pairs = [{"old": old, "new": new} for new, old in plan.split_founders.items()]
        if not pairs:
            return
        new: sa.BindParameter[int] = sa.bindparam("new")
        old: sa.BindParameter[int] = sa.bindparam("old")
        own = sa.select(t.addresses.c.key).where(t.addresses.c.founder_id == new)
        mine = sa.select(t.enrollments.c.id).where(t.enrollments.c.founder_id == new)
        sent = sa.select(t.outbox.c.id).where(t.outbox.c.founder_id == new)
        for of, goes in (
            (t.enrollments, t.enrollments.c.address_key.in_(own)),
            (t.outbox, t.outbox.c.enrollment_id.in_(mine)),
            (t.inbound, t.inbound.c.outbox_id.in_(sent)),
        ):
            self._c.execute(sa.update(of).where(of.c.founder_id == old, goes).values(founder_id=new), pairs)

    def _confirm_found(self, entries: Sequence[Entry], lead_of: Mapping[int, int]) -> None:
        """An address that `find` had only found, and that a list gives now, is the list's word from now on."""
        rows = [
            {"at_key": key, "told": person.email_status, "format": entries[at].format, "lead": lead}
            for at, lead in lead_of.items()
            for person in entries[at].lead.people
            for key in person.emails
            if person.email_status in SENDABLE
        ]
        if rows:
            found = sa.and_(t.addresses.c.lead_id.is_(None), t.addresses.c.status != AddressStatus.BOUNCED)
            values = {"status": "told", "origin": "format", "lead_id": "lead"}
            new: dict[str, Any] = {column: sa.bindparam(name) for column, name in values.items()}
            self._c.execute(
                sa.update(t.addresses).where(t.addresses.c.key == sa.bindparam("at_key"), found).values(new), rows
            )

    def _tag(self, files: Sequence[NewImport], fresh: Sequence["_Written"]) -> None:
        tagged = {(founder, files[each.lead.file].tag) for each in fresh for founder in each.founders}
        edits = sa.select(t.founder_edits.c.founder_id, t.founder_edits.c.field).where(
            t.founder_edits.c.value == "", t.founder_edits.c.field.startswith("tag:")
        )
        unwanted = {(row.founder_id, row.field) for row in self._c.execute(edits)}
        rows = [
            {"founder_id": founder, "tag": tag}
            for founder, tag in sorted(tagged)
            if tag and (founder, f"tag:{tag}") not in unwanted
        ]
        insert_missing(self._c, t.founder_tags, rows)

    def _asked(self, kind: str, ids: Iterable[int]) -> dict[tuple[str, int, int], tuple[int, str]]:
        """Questions between two of these records."""
        among = set(ids)
        rows = select_in(
            self._c, sa.select(t.candidates).where(t.candidates.c.kind == kind), t.candidates.c.left_id, among
        )
        return {
            (kind, row["left_id"], row["right_id"]): (row["id"], row["decision"])
            for row in rows
            if row["right_id"] in among
        }


@dataclass(frozen=True, slots=True)
class _Written:
    """A row as it was recorded."""

    id: int
    lead: NewLead
    company: int | None
    founders: tuple[int, ...]


def tag_import(connection: sa.Connection, import_id: int, tag: str) -> None:
    """Tag everyone whom an earlier import named."""
    named = (
        sa.select(t.lead_founders.c.founder_id, sa.literal(tag).label("tag"))
        .join(t.leads, t.leads.c.id == t.lead_founders.c.lead_id)
        .where(t.leads.c.import_id == import_id)
    )
    insert_missing(connection, t.founder_tags, named.distinct())


def _columns(record: CompanyRecord) -> dict[str, Any]:
    row = {name: getattr(record, name) for name in _COMPANY_COLUMNS}
    return {**row, "industries": list(record.industries)}


def _lead_row(written: _Written, import_id: int) -> dict[str, Any]:
    lead = written.lead
    return {
        "id": written.id,
        "import_id": import_id,
        "line": lead.line,
        "sha256": lead.sha256,
        "cells": dict(lead.cells),
        "outcome": lead.outcome,
        "reason": lead.reason,
        "company_id": written.company,
    }


def _seats(lead: int, founders: Sequence[int]) -> list[dict[str, int]]:
    return [{"lead_id": lead, "position": at, "founder_id": founder} for at, founder in enumerate(founders)]


def _status(entry: Entry, address: str) -> str:
    told = (person.email_status for person in entry.lead.people if address in person.emails)
    return next(told, "given")


def _pointing_to(of: sa.Table) -> list[sa.Column[Any]]:
    """Every column of every table that refers to this one's id."""
    return [key.parent for other in t.metadata.sorted_tables for key in other.foreign_keys if key.column is of.c.id]
