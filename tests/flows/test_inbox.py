"""What the inbox must get right: the published mistakes of other tools, lasting failures, dead domains, races, changed
rules."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from outreach.core.inbound import Arrival, read_mail
from outreach.core.records import EnrollmentState, OutboxState
from outreach.flows.reclassify import Reclassified, reclassify
from outreach.flows.sync import sync
from outreach.inboxes.maildir import MaildirInbox
from outreach.store import tables as t
from outreach.store.schema import open_database
from tests.factory import SENDER
from tests.fakes import FakeClock
from tests.flows.world import ENROLLMENTS, INBOUND, OUTBOX, World, make_world
from tests.labelled.bounces import amazon
from tests.mails import mail, report


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path)


# --- the published mistakes -----------------------------------------------------------------------------------


def test_published_bug_the_own_follow_up_is_no_reply(world: World) -> None:
    """A tool counted its own follow-up, which refers to the first mail, as the prospect's answer."""
    item = world.items["Bo"]
    follow_up = mail(
        "Hi Bo, did you see my mail?", sender=f"{SENDER.name} <{SENDER.address}>", to=item.rcpt,
        in_reply_to=item.message_id, references=item.message_id, message_id="<follow-up@ada.example>",
        date=world.clock.now(),
    )  # fmt: skip
    world.arrive(follow_up)
    world.arrive(item.mime, folder="Sent")
    found = world.sync()
    assert dict(found.by_kind) == {"own": 2}
    assert world.store.replies.listed(kinds=["reply"]) == []
    assert world.enrollments()["bo@bo.example"] == ("active", "")


def test_published_bug_an_out_of_office_holds_the_next_step(world: World) -> None:
    """A tool logged the absence and wrote again the next day."""
    world.arrive(
        mail("I am out of the office until 12 March 2026.", auto_submitted="auto-replied", date=world.clock.now())
    )
    assert world.sync().effects.held == 1
    (held,) = [row for row in world.rows(ENROLLMENTS) if row["address"] == "bo@bo.example"]
    assert held["state"] == EnrollmentState.HELD
    assert held["held_until"].replace(tzinfo=UTC) == datetime(2026, 3, 13, tzinfo=UTC)


def test_published_bug_an_out_of_office_holds_in_all_campaigns(world: World) -> None:
    """A tool held the person in one campaign only."""
    other = world.store.campaigns.create(
        "autumn", sequence="job-search", mailbox_id=world.mailbox.id, filters={}, now=world.clock.now()
    )
    bo = next(founder for founder in world.store.people.founders({}) if founder.first_name == "Bo")
    world.store.campaigns.enroll(other.id, [(bo, "bo@bo.example", "bo@bo.example")], world.clock.now())
    world.arrive(mail("Ich bin bis zum 12.03.2026 nicht im Büro.", subject="Abwesenheitsnotiz", date=world.clock.now()))
    world.sync()
    states = [row["state"] for row in world.rows(ENROLLMENTS) if row["founder_id"] == bo.id]
    assert states == [EnrollmentState.HELD, EnrollmentState.HELD]


@pytest.mark.parametrize(
    "headers",
    [{"in_reply_to": "{id}"}, {"references": "<x@y.example> {id}"}, {"x_ms_exchange_parent_message_id": "{id}"}],
)
def test_published_bug_a_reply_from_an_alias_is_found(world: World, headers: dict[str, str]) -> None:
    """A tool knew replies by their sender only."""
    named = {name: value.format(id=world.items["Bo"].message_id) for name, value in headers.items()}
    world.arrive(
        mail("Yes!", sender="robert@private.example", message_id="<a@private.example>", date=world.clock.now(), **named)
    )
    assert dict(world.sync().by_kind) == {"reply": 1}
    (reply,) = world.store.replies.listed()
    assert (reply.founder, reply.from_address) == ("Bo Brightly", "robert@private.example")
    assert world.enrollments()["bo@bo.example"] == ("stopped", "replied")


def test_published_bug_a_reply_is_read_before_the_follow_up_goes_out(world: World) -> None:
    """A tool read the answer after its follow-up had left: reading cancels what is queued for them."""
    with world.store.database.write() as connection:
        queued = {
            "state": OutboxState.QUEUED,
            "intent_at": None,
            "sent_at": None,
            "step": 2,
            "due_at": world.clock.now(),
        }
        connection.execute(sa.update(OUTBOX).where(OUTBOX.c.rcpt == "bo@bo.example").values(**queued))
    world.arrive(mail("Yes, let us talk.", date=world.clock.now()))
    world.sync()
    (row,) = [row for row in world.rows(OUTBOX) if row["rcpt"] == "bo@bo.example"]
    assert (row["state"], row["reason"]) == ("cancelled", "replied")


# --- failures that last, domains that are dead ---------------------------------------------------------------


def full(world: World, name: str, number: int) -> None:
    raw = report(
        "5.2.2", "smtp; 552 mailbox full", recipient=world.items[name].rcpt, returned_id=world.items[name].message_id
    )
    world.arrive(raw.replace(b"<dsn-1@", f"<dsn-{name}-{number}@".encode()))


def test_three_full_mailboxes_in_two_weeks_rest_for_a_month(world: World) -> None:
    for number, wait in enumerate((0, 8, 8)):
        world.clock.move(timedelta(days=wait))
        full(world, "Bo", number)
        world.sync()
    assert world.suppressed() == {("address:bo@bo.example", "soft_bounce")}
    assert world.journal.lines == []  # it ends by itself, so no log brings it back
    world.clock.move(timedelta(days=31))
    world.sync()
    assert world.suppressed() == set()


@pytest.mark.parametrize("waits", [(0, 1, 1), (0, 20)])
def test_a_few_or_short_failures_suppress_nobody(world: World, waits: tuple[int, ...]) -> None:
    for number, wait in enumerate(waits):
        world.clock.move(timedelta(days=wait))
        full(world, "Bo", number)
        world.sync()
    assert world.suppressed() == set()
    assert world.enrollments()["bo@bo.example"] == ("active", "")


def test_a_domain_that_takes_no_mail_is_remembered(world: World) -> None:
    dead = "smtp; Host or domain name not found. Name service error for name=bo.example"
    world.arrive(report("5.4.4", dead, returned_id=world.items["Bo"].message_id))
    world.sync()
    (flag,) = world.rows(t.domain_flags)
    assert (flag["domain"], flag["origin"]) == ("bo.example", "mail 1")


def test_a_dead_domain_holds_back_everyone_there(world: World) -> None:
    dead = "smtp; Host or domain name not found. Name service error for name=bo.example"
    world.arrive(report("5.4.4", dead, returned_id=world.items["Bo"].message_id))
    world.sync()
    facts = world.store.campaigns.facts(world.store.people.founders({}), campaign_id=None)
    assert ["takes no mail" in " ".join(each.suppressed_by) for each in facts.values()] == [True, False, False]


def test_a_campaign_that_is_reported_as_spam_pauses(world: World) -> None:
    made = report(returned_id=world.items["Bo"].message_id).replace(
        b"report-type=delivery-status", b"report-type=feedback-report"
    )
    made = made.replace(
        b"Content-Type: message/delivery-status", b"Content-Type: message/feedback-report\n\nFeedback-Type: abuse"
    )
    world.arrive(made)
    assert dict(world.sync().by_kind) == {"complaint": 1}
    campaign = world.store.campaigns.get("spring")
    why = "complaints: 1 of 3 mails were reported as spam; look at whom you write to, and what"
    assert (campaign.state, campaign.reason) == ("paused", why)


def test_whom_someone_who_has_left_names_is_shown_only(world: World) -> None:
    world.arrive(
        mail(
            "Bo is no longer with Bo Labs. Please write to eve@bo.example.",
            auto_submitted="auto-replied",
            date=world.clock.now(),
        )
    )
    world.sync()
    (reply,) = world.store.replies.listed()
    assert "they name eve@bo.example" in reply.evidence
    assert world.store.people.find_by_address("eve@bo.example") is None


def test_a_notice_by_amazon_is_a_bounce(world: World) -> None:
    gone = {
        "emailAddress": "bo@bo.example",
        "status": "5.1.1",
        "action": "failed",
        "diagnosticCode": "smtp; 550 5.1.1 user unknown",
    }
    text = amazon("Permanent", "General", [gone], wrapped=True).replace(
        "or.abcdefghijklmnopqrstuvwxyz@ada.example", world.items["Bo"].message_id.strip("<>")
    )
    world.arrive(
        mail(text, sender="no-reply@sns.amazonaws.com", subject="AWS Notification Message", date=world.clock.now())
    )
    world.sync()
    assert world.suppressed() == {("address:bo@bo.example", "bounce")}
    (reply,) = world.store.replies.listed(kinds=["bounce"])
    assert reply.failures[0]["reason"] == "hard"


def test_sync_counts_people_not_enrollments(world: World) -> None:
    other = world.store.campaigns.create(
        "autumn", sequence="job-search", mailbox_id=world.mailbox.id, filters={}, now=world.clock.now()
    )
    bo = next(founder for founder in world.store.people.founders({}) if founder.first_name == "Bo")
    world.store.campaigns.enroll(other.id, [(bo, "bo@bo.example", "bo@bo.example")], world.clock.now())
    world.answer("Bo")
    assert world.sync().effects.people == 1


# --- only what can matter is kept, and nothing twice ----------------------------------------------------------


def test_only_heads_of_strangers_are_read(world: World) -> None:
    world.arrive(mail("Dinner? " + "x" * 5_000, sender="mum@family.example", subject="Sunday"))
    world.answer("Bo")
    seen: list[bytes] = []

    class Watched(MaildirInbox):
        def fetch(self, *arguments, **named):  # type: ignore[no-untyped-def]
            for found in super().fetch(*arguments, **named):
                seen.append(getattr(found, "raw", b""))
                yield found

    sync(world.store, Watched(world.maildir), mailbox=world.mailbox, clock=world.clock)
    assert any(b"let us talk" in raw for raw in seen)
    assert not any(b"Dinner" in raw for raw in seen)
    assert len(world.rows(INBOUND)) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"subject": "Re: Engineering work", "sender": "bob@private.example"},
        {"subject": "unsubscribe", "sender": "x@else.example"},
        {"sender": "cy@bo.example", "subject": "Hello"},
        {"sender": "", "subject": "x"},
        {"sender": "MAILER-DAEMON@mx.example", "subject": "x"},
        {"sender": "x@else.example", "to": "ada+u-abcdefghijklmnopqrstuvwxyz@ada.example"},
        {"sender": "x@else.example", "return_path": "<>"},
        {"sender": "x@mail.boxbe.com"},
    ],
)
def test_what_may_concern_us_is_read_whole(world: World, headers: dict[str, str]) -> None:
    world.arrive(mail("the whole text", date=world.clock.now(), **headers))
    seen: list[bytes] = []

    def watched(raw: bytes, at: datetime) -> Arrival:
        seen.append(raw)
        return read_mail(raw, at)

    sync(world.store, MaildirInbox(world.maildir), mailbox=world.mailbox, clock=world.clock, read=watched)
    assert [b"the whole text" in raw for raw in seen] == [True]


def test_two_readings_at_once_log_nothing_twice(tmp_path: Path) -> None:
    world = make_world(tmp_path / "mail", open_database(tmp_path / "outreach.db", create=True))
    for number in range(120):
        world.answer(("Bo", "Cy", "Di")[number % 3], f"answer {number}", n=number)
    errors: list[BaseException] = []

    def work() -> None:
        try:
            sync(
                world.store,
                MaildirInbox(world.maildir),
                mailbox=world.mailbox,
                owner_name=SENDER.name,
                clock=FakeClock(world.clock.now()),
            )
        except BaseException as error:  # noqa: BLE001  shown by the test
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(world.rows(t.inbound)) == 120
    assert len(world.rows(t.inbound_locations)) == 120


def test_what_was_read_before_a_break_stays(world: World) -> None:
    for number in range(80):
        world.answer("Bo", f"answer {number}", n=number)

    class Breaking(MaildirInbox):
        def fetch(self, *arguments, **named) -> Iterator:  # type: ignore[no-untyped-def, type-arg]
            for number, found in enumerate(super().fetch(*arguments, **named)):
                if number == 70:
                    raise ConnectionError
                yield found

    with pytest.raises(ConnectionError):
        sync(world.store, Breaking(world.maildir), mailbox=world.mailbox, clock=world.clock)
    assert len(world.rows(INBOUND)) == 70
    assert world.sync().fetched == 10
    assert len(world.rows(INBOUND)) == 80


# --- judging again ----------------------------------------------------------------------------------------------


def rejudge(world: World, *, dry_run: bool = False) -> Reclassified:
    return reclassify(world.store, mailbox=world.mailbox, owner_name=SENDER.name, clock=world.clock, dry_run=dry_run)


def forget_verdict(world: World, **values: str) -> None:
    """As if older rules had judged."""
    with world.store.database.write() as connection:
        connection.execute(sa.update(INBOUND).values(**values))
        connection.execute(sa.update(ENROLLMENTS).values(state=EnrollmentState.ACTIVE, reason=""))
        connection.execute(sa.delete(t.suppressions))


def test_judging_again_adds_stops_and_keeps_labels(world: World) -> None:
    world.answer("Bo", "Please remove me from your list.")
    world.sync()
    world.store.replies.label(1, "no", world.clock.now())
    forget_verdict(world, kind="automatic", subkind="")
    found = rejudge(world)
    assert [(change.before, change.after, change.lifts) for change in found.changed] == [
        ("automatic", "unsubscribe/human", False)
    ]
    assert world.enrollments()["bo@bo.example"] == ("stopped", "opted-out")
    assert ("address:bo@bo.example", "opt_out") in world.suppressed()
    again = world.store.replies.get(1)
    assert (again.kind, again.label) == ("unsubscribe", "no")
    assert rejudge(world).changed == ()


def test_judging_again_lifts_nothing_and_says_so(world: World) -> None:
    world.arrive(
        mail("I am out of the office until 12 March 2026.", auto_submitted="auto-replied", date=world.clock.now())
    )
    world.sync()
    forget_verdict(world, kind="reply", subkind="plain")
    with world.store.database.write() as connection:
        connection.execute(sa.update(t.enrollments).values(state=EnrollmentState.STOPPED, reason="replied"))
    found = rejudge(world)
    assert [(change.after, change.lifts) for change in found.changed] == [("auto_reply/out_of_office", True)]
    assert world.enrollments()["bo@bo.example"] == ("stopped", "replied")


def test_whom_a_person_let_go_on_is_not_stopped_by_the_same_verdict(world: World) -> None:
    world.answer("Bo")
    world.sync()
    with world.store.database.write() as connection:
        connection.execute(sa.update(ENROLLMENTS).values(state=EnrollmentState.ACTIVE, reason="by hand"))
    assert rejudge(world).changed == ()
    assert world.enrollments()["bo@bo.example"] == ("active", "by hand")


def test_a_dry_run_of_judging_again_changes_nothing(world: World) -> None:
    world.answer("Bo", "stop")
    world.sync()
    forget_verdict(world, kind="automatic", subkind="")
    assert len(rejudge(world, dry_run=True).changed) == 1
    assert world.store.replies.get(1).kind == "automatic"
    assert world.suppressed() == set()


def test_guesses_are_kept_as_guesses(world: World) -> None:
    world.answer("Bo", "Not right now, check back in autumn.")
    world.sync()
    (reply,) = world.store.replies.listed()
    assert (reply.guess, reply.label) == ("not-now", "")
    assert reply.guess_evidence


def test_reminders_come_back_on_their_day(world: World) -> None:
    world.answer("Bo", "Not right now.")
    world.sync()
    world.store.replies.label(1, "not-now", world.clock.now(), remind_on="2026-09-01")
    assert world.store.replies.listed(due_on="2026-08-31") == []
    assert [reply.id for reply in world.store.replies.listed(due_on="2026-09-01")] == [1]
    assert world.store.replies.due("2026-09-02") == 1
