"""Reads the mailbox: what is new is matched, judged and recorded, with everything that follows from it.

Heads come first: only what may concern us is read whole. Some messages at a time are recorded in one transaction with
all that follows from them, so the reading can stop anywhere and go on. Nothing in the mailbox is changed.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from outreach.core.clock import WRONG_BY
from outreach.core.guards import IN_TOUCH
from outreach.core.inbound import read_mail
from outreach.core.ports import Clock, Cursor, Folder, Inbox, Incoming
from outreach.core.records import Mailbox
from outreach.core.triage import Glance, concerns_us
from outreach.core.verdict import Kind, Verdict
from outreach.flows._judging import Judge, Reader
from outreach.store.consequences import Effects
from outreach.store.mail import Entry
from outreach.store.store import Store

_JUDGED_AT_ONCE = 200
_SKIPPED_AT_ONCE = 500
_BYTES_AT_ONCE = 16_000_000
BEFORE_FIRST_MAIL = WRONG_BY + timedelta(days=1)  # servers count whole days
_SAID = 80
READ_AGAIN = timedelta(days=3)
"""Every sync also looks at the last days for messages that it does not know: some appear late, with old UIDs."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One message that was recorded, for whoever watches. `says` is the beginning of what it says."""

    kind: Kind
    subkind: str
    name: str
    address: str
    says: str


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What came and what it did. `by_kind` counts new messages; `unmatched` those without a link to a mail of ours;
    `again` those known from another folder; `quarantined` those that could not be read whole; `filed` copies of sent
    mails that were put into the Sent folder."""

    fetched: int = 0
    by_kind: Mapping[str, int] = field(default_factory=dict)
    unmatched: int = 0
    again: int = 0
    quarantined: int = 0
    effects: Effects = field(default_factory=Effects)
    filed: int = 0

    def __add__(self, other: "SyncReport") -> "SyncReport":
        """What came in two mailboxes."""
        return SyncReport(
            self.fetched + other.fetched,
            dict(Counter(self.by_kind) + Counter(other.by_kind)),
            self.unmatched + other.unmatched,
            self.again + other.again,
            self.quarantined + other.quarantined,
            self.effects + other.effects,
            self.filed + other.filed,
        )

    def document(self) -> dict[str, Any]:
        """The JSON that scripts rely on."""
        return {
            "fetched": self.fetched,
            "by_kind": {kind.value: self.by_kind.get(kind, 0) for kind in Kind},
            "unmatched": self.unmatched,
            "quarantined": self.quarantined,
            "stopped": {"people": self.effects.people, "companies": self.effects.companies},
            "held": self.effects.held,
            "suppressed": self.effects.suppressed,
            "confirmed": self.effects.confirmed,
            "filed": self.filed,
        }


def sync(
    store: Store,
    inbox: Inbox,
    *,
    mailbox: Mailbox,
    owner_name: str = "",
    own: Collection[str] = (),
    clock: Clock,
    since: datetime | None = None,
    narrate: Callable[[Seen], None] = lambda _seen: None,
    read: Reader = read_mail,
) -> SyncReport:
    """Read every folder of one mailbox to its end. Raises MailboxError where that fails; what was read until then
    stays. `own` are the owner's other addresses; `read` turns bytes into what arrived: a child process may do it for
    large mail."""
    store.suppressions.expire(clock.now())
    run = _Run(store, mailbox, Judge(store, mailbox, owner_name, own), clock, narrate, read)
    try:
        for folder in inbox.folders():
            run.read_folder(inbox, folder, since)
    finally:
        inbox.close()
    store.mail.finish(mailbox.id, clock.now())
    return run.report()


class _Run:
    """One reading of one mailbox."""

    def __init__(
        self,
        store: Store,
        mailbox: Mailbox,
        judge: Judge,
        clock: Clock,
        narrate: Callable[[Seen], None],
        read: Reader,
    ) -> None:
        self._store, self._mailbox, self._clock, self._narrate, self._read = store, mailbox, clock, narrate, read
        self._judge = judge
        first = store.mail.first_sent_at() or clock.now()
        self._start = first - BEFORE_FIRST_MAIL
        self._pending: list[Incoming] = []
        self._glances: dict[bytes, Glance] = {}
        self._whole = self._bytes = 0
        self._kinds: Counter[str] = Counter()
        self._fetched = self._unmatched = self._again = self._quarantined = 0
        self._effects = Effects()

    def read_folder(self, inbox: Inbox, folder: Folder, since: datetime | None) -> None:
        """To its end, or until something breaks: what was read before that is recorded all the same."""
        cursor, known = self._store.mail.position(self._mailbox.id, folder.name)
        if cursor and since:
            cursor = replace(cursor, mark="")  # asked to look again
        try:
            for found in inbox.fetch(folder, cursor, known, since or self._start_of(cursor, folder), self._wanted):
                if isinstance(found, Cursor):
                    self._flush()
                    self._store.mail.reached(self._mailbox.id, found)
                else:
                    self._take(found)
        finally:
            self._flush()

    def _start_of(self, cursor: Cursor | None, folder: Folder) -> datetime:
        """From when on a folder is read. Files have no UIDs: only names tell what is new, so all of it counts. The Sent
        folder also shows to whom the owner wrote before, by hand."""
        if cursor is None and folder.role == "sent":
            return min(self._start, self._clock.now() - IN_TOUCH)
        if cursor is None or not cursor.validity or self._mailbox.synced_at is None:
            return self._start
        return self._mailbox.synced_at - READ_AGAIN

    def _wanted(self, heads: Sequence[bytes]) -> Sequence[bool]:
        """Of some heads, those that may concern us: looked up together."""
        glances = [self._judge.glance(head) for head in heads]
        self._glances = dict(zip(heads, glances, strict=True))
        unsure = [each for each in glances if not each.telling]
        links = self._store.mail.links(
            {one for each in unsure for one in each.ids}, {key for each in unsure for key in each.addresses}
        )
        return [concerns_us(each, links) for each in glances]

    def _take(self, incoming: Incoming) -> None:
        """One message more; some are judged and recorded together."""
        self._pending.append(incoming)
        self._whole += not incoming.skipped
        self._bytes += len(incoming.raw)
        full = self._whole >= _JUDGED_AT_ONCE or self._bytes >= _BYTES_AT_ONCE
        if full or len(self._pending) >= _SKIPPED_AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        pending, self._pending, self._whole, self._bytes = self._pending, [], 0, 0
        entries = iter(self._judge.entries([one for one in pending if not one.skipped], self._read, self._clock.now()))
        batch = [(one, None if one.skipped else next(entries)) for one in pending]
        new, effects = self._store.mail.record(batch, mailbox_id=self._mailbox.id, now=self._clock.now())
        self._effects += effects
        for (incoming, entry), is_new in zip(batch, new, strict=True):
            self._count(incoming, entry, is_new=is_new)

    def _count(self, incoming: Incoming, entry: Entry | None, *, is_new: bool) -> None:
        self._fetched += 1
        if entry is None:
            seen = self._glances.get(incoming.raw) or self._judge.glance(incoming.raw)
            self._kinds[Kind.AUTOMATIC if seen.machine else Kind.UNRELATED] += 1
            self._unmatched += 1
        elif not is_new:
            self._again += 1
        else:
            self._kinds[entry.verdict.kind] += 1
            self._unmatched += entry.match is None and entry.verdict.kind is not Kind.OWN
            self._quarantined += bool(entry.trouble)
            if entry.kept:
                self._narrate(_seen(entry))

    def report(self) -> SyncReport:
        return SyncReport(
            self._fetched, dict(self._kinds), self._unmatched, self._again, self._quarantined, self._effects
        )


def _seen(entry: Entry) -> Seen:
    arrival, verdict = entry.arrival, entry.verdict
    written = verdict.kind is Kind.REPLY or verdict.subkind == "human"
    says = "" if entry.private else " ".join(entry.text.shown.split())[:_SAID] if written else _said(verdict)
    return Seen(verdict.kind, verdict.subkind, arrival.from_name, arrival.from_address, says)


def _said(verdict: Verdict) -> str:
    if verdict.returns_on:
        return f"back on {verdict.returns_on}"
    return str(verdict.failures[0]) if verdict.failures else ""
