"""Where each fact about a founder comes from: file, line and time; and why their rows are taken as one person.

Nothing of it is stored: facts are chosen from rows by rule, so the same rules say which row a fact was chosen from.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from outreach.core.identity import resolve
from outreach.core.survivors import CompanyRecord, Entry, FounderRecord, company_record, founder_record
from outreach.flows._known import as_entry
from outreach.importers import Importers
from outreach.store.leads import KnownAddress, StoredLead
from outreach.store.store import Store

BY_HAND = "by hand"

_FOUNDER_FIELDS = ("full_name", "first_name", "last_name", "title", "linkedin", "slug")
_COMPANY_FIELDS = (
    "name", "domain", "website", "slug", "linkedin", "description", "industries", "city", "region", "country",
    "employees", "founded", "funding_amount", "funding_currency", "funding_usd", "last_funding_type",
    "last_funding_on", "status", "phone",
)  # fmt: skip
_NEWEST = frozenset(
    ("title", "employees", "funding_amount", "funding_currency", "funding_usd", "last_funding_type", "last_funding_on",
     "status")
)  # fmt: skip
"""Facts that follow the newest export; of all others the first stays."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One field of the founder, their company, or an address of theirs: what it says, and which row said so.

    `at` is when that list was exported, or when a person wrote it (`file` is then "by hand", `line` 0).
    """

    of: str
    field: str
    value: str
    file: str
    line: int
    at: datetime
    import_id: int | None = None
    lead_id: int | None = None


@dataclass(frozen=True, slots=True)
class SameBecause:
    """Why rows (by their ids) speak of one person."""

    rule: str
    evidence: str
    leads: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Provenance:
    """Everything about where a founder comes from. `rows` are all that name them, oldest first."""

    facts: tuple[Fact, ...]
    rows: tuple[StoredLead, ...]
    links: tuple[SameBecause, ...]


def provenance(store: Store, importers: Importers, founder_id: int) -> Provenance:
    """Of a founder, their company and their addresses."""
    with store.database.read() as connection:
        known = store.leads.known(connection, set(), {founder_id}, ())
        record = known.founders.get(founder_id)
        company_id = record.company_id if record else None
        rows = store.leads.rows_of(connection, [company_id] if company_id is not None else [], [founder_id])
        companies = store.leads.known(
            connection, {company_id} if company_id is not None else set(), set(), ()
        ).companies
        edits = store.leads.edits(connection, founder_id)
        addresses = store.leads.addresses(connection, founder_id)
    of_row = {row.id: row for row in rows}
    entries = [as_entry(row, importers) for row in rows]
    mine = [entry for entry in entries if founder_id in entry.founder_ids]
    facts = [*_founder_facts(record, mine, of_row), *_edited(edits)] if record else []
    if company_id is not None and company_id in companies:
        own = [entry for entry in entries if entry.company_id == company_id]
        facts += _company_facts(companies[company_id], own, of_row)
    for address in addresses:
        facts.append(_address_fact(address, of_row.get(address.lead_id or 0)))
    return Provenance(
        tuple(facts), tuple(of_row[entry.lead_id or 0] for entry in mine), tuple(_links(mine, founder_id))
    )


def _founder_facts(record: FounderRecord, entries: Sequence[Entry], rows: Mapping[int, StoredLead]) -> Iterator[Fact]:
    def alone(entry: Entry) -> FounderRecord:
        seats = zip(entry.founder_ids, entry.lead.people, strict=False)
        return founder_record(
            record.id, [(entry, facts, None) for id_, facts in seats if id_ == record.id], frozenset()
        )

    yield from _facts("founder", _FOUNDER_FIELDS, record, entries, rows, alone)


def _company_facts(record: CompanyRecord, entries: Sequence[Entry], rows: Mapping[int, StoredLead]) -> Iterator[Fact]:
    yield from _facts(
        "company", _COMPANY_FIELDS, record, entries, rows, lambda entry: company_record(record.id, [entry], frozenset())
    )


def _facts(
    of: str,
    fields: Sequence[str],
    record: FounderRecord | CompanyRecord,
    entries: Sequence[Entry],
    rows: Mapping[int, StoredLead],
    alone: Callable[[Entry], Any],
) -> Iterator[Fact]:
    """Each field with the row that, taken alone, says the same: the first such row, or the one of the newest export."""
    told = [(entry, alone(entry)) for entry in entries]
    newest_last = sorted(told, key=lambda pair: pair[0].exported_at)
    for field in fields:
        value = getattr(record, field)
        order = reversed(newest_last) if field in _NEWEST else iter(told)
        source = next((entry for entry, said in order if value and getattr(said, field) == value), None)
        if source is not None and source.lead_id is not None:
            row = rows[source.lead_id]
            text = ", ".join(value) if isinstance(value, tuple) else str(value)
            yield Fact(of, field, text, row.file, row.line, row.exported_at, row.import_id, row.id)


def _address_fact(address: KnownAddress, row: StoredLead | None) -> Fact:
    if row is None:
        return Fact("address", address.address, address.status, address.origin, 0, address.created_at)
    return Fact("address", address.address, address.status, row.file, row.line, row.exported_at, row.import_id, row.id)


def _edited(edits: Mapping[str, tuple[str, datetime]]) -> Iterator[Fact]:
    for field, (value, at) in edits.items():
        yield Fact("founder", field, value, BY_HAND, 0, at)


def _links(entries: Sequence[Entry], founder_id: int) -> Iterator[SameBecause]:
    """The rules that hold these rows together, among themselves."""
    found = resolve([entry.lead for entry in entries])
    seats = [(entry, id_) for entry in entries for id_ in entry.founder_ids[: len(entry.lead.people)]]
    for link in found.people_links:
        named = [seats[at] for at in link.mentions]
        if all(id_ == founder_id for _, id_ in named):
            yield SameBecause(link.rule, link.evidence, tuple(entry.lead_id or 0 for entry, _ in named))
