"""Lists that are known, and are not of companies or people: recognised by their headers and refused by name."""

from outreach.core.ports import TableHead
from outreach.errors import ImportRefused
from outreach.importers._fields import has

_COMPANIES = "in Crunchbase, search for companies and export that list, with the columns Website and Founders"
_OLD = "of the same data, import companies.csv; or export a list of companies in Crunchbase"
_BULK = "of the same bulk export, import organizations.csv and people.csv"

# The headers that give it away, what it lists, and what to import instead.
_KINDS: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (("Transaction Name", "Money Raised"), "funding rounds", _COMPANIES),
    (("Acquiree Name",), "acquisitions", _COMPANIES),
    (("Event Name",), "events", _COMPANIES),
    (("Organization/Person Name",), "investors", _COMPANIES),
    (("School Type",), "schools", _COMPANIES),
    (("Hub Name",), "hubs", _COMPANIES),
    (("company_permalink",), "funding rounds or acquisitions of the old data dump", _OLD),
    (("uuid", "cb_url", "investment_type"), "funding rounds of the bulk data", _BULK),
    (("uuid", "cb_url", "acquiree_uuid"), "acquisitions of the bulk data", _BULK),
    (("uuid", "cb_url", "investor_types"), "investors of the bulk data", _BULK),
    (("uuid", "cb_url", "person_uuid"), "jobs or degrees of the bulk data", _BULK),
    (("uuid", "cb_url", "funding_round_uuid"), "investments of the bulk data", _BULK),
    (("uuid", "cb_url", "event_uuid"), "appearances at events of the bulk data", _BULK),
    (("uuid", "cb_url", "stock_exchange_symbol"), "stock listings of the bulk data", _BULK),
)  # fmt: skip


def other_kind(head: TableHead) -> str:
    """What this is a list of, if it is one of those."""
    return next((kind for marks, kind, _ in _KINDS if has(head, *marks)), "")


def refusal(head: TableHead, kind: str) -> ImportRefused:
    hint = next(instead for _, each, instead in _KINDS if each == kind)
    return ImportRefused(f"{head.file_name} is a Crunchbase list of {kind}, not of companies.", hint=hint)
