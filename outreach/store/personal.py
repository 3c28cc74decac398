"""All that is held about one person, row by row, for whoever asks what it is (GDPR, article 15). Reads only.

Every table that can speak of a person has its section here; a test names those that cannot, so that none is forgotten.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from outreach.core.records import Founder
from outreach.core.suppression import suppression_keys
from outreach.store import tables as t
from outreach.store.bulk import select_in
from outreach.store.database import Database

Rows = list[dict[str, Any]]

_OF_FOUNDER = {
    "keys": t.founder_keys,
    "hints": t.founder_hints,
    "edits": t.founder_edits,
    "notes": t.founder_notes,
    "tags": t.founder_tags,
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
        enrolled = self._rows(sa.select(t.enrollments.c.address_key).where(t.enrollments.c.founder_id == founder.id))
        self._keys = sorted({each.key for each in founder.addresses} | {row["address_key"] for row in enrolled})

    def everything(self) -> dict[str, Rows]:
        person = self._founder.id
        rows = self._lists()
        mails = self._rows(sa.select(t.outbox).where(t.outbox.c.founder_id == person).order_by(t.outbox.c.id))
        answers = self._answers([mail["id"] for mail in mails])
        return {
            "founder": self._rows(sa.select(t.founders).where(t.founders.c.id == person)),
            **{name: self._rows(sa.select(of).where(of.c.founder_id == person)) for name, of in _OF_FOUNDER.items()},
            "addresses": self._rows(sa.select(t.addresses).where(t.addresses.c.founder_id == person)),
            "checks": self._rows_in(
                sa.select(t.address_verdicts).order_by(t.address_verdicts.c.id), t.address_verdicts.c.key, self._keys
            ),
            "lists": rows,
            "same_as": self._same(rows),
            "lookups": [*self._asked_about(), *self._found_among_others()],
            "enrollments": self._rows(
                sa.select(t.enrollments, t.campaigns.c.name.label("campaign"))
                .join(t.campaigns, t.campaigns.c.id == t.enrollments.c.campaign_id)
                .where(t.enrollments.c.founder_id == person)
            ),
            "mails": mails,
            "attempts": self._of(t.attempts, t.attempts.c.outbox_id, mails),
            "ledger": self._of(t.send_ledger, t.send_ledger.c.outbox_id, mails),
            "approvals": self._approved(mails),
            "by_hand": self._rows_in(sa.select(t.hand_sent), t.hand_sent.c.address_key, self._keys),
            "answers": answers,
            "answer_places": self._of(t.inbound_locations, t.inbound_locations.c.inbound_id, answers),
            "suppressions": self._suppressed(),
        }

    # --- lists ----------------------------------------------------------------------------------------

    def _lists(self) -> Rows:
        """The rows of lists that name them, as they came; `position` is their place among the people of the row."""
        return self._rows(
            sa.select(
                t.leads, t.lead_founders.c.position, t.imports.c.file, t.imports.c.exported_at, t.imports.c.imported_at
            )
            .join(t.lead_founders, t.lead_founders.c.lead_id == t.leads.c.id)
            .join(t.imports, t.imports.c.id == t.leads.c.import_id)
            .where(t.lead_founders.c.founder_id == self._founder.id)
            .order_by(t.leads.c.id)
        )

    def _same(self, rows: Rows) -> Rows:
        """Where it was asked, found or decided that they are, or are not, the same as somebody else."""
        person, seats = self._founder.id, {(row["sha256"], row["position"]) for row in rows}
        asked = sa.or_(t.candidates.c.left_id == person, t.candidates.c.right_id == person)
        ruled = [
            ruling
            for side in (t.rulings.c.left_sha256, t.rulings.c.right_sha256)
            for ruling in self._rows_in(sa.select(t.rulings), side, {sha256 for sha256, _ in seats})
            if seats & {(ruling[f"{end}_sha256"], ruling[f"{end}_position"]) for end in ("left", "right")}
        ]
        return [
            *self._rows(sa.select(t.candidates).where(t.candidates.c.kind == "founder", asked)),
            *self._rows(sa.select(t.merges).where(t.merges.c.kind == "founder", t.merges.c.record_id == person)),
            *self._rows(
                sa.select(t.retired_ids).where(t.retired_ids.c.kind == "person", t.retired_ids.c.became == person)
            ),
            *({ruling["id"]: ruling for ruling in ruled}.values()),
        ]

    # --- finders --------------------------------------------------------------------------------------

    def _asked_about(self) -> Rows:
        """The questions to finders that named them."""
        company = self._founder.company
        query = sa.select(t.lookups).order_by(t.lookups.c.id)
        found = self._rows_in(query, t.lookups.c.person, self._keys)
        if company and company.domain:
            mine = (t.lookups.c.person == self._name_key, t.lookups.c.about == company.domain)
            found += self._rows(query.where(*mine))
        return found

    def _found_among_others(self) -> Rows:
        """Of the answers about their whole company, the parts that hold an address of theirs."""
        company = self._founder.company
        if not company or not company.domain:
            return []
        query = sa.select(t.lookups).where(t.lookups.c.about == company.domain, t.lookups.c.person == "")
        parts = [(row, list(_parts(row["data"], set(self._keys)))) for row in self._rows(query)]
        return [{**row, "data": found} for row, found in parts if found]

    # --- mail -----------------------------------------------------------------------------------------

    def _answers(self, mails: Sequence[int]) -> Rows:
        query = sa.select(t.inbound)
        found = [
            *self._rows(query.where(t.inbound.c.founder_id == self._founder.id)),
            *self._rows_in(query, t.inbound.c.from_address, self._keys),
            *self._rows_in(query, t.inbound.c.outbox_id, mails),
        ]
        return [row for _, row in sorted({row["id"]: row for row in found}.items())]

    def _approved(self, mails: Rows) -> Rows:
        """Mails that were found good, whether or not they were queued since."""
        keys = t.approvals.c.dedupe_key
        found = self._rows_in(sa.select(t.approvals), keys, [mail["dedupe_key"] for mail in mails])
        shown = self._rows(sa.select(t.approvals).where(keys.like(f"%/{self._founder.id}")))
        return list({row["dedupe_key"]: row for row in (*found, *shown)}.values())

    def _suppressed(self) -> Rows:
        company = self._founder.company
        keys = suppression_keys(self._keys, founder_id=self._founder.id, company_id=company.id if company else None)
        return self._rows_in(sa.select(t.suppressions).order_by(t.suppressions.c.id), t.suppressions.c.value, keys)

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
