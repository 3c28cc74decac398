"""What a server's reply means and what to do about it, for the message and for everything wider than it.

The phase decides first: without a valid reply after the dot nobody but the server knows, so that is UNKNOWN whatever
the exception said (RFC 1047). Then the table of `smtp_replies.toml`, then the class of the code.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from outreach.core.ports import Outcome, Phase, SendResult
from outreach.core.records import OutboxState
from outreach.resources import toml

GIVE_UP_AFTER = timedelta(hours=24)
_BACKOFF_MINUTES = (5, 15, 60, 240)
_WIDER_BACKOFF = timedelta(minutes=5)
_WIDER_BACKOFF_MAX = timedelta(hours=4)
_UNKNOWNS_PAUSE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of the message (`state`, due again at `retry_at`) and of what is wider than it.

    `pause` is how long the mailbox rests; `until_fixed` means until a person acts. `counts` says whether this try
    counts as an attempt.
    """

    state: OutboxState
    rule: str
    means: str = ""
    retry_at: datetime | None = None
    counts: bool = True
    suppress_address: bool = False
    stop_campaign: bool = False
    pause: timedelta | None = None
    until_fixed: bool = False


def decide(result: SendResult, *, attempts: int, failures_in_row: int, now: datetime) -> Decision:
    """The action for one result. `attempts` were made before it; `failures_in_row` the mailbox met just before.

    A message is given up once the waits between its tries come to 24 hours: a pause of the mailbox or a closed window
    is no try and costs it nothing.
    """
    if result.outcome is Outcome.ACCEPTED:
        return Decision(OutboxState.SENT, "accepted")
    if result.outcome is Outcome.UNKNOWN and result.phase is Phase.DOT:
        pause = _UNKNOWNS_PAUSE if failures_in_row else None
        return Decision(
            OutboxState.UNKNOWN,
            "no-reply-after-dot",
            "nobody but the server knows whether it took this mail",
            pause=pause,
        )
    rule = next((rule for rule in _rules() if _fits(rule, result)), _by_class(result))
    row = rule["row"]
    if row == "retry" and sum(map(_backoff, range(attempts + 1)), timedelta()) > GIVE_UP_AFTER:
        row = "fail"
    return Decision(
        state=OutboxState.FAILED if row == "fail" else OutboxState.QUEUED,
        rule=rule["name"],
        means=rule.get("means", ""),
        retry_at=now + _backoff(attempts) if row == "retry" else now,
        counts=row != "keep",
        **_wider(rule, failures_in_row),
    )


def mended_by_login(reason: str) -> bool:
    """Whether a mailbox rests for something that a successful connection and login prove to be mended."""
    first = frozenset(("connect", "tls", "auth"))
    return any(rule.get("means") == reason and first.issuperset(rule.get("phases", ("any",))) for rule in _rules())


def _rules() -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = toml("smtp_replies.toml")["rule"]
    return rules


def _fits(rule: Mapping[str, Any], result: SendResult) -> bool:
    if "phases" in rule and result.phase not in rule["phases"]:
        return False
    # An enhanced code counts only if its class equals the basic code's (RFC 3463 section 2).
    enhanced = result.enhanced if result.enhanced[:1] == str(result.code)[:1] else ""
    tests = ((rule.get("code"), str(result.code)), (rule.get("enhanced"), enhanced))
    if any(pattern and not re.fullmatch(pattern, value) for pattern, value in tests):
        return False
    return "text" not in rule or re.search(rule["text"], result.text.lower()) is not None


def _by_class(result: SendResult) -> Mapping[str, Any]:
    if result.outcome is Outcome.REJECTED:
        return {"name": "rejected", "row": "fail", "means": "the server refused this mail"}
    if result.code:
        return {"name": "deferred", "row": "retry", "means": "the server asks to try again later"}
    return {
        "name": "connection-lost",
        "row": "retry",
        "wider": "backoff",
        "after": 3,
        "means": "the connection broke before the mail was handed over",
    }


def _backoff(attempts: int) -> timedelta:
    return timedelta(minutes=_BACKOFF_MINUTES[min(attempts, len(_BACKOFF_MINUTES) - 1)])


def _wider(rule: Mapping[str, Any], failures_in_row: int) -> dict[str, Any]:
    hours = rule.get("hours")
    match rule.get("wider"):
        case "suppress-address":
            return {"suppress_address": True}
        case "stop-campaign":
            return {"stop_campaign": True, "pause": timedelta(hours=hours) if hours else None}
        case "pause-mailbox":
            return {"pause": timedelta(hours=hours) if hours else None, "until_fixed": not hours}
        case "backoff" if (times := failures_in_row + 1 - rule.get("after", 1)) >= 0:
            return {"pause": min(_WIDER_BACKOFF * 2**times, _WIDER_BACKOFF_MAX)}
        case _:
            return {}
