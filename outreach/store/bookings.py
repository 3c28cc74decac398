"""What a mailbox has behind it and what rests: the facts from which pacing decides.

The ledger holds a row for each mail that may have left. What the owner sends by hand counts against the provider's
ceiling too, and is only ever seen in the Sent folder.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from outreach.core.clock import Reading, jump
from outreach.core.normalize import address_key
from outreach.core.pacing import CANARY, DAY, Booked, Limits
from outreach.core.records import OutboxState
from outreach.core.suppression import ERASED_START
from outreach.store import tables as t
from outreach.store.database import Database
from outreach.store.dialect import on_server


class Bookings:
    """Reservations, mails by hand, and what rests."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def booked(self, mailbox_id: int, limits: Limits, campaigns: Iterable[int], now: datetime) -> Booked:
        """Everything that the next slots of a mailbox depend on, in a few queries."""
        wanted = set(campaigns)
        waits = limits.fresh_inbox is not None and not limits.first_steps_pass
        with self._db.read() as connection:
            return Booked(
                sent=_times(connection, t.send_ledger, mailbox_id, since=now - DAY),
                free_at=_free_at(connection, mailbox_id),
                by_hand=_times(connection, t.hand_sent, mailbox_id, since=now - DAY),
                domains=_free_domains(connection, mailbox_id, limits.domain_gap, now),
                firsts={campaign: [at for at, _ in _firsts(connection, campaign)] for campaign in wanted},
                unread={campaign: _unread(connection, campaign) - {mailbox_id} for campaign in wanted if waits},
            )

    def sent_by_day(self, mailbox_id: int) -> dict[date, int]:
        """Day (UTC) → how many mails this mailbox reserved."""
        with self._db.read() as connection:
            at = sa.func.timezone("UTC", t.send_ledger.c.at) if on_server(connection) else t.send_ledger.c.at
            day = sa.func.date(at, type_=sa.String)
            query = sa.select(day, sa.func.count()).where(t.send_ledger.c.mailbox_id == mailbox_id).group_by(day)
            return {date.fromisoformat(str(found)): number for found, number in connection.execute(query)}

    def campaigns_sent(self, mailbox_id: int) -> int:
        """How many campaigns this mailbox has sent for."""
        sent = sa.exists().where(
            t.outbox.c.campaign_id == t.campaigns.c.id,
            t.outbox.c.intent_at.is_not(None),
            t.outbox.c.mailbox_id == mailbox_id,
        )
        query = sa.select(sa.func.count()).select_from(t.campaigns).where(sent)
        with self._db.read() as connection:
            return connection.scalar(query) or 0

    def resting_domains(self, mailbox_id: int, now: datetime) -> list[tuple[str, datetime, str]]:
        """Domains that get nothing for now: which, until when, and why."""
        query = sa.select(t.domain_pauses.c.domain, t.domain_pauses.c.until, t.domain_pauses.c.reason).where(
            t.domain_pauses.c.mailbox_id == mailbox_id, t.domain_pauses.c.until > now
        )
        with self._db.read() as connection:
            return [
                (row.domain, row.until, row.reason)
                for row in connection.execute(query.order_by(t.domain_pauses.c.domain))
            ]

    def mind_clock(self, mailbox_id: int, reading: Reading) -> timedelta:
        """By how much the wall clock was set since this mailbox sent last. What was written down by the old time moves
        along, so that the caps hold in true hours; what was planned for a time now far ahead is planned afresh."""
        with self._db.read() as connection:
            if not jump(_last_reading(connection, mailbox_id), reading):
                return timedelta(0)
        with self._db.write() as connection:
            by = jump(_last_reading(connection, mailbox_id), reading)  # another process may have been here meanwhile
            rows = connection.execute(
                sa.select(t.send_ledger.c.id, t.send_ledger.c.at).where(t.send_ledger.c.mailbox_id == mailbox_id)
            )
            newest = [row for row in rows.all() if row.at > reading.wall - by - 2 * DAY]
            if newest:
                connection.execute(_MOVE, [{"entry": row.id, "moved": row.at + by} for row in newest])
            values = {**clock_values(reading), "next_send_at": _free_at(connection, mailbox_id) + by}
            connection.execute(sa.update(t.mailboxes).where(t.mailboxes.c.id == mailbox_id).values(**values))
            connection.execute(
                sa.update(t.outbox)
                .where(
                    t.outbox.c.mailbox_id == mailbox_id,
                    t.outbox.c.state == OutboxState.QUEUED,
                    t.outbox.c.intent_at.is_(None),
                    t.outbox.c.attempt_count == 0,
                    t.outbox.c.due_at > reading.wall + DAY,
                )
                .values(state=OutboxState.CANCELLED, reason="expired", updated_at=reading.wall)
            )
        return by


def note_by_hand(connection: sa.Connection, mailbox_id: int, at: datetime, recipients: Iterable[str]) -> None:
    """The owner wrote to these addresses by hand, as the Sent folder shows; noted once, however often it is read. Of
    whom was erased only the keyed hash is told."""
    told = [each if each.startswith(ERASED_START) else address_key(each) for each in recipients]
    keys = {key for key in told if key}
    known = sa.select(t.hand_sent.c.address_key).where(t.hand_sent.c.mailbox_id == mailbox_id, t.hand_sent.c.at == at)
    fresh = keys - set(connection.scalars(known))
    if fresh:
        rows = [{"mailbox_id": mailbox_id, "at": at, "address_key": key} for key in sorted(fresh)]
        connection.execute(sa.insert(t.hand_sent), rows)


def clock_values(reading: Reading) -> dict[str, Any]:
    return {"clock_boot": reading.boot, "clock_steady": reading.steady, "clock_wall": reading.wall}


# --- queries ----------------------------------------------------------------------------------------------------

_MOVE = (
    sa.update(t.send_ledger)
    .where(t.send_ledger.c.id == sa.bindparam("entry"))
    .values(at=sa.bindparam("moved", type_=t.send_ledger.c.at.type))
)


def _free_at(connection: sa.Connection, mailbox_id: int) -> datetime:
    row = connection.execute(sa.select(t.mailboxes.c.next_send_at).where(t.mailboxes.c.id == mailbox_id)).one()
    free_at: datetime = row.next_send_at
    return free_at


def _last_reading(connection: sa.Connection, mailbox_id: int) -> Reading | None:
    columns = (t.mailboxes.c.clock_wall, t.mailboxes.c.clock_boot, t.mailboxes.c.clock_steady)
    row = connection.execute(sa.select(*columns).where(t.mailboxes.c.id == mailbox_id)).one()
    return Reading(*row) if row.clock_wall else None


def _times(connection: sa.Connection, entries: sa.Table, mailbox_id: int, since: datetime) -> Sequence[datetime]:
    query = sa.select(entries.c.at).where(entries.c.mailbox_id == mailbox_id, entries.c.at > since)
    return connection.scalars(query.order_by(entries.c.at)).all()


def _free_domains(
    connection: sa.Connection, mailbox_id: int, domain_gap: timedelta, now: datetime
) -> dict[str, datetime]:
    """domain → when it may get the next mail, for those that may not now."""
    newest = sa.func.max(t.send_ledger.c.at, type_=t.send_ledger.c.at.type)
    recent = (
        sa.select(t.outbox.c.rcpt_domain, newest)
        .join(t.send_ledger, t.send_ledger.c.outbox_id == t.outbox.c.id)
        .where(t.send_ledger.c.mailbox_id == mailbox_id, t.send_ledger.c.at > now - domain_gap)
        .group_by(t.outbox.c.rcpt_domain)
    )
    free = {domain: at + domain_gap for domain, at in connection.execute(recent)}
    resting = sa.select(t.domain_pauses.c.domain, t.domain_pauses.c.until).where(
        t.domain_pauses.c.mailbox_id == mailbox_id, t.domain_pauses.c.until > now
    )
    for domain, until in connection.execute(resting):
        free[domain] = max(until, free.get(domain, until))
    return free


def _firsts(connection: sa.Connection, campaign_id: int) -> Sequence[tuple[datetime, int]]:
    """When the first mails of a campaign went, and from which mailbox."""
    query = (
        sa.select(t.outbox.c.intent_at, t.outbox.c.mailbox_id)
        .where(t.outbox.c.campaign_id == campaign_id, t.outbox.c.intent_at.is_not(None))
        .order_by(t.outbox.c.intent_at)
        .limit(CANARY)
    )
    return [(at, mailbox_id) for at, mailbox_id in connection.execute(query)]


def _unread(connection: sa.Connection, campaign_id: int) -> set[int]:
    """Mailboxes that sent a campaign's first mails and whose inboxes were not read after the last of them."""
    firsts = _firsts(connection, campaign_id)
    if len(firsts) < CANARY:
        return set()
    senders = {mailbox_id for _, mailbox_id in firsts}
    query = sa.select(t.mailboxes.c.id).where(t.mailboxes.c.id.in_(senders), t.mailboxes.c.synced_at <= firsts[-1][0])
    return set(connection.scalars(query))
