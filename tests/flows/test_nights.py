"""Weeks in which the clocks change, in five zones: hours, caps and gaps hold, and the next time that is said is so."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from outreach.core.pacing import DAY, HOUR, Limits
from outreach.flows.enqueue import enqueue
from outreach.flows.recover import recover
from outreach.flows.send import send
from tests.fakes import FakeClock
from tests.flows.test_enqueue_and_send import LIMITS, Desk

NIGHTS = {
    "Europe/Berlin": (date(2026, 3, 29), date(2026, 10, 25)),
    "America/New_York": (date(2026, 3, 8), date(2026, 11, 1)),
    "Australia/Lord_Howe": (date(2026, 4, 5), date(2026, 10, 4)),  # by half an hour
    "America/Santiago": (date(2026, 4, 5), date(2026, 9, 6)),  # at midnight
    "Africa/Casablanca": (date(2026, 3, 22), date(2027, 2, 7)),  # for Ramadan
}
WINDOW = (time(1, 30), time(4, 30))
"""Around the hours that are left out or come twice."""
EARLIER = LIMITS.max_gap + timedelta(seconds=1)


@pytest.mark.parametrize(("zone", "night"), [(zone, night) for zone, nights in NIGHTS.items() for night in nights])
def test_the_nights_on_which_the_clocks_change(tmp_path: Path, zone: str, night: date) -> None:
    there = ZoneInfo(zone)
    holiday = night + timedelta(days=1)
    limits = replace(
        LIMITS, zone=there, window=WINDOW, weekdays=frozenset(range(7)), daily_cap=3, hourly_cap=2,
        holidays=frozenset([holiday]),
    )  # fmt: skip
    desk = Desk(tmp_path / "sent", ("Bo", "Cy", "Di", "Ed", "Fay", "Gus", "Hal", "Ida", "Jo"), limits)
    desk.clock = FakeClock(datetime.combine(night - timedelta(days=2), time(12), there).astimezone(UTC))
    while len({mail["To"] for mail in desk.mails()}) < 9:
        go_to_the_next_time(desk)
    sent = desk.sent()
    check_limits(sent, limits)
    days = Counter(at.astimezone(there).date() for at in sent)
    assert days[night] >= 1, "the night itself is no holiday"
    assert days[holiday] == 0


def go_to_the_next_time(desk: Desk) -> None:
    """Send what may go; else go to the time that is said: then something may, and not before (but for a gap)."""
    desk.read_inbox()
    recover(desk.store, lambda _owner: False, desk.clock.now())
    found = desk.plan()
    if found.size:
        send(desk.sender(), enqueue(desk.store, found, desk.clock.now()))
        return
    assert found.next_at, f"nobody says when the next mail can go: {found.reason}"
    assert found.next_at > desk.clock.now()
    desk.clock.move(found.next_at - desk.clock.now() - EARLIER)
    assert desk.plan().size == 0, f"something could go before {found.next_at}"
    desk.clock.move(EARLIER)
    assert desk.plan().size > 0, f"nothing can go at {found.next_at}, as was said ({found.reason})"


def check_limits(sent: list[datetime], limits: Limits) -> None:
    start, end = limits.window
    for at in sent:
        here = at.astimezone(limits.zone)
        assert start <= here.time() < end, f"{here} is outside the hours"
        assert here.date() not in limits.holidays
        assert sum(at - DAY < other <= at for other in sent) <= limits.daily_cap
        assert sum(at - HOUR < other <= at for other in sent) <= limits.hourly_cap
    assert all(later - earlier >= limits.min_gap for earlier, later in pairwise(sent))
