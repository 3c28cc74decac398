"""Weeks of sending in milliseconds: a clock that moves when the program waits, messages written into a folder."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from email import message_from_bytes
from email.message import Message
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from outreach.core.measures import HoldPerson
from outreach.core.pacing import DAY, FRESH_INBOX, HOUR, Limits, unpaced
from outreach.core.ports import Envelope, Outcome, Phase, SendResult
from outreach.core.records import Campaign, EnrollmentState, OutboxState
from outreach.errors import SendRefused
from outreach.flows.enqueue import Conditions, Plan, Writer, enqueue, plan
from outreach.flows.recover import recover
from outreach.flows.send import Sender, SendReport, send
from outreach.resources import data_dir
from outreach.store import tables as t
from outreach.store.consequences import hold_person, stop_people
from outreach.store.journal import MemoryJournal
from outreach.store.store import Store
from outreach.templating import load_sequence
from outreach.transports.directory import DirectoryTransport
from tests.factory import KEY, SENDER, add_founders, start_campaign
from tests.fakes import MONDAY_MORNING as NOW
from tests.fakes import FakeClock
from tests.postgres import new_store

pytestmark = pytest.mark.usefixtures("engine")

LIMITS = Limits(
    daily_cap=6, hourly_cap=3, min_gap=timedelta(seconds=60), max_gap=timedelta(seconds=190),
    window=(time(9), time(17)), weekdays=frozenset(range(5)), zone=ZoneInfo("UTC"), company_daily_cap=1, run_limit=50,
)  # fmt: skip
OUTBOX = t.outbox
NAMES = ("Bo", "Cy", "Di", "Ed", "Fay", "Gus", "Hal", "Ida", "Jo", "Kim", "Lou", "Mo", "Ned", "Oz", "Pam", "Quin")


class Desk:
    """A store, a clock and a folder of sent mail: everything one sender has."""

    def __init__(self, folder: Path, names: Sequence[str] = NAMES, limits: Limits = LIMITS) -> None:
        self.store: Store = new_store()
        self.clock = FakeClock(NOW)
        self.folder = folder
        self.limits = limits
        add_founders(self.store, names)
        self.campaign, _ = start_campaign(self.store)
        self.writer = Writer(load_sequence(data_dir() / "templates" / "job-search"), SENDER, KEY)
        self.reads_inbox = True
        self.read_inbox()

    def read_inbox(self) -> None:
        self.store.mail.finish(self.mailbox.id, self.clock.now())

    @property
    def mailbox(self):  # type: ignore[no-untyped-def]  # as the store has it now
        return self.store.campaigns.mailbox(SENDER.address, self.clock.now())

    @property
    def _limits(self) -> Limits:
        return replace(self.limits, fresh_inbox=FRESH_INBOX if self.reads_inbox else None)

    def plan(self, *, wait: bool = False) -> Plan:
        campaign = self.store.campaigns.get(self.campaign.name)
        conditions = Conditions(self.mailbox, self._limits, wait)
        return plan(self.store, [(campaign, self.writer)], conditions, self.clock.now())

    def sender(self, *, wait: bool = False) -> Sender:
        return Sender(
            store=self.store, transport=DirectoryTransport(self.folder), mailbox=self.mailbox, limits=self._limits,
            clock=self.clock, journal=MemoryJournal(), owner="desk", chance=lambda: 0.5, wait=wait,
        )  # fmt: skip

    def send(self, *, wait: bool = False) -> SendReport:
        recover(self.store, lambda _owner: False, self.clock.now())
        self.store.bookings.mind_clock(self.mailbox.id, self.clock.reading())
        self.read_inbox()
        return send(self.sender(wait=wait), enqueue(self.store, self.plan(wait=wait), self.clock.now()))

    def mails(self) -> list[Message]:
        return (
            [message_from_bytes(file.read_bytes()) for file in self.folder.glob("*.eml")]
            if self.folder.exists()
            else []
        )

    def sent(self) -> list[datetime]:
        items = self.store.outbox.items(states=[OutboxState.SENT])
        return sorted(item.sent_at for item in items if item.sent_at)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "sent")


def next_day(desk: Desk, days: int = 1) -> None:
    desk.clock.move(timedelta(days=days))


def test_a_month_keeps_every_limit_and_forgets_nobody(desk: Desk) -> None:
    for _ in range(28):
        for _ in range(4):
            desk.send()
            desk.clock.move(timedelta(hours=2))
        desk.clock.move(timedelta(hours=16))
    sent = desk.sent()
    assert Counter(mail["To"] for mail in desk.mails()) == Counter({mail["To"]: 3 for mail in desk.mails()})
    assert len(sent) == 3 * len(NAMES)
    for at in sent:
        assert sum(at - DAY < other <= at for other in sent) <= LIMITS.daily_cap
        assert sum(at - HOUR < other <= at for other in sent) <= LIMITS.hourly_cap
        assert at.weekday() < 5
        assert time(9) <= at.time() < time(17)
    assert all(later - earlier >= LIMITS.min_gap for earlier, later in pairwise(sent))
    desk.send()
    states = {entry.state for entry in desk.store.campaigns.enrollments(desk.campaign.id)}
    assert states == {EnrollmentState.FINISHED}


def test_a_run_says_why_it_stops_and_when_it_can_go_on(desk: Desk) -> None:
    found = desk.plan()
    assert (found.size, found.later, found.reason) == (3, 13, "hourly-cap")
    assert found.next_at == NOW + HOUR
    desk.clock.move(timedelta(hours=8))
    evening = desk.plan()
    assert (evening.size, evening.reason) == (0, "outside-window")
    assert evening.next_at == datetime.combine(NOW.date() + timedelta(days=1), time(9), NOW.tzinfo)


def test_wait_stays_until_the_days_mails_are_through(desk: Desk) -> None:
    found = desk.plan(wait=True)
    assert found.size == 6
    desk.send(wait=True)
    assert len(desk.mails()) <= found.size


def test_a_turn_that_comes_on_a_weekend_is_foreseen_for_the_working_hours_behind_it(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "sent", ["Bo"])
    next_day(desk, 2)
    desk.send()  # on Wednesday: the next step, three days later, falls on a Saturday
    monday = datetime.combine(NOW.date() + timedelta(days=7), time(9), NOW.tzinfo)
    assert (desk.plan().reason, desk.plan().next_at) == ("not-due", monday)
    with desk.store.database.write() as connection:
        connection.execute(sa.update(OUTBOX).values(zone="Asia/Tokyo"))
    assert desk.plan().next_at == monday - timedelta(hours=9)


def test_follow_ups_come_after_their_delay_in_the_thread(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "sent", ["Bo"])
    desk.send()
    [first] = desk.mails()
    next_day(desk, 2)
    assert (desk.plan().size, desk.plan().reason) == (0, "not-due")
    next_day(desk, 1)
    desk.clock.move(timedelta(minutes=5))
    desk.send()
    [follow_up] = [mail for mail in desk.mails() if mail["Message-ID"] != first["Message-ID"]]
    assert follow_up["In-Reply-To"] == first["Message-ID"]
    assert first["Message-ID"] in follow_up["References"]
    assert follow_up["Subject"] == f"Re: {first['Subject']}"
    assert first["In-Reply-To"] is None
    assert {item.subject for item in desk.store.outbox.items()} == {first["Subject"], follow_up["Subject"]}


def test_no_follow_up_without_an_inbox_to_read(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "sent", ["Bo"])
    desk.reads_inbox = False
    desk.send()
    assert len(desk.mails()) == 1
    next_day(desk, 4)
    [held] = desk.plan().held
    assert held.reasons[0].startswith("no-inbox")


def test_a_stale_inbox_stops_the_run(desk: Desk) -> None:
    items = enqueue(desk.store, desk.plan(), desk.clock.now())
    desk.clock.move(FRESH_INBOX + timedelta(seconds=1))
    report = send(desk.sender(), items)
    assert (report.reason, report.results) == ("inbox-stale", ())
    assert desk.mails() == []


def test_an_opt_out_after_queueing_is_obeyed(desk: Desk) -> None:
    items = enqueue(desk.store, desk.plan(), desk.clock.now())
    with desk.store.database.write() as connection:
        row = {
            "value": f"person:{items[1].founder_id}",
            "kind": "opt_out",
            "reason": "",
            "origin": "",
            "created_at": NOW,
        }
        connection.execute(sa.insert(t.suppressions), [row])
    report = send(desk.sender(), items)
    assert [item.id for item, reason in report.skipped if reason == "suppressed"] == [items[1].id]
    assert items[1].rcpt not in " ".join(str(mail["To"]) for mail in desk.mails())


def test_pausing_lets_nothing_out_and_resuming_makes_no_burst(desk: Desk) -> None:
    from outreach.core.records import CampaignState

    desk.store.campaigns.set_state(desk.campaign.id, CampaignState.PAUSED, "by hand")
    assert (desk.plan().size, desk.plan().reason) == (0, "campaign-paused: spring, by hand")
    next_day(desk, 3)
    desk.store.campaigns.set_state(desk.campaign.id, CampaignState.ACTIVE, "")
    assert desk.plan().size == LIMITS.hourly_cap


def test_what_is_too_late_is_planned_afresh_under_another_id(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "sent", ["Bo"])
    [first] = enqueue(desk.store, desk.plan(), desk.clock.now())
    next_day(desk, 3)
    recover(desk.store, lambda _owner: False, desk.clock.now())
    assert desk.store.outbox.get(first.id).state is OutboxState.CANCELLED
    desk.send()
    [mail] = desk.mails()
    assert mail["Message-ID"] != first.message_id


def test_a_follow_up_a_week_late_waits_for_a_person(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "sent", ["Bo"])
    desk.send()
    next_day(desk, 14)
    found = desk.plan()
    assert (found.size, len(found.stale)) == (0, 1)
    enqueue(desk.store, found, desk.clock.now())
    [held] = desk.store.outbox.items(states=[OutboxState.HELD])
    assert desk.plan().size == 0
    desk.store.outbox.retry(held.id, "by hand", desk.clock.now())
    desk.send()
    assert len(desk.mails()) == 2


def test_someone_on_holiday_waits_until_they_are_back(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "sent", ["Bo"])
    desk.send()
    [entry] = desk.store.campaigns.enrollments(desk.campaign.id)
    back = NOW + timedelta(days=9)
    with desk.store.database.write() as connection:
        hold_person(connection, HoldPerson(entry.founder_id, back, "out-of-office"), NOW)
    next_day(desk, 4)
    [held] = desk.plan().held
    assert held.reasons == (f"out-of-office until {back:%Y-%m-%d}",)
    next_day(desk, 5)
    desk.clock.move(timedelta(minutes=1))
    desk.send()
    assert len(desk.mails()) == 2


def test_queued_bytes_do_not_change_with_the_template(desk: Desk, tmp_path: Path) -> None:
    items = enqueue(desk.store, desk.plan(), desk.clock.now())
    other = tmp_path / "other"
    other.mkdir()
    (other / "1-intro.txt").write_text("Subject: Something else\n\nHi {{ founder.first_name }}, quite another text.\n")
    desk.writer = Writer(load_sequence(other), SENDER, KEY)
    assert [item.message_id for item in desk.plan().queued] == [item.message_id for item in items]
    send(desk.sender(), items)
    assert {mail["Subject"] for mail in desk.mails()} == {item.subject for item in items}


def test_two_of_one_company_are_not_written_to_at_once(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "sent", ["Bo", "Cy"], unpaced(LIMITS))
    with desk.store.database.write() as connection:
        connection.exec_driver_sql("UPDATE founders SET company_id = 1")
    found = desk.plan()
    assert found.size == 1
    [held] = found.held
    assert held.reasons[0].startswith("company-busy: Bo Brightly")
    desk.send()
    assert [h.reasons[0].partition(":")[0] for h in desk.plan().held] == ["company-busy"]


def test_namesakes_are_not_both_written_to(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "sent", ["Bo", "Cy"], unpaced(LIMITS))
    with desk.store.database.write() as connection:
        connection.exec_driver_sql("UPDATE founders SET full_name = 'Bo Brightly', first_name = 'Bo'")
    assert [held.reasons[0].partition(":")[0] for held in desk.plan().held] == ["namesake"]


def test_namesakes_are_known_by_the_names_themselves_not_by_their_keys(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "sent", ["Bo", "Cy"], unpaced(LIMITS))
    send(desk.sender(), enqueue(desk.store, desk.plan().first(1), desk.clock.now()))
    with desk.store.database.write() as connection:  # and not their keys
        connection.exec_driver_sql("UPDATE founders SET full_name = 'BO BRIGHTLY' WHERE first_name = 'Cy'")
    assert [held.reasons[0].partition(":")[0] for held in desk.plan().held] == ["namesake"]


def test_first_takes_the_first_of_the_batch(desk: Desk) -> None:
    desk.limits = replace(LIMITS, hourly_cap=10, daily_cap=10)
    whole = desk.plan()
    assert whole.first(2).ready == whole.ready[:2]
    assert whole.first(2).size + whole.first(2).later == len(NAMES)
    assert isinstance(desk.campaign, Campaign)


def test_a_mail_that_was_queued_before_a_hold_waits_with_its_founder(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "sent", ["Bo"])
    [item] = enqueue(desk.store, desk.plan(), desk.clock.now())
    back = NOW + timedelta(days=1)
    with desk.store.database.write() as connection:
        hold_person(connection, HoldPerson(item.founder_id, back, "out-of-office"), NOW)
    assert desk.plan().size == 0
    next_day(desk)
    desk.clock.move(timedelta(minutes=1))
    desk.send()
    assert [mail["Message-ID"] for mail in desk.mails()] == [item.message_id]


def _forgotten(desk: Desk, log: Sequence[Mapping[str, str]]) -> list[str]:
    return [story.message_id for story in desk.store.instance.forgotten(log)]


def test_a_log_that_knows_more_than_the_store_is_believed(desk: Desk) -> None:
    items = enqueue(desk.store, desk.plan(), desk.clock.now())
    send(desk.sender(), items[:1])
    sent, waiting = items[0].message_id, items[1].message_id
    [tried] = desk.store.outbox.attempts(items[0].id)

    def log(*entries: tuple[str, str]) -> list[dict[str, str]]:
        return [{"message_id": message_id, "kind": kind, "token": tried["token"]} for message_id, kind in entries]

    assert _forgotten(desk, log((sent, "intent"), (sent, "sent"))) == []
    assert _forgotten(desk, log((waiting, "intent"), (waiting, "void"))) == []
    assert _forgotten(desk, log((waiting, "intent"), (waiting, "refused"))) == []
    for doubt in ("sent", "unknown", "sent again", "abandoned"):
        assert _forgotten(desk, log((waiting, "intent"), (waiting, doubt))) == [waiting]
    assert _forgotten(desk, log((waiting, "unknown"), (waiting, "intent"), (waiting, "refused"))) == [waiting]
    assert _forgotten(desk, log(("<or.gone@ada.example>", "intent"))) == ["<or.gone@ada.example>"]


def test_a_bare_intent_is_harmless_only_where_its_try_is_known(desk: Desk) -> None:
    """A crash between the log's intent and the store's leaves one behind; so does a store older than the log."""
    items = enqueue(desk.store, desk.plan(), desk.clock.now())
    intent = [{"message_id": items[0].message_id, "kind": "intent", "token": "first"}]
    assert _forgotten(desk, intent) == [items[0].message_id], "the store never saw that try: it is an older copy"
    assert desk.store.claims.claim(items[0], LIMITS, token="first", owner="dead", now=NOW)
    assert _forgotten(desk, intent) == []
    recover(desk.store, lambda _owner: True, NOW)
    assert _forgotten(desk, intent) == []
    assert desk.store.claims.claim(items[0], LIMITS, token="second", owner="dead", now=NOW)
    assert _forgotten(desk, intent) == []


class Stumbling:
    """A transport that fails as it is told, and otherwise writes into the folder."""

    def __init__(self, folder: Path, *staged: SendResult, commits: Sequence[BaseException] = ()) -> None:
        self._folder, self._staged, self._commits = DirectoryTransport(folder), list(staged), list(commits)

    def stage(self, envelope: Envelope) -> SendResult | None:
        return self._staged.pop(0) if self._staged else self._folder.stage(envelope)

    def commit(self) -> SendResult:
        if self._commits:
            raise self._commits.pop(0)
        return self._folder.commit()

    def close(self) -> None:
        self._folder.close()


_LOST = SendResult(Outcome.DEFERRED, Phase.MAIL, text="the server closed the connection")
_BUSY = SendResult(Outcome.DEFERRED, Phase.RCPT, 421, "4.3.2", "shutting down")


def test_a_run_that_waits_comes_through_lost_connections_and_a_pause(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "sent", ["Bo", "Cy", "Di"])
    desk.reads_inbox = False
    items = enqueue(desk.store, desk.plan(wait=True), desk.clock.now())
    stumbling = Stumbling(desk.folder, _LOST, _BUSY, _LOST, _LOST, _LOST)
    sender = replace(desk.sender(wait=True), transport=stumbling)
    report = send(sender, items)
    assert (report.reason, report.count(OutboxState.SENT), report.count(OutboxState.QUEUED)) == ("", 3, 0)
    assert len(desk.mails()) == 3


def test_a_run_that_does_not_wait_goes_on_with_the_next_and_says_what_is_left(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "sent", ["Bo", "Cy", "Di"])
    items = enqueue(desk.store, desk.plan(), desk.clock.now())
    report = send(replace(desk.sender(), transport=Stumbling(desk.folder, _LOST)), items)
    assert (report.count(OutboxState.SENT), report.count(OutboxState.QUEUED)) == (2, 1)
    assert len(desk.mails()) == 2


def test_a_follow_up_that_is_due_later_stalls_nobody(desk: Desk) -> None:
    items = enqueue(desk.store, desk.plan(), desk.clock.now())
    with desk.store.database.write() as connection:
        later = desk.clock.now() + timedelta(minutes=20)
        connection.execute(sa.update(OUTBOX).where(OUTBOX.c.id == items[0].id).values(step=2, due_at=later))
    waiting = desk.store.outbox.items(states=[OutboxState.QUEUED])
    assert waiting[0].id == items[0].id, "follow-ups come first"
    report = send(desk.sender(), waiting)
    assert {sent.item.id for sent in report.results} == {item.id for item in items[1:]}
    assert report.reason == "not-due"


def test_an_interrupt_after_the_intent_leaves_a_doubt_that_is_listed_at_once(desk: Desk) -> None:
    items = enqueue(desk.store, desk.plan(), desk.clock.now())
    journal = MemoryJournal()
    cut_off = Stumbling(desk.folder, commits=[KeyboardInterrupt()])
    with pytest.raises(KeyboardInterrupt):
        send(replace(desk.sender(), transport=cut_off, journal=journal), items)
    assert [item.state for item in desk.store.outbox.items(states=[OutboxState.UNKNOWN])] == [OutboxState.UNKNOWN]
    assert [line["kind"] for line in journal.lines] == ["intent", "unknown"]


def test_what_was_given_up_gets_no_further_step(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "sent", ["Bo"])
    items = enqueue(desk.store, desk.plan(), desk.clock.now())
    with pytest.raises(KeyboardInterrupt):
        send(replace(desk.sender(), transport=Stumbling(desk.folder, commits=[KeyboardInterrupt()])), items)
    assert desk.plan().held[0].reasons == ("unknown-open",)
    desk.store.outbox.resolve(items[0].id, OutboxState.CANCELLED, "abandoned by Ada", desk.clock.now())
    [entry] = desk.store.campaigns.enrollments(desk.campaign.id)
    assert (entry.state, entry.reason) == (EnrollmentState.STOPPED, "abandoned")
    next_day(desk, 5)
    desk.send()
    assert desk.mails() == []


def test_a_second_copy_that_was_ordered_and_came_too_late_stays_a_doubt(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "sent", ["Bo"])
    items = enqueue(desk.store, desk.plan(), desk.clock.now())
    with pytest.raises(KeyboardInterrupt):
        send(replace(desk.sender(), transport=Stumbling(desk.folder, commits=[KeyboardInterrupt()])), items)
    desk.store.outbox.resolve(items[0].id, OutboxState.QUEUED, "sent again by Ada", desk.clock.now())
    next_day(desk, 3)
    recover(desk.store, lambda _owner: False, desk.clock.now())
    assert desk.store.outbox.get(items[0].id).state is OutboxState.UNKNOWN


def test_a_failed_mail_that_is_tried_again_goes_and_so_does_its_sequence(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "sent", ["Bo"])
    items = enqueue(desk.store, desk.plan(), desk.clock.now())
    refused = SendResult(Outcome.REJECTED, Phase.DOT, 571, "", "no")
    send(replace(desk.sender(), transport=Stumbling(desk.folder, refused)), items)
    desk.send()
    [entry] = desk.store.campaigns.enrollments(desk.campaign.id)
    assert (entry.state, entry.reason) == (EnrollmentState.STOPPED, "failed")
    desk.store.outbox.retry(items[0].id, "retried by Ada", desk.clock.now())
    desk.send()
    assert len(desk.mails()) == 1
    next_day(desk, 4)
    desk.send()
    assert len(desk.mails()) == 2


def test_a_failed_mail_is_not_tried_again_for_someone_who_answered_or_in_a_campaign_that_is_over(
    tmp_path: Path,
) -> None:
    desk = Desk(tmp_path / "sent", ["Bo", "Cy"])
    items = enqueue(desk.store, desk.plan(), desk.clock.now())
    refused = SendResult(Outcome.REJECTED, Phase.DOT, 571, "", "no")
    send(replace(desk.sender(), transport=Stumbling(desk.folder, refused, refused)), items)
    with desk.store.database.write() as connection:
        stop_people(connection, [items[0].founder_id], reason="replied", cancel="replied", now=NOW)
    with pytest.raises(SendRefused, match="not written to any more: replied"):
        desk.store.outbox.retry(items[0].id, "retried by Ada", desk.clock.now())
    desk.store.campaigns.stop(desk.campaign.id, "by hand", NOW)
    with pytest.raises(SendRefused, match="stopped for good"):
        desk.store.outbox.retry(items[1].id, "retried by Ada", desk.clock.now())


def test_a_campaign_that_is_stopped_frees_the_colleagues_of_those_in_it(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "sent", ["Bo", "Cy"], unpaced(LIMITS))
    with desk.store.database.write() as connection:
        connection.exec_driver_sql("UPDATE founders SET company_id = 1")
    desk.send()
    [founder] = [item.founder_id for item in desk.store.outbox.items(states=[OutboxState.SENT])]
    other = next(each for each in desk.store.people.founders() if each.id != founder)
    assert desk.store.campaigns.facts([other], campaign_id=None)[other.id].busy_colleague
    desk.store.campaigns.stop(desk.campaign.id, "by hand", NOW)
    assert not desk.store.campaigns.facts([other], campaign_id=None)[other.id].busy_colleague
    assert {entry.state for entry in desk.store.campaigns.enrollments(desk.campaign.id)} == {EnrollmentState.STOPPED}


def test_a_retry_waits_for_its_time_and_a_companys_cap_is_planned(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "sent", ["Bo", "Cy"])
    [first, _] = enqueue(desk.store, desk.plan(), desk.clock.now())
    with desk.store.database.write() as connection:
        values = {"attempt_count": 1, "due_at": desk.clock.now() + timedelta(minutes=5)}
        connection.execute(sa.update(OUTBOX).where(OUTBOX.c.id == first.id).values(values))
    assert [item.id for item in desk.plan().queued] != [first.id]
    desk.send()
    with desk.store.database.write() as connection:
        connection.exec_driver_sql("UPDATE founders SET company_id = 1")
        connection.exec_driver_sql("UPDATE enrollments SET state = 'finished' WHERE founder_id = 2")
        connection.exec_driver_sql("UPDATE outbox SET company_id = 1")
        connection.execute(sa.delete(OUTBOX).where(OUTBOX.c.id == first.id))
    [held] = desk.plan().held
    assert [reason.partition(":")[0] for reason in held.reasons] == ["company-cap"]


# --- hours, domains, the canary, and a clock that is set ------------------------------------------------


def place(desk: Desk, **places: tuple[str, str]) -> None:
    """Say where companies are: name → city and country."""
    with desk.store.database.write() as connection:
        for name, (city, country) in places.items():
            connection.execute(
                sa.update(t.companies).where(t.companies.c.name == f"{name} Labs").values(city=city, country=country)
            )


def test_each_mail_goes_in_the_hours_of_its_recipient(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "sent", ["Bo", "Cy", "Di"])
    place(desk, Bo=("San Francisco", "United States"), Cy=("Tokyo", "Japan"), Di=("Berlin", "Germany"))
    found = desk.plan()  # Monday 09:30 UTC: 01:30, 18:30 and 10:30 there
    assert [(mail.founder.first_name, str(mail.zone)) for mail in found.ready] == [
        ("Di", "Europe/Berlin (inferred from Berlin, Germany)")
    ]
    assert (found.later, found.reason) == (2, "outside-window")
    assert found.next_at == datetime(2026, 3, 2, 17, tzinfo=NOW.tzinfo)  # 09:00 in San Francisco
    for _ in range(24):
        desk.send()
        desk.clock.move(timedelta(hours=1))
    zones = {"bo@bo.example": "America/Los_Angeles", "cy@cy.example": "Asia/Tokyo", "di@di.example": "Europe/Berlin"}
    items = desk.store.outbox.items(states=[OutboxState.SENT])
    assert {item.rcpt: item.zone for item in items} == zones
    for item in items:
        assert item.sent_at is not None
        assert time(9) <= item.sent_at.astimezone(ZoneInfo(item.zone)).time() < time(17)


def test_a_mail_that_was_queued_in_its_hours_does_not_go_outside_of_them(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "sent", ["Bo"])
    place(desk, Bo=("Berlin", "Germany"))
    items = enqueue(desk.store, desk.plan(), desk.clock.now())
    desk.clock.move(timedelta(hours=7))  # 17:30 there, and 16:30 where the mailbox is
    desk.read_inbox()
    report = send(desk.sender(), items)
    assert (report.reason, desk.mails()) == ("outside-window", [])
    assert report.next_at == datetime(2026, 3, 3, 8, tzinfo=NOW.tzinfo)


def test_holidays_are_kept(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "sent", ["Bo"], replace(LIMITS, holidays=frozenset((NOW.date(),))))
    assert (desk.plan().size, desk.plan().reason) == (0, "holiday")


def test_one_domain_gets_its_pause_while_others_go(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "sent", ["Bo", "Cy", "Di"], replace(LIMITS, domain_gap=timedelta(minutes=10)))
    with desk.store.database.write() as connection:
        for name in ("bo", "cy"):
            connection.execute(
                sa.update(t.enrollments)
                .where(t.enrollments.c.address_key == f"{name}@{name}.example")
                .values(address=f"{name}@big.example", address_key=f"{name}@big.example")
            )
    desk.send()
    assert sorted(mail["To"].partition("<")[2] for mail in desk.mails()) == ["bo@big.example>", "di@di.example>"]
    assert (desk.plan().reason, desk.plan().next_at) == ("domain-gap", NOW + timedelta(minutes=10))
    desk.clock.move(timedelta(minutes=10))
    desk.send()
    assert len(desk.mails()) == 3


def test_after_the_first_five_a_campaign_waits_for_what_comes_back(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "sent", limits=replace(LIMITS, hourly_cap=20, daily_cap=30))
    desk.send()
    assert len(desk.mails()) == 5
    found = desk.plan()
    assert (found.size, found.later, found.reason) == (0, 11, "canary")
    assert found.next_at == desk.sent()[-1] + timedelta(minutes=10)
    desk.clock.move(timedelta(minutes=10))
    desk.send()
    assert len(desk.mails()) == 16


def test_the_first_campaign_of_a_mailbox_sends_twenty_in_a_run(tmp_path: Path) -> None:
    names = [f"Person{letter}{other}" for letter in "abcdef" for other in "abcdef"][:30]
    desk = Desk(tmp_path / "sent", names, replace(LIMITS, hourly_cap=50, daily_cap=50))
    found = desk.plan(wait=True)
    assert (found.size, found.reason) == (20, "run-limit")


@pytest.mark.parametrize("jump", [timedelta(days=2), timedelta(days=-2), timedelta(hours=1), timedelta(hours=-1)])
def test_no_true_day_holds_more_than_the_cap_however_the_clock_is_set(tmp_path: Path, jump: timedelta) -> None:
    limits = replace(LIMITS, weekdays=frozenset(range(7)), window=(time(0), time(23, 59)), hourly_cap=2, daily_cap=2)
    desk = Desk(tmp_path / "sent", limits=limits)
    true_times: list[float] = []

    def rounds(number: int) -> None:
        for _ in range(number):
            before = len(desk.mails())
            desk.send()
            true_times.extend([desk.clock.reading().steady] * (len(desk.mails()) - before))
            desk.clock.move(timedelta(hours=3))

    rounds(4)
    desk.clock.set(jump)
    rounds(20)
    assert len(true_times) >= 4
    for at in true_times:
        assert sum(at - 86_400 < other <= at for other in true_times) <= limits.daily_cap


def test_a_run_in_which_the_clock_is_set_ends_and_says_so(desk: Desk) -> None:
    desk.send()
    desk.clock.move(timedelta(hours=2))
    desk.read_inbox()
    items = enqueue(desk.store, desk.plan(), desk.clock.now())
    desk.clock.set(timedelta(minutes=10))
    assert send(desk.sender(), items).reason == "clock"


def test_no_burst_after_a_long_sleep(desk: Desk) -> None:
    items = enqueue(desk.store, desk.plan(wait=True), desk.clock.now())
    assert len(items) == 6
    desk.clock.move(timedelta(hours=6))
    desk.read_inbox()
    assert send(desk.sender(wait=True), items).reason == "inbox-stale"
    sent = desk.sent()
    assert len(sent) == LIMITS.hourly_cap
    assert all(later - earlier >= LIMITS.min_gap for earlier, later in pairwise(sent))
    assert all(at - NOW > timedelta(hours=6) - timedelta(seconds=1) for at in sent)
