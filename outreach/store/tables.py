"""The tables as SQLAlchemy's Core has them. They never leave this room.

Written from `models.py`, which says what each is for, by `python -m migrations`: change it there.
"""

import sqlalchemy as sa

from outreach.store.types import BIG, NAMES, UTCDateTime

metadata = sa.MetaData(naming_convention=NAMES)

address_verdicts = sa.Table(
    "address_verdicts",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("key", sa.String, nullable=False, index=True),
    sa.Column("status", sa.String, nullable=False),
    sa.Column("confidence", sa.Integer, nullable=False),
    sa.Column("origin", sa.String, nullable=False),
    sa.Column("evidence", sa.JSON, nullable=False),
    sa.Column("checked_at", UTCDateTime, nullable=False),
)

approvals = sa.Table(
    "approvals",
    metadata,
    sa.Column("dedupe_key", sa.String, primary_key=True),
    sa.Column("sha256", sa.String, nullable=False),
    sa.Column("template", sa.String, nullable=False),
    sa.Column("facts", sa.JSON, nullable=False),
    sa.Column("approved_at", UTCDateTime, nullable=False),
)

candidates = sa.Table(
    "candidates",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("left_id", sa.Integer, nullable=False),
    sa.Column("right_id", sa.Integer, nullable=False),
    sa.Column("rule", sa.String, nullable=False),
    sa.Column("evidence", sa.String, nullable=False),
    sa.Column("decision", sa.String, nullable=False, default=""),
    sa.Column("found_at", UTCDateTime, nullable=False),
    sa.UniqueConstraint("kind", "left_id", "right_id"),
)

companies = sa.Table(
    "companies",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("name_key", sa.String, nullable=False, index=True),
    sa.Column("domain", sa.String, nullable=False, index=True, default=""),
    sa.Column("website", sa.String, nullable=False, default=""),
    sa.Column("slug", sa.String, nullable=False, index=True, default=""),
    sa.Column("linkedin", sa.String, nullable=False, default=""),
    sa.Column("description", sa.String, nullable=False, default=""),
    sa.Column("industries", sa.JSON, nullable=False),
    sa.Column("city", sa.String, nullable=False, default=""),
    sa.Column("region", sa.String, nullable=False, default=""),
    sa.Column("country", sa.String, nullable=False, default=""),
    sa.Column("employees", sa.String, nullable=False, default=""),
    sa.Column("founded", sa.String, nullable=False, default=""),
    sa.Column("funding_amount", BIG),
    sa.Column("funding_currency", sa.String, nullable=False, default=""),
    sa.Column("funding_usd", BIG),
    sa.Column("last_funding_type", sa.String, nullable=False, default=""),
    sa.Column("last_funding_on", sa.String, nullable=False, default=""),
    sa.Column("status", sa.String, nullable=False, default=""),
    sa.Column("phone", sa.String, nullable=False, default=""),
    sa.Column("facts_at", UTCDateTime, nullable=False),
    sa.Column("created_at", UTCDateTime, nullable=False),
)

domain_flags = sa.Table(
    "domain_flags",
    metadata,
    sa.Column("domain", sa.String, primary_key=True),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("origin", sa.String, nullable=False),
    sa.Column("flagged_at", UTCDateTime, nullable=False),
)

imports = sa.Table(
    "imports",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("file", sa.String, nullable=False),
    sa.Column("sha256", sa.String, nullable=False, index=True),
    sa.Column("format", sa.String, nullable=False),
    sa.Column("encoding", sa.String, nullable=False),
    sa.Column("mapping", sa.JSON, nullable=False),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("tag", sa.String, nullable=False, default=""),
    sa.Column("exported_at", UTCDateTime, nullable=False),
    sa.Column("imported_at", UTCDateTime, nullable=False),
    sa.Column("undone_at", UTCDateTime),
)

lookups = sa.Table(
    "lookups",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("finder", sa.String, nullable=False),
    sa.Column("question", sa.String, nullable=False),
    sa.Column("about", sa.String, nullable=False, index=True, default=""),
    sa.Column("person", sa.String, nullable=False, default=""),
    sa.Column("outcome", sa.String, nullable=False),
    sa.Column("data", sa.JSON, nullable=False),
    sa.Column("calls", sa.Integer, nullable=False, default=0),
    sa.Column("credits", sa.Integer, nullable=False, default=0),
    sa.Column("text", sa.String, nullable=False, default=""),
    sa.Column("asked_at", UTCDateTime, nullable=False, index=True),
    sa.Column("answered_at", UTCDateTime),
    sa.Index("ix_lookups_finder_question", "finder", "question"),
)

mailboxes = sa.Table(
    "mailboxes",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("address", sa.String, nullable=False, unique=True),
    sa.Column("paused_until", UTCDateTime),
    sa.Column("pause_reason", sa.String, nullable=False, default=""),
    sa.Column("next_send_at", UTCDateTime, nullable=False),
    sa.Column("synced_at", UTCDateTime),
    sa.Column("learned_cap", sa.Integer),
    sa.Column("learned_at", UTCDateTime),
    sa.Column("files_sent", sa.Boolean),
    sa.Column("clock_boot", sa.String, nullable=False, default="", server_default=""),
    sa.Column("clock_steady", sa.Float, nullable=False, default=0.0, server_default="0"),
    sa.Column("clock_wall", UTCDateTime),
)

merges = sa.Table(
    "merges",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("record_id", sa.Integer, nullable=False),
    sa.Column("absorbed_id", sa.Integer, nullable=False),
    sa.Column("rule", sa.String, nullable=False),
    sa.Column("evidence", sa.String, nullable=False),
    sa.Column("leads", sa.JSON, nullable=False),
    sa.Column("merged_at", UTCDateTime, nullable=False),
)

meta = sa.Table(
    "meta",
    metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("value", sa.String, nullable=False),
)

retired_ids = sa.Table(
    "retired_ids",
    metadata,
    sa.Column("kind", sa.String, primary_key=True),
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("became", sa.Integer, nullable=False),
    sa.Column("retired_at", UTCDateTime, nullable=False),
)

rulings = sa.Table(
    "rulings",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("same", sa.Boolean, nullable=False),
    sa.Column("left_sha256", sa.String, nullable=False),
    sa.Column("left_position", sa.Integer, nullable=False),
    sa.Column("right_sha256", sa.String, nullable=False),
    sa.Column("right_position", sa.Integer, nullable=False),
    sa.Column("ruled_at", UTCDateTime, nullable=False),
)

suppressions = sa.Table(
    "suppressions",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("value", sa.String, nullable=False, index=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("origin", sa.String, nullable=False),
    sa.Column("created_at", UTCDateTime, nullable=False),
    sa.Column("until", UTCDateTime),
    sa.UniqueConstraint("value", "kind"),
)

campaigns = sa.Table(
    "campaigns",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String, nullable=False, unique=True),
    sa.Column("sequence", sa.String, nullable=False),
    sa.Column("mailbox_id", sa.Integer, sa.ForeignKey("mailboxes.id"), nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("reason", sa.String, nullable=False, default=""),
    sa.Column("filters", sa.JSON, nullable=False),
    sa.Column("created_at", UTCDateTime, nullable=False),
    sa.Column("purpose", sa.String, nullable=False, default="", server_default=""),
    sa.Column("why", sa.String, nullable=False, default="", server_default=""),
    sa.Column("overrides", sa.JSON, nullable=False, default=dict, server_default="{}"),
    sa.Column("allows", sa.JSON),
    sa.Column("rests_until", UTCDateTime),
    sa.Column("more_mailboxes", sa.JSON, nullable=False, default=list, server_default="[]"),
)

company_hints = sa.Table(
    "company_hints",
    metadata,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("company_id", sa.Integer, sa.ForeignKey("companies.id"), primary_key=True, index=True),
)

company_keys = sa.Table(
    "company_keys",
    metadata,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("company_id", sa.Integer, sa.ForeignKey("companies.id"), nullable=False, index=True),
)

company_names = sa.Table(
    "company_names",
    metadata,
    sa.Column("company_id", sa.Integer, sa.ForeignKey("companies.id"), primary_key=True),
    sa.Column("name", sa.String, primary_key=True),
)

cursors = sa.Table(
    "cursors",
    metadata,
    sa.Column("mailbox_id", sa.Integer, sa.ForeignKey("mailboxes.id"), primary_key=True),
    sa.Column("folder", sa.String, primary_key=True),
    sa.Column("validity", sa.String, nullable=False),
    sa.Column("last_uid", BIG, nullable=False),
    sa.Column("mark", sa.String, nullable=False, default="", server_default=""),
)

domain_pauses = sa.Table(
    "domain_pauses",
    metadata,
    sa.Column("mailbox_id", sa.Integer, sa.ForeignKey("mailboxes.id"), primary_key=True),
    sa.Column("domain", sa.String, primary_key=True),
    sa.Column("since", UTCDateTime, nullable=False),
    sa.Column("until", UTCDateTime, nullable=False),
    sa.Column("reason", sa.String, nullable=False),
)

founders = sa.Table(
    "founders",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("company_id", sa.Integer, sa.ForeignKey("companies.id"), index=True),
    sa.Column("full_name", sa.String, nullable=False),
    sa.Column("first_name", sa.String, nullable=False, default=""),
    sa.Column("last_name", sa.String, nullable=False, default=""),
    sa.Column("name_key", sa.String, nullable=False, index=True),
    sa.Column("title", sa.String, nullable=False, default=""),
    sa.Column("linkedin", sa.String, nullable=False, default=""),
    sa.Column("slug", sa.String, nullable=False, default=""),
    sa.Column("facts_at", UTCDateTime, nullable=False),
    sa.Column("created_at", UTCDateTime, nullable=False),
)

hand_sent = sa.Table(
    "hand_sent",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("mailbox_id", sa.Integer, sa.ForeignKey("mailboxes.id"), nullable=False),
    sa.Column("at", UTCDateTime, nullable=False),
    sa.Column("address_key", sa.String, nullable=False, index=True),
    sa.Index("ix_hand_sent_mailbox_at", "mailbox_id", "at"),
)

leads = sa.Table(
    "leads",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("import_id", sa.Integer, sa.ForeignKey("imports.id"), nullable=False, index=True),
    sa.Column("line", sa.Integer, nullable=False),
    sa.Column("sha256", sa.String, nullable=False, index=True),
    sa.Column("cells", sa.JSON, nullable=False),
    sa.Column("outcome", sa.String, nullable=False),
    sa.Column("reason", sa.String, nullable=False, default=""),
    sa.Column("company_id", sa.Integer, sa.ForeignKey("companies.id"), index=True),
)

addresses = sa.Table(
    "addresses",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("address", sa.String, nullable=False),
    sa.Column("key", sa.String, nullable=False, unique=True),
    sa.Column("founder_id", sa.Integer, sa.ForeignKey("founders.id"), index=True),
    sa.Column("company_id", sa.Integer, sa.ForeignKey("companies.id"), index=True),
    sa.Column("status", sa.String, nullable=False),
    sa.Column("origin", sa.String, nullable=False),
    sa.Column("lead_id", sa.Integer, sa.ForeignKey("leads.id")),
    sa.Column("created_at", UTCDateTime, nullable=False),
    sa.CheckConstraint("(founder_id IS NULL) <> (company_id IS NULL)", name="ck_addresses_one_owner"),
)

enrollments = sa.Table(
    "enrollments",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("campaign_id", sa.Integer, sa.ForeignKey("campaigns.id"), nullable=False),
    sa.Column("founder_id", sa.Integer, sa.ForeignKey("founders.id"), nullable=False, index=True),
    sa.Column("address", sa.String, nullable=False),
    sa.Column("address_key", sa.String, nullable=False, index=True),
    sa.Column("state", sa.String, nullable=False, index=True),
    sa.Column("reason", sa.String, nullable=False, default=""),
    sa.Column("held_until", UTCDateTime),
    sa.Column("enrolled_at", UTCDateTime, nullable=False),
    sa.Column("updated_at", UTCDateTime, nullable=False),
    sa.Column("address_status", sa.String),
    sa.Column("mailbox_id", sa.Integer, sa.ForeignKey("mailboxes.id"), nullable=False),
    sa.UniqueConstraint("campaign_id", "founder_id"),
    sa.Index("ix_enrollments_campaign_mailbox", "campaign_id", "mailbox_id"),
)

founder_edits = sa.Table(
    "founder_edits",
    metadata,
    sa.Column("founder_id", sa.Integer, sa.ForeignKey("founders.id"), primary_key=True),
    sa.Column("field", sa.String, primary_key=True),
    sa.Column("value", sa.String, nullable=False),
    sa.Column("edited_at", UTCDateTime, nullable=False),
)

founder_hints = sa.Table(
    "founder_hints",
    metadata,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("founder_id", sa.Integer, sa.ForeignKey("founders.id"), primary_key=True, index=True),
)

founder_keys = sa.Table(
    "founder_keys",
    metadata,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("founder_id", sa.Integer, sa.ForeignKey("founders.id"), nullable=False, index=True),
)

founder_notes = sa.Table(
    "founder_notes",
    metadata,
    sa.Column("founder_id", sa.Integer, sa.ForeignKey("founders.id"), primary_key=True),
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("value", sa.String, nullable=False),
    sa.Column("updated_at", UTCDateTime, nullable=False),
)

founder_tags = sa.Table(
    "founder_tags",
    metadata,
    sa.Column("founder_id", sa.Integer, sa.ForeignKey("founders.id"), primary_key=True),
    sa.Column("tag", sa.String, primary_key=True, index=True),
)

lead_founders = sa.Table(
    "lead_founders",
    metadata,
    sa.Column("lead_id", sa.Integer, sa.ForeignKey("leads.id"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("founder_id", sa.Integer, sa.ForeignKey("founders.id"), nullable=False, index=True),
)

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("campaign_id", sa.Integer, sa.ForeignKey("campaigns.id"), nullable=False, index=True),
    sa.Column("enrollment_id", sa.Integer, sa.ForeignKey("enrollments.id"), nullable=False, index=True),
    sa.Column("mailbox_id", sa.Integer, sa.ForeignKey("mailboxes.id"), nullable=False),
    sa.Column("step", sa.Integer, nullable=False),
    sa.Column("founder_id", sa.Integer, sa.ForeignKey("founders.id"), nullable=False, index=True),
    sa.Column("company_id", sa.Integer, sa.ForeignKey("companies.id")),
    sa.Column("rcpt", sa.String, nullable=False),
    sa.Column("rcpt_key", sa.String, nullable=False, index=True),
    sa.Column("rcpt_domain", sa.String, nullable=False),
    sa.Column("subject", sa.String, nullable=False),
    sa.Column("dedupe_key", sa.String, nullable=False),
    sa.Column("generation", sa.Integer, nullable=False, default=0),
    sa.Column("message_id", sa.String, nullable=False, unique=True),
    sa.Column("wire_message_id", sa.String, nullable=False, default=""),
    sa.Column("mime", sa.LargeBinary, nullable=False),
    sa.Column("sha256", sa.String, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("reason", sa.String, nullable=False, default=""),
    sa.Column("due_at", UTCDateTime, nullable=False),
    sa.Column("expires_at", UTCDateTime, nullable=False),
    sa.Column("attempt_count", sa.Integer, nullable=False, default=0),
    sa.Column("first_attempt_at", UTCDateTime),
    sa.Column("token", sa.String),
    sa.Column("lease_expires_at", UTCDateTime),
    sa.Column("owner", sa.String, nullable=False, default=""),
    sa.Column("intent_at", UTCDateTime),
    sa.Column("sent_at", UTCDateTime),
    sa.Column("code", sa.Integer, nullable=False, default=0),
    sa.Column("enhanced_code", sa.String, nullable=False, default=""),
    sa.Column("reply", sa.String, nullable=False, default=""),
    sa.Column("provider_id", sa.String, nullable=False, default=""),
    sa.Column("queued_at", UTCDateTime, nullable=False),
    sa.Column("updated_at", UTCDateTime, nullable=False),
    sa.Column("variant", sa.String, nullable=False, default="", server_default=""),
    sa.Column("template", sa.String, nullable=False, default="", server_default=""),
    sa.Column("zone", sa.String, nullable=False, default="", server_default=""),
    sa.Column("filed_at", UTCDateTime),
    sa.Index("ix_outbox_campaign_intent", "campaign_id", "intent_at"),
    sa.Index("ix_outbox_state_due", "state", "due_at"),
    sa.Index(
        "ix_outbox_unfiled", "mailbox_id", "sent_at", sqlite_where=sa.text("filed_at IS NULL AND sent_at IS NOT NULL")
    ),
    sa.Index("ix_outbox_wire_message_id", "wire_message_id"),
    sa.Index(
        "uq_outbox_dedupe_key",
        "dedupe_key",
        unique=True,
        sqlite_where=sa.text("state <> 'cancelled' OR intent_at IS NOT NULL"),
    ),
)

attempts = sa.Table(
    "attempts",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("outbox_id", sa.Integer, sa.ForeignKey("outbox.id"), nullable=False, index=True),
    sa.Column("token", sa.String, nullable=False),
    sa.Column("at", UTCDateTime, nullable=False),
    sa.Column("phase", sa.String, nullable=False),
    sa.Column("outcome", sa.String, nullable=False),
    sa.Column("code", sa.Integer, nullable=False, default=0),
    sa.Column("enhanced_code", sa.String, nullable=False, default=""),
    sa.Column("text", sa.String, nullable=False, default=""),
    sa.Column("rule", sa.String, nullable=False, default="", server_default=""),
)

inbound = sa.Table(
    "inbound",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("message_id", sa.String, nullable=False, index=True),
    sa.Column("sha256", sa.String, nullable=False),
    sa.Column("from_address", sa.String, nullable=False),
    sa.Column("from_name", sa.String, nullable=False, default=""),
    sa.Column("to_address", sa.String, nullable=False, default=""),
    sa.Column("subject", sa.String, nullable=False, default=""),
    sa.Column("sent_at", UTCDateTime, nullable=False),
    sa.Column("received_at", UTCDateTime, nullable=False),
    sa.Column("kind", sa.String, nullable=False, index=True),
    sa.Column("subkind", sa.String, nullable=False, default=""),
    sa.Column("evidence", sa.JSON, nullable=False),
    sa.Column("outbox_id", sa.Integer, sa.ForeignKey("outbox.id"), index=True),
    sa.Column("founder_id", sa.Integer, sa.ForeignKey("founders.id"), index=True),
    sa.Column("campaign_id", sa.Integer, sa.ForeignKey("campaigns.id")),
    sa.Column("step", sa.Integer),
    sa.Column("text", sa.String, nullable=False, default=""),
    sa.Column("full_text", sa.String, nullable=False, default=""),
    sa.Column("raw", sa.LargeBinary),
    sa.Column("label", sa.String, nullable=False, default=""),
    sa.Column("note", sa.String, nullable=False, default=""),
    sa.Column("trouble", sa.String, nullable=False, default=""),
    sa.Column("logged_at", UTCDateTime, nullable=False),
    sa.Column("failures", sa.JSON, nullable=False, default=list, server_default="[]"),
    sa.Column("attachments", sa.JSON, nullable=False, default=list, server_default="[]"),
    sa.Column("returns_on", sa.String, nullable=False, default="", server_default=""),
    sa.Column("guess", sa.String, nullable=False, default="", server_default=""),
    sa.Column("guess_evidence", sa.String, nullable=False, default="", server_default=""),
    sa.Column("remind_on", sa.String, nullable=False, default="", server_default=""),
    sa.Column("rules", sa.Integer, nullable=False, default=0, server_default="0"),
    sa.Column("truncated", sa.Boolean, nullable=False, default=False, server_default="0"),
    sa.Column("inline", sa.Boolean, nullable=False, default=False, server_default="0"),
    sa.UniqueConstraint("message_id", "sha256"),
)

send_ledger = sa.Table(
    "send_ledger",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("mailbox_id", sa.Integer, sa.ForeignKey("mailboxes.id"), nullable=False),
    sa.Column("at", UTCDateTime, nullable=False),
    sa.Column("outbox_id", sa.Integer, sa.ForeignKey("outbox.id"), index=True),
    sa.Index("ix_send_ledger_mailbox_at", "mailbox_id", "at"),
)

inbound_locations = sa.Table(
    "inbound_locations",
    metadata,
    sa.Column("mailbox_id", sa.Integer, sa.ForeignKey("mailboxes.id"), primary_key=True),
    sa.Column("folder", sa.String, primary_key=True),
    sa.Column("validity", sa.String, primary_key=True),
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("inbound_id", sa.Integer, sa.ForeignKey("inbound.id")),
)
