"""When the mails of a plan go: what is queued and what was drafted shares the slots of its mailbox."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from outreach.core.pacing import DAY, UNTIL_FIXED, Limits, Slot, closed_until, on_day, run_size
from outreach.core.records import OutboxItem, OutboxState
from outreach.core.schedule import Planned, Waiting, plan_slots
from outreach.core.zones import Zone, zone_info
from outreach.flows._drafting import Draft, Drafting
from outreach.flows._plan import Conditions, Later, Ready, Share, Work
from outreach.store.store import Store


class Planning:
    """Slots for what is queued and what was drafted, one mailbox after the other."""

    def __init__(
        self, store: Store, work: Work, active: Work, drafting: Drafting, readable: Sequence[int], now: datetime
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

    def _queued(self, mailbox_id: int) -> tuple[list[OutboxItem], list[Later]]:
        """What waits in the outbox and may go, and the times of those that are to be tried again later."""
        ids = {campaign.id for campaign, _ in self._active}
        waiting = self._store.outbox.items(states=[OutboxState.QUEUED], mailbox_id=mailbox_id)
        resting = self._drafting.resting
        mine = [item for item in waiting if item.campaign_id in ids and item.enrollment_id not in resting]
        due = [item for item in mine if not item.attempts or item.due_at <= self._now]  # a retry waits for its time
        return due, [(item.due_at, item.zone) for item in mine if item.attempts and item.due_at > self._now]


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


def _turn(draft: Draft) -> tuple[bool, datetime, int]:
    """Follow-ups before first steps, the longest due first."""
    return draft.send.step.number == 1, draft.send.due_at, draft.enrollment.id


def _waiting_item(item: OutboxItem) -> Waiting:
    return Waiting(item.zone, item.rcpt_key.rpartition("@")[2], item.campaign_id)


def _waiting_draft(draft: Draft) -> Waiting:
    return Waiting(stored(draft.zone), draft.enrollment.address_key.rpartition("@")[2], draft.campaign.id)


def stored(zone: Zone) -> str:
    """The zone to keep with a mail: where the recipient's is not known, the setting of the day counts."""
    return "" if zone.origin == "mailbox" else zone.name


def _known(at: datetime) -> datetime | None:
    """A mailbox that rests until a person acts has no time at which it goes on."""
    return at if at < UNTIL_FIXED else None


def _first_opening(waits: Sequence[Later], limits: Limits) -> datetime | None:
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
