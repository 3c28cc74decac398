"""Crunchbase pages scraped by a browser extension: the columns of a company export renamed by hand, among nameless
ones; or all of them nameless but the first. Only here are founders' own pages: a `link-accent` column beside a
`link-accent href` that leads to a person.

Other nameless columns shift from row to row: where no column has a name, a company's pages are told by their shape, and
only where there is no choice; the rest is left alone.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from outreach.core.cells import Cells
from outreach.core.names import parse_name
from outreach.core.normalize import is_plain_address
from outreach.core.ports import Mapped, Row, TableHead
from outreach.core.records import Lead, PersonFacts, RowError
from outreach.core.urls import crunchbase_slug, linkedin_company
from outreach.core.values import text_value
from outreach.importers._crunchbase import COMPANY_HEADERS, company_reader
from outreach.importers._fields import fold, folded, has, mapper

name = "crunchbase_scrape"
row_limit = 0

_HEADERS = {
    **COMPANY_HEADERS,
    "company": ("Organization Name", "identifier-label"),
    "slug": ("Organization Url", "Organization Name URL"),
    "region": ("Headquarters Location 1",),
    "country": ("Headquarters Location 2",),
}
_LINK = re.compile(r"(?:link)?accent(href)?(\d*)")
_NAMELESS = "componentfieldformatter"
_PAGE = re.compile(
    r"crunchbase\.com/(?:organization/|search/(?!organizations/)\w+/field/organization\.companies/\w+/)([^/?#\s]+)"
)
_SITE = re.compile(r"(?:[a-z0-9-]+\.)+[a-z]{2,}/?")
_OWN_PAGE = "page in any column"
_NO_PAGE = "no column leads to its Crunchbase page"
_map_company = mapper(_HEADERS, required=("company",), what="list scraped from Crunchbase")


def claims(head: TableHead) -> bool:
    scraped = any(header.startswith(_NAMELESS) for header in folded(head))
    page = has(head, "Organization Url") or has(head, "Organization Name URL")
    named = (page and has(head, "Organization Name")) or has(head, "identifier-label")
    return scraped and named and not has(head, "Full Name")


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
    if "slug" not in columns:
        return _shaped(reader({**columns, "slug": _OWN_PAGE}, (*headers, _OWN_PAGE)), headers)
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


def _shaped(read: Callable[[Row], Lead | RowError], headers: Sequence[str]) -> Callable[[Row], Lead | RowError]:
    """What reads rows without any named column but the company's."""
    nameless = [at for at, header in enumerate(headers) if fold(header).startswith(_NAMELESS)]
    columns = {header: at for at, header in enumerate((*headers, _OWN_PAGE))}

    def one(row: Row) -> Lead | RowError:
        texts = Cells.of(row.cells).texts
        pages = {match[1] for text in texts if (match := _PAGE.search(text))}
        lead = read(Row(row.line, Cells(columns, [*texts, _only(pages)])))
        if isinstance(lead, RowError) or lead.company is None:
            no_page = isinstance(lead, RowError) and not pages
            return RowError(row.line, _NO_PAGE, row.cells) if no_page else replace(lead, cells=row.cells)
        said = {texts[at] for at in nameless}
        company = replace(
            lead.company,
            website=_only({text for text in said if _SITE.fullmatch(text)}),
            linkedin=_only({text for text in texts if linkedin_company(text)}),
            emails=tuple(filter(None, [_only({text for text in said if is_plain_address(text)})])),
        )
        return replace(lead, cells=row.cells, company=company)

    return one


def _only(found: set[str]) -> str:
    return found.pop() if len(found) == 1 else ""


def _linked(cells: Cells, links: Sequence[tuple[str, str]]) -> tuple[PersonFacts, ...]:
    """Those whose link leads to a person; each once."""
    found: dict[str, PersonFacts] = {}
    for name_header, url_header in links:
        url, full = cells[url_header], text_value(cells[name_header])
        slug = crunchbase_slug(url) if full and "/person/" in url else ""
        if slug:
            found.setdefault(slug, PersonFacts(full, slug=slug))
    return tuple(found.values())
