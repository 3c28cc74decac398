"""A store in which Bo, Cy and Di were written to, and the Maildir in which they answer."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from outreach.core.records import Campaign, Mailbox, OutboxItem, OutboxState
from outreach.flows.sync import SyncReport, sync
from outreach.inboxes.maildir import MaildirInbox
from outreach.store import tables as t
from outreach.store.database import Database
from outreach.store.journal import MemoryJournal
from outreach.store.store import Store
from tests.factory import SENDER, add_founders, queue_all, start_campaign
from tests.fakes import MONDAY_MORNING, FakeClock
from tests.mails import mail
from tests.postgres import new_store

OUTBOX, ENROLLMENTS, INBOUND = t.outbox, t.enrollments, t.inbound


@dataclass
class World:
    """Everything that a reading of the mailbox needs, and what it left behind."""

    store: Store
    journal: MemoryJournal
    clock: FakeClock
    maildir: Path
    campaign: Campaign
    mailbox: Mailbox
    items: dict[str, OutboxItem]
    count: int = 0
    arrived: list[Path] = field(default_factory=list)

    def arrive(self, raw: bytes, *, folder: str = "", at: datetime | None = None) -> Path:
        self.count += 1
        target = (self.maildir / f".{folder}" if folder else self.maildir) / "new" / f"{self.count:04d}.test"
        target.write_bytes(raw)
        stamp = (at or self.clock.now()).timestamp()
        os.utime(target, (stamp, stamp))
        return target

    def answer(self, name: str, text: str = "Yes, let us talk.", *, n: int = 1, **headers: str) -> Path:
        """A reply to the mail that this founder was sent."""
        item = self.items[name]
        fields: dict[str, Any] = {
            "sender": f"{name} Brightly <{item.rcpt}>",
            "in_reply_to": item.message_id,
            "message_id": f"<{name}-{n}@{name.lower()}.example>",
            "date": self.clock.now(),
            **headers,
        }
        return self.arrive(mail(text, **fields))

    def sync(self, since: datetime | None = None) -> SyncReport:
        mailbox = self.store.campaigns.mailbox(SENDER.address, self.clock.now())
        return sync(
            self.store,
            MaildirInbox(self.maildir),
            mailbox=mailbox,
            owner_name=SENDER.name,
            clock=self.clock,
            since=since,
        )

    def rows(self, name: sa.Table) -> list[Mapping[str, Any]]:
        with self.store.database.read() as connection:
            return [dict(row) for row in connection.execute(sa.select(name)).mappings()]

    def enrollments(self) -> dict[str, tuple[str, str]]:
        """address → (state, reason)."""
        return {row["address"]: (row["state"], row["reason"]) for row in self.rows(ENROLLMENTS)}

    def suppressed(self) -> set[tuple[str, str]]:
        return {(row["value"], row["kind"]) for row in self.rows(t.suppressions)}

    def set_items(self, **values: Any) -> None:
        with self.store.database.write() as connection:
            connection.execute(sa.update(OUTBOX).values(**values))


def make_world(folder: Path, database: Database | None = None) -> World:
    for part in ("", ".Junk", ".Sent"):
        for name in ("tmp", "new", "cur"):
            (folder / part / name).mkdir(parents=True)
    journal = MemoryJournal()
    store = Store(database, journal) if database else new_store(journal)
    add_founders(store, ["Bo", "Cy", "Di"])
    campaign, mailbox = start_campaign(store)
    items = queue_all(store, campaign)
    clock = FakeClock()
    named = {item.founder.partition(" ")[0]: item for item in items}
    built = World(store, journal, clock, folder, campaign, mailbox, named)
    built.set_items(state=OutboxState.SENT, intent_at=MONDAY_MORNING, sent_at=MONDAY_MORNING)
    clock.move(timedelta(hours=5))
    return built
