"""Counts what came of a campaign and lets its breakers act, in the transaction that records a bounce or a refusal."""

from datetime import datetime

import sqlalchemy as sa

from outreach.core.breakers import SPAN, Tally, tripped
from outreach.core.delivery import NO_RESUME, bounce_rules
from outreach.core.records import OutboxState
from outreach.store import tables as t
from outreach.store.rests import pause_campaign

_MAY_HAVE_LEFT = (OutboxState.SENT, OutboxState.UNKNOWN, OutboxState.SENDING)
_HARD = ("hard", "closed")


def check_breakers(connection: sa.Connection, campaign_id: int, now: datetime) -> None:
    """Pause the campaign if too many of its mails bounced, or were reported as spam."""
    trip = tripped(tally(connection, campaign_id, now))
    if trip:
        rests = NO_RESUME if trip.reputation else None
        pause_campaign(connection, campaign_id, str(trip), rests=rests, now=now)


def tally(connection: sa.Connection, campaign_id: int, now: datetime) -> Tally:
    """What came of the mails of the last weeks."""
    since = now - SPAN
    sent = sa.select(sa.func.count()).where(
        t.outbox.c.campaign_id == campaign_id, t.outbox.c.intent_at > since, t.outbox.c.state.in_(_MAY_HAVE_LEFT)
    )
    people = sa.select(sa.func.count(sa.distinct(t.inbound.c.founder_id))).where(
        t.inbound.c.campaign_id == campaign_id, t.inbound.c.received_at > since
    )
    refused = (
        sa.select(sa.func.count(sa.distinct(t.outbox.c.id)))
        .join(t.attempts, t.attempts.c.outbox_id == t.outbox.c.id)
        .where(t.outbox.c.campaign_id == campaign_id, t.attempts.c.at > since, t.attempts.c.rule.in_(bounce_rules()))
    )
    bounced = people.where(t.inbound.c.kind == "bounce", t.inbound.c.subkind.in_(_HARD))
    return Tally(
        sent=connection.scalar(sent) or 0,
        bounced=(connection.scalar(bounced) or 0) + (connection.scalar(refused) or 0),
        complained=connection.scalar(people.where(t.inbound.c.kind == "complaint")) or 0,
    )
