"""Takes a copied or restored store for the one to use: every message it brings back is settled by what the sent log and
the Sent folder know."""

import uuid
from collections.abc import Collection, Mapping
from datetime import timedelta

from outreach.core.message import dedupe_key, message_id_of, message_token
from outreach.core.ports import Clock, Inbox
from outreach.core.records import Campaign, Mailbox
from outreach.core.sent_log import ADOPTED, Story
from outreach.flows._sent_folder import filed_mails
from outreach.store.instance import Adopted
from outreach.store.journal import Journal
from outreach.store.store import Store

_BEFORE = timedelta(days=1)
_LOOK_BACK = timedelta(days=30)
_STEPS = range(1, 9)
_GENERATIONS = range(3)


def adopt(
    store: Store,
    *,
    journal: Journal,
    inbox: Inbox | None,
    here: Mapping[str, str],
    mailbox: Mailbox,
    key: bytes,
    clock: Clock,
) -> Adopted:
    """Settle and adopt. Raises MailboxError, with nothing changed, if the Sent folder cannot be read."""
    now = clock.now()
    first = store.mail.first_sent_at()
    filed = filed_mails(inbox, mailbox.address, first - _BEFORE if first else now - _LOOK_BACK) if inbox else {}
    logged = store.instance.forgotten(journal.entries())
    stories = {**_named(store, filed, key, mailbox), **{story.message_id: story for story in logged}}
    adoption = uuid.uuid4().hex
    found = store.instance.adopt(list(stories.values()), filed.keys(), here, now, adoption)
    for story in logged:
        # After the commit: what is not written here is only asked for once more.
        journal.record({"at": now.isoformat(), "kind": ADOPTED, "message_id": story.message_id, "adoption": adoption})
    return found


def _named(store: Store, filed: Mapping[str, Story], key: bytes, mailbox: Mailbox) -> dict[str, Story]:
    """Mails in the Sent folder that this store does not have, with the step they were: it makes the same ids again, so
    making them all tells which is which."""
    wanted = filed.keys() - store.outbox.tries(filed).keys()
    campaigns = [campaign for campaign in store.campaigns.all() if campaign.mailbox_id == mailbox.id] if wanted else []
    return {
        message_id: Story(
            message_id, "sent", at=filed[message_id].at, campaign=campaign.name, step=step, founder=founder,
            rcpt=filed[message_id].rcpt,
        )
        for campaign in campaigns
        for message_id, step, founder in _ids_of(store, campaign, key, mailbox, wanted)
    }  # fmt: skip


def _ids_of(
    store: Store, campaign: Campaign, key: bytes, mailbox: Mailbox, wanted: Collection[str]
) -> list[tuple[str, int, int]]:
    made = [
        (
            message_id_of(message_token(key, dedupe_key(campaign.id, step, founder), generation), mailbox.address),
            step,
            founder,
        )
        for founder in (enrollment.founder_id for enrollment in store.campaigns.enrollments(campaign.id))
        for step in _STEPS
        for generation in _GENERATIONS
    ]
    return [each for each in made if each[0] in wanted]
