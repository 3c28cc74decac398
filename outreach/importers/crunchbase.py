"""Crunchbase Pro company exports of every header generation since 2018. Only the name and its page's address are sure
to be there.

Knows what the columns mean; knows nothing of files, of the store or of who is who.
"""

from outreach.core.ports import TableHead
from outreach.importers._crunchbase import COMPANY_HEADERS, company_reader
from outreach.importers._fields import find_header, folded, has, mapper, typed_prefix

name = "crunchbase"
row_limit = 1000

_REQUIRED = ("company", "slug")


def claims(head: TableHead) -> bool:
    if has(head, "Full Name") or any(header.startswith("componentfieldformatter") for header in folded(head)):
        return False
    wanted = (COMPANY_HEADERS[field][0] for field in _REQUIRED)
    return all(find_header(head, (header,)) or typed_prefix(head, header) for header in wanted)


mapping = mapper(COMPANY_HEADERS, required=_REQUIRED, what="Crunchbase company export")
reader = company_reader
