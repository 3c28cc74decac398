"""What a mailbox has behind it and what rests: the facts from which pacing decides, and what teaches it more.

The ledger holds a row for each mail that may have left. What the owner sends by hand counts against the provider's
ceiling too, and is only ever seen in the Sent folder.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from outreach.core.clock import Reading, jump
from outreach.core.delivery import UNTIL_FIXED, Decision, domain_paused_until
from outreach.core.normalize import address_key
from outreach.core.pacing import CANARY, DAY, Booked, Limits
from outreach.core.records import CampaignState, OutboxState
from outreach.store.consequences import pause_mailbox
from outreach.store.database import Database
from outreach.store.dialect import on_server
from outreach.store.tables import CampaignRow, DomainPause, HandSent, LedgerRow, MailboxRow, OutboxRow, table

_SAME_TROUBLE = timedelta(hours=24)

_outbox, _ledger, _by_hand = table(OutboxRow), table(LedgerRow), table(HandSent)
_mailboxes, _rests, _campaigns = table(MailboxRow), table(DomainPause), table(CampaignRow)


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
                sent=_times(connection, _ledger, mailbox_id, since=now - DAY),
                free_at=_free_at(connection, mailbox_id),
                by_hand=_times(connection, _by_hand, mailbox_id, since=now - DAY),
                domains=_free_domains(connection, mailbox_id, limits.domain_gap, now),
                firsts={campaign: [at for at, _ in _firsts(connection, campaign)] for campaign in wanted},
                unread={campaign: _unread(connection, campaign) - {mailbox_id} for campaign in wanted if waits},
            )

    def sent_by_day(self, mailbox_id: int) -> dict[date, int]:
        """Day (UTC) → how many mails this mailbox reserved."""
        with self._db.read() as connection:
            at = sa.func.timezone("UTC", _ledger.c.at) if on_server(connection) else _ledger.c.at
            day = sa.func.date(at, type_=sa.String)
            query = sa.select(day, sa.func.count()).where(_ledger.c.mailbox_id == mailbox_id).group_by(day)
            return {date.fromisoformat(str(found)): number for found, number in connection.execute(query)}

    def campaigns_sent(self, mailbox_id: int) -> int:
        """How many campaigns this mailbox has sent for."""
        sent = sa.exists().where(
            _outbox.c.campaign_id == _campaigns.c.id,
            _outbox.c.intent_at.is_not(None),
            _outbox.c.mailbox_id == mailbox_id,
        )
        query = sa.select(sa.func.count()).select_from(_campaigns).where(sent)
        with self._db.read() as connection:
            return connection.scalar(query) or 0

    def resting_domains(self, mailbox_id: int, now: datetime) -> list[tuple[str, datetime, str]]:
        """Domains that get nothing for now: which, until when, and why."""
        query = sa.select(_rests.c.domain, _rests.c.until, _rests.c.reason).where(
            _rests.c.mailbox_id == mailbox_id, _rests.c.until > now
        )
        with self._db.read() as connection:
            return [(row.domain, row.until, row.reason) for row in connection.execute(query.order_by(_rests.c.domain))]

    def mind_clock(self, mailbox_id: int, reading: Reading) -> timedelta:
        """By how much the wall clock was set since this mailbox sent last. What was written down by the old time moves
        along, so that the caps hold in true hours; what was planned for a time now far ahead is planned afresh."""
        with self._db.read() as connection:
            if not jump(_last_reading(connection, mailbox_id), reading):
                return timedelta(0)
        with self._db.write() as connection:
            by = jump(_last_reading(connection, mailbox_id), reading)  # another process may have been here meanwhile
            rows = connection.execute(sa.select(_ledger.c.id, _ledger.c.at).where(_ledger.c.mailbox_id == mailbox_id))
            newest = [row for row in rows.all() if row.at > reading.wall - by - 2 * DAY]
            if newest:
                connection.execute(_MOVE, [{"entry": row.id, "moved": row.at + by} for row in newest])
            values = {**clock_values(reading), "next_send_at": _free_at(connection, mailbox_id) + by}
            connection.execute(sa.update(_mailboxes).where(_mailboxes.c.id == mailbox_id).values(**values))
            connection.execute(
                sa.update(_outbox)
                .where(
                    _outbox.c.mailbox_id == mailbox_id,
                    _outbox.c.state == OutboxState.QUEUED,
                    _outbox.c.intent_at.is_(None),
                    _outbox.c.attempt_count == 0,
                    _outbox.c.due_at > reading.wall + DAY,
                )
                .values(state=OutboxState.CANCELLED, reason="expired", updated_at=reading.wall)
            )
        return by


def note_by_hand(connection: sa.Connection, mailbox_id: int, at: datetime, recipients: Iterable[str]) -> None:
    """The owner wrote to these addresses by hand, as the Sent folder shows; noted once, however often it is read."""
    keys = {key for key in map(address_key, recipients) if key}
    known = sa.select(_by_hand.c.address_key).where(_by_hand.c.mailbox_id == mailbox_id, _by_hand.c.at == at)
    fresh = keys - set(connection.scalars(known))
    if fresh:
        rows = [{"mailbox_id": mailbox_id, "at": at, "address_key": key} for key in sorted(fresh)]
        connection.execute(sa.insert(_by_hand), rows)


def clock_values(reading: Reading) -> dict[str, Any]:
    return {"clock_boot": reading.boot, "clock_steady": reading.steady, "clock_wall": reading.wall}


# --- what an answer teaches, in the transaction that settles it -----------------------------------------------


def rest_for_quota(connection: sa.Connection, mailbox_id: int, decision: Decision, reason: str, now: datetime) -> None:
    """The provider's own limit is reached: rest until the oldest mail of the last day no longer counts, and send less
    for some weeks."""
    oldest = connection.scalar(
        sa.select(sa.func.min(_ledger.c.at, type_=_ledger.c.at.type)).where(
            _ledger.c.mailbox_id == mailbox_id, _ledger.c.at > now - DAY
        )
    )
    pause_mailbox(connection, mailbox_id, (oldest or now) + DAY, reason)
    connection.execute(
        sa.update(_mailboxes)
        .where(_mailboxes.c.id == mailbox_id)
        .values(learned_cap=decision.lower_cap, learned_at=now)
    )


def rest_domain(
    connection: sa.Connection, mailbox_id: int, domain: str, pause: timedelta, reason: str, now: datetime
) -> None:
    """Nothing goes to this domain for a while; a person must act once that has gone on for two days."""
    where = (_rests.c.mailbox_id == mailbox_id, _rests.c.domain == domain)
    known = connection.execute(sa.select(_rests.c.since, _rests.c.until).where(*where)).first()
    since = known.since if known and now - known.until < _SAME_TROUBLE else now
    values = {"since": since, "until": domain_paused_until(since, pause, now) or UNTIL_FIXED, "reason": reason}
    if known:
        connection.execute(sa.update(_rests).where(*where).values(**values))
    else:
        connection.execute(sa.insert(_rests).values(mailbox_id=mailbox_id, domain=domain, **values))


def pause_campaign(
    connection: sa.Connection, campaign_id: int, reason: str, *, rests: timedelta | None, now: datetime
) -> None:
    """Nothing of it goes until a person lets it go on; and if `rests`, not before that has passed."""
    connection.execute(
        sa.update(_campaigns)
        .where(_campaigns.c.id == campaign_id, _campaigns.c.state == CampaignState.ACTIVE)
        .values(state=CampaignState.PAUSED, reason=reason)
    )
    if rests:
        connection.execute(sa.update(_campaigns).where(_campaigns.c.id == campaign_id).values(rests_until=now + rests))


# --- queries ----------------------------------------------------------------------------------------------------

_MOVE = (
    sa.update(_ledger)
    .where(_ledger.c.id == sa.bindparam("entry"))
    .values(at=sa.bindparam("moved", type_=_ledger.c.at.type))
)


def _free_at(connection: sa.Connection, mailbox_id: int) -> datetime:
    row = connection.execute(sa.select(_mailboxes.c.next_send_at).where(_mailboxes.c.id == mailbox_id)).one()
    free_at: datetime = row.next_send_at
    return free_at


def _last_reading(connection: sa.Connection, mailbox_id: int) -> Reading | None:
    columns = (_mailboxes.c.clock_wall, _mailboxes.c.clock_boot, _mailboxes.c.clock_steady)
    row = connection.execute(sa.select(*columns).where(_mailboxes.c.id == mailbox_id)).one()
    return Reading(*row) if row.clock_wall else None


def _times(connection: sa.Connection, entries: sa.Table, mailbox_id: int, since: datetime) -> Sequence[datetime]:
    query = sa.select(entries.c.at).where(entries.c.mailbox_id == mailbox_id, entries.c.at > since)
    return connection.scalars(query.order_by(entries.c.at)).all()


def _free_domains(
    connection: sa.Connection, mailbox_id: int, domain_gap: timedelta, now: datetime
) -> dict[str, datetime]:
    """domain → when it may get the next mail, for those that may not now."""
    newest = sa.func.max(_ledger.c.at, type_=_ledger.c.at.type)
    recent = (
        sa.select(_outbox.c.rcpt_domain, newest)
        .join(_ledger, _ledger.c.outbox_id == _outbox.c.id)
        .where(_ledger.c.mailbox_id == mailbox_id, _ledger.c.at > now - domain_gap)
        .group_by(_outbox.c.rcpt_domain)
    )
    free = {domain: at + domain_gap for domain, at in connection.execute(recent)}
    resting = sa.select(_rests.c.domain, _rests.c.until).where(_rests.c.mailbox_id == mailbox_id, _rests.c.until > now)
    for domain, until in connection.execute(resting):
        free[domain] = max(until, free.get(domain, until))
    return free


def _firsts(connection: sa.Connection, campaign_id: int) -> Sequence[tuple[datetime, int]]:
    """When the first mails of a campaign went, and from which mailbox."""
    query = (
        sa.select(_outbox.c.intent_at, _outbox.c.mailbox_id)
        .where(_outbox.c.campaign_id == campaign_id, _outbox.c.intent_at.is_not(None))
        .order_by(_outbox.c.intent_at)
        .limit(CANARY)
    )
    return [(at, mailbox_id) for at, mailbox_id in connection.execute(query)]


def _unread(connection: sa.Connection, campaign_id: int) -> set[int]:
    """Mailboxes that sent a campaign's first mails and whose inboxes were not read after the last of them."""
    firsts = _firsts(connection, campaign_id)
    if len(firsts) < CANARY:
        return set()
    senders = {mailbox_id for _, mailbox_id in firsts}
    query = sa.select(_mailboxes.c.id).where(_mailboxes.c.id.in_(senders), _mailboxes.c.synced_at <= firsts[-1][0])
    return set(connection.scalars(query))
