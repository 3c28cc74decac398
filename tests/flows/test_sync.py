"""Reading the mailbox: what is recorded, what follows, and that doing it again does nothing."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from outreach.core.records import EnrollmentState, OutboxState
from outreach.errors import StoreError
from outreach.flows.sync import SyncReport, sync
from outreach.inboxes.maildir import MaildirInbox
from outreach.store import tables as t
from outreach.store.store import Store
from tests.factory import SENDER
from tests.fakes import MONDAY_MORNING
from tests.flows.world import ENROLLMENTS, INBOUND, OUTBOX, World, make_world
from tests.mails import mail, report

pytestmark = pytest.mark.usefixtures("engine")

AWAY = "I am out of the office until 12 March 2026."


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path)


def test_a_reply_is_logged_and_stops_the_person(world: World) -> None:
    world.answer("Bo", "Yes, let us talk.\n\nOn Mon, Ada wrote:\n> Hi Bo,\n> \n> are you hiring?\n")
    found = world.sync()
    assert (found.fetched, found.by_kind, found.unmatched) == (1, {"reply": 1}, 0)
    (reply,) = world.store.replies.listed()
    assert reply.text == "Yes, let us talk."
    assert "are you hiring" in reply.full_text
    assert (reply.founder, reply.campaign, reply.step) == ("Bo Brightly", "spring", 1)
    assert world.enrollments() == {
        "bo@bo.example": ("stopped", "replied"),
        "cy@cy.example": ("active", ""),
        "di@di.example": ("active", ""),
    }


def test_reading_again_stores_and_does_nothing(world: World) -> None:
    world.answer("Bo")
    world.sync()
    before = world.rows(INBOUND)
    with world.store.database.write() as connection:
        connection.execute(sa.update(ENROLLMENTS).values(state=EnrollmentState.ACTIVE, reason="by hand"))
    assert world.sync().fetched == 0
    assert world.sync(since=MONDAY_MORNING - timedelta(days=9)).fetched == 0
    assert world.rows(INBOUND) == before
    assert world.enrollments()["bo@bo.example"] == ("active", "by hand")


def test_the_same_message_in_another_folder_is_one_message(world: World) -> None:
    path = world.answer("Bo")
    world.sync()
    (world.maildir / ".Junk" / "new" / "moved").write_bytes(path.read_bytes())
    os.utime(world.maildir / ".Junk" / "new" / "moved", (world.clock.now().timestamp(),) * 2)
    found = world.sync()
    assert (found.fetched, found.again, dict(found.by_kind)) == (1, 1, {})
    assert len(world.rows(INBOUND)) == 1
    assert len(world.rows(t.inbound_locations)) == 2


def test_another_message_under_the_same_id_is_another_message(world: World) -> None:
    world.answer("Bo", "one")
    world.answer("Bo", "two")
    world.sync()
    assert len(world.rows(INBOUND)) == 2


def test_colleagues_are_stopped_with_the_person_who_answers(world: World) -> None:
    with world.store.database.write() as connection:
        bo = connection.scalar(sa.select(t.founders.c.company_id).where(t.founders.c.first_name == "Bo"))
        connection.execute(sa.update(t.founders).where(t.founders.c.first_name == "Cy").values(company_id=bo))
    world.set_items(state=OutboxState.QUEUED, intent_at=None)
    with world.store.database.write() as connection:
        connection.execute(
            sa.update(OUTBOX)
            .where(OUTBOX.c.rcpt == "bo@bo.example")
            .values(state=OutboxState.SENT, intent_at=MONDAY_MORNING, sent_at=MONDAY_MORNING)
        )
    world.answer("Bo")
    found = world.sync()
    assert (found.effects.people, found.effects.companies) == (2, 1)
    assert world.enrollments()["cy@cy.example"] == ("stopped", "colleague-replied")
    states = {row["rcpt"]: (row["state"], row["reason"]) for row in world.rows(OUTBOX)}
    assert states["cy@cy.example"] == ("cancelled", "replied")
    assert states["di@di.example"] == ("queued", "")


def test_free_mail_colleagues_are_none(world: World) -> None:
    with world.store.database.write() as connection:
        for name in ("bo", "cy"):
            key = f"{name}@gmail.com"
            old = f"{name}@{name}.example"
            connection.execute(
                sa.update(ENROLLMENTS).where(ENROLLMENTS.c.address == old).values(address=key, address_key=key)
            )
            connection.execute(
                sa.update(OUTBOX).where(OUTBOX.c.rcpt == old).values(rcpt=key, rcpt_key=key, rcpt_domain="gmail.com")
            )
    world.answer("Bo", sender="bo@gmail.com")
    world.sync()
    assert world.enrollments()["cy@gmail.com"] == ("active", "")


def test_an_opt_out_is_for_the_person_for_good(world: World) -> None:
    world.answer("Bo", "Please remove me from your list.", sender="bo@private.example")
    found = world.sync()
    assert dict(found.by_kind) == {"unsubscribe": 1}
    founder = world.items["Bo"].founder_id
    assert world.suppressed() == {
        (f"person:{founder}", "opt_out"),
        ("address:bo@bo.example", "opt_out"),
        ("address:bo@private.example", "opt_out"),
    }
    assert {(line["value"], line["kind"]) for line in world.journal.lines} == world.suppressed()
    assert world.enrollments()["bo@bo.example"] == ("stopped", "opted-out")


def test_the_footer_of_our_own_mail_is_no_opt_out(world: World) -> None:
    quoted = "On Mon, Ada wrote:\n> Hi Bo,\n> \n> are you hiring?\n> Reply stop or remove me and I stop writing."
    world.answer("Bo", f"Gladly!\n\n{quoted}")
    assert dict(world.sync().by_kind) == {"reply": 1}


def test_a_hard_bounce_marks_and_suppresses_the_address(world: World) -> None:
    world.arrive(report(returned_id=world.items["Bo"].message_id))
    assert dict(world.sync().by_kind) == {"bounce": 1}
    assert world.suppressed() == {("address:bo@bo.example", "bounce")}
    assert world.enrollments()["bo@bo.example"] == ("stopped", "bounced")
    statuses = {row["key"]: row["status"] for row in world.rows(t.addresses)}
    assert (statuses["bo@bo.example"], statuses["cy@cy.example"]) == ("bounced", "given")


def test_a_forged_bounce_stops_but_suppresses_nobody(world: World) -> None:
    world.arrive(report(returned_id="<forged@x.example>"))
    world.sync()
    assert world.suppressed() == set()
    assert world.enrollments()["bo@bo.example"] == ("stopped", "bounced")


def test_an_absence_holds_every_campaign_and_a_second_reading_shifts_nothing(world: World) -> None:
    other = world.store.campaigns.create(
        "autumn", sequence="job-search", mailbox_id=world.mailbox.id, filters={}, now=world.clock.now()
    )
    bo = next(founder for founder in world.store.people.founders({}) if founder.first_name == "Bo")
    world.store.campaigns.enroll(other.id, [(bo, "bo@bo.example", "bo@bo.example")], world.clock.now())
    world.arrive(mail(AWAY, auto_submitted="auto-replied", date=world.clock.now()))
    found = world.sync()
    assert (dict(found.by_kind), found.effects.held) == ({"auto_reply": 1}, 1)
    until = datetime(2026, 3, 13, tzinfo=UTC)
    held = [row for row in world.rows(ENROLLMENTS) if row["state"] == EnrollmentState.HELD]
    assert [row["held_until"].replace(tzinfo=UTC) for row in held] == [until, until]
    world.clock.move(timedelta(days=2))
    later = "I am out of the office until 5 March 2026."
    world.arrive(mail(later, auto_submitted="auto-replied", date=world.clock.now(), message_id="<2@bo.example>"))
    world.sync(since=MONDAY_MORNING - timedelta(days=1))
    held = [row for row in world.rows(ENROLLMENTS) if row["state"] == EnrollmentState.HELD]
    assert [row["held_until"].replace(tzinfo=UTC) for row in held] == [until, until]


def test_a_reply_after_an_absence_stops(world: World) -> None:
    world.arrive(mail(AWAY, auto_submitted="auto-replied", date=world.clock.now()))
    world.sync()
    world.answer("Bo", n=2)
    world.sync()
    assert world.enrollments()["bo@bo.example"] == ("stopped", "replied")


def test_private_mail_leaves_nothing_but_its_place(world: World) -> None:
    world.arrive(mail("Dinner on Sunday? secret-word", sender="mum@family.example", subject="secret-word"))
    world.arrive(mail("50 % off, secret-word", sender="noreply@shop.example", message_id="<2@shop.example>"))
    found = world.sync()
    assert (found.by_kind, found.unmatched) == ({"unrelated": 1, "automatic": 1}, 2)
    assert world.rows(INBOUND) == []
    assert [row["inbound_id"] for row in world.rows(t.inbound_locations)] == [None, None]


def test_what_was_there_before_the_first_mail_is_not_looked_at(world: World) -> None:
    world.arrive(mail("Old.", sender="bo@bo.example"), at=MONDAY_MORNING - timedelta(days=9))
    assert world.sync().fetched == 0
    assert world.sync(since=MONDAY_MORNING - timedelta(days=20)).fetched == 1


@pytest.mark.parametrize("names_the_mail", [True, False])
def test_a_no_is_heard_although_the_clock_was_days_ahead_when_the_mail_left(
    world: World, *, names_the_mail: bool
) -> None:
    ahead = MONDAY_MORNING + timedelta(days=3)
    world.set_items(intent_at=ahead, sent_at=ahead)
    with world.store.database.write() as connection:
        connection.execute(sa.update(ENROLLMENTS).values(enrolled_at=ahead))
    about = world.items["Bo"].message_id if names_the_mail else ""
    world.answer("Bo", "Please stop, unsubscribe me.", in_reply_to=about)
    assert world.sync().by_kind == {"unsubscribe": 1}
    assert ("address:bo@bo.example", "opt_out") in world.suppressed()


def test_an_answer_proves_that_a_doubtful_mail_left(world: World) -> None:
    world.set_items(state=OutboxState.UNKNOWN, sent_at=None)
    world.answer("Bo")
    assert world.sync().effects.confirmed == 1
    item = world.store.outbox.get(world.items["Bo"].id)
    assert (item.state, item.sent_at, item.reason) == (OutboxState.SENT, MONDAY_MORNING, "a reply names its id")
    assert [attempt["phase"] for attempt in world.store.outbox.attempts(item.id)] == ["inbox"]
    assert world.store.outbox.get(world.items["Cy"].id).state is OutboxState.UNKNOWN


def test_the_sent_folder_settles_doubts_and_tells_rewritten_ids(world: World) -> None:
    world.set_items(state=OutboxState.UNKNOWN, sent_at=None)
    item = world.items["Bo"]
    copy = item.mime.replace(f"Message-ID: {item.message_id}".encode(), b"Message-ID: <AM0@prod.example>")
    world.arrive(copy, folder="Sent")
    found = world.sync()
    assert (found.by_kind, found.unmatched) == ({"own": 1}, 0)
    assert world.rows(INBOUND) == []
    after = world.store.outbox.get(item.id)
    assert (after.state, after.wire_message_id) == (OutboxState.SENT, "<AM0@prod.example>")
    world.arrive(mail("Yes!", sender="assistant@else.example", in_reply_to="<AM0@prod.example>"))
    assert dict(world.sync().by_kind) == {"reply": 1}


def test_a_mail_by_hand_stops_the_sequence_and_stays_private(world: World) -> None:
    by_hand = mail("Hi Bo, secret-word", sender=SENDER.address, to="Bo <bo@bo.example>", subject="secret-word",
                   message_id="<hand@ada.example>", date=world.clock.now())  # fmt: skip
    world.arrive(by_hand, folder="Sent")
    world.sync()
    assert world.enrollments()["bo@bo.example"] == ("stopped", "already-in-touch")
    (row,) = world.rows(INBOUND)
    assert (row["subject"], row["text"], row["raw"]) == ("", "", None)


def test_our_reputation_pauses_the_mailbox(world: World) -> None:
    item = world.items["Bo"]
    refused = report("5.7.1", "smtp; 550 5.7.1 blocked, see blocklist", returned_id=item.message_id)
    world.arrive(refused)
    world.sync()
    (mailbox,) = world.rows(t.mailboxes)
    assert mailbox["pause_reason"]
    assert world.suppressed() == set()


def test_what_cannot_be_read_whole_is_shown_and_holds_the_person(world: World) -> None:
    parts = "--b\nContent-Type: text/plain\n\nx\n" * 300
    world.answer("Bo", parts, content_type="multipart/mixed; boundary=b")
    found = world.sync()
    assert found.quarantined == 1
    assert world.store.replies.quarantined() == 1
    assert world.enrollments()["bo@bo.example"][0] == "held"


@pytest.mark.parametrize("raw", [b"", b"\0" * 99, b"From: \xff\n\n", b"\x1b]52;c;x\x07", mail("x\n" * 9, sender='"')])
def test_garbage_never_stops_the_reading(world: World, raw: bytes) -> None:
    world.arrive(raw)
    world.answer("Bo")
    assert world.sync().by_kind.get("reply") == 1


def test_the_inbox_is_fresh_only_after_every_folder(world: World) -> None:
    before = world.store.campaigns.mailbox(SENDER.address, world.clock.now())
    assert before.synced_at is None
    world.sync()
    after = world.store.campaigns.mailbox(SENDER.address, world.clock.now())
    assert after.synced_at == world.clock.now()


class _FullDisk:
    """A log that cannot be written."""

    def record(self, entry: Mapping[str, Any], *, durable: bool = True) -> None:
        raise StoreError(f"cannot write {len(entry)} facts{', durably' * durable}")


def test_an_opt_out_that_cannot_be_remembered_is_not_forgotten(world: World) -> None:
    world.answer("Bo", "stop")
    broken = Store(world.store.database, _FullDisk())
    with pytest.raises(StoreError):
        sync(broken, MaildirInbox(world.maildir), mailbox=world.mailbox, clock=world.clock)
    assert world.rows(INBOUND) == []
    assert world.store.campaigns.mailbox(SENDER.address, world.clock.now()).synced_at is None
    assert dict(world.sync().by_kind) == {"unsubscribe": 1}


def test_a_machine_of_a_prospect_holds_until_someone_has_read_it(world: World) -> None:
    world.arrive(mail("News!", precedence="bulk", subject="Our news", date=world.clock.now()))
    found = world.sync()
    assert (dict(found.by_kind), found.effects.held) == ({"automatic": 1}, 1)
    assert world.enrollments()["bo@bo.example"][0] == "held"
    (news,) = world.store.replies.listed(kinds=["automatic"])
    world.store.replies.label(news.id, "read", world.clock.now())
    assert world.enrollments()["bo@bo.example"] == ("active", "")


def test_labels_and_notes_are_a_persons(world: World) -> None:
    world.answer("Bo")
    world.sync()
    (reply,) = world.store.replies.listed(unlabelled=True)
    world.store.replies.label(reply.id, "interested", world.clock.now())
    world.store.replies.note(reply.id, "call on Thursday")
    assert world.store.replies.listed(unlabelled=True) == []
    again = world.store.replies.get(reply.id)
    assert (again.label, again.note) == ("interested", "call on Thursday")
    assert world.store.replies.raw(reply.id).startswith(b"From:")
    assert world.store.replies.count(kinds=["reply"]) == 1


def test_the_document_has_every_kind() -> None:
    document = SyncReport().document()
    assert document["fetched"] == document["unmatched"] == 0
    assert {"reply", "auto_reply", "bounce", "unsubscribe"} <= set(document["by_kind"])
