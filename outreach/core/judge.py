"""One message, from what arrived to what is to be done: text, verdict, consequences, and how much of it is kept.

Mail without a link to us is the owner's business: nothing of it is kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from outreach.core.case import Case
from outreach.core.classify import classify
from outreach.core.consequences import plan_consequences
from outreach.core.inbound import Arrival
from outreach.core.interest import Guess, guess_interest
from outreach.core.matching import Match
from outreach.core.measures import Consequence, HoldPerson
from outreach.core.reply_text import ReplyText, read_reply
from outreach.core.verdict import Kind, Verdict

_ALWAYS_KEPT = (Kind.UNSUBSCRIBE, Kind.COMPLAINT)
"""They concern the mailbox whether or not we can tell which mail they are about."""


RULES = 3
"""Which rules judged a message; it grows with every change that may judge stored mail differently."""

_NO_GUESS = Guess()


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose mailbox it is: canonical addresses, and the names by which quotes introduce them."""

    addresses: frozenset[str]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """What a message turned out to be. `kept` False: only its place in the mailbox is remembered; `private`: that it
    came and from whom, but nothing of what it says. `trouble` says why it could not be judged whole."""

    verdict: Verdict
    text: ReplyText
    consequences: tuple[Consequence, ...]
    kept: bool
    private: bool
    trouble: str
    guess: Guess = _NO_GUESS


def judge(
    arrival: Arrival,
    match: Match | None,
    sent_texts: Sequence[str],
    *,
    owner: Owner,
    folder: str,
    now: datetime,
    report: str | None = None,
) -> Judged:
    """Never raises: what cannot be judged holds the person it may come from, and waits for a reader. `report` is the
    rule by which it reports on a delivery, where that is known already."""
    try:
        text = read_reply(arrival, sent_texts, owner.names)
        case = Case(arrival, match, text, owner.addresses, folder, report)
        verdict = classify(case)
        consequences = plan_consequences(case, verdict, now)
    except Exception as error:  # noqa: BLE001  each message stands alone: none may stop the loop
        return _unjudged(match, f"it could not be judged ({type(error).__name__})")
    own = verdict.kind is Kind.OWN
    linked = match is not None and (not own or (verdict.subkind == "by_hand" and folder == "sent"))
    kept = linked or verdict.kind in _ALWAYS_KEPT or bool(arrival.trouble and not own)
    private = own or (match is None and verdict.kind not in _ALWAYS_KEPT)
    guess = guess_interest(text.new) if verdict.kind is Kind.REPLY else _NO_GUESS
    return Judged(verdict, text, consequences, kept, private, arrival.trouble, guess)


def _unjudged(match: Match | None, trouble: str) -> Judged:
    hold = HoldPerson(match.founder_id, None, "a mail that could not be read, please look") if match else None
    verdict = Verdict(
        Kind.AUTOMATIC if match else Kind.UNRELATED, "", (trouble, match.how if match else "no link to our mail")
    )
    return Judged(
        verdict, ReplyText("", ""), (hold,) if hold else (), kept=True, private=match is None, trouble=trouble
    )
