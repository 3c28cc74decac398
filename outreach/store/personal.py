"""All that is held about one person, row by row, for whoever asks what it is (GDPR, article 15). Reads only.

Every table that can speak of a person has its section here; a test names those that cannot, so that none is forgotten.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from outreach.core.records import Founder
from outreach.core.suppression import suppression_keys
from outreach.store.bulk import select_in
from outreach.store.database import Database
from outreach.store.tables import (
    AddressRow,
    Approval,
    Attempt,
    CampaignRow,
    Candidate,
    EnrollmentRow,
    FounderEdit,
    FounderHint,
    FounderKey,
    FounderNote,
    FounderRow,
    FounderTag,
    HandSent,
    Import,
    InboundLocation,
    InboundRow,
    LeadFounder,
    LeadRow,
    LedgerRow,
    LookupRow,
    Merged,
    OutboxRow,
    RetiredId,
    RulingRow,
    Suppression,
    VerdictRow,
    table,
)

Rows = list[dict[str, Any]]

_founders, _addresses, _verdicts = table(FounderRow), table(AddressRow), table(VerdictRow)
_leads, _seats, _imports, _lookups = table(LeadRow), table(LeadFounder), table(Import), table(LookupRow)
_enrollments, _campaigns, _outbox = table(EnrollmentRow), table(CampaignRow), table(OutboxRow)
_attempts, _inbound, _suppressions = table(Attempt), table(InboundRow), table(Suppression)
_places, _ledger, _approvals = table(InboundLocation), table(LedgerRow), table(Approval)
_candidates, _merges, _retired, _rulings = table(Candidate), table(Merged), table(RetiredId), table(RulingRow)
_hand_sent = table(HandSent)
_OF_FOUNDER = {
    "keys": table(FounderKey),
    "hints": table(FounderHint),
    "edits": table(FounderEdit),
    "notes": table(FounderNote),
    "tags": table(FounderTag),
}


class Personal:
    """What is known of a person."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def held(self, founder: Founder, name_key: str) -> dict[str, Rows]:
        """Every row about them, by what it is. `name_key` is their name as questions to finders have it."""
        with self._db.read() as connection:
            return _Person(connection, founder, name_key).everything()


class _Person:
    """One person, in one transaction."""

    def __init__(self, connection: sa.Connection, founder: Founder, name_key: str) -> None:
        self._connection, self._founder, self._name_key = connection, founder, name_key
        enrolled = self._rows(sa.select(_enrollments.c.address_key).where(_enrollments.c.founder_id == founder.id))
        self._keys = sorted({each.key for each in founder.addresses} | {row["address_key"] for row in enrolled})

    def everything(self) -> dict[str, Rows]:
        person = self._founder.id
        rows = self._lists()
        mails = self._rows(sa.select(_outbox).where(_outbox.c.founder_id == person).order_by(_outbox.c.id))
        answers = self._answers([mail["id"] for mail in mails])
        return {
            "founder": self._rows(sa.select(_founders).where(_founders.c.id == person)),
            **{name: self._rows(sa.select(of).where(of.c.founder_id == person)) for name, of in _OF_FOUNDER.items()},
            "addresses": self._rows(sa.select(_addresses).where(_addresses.c.founder_id == person)),
            "checks": self._rows_in(sa.select(_verdicts).order_by(_verdicts.c.id), _verdicts.c.key, self._keys),
            "lists": rows,
            "same_as": self._same(rows),
            "lookups": [*self._asked_about(), *self._found_among_others()],
            "enrollments": self._rows(
                sa.select(_enrollments, _campaigns.c.name.label("campaign"))
                .join(_campaigns, _campaigns.c.id == _enrollments.c.campaign_id)
                .where(_enrollments.c.founder_id == person)
            ),
            "mails": mails,
            "attempts": self._of(_attempts, _attempts.c.outbox_id, mails),
            "ledger": self._of(_ledger, _ledger.c.outbox_id, mails),
            "approvals": self._rows_in(
                sa.select(_approvals), _approvals.c.dedupe_key, [mail["dedupe_key"] for mail in mails]
            ),
            "by_hand": self._rows_in(sa.select(_hand_sent), _hand_sent.c.address_key, self._keys),
            "answers": answers,
            "answer_places": self._of(_places, _places.c.inbound_id, answers),
            "suppressions": self._suppressed(),
        }

    # --- lists ----------------------------------------------------------------------------------------

    def _lists(self) -> Rows:
        """The rows of lists that name them, as they came; `position` is their place among the people of the row."""
        return self._rows(
            sa.select(_leads, _seats.c.position, _imports.c.file, _imports.c.exported_at, _imports.c.imported_at)
            .join(_seats, _seats.c.lead_id == _leads.c.id)
            .join(_imports, _imports.c.id == _leads.c.import_id)
            .where(_seats.c.founder_id == self._founder.id)
            .order_by(_leads.c.id)
        )

    def _same(self, rows: Rows) -> Rows:
        """Where it was asked, found or decided that they are, or are not, the same as somebody else."""
        person, seats = self._founder.id, {(row["sha256"], row["position"]) for row in rows}
        asked = sa.or_(_candidates.c.left_id == person, _candidates.c.right_id == person)
        ruled = [
            ruling
            for side in (_rulings.c.left_sha256, _rulings.c.right_sha256)
            for ruling in self._rows_in(sa.select(_rulings), side, {sha256 for sha256, _ in seats})
            if seats & {(ruling[f"{end}_sha256"], ruling[f"{end}_position"]) for end in ("left", "right")}
        ]
        return [
            *self._rows(sa.select(_candidates).where(_candidates.c.kind == "founder", asked)),
            *self._rows(sa.select(_merges).where(_merges.c.kind == "founder", _merges.c.record_id == person)),
            *self._rows(sa.select(_retired).where(_retired.c.kind == "person", _retired.c.became == person)),
            *({ruling["id"]: ruling for ruling in ruled}.values()),
        ]

    # --- finders --------------------------------------------------------------------------------------

    def _asked_about(self) -> Rows:
        """The questions to finders that named them."""
        company = self._founder.company
        query = sa.select(_lookups).order_by(_lookups.c.id)
        found = self._rows_in(query, _lookups.c.person, self._keys)
        if company and company.domain:
            mine = (_lookups.c.person == self._name_key, _lookups.c.about == company.domain)
            found += self._rows(query.where(*mine))
        return found

    def _found_among_others(self) -> Rows:
        """Of the answers about their whole company, the parts that hold an address of theirs."""
        company = self._founder.company
        if not company or not company.domain:
            return []
        query = sa.select(_lookups).where(_lookups.c.about == company.domain, _lookups.c.person == "")
        parts = [(row, list(_parts(row["data"], set(self._keys)))) for row in self._rows(query)]
        return [{**row, "data": found} for row, found in parts if found]

    # --- mail -----------------------------------------------------------------------------------------

    def _answers(self, mails: Sequence[int]) -> Rows:
        query = sa.select(_inbound)
        found = [
            *self._rows(query.where(_inbound.c.founder_id == self._founder.id)),
            *self._rows_in(query, _inbound.c.from_address, self._keys),
            *self._rows_in(query, _inbound.c.outbox_id, mails),
        ]
        return [row for _, row in sorted({row["id"]: row for row in found}.items())]

    def _suppressed(self) -> Rows:
        company = self._founder.company
        keys = suppression_keys(self._keys, founder_id=self._founder.id, company_id=company.id if company else None)
        return self._rows_in(sa.select(_suppressions).order_by(_suppressions.c.id), _suppressions.c.value, keys)

    # --- reading --------------------------------------------------------------------------------------

    def _of(self, rows: sa.Table, column: sa.Column[Any], owners: Rows) -> Rows:
        return self._rows_in(sa.select(rows), column, [owner["id"] for owner in owners])

    def _rows(self, query: sa.Select[Any]) -> Rows:
        return [_plain(row) for row in self._connection.execute(query).mappings()]

    def _rows_in(self, query: sa.Select[Any], column: sa.ColumnElement[Any], values: Any) -> Rows:
        return [_plain(row) for row in select_in(self._connection, query, column, values)]


def _plain(row: sa.RowMapping) -> dict[str, Any]:
    """A row whose bytes (mails) are text."""
    return {
        name: value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else value
        for name, value in row.items()
    }


def _parts(data: Any, keys: set[str]) -> Iterator[Mapping[str, Any]]:
    """The objects within a stored answer that hold one of these addresses."""
    if isinstance(data, Mapping):
        if keys & {value for value in data.values() if isinstance(value, str)}:
            yield data
        else:
            for value in data.values():
                yield from _parts(value, keys)
    elif isinstance(data, list):
        for value in data:
            yield from _parts(value, keys)
