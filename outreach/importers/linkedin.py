"""LinkedIn's Connections.csv: acquaintances, most of them without an address, and companies known by name only."""

from dataclasses import replace

from outreach.core.names import names_no_company
from outreach.core.ports import Row, TableHead
from outreach.core.records import CompanyFacts, Lead, RowError
from outreach.core.urls import linkedin_person
from outreach.core.values import company_name, text_value
from outreach.importers._fields import Fields, by_field, has, kept_addresses, mapper, person

name = "linkedin"
row_limit = 0

_HEADERS = {
    "first": ("First Name",),
    "last": ("Last Name",),
    "linkedin": ("URL", "Profile URL"),
    "email": ("Email Address",),
    "company": ("Company",),
    "title": ("Position",),
    "connected_on": ("Connected On",),
}


def claims(head: TableHead) -> bool:
    return has(head, "First Name", "Last Name", "Connected On")


def _read(row: Row, fields: Fields) -> Lead | RowError:
    somebody = person(fields["first"], fields["last"])
    if not somebody.full_name:
        return RowError(row.line, "no name: the account is closed or hidden", row.cells)
    emails, warnings = kept_addresses(fields["email"], "")
    url = text_value(fields["linkedin"])
    facts = replace(
        somebody,
        title=text_value(fields["title"]),
        linkedin=url if linkedin_person(url) else "",
        emails=emails,
    )
    called = company_name(fields["company"])
    company = None if not called or names_no_company(called) else CompanyFacts(called)
    return Lead(row.line, row.cells, company, (facts,), warnings)


mapping = mapper(_HEADERS, required=("first", "last"), what="list of LinkedIn connections")
reader = by_field(_read)
