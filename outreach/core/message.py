"""Turns a draft into the bytes of one RFC 5322 message. The same input gives the same bytes.

It owns what every mail carries: the ids by which answers find their way back, the thread, the way to opt out. It does
not know where the text came from, nor who sends it on. Reading our own messages back is `core.read_back`.
"""

import binascii
from base64 import b32encode
from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from hashlib import sha256
from hmac import digest
from itertools import chain, takewhile
from typing import Protocol
from urllib.parse import quote

from outreach.core.encoding import encode_file_name, encode_mailbox, encode_text, header_text
from outreach.core.read_back import read_draft, split_head
from outreach.core.records import Attachment, Draft, Message, Sender
from outreach.core.text import plain_text
from outreach.core.wire import check_wire

__all__ = [
    "OPT_OUT", "InThread", "build_copy", "build_message", "check_wire", "dedupe_key", "footer_lines", "message_id_of",
    "message_token", "read_draft", "with_footer",
]  # fmt: skip

OPT_OUT = "If you'd rather not hear from me again, reply \"stop\" and I won't write."
_TOKEN_BYTES = 20
_CONTENT = b"Content-"
_TEXT = b"Content-Type: text/%b; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n"


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


def footer_lines(text: str, postal_address: str, notice: str = "") -> tuple[str, ...]:
    """What every mail must say and this text does not say yet: the notice, the opt-out sentence, the postal address."""
    flat = " ".join(text.split())
    wanted = (notice.strip(), OPT_OUT, postal_address.strip())
    return tuple(line for line in wanted if line and " ".join(line.split()) not in flat)


def with_footer(text: str, postal_address: str, notice: str = "") -> str:
    """The text with the lines that it lacks of these."""
    missing = footer_lines(text, postal_address, notice)
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
    thread = () if draft.subject else _thread(earlier)
    subject = f"Re: {read_draft(thread[0].mime).subject}" if thread else header_text(draft.subject)
    body = _content(draft, token)
    return _finished(sender, recipient, recipient_name, subject, date, token, thread, body)


def build_copy(mime: bytes, *, sender: Sender, tag: str, date: datetime, token: str) -> Message:
    """A message to its own sender with the same content, the real recipient in the subject."""
    head, body = mime.split(b"\r\n\r\n", 1)
    content = b"".join(line + b"\r\n" for line in split_head(head) if line.startswith(_CONTENT))
    subject = header_text(f"[to {tag}] {read_draft(mime).subject}")
    return _finished(sender, sender.address, sender.name, subject, date, token, (), content + b"\r\n" + body)


def _finished(
    sender: Sender,
    recipient: str,
    recipient_name: str,
    subject: str,
    date: datetime,
    token: str,
    thread: Sequence[InThread],
    content: bytes,
) -> Message:
    message_id = message_id_of(token, sender.address)
    before = (
        f"From: {_mailbox('From', sender.name, sender.address)}\r\n"
        f"To: {encode_mailbox('To', recipient_name, recipient)}\r\n"
        f"Subject: {encode_text('Subject', subject)}\r\n"
        "Date: "
    ).encode("utf-8", "replace")
    after = (
        f"\r\nMessage-ID: {message_id}\r\n"
        f"{_references(thread, message_id)}"
        f"List-Unsubscribe: <mailto:{_quoted(sender.address)}?subject=unsubscribe%20{token}>\r\n"
        f"X-Outreach-Id: {token}\r\n"
        "MIME-Version: 1.0\r\n"
    ).encode("utf-8", "replace") + content
    dated = format_datetime(date).encode()
    return Message(message_id, before + dated + after, sha256(before + after).hexdigest())


# --- threads --------------------------------------------------------------------------------------


def _thread(earlier: Sequence[InThread]) -> tuple[InThread, ...]:
    """The mails of the last thread, oldest first: back to the newest one that answers none."""
    answers = list(takewhile(lambda item: _continues(item.mime), reversed(earlier)))
    start = max(0, len(earlier) - len(answers) - 1)
    return tuple(earlier[start:])


def _continues(mime: bytes) -> bool:
    return b"\r\nIn-Reply-To: " in mime.partition(b"\r\n\r\n")[0]


def _references(thread: Sequence[InThread], message_id: str) -> str:
    """A first mail refers to itself: providers that replace the Message-ID leave References alone, and the answer
    brings it back. A follow-up refers to all before it, by both ids where the provider gave a new one."""
    if not thread:
        return f"References: {message_id}\r\n"
    ids = chain.from_iterable((item.message_id, item.wire_message_id) for item in thread)
    last = thread[-1]
    known = " ".join(dict.fromkeys(filter(None, ids)))
    return f"In-Reply-To: {last.wire_message_id or last.message_id}\r\nReferences: {known}\r\n"


# --- content --------------------------------------------------------------------------------------


def _content(draft: Draft, token: str) -> bytes:
    """The headers and the body of what the reader sees: text, beside it HTML, around it attachments (RFC 2046 section
    5.1). Boundaries are made of the token, which no text can hold."""
    content = _part(b"plain", draft.text)
    if draft.html:
        content = _multipart("alternative", f"or-{token}-a", [content, _part(b"html", draft.html)])
    if draft.attachments:
        content = _multipart("mixed", f"or-{token}-m", [content, *map(_attached, draft.attachments)])
    return content


def _part(kind: bytes, text: str) -> bytes:
    quoted = binascii.b2a_qp(plain_text(text).replace("\n", "\r\n").encode(), istext=True)
    return _TEXT % kind + b"\r\n" + quoted


def _multipart(kind: str, boundary: str, parts: Sequence[bytes]) -> bytes:
    line = f"--{boundary}".encode()
    inner = b"".join(line + b"\r\n" + part + b"\r\n" for part in parts)  # that line end is the boundary's
    return f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\n'.encode() + inner + line + b"--\r\n"


def _attached(file: Attachment) -> bytes:
    head = (
        f"Content-Type: {file.kind}\r\n"
        f"Content-Disposition: attachment;\r\n {encode_file_name(file.name)}\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\n"
    )
    return head.encode() + file.encoded


@lru_cache(maxsize=64)
def _mailbox(header: str, name: str, address: str) -> str:
    """The sender's is the same in every mail."""
    return encode_mailbox(header, name, address)


@lru_cache(maxsize=64)
def _quoted(address: str) -> str:
    """For List-Unsubscribe (RFC 2369), which stays on one line: folding it broke signatures at some servers."""
    return quote(address, safe="@")
