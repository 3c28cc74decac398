"""What follows from a verdict."""

from datetime import UTC, datetime, timedelta

import pytest

from outreach.core.case import Case
from outreach.core.classify import classify
from outreach.core.consequences import plan_consequences
from outreach.core.matching import Match
from outreach.core.measures import (
    ConfirmSent,
    Consequence,
    CountSoft,
    HoldPerson,
    LearnWireId,
    NoteFiled,
    PauseMailbox,
    StopAddress,
    StopCompany,
    StopPerson,
    SuppressAddress,
    SuppressPerson,
    is_lasting,
)
from outreach.core.reply_text import read_reply
from tests.mails import ARRIVED_AT, ME, OUR_ID, OUR_TEXT, OUR_TOKEN, answer, mail, read, report, sent

MATCH = Match(7, "matched by In-Reply-To", sent(), proof=True)
BY_ADDRESS = Match(7, "matched by the address", sent())
NOW = ARRIVED_AT + timedelta(hours=1)


def plan(
    raw: bytes, match: Match | None = MATCH, *, folder: str = "inbox", now: datetime = NOW
) -> tuple[Consequence, ...]:
    arrival = read(raw)
    case = Case(arrival, match, read_reply(arrival, (OUR_TEXT,)), frozenset((ME,)), folder)
    return plan_consequences(case, classify(case), now)


def test_a_reply_stops_the_person_and_the_company() -> None:
    assert plan(answer()) == (
        StopPerson(7, "replied", "replied"),
        StopCompany(3, ("bo.example",), "colleague-replied", "replied"),
    )


def test_a_probable_match_stops_nothing() -> None:
    assert plan(answer(), Match(7, "probably", sent(), probable=True)) == ()


def test_an_opt_out_is_for_the_person_and_the_address_it_came_from() -> None:
    found = plan(answer("stop", sender="bo@private.example"))
    assert found[:2] == (
        SuppressPerson(7, "opt_out", "asked not to be written to"),
        SuppressAddress("bo@private.example", "opt_out", "asked not to be written to"),
    )
    assert StopPerson(7, "opted-out", "suppressed") in found


def test_an_opt_out_of_someone_unknown_needs_no_proof() -> None:
    assert plan(mail("", subject="unsubscribe", sender="x@y.example"), None) == (
        SuppressAddress("x@y.example", "opt_out", "asked not to be written to"),
    )


def test_a_complaint_is_final() -> None:
    raw = mail(
        "--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\n--b--\n",
        content_type="multipart/report; report-type=feedback-report; boundary=b",
    )
    assert plan(raw)[0] == SuppressPerson(7, "complaint", "reported our mail as spam")


@pytest.mark.parametrize("raw", [report(), report("5.2.1", "smtp; 550 disabled")])
def test_a_proved_bounce_suppresses_the_address_we_wrote_to(raw: bytes) -> None:
    suppressed, stopped = plan(raw)
    assert isinstance(suppressed, SuppressAddress)
    assert (suppressed.address, suppressed.kind) == ("bo@bo.example", "bounce")
    assert suppressed.reason.startswith(("hard: Status 5.1.1", "closed: Status 5.2.1"))
    assert stopped == StopAddress("bo@bo.example", "bounced", "bounced")


@pytest.mark.parametrize(
    ("raw", "match"),
    [(report(), BY_ADDRESS), (report(recipient="else@x.example"), MATCH)],
    ids=["no id of ours", "another address"],
)
def test_a_bounce_without_both_proofs_only_stops(raw: bytes, match: Match) -> None:
    assert plan(raw, match) == (StopAddress("bo@bo.example", "bounced", "bounced"),)


@pytest.mark.parametrize(
    "raw",
    [
        report("4.4.1", "smtp; timeout", action="delayed"),
        report("5.3.4", "smtp; too large"),
        report("2.0.0", "smtp; ok", action="delivered"),
        mail("Ticket #4711", auto_submitted="auto-replied"),
    ],
)
def test_what_is_only_logged(raw: bytes) -> None:
    assert plan(raw) == ()


def test_a_temporary_failure_is_counted() -> None:
    assert plan(report("5.2.2", "smtp; full")) == (CountSoft("bo@bo.example", ARRIVED_AT),)


def test_failures_that_last_are_three_over_two_weeks() -> None:
    days = [ARRIVED_AT + timedelta(days=day) for day in (0, 7, 14)]
    assert is_lasting(days)
    assert not is_lasting(days[:2])
    assert not is_lasting([*days[:2], days[0] + timedelta(days=13)])


def test_our_reputation_pauses_the_mailbox_for_a_day_and_nobody_is_suppressed() -> None:
    (pause,) = plan(report("5.7.1", "smtp; 550 blocked by blocklist"))
    assert isinstance(pause, PauseMailbox)
    assert pause.until == ARRIVED_AT + timedelta(hours=24)
    assert plan(report("5.7.1", "smtp; 550 blocked"), now=NOW + timedelta(days=3)) == ()
    assert plan(report("5.7.1", "smtp; 550 blocked"), BY_ADDRESS) == ()


AWAY = "I am out of the office until 12 March 2026."


def test_an_absence_holds_until_a_working_day_after_the_return() -> None:
    until = datetime(2026, 3, 13, tzinfo=UTC)
    away = mail(AWAY, auto_submitted="auto-replied")
    assert plan(away) == (HoldPerson(7, until, "out-of-office"),)
    assert plan(away, now=NOW + timedelta(days=5)) == (HoldPerson(7, until, "out-of-office"),)


def test_an_absence_without_a_date_holds_for_a_week_from_the_notice() -> None:
    (hold,) = plan(mail("I am out of the office.", auto_submitted="auto-replied"), now=NOW + timedelta(days=2))
    assert hold == HoldPerson(7, ARRIVED_AT + timedelta(days=7), "out-of-office")


def test_an_absence_that_is_over_holds_nobody() -> None:
    assert plan(mail(AWAY, auto_submitted="auto-replied"), now=NOW + timedelta(days=30)) == ()


def test_who_left_is_stopped_and_the_address_suppressed() -> None:
    found = plan(mail("Bo is no longer with Bo Labs.", auto_submitted="auto-replied"))
    assert found[0] == StopPerson(7, "left", "stopped")
    assert isinstance(found[1], SuppressAddress)


def test_a_machine_of_a_prospect_holds_until_a_person_looks() -> None:
    (hold,) = plan(mail("News!", precedence="bulk"), BY_ADDRESS)
    assert isinstance(hold, HoldPerson)
    assert hold.until is None
    assert plan(mail("Thanks! Remove me from your list.", auto_submitted="auto-replied")) == (hold,)


def test_an_answer_proves_that_a_doubtful_mail_left() -> None:
    doubtful = Match(7, "matched", sent(id=4, state="unknown"), proof=True)
    assert plan(answer(), doubtful)[0] == ConfirmSent(4, "a reply names its id")
    assert plan(report(), doubtful)[0] == ConfirmSent(4, "a bounce names its id")
    by_address = Match(7, "matched", sent(id=4, state="unknown"))
    assert not any(isinstance(each, ConfirmSent) for each in plan(mail(), by_address))


def test_a_copy_in_sent_proves_it_too_and_tells_the_new_id() -> None:
    doubtful = Match(7, "matched", sent(id=4, state="unknown"), proof=True)
    copy = mail(OUR_TEXT, sender=ME, message_id="<AM0@prod.example>", references=OUR_ID, x_outreach_id=OUR_TOKEN)
    assert plan(copy, doubtful, folder="sent") == (
        ConfirmSent(4, "the Sent folder names its id"),
        LearnWireId(4, "<AM0@prod.example>"),
        NoteFiled(4),
    )
    assert plan(copy, Match(7, "matched", sent(id=4), proof=True), folder="junk") == (
        LearnWireId(4, "<AM0@prod.example>"),
    )


def test_a_mail_by_hand_to_a_prospect_stops_the_sequence() -> None:
    by_hand = mail("Hi Bo, nice to meet you", sender=ME, to="bo@bo.example", message_id="<hand@ada.example>")
    assert plan(by_hand, BY_ADDRESS, folder="sent") == (StopPerson(7, "already-in-touch", "stopped"),)
    assert plan(by_hand, BY_ADDRESS) == ()


def test_mail_of_others_has_no_consequences() -> None:
    assert plan(mail("Dinner?", sender="mum@family.example"), None) == ()
    assert plan(report(), None) == ()
