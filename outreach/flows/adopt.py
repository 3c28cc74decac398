"""Takes a copied or restored store for the one to use: every message it brings back is settled by what the sent log and
the Sent folder know."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
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
    mailboxes: Sequence[tuple[Mailbox, Inbox | None]],
    here: Mapping[str, str],
    key: bytes,
    clock: Clock,
) -> Adopted:
    """Settle and adopt, by the Sent folders of all mailboxes that have one to read. Raises MailboxError, with nothing
    changed, if one cannot be read."""
    now = clock.now()
    first = store.mail.first_sent_at()
    since = first - _BEFORE if first else now - _LOOK_BACK
    own = [mailbox.address for mailbox, _ in mailboxes]
    filed = {mailbox: filed_mails(inbox, mailbox.address, since, own) for mailbox, inbox in mailboxes if inbox}
    logged = store.instance.forgotten(journal.entries())
    stories = {name: story for mailbox in filed for name, story in _named(store, filed[mailbox], key, mailbox).items()}
    erased = store.erasures.known()
    stories = {name: story for name, story in stories.items() if not erased.has_address(story.rcpt)}
    stories |= {story.message_id: story for story in logged}
    seen = {message_id for each in filed.values() for message_id in each}
    adoption = uuid.uuid4().hex
    found = store.instance.adopt(list(stories.values()), seen, here, now, adoption)
    for story in logged:
        # After the commit: what is not written here is only asked for once more.
        journal.record({"at": now.isoformat(), "kind": ADOPTED, "message_id": story.message_id, "adoption": adoption})
    return found


def _named(store: Store, filed: Mapping[str, Story], key: bytes, mailbox: Mailbox) -> dict[str, Story]:
    """Mails in the Sent folder that this store does not have, with the step they were: it makes the same ids again, so
    making them all tells which is which."""
    wanted = filed.keys() - store.outbox.tries(filed).keys()
    return {
        message_id: replace(filed[message_id], campaign=campaign.name, step=step, founder=founder)
        for campaign in (store.campaigns.all() if wanted else ())
        for message_id, step, founder in _ids_of(store, campaign, key, mailbox, wanted)
    }


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
