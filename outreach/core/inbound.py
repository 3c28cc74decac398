"""Bytes → what arrived. Incoming mail is hostile: caps come before parsing, and nothing in a message can raise here.

The strict policy of `email` raises on mail that Exchange really sends and takes 20 s for 100,000 References, so this
parses with `compat32` and reads headers itself. What the message means is not decided here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes
from email.message import Message
from hashlib import sha256
from html import unescape

from outreach.core.headers import Headers, decode_bytes, headers_of, read_block, read_date, read_mailbox
from outreach.core.notices import Notice, read_notice
from outreach.core.quick import record

MAX_MESSAGE = 25_000_000
MAX_HEAD = 256_000
MAX_READ_HEAD = 16_000
"""Bytes of a head that are looked at before a message is read whole."""
MAX_PARTS = 200
MAX_DEPTH = 20
_MAX_TEXT = 256_000
_MAX_NESTED = 512_000
"""Bytes read of a message with more multiparts than may be nested: the parser asks each of them about each line."""
_MAX_DELIMITERS = 2_000

_MAX_TAGGED = 64_000
_SCANNED = 64_000
"""Bytes of a message that cannot be read in which ids are still looked for: it may hide a "no"."""

_TAGS = re.compile(r"<style[^<>]{0,200}>[^<]{0,20000}</style>|<[^<>]{0,2000}>", re.IGNORECASE)
_REPORT_TYPE = re.compile(r"report-type[ \t]*=[ \t]*\"?([\w-]{1,40})", re.IGNORECASE)
_HEAD_END = re.compile(rb"\r?\n\r?\n|\r\r")
_PART_START = re.compile(rb"^content-type[ \t]*:", re.IGNORECASE | re.MULTILINE)
_BOUNDARY = re.compile(rb"boundary[ \t]*=", re.IGNORECASE)
_LOOSE_STATUS = re.compile(
    r"^(?:Original|Final)-Recipient:[^\n]{0,500}\n(?:[^\n]{1,500}\n){0,8}?Action:", re.IGNORECASE | re.MULTILINE
)
REPORTS = ("message/delivery-status", "message/global-delivery-status")
LOOSE_REPORT = "text/delivery-status"
"""Our own word for a report whose fields stand in the readable text: people paste such, too."""
_RETURNED = ("text/rfc822-headers", "message/global-headers")
_WHOLE = ("message/rfc822", "message/global")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part that is not the text: its name as the sender wrote it, never used as a path."""

    name: str
    type: str
    size: int


@record
class Head:
    """Who wrote a message and what stands above it: all that a first look asks for."""

    headers: Headers
    from_name: str
    from_address: str
    subject: str

    @property
    def to(self) -> tuple[str, ...]:
        return self.headers.addresses("to", "cc")


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message as it arrived. `text` and `html` are its readable parts; `statuses` the blocks of a delivery report
    (RFC 3464): the message's own first, then one per recipient; `returned` is the head of a mail that came back."""

    headers: Headers
    sha256: str
    received_at: datetime
    sent_at: datetime
    message_id: str = ""
    from_name: str = ""
    from_address: str = ""
    subject: str = ""
    report_type: str = ""
    types: frozenset[str] = frozenset()
    text: str = ""
    html: str = ""
    statuses: tuple[Headers, ...] = ()
    disposition: Headers = field(default_factory=Headers)
    feedback: Headers = field(default_factory=Headers)
    returned: Headers = field(default_factory=Headers)
    returned_text: str = ""
    attached_text: str = ""
    """What attached text files say: some servers name the part that holds their report."""
    attachments: tuple[Attachment, ...] = ()
    trouble: str = ""
    """Why it could not be read whole; empty for nearly all."""

    @property
    def to(self) -> tuple[str, ...]:
        return self.headers.addresses("to", "cc")

    @property
    def words(self) -> str:
        """The readable text, roughly: the plain part, else the HTML part without its tags."""
        return self.text if self.text.strip() else unescape(_TAGS.sub("\n", self.html[:_MAX_TAGGED]))


def read_mail(raw: bytes, received_at: datetime) -> Arrival:
    """Read one message under caps. What cannot be parsed comes back as its headers, with `trouble` saying why."""
    data, trouble = _within_caps(raw)
    try:
        return _read(data, raw, received_at, trouble)
    except Exception as error:  # noqa: BLE001  the parser raises many types on crafted mail; each message stands alone
        return read_unread(data, received_at, f"it could not be parsed ({type(error).__name__})")


def read_unread(raw: bytes, received_at: datetime, trouble: str) -> Arrival:
    """A message of which only the head is read, and ids are looked for in its beginning."""
    body = _Body(returned_text=[decode_bytes(raw[:_SCANNED], "utf-8")])
    return _arrival(_head_of(raw[:MAX_HEAD]), raw, received_at, body, trouble)


def head_of(raw: bytes) -> bytes:
    """The beginning of a message up to its first blank line, at most as much as is looked at."""
    end = _HEAD_END.search(raw, 0, MAX_READ_HEAD)
    return raw[: end.start() + 1 if end else MAX_READ_HEAD]


def parse_head(head: bytes) -> Head:
    """The head alone, for a first look."""
    headers = _head_of(head[:MAX_READ_HEAD])
    name, address = read_mailbox(headers.raw("from"))
    return Head(headers, name, address, " ".join(headers.text("subject").split()))


def read_head(head: bytes, received_at: datetime) -> Arrival:
    """What the head alone tells."""
    headers = _head_of(head[:MAX_READ_HEAD])
    report = _REPORT_TYPE.search(headers.raw("content-type"))
    body = _Body(report_type=report[1].lower() if report else "")
    return _arrival(headers, head, received_at, body, "")


def _within_caps(raw: bytes) -> tuple[bytes, str]:
    data = raw[:MAX_MESSAGE]
    if b"\n" not in data:
        data = data.replace(b"\r", b"\n")
    end = _HEAD_END.search(data, 0, MAX_HEAD + 4)
    if end is None and len(data) > MAX_HEAD:
        return data[:MAX_HEAD], f"its header is longer than {MAX_HEAD // 1000} kB"
    head = data[: end.start() if end else len(data)]
    if sum(1 for _ in _PART_START.finditer(data)) > MAX_PARTS:
        return head, f"it has more than {MAX_PARTS} parts"
    nested = sum(1 for _ in _BOUNDARY.finditer(data)) > MAX_DEPTH or data.count(b"\n--") > _MAX_DELIMITERS
    if nested and len(data) > _MAX_NESTED:
        return data[:_MAX_NESTED], "it has too many nested parts"
    return data, "it is larger than 25 MB" if len(raw) > MAX_MESSAGE else ""


@dataclass(slots=True)
class _Body:
    """What the parts of one message add up to, while they are read."""

    types: set[str] = field(default_factory=set)
    plain: list[str] = field(default_factory=list)
    html: list[str] = field(default_factory=list)
    statuses: list[Headers] = field(default_factory=list)
    disposition: Headers = field(default_factory=Headers)
    feedback: Headers = field(default_factory=Headers)
    returned: Headers = field(default_factory=Headers)
    returned_text: list[str] = field(default_factory=list)
    attached_text: list[str] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    report_type: str = ""


def _read(data: bytes, raw: bytes, received_at: datetime, trouble: str) -> Arrival:
    message = message_from_bytes(data)
    body = _Body(report_type=_parameter(message, "report-type").lower())
    for part, inside in _parts(message):
        _take(part, body, inside=inside)
    if trouble:
        body.returned_text.append(decode_bytes(raw[:_SCANNED], "utf-8"))
    _take_loose(body)
    return _arrival(_head_of(data[:MAX_HEAD]), raw, received_at, body, trouble)


def _head_of(data: bytes) -> Headers:
    return read_block(data.decode("ascii", "surrogateescape"))


def _arrival(headers: Headers, raw: bytes, received_at: datetime, body: _Body, trouble: str) -> Arrival:
    name, address = read_mailbox(headers.raw("from"))
    return Arrival(
        headers=headers,
        sha256=sha256(raw).hexdigest(),
        received_at=received_at,
        sent_at=read_date(headers.raw("date"), received_at),
        message_id=next(iter(headers.ids("message-id")), ""),
        from_name=name,
        from_address=address,
        subject=" ".join(headers.text("subject").split()),
        report_type=body.report_type,
        types=frozenset(body.types),
        text="\n".join(body.plain)[:_MAX_TEXT],
        html="\n".join(body.html)[:_MAX_TEXT],
        statuses=tuple(body.statuses),
        disposition=body.disposition,
        feedback=body.feedback,
        returned=body.returned,
        returned_text="\n".join(body.returned_text)[:_MAX_TEXT],
        attached_text="\n".join(body.attached_text)[:_MAX_TEXT],
        attachments=tuple(body.attachments),
        trouble=trouble,
    )


def _parts(message: Message) -> Iterator[tuple[Message, bool]]:
    """Every part in order, and whether it lies inside an attached message. With its own stack, for deep nesting."""
    stack, seen = [(message, 0, False)], 0
    while stack and seen < MAX_PARTS:
        part, depth, inside = stack.pop()
        seen += 1
        yield part, inside
        payload = part.get_payload()
        if isinstance(payload, list) and depth < MAX_DEPTH and part.get_content_type() not in REPORTS:
            below = inside or part.get_content_type() in _WHOLE
            stack.extend((child, depth + 1, below) for child in reversed(payload) if isinstance(child, Message))


def _take_loose(body: _Body) -> None:
    """A report that stands in the readable text: as JSON (Amazon), or as its fields without a part of their own."""
    text = "\n".join(body.plain)
    notice = read_notice(text) if "otificationType" in text or "eventType" in text else None
    if notice:
        _take_notice(notice, body)
    elif not body.statuses and (loose := _LOOSE_STATUS.search(text)):
        body.statuses += _blocks(text[loose.start() :])
        body.types.add(LOOSE_REPORT)


def _take_notice(notice: Notice, body: _Body) -> None:
    body.returned = notice.returned
    body.statuses += notice.statuses
    body.feedback = notice.feedback
    if notice.statuses:
        body.types.add(REPORTS[0])


def _take(part: Message, body: _Body, *, inside: bool) -> None:
    kind = part.get_content_type()
    if inside:
        _take_returned(part, kind, body)
        return
    body.types.add(kind)
    if kind in REPORTS:
        body.statuses += _blocks(_flat_text(part))
    elif kind == "message/feedback-report":
        body.feedback = read_block(_flat_text(part))
    elif kind == "message/disposition-notification":
        body.disposition = read_block(_flat_text(part))
    elif kind in _RETURNED:
        body.returned = read_block(_text(part))
    elif not part.is_multipart():
        _take_leaf(part, kind, body)


def _take_returned(part: Message, kind: str, body: _Body) -> None:
    if not body.returned.fields:
        body.returned = headers_of(part.raw_items())  # `items()` would decode, and raises on some
    if kind.startswith("text/") and not part.is_multipart() and not body.returned_text:
        body.returned_text.append(_text(part))


def _take_leaf(part: Message, kind: str, body: _Body) -> None:
    name = _file_name(part)
    if kind in ("text/plain", "text/html") and not name and part.get_content_disposition() != "attachment":
        (body.plain if kind == "text/plain" else body.html).append(_text(part))
    else:
        body.attachments.append(Attachment(name, kind, len(str(part.get_payload()))))
        if kind.startswith("text/"):
            body.attached_text.append(_text(part))


def _text(part: Message) -> str:
    return decode_bytes(_bytes(part)[:_MAX_TEXT], _parameter(part, "charset"))


def _bytes(part: Message) -> bytes:
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def _flat_text(part: Message) -> str:
    """A report part as text. The parser splits its blocks into messages; some senders also encode the whole part."""
    payload = part.get_payload()
    if not isinstance(payload, list):
        return _text(part)
    flat = "\n\n".join(_flat(block) for block in payload if isinstance(block, Message))
    encoding = str(part.get("content-transfer-encoding", "")).lower()
    encoded = encoding in ("quoted-printable", "base64") and ("final-recipient" not in flat.lower() or "=\n" in flat)
    if encoded:
        inner = Message()
        inner["content-transfer-encoding"] = encoding
        inner.set_payload(flat)
        return decode_bytes(_bytes(inner), "utf-8")
    return decode_bytes(flat.encode("utf-8", "surrogateescape"), "utf-8")


def _flat(block: Message) -> str:
    return "\n".join([*(f"{name}: {value}" for name, value in block.raw_items()), str(block.get_payload())])


def _blocks(text: str) -> list[Headers]:
    found = (read_block(block) for block in re.split(r"(?:\r?\n[ \t]*){2,}", text[:_MAX_TEXT]))
    return [block for block in found if block.fields][:MAX_PARTS]


def _parameter(part: Message, name: str) -> str:
    """A parameter of Content-Type; broken RFC 2231 continuations raise, and then there is none."""
    try:
        value = part.get_param(name, "")
    except (TypeError, ValueError, IndexError, AttributeError):
        return ""
    return str(value[2] if isinstance(value, tuple) else value or "")


def _file_name(part: Message) -> str:
    try:
        return part.get_filename("") or ""
    except (TypeError, ValueError, LookupError, AttributeError):
        return "unnamed"
