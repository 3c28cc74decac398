"""What follows from a verdict: whom to stop, hold or suppress, as `measures`.

Stopping is the safe direction and needs little proof; suppressing an address for good needs an id of ours and the
address itself, because bounces are easy to forge.

The store applies these in the transaction that records the message. Nothing here lifts a stop: that needs a person.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

from outreach.core.absence import working_day_after
from outreach.core.case import Case
from outreach.core.failures import is_dead_domain
from outreach.core.matching import Match, plain_address
from outreach.core.measures import (
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
)
from outreach.core.normalize import address_key
from outreach.core.verdict import Kind, Verdict

NO_DATE = timedelta(days=7)
POLICY_PAUSE = timedelta(hours=24)
_DEAD = ("hard", "closed")


def plan_consequences(case: Case, verdict: Verdict, now: datetime) -> tuple[Consequence, ...]:
    """Everything that follows from this message. Pure, so that reading it twice plans the same."""
    match = case.match
    if match is None:
        return tuple(_from_stranger(case, verdict))
    if match.probable:
        return ()
    return (*_proof(case, verdict, match), *_by_kind(case, verdict, match, now))


def _from_stranger(case: Case, verdict: Verdict) -> Iterator[Consequence]:
    """An opt-out needs no proof; nothing else from someone unknown has any effect."""
    if verdict.kind is Kind.UNSUBSCRIBE and case.arrival.from_address:
        yield SuppressAddress(case.arrival.from_address, "opt_out", "asked not to be written to")


def _proof(case: Case, verdict: Verdict, match: Match) -> Iterator[Consequence]:
    mail = match.mail
    if mail is None or not match.proof or verdict.subkind == "by_hand":
        return
    if mail.state != "sent" and mail.sent_at is not None:
        where = "the Sent folder" if case.folder == "sent" else f"a {verdict.kind.replace('_', '-')}"
        yield ConfirmSent(mail.id, f"{where} names its id")
    seen = case.arrival.message_id
    if verdict.kind is Kind.OWN and seen and seen not in (mail.message_id, mail.wire_message_id):
        yield LearnWireId(mail.id, seen)
    if verdict.kind is Kind.OWN and case.folder == "sent":
        yield NoteFiled(mail.id)


def _by_kind(case: Case, verdict: Verdict, match: Match, now: datetime) -> Iterator[Consequence]:
    match verdict.kind:
        case Kind.REPLY:
            yield from _stop_all(match, "replied", "replied")
        case Kind.UNSUBSCRIBE:
            yield from _opted_out(case, match)
        case Kind.COMPLAINT:
            yield SuppressPerson(match.founder_id, "complaint", "reported our mail as spam")
            yield from _stop_all(match, "complained", "suppressed")
        case Kind.AUTO_REPLY:
            yield from _absent(case, verdict, match, now)
        case Kind.BOUNCE:
            yield from _bounced(case, verdict, match, now)
        case Kind.CHALLENGE | Kind.AUTOMATIC:
            yield HoldPerson(match.founder_id, None, "a machine answered, please read")
        case Kind.OWN if verdict.subkind == "by_hand" and case.folder == "sent":
            yield StopPerson(match.founder_id, "already-in-touch", "stopped")
        case _:
            return


def _stop_all(match: Match, reason: str, cancel: str) -> Iterator[Consequence]:
    yield StopPerson(match.founder_id, reason, cancel)
    if match.domains or match.company_id is not None:
        yield StopCompany(match.company_id, match.domains, f"colleague-{reason}", cancel)


def _opted_out(case: Case, match: Match) -> Iterator[Consequence]:
    yield SuppressPerson(match.founder_id, "opt_out", "asked not to be written to")
    sender = case.arrival.from_address
    if sender and address_key(sender) != match.address_key:
        yield SuppressAddress(sender, "opt_out", "asked not to be written to")
    yield from _stop_all(match, "opted-out", "suppressed")


def _absent(case: Case, verdict: Verdict, match: Match, now: datetime) -> Iterator[Consequence]:
    if verdict.subkind == "left":
        yield StopPerson(match.founder_id, "left", "stopped")
        yield SuppressAddress(match.address_key, "left", "has left, or the mailbox is not read")
    elif verdict.subkind == "out_of_office":
        until = hold_until(case, verdict)
        if until > now:
            yield HoldPerson(match.founder_id, until, "out-of-office")


def hold_until(case: Case, verdict: Verdict) -> datetime:
    """A working day after the return, else a week after the notice: from the mail's own date, so reading it again never
    shifts it."""
    if verdict.returns_on is None:
        return case.arrival.sent_at + NO_DATE
    return datetime.combine(working_day_after(verdict.returns_on), time(), UTC)


def _bounced(case: Case, verdict: Verdict, match: Match, now: datetime) -> Iterator[Consequence]:
    key = match.address_key
    if verdict.subkind in _DEAD:
        if match.proof and key in _named(case, verdict):
            failure = verdict.failure_of(key)
            yield SuppressAddress(key, "bounce", str(failure))
            if is_dead_domain(failure):
                yield FlagDomain(key.rpartition("@")[2], str(failure))
        yield StopAddress(key, "bounced", "bounced")
    elif verdict.subkind == "soft" and match.proof:
        yield CountSoft(key, case.arrival.received_at)
    elif verdict.subkind == "unknown":
        yield StopAddress(key, "bounced", "bounced")
    elif verdict.subkind == "policy" and match.proof and case.arrival.received_at + POLICY_PAUSE > now:
        reason = "a recipient's server refuses mail from this mailbox by policy"
        yield PauseMailbox(case.arrival.received_at + POLICY_PAUSE, reason)


def _named(case: Case, verdict: Verdict) -> frozenset[str]:
    """Every address the report names anywhere."""
    arrival = case.arrival
    listed = (*arrival.headers.addresses("x-failed-recipients"), *arrival.returned.addresses("to"))
    blocks = (value for block in arrival.statuses for value in block.every("original-recipient", "final-recipient"))
    found = {plain_address(each) for each in (*listed, *blocks)} | {failure.address for failure in verdict.failures}
    return frozenset(
        found | ({case.match.address_key} if case.match and case.match.address_key in arrival.text.lower() else set())
    )
