"""Sends what is queued from one mailbox or several, each at its own pace. One message's way is `flows._sending`."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from outreach.core.pacing import LONG_AGO, Slot
from outreach.core.records import OutboxItem
from outreach.errors import OutreachError
from outreach.flows._sender import Sender, SendReport, Sent
from outreach.flows._sending import Run

__all__ = ["Again", "SendReport", "Sender", "Sent", "send", "send_all"]

_SLICE_SECONDS = 1.0
_READ_LATELY = timedelta(minutes=1)
"""An inbox that is stale so soon after it was read is that of another mailbox, and reading again would not help."""

Again = Callable[[Sender, SendReport], Sequence[OutboxItem]]
"""Reads the inbox of a mailbox anew, and says what is left to send from it."""


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
        self._run = Run(self.sender, items)
        self._batch = self._run.batch()

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
