"""A labelled set of invented messages: what real servers, programs and people send, with what each must be taken for.

Shapes repeat, so builders and tables stand for the files; `python -m tests.labelled DIR` writes them as .eml and prints
the figures.
"""

from dataclasses import dataclass
from datetime import timedelta
from email.utils import format_datetime

from tests.mails import ARRIVED_AT, ME, OUR_ID, OUR_TEXT, SENT_AT

RCPT = "bo@bo.example"
HARMLESS = ("soft", "delayed", "policy", "content", "unknown")


@dataclass(frozen=True, slots=True)
class Sample:
    """One message and what it is. `failed`: whose address a bounce is about; `subkinds`: what it may be called."""

    name: str
    raw: bytes
    kind: str
    subkinds: tuple[str, ...] = ()
    failed: str = ""
    linked: bool = True
    """Whether it comes from, or is about, someone we wrote to."""
    also: tuple[str, ...] = ()
    """Kinds that it may be called as well."""


RETURNED = f"""\
Received: from ada.example ([192.0.2.7]) by mx.ada.example with ESMTPS id 4Zq1; {format_datetime(SENT_AT)}
Message-ID: {OUR_ID}
References: {OUR_ID}
X-Outreach-Id: abcdefghijklmnopqrstuvwxyz
From: Ada Testwell <{ME}>
To: Bo Brightly <{RCPT}>
Subject: Engineering work
Date: {format_datetime(SENT_AT)}
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
"""
BODY = OUR_TEXT


def message(text: str, *, end: str = "\n", charset: str = "utf-8", **headers: str) -> bytes:
    """A mail with exactly these headers (`From_` is From, `_` is `-`), then the text."""
    head = {"Date": format_datetime(ARRIVED_AT), "To": ME, **{_name(name): value for name, value in headers.items()}}
    lines = [f"{name}: {value}" for name, value in head.items() if value]
    return (end.join(lines) + end * 2 + end.join(text.split("\n"))).encode(charset)


def multipart(*parts: tuple[str, str], kind: str = "report; report-type=delivery-status") -> tuple[str, str]:
    """The Content-Type, and the body with these (content type, text) parts."""
    body = "".join(f"--=_b1\nContent-Type: {type_}\n\n{text}\n" for type_, text in parts)
    return f'multipart/{kind}; boundary="=_b1"', f"This is a MIME-encapsulated message.\n\n{body}--=_b1--\n"


def later(days: int) -> str:
    return f"{ARRIVED_AT + timedelta(days=days):%d %B %Y}"


def _name(name: str) -> str:
    return name.strip("_").replace("_", "-")
