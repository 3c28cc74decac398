"""Crunchbase Pro company exports of every header generation since 2018. The user picks the columns, so each field has
several headers, and only the name and its page's address are sure to be there.

Knows what the columns mean; knows nothing of files, of the store or of who is who.
"""

import re
from collections.abc import Mapping

from outreach.core.names import split_people
from outreach.core.normalize import find_addresses
from outreach.core.ports import Row, TableHead
from outreach.core.records import CompanyFacts, Lead, PersonFacts, RowError
from outreach.core.text import one_line
from outreach.core.urls import crunchbase_slug
from outreach.core.values import (
    company_name,
    parse_date,
    parse_employees,
    parse_location,
    parse_money,
    text_value,
)
from outreach.errors import ImportRefused, UsageError

name = "crunchbase"
row_limit = 1000

# field → its headers, newest first; the first one present wins
_HEADERS: dict[str, tuple[str, ...]] = {
    "company": ("Organization Name",),
    "slug": ("Organization Name URL",),
    "website": ("Website",),
    "linkedin": ("LinkedIn",),
    "description": ("Full Description", "Description"),
    "industries": ("Industries", "Categories", "Industry Groups", "Category Groups"),
    "location": ("Headquarters Location",),
    "employees": ("Number of Employees",),
    "founded": ("Founded Date",),
    "founded_precision": ("Founded Date Precision",),
    "funding": ("Total Funding Amount",),
    "funding_currency": ("Total Funding Amount Currency",),
    "funding_usd": ("Total Funding Amount (in USD)", "Total Funding Amount Currency (in USD)"),
    "last_funding_type": ("Last Funding Type",),
    "last_funding_on": ("Last Funding Date",),
    "operating_status": ("Operating Status",),
    "acquisition_status": ("Acquisition Status",),
    "acquired_by": ("Acquired by",),
    "email": ("Contact Email",),
    "phone": ("Phone Number",),
    "founders": ("Founders",),
    "founder_count": ("Number of Founders",),
}

# What else Crunchbase exports: the headers that give it away, and what it lists.
_OTHER_EXPORTS: tuple[tuple[frozenset[str], str], ...] = (
    (frozenset(("Transaction Name", "Money Raised")), "funding rounds"),
    (frozenset(("Acquiree Name",)), "acquisitions"),
    (frozenset(("Event Name",)), "events"),
    (frozenset(("Organization/Person Name",)), "investors"),
    (frozenset(("School Type",)), "schools"),
    (frozenset(("company_permalink",)), "funding rounds or acquisitions of the old data dump"),
)
_REQUIRED = ("company", "slug")
_ACQUIRED = re.compile(r"was acquired", re.IGNORECASE)


def claims(head: TableHead) -> bool:
    """A company export, or another Crunchbase export that `mapping` will refuse by name."""
    return _other_export(head) != "" or all(_header(head, field) for field in _REQUIRED)


def mapping(head: TableHead, overrides: Mapping[str, str]) -> Mapping[str, str]:
    if kind := _other_export(head):
        raise ImportRefused(
            f"{head.file_name} is a Crunchbase list of {kind}, not of companies.",
            hint="in Crunchbase, search for companies and export that list, with the columns Website and Founders",
        )
    if wrong := next((field for field in overrides if field not in _HEADERS), ""):
        raise UsageError(f"there is no field “{wrong}” to map.", hint=f"the fields are {', '.join(_HEADERS)}")
    found = {field: header for field in _HEADERS if (header := _header(head, field))}
    mapping = {**found, **overrides}
    if missing := [_HEADERS[field][0] for field in _REQUIRED if field not in mapping]:
        raise ImportRefused(
            f"{head.file_name} is no Crunchbase company export: it has no column {' and no '.join(missing)}.",
            hint="leave --format out, or name the columns with --map company=HEADER and --map slug=HEADER",
        )
    return mapping


def read(row: Row, mapping: Mapping[str, str]) -> Lead | RowError:
    cells = {field: row.cells.get(header, "") for field, header in mapping.items()}
    title = company_name(cells.get("company", ""))
    if not title:
        return RowError(row.line, f"no company name in “{mapping['company']}”", row.cells)
    slug = crunchbase_slug(cells.get("slug", ""))
    if not slug:
        return RowError(row.line, f"no Crunchbase address in “{mapping['slug']}”", row.cells)
    founders = split_people(text_value(cells.get("founders", ""), limit=2000))
    people = tuple(PersonFacts(founder) for founder in founders)
    return Lead(row.line, row.cells, _company(title, slug, cells), people, _count_warning(people, cells))


def _company(title: str, slug: str, cells: Mapping[str, str]) -> CompanyFacts:
    city, region, country = parse_location(cells.get("location", ""))
    return CompanyFacts(
        name=title,
        slug=slug,
        website=text_value(cells.get("website", "")),
        linkedin=text_value(cells.get("linkedin", "")),
        description=text_value(cells.get("description", ""), limit=2000),
        industries=_industries(cells.get("industries", "")),
        city=city,
        region=region,
        country=country,
        employees=parse_employees(cells.get("employees", "")),
        founded=parse_date(cells.get("founded", ""), cells.get("founded_precision", "")),
        funding_total=parse_money(*(cells.get(field, "") for field in ("funding", "funding_currency", "funding_usd"))),
        # "Undisclosed" is a funding type here, not an empty cell.
        last_funding_type=one_line(cells.get("last_funding_type", "")),
        last_funding_on=parse_date(cells.get("last_funding_on", "")),
        status=_status(cells),
        emails=find_addresses(cells.get("email", "")).usable,
        phone=text_value(cells.get("phone", "")),
    )


def _industries(cell: str) -> tuple[str, ...]:
    return tuple(filter(None, map(text_value, cell.split(","))))


def _status(cells: Mapping[str, str]) -> str:
    if text_value(cells.get("acquired_by", "")) or _ACQUIRED.search(cells.get("acquisition_status", "")):
        return "acquired"
    operating = text_value(cells.get("operating_status", "")).casefold()
    return operating if operating in ("active", "closed") else ""


def _count_warning(people: tuple[PersonFacts, ...], cells: Mapping[str, str]) -> tuple[str, ...]:
    told = text_value(cells.get("founder_count", ""))
    if not people or not told.isdecimal() or int(told) == len(people):
        return ()
    return (f"Founders names {len(people)}, Number of Founders says {told}",)


def _other_export(head: TableHead) -> str:
    return next((kind for marks, kind in _OTHER_EXPORTS if marks <= frozenset(head.headers)), "")


def _header(head: TableHead, field: str) -> str:
    """The column of a field; for a required one also a header that only ends with its name (`ok Organization Name`)."""
    wanted = _HEADERS[field]
    if exact := next((header for header in wanted if header in head.headers), ""):
        return exact
    folded = {header.casefold(): header for header in reversed(head.headers)}
    if same := next((folded[header.casefold()] for header in wanted if header.casefold() in folded), ""):
        return same
    ending = [header for header in head.headers if header.casefold().endswith(f" {wanted[0].casefold()}")]
    return ending[0] if field in _REQUIRED and len(ending) == 1 else ""
