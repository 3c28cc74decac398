"""Everything that happened with one founder, in order of time. Reads only."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from outreach.core.lookups import again_from
from outreach.core.ports import LookupOutcome
from outreach.core.records import Founder
from outreach.core.suppression import suppression_keys
from outreach.store import tables as t
from outreach.store.bulk import select_in
from outreach.store.database import Database


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened: when, of which kind, in words."""

    at: datetime
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A row of a file that speaks of the founder, with what is needed to read it again. `position`: which person in it
    is meant."""

    file: str
    line: int
    imported_at: datetime
    exported_at: datetime
    format: str
    mapping: Mapping[str, str]
    cells: Mapping[str, str]
    position: int


class Histories:
    """What `why` tells."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def sources(self, founder_id: int) -> list[SourceRow]:
        """The rows that named this founder, oldest import first."""
        query = (
            sa.select(
                t.imports.c.file, t.leads.c.line, t.imports.c.imported_at, t.imports.c.exported_at, t.imports.c.format,
                t.imports.c.mapping, t.leads.c.cells, t.lead_founders.c.position,
            )
            .join(t.leads, t.leads.c.id == t.lead_founders.c.lead_id)
            .join(t.imports, t.imports.c.id == t.leads.c.import_id)
            .where(t.lead_founders.c.founder_id == founder_id, t.leads.c.outcome != "skipped")
            .order_by(t.imports.c.imported_at, t.leads.c.id)
        )  # fmt: skip
        with self._db.read() as connection:
            return [SourceRow(**row) for row in connection.execute(query).mappings()]

    def events(self, founder: Founder, name_key: str) -> list[Event]:
        """All of it, oldest first."""
        with self._db.read() as connection:
            found = [
                *_imported(connection, founder.id),
                *_questions(connection, founder.id),
                *_merged(connection, founder.id),
                *_lookups_of(connection, founder, name_key),
                *_checks(connection, founder),
                *_enrolled(connection, founder.id),
                *_mails(connection, founder.id),
                *_replies(connection, founder.id),
                *_suppressed(connection, founder),
            ]
        return sorted(found, key=lambda event: event.at)


def _imported(connection: sa.Connection, founder_id: int) -> Iterator[Event]:
    query = (
        sa.select(t.imports.c.file, t.imports.c.imported_at, t.leads.c.line, t.leads.c.outcome)
        .join(t.leads, t.leads.c.import_id == t.imports.c.id)
        .join(t.lead_founders, t.lead_founders.c.lead_id == t.leads.c.id)
        .where(t.lead_founders.c.founder_id == founder_id)
        .order_by(t.leads.c.id)
    )
    for row in connection.execute(query):
        yield Event(row.imported_at, "import", f"{row.file}, line {row.line} ({row.outcome})")


def _questions(connection: sa.Connection, founder_id: int) -> Iterator[Event]:
    """Whether this is the same person as somebody else: asked, and answered."""
    here = sa.or_(t.candidates.c.left_id == founder_id, t.candidates.c.right_id == founder_id)
    for row in connection.execute(sa.select(t.candidates).where(t.candidates.c.kind == "founder", here)):
        other = row.right_id if row.left_id == founder_id else row.left_id
        name = connection.scalar(sa.select(t.founders.c.full_name).where(t.founders.c.id == other)) or ""
        said = f"; decided: {row.decision}" if row.decision else "; not decided yet"
        yield Event(row.found_at, "duplicate", f"may be {name} ({other}): {row.evidence}{said}")


def _merged(connection: sa.Connection, founder_id: int) -> Iterator[Event]:
    """Records that turned out to be this person."""
    became = sa.select(t.retired_ids).where(t.retired_ids.c.kind == "person", t.retired_ids.c.became == founder_id)
    for row in connection.execute(became):
        yield Event(row.retired_at, "merged", f"founder {row.id} turned out to be the same person")


def _lookups_of(connection: sa.Connection, founder: Founder, name_key: str) -> Iterator[Event]:
    if not founder.company or not founder.company.domain:
        return
    persons = ["", name_key, *(address.key for address in founder.addresses)]
    query = (
        sa.select(t.lookups)
        .where(
            t.lookups.c.about == founder.company.domain,
            t.lookups.c.person.in_(persons),
            t.lookups.c.finder.not_in(("dns", "find")),
        )
        .order_by(t.lookups.c.id)
    )
    for row in connection.execute(query):
        cost = f", {row.credits} credit" + ("s" if row.credits != 1 else "") if row.credits else ""
        said = f": {row.text}" if row.text else ""
        again = again_from(LookupOutcome(row.outcome), row.asked_at)
        later = f"; tried again from {again:%Y-%m-%d %H:%M} UTC" if again else ""
        told = f"{row.finder} was asked ({row.question}): {row.outcome}{said}{cost}{later}"
        yield Event(row.asked_at, "look-up", told)


def _checks(connection: sa.Connection, founder: Founder) -> Iterator[Event]:
    keys = [address.key for address in founder.addresses]
    for row in select_in(
        connection, sa.select(t.address_verdicts).order_by(t.address_verdicts.c.id), t.address_verdicts.c.key, keys
    ):
        why = "; ".join(row["evidence"])
        sure = f"{row['status']}, {row['confidence']} %"
        yield Event(row["checked_at"], "address", f"{row['key']} is {sure} by {row['origin']}: {why}")


def _enrolled(connection: sa.Connection, founder_id: int) -> Iterator[Event]:
    query = sa.select(t.enrollments, t.campaigns.c.name).join(
        t.campaigns, t.campaigns.c.id == t.enrollments.c.campaign_id
    )
    for row in connection.execute(query.where(t.enrollments.c.founder_id == founder_id)):
        yield Event(row.enrolled_at, "campaign", f"enrolled in {row.name} with {row.address}")
        if row.state != "active":
            until = f" until {row.held_until:%Y-%m-%d}" if row.held_until else ""
            yield Event(row.updated_at, "campaign", f"{row.state} in {row.name}{until}: {row.reason or row.state}")


def _mails(connection: sa.Connection, founder_id: int) -> Iterator[Event]:
    query = sa.select(t.outbox, t.campaigns.c.name).join(t.campaigns, t.campaigns.c.id == t.outbox.c.campaign_id)
    rows = connection.execute(query.where(t.outbox.c.founder_id == founder_id).order_by(t.outbox.c.id)).all()
    for row in rows:
        mail = f"message {row.id}, step {row.step} of {row.name}"
        yield Event(row.queued_at, "mail", f"{mail} queued: “{row.subject}” to {row.rcpt}")
        if row.intent_at is None and row.state in ("cancelled", "failed", "held"):
            yield Event(row.updated_at, "mail", f"{mail} {row.state}: {row.reason or row.state}")
    numbers: dict[int, Any] = {row.id: row for row in rows}
    tried = sa.select(t.attempts).order_by(t.attempts.c.id)
    for attempt in select_in(connection, tried, t.attempts.c.outbox_id, numbers):
        sent = numbers[attempt["outbox_id"]]
        answer = " ".join(filter(None, (str(attempt["code"] or ""), attempt["text"])))
        words = f" ({answer})" if answer else ""
        yield Event(
            attempt["at"], "mail", f"message {sent.id}, step {sent.step} to {sent.rcpt}: {attempt['outcome']}{words}"
        )


def _replies(connection: sa.Connection, founder_id: int) -> Iterator[Event]:
    query = sa.select(t.inbound).where(t.inbound.c.founder_id == founder_id).order_by(t.inbound.c.id)
    for row in connection.execute(query):
        kind = " ".join(filter(None, (row.kind.replace("_", " "), row.subkind.replace("_", " "))))
        label = f", labelled {row.label}" if row.label else ""
        why = f" because {'; '.join(row.evidence)}" if row.evidence else ""
        yield Event(row.received_at, "reply", f"{kind} {row.id} from {row.from_address}{label}{why}")


def _suppressed(connection: sa.Connection, founder: Founder) -> Iterator[Event]:
    company = founder.company.id if founder.company else None
    keys = suppression_keys([each.key for each in founder.addresses], founder_id=founder.id, company_id=company)
    for row in select_in(connection, sa.select(t.suppressions), t.suppressions.c.value, keys):
        yield Event(
            row["created_at"], "suppressed", f"{row['value']} ({row['kind']}): {row['reason']}, by {row['origin']}"
        )
