"""Crunchbase Pro company exports of every header generation since 2018. Only the name and its page's address are sure
to be there.

Knows what the columns mean; knows nothing of files, of the store or of who is who.
"""

from outreach.core.ports import Row, TableHead
from outreach.core.records import Lead, RowError
from outreach.core.urls import crunchbase_slug
from outreach.core.values import company_name
from outreach.importers._crunchbase import COMPANY_HEADERS, company, founders, oddities, people, place
from outreach.importers._fields import Fields, by_field, find_header, folded, has, kept_addresses, mapper, typed_prefix

name = "crunchbase"
row_limit = 1000

_REQUIRED = ("company", "slug")


def claims(head: TableHead) -> bool:
    if has(head, "Full Name") or any(header.startswith("componentfieldformatter") for header in folded(head)):
        return False
    return all(
        find_header(head, (wanted,)) or typed_prefix(head, wanted)
        for (wanted,) in map(COMPANY_HEADERS.__getitem__, _REQUIRED)
    )


def _read(row: Row, fields: Fields) -> Lead | RowError:
    title = company_name(fields["company"])
    if not title:
        return RowError(row.line, "no company name in “Organization Name”", row.cells)
    slug = crunchbase_slug(fields["slug"])
    if not slug:
        return RowError(row.line, "no Crunchbase address in “Organization Name URL”", row.cells)
    names = founders(fields["founders"])
    emails, warnings = kept_addresses(fields["email"], fields["website"])
    facts = company(fields, name=title, slug=slug, place=place(fields), emails=emails)
    return Lead(row.line, row.cells, facts, people(names), (*warnings, *oddities(fields, names)))


mapping = mapper(COMPANY_HEADERS, required=_REQUIRED, what="Crunchbase company export")
reader = by_field(_read)
