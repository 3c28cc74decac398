"""Which mail goes when: in order, within the caps of the mailbox and the hours of each recipient, without waiting for
nothing."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.core.pacing import CANARY, CANARY_WAIT, DAY, HOUR, Booked, Limits, Slot, unpaced
from outreach.core.schedule import Planned, Waiting, plan_slots

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
    domain_gap=timedelta(minutes=10),
)
MONDAY_10 = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # 10:00 in Berlin
OLD = {1: [MONDAY_10 - DAY * 30] * CANARY}
"""A campaign whose first mails went long ago."""


def plan(mails: list[Waiting], limits: Limits = LIMITS, booked: Booked | None = None) -> list[Planned]:
    return list(plan_slots(mails, booked or Booked(firsts=OLD), limits, MONDAY_10))


def mail(zone: str = "", domain: str = "", campaign: int = 1) -> Waiting:
    return Waiting(zone, domain, campaign)


def order(found: list[Planned]) -> list[int]:
    return [planned.index for planned in found]


def reasons(found: list[Planned]) -> list[str]:
    return [planned.slot.reason for planned in found]


def test_in_order_with_the_average_gap() -> None:
    found = plan([mail(domain=f"{letter}.example") for letter in "abc"])
    assert order(found) == [0, 1, 2]
    assert [planned.slot.at - MONDAY_10 for planned in found] == [
        timedelta(seconds=125) * number for number in range(3)
    ]
    assert reasons(found) == ["", "gap", "gap"]


def test_who_is_at_work_goes_first() -> None:
    mails = [mail("America/New_York", "a.example"), mail("Asia/Tokyo", "b.example"), mail("Europe/Rome", "c.example")]
    found = plan(mails)
    assert order(found) == [2, 0, 1]
    assert [planned.slot.at.astimezone(ZoneInfo(mails[planned.index].zone)).time() for planned in found] == [
        time(10), time(9), time(9),
    ]  # fmt: skip
    assert reasons(found) == ["", "outside-window", "outside-window"]


def test_one_domain_waits_for_its_pause_and_others_go_meanwhile() -> None:
    found = plan([mail(domain="a.example"), mail(domain="a.example"), mail(domain="b.example")])
    assert order(found) == [0, 2, 1]
    assert found[2].slot.at == MONDAY_10 + timedelta(minutes=10)
    assert reasons(found) == ["", "gap", "domain-gap"]


def test_a_domain_that_got_mail_just_now_still_rests() -> None:
    free_at = MONDAY_10 + timedelta(minutes=3)
    found = plan([mail(domain="a.example")], booked=Booked(domains={"a.example": free_at}, firsts=OLD))
    assert (found[0].slot.at, found[0].slot.reason) == (free_at, "domain-gap")


def test_after_the_first_mails_of_a_campaign_the_others_wait_and_another_campaign_goes() -> None:
    mails = [mail(domain=f"{number}.example", campaign=2) for number in range(CANARY + 2)]
    found = plan([*mails, mail(domain="old.example")])
    assert order(found) == [0, 1, 2, 3, 4, 7, 5, 6]
    fifth = found[CANARY - 1].slot.at
    assert (found[6].slot.at, found[6].slot.reason) == (fifth + CANARY_WAIT, "canary")


def test_the_canary_counts_what_went_before() -> None:
    firsts = [MONDAY_10 - timedelta(minutes=minutes) for minutes in (9, 8, 7, 6, 5)]
    found = plan([mail(campaign=2)], booked=Booked(firsts={2: firsts}))
    assert (found[0].slot.at, found[0].slot.reason) == (MONDAY_10 + timedelta(minutes=5), "canary")


def test_the_inbox_of_another_mailbox_is_waited_for_a_day_unless_it_is_read_first() -> None:
    firsts = [MONDAY_10 - timedelta(minutes=minutes) for minutes in (19, 18, 17, 16, 15)]
    booked = Booked(firsts={2: firsts}, unread={2: {7}})
    waits, goes = plan([mail(campaign=2)], booked=booked), plan([mail(campaign=2)], booked=booked.once_read([7]))
    assert (waits[0].slot.at, waits[0].slot.reason) == (firsts[-1] + DAY, "canary")
    assert goes[0].slot == Slot(MONDAY_10)


def test_nothing_to_plan_and_nothing_to_pace() -> None:
    assert plan([]) == []
    sunday = datetime(2026, 3, 8, 3, tzinfo=UTC)
    found = list(plan_slots([mail("Asia/Tokyo", "a.example", 9)] * 7, Booked(), unpaced(LIMITS), sunday))
    assert order(found) == list(range(7))
    assert {planned.slot.at for planned in found} == {sunday}


ZONES = ["Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Australia/Sydney", "Asia/Kolkata", ""]
mails_strategy = st.lists(
    st.builds(Waiting, st.sampled_from(ZONES), st.sampled_from(["a.x", "b.x", "c.x", "d.x"]), st.sampled_from([1, 2])),
    min_size=1,
    max_size=25,
)
moments = st.integers(-3 * 24 * 60, 60).map(lambda minute: MONDAY_10 + timedelta(minutes=minute))
CHANGES = [
    datetime(2026, 3, 7, 12, tzinfo=UTC),
    datetime(2026, 3, 28, 12, tzinfo=UTC),
    datetime(2026, 10, 24, tzinfo=UTC),
]


@given(
    mails_strategy,
    st.lists(moments, max_size=30),
    st.lists(moments, max_size=5),
    st.integers(1, 5),
    st.integers(1, 8),
    st.sampled_from([MONDAY_10, *CHANGES]),
)
def test_no_plan_ever_exceeds_a_limit(
    mails: list[Waiting], sent: list[datetime], by_hand: list[datetime], hourly: int, daily: int, now: datetime
) -> None:
    limits = replace(LIMITS, hourly_cap=hourly, daily_cap=daily, ceiling=daily + 1)
    before = sorted(at + (now - MONDAY_10) for at in sent)
    hand = sorted(at + (now - MONDAY_10) for at in by_hand)
    found = list(plan_slots(mails, Booked(before, now, hand), limits, now))
    assert sorted(order(found)) == list(range(len(mails)))
    ledger, last = list(before), dict[str, datetime]()
    firsts = Counter[int]()
    fifth = dict[int, datetime]()
    for planned in found:
        at, waiting = planned.slot.at, mails[planned.index]
        here = at.astimezone(ZoneInfo(waiting.zone) if waiting.zone else limits.zone)
        assert at >= now
        assert here.weekday() < 5
        assert time(9) <= here.time() < time(17)
        assert sum(entry > at - HOUR for entry in ledger) < hourly
        assert sum(entry > at - DAY for entry in ledger) < daily
        assert sum(entry > at - DAY for entry in (*ledger, *hand)) < daily + 1
        assert at - last.get(waiting.domain, at - DAY) >= limits.domain_gap
        assert firsts[waiting.campaign] < CANARY or at >= fifth[waiting.campaign] + CANARY_WAIT
        firsts[waiting.campaign] += 1
        if firsts[waiting.campaign] == CANARY:
            fifth[waiting.campaign] = at
        ledger.append(at)
        last[waiting.domain] = at
    gaps = [later.slot.at - earlier.slot.at for earlier, later in pairwise(found)]
    assert all(between >= limits.min_gap for between in gaps)


@given(st.lists(st.sampled_from(["Europe/Berlin", "Europe/Rome"]), min_size=2, max_size=12))
def test_where_nothing_stands_in_the_way_the_order_is_kept(zones: list[str]) -> None:
    found = plan([mail(zone, f"{number}.example") for number, zone in enumerate(zones)])
    assert order(found) == list(range(len(zones)))


@pytest.mark.parametrize("number", [3, 40])
def test_a_limit_gives_exactly_so_many(number: int) -> None:
    limits = replace(LIMITS, hourly_cap=2, daily_cap=2)
    found = plan([mail(domain=f"{index}.example") for index in range(number)], limits)
    days = Counter(planned.slot.at.date() for planned in found)
    assert max(days.values()) == 2
