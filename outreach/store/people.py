"""Founders and companies as the rest of the program reads them. Writes nothing: imports do, through `merging`."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from outreach.core.names import company_key, parse_name
from outreach.core.normalize import address_key
from outreach.core.records import Address, AddressStatus, Company, Founder, Money
from outreach.errors import NotFound
from outreach.store.bulk import select_in
from outreach.store.database import Database
from outreach.store.people_filters import company_conditions, company_search, founder_conditions
from outreach.store.tables import (
    AddressRow,
    CompanyName,
    CompanyRow,
    EnrollmentRow,
    FounderRow,
    FounderTag,
    Import,
    LeadFounder,
    LeadRow,
    RetiredId,
    table,
)

_companies, _founders, _addresses = table(CompanyRow), table(FounderRow), table(AddressRow)
_names, _tags, _enrollments = table(CompanyName), table(FounderTag), table(EnrollmentRow)
_leads, _lead_founders, _imports = table(LeadRow), table(LeadFounder), table(Import)
_retired = table(RetiredId)

_SHOWN_CANDIDATES = 5
_WITH_COMPANY = _founders.outerjoin(_companies, _companies.c.id == _founders.c.company_id)


class People:
    """Everyone who came from a list."""

    def __init__(self, database: Database) -> None:
        self._db = database

    # --- founders -----------------------------------------------------------------------------------

    def founders(self, filters: Mapping[str, str] | None = None, limit: int | None = None) -> list[Founder]:
        """Those who match every filter, in the order in which they came."""
        with self._db.read() as connection:
            return _read_founders(
                connection, _matching(filters or {}, connection).order_by(_founders.c.id).limit(limit)
            )

    def count_founders(self, filters: Mapping[str, str] | None = None) -> int:
        with self._db.read() as connection:
            query = sa.select(sa.func.count()).select_from(_matching(filters or {}, connection).subquery())
            return connection.scalar(query) or 0

    def enrolled(self, campaign_id: int) -> list[Founder]:
        """Everyone who is or was in a campaign."""
        query = sa.select(_founders).join(_enrollments, _enrollments.c.founder_id == _founders.c.id)
        with self._db.read() as connection:
            return _read_founders(
                connection, query.where(_enrollments.c.campaign_id == campaign_id).order_by(_founders.c.id)
            )

    def get_founder(self, who: str) -> Founder:
        """By id, address, or a name that only one has; NotFound lists those whom it could mean."""
        found = self._find(who.strip())
        if len(found) == 1:
            return found[0]
        if not found:
            raise NotFound(
                f"there is no founder “{who}”.", hint="outreach founders list --search TEXT looks for part of a name"
            )
        some = [f"{founder.id} {founder.full_name}{_at(founder)}" for founder in found[:_SHOWN_CANDIDATES]]
        more = f" and {len(found) - len(some)} more" if len(found) > len(some) else ""
        raise NotFound(f"“{who}” could be {len(found)} founders: {', '.join(some)}{more}.", hint="name one by its id")

    def find_by_address(self, key: str) -> Founder | None:
        """The founder whose address this is, in its canonical form."""
        query = sa.select(_founders).join(_addresses, _addresses.c.founder_id == _founders.c.id)
        with self._db.read() as connection:
            return next(iter(_read_founders(connection, query.where(_addresses.c.key == key))), None)

    def _find(self, who: str) -> list[Founder]:
        if "@" in who:
            owner = self.find_by_address(address_key(who))
            return [owner] if owner else []
        by = _founders.c.id == int(who) if who.isdecimal() else _founders.c.name_key == (parse_name(who).key or None)
        with self._db.read() as connection:
            exact = _read_founders(connection, sa.select(_founders).where(by).order_by(_founders.c.id))
            if not exact and who.isdecimal():
                became = _founders.c.id == _became(connection, "person", int(who))
                exact = _read_founders(connection, sa.select(_founders).where(became))
        return exact or ([] if who.isdecimal() or not who else self.founders({"search": who}))

    # --- companies ----------------------------------------------------------------------------------

    def companies(self, filters: Mapping[str, str] | None = None, limit: int | None = None) -> list[Company]:
        """Those that match every filter, in the order in which they came."""
        with self._db.read() as connection:
            query = sa.select(_companies).where(*_company_wanted(filters or {}, connection))
            return _read_companies(connection, query.order_by(_companies.c.id).limit(limit))

    def count_companies(self, filters: Mapping[str, str] | None = None) -> int:
        with self._db.read() as connection:
            wanted = _company_wanted(filters or {}, connection)
            return connection.scalar(sa.select(sa.func.count()).select_from(_companies).where(*wanted)) or 0

    def get_company(self, who: str) -> Company:
        """By id, domain, or a name (also a former one) that only one has."""
        named = sa.select(_names.c.company_id).where(_names.c.name.ilike(who.strip()))
        key = company_key(who) if who.strip() else None
        by = sa.or_(
            _companies.c.name_key == key, _companies.c.domain == who.strip().lower(), _companies.c.id.in_(named)
        )
        if who.strip().isdecimal():
            by = _companies.c.id == int(who)
        with self._db.read() as connection:
            found = _read_companies(connection, sa.select(_companies).where(by).order_by(_companies.c.id))
            if not found and who.strip().isdecimal():
                became = _companies.c.id == _became(connection, "company", int(who))
                found = _read_companies(connection, sa.select(_companies).where(became))
        if len(found) == 1:
            return found[0]
        some = ", ".join(f"{company.id} {company.name}" for company in found[:_SHOWN_CANDIDATES])
        if found:
            raise NotFound(f"“{who}” could be {len(found)} companies: {some}.", hint="name one by its id")
        raise NotFound(
            f"there is no company “{who}”.", hint="outreach companies list --search TEXT looks for part of a name"
        )

    def inboxes(self, company_id: int) -> list[Address]:
        """The addresses of a company itself."""
        query = sa.select(_addresses).where(_addresses.c.company_id == company_id).order_by(_addresses.c.id)
        with self._db.read() as connection:
            return [_address(row) for row in connection.execute(query).mappings()]

    def team(self, company_id: int) -> list[Founder]:
        query = sa.select(_founders).where(_founders.c.company_id == company_id).order_by(_founders.c.id)
        with self._db.read() as connection:
            return _read_founders(connection, query)


def _became(connection: sa.Connection, kind: str, retired: int) -> int | None:
    """The record that a retired number is part of now."""
    return connection.scalar(sa.select(_retired.c.became).where(_retired.c.kind == kind, _retired.c.id == retired))


def _matching(filters: Mapping[str, str], connection: sa.Connection) -> sa.Select[Any]:
    return sa.select(_founders).select_from(_WITH_COMPANY).where(*founder_conditions(filters, connection))


def _company_wanted(filters: Mapping[str, str], connection: sa.Connection) -> list[sa.ColumnElement[bool]]:
    searched = [company_search(filters["search"])] if filters.get("search") else []
    return [*company_conditions(filters, connection), *searched]


def _at(founder: Founder) -> str:
    return f" ({founder.company.name})" if founder.company else ""


# --- rows to records ------------------------------------------------------------------------------


def _read_founders(connection: sa.Connection, query: sa.Select[Any]) -> list[Founder]:
    """The founders of a query with all that hangs on them, in a few set-based queries."""
    rows = connection.execute(query).mappings().all()
    ids = [row["id"] for row in rows]
    wanted = {row["company_id"] for row in rows} - {None}
    companies = {company.id: company for company in _companies_of(connection, wanted)}
    addresses = _grouped(select_in(connection, _BY_TRUST, _addresses.c.founder_id, ids), "founder_id")
    tags = _grouped(
        select_in(connection, sa.select(_tags).order_by(_tags.c.tag), _tags.c.founder_id, ids), "founder_id"
    )
    cells = {row["founder_id"]: row["cells"] for row in select_in(connection, _NEWEST, _RANKED.c.founder_id, ids)}
    return [
        Founder(
            **{name: row[name] for name in ("id", "full_name", "first_name", "last_name", "title", "linkedin")},
            company=companies.get(row["company_id"]),
            addresses=tuple(map(_address, addresses.get(row["id"], ()))),
            tags=tuple(tag["tag"] for tag in tags.get(row["id"], ())),
            cells=cells.get(row["id"], {}),
        )
        for row in rows
    ]


_BY_TRUST = sa.select(_addresses).order_by(_addresses.c.id)
_RANKED = (
    sa.select(
        _lead_founders.c.founder_id,
        _leads.c.cells,
        sa.func.row_number()
        .over(partition_by=_lead_founders.c.founder_id, order_by=(_imports.c.exported_at.desc(), _leads.c.id.desc()))
        .label("rank"),
    )
    .join(_leads, _leads.c.id == _lead_founders.c.lead_id)
    .join(_imports, _imports.c.id == _leads.c.import_id)
).subquery()
_NEWEST = sa.select(_RANKED.c.founder_id, _RANKED.c.cells).where(_RANKED.c.rank == 1)


def _read_companies(connection: sa.Connection, query: sa.Select[Any]) -> list[Company]:
    rows = connection.execute(query).mappings().all()
    return _with_names(connection, rows)


def _companies_of(connection: sa.Connection, ids: Iterable[int]) -> list[Company]:
    return _with_names(connection, list(select_in(connection, sa.select(_companies), _companies.c.id, ids)))


def _with_names(connection: sa.Connection, rows: Sequence[sa.RowMapping]) -> list[Company]:
    ids = [row["id"] for row in rows]
    names = _grouped(
        select_in(connection, sa.select(_names).order_by(_names.c.name), _names.c.company_id, ids), "company_id"
    )
    counted = sa.select(_founders.c.company_id, sa.func.count().label("founders")).group_by(_founders.c.company_id)
    teams = {row["company_id"]: row["founders"] for row in select_in(connection, counted, _founders.c.company_id, ids)}
    return [
        _company(row, tuple(name["name"] for name in names.get(row["id"], ())), teams.get(row["id"], 0)) for row in rows
    ]


def _company(row: sa.RowMapping, aliases: tuple[str, ...], founders: int) -> Company:
    same = {name: row[name] for name in Company.__dataclass_fields__ if name in row}
    amount = row["funding_amount"]
    funding = Money(amount, row["funding_currency"], row["funding_usd"]) if amount is not None else None
    told = {"industries": tuple(row["industries"]), "funding_total": funding}
    return Company(**{**same, **told, "aliases": aliases, "founders": founders})


def _address(row: sa.RowMapping) -> Address:
    return Address(row["address"], row["key"], AddressStatus(row["status"]), row["origin"])


def _grouped(rows: Iterable[sa.RowMapping], name: str) -> dict[int, list[sa.RowMapping]]:
    found: dict[int, list[sa.RowMapping]] = {}
    for row in rows:
        found.setdefault(row[name], []).append(row)
    return found
