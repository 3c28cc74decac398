"""Gives each mail that waits its moment: the mailbox's caps and gap are shared, the working hours are the recipient's.

At each free moment of the mailbox the first in the order goes whose recipient is at work and whose domain has had its
pause. Mails of one zone and campaign wait in one lane, and in it those of one domain in one line, so that ten thousand
are planned without looking at all of them for each.
"""

from bisect import insort
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from heapq import heappop, heappush
from zoneinfo import ZoneInfo

from outreach.core.pacing import CANARY, Booked, Limits, Slot, canary_until, free_slot, gap, open_hours, why_closed
from outreach.core.zones import zone_info


@dataclass(frozen=True, slots=True)
class Waiting:
    """A mail that waits for its moment. `zone` is the recipient's, empty where it is not known."""

    zone: str
    domain: str
    campaign: int


@dataclass(frozen=True, slots=True)
class Planned:
    """The place of a mail in the order that was asked about, with its slot."""

    index: int
    slot: Slot


def plan_slots(mails: Sequence[Waiting], booked: Booked, limits: Limits, now: datetime) -> Iterator[Planned]:
    """The mails with their slots, by time, with the average gap between them, so that their Date is near the real
    time."""
    if not limits.paced:
        yield from (Planned(index, Slot(now)) for index in range(len(mails)))
        return
    yield from _Schedule(mails, booked, limits).run(now)


class _Schedule:
    """The state of one planning."""

    def __init__(self, mails: Sequence[Waiting], booked: Booked, limits: Limits) -> None:
        self._limits = limits
        self._sent, self._everything = sorted(booked.sent), sorted((*booked.sent, *booked.by_hand))
        self._free_at = booked.free_at
        self._domains = dict(booked.domains)
        self._firsts = {campaign: list(times)[:CANARY] for campaign, times in booked.firsts.items()}
        self._unread = booked.unread
        self._lanes = _lanes(mails, limits)
        self._left = len(mails)

    def run(self, now: datetime) -> Iterator[Planned]:
        while self._left:
            slot = self._free(now)
            while (lane := self._first(slot.at)) is None:
                opening = min((self._opens(lane, slot.at) for lane in self._lanes), key=lambda found: found.at)
                free = self._free(opening.at)  # the mailbox may have been free before, and be so no more
                slot = free if free.at > opening.at else opening
            yield Planned(self._take(lane, slot.at), slot)
            now = slot.at

    def _free(self, now: datetime) -> Slot:
        return free_slot(self._sent, self._everything, self._free_at, self._limits, now)

    def _opens(self, lane: "_Lane", at: datetime) -> Slot:
        return lane.opens(at, self._domains, self._rest(lane, at))

    def _first(self, at: datetime) -> "_Lane | None":
        """The lane whose first mail goes next at this moment."""
        free = [lane for lane in self._lanes if lane.is_open(at) and not self._rest(lane, at)]
        found = [(index, lane) for lane in free if (index := lane.first(at, self._domains)) is not None]
        return min(found, key=lambda pair: pair[0])[1] if found else None

    def _rest(self, lane: "_Lane", at: datetime) -> datetime | None:
        until = canary_until(self._firsts.get(lane.campaign, ()), unread=bool(self._unread.get(lane.campaign)))
        return until if until and until > at else None

    def _take(self, lane: "_Lane", at: datetime) -> int:
        index, domain = lane.take()
        self._left -= 1
        if not lane.ready and not lane.resting:
            self._lanes.remove(lane)
        insort(self._sent, at)
        insort(self._everything, at)
        self._free_at = at + gap(self._limits, 0.5)
        self._domains[domain] = at + self._limits.domain_gap
        firsts = self._firsts.setdefault(lane.campaign, [])
        if len(firsts) < CANARY:
            firsts.append(at)
        return index


@dataclass(slots=True)
class _Lane:
    """The mails of one campaign to one zone: lines by domain, those that may go and those whose domain rests."""

    zone: ZoneInfo | None
    campaign: int
    limits: Limits
    lines: dict[str, deque[int]] = field(default_factory=dict)
    ready: list[tuple[int, str]] = field(default_factory=list)
    resting: list[tuple[datetime, str]] = field(default_factory=list)
    hours: tuple[datetime, datetime] | None = None

    def is_open(self, at: datetime) -> bool:
        return self._hours(at)[0] <= at

    def opens(self, at: datetime, domains: dict[str, datetime], rest: datetime | None) -> Slot:
        """When a mail of this lane may go that may not go now, and for what it waits."""
        self.first(at, domains)
        slot = Slot(rest, "canary") if rest else Slot(at)
        if not self.ready and self.resting and self.resting[0][0] > slot.at:
            slot = Slot(self.resting[0][0], "domain-gap")
        opening = open_hours(slot.at, self.limits, self.zone)[0]
        return Slot(opening, why_closed(slot.at, self.limits, self.zone)) if opening > slot.at else slot

    def first(self, at: datetime, domains: dict[str, datetime]) -> int | None:
        """The place of the mail that goes next, among the domains that do not rest."""
        while self.resting and self.resting[0][0] <= at:
            domain = heappop(self.resting)[1]
            heappush(self.ready, (self.lines[domain][0], domain))
        while self.ready and (free_at := domains.get(self.ready[0][1], at)) > at:
            heappush(self.resting, (free_at, heappop(self.ready)[1]))
        return self.ready[0][0] if self.ready else None

    def take(self) -> tuple[int, str]:
        index, domain = heappop(self.ready)
        line = self.lines[domain]
        line.popleft()
        if line:
            heappush(self.ready, (line[0], domain))
        return index, domain

    def _hours(self, at: datetime) -> tuple[datetime, datetime]:
        """Kept until they are over: time only moves on."""
        if self.hours is None or at >= self.hours[1]:
            self.hours = open_hours(at, self.limits, self.zone)
        return self.hours


def _lanes(mails: Sequence[Waiting], limits: Limits) -> list[_Lane]:
    lanes: dict[tuple[str, int], _Lane] = {}
    for index, mail in enumerate(mails):
        key = (mail.zone, mail.campaign)
        if key not in lanes:
            lanes[key] = _Lane(zone_info(mail.zone) if mail.zone else None, mail.campaign, limits)
        lane = lanes[key]
        if mail.domain not in lane.lines:
            lane.lines[mail.domain] = deque()
            heappush(lane.ready, (index, mail.domain))
        lane.lines[mail.domain].append(index)
    return list(lanes.values())
