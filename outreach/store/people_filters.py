"""The filters of `founders`, `companies` and campaigns, as SQL conditions. Knows nothing of what is done with them.

What a company must be is one question to the full-text index, so that no filter scans a table. Only whole words and
beginnings of words are found, in any case and with or without their diacritics.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from outreach.core.areas import find_area
from outreach.core.ranges import Range, find_range, parse_range
from outreach.errors import UsageError
from outreach.store import tables as t
from outreach.store.search import FOUNDED, FUNDING, country_word, matching, told_brackets

Condition = sa.ColumnElement[bool]

_WORD = re.compile(r"[^\W_]+")
_NOTHING = '"zqnothing"'
"""A word that stands nowhere."""
_OLDEST = 1900
_MOST_DIGITS = 16


def company_conditions(filters: Mapping[str, str], connection: sa.Connection, *, alone: bool = True) -> list[Condition]:
    """What a company must be. Asked for `alone`, words are looked for in it, and a filter on people asks for one of its
    founders."""
    asked = [_ON_COMPANIES[name](text, connection) for name, text in filters.items() if text and name in _ON_COMPANIES]
    if alone and filters.get("search"):
        asked += [_words(text, "{name domain description}") for text in _split(filters["search"])]
    exact = [_funding_between(filters["funding"])] if find_range(filters.get("funding", "")) else []
    people = _about_people(filters) if alone else []
    exact += [t.companies.c.id.in_(sa.select(t.founders.c.company_id).where(*people))] if people else []
    return [*([_in_index(connection, "companies", t.companies.c.id, " AND ".join(asked))] if asked else []), *exact]


def founder_conditions(filters: Mapping[str, str], connection: sa.Connection) -> list[Condition]:
    """What a founder must be, and their company. Raises UsageError for a filter that there is not."""
    known = {*_ON_COMPANIES, *_ON_FOUNDERS, "search"}
    if wrong := next((name for name in filters if name not in known), ""):
        raise UsageError(f"there is no filter {wrong}.", hint=f"the filters are {', '.join(sorted(known))}")
    searched = [_founder_word(text, connection) for text in _split(filters.get("search", ""))]
    return [*company_conditions(filters, connection, alone=False), *_about_people(filters), *searched]


def _about_people(filters: Mapping[str, str]) -> list[Condition]:
    return [_ON_FOUNDERS[name](text) for name, text in filters.items() if text and name in _ON_FOUNDERS]


def about_companies(filters: Mapping[str, str]) -> bool:
    """Whether a filter asks for the company: then those without one are out, and companies lead the way."""
    return any(filters.get(name) for name in _ON_COMPANIES)


def asks_index(filters: Mapping[str, str]) -> bool:
    """Whether the full-text index must know everyone for these filters."""
    return about_companies(filters) or bool(filters.get("search"))


# --- the index ------------------------------------------------------------------------------------


def _in_index(connection: sa.Connection, of: str, column: sa.ColumnElement[Any], match: str) -> Condition:
    return column.in_(matching(connection, of, match).columns(sa.column("id")))


def _split(text: str) -> list[str]:
    """The words of what was typed; a text without any finds nothing."""
    return _WORD.findall(unicodedata.normalize("NFKC", text)) or ([""] if text else [])


def _words(text: str, columns: str, *, begun: bool = True) -> str:
    """All words of a text in these columns; the last may be the beginning of a longer one."""
    words = _split(text)
    if not words or not words[-1]:
        return _NOTHING
    quoted = [f'"{word}"' for word in words]
    last = f"{quoted[-1]}*" if begun else quoted[-1]
    return f"{columns} : ({' AND '.join([*quoted[:-1], last])})"


def _any(asked: Iterable[str]) -> str:
    """One of them; nothing at all where there is none."""
    return f"({' OR '.join(asked) or _NOTHING})"


# --- companies ------------------------------------------------------------------------------------


def _industry(text: str, _connection: sa.Connection) -> str:
    return _words(text, "industry")


def _location(text: str, _connection: sa.Connection) -> str:
    area = find_area(text)
    if area is None:
        return _words(text, "place")
    places = _any(_words(place, "place", begun=False) for place in area.places)
    within = _any(_words(place, "place", begun=False) for place in area.within)
    return f"({places} AND {within})" if area.within else places


def _country(text: str, _connection: sa.Connection) -> str:
    area = find_area(text)
    names = [*area.places, text] if area and not area.within else [text]
    return _any(f'facets : "{country_word(name)}"' for name in names)


def _employees(text: str, connection: sa.Connection) -> str:
    """The brackets that lie inside the range; there are few of them."""
    wanted = parse_range(text, "employees", "11-50, 50- or -10")
    told = [(word, find_range(bracket)) for word, bracket in told_brackets(connection)]
    fitting = [word for word, range_ in told if range_ and wanted.holds(range_.low or 0, range_.high)]
    return _any(f'facets : "{word}"' for word in fitting)


def _founded(text: str, _connection: sa.Connection) -> str:
    wanted = parse_range(text, "founded", "2018-2022, 2020- or -2019")
    first = max(wanted.low or _OLDEST, _OLDEST)
    last = min(wanted.high or datetime.now(UTC).year + 1, datetime.now(UTC).year + 1)
    return _any(f'facets : "{FOUNDED}{year}"' for year in range(first, last + 1))


def _funding(text: str, _connection: sa.Connection) -> str:
    """An amount such as 1M-10M (dollars where the list gave them), else a kind such as Seed."""
    if find_range(text) is None:
        return _words(text, "funding")
    wanted = parse_range(text, "funding", "1M-10M, 500k- or -5M")
    low, high = len(str(wanted.low or 0)), len(str(wanted.high)) if wanted.high is not None else _MOST_DIGITS
    return _any(f'facets : "{FUNDING}{digits}"' for digits in range(low, high + 1))


def _funding_between(text: str) -> Condition:
    amount = sa.func.coalesce(t.companies.c.funding_usd, t.companies.c.funding_amount)
    return sa.and_(*_between(amount, find_range(text) or Range(None, None)))


def _between(value: sa.ColumnElement[Any], wanted: Range) -> list[Condition]:
    low = [value >= wanted.low] if wanted.low is not None else []
    return [*low, *([value <= wanted.high] if wanted.high is not None else [])]


_ON_COMPANIES: dict[str, Callable[[str, sa.Connection], str]] = {
    "industry": _industry,
    "location": _location,
    "country": _country,
    "employees": _employees,
    "founded": _founded,
    "funding": _funding,
}


# --- founders -------------------------------------------------------------------------------------


def _founder_word(word: str, connection: sa.Connection) -> Condition:
    """In their name or title, an address of theirs, or what their company says of itself."""
    mine = _in_index(connection, "founders", t.founders.c.id, _words(word, "{name title}"))
    address = _in_index(connection, "addresses", t.addresses.c.id, _words(word, "address"))
    own = t.founders.c.id.in_(sa.select(t.addresses.c.founder_id).where(address, t.addresses.c.founder_id.is_not(None)))
    company = _in_index(connection, "companies", t.founders.c.company_id, _words(word, "{name domain description}"))
    return sa.or_(mine, own, company)


def _tag(text: str) -> Condition:
    return t.founders.c.id.in_(sa.select(t.founder_tags.c.founder_id).where(t.founder_tags.c.tag == text))


def _has_email(_text: str) -> Condition:
    return sa.exists().where(t.addresses.c.founder_id == t.founders.c.id)


def _not_contacted(_text: str) -> Condition:
    """No mail to them has left, or may have."""
    return ~sa.exists().where(t.outbox.c.founder_id == t.founders.c.id, t.outbox.c.intent_at.is_not(None))


_ON_FOUNDERS: dict[str, Callable[[str], Condition]] = {
    "tag": _tag,
    "has_email": _has_email,
    "not_contacted": _not_contacted,
}
