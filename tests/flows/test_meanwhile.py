"""What happens between two steps of a mail: an import, an answer, a merge, a restore, a stop. Each was a mail too many,
or one that nobody heard of again."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from outreach.core.pacing import UNTIL_FIXED, unpaced
from outreach.core.ports import Clock, Envelope, Outcome, Phase, SendResult
from outreach.core.records import CampaignState, EnrollmentState, OutboxState
from outreach.errors import SendRefused, StoreError
from outreach.flows.adopt import adopt
from outreach.flows.enqueue import enqueue
from outreach.flows.ingest import Source, ingest
from outreach.flows.recover import recover
from outreach.flows.retry import retry
from outreach.flows.send import send
from outreach.flows.suppress import suppress
from outreach.importers import all_importers
from outreach.store import tables as t
from outreach.store.instance import Adopted
from outreach.store.journal import Journal, MemoryJournal
from outreach.transports.directory import DirectoryTransport
from tests.factory import KEY, SENDER, queue_all, start_campaign
from tests.flows.test_enqueue_and_send import LIMITS, Desk, Stumbling

_REFUSED = SendResult(Outcome.REJECTED, Phase.DOT, 571, "", "no")
_LATER = SendResult(Outcome.DEFERRED, Phase.RCPT, 450, "4.7.1", "greylisted")
_HEADER = b"Name,Company,Website,Email\n"


class Meanwhile:
    """A transport during whose first mail something else happens."""

    def __init__(self, folder: Path, happens: Callable[[], object]) -> None:
        self._folder, self._happens = DirectoryTransport(folder), [happens]

    def stage(self, envelope: Envelope) -> SendResult | None:
        staged = self._folder.stage(envelope)
        while self._happens:
            self._happens.pop()()
        return staged

    def commit(self) -> SendResult:
        return self._folder.commit()

    def close(self) -> None:
        self._folder.close()


def bring(desk: Desk, rows: bytes) -> None:
    clock: Clock = desk.clock
    source = Source("list.csv", _HEADER + rows, desk.clock.now())
    ingest(desk.store, [source], importers=all_importers(), clock=clock)


def with_bo(folder: Path, addresses: str = "bo@bo.example") -> Desk:
    """Bo as an import brought him, in the campaign."""
    desk = Desk(folder / "sent", [])
    bring(desk, f"Bo Brightly,Bo Labs,bo.example,{addresses}\n".encode())
    [bo] = desk.store.people.founders()
    desk.store.campaigns.enroll(
        desk.campaign.id, [(bo, bo.addresses[0].address, bo.addresses[0].key)], desk.clock.now()
    )
    return desk


def doubt(desk: Desk) -> int:
    """Send the first mail and be cut off after its dot; the id of the doubt."""
    items = enqueue(desk.store, desk.plan(), desk.clock.now())
    with pytest.raises(KeyboardInterrupt):
        send(replace(desk.sender(), transport=Stumbling(desk.folder, commits=[KeyboardInterrupt()])), items)
    [found] = desk.store.outbox.items(states=[OutboxState.UNKNOWN])
    return found.id


def test_an_import_that_brings_a_suppressed_address_stops_the_mail_in_flight(tmp_path: Path) -> None:
    desk = with_bo(tmp_path)
    suppress(desk.store, "old.bo@elsewhere.example", reason="said no by phone", clock=desk.clock)
    items = enqueue(desk.store, desk.plan(), desk.clock.now())
    row = b"Bo Brightly,Bo Labs,bo.example,bo@bo.example old.bo@elsewhere.example\n"
    report = send(replace(desk.sender(), transport=Meanwhile(desk.folder, lambda: bring(desk, row))), items)
    assert desk.mails() == []
    assert [why for _, why in report.skipped] == ["cancelled"]


@pytest.mark.parametrize("mailed", [False, True])
def test_of_two_sequences_to_one_person_only_one_goes_on(tmp_path: Path, mailed: bool) -> None:
    desk = Desk(tmp_path / "sent", [], unpaced(LIMITS))
    bring(desk, b"Bo Brightly,Bo Labs,bo.example,bo@bo.example\nBob Brightly,Other,other.example,bob@other.example\n")
    founders = desk.store.people.founders()
    for name, founder in zip(("one", "two"), founders, strict=True):
        campaign = desk.store.campaigns.create(
            name, sequence="job-search", mailbox_id=desk.mailbox.id, filters={}, now=desk.clock.now()
        )
        desk.store.campaigns.enroll(
            campaign.id, [(founder, founder.addresses[0].address, founder.addresses[0].key)], desk.clock.now()
        )
        queue_all(desk.store, campaign, now=desk.clock.now())
    waiting = desk.store.outbox.items(states=[OutboxState.QUEUED])
    if mailed:
        send(desk.sender(), waiting[1:])
    with desk.store.database.write() as connection:  # the same person after all: what an import finds, made short
        for statement in (
            "UPDATE founders SET full_name = 'Bo Brightly', first_name = 'Bo', name_key = 'bobrightly', linkedin = ''",
            "UPDATE leads SET cells = replace(cells, 'Bob', 'Bo')",
        ):
            connection.exec_driver_sql(statement)
    bring(desk, b"Bo Brightly,Bo Labs,bo.example,bo@bo.example bob@other.example\n")
    assert len(desk.store.people.founders()) == 1
    states = [desk.store.campaigns.enrollments(desk.store.campaigns.get(name).id)[0] for name in ("one", "two")]
    assert [entry.state for entry in states].count(EnrollmentState.ACTIVE) == 1
    assert states[1 if mailed else 0].state is EnrollmentState.ACTIVE, "the one that is furthest"
    send(desk.sender(), desk.store.outbox.items(states=[OutboxState.QUEUED]))
    assert len(desk.mails()) == 1


def test_a_failed_mail_is_not_tried_again_where_a_guard_says_no_by_now(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "sent", ["Bo"])
    [item] = enqueue(desk.store, desk.plan(), desk.clock.now())
    send(replace(desk.sender(), transport=Stumbling(desk.folder, _REFUSED)), [item])
    other, _ = start_campaign(desk.store, "autumn")
    send(desk.sender(), queue_all(desk.store, other, now=desk.clock.now()))
    desk.clock.move(timedelta(minutes=5))
    send(desk.sender(), desk.store.outbox.items(states=[OutboxState.QUEUED]))
    assert len(desk.mails()) == 1
    with pytest.raises(SendRefused, match="already-contacted"):
        retry(desk.store, item.id, reason="retried by Ada", clock=desk.clock)


def test_proof_of_the_first_copy_keeps_an_ordered_second_one_here(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "sent", ["Bo"])
    id_ = doubt(desk)
    desk.store.outbox.resolve(id_, OutboxState.QUEUED, "sent again by Ada", desk.clock.now())
    desk.store.outbox.confirm(id_, "it lies in the Sent folder", desk.clock.now())
    desk.send()
    assert (desk.mails(), desk.store.outbox.get(id_).state) == ([], OutboxState.SENT)


def test_proof_counts_while_the_sender_still_waits_for_the_answer(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "sent", ["Bo"])
    [item] = enqueue(desk.store, desk.plan(), desk.clock.now())
    claim = desk.store.claims.claim(item, LIMITS, token="t", owner="me", now=desk.clock.now())
    assert claim
    assert desk.store.claims.fence(claim, LIMITS, now=desk.clock.now(), next_send_at=desk.clock.now())
    desk.store.outbox.confirm(item.id, "a reply names its id", desk.clock.now())
    assert desk.store.outbox.get(item.id).state is OutboxState.SENT


def test_a_store_restored_from_before_an_ordered_copy_does_not_repeat_it(tmp_path: Path) -> None:
    desk, journal = Desk(tmp_path / "sent", ["Bo"]), MemoryJournal()
    id_ = doubt(desk)
    message_id = desk.store.outbox.get(id_).message_id
    desk.store.outbox.resolve(id_, OutboxState.QUEUED, "sent again by Ada", desk.clock.now())
    [first] = desk.store.outbox.attempts(id_)
    for kind, token in (("intent", first["token"]), ("unknown", ""), ("sent again", ""), ("intent", "x"), ("sent", "")):
        journal.record({"message_id": message_id, "kind": kind, "token": token})
    assert not desk.store.instance.forgotten(journal.lines[:3])
    assert [story.message_id for story in desk.store.instance.forgotten(journal.lines)] == [message_id]


def test_a_doubt_stays_listed_when_its_second_copy_is_called_off(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "sent", ["Bo"])
    id_ = doubt(desk)
    desk.store.outbox.resolve(id_, OutboxState.QUEUED, "sent again by Ada", desk.clock.now())
    desk.store.campaigns.stop(desk.campaign.id, "by hand", desk.clock.now())
    assert desk.store.outbox.get(id_).state is OutboxState.UNKNOWN


class _FullDisk(MemoryJournal):
    """A log that takes so many lines."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self._room = room

    def record(self, entry, *, durable: bool = True) -> None:  # type: ignore[no-untyped-def]  # as the class above
        if len(self.lines) >= self._room:
            raise StoreError("sent.log cannot be written")
        super().record(entry, durable=durable)


def test_a_run_that_ends_by_an_error_reports_what_it_did(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "sent", ["Bo", "Cy", "Di"], unpaced(LIMITS))
    items = enqueue(desk.store, desk.plan(), desk.clock.now())
    report = send(replace(desk.sender(), journal=_FullDisk(3)), items)
    assert report.count(OutboxState.SENT) == 2, "an outcome that the log cannot take is in the store all the same"
    assert isinstance(report.errors[0], StoreError)
    assert len(desk.mails()) == 2


def test_queued_mails_that_may_not_go_take_no_slot(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "sent")
    items = enqueue(desk.store, desk.plan(), desk.clock.now())
    with desk.store.database.write() as connection:
        for item in items:
            row = {"value": f"person:{item.founder_id}", "kind": "manual", "reason": "no", "origin": "test"}
            connection.execute(sa.insert(t.suppressions).values(**row, created_at=desk.clock.now()))
    found = desk.plan()
    assert found.queued == ()
    assert len(found.ready) == len(items)
    assert {held.founder.id for held in found.held} >= {item.founder_id for item in items}


def test_a_domain_that_is_suppressed_stops_whoever_has_any_address_there(tmp_path: Path) -> None:
    desk = with_bo(tmp_path, "bo@bo.example bo@holding.example")
    [item] = enqueue(desk.store, desk.plan(), desk.clock.now())
    suppress(desk.store, "holding.example", reason="no", clock=desk.clock)
    assert desk.store.outbox.get(item.id).state is OutboxState.CANCELLED


def test_whoever_is_always_deferred_is_given_up_once_and_not_planned_afresh(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "sent", ["Bo"])
    tries = 0
    for _ in range(30 * 24):
        recover(desk.store, lambda _owner: False, desk.clock.now())
        desk.read_inbox()
        items = enqueue(desk.store, desk.plan(), desk.clock.now())
        report = send(replace(desk.sender(), transport=Stumbling(desk.folder, *[_LATER] * 9)), items)
        tries += len(report.results)
        desk.clock.move(timedelta(hours=1))
    assert [item.state for item in desk.store.outbox.items()] == [OutboxState.FAILED]
    assert tries == 9


def test_a_mail_that_waits_for_its_next_try_is_not_nothing(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "sent", ["Bo"])
    items = enqueue(desk.store, desk.plan(), desk.clock.now())
    send(replace(desk.sender(), transport=Stumbling(desk.folder, _LATER)), items)
    found = desk.plan()
    assert (found.size, found.reason, found.next_at) == (0, "not-due", desk.clock.now() + timedelta(minutes=5))


def test_a_mailbox_is_the_same_however_its_address_is_spelt(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "sent", ["Bo"])
    assert desk.store.campaigns.mailbox(SENDER.address.upper(), desk.clock.now()).id == desk.mailbox.id


def test_a_mailbox_that_rests_until_a_person_acts_names_no_time(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "sent", ["Bo"])
    desk.store.campaigns.pause_mailbox(desk.mailbox.id, UNTIL_FIXED, "the login was refused")
    found = desk.plan()
    assert (found.size, found.next_at, found.reason) == (0, None, "mailbox-paused: the login was refused")


def test_a_run_that_waits_does_not_wait_for_a_campaign_that_was_stopped(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "sent")
    items = enqueue(desk.store, desk.plan(wait=True), desk.clock.now())
    started = desk.clock.now()
    sender = desk.sender(wait=True)
    stop = replace(sender, narrate=lambda _sent: desk.store.campaigns.stop(desk.campaign.id, "by hand", started))
    report = send(stop, items)
    assert (report.count(OutboxState.SENT), len(report.skipped)) == (1, len(items) - 1)
    assert desk.clock.now() - started <= LIMITS.max_gap
    assert desk.store.campaigns.get("spring").state is CampaignState.STOPPED


def test_the_working_hours_are_asked_again_before_the_dot(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "sent", ["Bo"])
    desk.clock.move(timedelta(hours=7, minutes=25))  # 16:55
    desk.read_inbox()
    items = enqueue(desk.store, desk.plan(), desk.clock.now())
    slow = Meanwhile(desk.folder, lambda: desk.clock.move(timedelta(minutes=10)))
    report = send(replace(desk.sender(), transport=slow), items)
    assert (report.reason, desk.mails()) == ("outside-window", [])


@pytest.mark.parametrize("queued", [False, True])
def test_the_same_old_backup_is_noticed_a_second_time(tmp_path: Path, *, queued: bool) -> None:
    """What an adoption settled is settled in the store that was adopted, not in the backup it was made from."""
    desk = Desk(tmp_path / "sent", ["Bo"])
    log = Journal(tmp_path / "sent.log")

    def take_over() -> Adopted:
        return adopt(
            desk.store,
            journal=log,
            mailboxes=[(desk.mailbox, None)],
            here={"file": "here"},
            key=KEY,
            clock=desk.clock,
        )

    if queued:
        enqueue(desk.store, desk.plan(), desk.clock.now())
    with closing(sqlite3.connect(":memory:")) as backup:
        driver = desk.store.database.engine.raw_connection().driver_connection
        assert isinstance(driver, sqlite3.Connection)
        driver.backup(backup)
        send(replace(desk.sender(), journal=log), enqueue(desk.store, desk.plan(), desk.clock.now()))
        for _ in range(2):
            backup.backup(driver)
            assert len(desk.store.instance.forgotten(log.entries())) == 1
            found = take_over()
            assert (len(found.sent), len(found.recreated)) == (1, not queued)
            assert not desk.store.instance.forgotten(log.entries())
    assert len(desk.mails()) == 1
