"""Which of our mails a message is about. Evidence is tried in a fixed order; the first that names a mail of ours wins.

Ids prove (nobody can guess one); addresses only suggest. What In-Reply-To says is what a mail is about, never that it
is a reply: bounces carry it too. Looking things up is the store's work.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from outreach.core.clock import WRONG_BY
from outreach.core.headers import Headers, find_addresses, find_ids
from outreach.core.inbound import Arrival
from outreach.core.normalize import address_key, is_free_mail, registrable_domain
from outreach.resources import table

MAIL_AGE = timedelta(days=14)
"""How long after a mail a bounce that only names its recipient still counts."""
_CLOCK_SKEW = timedelta(days=1)
"""How much earlier than our mail its answer may be dated, as clocks go; by `WRONG_BY` only where no other fits."""
_SCANNED = 64_000
_TELLING_SUBJECT = 8
_TO_US = ("to", "cc", "delivered-to", "x-original-to", "envelope-to")
LINKING = (
    "message-id",
    "in-reply-to",
    "references",
    "x-ms-exchange-parent-message-id",
    "x-microsoft-original-message-id",
    "x-google-original-message-id",
)
"""Headers in which an id of ours may stand."""
_MOST_READERS = 20
"""A mail of ours to more people than this is no conversation with any of them."""

_BASE32 = r"[a-z2-7]{26,56}"  # base32 of 128 bits or more
_PLUS_TOKEN = re.compile(rf"\+(?:u-?)?({_BASE32})@", re.IGNORECASE)
_SUBJECT_TOKEN = re.compile(rf"\bunsubscribe[ _]+({_BASE32})\b", re.IGNORECASE)
_BARE_TOKEN = re.compile(rf"X-Outreach-Id:\s*({_BASE32})\b", re.IGNORECASE)
_SRS = re.compile(r"^srs[01][=+-].*=([^=]+)=([^=@]+)@", re.IGNORECASE)
_TAGGED = re.compile(r"^(?:prvs=[^=]*=|btv1==[^=]*==)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Clue:
    """A token or id that may be ours, or an address we may have written to, and where it stood."""

    value: str
    where: str


@dataclass(frozen=True, slots=True)
class Clues:
    """Everything in a message that may link it to a mail of ours, in the order in which it counts."""

    tokens: tuple[Clue, ...] = ()
    ids: tuple[Clue, ...] = ()
    recipients: tuple[Clue, ...] = ()
    """Canonical addresses a report names; empty for mail that is no report."""
    correspondents: tuple[str, ...] = ()
    """Canonical addresses: who wrote it; for a mail of ours, to whom."""
    domain: str = ""
    """The sender's registrable domain; empty for free mail."""
    topic: str = ""


@dataclass(frozen=True, slots=True)
class SentMail:
    """A mail of ours that a message may be about."""

    id: int
    message_id: str
    wire_message_id: str
    state: str
    rcpt: str
    rcpt_key: str
    subject: str
    founder_id: int
    company_id: int | None
    company_domain: str
    campaign_id: int
    step: int
    sent_at: datetime | None
    """When it may have left; None for what is still in the queue."""


@dataclass(frozen=True, slots=True)
class Prospect:
    """Someone enrolled in a campaign, found by an address of theirs."""

    founder_id: int
    address_key: str
    company_id: int | None
    company_domain: str
    campaign_id: int
    enrolled_at: datetime


@dataclass(frozen=True, slots=True)
class Found:
    """What the store knows about the clues: newest mails first."""

    mails: tuple[SentMail, ...] = ()
    prospects: tuple[Prospect, ...] = ()


@dataclass(frozen=True, slots=True)
class Match:
    """Whom a message concerns. `proof`: an id or token of ours is in it; `probable`: it seems so, and stops nothing."""

    founder_id: int
    how: str
    mail: SentMail | None = None
    prospect: Prospect | None = None
    proof: bool = False
    probable: bool = False

    @property
    def company_id(self) -> int | None:
        return self.mail.company_id if self.mail else self.prospect.company_id if self.prospect else None

    @property
    def address_key(self) -> str:
        return self.mail.rcpt_key if self.mail else self.prospect.address_key if self.prospect else ""

    @property
    def domains(self) -> tuple[str, ...]:
        """The registrable domains that stand for the company; free mail stands for none."""
        company = self.mail.company_domain if self.mail else self.prospect.company_domain if self.prospect else ""
        found = (company_domain(self.address_key), registrable_domain(company) if company else "")
        return tuple(dict.fromkeys(domain for domain in found if domain and not is_free_mail(domain)))


def company_domain(address: str) -> str:
    """The registrable domain of an address; empty for free mail."""
    domain = registrable_domain(address.rpartition("@")[2]) if "@" in address else ""
    return "" if not domain or is_free_mail(domain) else domain


def clues_of(arrival: Arrival, *, report: bool, own: frozenset[str]) -> Clues:
    """Gather the clues. Only in a `report` (a bounce, a complaint) does a mere mention of an address mean its owner."""
    sender = address_key(arrival.from_address) if arrival.from_address else ""
    return Clues(
        tokens=_unique(_tokens(arrival)),
        ids=_unique(_ids(arrival)),
        recipients=tuple(clue for clue in _unique(_recipients(arrival)) if clue.value not in own) if report else (),
        correspondents=correspondents_of(arrival.from_address, arrival.to, own),
        domain=company_domain(sender),
        topic=topic(arrival.subject),
    )


def find_match(clues: Clues, found: Found, at: datetime) -> Match | None:
    """The first evidence that names a mail of ours. `at` is the message's own time."""
    return (
        _by_token(clues, found)
        or _by_id(clues, found)
        or _by_recipient(clues, found, at)
        or _by_sender(clues, found, at)
        or _by_topic(clues, found, at)
    )


_WARNED = re.compile(r"^[\[*]+\s?(?:ext|extern|external|external e?-?mail|externe|externo|esterno)\s?[\]*]+\s*")
"""What companies' gateways put before the subject of everything from outside."""


def topic(subject: str) -> str:
    """A subject without Re:, AW:, Fwd: and the like, in lower case."""
    rest, prefixes = " ".join(subject.lower().replace("：", ":").split()), table("subject_prefixes.txt")
    while True:
        rest = _WARNED.sub("", rest)
        head, colon, tail = rest.partition(":")
        if not colon or re.sub(r"\[\d+\]|\(\d+\)|\d+$", "", head).strip() not in prefixes:
            return rest
        rest = tail.strip()


def plain_address(text: str) -> str:
    """An address of a report as we wrote it: without `rfc822;` and what SRS, prvs and BATV put around return paths."""
    address = next(iter(find_addresses(text)), "")
    if rewritten := _SRS.match(address):
        address = f"{rewritten[2]}@{rewritten[1]}"
    return address_key(_TAGGED.sub("", address)) if address else ""


# --- gathering --------------------------------------------------------------------------------------------------


def tokens_of(headers: Headers, subject: str) -> Iterator[Clue]:
    """The tokens that a head holds."""
    for name in _TO_US:
        for value in headers.every(name) if name in headers else ():
            yield from (Clue(token.lower(), name.title()) for token in _PLUS_TOKEN.findall(value))
    if "nsubscribe" in subject.lower():
        yield from (Clue(token.lower(), "Subject") for token in _SUBJECT_TOKEN.findall(subject))
    yield from (Clue(value.strip().lower(), "X-Outreach-Id") for value in headers.every("x-outreach-id"))


def correspondents_of(sender: str, to: Sequence[str], own: frozenset[str]) -> tuple[str, ...]:
    """Canonical addresses: who wrote it; for a mail of ours, to whom."""
    key = address_key(sender) if sender else ""
    return (key,) if key and key not in own else tuple(address_key(each) for each in to[:_MOST_READERS])


def _tokens(arrival: Arrival) -> Iterator[Clue]:
    yield from tokens_of(arrival.headers, arrival.subject)
    yield from (Clue(value.strip().lower(), "the returned part") for value in arrival.returned.every("x-outreach-id"))
    for text in (arrival.text, arrival.returned_text, arrival.attached_text):
        yield from (Clue(token.lower(), "the body") for token in _BARE_TOKEN.findall(text[:_SCANNED]))


def _ids(arrival: Arrival) -> Iterator[Clue]:
    head = arrival.headers
    yield from (Clue(each, "Message-ID") for each in head.ids("message-id"))  # then it is a copy of our own mail
    for name in ("in-reply-to", "references"):
        yield from (Clue(each, name.title()) for each in reversed(head.ids(name)))
    yield from (Clue(each, "X-MS-Exchange-Parent-Message-Id") for each in head.ids("x-ms-exchange-parent-message-id"))
    yield from (Clue(each, "Original-Message-ID") for each in arrival.disposition.ids("original-message-id"))
    yield from (
        Clue(each, "Original-Envelope-Id") for block in arrival.statuses for each in block.ids("original-envelope-id")
    )
    names = ("message-id", "references", "x-microsoft-original-message-id", "x-google-original-message-id")
    yield from (Clue(each, "Message-ID in the returned part") for each in arrival.returned.ids(*names))
    yield from (Clue(f"<{each}>", "the id by SES") for each in arrival.returned.every("x-ses-message-id"))
    yield from (Clue(each, "Original-Message-ID") for each in head.ids(*names[2:]))
    for text in (arrival.text or arrival.words, arrival.returned_text, arrival.attached_text):
        yield from (Clue(each, "an id in the body") for each in find_ids(text[:_SCANNED]))


def _recipients(arrival: Arrival) -> Iterator[Clue]:
    """Every address a report names, from the fields that must name it to a mere mention. Only those that we wrote to
    will count, so the net may be wide."""
    for name in ("original-recipient", "final-recipient", "x-actual-recipient"):
        for block in arrival.statuses:
            yield from (Clue(plain_address(value), name.title()) for value in block.every(name))
    for address in arrival.headers.addresses("x-failed-recipients"):
        yield Clue(plain_address(address), "X-Failed-Recipients")
    for value in arrival.feedback.every("original-rcpt-to", "removal-recipient", "redacted-address"):
        yield Clue(plain_address(value), "Original-Rcpt-To")
    for address in arrival.returned.addresses("x-hmxmroriginalrecipient", "x-original-to", "delivered-to", "to", "cc"):
        yield Clue(plain_address(address), "To of the returned mail")
    yield from _mentioned("the text of the report", arrival.text or arrival.html)
    for block in arrival.statuses:
        yield from _mentioned("the report", " ".join(block.every(*block.fields)))
    yield from _mentioned("the returned mail", " ".join(arrival.returned.every(*arrival.returned.fields)))
    yield from _mentioned("the report", " ".join(arrival.feedback.every(*arrival.feedback.fields)))
    yield from _mentioned("the returned mail", arrival.returned_text)
    yield from _mentioned("an attachment", arrival.attached_text)


def _mentioned(where: str, text: str) -> Iterator[Clue]:
    for address in find_addresses(text[:_SCANNED]):
        yield Clue(plain_address(address), where)


def _unique(clues: Iterator[Clue]) -> tuple[Clue, ...]:
    first: dict[str, Clue] = {}
    for clue in clues:
        if clue.value:
            first.setdefault(clue.value, clue)
    return tuple(first.values())


# --- choosing ---------------------------------------------------------------------------------------------------


def _by_token(clues: Clues, found: Found) -> Match | None:
    mails = {_token_of(mail): mail for mail in found.mails}
    return next((_proved(mails[clue.value], "our token", clue) for clue in clues.tokens if clue.value in mails), None)


def _by_id(clues: Clues, found: Found) -> Match | None:
    mails = {bare(each): mail for mail in found.mails for each in (mail.message_id, mail.wire_message_id) if each}
    mails |= {bare(mail.wire_message_id).partition("@")[0]: mail for mail in found.mails if mail.wire_message_id}
    return next((_proved(mails[bare(clue.value)], "", clue) for clue in clues.ids if bare(clue.value) in mails), None)


def _proved(mail: SentMail, what: str, clue: Clue) -> Match:
    how = f"matched by {what} in {clue.where}" if what else f"matched by {clue.where}"
    return Match(mail.founder_id, how, mail, proof=True)


def _by_recipient(clues: Clues, found: Found, at: datetime) -> Match | None:
    for clue in clues.recipients:
        mail = _newest([mail for mail in found.mails if mail.rcpt_key == clue.value], at)
        if mail and mail.sent_at and at - mail.sent_at <= MAIL_AGE:
            return Match(mail.founder_id, f"matched by the address {mail.rcpt} in {clue.where}", mail)
    return None


def _by_sender(clues: Clues, found: Found, at: datetime) -> Match | None:
    prospect = next((each for each in found.prospects if each.address_key in clues.correspondents), None)
    if prospect is None:
        return None
    mail = _newest([mail for mail in found.mails if mail.founder_id == prospect.founder_id], at)
    if mail is None and prospect.enrolled_at > at + WRONG_BY:
        return None  # their mail is older than anything between us
    return Match(prospect.founder_id, f"matched by the address {prospect.address_key}", mail, prospect)


def _by_topic(clues: Clues, found: Found, at: datetime) -> Match | None:
    """A colleague who starts a new mail: shown, stops nothing."""
    if not clues.domain or not clues.topic:
        return None
    same = [mail for mail in found.mails if _same_topic(clues.topic, mail) and clues.domain in _domains_of(mail)]
    mail = _newest(same, at)
    if mail is None:
        return None
    return Match(mail.founder_id, f"probably about {mail.rcpt}: same company and subject", mail, probable=True)


def _same_topic(found: str, mail: SentMail) -> bool:
    """The subject we chose, perhaps with something before it: `[Request received] …`, `Automatic reply: …`."""
    ours = topic(mail.subject)
    return found == ours or (len(ours) >= _TELLING_SUBJECT and found.endswith(f" {ours}"))


def _domains_of(mail: SentMail) -> tuple[str, str]:
    return company_domain(mail.rcpt_key), mail.company_domain


def _newest(mails: Sequence[SentMail], at: datetime) -> SentMail | None:
    for skew in (_CLOCK_SKEW, WRONG_BY):
        before = [mail for mail in mails if mail.sent_at and mail.sent_at <= at + skew]
        if before:
            return max(before, key=lambda mail: (mail.sent_at or at, mail.id))
    return None


def bare(message_id: str) -> str:
    return message_id.strip("<>")


def _token_of(mail: SentMail) -> str:
    return bare(mail.message_id).partition("@")[0].removeprefix("or.")
