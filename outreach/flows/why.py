"""Everything about one founder: which file and line each fact came from, what happened, and for each campaign every
rule with its answer and the time of the next possible mail. Changes nothing."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from outreach.core.guards import FOLLOW_UP_RULES, Answer, answers
from outreach.core.names import parse_name
from outreach.core.pacing import UNTIL_FIXED, Limits, on_day
from outreach.core.ports import Row
from outreach.core.records import Campaign, CampaignState, Enrollment, Founder, Lead, Mailbox
from outreach.core.records import Sequence as Steps
from outreach.core.schedule import Waiting, plan_slots
from outreach.core.sequence import Send, Stop, Wait, next_action
from outreach.core.zones import recipient_zone
from outreach.importers import Importers
from outreach.store.history import Event, SourceRow
from outreach.store.store import Store


@dataclass(frozen=True, slots=True)
class Source:
    """A row of a file."""

    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Fact:
    """Something known, and every row that says so; `origin` is the format or finder that an address came from."""

    field: str
    value: str
    sources: tuple[Source, ...]
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the founder stands in one campaign. `next_at` None: no mail can be foreseen; `reason` says why, or what it
    waits for."""

    campaign: str
    state: str
    enrollment: str
    rules: tuple[Answer, ...]
    step: int | None = None
    next_at: datetime | None = None
    reason: str = ""
    mailbox: str = ""
    """The address that writes to them there."""


@dataclass(frozen=True, slots=True)
class Story:
    """All of it."""

    founder: Founder
    facts: tuple[Fact, ...]
    events: tuple[Event, ...]
    standings: tuple[Standing, ...]
    rules: tuple[Answer, ...]
    """Every rule without regard to a campaign."""


def why(
    store: Store,
    founder: Founder,
    *,
    importers: Importers,
    steps_of: Callable[[Campaign], Steps | None],
    mailboxes: Sequence[tuple[Mailbox, Limits]],
    now: datetime,
) -> Story:
    """Tell everything; `steps_of` gives a campaign's sequence, or None where its templates cannot be read. `mailboxes`
    are those that have settings."""
    told = [
        (Source(row.file, row.line), read)
        for row in store.history.sources(founder.id)
        if (read := _read(row, importers))
    ]
    general = store.campaigns.facts([founder], campaign_id=None)[founder.id]
    view = _View(store, founder, mailboxes, now)
    return Story(
        founder=founder,
        facts=tuple(_facts(founder, told)),
        events=tuple(store.history.events(founder, parse_name(founder.full_name).key)),
        standings=tuple(view.standing(campaign, steps_of(campaign)) for campaign in store.campaigns.all()),
        rules=answers(general, now),
    )


# --- facts ------------------------------------------------------------------------------------------


def _read(row: SourceRow, importers: Importers) -> dict[str, set[str]] | None:
    """What a row says of the founder and the company, by field; None where its format is not known any more."""
    if row.format not in importers.names():
        return None
    lead = importers.read_again(row.format, row.mapping, Row(row.line, row.cells))
    if not isinstance(lead, Lead):
        return None
    said: dict[str, set[str]] = {}
    if row.position < len(lead.people):
        person = lead.people[row.position]
        said |= {"name": {person.full_name}, "title": {person.title}, "address": set(person.emails)}
        said["linkedin"] = {person.linkedin}
    if lead.company:
        company = lead.company
        said |= {"company": {company.name}, "website": {company.website}, "country": {company.country}}
        said |= {"employees": {company.employees}, "city": {company.city}, "description": {company.description}}
        said.setdefault("address", set()).update(company.emails)
    return said


def _facts(founder: Founder, told: Sequence[tuple[Source, dict[str, set[str]]]]) -> Iterator[Fact]:
    """Each value that is held now. What no row says came from elsewhere: a finder, a person's edit, an older name."""
    company = founder.company
    held = [("name", founder.full_name), ("title", founder.title), ("linkedin", founder.linkedin)]
    held += [("address", address.address) for address in founder.addresses]
    if company:
        held += [("company", company.name), ("website", company.website), ("city", company.city)]
        held += [("country", company.country), ("employees", company.employees)]
    origins = {address.address: address.origin for address in founder.addresses}
    for field, value in held:
        if value:
            sources = tuple(source for source, said in told if _says(said.get(field, set()), value))
            yield Fact(field, value, sources, origins.get(value, ""))


def _says(values: set[str], value: str) -> bool:
    wanted = value.casefold().strip()
    return any(wanted == each.casefold().strip() or (len(each) > 3 and each.casefold() in wanted) for each in values)


# --- campaigns --------------------------------------------------------------------------------------


class _View:
    """One founder, seen from campaigns."""

    def __init__(
        self, store: Store, founder: Founder, mailboxes: Sequence[tuple[Mailbox, Limits]], now: datetime
    ) -> None:
        self._store, self._founder, self._now = store, founder, now
        self._mailboxes = {mailbox.id: (mailbox, limits) for mailbox, limits in mailboxes}
        self._addresses = store.campaigns.addresses()

    def standing(self, campaign: Campaign, steps: Steps | None) -> Standing:
        facts = self._store.campaigns.facts([self._founder], campaign_id=campaign.id)[self._founder.id]
        rules = answers(facts, self._now)
        mine = (e for e in self._store.campaigns.enrollments(campaign.id) if e.founder_id == self._founder.id)
        enrollment = next(mine, None)
        state = f"{campaign.state}{f' ({campaign.reason})' if campaign.reason else ''}"
        found = Standing(campaign.name, state, _enrolled(enrollment), rules)
        if enrollment is None:
            return replace(found, reason="not in this campaign")
        found = replace(found, mailbox=self._addresses[enrollment.mailbox_id])
        if steps is None:
            return replace(found, reason="its templates cannot be read: outreach preview names the fault")
        return self._next(found, campaign, enrollment, steps)

    def _next(self, found: Standing, campaign: Campaign, enrollment: Enrollment, steps: Steps) -> Standing:
        if campaign.state is not CampaignState.ACTIVE:
            return replace(found, reason=f"the campaign is {found.state}")
        history = self._store.outbox.histories(campaign.id, [enrollment.id]).get(enrollment.id, [])
        sends = self._mailboxes.get(enrollment.mailbox_id)
        action = next_action(enrollment, steps, history, self._now, sends[1].zone if sends else UTC)
        if isinstance(action, Stop):
            return replace(found, reason=f"nothing more: {action.reason}")
        if isinstance(action, Wait):
            return self._waiting(found, enrollment, action)
        first = action.step.number == 1
        no = [str(answer) for answer in found.rules if not answer.ok and (first or answer.rule in FOLLOW_UP_RULES)]
        if no:
            return replace(found, step=action.step.number, reason="; ".join(no))
        return self._slotted(replace(found, step=action.step.number), enrollment, action)

    def _waiting(self, found: Standing, enrollment: Enrollment, wait: Wait) -> Standing:
        queued = [item for item in self._store.outbox.thread(enrollment.id) if item.state == "queued"]
        if queued:
            said = f"message {queued[0].id} is queued"
            return self._at(replace(found, step=queued[0].step), enrollment, queued[0].due_at, said)
        if wait.until is None:
            return replace(found, reason=f"waits for you: {wait.reason}")
        return self._at(found, enrollment, wait.until, wait.reason)

    def _slotted(self, found: Standing, enrollment: Enrollment, send: Send) -> Standing:
        if send.stale:
            return replace(found, reason="stale: overdue by more than a week, so it asks first")
        return self._at(found, enrollment, send.due_at, "")

    def _at(self, found: Standing, enrollment: Enrollment, due_at: datetime, reason: str) -> Standing:
        """The first moment from then on that the limits allow: those of the mailbox that writes to them, and the
        recipient's working hours."""
        if enrollment.mailbox_id not in self._mailboxes:
            return replace(found, reason=f"no-mailbox: {found.mailbox}")
        mailbox, limits = self._mailboxes[enrollment.mailbox_id]
        if mailbox.paused_until == UNTIL_FIXED:
            return replace(found, reason="; ".join(filter(None, (reason, f"mailbox-paused: {mailbox.pause_reason}"))))
        limits = on_day(limits, mailbox, self._store.bookings.sent_by_day(mailbox.id), self._now)
        start = max(due_at, self._now, mailbox.paused_until or self._now)
        campaign, domain = enrollment.campaign_id, enrollment.address_key.rpartition("@")[2]
        booked = self._store.bookings.booked(mailbox.id, limits, [campaign], self._now).once_read(self._mailboxes)
        zone = recipient_zone(self._founder, limits.zone.key)
        mail = Waiting("" if zone.origin == "mailbox" else zone.name, domain, campaign)
        slot = next(plan_slots([mail], booked, limits, start)).slot
        paused = mailbox.paused_until is not None and mailbox.paused_until > max(due_at, self._now)
        waits = f"mailbox-paused: {mailbox.pause_reason}" if paused else slot.reason
        return replace(found, next_at=slot.at, reason="; ".join(filter(None, (reason, waits))))


def _enrolled(enrollment: Enrollment | None) -> str:
    if enrollment is None:
        return ""
    return f"{enrollment.state}{f' ({enrollment.reason})' if enrollment.reason else ''}, {enrollment.address}"
