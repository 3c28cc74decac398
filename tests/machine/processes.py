"""Processes that can die, and the mail provider they all talk to: what the state machine of `test_model` is made of.

A process is the program's own flows on the one store, through a database, a log and a line to the server that answer
only while it lives. Once it is killed, nothing of it runs: no handler frees its claim, no log gets another line.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email import message_from_bytes
from typing import Any

import sqlalchemy as sa

from outreach.core.ports import (
    Cursor,
    Envelope,
    Folder,
    Incoming,
    Known,
    Outcome,
    Phase,
    SendResult,
    Triage,
    everything,
)
from outreach.store.database import Database
from outreach.store.journal import Journal

ACCEPTED = SendResult(Outcome.ACCEPTED, Phase.DOT, 250, "2.0.0", "queued")
_UNHEARD = SendResult(Outcome.UNKNOWN, Phase.DOT, text="the connection was lost")
BEFORE_THE_DOT = {
    "unreachable": SendResult(Outcome.DEFERRED, Phase.CONNECT, text="connection refused"),
    "too many at once": SendResult(Outcome.DEFERRED, Phase.CONNECT, 421, "4.7.0", "too many connections"),
    "wrong password": SendResult(Outcome.REJECTED, Phase.AUTH, 535, "5.7.8", "bad credentials"),
    "quota": SendResult(Outcome.REJECTED, Phase.MAIL, 550, "5.4.5", "daily sending quota exceeded"),
    "greylisted": SendResult(Outcome.DEFERRED, Phase.RCPT, 450, "4.7.1", "greylisted"),
    "mailbox full": SendResult(Outcome.DEFERRED, Phase.RCPT, 452, "4.2.2", "mailbox full"),
    "user unknown": SendResult(Outcome.REJECTED, Phase.RCPT, 550, "5.1.1", "user unknown"),
    "odd refusal": SendResult(Outcome.REJECTED, Phase.RCPT, 571, "", "no"),
    "connection lost": SendResult(Outcome.DEFERRED, Phase.BODY, text="the connection was lost"),
}
AT_THE_DOT = {
    "spam": SendResult(Outcome.REJECTED, Phase.DOT, 550, "5.7.1", "this looks like spam"),
    "unsolicited": SendResult(Outcome.DEFERRED, Phase.DOT, 421, "4.7.28", "unusual rate of unsolicited mail"),
    "later": SendResult(Outcome.DEFERRED, Phase.DOT, 451, "4.3.0", "try again later"),
}
TAKEN, TAKEN_UNHEARD, TAKEN_CUT = "taken", "taken, the answer is lost", "taken, Ctrl-C before the answer"
UNHEARD, CUT = "not taken, no answer", "not taken, Ctrl-C"
ANSWERS = (TAKEN, TAKEN_UNHEARD, TAKEN_CUT, UNHEARD, CUT, *BEFORE_THE_DOT, *AT_THE_DOT)
KILLS = ("claimed", "staged", "logged", "intended", "taken", "answered", "owed", "settled", "commit", "committed",
         "journal", "journaled")  # fmt: skip


class Killed(BaseException):
    """kill -9: of the dying process nothing is carried out any more."""


@dataclass
class Life:
    """One process. It dies at the so-manieth of a labelled point; `then` is what else happens at the points where the
    sender holds no transaction."""

    name: str
    label: str = ""
    left: int = 0
    then: Callable[[str], None] = lambda _label: None
    dead: bool = False

    def at(self, label: str) -> None:
        """A step of the sender."""
        self.tick(label)
        self.then(label)
        self.alive()

    def tick(self, label: str) -> None:
        self.alive()
        if label == self.label:
            self.left -= 1
            if self.left == 0:
                self.dead = True
                self.alive()

    def alive(self) -> None:
        if self.dead:
            raise Killed(self.name)


class MortalDatabase(Database):
    """The shared store, as a process reaches it."""

    def __init__(self, shared: Database, life: Life) -> None:
        self.server, self.path, self.engine, self._reached = "", None, shared.engine, True
        self._life = life

    @contextmanager
    def connection(self) -> Iterator[sa.Connection]:
        self._life.alive()
        with super().connection() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        with super().write() as connection:
            yield connection
            self._life.tick("commit")
        self._life.tick("committed")


class Log(Journal):
    """An append-only file that is kept in memory, as a process reaches it."""

    def __init__(self, lines: list[dict[str, Any]], life: Life) -> None:
        self.lines, self._life = lines, life

    def record(self, entry: Mapping[str, Any], *, durable: bool = True) -> None:  # noqa: ARG002  memory is as durable as it gets
        self._life.tick("journal")
        self.lines.append(dict(entry))
        self._life.tick("journaled")

    def entries(self) -> Iterator[dict[str, Any]]:
        yield from self.lines


@dataclass(frozen=True)
class Taken:
    """A mail that the server took. `at` is true time: nobody sets the server's clock."""

    message_id: str
    sender: str
    rcpt: str
    step: int
    campaign: str
    raw: bytes
    at: datetime


@dataclass
class Provider:
    """The mail server with our mailboxes. It files what it takes in the sender's Sent folder."""

    true_time: Callable[[], datetime]
    ledger: list[Taken] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    """Message-IDs whose dot got a valid refusal."""
    arrived: list[tuple[str, str, bytes, datetime]] = field(default_factory=list)
    """In whose mailbox, in which folder, what, and when."""

    def take(self, mail: Taken) -> None:
        self.ledger.append(mail)
        self.arrive(mail.sender, mail.raw, "sent")

    def arrive(self, owner: str, raw: bytes, role: str = "inbox") -> None:
        self.arrived.append((owner, role, raw, self.true_time()))


@dataclass
class Line:
    """A process's line to the server. `judge` looks at every mail before its dot, and is told the answer to come."""

    provider: Provider
    life: Life
    answers: list[str]
    judge: Callable[[Life, Taken, str], None]
    find: Callable[[str], tuple[int, str]]
    """Message-ID → step and campaign."""
    staged: Taken | None = None

    def stage(self, envelope: Envelope) -> SendResult | None:
        self.life.alive()
        answer = self.answers[0] if self.answers else TAKEN
        if answer in BEFORE_THE_DOT:
            self.answers.pop(0)
            return BEFORE_THE_DOT[answer]
        message_id = str(message_from_bytes(envelope.mime)["Message-ID"])
        step, campaign = self.find(message_id)
        sender, rcpt, raw = envelope.mail_from, envelope.rcpt_to, envelope.mime
        self.staged = Taken(message_id, sender, rcpt, step, campaign, raw, self.provider.true_time())
        return None

    def commit(self) -> SendResult:
        self.life.alive()
        assert self.staged, "a dot without a mail"
        mail, self.staged = replace(self.staged, at=self.provider.true_time()), None
        answer = self.answers.pop(0) if self.answers else TAKEN
        self.judge(self.life, mail, answer)
        if answer in AT_THE_DOT:
            self.provider.refused.append(mail.message_id)
            return AT_THE_DOT[answer]
        if answer in (TAKEN, TAKEN_UNHEARD, TAKEN_CUT):
            self.provider.take(mail)
        self.life.tick("taken")
        if answer in (TAKEN_CUT, CUT):
            raise KeyboardInterrupt
        return ACCEPTED if answer == TAKEN else _UNHEARD

    def close(self) -> None:
        self.staged = None


@dataclass(frozen=True)
class Post:
    """A mailbox at the provider, as an inbox."""

    provider: Provider
    owner: str

    def folders(self) -> Sequence[Folder]:
        return (Folder("Sent", "sent"), Folder("INBOX", "inbox"))

    def fetch(
        self,
        folder: Folder,
        cursor: Cursor | None,  # noqa: ARG002  names tell what is new, as in a Maildir
        known: Known,
        since: datetime,
        wanted: Triage = everything,
    ) -> Iterator[Incoming | Cursor]:
        place = Cursor(folder.name, "", 0)
        here = {
            str(number): (raw, at)
            for number, (owner, role, raw, at) in enumerate(self.provider.arrived)
            if (owner, role) == (self.owner, folder.role) and at >= since
        }
        old = set(known(list(here)))
        fresh = [key for key in here if key not in old]
        chosen = wanted([here[key][0] for key in fresh])
        for key, whole in zip(fresh, chosen, strict=True):
            raw, at = here[key]
            yield Incoming(folder, key, raw, at, place, skipped=not whole)
        yield place

    def close(self) -> None:
        """Nothing is held open."""


def holds(times: Sequence[datetime], span: timedelta, most: int) -> bool:
    """Whether a cap holds: no window of this length has more."""
    ordered = sorted(times)
    return all(later - first >= span for first, later in zip(ordered, ordered[most:], strict=False))
