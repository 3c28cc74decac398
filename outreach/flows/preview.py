"""Shows the messages of a campaign as they would go out: the stored bytes of what is queued, else what enqueue would
write now. Changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from outreach.core.message import InThread, dedupe_key, read_draft
from outreach.core.records import Campaign, Enrollment, EnrollmentState, Founder, OutboxItem, OutboxState, Step
from outreach.core.sequence import Progress, Send, Wait, next_action
from outreach.flows._writer import Unwritten, Writer, Written
from outreach.store.store import Store


@dataclass(frozen=True, slots=True)
class Shown:
    """One message to look at."""

    founder: Founder
    address: str
    step: int
    subject: str
    text: str
    message_id: str
    sha256: str
    mime: bytes
    state: str


@dataclass(frozen=True, slots=True)
class Blank:
    """A founder for whom no message can be shown, and why."""

    founder: Founder
    reasons: tuple[str, ...]


def preview(
    store: Store, campaign: Campaign, writer: Writer, *, founder_id: int | None, step: int | None, now: datetime
) -> list[Shown | Blank]:
    """The next message of each founder (or message `step` of the sequence), in the order of enrollment."""
    founders = {founder.id: founder for founder in store.people.enrolled(campaign.id)}
    histories = store.outbox.histories(campaign.id)
    pages = _Preview(store, campaign, writer, now)
    found: list[Shown | Blank] = []
    for enrollment in store.campaigns.enrollments(campaign.id):
        if founder_id not in (None, enrollment.founder_id):
            continue
        wanted = _wanted(enrollment, writer, histories.get(enrollment.id, []), step, now)
        if enrollment.state is EnrollmentState.STOPPED and wanted is not None:
            found.append(Blank(founders[enrollment.founder_id], (f"stopped: {enrollment.reason}",)))
        elif wanted is not None:
            found.append(pages.show(enrollment, founders[enrollment.founder_id], wanted))
    return found


def _wanted(
    enrollment: Enrollment, writer: Writer, history: Sequence[Progress], number: int | None, now: datetime
) -> Step | None:
    """The step to show: the one asked for, else what is on its way, else what is next. None: the sequence is over."""
    steps = {step.number: step for step in writer.sequence.steps}
    if number is not None:
        return steps.get(number)
    if enrollment.state in (EnrollmentState.STOPPED, EnrollmentState.FINISHED):
        return None
    action = next_action(enrollment, writer.sequence, history, now)
    if isinstance(action, Send):
        return action.step
    if isinstance(action, Wait):
        done = [progress.step for progress in history if progress.state is OutboxState.SENT]
        return steps.get(max(done, default=0) + 1)
    return None


class _Preview:
    """The messages of one campaign, each as it is stored or as it would be written."""

    def __init__(self, store: Store, campaign: Campaign, writer: Writer, now: datetime) -> None:
        self._store, self._campaign, self._writer, self._now = store, campaign, writer, now
        self._generations = store.outbox.generations(campaign.id)

    def show(self, enrollment: Enrollment, founder: Founder, step: Step) -> Shown | Blank:
        thread = self._store.outbox.thread(enrollment.id)
        stored = next((item for item in thread if item.step == step.number), None)
        if stored:
            return _shown(founder, stored.rcpt, step, stored.mime, stored.message_id, stored.sha256, stored.state)
        written = self._write(enrollment, founder, step, thread)
        if isinstance(written, Unwritten):
            return Blank(founder, written.reasons)
        message = written.message
        return _shown(founder, enrollment.address, step, message.mime, message.message_id, message.sha256, "preview")

    def _write(
        self, enrollment: Enrollment, founder: Founder, step: Step, thread: Sequence[OutboxItem]
    ) -> Written | Unwritten:
        """The message of this step, after the earlier ones: as they were sent, or as they would be."""
        sent = {item.step: item for item in thread}
        earlier: list[InThread] = []
        written: Written | Unwritten = Unwritten(("the sequence has no such step",))
        for each in self._writer.sequence.steps[: step.number]:
            if each.number in sent:
                earlier.append(sent[each.number])
                continue
            key = dedupe_key(self._campaign.id, each.number, founder.id)
            written = self._writer.write(
                self._campaign, enrollment, founder, each,
                earlier=earlier, generation=self._generations.get(key, 0), date=self._now,
            )  # fmt: skip
            if isinstance(written, Unwritten):
                return written
            earlier.append(written)
        return written


def _shown(founder: Founder, address: str, step: Step, mime: bytes, message_id: str, sha256: str, state: str) -> Shown:
    draft = read_draft(mime)
    return Shown(founder, address, step.number, draft.subject, draft.text, message_id, sha256, mime, state)
