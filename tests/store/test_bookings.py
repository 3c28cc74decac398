"""What pacing rests on in the store: each limit holds at claim and fence, and each answer teaches what it should."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from outreach.core.clock import Reading
from outreach.core.delivery import decide
from outreach.core.pacing import CANARY_WAIT, DAY, FRESH_INBOX, UNTIL_FIXED, Limits, unpaced
from outreach.core.ports import Outcome, Phase, SendResult
from outreach.core.records import CampaignState, OutboxItem, OutboxState
from outreach.store import tables as t
from outreach.store.bookings import note_by_hand
from outreach.store.store import Store, memory_store
from tests.factory import SENDER, add_founders, queue_all, start_campaign
from tests.fakes import MONDAY_MORNING as NOW
from tests.postgres import new_store
from tests.store.test_claims import ACCEPTED, LIMITS, claim, claimed, fence

PACED = replace(LIMITS, domain_gap=timedelta(minutes=10), ceiling=30)
FREE = unpaced(LIMITS)
NAMES = ["Bo", "Cy", "Di", "Ed", "Fay", "Gus", "Hal"]


@pytest.fixture
def store() -> Store:
    store = memory_store()
    add_founders(store, NAMES)
    return store


@pytest.fixture
def items(store: Store) -> list[OutboxItem]:
    campaign, _ = start_campaign(store)
    return queue_all(store, campaign)


def set_rows(store: Store, **values: Any) -> None:
    with store.database.write() as connection:
        connection.execute(sa.update(t.outbox).values(**values))


def book(store: Store, item: OutboxItem, at: datetime = NOW) -> None:
    """Send a mail as if nothing paced it, and end the gap at once."""
    held = claimed(store, item, limits=FREE, now=at)
    assert store.claims.fence(held, FREE, now=at, next_send_at=at)
    assert store.claims.settle(held, OutboxState.SENDING, ACCEPTED, decide(ACCEPTED, attempts=0, now=at), at)


def answer(store: Store, item: OutboxItem, result: SendResult, now: datetime = NOW) -> None:
    held = claimed(store, item, limits=FREE, now=now)
    streak = store.claims.streak(item.mailbox_id)
    decision = decide(result, attempts=held.attempts, now=now, streak=streak, daily_cap=30)
    assert store.claims.settle(held, OutboxState.CLAIMED, result, decision, now)


def obstacle(store: Store, item: OutboxItem, now: datetime = NOW, limits: Limits = PACED) -> str:
    return store.claims.obstacle(item.id, limits, now)


def refused(code: int, enhanced: str, text: str, phase: Phase = Phase.RCPT) -> SendResult:
    outcome = Outcome.REJECTED if code >= 500 else Outcome.DEFERRED
    return SendResult(outcome, phase, code, enhanced, text)


# --- what counts at claim and fence ---------------------------------------------------------------------


def by_hand(store: Store, item: OutboxItem, number: int = 1, at: datetime = NOW) -> None:
    with store.database.write() as connection:
        note_by_hand(connection, item.mailbox_id, at, [f"friend{each}@other.example" for each in range(number)])


def test_mails_by_hand_count_against_the_mailbox_but_not_against_the_cap(store: Store, items: list[OutboxItem]) -> None:
    by_hand(store, items[0], 29, NOW - timedelta(hours=23))
    by_hand(store, items[0], 5, NOW - timedelta(hours=25))
    assert obstacle(store, items[0]) == ""
    book(store, items[0])
    assert obstacle(store, items[1]) == "mailbox-ceiling"
    assert claim(store, items[1], PACED) is None
    assert obstacle(store, items[1], NOW + timedelta(hours=2)) == ""


def test_the_same_mail_by_hand_counts_once_however_often_it_is_read(store: Store, items: list[OutboxItem]) -> None:
    by_hand(store, items[0], 3)
    by_hand(store, items[0], 3)
    booked = store.bookings.booked(items[0].mailbox_id, PACED, (), NOW)
    assert len(booked.by_hand) == 3


def test_a_domain_gets_its_pause(store: Store, items: list[OutboxItem]) -> None:
    set_rows(store, rcpt_domain="big.example")
    book(store, items[0])
    assert obstacle(store, items[1], NOW + timedelta(minutes=9)) == "domain-gap"
    assert obstacle(store, items[1], NOW + timedelta(minutes=10)) == ""
    booked = store.bookings.booked(items[0].mailbox_id, PACED, (), NOW)
    assert dict(booked.domains) == {"big.example": NOW + timedelta(minutes=10)}


def test_after_five_mails_a_campaign_rests_until_the_inbox_was_read(store: Store, items: list[OutboxItem]) -> None:
    fresh = replace(PACED, fresh_inbox=FRESH_INBOX)
    mailbox = items[0].mailbox_id
    for number, item in enumerate(items[:5]):
        store.mail.finish(mailbox, NOW)
        assert obstacle(store, items[5], NOW + timedelta(minutes=number), fresh) == ""
        book(store, item, NOW + timedelta(minutes=number))
    fifth = NOW + timedelta(minutes=4)
    assert obstacle(store, items[5], fifth + CANARY_WAIT - timedelta(seconds=1), PACED) == "canary"
    assert obstacle(store, items[5], fifth + CANARY_WAIT, PACED) == ""
    assert obstacle(store, items[5], fifth + CANARY_WAIT, fresh) == "canary"
    store.mail.finish(mailbox, fifth + CANARY_WAIT)
    assert obstacle(store, items[5], fifth + CANARY_WAIT, fresh) == ""


def test_the_inbox_of_another_mailbox_is_waited_for_a_day(store: Store, items: list[OutboxItem]) -> None:
    fresh, mine = replace(PACED, fresh_inbox=FRESH_INBOX), items[0].mailbox_id
    gone = store.campaigns.mailbox("bea@second.example", NOW).id
    for each in (mine, gone):
        store.mail.finish(each, NOW)
    with store.database.write() as connection:
        first = t.outbox.c.id == items[0].id
        connection.execute(sa.update(t.outbox).where(first).values(mailbox_id=gone))
    for item in store.outbox.items()[:5]:
        book(store, item)
    store.mail.finish(mine, NOW + DAY - timedelta(seconds=1))
    assert obstacle(store, items[5], NOW + DAY - timedelta(seconds=1), fresh) == "canary"
    assert store.bookings.booked(mine, fresh, [items[5].campaign_id], NOW).unread == {items[5].campaign_id: {gone}}
    assert obstacle(store, items[5], NOW + DAY, fresh) == ""
    store.mail.finish(gone, NOW + timedelta(hours=1))
    assert obstacle(store, items[5], NOW + DAY - timedelta(seconds=1), fresh) == ""
    assert store.bookings.booked(mine, fresh, [items[5].campaign_id], NOW).unread == {items[5].campaign_id: set()}


def test_a_stale_inbox_lets_first_steps_through_where_the_settings_say_so(
    store: Store, items: list[OutboxItem]
) -> None:
    strict = replace(PACED, fresh_inbox=FRESH_INBOX)
    lenient = replace(strict, first_steps_pass=True)
    assert obstacle(store, items[0], limits=strict) == "inbox-stale"
    assert obstacle(store, items[0], limits=lenient) == ""
    set_rows(store, step=2)
    assert obstacle(store, items[0], limits=lenient) == "inbox-stale"


Change = Callable[[Store, OutboxItem], object]
BETWEEN: list[tuple[str, Change]] = [
    ("mailbox-ceiling", lambda store, item: by_hand(store, item, 30)),
    ("domain-paused", lambda store, item: answer(store, item, refused(421, "4.7.0", "[TSS04] later"))),
]


@pytest.mark.parametrize(("reason", "change"), BETWEEN)
def test_no_dot_after_what_came_between_claim_and_fence(
    store: Store, items: list[OutboxItem], reason: str, change: Change
) -> None:
    set_rows(store, rcpt_domain="cy.example")
    held = claimed(store, items[0], limits=PACED)
    change(store, items[1])
    assert not fence(store, held, PACED)
    assert obstacle(store, items[2]) == reason


# --- what answers teach ---------------------------------------------------------------------------------


def test_a_provider_that_defers_lets_its_domain_rest_and_after_two_days_a_person_must_act(
    store: Store, items: list[OutboxItem]
) -> None:
    set_rows(store, rcpt_domain="bo.example", expires_at=NOW + DAY * 9)
    later = refused(421, "4.7.0", "[TSS04] temporarily deferred")
    answer(store, items[0], later)
    assert obstacle(store, items[1], NOW + timedelta(hours=3)) == "domain-paused"
    assert obstacle(store, items[1], NOW + timedelta(hours=4)) == ""
    assert store.bookings.resting_domains(items[0].mailbox_id, NOW)[0][1] == NOW + timedelta(hours=4)
    for hours in (20, 40, 60):
        answer(store, items[0], later, NOW + timedelta(hours=hours))
    [(domain, until, words)] = store.bookings.resting_domains(items[0].mailbox_id, NOW)
    assert (domain, until) == ("bo.example", UNTIL_FIXED)
    assert "the server said: 421 [TSS04] temporarily deferred" in words
    store.campaigns.wake_mailbox(items[0].mailbox_id)
    assert store.bookings.resting_domains(items[0].mailbox_id, NOW) == []


def test_a_quota_rests_until_the_oldest_mail_is_a_day_old_and_lowers_the_cap(
    store: Store, items: list[OutboxItem]
) -> None:
    set_rows(store, due_at=NOW - DAY)
    book(store, items[0], NOW - timedelta(hours=20))
    answer(store, items[1], refused(550, "5.4.5", "daily quota exceeded", Phase.DOT))
    mailbox = store.campaigns.mailbox(SENDER.address, NOW)
    assert mailbox.paused_until == NOW + timedelta(hours=4)
    assert (mailbox.learned_cap, mailbox.learned_at) == (24, NOW)
    assert store.outbox.get(items[1].id).attempts == 0
    store.campaigns.wake_mailbox(mailbox.id)  # nobody cuts a timed rest short
    assert store.campaigns.mailbox(SENDER.address, NOW).paused_until == NOW + timedelta(hours=4)


def test_talk_of_spam_pauses_the_campaign_for_a_day_at_least_with_the_servers_words(
    store: Store, items: list[OutboxItem]
) -> None:
    answer(store, items[0], refused(554, "5.7.1", "looks like spam to us", Phase.DOT))
    campaign = store.campaigns.get("spring")
    assert campaign.state is CampaignState.PAUSED
    assert "the server said: 554 looks like spam to us" in campaign.reason
    assert campaign.rests_until == NOW + DAY
    assert obstacle(store, items[1]) == "campaign-paused"


def test_the_third_dead_address_trips_the_breaker_in_the_same_transaction(
    store: Store, items: list[OutboxItem]
) -> None:
    for item in items[:2]:
        answer(store, item, refused(550, "5.1.1", "no such user"))
    assert store.campaigns.get("spring").state is CampaignState.ACTIVE
    answer(store, items[2], refused(550, "5.1.1", "no such user"))
    campaign = store.campaigns.get("spring")
    assert campaign.state is CampaignState.PAUSED
    assert campaign.reason.startswith("many-bounces: 3 of 3 mails bounced")
    assert campaign.rests_until is None


def test_a_full_mailbox_keeps_its_message_for_days(store: Store, items: list[OutboxItem]) -> None:
    answer(store, items[0], refused(452, "4.2.2", "mailbox full"))
    item = store.outbox.get(items[0].id)
    assert item.state is OutboxState.QUEUED
    assert item.due_at > NOW + timedelta(hours=19)
    assert item.expires_at > item.due_at + DAY


def test_the_streak_is_the_servers_alone(store: Store, items: list[OutboxItem]) -> None:
    answer(store, items[0], refused(450, "4.7.1", "greylisted"))
    held = claimed(store, items[1], limits=FREE)
    store.claims.release(held, "", NOW)
    answer(store, items[1], refused(550, "5.1.1", "no such user"))
    assert [tried.rule for tried in store.claims.streak(items[0].mailbox_id)] == ["bad-address", "greylisted"]


@pytest.mark.usefixtures("engine")
def test_mails_are_counted_by_days_of_utc() -> None:
    store = new_store()
    add_founders(store, NAMES)
    first, second, third = queue_all(store, start_campaign(store)[0])[:3]
    midnight = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
    set_rows(store, due_at=midnight - DAY)
    for item, at in ((first, midnight - timedelta(seconds=1)), (second, midnight), (third, NOW)):
        book(store, item, at)
    assert store.bookings.sent_by_day(first.mailbox_id) == {(midnight - DAY).date(): 1, midnight.date(): 2}
    assert store.bookings.campaigns_sent(first.mailbox_id) == 1


# --- a clock that is set --------------------------------------------------------------------------------


@pytest.mark.parametrize("days", [2, -2])
def test_when_the_clock_is_set_the_ledger_moves_along(store: Store, items: list[OutboxItem], days: int) -> None:
    mailbox, by = items[0].mailbox_id, timedelta(days=days)
    set_rows(store, due_at=NOW - DAY * 9)
    book(store, items[1], NOW - DAY * 9)
    held = claimed(store, items[0], limits=PACED)
    assert store.claims.fence(held, PACED, now=NOW, next_send_at=NOW, reading=Reading(NOW, "start", 5.0))
    set_rows(store, due_at=NOW)
    after = Reading(NOW + timedelta(hours=1) + by, "start", 3605.0)
    assert store.bookings.mind_clock(mailbox, after) == by
    assert store.bookings.mind_clock(mailbox, after) == timedelta(0)  # another process looks too
    assert store.outbox.sent_times(mailbox) == sorted((NOW + by, NOW - DAY * 9))
    assert store.campaigns.mailbox(SENDER.address, NOW).next_send_at == NOW + by
    states = {item.id: item.state for item in store.outbox.items(ids=[items[2].id])}
    assert states[items[2].id] is (OutboxState.QUEUED if days > 0 else OutboxState.CANCELLED)
