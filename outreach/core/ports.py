"""The sockets that adapters plug into, and what crosses them. At most three methods each.

A module in `importers/`, `finders/`, `transports/` or `inboxes/` is the plugin; its name is its file's name.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from outreach.core.clock import Reading
from outreach.core.quick import record
from outreach.core.records import AddressStatus, KnownAddress, Lead, RowError

# --- time -----------------------------------------------------------------------------------------


class Clock(Protocol):
    """The only source of time. A test's or the demo's clock moves when it is asked to sleep."""

    def now(self) -> datetime:
        """Aware, UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        ...

    def reading(self) -> Reading:
        """Now, and by a clock that nobody sets."""
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

    @property
    def said(self) -> str:
        """The code with the words."""
        return f"{self.code or ''} {self.text}".strip()


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

Triage = Callable[[Sequence[bytes]], Sequence[bool]]
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
        self, folder: Folder, cursor: Cursor | None, known: Known, since: datetime, wanted: Triage = everything
    ) -> Iterator[Incoming | Cursor]:
        """What is new in the folder, oldest first: no key that is known (under the same validity), not before `since`;
        only heads of what is not wanted. A Cursor at the end: the folder was read to its end."""
        ...

    def close(self) -> None:
        """Leave; never raises."""
        ...


class Waiting(Protocol):
    """An inbox that can tell when something comes (IMAP IDLE, RFC 2177)."""

    def wait(self, seconds: float, seen: str = "", stopped: Callable[[], bool] = lambda: False) -> bool:
        """Whether it is worth looking: something came, or the time is over without a way to know. `seen` is the mark
        of the cursor of what was read; `stopped` is asked every second whether to give up."""
        ...


class Filing(Protocol):
    """A mailbox that takes what is the user's own: a copy of a mail that was sent, and a draft when they ask for one.
    Nothing else is ever put into it."""

    def draft(self, mime: bytes) -> str:
        """Files it unsent; the name of the folder."""
        ...

    def file_copy(self, folder: Folder, mime: bytes, at: datetime) -> None:
        """Files what was sent then into that folder, as read. Raises MailboxError where it is not taken."""
        ...


# --- the web and DNS ------------------------------------------------------------------------------


class WebTrouble(StrEnum):
    """Why a request has no usable answer."""

    BLOCKED = "blocked"
    """The address, port or redirect is one that this program does not go to."""
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    OFFLINE = "offline"
    """No name server answered: it may well be this machine that has no network."""
    UNREADABLE = "unreadable"
    """The bytes are no HTTP, or compressed although that was not wanted."""


@dataclass(frozen=True, slots=True)
class WebAnswer:
    """What a server answered. `body` is cut at the limit. With a `trouble` there is
    no answer: `reason` says why, and `reached` whether the server may have got the request."""

    url: str
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    trouble: WebTrouble | None = None
    reason: str = ""
    reached: bool = True


class Web(Protocol):
    """A way to fetch pages that never leaves the public internet. Never raises for what a server does."""

    def get(self, url: str, *, headers: Mapping[str, str], seconds: float, limit: int) -> WebAnswer:
        """GET, within `seconds` in all and `limit` bytes. A redirect is an answer like any other, and not followed."""
        ...


class MailHost(StrEnum):
    """Whether a domain takes mail, by DNS."""

    TAKES = "takes"
    NONE = "none"
    """No such domain, or no MX record."""
    NULL = "null"
    """It says that it takes no mail (RFC 7505)."""
    UNKNOWN = "unknown"
    """No answer in time, or a broken one."""


@dataclass(frozen=True, slots=True)
class MailDomain:
    """What DNS says of one domain; `hosts` are its mail servers, the preferred first."""

    domain: str
    state: MailHost
    hosts: tuple[str, ...] = ()


class MailHosts(Protocol):
    """Asks DNS. Never raises."""

    def look_up(self, domain: str) -> MailDomain: ...

    def texts(self, name: str) -> tuple[str, ...] | None:
        """The TXT records of that name; None where there was no answer."""
        ...


# --- finders --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wanted:
    """A founder whose address is looked for, with what is known around them.

    `known` are addresses at the company's domain that can be trusted, with their owners; `taken` belong to others;
    `dead` have bounced or cannot exist. `team` counts the founders of the company who are looked for.
    """

    founder_id: int
    full_name: str
    company: str
    domain: str
    website: str = ""
    country: str = ""
    employees: str = ""
    company_id: int | None = None
    colleagues: tuple[str, ...] = ()
    known: tuple[KnownAddress, ...] = ()
    taken: frozenset[str] = frozenset()
    dead: frozenset[str] = frozenset()
    team: int = 1


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to ask a finder, at most once in thirty days. `key` names it; `calls` and `credits` are what it costs
    at most. `about` is the domain it is about; `person` whose name it is about, if only one's.

    `needs_mail`: pointless where the domain takes no mail. `keep` off: it costs nothing, so nothing is remembered.
    """

    finder: str
    key: str
    params: Mapping[str, str] = field(default_factory=dict)
    calls: int = 0
    credits: int = 0
    about: str = ""
    person: str = ""
    needs_mail: bool = True
    keep: bool = True


class LookupOutcome(StrEnum):
    """What became of a question."""

    ANSWERED = "answered"
    NOTHING = "nothing"
    RESTRICTED = "restricted"
    """The person asked the provider not to be found: never asked again."""
    LIMITED = "limited"
    """The provider's rate or quota is used up: this finder rests."""
    REFUSED = "refused"
    """The provider does not want us (a wrong key): this finder is out."""
    FAILED = "failed"
    """No use of it this time; it was not charged, and may be asked again."""
    UNREACHABLE = "unreachable"
    """Nobody is there just now: not asked again for a day."""
    DOUBTFUL = "doubtful"
    """It may have been charged, and the answer is lost: asked again only when the user says so."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: `data` is plain JSON that `read` understands, also when it comes from the store."""

    outcome: LookupOutcome
    data: Mapping[str, Any] = field(default_factory=dict)
    calls: int = 0
    credits: int = 0
    text: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An address that a finder proposes, with how sure it is (per cent) and why. `of_company`: a shared inbox."""

    address: str
    status: AddressStatus
    confidence: int
    evidence: tuple[str, ...]
    of_company: bool = False


class Finder(Protocol):
    """One way to find addresses. `name` is what `--using` takes; `missing` says what must be set first, or is empty."""

    name: str
    missing: str

    def questions(self, wanted: Wanted) -> Sequence[Question]:
        """What would be asked for this founder, in order; nothing where it cannot help. Asks nobody."""
        ...

    def ask(self, question: Question) -> Answer:
        """Ask it. Never raises for what a server does."""
        ...

    def read(self, wanted: Wanted, data: Mapping[str, Any]) -> Sequence[Candidate]:
        """The data of an answer → addresses for this founder, the best first. Asks nobody; data may be old."""
        ...


@runtime_checkable
class Verifier(Finder, Protocol):
    """A finder that can also say whether an address exists."""

    def verification(self, address: str) -> Question:
        """What it would be asked."""
        ...

    def verdict(self, address: str, data: Mapping[str, Any]) -> Candidate:
        """The data of its answer as a candidate with another status."""
        ...


@runtime_checkable
class Account(Protocol):
    """A finder that costs money, and knows how much is left."""

    def credits_left(self) -> str:
        """In the provider's terms; empty if it would not say."""
        ...


@dataclass(frozen=True, slots=True)
class FinderTools:
    """What a finder gets when it is made. `secret` gives a setting by its name without `OUTREACH_`, else an empty
    text. `base_urls` replace a provider's, and `patience` (seconds) shortens every wait for an answer, for tests."""

    web: Web
    clock: Clock
    secret: "Secret"
    base_urls: Mapping[str, str] = field(default_factory=dict)
    patience: float = 60.0


class Secret(Protocol):
    """Reads one secret when it is needed, so that nothing holds it longer."""

    def __call__(self, name: str, /) -> str: ...
