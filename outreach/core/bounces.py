"""Bounces: whether a message is one, whose address failed, and what became of each (RFC 3464).

Why it failed is asked of `core.failures`; what follows from a bounce is decided elsewhere.
"""

import re
from collections.abc import Iterable

from outreach.core.failures import STATUS, exact_code, is_delay, judge_failure
from outreach.core.headers import Headers, find_addresses
from outreach.core.inbound import LOOSE_REPORT, REPORTS, Arrival, Head
from outreach.core.matching import plain_address
from outreach.core.phrases import fold
from outreach.core.undeclared import REPLY_LINE, is_role, is_threaded, loose_head, own_words, says, undeclared_rule
from outreach.core.verdict import Failure
from outreach.resources import toml

_FIRST_WORDS = 500
_MOST_NAMED = 20
_SUCCESS = frozenset(("delivered", "relayed", "expanded", "deliverable"))
_DIAGNOSTIC_TYPE = re.compile(r"^\s*[\w.-]{1,40}\s*;")  # `smtp;` (RFC 3464 2.3.6); some leave it out
_NO_RECIPIENTS = frozenset(
    ("postmaster", "mailer-daemon", "mailerdaemon", "abuse", "helpdesk", "hostmaster", "support")
)


def report_rule(arrival: Arrival) -> str:
    """The name of the rule that makes this a report about a delivery, or empty. Order as in `classify`."""
    if is_delivery_report(arrival):
        return "delivery report"
    if arrival.report_type == "disposition-notification" or arrival.disposition.fields:
        # Sieve answers a full mailbox, or a rule of the recipient's, with a receipt instead of a delivery report.
        said = fold(f"{arrival.headers.text('auto-submitted')} {arrival.subject} {arrival.words[:_FIRST_WORDS]}")
        return "rejected by the recipient's filter" if says(said, "refusal_words") else ""
    return undeclared_rule(arrival)


def looks_like_report(head: Head) -> bool:
    """Whether a head alone gives reason to read the message: it may be a report of any kind."""
    words = toml("machines.toml")
    kind = head.headers.word("content-type")
    if kind.startswith("multipart/report") or "x-failed-recipients" in head.headers or not head.from_address:
        return True
    sender, subject = f"{head.from_name} {head.from_address.partition('@')[0]}".lower(), head.subject.lower()
    null_path = head.headers.raw("return-path").strip() == "<>"
    telling = subject.startswith(tuple(words["certain_subjects"])) or (
        is_role(head.from_address) and says(subject, "failure_subjects")
    )
    return null_path or telling or says(sender, "daemon_names")


def is_delivery_report(arrival: Arrival) -> bool:
    """A part of that type counts in any multipart: some servers send it in `mixed`, others write it as text."""
    if arrival.report_type == "delivery-status" or not arrival.types.isdisjoint(REPORTS):
        return True
    return LOOSE_REPORT in arrival.types and not is_threaded(arrival)


def is_success(arrival: Arrival) -> bool:
    """A report that everything went well (RFC 3461 NOTIFY=SUCCESS)."""
    if not is_delivery_report(arrival):
        return False
    actions = {block.word("action") for block in arrival.statuses} - {""}
    if actions:
        return actions <= _SUCCESS
    said = arrival.subject.lower()
    return any(word in said for word in toml("machines.toml")["success_subjects"])


def read_failures(arrival: Arrival) -> tuple[Failure, ...]:
    """One failure for each address the report names; one without address if it names none."""
    blocks = [block for block in arrival.statuses if "final-recipient" in block or "action" in block]
    failures = [_of_block(block, arrival) for block in blocks if block.word("action") not in _SUCCESS]
    if failures:
        return tuple(failures)
    text = f"{arrival.subject}\n{own_words(arrival)}"
    return tuple(_of_text(address, text) for address in _named(arrival)) or (_of_text("", text),)


# --- whose address? ---------------------------------------------------------------------------------------------


def _named(arrival: Arrival) -> list[str]:
    """The addresses that a report without blocks is about."""
    listed = arrival.headers.addresses("x-failed-recipients")
    if listed:
        return _keys(listed, frozenset())
    ours = frozenset(plain_address(each) for each in (*arrival.to, arrival.from_address))
    loose = loose_head(arrival)
    said = _keys(find_addresses(own_words(arrival)), ours)
    given_back = _keys((*arrival.returned.addresses("to"), *loose.addresses("to")), ours)
    both = [address for address in said if address in given_back]
    signer = plain_address(arrival.from_address)  # a gateway signs with the address that failed
    return (both or said or given_back or [signer] * (signer in own_words(arrival).lower()))[:_MOST_NAMED]


def _keys(addresses: Iterable[str], ours: frozenset[str]) -> list[str]:
    found = dict.fromkeys(plain_address(address) for address in addresses)
    return [each for each in found if each and each not in ours and each.partition("@")[0] not in _NO_RECIPIENTS][
        :_MOST_NAMED
    ]


# --- what became of each? ---------------------------------------------------------------------------------------


def _of_block(block: Headers, arrival: Arrival) -> Failure:
    address = next(
        (plain_address(value) for value in block.every("original-recipient", "final-recipient") if "@" in value), ""
    )
    status = next(iter(STATUS.findall(block.text("status"))), "")
    diagnostic = " ".join(_DIAGNOSTIC_TYPE.sub("", block.text("diagnostic-code")).split())
    action = block.word("action")
    if action == "delayed":
        return Failure(address, "delayed", action, status, diagnostic[:500])
    reason = judge_failure(status, diagnostic) if diagnostic or status else "unknown"
    if reason == "unknown":
        words = f"{diagnostic} {_near(address, own_words(arrival))}"
        reason = judge_failure(status, words)
        if not block.fields.get("action") and is_delay(words):
            reason = "delayed"
    return Failure(address, reason, action, status, diagnostic[:500])


def _of_text(address: str, text: str) -> Failure:
    words = _near(address, text)
    if is_delay(text):
        return Failure(address, "delayed")
    code = exact_code("", words)
    return Failure(address, judge_failure("", words), "", code, _telling_line(words))


def _telling_line(text: str) -> str:
    """The line in which the other server speaks, for people to read."""
    return next((" ".join(line.split())[:300] for line in text.splitlines() if REPLY_LINE.search(line)), "")


def _near(address: str, text: str) -> str:
    """What is said about this address: the lines around it, or everything if it is not named."""
    at = text.lower().find(address) if address else -1
    return text[max(0, at - 600) : at + 1500] if at >= 0 else text
