"""Whose address failed, and why: code and text decide together."""

# ruff: noqa: E501  one case, one line: a table reads better wide

import pytest

from outreach.core.bounces import read_failures, report_rule
from outreach.core.failures import judge_failure
from tests.mails import mail, read, report


@pytest.mark.parametrize(
    ("status", "text", "reason"),
    [
        ("5.1.1", "550 5.1.1 user unknown", "hard"),
        ("5.1.1", "mailbox is full", "soft"),
        ("5.1.1", "message rejected as spam", "policy"),
        ("5.1.2", "", "hard"),
        ("5.1.10", "RESOLVER.ADR.RecipientNotFound; not found", "hard"),
        ("5.1.351", "Remote server returned unknown recipient", "hard"),
        ("5.4.4", "host not found", "hard"),
        ("5.4.310", "DNS domain acme.example does not exist", "hard"),
        ("5.4.1", "Recipient address rejected: Access denied", "hard"),
        ("5.4.1", "no answer from host", "unknown"),
        ("5.2.1", "mailbox disabled", "closed"),
        ("5.2.1", "over quota", "soft"),
        ("5.2.2", "mailbox full", "soft"),
        ("4.2.2", "mailbox full", "soft"),
        ("4.4.7", "message expired", "soft"),
        ("4.7.1", "greylisted, try again", "soft"),
        ("4.7.0", "too much unsolicited mail", "policy"),
        ("5.7.1", "access denied by policy", "policy"),
        ("5.7.1", "550 5.7.1 user bo@bo.example does not exist", "hard"),
        ("5.7.26", "unauthenticated mail: SPF and DKIM failed", "policy"),
        ("5.7.509", "DMARC", "policy"),
        ("5.1.8", "sender address rejected", "policy"),
        ("5.3.4", "message too large", "content"),
        ("5.6.7", "not supported", "content"),
        ("5.0.0", "", "unknown"),
        ("5.0.0", "550 5.1.1 unknown", "hard"),
        ("5.0.0", "no such user here", "hard"),
        ("5.5.0", "mailbox unavailable", "unknown"),
        ("", "550 Requested action not taken: mailbox unavailable", "unknown"),
        ("", "550 Recipient address rejected: User unknown in local recipient table", "hard"),
        ("", "554 5.7.1 Recipient address rejected: user ada; blocked by policy", "hard"),
        ("", "451 try again later", "soft"),
        ("", "452 too busy", "soft"),
        ("", "account has been suspended", "closed"),
        ("", "corporate separate", "unknown"),
        ("", "see https://spam.example/blocked", "unknown"),
        ("", "full@quota.example: rejected", "unknown"),
    ],
)
def test_why_it_failed(status: str, text: str, reason: str) -> None:
    assert judge_failure(status, text) == reason


def test_a_report_names_several_addresses_each_with_its_own_reason() -> None:
    two = report().replace(
        b"Diagnostic-Code: smtp; 550 5.1.1 user unknown\n",
        b"Diagnostic-Code: smtp; 550 5.1.1 user unknown\n\n"
        b"Final-Recipient: rfc822;cy@cy.example\nAction: failed\nStatus: 5.2.2\nDiagnostic-Code: smtp; 552 mailbox full\n",
    )
    found = {failure.address: failure.reason for failure in read_failures(read(two))}
    assert found == {"bo@bo.example": "hard", "cy@cy.example": "soft"}


def test_of_a_forwarded_mail_the_address_we_used_counts() -> None:
    failures = read_failures(read(report(original="bo@bo.example", recipient="bo@elsewhere.example")))
    assert [failure.address for failure in failures] == ["bo@bo.example"]


@pytest.mark.parametrize(
    ("diagnostic", "reason"),
    [
        ("550 5.1.1 user unknown; see https://bo.example/help", "hard"),
        ("X-Postfix; 550 user unknown; giving up", "hard"),
        ("550 mailbox is full; the account has been disabled", "soft"),
    ],
)
def test_a_diagnostic_without_a_type_is_read_from_its_beginning(diagnostic: str, reason: str) -> None:
    (failure,) = read_failures(read(report("5.0.0", diagnostic)))
    assert (failure.diagnostic, failure.reason) == (diagnostic.removeprefix("X-Postfix; "), reason)


def test_a_delay_is_no_failure() -> None:
    (failure,) = read_failures(read(report("4.4.1", "smtp; connection timed out", action="delayed")))
    assert failure.reason == "delayed"


QMAIL = """\
Hi. This is the qmail-send program at mx.bo.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<bo@bo.example>:
203.0.113.9 does not like recipient.
Remote host said: 550 no such user here

--- Below this line is a copy of the message.
Message-ID: <or.abcdefghijklmnopqrstuvwxyz@ada.example>
"""
EXIM = """\
This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its recipients.
This is a permanent error. The following address(es) failed:

  bo@bo.example
    SMTP error from remote mail server after RCPT TO:<bo@bo.example>:
    550 5.1.1 <bo@bo.example>: Recipient address rejected: User unknown
"""


@pytest.mark.parametrize("text", [QMAIL, EXIM])
def test_reports_in_words_alone(text: str) -> None:
    arrival = read(mail(text, sender="MAILER-DAEMON@mx.bo.example", subject="failure notice", return_path="<>"))
    assert report_rule(arrival)
    assert [failure.reason for failure in read_failures(arrival)] == ["hard"]


def test_a_warning_in_words_alone_is_a_delay() -> None:
    text = "Your message to bo@bo.example has been delayed and will be retried for the next 4 days."
    arrival = read(mail(text, sender="MAILER-DAEMON@mx.bo.example", subject="Warning: delayed mail"))
    assert [failure.reason for failure in read_failures(arrival)] == ["delayed"]


def test_failed_recipients_of_gmail() -> None:
    arrival = read(
        mail(
            "The email account that you tried to reach does not exist.",
            sender="mailer-daemon@googlemail.com",
            subject="Delivery Status Notification (Failure)",
            x_failed_recipients="bo@bo.example",
        )
    )
    (failure,) = read_failures(arrival)
    assert (failure.address, failure.reason) == ("bo@bo.example", "hard")


@pytest.mark.parametrize(
    "text",
    [
        "My mailbox was full last week, sorry!",
        "I had a delivery failure, too.\nWrite to bo, x@y.example, please.",
        "Your mail came back to me:\n\nFinal-Recipient: rfc822; ada@ada.example\nAction: failed\nStatus: 5.7.1\n\nCall me?",
    ],
)
def test_people_who_write_of_failures_are_people(text: str) -> None:
    assert not report_rule(read(mail(text)))


def test_a_quota_rejection_by_a_sieve_filter_is_a_bounce() -> None:
    raw = mail(
        "--b\nContent-Type: text/plain\n\nYour message was automatically rejected: Quota exceeded.\n--b\n"
        "Content-Type: message/disposition-notification\n\nFinal-Recipient: rfc822;bo@bo.example\n"
        "Disposition: automatic-action/MDN-sent-automatically; deleted/rejected\n--b--\n",
        sender="postmaster@bo.example",
        subject="Rejected: Engineering work",
        content_type="multipart/report; report-type=disposition-notification; boundary=b",
    )
    assert report_rule(read(raw)) == "rejected by the recipient's filter"
    assert [failure.reason for failure in read_failures(read(raw))] == ["soft"]
