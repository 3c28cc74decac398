"""Crunchbase pages scraped by a browser extension: the columns of a company export renamed by hand, among nameless
ones. Only here are founders' own pages: a `link-accent` column beside a `link-accent href` that leads to a person.

Other nameless columns shift from row to row, so they are left alone.
"""

import re
from collections.abc import Mapping

from outreach.core.names import parse_name
from outreach.core.ports import Mapped, Row, TableHead
from outreach.core.records import Lead, PersonFacts, RowError
from outreach.core.urls import crunchbase_slug
from outreach.core.values import company_name, text_value
from outreach.importers._crunchbase import COMPANY_HEADERS, company, founders, oddities, people, place
from outreach.importers._fields import Fields, by_field, fold, folded, has, kept_addresses, mapper

name = "crunchbase_scrape"
row_limit = 0

_HEADERS = {
    **COMPANY_HEADERS,
    "slug": ("Organization Url", "Organization Name URL"),
    "region": ("Headquarters Location 1",),
    "country": ("Headquarters Location 2",),
}
_LINK = re.compile(r"linkaccent(href)?(\d*)")
_map_company = mapper(_HEADERS, required=("company", "slug"), what="list scraped from Crunchbase")


def claims(head: TableHead) -> bool:
    scraped = any(header.startswith("componentfieldformatter") for header in folded(head))
    return (
        scraped
        and has(head, "Organization Name")
        and (has(head, "Organization Url") or has(head, "Organization Name URL"))
    )


def mapping(head: TableHead, overrides: Mapping[str, str]) -> Mapped:
    """The company's columns, and each pair of a link and its address as founder N and founder_url N."""
    mapped = _map_company(head, overrides)
    links: dict[tuple[str, str], str] = {}
    for header in head.headers:
        if match := _LINK.fullmatch(fold(header)):
            links.setdefault((match[1] or "", match[2]), header)
    pairs = {
        field: header
        for (kind, number), text in links.items()
        if not kind and ("href", number) in links
        for field, header in ((f"founder {number or 1}", text), (f"founder_url {number or 1}", links["href", number]))
    }
    return Mapped({**mapped.columns, **pairs}, mapped.notes)


def _read(row: Row, fields: Fields) -> Lead | RowError:
    title, slug = company_name(fields["company"]), crunchbase_slug(fields["slug"])
    if not title or not slug:
        return RowError(
            row.line, "no company name" if not title else "no Crunchbase address in “Organization Url”", row.cells
        )
    names = founders(fields["founders"])
    emails, warnings = kept_addresses(fields["email"], fields["website"])
    facts = company(fields, name=title, slug=slug, place=_place(fields), emails=emails)
    linked = _linked(fields)
    known = {parse_name(each.full_name).key for each in linked}
    others = tuple(each for each in people(names) if parse_name(each.full_name).key not in known)
    return Lead(row.line, row.cells, facts, (*linked, *others), (*warnings, *oddities(fields, names)))


def _linked(fields: Fields) -> tuple[PersonFacts, ...]:
    """Those whose link leads to a person; each once."""
    found: dict[str, PersonFacts] = {}
    for field, url in fields.items():
        kind, _, number = field.partition(" ")
        full = text_value(fields[f"founder {number}"]) if kind == "founder_url" and "/person/" in url else ""
        if full and (slug := crunchbase_slug(url)):
            found.setdefault(slug, PersonFacts(full, slug=slug))
    return tuple(found.values())


def _place(fields: Fields) -> tuple[str, str, str]:
    """City and region stand in two columns, and the country in none."""
    if "," in fields["location"]:
        return place(fields)
    return tuple(text_value(fields[field]) for field in ("location", "region", "country"))  # type: ignore[return-value]  # three


reader = by_field(_read)
