"""Caps over rolling windows, the gap, working hours: never more than the limits allow, no longer a wait than needed."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.core.pacing import DAY, HOUR, Limits, Slot, gap, next_opening, next_slot, plan_slots, ramped, unpaced

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
    assert next_slot(sent, free_at, replace(LIMITS, **changes), MONDAY_10) == Slot(at, reason)  # type: ignore[arg-type]  # whole numbers for caps


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


moments = st.integers(0, 14 * 24 * 60).map(lambda minute: MONDAY_10 + timedelta(minutes=minute))


@given(st.lists(moments, max_size=40), moments, st.integers(1, 5), st.integers(1, 8))
def test_no_plan_ever_exceeds_a_limit(sent: list[datetime], now: datetime, hourly: int, daily: int) -> None:
    limits = replace(LIMITS, hourly_cap=hourly, daily_cap=daily)
    before = sorted(at for at in sent if at <= now)
    slots = list(islice(plan_slots(before, now, limits, now), 12))
    ledger = list(before)
    for slot in slots:
        here = slot.at.astimezone(limits.zone)
        assert slot.at >= now
        assert here.weekday() < 5
        assert time(9) <= here.time() < time(17)
        assert sum(at > slot.at - HOUR for at in ledger) < hourly
        assert sum(at > slot.at - DAY for at in ledger) < daily
        ledger.append(slot.at)
    gaps = [later.at - earlier.at for earlier, later in pairwise(slots)]
    assert all(between >= limits.min_gap for between in gaps)


def test_unpaced_goes_at_once() -> None:
    limits = unpaced(LIMITS)
    sunday_night = datetime(2026, 3, 8, 3, 0, tzinfo=UTC)
    assert (
        list(islice(plan_slots([sunday_night] * 99, sunday_night + DAY, limits, sunday_night), 3))
        == [Slot(sunday_night)] * 3
    )
    assert gap(limits, 0.5) == timedelta(0)


@pytest.mark.parametrize(("chance", "seconds"), [(0.0, 60), (0.5, 125), (0.999999, 190)])
def test_gap_is_drawn_between_its_bounds(chance: float, seconds: int) -> None:
    assert abs(gap(LIMITS, chance).total_seconds() - seconds) < 1


def on_days(counts: dict[int, int]) -> list[datetime]:
    return sorted(MONDAY_10 - timedelta(days=days) for days, number in counts.items() for _ in range(number))


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
