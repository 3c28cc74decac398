"""Crunchbase pages scraped by a browser extension: the columns of a company export renamed by hand, among nameless
ones. Only here are founders' own pages: a `link-accent` column beside a `link-accent href` that leads to a person.

Other nameless columns shift from row to row, so they are left alone.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from outreach.core.cells import Cells
from outreach.core.names import parse_name
from outreach.core.ports import Mapped, Row, TableHead
from outreach.core.records import Lead, PersonFacts, RowError
from outreach.core.urls import crunchbase_slug
from outreach.core.values import text_value
from outreach.importers._crunchbase import COMPANY_HEADERS, company_reader
from outreach.importers._fields import fold, folded, has, mapper

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
    page = has(head, "Organization Url") or has(head, "Organization Name URL")
    return scraped and page and has(head, "Organization Name") and not has(head, "Full Name")


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


def reader(columns: Mapping[str, str], headers: Sequence[str]) -> Callable[[Row], Lead | RowError]:
    """A company export's, with the founders' pages, and the place in three columns instead of one."""
    read_company = company_reader(columns, headers)
    links = [
        (header, columns[f"founder_url {number}"])
        for field, header in columns.items()
        if (number := field.removeprefix("founder ")) != field and f"founder_url {number}" in columns
    ]
    place = [columns[field] for field in ("location", "region", "country") if field in columns]

    def read(row: Row) -> Lead | RowError:
        lead = read_company(row)
        if isinstance(lead, RowError) or lead.company is None:
            return lead
        cells = Cells.of(row.cells)
        linked = _linked(cells, links)
        known = {parse_name(each.full_name).key for each in linked}
        others = (each for each in lead.people if parse_name(each.full_name).key not in known)
        company = lead.company
        if place and "," not in cells[place[0]]:
            city, region, country = (*(text_value(cells[header]) for header in place), "", "", "")[:3]
            company = replace(company, city=city, region=region, country=country)
        return replace(lead, company=company, people=(*linked, *others))

    return read


def _linked(cells: Cells, links: Sequence[tuple[str, str]]) -> tuple[PersonFacts, ...]:
    """Those whose link leads to a person; each once."""
    found: dict[str, PersonFacts] = {}
    for name_header, url_header in links:
        url, full = cells[url_header], text_value(cells[name_header])
        slug = crunchbase_slug(url) if full and "/person/" in url else ""
        if slug:
            found.setdefault(slug, PersonFacts(full, slug=slug))
    return tuple(found.values())
