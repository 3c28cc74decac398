"""What must not be in a finished message. Every finding holds the mail back.

It looks at the bytes that would go out, not at the template: what the reader gets is what counts. What a careful writer
would rather avoid is `core.review`.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

from outreach.core.encoding import ANSWER_PREFIX
from outreach.core.findings import Finding
from outreach.core.mentions import Names
from outreach.core.message import OPT_OUT
from outreach.core.normalize import is_free_mail, is_role_inbox
from outreach.core.read_back import read_draft
from outreach.core.records import Draft, Founder, Message, Sender
from outreach.core.wire import check_wire
from outreach.resources import table, words

__all__ = ["Finding", "lint_message"]

MAX_BYTES = 3_000_000
"""Two megabytes of attachments, in base64."""
_LEFTOVER = re.compile(
    r"\{\{|\}\}|\{%|%\}|\{#|#\}"  # of a template
    r"|\[[A-Z]{2,20}(?:[ _][A-Z]{2,20}){1,3}\]|\[(?:NAME|COMPANY|FOUNDER|CITY|TITLE|DATE)\]"  # [FIRST NAME]
    r"|(?i:<(?:first|last|full|company)[ _-]?name>|\{(?:first|last|full|company)_?name\})"
    r"|(?i:\[(?:insert|your) [^\]\n]{1,40}\])|\blorem ipsum\b|OrValue\d+x"
)
_LEFTOVER_SIGNS = ("{", "}", "[", "<", "lorem", "OrValue")
_SAYS_NOTHING = re.compile(r"\bNone\b(?! of\b)|\bnan\b|\bNaN\b")
_MARKUP = re.compile(r"<(?:a|img|html|body|script|style|iframe|br|p|div|span)(?:\s[^>]{0,200})?/?>", re.IGNORECASE)
_NOT_HOST = re.compile(r"[^\w.-]+")
_REMOTE = re.compile(r"<(?:img|script|link|iframe|object|embed|video|audio|source)\b|\bsrc\s*=|url\(", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Mail:
    """The message as its reader will see it, and what it claims about itself."""

    subject: str
    text: str
    html: str
    own: str
    """The text without the footer."""
    answers: bool
    size: int
    step: int
    sender: Sender
    recipient: str
    notice: str


def lint_message(
    message: Message,
    draft: Draft,
    *,
    step: int,
    sender: Sender,
    recipient: str,
    notice: str = "",
    founder: Founder | None = None,
    names: Names | None = None,
) -> list[Finding]:
    """Everything that speaks against sending this message; `draft` is what it was built from. With `names`, also that
    it names somebody else."""
    seen = read_draft(message.mime)
    head = message.mime.partition(b"\r\n\r\n")[0]
    mail = _Mail(
        seen.subject, seen.text, seen.html, draft.text, b"\r\nIn-Reply-To: " in head, len(message.mime), step, sender,
        recipient, notice,
    )  # fmt: skip
    found = [Finding(rule, sentence, quote=quote) for rule, question in _RULES for sentence, quote in question(mail)]
    if names and founder:
        found += [_other_name(name) for name in names.strangers(f"{mail.subject}\n{mail.own}", founder, sender)]
    return found + [Finding("wire", fault) for fault in check_wire(message.mime, recipient, message.message_id)]


_Said = Iterator[tuple[str, str]]


def _other_name(name: str) -> Finding:
    return Finding("other-name", f"{name!r}, who is somebody else, is named in this mail", quote=name)


def _subject(mail: _Mail) -> _Said:
    if not mail.subject.strip():
        yield (
            "the mail has no subject" if mail.step == 1 else "there is no sent mail whose thread it could continue",
            "",
        )
    elif mail.answers and mail.step == 1:
        yield "a first mail pretends to answer one", ""
    elif not mail.answers and ANSWER_PREFIX.match(mail.subject):
        yield f"the subject {mail.subject!r} pretends to be an answer", mail.subject


def _leftover(mail: _Mail) -> _Said:
    for text in (mail.subject, mail.text):
        found = _LEFTOVER.search(text) if any(sign in text for sign in _LEFTOVER_SIGNS) else None
        if found:
            yield f"{found[0]!r} was left over in the text", found[0]
            return


def _says_nothing(mail: _Mail) -> _Said:
    for text in (mail.subject, mail.own):
        found = _SAYS_NOTHING.search(text) if "None" in text or "nan" in text or "NaN" in text else None
        if found:
            yield f"{found[0]!r} stands in the text, which looks like an empty field", found[0]
            return


def _greeting(mail: _Mail) -> _Said:
    line = next((line.strip() for line in mail.text.split("\n") if line.strip()), "")
    match = _greeting_pattern().fullmatch(line)
    if not match:
        return
    name = match["name"].strip().casefold()
    if not name and (match["gap"] or line.casefold().startswith("dear")):
        yield f"the greeting {line!r} has no name", line
    elif name in words("placeholder_names.txt"):
        yield f"the greeting {line!r} names nobody", line


def _shortener(mail: _Mail) -> _Said:
    shown = f"{mail.text}\n{mail.html}".lower()
    near = [host for host in table("link_shorteners.txt") if host in shown]
    if not near:
        return
    hosts = {word.strip(".").removeprefix("www.") for word in _NOT_HOST.split(shown)}
    for host in sorted(hosts.intersection(near)):
        yield f"{host} hides where a link leads; write the address itself", host


def _markup(mail: _Mail) -> _Said:
    found = _MARKUP.search(mail.own) if "<" in mail.own else None
    if found and not mail.html:
        yield f"{found[0][:60]!r} is HTML, and this is a plain text", found[0][:60]
    remote = _REMOTE.search(mail.html) if mail.html else None
    if remote:
        yield f"{remote[0]!r} in the HTML part would fetch something from elsewhere", ""


def _footer(mail: _Mail) -> _Said:
    flat = " ".join(mail.text.split())
    if OPT_OUT not in flat:
        yield "the mail does not say how to opt out", ""
    if mail.sender.postal_address and _flat(mail.sender.postal_address) not in flat:
        yield "the postal address is not in the mail", ""
    if mail.notice and _flat(mail.notice) not in flat:
        yield "the mail does not say where the address is from", ""


def _own_domain(mail: _Mail) -> _Said:
    domain = mail.recipient.rpartition("@")[2].lower()
    own = mail.sender.address.rpartition("@")[2].lower()
    if (domain == own or domain.endswith(f".{own}")) and not is_free_mail(own):
        yield f"{mail.recipient} is at your own domain", ""


def _role_inbox(mail: _Mail) -> _Said:
    if is_role_inbox(mail.recipient):
        yield f"{mail.recipient} is a shared inbox, not a person's", ""


def _trap(mail: _Mail) -> _Said:
    local = mail.recipient.partition("@")[0].lower()
    if any(word in local for word in table("trap_words.txt")):
        yield f"{mail.recipient} looks like a trap for senders of unasked mail", ""


def _size(mail: _Mail) -> _Said:
    if mail.size > MAX_BYTES:
        yield f"the mail is {mail.size / 1_000_000:.1f} MB large; many servers refuse it", ""


@lru_cache(maxsize=1024)
def _flat(text: str) -> str:
    return " ".join(text.split())


@cache
def _greeting_pattern() -> re.Pattern[str]:
    opening = "|".join(map(re.escape, table("greetings.txt")))
    return re.compile(rf"(?:{opening})\b(?P<gap>\s*)(?P<name>[^,!.:]*?)\s*[,!.:]?", re.IGNORECASE)


_RULES: tuple[tuple[str, Callable[[_Mail], _Said]], ...] = (
    ("subject", _subject),
    ("leftover", _leftover),
    ("empty-value", _says_nothing),
    ("greeting", _greeting),
    ("link-shortener", _shortener),
    ("html", _markup),
    ("footer", _footer),
    ("own-domain", _own_domain),
    ("role-inbox", _role_inbox),
    ("trap", _trap),
    ("size", _size),
)
