"""Decides who is written to next and queues it: guards, rendering, the checks on the text, and a slot for each mail.

`plan` changes nothing, and a dry run prints it; `enqueue` queues exactly the mails of a plan that a person confirmed.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from outreach.core.countries import country_answer
from outreach.core.delivery import UNTIL_FIXED
from outreach.core.guards import Facts, objections
from outreach.core.mentions import Names
from outreach.core.message import dedupe_key, read_draft
from outreach.core.pacing import DAY, LONG_AGO, Limits, Slot, closed_until, on_day, run_size
from outreach.core.records import (
    Campaign,
    CampaignState,
    Enrollment,
    EnrollmentState,
    Founder,
    Mailbox,
    OutboxItem,
    OutboxState,
)
from outreach.core.schedule import Planned, Waiting, plan_slots
from outreach.core.sequence import Send, Stop, Wait, next_action
from outreach.core.zones import Zone, recipient_zone, zone_info
from outreach.flows._writer import Unwritten, Writer, Written, changed_since
from outreach.store.notes import Approved
from outreach.store.outbox import EXPIRES_AFTER, NewMessage
from outreach.store.store import Store

__all__ = ["Conditions", "Held", "Plan", "Ready", "Share", "Writer", "enqueue", "plan", "plan_all"]

_NO_INBOX = "no-inbox: a follow-up needs to know who answered; set OUTREACH_IMAP_HOST or OUTREACH_MAILDIR"
_COMPANY_CAP = "company-cap"
_NOT_ALLOWED = "not-allowed: OUTREACH_ALLOW_RECIPIENTS does not name this address"
_NOT_APPROVED = "not-approved: nobody has approved this mail; look at it with `outreach preview`"
_NOT_DUE, _QUEUED = "not-due", "queued"

_Later = tuple[datetime, str]
"""When somebody's turn comes, and their time zone, empty where it is not known."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """Under which a run sends from one mailbox. With `wait` it stays until everyone whose turn comes within 24 hours is
    through."""

    mailbox: Mailbox
    limits: Limits
    wait: bool = False
    allowed: Callable[[str], bool] = lambda _address: True
    """Whether an address may be written to at all: a test profile allows few."""
    approved_only: bool = False
    """Only mails go that a person has approved one by one, or with the batch they were shown in."""
    unusable: str = ""
    """Why the mailbox cannot be used at all now: its people wait for it."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A message that may be queued, with the moment it is planned for."""

    campaign: Campaign
    enrollment: Enrollment
    founder: Founder
    step: int
    written: Written
    due_at: datetime
    zone: Zone


@dataclass(frozen=True, slots=True)
class Held:
    """A founder who is not written to now, and every reason."""

    founder: Founder
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Share:
    """What a plan has for one mailbox: `size` mails now; `later` more must wait for `next_at`, because of `reason`."""

    mailbox: Mailbox
    size: int
    later: int
    next_at: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do now. `queued` are waiting already, `ready` would be queued; together, in this order, they are
    the batch. `stale` are follow-ups more than a week late: they are queued, but a person must release them. `later`
    more are due but must wait for `next_at`, because of `reason`. `ended` are enrollments that are over."""

    queued: tuple[OutboxItem, ...] = ()
    ready: tuple[Ready, ...] = ()
    held: tuple[Held, ...] = ()
    stale: tuple[Ready, ...] = ()
    later: int = 0
    next_at: datetime | None = None
    reason: str = ""
    ended: Mapping[int, str] = field(default_factory=dict)
    shares: tuple[Share, ...] = ()
    """The same for each mailbox; the plan's own `next_at` and `reason` are those of the mailbox that goes on first."""

    @property
    def size(self) -> int:
        return len(self.queued) + len(self.ready)

    def first(self, limit: int) -> "Plan":
        """The same plan with the first `limit` of its mails."""
        queued = self.queued[:limit]
        ready = self.ready[: max(0, limit - len(queued))]
        left = self.size - len(queued) - len(ready)
        sizes = Counter([item.mailbox_id for item in queued] + [mail.enrollment.mailbox_id for mail in ready])
        shares = [
            replace(share, size=sizes[share.mailbox.id], later=share.later + share.size - sizes[share.mailbox.id])
            for share in self.shares
        ]
        return replace(
            self,
            queued=queued,
            ready=ready,
            later=self.later + left,
            reason="limit" if left else self.reason,
            shares=tuple(shares),
        )


Work = Sequence[tuple[Campaign, Writer]]


def plan(store: Store, work: Work, conditions: Conditions, now: datetime) -> Plan:
    """Who would be written to now, over these campaigns, from one mailbox."""
    return plan_all(store, work, [conditions], now)


def plan_all(
    store: Store, work: Work, mailboxes: Sequence[Conditions], now: datetime, also_read: Iterable[int] = ()
) -> Plan:
    """Who would be written to now, over these campaigns, from these mailboxes: each writes to its own people. Their
    inboxes are read first, and those of the mailboxes `also_read`, by the store's id."""
    active = [(campaign, writer) for campaign, writer in work if campaign.state is CampaignState.ACTIVE]
    drafting = _Drafting(store, mailboxes, now)
    for campaign, writer in active:
        drafting.campaign(campaign, writer)
    readable = [*also_read, *(conditions.mailbox.id for conditions in mailboxes if not conditions.unusable)]
    planning = _Planning(store, work, active, drafting, readable, now)
    shares = [planning.share(conditions) for conditions in mailboxes]
    goes_on = _first_to_go_on(shares)
    return Plan(
        queued=tuple(item for _, item in sorted(planning.queued, key=_at)),
        ready=tuple(ready for _, ready in sorted(planning.ready, key=_at)),
        held=tuple(drafting.held),
        stale=tuple(draft.ready(now) for draft in drafting.stale),
        later=sum(share.later for share in shares),
        next_at=goes_on.next_at,
        reason=goes_on.reason,
        ended=drafting.ended,
        shares=tuple(shares),
    )


def _at(planned: tuple[datetime, object]) -> datetime:
    return planned[0]


def _first_to_go_on(shares: Sequence[Share]) -> Share:
    """Whose wait a person is told of: that of people who must wait, else, where nothing goes at all, anybody's."""
    late = [share for share in shares if share.later]
    idle = late or ([] if any(share.size for share in shares) else shares)
    if not idle:
        return replace(shares[0], next_at=None, reason="")
    return min(idle, key=lambda share: (share.next_at is None, share.next_at or LONG_AGO))


class _Planning:
    """Slots for what is queued and what was drafted, one mailbox after the other."""

    def __init__(
        self, store: Store, work: Work, active: Work, drafting: "_Drafting", readable: Sequence[int], now: datetime
    ) -> None:
        self.queued: list[tuple[datetime, OutboxItem]] = []
        self.ready: list[tuple[datetime, Ready]] = []
        self._store, self._work, self._active, self._drafting, self._now = store, work, active, drafting, now
        self._readable = readable
        """Mailboxes whose inboxes are read before anything is sent."""
        self._firsts: dict[int, list[datetime]] = {}
        """What mailboxes before have planned of a campaign: its first mails are counted over all of them."""

    def share(self, conditions: Conditions) -> Share:
        mine, now = conditions.mailbox.id, self._now
        queued, waits = self._queued(mine)
        drafts = sorted((draft for draft in self._drafting.drafts if draft.enrollment.mailbox_id == mine), key=_turn)
        mails = [*map(_waiting_item, queued), *map(_waiting_draft, drafts)]
        slots, after = _slots(self._store, conditions, mails, self._firsts, self._readable, now)
        for planned in slots:
            at, index = planned.slot.at, planned.index
            self._firsts.setdefault(mails[index].campaign, []).append(at)
            if index < len(queued):
                self.queued.append((at, queued[index]))
            else:
                self.ready.append((at, drafts[index - len(queued)].ready(at)))
        later = len(mails) - len(slots)
        waits += self._drafting.waits.get(mine, [])
        opens = _first_opening(waits, conditions.limits)
        next_at, reason = (_known(after.at), after.reason) if later else _idle(self._work, self._active, opens, slots)
        return Share(conditions.mailbox, len(slots), later, next_at, reason)

    def _queued(self, mailbox_id: int) -> tuple[list[OutboxItem], list[_Later]]:
        """What waits in the outbox and may go, and the times of those that are to be tried again later."""
        ids = {campaign.id for campaign, _ in self._active}
        waiting = self._store.outbox.items(states=[OutboxState.QUEUED], mailbox_id=mailbox_id)
        resting = self._drafting.resting
        mine = [item for item in waiting if item.campaign_id in ids and item.enrollment_id not in resting]
        due = [item for item in mine if not item.attempts or item.due_at <= self._now]  # a retry waits for its time
        return due, [(item.due_at, item.zone) for item in mine if item.attempts and item.due_at > self._now]


def enqueue(store: Store, plan: Plan, now: datetime, *, paced: bool = True) -> list[OutboxItem]:
    """Queue the plan's mails; return everything that is to be sent now, in order."""
    for state, reason, ids in _endings(plan.ended):
        store.campaigns.set_enrollments(ids, state, reason, now)
    store.campaigns.wake(now)
    stale = [replace(_new(late), state=OutboxState.HELD, reason="stale") for late in plan.stale]
    store.outbox.enqueue([_new(ready) for ready in plan.ready] + stale, now)
    if not paced:
        store.outbox.bring_forward([item.id for item in plan.queued], now)
    wanted = {ready.written.message.message_id for ready in plan.ready} | {item.message_id for item in plan.queued}
    return [item for item in store.outbox.items(states=[OutboxState.QUEUED]) if item.message_id in wanted]


@dataclass(frozen=True, slots=True)
class _Draft:
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


def _turn(draft: _Draft) -> tuple[bool, datetime, int]:
    """Follow-ups before first steps, the longest due first."""
    return draft.send.step.number == 1, draft.send.due_at, draft.enrollment.id


class _Drafting:
    """One pass over the enrollments of the campaigns."""

    def __init__(self, store: Store, mailboxes: Sequence[Conditions], now: datetime) -> None:
        self.drafts: list[_Draft] = []
        self.stale: list[_Draft] = []
        self.held: list[Held] = []
        self.waits: dict[int, list[_Later]] = {}
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
            _Draft(campaign, enrollment, founder, send, self._now, written, write, zone)
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


def _slots(
    store: Store,
    conditions: Conditions,
    mails: Sequence[Waiting],
    planned_firsts: Mapping[int, Sequence[datetime]],
    readable: Sequence[int],
    now: datetime,
) -> tuple[list[Planned], Slot]:
    """The mails that can go in this run with their moments, by time, and the slot after them with what it waits for.

    A run sends one mail after the other with no more than a gap between them; with `wait`, all that fit in a day.
    """
    mailbox, limits = conditions.mailbox, conditions.limits
    if conditions.unusable:
        return [], Slot(UNTIL_FIXED, f"mailbox-unusable: {conditions.unusable}")
    if mailbox.paused_until and mailbox.paused_until > now:
        return [], Slot(mailbox.paused_until, f"mailbox-paused: {mailbox.pause_reason}")
    booked = store.bookings.booked(mailbox.id, limits, {mail.campaign for mail in mails}, now)
    firsts = {campaign: [*times, *planned_firsts.get(campaign, ())] for campaign, times in booked.firsts.items()}
    booked = replace(booked, firsts=firsts).once_read(readable)
    size = run_size(limits, store.bookings.campaigns_sent(mailbox.id))
    limits = on_day(limits, mailbox, store.bookings.sent_by_day(mailbox.id), now)
    found: list[Planned] = []
    last = now
    for planned in plan_slots(mails, booked, limits, now):
        slot = planned.slot
        near = slot.at - now < DAY if conditions.wait else slot.at - last <= limits.max_gap
        if len(found) == size or not near:
            return found, Slot(slot.at, "run-limit" if near and slot.reason in ("", "gap") else slot.reason)
        found.append(planned)
        last = slot.at
    return found, Slot(last)


def _waiting_item(item: OutboxItem) -> Waiting:
    return Waiting(item.zone, item.rcpt_key.rpartition("@")[2], item.campaign_id)


def _waiting_draft(draft: _Draft) -> Waiting:
    return Waiting(_stored(draft.zone), draft.enrollment.address_key.rpartition("@")[2], draft.campaign.id)


def _stored(zone: Zone) -> str:
    """The zone to keep with a mail: where the recipient's is not known, the setting of the day counts."""
    return "" if zone.origin == "mailbox" else zone.name


def _known(at: datetime) -> datetime | None:
    """A mailbox that rests until a person acts has no time at which it goes on."""
    return at if at < UNTIL_FIXED else None


def _first_opening(waits: Sequence[_Later], limits: Limits) -> datetime | None:
    """When the first of these can be written to: their turn has come, and it is a working hour where they are."""
    soonest: dict[str, datetime] = {}
    for at, zone in waits:
        soonest[zone] = min(at, soonest.get(zone, at))
    closed = {zone: closed_until(limits, at, zone_info(zone) if zone else None) for zone, at in soonest.items()}
    return min((slot.at if (slot := closed[zone]) else at for zone, at in soonest.items()), default=None)


def _idle(
    work: Work,
    active: Work,
    opens: datetime | None,
    slots: Sequence[Planned],
) -> tuple[datetime | None, str]:
    """Why nothing is left to send: all campaigns rest, or nobody's turn has come."""
    if slots:
        return None, ""
    if opens:
        return opens, "not-due"
    if not work:
        return None, "no-campaign"
    resting = [campaign for campaign, _ in work if campaign not in [each for each, _ in active]]
    if resting:
        campaign = resting[0]
        return None, f"campaign-{campaign.state}: {campaign.name}" + (f", {campaign.reason}" if campaign.reason else "")
    return None, "nothing-due"


def _endings(ended: Mapping[int, str]) -> list[tuple[EnrollmentState, str, Sequence[int]]]:
    by_reason: dict[str, list[int]] = {}
    for enrollment_id, reason in ended.items():
        by_reason.setdefault(reason, []).append(enrollment_id)
    return [
        (EnrollmentState.FINISHED if reason == "finished" else EnrollmentState.STOPPED, reason, ids)
        for reason, ids in by_reason.items()
    ]


def _new(ready: Ready) -> NewMessage:
    campaign, founder, written = ready.campaign, ready.founder, ready.written
    return NewMessage(
        campaign_id=campaign.id,
        enrollment_id=ready.enrollment.id,
        mailbox_id=ready.enrollment.mailbox_id,
        step=ready.step,
        founder_id=founder.id,
        company_id=founder.company.id if founder.company else None,
        rcpt=ready.enrollment.address,
        rcpt_key=ready.enrollment.address_key,
        subject=read_draft(written.message.mime).subject,
        dedupe_key=written.dedupe_key,
        generation=written.generation,
        message_id=written.message.message_id,
        mime=written.message.mime,
        sha256=written.message.sha256,
        due_at=ready.due_at,
        expires_at=ready.due_at + EXPIRES_AFTER,
        variant=written.step.variant,
        template=written.step.digest,
        zone=_stored(ready.zone),
    )
