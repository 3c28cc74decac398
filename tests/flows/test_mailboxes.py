"""Two mailboxes, one campaign: each writes to its own people at its own pace, and what one is told counts for all."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from outreach.core.pacing import DAY, Limits
from outreach.core.records import EnrollmentState, Mailbox, OutboxState, Sender
from outreach.core.sharing import Room
from outreach.core.verdict import Kind
from outreach.errors import MailboxError
from outreach.flows.adopt import adopt
from outreach.flows.enqueue import Conditions, Plan, Writer, enqueue, plan_all
from outreach.flows.enroll import enroll
from outreach.flows.preview import Blank, Shown, preview
from outreach.flows.reconcile import reconcile
from outreach.flows.send import Sender as Worker
from outreach.flows.send import SendReport, send_all
from outreach.flows.sync import sync
from outreach.inboxes.maildir import MaildirInbox
from outreach.resources import data_dir
from outreach.store import tables as t
from outreach.store.bookings import note_by_hand
from outreach.store.journal import Journal, MemoryJournal
from outreach.store.store import Store
from outreach.templating import load_sequence
from outreach.transports.directory import DirectoryTransport
from tests.factory import KEY, add_founders
from tests.fakes import MONDAY_MORNING as NOW
from tests.fakes import FakeClock
from tests.mails import mail, report
from tests.postgres import new_store

pytestmark = pytest.mark.usefixtures("engine")

ADA = Sender("Ada Testwell", "ada@first.example", "Ada", "")
BEA = Sender("Bea Testwell", "bea@second.example", "Bea", "")
MINUTE = timedelta(minutes=1)
LIMITS = Limits(
    daily_cap=20, hourly_cap=10, min_gap=MINUTE, max_gap=MINUTE, window=(time(9), time(17)),
    weekdays=frozenset(range(5)), zone=ZoneInfo("UTC"), company_daily_cap=1, run_limit=50,
    fresh_inbox=timedelta(minutes=30),
)  # fmt: skip
OUTBOX, FOUNDERS, ENROLLMENTS = t.outbox, t.founders, t.enrollments


class Office:
    """A store in which Ada and Bea share out the people of one campaign, with an inbox and a folder of mail each."""

    def __init__(self, folder: Path, names: Sequence[str] = ("Bo", "Cy", "Di", "Ed"), limits: Limits = LIMITS) -> None:
        self.store: Store = new_store()
        self.clock, self.folder, self.journal = FakeClock(NOW), folder, MemoryJournal()
        add_founders(self.store, names)
        self.ids = [self.store.campaigns.mailbox(each.address, NOW).id for each in (ADA, BEA)]
        self.limits = dict.fromkeys(self.ids, limits)
        self.store.campaigns.create(
            "spring", sequence="job-search", mailbox_id=self.ids[0], more_mailboxes=self.ids[1:], filters={}, now=NOW
        )
        self.enroll()
        self.writer = Writer(
            load_sequence(data_dir() / "templates" / "job-search"), ADA, KEY,
            senders=dict(zip(self.ids, (ADA, BEA), strict=True)),
        )  # fmt: skip
        for each in self.ids:
            for part in ("new", "cur", "tmp"):
                (folder / f"inbox-{each}" / part).mkdir(parents=True)
        self.read()

    @property
    def campaign(self):  # type: ignore[no-untyped-def]  # as the store has it now
        return self.store.campaigns.get("spring")

    def enroll(self) -> None:
        rooms = [Room(each, self.limits[each].daily_cap) for each in self.ids]
        enroll(self.store, self.campaign, clock=self.clock, dry_run=False, rooms=rooms)

    def mailbox(self, number: int) -> Mailbox:
        return self.store.campaigns.mailbox((ADA, BEA)[number].address, self.clock.now())

    def read(self, *numbers: int) -> None:
        for number in numbers or (0, 1):
            sync(
                self.store, MaildirInbox(self.folder / f"inbox-{self.ids[number]}"), mailbox=self.mailbox(number),
                own=(ADA.address, BEA.address), clock=self.clock,
            )  # fmt: skip

    def conditions(self, *, wait: bool = False, **unusable: str) -> list[Conditions]:
        found = [Conditions(self.mailbox(number), self.limits[self.ids[number]], wait) for number in (0, 1)]
        return [replace(each, unusable=unusable.get(f"m{number}", "")) for number, each in enumerate(found)]

    def plan(self, *, wait: bool = False, **unusable: str) -> Plan:
        work = [(self.campaign, self.writer)]
        return plan_all(self.store, work, self.conditions(wait=wait, **unusable), self.clock.now())

    def send(self, *, wait: bool = True, plan: Plan | None = None) -> list[SendReport]:
        items = enqueue(self.store, plan or self.plan(wait=wait), self.clock.now())
        batches = [
            (self.worker(each), [item for item in items if item.mailbox_id == each.mailbox.id])
            for each in self.conditions(wait=wait)
        ]
        return send_all(batches, self.again)

    def worker(self, conditions: Conditions) -> Worker:
        folder = self.folder / f"sent-{conditions.mailbox.id}"
        return Worker(
            store=self.store, transport=DirectoryTransport(folder), mailbox=conditions.mailbox,
            limits=conditions.limits, clock=self.clock, journal=self.journal, owner="desk", chance=lambda: 0.5,
            wait=conditions.wait,
        )  # fmt: skip

    def again(self, worker: Worker, _report: SendReport):  # type: ignore[no-untyped-def]  # what is left of the queue
        self.read(self.ids.index(worker.mailbox.id))
        return self.store.outbox.items(states=[OutboxState.QUEUED], mailbox_id=worker.mailbox.id)

    def mails(self, number: int) -> list[Message]:
        folder = self.folder / f"sent-{self.ids[number]}"
        return [message_from_bytes(file.read_bytes()) for file in sorted(folder.glob("*.eml"))]

    def times(self, number: int) -> list[datetime]:
        return self.store.outbox.sent_times(self.ids[number])

    def people(self, number: int) -> list[str]:
        entries = self.store.campaigns.enrollments(self.campaign.id)
        return [entry.address for entry in entries if entry.mailbox_id == self.ids[number]]


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def test_everyone_is_written_to_by_their_mailbox_and_none_waits_for_the_others_gap(office: Office) -> None:
    office.send()
    for number, sender in enumerate((ADA, BEA)):
        mails = office.mails(number)
        assert sorted(str(each["To"]).split("<")[1].rstrip(">") for each in mails) == sorted(office.people(number))
        assert len(mails) == 2
        for each in mails:
            assert str(each["From"]) == f"{sender.name} <{sender.address}>"
            assert str(each["Message-ID"]).endswith(f"@{sender.address.partition('@')[2]}>")
            assert sender.address.partition("@")[2] in str(each["List-Unsubscribe"])
        assert office.times(number) == [NOW, NOW + MINUTE]


def test_what_cannot_go_in_time_stays_queued_for_the_next_round(office: Office) -> None:
    items = enqueue(office.store, office.plan(wait=True), NOW)
    batches = [
        (office.worker(each), [item for item in items if item.mailbox_id == each.mailbox.id])
        for each in office.conditions(wait=True)
    ]
    reports = send_all(batches, until=NOW + timedelta(seconds=50))
    assert [(report.count(OutboxState.SENT), report.reason) for report in reports] == [(1, ""), (1, "")]
    assert len(office.store.outbox.items(states=[OutboxState.QUEUED])) == 2
    assert office.clock.now() == NOW
    office.send()
    assert (len(office.mails(0)), len(office.mails(1))) == (2, 2)


def test_each_has_caps_of_its_own(office: Office) -> None:
    office.limits[office.ids[0]] = replace(LIMITS, daily_cap=1)
    found = office.plan(wait=False)
    assert [(share.size, share.later, share.reason) for share in found.shares] == [(1, 1, "daily-cap"), (2, 0, "")]
    assert (found.size, found.later, found.reason, found.next_at) == (3, 1, "daily-cap", NOW + DAY)
    office.send(wait=False)
    assert (len(office.times(0)), len(office.times(1))) == (1, 2)


def test_mail_by_hand_counts_against_the_mailbox_that_sent_it(office: Office) -> None:
    with office.store.database.write() as connection:
        note_by_hand(connection, office.ids[0], NOW, ["friend@other.example"])
    for each in office.ids:
        office.limits[each] = replace(LIMITS, ceiling=2)
    assert [share.size for share in office.plan().shares] == [1, 2]


def test_a_mailbox_that_rests_or_is_broken_keeps_its_people_and_says_so(office: Office) -> None:
    office.store.campaigns.pause_mailbox(office.ids[0], NOW + DAY, "quota reached")
    rests = office.plan()
    assert [(share.size, share.later, share.reason) for share in rests.shares] == [
        (0, 2, "mailbox-paused: quota reached"),
        (2, 0, ""),
    ]
    office.store.campaigns.pause_mailbox(office.ids[0], None, "")
    broken = office.plan(m1="the login was refused")
    assert [(share.size, share.reason) for share in broken.shares] == [
        (2, ""),
        (0, "mailbox-unusable: the login was refused"),
    ]
    before = office.people(0), office.people(1)
    office.send(plan=broken)
    assert (len(office.mails(0)), len(office.mails(1))) == (2, 0)
    office.enroll()
    assert (office.people(0), office.people(1)) == before
    office.send()
    assert (len(office.mails(0)), len(office.mails(1))) == (2, 2)


def test_what_was_previewed_goes_from_the_same_mailbox_and_is_the_same(office: Office) -> None:
    shown = preview(office.store, office.campaign, office.writer, founder_id=None, step=None, now=NOW)
    hashes = {each.message_id: each.sha256 for each in shown if isinstance(each, Shown)}
    assert len(hashes) == 4
    office.send()
    sent = office.store.outbox.items(states=[OutboxState.SENT])
    assert {item.message_id: item.sha256 for item in sent} == hashes


def test_follow_ups_come_from_the_mailbox_of_the_first_mail(office: Office) -> None:
    office.send()
    first = {str(each["To"]): str(each["From"]) for number in (0, 1) for each in office.mails(number)}
    office.store.campaigns.set_mailboxes(office.campaign.id, office.ids[1:])  # from now on only Bea gets new people
    add_founders(office.store, ["Zed"])
    office.enroll()
    office.clock.move(timedelta(days=7))
    office.read()
    office.send()
    for number in (0, 1):
        for each in office.mails(number):
            if each["In-Reply-To"]:
                assert first[str(each["To"])] == str(each["From"])
    assert sum(bool(each["In-Reply-To"]) for number in (0, 1) for each in office.mails(number)) == 4


def test_an_answer_that_comes_to_the_other_mailbox_stops_the_sequence(office: Office) -> None:
    office.send()
    [theirs, other] = office.mails(0)
    answer = mail("Yes, let us talk.", sender=str(theirs["To"]), in_reply_to=str(theirs["Message-ID"]),
                  date=office.clock.now())  # fmt: skip
    (office.folder / f"inbox-{office.ids[1]}" / "new" / "1.answer").write_bytes(answer)
    office.clock.move(timedelta(days=7))
    office.read()
    office.send()
    followed = {str(each["To"]) for number in (0, 1) for each in office.mails(number) if each["In-Reply-To"]}
    assert str(theirs["To"]) not in followed
    assert str(other["To"]) in followed


def test_what_we_write_by_hand_from_the_other_address_is_no_answer(office: Office) -> None:
    office.send()
    [theirs, _] = office.mails(1)
    note = mail("One thing I forgot.", sender=f"Ada <{ADA.address}>", to=f"{theirs['To']}, {BEA.address}",
                in_reply_to=str(theirs["Message-ID"]), date=office.clock.now())  # fmt: skip
    (office.folder / f"inbox-{office.ids[1]}" / "new" / "1.note").write_bytes(note)
    found = sync(
        office.store, MaildirInbox(office.folder / f"inbox-{office.ids[1]}"), mailbox=office.mailbox(1),
        own=(ADA.address, BEA.address), clock=office.clock,
    )  # fmt: skip
    assert found.by_kind == {Kind.OWN: 1}


def test_only_the_mailbox_whose_inbox_is_stale_reads_it_again(office: Office) -> None:
    office.clock.move(timedelta(minutes=29))
    office.read(1)
    office.clock.move(timedelta(minutes=10))
    reports = office.send()
    assert [report.count(OutboxState.SENT) for report in reports] == [2, 2]


def test_an_inbox_that_cannot_be_read_ends_only_its_own_part(office: Office) -> None:
    office.clock.move(timedelta(hours=1))
    office.read(1)

    def fails(_worker: Worker, _report: SendReport):  # type: ignore[no-untyped-def]  # it never returns
        raise MailboxError("the inbox is away.", hint="")

    items = enqueue(office.store, office.plan(wait=True), office.clock.now())
    batches = [
        (office.worker(each), [item for item in items if item.mailbox_id == each.mailbox.id])
        for each in office.conditions(wait=True)
    ]
    first, second = send_all(batches, fails)
    assert (first.count(OutboxState.SENT), [*map(str, first.errors)]) == (0, ["the inbox is away."])
    assert (second.count(OutboxState.SENT), second.errors) == (2, ())
    both = first.beside(second)
    said = [str(error) for error in both.errors]
    assert (both.count(OutboxState.SENT), both.reason, said) == (2, "inbox-stale", ["the inbox is away."])


def test_first_mails_are_waited_for_in_the_inbox_of_whoever_sent_them(tmp_path: Path) -> None:
    office = Office(tmp_path, [f"N{chr(97 + number)}" for number in range(14)])
    office.limits[office.ids[1]] = replace(LIMITS, daily_cap=1)
    office.send(plan=office.plan(wait=True).first(5), wait=False)
    assert len(office.times(0)) + len(office.times(1)) == 5
    office.clock.move(timedelta(minutes=20))
    office.read(1)
    office.limits[office.ids[1]] = LIMITS
    items = enqueue(office.store, office.plan(), office.clock.now())
    mine = next(item for item in items if item.mailbox_id == office.ids[1])
    assert office.store.claims.obstacle(mine.id, LIMITS, office.clock.now()) == "canary"
    (report,) = send_all([(office.worker(office.conditions()[1]), [mine])], office.again)
    assert (report.reason, [(item.id, why) for item, why in report.skipped]) == ("", [(mine.id, "canary")])
    office.read(0)
    assert office.store.claims.obstacle(mine.id, LIMITS, office.clock.now()) == ""


def test_an_inbox_that_is_never_read_again_is_waited_for_a_day_and_the_plan_says_so(tmp_path: Path) -> None:
    office = Office(tmp_path, [f"N{chr(97 + number)}" for number in range(14)])
    office.limits[office.ids[1]] = replace(LIMITS, daily_cap=1)
    office.send(plan=office.plan(wait=True).first(5), wait=False)
    fifth = max(office.times(0) + office.times(1))
    office.limits[office.ids[1]] = LIMITS
    office.clock.move(timedelta(hours=1))
    office.read(1)
    assert office.plan().shares[1].size > 0  # sending reads Ada's inbox first
    without = office.plan(m0="its inbox cannot be read").shares[1]
    assert (without.size, without.reason, without.next_at) == (0, "canary", fifth + DAY)
    mine = office.store, [(office.campaign, office.writer)], office.conditions()[1:], office.clock.now()
    alone = plan_all(*mine)
    assert (alone.size, alone.reason, alone.next_at) == (0, "canary", fifth + DAY)
    assert plan_all(*mine, also_read=[office.ids[0]]).size > 0
    office.clock.move(DAY)
    office.read(1)
    plan = office.plan(m0="its inbox cannot be read")
    assert plan.shares[1].size > 0
    before = len(office.times(1))
    office.send(plan=plan, wait=False)
    assert len(office.times(1)) == before + plan.shares[1].size


def test_a_plan_that_is_cut_short_says_what_each_mailbox_has(office: Office) -> None:
    whole = office.plan(wait=True)
    found = whole.first(1)
    assert [share.size for share in whole.shares] == [2, 2]
    assert [(share.size, share.later) for share in found.shares] == [(1, 1), (0, 2)]


def test_each_mailbox_tells_its_own_error() -> None:
    away, full = MailboxError("the server is away.", hint=""), MailboxError("the disk is full.", hint="")
    both = SendReport(errors=(away,)).beside(SendReport(errors=(full,))).beside(SendReport(errors=(full,)))
    assert both.errors == (away, full)


def test_the_first_mails_of_a_campaign_are_counted_over_all_its_mailboxes(tmp_path: Path) -> None:
    office = Office(tmp_path, [f"N{chr(97 + number)}" for number in range(14)])
    found = office.plan()
    assert found.size == 5
    assert found.reason == "canary"


def test_a_set_clock_moves_only_what_the_mailbox_itself_wrote_down(office: Office) -> None:
    office.send()
    before = office.times(1)
    office.clock.set(timedelta(hours=3))
    assert office.store.bookings.mind_clock(office.ids[0], office.clock.reading()) == timedelta(hours=3)
    assert office.times(1) == before
    assert office.times(0) == [at + timedelta(hours=3) for at in before]


def test_moving_takes_those_to_whom_nothing_was_sent_and_writes_their_mails_anew(office: Office) -> None:
    found = office.plan(wait=True)
    enqueue(office.store, found, NOW)
    [worker, _] = [office.worker(each) for each in office.conditions()]
    queued = office.store.outbox.items(states=[OutboxState.QUEUED], mailbox_id=office.ids[0])
    send_all([(worker, queued[:1])])
    ada, bea = office.ids
    assert office.store.campaigns.move(office.campaign.id, ada, bea, NOW, dry_run=True).moved == 1
    moved = office.store.campaigns.move(office.campaign.id, ada, bea, NOW)
    assert (moved.moved, moved.kept) == (1, 1)
    office.send()
    assert len(office.mails(0)) == 1
    assert {str(each["From"]) for each in office.mails(1)} == {f"{BEA.name} <{BEA.address}>"}
    assert len(office.mails(1)) == 3
    with office.store.database.read() as connection:
        rows = connection.execute(sa.select(OUTBOX.c.founder_id).where(OUTBOX.c.state == OutboxState.SENT)).all()
    assert len({row.founder_id for row in rows}) == len(rows) == 4


def test_a_plan_from_before_the_move_sends_nothing_from_the_old_mailbox(office: Office) -> None:
    old = office.plan(wait=True)
    ada, bea = office.ids
    office.store.campaigns.move(office.campaign.id, ada, bea, NOW)
    office.send(plan=old)
    assert len(office.mails(0)) == 0
    assert office.people(0) == []


def test_without_settings_a_mailbox_writes_to_nobody_and_a_preview_says_so(office: Office) -> None:
    alone = Writer(office.writer.sequence, ADA, KEY, senders={office.ids[0]: ADA})
    shown = preview(office.store, office.campaign, alone, founder_id=None, step=None, now=NOW)
    assert [each.reasons[0].partition(":")[0] for each in shown if isinstance(each, Blank)] == ["no-mailbox"] * 2
    [mine, _] = office.conditions()
    found = plan_all(office.store, [(office.campaign, alone)], [mine], NOW)
    assert {ready.enrollment.mailbox_id for ready in found.ready} == {office.ids[0]}
    assert office.store.campaigns.unserved(office.ids[:1]) == [("spring", BEA.address, 2)]


def test_a_colleague_who_comes_later_hears_from_the_same_mailbox(office: Office) -> None:
    [taken] = [each for each in office.store.people.founders({}) if each.addresses[0].address == office.people(1)[0]]
    assert taken.company
    with office.store.database.write() as connection:
        of_bo = sa.select(FOUNDERS).where(FOUNDERS.c.id == taken.id)
        row = dict(connection.execute(of_bo).mappings().one())
        row |= {"id": None, "full_name": "Yo Lately", "name_key": "yolately"}
        later = connection.execute(sa.insert(FOUNDERS).values({k: v for k, v in row.items() if k != "id"}))
        address = {"address": "yo@second-of-bo.example", "key": "yo@second-of-bo.example", "status": "given"}
        founder = (later.inserted_primary_key or (0,))[0]
        connection.execute(sa.insert(t.addresses).values(**address, founder_id=founder, origin="test", created_at=NOW))
    office.store.campaigns.set_enrollments([2, 4], EnrollmentState.FINISHED, "finished", NOW)
    office.limits[office.ids[1]] = replace(LIMITS, daily_cap=1)  # so that only the company speaks for it
    office.enroll()
    assert "yo@second-of-bo.example" in office.people(1)
    assert office.store.campaigns.writers().waiting.get(office.ids[0]) == 2


def test_a_refusal_by_policy_rests_the_mailbox_that_wrote_wherever_it_comes_in(office: Office) -> None:
    office.send()
    [theirs, _] = office.mails(0)
    to = str(theirs["To"]).partition("<")[2].rstrip(">")
    bounce = report("5.7.1", "smtp; 554 5.7.1 Message rejected due to local policy", recipient=to,
                    returned_id=str(theirs["Message-ID"]))  # fmt: skip
    (office.folder / f"inbox-{office.ids[1]}" / "new" / "1.bounce").write_bytes(bounce)
    office.read()
    assert office.mailbox(0).pause_reason == "a recipient's server refuses mail from this mailbox by policy"
    assert office.mailbox(1).paused_until is None


def test_a_thread_goes_on_from_the_mailbox_that_began_it(office: Office) -> None:
    office.send()
    [theirs, _] = office.mails(0)
    answer = mail("Yes.", sender=str(theirs["To"]), in_reply_to=str(theirs["Message-ID"]), date=office.clock.now())
    (office.folder / f"inbox-{office.ids[1]}" / "new" / "1.answer").write_bytes(answer)
    office.read()
    [reply] = office.store.replies.listed()
    assert office.store.replies.thread_mailbox(reply.id) == office.ids[0]


def test_adopting_looks_into_every_sent_folder_and_gives_a_founder_back_to_who_wrote_to_them(office: Office) -> None:
    office.send()
    [lost, _] = office.store.outbox.items(states=[OutboxState.SENT], mailbox_id=office.ids[1])
    with office.store.database.write() as connection:  # as in a copy from before the mail, and before a move
        for each in (t.attempts, t.send_ledger):
            connection.execute(sa.delete(each).where(each.c.outbox_id == lost.id))
        connection.execute(sa.delete(OUTBOX).where(OUTBOX.c.id == lost.id))
        mine = ENROLLMENTS.c.id == lost.enrollment_id
        connection.execute(sa.update(ENROLLMENTS).where(mine).values(mailbox_id=office.ids[0]))
    sent = office.folder / f"inbox-{office.ids[1]}" / ".Sent"
    for part in ("new", "cur", "tmp"):
        (sent / part).mkdir(parents=True)
    (sent / "new" / "1.copy").write_bytes(lost.mime)
    inboxes = [MaildirInbox(office.folder / f"inbox-{each}") for each in office.ids]
    found = adopt(
        office.store, journal=Journal(office.folder / "sent.log"), here={"file": "1"}, key=KEY, clock=office.clock,
        mailboxes=[(office.mailbox(number), inboxes[number]) for number in (0, 1)],
    )  # fmt: skip
    assert found.recreated == (lost.message_id,)
    [again] = office.store.outbox.items(states=[OutboxState.SENT], mailbox_id=office.ids[1])[-1:]
    assert (again.message_id, again.mailbox_id) == (lost.message_id, office.ids[1])
    assert lost.rcpt in office.people(1)


def test_doubts_are_looked_for_in_the_folder_of_whoever_sent_them(office: Office) -> None:
    office.send()
    with office.store.database.write() as connection:
        connection.execute(sa.update(OUTBOX).values(state=OutboxState.UNKNOWN))
    shared = office.folder / f"inbox-{office.ids[0]}"
    for part in ("new", "cur", "tmp"):
        (shared / ".Sent" / part).mkdir(parents=True)
    doubts = office.store.outbox.items(states=[OutboxState.UNKNOWN])
    for item in doubts:
        (shared / ".Sent" / "new" / f"{item.id}.copy").write_bytes(item.mime)
    own = (ADA.address, BEA.address)
    found = reconcile(office.store, MaildirInbox(shared), mailbox=office.mailbox(0), clock=office.clock, own=own)
    assert {item.mailbox_id for item in found.sent} == {office.ids[0]}
    assert {item.mailbox_id for item in office.store.outbox.items(states=[OutboxState.UNKNOWN])} == {office.ids[1]}
