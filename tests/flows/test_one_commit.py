"""Without pacing a mail's outcome is recorded with the intent of the next one, and the one after that is taken then:
whatever happens in between, the answer that was read is recorded, and nobody is left in hand."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from outreach.core.pacing import unpaced
from outreach.core.ports import Envelope, Outcome, Phase, SendResult
from outreach.core.records import CampaignState, OutboxItem, OutboxState
from outreach.errors import StoreError
from outreach.flows.enqueue import enqueue
from outreach.flows.recover import recover
from outreach.flows.send import SendReport, send
from outreach.store.claims import Claims
from outreach.store.suppressions import Suppressions
from outreach.transports.directory import DirectoryTransport
from tests.flows.test_enqueue_and_send import LIMITS, OUTBOX, Desk

pytestmark = pytest.mark.usefixtures("engine")
NAMES = ("Bo", "Cy", "Di", "Ed", "Fay", "Gus")
SENT, QUEUED, UNKNOWN = OutboxState.SENT, OutboxState.QUEUED, OutboxState.UNKNOWN
_LOST = SendResult(Outcome.DEFERRED, Phase.BODY, text="the server closed the connection")
_LATER = SendResult(Outcome.DEFERRED, Phase.DOT, 451, "4.3.0", "not now")


@dataclass
class Line:
    """A transport into a folder that does something else with the n-th mail that is staged, or that is ended."""

    desk: Desk
    staging: dict[int, Callable[[], SendResult | None]] = field(default_factory=dict)
    ending: dict[int, Callable[[], SendResult]] = field(default_factory=dict)
    staged: int = 0
    ended: int = 0

    def __post_init__(self) -> None:
        self._folder = DirectoryTransport(self.desk.folder)

    def stage(self, envelope: Envelope) -> SendResult | None:
        self.staged += 1
        found = self.staging.get(self.staged, lambda: None)()
        return found or self._folder.stage(envelope)

    def commit(self) -> SendResult:
        self.ended += 1
        return self.ending[self.ended]() if self.ended in self.ending else self._folder.commit()

    def close(self) -> None:
        self._folder.close()


@dataclass
class Steps:
    """Every labelled step, in order; `does` is called at the n-th time of one."""

    does: dict[tuple[str, int], Callable[[], object]] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)

    def __call__(self, label: str) -> None:
        self.seen.append(label)
        self.does.get((label, self.seen.count(label)), lambda: None)()


class Tallied(Claims):
    """Counts its transactions."""

    tally: Counter[str]

    def claim(self, *args: Any, **kwargs: Any) -> Any:
        self.tally["claim"] += 1
        return super().claim(*args, **kwargs)

    def fence(self, *args: Any, **kwargs: Any) -> Any:
        self.tally["fence"] += 1
        return super().fence(*args, **kwargs)

    def settle(self, *args: Any, **kwargs: Any) -> Any:
        self.tally["settle"] += 1
        return super().settle(*args, **kwargs)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "sent", NAMES, unpaced(LIMITS))


def queue(desk: Desk) -> list[OutboxItem]:
    return enqueue(desk.store, desk.plan(), desk.clock.now())


def run(desk: Desk, items: Sequence[OutboxItem], line: Line | None = None, **other: Any) -> SendReport:
    return send(replace(desk.sender(), transport=line or Line(desk), **other), items)


def states(desk: Desk) -> list[OutboxState]:
    return [item.state for item in sorted(desk.store.outbox.items(), key=lambda item: item.id)]


def interrupt() -> SendResult:
    raise KeyboardInterrupt


def test_a_mail_costs_one_commit(desk: Desk) -> None:
    items = queue(desk)
    tallied = Tallied(desk.store.database, desk.store.claims._log)
    tallied.tally, desk.store.claims = Counter(), tallied
    assert run(desk, items).count(SENT) == len(NAMES)
    assert states(desk) == [SENT] * len(NAMES)
    # The first comes after nothing, so the second is claimed on its own; the last has none after it.
    assert tallied.tally == {"claim": 2, "fence": len(NAMES), "settle": 2}


def test_with_pacing_every_outcome_is_recorded_at_once(desk: Desk) -> None:
    desk.limits = replace(LIMITS, hourly_cap=10, daily_cap=10, min_gap=timedelta(0), max_gap=timedelta(0))
    steps = Steps()
    run(desk, queue(desk), at=steps)
    assert steps.seen.count("settled") == 5  # the canary
    assert "owed" not in steps.seen


def test_a_slow_server_gets_no_say_over_when_outcomes_are_recorded(desk: Desk) -> None:
    slow, steps = timedelta(seconds=0.06), Steps()
    items = queue(desk)
    line = Line(desk, {number: lambda: desk.clock.move(slow) for number in (3, 4)})
    assert run(desk, items, line, at=steps).count(SENT) == len(NAMES)
    kinds = [step for step in steps.seen if step in ("owed", "settled", "intended")]
    plain, owed, paid = ["intended", "settled"], ["intended", "owed"], ["settled", "intended"]
    # The second's outcome waits for the third, which is slow; then none waits until the server is quick again.
    assert kinds == [*plain, *owed, *paid, "settled", *plain, *owed, *paid, "settled"]


def test_a_refused_intent_leaves_the_outcome_before_it_recorded(desk: Desk) -> None:
    items = queue(desk)
    noes = Suppressions(desk.store.database, desk.store.claims._log)
    steps = Steps({("logged", 3): lambda: noes.add_person(items[2].founder_id, "said no", desk.clock.now())})
    report = run(desk, items, at=steps)
    assert states(desk) == [SENT, SENT, OutboxState.CANCELLED, SENT, SENT, SENT]
    assert (report.count(SENT), len(desk.mails())) == (5, 5)


def test_a_campaign_that_is_paused_before_an_intent_holds_the_rest_and_keeps_the_outcome(desk: Desk) -> None:
    items = queue(desk)
    pause = lambda: desk.store.campaigns.set_state(desk.campaign.id, CampaignState.PAUSED, "by hand")  # noqa: E731
    run(desk, items, at=Steps({("staged", 4): pause}))
    assert states(desk) == [SENT] * 3 + [QUEUED] * 3
    assert len(desk.mails()) == 3


@pytest.mark.parametrize("number", [3, 4, 6])
def test_a_mail_that_fails_before_its_dot_leaves_the_outcome_before_it_recorded(desk: Desk, number: int) -> None:
    report = run(desk, queue(desk), Line(desk, {number: lambda: _LOST}))
    assert Counter(states(desk)) == {SENT: 5, QUEUED: 1}
    assert (report.count(SENT), report.count(QUEUED), len(desk.mails())) == (5, 1, 5)
    for sent in report.results:
        assert [tried["outcome"] for tried in desk.store.outbox.attempts(sent.item.id)] == [sent.result.outcome]


@pytest.mark.parametrize("number", [2, 3, 5])
def test_after_a_refusal_the_next_is_not_in_hand(desk: Desk, number: int) -> None:
    items = queue(desk)
    run(desk, items, Line(desk, ending={number: lambda: _LATER}))
    mailbox = desk.store.campaigns.mailbox("ada@ada.example", desk.clock.now())
    assert mailbox.paused_until is not None, "the mailbox rests"
    assert states(desk) == [SENT] * (number - 1) + [QUEUED] * (len(NAMES) - number + 1)
    assert desk.store.claims.held(OutboxState.CLAIMED) == []
    assert [tried["outcome"] for tried in desk.store.outbox.attempts(items[number - 1].id)] == ["deferred"]


def test_an_interrupt_before_a_dot_leaves_the_outcome_before_it_recorded(desk: Desk) -> None:
    items = queue(desk)
    with pytest.raises(KeyboardInterrupt):
        run(desk, items, Line(desk, {4: interrupt}))
    assert states(desk) == [SENT] * 3 + [QUEUED] * 3
    assert len(desk.mails()) == 3


def test_an_interrupt_after_a_dot_leaves_one_doubt(desk: Desk) -> None:
    items = queue(desk)
    with pytest.raises(KeyboardInterrupt):
        run(desk, items, Line(desk, ending={4: interrupt}))
    assert states(desk) == [SENT] * 3 + [UNKNOWN] + [QUEUED] * 2


@pytest.mark.parametrize("label", ["owed", "answered", "settled"])
def test_who_is_asked_to_stop_leaves_nothing_open(desk: Desk, label: str) -> None:
    items = queue(desk)
    stopping = list[bool]()
    report = run(desk, items, at=Steps({(label, 3): lambda: stopping.append(True)}), stopped=lambda: bool(stopping))
    assert report.reason == "interrupted"
    found = Counter(states(desk))
    assert found == {SENT: report.count(SENT), QUEUED: len(NAMES) - report.count(SENT)}
    assert len(desk.mails()) == report.count(SENT)


def test_a_mail_that_is_not_as_it_was_queued_ends_the_run_and_keeps_the_outcome_before_it(desk: Desk) -> None:
    items = queue(desk)
    broken = [*items[:3], replace(items[3], mime=b"X-Odd: yes\r\n\r\nHi\r\n"), *items[4:]]
    report = run(desk, broken)
    assert ["is not as it was queued" in str(error) for error in report.errors] == [True]
    assert states(desk) == [SENT] * 3 + [QUEUED] * 3


def test_a_log_that_cannot_be_written_ends_the_run_and_keeps_the_outcome_before_it(desk: Desk) -> None:
    class Full:
        """Has no room for the fourth intent."""

        def __init__(self) -> None:
            self.intents = 0

        def record(self, entry: Any, *, durable: bool = True) -> None:  # noqa: ARG002  as the protocol has it
            self.intents += entry["kind"] == "intent"
            if self.intents == 4:
                raise StoreError("sent.log cannot be written: no space left.", hint="make room")

    report = run(desk, queue(desk), journal=Full())
    assert len(report.errors) == 1
    assert states(desk) == [SENT] * 3 + [QUEUED] * 3


def test_a_store_that_fails_at_the_common_commit_gets_the_outcome_all_the_same(desk: Desk) -> None:
    class Failing(Claims):
        """Its fourth intent cannot be written, as when the disk is full."""

        fences = 0

        def fence(self, *args: Any, **kwargs: Any) -> Any:
            Failing.fences += 1
            if Failing.fences == 4:
                raise StoreError("outreach.db cannot be written.", hint="make room")
            return super().fence(*args, **kwargs)

    desk.store.claims = Failing(desk.store.database, desk.store.claims._log)
    report = run(desk, queue(desk))
    assert len(report.errors) == 1
    assert states(desk) == [SENT] * 3 + [QUEUED] * 3
    assert len(desk.mails()) == 3


def test_the_next_mail_may_not_go_although_the_one_in_hand_may(desk: Desk) -> None:
    items = queue(desk)
    with desk.store.database.write() as connection:
        late = desk.clock.now() - timedelta(seconds=1)
        connection.execute(sa.update(OUTBOX).where(OUTBOX.c.id == items[3].id).values(expires_at=late))
    report = run(desk, items)
    assert [(item.id, why) for item, why in report.skipped] == [(items[3].id, "expired")]
    assert states(desk) == [SENT, SENT, SENT, QUEUED, SENT, SENT]


def test_what_a_dead_sender_had_read_is_recorded_from_its_log_and_anything_else_is_a_doubt(desk: Desk) -> None:
    """It died between the answer and the common commit: the log has the server's word on that very try."""
    items, now = queue(desk), desk.clock.now()
    for number, item in enumerate(items[:3]):
        held = desk.store.claims.claim(item, desk.limits, token=f"try {number}", owner="dead", now=now)
        assert held
        assert desk.store.claims.fence(held, desk.limits, now=now, next_send_at=now)
    log = [
        {"kind": "sent", "token": "try 0", "at": now.isoformat(), "text": "2.0.0 queued as 4711"},
        {"kind": "sent", "token": "an earlier try", "at": now.isoformat(), "message_id": items[1].message_id},
        {"kind": "refused", "token": "try 2", "at": now.isoformat(), "message_id": items[2].message_id},
    ]
    later = now + timedelta(minutes=1)
    assert recover(desk.store, lambda _owner: False, later, log) == [], "the others are at work"
    assert recover(desk.store, lambda _owner: True, later, log) == [items[1].id, items[2].id]
    assert states(desk)[:3] == [SENT, UNKNOWN, UNKNOWN]
    assert desk.store.outbox.get(items[0].id).sent_at == now
    [tried] = desk.store.outbox.attempts(items[0].id)
    assert (tried["outcome"], tried["code"], tried["text"]) == ("accepted", 250, "2.0.0 queued as 4711")
