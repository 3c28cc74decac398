"""What is known of those whom some rows speak of: everything that must be judged together with them.

Shared by whoever judges rows: an import, and a person's own word on who is who.
"""

from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from outreach.core.identity import lookup_keys
from outreach.core.merge import Known
from outreach.core.ports import Row
from outreach.core.records import Lead
from outreach.core.survivors import Entry
from outreach.importers import Importers
from outreach.store.leads import Leads, StoredLead


def with_known(
    fresh: Sequence[Entry],
    leads: Leads,
    importers: Importers,
    connection: sa.Connection,
    *,
    about: tuple[Iterable[int], Iterable[int]] = ((), ()),
) -> tuple[list[Entry], Known]:
    """The stored rows of whom these rows speak of, of whom those rows speak of, …, then these rows; and the records.

    `about` are companies and founders to start from as well.
    """
    companies, founders = set[int](), set[int]()
    stored: dict[int, Entry] = {}
    rulings = leads.rulings(connection)
    said = list(fresh)
    near_companies, near_founders = set(about[0]), set(about[1])
    addresses = set[str]()
    while said or near_companies - companies or near_founders - founders:
        keys = lookup_keys(entry.lead for entry in said)
        addresses |= keys.addresses
        here = {entry.sha256 for entry in said}
        ruled = {seat.sha256 for each in rulings for seat in (each.left, each.right)
                 if here & {each.left.sha256, each.right.sha256}} if rulings else set()  # fmt: skip
        known_rows = {entry.sha256 for entry in said if entry.repeated}
        for more in (leads.owners(connection, keys), leads.named_by(connection, (ruled - here) | known_rows)):
            near_companies |= more[0]
            near_founders |= more[1]
        near_companies |= {entry.company_id for entry in stored.values() if entry.company_id is not None}
        near_founders |= {founder for entry in stored.values() for founder in entry.founder_ids}
        rows = leads.rows_of(connection, near_companies - companies, near_founders - founders)
        companies |= near_companies
        founders |= near_founders
        told = {row.id: as_entry(row, importers) for row in rows if row.id not in stored}
        stored |= told
        said = list(told.values())
    known = leads.known(connection, companies, founders, addresses)
    return [*(stored[lead] for lead in sorted(stored)), *fresh], known


def as_entry(row: StoredLead, importers: Importers) -> Entry:
    """A stored row, read again by its format."""
    read = importers.read_again(row.format, row.mapping, Row(row.line, row.cells))
    lead = read if isinstance(read, Lead) else Lead(row.line, row.cells, None)
    return Entry(lead, row.format, row.exported_at, row.id, row.company_id, row.founder_ids, row.sha256)
