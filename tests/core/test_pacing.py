"""Caps over rolling windows, the gap, working hours: never more than the limits allow, no longer a wait than needed."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.core.pacing import (
    DAY,
    HOUR,
    Booked,
    Limits,
    Slot,
    canary_until,
    closed_until,
    gap,
    next_opening,
    next_slot,
    open_hours,
    ramped,
    unpaced,
)

LIMITS = Limits(
    daily_cap=30,
    hourly_cap=20,
    min_gap=timedelta(seconds=60),
    max_gap=timedelta(seconds=190),
    window=(time(9), time(17)),
    weekdays=frozenset(range(5)),
    zone=ZoneInfo("Europe/Berlin"),
    company_daily_cap=1,
    run_limit=50,
)
MONDAY_10 = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # 10:00 in Berlin


def ago(minutes: float) -> datetime:
    return MONDAY_10 - timedelta(minutes=minutes)


CASES = [
    ("free", [], ago(0), {}, MONDAY_10, ""),
    ("inside the gap", [ago(0)], MONDAY_10 + timedelta(seconds=90), {}, MONDAY_10 + timedelta(seconds=90), "gap"),
    ("a limit of two gives two", [ago(50)], ago(50), {"hourly_cap": 2}, MONDAY_10, ""),
    ("hour full", [ago(50), ago(40)], ago(40), {"hourly_cap": 2}, ago(50) + HOUR, "hourly-cap"),
    ("an entry leaves exactly after the window", [ago(60), ago(40)], ago(40), {"hourly_cap": 2}, MONDAY_10, ""),
    ("day full", [ago(23 * 60)], ago(60), {"daily_cap": 1}, ago(23 * 60) + DAY, "daily-cap"),
    ("entries from the future count", [ago(-30)], ago(0), {"hourly_cap": 1}, ago(-30) + HOUR, "hourly-cap"),
]


@pytest.mark.parametrize(("name", "sent", "free_at", "changes", "at", "reason"), CASES)
def test_next_slot(
    name: str, sent: list[datetime], free_at: datetime, changes: dict[str, int], at: datetime, reason: str
) -> None:
    assert next_slot(Booked(sent, free_at), replace(LIMITS, **changes), MONDAY_10) == Slot(at, reason)  # type: ignore[arg-type]  # whole numbers for caps


OPENINGS = [
    ("inside", "2026-03-02T10:00", "2026-03-02T10:00"),
    ("too early", "2026-03-02T07:30", "2026-03-02T09:00"),
    ("the end is outside", "2026-03-02T17:00", "2026-03-03T09:00"),
    ("Friday evening", "2026-03-06T18:00", "2026-03-09T09:00"),
    ("Sunday", "2026-03-08T12:00", "2026-03-09T09:00"),
    ("the night the clocks go forward", "2026-03-28T12:00", "2026-03-30T09:00"),
    ("the night they go back", "2026-10-24T12:00", "2026-10-26T09:00"),
]


@pytest.mark.parametrize(("name", "at", "opens"), OPENINGS)
def test_next_opening(name: str, at: str, opens: str) -> None:
    berlin = LIMITS.zone
    found = next_opening(datetime.fromisoformat(at).replace(tzinfo=berlin), LIMITS)
    assert found == datetime.fromisoformat(opens).replace(tzinfo=berlin)


HOLIDAYS = frozenset((date(2026, 3, 3), date(2026, 3, 6)))
CLOSED = [
    ("inside", "2026-03-02T10:00", None),
    ("evening before a holiday", "2026-03-02T18:00", ("2026-03-04T09:00", "outside-window")),
    ("a holiday", "2026-03-03T10:00", ("2026-03-04T09:00", "holiday")),
    ("a holiday, and then the weekend", "2026-03-06T10:00", ("2026-03-09T09:00", "holiday")),
    ("Sunday", "2026-03-08T10:00", ("2026-03-09T09:00", "weekend")),
]


@pytest.mark.parametrize(("name", "at", "expected"), CLOSED)
def test_closed(name: str, at: str, expected: tuple[str, str] | None) -> None:
    berlin = LIMITS.zone
    limits = replace(LIMITS, holidays=HOLIDAYS)
    found = closed_until(limits, datetime.fromisoformat(at).replace(tzinfo=berlin))
    assert found == (
        Slot(datetime.fromisoformat(expected[0]).replace(tzinfo=berlin), expected[1]) if expected else None
    )


def test_hours_are_those_of_the_zone_asked_for() -> None:
    tokyo = ZoneInfo("Asia/Tokyo")
    found = closed_until(LIMITS, MONDAY_10, tokyo)  # 18:00 there
    assert found == Slot(datetime(2026, 3, 3, 9, tzinfo=tokyo), "outside-window")


def test_an_hour_that_the_clocks_leave_out_moves_on_and_one_that_comes_twice_counts_once() -> None:
    night = replace(LIMITS, window=(time(2, 30), time(4)), weekdays=frozenset(range(7)))
    spring = datetime(2026, 3, 29, 0, tzinfo=UTC)
    assert open_hours(spring, night)[0] == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)  # 03:30 summer time
    autumn = datetime(2026, 10, 25, 0, tzinfo=UTC)
    assert open_hours(autumn, night)[0] == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # 02:30, the first


ZONES = ["Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Australia/Sydney", "Asia/Tehran"]
"""Two hemispheres, and two places that have given summer time up."""
CHANGES = [(2026, 3, 8), (2026, 3, 29), (2026, 4, 5), (2026, 10, 4), (2026, 10, 25), (2026, 11, 1)]


@given(
    st.sampled_from(ZONES),
    st.sampled_from(CHANGES),
    st.integers(-3 * 24 * 60, 3 * 24 * 60),
    st.sampled_from([(time(9), time(17)), (time(0), time(23, 59)), (time(1, 30), time(3, 30))]),
    st.sampled_from([frozenset(range(5)), frozenset(range(7))]),
)
def test_no_opening_lies_outside_the_hours_on_the_nights_the_clocks_change(
    name: str, day: tuple[int, int, int], minutes: int, window: tuple[time, time], weekdays: frozenset[int]
) -> None:
    zone = ZoneInfo(name)
    limits = replace(LIMITS, window=window, weekdays=weekdays)
    at = datetime(*day, 2, tzinfo=zone).astimezone(UTC) + timedelta(minutes=minutes)
    opens = next_opening(at, limits, zone)
    here = opens.astimezone(zone)
    assert opens >= at
    assert here.weekday() in weekdays
    assert here.time().replace(second=0) < window[1]
    assert here.time() >= window[0]
    # No wait longer than a night, or a weekend: the hour before the opening was closed, or is `at` itself.
    assert opens == at or next_opening(opens - timedelta(minutes=1), limits, zone) == opens


moments = st.integers(-14 * 24 * 60, 2 * 24 * 60).map(lambda minute: MONDAY_10 + timedelta(minutes=minute))


@given(st.lists(moments, max_size=40), st.lists(moments, max_size=10), st.integers(1, 5), st.integers(1, 8))
def test_the_slot_is_the_first_that_every_cap_allows(
    sent: list[datetime], by_hand: list[datetime], hourly: int, daily: int
) -> None:
    limits = replace(LIMITS, hourly_cap=hourly, daily_cap=daily, ceiling=daily + 2)
    booked = Booked(sorted(sent), MONDAY_10 - HOUR, sorted(by_hand))

    def allowed(at: datetime) -> bool:
        return (
            sum(entry > at - HOUR for entry in sent) < hourly
            and sum(entry > at - DAY for entry in sent) < daily
            and sum(entry > at - DAY for entry in (*sent, *by_hand)) < daily + 2
        )

    slot = next_slot(booked, limits, MONDAY_10)
    assert allowed(slot.at)
    assert (slot.at == MONDAY_10) == (slot.reason == "")
    assert slot.at == MONDAY_10 or not allowed(slot.at - timedelta(seconds=1))


def test_unpaced_goes_at_once() -> None:
    limits = unpaced(replace(LIMITS, ceiling=1))
    sunday_night = datetime(2026, 3, 8, 3, 0, tzinfo=UTC)
    assert next_slot(Booked([sunday_night] * 99, sunday_night + DAY), limits, sunday_night) == Slot(sunday_night)
    assert closed_until(limits, sunday_night) is None
    assert gap(limits, 0.5) == timedelta(0)


def test_a_campaign_rests_after_its_first_mails() -> None:
    firsts = [MONDAY_10 + timedelta(minutes=minute) for minute in (8, 0, 2, 4, 6)]
    assert canary_until(firsts[:4]) is None
    assert canary_until(firsts) == MONDAY_10 + timedelta(minutes=18)
    assert canary_until(firsts, unread=True) == MONDAY_10 + timedelta(minutes=8) + DAY


@pytest.mark.parametrize(("chance", "seconds"), [(0.0, 60), (0.5, 125), (0.999999, 190)])
def test_gap_is_drawn_between_its_bounds(chance: float, seconds: int) -> None:
    assert abs(gap(LIMITS, chance).total_seconds() - seconds) < 1


def on_days(counts: dict[int, int]) -> dict[date, int]:
    return {(MONDAY_10 - timedelta(days=days)).date(): number for days, number in counts.items()}


RAMPS = [
    ("a new mailbox", {}, 15),
    ("one busy day", {1: 15}, 17),
    ("half of the cap is enough", {1: 8}, 17),
    ("a quiet day adds nothing", {1: 3}, 15),
    ("today does not count", {0: 15}, 15),
    ("two busy days", {2: 15, 1: 17}, 19),
    ("never above the cap", dict.fromkeys(range(1, 14), 30), 30),
    ("two idle weeks start again", {20: 15, 19: 17}, 15),
]


@pytest.mark.parametrize(("name", "sent", "cap"), RAMPS)
def test_ramp(name: str, sent: dict[int, int], cap: int) -> None:
    assert ramped(replace(LIMITS, ramp=15), on_days(sent), MONDAY_10).daily_cap == cap
