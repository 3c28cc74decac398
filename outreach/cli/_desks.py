"""The mailboxes that a run sends from: one at a time locked, connected and read. One that cannot be used keeps its own
people waiting, and nobody else's."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from outreach.cli._output import count, in_words, is_terminal, of, say
from outreach.errors import MailboxError, OutreachError

if TYPE_CHECKING:
    from outreach.bootstrap import App
    from outreach.cli._signals import Signals
    from outreach.core.ports import Transport
    from outreach.core.records import OutboxItem
    from outreach.flows.enqueue import Conditions, Plan
    from outreach.flows.send import Sender, SendReport, Sent


FromMailbox = Annotated[str, typer.Option("--mailbox", metavar="NAME", help="Only from this mailbox.")]


@dataclass(frozen=True, slots=True)
class Desks:
    """The mailboxes, the way out of each that can be used, and why another cannot; both by the store's id."""

    boxes: "Sequence[App]"
    transports: "dict[int, Transport]" = field(default_factory=dict)
    faults: dict[int, str] = field(default_factory=dict)

    def conditions(self, *, wait: bool = False, paced: bool = True, approved_only: bool = False) -> "list[Conditions]":
        """Under which each of them would send now."""
        return [
            replace(
                box.conditions(wait=wait, paced=paced),
                approved_only=approved_only,
                unusable=self.faults.get(box.mailbox_id, ""),
            )
            for box in self.boxes
        ]


@contextmanager
def locked(boxes: "Sequence[App]") -> Iterator[None]:
    """Only one `send` at a time from each of these."""
    with ExitStack() as stack:
        for box in boxes:
            stack.enter_context(box.sending())
        yield


@contextmanager
def connected(boxes: "Sequence[App]") -> "Iterator[Desks]":
    """Each mailbox with its way out, found to work. Raises MailboxError where none does."""
    desks = Desks(boxes)
    failed: list[MailboxError] = []
    with ExitStack() as stack:
        for box in boxes:
            try:
                desks.transports[box.mailbox_id] = stack.enter_context(box.connected())
            except MailboxError as error:
                failed.append(error)
                desks.faults[box.mailbox_id] = plain(error)
            else:
                box.lift_login_pause()
        if len(failed) == len(boxes):
            raise failed[0]
        yield desks


class Unread(NamedTuple):
    """The names of the mailboxes whose inbox could not be read, and why those of them that are to send may not; by the
    store's id."""

    names: frozenset[str] = frozenset()
    faults: "Mapping[int, str]" = MappingProxyType({})


def read_answers(app: "App", sending: "Sequence[App]", tell: Callable[[str], None] = say) -> Unread:
    """Answers are read before anything is written, in every mailbox, so that nobody who answered anywhere is written to
    again; `tell` hears what could not be read. Raises MailboxError where none of those that are to send may."""
    from outreach.cli.sync import read_all, read_inbox

    for box in sending:
        if not box.reads_inbox:
            tell(
                f"no inbox is set{of(box)}: first mails go, follow-ups do not, since nobody could know who has answered"
            )
    if not any(box.reads_inbox for box in app.boxes):
        return Unread()
    try:
        failed = read_all(app, read_inbox)
    except MailboxError as error:
        failed = {box.name: error for box in app.boxes if box.reads_inbox}
    kept = [box for box in sending if box.name in failed and not box.limits.first_steps_pass]
    if kept and len(kept) == len(sending):
        raise failed[kept[0].name]
    for box in app.boxes:
        if box.name in failed:
            tell(f"{failed[box.name]} {_meanwhile(box, kept, sending)}")
    faults = {box.mailbox_id: f"its inbox cannot be read, {plain(failed[box.name])}" for box in kept}
    return Unread(frozenset(failed), faults)


def _meanwhile(box: "App", kept: "Sequence[App]", sending: "Sequence[App]") -> str:
    if box in kept:
        return f"Nothing goes from {box.name} meanwhile."
    if box in sending:
        return "First mails go all the same, as your settings say; follow-ups wait."
    return f"Who answered to {box.name} is not known."


def send_plan(
    app: "App",
    desks: Desks,
    found: "Plan",
    conditions: "Sequence[Conditions]",
    signals: "Signals",
    *,
    until: datetime | None = None,
) -> "SendReport":
    """Queue the confirmed mails and send them, those that can go by `until`; the inboxes are read again whenever one
    has grown stale meanwhile."""
    from outreach.flows.enqueue import enqueue
    from outreach.flows.send import SendReport, send_all

    paced = all(each.limits.paced for each in conditions)
    items = enqueue(app.store, found, app.clock.now(), paced=paced)
    app.at("queued")
    if len(items) < found.size:
        say(f"{count(found.size - len(items), 'mail')} left out: something changed since they were planned")
    progress = _Progress(app, len(items))
    boxes = {box.mailbox_id: box for box in desks.boxes}
    senders = [
        _sender(boxes[each.mailbox.id], desks.transports[each.mailbox.id], each, signals, progress)
        for each in conditions
        if each.mailbox.id in desks.transports
    ]
    batches = [(sender, [item for item in items if item.mailbox_id == sender.mailbox.id]) for sender in senders]

    def again(sender: "Sender", report: "SendReport") -> "Sequence[OutboxItem]":
        read_answers(app, [boxes[sender.mailbox.id]])
        mine = [item for item in items if item.mailbox_id == sender.mailbox.id]
        return _left(app, mine, report, wait=sender.wait)

    try:
        report, *others = send_all(batches, again, until)
    except KeyboardInterrupt:  # the second one: what has become of each mail until then is recorded, and told
        return SendReport(tuple(progress.results.values()), reason="interrupted")
    for other in others:
        report = report.beside(other)
    return report


def _sender(
    box: "App",
    transport: "Transport",
    conditions: "Conditions",
    signals: "Signals",
    narrate: "Callable[[Sent], None]",
) -> "Sender":
    from outreach.flows.send import Sender

    return Sender(
        store=box.store,
        transport=transport,
        mailbox=conditions.mailbox,
        limits=conditions.limits,
        clock=box.clock,
        journal=box.journal,
        owner=box.owner,
        chance=box.chance,
        wait=conditions.wait,
        room=box.has_room,
        spare=box.give_up_room,
        stopped=signals.asked,
        talking=signals.talking,
        narrate=narrate,
        waiting=lambda until, reason: _say_waiting(box, until, reason),
        at=box.at,
    )


def _left(app: "App", items: "Sequence[OutboxItem]", report: "SendReport", *, wait: bool) -> "Sequence[OutboxItem]":
    """What this run has not dealt with; with `wait` also what it is to try again."""
    from outreach.core.records import OutboxState

    done = {sent.item.id for sent in report.results if not (wait and sent.decision.state is OutboxState.QUEUED)}
    done |= {item.id for item, _ in report.skipped}
    left = [item.id for item in items if item.id not in done]
    return app.store.outbox.items(states=[OutboxState.QUEUED], ids=left) if left else []


class _Progress:
    """One line per mail. `results` is what became of each."""

    def __init__(self, app: "App", total: int) -> None:
        self._total = total
        self.results: dict[int, Sent] = {}
        self._names = {box.mailbox_id: of(box, "from") for box in app.boxes}

    def __call__(self, sent: "Sent") -> None:
        self.results[sent.item.id] = sent
        item, why = sent.item, f": {sent.item.reason}" if sent.item.reason else ""
        said = f"{sent.result.code or ''} {sent.result.text}".strip()
        words = f" ({said})" if why and sent.result.text else ""
        say(
            f"[{len(self.results)}/{self._total}] {sent.decision.state}  {item.founder} <{item.rcpt}>, step {item.step}"
            f"{self._names.get(item.mailbox_id, '')}{why}{words}"
        )


def _say_waiting(box: "App", until: datetime, reason: str) -> None:
    """Short gaps pass in silence unless someone watches; anything longer is said."""
    if reason != "gap" or (is_terminal(sys.stderr) and box.clock_is_real):
        say(f"waiting until {until.astimezone(box.settings.zone):%H:%M:%S}{of(box)} ({in_words(reason)})")


def plain(error: OutreachError) -> str:
    """What happened, as part of a line of our own."""
    return str(error).partition("\n")[0].rstrip(".")
