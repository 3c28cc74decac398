"""Lusha exports of contacts; free ones mask every address. The country is the person's, not the company's."""

from dataclasses import replace

from outreach.core.names import names_no_company
from outreach.core.ports import Row, TableHead
from outreach.core.records import CompanyFacts, Lead, RowError
from outreach.core.urls import linkedin_person
from outreach.core.values import company_name, text_value
from outreach.importers._fields import Fields, by_field, has, kept_addresses, mapper, nobody, person

name = "lusha"
row_limit = 0

_HEADERS = {
    "first": ("first_name",),
    "last": ("last_name",),
    "person": ("full_name", "name"),
    "title": ("job_title",),
    "company": ("company_name",),
    "website": ("company_domain", "company_website"),
    "linkedin": ("linkedin_profile",),
    "email": ("emails", "email", "work_email"),
}


def claims(head: TableHead) -> bool:
    return has(head, "company_domain", "linkedin_profile", "emails")


def _read(row: Row, fields: Fields) -> Lead | RowError:
    emails, warnings = kept_addresses(fields["email"], fields["website"])
    somebody = person(fields["first"], fields["last"], fields["person"])
    company = _company(fields)
    if not somebody.full_name and not emails:
        return nobody(row, company, warnings)
    url = text_value(fields["linkedin"])
    facts = replace(
        somebody,
        title=text_value(fields["title"]),
        linkedin=url if linkedin_person(url) else "",
        emails=emails,
    )
    return Lead(row.line, row.cells, company, (facts,), warnings)


def _company(fields: Fields) -> CompanyFacts | None:
    called = company_name(fields["company"])
    return None if not called or names_no_company(called) else CompanyFacts(called, text_value(fields["website"]))


mapping = mapper(_HEADERS, required=("website", "email"), what="Lusha export")
reader = by_field(_read)
