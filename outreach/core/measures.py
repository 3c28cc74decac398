"""What may be done about a person, an address or a mailbox, as values: stopped, held, suppressed, flagged.

An incoming message, a command or a refused send takes them; the store carries them out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

SOFT_PAUSE = timedelta(days=30)
_SOFT_FAILURES = 3
_SOFT_SPAN = timedelta(weeks=2)


@dataclass(frozen=True, slots=True)
class StopPerson:
    """Every open enrollment of the founder ends, in all campaigns; what is queued is cancelled with `cancel`."""

    founder_id: int
    reason: str
    cancel: str


@dataclass(frozen=True, slots=True)
class StopCompany:
    """The same for everyone at these domains, or of this company."""

    company_id: int | None
    domains: tuple[str, ...]
    reason: str
    cancel: str


@dataclass(frozen=True, slots=True)
class StopAddress:
    """The enrollments that write to this address end; the person may be enrolled with another."""

    address_key: str
    reason: str
    cancel: str


@dataclass(frozen=True, slots=True)
class HoldPerson:
    """Open enrollments wait until then; None: until a person decides. Never shortens a hold."""

    founder_id: int
    until: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class SuppressAddress:
    """This address is never written to again; with `until`, not before then."""

    address: str
    kind: str
    reason: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class CountSoft:
    """One more temporary failure at this address: many over weeks mean that nobody reads it."""

    address: str
    at: datetime


@dataclass(frozen=True, slots=True)
class FlagDomain:
    """This domain takes no mail from anybody."""

    domain: str
    reason: str


@dataclass(frozen=True, slots=True)
class SuppressPerson:
    """The founder, with every address known of them, now and in later imports."""

    founder_id: int
    kind: str
    reason: str


@dataclass(frozen=True, slots=True)
class PauseMailbox:
    """Nothing leaves this mailbox until then."""

    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class ConfirmSent:
    """A doubtful message did leave: this one names it."""

    outbox_id: int
    evidence: str


@dataclass(frozen=True, slots=True)
class LearnWireId:
    """The provider gave our message another Message-ID."""

    outbox_id: int
    wire_message_id: str


@dataclass(frozen=True, slots=True)
class NoteFiled:
    """A copy of our message lies in the Sent folder."""

    outbox_id: int


Consequence = (
    StopPerson
    | StopCompany
    | StopAddress
    | HoldPerson
    | SuppressAddress
    | SuppressPerson
    | CountSoft
    | FlagDomain
    | PauseMailbox
    | ConfirmSent
    | LearnWireId
    | NoteFiled
)


def is_lasting(failed_at: Sequence[datetime]) -> bool:
    """Whether temporary failures at these times are one that lasts: three over at least two weeks."""
    return len(failed_at) >= _SOFT_FAILURES and max(failed_at) - min(failed_at) >= _SOFT_SPAN
