"""From bytes to an entry of the reply log: what sync and reclassify share."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from functools import cached_property

from outreach.core.bounces import report_rule
from outreach.core.classify import is_report
from outreach.core.inbound import Arrival
from outreach.core.judge import Owner, judge
from outreach.core.matching import Clues, Match, clues_of, find_match
from outreach.core.message import read_draft
from outreach.core.normalize import address_key
from outreach.core.ports import Incoming
from outreach.core.records import Mailbox
from outreach.core.triage import Glance, Sent, glance
from outreach.store.mail import Entry
from outreach.store.store import Store

Reader = Callable[[bytes, datetime], Arrival]


class Judge:
    """What one mailbox's owner, and what they sent, make of a message. `own` are their other addresses."""

    def __init__(self, store: Store, mailbox: Mailbox, owner_name: str, own: Collection[str] = ()) -> None:
        names = (owner_name, mailbox.address)
        addresses = frozenset(address_key(address) for address in (mailbox.address, *own))
        self._store = store
        self._owner = Owner(addresses, tuple(name for name in names if name))

    @cached_property
    def sent(self) -> Sent:
        return self._store.mail.all_sent()

    def glance(self, head: bytes) -> Glance:
        return glance(head, self._owner.addresses, self.sent)

    def clues(self, arrival: Arrival, *, report: bool) -> Clues:
        return clues_of(arrival, report=report, own=self._owner.addresses)

    def entries(self, messages: Sequence[Incoming], read: Reader, now: datetime) -> list[Entry | None]:
        """What each of these messages is. What they may be about is looked up for all of them together. None: it is
        from somebody who was erased, or reports on a mail to them, and nothing of it is kept."""
        arrivals = [read(incoming.raw, incoming.received_at) for incoming in messages]
        rules = [report_rule(arrival) for arrival in arrivals]
        clues = [
            self.clues(arrival, report=is_report(arrival, rule)) for arrival, rule in zip(arrivals, rules, strict=True)
        ]
        erased = self._store.erasures.known()
        passed = [
            erased.has_address(one.from_address) or any(erased.has_address(clue.value) for clue in each.recipients)
            for one, each in zip(arrivals, clues, strict=True)
        ]
        found = self._store.mail.find(clues)
        matches = [find_match(each, found, one.sent_at) for each, one in zip(clues, arrivals, strict=True)]
        texts = self._store.mail.sent_bytes({match.founder_id for match in matches if match})
        return [
            None
            if erases
            else self._entry(
                incoming, arrival, match, [read_draft(mime).text for mime in texts.get(_founder(match), ())], rule, now
            )
            for incoming, arrival, match, rule, erases in zip(messages, arrivals, matches, rules, passed, strict=True)
        ]

    def _entry(
        self, incoming: Incoming, arrival: Arrival, match: Match | None, texts: Sequence[str], rule: str, now: datetime
    ) -> Entry:
        judged = judge(arrival, match, texts, owner=self._owner, folder=incoming.folder.role, now=now, report=rule)
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
            guess=judged.guess,
        )


def _founder(match: Match | None) -> int:
    return match.founder_id if match else 0
