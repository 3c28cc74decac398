"""Preqin exports of portfolio companies: legal names, money in millions of US dollars, one inbox for the company."""

from outreach.core.places import country_name, region_name
from outreach.core.ports import Row, TableHead
from outreach.core.records import CompanyFacts, Lead, RowError
from outreach.core.values import company_name, parse_date, parse_employees, parse_millions, text_value
from outreach.importers._fields import Fields, by_field, has, kept_addresses, mapper, source_id, texts

name = "preqin"
row_limit = 0

_HEADERS = {
    "id": ("PORTFOLIO COMPANY ID",),
    "company": ("COMPANY NAME", "PORTFOLIO COMPANY NAME", "PORTFOLIO COMPANY", "NAME"),
    "website": ("WEBSITE",),
    "linkedin": ("LINKEDIN",),
    "description": ("COMPANY DESCRIPTION", "DESCRIPTION", "ABOUT"),
    "industries": ("PRIMARY INDUSTRY",),
    "city": ("CITY",),
    "region": ("STATE", "STATE/COUNTY"),
    "country": ("COUNTRY",),
    "employees": ("EMPLOYEE COUNT",),
    "founded": ("FOUNDED YEAR", "YEAR ESTABLISHED"),
    "funding": ("TOTAL AMOUNT RAISED (USD MN)",),
    "email": ("EMAIL",),
    "phone": ("TEL", "PHONE"),
}


def claims(head: TableHead) -> bool:
    return has(head, "PORTFOLIO COMPANY ID")


def _read(row: Row, fields: Fields) -> Lead | RowError:
    called = company_name(fields["company"])
    if not called:
        return RowError(row.line, "no company name", row.cells)
    emails, warnings = kept_addresses(fields["email"], fields["website"])
    country = country_name(text_value(fields["country"]))
    facts = CompanyFacts(
        name=called,
        website=text_value(fields["website"]),
        linkedin=text_value(fields["linkedin"]),
        description=text_value(fields["description"], limit=2000),
        industries=texts(fields["industries"], r"[,;|]"),
        city=text_value(fields["city"]),
        region=region_name(text_value(fields["region"]), country),
        country=country,
        employees=parse_employees(fields["employees"]),
        founded=parse_date(fields["founded"]),
        funding_total=parse_millions(fields["funding"]),
        emails=emails,
        phone=text_value(fields["phone"]),
        ids=source_id("preqin", fields["id"]),
    )
    return Lead(row.line, row.cells, facts, (), warnings)


mapping = mapper(_HEADERS, required=("company",), what="Preqin export")
reader = by_field(_read)
