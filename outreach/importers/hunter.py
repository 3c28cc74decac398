"""Lists of addresses from Hunter, as its API names the fields, and sheets made from them: the company stands on its
first row only, and cells hold several addresses with their confidence (`a@x.example (confidence:94)`)."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from outreach.core.cells import Cells
from outreach.core.names import names_no_company
from outreach.core.ports import Row, TableHead
from outreach.core.records import CompanyFacts, Lead, PersonFacts, RowError
from outreach.core.urls import linkedin_person
from outreach.core.values import company_name, text_value
from outreach.importers._fields import (
    Fields,
    assigned,
    by_field,
    find_header,
    folded,
    has,
    kept_addresses,
    mapper,
    person,
    told_status,
)

name = "hunter"
row_limit = 0

_HEADERS = {
    "company": ("company", "Organization Name", "Organization", "Company name"),
    "website": ("website", "Domain name", "domain", "company_website"),
    "email": ("email", "Email address"),
    "generic_emails": ("Generic Emails",),
    "first": ("first_name",),
    "last": ("last_name",),
    "person": ("Name", "full_name"),
    "title": ("position", "Job title"),
    "linkedin": ("linkedin_url", "LinkedIn"),
    "verification": ("verification.status", "Verification status", "status"),
    "phone": ("phone_number", "Company phone number"),
}
_CONFIDENCE = re.compile(r"\(\s*confidence\s*:?\s*\d+\s*%?\)", re.IGNORECASE)


def claims(head: TableHead) -> bool:
    addresses = find_header(head, (*_HEADERS["email"], *_HEADERS["generic_emails"]))
    confident = any("confidence" in header for header in folded(head))
    others = has(head, "Person Linkedin Url") or has(head, "Apollo Contact Id") or has(head, "linkedin_profile")
    return bool(addresses) and confident and not others


def _read(row: Row, fields: Fields) -> Lead | RowError:
    own, warnings = kept_addresses(_CONFIDENCE.sub(" ", fields["email"]), fields["website"])
    shared, more = kept_addresses(_CONFIDENCE.sub(" ", fields["generic_emails"]), fields["website"])
    status = told_status(fields["verification"])
    if status == "invalid" and own:
        warnings = (*warnings, f"left out, since Hunter found it invalid: {own[0]}")
        own = ()
    company = _company(fields)
    somebody = _person(fields, status)
    people, left = assigned((somebody,) if somebody.full_name else (), own, has_company=company is not None)
    if company:
        emails = tuple(dict.fromkeys((*shared, *left)))
        return Lead(row.line, row.cells, replace(company, emails=emails), people, (*warnings, *more))
    if not people:
        reason = (
            "an address, and nobody and no company it belongs to"
            if own or shared
            else "no company, no person and no address"
        )
        return RowError(row.line, reason, row.cells)
    return Lead(
        row.line, row.cells, None, tuple(replace(each, email_status=status) for each in people), (*warnings, *more)
    )


def _person(fields: Fields, status: str) -> PersonFacts:
    url = text_value(fields["linkedin"])
    return replace(
        person(fields["first"], fields["last"], fields["person"]),
        title=text_value(fields["title"]),
        linkedin=url if linkedin_person(url) else "",
        email_status=status,
    )


def _company(fields: Fields) -> CompanyFacts | None:
    called = company_name(fields["company"])
    if not called or names_no_company(called):
        return None
    return CompanyFacts(called, text_value(fields["website"]), phone=text_value(fields["phone"]))


def reader(columns: Mapping[str, str], headers: Sequence[str]) -> Callable[[Row], Lead | RowError]:
    """In a sheet with `Generic Emails` a row without a company belongs to the one above; its cells then say so. A row
    that comes back from the store has columns of its own, and none above."""
    read = _read_row(columns, headers)
    if "generic_emails" not in columns or "company" not in columns:
        return read
    at, above = headers.index(columns["company"]), ""
    table: Mapping[str, int] = {}

    def filled(row: Row) -> Lead | RowError:
        nonlocal above, table
        cells = Cells.of(row.cells)
        if cells.columns is not table:
            above, table = "", cells.columns
        if not text_value(cells.texts[at]) and above:
            texts = [*cells.texts[:at], above, *cells.texts[at + 1 :]]
            return read(Row(row.line, Cells(cells.columns, texts)))
        above = cells.texts[at]
        return read(row)

    return filled


_read_row = by_field(_read)
mapping = mapper(_HEADERS, what="list from Hunter")
