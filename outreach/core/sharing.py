"""Which mailbox writes to whom, where a campaign has several: settled once, when people are enrolled.

Whoever one of them has written to, or is to write to, stays with it, and so do their colleagues, since a company should
know one sender. All others go where their turn comes first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from outreach.core.records import Founder


@dataclass(frozen=True, slots=True)
class Room:
    """How much a mailbox can take: `daily_cap` mails a day, with `waiting` people whose first mail is still to come.
    Not `open`: it rests until a person acts."""

    mailbox_id: int
    daily_cap: int
    waiting: int = 0
    open: bool = True


def share_out(
    people: Sequence[Founder], rooms: Sequence[Room], known: Mapping[int, int], companies: Mapping[int, int]
) -> dict[int, int]:
    """founder → mailbox, for everyone, in this order. `known` are the mailboxes of people by their ids, `companies` by
    those of their companies. Closed rooms get new people only where all are closed."""
    free = {room.mailbox_id: room for room in rooms if room.open} or {room.mailbox_id: room for room in rooms}
    mailboxes = {room.mailbox_id for room in rooms}
    colleagues = dict(companies)
    shares: dict[int, int] = {}
    for founder in people:
        company = founder.company.id if founder.company else 0
        wanted = [known.get(founder.id, 0), colleagues.get(company, 0) if company else 0]
        chosen = next((each for each in wanted if each in mailboxes), None) or min(free.values(), key=_days).mailbox_id
        shares[founder.id] = chosen
        if company:
            colleagues.setdefault(company, chosen)
        if chosen in free:
            free[chosen] = replace(free[chosen], waiting=free[chosen].waiting + 1)
    return shares


def _days(room: Room) -> Fraction:
    """How long it takes until one person more has their first mail."""
    return Fraction(room.waiting + 1, room.daily_cap)
