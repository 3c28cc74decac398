"""Tracxn exports: the only ones with founders and their addresses. `Founders' Info` holds one founder a line; the
columns with addresses and pages alone have other lengths, so a name must tell whose each of them is."""

import re

from outreach.core.names import tidy_name
from outreach.core.normalize import find_addresses
from outreach.core.places import country_name
from outreach.core.ports import Row, TableHead
from outreach.core.records import CompanyFacts, Lead, PersonFacts, RowError
from outreach.core.urls import linkedin_person
from outreach.core.values import company_name, parse_date, parse_dollars, parse_employees, person_name, text_value
from outreach.importers._fields import (
    Fields,
    assigned,
    by_field,
    has,
    kept_addresses,
    last_path,
    mapper,
    source_id,
    texts,
    with_pages,
)  # fmt: skip

name = "tracxn"
row_limit = 0

_HEADERS = {
    "company": ("Company Name",),
    "domain": ("Domain Name",),
    "website": ("Website",),
    "overview": ("Overview",),
    "description": ("Description",),
    "founded": ("Founded Year",),
    "city": ("City",),
    "region": ("State",),
    "country": ("Country",),
    "funding": ("Total Funding (USD)",),
    "last_funding_on": ("Latest Funded Date",),
    "last_funding": ("Latest Funded Amount (USD)",),
    "last_funding_type": ("Company Stage",),
    "industries": ("Practice Areas", "Feed Name"),
    "emails": ("Company Emails",),
    "phone": ("Company Phone Numbers",),
    "founders": ("Founders' Info",),
    "founder_emails": ("Founders' Email Ids",),
    "founder_pages": ("Links to Founders' Profiles",),
    "acquired": ("Is Acquired",),
    "deadpooled": ("Is Deadpooled",),
    "listed": ("Is IPO",),
    "linkedin": ("LinkedIn",),
    "page": ("Tracxn URL",),
    "employees": ("Total Employee Count",),
}
_LINES = re.compile(r"[\r\n]+")


def claims(head: TableHead) -> bool:
    return has(head, "Domain Name", "Tracxn URL")


def _read(row: Row, fields: Fields) -> Lead | RowError:
    called = company_name(fields["company"])
    if not called:
        return RowError(row.line, "no company name", row.cells)
    site = text_value(fields["website"]) or text_value(fields["domain"])
    kept, warnings = kept_addresses(fields["emails"], site)
    people = tuple(filter(None, map(_founder, _LINES.split(fields["founders"]))))
    known = {address for each in people for address in each.emails}
    loose = find_addresses(fields["founder_emails"]).usable if people else ()
    people, nobodys = assigned(people, tuple(each for each in loose if each not in known), has_company=True)
    people = with_pages(people, re.split(r"[\s,;]+", fields["founder_pages"]))
    emails = tuple(dict.fromkeys((*kept, *nobodys)))
    listed = ("listed on a stock exchange",) if _yes(fields["listed"]) else ()
    return Lead(row.line, row.cells, _company(fields, called, site, emails), people, (*warnings, *listed))


def _founder(line: str) -> PersonFacts | None:
    """`Name; Title; address; page; life`, each but the name may be missing: told by their shape."""
    first, *rest = [part.strip() for part in line.split(";")]
    full = tidy_name(person_name(first))
    if not full or "@" in first:
        return None
    emails = find_addresses(" ".join(part for part in rest if "@" in part and len(part) < 200)).usable
    page = next((part for part in rest if linkedin_person(part)), "")
    title = rest[0] if rest and "@" not in rest[0] and "://" not in rest[0] and "linkedin." not in rest[0] else ""
    return PersonFacts(full, title=text_value(title), linkedin=text_value(page), emails=emails[:3])


def _company(fields: Fields, called: str, site: str, emails: tuple[str, ...]) -> CompanyFacts:
    return CompanyFacts(
        name=called,
        website=site,
        linkedin=text_value(fields["linkedin"]),
        description=text_value(fields["description"], limit=2000) or text_value(fields["overview"], limit=2000),
        industries=texts(fields["industries"], r"[,;|\r\n]"),
        city=text_value(fields["city"]),
        region=text_value(fields["region"]),
        country=country_name(text_value(fields["country"])),
        employees=parse_employees(fields["employees"]),
        founded=parse_date(fields["founded"]),
        funding_total=parse_dollars(fields["funding"]),
        last_funding_type=text_value(fields["last_funding_type"]),
        last_funding_on=parse_date(fields["last_funding_on"]),
        status="closed" if _yes(fields["deadpooled"]) else "acquired" if _yes(fields["acquired"]) else "",
        emails=emails,
        phone=text_value(fields["phone"]),
        ids=source_id("tracxn", last_path(fields["page"])),
        last_funding=parse_dollars(fields["last_funding"]),
    )


def _yes(cell: str) -> bool:
    return text_value(cell).casefold() in ("yes", "true", "y")


mapping = mapper(_HEADERS, required=("company",), what="Tracxn export")
reader = by_field(_read)
