"""Bounces: whether a message is one, whose address failed, and why (RFC 3464, RFC 3463).

Servers word this in a thousand ways, and half of all failures come without a usable status: the code and the text
decide together, by tables. What follows from a bounce is decided elsewhere.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from outreach.core.headers import Headers, find_addresses
from outreach.core.inbound import Arrival
from outreach.core.matching import plain_address
from outreach.core.verdict import Failure
from outreach.resources import toml

_LOOKED_AT = 4_000
_STATUS = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_BASIC = re.compile(r"(?:^|[\s:;#<(\[])([45]\d\d)[\s-]")
_SUCCESS = frozenset(("delivered", "relayed", "expanded"))
_FAILED = frozenset(("failed", "failure", "error", "delayed"))  # `error` is OpenSMTPD's
_VAGUE = frozenset(("5.0.0", "4.0.0"))
_DELIVERY = ("message/delivery-status", "message/global-delivery-status")


def report_rule(arrival: Arrival) -> str:
    """The name of the rule that makes this a report about a delivery, or empty. Order as in `classify`."""
    if is_delivery_report(arrival):
        return "delivery report"
    if arrival.report_type == "disposition-notification" or arrival.disposition.fields:
        said = f"{arrival.disposition.text('disposition')} {arrival.subject} {arrival.text[:_LOOKED_AT]}".lower()
        # Dovecot's Sieve answers a full mailbox with a "rejected" disposition instead of a delivery report.
        return "rejected by the recipient's filter" if "rejected" in said and "quota" in said else ""
    return _undeclared(arrival)


def is_delivery_report(arrival: Arrival) -> bool:
    """A part of that type counts in any multipart: some servers send it in `mixed`."""
    return arrival.report_type == "delivery-status" or any(kind in arrival.types for kind in _DELIVERY)


def is_success(arrival: Arrival) -> bool:
    """A report that everything went well (RFC 3461 NOTIFY=SUCCESS)."""
    actions = {block.word("action") for block in arrival.statuses} - {""}
    return bool(actions) and actions <= _SUCCESS


def read_failures(arrival: Arrival) -> tuple[Failure, ...]:
    """One failure for each address the report names; one without address if it names none."""
    blocks = [block for block in arrival.statuses if "final-recipient" in block or "action" in block]
    failures = [_of_block(block, arrival) for block in blocks if block.word("action") not in _SUCCESS]
    if failures:
        return tuple(failures)
    text = f"{arrival.subject}\n{arrival.text[:_LOOKED_AT]}"
    named = arrival.headers.addresses("x-failed-recipients") or arrival.returned.addresses("to")
    return tuple(_of_text(plain_address(address), text) for address in named[:20]) or (_of_text("", text),)


def judge_failure(status: str, text: str) -> str:
    """hard, closed, soft, policy, content or unknown: the code, unless the text says otherwise."""
    said = _categories(text)
    if "certain" in said:
        return "hard"
    code = _exact(status, text)
    for row in toml("status_codes.toml")["code"]:
        if code and re.fullmatch(row["status"], code):
            instead = next((category for category in said if category in row["unless"]), "")
            return _MEANS[instead] if instead else str(row["means"])
    if code == "5.4.1" and "access denied" in text.lower():
        return "hard"  # Exchange Online: the tenant has no such recipient
    if said:
        return _MEANS[said[0]]
    basic = _BASIC.search(f" {text} ")
    return "soft" if basic and basic[1].startswith("4") else "unknown"


# --- is it one? -------------------------------------------------------------------------------------------------


def _undeclared(arrival: Arrival) -> str:
    head = arrival.headers
    if "x-failed-recipients" in head:
        return "X-Failed-Recipients"
    sender = f"{arrival.from_name} {arrival.from_address.partition('@')[0]}".lower()
    subject, text = arrival.subject.lower(), arrival.text[:_LOOKED_AT].lower()
    failing = _any(subject, "failure_subjects")
    daemon = not arrival.from_address or _any(sender, "daemon_names")
    if daemon and (failing or _any(text, "failure_words")):
        return "a mail server's failure notice"
    null_path = head.raw("return-path").strip() == "<>"
    role = _any(sender, "role_names")
    if (
        (null_path or role)
        and (_any(subject, "failure_words") or _any(text[:1500], "failure_words"))
        and not _answers(arrival)
    ):
        return "failure words from a machine"
    return ""


def _answers(arrival: Arrival) -> bool:
    """Sieve vacations and the like also have a null return path; they declare themselves."""
    return arrival.headers.word("auto-submitted") == "auto-replied"


def _any(text: str, words: str) -> bool:
    return any(word in text for word in toml("machines.toml")[words])


# --- why did it fail? -------------------------------------------------------------------------------------------


def _of_block(block: Headers, arrival: Arrival) -> Failure:
    address = next(
        (plain_address(value) for value in block.every("original-recipient", "final-recipient") if "@" in value), ""
    )
    status = next(iter(_STATUS.findall(block.text("status"))), "")
    diagnostic = " ".join(
        block.text("diagnostic-code").partition(";")[2].split() or block.text("diagnostic-code").split()
    )
    action = block.word("action")
    text = diagnostic if diagnostic else arrival.text[:_LOOKED_AT]
    return Failure(
        address, "delayed" if action == "delayed" else judge_failure(status, text), action, status, diagnostic[:500]
    )


def _of_text(address: str, text: str) -> Failure:
    words = _near(address, text)
    found = _STATUS.search(words)
    status = found[1] if found else ""
    return Failure(
        address,
        "delayed" if "delayed" in _categories(text) and not _final(text) else judge_failure(status, words),
        "",
        status,
        "",
    )


def _near(address: str, text: str) -> str:
    """What is said about this address: the lines from where it stands, or everything if it is not named."""
    at = text.lower().find(address) if address else -1
    return text[max(0, at - 200) : at + 1500] if at >= 0 else text


def _final(text: str) -> bool:
    return "permanent" in text.lower() or "giving up" in text.lower()


def _exact(status: str, text: str) -> str:
    """The most telling code: a bare x.0.0 says less than what the server's own words hold."""
    if status and status not in _VAGUE:
        return status
    return next((code for code in _STATUS.findall(text) if code not in _VAGUE), status)


_MEANS = {
    "certain": "hard",
    "bad": "hard",
    "closed": "closed",
    "greylisted": "soft",
    "full": "soft",
    "temporary": "soft",
    "delayed": "soft",
    "policy": "policy",
    "content": "content",
}


def _categories(text: str) -> tuple[str, ...]:
    """What the text says, most telling first. Addresses and links are no words: `full@` is not a full mailbox."""
    folded = " ".join(re.sub(r"https?://\S+", " ", text.lower()).split())
    for address in find_addresses(folded):
        folded = folded.replace(address, " ")
    return tuple(category for category, pattern in _phrases() if pattern.search(folded))


@cache
def _phrases() -> tuple[tuple[str, re.Pattern[str]], ...]:
    tables: dict[str, Any] = toml("bounce_phrases.toml")
    return tuple((category, _pattern(phrases)) for category, phrases in tables.items())


def _pattern(phrases: Iterable[str]) -> re.Pattern[str]:
    return re.compile(r"(?<!\w)(?:" + "|".join(_alternatives(phrases)) + r")(?!\w)")


def _alternatives(phrases: Iterable[str]) -> Iterator[str]:
    return (re.escape(phrase) for phrase in phrases)
