"""Sends what is queued: wait for the slot, claim, hand over up to the dot, record the intent, write the dot, settle.

The order is the promise: between the durable intent and the recorded outcome a message is in doubt and stays so, and
nowhere else. No retry loop surrounds the dialogue: a message that may be tried again is a row with a later due time.
"""

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from outreach.core.delivery import Decision, decide
from outreach.core.message import check_wire
from outreach.core.pacing import DAY, Limits, gap, next_slot, ramped
from outreach.core.ports import Clock, Envelope, Outcome, Phase, SendResult, Transport
from outreach.core.records import Mailbox, OutboxItem, OutboxState
from outreach.errors import StoreError
from outreach.store.claims import Claim
from outreach.store.journal import Recorder
from outreach.store.outbox import Tries
from outreach.store.store import Store

FRESH_INBOX = timedelta(minutes=30)
_PASSES = frozenset(("", "mailbox-paused", "gap", "hourly-cap", "daily-cap"))
"""Obstacles that time removes, or that are gone already: the run waits for them, or ends with them."""
_CUT_OFF = SendResult(Outcome.UNKNOWN, Phase.DOT, text="interrupted before the server's answer was read")
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

    def followed_by(self, later: "SendReport") -> "SendReport":
        """One report of a run that went on after a pause: of each message the last outcome counts."""
        results = {sent.item.id: sent for sent in (*self.results, *later.results)}
        return replace(later, results=tuple(results.values()), skipped=self.skipped + later.skipped)

    def count(self, state: OutboxState) -> int:
        return sum(sent.decision.state is state for sent in self.results)


@dataclass(frozen=True, slots=True)
class Sender:
    """Everything a sending run needs from outside.

    `reads_inbox` tells whether replies are being read: then nothing goes out on an inbox last read over half an hour
    ago. With `wait` it stays for what must wait less than a day. Only inside `talking` may an interrupt be raised: then
    the dialogue is cut off, and never the recording of its outcome. `at` is told each labelled step, so that a test can
    kill the process there.
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
    talking: Callable[[], AbstractContextManager[object]] = nullcontext
    narrate: Callable[[Sent], None] = lambda _sent: None
    waiting: Callable[[datetime, str], None] = lambda _until, _reason: None
    at: Callable[[str], None] = lambda _label: None


def send(sender: Sender, items: Sequence[OutboxItem]) -> SendReport:
    """Send these messages as the limits allow: of those that are due, in this order."""
    run = _Run(sender)
    try:
        reason, next_at = run.batch(items)
    finally:
        sender.transport.close()
    return SendReport(tuple(run.results.values()), tuple(run.skipped), reason, next_at)


def recover(store: Store, is_dead: Callable[[str], bool], now: datetime) -> list[int]:
    """Free what dead workers left: claims go back to the queue, intents become doubts. The ids of the new doubts."""
    store.claims.expire(now)
    doubts = find_doubts(store, is_dead, now)
    for held in store.claims.held(OutboxState.CLAIMED):
        if held.lease_expires_at <= now or is_dead(held.owner):
            store.claims.reap(held, now)
    return doubts


def find_doubts(store: Store, is_dead: Callable[[str], bool], now: datetime) -> list[int]:
    """Intents whose worker is dead become doubts, so that whoever looks sees them; their ids."""
    dead = [
        held for held in store.claims.held(OutboxState.SENDING) if held.lease_expires_at <= now or is_dead(held.owner)
    ]
    return [held.id for held in dead if store.claims.reap(held, now)]


def forgotten(store: Store, log: Iterable[Mapping[str, Any]]) -> list[str]:
    """Message-IDs that left, or may have, by the word of the sent log, and that this store does not know to have left.

    Such a store is an older copy: sending from it would write twice. A bare intent is harmless where the store knows
    the very try that wrote it: it was found dead before its dot, and recorded as that.
    """
    told = _tell(log)
    known = store.outbox.tries(told)
    return [message_id for message_id, said in told.items() if not _explained(said, known.get(message_id, Tries()))]


def _explained(said: "_Tries", known: Tries) -> bool:
    return known.may_have_left or not (said.may_have_left or (said.open and said.open not in known.tokens))


@dataclass(frozen=True, slots=True)
class _Tries:
    """What the log says of one message: whether it may have left, and the token of a try without an outcome."""

    may_have_left: bool = False
    open: str = ""


def _tell(log: Iterable[Mapping[str, Any]]) -> dict[str, _Tries]:
    told: dict[str, _Tries] = {}
    for entry in log:
        message_id, kind = str(entry.get("message_id")), str(entry.get("kind"))
        so_far = told.get(message_id, _Tries())
        if kind == "intent":
            told[message_id] = _Tries(so_far.may_have_left, str(entry.get("token", "")) or "?")
        else:
            told[message_id] = _Tries(so_far.may_have_left or kind not in _HARMLESS)
    return told


_HARMLESS = ("void", "refused")
"""Kinds of entries after which the message is surely not at the server."""


class _Run:
    """One run of one sender: its results so far, and the way of each message."""

    def __init__(self, sender: Sender) -> None:
        self.sender = sender
        self.store, self.clock, self.transport = sender.store, sender.clock, sender.transport
        self.results: dict[int, Sent] = {}
        self.skipped: list[tuple[OutboxItem, str]] = []
        self._failures_in_row = 0

    def batch(self, items: Sequence[OutboxItem]) -> tuple[str, datetime | None]:
        """Every message, each when its turn has come. A reason tells why the run ended before that."""
        waiting = list(items)
        while waiting:
            if self.sender.stopped():
                return "interrupted", None
            now = self.clock.now()
            if self.sender.reads_inbox and _stale(self._mailbox(), now):
                return "inbox-stale", now
            item, until, reason = self._turn(waiting, now)
            if until > now:
                if not self._worth_waiting(until - now):
                    return reason, until
                self._sleep(until, reason)
                continue
            waiting.remove(item)
            waiting = self._try(item) + waiting
        return "", None

    def _turn(self, waiting: Sequence[OutboxItem], now: datetime) -> tuple[OutboxItem, datetime, str]:
        """Whose turn is next, when, and what it waits for: the first that is due by then, else the one due soonest."""
        mailbox = self._mailbox()
        if mailbox.paused_until and mailbox.paused_until > now:
            return waiting[0], mailbox.paused_until, f"mailbox-paused: {mailbox.pause_reason}"
        slot = next_slot(self._sent_times(), mailbox.next_send_at, self._limits(), now)
        due = next((item for item in waiting if item.due_at <= slot.at), None)
        if due is not None:
            return due, slot.at, slot.reason
        soonest = min(waiting, key=lambda item: item.due_at)
        return soonest, soonest.due_at, "not-due"

    def _worth_waiting(self, time: timedelta) -> bool:
        return time < DAY if self.sender.wait else time <= self.sender.limits.max_gap

    def _try(self, item: OutboxItem) -> list[OutboxItem]:
        """Claim and deliver. What must have another turn: all that time will let pass, if this run waits for it."""
        claim = self.store.claims.claim(
            item.id, self._limits(), token=uuid.uuid4().hex, owner=self.sender.owner, now=self.clock.now()
        )
        sent = self._deliver(claim) if claim else None
        if sent is None:
            return self._stand_back(item)
        if sent.decision.state is OutboxState.QUEUED and self.sender.wait:
            return [replace(item, due_at=sent.decision.retry_at or item.due_at)]
        return []

    def _stand_back(self, item: OutboxItem) -> list[OutboxItem]:
        obstacle = self.store.claims.obstacle(item.id, self._limits(), self.clock.now())
        if obstacle in _PASSES:
            return [item]
        self.skipped.append((item, obstacle))
        return []

    def _sleep(self, until: datetime, reason: str) -> None:
        if until - self.clock.now() > _LINGER:
            self.transport.close()
        self.sender.waiting(until, reason)
        while not self.sender.stopped() and (left := (until - self.clock.now()).total_seconds()) > 0:
            self.clock.sleep(min(left, _SLICE_SECONDS))

    def _deliver(self, claim: Claim) -> Sent | None:
        """The wire procedure for one claimed message. None: the fence refused it, and nothing has left."""
        item = claim.item
        intended = False
        try:
            self.sender.at("claimed")
            _check(item)
            with self.sender.talking():
                result = self.transport.stage(Envelope(self.sender.mailbox.address, item.rcpt, item.mime))
            self.sender.at("staged")
            if result is None:
                intended = self._intend(claim)
                if not intended:
                    return None
                with self.sender.talking():
                    result = self.transport.commit()
                self.sender.at("answered")
        except BaseException:
            # Before the intent nothing can have left; after it only the server knows.
            self.transport.close()
            if intended:
                self._settle(claim, OutboxState.SENDING, _CUT_OFF)
            else:
                self.store.claims.release(claim, "", self.clock.now())
            raise
        sent = self._settle(claim, OutboxState.SENDING if intended else OutboxState.CLAIMED, result)
        self.sender.at("settled")
        return sent

    def _intend(self, claim: Claim) -> bool:
        """Record the intent in the log and, behind the fence, in the store. False: no dot may be written."""
        self._log(claim.item, "intent", token=claim.token)
        self.sender.at("logged")
        now = self.clock.now()
        next_send_at = now + gap(self.sender.limits, self.sender.chance())
        if self.store.claims.fence(claim, self._limits(), now=now, next_send_at=next_send_at):
            self.sender.at("intended")
            return True
        self.transport.close()
        self._log(claim.item, "void")
        self.store.claims.release(claim, "", now)
        return False

    def _settle(self, claim: Claim, came_from: OutboxState, result: SendResult) -> Sent:
        now = self.clock.now()
        if came_from is OutboxState.SENDING:
            self._log(claim.item, _KINDS[result.outcome], result.text)
        decision = decide(result, attempts=claim.attempts, failures_in_row=self._failures_in_row, now=now)
        settled = decision.state in (OutboxState.SENT, OutboxState.FAILED)
        self._failures_in_row = 0 if settled else self._failures_in_row + 1
        self.store.claims.settle(claim, came_from, result, decision, now)
        sent = Sent(replace(claim.item, state=decision.state, reason=decision.means), decision, result)
        self.results[claim.item.id] = sent
        self.sender.narrate(sent)
        return sent

    def _log(self, item: OutboxItem, kind: str, text: str = "", token: str = "") -> None:
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
                "token": token,
                "text": text,
            }
        )

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
