"""Bounces: whether a message is one, whose address failed, and why (RFC 3464, RFC 3463).

Servers word this in a thousand ways, and half of all failures come without a usable status: the code and the text
decide together, by tables. What follows from a bounce is decided elsewhere.
"""

import re
from collections.abc import Callable, Iterable
from functools import cache, cached_property
from typing import Any

from outreach.core.headers import Headers, find_addresses, read_block
from outreach.core.inbound import LOOSE_REPORT, REPORTS, Arrival, Head
from outreach.core.matching import plain_address
from outreach.core.phrases import Phrases, fold, phrases, words_of
from outreach.core.verdict import Failure
from outreach.resources import toml

_LOOKED_AT = 4_000
_FIRST_WORDS = 500
_EARLY = 1_500
_ERROR_AMONG = 20
_MOST_NAMED = 20
_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)")
_BASIC = re.compile(r"(?:^|[\s:;#<(\[\"'=])([45]\d\d)(?=[\s\-:,;#)\]]|$)")
_REPLY = re.compile(r"(?:^|[\s:;\"'#<(\[=>])([45][0-5]\d)[ \-](?:\d\.\d\.\d|[<\"'\w])", re.MULTILINE)
_ERROR_LINE = re.compile(r"\s{0,8}(?:error|reason|status|fehler|grund|erreur|motif|diagnostic)(?: code)?\s?:\s", re.I)
_ONLY_REPORTS = ("mailer-daemon", "mailerdaemon", "microsoftexchange329e71ec88ae4615bbc36ab6ce4")
_SUCCESS = frozenset(("delivered", "relayed", "expanded", "deliverable"))
_DIAGNOSTIC_TYPE = re.compile(r"^\s*[\w.-]{1,40}\s*;")  # `smtp;` (RFC 3464 2.3.6); some leave it out
_VAGUE = re.compile(r"[45]\.0\.\d+|5\.[35]\.0|5\.9\.9")
_HEADER_LINE = re.compile(
    r"^[>|\s]{0,4}(received|return-path|message-id|mime-version|date|from|to|subject|x-[\w-]+):", re.I
)
_TELLING = frozenset(("received", "return-path", "message-id", "mime-version"))
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
        return "rejected by the recipient's filter" if _any(said, "refusal_words") else ""
    return _undeclared(arrival)


def looks_like_report(head: Head) -> bool:
    """Whether a head alone gives reason to read the message: it may be a report of any kind."""
    words = toml("machines.toml")
    kind = head.headers.word("content-type")
    if kind.startswith("multipart/report") or "x-failed-recipients" in head.headers or not head.from_address:
        return True
    sender, subject = f"{head.from_name} {head.from_address.partition('@')[0]}".lower(), head.subject.lower()
    null_path = head.headers.raw("return-path").strip() == "<>"
    telling = subject.startswith(tuple(words["certain_subjects"])) or (
        _is_role(head.from_address) and _any(subject, "failure_subjects")
    )
    return null_path or telling or _any(sender, "daemon_names")


def is_dead_domain(failure: Failure) -> bool:
    """Whether nobody at that domain can be written to: no such domain, no mail server, null MX (RFC 7505)."""
    if failure.reason != "hard":
        return False
    if failure.status in ("5.1.2", "5.4.4", "5.4.310") or _exact("", failure.diagnostic) in (
        "5.1.2",
        "5.4.4",
        "5.4.310",
    ):
        return True
    return any(phrase in failure.diagnostic.lower() for phrase in toml("machines.toml")["dead_domain_words"])


def is_delivery_report(arrival: Arrival) -> bool:
    """A part of that type counts in any multipart: some servers send it in `mixed`, others write it as text."""
    if arrival.report_type == "delivery-status" or not arrival.types.isdisjoint(REPORTS):
        return True
    return LOOSE_REPORT in arrival.types and not _Notice(arrival).threaded


def is_success(arrival: Arrival) -> bool:
    """A report that everything went well (RFC 3461 NOTIFY=SUCCESS)."""
    actions = {block.word("action") for block in arrival.statuses} - {""}
    if actions:
        return actions <= _SUCCESS
    said = arrival.subject.lower()
    return is_delivery_report(arrival) and any(word in said for word in toml("machines.toml")["success_subjects"])


def read_failures(arrival: Arrival) -> tuple[Failure, ...]:
    """One failure for each address the report names; one without address if it names none."""
    blocks = [block for block in arrival.statuses if "final-recipient" in block or "action" in block]
    failures = [_of_block(block, arrival) for block in blocks if block.word("action") not in _SUCCESS]
    if failures:
        return tuple(failures)
    text = f"{arrival.subject}\n{own_words(arrival)}"
    return tuple(_of_text(address, text) for address in _named(arrival)) or (_of_text("", text),)


def judge_failure(status: str, text: str) -> str:
    """hard, closed, soft, policy, content or unknown: the code, unless the text says otherwise."""
    said = _categories(text)
    code = _exact(status, text)
    basic = _BASIC.search(f" {text} ")
    vague = _VAGUE.fullmatch(code) is not None
    temporary = (code.startswith("4") and not vague) or (
        not code.startswith("5") and basic is not None and basic[1].startswith("4")
    )
    rows = () if vague else toml("status_codes.toml")["code"]
    row = next((row for row in rows if code and re.fullmatch(row["status"], code)), None)
    firm = row is not None and row.get("firm", False)
    if "certain" in said and "sender" not in said and not temporary and not firm:
        return "hard"
    if row is not None:
        instead = next((category for category in said if category in row["unless"]), "")
        return _MEANS[instead] if instead else str(row["means"])
    if said:
        meant = _MEANS[said[0]]
        return "soft" if temporary and meant in ("hard", "closed") else meant
    return "soft" if temporary or code.startswith("4") else "unknown"


def own_words(arrival: Arrival) -> str:
    """What the server itself says: the readable text up to the mail that it gives back."""
    return _split(arrival.words[: 2 * _LOOKED_AT])[0][:_LOOKED_AT]


def loose_head(arrival: Arrival) -> Headers:
    """The head of our mail where it is given back as plain text, below what the server says."""
    return read_block(_split(arrival.words)[1].replace("\n>", "\n").lstrip("> "))


# --- is it one? -------------------------------------------------------------------------------------------------


class _Notice:
    """What a mail without a report's parts shows of being one, worked out when a rule asks for it."""

    def __init__(self, arrival: Arrival) -> None:
        self.arrival = arrival
        self.head = arrival.headers
        self.subject = arrival.subject.lower()
        self.said = own_words(arrival)
        self.text = " ".join(self.said.lower().split())

    @cached_property
    def failing_subject(self) -> bool:
        return _any(self.subject, "failure_subjects")

    @cached_property
    def words(self) -> bool:
        return _any(self.text, "failure_words")

    @cached_property
    def early_words(self) -> bool:
        return _any(self.text[:_EARLY], "failure_words")

    @cached_property
    def failed(self) -> bool:
        return self.words or _REPLY.search(self.said) is not None or _gives_reason(self.text)

    @cached_property
    def names_address(self) -> bool:
        return "@" in self.text

    @cached_property
    def null_path(self) -> bool:
        return self.head.raw("return-path").strip() == "<>"

    @cached_property
    def names_error(self) -> bool:
        """A mobile network's gateway answers with `Re:`, but no person writes `Error: …` on a line of its own."""
        return any(_ERROR_LINE.match(line) for line in self.said.splitlines()[:_ERROR_AMONG])

    @cached_property
    def by_person(self) -> bool:
        """Whether the mail stands in a list, or is an answer in which nobody names an error."""
        head = self.head
        if "list-id" in head or "list-unsubscribe" in head or head.word("precedence") == "list":
            return True
        return not self.names_error and self.threaded

    @cached_property
    def threaded(self) -> bool:
        """Whether it is an answer by its head, which shows nothing that only machines have."""
        machine = (
            self.null_path or self.head.word("auto-submitted") not in ("", "no") or _is_role(self.arrival.from_address)
        )
        answers = self.subject.startswith(tuple(toml("machines.toml")["answer_prefixes"]))
        return answers or ("in-reply-to" in self.head and not machine)


def _by_daemon(notice: _Notice) -> bool:
    arrival = notice.arrival
    sender = f"{arrival.from_name} {arrival.from_address.partition('@')[0]}".lower()
    daemon = not arrival.from_address or _any(sender, "daemon_names")
    if not daemon or _is_vacation(arrival):
        return False
    return notice.failing_subject or notice.words or bool(_REPLY.search(notice.said) or _STATUS.search(notice.said))


def _by_reporter(notice: _Notice) -> bool:
    local = notice.arrival.from_address.lower().partition("@")[0]
    return local.startswith(_ONLY_REPORTS) and notice.names_address and not _is_vacation(notice.arrival)


def _by_opening(notice: _Notice) -> bool:
    lines = notice.said.lower().splitlines()
    opening = " ".join(line for line in lines if not line.lstrip().startswith((">", "|")))[:_FIRST_WORDS]
    return _any(opening, "failure_openings") and not notice.by_person and notice.failed


def _by_subject(notice: _Notice) -> bool:
    certain = notice.subject.startswith(tuple(toml("machines.toml")["certain_subjects"]))
    return certain and not notice.by_person and notice.failed and notice.names_address


def _by_null_path(notice: _Notice) -> bool:
    if not notice.null_path or _is_answer(notice.arrival):
        return False
    worded = notice.failing_subject or notice.early_words or _any(notice.subject, "failure_words")
    return worded and (_names_somebody(notice) or bool(notice.arrival.returned.fields))


def _by_code(notice: _Notice) -> bool:
    if _is_answer(notice.arrival) or notice.by_person or not (notice.failing_subject and notice.names_address):
        return False
    return _STATUS.search(notice.said) is not None and _gives_reason(notice.text)


def _by_role(notice: _Notice) -> bool:
    worded = notice.failing_subject and notice.early_words and not _is_answer(notice.arrival)
    return worded and _names_somebody(notice) and _is_role(notice.arrival.from_address)


def _names_somebody(notice: _Notice) -> bool:
    return notice.names_address or "recipient" in notice.text or _REPLY.search(notice.said) is not None


_UNDECLARED: tuple[tuple[str, Callable[[_Notice], bool]], ...] = (
    ("a mail server's failure notice", _by_daemon),
    ("an address that sends nothing but reports", _by_reporter),
    ("the opening words of a mail server", _by_opening),
    ("the subject and words of a mail server", _by_subject),
    ("failure words and no return path", _by_null_path),
    ("a failure's subject, code and reason", _by_code),
    ("failure words from a machine", _by_role),
)


def _undeclared(arrival: Arrival) -> str:
    """A report without a report's parts: the first rule that knows it."""
    if "x-failed-recipients" in arrival.headers:
        return "X-Failed-Recipients"
    notice = _Notice(arrival)
    if notice.subject.startswith(tuple(toml("machines.toml")["forward_prefixes"])):
        return ""
    return next((name for name, knows in _UNDECLARED if knows(notice)), "")


def _gives_reason(text: str) -> bool:
    """Whether the text says, in any language we know, that a mailbox is missing, closed or full."""
    return bool({"certain", "bad", "closed", "full"} & set(_categories(text)))


def _is_vacation(arrival: Arrival) -> bool:
    head = arrival.headers
    return "vacation" in head.text("auto-submitted").lower() or head.word("x-apple-action") == "vacation"


def _is_answer(arrival: Arrival) -> bool:
    """Sieve vacations and the like also have a null return path; they declare themselves."""
    replied = arrival.headers.word("auto-submitted") == "auto-replied"
    return _is_vacation(arrival) or (replied and not _any(arrival.subject.lower(), "failure_subjects"))


def _is_role(address: str) -> bool:
    local = address.lower().partition("@")[0]
    roles = toml("machines.toml")["role_names"]
    return local in roles or any(word in roles for word in re.split(r"[^a-z]+", local))


def _any(text: str, words: str) -> bool:
    return bool(phrases("machines.toml", words).find(text))


def _split(text: str) -> tuple[str, str]:
    """The server's words, and what it gives back: below a marker, or from a block of mail headers on."""
    lines = text.splitlines()
    words = toml("machines.toml")
    markers, whole = tuple(words["returned_markers"]), words["returned_lines"]
    for number, line in enumerate(lines):
        folded = line.strip(" -=*_|>\t:").lower()
        if number and (folded.startswith(markers) or folded in whole):
            return "\n".join(lines[:number]), "\n".join(lines[number + 1 :]).lstrip()
        if _starts_head(lines, number):
            return "\n".join(lines[:number]), "\n".join(lines[number:])
    return text, ""


def _starts_head(lines: list[str], number: int) -> bool:
    first = _HEADER_LINE.match(lines[number])
    if first is None:
        return False
    names = {found[1].lower() for line in lines[number : number + 8] if (found := _HEADER_LINE.match(line))}
    return len(names) >= 3 and bool(names & _TELLING)


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


# --- why did it fail? -------------------------------------------------------------------------------------------


def _of_block(block: Headers, arrival: Arrival) -> Failure:
    address = next(
        (plain_address(value) for value in block.every("original-recipient", "final-recipient") if "@" in value), ""
    )
    status = next(iter(_STATUS.findall(block.text("status"))), "")
    diagnostic = " ".join(_DIAGNOSTIC_TYPE.sub("", block.text("diagnostic-code")).split())
    action = block.word("action")
    if action == "delayed":
        return Failure(address, "delayed", action, status, diagnostic[:500])
    reason = judge_failure(status, diagnostic) if diagnostic or status else "unknown"
    if reason == "unknown":
        words = f"{diagnostic} {_near(address, own_words(arrival))}"
        reason = judge_failure(status, words)
        if not block.fields.get("action") and _is_delay(words):
            reason = "delayed"
    return Failure(address, reason, action, status, diagnostic[:500])


def _of_text(address: str, text: str) -> Failure:
    words = _near(address, text)
    if _is_delay(text):
        return Failure(address, "delayed")
    code = _exact("", words)
    return Failure(address, judge_failure("", words), "", code, _telling_line(words))


def _is_delay(text: str) -> bool:
    return "delayed" in _categories(text) and not _final(text)


def _telling_line(text: str) -> str:
    """The line in which the other server speaks, for people to read."""
    return next((" ".join(line.split())[:300] for line in text.splitlines() if _REPLY.search(line)), "")


def _near(address: str, text: str) -> str:
    """What is said about this address: the lines around it, or everything if it is not named."""
    at = text.lower().find(address) if address else -1
    return text[max(0, at - 600) : at + 1500] if at >= 0 else text


def _final(text: str) -> bool:
    lowered = text.lower()
    return any(word in lowered for word in toml("machines.toml")["final_words"])


def _exact(status: str, text: str) -> str:
    """The most telling code: a bare x.0.0 says less than what the server's own words hold."""
    if status and not _VAGUE.fullmatch(status):
        return status
    return next((code for code in _STATUS.findall(text) if not _VAGUE.fullmatch(code) and code[0] in "45"), status)


_MEANS = {
    "sender": "policy",
    "certain": "hard",
    "bad": "hard",
    "closed": "closed",
    "their_rule": "unknown",
    "greylisted": "soft",
    "full": "soft",
    "temporary": "soft",
    "delayed": "soft",
    "policy": "policy",
    "content": "content",
}


def _categories(text: str) -> tuple[str, ...]:
    """What the text says, most telling first. Addresses and links are no words: `full@` is not a full mailbox."""
    folded = fold(re.sub(r"https?://\S+", " ", text[:_LOOKED_AT]))
    for address in find_addresses(folded):
        folded = folded.replace(address, " ")
    words = words_of(folded)
    return tuple(category for category, table in _reasons() if table.find(folded, words))


@cache
def _reasons() -> tuple[tuple[str, Phrases], ...]:
    tables: dict[str, Any] = toml("bounce_phrases.toml")
    return tuple((category, Phrases(table, whole=True)) for category, table in tables.items())
