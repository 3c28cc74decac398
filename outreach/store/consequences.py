"""The SQL of stopping, holding and suppressing, for whoever may do it: an incoming message, a command, a refused send.

Every function takes a connection, so that it commits together with what caused it. Each is idempotent: doing it again
changes nothing, and what is stopped stays stopped.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from outreach.core.guards import unchecked_bounces_stop
from outreach.core.measures import (
    SOFT_PAUSE,
    ConfirmSent,
    Consequence,
    CountSoft,
    FlagDomain,
    HoldPerson,
    LearnWireId,
    NoteFiled,
    PauseMailbox,
    StopAddress,
    StopCompany,
    StopPerson,
    SuppressAddress,
    SuppressPerson,
    is_lasting,
)
from outreach.core.normalize import address_key, suppression_key
from outreach.core.ports import Outcome
from outreach.core.records import AddressStatus, CampaignState, EnrollmentState, OutboxState
from outreach.store import tables as t
from outreach.store.copies import note_filed
from outreach.store.journal import Recorder
from outreach.store.stops import OPEN, WAITING, WILL_NOT_GO, stop_all

_INTENDED = t.outbox.c.intent_at.is_not(None)

_FOR_THE_PERSON = ("replied", "opted-out", "complained", "already-in-touch", "left")
"""Reasons of a stop that is about the person, not about one address or one campaign."""
FAILED = "failed"
"""Why a sequence ended whose message could not be sent."""
SAME_PERSON = "same-person"
"""Why a founder waits who seems to be another one of the same campaign."""
_ANSWERS = ("reply", "unsubscribe", "complaint")
_HAS_ANSWERED = sa.union(
    sa.select(t.inbound.c.founder_id).where(t.inbound.c.kind.in_(_ANSWERS), t.inbound.c.founder_id.is_not(None)),
    sa.select(t.enrollments.c.founder_id).where(
        t.enrollments.c.state == EnrollmentState.STOPPED, t.enrollments.c.reason.in_(_FOR_THE_PERSON)
    ),
)
_COLLEAGUE_HAS_ANSWERED = sa.select(t.founders.c.id).where(
    t.founders.c.company_id.in_(
        sa.select(t.founders.c.company_id)
        .join(t.inbound, t.inbound.c.founder_id == t.founders.c.id)
        .where(t.inbound.c.kind.in_(_ANSWERS), t.founders.c.company_id.is_not(None))
    )
)


@dataclass(frozen=True, slots=True)
class Effects:
    """What really changed: `people` and `companies` stopped, people `held`, values `suppressed`, doubts `confirmed`."""

    people: int = 0
    companies: int = 0
    held: int = 0
    suppressed: int = 0
    confirmed: int = 0

    def __add__(self, other: "Effects") -> "Effects":
        return Effects(
            self.people + other.people,
            self.companies + other.companies,
            self.held + other.held,
            self.suppressed + other.suppressed,
            self.confirmed + other.confirmed,
        )


@dataclass(frozen=True, slots=True)
class Cause:
    """Where a change comes from: the text kept beside it, when it happened, and who remembers it beyond a restore."""

    origin: str
    now: datetime
    journal: Recorder | None = None


def apply(connection: sa.Connection, consequences: Sequence[Consequence], *, mailbox_id: int, cause: Cause) -> Effects:
    """Carry out what follows from one message."""
    return apply_all(connection, [(consequences, cause, mailbox_id)], cause.now)


def apply_all(
    connection: sa.Connection, planned: Sequence[tuple[Sequence[Consequence], Cause, int]], now: datetime
) -> Effects:
    """Carry out what follows from some messages, each with its cause and the mailbox it is about. All stops come first,
    together: nothing else of a message opens what they close."""
    stops = [each for several, _, _ in planned for each in several if isinstance(each, StopPerson | StopCompany)]
    people = stop_all(connection, stops, now)
    companies = {stop for stop in people.values() if isinstance(stop, StopCompany)}
    done = Effects(people=len(people), companies=len(companies))
    for consequences, cause, mailbox_id in planned:
        for consequence in consequences:
            done += _apply_one(connection, consequence, mailbox_id, cause)
    return done


def _apply_one(connection: sa.Connection, consequence: Consequence, mailbox_id: int, cause: Cause) -> Effects:
    match consequence:
        case StopAddress(key, reason, cancel):
            return Effects(people=stop_address(connection, key, reason=reason, cancel=cancel, now=cause.now))
        case HoldPerson():
            return Effects(held=hold_person(connection, consequence, cause.now))
        case SuppressAddress(address, kind, reason):
            return Effects(suppressed=_suppress_address(connection, address, kind, reason, cause))
        case SuppressPerson(founder_id, kind, reason):
            return Effects(suppressed=suppress_person(connection, founder_id, kind=kind, reason=reason, cause=cause))
        case CountSoft(address, _at):
            return Effects(suppressed=_suppress_lasting(connection, address, cause))
        case ConfirmSent(outbox_id, evidence):
            return Effects(confirmed=confirm_sent(connection, outbox_id, evidence, cause.now))
        case _:
            _note(connection, consequence, mailbox_id, cause)
            return Effects()


def _note(connection: sa.Connection, consequence: Consequence, mailbox_id: int, cause: Cause) -> None:
    """What is learned of a domain, the mailbox or a message of ours, and does nothing to people."""
    match consequence:
        case FlagDomain(domain, reason):
            flag_domain(connection, domain, reason, cause)
        case PauseMailbox(until, reason):
            pause_mailbox(connection, mailbox_id, until, reason)
        case LearnWireId(outbox_id, wire_message_id):
            learn_wire_id(connection, outbox_id, wire_message_id)
        case NoteFiled(outbox_id):
            note_filed(connection, outbox_id, mailbox_id, cause.now)


# --- stop and hold ----------------------------------------------------------------------------------------------


def stop_people(connection: sa.Connection, founders: Sequence[int], *, reason: str, cancel: str, now: datetime) -> int:
    """End every open enrollment of these founders, in all campaigns; how many of them were in one."""
    return stop_enrollments(connection, t.enrollments.c.founder_id.in_(founders), reason=reason, cancel=cancel, now=now)


def stop_answered(connection: sa.Connection, now: datetime) -> None:
    """Stop whoever turns out to have answered, or to be a colleague of someone who has: an import may find that two
    records are one person, or two companies one."""
    for who, reason in ((_HAS_ANSWERED, "replied"), (_COLLEAGUE_HAS_ANSWERED, "colleague-replied")):
        stop_enrollments(connection, t.enrollments.c.founder_id.in_(who), reason=reason, cancel="replied", now=now)


def hold_together(connection: sa.Connection, founders: Iterable[int], now: datetime) -> None:
    """A person who is away is away in every campaign: holds that came with another record of theirs hold them all."""
    for founder in founders:
        query = sa.select(t.enrollments.c.held_until, t.enrollments.c.reason).where(
            t.enrollments.c.founder_id == founder, t.enrollments.c.state == EnrollmentState.HELD
        )
        for until, reason in connection.execute(query).all():
            hold_person(connection, HoldPerson(founder, until, reason), now)


def keep_one_sequence(connection: sa.Connection, founders: Iterable[int], now: datetime) -> None:
    """Of several sequences that turn out to go to one person only the one that is furthest goes on."""
    furthest = (
        sa.select(t.enrollments.c.id)
        .outerjoin(t.outbox, sa.and_(t.outbox.c.enrollment_id == t.enrollments.c.id, _INTENDED))
        .where(t.enrollments.c.state.in_(OPEN))
        .group_by(t.enrollments.c.id)
        .order_by(sa.func.coalesce(sa.func.max(t.outbox.c.step), 0).desc(), t.enrollments.c.id)
    )
    for founder in founders:
        _, *others = connection.scalars(furthest.where(t.enrollments.c.founder_id == founder)).all() or (None,)
        if others:
            stop_enrollments(connection, t.enrollments.c.id.in_(others), reason=SAME_PERSON, cancel="stopped", now=now)


def hold_twins(connection: sa.Connection, twins: Mapping[int, int], now: datetime) -> None:
    """Two records in one campaign that seem to be one person: the second waits until somebody has looked, and an answer
    to one of them stops both."""
    answered = set(connection.scalars(_HAS_ANSWERED)) if twins else set[int]()
    for twin, other in twins.items():
        if answered & {twin, other}:
            stop_people(connection, [twin, other], reason="replied", cancel="replied", now=now)
        else:
            hold_person(connection, HoldPerson(twin, None, f"{SAME_PERSON}: looks like founder {other}"), now)


def stop_enrollments(
    connection: sa.Connection, condition: sa.ColumnElement[bool], *, reason: str, cancel: str, now: datetime
) -> int:
    """T18: end the open enrollments that fit, and cancel what waits for them. A claimed message dies at the fence.
    How many people this concerns."""
    fitting = sa.and_(t.enrollments.c.state.in_(OPEN), condition)
    people = connection.scalar(sa.select(sa.func.count(sa.distinct(t.enrollments.c.founder_id))).where(fitting)) or 0
    if not people:
        return 0
    connection.execute(
        sa.update(t.outbox)
        .where(
            t.outbox.c.state.in_(WAITING), t.outbox.c.enrollment_id.in_(sa.select(t.enrollments.c.id).where(fitting))
        )
        .values(state=WILL_NOT_GO, reason=cancel, updated_at=now)
    )
    connection.execute(
        sa.update(t.enrollments).where(fitting).values(state=EnrollmentState.STOPPED, reason=reason, updated_at=now)
    )
    return people


def stop_address(connection: sa.Connection, key: str, *, reason: str, cancel: str, now: datetime) -> int:
    """The same for everyone written to at this address. Where it was one that a campaign only tried, and it came back,
    the campaign may rest."""
    condition = t.enrollments.c.address_key == key
    stopped = stop_enrollments(connection, condition, reason=reason, cancel=cancel, now=now)
    if reason == "bounced":
        _rest_after_bounces(connection, key)
    return stopped


def _rest_after_bounces(connection: sa.Connection, key: str) -> None:
    tried = sa.select(t.enrollments.c.campaign_id, t.enrollments.c.address_status).where(
        t.enrollments.c.address_key == key, t.enrollments.c.address_status.is_not(None)
    )
    for campaign_id, status in connection.execute(tried).all():
        bounced = sa.select(sa.func.count()).where(
            t.enrollments.c.campaign_id == campaign_id,
            t.enrollments.c.address_status == status,
            t.enrollments.c.reason == "bounced",
        )
        if why := unchecked_bounces_stop(AddressStatus(status), connection.scalar(bounced) or 0):
            connection.execute(
                sa.update(t.campaigns)
                .where(t.campaigns.c.id == campaign_id, t.campaigns.c.state == CampaignState.ACTIVE)
                .values(state=CampaignState.PAUSED, reason=why)
            )


def hold_person(connection: sa.Connection, hold: HoldPerson, now: datetime) -> int:
    """Let open enrollments wait; a hold is extended, never shortened. How many people wait now, or wait longer."""
    shorter = t.enrollments.c.held_until < hold.until if hold.until else t.enrollments.c.held_until.is_not(None)
    waits = sa.and_(t.enrollments.c.state == EnrollmentState.HELD, t.enrollments.c.held_until.is_not(None), shorter)
    held = connection.execute(
        sa.update(t.enrollments)
        .where(
            t.enrollments.c.founder_id == hold.founder_id,
            sa.or_(t.enrollments.c.state == EnrollmentState.ACTIVE, waits),
        )
        .values(state=EnrollmentState.HELD, held_until=hold.until, reason=hold.reason, updated_at=now)
    )
    return int(held.rowcount > 0)


def release_person(connection: sa.Connection, founder_id: int, now: datetime) -> int:
    """A person has looked at what held this founder without an end: the sequence goes on."""
    open_end = (t.enrollments.c.state == EnrollmentState.HELD, t.enrollments.c.held_until.is_(None))
    released = connection.execute(
        sa.update(t.enrollments)
        .where(t.enrollments.c.founder_id == founder_id, *open_end)
        .values(state=EnrollmentState.ACTIVE, reason="", updated_at=now)
    )
    return released.rowcount


def reopen_failed(connection: sa.Connection, enrollment_id: int, now: datetime) -> None:
    """A sequence that ended with a message that could not be sent goes on, since that message is tried again."""
    connection.execute(
        sa.update(t.enrollments)
        .where(
            t.enrollments.c.id == enrollment_id,
            t.enrollments.c.state == EnrollmentState.STOPPED,
            t.enrollments.c.reason == FAILED,
        )
        .values(state=EnrollmentState.ACTIVE, reason="", updated_at=now)
    )


def release_twin(connection: sa.Connection, founder_id: int, now: datetime) -> int:
    """A person has said that this founder is nobody else: what waited for that goes on."""
    waits = (t.enrollments.c.state == EnrollmentState.HELD, t.enrollments.c.reason.startswith(SAME_PERSON))
    released = connection.execute(
        sa.update(t.enrollments)
        .where(t.enrollments.c.founder_id == founder_id, t.enrollments.c.held_until.is_(None), *waits)
        .values(state=EnrollmentState.ACTIVE, reason="", updated_at=now)
    )
    return released.rowcount


def pause_mailbox(connection: sa.Connection, mailbox_id: int, until: datetime, reason: str) -> None:
    """Nothing leaves until then; a longer pause stays."""
    connection.execute(
        sa.update(t.mailboxes)
        .where(
            t.mailboxes.c.id == mailbox_id,
            sa.or_(t.mailboxes.c.paused_until.is_(None), t.mailboxes.c.paused_until < until),
        )
        .values(paused_until=until, pause_reason=reason)
    )


# --- suppress ---------------------------------------------------------------------------------------------------


def suppress(connection: sa.Connection, value: str, *, kind: str, reason: str, cause: Cause) -> int:
    """Put a value (`address:…`, `domain:…`, `person:…`, `company:…`) on the list; 1 if it was not there yet."""
    there = sa.select(t.suppressions.c.id).where(t.suppressions.c.value == value, t.suppressions.c.kind == kind)
    if connection.scalar(there) is not None:
        return 0
    entry = {"value": value, "kind": kind, "reason": reason, "origin": cause.origin}
    # Before the commit: a suppression too many in the file does no harm, one too few forgets an opt-out.
    if cause.journal is not None:
        cause.journal.record({"at": cause.now.isoformat(), "action": "add", **entry})
    connection.execute(sa.insert(t.suppressions).values(created_at=cause.now, **entry))
    return 1


def suppress_address(
    connection: sa.Connection,
    address: str,
    *,
    kind: str,
    reason: str,
    origin: str,
    now: datetime,
    journal: Recorder | None = None,
) -> int:
    """Never write to this address again, in any of its spellings; a bounce also marks it as bounced."""
    return _suppress_address(connection, address, kind, reason, Cause(origin, now, journal))


def _suppress_address(connection: sa.Connection, address: str, kind: str, reason: str, cause: Cause) -> int:
    if kind == "bounce":
        connection.execute(
            sa.update(t.addresses).where(t.addresses.c.key == address_key(address)).values(status=AddressStatus.BOUNCED)
        )
    return suppress(connection, f"address:{suppression_key(address)}", kind=kind, reason=reason, cause=cause)


def suppress_learned(
    connection: sa.Connection, founders: Iterable[int], now: datetime, journal: Recorder | None
) -> None:
    """Whoever must not be written to must not be written to at an address that was learned later either, whomever that
    address may be taken for one day."""
    of_people = sa.select(t.suppressions).where(t.suppressions.c.value >= "person:", t.suppressions.c.value < "person;")
    entries = list(connection.execute(of_people.order_by(t.suppressions.c.id)).mappings()) if founders else []
    wanted = {f"person:{founder}": founder for founder in founders}
    for entry in entries:
        if entry["value"] in wanted:
            cause = Cause(entry["origin"], now, journal)
            suppress_person(connection, wanted[entry["value"]], kind=entry["kind"], reason=entry["reason"], cause=cause)


def _suppress_lasting(connection: sa.Connection, address: str, cause: Cause) -> int:
    """For a month, if temporary failures at this address have lasted for weeks. Not journaled: it ends by itself."""
    failed = sa.select(t.inbound.c.received_at).where(
        t.inbound.c.kind == "bounce",
        t.inbound.c.subkind == "soft",
        t.inbound.c.outbox_id.in_(sa.select(t.outbox.c.id).where(t.outbox.c.rcpt_key == address)),
    )
    times = list(connection.scalars(failed))
    if not is_lasting(times):
        return 0
    value, until = f"address:{suppression_key(address)}", max(times) + SOFT_PAUSE
    if until <= cause.now:
        return 0
    reason = f"{len(times)} temporary failures over weeks; until {until:%Y-%m-%d}"
    mine = (t.suppressions.c.value == value, t.suppressions.c.kind == "soft_bounce")
    if connection.execute(sa.update(t.suppressions).where(*mine).values(until=until, reason=reason)).rowcount:
        return 0
    entry = {"value": value, "kind": "soft_bounce", "reason": reason, "origin": cause.origin, "until": until}
    connection.execute(sa.insert(t.suppressions).values(created_at=cause.now, **entry))
    stop_enrollments(
        connection, t.enrollments.c.address_key == address, reason="bounced", cancel="bounced", now=cause.now
    )
    return 1


def flag_domain(connection: sa.Connection, domain: str, reason: str, cause: Cause) -> None:
    """Remember that this domain takes no mail; once is enough."""
    if connection.scalar(sa.select(t.domain_flags.c.domain).where(t.domain_flags.c.domain == domain)) is None:
        values = {"domain": domain, "reason": reason, "origin": cause.origin, "flagged_at": cause.now}
        connection.execute(sa.insert(t.domain_flags).values(**values))


def suppress_person(connection: sa.Connection, founder_id: int, *, kind: str, reason: str, cause: Cause) -> int:
    """The person and every address known of them, those that mails went to included."""
    known = sa.union(
        sa.select(t.addresses.c.key).where(t.addresses.c.founder_id == founder_id),
        sa.select(t.enrollments.c.address_key).where(t.enrollments.c.founder_id == founder_id),
        sa.select(t.outbox.c.rcpt_key).where(t.outbox.c.founder_id == founder_id),
    )
    values = [f"person:{founder_id}", *(f"address:{suppression_key(key)}" for key in connection.scalars(known))]
    return sum(suppress(connection, value, kind=kind, reason=reason, cause=cause) for value in dict.fromkeys(values))


# --- what a message proves about ours ---------------------------------------------------------------------------


def confirm_sent(connection: sa.Connection, outbox_id: int, evidence: str, now: datetime) -> int:
    """T14: a doubtful message did leave. The evidence joins its attempts. That holds also while its sender still waits
    for the answer, and where a person has ordered a second copy already: then that one stays here."""
    waits = sa.and_(t.outbox.c.state.in_((*WAITING, OutboxState.CLAIMED)), _INTENDED)
    doubtful = sa.or_(t.outbox.c.state.in_((OutboxState.UNKNOWN, OutboxState.SENDING)), waits)
    moved = connection.execute(
        sa.update(t.outbox)
        .where(t.outbox.c.id == outbox_id, doubtful)
        .values(
            state=OutboxState.SENT,
            reason=evidence,
            sent_at=sa.func.coalesce(t.outbox.c.sent_at, t.outbox.c.intent_at),
            updated_at=now,
        )
    )
    if moved.rowcount:
        values = {"outbox_id": outbox_id, "token": "", "at": now, "phase": "inbox", "outcome": Outcome.ACCEPTED}
        connection.execute(sa.insert(t.attempts).values(code=0, enhanced_code="", text=evidence, **values))
    return moved.rowcount


def learn_wire_id(connection: sa.Connection, outbox_id: int, wire_message_id: str) -> None:
    """Remember the Message-ID that the provider gave our message."""
    connection.execute(
        sa.update(t.outbox)
        .where(t.outbox.c.id == outbox_id, t.outbox.c.wire_message_id == "")
        .values(wire_message_id=wire_message_id)
    )
