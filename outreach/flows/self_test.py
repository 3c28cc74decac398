"""Mails the owner once and looks what becomes of it: where it arrives, under which id, and whether a copy comes to lie
in the Sent folder. Nothing is recorded."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import uuid4

from outreach.core.message import build_message
from outreach.core.ports import Clock, Cursor, Envelope, Folder, Inbox, Incoming, Outcome, SendResult, Transport
from outreach.core.records import Draft, Message, Sender

PATIENCE = timedelta(minutes=2)
_LOOKS_EVERY = 5.0
_COPY_TAKES = timedelta(seconds=30)
"""A copy that a provider files by itself is there by then."""
_CLOCKS_DIFFER = timedelta(days=1)
_DRAFT = Draft(
    "A test of your own mailbox",
    "`outreach doctor --self-test` sent this mail, to you alone. It shows how your mail provider treats what you send. "
    "You can delete it.",
)


@dataclass(frozen=True, slots=True)
class SelfTest:
    """What became of the mail. `answer` is the server's; the rest is empty where it was refused. `arrived` is
    None where it did not within `PATIENCE`, `after` how long it took, `copy` what came to lie in the Sent folder."""

    message: Message
    answer: SendResult
    folders: Sequence[Folder] = ()
    arrived: Incoming | None = None
    after: timedelta = timedelta()
    copy: Incoming | None = None

    @property
    def refused(self) -> bool:
        """Whether the server said no; without an answer the mail may come all the same."""
        return self.answer.outcome in (Outcome.REJECTED, Outcome.DEFERRED)


def self_test(transport: Transport, inbox: Inbox, *, sender: Sender, clock: Clock) -> SelfTest:
    """Send one mail to `sender` and watch the inbox for it. Raises MailboxError where that cannot be read. Closes the
    inbox."""
    token, sent_at = f"selftest-{uuid4().hex}", clock.now()
    message = build_message(
        _DRAFT, sender=sender, recipient=sender.address, recipient_name=sender.name, date=sent_at, token=token
    )
    envelope = Envelope(sender.address, sender.address, message.mime)
    answer = transport.stage(envelope) or transport.commit()
    seen = SelfTest(message, answer)
    if seen.refused:
        return seen
    watch = _Watch(inbox, token.encode(), clock)
    try:
        while not watch.is_over():
            clock.sleep(_LOOKS_EVERY)
            watch.look()
    finally:
        inbox.close()
    arrived = watch.found.get("inbox") or watch.found.get("junk")
    return replace(seen, folders=watch.folders, arrived=arrived, after=watch.after, copy=watch.found.get("sent"))


@dataclass
class _Watch:
    """Looks into every folder for the mail with this token, each time only at what is new there."""

    inbox: Inbox
    token: bytes
    clock: Clock
    folders: Sequence[Folder] = ()
    after: timedelta = timedelta()
    """How long it took to arrive."""
    found: dict[str, Incoming] = field(default_factory=dict)
    """role of the folder → the mail as it lies there."""

    def __post_init__(self) -> None:
        self._start = self.clock.now()
        self._cursors: dict[str, Cursor] = {}
        self._seen: dict[str, set[str]] = {}

    def is_over(self) -> bool:
        waited = self.clock.now() - self._start
        has_sent = any(folder.role == "sent" for folder in self.folders)
        complete = "sent" in self.found or waited >= _COPY_TAKES or not has_sent
        return waited >= PATIENCE or bool(self._arrived and complete)

    @property
    def _arrived(self) -> bool:
        return bool({"inbox", "junk"} & self.found.keys())

    def look(self) -> None:
        self.folders = self.inbox.folders()
        for folder in self.folders:
            before = self._arrived
            self._look_into(folder)
            if self._arrived and not before:
                self.after = self.clock.now() - self._start

    def _look_into(self, folder: Folder) -> None:
        seen = self._seen.setdefault(folder.name, set())

        def known(keys: Sequence[str]) -> Collection[str]:
            return seen.intersection(keys)

        def wanted(heads: Sequence[bytes]) -> Sequence[bool]:
            return [self.token in head for head in heads]

        since = self._start - _CLOCKS_DIFFER
        for each in self.inbox.fetch(folder, self._cursors.get(folder.name), known, since, wanted):
            if isinstance(each, Cursor):
                self._cursors[folder.name] = each
                continue
            seen.add(each.key)
            if self.token in each.raw and not each.skipped:
                self.found.setdefault(folder.role, each)
