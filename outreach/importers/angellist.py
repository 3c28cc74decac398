"""Tables scraped from AngelList: line breaks around the pitch, `-` for what is empty, sites without a scheme."""

from outreach.core.places import parse_location
from outreach.core.ports import Row, TableHead
from outreach.core.records import CompanyFacts, Lead, RowError
from outreach.core.values import company_name, parse_employees, parse_money, text_value
from outreach.importers._fields import Fields, by_field, has, last_path, mapper, source_id, texts

name = "angellist"
row_limit = 0

_HEADERS = {
    "company": ("name", "company", "startup"),
    "website": ("website",),
    "page": ("link",),
    "description": ("pitch",),
    "industries": ("market",),
    "location": ("location",),
    "employees": ("employees", "company_size", "size"),
    "funding": ("raised",),
    "last_funding_type": ("stage",),
    "joined": ("joined",),
}


def claims(head: TableHead) -> bool:
    return has(head, "pitch", "raised", "joined", "link")


def _read(row: Row, fields: Fields) -> Lead | RowError:
    called = company_name(fields["company"])
    if not called:
        return RowError(row.line, "no company name", row.cells)
    city, region, country = parse_location(fields["location"])
    facts = CompanyFacts(
        name=called,
        website=text_value(fields["website"]),
        description=text_value(fields["description"], limit=2000),
        industries=texts(fields["industries"], r"[,;|]"),
        city=city,
        region=region,
        country=country,
        employees=parse_employees(fields["employees"]),
        funding_total=parse_money(fields["funding"]),
        last_funding_type=text_value(fields["last_funding_type"]),
        ids=source_id("angellist", last_path(fields["page"])),
    )
    return Lead(row.line, row.cells, facts)


mapping = mapper(_HEADERS, required=("company",), what="list from AngelList")
reader = by_field(_read)
