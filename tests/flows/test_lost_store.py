"""The database goes away in the middle of a mail: before its intent is known to be recorded there is no dot, and after
the server's answer the outcome is recorded in the end."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from outreach.core.pacing import unpaced
from outreach.core.records import OutboxState
from outreach.errors import StoreUnavailable
from outreach.flows.enqueue import enqueue
from outreach.flows.send import Sender, SendReport, send
from outreach.store.claims import Claims
from outreach.store.database import Database
from outreach.store.journal import MemoryJournal
from outreach.transports.directory import DirectoryTransport
from tests.flows.test_enqueue_and_send import LIMITS, Desk

pytestmark = pytest.mark.usefixtures("engine")
NAMES = ("Bo", "Cy", "Di", "Ed")


class Losing(Claims):
    """Loses the database at the n-th time of one step: before its commit, or behind it, when nobody can tell whether
    it was recorded."""

    def __init__(self, database: Database, step: str, number: int, *, committed: bool) -> None:
        super().__init__(database, MemoryJournal())
        self._step, self._left, self._committed, self.lost = step, number, committed, 0

    def claim(self, *args: Any, **kwargs: Any) -> Any:
        return self._losing("claim", lambda: Claims.claim(self, *args, **kwargs))

    def fence(self, *args: Any, **kwargs: Any) -> Any:
        return self._losing("fence", lambda: Claims.fence(self, *args, **kwargs))

    def settle(self, *args: Any, **kwargs: Any) -> Any:
        return self._losing("settle", lambda: Claims.settle(self, *args, **kwargs))

    def _losing(self, step: str, act: Callable[[], Any]) -> Any:
        self._left -= step == self._step
        if step != self._step or self._left:
            return act()
        self.lost += 1
        if self._committed:
            act()
        raise StoreUnavailable("the server closed the connection")


def run(folder: Path, step: str, number: int = 1, *, committed: bool) -> tuple[Desk, SendReport, Counter[str]]:
    desk = Desk(folder, NAMES, unpaced(LIMITS))
    items = enqueue(desk.store, desk.plan(), desk.clock.now())
    losing = Losing(desk.store.database, step, number, committed=committed)
    desk.store.claims = losing
    sender = Sender(
        store=desk.store, transport=DirectoryTransport(folder), mailbox=desk.mailbox, limits=desk.limits,
        clock=desk.clock, journal=MemoryJournal(), owner="desk", chance=lambda: 0.5,
    )  # fmt: skip
    report = send(sender, items)
    assert losing.lost == 1
    assert desk.store.claims.held(OutboxState.CLAIMED) == []
    return desk, report, Counter(mail["To"] for mail in desk.mails())


@pytest.mark.parametrize("committed", [True, False])
@pytest.mark.parametrize("step", ["claim", "settle"])
def test_before_the_intent_and_after_the_answer_it_is_asked_again(
    tmp_path: Path, step: str, *, committed: bool
) -> None:
    desk, report, copies = run(tmp_path / "sent", step, committed=committed)
    assert report.count(OutboxState.SENT) == len(NAMES)
    assert len(copies) == len(NAMES)
    assert set(copies.values()) == {1}
    assert {item.state for item in desk.store.outbox.items()} == {OutboxState.SENT}


@pytest.mark.parametrize("number", [1, 2, 3])
def test_an_intent_that_was_not_recorded_is_tried_again(tmp_path: Path, number: int) -> None:
    _, report, copies = run(tmp_path / "sent", "fence", number, committed=False)
    assert report.count(OutboxState.SENT) == len(NAMES)
    assert set(copies.values()) == {1}


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_an_intent_that_nobody_confirmed_gets_no_dot_and_stays_a_doubt(tmp_path: Path, number: int) -> None:
    """With it may have been recorded what was answered to the one before, and the claim of the next."""
    desk, report, copies = run(tmp_path / "sent", "fence", number, committed=True)
    [doubt] = desk.store.outbox.items(states=[OutboxState.UNKNOWN])
    assert "no final dot was written" in doubt.reason
    assert report.count(OutboxState.SENT) == len(copies) == len(NAMES) - 1
    assert doubt.rcpt not in str(copies)
    assert [attempt["outcome"] for attempt in desk.store.outbox.attempts(doubt.id)] == ["unknown"]
