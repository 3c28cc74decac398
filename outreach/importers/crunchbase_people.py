"""Crunchbase Pro exports of people, and tables scraped from them. A person's company is known by name and page only,
and only the title tells a founder from an adviser."""

from dataclasses import replace

from outreach.core.names import names_no_company
from outreach.core.ports import Row, TableHead
from outreach.core.records import CompanyFacts, Lead, RowError
from outreach.core.urls import crunchbase_slug, linkedin_person
from outreach.core.values import company_name, text_value
from outreach.importers._crunchbase import title_warning
from outreach.importers._fields import Fields, by_field, find_header, has, kept_addresses, mapper, person

name = "crunchbase_people"
row_limit = 1000

_HEADERS = {
    "person": ("Full Name",),
    "slug": ("Full Name URL", "Name Url", "Full Name Link"),
    "first": ("First Name",),
    "last": ("Last Name",),
    "title": ("Primary Job Title",),
    "company": ("Primary Organization", "Organization Name"),
    "company_slug": ("Primary Organization URL", "Organization Name URL"),
    "linkedin": ("LinkedIn",),
    "email": ("Email", "Contact Email"),
}


def claims(head: TableHead) -> bool:
    if not has(head, "Full Name"):
        return False
    page, organization = (find_header(head, _HEADERS[field]) for field in ("slug", "company"))
    return page != "" or (has(head, "Primary Job Title") and organization != "")


def _read(row: Row, fields: Fields) -> Lead | RowError:
    somebody = person(fields["first"], fields["last"], fields["person"])
    if not somebody.full_name:
        return RowError(row.line, "no name of a person", row.cells)
    title = text_value(fields["title"])
    url = text_value(fields["linkedin"])
    emails, warnings = kept_addresses(fields["email"], "")
    facts = replace(
        somebody,
        title=title,
        slug=crunchbase_slug(fields["slug"]),
        linkedin=url if linkedin_person(url) else "",
        emails=emails,
    )
    return Lead(row.line, row.cells, _company(fields), (facts,), (*warnings, *title_warning(title)))


def _company(fields: Fields) -> CompanyFacts | None:
    called = company_name(fields["company"])
    if not called or names_no_company(called):
        return None
    return CompanyFacts(called, slug=crunchbase_slug(fields["company_slug"]))


mapping = mapper(_HEADERS, required=("person",), what="Crunchbase export of people")
reader = by_field(_read)
