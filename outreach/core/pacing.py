"""When the next mail may go: caps over rolling windows, the gap, the recipient's working hours, weekdays and holidays.

Pure functions of what was sent, the limits and `now`. Providers count rolling hours, not calendar days, and so do we:
an entry counts while it is younger than the window, so a limit of 2 gives exactly 2. Gaps spare the provider and the
recipient's server.
"""

from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from outreach.core.records import Mailbox

FRESH_INBOX = timedelta(minutes=30)
LONG_AGO = datetime.min.replace(tzinfo=UTC)
UNTIL_FIXED = datetime(9999, 1, 1, tzinfo=UTC)
"""Until when something rests that rests until a person acts."""
DAY = timedelta(hours=24)
HOUR = timedelta(minutes=60)
CANARY = 5
"""So many first mails of a campaign go, and then nothing until there was time for bounces to come back."""
CANARY_WAIT = timedelta(minutes=10)
CANARY_PATIENCE = DAY
"""So long its other mailboxes wait for the inbox of one that sent the first mails: it may never be read again."""
FIRST_CAMPAIGN = 20
"""The most that one run sends from a mailbox that has sent no other campaign yet."""
LEARNED_FOR = timedelta(days=28)
"""How long a provider's own limit is remembered."""
_RAMP_STEP = 2
_IDLE_DAYS = 14
_DAYS_AHEAD = 400


@dataclass(frozen=True, slots=True)
class Limits:
    """How fast one mailbox may send. `ramp` is a new mailbox's daily cap, 0 for none; `paced` off is for loopback.

    Nothing goes on an inbox that was last read longer than `fresh_inbox` ago; None where no inbox is read. With
    `first_steps_pass` that holds for follow-ups only. `zone` counts for recipients whose own is not known. `ceiling` is
    the most that may leave the mailbox in 24 hours, what its owner sends by hand included.
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
    first_steps_pass: bool = False
    holidays: frozenset[date] = frozenset()
    domain_gap: timedelta = timedelta(0)
    ceiling: int = 10**9


@dataclass(frozen=True, slots=True)
class Booked:
    """What a mailbox has behind it: its reservations of a day and what its owner sent `by_hand` in it, sorted; when its
    gap ends, and when each recipient's domain and each campaign is free again."""

    sent: Sequence[datetime] = ()
    free_at: datetime = LONG_AGO
    by_hand: Sequence[datetime] = ()
    domains: Mapping[str, datetime] = field(default_factory=dict)
    firsts: Mapping[int, Sequence[datetime]] = field(default_factory=dict)
    """campaign → when its first mails went, as many as the canary counts."""
    unread: Mapping[int, Collection[int]] = field(default_factory=dict)
    """campaign → other mailboxes that sent its first mails, and whose inboxes were not read after the last of them."""

    def once_read(self, mailboxes: Collection[int]) -> "Booked":
        """The same when the inboxes of these are read, as all that can be are before anything is sent."""
        left = {campaign: set(senders).difference(mailboxes) for campaign, senders in self.unread.items()}
        return replace(self, unread=left)


@dataclass(frozen=True, slots=True)
class Slot:
    """When a mail may go, and which rule made it wait; no reason where it may go at once."""

    at: datetime
    reason: str = ""


def unpaced(limits: Limits) -> Limits:
    """The same limits, lifted: for a server on this machine only."""
    lifted = dict.fromkeys(("daily_cap", "hourly_cap", "company_daily_cap", "run_limit", "ceiling"), 10**9)
    return replace(limits, **lifted, domain_gap=timedelta(0), paced=False)  # type: ignore[arg-type]  # whole numbers


def on_day(limits: Limits, mailbox: Mailbox, days: Mapping[date, int], now: datetime) -> Limits:
    """The limits of a mailbox that sent so many on each of these days (UTC): as it is warmed up, and as its provider
    has shown its own."""
    return _lowered(ramped(limits, days, now), mailbox, now)


def ramped(limits: Limits, days: Mapping[date, int], now: datetime) -> Limits:
    """The limits with the daily cap of a mailbox that is still warming up.

    The cap starts at `ramp` and grows by two for each earlier day that used at least half of it; two idle weeks start
    it again.
    """
    if not limits.ramp or not limits.paced:
        return limits
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


def _lowered(limits: Limits, mailbox: Mailbox, now: datetime) -> Limits:
    """The limits of a mailbox whose provider has shown its own limit some weeks ago or less."""
    if not limits.paced or not mailbox.learned_cap or not mailbox.learned_at or now > mailbox.learned_at + LEARNED_FOR:
        return limits
    return replace(limits, daily_cap=min(limits.daily_cap, mailbox.learned_cap))


def run_size(limits: Limits, campaigns_sent: int) -> int:
    """The most that one run sends: less until a mailbox has sent a second campaign."""
    return min(limits.run_limit, FIRST_CAMPAIGN) if limits.paced and campaigns_sent <= 1 else limits.run_limit


def left(booked: Booked, limits: Limits, now: datetime) -> tuple[int, int]:
    """How many mails more the caps allow at this moment: within the hour, and within the day."""

    def after(entries: Sequence[datetime], since: datetime) -> int:
        return len(entries) - bisect_right(entries, since)

    today, hour = after(booked.sent, now - DAY), after(booked.sent, now - HOUR)
    room = limits.ceiling - today - after(booked.by_hand, now - DAY)
    day = max(0, min(limits.daily_cap - today, room))
    return max(0, min(limits.hourly_cap - hour, day)), day


def next_slot(booked: Booked, limits: Limits, now: datetime) -> Slot:
    """The first moment from `now` on at which the mailbox itself may send: its gap and its caps."""
    if not limits.paced:
        return Slot(now)
    everything = sorted((*booked.sent, *booked.by_hand)) if booked.by_hand else booked.sent
    return free_slot(booked.sent, everything, booked.free_at, limits, now)


def free_slot(
    sent: Sequence[datetime], everything: Sequence[datetime], free_at: datetime, limits: Limits, now: datetime
) -> Slot:
    """The same for a mailbox whose reservations stand in `sent`, and together with the mails by hand in `everything`;
    both sorted."""
    slot = Slot(free_at, "gap") if free_at > now else Slot(now)
    while True:
        moved = _capped(slot, sent, everything, limits)
        if moved == slot:
            return slot
        slot = moved


def _capped(slot: Slot, sent: Sequence[datetime], everything: Sequence[datetime], limits: Limits) -> Slot:
    for entries, span, cap, reason in (
        (sent, HOUR, limits.hourly_cap, "hourly-cap"),
        (sent, DAY, limits.daily_cap, "daily-cap"),
        (everything, DAY, limits.ceiling, "mailbox-ceiling"),
    ):
        # Entries from the future (the clock was set back) count as inside.
        if len(entries) - bisect_right(entries, slot.at - span) >= cap:
            return Slot(entries[-cap] + span, reason)
    return slot


# --- the recipient's hours ----------------------------------------------------------------------------


def closed_until(limits: Limits, at: datetime, zone: ZoneInfo | None = None) -> Slot | None:
    """The start of the next working hours in this zone, where `at` lies outside them."""
    opening = next_opening(at, limits, zone) if limits.paced else at
    return Slot(opening, why_closed(at, limits, zone)) if opening > at else None


def why_closed(at: datetime, limits: Limits, zone: ZoneInfo | None = None) -> str:
    """What kind of time a moment outside the working hours is."""
    here = at.astimezone(zone or limits.zone)
    if here.date() in limits.holidays:
        return "holiday"
    return "outside-window" if here.weekday() in limits.weekdays else "weekend"


def next_opening(at: datetime, limits: Limits, zone: ZoneInfo | None = None) -> datetime:
    """`at` itself inside the working hours, else the start of the next ones. In UTC."""
    return max(at, open_hours(at, limits, zone)[0])


def open_hours(at: datetime, limits: Limits, zone: ZoneInfo | None = None) -> tuple[datetime, datetime]:
    """The working hours that `at` lies in, else the next ones: start and end, in UTC.

    An hour that the clocks leave out moves forward with them; one that comes twice counts the first time (fold 0).
    """
    zone = zone or limits.zone
    start, end = limits.window
    today = at.astimezone(zone).date()
    for ahead in range(_DAYS_AHEAD):
        day = today + timedelta(days=ahead)
        if day.weekday() not in limits.weekdays or day in limits.holidays:
            continue
        closes = datetime.combine(day, end, zone).astimezone(UTC)
        if at < closes:
            return datetime.combine(day, start, zone).astimezone(UTC), closes
    raise ValueError("no day is allowed")


# --- the mails of a campaign's start --------------------------------------------------------------------


def canary_until(firsts: Sequence[datetime], *, unread: bool = False) -> datetime | None:
    """Until when a campaign rests whose first mails went at these times; None while they are too few. `unread`: another
    mailbox sent some of them, and its inbox was not read since."""
    wait = CANARY_PATIENCE if unread else CANARY_WAIT
    return sorted(firsts)[CANARY - 1] + wait if len(firsts) >= CANARY else None


def gap(limits: Limits, chance: float) -> timedelta:
    """The pause after a mail; `chance` is uniform in [0, 1)."""
    return limits.min_gap + (limits.max_gap - limits.min_gap) * chance if limits.paced else timedelta(0)
