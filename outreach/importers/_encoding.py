"""The bytes of a list → text, and what kind of file cannot be one. Knows nothing of cells."""

import re
from dataclasses import dataclass

from outreach.errors import ImportRefused

# First bytes of what people mistake for a CSV file.
_OTHER_KINDS = (
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a spreadsheet or ZIP archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word file"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x89PNG", "an image"),
    (b"\xff\xd8\xff", "an image"),
    (b"SQLite format 3", "a database"),
)
_HTML = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*<(?:!doctype|html)", re.IGNORECASE)
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_SAMPLE = 65_536
_MULTIBYTE = re.compile(rb"[\xc3-\xf4][\x80-\xbf]+")


@dataclass(frozen=True, slots=True)
class Decoded:
    """The text of a file. `encoding` is what a person would call it; `damaged` counts bytes that were none of it."""

    text: str
    encoding: str
    damaged: int = 0


def decode(data: bytes, name: str) -> Decoded:
    """Text of a list, or ImportRefused for what is no text."""
    _refuse_other_kinds(data, name)
    for bom, codec in _BOMS:
        if data.startswith(bom):
            return _lenient(data, codec, "UTF-16" if codec == "utf-16" else "UTF-8 with BOM")
    if codec := _utf16_without_bom(data):
        return _lenient(data, codec, "UTF-16")
    try:
        return Decoded(data.decode("utf-8"), "UTF-8")
    except UnicodeDecodeError:
        return _legacy(data)


def _refuse_other_kinds(data: bytes, name: str) -> None:
    hint = "open it where it came from and export it as CSV"
    if not data.strip(b"\xef\xbb\xbf \t\r\n"):
        raise ImportRefused(f"{name} is empty.", hint="export the list again, as CSV")
    for start, kind in _OTHER_KINDS:
        if data.startswith(start):
            raise ImportRefused(f"{name} is {kind}, not a CSV file.", hint=hint)
    if _HTML.match(data):
        raise ImportRefused(f"{name} is a web page, not a CSV file.", hint=hint)
    if _is_binary(data[:_SAMPLE]):
        raise ImportRefused(f"{name} is a binary file, not a CSV file.", hint=hint)


def _is_binary(sample: bytes) -> bool:
    """More control characters than a damaged list has; UTF-16 is full of NULs and still text."""
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")) or _utf16_without_bom(sample):
        return False
    return sum(byte < 9 or 13 < byte < 27 for byte in sample) > max(8, len(sample) // 20)


def _utf16_without_bom(data: bytes) -> str:
    """Every other byte of mostly Latin text is NUL."""
    sample = data[:_SAMPLE]
    if sample[1::2].count(0) > len(sample) * 0.4:
        return "utf-16-le"
    return "utf-16-be" if sample[0::2].count(0) > len(sample) * 0.4 else ""


def _legacy(data: bytes) -> Decoded:
    """Not valid UTF-8: damaged UTF-8 if most of what is not ASCII is valid, else what old Macs or Windows wrote."""
    damaged = _lenient(data, "utf-8", "UTF-8")
    if len(_MULTIBYTE.findall(data)) > damaged.damaged:
        return damaged
    if _looks_like_mac(data):
        return _lenient(data, "mac-roman", "Mac Roman")
    return _lenient(data, "cp1252", "Windows-1252")


def _looks_like_mac(data: bytes) -> bool:
    """Lines end in bare CR, or in CRLF with bare CR inside cells: Excel for Mac."""
    crlf, cr = data.count(b"\r\n"), data.count(b"\r")
    return cr > crlf and (crlf > 0 or b"\n" not in data)


def _lenient(data: bytes, codec: str, name: str) -> Decoded:
    text = data.decode(codec, errors="replace")
    return Decoded(text, name, text.count("\ufffd"))
