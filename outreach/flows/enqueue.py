"""Decides who is written to next and queues it: guards, rendering, the checks on the text, and a slot for each mail.

`plan` changes nothing, and a dry run prints it; `enqueue` queues exactly the mails of a plan that a person confirmed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from outreach.core.message import read_draft
from outreach.core.pacing import LONG_AGO
from outreach.core.records import CampaignState, EnrollmentState, OutboxItem, OutboxState
from outreach.flows._drafting import Drafting
from outreach.flows._plan import Conditions, Held, Plan, Ready, Share, Work
from outreach.flows._slots import Planning, stored
from outreach.flows._writer import Writer
from outreach.store.outbox import EXPIRES_AFTER, NewMessage
from outreach.store.store import Store

__all__ = ["Conditions", "Held", "Plan", "Ready", "Share", "Writer", "enqueue", "plan", "plan_all"]


def plan(store: Store, work: Work, conditions: Conditions, now: datetime) -> Plan:
    """Who would be written to now, over these campaigns, from one mailbox."""
    return plan_all(store, work, [conditions], now)


def plan_all(
    store: Store, work: Work, mailboxes: Sequence[Conditions], now: datetime, also_read: Iterable[int] = ()
) -> Plan:
    """Who would be written to now, over these campaigns, from these mailboxes: each writes to its own people. Their
    inboxes are read first, and those of the mailboxes `also_read`, by the store's id."""
    active = [(campaign, writer) for campaign, writer in work if campaign.state is CampaignState.ACTIVE]
    drafting = Drafting(store, mailboxes, now)
    for campaign, writer in active:
        drafting.campaign(campaign, writer)
    readable = [*also_read, *(conditions.mailbox.id for conditions in mailboxes if not conditions.unusable)]
    planning = Planning(store, work, active, drafting, readable, now)
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
        zone=stored(ready.zone),
    )
