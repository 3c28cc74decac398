"""Reports on a delivery that lack a report's parts (RFC 3464): told by sender, subject and words, by rules in order.

Half of all bounces are such, and a person who forwards one or writes of one must not be taken for a server.
"""

import re
from collections.abc import Callable
from functools import cached_property

from outreach.core.failures import STATUS, categories
from outreach.core.headers import Headers, read_block
from outreach.core.inbound import Arrival
from outreach.core.phrases import phrases
from outreach.resources import toml

_LOOKED_AT = 4_000
_EARLY = 1_500
_ERROR_AMONG = 20
_FIRST_WORDS = 500
REPLY_LINE = re.compile(r"(?:^|[\s:;\"'#<(\[=>])([45][0-5]\d)[ \-](?:\d\.\d\.\d|[<\"'\w])", re.MULTILINE)
_ERROR_LINE = re.compile(r"\s{0,8}(?:error|reason|status|fehler|grund|erreur|motif|diagnostic)(?: code)?\s?:\s", re.I)
_ONLY_REPORTS = ("mailer-daemon", "mailerdaemon", "microsoftexchange329e71ec88ae4615bbc36ab6ce4")
_HEADER_LINE = re.compile(
    r"^[>|\s]{0,4}(received|return-path|message-id|mime-version|date|from|to|subject|x-[\w-]+):", re.I
)
_TELLING = frozenset(("received", "return-path", "message-id", "mime-version"))


def undeclared_rule(arrival: Arrival) -> str:
    """A report without a report's parts: the first rule that knows it."""
    if "x-failed-recipients" in arrival.headers:
        return "X-Failed-Recipients"
    notice = _Notice(arrival)
    if notice.subject.startswith(tuple(toml("machines.toml")["forward_prefixes"])):
        return ""
    return next((name for name, knows in _UNDECLARED if knows(notice)), "")


def own_words(arrival: Arrival) -> str:
    """What the server itself says: the readable text up to the mail that it gives back."""
    return _split(arrival.words[: 2 * _LOOKED_AT])[0][:_LOOKED_AT]


def loose_head(arrival: Arrival) -> Headers:
    """The head of our mail where it is given back as plain text, below what the server says."""
    return read_block(_split(arrival.words)[1].replace("\n>", "\n").lstrip("> "))


def is_role(address: str) -> bool:
    local = address.lower().partition("@")[0]
    roles = toml("machines.toml")["role_names"]
    return local in roles or any(word in roles for word in re.split(r"[^a-z]+", local))


def says(text: str, words: str) -> bool:
    return bool(phrases("machines.toml", words).find(text))


def is_threaded(arrival: Arrival) -> bool:
    """Whether it is an answer by its head, which shows nothing that only machines have."""
    return _Notice(arrival).threaded


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
        return says(self.subject, "failure_subjects")

    @cached_property
    def words(self) -> bool:
        return says(self.text, "failure_words")

    @cached_property
    def early_words(self) -> bool:
        return says(self.text[:_EARLY], "failure_words")

    @cached_property
    def failed(self) -> bool:
        return self.words or REPLY_LINE.search(self.said) is not None or _gives_reason(self.text)

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
            self.null_path or self.head.word("auto-submitted") not in ("", "no") or is_role(self.arrival.from_address)
        )
        answers = self.subject.startswith(tuple(toml("machines.toml")["answer_prefixes"]))
        return answers or ("in-reply-to" in self.head and not machine)


def _by_daemon(notice: _Notice) -> bool:
    arrival = notice.arrival
    sender = f"{arrival.from_name} {arrival.from_address.partition('@')[0]}".lower()
    daemon = not arrival.from_address or says(sender, "daemon_names")
    if not daemon or is_vacation(arrival):
        return False
    return notice.failing_subject or notice.words or bool(REPLY_LINE.search(notice.said) or STATUS.search(notice.said))


def _by_reporter(notice: _Notice) -> bool:
    local = notice.arrival.from_address.lower().partition("@")[0]
    return local.startswith(_ONLY_REPORTS) and notice.names_address and not is_vacation(notice.arrival)


def _by_opening(notice: _Notice) -> bool:
    lines = notice.said.lower().splitlines()
    opening = " ".join(line for line in lines if not line.lstrip().startswith((">", "|")))[:_FIRST_WORDS]
    return says(opening, "failure_openings") and not notice.by_person and notice.failed


def _by_subject(notice: _Notice) -> bool:
    certain = notice.subject.startswith(tuple(toml("machines.toml")["certain_subjects"]))
    return certain and not notice.by_person and notice.failed and notice.names_address


def _by_null_path(notice: _Notice) -> bool:
    if not notice.null_path or _is_answer(notice.arrival):
        return False
    worded = notice.failing_subject or notice.early_words or says(notice.subject, "failure_words")
    return worded and (_names_somebody(notice) or bool(notice.arrival.returned.fields))


def _by_code(notice: _Notice) -> bool:
    if _is_answer(notice.arrival) or notice.by_person or not (notice.failing_subject and notice.names_address):
        return False
    return STATUS.search(notice.said) is not None and _gives_reason(notice.text)


def _by_role(notice: _Notice) -> bool:
    worded = notice.failing_subject and notice.early_words and not _is_answer(notice.arrival)
    return worded and _names_somebody(notice) and is_role(notice.arrival.from_address)


def _names_somebody(notice: _Notice) -> bool:
    return notice.names_address or "recipient" in notice.text or REPLY_LINE.search(notice.said) is not None


_UNDECLARED: tuple[tuple[str, Callable[[_Notice], bool]], ...] = (
    ("a mail server's failure notice", _by_daemon),
    ("an address that sends nothing but reports", _by_reporter),
    ("the opening words of a mail server", _by_opening),
    ("the subject and words of a mail server", _by_subject),
    ("failure words and no return path", _by_null_path),
    ("a failure's subject, code and reason", _by_code),
    ("failure words from a machine", _by_role),
)


def _gives_reason(text: str) -> bool:
    """Whether the text says, in any language we know, that a mailbox is missing, closed or full."""
    return bool({"certain", "bad", "closed", "full"} & set(categories(text)))


def is_vacation(arrival: Arrival) -> bool:
    head = arrival.headers
    return "vacation" in head.text("auto-submitted").lower() or head.word("x-apple-action") == "vacation"


def _is_answer(arrival: Arrival) -> bool:
    """Sieve vacations and the like also have a null return path; they declare themselves."""
    replied = arrival.headers.word("auto-submitted") == "auto-replied"
    return is_vacation(arrival) or (replied and not says(arrival.subject.lower(), "failure_subjects"))


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
