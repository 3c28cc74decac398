"""The last gate: whatever changes between queueing and the dot is noticed, and no row moves but by its owner."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from outreach.core.delivery import decide
from outreach.core.pacing import Limits, unpaced
from outreach.core.ports import Outcome, Phase, SendResult
from outreach.core.records import CampaignState, EnrollmentState, OutboxItem, OutboxState
from outreach.errors import SendRefused
from outreach.store import tables as t
from outreach.store.claims import LEASE, Answered, Claim, Intent, Wanted
from outreach.store.consequences import stop_people
from outreach.store.journal import MemoryJournal
from outreach.store.store import Store
from outreach.store.suppressions import Suppressions
from tests.factory import add_founders, queue_all, start_campaign
from tests.fakes import MONDAY_MORNING as NOW
from tests.postgres import new_store

pytestmark = pytest.mark.usefixtures("engine")

LIMITS = Limits(
    30,
    20,
    timedelta(seconds=60),
    timedelta(seconds=190),
    (time(0), time(23)),
    frozenset(range(7)),
    ZoneInfo("UTC"),
    1,
    50,
)
ACCEPTED = SendResult(Outcome.ACCEPTED, Phase.DOT, 250, "", "queued as 4711")
LATER = SendResult(Outcome.DEFERRED, Phase.DOT, 451, "4.3.0", "later")
GONE = SendResult(Outcome.UNKNOWN, Phase.DOT)


@pytest.fixture
def store() -> Store:
    store = new_store()
    add_founders(store, ["Bo", "Cy", "Di"])
    return store


@pytest.fixture
def items(store: Store) -> list[OutboxItem]:
    campaign, _ = start_campaign(store)
    return queue_all(store, campaign)


def claim(
    store: Store, item: OutboxItem, limits: Limits = LIMITS, token: str = "t", now: datetime = NOW
) -> Claim | None:
    return store.claims.claim(item, limits, token=token, owner="me", now=now)


def claimed(store: Store, item: OutboxItem, **kwargs: object) -> Claim:
    found = claim(store, item, **kwargs)  # type: ignore[arg-type]  # handed on
    assert found is not None
    return found


def fence(store: Store, held: Claim, limits: Limits = LIMITS, now: datetime = NOW) -> bool:
    return store.claims.fence(held, limits, now=now, next_send_at=now + limits.min_gap) is not None


def settle(store: Store, held: Claim, result: SendResult, came_from: OutboxState = OutboxState.SENDING) -> bool:
    decision = decide(result, attempts=0, now=NOW)
    return store.claims.settle(held, came_from, result, decision, NOW)


def state(store: Store, item: OutboxItem) -> OutboxState:
    return store.outbox.get(item.id).state


def suppress(store: Store, value: str) -> None:
    row = {"value": value, "kind": "manual", "reason": "", "origin": "test", "created_at": NOW}
    with store.database.write() as connection:
        connection.execute(sa.insert(t.suppressions), [row])


def test_the_way_of_a_message(store: Store, items: list[OutboxItem]) -> None:
    held = claimed(store, items[0])
    assert state(store, items[0]) is OutboxState.CLAIMED
    assert fence(store, held)
    assert state(store, items[0]) is OutboxState.SENDING
    assert settle(store, held, ACCEPTED)
    sent = store.outbox.get(items[0].id)
    assert (sent.state, sent.sent_at, sent.attempts) == (OutboxState.SENT, NOW, 1)
    assert store.outbox.sent_times(sent.mailbox_id) == [NOW]


def test_the_outbox_is_listed_by_what_happened_last_and_the_queue_by_what_goes_next(
    store: Store, items: list[OutboxItem]
) -> None:
    first, second, third = items
    for at, item in enumerate((second, first), 1):
        later = NOW + timedelta(hours=at)
        held = claimed(store, item, now=later)
        assert fence(store, held, now=later)
        store.claims.settle(held, OutboxState.SENDING, ACCEPTED, decide(ACCEPTED, attempts=0, now=later), later)
    assert [item.id for item in store.outbox.newest()] == [first.id, second.id, third.id]
    assert [item.id for item in store.outbox.newest(states=[OutboxState.SENT], limit=1)] == [first.id]
    assert [item.id for item in store.outbox.items()] == [first.id, second.id, third.id]


def test_a_message_is_claimed_once(store: Store, items: list[OutboxItem]) -> None:
    claimed(store, items[0], token="first")
    assert claim(store, items[0], token="second") is None
    assert store.claims.obstacle(items[0].id, LIMITS, NOW) == "claimed"


Change = Callable[[Store, OutboxItem], object]
CHANGES: list[tuple[str, Change]] = [
    ("suppressed", lambda store, item: suppress(store, f"person:{item.founder_id}")),
    ("suppressed", lambda store, item: suppress(store, f"address:{item.rcpt_key}")),
    ("suppressed", lambda store, item: suppress(store, f"domain:{item.rcpt_key.partition('@')[2]}")),
    ("suppressed", lambda store, item: suppress(store, f"company:{item.founder_id}")),
    (
        "stopped",
        lambda store, item: store.campaigns.set_enrollments([item.enrollment_id], EnrollmentState.STOPPED, "x", NOW),
    ),
    (
        "on-hold",
        lambda store, item: store.campaigns.set_enrollments([item.enrollment_id], EnrollmentState.HELD, "x", NOW),
    ),
    ("campaign-paused", lambda store, item: store.campaigns.set_state(item.campaign_id, CampaignState.PAUSED, "x")),
    ("mailbox-paused", lambda store, item: store.campaigns.pause_mailbox(item.mailbox_id, NOW + LEASE, "x")),
]


@pytest.mark.parametrize(("reason", "change"), CHANGES)
def test_no_claim_after_a_change(store: Store, items: list[OutboxItem], reason: str, change: Change) -> None:
    change(store, items[0])
    assert claim(store, items[0]) is None
    assert store.claims.obstacle(items[0].id, LIMITS, NOW) == reason


@pytest.mark.parametrize(("reason", "change"), CHANGES)
def test_no_dot_after_a_change_that_came_after_the_claim(
    store: Store, items: list[OutboxItem], reason: str, change: Change
) -> None:
    held = claimed(store, items[0])
    change(store, items[0])
    assert not fence(store, held)
    assert store.outbox.sent_times(items[0].mailbox_id) == []
    store.claims.release(held, reason, NOW)
    assert state(store, items[0]) in (OutboxState.QUEUED, OutboxState.CANCELLED)


def test_the_gap_holds_the_next_mail(store: Store, items: list[OutboxItem]) -> None:
    assert fence(store, claimed(store, items[0]))
    assert claim(store, items[1], now=NOW + timedelta(seconds=59)) is None
    assert store.claims.obstacle(items[1].id, LIMITS, NOW + timedelta(seconds=59)) == "gap"
    claimed(store, items[1], now=NOW + timedelta(seconds=60))


@pytest.mark.parametrize(
    ("limits", "reason"), [(replace(LIMITS, hourly_cap=2), "hourly-cap"), (replace(LIMITS, daily_cap=2), "daily-cap")]
)
def test_a_cap_of_two_gives_exactly_two(store: Store, items: list[OutboxItem], limits: Limits, reason: str) -> None:
    for number, item in enumerate(items[:2]):
        at = NOW + timedelta(minutes=2 * number)
        assert fence(store, claimed(store, item, limits=limits, now=at), limits, at)
    later = NOW + timedelta(minutes=10)
    assert claim(store, items[2], limits, now=later) is None
    assert store.claims.obstacle(items[2].id, limits, later) == reason


def test_caps_are_booked_with_the_intent_and_given_back_with_a_refusal(store: Store, items: list[OutboxItem]) -> None:
    held = claimed(store, items[0])
    assert fence(store, held)
    settle(store, held, LATER)
    assert state(store, items[0]) is OutboxState.QUEUED
    assert store.outbox.sent_times(items[0].mailbox_id) == []


def test_a_doubt_stays_booked(store: Store, items: list[OutboxItem]) -> None:
    held = claimed(store, items[0])
    assert fence(store, held)
    settle(store, held, GONE)
    assert state(store, items[0]) is OutboxState.UNKNOWN
    assert len(store.outbox.sent_times(items[0].mailbox_id)) == 1


def test_the_lease_ends(store: Store, items: list[OutboxItem]) -> None:
    held = claimed(store, items[0])
    assert not fence(store, held, now=NOW + LEASE)


def test_a_dead_claim_is_freed_and_a_dead_intent_is_a_doubt(store: Store, items: list[OutboxItem]) -> None:
    before, after = (
        claimed(store, items[0], limits=unpaced(LIMITS)),
        claimed(store, items[1], limits=unpaced(LIMITS), token="u"),
    )
    assert fence(store, after, unpaced(LIMITS))
    for owned in (*store.claims.held(OutboxState.CLAIMED), *store.claims.held(OutboxState.SENDING)):
        assert store.claims.reap(owned, NOW)
    assert [state(store, item) for item in items[:2]] == [OutboxState.QUEUED, OutboxState.UNKNOWN]
    assert not fence(store, before), "the slow worker may not write a dot any more"


def test_a_late_answer_settles_a_doubt(store: Store, items: list[OutboxItem]) -> None:
    held = claimed(store, items[0])
    assert fence(store, held)
    [row] = store.claims.held(OutboxState.SENDING)
    store.claims.reap(row, NOW)
    assert settle(store, held, ACCEPTED)
    assert state(store, items[0]) is OutboxState.SENT


@pytest.mark.parametrize("back", ["settled", "reaped"])
def test_what_comes_back_to_the_queue_for_someone_who_is_out_is_cancelled(
    store: Store, items: list[OutboxItem], back: str
) -> None:
    held = claimed(store, items[0])
    assert back == "reaped" or fence(store, held)
    with store.database.write() as connection:
        stop_people(connection, [items[0].founder_id], reason="replied", cancel="replied", now=NOW)
    if back == "settled":
        assert settle(store, held, LATER)
    else:
        [row] = store.claims.held(OutboxState.CLAIMED)
        assert store.claims.reap(row, NOW)
    item = store.outbox.get(items[0].id)
    assert (item.state, item.reason) == (OutboxState.CANCELLED, "replied")


def test_a_longer_pause_and_a_stopped_campaign_outlast_an_answer(store: Store, items: list[OutboxItem]) -> None:
    held = claimed(store, items[0])
    assert fence(store, held)
    until = NOW + timedelta(days=3)
    store.campaigns.pause_mailbox(items[0].mailbox_id, until, "by hand")
    store.campaigns.stop(items[0].campaign_id, "by hand", NOW)
    settle(store, held, SendResult(Outcome.REJECTED, Phase.DOT, 554, "5.7.1", "looks like spam"))
    mailbox = store.campaigns.mailbox("ada@ada.example", NOW)
    assert (mailbox.paused_until, mailbox.pause_reason) == (until, "by hand")
    assert store.campaigns.get("spring").state is CampaignState.STOPPED


def test_nobody_settles_what_is_not_theirs(store: Store, items: list[OutboxItem]) -> None:
    held = claimed(store, items[0])
    assert fence(store, held)
    stranger = replace(held, token="stranger")
    assert not settle(store, stranger, LATER)
    assert state(store, items[0]) is OutboxState.SENDING


def test_no_doubt_is_ever_queued_by_the_machine(store: Store, items: list[OutboxItem]) -> None:
    held = claimed(store, items[0])
    assert fence(store, held)
    settle(store, held, GONE)
    for moment in (NOW, NOW + timedelta(days=9)):
        store.claims.expire(moment)
        assert store.claims.held(OutboxState.SENDING) == []
        assert claim(store, items[0], now=moment) is None
    assert state(store, items[0]) is OutboxState.UNKNOWN


@pytest.mark.parametrize(
    ("decision", "after"),
    [
        (OutboxState.SENT, OutboxState.SENT),
        (OutboxState.QUEUED, OutboxState.QUEUED),
        (OutboxState.CANCELLED, OutboxState.CANCELLED),
    ],
)
def test_a_person_resolves_a_doubt(
    store: Store, items: list[OutboxItem], decision: OutboxState, after: OutboxState
) -> None:
    held = claimed(store, items[0])
    assert fence(store, held)
    settle(store, held, GONE)
    resolved = store.outbox.resolve(items[0].id, decision, "by Ada", NOW + timedelta(days=1))
    assert (resolved.state, resolved.mime, resolved.message_id) == (after, items[0].mime, items[0].message_id)


def test_only_a_doubt_can_be_resolved_and_only_a_failure_retried(store: Store, items: list[OutboxItem]) -> None:
    with pytest.raises(SendRefused, match="queued, not unknown"):
        store.outbox.resolve(items[0].id, OutboxState.SENT, "by Ada", NOW)
    with pytest.raises(SendRefused, match="queued, not failed or held"):
        store.outbox.retry(items[0].id, "by Ada", NOW)


def test_late_mail_is_not_sent_and_can_be_planned_afresh(store: Store, items: list[OutboxItem]) -> None:
    late = NOW + timedelta(hours=49)
    assert store.claims.expire(late) == len(items)
    assert state(store, items[0]) is OutboxState.CANCELLED
    campaign = store.campaigns.get("spring")
    assert set(store.outbox.generations(campaign.id).values()) == {1}


def test_one_live_row_for_each_step_and_founder(store: Store, items: list[OutboxItem]) -> None:
    assert queue_all(store, store.campaigns.get("spring")) == items
    duplicate = sa.insert(t.outbox).from_select(
        [column.name for column in t.outbox.c if column.name != "id"],
        sa.select(*[sa.literal("<other@x>").label("message_id") if column.name == "message_id" else column
                    for column in t.outbox.c if column.name != "id"]),
    )  # fmt: skip
    with pytest.raises(sa.exc.IntegrityError, match="dedupe_key"), store.database.write() as connection:
        connection.execute(duplicate)


# --- the outcome of one, the intent of the next, the claim of the one after that ---------------------------------


FREE = unpaced(LIMITS)


def answered(held: Claim) -> Answered:
    return Answered(held, OutboxState.SENDING, ACCEPTED, decide(ACCEPTED, attempts=held.attempts, now=NOW), NOW)


def test_one_transaction_records_an_answer_and_an_intent_and_takes_the_next(
    store: Store, items: list[OutboxItem]
) -> None:
    first, second = claimed(store, items[0]), claimed(store, items[1])
    assert fence(store, first, FREE)
    wanted = Wanted(items[2], FREE, "third", "me")
    before = answered(first)
    intent = store.claims.fence(second, FREE, now=NOW, next_send_at=NOW, before=before, following=wanted)
    assert intent == Intent(Claim(items[2], "third", 0))
    assert [store.outbox.get(item.id).state for item in items[:3]] == ["sent", "sending", "claimed"]


def test_a_refused_intent_records_the_answer_before_it_and_takes_nothing(store: Store, items: list[OutboxItem]) -> None:
    first, second = claimed(store, items[0]), claimed(store, items[1])
    assert fence(store, first, FREE)
    Suppressions(store.database, MemoryJournal()).add_person(items[1].founder_id, "said no", NOW)
    wanted = Wanted(items[2], FREE, "third", "me")
    before = answered(first)
    assert store.claims.fence(second, FREE, now=NOW, next_send_at=NOW, before=before, following=wanted) is None
    assert [store.outbox.get(item.id).state for item in items[:3]] == ["sent", "claimed", "queued"]
