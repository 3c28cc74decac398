"""Founders and companies as the rest of the program reads them. Writes nothing: imports do, through `merging`."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from outreach.core.names import company_key, parse_name
from outreach.core.normalize import address_key
from outreach.core.records import Address, AddressStatus, Company, Founder, Money
from outreach.errors import NotFound, UsageError
from outreach.store import tables as t
from outreach.store.bulk import chunks, select_in
from outreach.store.database import Database
from outreach.store.people_filters import about_companies, asks_index, company_conditions, founder_conditions
from outreach.store.search import is_behind, refresh

_SHOWN_CANDIDATES = 5
_WITH_COMPANY = t.founders.outerjoin(t.companies, t.companies.c.id == t.founders.c.company_id)


class People:
    """Everyone who came from a list."""

    def __init__(self, database: Database) -> None:
        self._db = database

    # --- founders -----------------------------------------------------------------------------------

    def founders(
        self, filters: Mapping[str, str] | None = None, limit: int | None = None, *, sort: str = ""
    ) -> list[Founder]:
        """Those who match every filter, in the order in which they came, or by `sort` (`-founded`: the other way)."""
        with self._searchable(filters or {}) as connection:
            query = _matching(filters or {}, connection)
            return _read_founders(connection, query.order_by(*_order(sort, FOUNDER_SORTS, filters or {})).limit(limit))

    def each_founder(self, filters: Mapping[str, str], *, sort: str = "") -> Iterator[Founder]:
        """The same, some hundred at a time: a list of any length fits in memory."""
        with self._searchable(filters) as connection:
            query = _matching(filters, connection).with_only_columns(t.founders.c.id)
            ids = list(connection.scalars(query.order_by(*_order(sort, FOUNDER_SORTS, filters))))
            for chunk in chunks(ids):
                by_id = _founders_by_id(connection, chunk)
                yield from (by_id[id_] for id_ in chunk)

    def count_founders(self, filters: Mapping[str, str] | None = None, *, most: int | None = None) -> int:
        """How many match; counting stops at `most`."""
        with self._searchable(filters or {}) as connection:
            ids = _matching(filters or {}, connection).with_only_columns(t.founders.c.id).limit(most)
            return connection.scalar(sa.select(sa.func.count()).select_from(ids.subquery())) or 0

    def enrolled(self, campaign_id: int) -> list[Founder]:
        """Everyone who is or was in a campaign."""
        query = sa.select(t.founders).join(t.enrollments, t.enrollments.c.founder_id == t.founders.c.id)
        with self._db.read() as connection:
            return _read_founders(
                connection, query.where(t.enrollments.c.campaign_id == campaign_id).order_by(t.founders.c.id)
            )

    def by_ids(self, ids: Sequence[int]) -> dict[int, Founder]:
        """Those of these ids who are there."""
        with self._db.read() as connection:
            found = [_founders_by_id(connection, chunk) for chunk in chunks(ids)]
            return {id_: founder for part in found for id_, founder in part.items()}

    def companies_by_ids(self, ids: Iterable[int]) -> dict[int, Company]:
        """Those of these ids that are there."""
        with self._db.read() as connection:
            return {company.id: company for company in _companies_of(connection, ids)}

    def names_in(self, campaign_id: int) -> list[str]:
        """The names of everyone who is or was in a campaign, and of their companies."""
        query = (
            sa.select(t.founders.c.full_name, t.companies.c.name)
            .select_from(_WITH_COMPANY.join(t.enrollments, t.enrollments.c.founder_id == t.founders.c.id))
            .where(t.enrollments.c.campaign_id == campaign_id)
            .order_by(t.founders.c.id)
        )
        with self._db.read() as connection:
            return [name for row in connection.execute(query) for name in row if name]

    def get_founder(self, who: str) -> Founder:
        """By id, address, LinkedIn page, or a name that only one has; NotFound lists those whom it could mean."""
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
        query = sa.select(t.founders).join(t.addresses, t.addresses.c.founder_id == t.founders.c.id)
        with self._db.read() as connection:
            return next(iter(_read_founders(connection, query.where(t.addresses.c.key == key))), None)

    def _find(self, who: str) -> list[Founder]:
        if "@" in who:
            owner = self.find_by_address(address_key(who))
            return [owner] if owner else []
        if page := _page(who):
            paged = sa.select(t.founder_keys.c.founder_id).where(t.founder_keys.c.key == f"linkedin:{page}")
            with self._db.read() as connection:
                return _read_founders(connection, sa.select(t.founders).where(t.founders.c.id.in_(paged)))
        by = t.founders.c.id == int(who) if who.isdecimal() else t.founders.c.name_key == (parse_name(who).key or None)
        with self._db.read() as connection:
            exact = _read_founders(connection, sa.select(t.founders).where(by).order_by(t.founders.c.id))
            if not exact and who.isdecimal():
                became = t.founders.c.id == _became(connection, "person", int(who))
                exact = _read_founders(connection, sa.select(t.founders).where(became))
        return exact or ([] if who.isdecimal() or not who else self.founders({"search": who}))

    # --- companies ----------------------------------------------------------------------------------

    def companies(
        self, filters: Mapping[str, str] | None = None, limit: int | None = None, *, sort: str = ""
    ) -> list[Company]:
        """Those that match every filter, in the order in which they came, or by `sort`."""
        with self._searchable(filters or {}) as connection:
            query = sa.select(t.companies).where(*company_conditions(filters or {}, connection))
            return _read_companies(connection, query.order_by(*_order(sort, COMPANY_SORTS, {})).limit(limit))

    def each_company(self, filters: Mapping[str, str], *, sort: str = "") -> Iterator[Company]:
        """The same, some hundred at a time."""
        with self._searchable(filters) as connection:
            query = sa.select(t.companies.c.id).where(*company_conditions(filters, connection))
            ids = list(connection.scalars(query.order_by(*_order(sort, COMPANY_SORTS, {}))))
            for chunk in chunks(ids):
                by_id = {company.id: company for company in _companies_of(connection, chunk)}
                yield from (by_id[id_] for id_ in chunk)

    def count_companies(self, filters: Mapping[str, str] | None = None, *, most: int | None = None) -> int:
        with self._searchable(filters or {}) as connection:
            ids = sa.select(t.companies.c.id).where(*company_conditions(filters or {}, connection)).limit(most)
            return connection.scalar(sa.select(sa.func.count()).select_from(ids.subquery())) or 0

    def refresh_search(self) -> None:
        """Index what has come since; before the next search at the latest that is done by itself."""
        with self._db.write() as connection:
            refresh(connection)

    @contextmanager
    def _searchable(self, filters: Mapping[str, str]) -> Iterator[sa.Connection]:
        """A snapshot, in which everything is indexed if the filters ask the index."""
        with self._db.read() as connection:
            behind = asks_index(filters) and is_behind(connection)
            if not behind:
                yield connection
        if behind:
            with self._db.write() as connection:
                refresh(connection)
            with self._db.read() as connection:
                yield connection

    def get_company(self, who: str) -> Company:
        """By id, domain, or a name (also a former one) that only one has."""
        key = company_key(who) if who.strip() else None
        named = sa.select(t.company_hints.c.company_id).where(t.company_hints.c.key == f"name:{key}")
        by = sa.or_(
            t.companies.c.name_key == key, t.companies.c.domain == who.strip().lower(), t.companies.c.id.in_(named)
        )
        if who.strip().isdecimal():
            by = t.companies.c.id == int(who)
        with self._db.read() as connection:
            found = _read_companies(connection, sa.select(t.companies).where(by).order_by(t.companies.c.id))
            if not found and who.strip().isdecimal():
                became = t.companies.c.id == _became(connection, "company", int(who))
                found = _read_companies(connection, sa.select(t.companies).where(became))
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
        query = _BY_TRUST.where(t.addresses.c.company_id == company_id)
        with self._db.read() as connection:
            rows = connection.execute(query).mappings().all()
            checks = _newest_checks(connection, rows)
            return [_address(row, checks) for row in rows]

    def team(self, company_id: int) -> list[Founder]:
        query = sa.select(t.founders).where(t.founders.c.company_id == company_id).order_by(t.founders.c.id)
        with self._db.read() as connection:
            return _read_founders(connection, query)


def _page(who: str) -> str:
    """The name of a LinkedIn page, if that is one."""
    if "/" not in who:
        return ""
    from outreach.core.urls import linkedin_person

    return linkedin_person(who)


def _became(connection: sa.Connection, kind: str, retired: int) -> int | None:
    """The record that a retired number is part of now."""
    return connection.scalar(
        sa.select(t.retired_ids.c.became).where(t.retired_ids.c.kind == kind, t.retired_ids.c.id == retired)
    )


def _matching(filters: Mapping[str, str], connection: sa.Connection) -> sa.Select[Any]:
    joined = t.founders.join(t.companies, t.companies.c.id == t.founders.c.company_id)
    source = joined if about_companies(filters) else _WITH_COMPANY
    return sa.select(t.founders).select_from(source).where(*founder_conditions(filters, connection))


def _order(sort: str, known: Mapping[str, sa.ColumnElement[Any]], filters: Mapping[str, str]) -> list[Any]:
    """By an allowed name; otherwise as they came: of companies that were asked for, in the order of the companies."""
    name, backwards = sort.removeprefix("-"), sort.startswith("-")
    last = known["id"]
    if not name:
        return [t.companies.c.id, last] if about_companies(filters) else [last]
    if name not in known:
        raise UsageError(
            f"there is no order by {name}.", hint=f"sort by {', '.join(known)}; -{next(iter(known))} turns it"
        )
    column = known[name]
    unknown = [] if name in _ALWAYS_THERE else [_is_missing(column)]  # either way round, what is not known comes last
    return [*unknown, column.desc() if backwards else column, last]


def _is_missing(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    missing = column.is_(None) if isinstance(column.type, sa.Integer) else sa.func.coalesce(column, "") == ""
    return sa.case((missing, 1), else_=0)


_ALWAYS_THERE = ("id", "name")

_AMOUNT = sa.func.coalesce(t.companies.c.funding_usd, t.companies.c.funding_amount)
COMPANY_SORTS: Mapping[str, sa.ColumnElement[Any]] = {
    "id": t.companies.c.id,
    "name": t.companies.c.name_key,
    "domain": t.companies.c.domain,
    "country": t.companies.c.country,
    "city": t.companies.c.city,
    "founded": t.companies.c.founded,
    "funding": _AMOUNT,
}
FOUNDER_SORTS: Mapping[str, sa.ColumnElement[Any]] = {
    "id": t.founders.c.id,
    "name": t.founders.c.name_key,
    "title": t.founders.c.title,
    "company": t.companies.c.name_key,
    "country": t.companies.c.country,
    "city": t.companies.c.city,
    "founded": t.companies.c.founded,
    "funding": _AMOUNT,
}


def _at(founder: Founder) -> str:
    return f" ({founder.company.name})" if founder.company else ""


# --- rows to records ------------------------------------------------------------------------------


def _read_founders(connection: sa.Connection, query: sa.Select[Any]) -> list[Founder]:
    """The founders of a query with all that hangs on them, in a few set-based queries."""
    rows = connection.execute(query).mappings().all()
    ids = [row["id"] for row in rows]
    wanted = {row["company_id"] for row in rows} - {None}
    companies = {company.id: company for company in _companies_of(connection, wanted)}
    owned = list(select_in(connection, _BY_TRUST, t.addresses.c.founder_id, ids))
    addresses, checks = _grouped(owned, "founder_id"), _newest_checks(connection, owned)
    tags = _grouped(
        select_in(
            connection, sa.select(t.founder_tags).order_by(t.founder_tags.c.tag), t.founder_tags.c.founder_id, ids
        ),
        "founder_id",
    )
    noted = {
        (row["founder_id"], row["name"]): row["value"]
        for row in select_in(connection, sa.select(t.founder_notes), t.founder_notes.c.founder_id, ids)
    }
    cells = {row["founder_id"]: row["cells"] for row in select_in(connection, _NEWEST, _RANKED.c.founder_id, ids)}
    return [
        Founder(
            **{name: row[name] for name in ("id", "full_name", "first_name", "last_name", "title", "linkedin")},
            company=companies.get(row["company_id"]),
            addresses=tuple(_address(each, checks) for each in addresses.get(row["id"], ())),
            tags=tuple(tag["tag"] for tag in tags.get(row["id"], ())),
            cells=cells.get(row["id"], {}),
            line=noted.get((row["id"], "line"), ""),
            consent=noted.get((row["id"], "consent"), ""),
        )
        for row in rows
    ]


def _founders_by_id(connection: sa.Connection, ids: Sequence[int]) -> dict[int, Founder]:
    """Of so few ids that one query takes them."""
    query = sa.select(t.founders).where(t.founders.c.id.in_(ids))
    return {founder.id: founder for founder in _read_founders(connection, query)}


_BY_TRUST = sa.select(t.addresses).order_by(t.addresses.c.id)
_CHECKS = sa.select(t.address_verdicts).order_by(t.address_verdicts.c.id)
_RANKED = (
    sa.select(
        t.lead_founders.c.founder_id,
        t.leads.c.cells,
        sa.func.row_number()
        .over(partition_by=t.lead_founders.c.founder_id, order_by=(t.imports.c.exported_at.desc(), t.leads.c.id.desc()))
        .label("rank"),
    )
    .join(t.leads, t.leads.c.id == t.lead_founders.c.lead_id)
    .join(t.imports, t.imports.c.id == t.leads.c.import_id)
).subquery()
_NEWEST = sa.select(_RANKED.c.founder_id, _RANKED.c.cells).where(_RANKED.c.rank == 1)


def _read_companies(connection: sa.Connection, query: sa.Select[Any]) -> list[Company]:
    rows = connection.execute(query).mappings().all()
    return _with_names(connection, rows)


def _companies_of(connection: sa.Connection, ids: Iterable[int]) -> list[Company]:
    return _with_names(connection, list(select_in(connection, sa.select(t.companies), t.companies.c.id, ids)))


def _with_names(connection: sa.Connection, rows: Sequence[sa.RowMapping]) -> list[Company]:
    ids = [row["id"] for row in rows]
    names = _grouped(
        select_in(
            connection, sa.select(t.company_names).order_by(t.company_names.c.name), t.company_names.c.company_id, ids
        ),
        "company_id",
    )
    counted = sa.select(t.founders.c.company_id, sa.func.count().label("founders")).group_by(t.founders.c.company_id)
    teams = {row["company_id"]: row["founders"] for row in select_in(connection, counted, t.founders.c.company_id, ids)}
    return [
        _company(row, tuple(name["name"] for name in names.get(row["id"], ())), teams.get(row["id"], 0)) for row in rows
    ]


def _company(row: sa.RowMapping, aliases: tuple[str, ...], founders: int) -> Company:
    same = {name: row[name] for name in Company.__dataclass_fields__ if name in row}
    amount = row["funding_amount"]
    funding = Money(amount, row["funding_currency"], row["funding_usd"]) if amount is not None else None
    told = {"industries": tuple(row["industries"]), "funding_total": funding}
    return Company(**{**same, **told, "aliases": aliases, "founders": founders})


def _newest_checks(connection: sa.Connection, addresses: Sequence[sa.RowMapping]) -> dict[str, sa.RowMapping]:
    keys = [row["key"] for row in addresses]
    return {check["key"]: check for check in select_in(connection, _CHECKS, t.address_verdicts.c.key, keys)}


def _address(row: sa.RowMapping, checks: Mapping[str, sa.RowMapping]) -> Address:
    plain = Address(row["address"], row["key"], AddressStatus(row["status"]), row["origin"])
    check = checks.get(row["key"])
    if check is None:
        return plain
    return replace(
        plain, confidence=check["confidence"], evidence=tuple(check["evidence"]), checked_at=check["checked_at"]
    )


def _grouped(rows: Iterable[sa.RowMapping], name: str) -> dict[int, list[sa.RowMapping]]:
    found: dict[int, list[sa.RowMapping]] = {}
    for row in rows:
        found.setdefault(row[name], []).append(row)
    return found
