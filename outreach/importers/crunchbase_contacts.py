"""Crunchbase's contacts of a company, as a scraped table: the company is named by its page only (`acme-d964`), and a
person may come twice with another LinkedIn page each time."""

import re
from dataclasses import replace

from outreach.core.ports import Row, TableHead
from outreach.core.records import CompanyFacts, Lead, RowError
from outreach.core.urls import crunchbase_slug, linkedin_person
from outreach.core.values import text_value
from outreach.importers._crunchbase import title_warning
from outreach.importers._fields import Fields, by_field, has, kept_addresses, mapper, person

name = "crunchbase_contacts"
row_limit = 0

_HEADERS = {
    "company": ("Organization",),
    "person": ("Name",),
    "title": ("Designation",),
    "linkedin": ("LinkedIn",),
    "email": ("Email", "Emails", "Work Email"),
}
_NUMBERED = re.compile(r"-(?:[0-9a-f]{4}|\d{1,3})$")


def claims(head: TableHead) -> bool:
    return has(head, "Organization", "Name", "Designation", "Class")


def _read(row: Row, fields: Fields) -> Lead | RowError:
    somebody = person("", "", fields["person"])
    if not somebody.full_name:
        return RowError(row.line, "no name of a person", row.cells)
    title, url = text_value(fields["title"]), text_value(fields["linkedin"])
    emails, warnings = kept_addresses(fields["email"], "")
    facts = replace(somebody, title=title, linkedin=url if linkedin_person(url) else "", emails=emails)
    return Lead(row.line, row.cells, _company(fields["company"]), (facts,), (*warnings, *title_warning(title)))


def _company(cell: str) -> CompanyFacts | None:
    """Its name as its page's address tells it; an export of companies brings the real one."""
    said = text_value(cell)
    slug = crunchbase_slug(said.casefold()) if said.isascii() and " " not in said else ""
    if not slug:
        return CompanyFacts(said) if said else None
    words = _NUMBERED.sub("", slug).split("-")
    return CompanyFacts(" ".join(word.capitalize() for word in words if word) or slug, slug=slug)


mapping = mapper(_HEADERS, required=("company", "person"), what="list of Crunchbase contacts")
reader = by_field(_read)
