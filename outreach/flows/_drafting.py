"""Who of a campaign is written to now: the guards are asked, and the mails written. Changes nothing."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from outreach.core.countries import country_answer
from outreach.core.guards import Facts, objections
from outreach.core.mentions import Names
from outreach.core.message import dedupe_key
from outreach.core.pacing import DAY
from outreach.core.records import Campaign, Enrollment, Founder
from outreach.core.sequence import Send, Stop, Wait, next_action
from outreach.core.zones import Zone, recipient_zone
from outreach.flows._plan import Conditions, Held, Later, Ready
from outreach.flows._writer import Unwritten, Writer, Written, changed_since
from outreach.store.notes import Approved
from outreach.store.store import Store

_NO_INBOX = "no-inbox: a follow-up needs to know who answered; set OUTREACH_IMAP_HOST or OUTREACH_MAILDIR"
_COMPANY_CAP = "company-cap"
_NOT_ALLOWED = "not-allowed: OUTREACH_ALLOW_RECIPIENTS does not name this address"
_NOT_APPROVED = "not-approved: nobody has approved this mail; look at it with `outreach preview`"
_NOT_DUE, _QUEUED = "not-due", "queued"


@dataclass(frozen=True, slots=True)
class Draft:
    """A founder whose turn it is, before the slot is known: the message with this `date`, and how to make it anew."""

    campaign: Campaign
    enrollment: Enrollment
    founder: Founder
    send: Send
    date: datetime
    written: Written
    write: Callable[[datetime], Written | Unwritten]
    zone: Zone

    def ready(self, due_at: datetime) -> Ready:
        written = self.written if due_at == self.date else self.write(due_at)
        assert isinstance(written, Written)  # noqa: S101  it was written once already; only the Date differs
        return Ready(self.campaign, self.enrollment, self.founder, self.send.step.number, written, due_at, self.zone)


class Drafting:
    """One pass over the enrollments of the campaigns."""

    def __init__(self, store: Store, mailboxes: Sequence[Conditions], now: datetime) -> None:
        self.drafts: list[Draft] = []
        self.stale: list[Draft] = []
        self.held: list[Held] = []
        self.waits: dict[int, list[Later]] = {}
        """Mailbox → when the turn of people comes whom it is to write to."""
        self.ended: dict[int, str] = {}
        self.resting: set[int] = set()
        """Enrollments whose queued mail must wait with them."""
        self._store, self._now = store, now
        self._mailboxes = {conditions.mailbox.id: conditions for conditions in mailboxes}
        paced = any(conditions.limits.paced for conditions in mailboxes)
        self._today = store.outbox.first_steps(now - DAY) if paced else {}
        self._companies: dict[int, str] = {}
        self._names: dict[str, str] = {}
        self._approvals: Mapping[str, Approved] = {}
        self._everyone = Names(())

    def campaign(self, campaign: Campaign, writer: Writer) -> None:
        """Sort everyone in a campaign: written, held, waiting, or at the end."""
        turns = list(self._turns(campaign, writer))
        founders = self._store.people.by_ids([enrollment.founder_id for enrollment, _, _ in turns])
        facts = self._store.campaigns.facts(list(founders.values()), campaign_id=campaign.id)
        generations = self._store.outbox.generations(campaign.id)
        self._approvals = self._store.notes.approvals(campaign.id)
        writes = any(isinstance(action, Send) for _, action, _ in turns)
        self._everyone = Names(self._store.people.names_in(campaign.id) if writes else ())
        for enrollment, action, conditions in turns:
            founder = founders[enrollment.founder_id]
            if isinstance(action, Wait):
                self._note_wait(enrollment, facts[founder.id], action, conditions)
            elif reasons := self._objections(campaign, writer, enrollment, facts[founder.id], action, conditions):
                self.held.append(Held(founder, reasons))
            else:
                key = dedupe_key(campaign.id, action.step.number, founder.id)
                self._draft(campaign, writer, enrollment, founder, action, generations.get(key, 0))

    def _turns(self, campaign: Campaign, writer: Writer) -> Iterator[tuple[Enrollment, Send | Wait, Conditions]]:
        """Those of whom something must be known: whose turn it is, whose mail is queued, who is held. Of the others it
        is noted until when they wait, or that this is their end."""
        open_ = self._store.campaigns.enrollments(campaign.id, open_only=True)
        histories = self._store.outbox.histories(campaign.id, (enrollment.id for enrollment in open_))
        for enrollment in open_:
            conditions = self._mailboxes.get(enrollment.mailbox_id)
            if conditions is None:
                continue
            history = histories.get(enrollment.id, ())
            action = next_action(enrollment, writer.sequence, history, self._now, conditions.limits.zone)
            if isinstance(action, Stop):
                self.ended[enrollment.id] = action.reason
                continue
            if isinstance(action, Wait) and action.until is not None:
                zone = history[-1].zone if history else ""
                self.waits.setdefault(enrollment.mailbox_id, []).append((action.until, zone))
            if not isinstance(action, Wait) or action.reason != _NOT_DUE:
                yield enrollment, action, conditions

    def _draft(
        self, campaign: Campaign, writer: Writer, enrollment: Enrollment, founder: Founder, send: Send, generation: int
    ) -> None:
        earlier = self._store.outbox.thread(enrollment.id) if send.step.number > 1 else []

        def write(date: datetime) -> Written | Unwritten:
            return writer.write(
                campaign, enrollment, founder, send.step, earlier=earlier, generation=generation, date=date,
                names=self._everyone,
            )  # fmt: skip

        written = write(self._now)
        if isinstance(written, Unwritten):
            self.held.append(Held(founder, written.reasons))
            return
        conditions = self._mailboxes[enrollment.mailbox_id]
        if reason := self._not_as_approved(written, conditions):
            self.held.append(Held(founder, (reason,)))
            return
        self._remember(founder)
        zone = recipient_zone(founder, conditions.limits.zone.key)
        (self.stale if send.stale else self.drafts).append(
            Draft(campaign, enrollment, founder, send, self._now, written, write, zone)
        )

    def _not_as_approved(self, written: Written, conditions: Conditions) -> str:
        """A mail that a person approved goes as they saw it or not at all."""
        approved = self._approvals.get(written.dedupe_key)
        if approved is None:
            return _NOT_APPROVED if conditions.approved_only else ""
        if approved.sha256 == written.message.sha256:
            return ""
        return f"changed: since you approved it, {changed_since(written, approved.template, approved.facts)}"

    def _note_wait(self, enrollment: Enrollment, facts: Facts, wait: Wait, conditions: Conditions) -> None:
        until = f" until {wait.until:%Y-%m-%d}" if wait.until else ""
        reasons: tuple[str, ...] = (f"{wait.reason}{until}",)
        if wait.reason == _QUEUED:
            # What is queued already must not take a slot if it may not go any more.
            reasons = self._objections_to_queued(enrollment, facts, conditions)
        if reasons:
            self.resting.add(enrollment.id)
            self.held.append(Held(facts.founder, reasons))

    def _objections_to_queued(self, enrollment: Enrollment, facts: Facts, conditions: Conditions) -> tuple[str, ...]:
        allowed = () if conditions.allowed(enrollment.address) else (_NOT_ALLOWED,)
        return (*allowed, *objections(facts, 2, self._now))

    def _objections(
        self,
        campaign: Campaign,
        writer: Writer,
        enrollment: Enrollment,
        facts: Facts,
        send: Send,
        conditions: Conditions,
    ) -> tuple[str, ...]:
        found = [] if conditions.allowed(enrollment.address) else [_NOT_ALLOWED]
        company = facts.founder.company
        if send.step.number == 1:
            found += objections(self._with_this_batch(facts), 1, self._now)
            law = country_answer(
                facts.founder, enrollment.address, purpose=campaign.purpose or writer.purpose,
                overrides=campaign.overrides,
            )  # fmt: skip
            found += [str(law)] if law and law.blocks else []
            if company and self._today.get(company.id, 0) >= conditions.limits.company_daily_cap:
                found.append(_COMPANY_CAP)
            return tuple(found)
        found += objections(facts, send.step.number, self._now)
        return tuple(found if conditions.limits.fresh_inbox else [*found, _NO_INBOX])

    def _with_this_batch(self, facts: Facts) -> Facts:
        """The facts, as if the mails planned so far had gone."""
        founder = facts.founder
        colleague = self._companies.get(founder.company.id, "") if founder.company else ""
        namesake = self._names.get(founder.full_name.casefold(), "")
        return replace(facts, busy_colleague=facts.busy_colleague or colleague, namesake=facts.namesake or namesake)

    def _remember(self, founder: Founder) -> None:
        if founder.company:
            self._companies[founder.company.id] = founder.full_name
        self._names[founder.full_name.casefold()] = founder.company.name if founder.company else "another company"
