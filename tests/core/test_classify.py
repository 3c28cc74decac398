"""Which kind of mail this is: each rule, the senders that are known to be odd, and what must not be mistaken."""

# ruff: noqa: E501  one case, one line: a table reads better wide

from dataclasses import replace
from datetime import date

import pytest

from outreach.core.case import Case
from outreach.core.classify import classify
from outreach.core.matching import Match
from outreach.core.reply_text import read_reply
from outreach.core.verdict import Verdict
from tests.mails import ME, OUR_ID, OUR_TEXT, OUR_TOKEN, answer, mail, read, report, sent

MATCH = Match(7, "matched by In-Reply-To", sent(), proof=True)
BY_SENDER = Match(7, "matched by the address", sent())


def verdict(raw: bytes, match: Match | None = MATCH, folder: str = "inbox") -> Verdict:
    arrival = read(raw)
    text = read_reply(arrival, (OUR_TEXT,), ("Ada Testwell", ME))
    return classify(Case(arrival, match, text, frozenset((ME,)), folder))


AWAY = "I am out of the office until 12 March 2026 with limited access to mail."
QUOTE = "\n\nOn Mon, Mar 2, 2026 Ada Testwell <ada@ada.example> wrote:\n" + "\n".join(
    f"> {line}" for line in OUR_TEXT.splitlines()
)

CASES = {
    "a reply": (answer("Yes, let us talk."), "reply", "plain"),
    "a reply that quotes our footer": (answer(f"Yes, let us talk.{QUOTE}"), "reply", "plain"),
    "a reply by a mailing list's member": (answer(precedence="list", list_id="<x.example>"), "reply", "plain"),
    "a reply from a help desk": (answer(x_auto_response_suppress="All"), "reply", "plain"),
    "a reply without a subject": (answer(subject=""), "reply", "plain"),
    "a person forwarding a bounce": (answer("Is this yours? Undelivered Mail Returned to Sender"), "reply", "plain"),
    "a person whose mailbox was full": (answer("Sorry, my mailbox was full. mail, x@y.example"), "reply", "plain"),
    "stop": (answer(f"stop{QUOTE}"), "unsubscribe", "human"),
    "remove me": (answer("Please remove me from your list."), "unsubscribe", "human"),
    "our unsubscribe link": (mail("", subject=f"unsubscribe {OUR_TOKEN}"), "unsubscribe", "machine"),
    "a bare unsubscribe": (mail("", subject="Unsubscribe"), "unsubscribe", "machine"),
    "Apple's button": (mail("", x_apple_unsubscribe="true", auto_submitted="auto-replied"), "unsubscribe", "machine"),
    "a hard bounce": (report(), "bounce", "hard"),
    "a closed mailbox": (report("5.2.1", "smtp; 550 disabled"), "bounce", "closed"),
    "a full mailbox": (report("5.2.2", "smtp; 552 full"), "bounce", "soft"),
    "a delay": (report("4.4.1", "smtp; timeout", action="delayed"), "bounce", "delayed"),
    "an error of OpenSMTPD": (report(action="error"), "bounce", "hard"),
    "our reputation": (report("5.7.1", "smtp; 550 5.7.1 blocked, see blocklist"), "bounce", "policy"),
    "a report in multipart/mixed": (report(part="multipart/mixed"), "bounce", "hard"),
    "a bounce that looks like a reply": (report().replace(b"Subject: Undel", b"In-Reply-To: " + OUR_ID.encode() + b"\nSubject: Re: Undel"), "bounce", "hard"),
    "a success report": (report("2.0.0", "smtp; 250 ok", action="delivered"), "receipt", "delivered"),
    "a relayed report": (report("2.0.0", "smtp; 250 ok", action="relayed"), "receipt", "delivered"),
    "a read receipt": (
        mail("--b\nContent-Type: message/disposition-notification\n\nDisposition: manual-action/MDN-sent-manually; displayed\n--b--\n",
             content_type="multipart/report; report-type=disposition-notification; boundary=b"), "receipt", "read"),
    "Exchange": (mail(AWAY, subject="Automatic reply: Engineering work", auto_submitted="auto-generated",
                      x_auto_response_suppress="All", x_ms_exchange_inbox_rules_loop="bo@bo.example"), "auto_reply", "out_of_office"),
    "Gmail's vacation": (mail(AWAY, auto_submitted="auto-replied", precedence="bulk", x_autoreply="yes"), "auto_reply", "out_of_office"),
    "iCloud's vacation": (mail("Gone fishing", x_apple_action="VACATION"), "auto_reply", "out_of_office"),
    "Notes": (mail("Away.", subject="AUTO: Roe, Jane is out of the office"), "auto_reply", "out_of_office"),
    "GMX": (mail(AWAY, precedence="bulk", return_path="<>"), "auto_reply", "out_of_office"),
    "Sieve": (answer(AWAY, subject="Auto: Engineering work", auto_submitted="auto-replied (vacation)"), "auto_reply", "out_of_office"),
    "German": (mail("Ich bin bis zum 13. März nicht im Büro.", subject="Automatische Antwort: Engineering work"), "auto_reply", "out_of_office"),
    "UTF-7": (mail("x", subject="=?unicode-1-1-utf-7?Q?Abwesenheitsnotiz:_x?="), "auto_reply", "out_of_office"),
    "someone who left": (mail("Jane is no longer with Bo Labs.", auto_submitted="auto-replied"), "auto_reply", "left"),
    "a ticket": (mail("Thank you. Ticket #4711 was opened.", auto_submitted="auto-generated"), "auto_reply", "ticket"),
    "another machine's answer": (mail("Thanks for your mail!", auto_submitted="auto-replied"), "auto_reply", "other"),
    "a feedback report": (
        mail("--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nOriginal-Rcpt-To: bo@bo.example\n--b--\n",
             content_type="multipart/report; report-type=feedback-report; boundary=b"), "complaint", ""),
    "Outlook.com's complaint": (mail("x", sender="staff@hotmail.com", subject="complaint about message from 203.0.113.9"), "complaint", ""),
    "an opt-out by feedback report": (
        mail("--b\nContent-Type: message/feedback-report\n\nFeedback-Type: opt-out\n--b--\n",
             content_type="multipart/report; report-type=feedback-report; boundary=b"), "unsubscribe", "machine"),
    "a sender check": (mail("Click here to deliver your mail: https://x.example", subject="Please verify", auto_submitted="auto-replied"), "challenge", ""),
    "our own copy": (mail(OUR_TEXT, sender=f"Ada <{ME}>", message_id=OUR_ID, to="bo@bo.example"), "own", "copy"),
    "what I wrote by hand": (mail("Hi Bo, nice to meet you", sender=ME, message_id="<hand@ada.example>"), "own", "by_hand"),
}  # fmt: skip


@pytest.mark.parametrize(("raw", "kind", "subkind"), list(CASES.values()), ids=list(CASES))
def test_kinds(raw: bytes, kind: str, subkind: str) -> None:
    found = verdict(raw)
    assert (found.kind, found.subkind) == (kind, subkind), found.evidence


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (mail("Hi, dinner on Sunday?", sender="mum@family.example"), "unrelated"),
        (mail("50 % off", sender="noreply@shop.example"), "automatic"),
        (mail("50 % off", sender="deals@shop.example", precedence="bulk"), "automatic"),
        (mail("Your build failed", sender="ci@host.example", auto_submitted="auto-generated"), "automatic"),
        (mail("Win big", sender="x@spam.example", return_path="<>"), "unrelated"),
        (mail("News", sender="x@list.example", list_id="<x.example>"), "automatic"),
    ],
)
def test_mail_without_a_link_to_ours(raw: bytes, kind: str) -> None:
    assert verdict(raw, None).kind == kind


@pytest.mark.parametrize(
    "raw",
    [
        mail("News!", precedence="bulk"),
        mail("News!", list_unsubscribe="<mailto:x@y.example>"),
        mail("x", sender="noreply@bo.example"),
    ],
)
def test_machine_mail_of_a_prospect_is_no_reply(raw: bytes) -> None:
    assert verdict(raw, BY_SENDER).kind == "automatic"


def test_a_phrase_alone_is_an_auto_reply_unless_someone_answers_in_the_thread() -> None:
    assert verdict(mail(AWAY), BY_SENDER).subkind == "out_of_office"
    assert verdict(answer("I am out of the office until Thursday. Could we talk then?")).kind == "reply"
    assert verdict(answer(f"This is an automatic reply. {AWAY}")).kind == "auto_reply"


def test_from_null_is_a_bounce_only_if_it_says_so() -> None:
    assert verdict(mail("550 user unknown", sender="", subject="Undeliverable: Engineering work")).kind == "bounce"


def test_sent_folder_copies_under_another_id_are_ours() -> None:
    copy = mail(OUR_TEXT, sender=ME, message_id="<AM0@prod.example>", references=OUR_ID, x_outreach_id=OUR_TOKEN)
    assert verdict(copy, folder="sent").subkind == "copy"
    by_hand = mail("Great, Thursday then.", sender=ME, message_id="<hand@ada.example>", references=OUR_ID)
    assert verdict(by_hand, folder="sent").subkind == "by_hand"


def test_the_return_date_is_kept() -> None:
    assert verdict(CASES["Exchange"][0]).returns_on == date(2026, 3, 12)


def test_doubtful_words_are_shown_to_a_person() -> None:
    found = verdict(answer("Our users unsubscribe a lot."))
    assert found.kind == "reply"
    assert any("possible opt-out" in line for line in found.evidence)


def test_a_machine_that_asks_us_to_stop_is_read_by_a_person() -> None:
    found = verdict(answer("We take no unsolicited mail. Remove us from your list.", auto_submitted="auto-replied"))
    assert found.kind == "automatic"
    assert any("possible opt-out: it says remove us" in line for line in found.evidence)


def test_an_opt_out_may_be_the_subject_unless_the_subject_is_ours() -> None:
    assert verdict(answer("", subject="STOP")).kind == "unsubscribe"
    assert verdict(answer("Bo", subject="Please remove me from your list")).kind == "unsubscribe"
    mailed = replace(sent(), subject="Stop writing to me by hand")
    ours = Match(7, "matched by In-Reply-To", mailed, proof=True)
    assert verdict(answer("Nice!", subject="[ext] Re: Stop writing to me by hand"), ours).kind == "reply"


def test_evidence_names_rule_and_match() -> None:
    found = verdict(report())
    assert found.evidence[0] == "rule: delivery report"
    assert "Status 5.1.1" in " ".join(found.evidence)
    assert found.evidence[-1] == MATCH.how
