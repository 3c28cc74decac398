"""What an incoming message turned out to be: its kind, why, and for a bounce what became of each address."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Kind(StrEnum):
    """The kinds of incoming mail. Only REPLY and UNSUBSCRIBE come from people who meant us."""

    REPLY = "reply"
    AUTO_REPLY = "auto_reply"
    BOUNCE = "bounce"
    UNSUBSCRIBE = "unsubscribe"
    COMPLAINT = "complaint"
    CHALLENGE = "challenge"
    RECEIPT = "receipt"
    AUTOMATIC = "automatic"
    UNRELATED = "unrelated"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class Failure:
    """One address of a delivery report. `reason` is hard, closed, soft, delayed, policy, content or unknown."""

    address: str
    reason: str
    action: str = ""
    status: str = ""
    diagnostic: str = ""

    def __str__(self) -> str:
        facts = (f"Status {self.status}" if self.status else "", self.diagnostic[:200])
        said = ", ".join(fact for fact in facts if fact) or "no reason given"
        return f"{self.reason}: {said} for {self.address or 'an address it does not name'}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a message is. `evidence` starts with the rule that decided; `returns_on` is when someone absent is back."""

    kind: Kind
    subkind: str = ""
    evidence: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()
    returns_on: date | None = None

    def failure_of(self, address_key: str) -> Failure:
        """The failure of this address; a forwarded mail's report names only where it was forwarded to."""
        return next((failure for failure in self.failures if failure.address == address_key), self.failures[0])
