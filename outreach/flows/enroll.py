"""Puts founders into a campaign: those who match its filters and whom every guard lets pass, each with the mailbox that
writes to them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from outreach.core.countries import country_answer
from outreach.core.guards import CAPS, answers, blocks, sendable_address
from outreach.core.ports import Clock
from outreach.core.records import Campaign, Founder
from outreach.core.sharing import Room, share_out
from outreach.store.store import Store


@dataclass(frozen=True, slots=True)
class Refused:
    """Someone who matches and is not enrolled, with every reason."""

    founder: Founder
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What was (or, in a dry run, would be) done."""

    enrolled: int
    refused: tuple[Refused, ...]
    warned: tuple[Refused, ...] = ()
    """Those who are enrolled although a country's rule speaks against it, because this is a job search."""
    chosen: tuple[Founder, ...] = ()
    shares: Mapping[int, int] = field(default_factory=dict)
    """founder → the mailbox that writes to them; empty where the campaign has only one."""


# Someone of the same company, or a namesake, may have finished by the time the turn comes: that is asked again then.
_ASKED_LATER = frozenset(("company-busy", "namesake"))


def enroll(
    store: Store,
    campaign: Campaign,
    *,
    clock: Clock,
    dry_run: bool,
    purpose: str = "job-search",
    rooms: Sequence[Room] = (),
) -> Enrolled:
    """Enroll whoever matches the campaign's filters now and is not in it yet. `purpose` is the settings', for a
    campaign that names none; `rooms` are its mailboxes."""
    now = clock.now()
    present = {founder.id for founder in store.people.enrolled(campaign.id)}
    matching = [founder for founder in store.people.founders(campaign.filters) if founder.id not in present]
    facts = store.campaigns.facts(matching, campaign_id=campaign.id)
    tried = Counter(store.campaigns.unchecked(campaign.id))
    chosen, refused, warned = [], [], []
    for founder in matching:
        found = [answer for answer in answers(facts[founder.id], now) if answer.rule not in _ASKED_LATER]
        address = sendable_address(founder.addresses, campaign.allows)
        law = country_answer(
            founder, address.key if address else "", purpose=campaign.purpose or purpose, overrides=campaign.overrides
        )
        against = [*blocks(found), *([str(law)] if law and law.blocks else [])]
        if address and not against and address.status in CAPS and tried[address.status] >= CAPS[address.status]:
            cap = f"a campaign tries at most {CAPS[address.status]} {address.status} addresses"
            against.append(f"unverified-address: {cap}")
        if address is None or against:
            refused.append(Refused(founder, tuple(against)))
            continue
        tried[address.status] += 1
        chosen.append((founder, address.address, address.key))
        warned += [Refused(founder, (str(law),))] if law else []
    people = tuple(founder for founder, _, _ in chosen)
    shares = _shared(store, people, rooms)
    number = len(chosen) if dry_run else store.campaigns.enroll(campaign.id, chosen, now, shares=shares)
    return Enrolled(number, tuple(refused), tuple(warned), people, shares)


def _shared(store: Store, people: Sequence[Founder], rooms: Sequence[Room]) -> dict[int, int]:
    """Which of several mailboxes writes to whom."""
    if len(rooms) < 2:
        return {founder.id: room.mailbox_id for founder in people for room in rooms}
    writers = store.campaigns.writers()
    waiting = [replace(room, waiting=writers.waiting.get(room.mailbox_id, 0)) for room in rooms]
    return share_out(people, waiting, writers.people, writers.companies)
