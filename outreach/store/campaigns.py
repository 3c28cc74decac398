"""Campaigns, their enrollments, the mailboxes they send from, and what the guards must know."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from outreach.core.guards import CAPS, Facts, sendable_address
from outreach.core.normalize import address_key, suppression_key
from outreach.core.pacing import UNTIL_FIXED
from outreach.core.records import (
    AddressStatus,
    Campaign,
    CampaignState,
    Enrollment,
    EnrollmentState,
    Founder,
    Mailbox,
    OutboxState,
)
from outreach.core.suppression import ADDRESS_ONLY, suppression_keys
from outreach.errors import NotFound, UsageError
from outreach.store import tables as t
from outreach.store.bulk import chunks
from outreach.store.consequences import stop_enrollments
from outreach.store.database import Database
from outreach.store.dialect import insert_missing
from outreach.store.stops import OPEN


@dataclass(frozen=True, slots=True)
class Writers:
    """Who writes to whom: founder and company → the mailbox of the newest enrollment; mailbox → how many of its people
    wait for their first mail."""

    people: Mapping[int, int]
    companies: Mapping[int, int]
    waiting: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Moved:
    """How many people got another mailbox, and how many keep theirs, since they have, or may have, a mail from it."""

    moved: int
    kept: int


class Campaigns:
    """Whom we write to, and from where."""

    def __init__(self, database: Database) -> None:
        self._db = database

    # --- mailboxes ----------------------------------------------------------------------------------------

    def mailbox(self, address: str, now: datetime) -> Mailbox:
        """The sending identity of this address, however it is spelt; made on first use."""
        address = address_key(address)
        with self._db.read() as connection:
            row = connection.execute(sa.select(t.mailboxes).where(t.mailboxes.c.address == address)).mappings().first()
        if row is None:
            with self._db.write() as connection:
                new = {"address": address, "next_send_at": now, "pause_reason": ""}
                insert_missing(connection, t.mailboxes, [new])
            return self.mailbox(address, now)
        return Mailbox(**{name: row[name] for name in Mailbox.__dataclass_fields__})

    def addresses(self) -> dict[int, str]:
        """Every mailbox that ever sent here, or was to: its id → its address."""
        with self._db.read() as connection:
            query = sa.select(t.mailboxes.c.id, t.mailboxes.c.address).order_by(t.mailboxes.c.id)
            return dict(connection.execute(query).all())

    def pause_mailbox(self, mailbox_id: int, until: datetime | None, reason: str) -> None:
        """`until` None lets it send again."""
        with self._db.write() as connection:
            connection.execute(
                sa.update(t.mailboxes)
                .where(t.mailboxes.c.id == mailbox_id)
                .values(paused_until=until, pause_reason=reason)
            )

    def wake_mailbox(self, mailbox_id: int) -> None:
        """A person has mended what kept it and some domains from sending; what rests for a time goes on resting."""
        with self._db.write() as connection:
            connection.execute(
                sa.update(t.mailboxes)
                .where(t.mailboxes.c.id == mailbox_id, t.mailboxes.c.paused_until == UNTIL_FIXED)
                .values(paused_until=None, pause_reason="")
            )
            connection.execute(
                sa.delete(t.domain_pauses).where(
                    t.domain_pauses.c.mailbox_id == mailbox_id, t.domain_pauses.c.until == UNTIL_FIXED
                )
            )

    # --- campaigns ------------------------------------------------------------------------------------------

    def create(
        self,
        name: str,
        *,
        sequence: str,
        mailbox_id: int,
        filters: Mapping[str, str],
        now: datetime,
        purpose: str = "",
        why: str = "",
        overrides: Mapping[str, str] | None = None,
        allows: Sequence[AddressStatus] = (),
        more_mailboxes: Sequence[int] = (),
    ) -> Campaign:
        row = {
            "name": name,
            "sequence": sequence,
            "mailbox_id": mailbox_id,
            "filters": dict(filters),
            "state": CampaignState.ACTIVE,
            "reason": "",
            "created_at": now,
            "purpose": purpose,
            "why": why,
            "overrides": dict(overrides or {}),
            "allows": list(allows),
            "more_mailboxes": list(more_mailboxes),
        }
        with self._db.write() as connection:
            if connection.scalar(sa.select(t.campaigns.c.id).where(t.campaigns.c.name == name)):
                raise UsageError(
                    f"there is a campaign called {name} already.",
                    hint=f"outreach campaign enroll {name} adds people to it",
                )
            connection.execute(sa.insert(t.campaigns), [row])
        return self.get(name)

    def get(self, name: str) -> Campaign:
        found = [campaign for campaign in self.all() if campaign.name == name]
        if not found:
            names = ", ".join(campaign.name for campaign in self.all())
            raise NotFound(
                f"there is no campaign called {name}.",
                hint=f"there is {names}" if names else f"outreach campaign new {name} --sequence job-search",
            )
        return found[0]

    def all(self) -> list[Campaign]:
        with self._db.read() as connection:
            return [
                _campaign(row)
                for row in connection.execute(sa.select(t.campaigns).order_by(t.campaigns.c.id)).mappings()
            ]

    def set_state(self, campaign_id: int, state: CampaignState, reason: str) -> None:
        with self._db.write() as connection:
            connection.execute(
                sa.update(t.campaigns)
                .where(t.campaigns.c.id == campaign_id, t.campaigns.c.state != CampaignState.STOPPED)
                .values(state=state, reason=reason)
            )

    def stop(self, campaign_id: int, reason: str, now: datetime) -> None:
        """End it for good: nobody in it is written to again, and their colleagues are free for other campaigns."""
        with self._db.write() as connection:
            connection.execute(
                sa.update(t.campaigns)
                .where(t.campaigns.c.id == campaign_id)
                .values(state=CampaignState.STOPPED, reason=reason)
            )
            everyone = t.enrollments.c.campaign_id == campaign_id
            stop_enrollments(connection, everyone, reason="campaign-stopped", cancel="stopped", now=now)

    def set_terms(self, campaign_id: int, *, purpose: str, why: str, overrides: Mapping[str, str]) -> None:
        """What the campaign is for, why these people, and which country rules its owner set aside, with the reasons."""
        with self._db.write() as connection:
            connection.execute(
                sa.update(t.campaigns)
                .where(t.campaigns.c.id == campaign_id)
                .values(purpose=purpose, why=why, overrides=dict(overrides))
            )

    def set_filters(self, campaign_id: int, filters: Mapping[str, str]) -> None:
        """Who is enrolled from now on."""
        with self._db.write() as connection:
            connection.execute(
                sa.update(t.campaigns).where(t.campaigns.c.id == campaign_id).values(filters=dict(filters))
            )

    def set_mailboxes(self, campaign_id: int, mailboxes: Sequence[int]) -> None:
        """Whom people are shared out to that are enrolled from now on."""
        first, *more = mailboxes
        with self._db.write() as connection:
            values = {"mailbox_id": first, "more_mailboxes": more}
            connection.execute(sa.update(t.campaigns).where(t.campaigns.c.id == campaign_id).values(**values))

    def move(self, campaign_id: int, source: int, target: int, now: datetime, *, dry_run: bool = False) -> Moved:
        """Let another mailbox write to those of a campaign to whom nothing was sent, nor may have been. What is queued
        for them is cancelled in the same transaction, so that it is written anew."""
        mine = sa.and_(
            t.enrollments.c.campaign_id == campaign_id,
            t.enrollments.c.mailbox_id == source,
            t.enrollments.c.state.in_(OPEN),
        )
        waits = t.outbox.c.state.in_((OutboxState.QUEUED, OutboxState.HELD, OutboxState.CANCELLED))
        touched = sa.exists().where(
            t.outbox.c.enrollment_id == t.enrollments.c.id, sa.or_(_MAY_HAVE_LEFT, sa.not_(waits))
        )
        with self._db.write() as connection:
            everyone = connection.scalar(sa.select(sa.func.count()).select_from(t.enrollments).where(mine)) or 0
            ids = connection.scalars(sa.select(t.enrollments.c.id).where(mine, ~touched)).all()
            for chunk in [] if dry_run else chunks(ids):
                of_them = t.outbox.c.enrollment_id.in_(chunk)
                queued = sa.and_(of_them, t.outbox.c.state.in_((OutboxState.QUEUED, OutboxState.HELD)))
                gone = {"state": OutboxState.CANCELLED, "reason": "moved", "updated_at": now}
                connection.execute(sa.update(t.outbox).where(queued).values(**gone))
                values = {"mailbox_id": target, "updated_at": now}
                connection.execute(sa.update(t.enrollments).where(t.enrollments.c.id.in_(chunk)).values(**values))
        return Moved(len(ids), everyone - len(ids))

    # --- enrollments ------------------------------------------------------------------------------------------

    def enroll(
        self,
        campaign_id: int,
        chosen: Sequence[tuple[Founder, str, str]],
        now: datetime,
        *,
        shares: Mapping[int, int] | None = None,
    ) -> int:
        """Add (founder, address, address key); those who are in it stay as they are. How many were new. `shares` says
        which mailbox writes to which founder; without it the campaign's first writes to all."""
        first = sa.select(t.campaigns.c.mailbox_id).where(t.campaigns.c.id == campaign_id).scalar_subquery()
        rows = [
            {
                "campaign_id": campaign_id,
                "founder_id": founder.id,
                "address": address,
                "address_key": key,
                "address_status": next((each.status for each in founder.addresses if each.key == key), None),
                "state": EnrollmentState.ACTIVE,
                "reason": "",
                "enrolled_at": now,
                "updated_at": now,
                "mailbox_id": (shares or {}).get(founder.id),
            }
            for founder, address, key in chosen
        ]
        with self._db.write() as connection:
            query = sa.select(t.enrollments.c.founder_id).where(t.enrollments.c.campaign_id == campaign_id)
            known = set(connection.scalars(query))
            fresh = [row for row in rows if row["founder_id"] not in known]
            if fresh:
                insert = sa.insert(t.enrollments).values(
                    mailbox_id=sa.func.coalesce(sa.bindparam("mailbox_id", type_=sa.Integer), first)
                )
                connection.execute(insert, fresh)
        return len(fresh)

    def served(self) -> dict[int, set[int]]:
        """Campaign → the mailboxes that write to anybody in it."""
        query = sa.select(t.enrollments.c.campaign_id, t.enrollments.c.mailbox_id).distinct()
        found: dict[int, set[int]] = {}
        with self._db.read() as connection:
            for campaign_id, mailbox_id in connection.execute(query):
                found.setdefault(campaign_id, set()).add(mailbox_id)
        return found

    def in_progress(self, campaigns: Sequence[int], mailboxes: Sequence[int]) -> int:
        """How many people in these campaigns these mailboxes still write to."""
        query = sa.select(sa.func.count()).where(
            t.enrollments.c.campaign_id.in_(campaigns),
            t.enrollments.c.mailbox_id.in_(mailboxes),
            t.enrollments.c.state.in_(OPEN),
        )
        with self._db.read() as connection:
            return connection.scalar(query) or 0

    def unserved(self, mailboxes: Sequence[int]) -> list[tuple[str, str, int]]:
        """Campaigns with people in progress whom none of these mailboxes writes to: the campaign, whose address that
        would be, how many people."""
        query = (
            sa.select(t.campaigns.c.name, t.mailboxes.c.address, sa.func.count())
            .select_from(t.enrollments)
            .join(t.campaigns, t.campaigns.c.id == t.enrollments.c.campaign_id)
            .join(t.mailboxes, t.mailboxes.c.id == t.enrollments.c.mailbox_id)
            .where(
                t.campaigns.c.state != CampaignState.STOPPED,
                t.enrollments.c.state.in_(OPEN),
                t.enrollments.c.mailbox_id.not_in(mailboxes),
            )
            .group_by(t.campaigns.c.name, t.mailboxes.c.address)
            .order_by(t.campaigns.c.name, t.mailboxes.c.address)
        )
        with self._db.read() as connection:
            return [(name, address, number) for name, address, number in connection.execute(query)]

    def writers(self) -> Writers:
        """Which mailbox writes to whom, over all campaigns."""
        newest = sa.select(t.enrollments.c.founder_id, t.founders.c.company_id, t.enrollments.c.mailbox_id).join(
            t.founders, t.founders.c.id == t.enrollments.c.founder_id
        )
        left = sa.exists().where(t.outbox.c.enrollment_id == t.enrollments.c.id, _MAY_HAVE_LEFT)
        waiting = (
            sa.select(t.enrollments.c.mailbox_id, sa.func.count())
            .where(t.enrollments.c.state.in_(OPEN), ~left)
            .group_by(t.enrollments.c.mailbox_id)
        )
        with self._db.read() as connection:
            rows = connection.execute(newest.order_by(t.enrollments.c.id)).all()
            return Writers(
                {row.founder_id: row.mailbox_id for row in rows},
                {row.company_id: row.mailbox_id for row in rows if row.company_id is not None},
                dict(connection.execute(waiting).all()),
            )

    def unchecked(self, campaign_id: int) -> dict[AddressStatus, int]:
        """How many were enrolled with an address that was only risky or guessed."""
        query = (
            sa.select(t.enrollments.c.address_status, sa.func.count())
            .where(t.enrollments.c.campaign_id == campaign_id, t.enrollments.c.address_status.in_(CAPS))
            .group_by(t.enrollments.c.address_status)
        )
        with self._db.read() as connection:
            return {AddressStatus(status): number for status, number in connection.execute(query)}

    def enrollments(self, campaign_id: int, *, open_only: bool = False) -> list[Enrollment]:
        """In the order in which they came; with `open_only`, those that are not over."""
        query = sa.select(t.enrollments).where(t.enrollments.c.campaign_id == campaign_id).order_by(t.enrollments.c.id)
        if open_only:
            query = query.where(t.enrollments.c.state.in_(OPEN))
        with self._db.read() as connection:
            return [_enrollment(row) for row in connection.execute(query).mappings()]

    def set_enrollments(self, ids: Sequence[int], state: EnrollmentState, reason: str, now: datetime) -> None:
        """Move open enrollments; stopped ones stay stopped."""
        with self._db.write() as connection:
            for chunk in chunks(ids):
                connection.execute(
                    sa.update(t.enrollments)
                    .where(t.enrollments.c.id.in_(chunk), t.enrollments.c.state.in_(OPEN))
                    .values(state=state, reason=reason, updated_at=now)
                )

    def wake(self, now: datetime) -> None:
        """Those whose hold is over take part again."""
        with self._db.write() as connection:
            connection.execute(
                sa.update(t.enrollments)
                .where(t.enrollments.c.state == EnrollmentState.HELD, t.enrollments.c.held_until <= now)
                .values(state=EnrollmentState.ACTIVE, reason="", updated_at=now)
            )

    # --- what the guards must know ------------------------------------------------------------------------------

    def facts(self, founders: Sequence[Founder], *, campaign_id: int | None) -> dict[int, Facts]:
        """For each founder, what happened between us and them outside this campaign, in a few set-based queries."""
        if not founders:
            return {}
        with self._db.read() as connection:
            suppressed: dict[str, str] = dict(connection.execute(_SUPPRESSED).all())
            bounced: dict[str, str] = dict(connection.execute(_BOUNCED).all())
            allows = connection.scalar(sa.select(t.campaigns.c.allows).where(t.campaigns.c.id == campaign_id)) or ()
            allowed = tuple(map(AddressStatus, allows))
            replied = dict(connection.execute(_REPLIES).all())
            written: dict[int, datetime] = dict(connection.execute(_first_written(campaign_id)).all())
            elsewhere: dict[int, str] = dict(connection.execute(_running_elsewhere(campaign_id)).all())
            busy = _busy_companies(connection)
            answered = _grouped(connection, _ANSWERED)
            namesakes = _written_names(connection)
            by_hand: dict[str, datetime] = dict(connection.execute(_WRITTEN_BY_HAND).all())
        return {
            founder.id: Facts(
                founder=founder,
                suppressed_by=_covering(founder, suppressed, bounced, allowed),
                replied_at=replied.get(founder.id),
                first_written_at=written.get(founder.id),
                other_campaign=elsewhere.get(founder.id, ""),
                busy_colleague=_colleague(founder, busy),
                answered_colleague=_colleague(founder, answered),
                by_hand_at=max((by_hand[a.key] for a in founder.addresses if a.key in by_hand), default=None),
                namesake=_other(namesakes.get(founder.full_name.casefold(), {}), founder.id),
                allows=allowed,
            )
            for founder in founders
        }


# --- queries --------------------------------------------------------------------------------------------------

_MAY_HAVE_LEFT = t.outbox.c.intent_at.is_not(None)
_WHY_SUPPRESSED = sa.select(
    t.suppressions.c.value, sa.func.min(t.suppressions.c.kind + " (" + t.suppressions.c.reason + ")")
).group_by(t.suppressions.c.value)
_SUPPRESSED = sa.union_all(
    _WHY_SUPPRESSED.where(t.suppressions.c.kind.not_in(ADDRESS_ONLY)),
    # A domain that takes no mail holds back everyone there, as long as it is flagged.
    sa.select(
        sa.literal("domain:") + t.domain_flags.c.domain,
        sa.literal("the domain takes no mail (") + t.domain_flags.c.reason + ")",
    ),
)
_BOUNCED = _WHY_SUPPRESSED.where(t.suppressions.c.kind.in_(ADDRESS_ONLY))
_REPLIES = (
    sa.select(t.inbound.c.founder_id, sa.func.max(t.inbound.c.received_at, type_=t.inbound.c.received_at.type))
    .where(t.inbound.c.kind == "reply", t.inbound.c.founder_id.is_not(None))
    .group_by(t.inbound.c.founder_id)
)
_WRITTEN_BY_HAND = sa.select(
    t.hand_sent.c.address_key, sa.func.max(t.hand_sent.c.at, type_=t.hand_sent.c.at.type)
).group_by(t.hand_sent.c.address_key)
_ANSWERED = (
    sa.select(t.founders.c.company_id, t.founders.c.id, t.founders.c.full_name)
    .join(t.inbound, t.inbound.c.founder_id == t.founders.c.id)
    .where(t.founders.c.company_id.is_not(None), t.inbound.c.kind.in_(("reply", "unsubscribe", "complaint")))
    .distinct()
)


def _first_written(campaign_id: int | None) -> sa.Select[Any]:
    query = (
        sa.select(t.outbox.c.founder_id, sa.func.max(t.outbox.c.intent_at, type_=t.outbox.c.intent_at.type))
        .where(t.outbox.c.step == 1, _MAY_HAVE_LEFT)
        .group_by(t.outbox.c.founder_id)
    )
    return query.where(t.outbox.c.campaign_id != campaign_id) if campaign_id is not None else query


def _running_elsewhere(campaign_id: int | None) -> sa.Select[Any]:
    query = (
        sa.select(t.enrollments.c.founder_id, sa.func.min(t.campaigns.c.name))
        .join(t.campaigns, t.campaigns.c.id == t.enrollments.c.campaign_id)
        .where(t.enrollments.c.state.in_(OPEN), t.campaigns.c.state != CampaignState.STOPPED)
        .group_by(t.enrollments.c.founder_id)
    )
    return query.where(t.enrollments.c.campaign_id != campaign_id) if campaign_id is not None else query


def _busy_companies(connection: sa.Connection) -> dict[int, dict[int, str]]:
    """company → the founders to whom a sequence is under way: something queued or gone, and not yet over."""
    query = (
        sa.select(t.founders.c.company_id, t.founders.c.id, t.founders.c.full_name)
        .join(t.enrollments, t.enrollments.c.founder_id == t.founders.c.id)
        .join(t.outbox, t.outbox.c.enrollment_id == t.enrollments.c.id)
        .where(
            t.founders.c.company_id.is_not(None),
            t.enrollments.c.state.in_(OPEN),
            t.outbox.c.state.not_in((OutboxState.CANCELLED, OutboxState.FAILED)),
        )
        .distinct()
    )
    return _grouped(connection, query)


def _written_names(connection: sa.Connection) -> dict[str, dict[int, str]]:
    """name → the founders who may have been written to, with their company."""
    query = (
        sa.select(t.founders.c.full_name, t.founders.c.id, sa.func.coalesce(t.companies.c.name, "another company"))
        .join(t.outbox, t.outbox.c.founder_id == t.founders.c.id)
        .outerjoin(t.companies, t.companies.c.id == t.founders.c.company_id)
        .where(t.outbox.c.state != OutboxState.CANCELLED)
        .distinct()
    )
    found: dict[str, dict[int, str]] = {}
    for name, founder_id, company in connection.execute(query):
        found.setdefault(name.casefold(), {})[founder_id] = company
    return found


def _grouped(connection: sa.Connection, query: sa.Select[Any]) -> dict[int, dict[int, str]]:
    found: dict[int, dict[int, str]] = {}
    for company_id, founder_id, name in connection.execute(query):
        found.setdefault(company_id, {})[founder_id] = name
    return found


def _other(people: Mapping[int, str], founder_id: int) -> str:
    return next((name for other, name in sorted(people.items()) if other != founder_id), "")


def _colleague(founder: Founder, people: Mapping[int, Mapping[int, str]]) -> str:
    return _other(people.get(founder.company.id, {}), founder.id) if founder.company else ""


def _covering(
    founder: Founder, suppressed: Mapping[str, str], bounced: Mapping[str, str], allowed: Sequence[AddressStatus]
) -> tuple[str, ...]:
    keys = suppression_keys(
        [address.key for address in founder.addresses],
        founder_id=founder.id,
        company_id=founder.company.id if founder.company else None,
    )
    found = dict.fromkeys(suppressed[key] for key in keys if key in suppressed)
    address = sendable_address(founder.addresses, allowed)
    dead = bounced.get(f"address:{suppression_key(address.key)}", "") if address else ""
    return (*found, *([dead] if dead else []))


def _campaign(row: sa.RowMapping) -> Campaign:
    plain = {name: row[name] for name in Campaign.__dataclass_fields__}
    plain |= {"allows": tuple(map(AddressStatus, row["allows"] or ())), "more_mailboxes": tuple(row["more_mailboxes"])}
    return Campaign(**{**plain, "state": CampaignState(row["state"])})


def _enrollment(row: sa.RowMapping) -> Enrollment:
    plain = {name: row[name] for name in Enrollment.__dataclass_fields__}
    return Enrollment(**{**plain, "state": EnrollmentState(row["state"])})
