"""What people and machines write back in the demo, in the shapes in which mail programs write it.

Pure: the mail that arrived, the answer's text and its time in; the bytes of the answer out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email import message_from_bytes
from email.header import decode_header, make_header
from email.headerregistry import Address
from email.message import EmailMessage, Message
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import SMTP
from email.utils import format_datetime, parseaddr, parsedate_to_datetime
from html import escape

from outreach.core.message import read_draft

_AWAY = timedelta(days=9)
_GERMAN_DAYS = ("Mo.", "Di.", "Mi.", "Do.", "Fr.", "Sa.", "So.")
_GERMAN_MONTHS = (
    "Januar", "Februar", "März", "April", "Mai", "Juni",
    "Juli", "August", "September", "Oktober", "November", "Dezember",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Arrived:
    """One of our mails, as the person it went to sees it."""

    raw: bytes
    sender: str
    sender_name: str
    recipient: str
    recipient_name: str
    subject: str
    text: str
    sent_at: datetime
    message_id: str
    references: str
    unsubscribe: str

    @property
    def shown_sender(self) -> str:
        return f"{self.sender_name} <{self.sender}>"


@dataclass(frozen=True, slots=True)
class _Answer:
    """What to write, to which mail, at what time."""

    to: Arrived
    text: str
    at: datetime


def read_arrived(raw: bytes, recipient: str) -> Arrived:
    """One of our mails as it came over the wire."""
    mail = message_from_bytes(raw)
    draft = read_draft(raw)
    name, address = parseaddr(mail["From"])
    shown, _ = parseaddr(mail["To"])
    return Arrived(
        raw=raw,
        sender=address,
        sender_name=name,
        recipient=recipient,
        recipient_name=str(make_header(decode_header(shown))),
        subject=draft.subject,
        text=draft.text,
        sent_at=parsedate_to_datetime(mail["Date"]),
        message_id=mail["Message-ID"],
        references=mail["References"] or "",
        unsubscribe=mail["List-Unsubscribe"] or "",
    )


def compose(style: str, to: Arrived, text: str, at: datetime) -> bytes:
    """The bytes of an answer; `style` is a key of the table below."""
    return _STYLES[style](_Answer(to, text.strip(), at)).as_bytes(policy=SMTP)


# --- people ---------------------------------------------------------------------------------------


def _gmail(answer: _Answer) -> Message:
    to = answer.to
    wrote = f"On {to.sent_at:%a}, {_day(to.sent_at)} {to.sent_at:%b %Y at %H:%M}, {to.shown_sender} wrote:"
    mail = _reply(answer)
    mail.set_content(f"{answer.text}\n\n{wrote}\n\n{_quoted(to.text)}\n")
    attribution = f'<div dir="ltr" class="gmail_attr">{escape(wrote)}<br></div>'
    quote = f'<blockquote class="gmail_quote">{_html(to.text)}</blockquote>'
    html = f'<div dir="ltr">{_html(answer.text)}</div><br><div class="gmail_quote">{attribution}{quote}</div>'
    mail.add_alternative(html, subtype="html")
    return mail


def _outlook(answer: _Answer) -> Message:
    to = answer.to
    block = (
        f"From: {to.shown_sender}\n"
        f"Sent: {to.sent_at:%A, %B} {_day(to.sent_at)}, {to.sent_at:%Y %I:%M %p}\n"
        f"To: {to.recipient_name} <{to.recipient}>\n"
        f"Subject: {to.subject}"
    )
    mail = _reply(answer)
    mail["Thread-Topic"] = to.subject.removeprefix("Re: ")
    mail.set_content(f"{answer.text}\n\n________________________________\n{block}\n\n{to.text}")
    return mail


def _iphone(answer: _Answer) -> Message:
    to = answer.to
    wrote = f"On {_day(to.sent_at)} {to.sent_at:%b %Y, at %H:%M}, {to.shown_sender} wrote:"
    mail = _reply(answer)
    mail.set_content(f"{answer.text}\n\nSent from my iPhone\n\n> {wrote}\n> \n{_quoted(to.text)}\n")
    return mail


def _german(answer: _Answer) -> Message:
    to, at = answer.to, answer.to.sent_at
    day = f"{_GERMAN_DAYS[at.weekday()]}, {at.day}. {_GERMAN_MONTHS[at.month - 1]} {at.year}"
    mail = _reply(answer, prefix="AW: ")
    wrote = f"Am {day} um {at:%H:%M} Uhr schrieb {to.shown_sender}:"
    mail.set_content(f"{answer.text}\n\n{wrote}\n\n{_quoted(to.text)}\n")
    return mail


def _inline(answer: _Answer) -> Message:
    """The answer stands right under the question."""
    to = answer.to
    lines = [f"{to.sender_name} wrote on {to.sent_at:%d/%m/%Y}:", ""]
    for line in to.text.splitlines():
        lines.append(f"> {line}".rstrip())
        if line.endswith("?"):
            lines += ["", answer.text, ""]
    mail = _reply(answer)
    mail.set_content("\n".join(lines) + "\n")
    return mail


def _only_html(answer: _Answer) -> Message:
    to = answer.to
    wrote = f"On {to.sent_at:%d %b %Y, at %H:%M}, {to.shown_sender} wrote:"
    quote = f'<blockquote type="cite"><div>{escape(wrote)}</div><br>{_html(to.text)}</blockquote>'
    mail = _reply(answer)
    mail.set_content(f"<html><body>{_html(answer.text)}<br>{quote}</body></html>", subtype="html")
    return mail


# --- machines -------------------------------------------------------------------------------------


def _out_of_office(answer: _Answer) -> Message:
    back = answer.at + _AWAY
    mail = _addressed(answer, f"Automatic reply: {answer.to.subject}")
    mail["In-Reply-To"] = answer.to.message_id
    mail["Auto-Submitted"] = "auto-replied"
    mail["X-Auto-Response-Suppress"] = "All"
    mail.set_content(answer.text.replace("{back}", f"{_day(back)} {back:%B %Y}") + "\n")
    return mail


def _unsubscribe(answer: _Answer) -> Message:
    """What a mail program sends when its button Unsubscribe is pressed (RFC 2369 section 3.2)."""
    subject = answer.to.unsubscribe.strip("<>").partition("?subject=")[2].replace("%20", " ")
    mail = _addressed(answer, subject)
    mail.set_content("\n")
    return mail


def _bounce(answer: _Answer) -> Message:
    """A delivery status notification (RFC 3464) with the headers of our mail."""
    to = answer.to
    status, _, diagnostic = answer.text.partition("|")
    domain = to.recipient.rpartition("@")[2]
    report = MIMEMultipart("report", boundary=f"=_{_local(answer)}")
    report.set_param("report-type", "delivery-status")
    report["Return-Path"] = "<>"
    report["From"] = f"Mail Delivery System <MAILER-DAEMON@mx.{domain}>"
    report["To"] = to.sender
    report["Subject"] = "Undelivered Mail Returned to Sender"
    report["Date"] = format_datetime(answer.at)
    report["Message-ID"] = f"<{_local(answer)}@mx.{domain}>"
    report["Auto-Submitted"] = "auto-replied"
    said = f"Your message to {to.recipient} could not be delivered.\n\n{diagnostic}\n"
    report.attach(MIMEText(said, "plain", "us-ascii"))
    report.attach(_status(to, domain, status, diagnostic, answer.at))
    headers = MIMEText("", "rfc822-headers", "us-ascii")
    headers.set_payload(to.raw.partition(b"\r\n\r\n")[0].decode("ascii", "replace").replace("\r\n", "\n") + "\n")
    report.attach(headers)
    return report


def _status(to: Arrived, domain: str, status: str, diagnostic: str, at: datetime) -> Message:
    per_message, per_recipient = Message(), Message()
    per_message["Reporting-MTA"] = f"dns; mx.{domain}"
    per_message["Arrival-Date"] = format_datetime(at)
    per_recipient["Final-Recipient"] = f"rfc822; {to.recipient}"
    per_recipient["Original-Recipient"] = f"rfc822; {to.recipient}"
    per_recipient["Action"] = "failed"
    per_recipient["Status"] = status
    per_recipient["Diagnostic-Code"] = f"smtp; {diagnostic}"
    part = Message()
    part["Content-Type"] = "message/delivery-status"
    part.set_payload([per_message, per_recipient])
    return part


# --- shared ---------------------------------------------------------------------------------------


def _reply(answer: _Answer, prefix: str = "Re: ") -> EmailMessage:
    to = answer.to
    mail = _addressed(answer, prefix + to.subject.removeprefix("Re: "))
    mail["In-Reply-To"] = to.message_id
    mail["References"] = " ".join(dict.fromkeys([*to.references.split(), to.message_id]))
    return mail


def _addressed(answer: _Answer, subject: str) -> EmailMessage:
    to = answer.to
    mail = EmailMessage()
    mail["From"] = Address(to.recipient_name, addr_spec=to.recipient)
    mail["To"] = to.sender
    mail["Subject"] = subject
    mail["Date"] = format_datetime(answer.at)
    mail["Message-ID"] = f"<{_local(answer)}@{to.recipient.rpartition('@')[2]}>"
    return mail


def _local(answer: _Answer) -> str:
    """An id of its own for each answer, the same in each run."""
    return f"re.{answer.to.message_id.strip('<>').partition('@')[0]}"


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.strip().splitlines())


def _html(text: str) -> str:
    return "".join(f"<div>{escape(line) or '<br>'}</div>" for line in text.strip().splitlines())


def _day(at: datetime) -> str:
    return str(at.day)


_STYLES: dict[str, Callable[[_Answer], Message]] = {
    "gmail": _gmail,
    "outlook": _outlook,
    "iphone": _iphone,
    "german": _german,
    "inline": _inline,
    "html": _only_html,
    "out-of-office": _out_of_office,
    "auto-reply": _out_of_office,
    "unsubscribe": _unsubscribe,
    "bounce": _bounce,
}
