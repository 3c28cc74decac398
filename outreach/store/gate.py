"""The last gate: what must hold for a message at its claim, and again in the statement that records its intent.

Each check is named by the reason it gives when it does not hold. The statements are built once, with parameters: a
batch of thousands asks them twice for every mail.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from itertools import chain
from typing import Any, NamedTuple

import sqlalchemy as sa

from outreach.core.normalize import suppression_key
from outreach.core.pacing import CANARY, CANARY_PATIENCE, CANARY_WAIT, DAY, HOUR, Limits
from outreach.core.records import CampaignState, EnrollmentState
from outreach.core.suppression import ADDRESS_ONLY, suppression_keys
from outreach.store import tables as t
from outreach.store.prepared import Prepared

TIME = t.outbox.c.due_at.type
GMAIL = ("gmail.com", "googlemail.com")
GMAIL_CEILING = 4000
ITEM = sa.bindparam("item", type_=sa.Integer)
"""The message that is asked for, by its id."""


class Kind(NamedTuple):
    """With or without pacing, with or without an inbox that must have been read, for follow-ups only or for all: a
    statement for each."""

    paced: bool
    fresh: bool
    first_steps_pass: bool


def kind_of(limits: Limits) -> Kind:
    return Kind(limits.paced, limits.fresh_inbox is not None, limits.first_steps_pass)


def values(item_id: int, limits: Limits, keys: Sequence[str], now: datetime) -> dict[str, Any]:
    """The parameters of the checks."""
    told: dict[str, Any] = {"item": item_id, "keys": list(keys), "own": keys[0], "now": now}
    if limits.fresh_inbox:
        told["read_after"] = now - limits.fresh_inbox
    if limits.paced:
        told |= {"hour_ago": now - HOUR, "day_ago": now - DAY}
        told |= {"domain_rested": now - limits.domain_gap, "canary_over": now - CANARY_WAIT}
        if limits.fresh_inbox and not limits.first_steps_pass:
            told["patience_over"] = now - CANARY_PATIENCE
        told |= {name: getattr(limits, name) for name in ("hourly_cap", "daily_cap", "company_daily_cap", "ceiling")}
    return told


@cache
def checks(kind: Kind) -> dict[str, sa.ColumnElement[bool]]:
    """What must hold, by the name of the reason it gives when it does not. Parameters: `values`."""
    now = sa.bindparam("now", type_=TIME)
    campaign = sa.exists().where(
        t.campaigns.c.id == t.outbox.c.campaign_id, t.campaigns.c.state == CampaignState.ACTIVE
    )
    mine = t.enrollments.c.id == t.outbox.c.enrollment_id
    found: dict[str, sa.ColumnElement[bool]] = {
        "suppressed": ~_covered(sa.bindparam("keys", expanding=True), sa.bindparam("own", type_=sa.String)),
        "stopped": sa.exists().where(mine, t.enrollments.c.state.in_((EnrollmentState.ACTIVE, EnrollmentState.HELD))),
        "on-hold": sa.exists().where(mine, t.enrollments.c.state != EnrollmentState.HELD),
        "campaign-paused": campaign,
        "mailbox-paused": _mailbox(sa.or_(t.mailboxes.c.paused_until.is_(None), t.mailboxes.c.paused_until <= now)),
        "domain-paused": ~sa.exists().where(
            t.domain_pauses.c.mailbox_id == t.outbox.c.mailbox_id,
            t.domain_pauses.c.domain == t.outbox.c.rcpt_domain,
            t.domain_pauses.c.until > now,
        ),
        "not-due": t.outbox.c.due_at <= now,
        "expired": t.outbox.c.expires_at > now,
    }
    if kind.fresh:
        fresh = _mailbox(t.mailboxes.c.synced_at >= sa.bindparam("read_after", type_=TIME))
        found["inbox-stale"] = sa.or_(t.outbox.c.step == 1, fresh) if kind.first_steps_pass else fresh
    if kind.paced:
        found |= {
            "gap": _mailbox(t.mailboxes.c.next_send_at <= now),
            "hourly-cap": _booked("hour_ago") < sa.bindparam("hourly_cap", type_=sa.Integer),
            "daily-cap": _booked("day_ago") < sa.bindparam("daily_cap", type_=sa.Integer),
            "mailbox-ceiling": _booked("day_ago") + _hand_sent("day_ago") < sa.bindparam("ceiling", type_=sa.Integer),
            "company-cap": _company_free(),
            "domain-gap": _domain_free(),
            "canary": _canary_over(kind),
            "gmail-ceiling": _gmail_free(),
        }
    return found


def _mailbox(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    return sa.exists().where(t.mailboxes.c.id == t.outbox.c.mailbox_id, condition)


def _booked(since: str) -> sa.ScalarSelect[int]:
    return (
        sa.select(sa.func.count())
        .select_from(t.send_ledger)
        .where(
            t.send_ledger.c.mailbox_id == t.outbox.c.mailbox_id, t.send_ledger.c.at > sa.bindparam(since, type_=TIME)
        )
        .scalar_subquery()
    )


def _hand_sent(since: str) -> sa.ScalarSelect[int]:
    return (
        sa.select(sa.func.count())
        .select_from(t.hand_sent)
        .where(t.hand_sent.c.mailbox_id == t.outbox.c.mailbox_id, t.hand_sent.c.at > sa.bindparam(since, type_=TIME))
        .scalar_subquery()
    )


def _domain_free() -> sa.ColumnElement[bool]:
    """The newest mail from this mailbox to the recipient's domain is as long ago as the gap of a domain."""
    other = t.outbox.alias("neighbour")
    return ~(
        sa.exists()
        .where(
            t.send_ledger.c.mailbox_id == t.outbox.c.mailbox_id,
            t.send_ledger.c.at > sa.bindparam("domain_rested", type_=TIME),
            other.c.id == t.send_ledger.c.outbox_id,
            other.c.rcpt_domain == t.outbox.c.rcpt_domain,
        )
        .correlate(t.outbox)
    )


def _canary_over(kind: Kind) -> sa.ColumnElement[bool]:
    """A campaign's first mails went some time ago, and the inbox was read to its end since then, and those of the
    mailboxes that sent them, which are waited for no longer than a day; or they are too few yet."""
    first, sender = t.outbox.alias("first"), t.mailboxes.alias("sender")
    last_of_them = (
        sa.select(first.c.intent_at)
        .where(first.c.campaign_id == t.outbox.c.campaign_id, first.c.intent_at.is_not(None))
        .order_by(first.c.intent_at)
        .limit(1)
        .offset(CANARY - 1)
        .correlate(t.outbox)
        .scalar_subquery()
    )
    over = last_of_them <= sa.bindparam("canary_over", type_=TIME)
    if kind.fresh and not kind.first_steps_pass:
        unread = (
            sa.exists()
            .where(
                first.c.campaign_id == t.outbox.c.campaign_id,
                first.c.intent_at <= last_of_them,
                sender.c.id == first.c.mailbox_id,
                sender.c.synced_at <= last_of_them,
            )
            .correlate(t.outbox)
        )
        given_up = last_of_them <= sa.bindparam("patience_over", type_=TIME)
        over = sa.and_(over, _mailbox(t.mailboxes.c.synced_at > last_of_them), sa.or_(given_up, ~unread))
    return sa.or_(last_of_them.is_(None), over)


def _gmail_free() -> sa.ColumnElement[bool]:
    """Google counts all mail of a domain to its own: everything that this store sent there in a day."""
    other = t.outbox.alias("googler")
    return sa.or_(t.outbox.c.rcpt_domain.not_in(GMAIL), _today(other, other.c.rcpt_domain.in_(GMAIL)) < GMAIL_CEILING)


def _company_free() -> sa.ColumnElement[bool]:
    """New mails to one company within a day stay under its cap; follow-ups do not count."""
    other = t.outbox.alias("other")
    same = other.c.company_id == t.outbox.c.company_id
    today = _today(other, same, other.c.step == 1, other.c.id != t.outbox.c.id)
    under = today < sa.bindparam("company_daily_cap", type_=sa.Integer)
    return sa.or_(t.outbox.c.step > 1, t.outbox.c.company_id.is_(None), under)


def _today(other: sa.FromClause, *which: sa.ColumnElement[bool]) -> sa.ScalarSelect[int]:
    """How many such mails left within a day, from whichever mailbox."""
    return (
        sa.select(sa.func.count())
        .select_from(other.join(t.send_ledger, t.send_ledger.c.outbox_id == other.c.id))
        .where(
            t.send_ledger.c.mailbox_id.in_(sa.select(t.mailboxes.c.id)),  # so that the index on the times is of use
            t.send_ledger.c.at > sa.bindparam("day_ago", type_=TIME),
            *which,
        )
        .scalar_subquery()
    )


# --- who is covered by a suppression ------------------------------------------------------------------

_WHO = Prepared(
    sa.select(
        t.outbox.c.founder_id,
        t.outbox.c.company_id,
        t.founders.c.company_id.label("works_at"),
        t.outbox.c.rcpt,
        t.addresses.c.key,
    )
    .join(t.founders, t.founders.c.id == t.outbox.c.founder_id)
    .outerjoin(t.addresses, t.addresses.c.founder_id == t.outbox.c.founder_id)
    .where(t.outbox.c.id == ITEM)
)


def keys_of(connection: sa.Connection, item_id: int) -> tuple[str, ...]:
    """Every suppression key that would cover this message, its own address first: the person, all their addresses,
    domains, the company."""
    rows = _WHO.run(connection, {"item": item_id}).fetchall()
    if not rows:
        return ("",)  # its founder was erased; no statement finds the message
    founder_id, _, _, rcpt, _ = rows[0]
    addresses = {rcpt, *(key for *_, key in rows if key)}
    companies = {company for _, queued_for, works_at, *_ in rows for company in (queued_for, works_at)}
    keys = chain.from_iterable(
        suppression_keys(addresses, founder_id=founder_id, company_id=company) for company in companies
    )
    return f"address:{suppression_key(rcpt)}", *sorted(set(keys))


def is_suppressed(keys: Sequence[str]) -> sa.ColumnElement[bool]:
    """By the keys that `keys_of` gives."""
    return _covered(keys, keys[0])


def _covered(keys: Any, own: Any) -> sa.ColumnElement[bool]:
    """A bounce is about an address, not about the person: of these only the one to the message's own address counts."""
    counts = sa.or_(t.suppressions.c.kind.not_in(ADDRESS_ONLY), t.suppressions.c.value == own)
    return sa.exists().where(t.suppressions.c.value.in_(keys), counts)
