"""Header text of received mail: decoded here, because the standard library's strict policy raises on real mail.

Input is what `compat32` leaves: raw 8-bit bytes as surrogates. Output is text that any file or database takes.
Everything is linear in its input, and caps keep that input small.
"""

import binascii
import codecs
import quopri
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

MAX_HEADER = 64_000
MAX_IDS = 200
_MAX_ADDRESSES = 500
_OLDEST_YEAR = 2001  # the library takes "0000" for 2000
_WIDEST_ZONE = timedelta(hours=14)

_ENCODED_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]*)\?=")
_BRACKETED = re.compile(r"<([^<>]{3,500})>")
_ADDRESS = re.compile(r"""[^\s<>"'(),:;@\[\]\\]{1,64}@[^\W_][\w.-]{0,252}""")
_NAME_BEFORE = re.compile(r"[\w.+-]*\w'$")
_LONGEST_BEFORE = 64
_NEWLINE = re.compile(r"\r\n|\n|\r")

# Names that mail uses and Python does not know, and codecs that are no charset: quadratic, or different per machine.
_CHARSETS = {"unicode-1-1-utf-7": "utf-7", "unknown-8bit": "utf-8", "x-unknown": "utf-8", "iso-8859-8-i": "iso-8859-8"}
_NO_CHARSETS = frozenset(("idna", "punycode", "undefined", "mbcs", "oem", "unicode-escape", "raw-unicode-escape"))


@dataclass(frozen=True, slots=True)
class Headers:
    """A header block: lower-case name → its raw, unfolded values in order."""

    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __contains__(self, name: str) -> bool:
        return name in self.fields

    def text(self, name: str) -> str:
        """The first value, decoded; empty if there is none."""
        return decode_header(self.raw(name))

    def raw(self, name: str) -> str:
        return self.fields.get(name, ("",))[0]

    def every(self, *names: str) -> tuple[str, ...]:
        """All values of these names, decoded."""
        return tuple(decode_header(value) for name in names for value in self.fields.get(name, ()))

    def ids(self, *names: str) -> tuple[str, ...]:
        """Every `<…@…>` in these headers, in order."""
        return tuple(
            dict.fromkeys(found for name in names for raw in self.fields.get(name, ()) for found in find_ids(raw))
        )

    def addresses(self, *names: str) -> tuple[str, ...]:
        return find_addresses(" ".join(raw for name in names for raw in self.fields.get(name, ())))

    def word(self, name: str) -> str:
        """The leading token in lower case: `auto-replied (zimbra; vacation)` is `auto-replied` (RFC 3834 section 5)."""
        return re.split(r"[\s;(]", self.text(name).strip().lower(), maxsplit=1)[0]


def read_block(text: str) -> Headers:
    """A header block, however broken, up to its first blank line."""
    found: dict[str, list[str]] = {}
    last: list[str] | None = None
    for line in _NEWLINE.split(text):
        if not line.strip():
            if found:
                break
            continue
        name, colon, value = line.partition(":")
        if line[0] in " \t":
            if last is not None and len(last[-1]) < MAX_HEADER:
                last[-1] = (last[-1] + " " + line.strip())[:MAX_HEADER]
        elif colon and name.strip().isascii() and " " not in name.strip():
            last = found.setdefault(name.strip().lower(), [])
            last.append(value.strip()[:MAX_HEADER])
    return Headers({name: tuple(values[:MAX_IDS]) for name, values in found.items()})


def decode_bytes(data: bytes, charset: str) -> str:
    """Bytes as text: by the charset they name if it is one, else UTF-8, else cp1252. Never raises."""
    for codec in filter(None, (text_codec(charset), "utf-8")):
        try:
            return clean(data.decode(codec))
        except ValueError:
            continue
    return clean(data.decode("cp1252", "replace"))


def text_codec(charset: str) -> str:
    """The codec of a charset as mails and pages name it; empty for what is none."""
    name = charset.strip().strip("\"'").partition("*")[0].lower().replace("_", "-")
    codec = _CHARSETS.get(name, name)
    try:
        b"x".decode(codec, "replace")  # refuses "base64" and "zip", which are codecs too
        return codec if codecs.lookup(codec).name.replace("_", "-") not in _NO_CHARSETS else ""
    except (LookupError, ValueError):  # unknown, not a text codec, NUL in its name
        return ""


def decode_header(raw: str) -> str:
    """RFC 2047 encoded-words and raw 8-bit text of one unfolded header, as text."""
    if raw.isascii() and "=?" not in raw:
        return clean(raw)
    out: list[str] = []
    pending, charset, end = b"", "", 0
    for match in _ENCODED_WORD.finditer(raw):
        between = raw[end : match.start()]
        data = _encoded_word(match[2], match[3])
        if pending and charset == match[1].lower() and not between.strip():
            pending += data  # one character may be cut in two words, against the rules
        else:
            out.append(decode_bytes(pending, charset))
            out.append(_eight_bit(between) if between.strip() or not out[-1] else "")
            pending, charset = data, match[1].lower()
        end = match.end()
    return clean("".join([*out, decode_bytes(pending, charset), _eight_bit(raw[end:])]))


def find_ids(text: str) -> tuple[str, ...]:
    """Every `<…@…>`, brackets kept, blanks of folding removed: at most the first and the last 199."""
    found = (re.sub(r"\s+", "", match[1]) for match in _BRACKETED.finditer(text))
    ids = list(dict.fromkeys(f"<{clean(each)}>" for each in found if "@" in each))
    return tuple(ids if len(ids) <= MAX_IDS else [ids[0], *ids[1 - MAX_IDS :]])


def find_addresses(text: str) -> tuple[str, ...]:
    """Everything that looks like an e-mail address, as written."""
    found: dict[str, None] = {}
    for match in _ADDRESS.finditer(text):
        address = _before_apostrophe(text, match.start()) + match[0].rstrip(".-")
        if "." in address.rpartition("@")[2]:
            found[clean(address)] = None
            if len(found) >= _MAX_ADDRESSES:
                break
    return tuple(found)


def _before_apostrophe(text: str, at: int) -> str:
    """The `o'` of o'brien@; nothing where an apostrophe stands around the address."""
    found = _NAME_BEFORE.search(text, max(0, at - _LONGEST_BEFORE), at) if text[at - 1 : at] == "'" else None
    return found[0] if found else ""


def read_mailbox(raw: str) -> tuple[str, str]:
    """A From header as (name, address). The address is read before decoding: an encoded name cannot smuggle one in."""
    bracketed = [match for match in _BRACKETED.finditer(raw) if "@" in match[1]]
    if bracketed:
        name = raw[: bracketed[-1].start()]
        address = next(iter(find_addresses(bracketed[-1][1])), "")
    else:
        address = next(iter(find_addresses(raw)), "")
        name = raw.replace(address, "").strip(" ()") if address else raw
    return " ".join(decode_header(name.strip().strip('"')).split()), address


def read_date(raw: str, received_at: datetime) -> datetime:
    """The Date header, or `received_at` where it cannot be believed."""
    try:
        at = parsedate_to_datetime(raw)
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
        offset = at.utcoffset() or timedelta()
        at = at.astimezone(UTC)
    except (TypeError, ValueError, IndexError, OverflowError):
        return received_at
    believable = at.year >= _OLDEST_YEAR and abs(offset) <= _WIDEST_ZONE and at <= received_at + timedelta(days=1)
    return at if believable else received_at


def clean(text: str) -> str:
    """Without NULs and lone surrogates, which databases and files refuse."""
    if text.isascii():
        return text.replace("\0", "\ufffd") if "\0" in text else text
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "\ufffd")


def headers_of(items: Iterable[tuple[str, object]]) -> Headers:
    """The raw (name, value) pairs of a parsed part."""
    return read_block("\n".join(f"{name}: {_unfolded(str(value))}" for name, value in items))


def _unfolded(value: str) -> str:
    return " ".join(line.strip() for line in _NEWLINE.split(value[:MAX_HEADER]))


def _encoded_word(encoding: str, text: str) -> bytes:
    data = text.encode("ascii", "surrogateescape") if _is_raw(text) else text.encode("utf-8", "replace")
    if encoding in "qQ":
        return quopri.decodestring(data.replace(b"_", b" "), header=False)
    try:
        return binascii.a2b_base64(data + b"=" * (-len(data) % 4))
    except binascii.Error:
        return data


def _eight_bit(text: str) -> str:
    return (
        text if text.isascii() or not _is_raw(text) else decode_bytes(text.encode("ascii", "surrogateescape"), "utf-8")
    )


def _is_raw(text: str) -> bool:
    """Whether the only characters outside ASCII are bytes that the parser kept as surrogates."""
    return all(ord(character) < 0x80 or 0xDC80 <= ord(character) <= 0xDCFF for character in text)
