"""Reads our own messages back from their bytes: what will be on the wire is what previews show and what is checked.

The usual shapes, which `core.message` writes, are read by a few lines; anything else goes to the standard library.
"""

import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message as Parsed

from outreach.core.records import Draft

_FOLD = re.compile(rb"\r\n(?=[ \t])")
_ENCODED = re.compile(rb"=\?utf-8\?q\?([^?]*)\?=(?:\s+(?==\?utf-8\?q\?))?")
_WORDS = re.compile(r"=\?[^?\s]+\?[qQbB]\?[^?]*\?=(?:\s+=\?[^?\s]+\?[qQbB]\?[^?]*\?=)*")
_PLAIN_TEXT = b"\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable"


@dataclass(frozen=True, slots=True)
class SeenFile:
    """An attachment as the reader will see it."""

    name: str
    kind: str
    size: int


@dataclass(frozen=True, slots=True)
class Seen:
    """One of our messages as its reader will see it."""

    headers: tuple[tuple[str, str], ...]
    subject: str
    text: str
    html: str
    files: tuple[SeenFile, ...]


def read_draft(mime: bytes) -> Draft:
    """Subject and text of one of our own messages, for people to read."""
    head, separator, body = mime.partition(b"\r\n\r\n")
    if separator and head.endswith(_PLAIN_TEXT):
        text = binascii.a2b_qp(body).decode("utf-8", "replace")
        return Draft(_subject(head), text.replace("\r\n", "\n"))
    seen = read_message(mime)
    return Draft(seen.subject, seen.text, seen.html)


def read_message(mime: bytes) -> Seen:
    """Everything of one of our own messages."""
    parsed = message_from_bytes(mime)
    headers = tuple((name, _decoded(value)) for name, value in parsed.raw_items())
    parts = [part for part in parsed.walk() if not part.is_multipart()]
    shown = [part for part in parts if part.get_content_disposition() != "attachment"]
    return Seen(
        headers=headers,
        subject=_decoded(parsed["Subject"] or ""),
        text=_first(shown, "text/plain"),
        html=_first(shown, "text/html"),
        files=tuple(_file(part) for part in parts if part not in shown),
    )


def split_head(head: bytes) -> list[bytes]:
    """The fields of a header block, folded lines kept with their field."""
    fields: list[bytes] = []
    for line in head.split(b"\r\n"):
        if line[:1] in (b" ", b"\t") and fields:
            fields[-1] += b"\r\n" + line
        else:
            fields.append(line)
    return fields


def _subject(head: bytes) -> str:
    start = head.find(b"\r\nSubject: ")
    if start < 0:
        return ""
    raw = _FOLD.sub(b"", head[start + 2 :]).partition(b"\r\n")[0].removeprefix(b"Subject: ")
    if b"=?" not in raw:
        return raw.decode("utf-8", "replace")
    if len(_ENCODED.sub(b"", raw)):
        return str(make_header(decode_header(raw.decode("ascii", "replace"))))
    words = b"".join(match[1] for match in _ENCODED.finditer(raw))
    return binascii.a2b_qp(words, header=True).decode("utf-8", "replace")


def _decoded(value: str) -> str:
    """The encoded-words decoded; an address outside ASCII stands between them as it is."""
    line = value.replace("\r\n", "").replace("\n", "").encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return _WORDS.sub(lambda run: str(make_header(decode_header(run[0]))), line)


def _first(parts: Sequence[Parsed], kind: str) -> str:
    for part in parts:
        if part.get_content_type() == kind:
            payload = part.get_payload(decode=True)
            text = payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
            return text.replace("\r\n", "\n")
    return ""


def _file(part: Parsed) -> SeenFile:
    payload = part.get_payload(decode=True)
    size = len(payload) if isinstance(payload, bytes) else 0
    return SeenFile(part.get_filename() or "", part.get_content_type(), size)
