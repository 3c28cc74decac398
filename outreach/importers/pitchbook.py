"""PitchBook exports of companies: money in millions of US dollars, one contact who need not be a founder, and a link
column that is only text."""

import re
from dataclasses import replace

from outreach.core.places import country_name, parse_location
from outreach.core.ports import Row, TableHead
from outreach.core.records import CompanyFacts, Lead, PersonFacts, RowError
from outreach.core.values import company_name, parse_date, parse_employees, parse_millions, text_value
from outreach.importers._crunchbase import title_warning
from outreach.importers._fields import Fields, assigned, by_field, has, kept_addresses, mapper, person, source_id, texts

name = "pitchbook"
row_limit = 0

_HEADERS = {
    "id": ("Company ID",),
    "company": ("Companies",),
    "former": ("Company Former Name",),
    "also": ("Company Also Known As",),
    "legal": ("Company Legal Name",),
    "website": ("Website", "Company Website"),
    "linkedin": ("LinkedIn URL",),
    "description": ("Description",),
    "industries": ("Primary Industry Code", "All Industries"),
    "location": ("HQ Location",),
    "city": ("HQ City",),
    "region": ("HQ State/Province",),
    "country": ("HQ Country/Territory/Region", "HQ Country"),
    "employees": ("Employees",),
    "founded": ("Year Founded",),
    "funding": ("Total Raised",),
    "last_funding_on": ("Last Financing Date",),
    "last_funding": ("Last Financing Size",),
    "last_funding_type": ("Last Financing Deal Type",),
    "ownership": ("Ownership Status",),
    "business": ("Business Status",),
    "contact": ("Primary Contact",),
    "contact_title": ("Primary Contact Title",),
    "contact_email": ("Primary Contact Email",),
    "email": ("HQ Email",),
    "phone": ("HQ Phone",),
}
_BRACKETED = re.compile(r"\s*\((?!formerly|fka|f/k/a)[^()]*\)", re.IGNORECASE)


def claims(head: TableHead) -> bool:
    return has(head, "Company ID", "Companies", "PitchBook Link")


def _read(row: Row, fields: Fields) -> Lead | RowError:
    whole = company_name(fields["company"])
    called = _BRACKETED.sub("", whole).strip() or whole  # "Acme (Financial Software)"
    if not called:
        return RowError(row.line, "no company name", row.cells)
    emails, warnings = kept_addresses(fields["email"], fields["website"])
    contact = _contact(fields)
    doubts = title_warning(contact.title) if contact.full_name and contact.title else ()
    personal, more = kept_addresses(fields["contact_email"], fields["website"])
    people, left = assigned((contact,) if contact.full_name else (), personal, has_company=True)
    listed = ("listed on a stock exchange",) if "public" in text_value(fields["ownership"]).casefold() else ()
    facts = _company(fields, called, tuple(dict.fromkeys((*emails, *left))))
    return Lead(row.line, row.cells, facts, people, (*warnings, *more, *doubts, *listed))


def _contact(fields: Fields) -> PersonFacts:
    return replace(person("", "", fields["contact"]), title=text_value(fields["contact_title"]))


def _company(fields: Fields, called: str, emails: tuple[str, ...]) -> CompanyFacts:
    city, region, country = parse_location(fields["location"])
    return CompanyFacts(
        name=called,
        website=text_value(fields["website"]),
        linkedin=text_value(fields["linkedin"]),
        description=text_value(fields["description"], limit=2000),
        industries=texts(fields["industries"], r"[,;|]"),
        city=city or text_value(fields["city"]),
        region=region or text_value(fields["region"]),
        country=country or country_name(text_value(fields["country"])),
        employees=parse_employees(fields["employees"]),
        founded=parse_date(fields["founded"]),
        funding_total=parse_millions(fields["funding"]),
        last_funding_type=text_value(fields["last_funding_type"]),
        last_funding_on=parse_date(fields["last_funding_on"]),
        status=_status(f"{fields['ownership']} {fields['business']}".casefold()),
        emails=emails,
        phone=text_value(fields["phone"]),
        aliases=tuple(filter(None, (company_name(fields[field]) for field in ("former", "also", "legal")))),
        ids=source_id("pitchbook", fields["id"]),
        last_funding=parse_millions(fields["last_funding"]),
    )


def _status(said: str) -> str:
    if "out of business" in said or "bankrupt" in said:
        return "closed"
    return "acquired" if "acquired" in said else ""


mapping = mapper(_HEADERS, required=("company",), what="PitchBook export")
reader = by_field(_read)
