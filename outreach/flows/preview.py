"""Shows the messages of a campaign as they would go out: the stored bytes of what is queued, else what enqueue would
write now. Changes nothing but, on request, the memory of what a person approved."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from hashlib import sha256

from outreach.core.countries import CountryAnswer, country_answer
from outreach.core.findings import Finding
from outreach.core.guards import Facts, answers, blocks
from outreach.core.mentions import Names, names_of
from outreach.core.message import InThread, dedupe_key
from outreach.core.read_back import Seen, read_message
from outreach.core.records import Campaign, Enrollment, EnrollmentState, Founder, OutboxItem, OutboxState, Step
from outreach.core.sequence import Progress, Send, Wait, next_action
from outreach.core.variants import every_variant
from outreach.errors import SendRefused
from outreach.flows._writer import Unwritten, Writer, Written, changed_since
from outreach.store.notes import Approved
from outreach.store.store import Store

NOT_SENT = "preview"


@dataclass(frozen=True, slots=True)
class Shown:
    """One message to look at. `state` is the outbox's, or "preview" for what is not queued yet."""

    founder: Founder
    address: str
    step: int
    subject: str
    text: str
    message_id: str
    sha256: str
    mime: bytes
    state: str
    dedupe_key: str = ""
    variant: str = ""
    findings: tuple[Finding, ...] = ()
    waits: tuple[str, ...] = ()
    """Why it would not go now, although it is written."""
    approval: str = ""
    """When it was approved, or what changed since."""
    template: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def seen(self) -> Seen:
        """Every header and part, read from the bytes."""
        return read_message(self.mime)


@dataclass(frozen=True, slots=True)
class Blank:
    """A founder for whom no message can be shown, and why."""

    founder: Founder
    reasons: tuple[str, ...]
    step: int = 0
    findings: tuple[Finding, ...] = ()


def preview(
    store: Store,
    campaign: Campaign,
    writer: Writer,
    *,
    founder_id: int | None,
    step: int | None,
    now: datetime,
    zone: tzinfo = UTC,
) -> list[Shown | Blank]:
    """The next message of each founder (or message `step` of the sequence), in the order of enrollment."""
    founders = {founder.id: founder for founder in store.people.enrolled(campaign.id)}
    histories = store.outbox.histories(campaign.id)
    pages = _Preview(store, campaign, writer, founders, histories, now)
    found: list[Shown | Blank] = []
    for enrollment in store.campaigns.enrollments(campaign.id):
        if founder_id not in (None, enrollment.founder_id):
            continue
        wanted = _wanted(enrollment, writer, histories.get(enrollment.id, []), step, now, zone)
        if enrollment.state is EnrollmentState.STOPPED and wanted is not None:
            found.append(Blank(founders[enrollment.founder_id], (f"stopped: {enrollment.reason}",), wanted.number))
        elif wanted is not None:
            found.append(pages.show(enrollment, founders[enrollment.founder_id], wanted))
    return _one_by_company(_with_repeats(found))


def batch_hash(mails: Sequence[Shown]) -> str:
    """What these mails are together, in a dozen letters: for approving exactly them."""
    lines = sorted(f"{mail.dedupe_key}:{mail.sha256}" for mail in mails if mail.state == NOT_SENT)
    return sha256("\n".join(lines).encode()).hexdigest()[:12]


def approve(store: Store, mails: Sequence[Shown], expected: str, now: datetime) -> int:
    """Remember that a person found these mails good; SendRefused if they are not those of the hash they were shown."""
    found = batch_hash(mails)
    fresh = [mail for mail in mails if mail.state == NOT_SENT]
    if expected not in ("all", found):
        raise SendRefused(
            f"these mails are not the ones of {expected}: a template, a fact or the list changed since.",
            hint=f"look at them again; their hash is {found} now",
        )
    store.notes.approve(
        [Approved(mail.dedupe_key, mail.sha256, mail.template, dict(mail.facts), now) for mail in fresh]
    )
    return len(fresh)


def _wanted(
    enrollment: Enrollment,
    writer: Writer,
    history: Sequence[Progress],
    number: int | None,
    now: datetime,
    zone: tzinfo,
) -> Step | None:
    """The step to show: the one asked for, else what is on its way, else what is next. None: the sequence is over."""
    steps = {step.number: step for step in writer.sequence.steps}
    if number is not None:
        return steps.get(number)
    if enrollment.state in (EnrollmentState.STOPPED, EnrollmentState.FINISHED):
        return None
    action = next_action(enrollment, writer.sequence, history, now, zone)
    if isinstance(action, Send):
        return action.step
    if isinstance(action, Wait):
        done = [progress.step for progress in history if progress.state is OutboxState.SENT]
        return steps.get(max(done, default=0) + 1)
    return None


class _Preview:
    """The messages of one campaign, each as it is stored or as it would be written."""

    def __init__(
        self,
        store: Store,
        campaign: Campaign,
        writer: Writer,
        founders: Mapping[int, Founder],
        started: Collection[int],
        now: datetime,
    ) -> None:
        self._store, self._campaign, self._writer, self._now = store, campaign, writer, now
        self._generations = store.outbox.generations(campaign.id)
        self._facts: dict[int, Facts] = store.campaigns.facts(list(founders.values()), campaign_id=campaign.id)
        self._approvals = store.notes.approvals(campaign.id)
        self._names = Names(names_of(founders.values()))
        self._started = started
        """Enrollments that have mails; the others need not be asked for."""

    def show(self, enrollment: Enrollment, founder: Founder, step: Step) -> Shown | Blank:
        thread = self._store.outbox.thread(enrollment.id) if enrollment.id in self._started else []
        stored = next((item for item in thread if item.step == step.number), None)
        if stored:
            return _shown(founder, stored, step, stored.mime, stored.sha256, stored.state, variant=stored.variant)
        written = self._write(enrollment, founder, step, thread)
        if isinstance(written, Unwritten):
            return Blank(founder, written.reasons, step.number, written.findings)
        message = written.message
        return replace(
            _shown(founder, _To(enrollment.address, message.message_id), step, message.mime, message.sha256, NOT_SENT,
                   variant=written.step.variant),
            dedupe_key=written.dedupe_key,
            findings=(*written.findings, *self._warnings(enrollment, founder, step)),
            waits=self._waits(enrollment, founder, step),
            approval=self._approval(written),
            template=written.step.digest,
            facts=written.facts,
        )  # fmt: skip

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
                earlier=earlier, generation=self._generations.get(key, 0), date=self._now, names=self._names,
            )  # fmt: skip
            if isinstance(written, Unwritten):
                return written
            earlier.append(written)
        return written

    def _waits(self, enrollment: Enrollment, founder: Founder, step: Step) -> tuple[str, ...]:
        """What a guard or a country's rule says of a first mail, as enqueue would ask them."""
        if step.number > 1:
            return ()
        law = self._law(enrollment, founder)
        found = blocks(answers(self._facts[founder.id], self._now))
        return (*found, str(law)) if law and law.blocks else found

    def _warnings(self, enrollment: Enrollment, founder: Founder, step: Step) -> tuple[Finding, ...]:
        law = self._law(enrollment, founder) if step.number == 1 else None
        return (Finding("country", law.detail, blocks=False),) if law and not law.blocks else ()

    def _law(self, enrollment: Enrollment, founder: Founder) -> CountryAnswer | None:
        purpose = self._campaign.purpose or self._writer.purpose
        return country_answer(founder, enrollment.address, purpose=purpose, overrides=self._campaign.overrides)

    def _approval(self, written: Written) -> str:
        approved = self._approvals.get(written.dedupe_key)
        if approved is None:
            return ""
        if approved.sha256 == written.message.sha256:
            return f"approved on {approved.approved_at:%Y-%m-%d}"
        return f"not as approved: {changed_since(written, approved.template, approved.facts)}"


@dataclass(frozen=True, slots=True)
class _To:
    rcpt: str
    message_id: str


def _shown(
    founder: Founder, to: OutboxItem | _To, step: Step, mime: bytes, digest: str, state: str, *, variant: str
) -> Shown:
    seen = read_message(mime)
    label = next((each.label for each in every_variant(step) if each.variant == variant and each.label), variant)
    return Shown(
        founder, to.rcpt, step.number, seen.subject, seen.text, to.message_id, digest, mime, state, variant=label
    )


def _one_by_company(found: Sequence[Shown | Blank]) -> list[Shown | Blank]:
    """First mails go to one person of a company at a time: whose turn comes later is told."""
    first: dict[int, str] = {}
    told: list[Shown | Blank] = []
    for mail in found:
        company = mail.founder.company
        if isinstance(mail, Shown) and company and mail.step == 1 and mail.state == NOT_SENT and not mail.waits:
            if company.id in first:
                waits = (f"company-busy: {first[company.id]}, of the same company, is written to first",)
                told.append(replace(mail, waits=waits))
                continue
            first[company.id] = mail.founder.full_name
        told.append(mail)
    return told


def _with_repeats(found: Sequence[Shown | Blank]) -> list[Shown | Blank]:
    """A text that two people of one company would read word for word is said on the second."""
    first: dict[tuple[int, int, str], str] = {}
    told: list[Shown | Blank] = []
    for mail in found:
        company = mail.founder.company
        if isinstance(mail, Shown) and company and mail.state == NOT_SENT:
            key = (company.id, mail.step, _without_names(mail))
            if key in first:
                said = f"{first[key]}, of the same company, gets the same words"
                mail = replace(mail, findings=(*mail.findings, Finding("same-text", said, blocks=False)))  # noqa: PLW2901  the mail, with one more thing said of it
            first.setdefault(key, mail.founder.full_name)
        told.append(mail)
    return told


def _without_names(mail: Shown) -> str:
    text = mail.text
    for name in (mail.founder.full_name, *mail.founder.full_name.split()):
        text = text.replace(name, "")
    return text
