"""One run of one mailbox: wait for the slot, claim, hand over up to the dot, record the intent, write the dot, settle.

The order is the promise: between the durable intent and the recorded outcome a message is in doubt and stays so, and
nowhere else. No retry loop surrounds the dialogue: a message that may be tried again is a row with a later due time.
"""

import uuid
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import TypeVar

from outreach.core.clock import Reading, jump
from outreach.core.delivery import Decision, decide
from outreach.core.message import check_wire
from outreach.core.pacing import CANARY_WAIT, DAY, UNTIL_FIXED, Limits, Slot, canary_until, gap, next_slot, on_day
from outreach.core.ports import Envelope, Outcome, Phase, SendResult
from outreach.core.records import OutboxItem, OutboxState
from outreach.errors import StoreError, StoreUnavailable
from outreach.flows._sender import Sender, Sent
from outreach.flows._turns import Turns, closed
from outreach.store.claims import Answered, Claim, Wanted

_PASSES = frozenset(("", "mailbox-paused", "gap", "hourly-cap", "daily-cap", "mailbox-ceiling"))
"""Obstacles of the mailbox that time removes, or that are gone already: the run waits for them, or ends with them."""
_PASSES_IT_BY = frozenset(("domain-gap", "domain-paused", "canary"))
"""Obstacles of one message that time removes: meanwhile others go."""
_ENDS = frozenset(("inbox-stale", "disk", "clock", "gmail-ceiling"))
"""What ends a run at once: somebody must act, or the plan must be made afresh."""
_Recorded = TypeVar("_Recorded")
_RETRY = timedelta(seconds=1)
_CUT_OFF = SendResult(Outcome.UNKNOWN, Phase.DOT, text="interrupted before the server's answer was read")
_LINGER = timedelta(seconds=20)
"""A connection is kept for the next mail only if that mail is this near."""
_NEAR_SECONDS = 0.05
"""An answer waits for the next message's intent only where one message follows the other so quickly. With a slower
server commits cost next to nothing, and an answer that waits could be lost to a crash."""


class Run:
    """What waits, the results so far, and the way of each message.

    Nothing is asked of the store before a claim: the claim asks everything itself, and only where it is refused is the
    reason looked up.
    """

    def __init__(self, sender: Sender, items: Sequence[OutboxItem]) -> None:
        self.sender = sender
        self.store, self.clock, self.transport = sender.store, sender.clock, sender.transport
        self.results: dict[int, Sent] = {}
        self.skipped: list[tuple[OutboxItem, str]] = []
        self._turns = Turns(items, sender.limits)
        self._token = uuid.uuid4().hex
        self._warmed: tuple[date, Limits] | None = None
        self._reading: Reading | None = None
        self._intended_at: float | None = None
        """When the newest intent was recorded, by the clock that nobody sets."""
        self._ahead: Claim | None = None
        """The next message, claimed with the intent of the one in hand."""
        self._owed: Answered | None = None
        """What was answered to the message before, to be recorded with the intent of the one in hand."""

    def batch(self) -> Generator[Slot, None, tuple[str, datetime | None]]:
        """Every message, each when its turn has come: stops for the slot of the next, and never with a claim in hand. A
        reason tells why the run ended before that."""
        while self._turns:
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
        if not self.sender.room():
            return None, None, "disk"
        item, slot = self._turns.first(self.clock.now())
        return self._surely(partial(self._claim, item)) if item else (None, slot.at, slot.reason)

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
            self._turns.take(item)
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
            self._turns.hold(item, Slot(until, obstacle))
            return ""
        if obstacle != "canary":
            return ""
        read_at = self.store.campaigns.mailbox(self.sender.mailbox.address, self.clock.now()).synced_at
        if not canary or not read_at or read_at <= canary - CANARY_WAIT:
            return "inbox-stale"
        self._turns.take(item)
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
        gone = self._turns.keep(self.store.outbox.still_queued(self._turns.ids()))
        limits, now = self._limits(), self.clock.now()
        self.skipped += [(item, self.store.claims.obstacle(item.id, limits, now)) for item in gone]

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
                    self._turns.put_back(item)  # the next claim finds out what has changed
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
        if closed(claim.item, self.sender.limits, self.clock.now()):
            # A slow server has used up the working hours.
            self.transport.close()
            self.store.claims.release(claim, "", self.clock.now())
            return False
        self._log(claim.item, "intent", token=claim.token)
        self.sender.at("logged")
        reading = self.clock.reading()
        now = reading.wall
        open_ = not closed(claim.item, self.sender.limits, now) and not jump(self._reading, reading)
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
            self._turns.take(self._ahead.item)
        return intent is not None

    def _release(self, claim: Claim) -> None:
        self._surely(lambda: self.store.claims.release(claim, "", self.clock.now()))

    def _let_go(self) -> None:
        """The message that was claimed for after this one waits again."""
        ahead, self._ahead = self._ahead, None
        if ahead:
            self._turns.put_back(ahead.item)
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
        item = self._turns.due(reading.wall)
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
            self._turns.put_back(replace(claim.item, due_at=decision.retry_at or claim.item.due_at))
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


def _check(item: OutboxItem) -> None:
    """The last look at the bytes, just before the socket."""
    faults = check_wire(item.mime, item.rcpt, item.message_id)
    if faults:
        raise StoreError(
            f"message {item.id} is not as it was queued: {'; '.join(faults)}.", hint=f"outreach outbox show {item.id}"
        )
