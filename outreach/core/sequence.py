"""What is next for one founder in one campaign: a step, a wait, or the end.

"Finished" follows from the messages there are, never from a counter.
"""

from collections.abc import Sequence as Ordered
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from outreach.core.records import Enrollment, EnrollmentState, OutboxState, Sequence, Step

STALE_AFTER = timedelta(days=7)
_ON_ITS_WAY = frozenset((OutboxState.QUEUED, OutboxState.CLAIMED, OutboxState.SENDING))


@dataclass(frozen=True, slots=True)
class Progress:
    """What became of one step so far. Cancelled messages do not count, unless they may have left."""

    step: int
    state: OutboxState
    sent_at: datetime | None
    zone: str = ""
    """The recipient's, as it was known then; empty where it was not."""


@dataclass(frozen=True, slots=True)
class Send:
    """This step may be written now. `stale` asks a person first: it is overdue by more than a week."""

    step: Step
    due_at: datetime
    stale: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing now. `until` is None where something else must happen first."""

    until: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Nothing ever again."""

    reason: str


def next_action(
    enrollment: Enrollment, sequence: Sequence, history: Ordered[Progress], now: datetime, zone: tzinfo = UTC
) -> Send | Wait | Stop:
    """Decide from the enrollment, the steps there are and what became of the earlier ones. `zone` tells which days are
    weekends."""
    if enrollment.state in (EnrollmentState.STOPPED, EnrollmentState.FINISHED):
        return Stop(enrollment.reason or enrollment.state)
    if enrollment.state is EnrollmentState.HELD and (enrollment.held_until is None or enrollment.held_until > now):
        return Wait(enrollment.held_until, enrollment.reason)
    states = {progress.state for progress in history}
    if states & _ON_ITS_WAY:
        return Wait(None, "queued")
    if OutboxState.HELD in states:
        return Wait(None, "held")
    if OutboxState.UNKNOWN in states:
        return Wait(None, "unknown-open")
    if OutboxState.FAILED in states:
        return Stop("failed")
    if OutboxState.CANCELLED in states:
        return Stop("abandoned")
    return _following(enrollment, sequence, history, now, zone)


def _following(
    enrollment: Enrollment, sequence: Sequence, history: Ordered[Progress], now: datetime, zone: tzinfo
) -> Send | Wait | Stop:
    last = max(history, key=lambda progress: progress.step, default=None)
    step = next((step for step in sequence.steps if step.number > (last.step if last else 0)), None)
    if step is None:
        return Stop("finished")
    due_at = after_wait(last.sent_at or now, step, zone) if last else enrollment.enrolled_at
    if enrollment.held_until:
        due_at = max(due_at, enrollment.held_until)
    if due_at > now:
        return Wait(due_at, "not-due")
    return Send(step, due_at, stale=last is not None and now - due_at > STALE_AFTER)


def after_wait(sent_at: datetime, step: Step, zone: tzinfo) -> datetime:
    """When the step is due after the mail before: full days of 24 hours, of which Saturdays and Sundays do not count
    where the step waits for working days."""
    if not step.working_days:
        return sent_at + step.wait
    at, left = sent_at, step.working_days
    while left:
        at += timedelta(days=1)
        left -= at.astimezone(zone).weekday() < _SATURDAY
    return at


_SATURDAY = 5
