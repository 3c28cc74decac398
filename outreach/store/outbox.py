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
from outreach.store import tables as t
from outreach.store.bulk import chunks, select_in
from outreach.store.consequences import confirm_sent, reopen_failed, stop_enrollments
from outreach.store.database import Database

EXPIRES_AFTER = timedelta(hours=48)
FILED_WITHIN = timedelta(days=7)
"""A copy of what left longer ago is not put into the Sent folder any more."""


LIVE = sa.or_(t.outbox.c.state != OutboxState.CANCELLED, t.outbox.c.intent_at.is_not(None))
ORDER = (sa.case((t.outbox.c.step > 1, 0), else_=1), t.outbox.c.due_at, t.outbox.c.id)


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
                for each in select_in(connection, _TAKE_PART, t.enrollments.c.id, asked)
            }
            fresh = [
                row
                for row in rows
                if row["dedupe_key"] not in taken
                and part.get(row["enrollment_id"]) == (row["founder_id"], row["mailbox_id"])
            ]
            if fresh:
                connection.execute(sa.insert(t.outbox), fresh)
        return len(fresh)

    def bring_forward(self, ids: Sequence[int], now: datetime) -> None:
        """Let mails that were never tried go at once; what waits for a retry goes on waiting."""
        fresh = sa.update(t.outbox).where(
            t.outbox.c.state == OutboxState.QUEUED, t.outbox.c.attempt_count == 0, t.outbox.c.due_at > now
        )
        with self._db.write() as connection:
            for chunk in chunks(ids):
                connection.execute(fresh.where(t.outbox.c.id.in_(chunk)).values(due_at=now))

    def generations(self, campaign_id: int) -> dict[str, int]:
        """dedupe key → how many of its rows were cancelled before they could leave."""
        query = (
            sa.select(t.outbox.c.dedupe_key, sa.func.count())
            .where(t.outbox.c.campaign_id == campaign_id, ~LIVE)
            .group_by(t.outbox.c.dedupe_key)
        )
        with self._db.read() as connection:
            return dict(connection.execute(query).all())

    def histories(self, campaign_id: int, enrollments: Iterable[int] | None = None) -> dict[int, list[Progress]]:
        """enrollment → what became of its steps; of everybody in the campaign, or of these."""
        told = (t.outbox.c.enrollment_id, t.outbox.c.step, t.outbox.c.state, t.outbox.c.sent_at, t.outbox.c.zone)
        query = sa.select(*told).where(t.outbox.c.campaign_id == campaign_id, LIVE)
        found: dict[int, list[Progress]] = {}
        with self._db.read() as connection:
            if enrollments is None:
                rows: Iterable[sa.RowMapping] = connection.execute(query).mappings()
            else:
                rows = select_in(connection, query, t.outbox.c.enrollment_id, enrollments)
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
        query = _narrowed(select_items().order_by(*ORDER).limit(limit), states, campaign_id)
        if mailbox_id is not None:
            query = query.where(t.outbox.c.mailbox_id == mailbox_id)
        with self._db.read() as connection:
            if not ids:
                return [read_item(row) for row in connection.execute(query).mappings()]
            named = [read_item(row) for row in select_in(connection, query, t.outbox.c.id, ids)]
        return sorted(named, key=lambda item: (item.step == 1, item.due_at, item.id))[:limit]

    def newest(
        self, *, states: Sequence[OutboxState] = (), campaign_id: int | None = None, limit: int | None = None
    ) -> list[OutboxItem]:
        """Messages by when anything last happened to them, the latest first."""
        order = (t.outbox.c.updated_at.desc(), t.outbox.c.id.desc())
        query = _narrowed(select_items().order_by(*order).limit(limit), states, campaign_id)
        with self._db.read() as connection:
            return [read_item(row) for row in connection.execute(query).mappings()]

    def count(self, *, states: Sequence[OutboxState] = (), campaign_id: int | None = None) -> int:
        query = _narrowed(sa.select(sa.func.count()).select_from(t.outbox), states, campaign_id)
        with self._db.read() as connection:
            return connection.scalar(query) or 0

    def written_from(self, campaign_id: int) -> list[tuple[int, str, str, OutboxState, str]]:
        """Step, variant, template, state and founder of every mail of a campaign, without the mails themselves."""
        columns = (t.outbox.c.step, t.outbox.c.variant, t.outbox.c.template, t.outbox.c.state, t.founders.c.full_name)
        query = sa.select(*columns).join(t.founders, t.founders.c.id == t.outbox.c.founder_id).order_by(t.outbox.c.id)
        with self._db.read() as connection:
            rows = connection.execute(query.where(t.outbox.c.campaign_id == campaign_id)).all()
        return [(step, variant, template, OutboxState(state), name) for step, variant, template, state, name in rows]

    def get(self, item_id: int) -> OutboxItem:
        found = self.items(ids=[item_id])
        if not found:
            raise NotFound(f"there is no message {item_id} in the outbox.", hint="`outreach outbox` lists them")
        return found[0]

    def thread(self, enrollment_id: int) -> list[OutboxItem]:
        """What one founder was sent in one campaign, oldest first."""
        query = select_items().where(t.outbox.c.enrollment_id == enrollment_id, LIVE).order_by(t.outbox.c.step)
        with self._db.read() as connection:
            return [read_item(row) for row in connection.execute(query).mappings()]

    def sent_times(self, mailbox_id: int) -> list[datetime]:
        """When this mailbox reserved its sends, oldest first."""
        query = (
            sa.select(t.send_ledger.c.at).where(t.send_ledger.c.mailbox_id == mailbox_id).order_by(t.send_ledger.c.at)
        )
        with self._db.read() as connection:
            return list(connection.scalars(query))

    def unfiled(self, mailbox_id: int, before: datetime) -> list[OutboxItem]:
        """What left before then, of which no copy is known to lie in the Sent folder; oldest first."""
        query = select_items().where(
            t.outbox.c.mailbox_id == mailbox_id,
            t.outbox.c.state == OutboxState.SENT,
            t.outbox.c.filed_at.is_(None),
            t.outbox.c.sent_at.between(before - FILED_WITHIN, before),
        )
        with self._db.read() as connection:
            return [read_item(row) for row in connection.execute(query.order_by(t.outbox.c.sent_at)).mappings()]

    def first_steps(self, since: datetime) -> dict[int, int]:
        """company → how many first mails may have left for it since then."""
        query = (
            sa.select(t.outbox.c.company_id, sa.func.count())
            .where(t.outbox.c.step == 1, t.outbox.c.intent_at > since, t.outbox.c.company_id.is_not(None))
            .group_by(t.outbox.c.company_id)
        )
        with self._db.read() as connection:
            return dict(connection.execute(query).all())

    def tries(self, message_ids: Iterable[str]) -> dict[str, Tries]:
        """Message-ID → what this store knows of its being sent, for those that are here."""
        asked = sa.select(t.outbox.c.message_id, t.outbox.c.id, t.outbox.c.intent_at, t.outbox.c.token)
        with self._db.read() as connection:
            here = {row["id"]: row for row in select_in(connection, asked, t.outbox.c.message_id, set(message_ids))}
            tokens: dict[int, set[str]] = {id_: {row["token"]} - {None} for id_, row in here.items()}
            for tried in select_in(connection, sa.select(t.attempts), t.attempts.c.outbox_id, here):
                tokens[tried["outbox_id"]].add(tried["token"])
        return {
            row["message_id"]: Tries(row["intent_at"] is not None, frozenset(tokens[id_])) for id_, row in here.items()
        }

    def still_queued(self, ids: Iterable[int]) -> set[int]:
        """Those that wait in a campaign that may go on."""
        over = sa.select(t.campaigns.c.id).where(t.campaigns.c.state == CampaignState.STOPPED)
        query = sa.select(t.outbox.c.id).where(
            t.outbox.c.state == OutboxState.QUEUED, t.outbox.c.campaign_id.not_in(over)
        )
        with self._db.read() as connection:
            return {row["id"] for row in select_in(connection, query, t.outbox.c.id, ids)}

    def senders(self) -> set[str]:
        """The machines that have ever had a message in hand, by their names."""
        with self._db.read() as connection:
            owners = connection.scalars(sa.select(t.outbox.c.owner).where(t.outbox.c.owner != "").distinct())
            return {owner.partition("|")[0] for owner in owners}

    def attempts(self, item_id: int) -> list[Mapping[str, Any]]:
        """What was tried, oldest first."""
        query = sa.select(t.attempts).where(t.attempts.c.outbox_id == item_id).order_by(t.attempts.c.id)
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
                values = {"sent_at": sa.func.coalesce(t.outbox.c.sent_at, t.outbox.c.intent_at)}
            elif state is OutboxState.QUEUED:
                _check_wanted(connection, item)
                values = _afresh(now)
            else:
                at = t.enrollments.c.id == item.enrollment_id
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
    if connection.scalar(sa.select(t.campaigns.c.state).where(t.campaigns.c.id == item.campaign_id)) == "stopped":
        raise SendRefused(
            f"campaign {item.campaign} was stopped for good.", hint="outreach campaign new … starts another"
        )
    ended = sa.select(t.enrollments.c.reason).where(
        t.enrollments.c.id == item.enrollment_id, t.enrollments.c.state == EnrollmentState.STOPPED
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
        sa.update(t.outbox)
        .where(t.outbox.c.id == item.id, t.outbox.c.state.in_(allowed))
        .values(**{**values, "updated_at": now})
    )
    if moved.rowcount != 1:
        wanted = " or ".join(allowed)
        raise SendRefused(f"message {item.id} is {item.state}, not {wanted}.", hint=f"outreach outbox show {item.id}")


# --- statements shared with `store.claims` ------------------------------------------------------------


_TAKE_PART = sa.select(t.enrollments.c.id, t.enrollments.c.founder_id, t.enrollments.c.mailbox_id).where(
    t.enrollments.c.state == EnrollmentState.ACTIVE
)
"""A plan may be minutes old when a person confirms it: they may have answered, or become another record, meanwhile."""


def _taken_keys(connection: sa.Connection, campaigns: Iterable[int]) -> set[str]:
    query = sa.select(t.outbox.c.dedupe_key).where(LIVE, t.outbox.c.campaign_id.in_(campaigns))
    return set(connection.scalars(query))


def _narrowed(query: sa.Select[Any], states: Sequence[OutboxState], campaign_id: int | None) -> sa.Select[Any]:
    if states:
        query = query.where(t.outbox.c.state.in_(states))
    return query if campaign_id is None else query.where(t.outbox.c.campaign_id == campaign_id)


def select_items() -> sa.Select[Any]:
    return (
        sa.select(t.outbox, t.campaigns.c.name.label("campaign"), t.founders.c.full_name.label("founder"))
        .join(t.campaigns, t.campaigns.c.id == t.outbox.c.campaign_id)
        .join(t.founders, t.founders.c.id == t.outbox.c.founder_id)
    )


def read_item(row: sa.RowMapping) -> OutboxItem:
    plain = {name: row[name] for name in OutboxItem.__dataclass_fields__ if name in row}
    return OutboxItem(**{**plain, "state": OutboxState(row["state"]), "attempts": row["attempt_count"]})
