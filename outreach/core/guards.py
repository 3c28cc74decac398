"""May this founder be written to? Every rule answers, so that a person can be shown each of them.

A rule is one line of a table: its name and a question to the facts. It sees no clock but `now` and no store.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from outreach.core.normalize import is_role_inbox
from outreach.core.records import Address, AddressStatus, Founder

BETWEEN_FIRST_STEPS = timedelta(days=90)
IN_TOUCH = timedelta(days=90)
"""Whom the owner wrote to by hand so recently gets no first mail."""
_PREFERENCE = (AddressStatus.VERIFIED, AddressStatus.GIVEN, AddressStatus.RISKY, AddressStatus.GUESSED)
_ALWAYS = _PREFERENCE[:2]
CAPS = {AddressStatus.RISKY: 20, AddressStatus.GUESSED: 10}
"""What a campaign may allow besides, and the most people it then writes to at such addresses."""
_BOUNCES_TO_STOP = {AddressStatus.RISKY: 2, AddressStatus.GUESSED: 1}
_DEAD = frozenset(("closed", "acquired"))


@dataclass(frozen=True, slots=True)
class Facts:
    """What the store knows about writing to one founder."""

    founder: Founder
    suppressed_by: tuple[str, ...] = ()
    """Reasons of the suppressions that cover the person, an address, a domain or the company."""
    replied_at: datetime | None = None
    answered_colleague: str = ""
    """Someone of the same company who answered, or asked not to be written to."""
    first_written_at: datetime | None = None
    """When the newest first step to them may have left, over all other campaigns."""
    other_campaign: str = ""
    """Another campaign in which they are in progress."""
    busy_colleague: str = ""
    """Someone of the same company to whom a sequence is running."""
    by_hand_at: datetime | None = None
    """When the owner last wrote to them by hand, as the Sent folder shows."""
    namesake: str = ""
    """Someone of the same name at another company who was written to, and where."""
    allows: tuple[AddressStatus, ...] = ()
    """What this campaign may write to besides addresses that are given or verified."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One rule's answer. `detail` says why not, and what could be done."""

    rule: str
    ok: bool
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.rule}: {self.detail}" if self.detail else self.rule


def sendable_address(addresses: Sequence[Address], allows: Sequence[AddressStatus] = ()) -> Address | None:
    """The address to write to: verified before given, then the one that came first. Of the others only what a campaign
    allows, and the surest of them."""
    usable = [address for address in addresses if address.status in (*_ALWAYS, *(set(allows) & set(CAPS)))]
    return min(usable, key=_preference, default=None)


def _preference(address: Address) -> tuple[int, int]:
    doubtful = address.status not in _ALWAYS
    return _PREFERENCE.index(address.status), -(address.confidence or 0) if doubtful else 0


def unchecked_bounces_stop(status: AddressStatus, bounced: int) -> str:
    """Why a campaign rests after so many bounces of addresses that it was allowed to try; empty if it may go on."""
    if bounced < _BOUNCES_TO_STOP.get(status, bounced + 1):
        return ""
    mails = "a mail" if bounced == 1 else f"{bounced} mails"
    return f"{mails} to {status} addresses came back, and such bounces harm a mailbox"


def recipient_allowed(address: str, allowed: Sequence[str]) -> bool:
    """Whether a test profile (`OUTREACH_ALLOW_RECIPIENTS`: addresses and domains) lets a mail go there."""
    wanted = address.lower()
    return not allowed or wanted in allowed or wanted.rpartition("@")[2] in allowed


def answers(facts: Facts, now: datetime) -> tuple[Answer, ...]:
    """Every rule's answer, in a fixed order."""
    return tuple(_answer(rule, question(facts, now)) for rule, question in _RULES)


FOLLOW_UP_RULES = frozenset(("suppressed", "replied", "unverified-address", "no-address"))
"""What may stand in the way of a step after the first; the others were asked before that."""


def objections(facts: Facts, step: int, now: datetime) -> tuple[str, ...]:
    """Why this step may not be written to them now; empty where it may."""
    found = answers(facts, now)
    return blocks(found if step == 1 else [answer for answer in found if answer.rule in FOLLOW_UP_RULES])


def blocks(found: Sequence[Answer]) -> tuple[str, ...]:
    """The reasons not to write; empty where all is well."""
    return tuple(str(answer) for answer in found if not answer.ok)


def _answer(rule: str, detail: str) -> Answer:
    return Answer(rule, ok=not detail, detail=detail)


# --- the rules: an empty answer lets the mail pass ---------------------------------------------------


def _suppressed(facts: Facts, _now: datetime) -> str:
    return "; ".join(facts.suppressed_by)


def _replied(facts: Facts, _now: datetime) -> str:
    return f"they answered on {facts.replied_at:%Y-%m-%d}" if facts.replied_at else ""


def _colleague_answered(facts: Facts, _now: datetime) -> str:
    return f"{facts.answered_colleague}, of the same company, answered" if facts.answered_colleague else ""


def _no_address(facts: Facts, _now: datetime) -> str:
    return "" if facts.founder.addresses else "no e-mail address is known; outreach find looks for one"


def _unverified(facts: Facts, _now: datetime) -> str:
    if not facts.founder.addresses or sendable_address(facts.founder.addresses, facts.allows):
        return ""
    known = ", ".join(f"{address.address} is {address.status}" for address in facts.founder.addresses)
    dead = all(address.status in (AddressStatus.BOUNCED, AddressStatus.INVALID) for address in facts.founder.addresses)
    return f"no address is given or verified ({known})" + ("; outreach find looks for another" if dead else "")


def _role_inbox(facts: Facts, _now: datetime) -> str:
    address = sendable_address(facts.founder.addresses, facts.allows)
    return f"{address.address} is a shared inbox" if address and is_role_inbox(address.key) else ""


def _contacted(facts: Facts, now: datetime) -> str:
    at = facts.first_written_at
    return f"a first mail went out on {at:%Y-%m-%d}" if at and now - at < BETWEEN_FIRST_STEPS else ""


def _in_touch(facts: Facts, now: datetime) -> str:
    at = facts.by_hand_at
    return f"you wrote to them by hand on {at:%Y-%m-%d}" if at and now - at < IN_TOUCH else ""


def _elsewhere(facts: Facts, _now: datetime) -> str:
    return f"campaign {facts.other_campaign} is writing to them" if facts.other_campaign else ""


def _company_busy(facts: Facts, _now: datetime) -> str:
    return f"{facts.busy_colleague}, of the same company, is being written to" if facts.busy_colleague else ""


def _namesake(facts: Facts, _now: datetime) -> str:
    return f"a person of this name is or was written to at {facts.namesake}" if facts.namesake else ""


def _company_gone(facts: Facts, _now: datetime) -> str:
    company = facts.founder.company
    return f"{company.name} is {company.status}" if company and company.status in _DEAD else ""


_RULES: tuple[tuple[str, Callable[[Facts, datetime], str]], ...] = (
    ("suppressed", _suppressed),
    ("replied", _replied),
    ("company-replied", _colleague_answered),
    ("no-address", _no_address),
    ("unverified-address", _unverified),
    ("role-inbox", _role_inbox),
    ("already-contacted", _contacted),
    ("already-in-touch", _in_touch),
    ("other-campaign", _elsewhere),
    ("company-busy", _company_busy),
    ("namesake", _namesake),
    ("company-gone", _company_gone),
)
