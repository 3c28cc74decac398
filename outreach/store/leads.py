"""Imports and their rows: what came from which file, and which records a set of rows may speak of.

Writes nothing; `merging` carries out what an import has decided.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from outreach.core.identity import LookupKeys
from outreach.core.merge import Known
from outreach.core.names import without_marks
from outreach.core.rulings import Ruling, Seat
from outreach.core.survivors import CompanyRecord, FounderRecord
from outreach.errors import NotFound
from outreach.store import tables as t
from outreach.store.bulk import next_id, select_in
from outreach.store.database import Database


@dataclass(frozen=True, slots=True)
class StoredLead:
    """A row of an earlier import, with whom it was taken for."""

    id: int
    import_id: int
    file: str
    line: int
    sha256: str
    cells: Mapping[str, str]
    format: str
    mapping: Mapping[str, str]
    exported_at: datetime
    company_id: int | None
    founder_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PastImport:
    """One file as it was read. `outcomes` counts its rows: new, merged, same, skipped."""

    id: int
    file: str
    sha256: str
    format: str
    encoding: str
    mapping: Mapping[str, str]
    rows: int
    tag: str
    exported_at: datetime
    imported_at: datetime
    undone_at: datetime | None
    outcomes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class SkippedRow:
    """A row that could not be used."""

    line: int
    reason: str
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class KnownAddress:
    """An address, and the row that first gave it; None if no list did."""

    address: str
    status: str
    origin: str
    lead_id: int | None
    created_at: datetime


class Leads:
    """What came from where."""

    def __init__(self, database: Database) -> None:
        self._db = database

    # --- imports ------------------------------------------------------------------------------------

    def imports(self) -> list[PastImport]:
        """Every import, oldest first."""
        counted = sa.select(t.leads.c.import_id, t.leads.c.outcome, sa.func.count()).group_by(
            t.leads.c.import_id, t.leads.c.outcome
        )
        with self._db.read() as connection:
            outcomes: dict[int, dict[str, int]] = {}
            for import_id, outcome, count in connection.execute(counted):
                outcomes.setdefault(import_id, {})[outcome] = count
            rows = connection.execute(sa.select(t.imports).order_by(t.imports.c.id)).mappings()
            return [PastImport(**row, outcomes=outcomes.get(row["id"], {})) for row in rows]

    def get_import(self, import_id: int) -> PastImport:
        found = next((each for each in self.imports() if each.id == import_id), None)
        if found is None:
            raise NotFound(f"there is no import {import_id}.", hint="outreach imports lists them")
        return found

    def skipped(self, import_id: int) -> list[SkippedRow]:
        query = sa.select(t.leads.c.line, t.leads.c.reason, t.leads.c.cells).where(
            t.leads.c.import_id == import_id, t.leads.c.outcome == "skipped"
        )
        with self._db.read() as connection:
            return [SkippedRow(**row) for row in connection.execute(query.order_by(t.leads.c.line)).mappings()]

    # --- what an import must know -------------------------------------------------------------------

    def find_same_file(
        self, connection: sa.Connection, sha256: str, format_name: str, mapping: Mapping[str, str], encoding: str
    ) -> int | None:
        """The import that read these very bytes in the same way."""
        query = sa.select(t.imports.c.id, t.imports.c.mapping).where(
            t.imports.c.sha256 == sha256,
            t.imports.c.format == format_name,
            t.imports.c.encoding == encoding,
            t.imports.c.undone_at.is_(None),
        )
        return next((id_ for id_, told in connection.execute(query) if told == dict(mapping)), None)

    def twins(self, connection: sa.Connection, hashes: Iterable[str]) -> dict[str, tuple[int, datetime]]:
        """row hash → a stored row with the same cells, and the date of the newest export that has it."""
        newest = sa.func.max(t.imports.c.exported_at, type_=t.imports.c.exported_at.type)
        query = (
            sa.select(t.leads.c.sha256, sa.func.min(t.leads.c.id).label("lead_id"), newest.label("exported_at"))
            .join(t.imports, t.imports.c.id == t.leads.c.import_id)
            .where(t.leads.c.outcome != "skipped")
            .group_by(t.leads.c.sha256)
        )
        rows = select_in(connection, query, t.leads.c.sha256, hashes)
        return {row["sha256"]: (row["lead_id"], row["exported_at"]) for row in rows}

    def settled(self, connection: sa.Connection, leads: Iterable[int]) -> set[int]:
        """Those of these rows that are all that is said of whom they name: a newer copy of them changes nothing."""
        other, seat, shared = t.leads.alias(), t.lead_founders.alias(), t.lead_founders.alias()
        of_company = sa.exists().where(
            other.c.company_id == t.leads.c.company_id, other.c.sha256 != t.leads.c.sha256, other.c.outcome != "skipped"
        )
        of_founder = sa.exists().where(
            seat.c.lead_id == t.leads.c.id,
            shared.c.founder_id == seat.c.founder_id,
            other.c.id == shared.c.lead_id,
            other.c.sha256 != t.leads.c.sha256,
        )
        query = sa.select(t.leads.c.id).where(~of_company, ~of_founder)
        return {row["id"] for row in select_in(connection, query, t.leads.c.id, leads)}

    def owners(self, connection: sa.Connection, keys: LookupKeys) -> tuple[set[int], set[int]]:
        """The companies and founders that have one of these keys, hints or addresses."""
        companies, founders = set[int](), set[int]()
        for of in (t.company_keys, t.company_hints):
            companies |= {
                row["company_id"] for row in select_in(connection, sa.select(of.c.company_id), of.c.key, keys.companies)
            }
        for word, column in IMPLIED.items():
            values = [key[len(word) :] for key in keys.companies if key.startswith(word)]
            ids = select_in(connection, sa.select(t.companies.c.id), column, values)
            companies |= {row["id"] for row in ids}
        for of in (t.founder_keys, t.founder_hints):
            query = sa.select(of.c.founder_id)
            founders |= {row["founder_id"] for row in select_in(connection, query, of.c.key, keys.founders)}
        owned = sa.select(t.addresses.c.founder_id, t.addresses.c.company_id)
        for row in select_in(connection, owned, t.addresses.c.key, keys.addresses):
            founders |= {row["founder_id"]} - {None}
            companies |= {row["company_id"]} - {None}
        return companies, founders

    def next_ids(self, connection: sa.Connection) -> tuple[int, int, int]:
        """The next free numbers of rows, companies and founders."""
        companies = _unused_id(connection, "company", t.companies)
        return next_id(connection, t.leads), companies, _unused_id(connection, "person", t.founders)

    def is_empty(self, connection: sa.Connection) -> bool:
        """Whether nobody is known yet."""
        return not any(
            connection.scalar(sa.select(of.c.id).limit(1)) for of in (t.leads, t.companies, t.founders, t.addresses)
        )

    def owners_by_key(self, connection: sa.Connection, keys: LookupKeys) -> dict[str, list[str]]:
        """key → the records that have it, as words: `company 3`, `founder 5`."""
        found: dict[str, list[str]] = {}

        def add(word: str, owner: str, query: sa.Select[Any], column: sa.Column[Any], values: Iterable[str]) -> None:
            for row in select_in(connection, query, column, values):
                if row["owner"] is not None:
                    found.setdefault(f"{word}{row['at']}", []).append(f"{owner} {row['owner']}")

        for of in (t.company_keys, t.company_hints):
            query = sa.select(of.c.key.label("at"), of.c.company_id.label("owner"))
            add("company ", "company", query, of.c.key, keys.companies)
        for word, column in IMPLIED.items():
            values = [key[len(word) :] for key in keys.companies if key.startswith(word)]
            query = sa.select(column.label("at"), t.companies.c.id.label("owner"))
            add(f"company {word}", "company", query, column, values)
        for of in (t.founder_keys, t.founder_hints):
            query = sa.select(of.c.key.label("at"), of.c.founder_id.label("owner"))
            add("founder ", "founder", query, of.c.key, keys.founders)
        for owner in ("company", "founder"):
            query = sa.select(t.addresses.c.key.label("at"), t.addresses.c[f"{owner}_id"].label("owner"))
            add("address ", owner, query, t.addresses.c.key, keys.addresses)
        return found

    def rows_of(self, connection: sa.Connection, companies: Iterable[int], founders: Iterable[int]) -> list[StoredLead]:
        """Every stored row that was taken for one of these, oldest first."""
        usable = t.leads.c.outcome != "skipped"
        of_company = sa.select(t.leads.c.id).where(usable)
        found = {row["id"] for row in select_in(connection, of_company, t.leads.c.company_id, companies)}
        of_founder = sa.select(t.lead_founders.c.lead_id)
        found |= {row["lead_id"] for row in select_in(connection, of_founder, t.lead_founders.c.founder_id, founders)}
        people = self._founders_of(connection, found)
        return [
            StoredLead(**row, founder_ids=tuple(people.get(row["id"], ())))
            for row in sorted(select_in(connection, _STORED, t.leads.c.id, found), key=lambda row: int(row["id"]))
        ]

    def known(
        self, connection: sa.Connection, companies: set[int], founders: set[int], addresses: Iterable[str]
    ) -> Known:
        """What is known of these records, as far as an import may change it."""
        owned = sa.select(t.addresses.c.key, t.addresses.c.founder_id, t.addresses.c.company_id)
        enrolled = sa.select(t.enrollments.c.founder_id, t.enrollments.c.campaign_id)
        campaigns: dict[int, set[int]] = {}
        for row in select_in(connection, enrolled, t.enrollments.c.founder_id, founders):
            campaigns.setdefault(row["founder_id"], set()).add(row["campaign_id"])
        return Known(
            companies=_company_records(connection, companies),
            founders=_founder_records(connection, founders),
            addresses={
                row["key"]: (row["founder_id"], row["company_id"])
                for row in select_in(connection, owned, t.addresses.c.key, addresses)
            },
            campaigns={founder: frozenset(those) for founder, those in campaigns.items()},
            next_company=_unused_id(connection, "company", t.companies),
            next_founder=_unused_id(connection, "person", t.founders),
            edits=_edits_of(connection, founders),
            rulings=self.rulings(connection),
        )

    def rulings(self, connection: sa.Connection) -> tuple[Ruling, ...]:
        """Everything a person has ruled; there is little of it."""
        return tuple(
            Ruling(
                row["kind"],
                row["same"],
                Seat(row["left_sha256"], row["left_position"]),
                Seat(row["right_sha256"], row["right_position"]),
            )
            for row in connection.execute(sa.select(t.rulings).order_by(t.rulings.c.id)).mappings()
        )

    def edits(self, connection: sa.Connection, founder_id: int) -> dict[str, tuple[str, datetime]]:
        """What a person has written of a founder, and when."""
        query = (
            sa.select(t.founder_edits)
            .where(t.founder_edits.c.founder_id == founder_id)
            .order_by(t.founder_edits.c.field)
        )
        return {row["field"]: (row["value"], row["edited_at"]) for row in connection.execute(query).mappings()}

    def addresses(self, connection: sa.Connection, founder_id: int) -> list[KnownAddress]:
        """A founder's addresses with the row each came from."""
        query = sa.select(*(t.addresses.c[name] for name in KnownAddress.__dataclass_fields__))
        query = query.where(t.addresses.c.founder_id == founder_id).order_by(t.addresses.c.id)
        return [KnownAddress(**row) for row in connection.execute(query).mappings()]

    def named_by(self, connection: sa.Connection, hashes: Iterable[str]) -> tuple[set[int], set[int]]:
        """The companies and founders that stored rows of these hashes have been taken for."""
        rows = list(select_in(connection, sa.select(t.leads.c.id, t.leads.c.company_id), t.leads.c.sha256, hashes))
        people = self._founders_of(connection, [row["id"] for row in rows])
        return {row["company_id"] for row in rows} - {None}, {each for those in people.values() for each in those}

    def _founders_of(self, connection: sa.Connection, leads: Iterable[int]) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        rows = select_in(connection, sa.select(t.lead_founders), t.lead_founders.c.lead_id, leads)
        for row in sorted(rows, key=lambda row: (int(row["lead_id"]), int(row["position"]))):
            found.setdefault(row["lead_id"], []).append(row["founder_id"])
        return found


_STORED = sa.select(
    t.leads.c.id,
    t.leads.c.import_id,
    t.imports.c.file,
    t.leads.c.line,
    t.leads.c.sha256,
    t.leads.c.cells,
    t.imports.c.format,
    t.imports.c.mapping,
    t.imports.c.exported_at,
    t.leads.c.company_id,
).join(t.imports, t.imports.c.id == t.leads.c.import_id)


IMPLIED: Mapping[str, sa.Column[Any]] = {
    "slug:": t.companies.c.slug,
    "domain:": t.companies.c.domain,
    "name:": t.companies.c.name_key,
    "bare:": t.companies.c.slug,
}
"""Keys and hints that a column of the company holds under an index: they are not stored again."""


def implied_keys(row: Mapping[str, Any] | sa.RowMapping) -> tuple[frozenset[str], frozenset[str]]:
    """The keys and the hints of a company that its own columns hold."""
    slug, domain, plain = row["slug"], row["domain"], without_marks(row["slug"])
    keys = {*((f"slug:{slug}",) if slug else ()), *((f"domain:{domain}",) if domain else ())}
    hints = {f"name:{row['name_key']}", *((f"bare:{slug}",) if slug and plain == slug else ())}
    return frozenset(keys), frozenset(hints)


def company_keys(connection: sa.Connection, company_id: int) -> frozenset[str]:
    """Everything by which a company is known: its keys, and its names as `name:acme`."""
    record = _company_records(connection, [company_id])[company_id]
    return record.keys | record.hints


def _edits_of(connection: sa.Connection, founders: Iterable[int]) -> dict[int, dict[str, str]]:
    found: dict[int, dict[str, str]] = {}
    for row in select_in(connection, sa.select(t.founder_edits), t.founder_edits.c.founder_id, founders):
        found.setdefault(row["founder_id"], {})[row["field"]] = row["value"]
    return found


def _unused_id(connection: sa.Connection, kind: str, of: sa.Table) -> int:
    """An id that no record has or had: mails and their keys outlive the record they were written to."""
    retired = connection.scalar(sa.select(sa.func.max(t.retired_ids.c.id)).where(t.retired_ids.c.kind == kind)) or 0
    return max(next_id(connection, of), retired + 1)


def _company_records(connection: sa.Connection, ids: Iterable[int]) -> dict[int, CompanyRecord]:
    ids = list(ids)
    aliases, keys, hints = (
        _texts(connection, of, column, of.c.company_id, ids)
        for of, column in ((t.company_names, "name"), (t.company_keys, "key"), (t.company_hints, "key"))
    )
    found = {}
    for row in select_in(connection, sa.select(t.companies), t.companies.c.id, ids):
        plain: dict[str, Any] = {**row, "industries": tuple(row["industries"])}
        plain.pop("created_at")
        id_ = row["id"]
        own, shared = implied_keys(row)
        told = frozenset(hints.get(id_, ()))
        found[id_] = CompanyRecord(
            **plain,
            aliases=frozenset(aliases.get(id_, ())),
            keys=frozenset(keys.get(id_, ())) | (own - told),
            hints=told | shared,
        )
    return found


def _founder_records(connection: sa.Connection, ids: Iterable[int]) -> dict[int, FounderRecord]:
    ids = list(ids)
    keys, hints = (_texts(connection, of, "key", of.c.founder_id, ids) for of in (t.founder_keys, t.founder_hints))
    found = {}
    for row in select_in(connection, sa.select(t.founders), t.founders.c.id, ids):
        plain: dict[str, Any] = dict(row)
        plain.pop("created_at")
        mine, shared = keys.get(row["id"], ()), hints.get(row["id"], ())
        found[row["id"]] = FounderRecord(**plain, keys=frozenset(mine), hints=frozenset(shared))
    return found


def _texts(
    connection: sa.Connection, of: sa.Table, column: str, owner: sa.Column[Any], ids: Sequence[int]
) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for row in select_in(connection, sa.select(owner, of.c[column]), owner, ids):
        found.setdefault(row[owner.name], []).append(row[column])
    return found
