"""Turns a step of a sequence into the finished message for one founder. Preview and enqueue both write with it, so
that what was looked at is what goes out."""

from collections.abc import Sequence as Ordered
from dataclasses import dataclass
from datetime import datetime

from outreach.core.lint import Finding, lint_message
from outreach.core.message import InThread, build_message, dedupe_key, message_token
from outreach.core.records import Campaign, Draft, Enrollment, Founder, Message, Sender, Sequence, Step
from outreach.templating import Missing, Renderer, template_context


@dataclass(frozen=True, slots=True)
class Written:
    """A finished message and what it was made of. A preview may answer it as if it had been sent."""

    draft: Draft
    message: Message
    dedupe_key: str
    generation: int

    @property
    def message_id(self) -> str:
        return self.message.message_id

    @property
    def wire_message_id(self) -> str:
        return ""

    @property
    def mime(self) -> bytes:
        return self.message.mime


@dataclass(frozen=True, slots=True)
class Unwritten:
    """A message that cannot be sent as it is, and why: empty fields, or what a careful reader would object to."""

    reasons: tuple[str, ...]


class Writer:
    """Writes one campaign's messages."""

    def __init__(self, sequence: Sequence, sender: Sender, key: bytes) -> None:
        self.sequence = sequence
        self.sender = sender
        self._key = key
        self._renderer = Renderer(sequence)

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
    ) -> Written | Unwritten:
        """The message of `step`; `earlier` are the messages that were sent to this founder before, oldest first."""
        context = template_context(founder, enrollment.address, self.sender, campaign.name)
        draft = self._renderer.render(step, context)
        if isinstance(draft, Missing):
            return Unwritten(tuple(f"{field} is empty" for field in draft.fields))
        key = dedupe_key(campaign.id, step.number, founder.id)
        message = build_message(
            draft,
            sender=self.sender,
            recipient=enrollment.address,
            recipient_name=founder.full_name,
            date=date,
            token=message_token(self._key, key, generation),
            earlier=earlier,
        )
        findings = lint_message(message, draft, step=step.number, sender=self.sender, recipient=enrollment.address)
        if findings:
            return Unwritten(tuple(_sentence(finding) for finding in findings))
        return Written(draft, message, key, generation)


def _sentence(finding: Finding) -> str:
    return f"{finding.rule}: {finding.message}"
