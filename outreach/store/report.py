"""What the numbers are: the funnel of each campaign, and what waits for a person's eyes. Reads only."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from outreach.core.breakdown import By, Group, Heard, Mailed, break_down
from outreach.core.breakers import warns
from outreach.core.pacing import DAY, LEARNED_FOR
from outreach.core.records import CampaignState, EnrollmentState, OutboxState
from outreach.store import tables as t
from outreach.store.breakers import tally
from outreach.store.database import Database

# Each label stands for all that come before it: an offer was an interview, and that was interest.
_INTEREST = {
    "interested": ("interested", "interview", "offer"),
    "interview": ("interview", "offer"),
    "offer": ("offer",),
}
# An opt-out that a person wrote is an answer; one that a mail program sent is not.
_ANSWERED = sa.or_(
    t.inbound.c.kind == "reply", sa.and_(t.inbound.c.kind == "unsubscribe", t.inbound.c.subkind == "human")
)
_HEARD = sa.or_(_ANSWERED, t.inbound.c.label.in_(_INTEREST["interested"]))
_BOUNCED = sa.and_(t.inbound.c.kind == "bounce", t.inbound.c.subkind.in_(("hard", "closed")))
_MAILS = t.outbox.c.enrollment_id == t.enrollments.c.id
_ANSWERS = sa.and_(
    t.inbound.c.campaign_id == t.enrollments.c.campaign_id, t.inbound.c.founder_id == t.enrollments.c.founder_id
)


@dataclass(frozen=True, slots=True)
class Funnel:
    """One campaign in numbers. People, except `sent`, which counts messages; `unknown` are messages in doubt."""

    name: str
    state: str
    reason: str
    enrolled: int
    mailed: int
    sent: int
    delivered: int
    bounced: int
    replied: int
    auto_replied: int
    unsubscribed: int
    interested: int
    interview: int
    offer: int
    unknown: int
    failed: int
    waiting: int
    held: int
    finished: int


@dataclass(frozen=True, slots=True)
class People:
    """Everyone there is, before any campaign."""

    imported: int
    with_address: int


@dataclass(frozen=True, slots=True)
class MailboxHealth:
    """One sending identity today."""

    address: str
    sent_24h: int
    paused_until: datetime | None
    pause_reason: str
    next_send_at: datetime
    synced_at: datetime | None
    by_hand_24h: int = 0
    learned_cap: int | None = None
    people: int = 0
    """Whom it still writes to."""


@dataclass(frozen=True, slots=True)
class Share:
    """A campaign's people in numbers, of one of its mailboxes; `sent` counts messages."""

    mailbox: str
    enrolled: int
    mailed: int
    sent: int
    bounced: int
    replied: int


class Reports:
    """Counts, straight from the rows."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def people(self) -> People:
        with self._db.read() as connection:
            imported = connection.scalar(sa.select(sa.func.count()).select_from(t.founders)) or 0
            reachable = connection.scalar(sa.select(sa.func.count(sa.distinct(t.addresses.c.founder_id)))) or 0
        return People(imported, reachable)

    def funnels(self) -> list[Funnel]:
        with self._db.read() as connection:
            return [
                _funnel(connection, row)
                for row in connection.execute(sa.select(t.campaigns).order_by(t.campaigns.c.id))
            ]

    def shares(self) -> dict[str, list[Share]]:
        """Campaign → what each of its mailboxes did and got."""
        who = sa.distinct(t.enrollments.c.founder_id)
        left = t.outbox.c.intent_at.is_not(None)
        numbers = {
            "enrolled": (sa.func.count(who), t.enrollments),
            "mailed": (sa.func.count(who).filter(left), t.enrollments.join(t.outbox, _MAILS)),
            "sent": (
                sa.func.count().filter(t.outbox.c.state == OutboxState.SENT),
                t.enrollments.join(t.outbox, _MAILS),
            ),
            "bounced": (sa.func.count(who).filter(_BOUNCED), t.enrollments.join(t.inbound, _ANSWERS)),
            "replied": (sa.func.count(who).filter(_ANSWERED), t.enrollments.join(t.inbound, _ANSWERS)),
        }
        found: dict[tuple[str, str], dict[str, int]] = {}
        with self._db.read() as connection:
            for name, (number, people) in numbers.items():
                query = (
                    sa.select(t.campaigns.c.name, t.mailboxes.c.address, number)
                    .select_from(people)
                    .join(t.campaigns, t.campaigns.c.id == t.enrollments.c.campaign_id)
                    .join(t.mailboxes, t.mailboxes.c.id == t.enrollments.c.mailbox_id)
                    .group_by(t.campaigns.c.name, t.mailboxes.c.address)
                )
                for campaign, address, value in connection.execute(query):
                    found.setdefault((campaign, address), {})[name] = value
        shares: dict[str, list[Share]] = {}
        for (campaign, address), told in sorted(found.items()):
            shares.setdefault(campaign, []).append(Share(address, **{**dict.fromkeys(numbers, 0), **told}))
        return shares

    def breakdown(self, campaign_id: int, by: By) -> list[Group]:
        """The campaign's numbers by step, variant, tag or industry."""
        out, came = t.outbox.c, t.inbound.c
        mails = sa.select(out.id, out.founder_id, out.step, out.variant, out.intent_at).where(
            out.campaign_id == campaign_id, out.intent_at.is_not(None)
        )
        meanings = {
            "bounced": _BOUNCED,
            "replied": _ANSWERED,
            "unsubscribed": came.kind == "unsubscribe",
            **{label: came.label.in_(labels) for label, labels in _INTEREST.items()},
        }
        messages = sa.select(
            came.founder_id,
            came.outbox_id,
            came.received_at,
            *(meaning.label(name) for name, meaning in meanings.items()),
        ).where(came.campaign_id == campaign_id, came.founder_id.is_not(None), sa.or_(*meanings.values()))
        with self._db.read() as connection:
            mailed = [Mailed(*row) for row in connection.execute(mails)]
            heard = [
                Heard(founder, answers, at, frozenset(name for name, true in zip(meanings, told, strict=True) if true))
                for founder, answers, at, *told in connection.execute(messages)
            ]
            return break_down(by, mailed, heard, _traits(connection, campaign_id, by))

    def new_replies(self) -> int:
        """Answers from people that nobody has labelled yet."""
        with self._db.read() as connection:
            query = sa.select(sa.func.count()).where(t.inbound.c.kind == "reply", t.inbound.c.label == "")
            return connection.scalar(query) or 0

    def mailboxes(self, since: datetime) -> list[MailboxHealth]:
        sent = (
            sa.select(sa.func.count())
            .where(t.outbox.c.mailbox_id == t.mailboxes.c.id, t.outbox.c.intent_at > since)
            .scalar_subquery()
        )
        by_hand = (
            sa.select(sa.func.count())
            .where(t.hand_sent.c.mailbox_id == t.mailboxes.c.id, t.hand_sent.c.at > since)
            .scalar_subquery()
        )
        people = (
            sa.select(sa.func.count())
            .where(
                t.enrollments.c.mailbox_id == t.mailboxes.c.id,
                t.enrollments.c.state.in_((EnrollmentState.ACTIVE, EnrollmentState.HELD)),
            )
            .scalar_subquery()
        )
        with self._db.read() as connection:
            return [
                MailboxHealth(
                    row.address,
                    row.sent_24h,
                    row.paused_until,
                    row.pause_reason,
                    row.next_send_at,
                    row.synced_at,
                    row.by_hand_24h,
                    row.learned_cap if row.learned_at and row.learned_at > since + DAY - LEARNED_FOR else None,
                    row.people,
                )
                for row in connection.execute(
                    sa.select(
                        t.mailboxes, sent.label("sent_24h"), by_hand.label("by_hand_24h"), people.label("people")
                    ).order_by(t.mailboxes.c.id)
                )
            ]

    def warnings(self, now: datetime) -> list[str]:
        """What campaigns rest, and why; and what is not yet reason enough to stop one, and must be known."""
        with self._db.read() as connection:
            told = []
            for row in connection.execute(sa.select(t.campaigns).order_by(t.campaigns.c.id)).all():
                if row.state == CampaignState.PAUSED and row.reason:
                    told.append(f"{row.name} is paused: {row.reason}")
                elif row.state == CampaignState.ACTIVE and (warning := warns(tally(connection, row.id, now))):
                    told.append(f"{row.name}: {warning}")
        return told


def _traits(connection: sa.Connection, campaign_id: int, by: By) -> dict[int, list[str]]:
    """founder → their tags, or the industries of their company."""
    found: dict[int, list[str]] = {}
    within = sa.select(t.enrollments.c.founder_id).where(t.enrollments.c.campaign_id == campaign_id)
    if by is By.TAG:
        tags = sa.select(t.founder_tags.c.founder_id, t.founder_tags.c.tag).order_by(t.founder_tags.c.tag)
        for founder, tag in connection.execute(tags.where(t.founder_tags.c.founder_id.in_(within))):
            found.setdefault(founder, []).append(tag)
    elif by is By.INDUSTRY:
        companies = sa.select(t.founders.c.id, t.companies.c.industries).join(
            t.companies, t.companies.c.id == t.founders.c.company_id
        )
        found.update(connection.execute(companies.where(t.founders.c.id.in_(within))).all())
    return found


def _funnel(connection: sa.Connection, campaign: sa.Row[tuple[object, ...]]) -> Funnel:
    def enrolled(*states: EnrollmentState) -> int:
        query = sa.select(sa.func.count()).where(t.enrollments.c.campaign_id == campaign.id)
        return connection.scalar(query.where(t.enrollments.c.state.in_(states)) if states else query) or 0

    def messages(*states: OutboxState) -> int:
        query = sa.select(sa.func.count()).where(t.outbox.c.campaign_id == campaign.id, t.outbox.c.state.in_(states))
        return connection.scalar(query) or 0

    def people(column: sa.ColumnElement[bool]) -> int:
        query = sa.select(sa.func.count(sa.distinct(t.inbound.c.founder_id)))
        return connection.scalar(query.where(t.inbound.c.campaign_id == campaign.id, column)) or 0

    mailed = connection.scalar(
        sa.select(sa.func.count(sa.distinct(t.outbox.c.founder_id))).where(
            t.outbox.c.campaign_id == campaign.id, t.outbox.c.intent_at.is_not(None)
        )
    )
    answered = sa.select(t.inbound.c.founder_id).where(
        t.inbound.c.campaign_id == campaign.id, t.inbound.c.founder_id.is_not(None), _HEARD
    )
    lost = people(sa.and_(_BOUNCED, t.inbound.c.founder_id.not_in(answered)))  # another address may have reached them
    return Funnel(
        name=campaign.name,
        state=campaign.state,
        reason=campaign.reason,
        enrolled=enrolled(),
        mailed=mailed or 0,
        sent=messages(OutboxState.SENT),
        delivered=(mailed or 0) - lost,
        bounced=people(_BOUNCED),
        replied=people(_ANSWERED),
        auto_replied=people(t.inbound.c.kind == "auto_reply"),
        unsubscribed=people(t.inbound.c.kind == "unsubscribe"),
        **{label: people(t.inbound.c.label.in_(labels)) for label, labels in _INTEREST.items()},
        unknown=messages(OutboxState.UNKNOWN),
        failed=messages(OutboxState.FAILED),
        waiting=enrolled(EnrollmentState.ACTIVE),
        held=enrolled(EnrollmentState.HELD),
        finished=enrolled(EnrollmentState.FINISHED),
    )
