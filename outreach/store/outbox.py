"""The outbox: messages queued, listed, and resolved by hand. Sending them is `store.claims`.

A message's bytes and Message-ID never change once it is here; one live row stands for each campaign, step and founder.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from outreach.core.records import CampaignState, EnrollmentState, OutboxItem, OutboxState
from outreach.core.sequence import Progress
from outreach.errors import NotFound, SendRefused
from outreach.store import gate
from outreach.store.bulk import select_in
from outreach.store.consequences import confirm_sent, reopen_failed, stop_enrollments
from outreach.store.database import Database
from outreach.store.tables import (
    Attempt,
    CampaignRow,
    EnrollmentRow,
    FounderRow,
    LedgerRow,
    OutboxRow,
    table,
)

EXPIRES_AFTER = timedelta(hours=48)

_outbox, _campaigns, _founders = table(OutboxRow), table(CampaignRow), table(FounderRow)
_ledger, _attempts = table(LedgerRow), table(Attempt)
_enrollments = table(EnrollmentRow)

LIVE = sa.or_(_outbox.c.state != OutboxState.CANCELLED, _outbox.c.intent_at.is_not(None))
ORDER = (sa.case((_outbox.c.step > 1, 0), else_=1), _outbox.c.due_at, _outbox.c.id)


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message to queue, with everything that never changes afterwards."""

    campaign_id: int
    enrollment_id: int
    mailbox_id: int
    step: int
    founder_id: int
    company_id: int | None
    rcpt: str
    rcpt_key: str
    subject: str
    dedupe_key: str
    generation: int
    message_id: str
    mime: bytes
    sha256: str
    due_at: datetime
    expires_at: datetime
    state: OutboxState = OutboxState.QUEUED
    reason: str = ""
    variant: str = ""
    template: str = ""
    zone: str = ""


@dataclass(frozen=True, slots=True)
class Tries:
    """Whether a message may have left, and the tokens of the workers that took it in hand."""

    may_have_left: bool = False
    tokens: frozenset[str] = frozenset()


class Outbox:
    """Messages on their way."""

    def __init__(self, database: Database) -> None:
        self._db = database

    # --- into the outbox ------------------------------------------------------------------------------

    def enqueue(self, messages: Sequence[NewMessage], now: datetime) -> int:
        """Queue what has no live row yet (T1), whose founder still takes part, and whose mailbox still writes to them;
        return how many were new."""
        if not messages:
            return 0
        rows = [
            {name: getattr(message, name) for name in NewMessage.__dataclass_fields__}
            | {"rcpt_domain": message.rcpt_key.rpartition("@")[2], "queued_at": now, "updated_at": now}
            for message in messages
        ]
        with self._db.write() as connection:
            taken = _taken_keys(connection, {message.campaign_id for message in messages})
            asked = [row["enrollment_id"] for row in rows]
            part = {
                each["id"]: (each["founder_id"], each["mailbox_id"])
                for each in select_in(connection, _TAKE_PART, _enrollments.c.id, asked)
            }
            fresh = [
                row
                for row in rows
                if row["dedupe_key"] not in taken
                and part.get(row["enrollment_id"]) == (row["founder_id"], row["mailbox_id"])
            ]
            if fresh:
                connection.execute(sa.insert(_outbox), [complete(row) for row in fresh])
        return len(fresh)

    def bring_forward(self, ids: Sequence[int], now: datetime) -> None:
        """Let mails that were never tried go at once; what waits for a retry goes on waiting."""
        with self._db.write() as connection:
            connection.execute(
                sa.update(_outbox)
                .where(_outbox.c.id.in_(ids), _outbox.c.state == OutboxState.QUEUED, _outbox.c.attempt_count == 0)
                .values(due_at=sa.case((_outbox.c.due_at > now, now), else_=_outbox.c.due_at))
            )

    def generations(self, campaign_id: int) -> dict[str, int]:
        """dedupe key → how many of its rows were cancelled before they could leave."""
        query = (
            sa.select(_outbox.c.dedupe_key, sa.func.count())
            .where(_outbox.c.campaign_id == campaign_id, ~LIVE)
            .group_by(_outbox.c.dedupe_key)
        )
        with self._db.read() as connection:
            return dict(connection.execute(query).all())

    def histories(self, campaign_id: int, enrollments: Iterable[int] | None = None) -> dict[int, list[Progress]]:
        """enrollment → what became of its steps; of everybody in the campaign, or of these."""
        told = (_outbox.c.enrollment_id, _outbox.c.step, _outbox.c.state, _outbox.c.sent_at, _outbox.c.zone)
        query = sa.select(*told).where(_outbox.c.campaign_id == campaign_id, LIVE)
        found: dict[int, list[Progress]] = {}
        with self._db.read() as connection:
            if enrollments is None:
                rows: Iterable[sa.RowMapping] = connection.execute(query).mappings()
            else:
                rows = select_in(connection, query, _outbox.c.enrollment_id, enrollments)
            for row in rows:
                progress = Progress(row["step"], OutboxState(row["state"]), row["sent_at"], row["zone"])
                found.setdefault(row["enrollment_id"], []).append(progress)
        return found

    # --- the queue, seen from outside --------------------------------------------------------------------

    def items(
        self,
        *,
        states: Sequence[OutboxState] = (),
        campaign_id: int | None = None,
        mailbox_id: int | None = None,
        ids: Sequence[int] = (),
        limit: int | None = None,
    ) -> list[OutboxItem]:
        """Messages in the order they go out: follow-ups first, oldest due first."""
        query = select_items().order_by(*ORDER).limit(limit)
        if states:
            query = query.where(_outbox.c.state.in_(states))
        if campaign_id is not None:
            query = query.where(_outbox.c.campaign_id == campaign_id)
        if mailbox_id is not None:
            query = query.where(_outbox.c.mailbox_id == mailbox_id)
        if ids:
            query = query.where(_outbox.c.id.in_(ids))
        with self._db.read() as connection:
            return [read_item(row) for row in connection.execute(query).mappings()]

    def written_from(self, campaign_id: int) -> list[tuple[int, str, str, OutboxState, str]]:
        """Step, variant, template, state and founder of every mail of a campaign, without the mails themselves."""
        columns = (_outbox.c.step, _outbox.c.variant, _outbox.c.template, _outbox.c.state, _founders.c.full_name)
        query = sa.select(*columns).join(_founders, _founders.c.id == _outbox.c.founder_id).order_by(_outbox.c.id)
        with self._db.read() as connection:
            rows = connection.execute(query.where(_outbox.c.campaign_id == campaign_id)).all()
        return [(step, variant, template, OutboxState(state), name) for step, variant, template, state, name in rows]

    def get(self, item_id: int) -> OutboxItem:
        found = self.items(ids=[item_id])
        if not found:
            raise NotFound(f"there is no message {item_id} in the outbox.", hint="`outreach outbox` lists them")
        return found[0]

    def thread(self, enrollment_id: int) -> list[OutboxItem]:
        """What one founder was sent in one campaign, oldest first."""
        query = select_items().where(_outbox.c.enrollment_id == enrollment_id, LIVE).order_by(_outbox.c.step)
        with self._db.read() as connection:
            return [read_item(row) for row in connection.execute(query).mappings()]

    def sent_times(self, mailbox_id: int) -> list[datetime]:
        """When this mailbox reserved its sends, oldest first."""
        query = sa.select(_ledger.c.at).where(_ledger.c.mailbox_id == mailbox_id).order_by(_ledger.c.at)
        with self._db.read() as connection:
            return list(connection.scalars(query))

    def first_steps(self, since: datetime) -> dict[int, int]:
        """company → how many first mails may have left for it since then."""
        query = (
            sa.select(_outbox.c.company_id, sa.func.count())
            .where(_outbox.c.step == 1, _outbox.c.intent_at > since, _outbox.c.company_id.is_not(None))
            .group_by(_outbox.c.company_id)
        )
        with self._db.read() as connection:
            return dict(connection.execute(query).all())

    def tries(self, message_ids: Iterable[str]) -> dict[str, Tries]:
        """Message-ID → what this store knows of its being sent, for those that are here."""
        asked = sa.select(_outbox.c.message_id, _outbox.c.id, _outbox.c.intent_at, _outbox.c.token)
        with self._db.read() as connection:
            here = {row["id"]: row for row in select_in(connection, asked, _outbox.c.message_id, set(message_ids))}
            tokens: dict[int, set[str]] = {id_: {row["token"]} - {None} for id_, row in here.items()}
            for tried in select_in(connection, sa.select(_attempts), _attempts.c.outbox_id, here):
                tokens[tried["outbox_id"]].add(tried["token"])
        return {
            row["message_id"]: Tries(row["intent_at"] is not None, frozenset(tokens[id_])) for id_, row in here.items()
        }

    def still_queued(self, ids: Iterable[int]) -> set[int]:
        """Those that wait in a campaign that may go on."""
        over = sa.select(_campaigns.c.id).where(_campaigns.c.state == CampaignState.STOPPED)
        query = sa.select(_outbox.c.id).where(_outbox.c.state == OutboxState.QUEUED, _outbox.c.campaign_id.not_in(over))
        with self._db.read() as connection:
            return {row["id"] for row in select_in(connection, query, _outbox.c.id, ids)}

    def senders(self) -> set[str]:
        """The machines that have ever had a message in hand, by their names."""
        with self._db.read() as connection:
            owners = connection.scalars(sa.select(_outbox.c.owner).where(_outbox.c.owner != "").distinct())
            return {owner.partition("|")[0] for owner in owners}

    def attempts(self, item_id: int) -> list[Mapping[str, Any]]:
        """What was tried, oldest first."""
        query = sa.select(_attempts).where(_attempts.c.outbox_id == item_id).order_by(_attempts.c.id)
        with self._db.read() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    # --- by hand ---------------------------------------------------------------------------------------------

    def resolve(self, item_id: int, state: OutboxState, reason: str, now: datetime) -> OutboxItem:
        """T15, T16: a person decides what a doubtful message is: sent, queued again (the same bytes), or given up. Who
        is given up gets no further step."""
        item = self.get(item_id)
        values: dict[str, Any] = {}
        with self._db.write() as connection:
            if state is OutboxState.SENT:
                values = {"sent_at": sa.func.coalesce(_outbox.c.sent_at, _outbox.c.intent_at)}
            elif state is OutboxState.QUEUED:
                _check_wanted(connection, item)
                values = _afresh(now)
            else:
                at = _enrollments.c.id == item.enrollment_id
                stop_enrollments(connection, at, reason="abandoned", cancel="abandoned", now=now)
            _move(connection, item, (OutboxState.UNKNOWN,), {**values, "state": state, "reason": reason}, now)
        return self.get(item_id)

    def confirm(self, item_id: int, evidence: str, now: datetime) -> None:
        """T14: a doubtful message did leave."""
        with self._db.write() as connection:
            confirm_sent(connection, item_id, evidence, now)

    def retry(self, item_id: int, reason: str, now: datetime) -> OutboxItem:
        """T20, T21: a failed or held message goes back to the queue once its cause is mended, its sequence with it."""
        item = self.get(item_id)
        with self._db.write() as connection:
            reopen_failed(connection, item.enrollment_id, now)
            _check_wanted(connection, item)
            values = {**_afresh(now), "state": OutboxState.QUEUED, "reason": reason}
            _move(connection, item, (OutboxState.FAILED, OutboxState.HELD), values, now)
        return self.get(item_id)


# --- by hand: the statements --------------------------------------------------------------------------


def _afresh(now: datetime) -> dict[str, Any]:
    return {"due_at": now, "expires_at": now + EXPIRES_AFTER, "attempt_count": 0, "first_attempt_at": None}


def _check_wanted(connection: sa.Connection, item: OutboxItem) -> None:
    """Raise SendRefused where nothing may be sent to this founder any more, whatever the message is."""
    if connection.scalar(sa.select(gate.is_suppressed(gate.keys_of(connection, item.id)))):
        raise SendRefused(f"{item.rcpt} must not be written to.", hint="`outreach suppress list` shows why")
    if connection.scalar(sa.select(_campaigns.c.state).where(_campaigns.c.id == item.campaign_id)) == "stopped":
        raise SendRefused(
            f"campaign {item.campaign} was stopped for good.", hint="outreach campaign new … starts another"
        )
    ended = sa.select(_enrollments.c.reason).where(
        _enrollments.c.id == item.enrollment_id, _enrollments.c.state == EnrollmentState.STOPPED
    )
    reason = connection.scalar(ended)
    if reason is not None:
        raise SendRefused(
            f"{item.founder} is not written to any more: {reason}.", hint=f"outreach campaign show {item.campaign}"
        )


def _move(
    connection: sa.Connection,
    item: OutboxItem,
    allowed: tuple[OutboxState, ...],
    values: Mapping[str, Any],
    now: datetime,
) -> None:
    moved = connection.execute(
        sa.update(_outbox)
        .where(_outbox.c.id == item.id, _outbox.c.state.in_(allowed))
        .values(**{**values, "updated_at": now})
    )
    if moved.rowcount != 1:
        wanted = " or ".join(allowed)
        raise SendRefused(f"message {item.id} is {item.state}, not {wanted}.", hint=f"outreach outbox show {item.id}")


# --- statements shared with `store.claims` ------------------------------------------------------------


_TAKE_PART = sa.select(_enrollments.c.id, _enrollments.c.founder_id, _enrollments.c.mailbox_id).where(
    _enrollments.c.state == EnrollmentState.ACTIVE
)
"""A plan may be minutes old when a person confirms it: they may have answered, or become another record, meanwhile."""


def _taken_keys(connection: sa.Connection, campaigns: Iterable[int]) -> set[str]:
    query = sa.select(_outbox.c.dedupe_key).where(LIVE, _outbox.c.campaign_id.in_(campaigns))
    return set(connection.scalars(query))


def complete(row: Mapping[str, Any]) -> dict[str, Any]:
    """SQLModel's defaults are not the table's, so a Core insert names them."""
    return {
        "wire_message_id": "",
        "attempt_count": 0,
        "owner": "",
        "code": 0,
        "enhanced_code": "",
        "reply": "",
        "provider_id": "",
        **row,
    }


def select_items() -> sa.Select[Any]:
    return (
        sa.select(_outbox, _campaigns.c.name.label("campaign"), _founders.c.full_name.label("founder"))
        .join(_campaigns, _campaigns.c.id == _outbox.c.campaign_id)
        .join(_founders, _founders.c.id == _outbox.c.founder_id)
    )


def read_item(row: sa.RowMapping) -> OutboxItem:
    plain = {name: row[name] for name in OutboxItem.__dataclass_fields__ if name in row}
    return OutboxItem(**{**plain, "state": OutboxState(row["state"]), "attempts": row["attempt_count"]})
