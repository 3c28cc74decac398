"""What Crunchbase's company exports, and what extensions scrape of them, have in common: the columns of a company.

The user picks the columns, so each field has several headers. Lists of this kind are the longest: what comes again and
again (places, trades, dates, money) is read once. Knows nothing of files or of who is who.
"""

import re
from collections.abc import Callable, Mapping, Sequence

from outreach.core.cells import Cells
from outreach.core.names import parse_name, split_people
from outreach.core.places import parse_location
from outreach.core.ports import Row
from outreach.core.quick import Memo
from outreach.core.records import CompanyFacts, Lead, PersonFacts, RowError
from outreach.core.text import one_line
from outreach.core.titles import says_founder
from outreach.core.urls import crunchbase_slug
from outreach.core.values import company_name, parse_date, parse_employees, parse_money, text_value
from outreach.importers._fields import Headers, kept_addresses, picker, texts

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
    "closed_on": ("Closed Date",),
    "investor_type": ("Investor Type",),
    "ipo_status": ("IPO Status",),
    "stock_symbol": ("Stock Symbol",),
    "email": ("Contact Email",),
    "phone": ("Phone Number",),
    "founders": ("Founders",),
    "founder_count": ("Number of Founders",),
}

_ACQUIRED = re.compile(r"was acquired", re.IGNORECASE)

Parts = tuple[str, ...]

_industries: Memo[str, Parts] = Memo(lambda cell: texts(cell, ","))
_places: Memo[str, tuple[str, str, str]] = Memo(parse_location)
_employees: Memo[str, str] = Memo(parse_employees)
_types: Memo[str, str] = Memo(lambda cell: one_line(cell).strip("—-"))  # "Undisclosed" is one, not an empty cell
_dates: Memo[str, str] = Memo(parse_date)
_founded: Memo[Parts, str] = Memo(lambda cells: parse_date(*cells))
_statuses: Memo[Parts, str] = Memo(lambda cells: _status(*cells))
_kinds: Memo[Parts, Parts] = Memo(lambda cells: _other_kinds(*cells))


def company_reader(columns: Mapping[str, str], headers: Sequence[str]) -> Callable[[Row], Lead | RowError]:
    """What reads the rows of a company export. Twenty fields a row: taken out at once, and passed on by position."""
    pick = picker(columns, headers, tuple(COMPANY_HEADERS))

    def read(row: Row) -> Lead | RowError:
        (
            name, page, website, linkedin, description, industries, location, employees, founded, precision,
            funding, currency, usd, last_type, last_on, last, last_currency, last_usd,
            operating, acquisition, acquired_by, funding_status, closed_on, investor, ipo, symbol,
            email, phone, founders, told,
        ) = pick(row.cells.texts if isinstance(row.cells, Cells) else tuple(row.cells.values()))  # fmt: skip
        title, slug = company_name(name), crunchbase_slug(page)
        if not title:
            return RowError(row.line, "no company name in “Organization Name”", row.cells)
        if not slug:
            return RowError(row.line, "no Crunchbase address in “Organization Name URL”", row.cells)
        city, region, country = _places[location]
        emails, warnings = kept_addresses(email, website) if email else ((), ())
        names = founder_names(founders) if founders else ()
        if told and names and told != str(len(names)) and (odd := count_warning(names, told)):
            warnings = (*warnings, odd)
        if (investor or ipo or symbol) and (kinds := _kinds[investor, ipo, symbol]):
            warnings = (*warnings, *kinds)
        company = CompanyFacts(
            title,
            text_value(website),
            slug,
            text_value(linkedin),
            text_value(description, 2000),
            _industries[industries],
            city,
            region,
            country,
            _employees[employees],
            _founded[founded, precision],
            parse_money(funding, currency, usd),
            _types[last_type],
            _dates[last_on],
            _statuses[operating, acquisition, acquired_by, funding_status, closed_on],
            emails,
            text_value(phone),
            (),
            (),
            parse_money(last, last_currency, last_usd),
        )
        return Lead(row.line, row.cells, company, people(names) if names else (), warnings)

    return read


# --- founders -------------------------------------------------------------------------------------


def founder_names(cell: str) -> Parts:
    """Every name in the cell, also one that stands there twice."""
    return split_people(text_value(cell, 4000))


def people(names: Parts) -> tuple[PersonFacts, ...]:
    """Each once: of 1,383 cells 13 named somebody twice, with other accents."""
    if len(names) > 1 and len(set(map(len, names))) < len(names) and (_repeats(names) or not "".join(names).isascii()):
        found: dict[tuple[str, str], str] = {}
        for full in names:
            name = parse_name(full)
            found.setdefault((name.key, name.suffix), full)
        names = tuple(found.values())
    return tuple(map(PersonFacts, names))


def _repeats(names: Parts) -> bool:
    return len(set(names)) < len(names)


def count_warning(names: Parts, cell: str) -> str:
    told = text_value(cell)
    if not told.isdecimal() or int(told) == len(names):
        return ""
    return f"Founders names {len(names)}, Number of Founders says {told}"


def title_warning(title: str) -> Parts:
    """Lists of people hold advisers, bankers and officials too."""
    return () if says_founder(title) else (f"no founder by the title: {title or 'none is given'}",)


# --- companies ------------------------------------------------------------------------------------


def _status(operating: str, acquisition: str, acquired_by: str, funding_status: str, closed_on: str) -> str:
    if text_value(acquired_by) or _ACQUIRED.search(acquisition) or funding_status.strip() == "M&A":
        return "acquired"
    said = text_value(operating).casefold()
    return said if said in ("active", "closed") else "closed" if parse_date(closed_on) else ""


def _other_kinds(investor_type: str, ipo_status: str, stock_symbol: str) -> Parts:
    """Investors and listed firms are among the companies; a user should know before writing to them."""
    found = []
    if kind := text_value(investor_type):
        found.append(f"an investor, as its Investor Type says: {kind}")
    if text_value(stock_symbol) or text_value(ipo_status).casefold() == "public":
        found.append("listed on a stock exchange")
    return tuple(found)
