"""Turns a draft into the bytes of one RFC 5322 message. The same input gives the same bytes.

It owns what every mail carries: the ids by which answers find their way back, the thread, the way to opt out. It does
not know where the text came from, nor who sends it on.
"""

import binascii
from base64 import b32encode
from collections.abc import Sequence
from datetime import datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.utils import format_datetime
from hashlib import sha256
from hmac import digest
from itertools import chain, takewhile
from typing import Protocol
from urllib.parse import quote

from outreach.core.encoding import encode_mailbox, encode_text, header_text
from outreach.core.records import Draft, Message, Sender
from outreach.core.text import plain_text
from outreach.core.wire import check_wire

__all__ = [
    "OPT_OUT", "InThread", "build_message", "check_wire", "dedupe_key", "message_id_of", "message_token", "read_draft",
    "with_footer",
]  # fmt: skip

OPT_OUT = "If you'd rather not hear from me again, reply \"stop\" and I won't write."
_TOKEN_BYTES = 20


class InThread(Protocol):
    """What a message must be to be answered: an outbox item, or one that is only being previewed."""

    @property
    def message_id(self) -> str: ...
    @property
    def wire_message_id(self) -> str: ...
    @property
    def mime(self) -> bytes: ...


def dedupe_key(campaign_id: int, step: int, founder_id: int) -> str:
    """What must not be sent twice."""
    return f"{campaign_id}/{step}/{founder_id}"


def message_token(key: bytes, dedupe_key: str, generation: int) -> str:
    """160 bits that only this workspace can make, as 32 letters and digits. A store that lost its newest rows makes the
    same token again, so that the mail can be looked up."""
    mac = digest(key, f"{dedupe_key}/{generation}".encode(), "sha256")
    return b32encode(mac[:_TOKEN_BYTES]).decode().lower()


def message_id_of(token: str, sender: str) -> str:
    """The Message-ID of the mail with this token from this address."""
    return f"<or.{token}@{sender.rpartition('@')[2]}>"


def with_footer(text: str, postal_address: str) -> str:
    """The text with the opt-out sentence and the postal address, unless it holds them already."""
    flat = " ".join(text.split())
    missing = [line for line in (OPT_OUT, postal_address.strip()) if line and " ".join(line.split()) not in flat]
    return plain_text("\n\n".join(filter(None, [text.rstrip(), "\n".join(missing)])))


def build_message(
    draft: Draft,
    *,
    sender: Sender,
    recipient: str,
    recipient_name: str,
    date: datetime,
    token: str,
    earlier: Sequence[InThread] = (),
) -> Message:
    """The finished message. `earlier` are the mails of the same enrollment, oldest first; a draft without a subject
    continues their thread. `recipient` is one plain address; `date` is aware."""
    message_id = message_id_of(token, sender.address)
    thread = () if draft.subject else _thread(earlier)
    subject = f"Re: {read_draft(thread[0].mime).subject}" if thread else header_text(draft.subject)
    headers = [
        ("From", encode_mailbox("From", sender.name, sender.address)),
        ("To", encode_mailbox("To", recipient_name, recipient)),
        ("Subject", encode_text("Subject", subject)),
        ("Date", format_datetime(date)),
        ("Message-ID", message_id),
        *_references(thread, message_id),
        ("List-Unsubscribe", _unsubscribe(sender.address, token)),
        ("X-Outreach-Id", token),
        ("MIME-Version", "1.0"),
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Transfer-Encoding", "quoted-printable"),
    ]
    body = _quoted_printable(plain_text(draft.text))
    undated = [(name, "" if name == "Date" else value) for name, value in headers]
    fingerprint = sha256(_assemble(undated, body)).hexdigest()
    return Message(message_id, _assemble(headers, body), fingerprint)


def read_draft(mime: bytes) -> Draft:
    """Subject and text of one of our own messages, for people to read."""
    parsed = message_from_bytes(mime)
    subject = str(make_header(decode_header(_unfolded(parsed["Subject"] or ""))))
    payload = parsed.get_payload(decode=True)
    text = payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
    return Draft(subject, text.replace("\r\n", "\n"))


def _thread(earlier: Sequence[InThread]) -> tuple[InThread, ...]:
    """The mails of the last thread, oldest first: back to the newest one that answers none."""
    answers = list(takewhile(lambda item: _continues(item.mime), reversed(earlier)))
    start = max(0, len(earlier) - len(answers) - 1)
    return tuple(earlier[start:])


def _continues(mime: bytes) -> bool:
    return b"\r\nIn-Reply-To: " in mime.partition(b"\r\n\r\n")[0]


def _references(thread: Sequence[InThread], message_id: str) -> list[tuple[str, str]]:
    """A first mail refers to itself: providers that replace the Message-ID leave References alone, and the answer
    brings it back. A follow-up refers to all before it, by both ids where the provider gave a new one."""
    if not thread:
        return [("References", message_id)]
    ids = chain.from_iterable((item.message_id, item.wire_message_id) for item in thread)
    last = thread[-1]
    return [
        ("In-Reply-To", last.wire_message_id or last.message_id),
        ("References", " ".join(dict.fromkeys(filter(None, ids)))),
    ]


def _unsubscribe(address: str, token: str) -> str:
    """RFC 2369, on one line: folding it broke signatures at some servers."""
    return f"<mailto:{quote(address, safe='@')}?subject=unsubscribe%20{token}>"


def _quoted_printable(text: str) -> bytes:
    return binascii.b2a_qp(text.replace("\n", "\r\n").encode(), istext=True)


def _assemble(headers: Sequence[tuple[str, str]], body: bytes) -> bytes:
    head = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return head.encode("utf-8", "replace") + b"\r\n" + body


def _unfolded(value: str) -> str:
    return value.replace("\r\n", "").replace("\n", "")
