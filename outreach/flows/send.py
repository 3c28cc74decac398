"""Sends what is queued: wait for the slot, claim, hand over up to the dot, record the intent, write the dot, settle.

The order is the promise: between the durable intent and the recorded outcome a message is in doubt and stays so, and
nowhere else. No retry loop surrounds the dialogue: a message that may be tried again is a row with a later due time.
"""

import uuid
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from outreach.core.clock import Reading, jump
from outreach.core.delivery import UNTIL_FIXED, Decision, decide
from outreach.core.message import check_wire
from outreach.core.pacing import (
    CANARY_WAIT,
    DAY,
    LONG_AGO,
    Limits,
    Slot,
    canary_until,
    closed_until,
    gap,
    next_slot,
    on_day,
)
from outreach.core.ports import Clock, Envelope, Outcome, Phase, SendResult, Transport
from outreach.core.records import Mailbox, OutboxItem, OutboxState
from outreach.core.sent_log import accepted
from outreach.core.zones import zone_info
from outreach.errors import OutreachError, StoreError, StoreUnavailable
from outreach.store.claims import Answered, Claim, Held, Wanted
from outreach.store.journal import Recorder
from outreach.store.store import Store

_PASSES = frozenset(("", "mailbox-paused", "gap", "hourly-cap", "daily-cap", "mailbox-ceiling"))
"""Obstacles of the mailbox that time removes, or that are gone already: the run waits for them, or ends with them."""
_PASSES_IT_BY = frozenset(("domain-gap", "domain-paused", "canary"))
"""Obstacles of one message that time removes: meanwhile others go."""
_ENDS = frozenset(("inbox-stale", "disk", "clock", "gmail-ceiling"))
"""What ends a run at once: somebody must act, or the plan must be made afresh."""
_Recorded = TypeVar("_Recorded")
_RETRY = timedelta(seconds=1)
_CUT_OFF = SendResult(Outcome.UNKNOWN, Phase.DOT, text="interrupted before the server's answer was read")
_SLICE_SECONDS = 1.0
_READ_LATELY = timedelta(minutes=1)
"""An inbox that is stale so soon after it was read is that of another mailbox, and reading again would not help."""
_LINGER = timedelta(seconds=20)
"""A connection is kept for the next mail only if that mail is this near."""
_NEAR_SECONDS = 0.05
"""An answer waits for the next message's intent only where one message follows the other so quickly. With a slower
server commits cost next to nothing, and an answer that waits could be lost to a crash."""


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
    errors: tuple[OutreachError, ...] = ()
    """What ended it before its end, beside what it did until then: of several mailboxes, each one's."""

    def followed_by(self, later: "SendReport") -> "SendReport":
        """One report of a run that went on after a pause: of each message the last outcome counts."""
        results = {sent.item.id: sent for sent in (*self.results, *later.results)}
        return replace(later, results=tuple(results.values()), skipped=self.skipped + later.skipped)

    def beside(self, other: "SendReport") -> "SendReport":
        """One report of two mailboxes: why the one stopped that can go on first, unless somebody stopped them."""
        told = min(self, other, key=lambda each: (not each.reason, each.reason != "interrupted", each.next_at is None,
                                                  each.next_at or LONG_AGO))  # fmt: skip
        results, skipped = self.results + other.results, self.skipped + other.skipped
        errors = {str(error): error for error in (*self.errors, *other.errors)}
        return SendReport(results, skipped, told.reason, told.next_at, tuple(errors.values()))

    def count(self, state: OutboxState) -> int:
        return sum(sent.decision.state is state for sent in self.results)


Again = Callable[["Sender", SendReport], Sequence[OutboxItem]]
"""Reads the inbox of a mailbox anew, and says what is left to send from it."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Everything a sending run needs from outside.

    With `wait` it stays for what must wait less than a day. Only inside `talking` may an interrupt be raised: then
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
    wait: bool = False
    room: Callable[[], bool] = lambda: True
    """Whether the disk has room to record what is sent."""
    spare: Callable[[], bool] = lambda: False
    """Frees what was kept for a full disk; False if there is nothing left to free."""
    stopped: Callable[[], bool] = lambda: False
    talking: Callable[[], AbstractContextManager[object]] = nullcontext
    narrate: Callable[[Sent], None] = lambda _sent: None
    waiting: Callable[[datetime, str], None] = lambda _until, _reason: None
    at: Callable[[str], None] = lambda _label: None


def send(sender: Sender, items: Sequence[OutboxItem]) -> SendReport:
    """Send these messages as the limits allow: of those that are due, in this order."""
    return send_all([(sender, items)])[0]


def send_all(
    batches: Sequence[tuple[Sender, Sequence[OutboxItem]]],
    again: Again = lambda _sender, _report: (),
    until: datetime | None = None,
) -> list[SendReport]:
    """Send a batch from each of several mailboxes, one message at a time: whose slot comes first is next, and of those
    whose slot has come, who had the fewest turns; so no mailbox waits for another's gap. A report for each, in order.

    Where a mailbox's part ends because its inbox must be read, `again` reads it, and says with what to go on. What has
    not gone by `until` stays queued.
    """
    parts = [_Part(sender, items, again) for sender, items in batches]
    try:
        while under_way := [part for part in parts if not part.over]:
            now = parts[0].sender.clock.now()
            part = min(under_way, key=lambda each: (max(each.slot.at, now), each.turns))
            if until and max(part.slot.at, now) >= until:
                break
            _rest(part.sender, part.slot)
            part.go_on()
    finally:
        for part in parts:
            part.end_early()
    return [part.report for part in parts]


def _rest(sender: Sender, slot: Slot) -> None:
    """Until a mailbox's slot has come, or somebody stops it."""
    if slot.at <= sender.clock.now() or sender.stopped():
        return
    sender.waiting(slot.at, slot.reason)
    while not sender.stopped() and (left := (slot.at - sender.clock.now()).total_seconds()) > 0:
        sender.clock.sleep(min(left, _SLICE_SECONDS))


class _Part:
    """One mailbox's part of sending: when it goes on, and in the end what it did."""

    def __init__(self, sender: Sender, items: Sequence[OutboxItem], again: Again) -> None:
        self.sender, self.turns, self.slot = sender, 0, Slot(LONG_AGO)
        self.report, self.over = SendReport(), False
        self._again, self._read_at = again, LONG_AGO
        self._begin(items)

    def _begin(self, items: Sequence[OutboxItem]) -> None:
        self._run = _Run(self.sender)
        self._batch = self._run.batch(items)

    def go_on(self) -> None:
        """One message, or whatever comes before the next wait."""
        self.turns += 1
        try:
            self.slot = next(self._batch)
        except StopIteration as ended:
            self._end(*ended.value)
        except OutreachError as error:
            self._end(error=error)

    def end_early(self) -> None:
        """Leave what has not gone; at a wait no message is in hand."""
        if not self.over:
            self._batch.close()
            self.report = self.report.followed_by(
                SendReport(tuple(self._run.results.values()), tuple(self._run.skipped))
            )
        self.over = True
        self.sender.transport.close()

    def _end(self, reason: str = "", next_at: datetime | None = None, *, error: OutreachError | None = None) -> None:
        self.over = True
        self.sender.transport.close()
        errors = (error,) if error else ()
        done = SendReport(tuple(self._run.results.values()), tuple(self._run.skipped), reason, next_at, errors)
        self.report = self.report.followed_by(done)
        now = self.sender.clock.now()
        if reason != "inbox-stale" or now - self._read_at < _READ_LATELY:
            return
        self._read_at = now
        try:
            items = self._again(self.sender, self.report)
        except OutreachError as failed:
            self.report = replace(self.report, errors=(failed,))  # what was sent until now is reported all the same
            return
        if items:
            self._begin(items)
            self.over = False


LogEntries = Iterable[Mapping[str, Any]]


def recover(store: Store, is_dead: Callable[[str], bool], now: datetime, log: LogEntries = ()) -> list[int]:
    """Free what dead workers left: claims go back to the queue, intents become doubts. The ids of the new doubts."""
    store.claims.expire(now)
    doubts = find_doubts(store, is_dead, now, log)
    for held in store.claims.held(OutboxState.CLAIMED):
        if held.lease_expires_at <= now or is_dead(held.owner):
            store.claims.reap(held, now)
    return doubts


def find_doubts(store: Store, is_dead: Callable[[str], bool], now: datetime, log: LogEntries = ()) -> list[int]:
    """Intents whose worker is dead become doubts, so that whoever looks sees them; their ids. Where the sent log has
    the server's own word on that very try, which the worker noted before it died, there is no doubt: it is sent."""
    dead = [
        held for held in store.claims.held(OutboxState.SENDING) if held.lease_expires_at <= now or is_dead(held.owner)
    ]
    taken = accepted(log) if dead else {}
    for held in dead:
        if held.token in taken:
            _take_its_word(store, held, *taken[held.token])
    return [held.id for held in dead if held.token not in taken and store.claims.reap(held, now)]


def _take_its_word(store: Store, held: Held, at: datetime, text: str) -> None:
    item, result = store.outbox.get(held.id), SendResult(Outcome.ACCEPTED, Phase.DOT, 250, text=text, provider_id=text)
    decision = decide(result, attempts=item.attempts, now=at)
    store.claims.settle(Claim(item, held.token, item.attempts), OutboxState.SENDING, result, decision, at)


class _Run:
    """One run of one sender: what waits, the results so far, and the way of each message.

    Nothing is asked of the store before a claim: the claim asks everything itself, and only where it is refused is the
    reason looked up.
    """

    def __init__(self, sender: Sender) -> None:
        self.sender = sender
        self.store, self.clock, self.transport = sender.store, sender.clock, sender.transport
        self.results: dict[int, Sent] = {}
        self.skipped: list[tuple[OutboxItem, str]] = []
        self._waiting: list[OutboxItem] = []
        self._token = uuid.uuid4().hex
        self._warmed: tuple[date, Limits] | None = None
        self._held: dict[int, Slot] = {}
        """Messages whose turn comes later than that of others, by their id."""
        self._reading: Reading | None = None
        self._intended_at: float | None = None
        """When the newest intent was recorded, by the clock that nobody sets."""
        self._ahead: Claim | None = None
        """The next message, claimed with the intent of the one in hand."""
        self._owed: Answered | None = None
        """What was answered to the message before, to be recorded with the intent of the one in hand."""

    def batch(self, items: Sequence[OutboxItem]) -> Generator[Slot, None, tuple[str, datetime | None]]:
        """Every message, each when its turn has come: stops for the slot of the next, and never with a claim in hand. A
        reason tells why the run ended before that."""
        self._waiting = list(items)
        while self._waiting:
            if self.sender.stopped():
                return "interrupted", None
            if self._clock_was_set():
                return "clock", None
            claim, until, reason = self._take()
            if claim:
                if not self._deliver_all(claim):
                    return "interrupted", None
                yield Slot(self.clock.now())
            if reason in _ENDS:
                return reason, None
            if until is not None:
                if not self._worth_waiting(until):
                    return reason, until if until < UNTIL_FIXED else None
                if until - self.clock.now() > _LINGER:
                    self.transport.close()
                yield Slot(until, reason)
                self._drop_what_is_over()
        return "", None

    def _take(self) -> tuple[Claim | None, datetime | None, str]:
        """The claim of the first message whose turn has come; or until when nobody's has, and why."""
        item, until, reason = self._turn()
        return self._surely(partial(self._claim, item)) if item else (None, until, reason)

    def _deliver_all(self, claim: Claim) -> bool:
        """This message, and those that are claimed with the intent of one before. False: somebody stops the run.

        However it ends, every answer is recorded then, and nothing is in hand.
        """
        self._ahead = claim
        try:
            while self._ahead and not self.sender.stopped():
                following, self._ahead = self._ahead, None
                self._deliver(following)
            return self._ahead is None
        finally:
            self._pay()
            self._let_go()

    # --- whose turn it is -----------------------------------------------------------------------------

    def _clock_was_set(self) -> bool:
        """Whether the wall clock was set since the last look, or since the mailbox's last mail."""
        before, self._reading = self._reading, self.clock.reading()
        if before and not jump(before, self._reading):
            return False
        by = self.store.bookings.mind_clock(self.sender.mailbox.id, self._reading)
        if before or by:
            self.transport.close()
        return bool(before or by)

    def _turn(self) -> tuple[OutboxItem | None, datetime | None, str]:
        """The first message whose turn has come; or until when nobody's has, and why."""
        now = self.clock.now()
        if not self.sender.room():
            return None, None, "disk"
        soonest: Slot | None = None
        for item in self._waiting:
            slot = self._slot(item, now)
            if slot.at <= now:
                return item, None, ""
            soonest = slot if soonest is None or slot.at < soonest.at else soonest
        return (None, soonest.at, soonest.reason) if soonest else (None, None, "")

    def _slot(self, item: OutboxItem, now: datetime) -> Slot:
        """When this message's turn comes, as far as it depends on itself and its recipient."""
        limits, held = self.sender.limits, self._held.get(item.id)
        if held and held.at > now:
            return held
        if item.due_at > now:
            return Slot(item.due_at, "gap" if item.due_at - now <= limits.max_gap else "not-due")
        return _closed(item, limits, now) or Slot(now)

    def _claim(self, item: OutboxItem) -> tuple[Claim | None, datetime | None, str]:
        """Take this message. If something stands in its way that passes: until when, and what it is.

        Asked again with the same token, after the store was lost, it finds its own claim.
        """
        claim = self.store.claims.claim(
            item, self._limits(), token=self._token, owner=self.sender.owner, now=self.clock.now()
        )
        obstacle = "" if claim else self.store.claims.obstacle(item.id, self._limits(), self.clock.now())
        passed_over = obstacle == "inbox-stale" and self.sender.limits.first_steps_pass
        if claim or passed_over or obstacle not in _PASSES | _PASSES_IT_BY | _ENDS:
            self._waiting.remove(item)
        if claim:
            self._token = uuid.uuid4().hex
            return claim, None, ""
        if obstacle in _ENDS and not passed_over:
            return None, None, obstacle
        if obstacle in _PASSES_IT_BY:
            return None, None, self._hold(item, obstacle)
        if obstacle in _PASSES:
            return None, *self._passes()
        self.skipped.append((item, obstacle))
        return None, None, ""

    def _hold(self, item: OutboxItem, obstacle: str) -> str:
        """Remember until when this message waits while others go. Where its time has come already, it is the inbox
        that must be read first: this mailbox's, or another one's that sent the campaign's first mails, for which nobody
        else waits."""
        booked = self.store.bookings.booked(
            self.sender.mailbox.id, self._limits(), [item.campaign_id], self.clock.now()
        )
        canary, domain = canary_until(booked.firsts[item.campaign_id]), item.rcpt_key.rpartition("@")[2]
        until = canary if obstacle == "canary" else booked.domains.get(domain)
        if until and until > self.clock.now():
            self._held[item.id] = Slot(until, obstacle)
            return ""
        if obstacle != "canary":
            return ""
        read_at = self.store.campaigns.mailbox(self.sender.mailbox.address, self.clock.now()).synced_at
        if not canary or not read_at or read_at <= canary - CANARY_WAIT:
            return "inbox-stale"
        self._waiting.remove(item)
        self.skipped.append((item, obstacle))
        return ""

    def _passes(self) -> tuple[datetime | None, str]:
        """When the mailbox is free again, and what it waits for; None where it is free by now."""
        now = self.clock.now()
        mailbox = self.store.campaigns.mailbox(self.sender.mailbox.address, now)
        if mailbox.paused_until and mailbox.paused_until > now:
            return mailbox.paused_until, f"mailbox-paused: {mailbox.pause_reason}"
        slot = next_slot(self.store.bookings.booked(mailbox.id, self._limits(), (), now), self._limits(), now)
        return (slot.at, slot.reason) if slot.at > now else (None, "")

    def _drop_what_is_over(self) -> None:
        """Nobody waits for the mail of a campaign that was stopped meanwhile, or of someone who has answered."""
        live = self.store.outbox.still_queued([item.id for item in self._waiting])
        gone = [item for item in self._waiting if item.id not in live]
        limits, now = self._limits(), self.clock.now()
        self.skipped += [(item, self.store.claims.obstacle(item.id, limits, now)) for item in gone]
        self._waiting = [item for item in self._waiting if item.id in live]

    def _worth_waiting(self, until: datetime) -> bool:
        time = until - self.clock.now()
        return time < DAY if self.sender.wait else time <= self.sender.limits.max_gap

    # --- one message ----------------------------------------------------------------------------------

    def _deliver(self, claim: Claim) -> None:
        """The wire procedure for one claimed message."""
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
                    self._waiting.insert(0, item)  # the next claim finds out what has changed
                    return
                with self.sender.talking():
                    result = self.transport.commit()
                self.sender.at("answered")
        except BaseException:
            # Before the intent nothing can have left; after it only the server knows.
            self.transport.close()
            if intended:
                self._settle(claim, OutboxState.SENDING, _CUT_OFF)
            else:
                self._release(claim)
            raise
        self._settle(claim, OutboxState.SENDING if intended else OutboxState.CLAIMED, result)

    def _intend(self, claim: Claim) -> bool:
        """Record the intent in the log and, behind the fence, in the store. False: no dot may be written."""
        if _closed(claim.item, self.sender.limits, self.clock.now()):
            # A slow server has used up the working hours.
            self.transport.close()
            self.store.claims.release(claim, "", self.clock.now())
            return False
        self._log(claim.item, "intent", token=claim.token)
        self.sender.at("logged")
        reading = self.clock.reading()
        now = reading.wall
        open_ = not _closed(claim.item, self.sender.limits, now) and not jump(self._reading, reading)
        if open_ and self._fence(claim, reading):
            self.sender.at("intended")
            return True
        self.transport.close()
        self._log(claim.item, "void")
        self._release(claim)
        return False

    def _fence(self, claim: Claim, reading: Reading) -> bool:
        """The intent, together with the answer to the message before and the claim of the next."""
        now, before, following = reading.wall, self._owed, self._following(reading)
        next_send_at = now + gap(self.sender.limits, self.sender.chance())
        try:
            intent = self.store.claims.fence(
                claim, self._limits(), now=now, next_send_at=next_send_at, reading=reading,
                before=before, following=following,
            )  # fmt: skip
        except StoreUnavailable:  # without the store's word that the intent is recorded there is no dot
            if following:
                self._release(Claim(following.item, following.token, 0))
            return False
        self._owed = None
        if before:
            self.sender.at("settled")
        self._ahead = intent.following if intent else None
        if self._ahead:
            self._waiting.remove(self._ahead.item)
        return intent is not None

    def _release(self, claim: Claim) -> None:
        self._surely(lambda: self.store.claims.release(claim, "", self.clock.now()))

    def _let_go(self) -> None:
        """The message that was claimed for after this one waits again."""
        ahead, self._ahead = self._ahead, None
        if ahead:
            self._waiting.insert(0, ahead.item)
            self._release(ahead)

    def _settle(self, claim: Claim, came_from: OutboxState, result: SendResult) -> None:
        """Record the outcome: at once, or with the intent of the next message, where that follows without delay."""
        self._pay()
        now = self.clock.now()
        if came_from is OutboxState.SENDING:
            with suppress(StoreError):  # the log has the intent; the outcome is in the store, or a doubt
                self._log(claim.item, _KINDS[result.outcome], result.text, token=claim.token, durable=False)
        decision = self._decide(claim, result, now)
        answered = Answered(claim, came_from, result, decision, now)
        if self._ahead and decision.state is OutboxState.SENT:
            self._owed = answered
            self.sender.at("owed")
            self._tell(answered)
            return
        self._record(answered)
        self._tell(answered)
        self.sender.at("settled")
        self._let_go()

    def _pay(self) -> None:
        """Record the answer that waits for the intent of the next message."""
        owed, self._owed = self._owed, None
        if owed:
            self._record(owed)
            self.sender.at("settled")

    def _record(self, answered: Answered) -> None:
        said = (answered.claim, answered.came_from, answered.result, answered.decision, answered.at)
        self._surely(lambda: self.store.claims.settle(*said), answered.came_from)

    def _decide(self, claim: Claim, result: SendResult, now: datetime) -> Decision:
        if result.outcome is Outcome.ACCEPTED:
            return decide(result, attempts=claim.attempts, now=now)
        return decide(
            result,
            attempts=claim.attempts,
            now=now,
            streak=self.store.claims.streak(claim.item.mailbox_id),
            chance=self.sender.chance(),
            daily_cap=self._limits().daily_cap,
        )

    def _following(self, reading: Reading) -> Wanted | None:
        """The message to claim with the intent of the one in hand, if one follows the other without delay."""
        last, self._intended_at = self._intended_at, reading.steady
        near = last is not None and reading.steady - last <= _NEAR_SECONDS
        if not near or self.sender.limits.paced or self.sender.stopped():
            return None
        item = next((item for item in self._waiting if item.due_at <= reading.wall), None)
        return Wanted(item, self._limits(), uuid.uuid4().hex, self.sender.owner) if item else None

    def _surely(self, record: Callable[[], _Recorded], came_from: OutboxState = OutboxState.CLAIMED) -> _Recorded:
        """What the server answered is recorded, however long something else holds the store, or its disk is full.
        Whatever else is asked of it waits only for a database server that is away, and only until somebody stops it."""
        while True:
            try:
                return record()
            except StoreError as error:
                away = isinstance(error, StoreUnavailable) and not self.sender.stopped()
                if came_from is not OutboxState.SENDING and not away:
                    raise
                if not away and self.sender.spare():
                    continue
                self.sender.waiting(self.clock.now() + _RETRY, f"store-busy: {error}")
                with self.sender.talking():
                    self.clock.sleep(_RETRY.total_seconds())

    def _tell(self, answered: Answered) -> None:
        claim, decision, result = answered.claim, answered.decision, answered.result
        sent = Sent(replace(claim.item, state=decision.state, reason=decision.means), decision, result)
        self.results[claim.item.id] = sent
        if decision.state is OutboxState.QUEUED and self.sender.wait:
            self._waiting.insert(0, replace(claim.item, due_at=decision.retry_at or claim.item.due_at))
        self.sender.narrate(sent)

    def _log(self, item: OutboxItem, kind: str, text: str = "", *, token: str = "", durable: bool = True) -> None:
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
            },
            durable=durable,
        )

    def _limits(self) -> Limits:
        """The limits of today: how far a new mailbox is warmed up changes with the day."""
        now, sender = self.clock.now(), self.sender
        if self._warmed is None or self._warmed[0] != now.date():
            days = self.store.bookings.sent_by_day(sender.mailbox.id) if sender.limits.paced else {}
            self._warmed = now.date(), on_day(sender.limits, sender.mailbox, days, now)
        return self._warmed[1]


_KINDS = {
    Outcome.ACCEPTED: "sent",
    Outcome.DEFERRED: "refused",
    Outcome.REJECTED: "refused",
    Outcome.UNKNOWN: "unknown",
}


def _closed(item: OutboxItem, limits: Limits, now: datetime) -> Slot | None:
    """The next working hours of the recipient, where it is not their hour now."""
    return closed_until(limits, now, zone_info(item.zone) if item.zone else None)


def _check(item: OutboxItem) -> None:
    """The last look at the bytes, just before the socket."""
    faults = check_wire(item.mime, item.rcpt, item.message_id)
    if faults:
        raise StoreError(
            f"message {item.id} is not as it was queued: {'; '.join(faults)}.", hint=f"outreach outbox show {item.id}"
        )
