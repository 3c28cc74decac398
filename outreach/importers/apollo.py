"""Apollo exports of contacts: one row is one person, with what Apollo thinks of their address."""

from dataclasses import replace

from outreach.core.ports import Row, TableHead
from outreach.core.records import Lead, RowError
from outreach.core.urls import linkedin_person
from outreach.core.values import text_value
from outreach.importers._apollo import COMPANY_HEADERS, company
from outreach.importers._fields import (
    Fields,
    by_field,
    has,
    kept_addresses,
    mapper,
    nobody,
    person,
    source_id,
    told_status,
)

name = "apollo"
row_limit = 0

_HEADERS = {
    "first": ("First Name",),
    "last": ("Last Name",),
    "title": ("Title",),
    "email": ("Email",),
    "email_status": ("Email Status",),
    "email2": ("Secondary Email",),
    "email3": ("Tertiary Email",),
    "bounced": ("Email Bounced",),
    "linkedin": ("Person Linkedin Url",),
    "contact_id": ("Apollo Contact Id",),
    **COMPANY_HEADERS,
}


def claims(head: TableHead) -> bool:
    known = has(head, "Person Linkedin Url") or has(head, "Apollo Contact Id")
    return known and has(head, "First Name", "Last Name", "Email")


def _read(row: Row, fields: Fields) -> Lead | RowError:
    emails, warnings = _addresses(fields)
    somebody = person(fields["first"], fields["last"])
    if not somebody.full_name and not emails:
        return nobody(row, company(fields), warnings)
    url = text_value(fields["linkedin"])
    facts = replace(
        somebody,
        title=text_value(fields["title"]),
        linkedin=url if linkedin_person(url) else "",
        emails=emails,
        email_status=_status(fields),
        ids=source_id("apollo", fields["contact_id"]),
    )
    return Lead(row.line, row.cells, company(fields), (facts,), warnings)


def _addresses(fields: Fields) -> tuple[tuple[str, ...], tuple[str, ...]]:
    found = [kept_addresses(fields[field], fields["website"]) for field in ("email", "email2", "email3")]
    emails = tuple(dict.fromkeys(address for usable, _ in found for address in usable))
    return emails, tuple(warning for _, warnings in found for warning in warnings)


def _status(fields: Fields) -> str:
    if text_value(fields["bounced"]).casefold() in ("true", "yes", "1"):
        return "invalid"
    return told_status(fields["email_status"], "risky")


mapping = mapper(_HEADERS, required=("first", "last", "email"), what="Apollo export of contacts")
reader = by_field(_read)
