"""Reads the mailbox: what is new is matched, judged and recorded, with everything that follows from it.

Each message is one transaction, so the reading can stop anywhere and go on. Nothing in the mailbox is changed.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from outreach.core.classify import is_report
from outreach.core.inbound import read_mail
from outreach.core.judge import Owner, judge
from outreach.core.matching import Match, clues_of, find_match
from outreach.core.message import read_draft
from outreach.core.normalize import address_key
from outreach.core.ports import Clock, Cursor, Inbox, Incoming
from outreach.core.records import Mailbox
from outreach.core.verdict import Kind, Verdict
from outreach.store.consequences import Effects
from outreach.store.mail import Entry
from outreach.store.store import Store

BEFORE_FIRST_MAIL = timedelta(days=1)
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
    `again` those known from another folder; `quarantined` those that could not be read whole."""

    fetched: int = 0
    by_kind: Mapping[str, int] = field(default_factory=dict)
    unmatched: int = 0
    again: int = 0
    quarantined: int = 0
    effects: Effects = field(default_factory=Effects)

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
        }


def sync(
    store: Store,
    inbox: Inbox,
    *,
    mailbox: Mailbox,
    owner_name: str = "",
    clock: Clock,
    since: datetime | None = None,
    narrate: Callable[[Seen], None] = lambda _seen: None,
) -> SyncReport:
    """Read every folder to its end. Raises MailboxError where that fails; what was read until then stays."""
    run = _Run(store, mailbox, owner_name, clock, narrate)
    try:
        for folder in inbox.folders():
            cursor, known = store.mail.position(mailbox.id, folder.name)
            for incoming in inbox.fetch(folder, cursor, known, since or run.start_of(cursor)):
                run.take(incoming)
    finally:
        inbox.close()
    store.mail.finish(mailbox.id, clock.now())
    return run.report()


class _Run:
    """One reading of one mailbox."""

    def __init__(
        self, store: Store, mailbox: Mailbox, owner_name: str, clock: Clock, narrate: Callable[[Seen], None]
    ) -> None:
        self._store, self._mailbox, self._clock, self._narrate = store, mailbox, clock, narrate
        names = (owner_name, mailbox.address)
        self._owner = Owner(frozenset((address_key(mailbox.address),)), tuple(name for name in names if name))
        first = store.mail.first_sent_at(mailbox.id) or clock.now()
        self._start = first - BEFORE_FIRST_MAIL
        self._kinds: Counter[str] = Counter()
        self._fetched = self._unmatched = self._again = self._quarantined = 0
        self._effects = Effects()

    def start_of(self, cursor: Cursor | None) -> datetime:
        """From when on a folder is read. A Maildir has no UIDs: only names tell what is new, so all of it counts."""
        if cursor is None or not cursor.validity or self._mailbox.synced_at is None:
            return self._start
        return self._mailbox.synced_at - READ_AGAIN

    def take(self, incoming: Incoming) -> None:
        """One message: judge it, record it, count it."""
        now = self._clock.now()
        entry = self._judged(incoming, now)
        effects = self._store.mail.record(entry, incoming, mailbox_id=self._mailbox.id, now=now)
        self._fetched += 1
        if effects is None:
            self._again += 1
            return
        self._effects += effects
        self._kinds[entry.verdict.kind] += 1
        self._unmatched += entry.match is None and entry.verdict.kind is not Kind.OWN
        self._quarantined += bool(entry.trouble)
        if entry.kept:
            self._narrate(_seen(entry))

    def report(self) -> SyncReport:
        return SyncReport(
            self._fetched, dict(self._kinds), self._unmatched, self._again, self._quarantined, self._effects
        )

    def _judged(self, incoming: Incoming, now: datetime) -> Entry:
        arrival = read_mail(incoming.raw, incoming.received_at)
        clues = clues_of(arrival, report=is_report(arrival), own=self._owner.addresses)
        match = find_match(clues, self._store.mail.find(clues), arrival.sent_at)
        judged = judge(arrival, match, self._sent_texts(match), owner=self._owner, folder=incoming.folder.role, now=now)
        trouble = incoming.trouble or judged.trouble
        return Entry(
            arrival=arrival,
            verdict=judged.verdict,
            match=match,
            text=judged.text,
            consequences=judged.consequences,
            kept=judged.kept or bool(trouble),
            private=judged.private,
            trouble=trouble,
        )

    def _sent_texts(self, match: Match | None) -> list[str]:
        return [read_draft(mime).text for mime in self._store.mail.sent_bytes(match.founder_id)] if match else []


def _seen(entry: Entry) -> Seen:
    arrival, verdict = entry.arrival, entry.verdict
    written = verdict.kind is Kind.REPLY or verdict.subkind == "human"
    says = "" if entry.private else " ".join(entry.text.shown.split())[:_SAID] if written else _said(verdict)
    return Seen(verdict.kind, verdict.subkind, arrival.from_name, arrival.from_address, says)


def _said(verdict: Verdict) -> str:
    if verdict.returns_on:
        return f"back on {verdict.returns_on}"
    return str(verdict.failures[0]) if verdict.failures else ""
