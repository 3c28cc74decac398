"""What Crunchbase's company exports, and what extensions scrape of them, have in common: the columns of a company.

The user picks the columns, so each field has several headers. Knows nothing of files or of who is who.
"""

import re
from collections.abc import Iterator

from outreach.core.names import parse_name, split_people
from outreach.core.places import parse_location
from outreach.core.records import CompanyFacts, Money, PersonFacts
from outreach.core.text import one_line
from outreach.core.titles import says_founder
from outreach.core.values import parse_date, parse_employees, parse_money, text_value
from outreach.importers._fields import Fields, Headers, texts

# field → its headers, newest first; the first one present wins
COMPANY_HEADERS: Headers = {
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
    "last_funding": ("Last Funding Amount",),
    "last_funding_currency": ("Last Funding Amount Currency",),
    "last_funding_usd": ("Last Funding Amount (in USD)", "Last Funding Amount Currency (in USD)"),
    "operating_status": ("Operating Status",),
    "acquisition_status": ("Acquisition Status",),
    "acquired_by": ("Acquired by",),
    "funding_status": ("Funding Status", "Stage"),
    "ipo_status": ("IPO Status",),
    "stock_symbol": ("Stock Symbol",),
    "closed_on": ("Closed Date",),
    "investor_type": ("Investor Type",),
    "email": ("Contact Email",),
    "phone": ("Phone Number",),
    "founders": ("Founders",),
    "founder_count": ("Number of Founders",),
}

_ACQUIRED = re.compile(r"was acquired", re.IGNORECASE)


def company(
    fields: Fields, *, name: str, slug: str, place: tuple[str, str, str], emails: tuple[str, ...]
) -> CompanyFacts:
    city, region, country = place
    return CompanyFacts(
        name=name,
        slug=slug,
        website=text_value(fields["website"]),
        linkedin=text_value(fields["linkedin"]),
        description=text_value(fields["description"], limit=2000),
        industries=texts(fields["industries"], ","),
        city=city,
        region=region,
        country=country,
        employees=parse_employees(fields["employees"]),
        founded=parse_date(fields["founded"], fields["founded_precision"]),
        funding_total=_money(fields, "funding"),
        # "Undisclosed" is a funding type here, not an empty cell.
        last_funding_type=one_line(fields["last_funding_type"]).strip("—-"),
        last_funding_on=parse_date(fields["last_funding_on"]),
        status=_status(fields),
        emails=emails,
        phone=text_value(fields["phone"]),
        last_funding=_money(fields, "last_funding"),
    )


def place(fields: Fields) -> tuple[str, str, str]:
    return parse_location(fields["location"])


def founders(cell: str) -> tuple[str, ...]:
    """Every name in the cell, also one that stands there twice."""
    return split_people(text_value(cell, limit=4000))


def people(names: tuple[str, ...]) -> tuple[PersonFacts, ...]:
    """Each once: of 1,383 cells 13 named somebody twice, with other accents."""
    if len(names) < 2:
        return tuple(map(PersonFacts, names))
    found: dict[tuple[str, str], str] = {}
    for full in names:
        name = parse_name(full)
        found.setdefault((name.key, name.suffix), full)
    return tuple(map(PersonFacts, found.values()))


def oddities(fields: Fields, names: tuple[str, ...]) -> Iterator[str]:
    """What a user should know of a row before they write to anybody in it."""
    told = text_value(fields["founder_count"])
    if names and told.isdecimal() and int(told) != len(names):
        yield f"Founders names {len(names)}, Number of Founders says {told}"
    if kind := text_value(fields["investor_type"]):
        yield f"an investor, as its Investor Type says: {kind}"
    if text_value(fields["stock_symbol"]) or text_value(fields["ipo_status"]).casefold() == "public":
        yield "listed on a stock exchange"


def title_warning(title: str) -> tuple[str, ...]:
    """Lists of people hold advisers, bankers and officials too."""
    return () if says_founder(title) else (f"no founder by the title: {title or 'none is given'}",)


def _money(fields: Fields, field: str) -> Money | None:
    return parse_money(fields[field], fields[f"{field}_currency"], fields[f"{field}_usd"])


def _status(fields: Fields) -> str:
    if text_value(fields["acquired_by"]) or _ACQUIRED.search(fields["acquisition_status"]):
        return "acquired"
    operating = text_value(fields["operating_status"]).casefold()
    if operating in ("active", "closed"):
        return "acquired" if operating == "active" and fields["funding_status"] == "M&A" else operating
    return "acquired" if fields["funding_status"] == "M&A" else "closed" if parse_date(fields["closed_on"]) else ""
