"""Small stores for tests: founders, a campaign and queued messages, without the stages that would make them."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from outreach.core.message import build_message, dedupe_key, message_token
from outreach.core.records import Campaign, Draft, Mailbox, OutboxItem, OutboxState, Sender
from outreach.store import tables as t
from outreach.store.outbox import NewMessage
from outreach.store.store import Store
from tests.fakes import MONDAY_MORNING as NOW

SENDER = Sender("Ada Testwell", "ada@ada.example", "Ada", "")
KEY = bytes(32)
_UNKNOWN = (
    "website", "slug", "linkedin", "description", "city", "region", "country", "employees", "founded",
    "funding_currency", "last_funding_type", "last_funding_on", "status", "phone",
)  # fmt: skip


def add_founders(store: Store, names: Sequence[str], *, now: datetime = NOW) -> None:
    """One founder at a company of their own each: Bo at bo.example, with the address bo@bo.example."""
    with store.database.write() as connection:
        for name in names:
            host = f"{name.lower()}.example"
            company = connection.execute(
                sa.insert(t.companies).values(
                    name=f"{name} Labs", name_key=name.lower(), domain=host, facts_at=now, created_at=now,
                    **dict.fromkeys(_UNKNOWN, ""), industries=[],
                )
            ).inserted_primary_key or (0,)  # fmt: skip
            founder = connection.execute(
                sa.insert(t.founders).values(
                    company_id=company[0], full_name=f"{name} Brightly", first_name=name, last_name="Brightly",
                    name_key=f"{name.lower()}brightly", title="", linkedin="", slug="", facts_at=now, created_at=now,
                )
            ).inserted_primary_key or (0,)  # fmt: skip
            address = f"{name.lower()}@{host}"
            connection.execute(
                sa.insert(t.addresses).values(
                    address=address, key=address, founder_id=founder[0], status="given", origin="test", created_at=now
                )
            )


def start_campaign(store: Store, name: str = "spring", *, now: datetime = NOW) -> tuple[Campaign, Mailbox]:
    """A campaign with every founder in it who has an address."""
    mailbox = store.campaigns.mailbox(SENDER.address, now)
    campaign = store.campaigns.create(name, sequence="job-search", mailbox_id=mailbox.id, filters={}, now=now)
    founders = [founder for founder in store.people.founders({}) if founder.addresses]
    chosen = [(founder, founder.addresses[0].address, founder.addresses[0].key) for founder in founders]
    store.campaigns.enroll(campaign.id, chosen, now)
    return campaign, mailbox


def queue_all(store: Store, campaign: Campaign, *, step: int = 1, now: datetime = NOW) -> list[OutboxItem]:
    """One queued message for each enrollment, due now."""
    founders = {founder.id: founder for founder in store.people.enrolled(campaign.id)}
    messages = []
    for entry in store.campaigns.enrollments(campaign.id):
        founder = founders[entry.founder_id]
        key = dedupe_key(campaign.id, step, founder.id)
        message = build_message(
            Draft("Engineering work", f"Hi {founder.first_name},\n\nare you hiring?\n"),
            sender=SENDER,
            recipient=entry.address,
            recipient_name=founder.full_name,
            date=now,
            token=message_token(KEY, key, 0),
        )
        messages.append(
            NewMessage(
                campaign_id=campaign.id,
                enrollment_id=entry.id,
                mailbox_id=campaign.mailbox_id,
                step=step,
                founder_id=founder.id,
                company_id=founder.company.id if founder.company else None,
                rcpt=entry.address,
                rcpt_key=entry.address_key,
                subject="Engineering work",
                dedupe_key=key,
                generation=0,
                message_id=message.message_id,
                mime=message.mime,
                sha256=message.sha256,
                due_at=now,
                expires_at=now + timedelta(hours=48),
            )
        )
    store.outbox.enqueue(messages, now)
    return store.outbox.items(states=[OutboxState.QUEUED], campaign_id=campaign.id)
