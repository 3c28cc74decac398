"""What a careful reader would object to in a finished message. Every finding holds the mail back.

It looks at the bytes that would go out, not at the template: what the reader gets is what counts.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from outreach.core.encoding import ANSWER_PREFIX
from outreach.core.message import OPT_OUT, read_draft
from outreach.core.normalize import is_free_mail, is_role_inbox
from outreach.core.records import Draft, Message, Sender
from outreach.core.wire import check_wire
from outreach.resources import table

_LEFTOVER = re.compile(
    r"\{\{|\}\}|\{%|%\}|\{#|#\}"  # of a template
    r"|\[[A-Z]{2,20}(?:[ _][A-Z]{2,20}){1,3}\]|\[(?:NAME|COMPANY|FOUNDER|CITY|TITLE|DATE)\]"  # [FIRST NAME]
    r"|(?i:<(?:first|last|full|company)[ _-]?name>|\{(?:first|last|full|company)_?name\})"
)
_SAYS_NOTHING = re.compile(r"\bNone\b(?! of\b)|\bnan\b|\bNaN\b")
_MARKUP = re.compile(r"<(?:a|img|html|body|script|style|iframe|br|p|div|span)(?:\s[^>]{0,200})?/?>", re.IGNORECASE)
_NOT_HOST = re.compile(r"[^\w.-]+")


@dataclass(frozen=True, slots=True)
class Finding:
    """One objection: the name of the rule, and a sentence for the writer."""

    rule: str
    message: str


@dataclass(frozen=True, slots=True)
class _Mail:
    """The message as its reader will see it, and what it claims about itself."""

    subject: str
    text: str
    own: str
    """The text without the footer."""
    answers: bool
    step: int
    sender: Sender
    recipient: str


def lint_message(message: Message, draft: Draft, *, step: int, sender: Sender, recipient: str) -> list[Finding]:
    """Everything that speaks against sending this message; `draft` is what it was built from."""
    seen = read_draft(message.mime)
    head = message.mime.partition(b"\r\n\r\n")[0]
    mail = _Mail(seen.subject, seen.text, draft.text, b"\r\nIn-Reply-To: " in head, step, sender, recipient)
    found = [Finding(rule, sentence) for rule, question in _RULES for sentence in question(mail)]
    return found + [Finding("wire", fault) for fault in check_wire(message.mime, recipient, message.message_id)]


def _subject(mail: _Mail) -> Iterator[str]:
    if not mail.subject.strip():
        yield "the mail has no subject" if mail.step == 1 else "there is no sent mail whose thread it could continue"
    elif not mail.answers and ANSWER_PREFIX.match(mail.subject):
        yield f"the subject {mail.subject!r} pretends to be an answer"


def _leftover(mail: _Mail) -> Iterator[str]:
    found = _LEFTOVER.search(f"{mail.subject}\n{mail.text}")
    if found:
        yield f"{found[0]!r} was left over in the text"


def _says_nothing(mail: _Mail) -> Iterator[str]:
    found = _SAYS_NOTHING.search(f"{mail.subject}\n{mail.own}")
    if found:
        yield f"{found[0]!r} stands in the text, which looks like an empty field"


def _greeting(mail: _Mail) -> Iterator[str]:
    line = next((line.strip() for line in mail.text.splitlines() if line.strip()), "")
    match = _greeting_pattern().fullmatch(line)
    if not match:
        return
    name = match["name"].strip().casefold()
    if not name and (match["gap"] or line.casefold().startswith("dear")):
        yield f"the greeting {line!r} has no name"
    elif name in table("placeholder_names.txt"):
        yield f"the greeting {line!r} names nobody"


def _shortener(mail: _Mail) -> Iterator[str]:
    hosts = {word.strip(".").removeprefix("www.") for word in _NOT_HOST.split(mail.text.lower())}
    for host in sorted(hosts & set(table("link_shorteners.txt"))):
        yield f"{host} hides where a link leads; write the address itself"


def _markup(mail: _Mail) -> Iterator[str]:
    found = _MARKUP.search(mail.own)
    if found:
        yield f"{found[0][:60]!r} is HTML, and this is a plain text"


def _opt_out(mail: _Mail) -> Iterator[str]:
    flat = " ".join(mail.text.split())
    if " ".join(OPT_OUT.split()) not in flat:
        yield "the mail does not say how to opt out"
    if mail.sender.postal_address and " ".join(mail.sender.postal_address.split()) not in flat:
        yield "the postal address is not in the mail"


def _own_domain(mail: _Mail) -> Iterator[str]:
    domain = mail.recipient.rpartition("@")[2].lower()
    own = mail.sender.address.rpartition("@")[2].lower()
    if not is_free_mail(own) and (domain == own or domain.endswith(f".{own}")):
        yield f"{mail.recipient} is at your own domain"


def _role_inbox(mail: _Mail) -> Iterator[str]:
    if is_role_inbox(mail.recipient):
        yield f"{mail.recipient} is a shared inbox, not a person's"


@cache
def _greeting_pattern() -> re.Pattern[str]:
    words = "|".join(map(re.escape, table("greetings.txt")))
    return re.compile(rf"(?:{words})\b(?P<gap>\s*)(?P<name>[^,!.:]*?)\s*[,!.:]?", re.IGNORECASE)


_RULES: tuple[tuple[str, Callable[[_Mail], Iterator[str]]], ...] = (
    ("subject", _subject),
    ("leftover", _leftover),
    ("empty-value", _says_nothing),
    ("greeting", _greeting),
    ("link-shortener", _shortener),
    ("html", _markup),
    ("footer", _opt_out),
    ("own-domain", _own_domain),
    ("role-inbox", _role_inbox),
)
