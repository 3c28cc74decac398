"""How long an answer of a finder counts, and what may be spent. Pure."""

from datetime import datetime, timedelta

from outreach.core.ports import LookupOutcome

REMEMBERED = timedelta(days=30)
UNREACHABLE_REMEMBERED = timedelta(days=1)
MAIL_DOMAIN_REMEMBERED = timedelta(days=7)
BUDGET_SPAN = timedelta(hours=24)
_SPANS = {
    LookupOutcome.ANSWERED: REMEMBERED,
    LookupOutcome.NOTHING: REMEMBERED,
    LookupOutcome.DOUBTFUL: REMEMBERED,
    LookupOutcome.UNREACHABLE: UNREACHABLE_REMEMBERED,
}
_UNTIL_SAID = (LookupOutcome.DOUBTFUL, LookupOutcome.UNREACHABLE)


def still_counts(outcome: LookupOutcome, asked_at: datetime, now: datetime, *, ask_again: bool = False) -> bool:
    """Whether a question that was asked then need not, or must not, be asked now.

    A person's wish not to be found counts for ever; a doubtful answer, or a site that was down, until the user says so.
    """
    if outcome is LookupOutcome.RESTRICTED:
        return True
    if outcome not in _SPANS or (ask_again and outcome in _UNTIL_SAID):
        return False
    return now - asked_at < _SPANS[outcome]


def again_from(outcome: LookupOutcome, asked_at: datetime) -> datetime | None:
    """When somebody who was not there is tried again; None for every other answer."""
    return asked_at + UNREACHABLE_REMEMBERED if outcome is LookupOutcome.UNREACHABLE else None
