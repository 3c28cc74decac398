"""Turns a step of a sequence into the finished message for one founder. Preview, check and enqueue all write with it,
so that what was looked at is what goes out."""

from collections.abc import Mapping
from collections.abc import Sequence as Ordered
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo

from outreach.core.findings import Finding, placed
from outreach.core.lint import lint_message
from outreach.core.mentions import Names
from outreach.core.message import InThread, build_message, dedupe_key, message_token, read_draft
from outreach.core.notice import privacy_notice
from outreach.core.records import Campaign, Draft, Enrollment, Founder, Message, OutboxItem, Sender, Sequence, Step
from outreach.core.review import review_message
from outreach.core.variants import variant_for
from outreach.templating import Context, Missing, Previous, Renderer, facts_of, template_context

_NO_MAILBOX = "no-mailbox: write them into mailboxes/NAME.env, or: outreach campaign move"


@dataclass(frozen=True, slots=True)
class Written:
    """A finished message and what it was made of. A preview may answer it as if it had been sent."""

    draft: Draft
    message: Message
    dedupe_key: str
    generation: int
    step: Step
    """The variant that was written."""
    findings: tuple[Finding, ...] = ()
    """What a careful writer would rather avoid; nothing that blocks."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """The values that the template names."""
    sent_at: datetime | None = None

    @property
    def message_id(self) -> str:
        return self.message.message_id

    @property
    def wire_message_id(self) -> str:
        return ""

    @property
    def mime(self) -> bytes:
        return self.message.mime

    @property
    def warnings(self) -> tuple[str, ...]:
        return tuple(map(str, self.findings))


@dataclass(frozen=True, slots=True)
class Unwritten:
    """A message that cannot be sent as it is, and why: empty fields, or what a careful reader would object to."""

    reasons: tuple[str, ...]
    findings: tuple[Finding, ...] = ()
    step: Step | None = None


class Writer:
    """Writes one campaign's messages. `zone` is where the sender lives, for dates in the text. `senders` are the
    owners of further mailboxes by their ids: who writes to a founder is settled by the enrollment."""

    def __init__(
        self,
        sequence: Sequence,
        sender: Sender,
        key: bytes,
        *,
        zone: tzinfo = UTC,
        purpose: str = "job-search",
        senders: Mapping[int, Sender] | None = None,
    ) -> None:
        self.sequence = sequence
        self.sender = sender
        self._senders = senders or {}
        self.purpose = purpose
        self._key = key
        self._zone = zone
        self._renderer = Renderer(sequence)

    def step_for(self, campaign: Campaign, step: Step, founder: Founder) -> Step:
        """The variant of `step` that this founder gets."""
        return variant_for(step, campaign.id, founder.id)

    def _sender_for(self, enrollment: Enrollment) -> Sender | None:
        """Who writes to this founder, from the first mail to the last; None where their mailbox has no settings."""
        return self._senders.get(enrollment.mailbox_id) if self._senders and enrollment.mailbox_id else self.sender

    def write(
        self,
        campaign: Campaign,
        enrollment: Enrollment,
        founder: Founder,
        step: Step,
        *,
        earlier: Ordered[InThread],
        generation: int,
        date: datetime,
        names: Names | None = None,
    ) -> Written | Unwritten:
        """The message of `step`; `earlier` are the messages that were sent to this founder before, oldest first. With
        the `names` of everyone else, a mail that names one of them is held."""
        chosen = self.step_for(campaign, step, founder)
        sender = self._sender_for(enrollment)
        if sender is None:
            return Unwritten((_NO_MAILBOX,), (), chosen)
        notice = self._notice(campaign, enrollment, founder, sender) if step.number == 1 else ""
        context = template_context(
            founder, enrollment.address, sender, campaign.name, chosen, _previous(earlier),
            date=date.astimezone(self._zone), notice=notice,
        )  # fmt: skip
        draft = self._renderer.render(chosen, context)
        if isinstance(draft, Missing):
            return _missing(draft, chosen, founder)
        key = dedupe_key(campaign.id, step.number, founder.id)
        message = build_message(
            draft,
            sender=sender,
            recipient=enrollment.address,
            recipient_name=founder.full_name,
            date=date,
            token=message_token(self._key, key, generation),
            earlier=earlier,
        )
        objections = lint_message(
            message, draft, step=step.number, sender=sender, recipient=enrollment.address, notice=notice,
            founder=founder, names=names,
        )  # fmt: skip
        if blocking := placed(objections, chosen):
            return Unwritten(tuple(map(str, blocking)), tuple(blocking), chosen)
        warnings = placed(review_message(read_draft(message.mime).subject, draft.text, step=chosen), chosen)
        return Written(
            draft, message, key, generation, chosen, tuple(warnings), self._facts(chosen, context), sent_at=date
        )

    def _notice(self, campaign: Campaign, enrollment: Enrollment, founder: Founder, sender: Sender) -> str:
        return privacy_notice(
            founder,
            enrollment.address,
            sender,
            purpose=campaign.purpose or self.purpose,
            why=campaign.why,
        )

    def _facts(self, step: Step, context: Context) -> dict[str, str]:
        return facts_of(context, [name for name, _ in self._renderer.variables(step)])


def _previous(earlier: Ordered[InThread]) -> Previous | None:
    if not earlier:
        return None
    last = earlier[-1]
    number = last.step.number if isinstance(last, Written) else last.step if isinstance(last, OutboxItem) else 0
    sent_at = last.sent_at if isinstance(last, Written | OutboxItem) else None
    return Previous(number, read_draft(last.mime).subject, sent_at)


def _missing(draft: Missing, step: Step, founder: Founder) -> Unwritten:
    """Each empty field; the hand-written line comes with what to type."""
    found = [Finding("empty", f"{name} is empty", quote=name) for name in draft.fields]
    reasons = [finding.message + _remedy(finding.quote, founder) for finding in found]
    return Unwritten(tuple(reasons), tuple(placed(found, step)), step)


def _remedy(name: str, founder: Founder) -> str:
    return f': outreach founders edit {founder.id} --line "…"' if name == "line" else ""


def changed_since(written: Written, template: str, facts: Mapping[str, str]) -> str:
    """What is different from a mail that was made of this template and these facts, in words."""
    if written.step.digest != template:
        return f"{written.step.path} changed"
    names = sorted({*written.facts, *facts})
    changes = [name for name in names if written.facts.get(name, "") != facts.get(name, "")]
    if changes:
        return ", ".join(
            f"{name} changed from {facts.get(name, '')!r} to {written.facts.get(name, '')!r}" for name in changes
        )
    return "your settings or the address changed"
