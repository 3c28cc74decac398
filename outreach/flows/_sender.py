"""What a sending run needs from outside, and what it says in the end."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime

from outreach.core.delivery import Decision
from outreach.core.pacing import LONG_AGO, Limits
from outreach.core.ports import Clock, SendResult, Transport
from outreach.core.records import Mailbox, OutboxItem, OutboxState
from outreach.errors import OutreachError
from outreach.store.journal import Recorder
from outreach.store.store import Store


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
