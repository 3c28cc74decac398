"""The nouns of the program: frozen records that cross from one room to another.

They know nothing of tables, files, servers or the screen. Times are aware and UTC; durations are `timedelta`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from outreach.core.quick import record

# --- what a list says -----------------------------------------------------------------------------


@record
class Money:
    """An amount as a source gave it, never converted; `usd` only if the source gave that too."""

    amount: int
    currency: str = ""
    usd: int | None = None


@record
class CompanyFacts:
    """What one row says of a company; an empty value says nothing. Dates are ISO 8601, as precise as known ("2018")."""

    name: str
    website: str = ""
    slug: str = ""
    """Crunchbase's name for it, from the organization URL."""
    linkedin: str = ""
    description: str = ""
    industries: tuple[str, ...] = ()
    city: str = ""
    region: str = ""
    country: str = ""
    employees: str = ""
    founded: str = ""
    funding_total: Money | None = None
    last_funding_type: str = ""
    last_funding_on: str = ""
    status: str = ""
    """"active", "closed", "acquired" or empty."""
    emails: tuple[str, ...] = ()
    phone: str = ""
    aliases: tuple[str, ...] = ()
    """Other names that the source itself gives."""
    ids: tuple[str, ...] = ()
    """What the source calls it, after the source's name: `apollo:5f…`, `crunchbase:UUID`."""
    last_funding: Money | None = None


@record
class PersonFacts:
    """What one row says of a person."""

    full_name: str
    first_name: str = ""
    last_name: str = ""
    title: str = ""
    linkedin: str = ""
    slug: str = ""
    emails: tuple[str, ...] = ()
    email_status: str = "given"
    ids: tuple[str, ...] = ()


@record
class Lead:
    """One row as a source gave it: kept, never edited. `line` is where it starts in the file (1 is the first line)."""

    line: int
    cells: Mapping[str, str]
    company: CompanyFacts | None
    people: tuple[PersonFacts, ...] = ()
    warnings: tuple[str, ...] = ()


@record
class RowError:
    """A row that could not be used, and why."""

    line: int
    reason: str
    cells: Mapping[str, str] = field(default_factory=dict)


# --- who is who -----------------------------------------------------------------------------------


class AddressStatus(StrEnum):
    """How far an address can be trusted; only GIVEN and VERIFIED are written to unless a campaign says otherwise.

    GIVEN stands in a list of the user's. VERIFIED was checked by a provider (which calls it valid) or is published by
    the company itself. RISKY may exist (catch-all), GUESSED follows a pattern, UNKNOWN could not be checked yet.
    INVALID cannot take mail, BOUNCED did not.
    """

    GIVEN = "given"
    VERIFIED = "verified"
    RISKY = "risky"
    GUESSED = "guessed"
    UNKNOWN = "unknown"
    INVALID = "invalid"
    BOUNCED = "bounced"


@dataclass(frozen=True, slots=True)
class Address:
    """One e-mail address. `key` is its canonical form, unique in the store; `origin` is the format or finder that
    brought it. `confidence` (per cent), `evidence` and `checked_at` are those of the newest check, if there was one."""

    address: str
    key: str
    status: AddressStatus
    origin: str
    confidence: int | None = None
    evidence: tuple[str, ...] = ()
    checked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class KnownAddress:
    """An address at a company's domain, and whose it is."""

    key: str
    name: str
    country: str = ""


@dataclass(frozen=True, slots=True)
class Company:
    """A startup after identity resolution."""

    id: int
    name: str
    aliases: tuple[str, ...] = ()
    domain: str = ""
    website: str = ""
    slug: str = ""
    linkedin: str = ""
    description: str = ""
    industries: tuple[str, ...] = ()
    city: str = ""
    region: str = ""
    country: str = ""
    employees: str = ""
    founded: str = ""
    funding_total: Money | None = None
    last_funding_type: str = ""
    last_funding_on: str = ""
    status: str = ""
    founders: int = 0


@dataclass(frozen=True, slots=True)
class Founder:
    """A person after identity resolution, with the newest row that named them as `cells`."""

    id: int
    full_name: str
    first_name: str = ""
    last_name: str = ""
    title: str = ""
    linkedin: str = ""
    company: Company | None = None
    addresses: tuple[Address, ...] = ()
    tags: tuple[str, ...] = ()
    cells: Mapping[str, str] = field(default_factory=dict)
    line: str = ""
    """The sentence that the user wrote by hand for this one person."""
    consent: str = ""
    """On what ground they agreed to be written to, with its date and evidence, as the user noted it."""


# --- what is written ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sender:
    """The owner of the mailbox, as templates and headers name them."""

    name: str
    address: str
    signature: str = ""
    postal_address: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a mail. `name` is what the reader sees (a template until it is rendered); `encoded` is the
    content in base64, as it stands in the message."""

    path: str
    name: str
    line: int = 0
    kind: str = ""
    encoded: bytes = field(default=b"", repr=False)
    size: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """One message of a sequence: templates not yet rendered. `subject` is empty where the step continues the thread.

    A step with `variants` stands for all of them; each founder gets one (see `core.variants`)."""

    number: int
    name: str
    subject: str
    body: str
    wait: timedelta
    path: str
    body_line: int = 1
    """The line of the file on which the body starts, for messages that name a place."""
    subject_line: int = 1
    working_days: int = 0
    """Wait so many days that are not Saturdays or Sundays, instead of `wait`."""
    variant: str = ""
    label: str = ""
    """What the author calls this variant."""
    variants: tuple["Step", ...] = ()
    markdown: bool = False
    """The mail also has an HTML part, made from the text."""
    attachments: tuple[Attachment, ...] = ()
    required: tuple[str, ...] = ()
    """Variables without which nobody gets this mail, whatever the text makes of them."""
    silenced: Mapping[str, str] = field(default_factory=dict)
    """Rules that do not apply to this file, each with the author's reason."""
    digest: str = ""
    """A hash of everything that this step is made from: its file, what it includes, what is attached."""


@dataclass(frozen=True, slots=True)
class Sequence:
    """A folder of templates in order, and the files that all sequences share: name → text."""

    name: str
    steps: tuple[Step, ...]
    shared: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Draft:
    """A step rendered for one founder: text, not yet a message."""

    subject: str
    text: str
    html: str = ""
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """A finished message. `mime` is what goes on the wire, CRLF line ends, dots not yet stuffed.

    `sha256` leaves the value of the Date header out, so that a preview made before queueing compares equal.
    """

    message_id: str
    mime: bytes
    sha256: str


# --- campaigns and the outbox ---------------------------------------------------------------------


class CampaignState(StrEnum):
    """A paused campaign can be resumed; a stopped one is over."""

    ACTIVE = "active"
    PAUSED = "paused"
    STOPPED = "stopped"


class EnrollmentState(StrEnum):
    """A founder in a campaign."""

    ACTIVE = "active"
    HELD = "held"
    FINISHED = "finished"
    STOPPED = "stopped"


class OutboxState(StrEnum):
    """Where one message is. Only [SENDING … outcome] is doubtful, so only that ever becomes UNKNOWN."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"
    HELD = "held"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Campaign:
    """Whom, by which sequence, from which mailbox."""

    id: int
    name: str
    sequence: str
    mailbox_id: int
    state: CampaignState
    reason: str
    filters: Mapping[str, str]
    created_at: datetime
    purpose: str = ""
    """"job-search" or "commercial"; empty: as the settings say."""
    why: str = ""
    """Why the user writes to these people, in one sentence: the reason that data protection law asks for."""
    overrides: Mapping[str, str] = field(default_factory=dict)
    """Country → why its rule does not apply here, in the user's words."""
    allows: tuple[AddressStatus, ...] = ()
    """What it may write to besides addresses that are given or verified."""
    rests_until: datetime | None = None
    """Before that not even a person lets it go on."""
    more_mailboxes: tuple[int, ...] = ()

    @property
    def mailboxes(self) -> tuple[int, ...]:
        """Those that its founders are shared out to."""
        return self.mailbox_id, *self.more_mailboxes


@dataclass(frozen=True, slots=True)
class Enrollment:
    """A founder in a campaign, and the one address and the one mailbox used for all its steps."""

    id: int
    campaign_id: int
    founder_id: int
    address: str
    address_key: str
    state: EnrollmentState
    reason: str
    held_until: datetime | None
    enrolled_at: datetime
    mailbox_id: int = 0


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A sending identity. `next_send_at` is when the gap after its last mail is over."""

    id: int
    address: str
    paused_until: datetime | None
    pause_reason: str
    next_send_at: datetime
    synced_at: datetime | None
    learned_cap: int | None = None
    """What the provider's own limit taught us, from `learned_at` on."""
    learned_at: datetime | None = None
    files_sent: bool | None = None
    """Whether the provider puts a copy of each mail into the Sent folder; None: not seen yet."""


@dataclass(frozen=True, slots=True)
class OutboxItem:
    """A message on its way, with its frozen bytes."""

    id: int
    campaign_id: int
    campaign: str
    enrollment_id: int
    mailbox_id: int
    step: int
    founder_id: int
    founder: str
    rcpt: str
    rcpt_key: str
    subject: str
    message_id: str
    wire_message_id: str
    mime: bytes
    sha256: str
    state: OutboxState
    reason: str
    due_at: datetime
    expires_at: datetime
    attempts: int
    sent_at: datetime | None
    updated_at: datetime
    variant: str = ""
    template: str = ""
    """The digest of the step that it was written from."""
    zone: str = ""
    """The recipient's time zone, empty where it is not known."""


# --- what comes back ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reply:
    """One message of the reply log. `text` is the new text, `full_text` all of it; `label` and `note` a person's."""

    id: int
    kind: str
    subkind: str
    from_address: str
    from_name: str
    subject: str
    sent_at: datetime
    received_at: datetime
    campaign_id: int | None
    campaign: str
    step: int | None
    founder_id: int | None
    founder: str
    outbox_id: int | None
    text: str
    full_text: str
    evidence: tuple[str, ...]
    label: str
    note: str
    trouble: str
    guess: str = ""
    """What it may mean, told by its words: a guess, whatever it says."""
    guess_evidence: str = ""
    remind_on: str = ""
    returns_on: str = ""
    inline: bool = False
    attachments: tuple[Mapping[str, object], ...] = ()
    failures: tuple[Mapping[str, str], ...] = ()
