"""Claims: one worker's way with one message, each transition a compare-and-swap in a short, durable transaction.

No row leaves `sending` or `unknown` towards `queued` except by a valid reply that the same worker read, or by a named
human. The fence, just before the final dot, re-checks in one statement everything that may have changed meanwhile.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa

from outreach.core.clock import Reading
from outreach.core.delivery import STREAK, Decision, Try, explain
from outreach.core.pacing import UNTIL_FIXED, Limits
from outreach.core.ports import Outcome, Phase, SendResult
from outreach.core.records import EnrollmentState, OutboxItem, OutboxState
from outreach.store import gate
from outreach.store import tables as t
from outreach.store.bookings import clock_values
from outreach.store.breakers import check_breakers
from outreach.store.consequences import pause_mailbox, stop_address, suppress_address
from outreach.store.database import Database
from outreach.store.journal import Recorder
from outreach.store.outbox import EXPIRES_AFTER
from outreach.store.prepared import Prepared
from outreach.store.rests import pause_campaign, rest_domain, rest_for_quota
from outreach.store.stops import WILL_NOT_GO

LEASE = timedelta(minutes=15)


_NOT_SENT = SendResult(Outcome.DEFERRED, Phase.BODY, text="given up before the final dot")
_DIED = SendResult(Outcome.UNKNOWN, Phase.DOT, text="the sender died before the answer was recorded")
_UNHEARD = SendResult(
    Outcome.UNKNOWN, Phase.DOT, text="the database was lost while the intent was recorded; no final dot was written"
)
_UNOWNED: dict[str, Any] = {"token": None, "lease_expires_at": None, "owner": ""}


@dataclass(frozen=True, slots=True)
class Claim:
    """A worker's right to send one message, until the lease ends."""

    item: OutboxItem
    token: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Held:
    """A message that has left its owner's hands: who claimed it, in which state, until when."""

    id: int
    state: OutboxState
    token: str
    owner: str
    lease_expires_at: datetime


@dataclass(frozen=True, slots=True)
class Wanted:
    """A message that a worker would take, under these limits."""

    item: OutboxItem
    limits: Limits
    token: str
    owner: str


@dataclass(frozen=True, slots=True)
class Answered:
    """What a server said to a message while it was in the state `came_from`, and what that makes of it."""

    claim: Claim
    came_from: OutboxState
    result: SendResult
    decision: Decision
    at: datetime


@dataclass(frozen=True, slots=True)
class Intent:
    """The dot may be written. `following` is the message that was claimed in the same transaction."""

    following: Claim | None = None


class Claims:
    """The messages that workers have in hand."""

    def __init__(self, database: Database, suppression_log: Recorder) -> None:
        self._db, self._log = database, suppression_log

    # --- one message, step by step -----------------------------------------------------------------------

    def claim(self, item: OutboxItem, limits: Limits, *, token: str, owner: str, now: datetime) -> Claim | None:
        """T2: take this message, if it is still waiting and may go now. One row, never a batch."""
        with self._db.write() as connection:
            return _claim(connection, Wanted(item, limits, token, owner), now)

    def obstacle(self, item_id: int, limits: Limits, now: datetime) -> str:
        """Why this message cannot be claimed now, by the name of the first check that says no; empty if none does."""
        with self._db.read() as connection:
            state = connection.scalar(sa.select(t.outbox.c.state).where(t.outbox.c.id == item_id))
            if state is None:  # its founder was erased meanwhile
                return OutboxState.CANCELLED
            if state != OutboxState.QUEUED:
                return str(state)
            checks = gate.checks(gate.kind_of(limits))
            query = sa.select(*(check.label(name) for name, check in checks.items())).where(t.outbox.c.id == gate.ITEM)
            told = connection.execute(query, gate.values(item_id, limits, gate.keys_of(connection, item_id), now)).one()
        return next((name for name, passed in zip(checks, told, strict=True) if not passed), "")

    def fence(
        self,
        claim: Claim,
        limits: Limits,
        *,
        now: datetime,
        next_send_at: datetime,
        reading: Reading | None = None,
        before: Answered | None = None,
        following: Wanted | None = None,
    ) -> Intent | None:
        """T7: the durable intent, just before the dot. None: something changed meanwhile, and no dot may be written.

        One statement re-checks the lease and the whole gate; the same transaction books the send against the caps and
        moves the mailbox's gap. It also records what was answered to the message before, whatever the gate says, and
        takes the one after it, if that may go: so a batch costs one commit a message.
        """
        item = claim.item
        with self._db.write() as connection:
            if before:
                self._settle(connection, before)
            values = gate.values(item.id, limits, gate.keys_of(connection, item.id), now)
            values |= {"my_token": claim.token, "lease": now + LEASE}
            if _fence(gate.kind_of(limits)).run(connection, values).rowcount != 1:
                return None
            _BOOK.run(connection, {"mailbox_id": item.mailbox_id, "at": now, "outbox_id": item.id})
            if limits.paced:
                clock = clock_values(reading or Reading(now, "", 0.0))
                _REST.run(connection, {"mailbox": item.mailbox_id, "until": next_send_at, **clock})
            return Intent(_claim(connection, following, now) if following else None)

    def release(self, claim: Claim, reason: str, now: datetime) -> None:
        """T3 or T6 for what certainly did not leave: back to the queue, or cancelled if its founder is out.

        An intent that the store kept although the worker never heard so stays a doubt, without a dot as it is: only a
        server's answer or a person takes a message out of `sending`.
        """
        values = {"state": OutboxState.QUEUED, "reason": reason, **_UNOWNED, "updated_at": now}
        doubt = {"state": OutboxState.UNKNOWN, "reason": _UNHEARD.text, "updated_at": now}
        with self._db.write() as connection:
            if _swap(connection, claim, OutboxState.CLAIMED, values):
                _note(connection, claim.item.id, claim.token, _NOT_SENT, now)
                _cancel_if_out(connection, claim.item.id, now)
            elif _swap(connection, claim, OutboxState.SENDING, doubt):
                _note(connection, claim.item.id, claim.token, _UNHEARD, now)

    def settle(
        self, claim: Claim, came_from: OutboxState, result: SendResult, decision: Decision, now: datetime
    ) -> bool:
        """T3, T4 (before the dot) or T8 to T11, T13 (after it): what the server's answer makes of the message.

        False: the row is no longer ours, and whoever took it has decided. Doing it again changes nothing.
        """
        with self._db.write() as connection:
            return self._settle(connection, Answered(claim, came_from, result, decision, now))

    def _settle(self, connection: sa.Connection, answered: Answered) -> bool:
        claim, came_from, decision, now = answered.claim, answered.came_from, answered.decision, answered.at
        late = came_from is OutboxState.SENDING
        values = _outcome(claim, answered.result, decision, now)
        swapped = _swap(connection, claim, came_from, values) or (
            late and _swap(connection, claim, OutboxState.UNKNOWN, values)
        )
        if not swapped:
            return False
        if late and decision.state in (OutboxState.QUEUED, OutboxState.FAILED):
            _unbook(connection, claim.item.id)
        _note(connection, claim.item.id, claim.token, answered.result, now, rule=decision.rule)
        self._widen(connection, claim.item, decision, explain(decision, answered.result), now)
        if decision.state is OutboxState.QUEUED:
            _cancel_if_out(connection, claim.item.id, now)
        return True

    def _widen(
        self, connection: sa.Connection, item: OutboxItem, decision: Decision, words: str, now: datetime
    ) -> None:
        """What an answer means for the mailbox, the recipient's domain, the campaign and the address."""
        if decision.until_quota:
            rest_for_quota(connection, item.mailbox_id, decision, words, now)
        if decision.until_fixed or decision.pause:
            until = UNTIL_FIXED if decision.until_fixed or decision.pause is None else now + decision.pause
            pause_mailbox(connection, item.mailbox_id, until, words)
        if decision.pause_domain:
            domain = item.rcpt_key.rpartition("@")[2]
            rest_domain(connection, item.mailbox_id, domain, decision.pause_domain, words, now)
        if decision.suppress_address:
            reason, origin = decision.means, f"message {item.id}"
            suppress_address(
                connection, item.rcpt, kind="bounce", reason=reason, origin=origin, now=now, journal=self._log
            )
            stop_address(connection, item.rcpt_key, reason="bounced", cancel="bounced", now=now)
            check_breakers(connection, item.campaign_id, now)
        if decision.stop_campaign:
            pause_campaign(connection, item.campaign_id, words, rests=decision.no_resume, now=now)

    def streak(self, mailbox_id: int) -> list[Try]:
        """What became of this mailbox's newest tries, newest first. What we gave up ourselves says nothing about the
        server."""
        query = (
            sa.select(t.attempts.c.outcome, t.attempts.c.rule, t.attempts.c.code, t.attempts.c.enhanced_code)
            .join(t.outbox, t.outbox.c.id == t.attempts.c.outbox_id)
            .where(
                t.outbox.c.mailbox_id == mailbox_id,
                t.attempts.c.text.not_in((_NOT_SENT.text, _DIED.text)),
                t.attempts.c.phase.in_(tuple(Phase)),
            )
            .order_by(t.attempts.c.id.desc())
            .limit(STREAK)
        )
        with self._db.read() as connection:
            return [Try(Outcome(row[0]), row[1], row[2], row[3]) for row in connection.execute(query)]

    # --- rows that nobody works on any more ----------------------------------------------------------------

    def reap(self, held: Held, now: datetime) -> bool:
        """T5, T12: a dead worker's claim goes back to the queue, its intent becomes a doubt; never the other way."""
        doubtful = held.state is OutboxState.SENDING
        state, found = (OutboxState.UNKNOWN, _DIED) if doubtful else (OutboxState.QUEUED, _NOT_SENT)
        with self._db.write() as connection:
            moved = connection.execute(
                sa.update(t.outbox)
                .where(t.outbox.c.id == held.id, t.outbox.c.state == held.state, t.outbox.c.token == held.token)
                .values(state=state, reason=found.text if doubtful else "", updated_at=now)
            )
            if moved.rowcount:
                _note(connection, held.id, held.token, found, now)
                _cancel_if_out(connection, held.id, now)
        return moved.rowcount == 1

    def expire(self, now: datetime) -> int:
        """T17: what could not leave in time is not sent late; it may be planned afresh. Where a person had ordered a
        second copy, the doubt about the first remains."""
        with self._db.write() as connection:
            done = connection.execute(
                sa.update(t.outbox)
                .where(t.outbox.c.state == OutboxState.QUEUED, t.outbox.c.expires_at <= now)
                .values(state=WILL_NOT_GO, reason="expired", updated_at=now)
            )
        return done.rowcount

    def held(self, state: OutboxState) -> list[Held]:
        """Rows in this state, which a worker owns."""
        query = sa.select(
            t.outbox.c.id, t.outbox.c.state, t.outbox.c.token, t.outbox.c.owner, t.outbox.c.lease_expires_at
        ).where(t.outbox.c.state == state)
        with self._db.read() as connection:
            return [
                Held(row.id, OutboxState(row.state), row.token, row.owner, row.lease_expires_at)
                for row in connection.execute(query)
            ]


# --- statements ---------------------------------------------------------------------------------------


@cache
def _take(kind: gate.Kind) -> Prepared:
    """T2, for one kind of limits. A worker that lost the database before it heard of its claim asks again."""
    mine = sa.and_(t.outbox.c.state == OutboxState.CLAIMED, t.outbox.c.token == sa.bindparam("my_token"))
    free = sa.or_(t.outbox.c.state == OutboxState.QUEUED, mine)
    return Prepared(
        sa.update(t.outbox)
        .where(t.outbox.c.id == gate.ITEM, free, *gate.checks(kind).values())
        .values(
            state=OutboxState.CLAIMED,
            token=sa.bindparam("my_token"),
            owner=sa.bindparam("my_owner"),
            lease_expires_at=sa.bindparam("lease"),
            first_attempt_at=sa.func.coalesce(t.outbox.c.first_attempt_at, sa.bindparam("now", type_=gate.TIME)),
            updated_at=sa.bindparam("now", type_=gate.TIME),
        )
        .returning(t.outbox.c.attempt_count)
    )


@cache
def _fence(kind: gate.Kind) -> Prepared:
    """T7, for one kind of limits."""
    now = sa.bindparam("now", type_=gate.TIME)
    return Prepared(
        sa.update(t.outbox)
        .where(
            t.outbox.c.id == gate.ITEM,
            t.outbox.c.state == OutboxState.CLAIMED,
            t.outbox.c.token == sa.bindparam("my_token"),
            t.outbox.c.lease_expires_at > now,
            *gate.checks(kind).values(),
        )
        .values(state=OutboxState.SENDING, intent_at=now, lease_expires_at=sa.bindparam("lease"), updated_at=now)
    )


_BOOK = Prepared(sa.insert(t.send_ledger), ("mailbox_id", "at", "outbox_id"))
_TRIED = Prepared(
    sa.insert(t.attempts),
    ("outbox_id", "token", "at", "phase", "outcome", "code", "enhanced_code", "text", "rule"),
)
_REST = Prepared(
    sa.update(t.mailboxes)
    .where(t.mailboxes.c.id == sa.bindparam("mailbox"))
    .values(
        next_send_at=sa.bindparam("until", type_=gate.TIME),
        **{
            name: sa.bindparam(name, type_=t.mailboxes.c[name].type)
            for name in ("clock_boot", "clock_steady", "clock_wall")
        },
    )
)


def _claim(connection: sa.Connection, wanted: Wanted, now: datetime) -> Claim | None:
    item, limits = wanted.item, wanted.limits
    values = gate.values(item.id, limits, gate.keys_of(connection, item.id), now)
    values |= {"my_token": wanted.token, "my_owner": wanted.owner, "lease": now + LEASE}
    taken = _take(gate.kind_of(limits)).run(connection, values).fetchone()
    return Claim(item, wanted.token, taken[0]) if taken else None


def _swap(connection: sa.Connection, claim: Claim, state: OutboxState, values: Mapping[str, Any]) -> bool:
    told = {f"new_{name}": value for name, value in values.items()}
    told |= {"item": claim.item.id, "before": state, "my_token": claim.token}
    return _swapping(tuple(values)).run(connection, told).rowcount == 1


@cache
def _swapping(columns: tuple[str, ...]) -> Prepared:
    return Prepared(
        sa.update(t.outbox)
        .where(
            t.outbox.c.id == gate.ITEM,
            t.outbox.c.state == sa.bindparam("before"),
            t.outbox.c.token == sa.bindparam("my_token"),
        )
        .values({name: sa.bindparam(f"new_{name}", type_=t.outbox.c[name].type) for name in columns})
    )


def _cancel_if_out(connection: sa.Connection, item_id: int, now: datetime) -> None:
    """A message that came back to the queue does not wait there if its founder has been stopped meanwhile."""
    row = connection.execute(
        sa.select(t.outbox, t.enrollments.c.state.label("enrolled"), t.enrollments.c.reason.label("why"))
        .join(t.enrollments, t.enrollments.c.id == t.outbox.c.enrollment_id)
        .where(t.outbox.c.id == item_id, t.outbox.c.state == OutboxState.QUEUED)
    ).first()
    if row is None:
        return
    if connection.scalar(sa.select(gate.is_suppressed(gate.keys_of(connection, item_id)))):
        reason = "suppressed"
    elif row.enrolled == EnrollmentState.STOPPED:
        reason = row.why if row.why in ("replied", "bounced") else "stopped"
    else:
        return
    connection.execute(
        sa.update(t.outbox).where(t.outbox.c.id == item_id).values(state=WILL_NOT_GO, reason=reason, updated_at=now)
    )


def _note(
    connection: sa.Connection, item_id: int, token: str, result: SendResult, now: datetime, *, rule: str = ""
) -> None:
    _TRIED.run(
        connection,
        {
            "outbox_id": item_id,
            "token": token,
            "at": now,
            "phase": result.phase,
            "outcome": result.outcome,
            "code": result.code,
            "enhanced_code": result.enhanced,
            "text": result.text,
            "rule": rule,
        },
    )


def _unbook(connection: sa.Connection, item_id: int) -> None:
    """The server surely did not take it, so its reservation goes; unless an earlier try of the row was doubtful."""
    doubted = sa.exists().where(t.attempts.c.outbox_id == item_id, t.attempts.c.outcome == Outcome.UNKNOWN)
    newest = sa.select(sa.func.max(t.send_ledger.c.id)).where(t.send_ledger.c.outbox_id == item_id).scalar_subquery()
    connection.execute(sa.delete(t.send_ledger).where(t.send_ledger.c.id == newest))
    connection.execute(sa.update(t.outbox).where(t.outbox.c.id == item_id, ~doubted).values(intent_at=None))


def _outcome(claim: Claim, result: SendResult, decision: Decision, now: datetime) -> dict[str, Any]:
    values: dict[str, Any] = {
        "state": decision.state,
        "reason": "" if decision.state is OutboxState.SENT else (decision.means or decision.rule),
        "code": result.code,
        "enhanced_code": result.enhanced,
        "reply": result.text,
        "provider_id": result.provider_id,
        "attempt_count": claim.attempts + int(decision.counts),
        "updated_at": now,
    }
    if decision.state is OutboxState.SENT:
        values["sent_at"] = now
    if decision.state is OutboxState.QUEUED:
        due_at = decision.retry_at or now
        # Whoever is tried again is not planned afresh instead: then the tries would begin anew, for ever.
        values |= {**_UNOWNED, "due_at": due_at, "expires_at": max(claim.item.expires_at, due_at + EXPIRES_AFTER)}
    return values
