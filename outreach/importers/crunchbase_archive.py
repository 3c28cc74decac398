"""Crunchbase's old public data: the snapshots of 2013 and 2015, the Open Data Map, and the bulk files of organizations
and people."""

import re
from dataclasses import replace

from outreach.core.names import names_no_company
from outreach.core.places import country_name, region_name
from outreach.core.ports import Row, TableHead
from outreach.core.records import CompanyFacts, Lead, PersonFacts, RowError
from outreach.core.urls import crunchbase_slug, linkedin_person
from outreach.core.values import company_name, parse_date, parse_dollars, parse_employees, parse_money, text_value
from outreach.importers._crunchbase import title_warning
from outreach.importers._fields import Fields, by_field, has, kept_addresses, mapper, person, source_id, texts

name = "crunchbase_archive"
row_limit = 0

_HEADERS = {
    "company": ("name", "company_name"),
    "slug": ("permalink", "crunchbase_url", "cb_url"),
    "page": ("cb_url", "crunchbase_url"),
    "uuid": ("crunchbase_uuid", "uuid"),
    "kind": ("entity_type", "type"),
    "role": ("primary_role", "roles"),
    "website": ("homepage_url",),
    "domain": ("homepage_domain", "domain"),
    "linkedin": ("linkedin_url",),
    "description": ("short_description", "overview", "description"),
    "industries": ("category_list", "category_code", "category_groups_list", "market"),
    "city": ("city", "location_city"),
    "region": ("region", "location_region"),
    "state": ("state_code",),
    "country": ("country_code", "location_country_code", "country"),
    "employees": ("employee_count",),
    "founded": ("founded_on", "founded_at", "founded_year"),
    "funding": ("total_funding_usd", "funding_total_usd"),
    "funding_local": ("total_funding",),
    "funding_currency": ("total_funding_currency_code",),
    "last_funding_on": ("last_funding_on", "last_funding_at"),
    "status": ("status",),
    "email": ("email",),
    "phone": ("phone", "phone_number"),
    "legal_name": ("legal_name",),
    "alias1": ("alias1",),
    "alias2": ("alias2",),
    "alias3": ("alias3",),
    "first": ("first_name",),
    "last": ("last_name",),
    "title": ("featured_job_title", "title"),
    "employer": ("featured_job_organization_name", "organization"),
    "employer_page": ("organization_crunchbase_url",),
    "employer_uuid": ("featured_job_organization_uuid",),
}
_STATUS = {"operating": "active", "ipo": "active", "active": "active", "acquired": "acquired", "closed": "closed"}
_COMPANY_KINDS = ("", "company", "organization")
_OTHER_ROLES = ("investor", "school", "group", "financial_org", "financialorg")


def claims(head: TableHead) -> bool:
    return (
        has(head, "permalink", "funding_total_usd")
        or (has(head, "crunchbase_uuid") and (has(head, "homepage_domain") or has(head, "organization_crunchbase_url")))
        or has(head, "uuid", "permalink", "cb_url")
    )


def _read(row: Row, fields: Fields) -> Lead | RowError:
    kind = text_value(fields["kind"]).casefold()
    if kind == "person" or (kind not in ("company", "organization") and text_value(fields["first"])):
        return _person(row, fields)
    if kind not in _COMPANY_KINDS:
        return RowError(row.line, f"neither a company nor a person, but: {kind}", row.cells)
    called = company_name(fields["company"])
    if not called:
        return RowError(row.line, "no company name", row.cells)
    fields["website"] = text_value(fields["website"]) or text_value(fields["domain"])
    emails, warnings = kept_addresses(fields["email"], fields["website"])
    return Lead(row.line, row.cells, _company(fields, called, emails), (), (*warnings, *_role_warning(fields)))


def _company(fields: Fields, called: str, emails: tuple[str, ...]) -> CompanyFacts:
    country = country_name(text_value(fields["country"]))
    region = text_value(fields["region"])
    return CompanyFacts(
        name=called,
        slug=crunchbase_slug(fields["slug"]) or crunchbase_slug(fields["page"]),
        website=fields["website"],
        linkedin=text_value(fields["linkedin"]),
        description=text_value(fields["description"], limit=2000),
        industries=texts(fields["industries"], r"[|,]"),
        city=text_value(fields["city"]),
        region=region_name(region or text_value(fields["state"]), country),
        country=country,
        employees=parse_employees(fields["employees"]),
        founded=parse_date(fields["founded"]),
        funding_total=parse_money(fields["funding_local"], fields["funding_currency"], fields["funding"])
        or parse_dollars(fields["funding"]),
        last_funding_on=parse_date(fields["last_funding_on"]),
        status=_STATUS.get(text_value(fields["status"]).casefold(), ""),
        emails=emails,
        phone=text_value(fields["phone"]),
        aliases=tuple(filter(None, (text_value(fields[f]) for f in ("legal_name", "alias1", "alias2", "alias3")))),
        ids=source_id("crunchbase", fields["uuid"]),
    )


def _person(row: Row, fields: Fields) -> Lead | RowError:
    somebody = person(fields["first"], fields["last"], fields["company"])
    if not somebody.full_name:
        return RowError(row.line, "no name of a person", row.cells)
    title, url = text_value(fields["title"]), text_value(fields["linkedin"])
    facts: PersonFacts = replace(
        somebody,
        title=title,
        slug=crunchbase_slug(fields["slug"]) or crunchbase_slug(fields["page"]),
        linkedin=url if linkedin_person(url) else "",
        ids=source_id("crunchbase", fields["uuid"]),
    )
    employer = company_name(fields["employer"])
    known = None if not employer or names_no_company(employer) else CompanyFacts(
        employer,
        slug=crunchbase_slug(fields["employer_page"]),
        ids=source_id("crunchbase", fields["employer_uuid"]),
    )  # fmt: skip
    return Lead(row.line, row.cells, known, (facts,), title_warning(title))


def _role_warning(fields: Fields) -> tuple[str, ...]:
    roles = re.split(r"[,|\s]+", text_value(fields["role"]).casefold())
    other = [role for role in roles if role in _OTHER_ROLES]
    return (f"not only a company, but: {', '.join(other)}",) if other else ()


mapping = mapper(_HEADERS, required=("slug",), what="file of Crunchbase's old data")
reader = by_field(_read)
