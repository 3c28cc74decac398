"""Circuit breakers: when the answers to a campaign say that it must not go on, whoever is next on its list.

The denominator is the mails sent, never the size of the list. A breaker pauses; only a person starts the campaign
again, and is shown why it stopped.
"""

from dataclasses import dataclass
from datetime import timedelta

SPAN = timedelta(days=28)
_FEW_SENT = 20
_FEW_BOUNCES = 2
_BOUNCES = 0.02
_STRONG_BOUNCES = 0.05
_STRONG_FROM = 3
_COMPLAINTS_WARN = 1000
_COMPLAINTS_STOP = 300
"""Mails to one complaint; below so many mails the first one stops."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What came of one campaign's mails of the last 28 days: sent, bounced for good, reported as spam."""

    sent: int = 0
    bounced: int = 0
    complained: int = 0


@dataclass(frozen=True, slots=True)
class Trip:
    """A breaker that has tripped: its code, why in words, and whether a day must pass before anything goes on."""

    code: str
    why: str
    reputation: bool = False

    def __str__(self) -> str:
        return f"{self.code}: {self.why}"


def tripped(tally: Tally) -> Trip | None:
    """The breaker that stops this campaign, the gravest first."""
    return _by_complaints(tally) or _by_bounces(tally)


def warns(tally: Tally) -> str:
    """What is not yet reason enough to stop, and must be known."""
    if tally.complained and tally.complained * _COMPLAINTS_WARN >= tally.sent and not _by_complaints(tally):
        return f"{tally.complained} of {tally.sent} mails were reported as spam"
    return ""


def _by_complaints(tally: Tally) -> Trip | None:
    if tally.complained and tally.complained * _COMPLAINTS_STOP >= tally.sent:
        why = f"{tally.complained} of {tally.sent} mails were reported as spam; look at whom you write to, and what"
        return Trip("complaints", why, reputation=True)
    return None


def _by_bounces(tally: Tally) -> Trip | None:
    tried = max(tally.sent, tally.bounced)
    if tally.bounced >= _STRONG_FROM and tally.bounced > tried * _STRONG_BOUNCES:
        why = f"{tally.bounced} of {tried} mails bounced; the list is old or wrong, check it before anything else goes"
        return Trip("many-bounces", why)
    if tried >= _FEW_SENT and tally.bounced >= _FEW_BOUNCES and tally.bounced >= tried * _BOUNCES:
        return Trip("bounces", f"{tally.bounced} of {tried} mails bounced; check the addresses before it goes on")
    return None
