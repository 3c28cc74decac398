"""The last look at the bytes of a message, at enqueue and again before the socket. It trusts nobody who made them."""

import re

from outreach.resources import table

ALLOWED_HEADERS = frozenset(table("wire_headers.txt"))
ONCE = ("From", "To", "Subject", "Date", "Message-ID")
MAX_LINE = 998  # RFC 5322 section 2.1.1, without the CRLF
_TOO_LONG = f"a line longer than {MAX_LINE} bytes"
_BARE_CR = re.compile(rb"\r(?!\n)")
_BARE_LF = re.compile(rb"(?<!\r)\n")
_FOLD = re.compile(rb"\r\n(?=[ \t])")
_DISPLAY_NAME = re.compile(r'"[^"\\]*"|[^",;:<>()\[\]\\]*')
_PLAIN_ADDRESS = re.compile(r"[^\s,;:<>()\"\[\]\\@]+@[^\s,;:<>()\"\[\]\\@]+")


def check_wire(mime: bytes, rcpt: str, message_id: str) -> list[str]:
    """What is wrong with these bytes as a mail to `rcpt`; an empty list lets them pass."""
    return [*_check_lines(mime), *_check_headers(mime, rcpt, message_id)]


def _check_lines(mime: bytes) -> list[str]:
    lines = mime.split(b"\r\n")
    faults = {
        "a carriage return without a line feed": mime.count(b"\r") >= len(lines) and _BARE_CR.search(mime),
        "a line feed without a carriage return": mime.count(b"\n") >= len(lines) and _BARE_LF.search(mime),
        "a NUL byte": b"\0" in mime,
        _TOO_LONG: max(map(len, lines)) > MAX_LINE,
        "no line end after the last line": lines[-1],
    }
    return [fault for fault, found in faults.items() if found]


def _check_headers(mime: bytes, rcpt: str, message_id: str) -> list[str]:
    head, separator, _body = mime.partition(b"\r\n\r\n")
    fields = _fields(head)
    names = [name.lower() for name, _ in fields]
    values = dict(zip(names, (value for _, value in fields), strict=True))
    faults = [f"the header {name!r} is not ours" for name, _ in fields if name.lower() not in ALLOWED_HEADERS]
    faults += [
        f"{name} stands there {names.count(name.lower())} times" for name in ONCE if names.count(name.lower()) != 1
    ]
    if not separator:
        faults.append("there is no empty line after the headers")
    if not head.replace(rcpt.encode("utf-8", "replace"), b"").isascii():  # the one place where SMTPUTF8 is worth it
        faults.append("a header holds bytes outside ASCII")
    if not _is_to(values.get("to", ""), rcpt):
        faults.append(f"To is not {rcpt} alone")
    if values.get("message-id") != message_id:
        faults.append("Message-ID is not the one recorded")
    return faults


def _fields(head: bytes) -> list[tuple[str, str]]:
    lines = _FOLD.sub(b"", head).decode("utf-8", "replace").split("\r\n")
    found = (line.partition(":") for line in lines)
    return [(name, value.strip(" ")) for name, _, value in found]


def _is_to(value: str, rcpt: str) -> bool:
    """Whether a To line names this address and nobody else."""
    if value == rcpt:
        display = ""
    elif value.endswith(f" <{rcpt}>"):
        display = value.removesuffix(f" <{rcpt}>")
    else:
        return False
    named = "@" not in display and _DISPLAY_NAME.fullmatch(display) is not None
    return named and _PLAIN_ADDRESS.fullmatch(rcpt) is not None
