"""Sends what is queued: wait for the slot, claim, hand over up to the dot, record the intent, write the dot, settle.

The order is the promise: between the durable intent and the recorded outcome a message is in doubt and stays so, and
nowhere else. No retry loop surrounds the dialogue: a message that may be tried again is a row with a later due time.
"""

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any

from outreach.core.delivery import Decision, decide
from outreach.core.message import check_wire
from outreach.core.pacing import Limits, gap, next_slot, ramped
from outreach.core.ports import Clock, Envelope, Outcome, SendResult, Transport
from outreach.core.records import Mailbox, OutboxItem, OutboxState
from outreach.errors import StoreError
from outreach.store.claims import Claim
from outreach.store.journal import Recorder
from outreach.store.store import Store

FRESH_INBOX = timedelta(minutes=30)
_PACING = frozenset(("gap", "hourly-cap", "daily-cap"))
_SLICE_SECONDS = 1.0
_LINGER = timedelta(seconds=20)
"""A connection is kept for the next mail only if that mail is this near."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One message and what became of it."""

    item: OutboxItem
    decision: Decision
    result: SendResult


@dataclass(frozen=True, slots=True)
class SendReport:
    """What one run did. `reason` says why it stopped before the end, `next_at` when it can go on."""

    results: tuple[Sent, ...] = ()
    skipped: tuple[tuple[OutboxItem, str], ...] = ()
    reason: str = ""
    next_at: datetime | None = None

    def count(self, state: OutboxState) -> int:
        return sum(sent.decision.state is state for sent in self.results)


@dataclass(frozen=True, slots=True)
class Sender:
    """Everything a sending run needs from outside.

    `reads_inbox` tells whether replies are being read: then nothing goes out on an inbox last read over half an hour
    ago. `at` is told each labelled step, so that a test can kill the process there.
    """

    store: Store
    transport: Transport
    mailbox: Mailbox
    limits: Limits
    clock: Clock
    journal: Recorder
    owner: str
    chance: Callable[[], float]
    reads_inbox: bool = False
    wait: bool = False
    stopped: Callable[[], bool] = lambda: False
    narrate: Callable[[Sent], None] = lambda _sent: None
    waiting: Callable[[datetime, str], None] = lambda _until, _reason: None
    at: Callable[[str], None] = lambda _label: None


def send(sender: Sender, items: Sequence[OutboxItem]) -> SendReport:
    """Send these messages, in this order, as the limits allow."""
    run = _Run(sender)
    reason, next_at = "", None
    try:
        for item in items:
            reason, next_at = run.one(item)
            if reason:
                break
    finally:
        sender.transport.close()
    return SendReport(tuple(run.results), tuple(run.skipped), reason, next_at)


def recover(store: Store, is_dead: Callable[[str], bool], now: datetime) -> list[int]:
    """Free what dead workers left: claims go back to the queue, intents become doubts. The ids of the new doubts."""
    store.claims.expire(now)
    doubts = []
    for held in store.claims.held():
        if held.lease_expires_at <= now or is_dead(held.owner):
            state = store.claims.reap(held, now)
            doubts += [held.id] if state is OutboxState.UNKNOWN else []
    return doubts


def forgotten(store: Store, log: Iterable[Mapping[str, Any]]) -> list[str]:
    """Message-IDs that left, or may have, by the word of the sent log, and that this store does not know to have left.

    Such a store is an older copy: sending from it would write twice. An intent alone counts only where its message is
    not here at all: a crash just before the dot leaves one behind.
    """
    last: dict[str, str] = {str(entry.get("message_id")): str(entry.get("kind")) for entry in log}
    left = store.outbox.may_have_left(last)
    return [
        message_id
        for message_id, kind in last.items()
        if (message_id not in left and kind in ("intent", "sent", "unknown"))
        or (kind in ("sent", "unknown") and not left[message_id])
    ]


class _Run:
    """One run of one sender: its results so far, and the way of each message."""

    def __init__(self, sender: Sender) -> None:
        self.sender = sender
        self.store, self.clock, self.transport = sender.store, sender.clock, sender.transport
        self.results: list[Sent] = []
        self.skipped: list[tuple[OutboxItem, str]] = []

    def one(self, item: OutboxItem) -> tuple[str, datetime | None]:
        """One message, from waiting for its slot to its outcome. A reason ends the run."""
        while True:
            end = self._wait_for_slot(item)
            if end:
                return end
            claim = self.store.claims.claim(
                item.id, self._limits(), token=uuid.uuid4().hex, owner=self.sender.owner, now=self.clock.now()
            )
            if claim is not None:
                self._deliver(claim)
                return "", None
            obstacle = self._obstacle(item)
            if obstacle == "mailbox-paused":
                mailbox = self._mailbox()
                return f"mailbox-paused: {mailbox.pause_reason}", mailbox.paused_until
            if obstacle and obstacle not in _PACING:
                self.skipped.append((item, obstacle))
                return "", None

    def _wait_for_slot(self, item: OutboxItem) -> tuple[str, datetime | None] | None:
        """Let time pass until pacing allows a mail; None when it does, else why the run ends here."""
        while True:
            now = self.clock.now()
            if self.sender.stopped():
                return "interrupted", None
            if self.sender.reads_inbox and _stale(self._mailbox(), now):
                return "inbox-stale", now
            slot = next_slot(self._sent_times(), self._mailbox().next_send_at, self._limits(), now)
            until, reason = (item.due_at, "not-due") if item.due_at > slot.at else (slot.at, slot.reason)
            if until <= now:
                return None
            if not self.sender.wait and until - now > self.sender.limits.max_gap:
                return reason, until
            self._sleep(until, reason)

    def _sleep(self, until: datetime, reason: str) -> None:
        if until - self.clock.now() > _LINGER:
            self.transport.close()
        self.sender.waiting(until, reason)
        while not self.sender.stopped() and (left := (until - self.clock.now()).total_seconds()) > 0:
            self.clock.sleep(min(left, _SLICE_SECONDS))

    def _deliver(self, claim: Claim) -> None:
        """The wire procedure for one claimed message."""
        item = claim.item
        intended = False
        try:
            self.sender.at("claimed")
            _check(item)
            result = self.transport.stage(Envelope(self.sender.mailbox.address, item.rcpt, item.mime))
            self.sender.at("staged")
            if result is None:
                intended = self._intend(claim)
                if not intended:
                    return
                result = self.transport.commit()
                self.sender.at("answered")
        except BaseException:
            # Before the intent nothing can have left; after it the row stays `sending`, and becomes a doubt.
            self.transport.close()
            if not intended:
                self.store.claims.release(claim, "", self.clock.now())
            raise
        self._settle(claim, OutboxState.SENDING if intended else OutboxState.CLAIMED, result)
        self.sender.at("settled")

    def _intend(self, claim: Claim) -> bool:
        """Record the intent in the log and, behind the fence, in the store. False: no dot may be written."""
        self._log(claim.item, "intent")
        self.sender.at("logged")
        now = self.clock.now()
        next_send_at = now + gap(self.sender.limits, self.sender.chance())
        if self.store.claims.fence(claim, self._limits(), now=now, next_send_at=next_send_at):
            self.sender.at("intended")
            return True
        self.transport.close()
        self._log(claim.item, "void")
        self.store.claims.release(claim, "", now)
        self.skipped.append((claim.item, self._obstacle(claim.item)))
        return False

    def _settle(self, claim: Claim, came_from: OutboxState, result: SendResult) -> None:
        now = self.clock.now()
        if came_from is OutboxState.SENDING:
            self._log(claim.item, _KINDS[result.outcome], result.text)
        decision = decide(
            result,
            attempts=claim.attempts,
            first_attempt_at=claim.first_attempt_at,
            failures_in_row=self._failures_in_row(),
            now=now,
        )
        self.store.claims.settle(claim, came_from, result, decision, now)
        sent = Sent(replace(claim.item, state=decision.state, reason=decision.means), decision, result)
        self.results.append(sent)
        self.sender.narrate(sent)

    def _failures_in_row(self) -> int:
        settled = (OutboxState.SENT, OutboxState.FAILED)
        return sum(1 for _ in takewhile(lambda sent: sent.decision.state not in settled, reversed(self.results)))

    def _log(self, item: OutboxItem, kind: str, text: str = "") -> None:
        self.sender.journal.record(
            {
                "at": self.clock.now().isoformat(),
                "kind": kind,
                "campaign": item.campaign,
                "step": item.step,
                "founder": item.founder_id,
                "message_id": item.message_id,
                "rcpt": item.rcpt_key,
                "mailbox": self.sender.mailbox.address,
                "text": text,
            }
        )

    def _obstacle(self, item: OutboxItem) -> str:
        return self.store.claims.obstacle(item.id, self._limits(), self.clock.now())

    def _limits(self) -> Limits:
        return ramped(self.sender.limits, self._sent_times(), self.clock.now())

    def _sent_times(self) -> list[datetime]:
        return self.store.outbox.sent_times(self.sender.mailbox.id) if self.sender.limits.paced else []

    def _mailbox(self) -> Mailbox:
        return self.store.campaigns.mailbox(self.sender.mailbox.address, self.clock.now())


_KINDS = {
    Outcome.ACCEPTED: "sent",
    Outcome.DEFERRED: "refused",
    Outcome.REJECTED: "refused",
    Outcome.UNKNOWN: "unknown",
}


def _check(item: OutboxItem) -> None:
    """The last look at the bytes, just before the socket."""
    faults = check_wire(item.mime, item.rcpt, item.message_id)
    if faults:
        raise StoreError(
            f"message {item.id} is not as it was queued: {'; '.join(faults)}.", hint=f"outreach outbox show {item.id}"
        )


def _stale(mailbox: Mailbox, now: datetime) -> bool:
    return mailbox.synced_at is None or now - mailbox.synced_at > FRESH_INBOX
