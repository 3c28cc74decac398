"""Incoming mail for tests: invented messages, as several programs and servers write them."""

import textwrap
from datetime import datetime, timedelta
from email.utils import format_datetime

from outreach.core.inbound import Arrival, read_mail
from outreach.core.matching import SentMail
from tests.fakes import MONDAY_MORNING

SENT_AT = MONDAY_MORNING
ARRIVED_AT = SENT_AT + timedelta(hours=5)
ME = "ada@ada.example"
OUR_TOKEN = "abcdefghijklmnopqrstuvwxyz"
OUR_ID = f"<or.{OUR_TOKEN}@ada.example>"
OUR_TEXT = """Hi Bo,

I saw that Bo Labs builds parsers for hospital records, and I spent two years on
exactly that at my last job. Are you looking for an engineer this spring?

Best,
Ada Testwell

If you'd rather not hear from me again, reply "stop" and I won't write.
"""


def mail(
    text: str = "Yes, let us talk.",
    *,
    sender: str = "Bo Brightly <bo@bo.example>",
    subject: str = "Re: Engineering work",
    to: str = ME,
    date: datetime = ARRIVED_AT,
    message_id: str = "<reply-1@bo.example>",
    content_type: str = "text/plain; charset=utf-8",
    **headers: str,
) -> bytes:
    """One message. Headers by keyword: `in_reply_to=OUR_ID`; an empty one is left out."""
    fields = {
        "From": sender,
        "To": to,
        "Subject": subject,
        "Date": format_datetime(date),
        "Message-ID": message_id,
        "MIME-Version": "1.0",
        "Content-Type": content_type,
        **{name.replace("_", "-").title(): value for name, value in headers.items()},
    }
    head = "".join(f"{name}: {value}\n" for name, value in fields.items() if value)
    return f"{head}\n{text}".encode()


def answer(text: str = "Yes, let us talk.", **headers: str) -> bytes:
    """A reply in our thread."""
    return mail(text, in_reply_to=OUR_ID, references=OUR_ID, **headers)  # type: ignore[arg-type]  # header texts only


def report(
    status: str = "5.1.1",
    diagnostic: str = "smtp; 550 5.1.1 user unknown",
    *,
    recipient: str = "bo@bo.example",
    action: str = "failed",
    returned_id: str = OUR_ID,
    returned_to: str = "",
    original: str = "",
    part: str = "multipart/report; report-type=delivery-status",
) -> bytes:
    """A delivery status notification (RFC 3464) with our headers returned."""
    original_line = f"Original-Recipient: rfc822;{original}\n" if original else ""
    body = textwrap.dedent("""\
        --b
        Content-Type: text/plain

        Your message could not be delivered.
        --b
        Content-Type: message/delivery-status

        Reporting-MTA: dns; mx.bo.example

        {original}Final-Recipient: rfc822; {recipient}
        Action: {action}
        Status: {status}
        Diagnostic-Code: {diagnostic}

        --b
        Content-Type: message/rfc822

        Message-ID: {returned_id}
        From: ada@ada.example
        To: {returned_to}
        Subject: Engineering work

        Hi Bo,
        --b--
        """).format(
        original=original_line,
        recipient=recipient,
        action=action,
        status=status,
        diagnostic=diagnostic,
        returned_id=returned_id,
        returned_to=returned_to or recipient,
    )
    return mail(
        body,
        sender="Mail Delivery System <MAILER-DAEMON@mx.bo.example>",
        subject="Undelivered Mail Returned to Sender",
        message_id="<dsn-1@mx.bo.example>",
        content_type=f"{part}; boundary=b",
        auto_submitted="auto-replied",
        return_path="<>",
    )


def read(raw: bytes, received_at: datetime = ARRIVED_AT) -> Arrival:
    return read_mail(raw, received_at)


def sent(
    *,
    id: int = 1,  # noqa: A002  the record's own name
    founder_id: int = 7,
    rcpt: str = "bo@bo.example",
    message_id: str = OUR_ID,
    step: int = 1,
    state: str = "sent",
    sent_at: datetime | None = SENT_AT,
    company_domain: str = "bo.example",
) -> SentMail:
    return SentMail(
        id=id,
        message_id=message_id,
        wire_message_id="",
        state=state,
        rcpt=rcpt,
        rcpt_key=rcpt,
        subject="Engineering work",
        founder_id=founder_id,
        company_id=3,
        company_domain=company_domain,
        campaign_id=2,
        step=step,
        sent_at=sent_at,
    )


def text_of(html: str) -> str:
    """HTML as the library alone would show it."""
    from html_text import extract_text

    return str(extract_text(html))
