"""The sockets that adapters plug into, and what crosses them. At most three methods each.

A module in `importers/`, `transports/` or `inboxes/` is the plugin; its name is its file's name.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from outreach.core.quick import record
from outreach.core.records import Lead, RowError

# --- time -----------------------------------------------------------------------------------------


class Clock(Protocol):
    """The only source of time. A test's or the demo's clock moves when it is asked to sleep."""

    def now(self) -> datetime:
        """Aware, UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        ...


# --- importers ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TableHead:
    """What an importer sees before it claims a file: the header cells in order, tidied, and the file's name."""

    headers: tuple[str, ...]
    file_name: str


@record
class Row:
    """One record of a table. `line` is where it starts; `cells` are keyed by the tidied header."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Mapped:
    """field → header, as it will be used, and what the user should know about it."""

    columns: Mapping[str, str]
    notes: tuple[str, ...] = ()


class Importer(Protocol):
    """One format of startup list. `name` is what `--format` takes; `row_limit`: its maker cuts exports there, or 0."""

    name: str
    row_limit: int

    def claims(self, head: TableHead) -> bool:
        """Whether this is the importer's format, judged by the header alone."""
        ...

    def mapping(self, head: TableHead, overrides: Mapping[str, str]) -> Mapped:
        """Which column holds which field; `overrides` are the user's `--map field=Header`."""
        ...

    def reader(self, columns: Mapping[str, str], headers: Sequence[str]) -> Callable[[Row], Lead | RowError]:
        """What turns the rows of one file, in their order, into what they say. Never raises for bad data."""
        ...


# --- transports -----------------------------------------------------------------------------------


class Outcome(StrEnum):
    """What became of one message at the server."""

    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


class Phase(StrEnum):
    """How far the SMTP dialogue had come (RFC 5321)."""

    CONNECT = "connect"
    TLS = "tls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BODY = "body"
    DOT = "dot"


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a transport carries: MAIL FROM, exactly one RCPT TO, and the message bytes."""

    mail_from: str
    rcpt_to: str
    mime: bytes


@dataclass(frozen=True, slots=True)
class SendResult:
    """The server's answer. `code` is 0 where none came; `text` is the server's own words, capped."""

    outcome: Outcome
    phase: Phase
    code: int = 0
    enhanced: str = ""
    text: str = ""
    provider_id: str = ""


class Transport(Protocol):
    """A way out. Two steps, so that the intent can be recorded just before the final dot.

    `stage` never delivers; `commit` delivers the staged message, once. Neither raises for what a server does.
    """

    def stage(self, envelope: Envelope) -> SendResult | None:
        """Everything up to the dot. None: staged. A result: it ended before anything could be delivered."""
        ...

    def commit(self) -> SendResult:
        """The dot and its reply. UNKNOWN where no valid reply came."""
        ...

    def close(self) -> None:
        """Drop what is staged and leave; never raises."""
        ...


# --- inboxes --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a folder has been read. `validity` is IMAP's UIDVALIDITY (RFC 9051 2.3.1.1), empty for files; `mark` is
    what the folder looked like when it was read to its end: an adapter's own, to see at once that nothing is new."""

    folder: str
    validity: str
    last_uid: int
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Folder:
    """A mail folder. `role` is inbox, junk or sent (RFC 6154)."""

    name: str
    role: str


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message as it lies in a folder. `key` names it there: an IMAP UID, or a name in a folder or file."""

    folder: Folder
    key: str
    raw: bytes
    received_at: datetime
    cursor: Cursor
    trouble: str = ""
    """Why it could not be read whole; then `raw` is what could be had."""
    skipped: bool = False
    """Its head told that it cannot concern us; `raw` is that head alone."""


ORDER = ("sent", "inbox", "junk")
"""In which folders are read: what we sent first, because answers name it."""

Known = Callable[[Sequence[str]], Collection[str]]
"""Which of these keys are known already, under the cursor's validity."""

Wanted = Callable[[Sequence[bytes]], Sequence[bool]]
"""For the heads of some messages: which of them are to be read whole."""


def everything(heads: Sequence[bytes]) -> Sequence[bool]:
    """Wants all messages."""
    return [True] * len(heads)


class Inbox(Protocol):
    """A mailbox to read, never to change: no flag set, nothing moved, nothing marked as read."""

    def folders(self) -> Sequence[Folder]:
        """The folders that matter: sent, inbox, junk. Raises MailboxError if the server can't be used."""
        ...

    def fetch(
        self, folder: Folder, cursor: Cursor | None, known: Known, since: datetime, wanted: Wanted = everything
    ) -> Iterator[Incoming | Cursor]:
        """What is new in the folder, oldest first: no key that is known (under the same validity), not before `since`;
        only heads of what is not wanted. A Cursor at the end: the folder was read to its end."""
        ...

    def close(self) -> None:
        """Leave; never raises."""
        ...


class Waiting(Protocol):
    """An inbox that can tell when something comes (IMAP IDLE, RFC 2177)."""

    def wait(self, seconds: float) -> bool:
        """Whether it is worth looking: something came, or the time is over without a way to know."""
        ...


class Drafts(Protocol):
    """A mailbox that takes a draft; the one thing that is ever put into it, and only when the user asks."""

    def draft(self, mime: bytes) -> str:
        """Files it unsent; the name of the folder."""
        ...
