"""How long an answer of a finder counts, and what may be spent. Pure."""

from datetime import datetime, timedelta

from outreach.core.ports import LookupOutcome

REMEMBERED = timedelta(days=30)
MAIL_DOMAIN_REMEMBERED = timedelta(days=7)
BUDGET_SPAN = timedelta(hours=24)
_ANSWERS = (LookupOutcome.ANSWERED, LookupOutcome.NOTHING)


def still_counts(outcome: LookupOutcome, asked_at: datetime, now: datetime, *, ask_again: bool = False) -> bool:
    """Whether a question that was asked then need not, or must not, be asked now.

    A person's wish not to be found counts for ever; a doubtful answer until the user says so.
    """
    if outcome is LookupOutcome.RESTRICTED:
        return True
    if outcome is LookupOutcome.DOUBTFUL:
        return not ask_again and now - asked_at < REMEMBERED
    return outcome in _ANSWERS and now - asked_at < REMEMBERED
