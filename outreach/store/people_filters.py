"""The filters of `founders`, `companies` and campaigns, as SQL conditions. Knows nothing of what is done with them."""

from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa

from outreach.core.ranges import find_range, parse_range
from outreach.errors import UsageError
from outreach.store.tables import AddressRow, CompanyRow, FounderRow, FounderTag, OutboxRow, table

_companies, _founders, _addresses = table(CompanyRow), table(FounderRow), table(AddressRow)
_tags, _outbox = table(FounderTag), table(OutboxRow)

Condition = sa.ColumnElement[bool]


def company_conditions(filters: Mapping[str, str], connection: sa.Connection) -> list[Condition]:
    """What a company must be; filters on people are left alone."""
    return [_ON_COMPANIES[name](text, connection) for name, text in filters.items() if text and name in _ON_COMPANIES]


def founder_conditions(filters: Mapping[str, str], connection: sa.Connection) -> list[Condition]:
    """What a founder must be, and their company. Raises UsageError for a filter that there is not."""
    known = {*_ON_COMPANIES, *_ON_FOUNDERS, "search"}
    if wrong := next((name for name in filters if name not in known), ""):
        raise UsageError(f"there is no filter {wrong}.", hint=f"the filters are {', '.join(sorted(known))}")
    about_people = [_ON_FOUNDERS[name](text) for name, text in filters.items() if text and name in _ON_FOUNDERS]
    searched = [_founder_search(filters["search"])] if filters.get("search") else []
    return [*company_conditions(filters, connection), *about_people, *searched]


def company_search(text: str) -> Condition:
    return sa.or_(
        *(_contains(column, text) for column in (_companies.c.name, _companies.c.description, _companies.c.domain))
    )


def _founder_search(text: str) -> Condition:
    mine = sa.or_(_contains(_founders.c.full_name, text), _contains(_founders.c.title, text), company_search(text))
    own = sa.exists().where(_addresses.c.founder_id == _founders.c.id, _contains(_addresses.c.key, text))
    return sa.or_(mine, own)


def _contains(column: sa.ColumnElement[Any], text: str) -> Condition:
    """Case-insensitively, with `%` and `_` as themselves."""
    return column.ilike(f"%{_escaped(text)}%", escape="\\")


def _is(column: sa.ColumnElement[Any], text: str) -> Condition:
    return column.ilike(_escaped(text), escape="\\")


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


# --- companies ------------------------------------------------------------------------------------


def _industry(text: str, _connection: sa.Connection) -> Condition:
    each = sa.func.json_each(_companies.c.industries).table_valued("value")
    return sa.exists().select_from(each).where(_contains(each.c.value, text))


def _location(text: str, _connection: sa.Connection) -> Condition:
    return sa.or_(
        *(_contains(column, text) for column in (_companies.c.city, _companies.c.region, _companies.c.country))
    )


def _country(text: str, _connection: sa.Connection) -> Condition:
    return _is(_companies.c.country, text)


def _employees(text: str, connection: sa.Connection) -> Condition:
    """The brackets that lie inside the range; there are few of them."""
    wanted = parse_range(text, "employees")
    told = connection.scalars(sa.select(_companies.c.employees).distinct())
    brackets = [(bracket, find_range(bracket)) for bracket in told]
    return _companies.c.employees.in_(
        [text for text, range_ in brackets if range_ and wanted.holds(range_.low or 0, range_.high)]
    )


def _founded(text: str, _connection: sa.Connection) -> Condition:
    wanted = parse_range(text, "founded")
    year = sa.cast(sa.func.substr(_companies.c.founded, 1, 4), sa.Integer)
    return sa.and_(_companies.c.founded != "", *_between(year, wanted.low, wanted.high))


def _funding(text: str, _connection: sa.Connection) -> Condition:
    """An amount such as 1M-10M (dollars where the list gave them), else a kind such as Seed."""
    wanted = find_range(text)
    if wanted is None:
        return _contains(_companies.c.last_funding_type, text)
    amount = sa.func.coalesce(_companies.c.funding_usd, _companies.c.funding_amount)
    return sa.and_(amount.is_not(None), *_between(amount, wanted.low, wanted.high))


def _between(value: sa.ColumnElement[Any], low: int | None, high: int | None) -> list[Condition]:
    return [*([value >= low] if low is not None else []), *([value <= high] if high is not None else [])]


_ON_COMPANIES: dict[str, Callable[[str, sa.Connection], Condition]] = {
    "industry": _industry,
    "location": _location,
    "country": _country,
    "employees": _employees,
    "founded": _founded,
    "funding": _funding,
}


# --- founders -------------------------------------------------------------------------------------


def _tag(text: str) -> Condition:
    return sa.exists().where(_tags.c.founder_id == _founders.c.id, _tags.c.tag == text)


def _has_email(_text: str) -> Condition:
    return sa.exists().where(_addresses.c.founder_id == _founders.c.id)


def _not_contacted(_text: str) -> Condition:
    """No mail to them has left, or may have."""
    return ~sa.exists().where(_outbox.c.founder_id == _founders.c.id, _outbox.c.intent_at.is_not(None))


_ON_FOUNDERS: dict[str, Callable[[str], Condition]] = {
    "tag": _tag,
    "has_email": _has_email,
    "not_contacted": _not_contacted,
}
