"""Queues a failed or held message again, once its cause is mended: every guard is asked anew."""

from outreach.core.guards import objections
from outreach.core.ports import Clock
from outreach.core.records import OutboxItem
from outreach.errors import SendRefused
from outreach.store.store import Store


def retry(store: Store, item_id: int, *, reason: str, clock: Clock) -> OutboxItem:
    """Raises SendRefused for what is neither failed nor held, and where the founder may not be written to now."""
    item, now = store.outbox.get(item_id), clock.now()
    founder = next(each for each in store.people.enrolled(item.campaign_id) if each.id == item.founder_id)
    facts = store.campaigns.facts([founder], campaign_id=item.campaign_id)[founder.id]
    found = objections(facts, item.step, now)
    if found:
        raise SendRefused(f"{founder.full_name} may not be written to now: {'; '.join(found)}.", hint="outreach outbox")
    return store.outbox.retry(item_id, reason, now)
