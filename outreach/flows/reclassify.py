"""Judges stored mail again after the rules have changed.

It adds stops and suppressions, and lifts none: that needs a person.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from outreach.core.inbound import read_mail
from outreach.core.ports import Clock, Cursor, Folder, Incoming
from outreach.core.records import Mailbox
from outreach.flows._judging import Judge, Reader
from outreach.store.consequences import Effects
from outreach.store.mail import Entry, Stored
from outreach.store.store import Store

_AT_ONCE = 50
_STOPPING = frozenset(
    ("reply", "unsubscribe", "complaint", "bounce/hard", "bounce/closed", "bounce/unknown", "auto_reply/left")
)
_PLACE = Cursor("", "", 0)


@dataclass(frozen=True, slots=True)
class Changed:
    """A message that is now taken for something else. `lifts`: by the new rules alone the person would go on."""

    id: int
    founder: str
    before: str
    after: str
    lifts: bool


@dataclass(frozen=True, slots=True)
class Reclassified:
    """What judging again changed, and what followed from it. `still_unread` could not be read this time either."""

    judged: int
    changed: tuple[Changed, ...]
    still_unread: int
    effects: Effects


def reclassify(
    store: Store,
    *,
    mailbox: Mailbox,
    owner_name: str = "",
    own: Collection[str] = (),
    clock: Clock,
    read: Reader = read_mail,
    dry_run: bool = False,
) -> Reclassified:
    """Every kept message, oldest first. `own` are the owner's other addresses. A dry run tells the same and changes
    nothing."""
    judge = Judge(store, mailbox, owner_name, own)
    judged = unread = 0
    changed: list[Changed] = []
    effects = Effects()
    for stored in _batches(store):
        messages = [_incoming(one) for one in stored]
        for one, entry in zip(stored, judge.entries(messages, read, clock.now()), strict=True):
            judged += 1
            if entry is None:
                continue
            unread += bool(entry.trouble)
            change = _change(one, entry)
            changed += [change] if change else []
            if not dry_run:
                # Whoever the same verdict stopped once, and a person let go on, is not stopped again.
                follow = change is not None or bool(one.trouble and not entry.trouble)
                effects += store.mail.judge_again(one.id, entry, follow=follow, mailbox_id=mailbox.id, now=clock.now())
    return Reclassified(judged, tuple(changed), unread, effects)


def _batches(store: Store) -> Iterator[list[Stored]]:
    last = 0
    while found := store.mail.stored(last, _AT_ONCE):
        yield found
        last = found[-1].id


def _incoming(stored: Stored) -> Incoming:
    """As it came in: only what came in from others has bytes."""
    return Incoming(Folder("INBOX", "inbox"), str(stored.id), stored.raw, stored.received_at, _PLACE)


def _change(stored: Stored, entry: Entry) -> Changed | None:
    before, after = _named(stored.kind, stored.subkind), _named(entry.verdict.kind.value, entry.verdict.subkind)
    if before == after:
        return None
    return Changed(stored.id, stored.founder, before, after, _stops(before) and not _stops(after))


def _named(kind: str, subkind: str) -> str:
    return f"{kind}/{subkind}" if subkind else kind


def _stops(named: str) -> bool:
    return named in _STOPPING or named.partition("/")[0] in _STOPPING
