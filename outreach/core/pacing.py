"""When the next mail may go: caps over rolling windows, the gap, the working hours and weekdays.

Pure functions of what was sent, the limits and `now`. Providers count rolling hours, not calendar days, and so do we:
an entry counts while it is younger than the window, so a limit of 2 gives exactly 2.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

FRESH_INBOX = timedelta(minutes=30)
DAY = timedelta(hours=24)
HOUR = timedelta(minutes=60)
_RAMP_STEP = 2
_IDLE_DAYS = 14


@dataclass(frozen=True, slots=True)
class Limits:
    """How fast one mailbox may send. `ramp` is a new mailbox's daily cap, 0 for none; `paced` off is for loopback.

    Nothing goes on an inbox that was last read longer than `fresh_inbox` ago; None where no inbox is read.
    """

    daily_cap: int
    hourly_cap: int
    min_gap: timedelta
    max_gap: timedelta
    window: tuple[time, time]
    weekdays: frozenset[int]
    zone: ZoneInfo
    company_daily_cap: int
    run_limit: int
    ramp: int = 0
    paced: bool = True
    fresh_inbox: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    """When a mail may go, and which rule made it wait; no reason where it may go at once."""

    at: datetime
    reason: str = ""


def unpaced(limits: Limits) -> Limits:
    """The same limits, lifted: for a server on this machine only."""
    return replace(limits, daily_cap=10**9, hourly_cap=10**9, company_daily_cap=10**9, run_limit=10**9, paced=False)


def ramped(limits: Limits, sent: Sequence[datetime], now: datetime) -> Limits:
    """The limits with the daily cap of a mailbox that is still warming up.

    The cap starts at `ramp` and grows by two for each earlier day that used at least half of it; two idle weeks start
    it again.
    """
    if not limits.ramp or not limits.paced:
        return limits
    days = Counter(at.astimezone(UTC).date() for at in sent)
    cap, last = limits.ramp, None
    for day in sorted(day for day in days if day < now.astimezone(UTC).date()):
        if last and (day - last).days > _IDLE_DAYS:
            cap = limits.ramp
        if days[day] * 2 >= cap:
            cap += _RAMP_STEP
        last = day
    if last and (now.astimezone(UTC).date() - last).days > _IDLE_DAYS:
        cap = limits.ramp
    return replace(limits, daily_cap=min(limits.daily_cap, cap))


def next_slot(sent: Sequence[datetime], free_at: datetime, limits: Limits, now: datetime) -> Slot:
    """The first moment from `now` on that satisfies every limit. `sent` is sorted; `free_at` ends the gap."""
    if not limits.paced:
        return Slot(now)
    slot = Slot(now)
    while True:
        moved = _moved(slot, sent, free_at, limits)
        if moved == slot:
            return slot
        slot = moved


def _moved(slot: Slot, sent: Sequence[datetime], free_at: datetime, limits: Limits) -> Slot:
    if free_at > slot.at:
        return Slot(free_at, "gap")
    for span, cap, reason in ((HOUR, limits.hourly_cap, "hourly-cap"), (DAY, limits.daily_cap, "daily-cap")):
        # Entries from the future (the clock was set back) count as inside.
        if len(sent) - bisect_right(sent, slot.at - span) >= cap:
            return Slot(sent[-cap] + span, reason)
    return closed_until(limits, slot.at) or slot


def closed_until(limits: Limits, at: datetime) -> Slot | None:
    """The start of the next working hours, where `at` lies outside them."""
    opening = next_opening(at, limits) if limits.paced else at
    if opening <= at:
        return None
    here = at.astimezone(limits.zone)
    return Slot(opening, "outside-window" if here.weekday() in limits.weekdays else "weekend")


def next_opening(at: datetime, limits: Limits) -> datetime:
    """`at` itself inside the working hours, else the start of the next ones. In UTC."""
    here = at.astimezone(limits.zone)
    start, end = limits.window
    for ahead in range(15):
        day = here.date() + timedelta(days=ahead)
        if day.weekday() not in limits.weekdays:
            continue
        opens = datetime.combine(day, start, limits.zone).astimezone(UTC)
        closes = datetime.combine(day, end, limits.zone).astimezone(UTC)
        if at < closes:
            return max(at, opens)
    raise ValueError("no weekday is allowed")


def plan_slots(sent: Sequence[datetime], free_at: datetime, limits: Limits, now: datetime) -> Iterator[Slot]:
    """The slots of the mails to come, with the average gap between them, so that their Date is near the real time."""
    if not limits.paced:
        while True:
            yield Slot(now)
    ledger = sorted(sent)
    while True:
        slot = next_slot(ledger, free_at, limits, now)
        yield slot
        ledger.append(slot.at)
        free_at, now = slot.at + gap(limits, 0.5), slot.at


def gap(limits: Limits, chance: float) -> timedelta:
    """The pause after a mail; `chance` is uniform in [0, 1)."""
    return limits.min_gap + (limits.max_gap - limits.min_gap) * chance if limits.paced else timedelta(0)
