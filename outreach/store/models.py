"""The schema, declared: what each table is for. What runs has the same tables without SQLModel, in `tables.py`, and
`python -m migrations` writes that file and the next migration from here.

SQLModel checks nothing on write for `table=True`, so the constraints that matter stand in the schema itself.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from outreach.store.types import BIG, NAMES

SQLModel.metadata.naming_convention = NAMES


def _json(**kwargs: Any) -> Any:
    return Field(sa_type=sa.JSON, **kwargs)


def _later(default: Any = "", **kwargs: Any) -> Any:
    """A column that came after the table: rows from before have the default."""
    text = default if isinstance(default, str) else "[]" if isinstance(default, list) else str(int(default))
    return Field(default=default, sa_column_kwargs={"server_default": text}, **kwargs)


def _big(**kwargs: Any) -> Any:
    return Field(sa_type=BIG, **kwargs)


# --- people ---------------------------------------------------------------------------------------


class Meta(SQLModel, table=True):
    """Facts about this store itself, such as its instance id."""

    __tablename__ = "meta"
    name: str = Field(primary_key=True)
    value: str


class Import(SQLModel, table=True):
    """One file, read once. `exported_at` is the date in its name, else its modification time."""

    __tablename__ = "imports"
    id: int | None = Field(default=None, primary_key=True)
    file: str
    sha256: str = Field(index=True)
    format: str
    encoding: str
    mapping: dict[str, str] = _json()
    rows: int
    tag: str = ""
    exported_at: datetime
    imported_at: datetime
    undone_at: datetime | None = None


class LeadRow(SQLModel, table=True):
    """One row as the file gave it, with what became of it: new, merged, same or skipped."""

    __tablename__ = "leads"
    id: int | None = Field(default=None, primary_key=True)
    import_id: int = Field(foreign_key="imports.id", index=True)
    line: int
    sha256: str = Field(index=True)
    cells: dict[str, str] = _json()
    outcome: str
    reason: str = ""
    company_id: int | None = Field(default=None, foreign_key="companies.id", index=True)


class LeadFounder(SQLModel, table=True):
    """Which founders a row named; `position` is the place in the row (two spellings in one cell may be one founder)."""

    __tablename__ = "lead_founders"
    lead_id: int = Field(foreign_key="leads.id", primary_key=True)
    position: int = Field(primary_key=True)
    founder_id: int = Field(foreign_key="founders.id", index=True)


class CompanyRow(SQLModel, table=True):
    """A startup after identity resolution. `facts_at` is the date of the newest export that spoke of it."""

    __tablename__ = "companies"
    id: int | None = Field(default=None, primary_key=True)
    name: str
    name_key: str = Field(index=True)
    domain: str = Field(default="", index=True)
    website: str = ""
    slug: str = Field(default="", index=True)
    linkedin: str = ""
    description: str = ""
    industries: list[str] = _json()
    city: str = ""
    region: str = ""
    country: str = ""
    employees: str = ""
    founded: str = ""
    funding_amount: int | None = _big(default=None)
    funding_currency: str = ""
    funding_usd: int | None = _big(default=None)
    last_funding_type: str = ""
    last_funding_on: str = ""
    status: str = ""
    phone: str = ""
    facts_at: datetime
    created_at: datetime


class CompanyName(SQLModel, table=True):
    """Every other name a company has gone by."""

    __tablename__ = "company_names"
    company_id: int = Field(foreign_key="companies.id", primary_key=True)
    name: str = Field(primary_key=True)


class CompanyKey(SQLModel, table=True):
    """Hard keys: `slug:acme`, `domain:acme.example`, `linkedin:acme`. One company each. Those that a column of the
    company itself holds, under an index, do not stand here again."""

    __tablename__ = "company_keys"
    key: str = Field(primary_key=True)
    company_id: int = Field(foreign_key="companies.id", index=True)


class CompanyHint(SQLModel, table=True):
    """What a company may share with others: `name:acme`, `email:…`, a shared domain. Finds what to judge anew. Its own
    present name does not stand here again."""

    __tablename__ = "company_hints"
    key: str = Field(primary_key=True)
    company_id: int = Field(foreign_key="companies.id", primary_key=True, index=True)


class FounderRow(SQLModel, table=True):
    """A person after identity resolution."""

    __tablename__ = "founders"
    id: int | None = Field(default=None, primary_key=True)
    company_id: int | None = Field(default=None, foreign_key="companies.id", index=True)
    full_name: str
    first_name: str = ""
    last_name: str = ""
    name_key: str = Field(index=True)
    title: str = ""
    linkedin: str = ""
    slug: str = ""
    facts_at: datetime
    created_at: datetime


class FounderKey(SQLModel, table=True):
    """Hard keys: `linkedin:ada`, `slug:ada-testwell`. One founder each; addresses have their own table."""

    __tablename__ = "founder_keys"
    key: str = Field(primary_key=True)
    founder_id: int = Field(foreign_key="founders.id", index=True)


class FounderHint(SQLModel, table=True):
    """What a founder shares with others: an address that people of different names use (`email:…`)."""

    __tablename__ = "founder_hints"
    key: str = Field(primary_key=True)
    founder_id: int = Field(foreign_key="founders.id", primary_key=True, index=True)


class FounderTag(SQLModel, table=True):
    """Tags, from `import --tag` or by hand."""

    __tablename__ = "founder_tags"
    founder_id: int = Field(foreign_key="founders.id", primary_key=True)
    tag: str = Field(primary_key=True, index=True)


class FounderEdit(SQLModel, table=True):
    """What a person has written of a founder; it outranks every list."""

    __tablename__ = "founder_edits"
    founder_id: int = Field(foreign_key="founders.id", primary_key=True)
    field: str = Field(primary_key=True)
    value: str
    edited_at: datetime


class RulingRow(SQLModel, table=True):
    """What a person has said of two places in rows: they name the same, or not. A position of -1 is the company."""

    __tablename__ = "rulings"
    id: int | None = Field(default=None, primary_key=True)
    kind: str
    same: bool
    left_sha256: str
    left_position: int
    right_sha256: str
    right_position: int
    ruled_at: datetime


class Merged(SQLModel, table=True):
    """One record that became part of another: by which rule, on what evidence, with which rows."""

    __tablename__ = "merges"
    id: int | None = Field(default=None, primary_key=True)
    kind: str
    record_id: int
    absorbed_id: int
    rule: str
    evidence: str
    leads: list[int] = _json()
    merged_at: datetime


class RetiredId(SQLModel, table=True):
    """The id of a record that became part of another. Never given again: what was sent to it carries its number."""

    __tablename__ = "retired_ids"
    kind: str = Field(primary_key=True)
    id: int = Field(primary_key=True)
    became: int
    retired_at: datetime


class FounderNote(SQLModel, table=True):
    """What the user knows of a founder and no list says: `line`, the sentence written for them; `consent`."""

    __tablename__ = "founder_notes"
    founder_id: int = Field(foreign_key="founders.id", primary_key=True)
    name: str = Field(primary_key=True)
    value: str
    updated_at: datetime


class AddressRow(SQLModel, table=True):
    """An e-mail address belongs to one founder, or to one company (a role inbox, or one that people share)."""

    __tablename__ = "addresses"
    __table_args__ = (sa.CheckConstraint("(founder_id IS NULL) <> (company_id IS NULL)", name="one_owner"),)
    id: int | None = Field(default=None, primary_key=True)
    address: str
    key: str = Field(unique=True)
    founder_id: int | None = Field(default=None, foreign_key="founders.id", index=True)
    company_id: int | None = Field(default=None, foreign_key="companies.id", index=True)
    status: str
    origin: str
    lead_id: int | None = Field(default=None, foreign_key="leads.id")
    created_at: datetime


class VerdictRow(SQLModel, table=True):
    """What a check said of an address, append-only; the newest counts. By its key: the address may change hands."""

    __tablename__ = "address_verdicts"
    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(index=True)
    status: str
    confidence: int
    origin: str
    evidence: list[str] = _json()
    checked_at: datetime


class LookupRow(SQLModel, table=True):
    """One question to a finder, recorded before it is asked, with its answer. `about` is the domain, `person` the key
    of the name it asks for."""

    __tablename__ = "lookups"
    __table_args__ = (sa.Index("ix_lookups_finder_question", "finder", "question"),)
    id: int | None = Field(default=None, primary_key=True)
    finder: str
    question: str
    about: str = Field(default="", index=True)
    person: str = ""
    outcome: str
    data: dict[str, Any] = _json()
    calls: int = 0
    credits: int = 0
    text: str = ""
    asked_at: datetime = Field(index=True)
    answered_at: datetime | None = None


class Candidate(SQLModel, table=True):
    """Two records that may be one; only a person can tell. `left_id` < `right_id`."""

    __tablename__ = "candidates"
    __table_args__ = (sa.UniqueConstraint("kind", "left_id", "right_id"),)
    id: int | None = Field(default=None, primary_key=True)
    kind: str
    left_id: int
    right_id: int
    rule: str
    evidence: str
    decision: str = ""
    found_at: datetime


# --- sending --------------------------------------------------------------------------------------


class MailboxRow(SQLModel, table=True):
    """A sending identity. `next_send_at` is never NULL, so that the fence can compare it."""

    __tablename__ = "mailboxes"
    id: int | None = Field(default=None, primary_key=True)
    address: str = Field(unique=True)
    paused_until: datetime | None = None
    pause_reason: str = ""
    next_send_at: datetime
    synced_at: datetime | None = None
    learned_cap: int | None = None
    """What the provider's own limit taught us, from `learned_at` on."""
    learned_at: datetime | None = None
    files_sent: bool | None = None
    """Whether the provider puts a copy of each mail into the Sent folder, as far as that was seen."""
    clock_boot: str = _later("")
    """Two clocks at the newest send: the wall's, and one that nobody sets; they show later whether the first jumped."""
    clock_steady: float = Field(default=0.0, sa_column_kwargs={"server_default": "0"})
    clock_wall: datetime | None = None


class CampaignRow(SQLModel, table=True):
    """Whom, by which sequence, from which mailbox."""

    __tablename__ = "campaigns"
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    sequence: str
    mailbox_id: int = Field(foreign_key="mailboxes.id")
    state: str
    reason: str = ""
    filters: dict[str, str] = _json()
    created_at: datetime
    purpose: str = _later("")
    why: str = _later("")
    overrides: dict[str, str] = _json(sa_column_kwargs={"server_default": "{}"}, default_factory=dict)
    allows: list[str] | None = _json(default=None, nullable=True)
    rests_until: datetime | None = None
    """Before that not even a person lets it go on."""
    more_mailboxes: list[int] = _later([], sa_type=sa.JSON)
    """The other mailboxes that its founders are shared out to."""


class EnrollmentRow(SQLModel, table=True):
    """A founder in a campaign, with the one address that all steps go to, what was known of it then, and the one
    mailbox that all steps come from."""

    __tablename__ = "enrollments"
    __table_args__ = (
        sa.UniqueConstraint("campaign_id", "founder_id"),
        sa.Index("ix_enrollments_campaign_mailbox", "campaign_id", "mailbox_id"),
    )
    id: int | None = Field(default=None, primary_key=True)
    campaign_id: int = Field(foreign_key="campaigns.id")
    founder_id: int = Field(foreign_key="founders.id", index=True)
    address: str
    address_key: str = Field(index=True)
    state: str = Field(index=True)
    reason: str = ""
    held_until: datetime | None = None
    enrolled_at: datetime
    updated_at: datetime
    address_status: str | None = None
    mailbox_id: int = Field(foreign_key="mailboxes.id")


class OutboxRow(SQLModel, table=True):
    """One message. Its bytes and Message-ID never change after it was queued."""

    __tablename__ = "outbox"
    # A row cancelled before its intent frees its key; one that may have left never does. A migration says so to
    # PostgreSQL: to say it here would load that dialect for everybody.
    __table_args__ = (
        sa.Index(
            "uq_outbox_dedupe_key",
            "dedupe_key",
            unique=True,
            sqlite_where=sa.text("state <> 'cancelled' OR intent_at IS NOT NULL"),
        ),
        sa.Index("ix_outbox_state_due", "state", "due_at"),
        sa.Index("ix_outbox_wire_message_id", "wire_message_id"),
        sa.Index("ix_outbox_campaign_intent", "campaign_id", "intent_at"),
        sa.Index(
            "ix_outbox_unfiled",
            "mailbox_id",
            "sent_at",
            sqlite_where=sa.text("filed_at IS NULL AND sent_at IS NOT NULL"),
        ),
    )
    id: int | None = Field(default=None, primary_key=True)
    campaign_id: int = Field(foreign_key="campaigns.id", index=True)
    enrollment_id: int = Field(foreign_key="enrollments.id", index=True)
    mailbox_id: int = Field(foreign_key="mailboxes.id")
    step: int
    founder_id: int = Field(foreign_key="founders.id", index=True)
    company_id: int | None = Field(default=None, foreign_key="companies.id")
    rcpt: str
    rcpt_key: str = Field(index=True)
    rcpt_domain: str
    subject: str
    dedupe_key: str
    generation: int = 0
    message_id: str = Field(unique=True)
    wire_message_id: str = ""
    mime: bytes
    sha256: str
    state: str
    reason: str = ""
    due_at: datetime
    expires_at: datetime
    attempt_count: int = 0
    first_attempt_at: datetime | None = None
    token: str | None = None
    lease_expires_at: datetime | None = None
    owner: str = ""
    intent_at: datetime | None = None
    sent_at: datetime | None = None
    code: int = 0
    enhanced_code: str = ""
    reply: str = ""
    provider_id: str = ""
    queued_at: datetime
    updated_at: datetime
    variant: str = _later("")
    template: str = _later("")
    zone: str = _later("")
    """Whose working hours count: the recipient's time zone, empty where it is not known."""
    filed_at: datetime | None = None
    """When a copy was seen in the Sent folder, or put there: before it is put, so that it is never put twice."""


class Approval(SQLModel, table=True):
    """A mail that a person has looked at and found good, with what it was made from. No link to rows: a founder who is
    merged, or a mail that is planned afresh, simply has none."""

    __tablename__ = "approvals"
    dedupe_key: str = Field(primary_key=True)
    sha256: str
    template: str
    facts: dict[str, str] = _json()
    approved_at: datetime


class Attempt(SQLModel, table=True):
    """What was tried, append-only."""

    __tablename__ = "attempts"
    id: int | None = Field(default=None, primary_key=True)
    outbox_id: int = Field(foreign_key="outbox.id", index=True)
    token: str
    at: datetime
    phase: str
    outcome: str
    code: int = 0
    enhanced_code: str = ""
    text: str = ""
    rule: str = _later("")


class LedgerRow(SQLModel, table=True):
    """Reservations against the caps: one row per intent that may have left, counted in rolling windows. Without a
    message where its recipient was erased: that a mail left still counts."""

    __tablename__ = "send_ledger"
    __table_args__ = (sa.Index("ix_send_ledger_mailbox_at", "mailbox_id", "at"),)
    id: int | None = Field(default=None, primary_key=True)
    mailbox_id: int = Field(foreign_key="mailboxes.id")
    at: datetime
    outbox_id: int | None = Field(default=None, foreign_key="outbox.id", index=True)


class HandSent(SQLModel, table=True):
    """A mail that the owner wrote by hand, seen in the Sent folder: when, and to whom; one row for each recipient."""

    __tablename__ = "hand_sent"
    __table_args__ = (sa.Index("ix_hand_sent_mailbox_at", "mailbox_id", "at"),)
    id: int | None = Field(default=None, primary_key=True)
    mailbox_id: int = Field(foreign_key="mailboxes.id")
    at: datetime
    address_key: str = Field(index=True)


class DomainPause(SQLModel, table=True):
    """A recipient's domain that defers our mail: nothing goes there until then; it has been so since."""

    __tablename__ = "domain_pauses"
    mailbox_id: int = Field(foreign_key="mailboxes.id", primary_key=True)
    domain: str = Field(primary_key=True)
    since: datetime
    until: datetime
    reason: str


# --- what comes back ------------------------------------------------------------------------------


class Suppression(SQLModel, table=True):
    """Whom we must not write to. `value` is `address:<key>`, `domain:<name>`, `person:<id>`, `company:<id>`, or
    `erased:<keyed hash>` for each thing that somebody who was erased could be called by."""

    __tablename__ = "suppressions"
    __table_args__ = (sa.UniqueConstraint("value", "kind"),)
    id: int | None = Field(default=None, primary_key=True)
    value: str = Field(index=True)
    kind: str
    reason: str
    origin: str
    created_at: datetime
    until: datetime | None = None
    """When it ends by itself: only what three full mailboxes in two weeks tell does."""


class InboundRow(SQLModel, table=True):
    """One message that came in. Bytes are kept only of what concerns us, so that it can be judged again."""

    __tablename__ = "inbound"
    __table_args__ = (sa.UniqueConstraint("message_id", "sha256"),)
    id: int | None = Field(default=None, primary_key=True)
    message_id: str = Field(index=True)
    sha256: str
    from_address: str
    from_name: str = ""
    to_address: str = ""
    subject: str = ""
    sent_at: datetime
    received_at: datetime
    kind: str = Field(index=True)
    subkind: str = ""
    evidence: list[str] = _json()
    outbox_id: int | None = Field(default=None, foreign_key="outbox.id", index=True)
    founder_id: int | None = Field(default=None, foreign_key="founders.id", index=True)
    campaign_id: int | None = Field(default=None, foreign_key="campaigns.id")
    step: int | None = None
    text: str = ""
    full_text: str = ""
    raw: bytes | None = None
    label: str = ""
    note: str = ""
    trouble: str = ""
    logged_at: datetime
    failures: list[dict[str, str]] = _later([], sa_type=sa.JSON)
    attachments: list[dict[str, Any]] = _later([], sa_type=sa.JSON)
    returns_on: str = _later()
    guess: str = _later()
    guess_evidence: str = _later()
    remind_on: str = _later()
    rules: int = _later(0)
    truncated: bool = _later(default=False)
    inline: bool = _later(default=False)


class DomainFlag(SQLModel, table=True):
    """A domain that takes no mail at all, as a bounce told (no such domain, no mail server, null MX)."""

    __tablename__ = "domain_flags"
    domain: str = Field(primary_key=True)
    reason: str
    origin: str
    flagged_at: datetime


class InboundLocation(SQLModel, table=True):
    """Where a message lies; reading it there again does nothing."""

    __tablename__ = "inbound_locations"
    mailbox_id: int = Field(foreign_key="mailboxes.id", primary_key=True)
    folder: str = Field(primary_key=True)
    validity: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    inbound_id: int | None = Field(default=None, foreign_key="inbound.id")


class CursorRow(SQLModel, table=True):
    """How far each folder has been read."""

    __tablename__ = "cursors"
    mailbox_id: int = Field(foreign_key="mailboxes.id", primary_key=True)
    folder: str = Field(primary_key=True)
    validity: str
    last_uid: int = _big()
    mark: str = _later()
