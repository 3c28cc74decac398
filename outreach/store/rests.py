"""What an answer makes rest: a mailbox, a domain, a campaign; in the transaction that records the answer."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from outreach.core.delivery import Decision, domain_paused_until
from outreach.core.pacing import DAY, UNTIL_FIXED
from outreach.core.records import CampaignState
from outreach.store import tables as t
from outreach.store.consequences import pause_mailbox

_SAME_TROUBLE = timedelta(hours=24)


def rest_for_quota(connection: sa.Connection, mailbox_id: int, decision: Decision, reason: str, now: datetime) -> None:
    """The provider's own limit is reached: rest until the oldest mail of the last day no longer counts, and send less
    for some weeks."""
    oldest = connection.scalar(
        sa.select(sa.func.min(t.send_ledger.c.at, type_=t.send_ledger.c.at.type)).where(
            t.send_ledger.c.mailbox_id == mailbox_id, t.send_ledger.c.at > now - DAY
        )
    )
    pause_mailbox(connection, mailbox_id, (oldest or now) + DAY, reason)
    connection.execute(
        sa.update(t.mailboxes)
        .where(t.mailboxes.c.id == mailbox_id)
        .values(learned_cap=decision.lower_cap, learned_at=now)
    )


def rest_domain(
    connection: sa.Connection, mailbox_id: int, domain: str, pause: timedelta, reason: str, now: datetime
) -> None:
    """Nothing goes to this domain for a while; a person must act once that has gone on for two days."""
    where = (t.domain_pauses.c.mailbox_id == mailbox_id, t.domain_pauses.c.domain == domain)
    known = connection.execute(sa.select(t.domain_pauses.c.since, t.domain_pauses.c.until).where(*where)).first()
    since = known.since if known and now - known.until < _SAME_TROUBLE else now
    values = {"since": since, "until": domain_paused_until(since, pause, now) or UNTIL_FIXED, "reason": reason}
    if known:
        connection.execute(sa.update(t.domain_pauses).where(*where).values(**values))
    else:
        connection.execute(sa.insert(t.domain_pauses).values(mailbox_id=mailbox_id, domain=domain, **values))


def pause_campaign(
    connection: sa.Connection, campaign_id: int, reason: str, *, rests: timedelta | None, now: datetime
) -> None:
    """Nothing of it goes until a person lets it go on; and if `rests`, not before that has passed."""
    connection.execute(
        sa.update(t.campaigns)
        .where(t.campaigns.c.id == campaign_id, t.campaigns.c.state == CampaignState.ACTIVE)
        .values(state=CampaignState.PAUSED, reason=reason)
    )
    if rests:
        connection.execute(
            sa.update(t.campaigns).where(t.campaigns.c.id == campaign_id).values(rests_until=now + rests)
        )
