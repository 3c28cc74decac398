"""What is next for one founder: a step, a wait, or the end."""

from datetime import timedelta

import pytest

from outreach.core.records import Enrollment, EnrollmentState, OutboxState, Sequence, Step
from outreach.core.sequence import Progress, Send, Stop, Wait, next_action
from tests.fakes import MONDAY_MORNING as NOW

DAYS = [timedelta(days=days) for days in range(30)]
STEPS = tuple(Step(number, f"step-{number}", "", "", DAYS[wait], "") for number, wait in ((1, 0), (2, 3), (3, 6)))
SEQUENCE = Sequence("job-search", STEPS)


def enrollment(state: EnrollmentState = EnrollmentState.ACTIVE, held_until: object = None) -> Enrollment:
    until = held_until if held_until is None else NOW + held_until  # type: ignore[operator]  # a timedelta
    return Enrollment(1, 1, 1, "bo@bo.example", "bo@bo.example", state, "why", until, NOW - DAYS[20])


def sent(step: int, days_ago: int, state: OutboxState = OutboxState.SENT) -> Progress:
    return Progress(step, state, NOW - DAYS[days_ago] if state is OutboxState.SENT else None)


ACTIVE = enrollment()
CASES = [
    ("nothing sent yet", ACTIVE, [], Send(STEPS[0], NOW - DAYS[20])),
    ("too early for the second", ACTIVE, [sent(1, 1)], Wait(NOW + DAYS[2], "not-due")),
    ("time for the second", ACTIVE, [sent(1, 4)], Send(STEPS[1], NOW - DAYS[1])),
    ("the delay counts from the mail before", ACTIVE, [sent(1, 10), sent(2, 5)], Wait(NOW + DAYS[1], "not-due")),
    ("more than a week late asks first", ACTIVE, [sent(1, 12)], Send(STEPS[1], NOW - DAYS[9], stale=True)),
    ("all sent", ACTIVE, [sent(1, 20), sent(2, 15), sent(3, 8)], Stop("finished")),
    ("one on its way", ACTIVE, [sent(1, 0, OutboxState.QUEUED)], Wait(None, "queued")),
    ("one in doubt blocks the rest", ACTIVE, [sent(1, 0, OutboxState.UNKNOWN)], Wait(None, "unknown-open")),
    ("one waits for a person", ACTIVE, [sent(1, 0, OutboxState.HELD)], Wait(None, "held")),
    ("one failed", ACTIVE, [sent(1, 0, OutboxState.FAILED)], Stop("failed")),
    ("stopped", enrollment(EnrollmentState.STOPPED), [sent(1, 9)], Stop("why")),
    ("held until later", enrollment(EnrollmentState.HELD, DAYS[2]), [sent(1, 9)], Wait(NOW + DAYS[2], "why")),
    ("held for a person", enrollment(EnrollmentState.HELD), [sent(1, 9)], Wait(None, "why")),
    ("back from holiday", enrollment(EnrollmentState.HELD, -DAYS[1]), [sent(1, 12)], Send(STEPS[1], NOW - DAYS[1])),
]


@pytest.mark.parametrize(("name", "entry", "history", "expected"), CASES)
def test_next_action(name: str, entry: Enrollment, history: list[Progress], expected: Send | Wait | Stop) -> None:
    assert next_action(entry, SEQUENCE, history, NOW) == expected
