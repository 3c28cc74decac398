"""What a server's reply means and what to do about it, for the message and for everything wider than it.

The phase decides first: without a valid reply after the dot nobody but the server knows, so that is UNKNOWN whatever
the exception said (RFC 1047). Then the table of `smtp_replies.toml`, whose first rule that fits decides. What happened
just before decides how long a mailbox rests, and when a campaign stops before it burns through its list.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any

from outreach.core.failures import judge_failure
from outreach.core.ports import Outcome, Phase, SendResult
from outreach.core.records import OutboxState
from outreach.resources import toml

GIVE_UP_AFTER = timedelta(hours=24)
STREAK = 12
"""How many of a mailbox's newest tries a decision looks at."""
NO_RESUME = timedelta(hours=24)
"""A campaign that was stopped for its reputation rests at least so long."""
DOMAIN_STOPS_AFTER = timedelta(hours=48)
_BACKOFF_MINUTES = (5, 15, 60, 240)
_JITTER = 0.2
_A_DAY = timedelta(hours=24)
_WIDER_BACKOFF = timedelta(minutes=5)
_WIDER_BACKOFF_MAX = timedelta(hours=4)
_UNKNOWNS_PAUSE = timedelta(minutes=15)
_EQUAL_REFUSALS = 3
_REFUSALS = 5
_LOWER_CAP = 0.8
_CONNECTION = ("unreachable", "connection-lost")


@dataclass(frozen=True, slots=True)
class Try:
    """One earlier try of a mailbox, as the attempts remember it."""

    outcome: Outcome
    rule: str = ""
    code: int = 0
    enhanced: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of the message (`state`, due again at `retry_at`) and of what is wider than it.

    `pause` is how long the mailbox rests; `until_fixed` means until a person acts, `until_quota` until the oldest mail
    of its last day is a day old, with its daily cap lowered to `lower_cap`. `pause_domain` is how long nothing goes to
    the recipient's domain. A campaign is stopped at least for `no_resume`. `counts` says whether this try counts as an
    attempt.
    """

    state: OutboxState
    rule: str
    means: str = ""
    remedy: str = ""
    retry_at: datetime | None = None
    counts: bool = True
    suppress_address: bool = False
    stop_campaign: bool = False
    no_resume: timedelta | None = None
    pause: timedelta | None = None
    until_fixed: bool = False
    until_quota: bool = False
    lower_cap: int | None = None
    pause_domain: timedelta | None = None

    @property
    def pauses_mailbox(self) -> bool:
        return bool(self.pause or self.until_fixed or self.until_quota)


def explain(decision: Decision, result: SendResult) -> str:
    """Why something rests, for a person: what it means, the server's own words, and what to do."""
    said = result.said
    quoted = f" (the server said: {said})" if said and result.code else f" ({said})" if said else ""
    remedy = f"; {decision.remedy}" if decision.remedy else ""
    return f"{decision.means or decision.rule}{quoted}{remedy}"


def decide(
    result: SendResult,
    *,
    attempts: int,
    now: datetime,
    streak: Sequence[Try] = (),
    chance: float = 0.5,
    daily_cap: int = 0,
) -> Decision:
    """The action for one result. `attempts` were made before it; `streak` are the mailbox's tries just before, newest
    first. `chance`, uniform in [0, 1), spreads the retries.

    A message is given up once the waits between its tries come to 24 hours: a pause of the mailbox or a closed window
    is no try and costs it nothing.
    """
    if result.outcome is Outcome.ACCEPTED:
        return Decision(OutboxState.SENT, "accepted")
    if result.outcome is Outcome.UNKNOWN and result.phase is Phase.DOT:
        return _doubt(streak)
    rule = find_rule(result)
    decision = _row(rule, attempts, now, chance)
    return _after_others(_wider(decision, rule, streak, daily_cap), result, streak)


def find_rule(result: SendResult) -> Mapping[str, Any]:
    """The first rule of the table that fits."""
    return next(rule for rule in _rules() if _fits(rule, result))


def bounce_rules() -> tuple[str, ...]:
    """The rules by which an address is found dead: they count as bounces."""
    return tuple(rule["name"] for rule in _rules() if rule.get("suppress"))


def domain_paused_until(since: datetime, pause: timedelta, now: datetime) -> datetime | None:
    """Until when a recipient's domain rests that has been deferring since then; None: until a person acts."""
    return None if now - since >= DOMAIN_STOPS_AFTER else now + pause


# --- which rule -------------------------------------------------------------------------------------------------


def mended_by_login(reason: str) -> bool:
    """Whether a mailbox rests for something that a successful connection and login prove to be mended."""
    first = frozenset(("connect", "tls", "auth"))
    return any(reason.startswith(rule["means"]) and first.issuperset(rule.get("phases", ("any",))) for rule in _rules())


def _rules() -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = toml("smtp_replies.toml")["rule"]
    return rules


def _fits(rule: Mapping[str, Any], result: SendResult) -> bool:
    if "phases" in rule and result.phase not in rule["phases"]:
        return False
    # An enhanced code counts only if its class equals the basic code's (RFC 3463 section 2).
    enhanced = result.enhanced if result.enhanced[:1] == str(result.code)[:1] else ""
    tests = ((rule.get("code"), _code(result)), (rule.get("enhanced"), enhanced))
    if any(pattern is not None and not re.fullmatch(pattern, value) for pattern, value in tests):
        return False
    if "text" in rule and not re.search(rule["text"], result.text.lower()):
        return False
    return "says" not in rule or judge_failure("", result.text.removeprefix(result.enhanced)) in rule["says"]


def _code(result: SendResult) -> str:
    """A local refusal has no code and is a refusal all the same."""
    return "554" if result.outcome is Outcome.REJECTED and not result.code else str(result.code)


# --- the message ------------------------------------------------------------------------------------------------


def _doubt(streak: Sequence[Try]) -> Decision:
    """The second in a row lets the mailbox rest, the third waits for a person."""
    doubts = sum(1 for _ in takewhile(lambda tried: tried.outcome is Outcome.UNKNOWN, streak))
    return Decision(
        OutboxState.UNKNOWN,
        "no-reply-after-dot",
        "nobody but the server knows whether it took this mail",
        "look into the Sent folder, then: outreach outbox resolve",
        pause=_UNKNOWNS_PAUSE if doubts == 1 else None,
        until_fixed=doubts > 1,
    )


def _row(rule: Mapping[str, Any], attempts: int, now: datetime, chance: float) -> Decision:
    row, wait = rule["row"], _wait(rule, attempts) * (1 + _JITTER * (2 * chance - 1))
    wait = max(wait, timedelta(minutes=rule.get("minutes", 0)))
    retried = row in ("retry", "daily")
    failed = row == "fail" or (retried and _tried_enough(rule, attempts))
    return Decision(
        state=OutboxState.FAILED if failed else OutboxState.QUEUED,
        rule=rule["name"],
        means=rule["means"],
        remedy=rule["remedy"],
        retry_at=now + wait if retried else now,
        counts=row != "keep",
        suppress_address=bool(rule.get("suppress")),
    )


def _wait(rule: Mapping[str, Any], attempts: int) -> timedelta:
    return _A_DAY if rule["row"] == "daily" else _backoff(attempts)


def _tried_enough(rule: Mapping[str, Any], attempts: int) -> bool:
    if "tries" in rule:
        return bool(attempts >= rule["tries"])
    return sum(map(_backoff, range(attempts + 1)), timedelta()) > GIVE_UP_AFTER


def _backoff(attempts: int) -> timedelta:
    return timedelta(minutes=_BACKOFF_MINUTES[min(attempts, len(_BACKOFF_MINUTES) - 1)])


# --- what is wider ----------------------------------------------------------------------------------------------


def _wider(decision: Decision, rule: Mapping[str, Any], streak: Sequence[Try], daily_cap: int) -> Decision:
    stopped = replace(
        decision,
        stop_campaign=bool(rule.get("stop")),
        no_resume=NO_RESUME if rule.get("reputation") else None,
        pause_domain=timedelta(hours=rule["domain"]) if "domain" in rule else None,
    )
    match rule.get("pause"):
        case None:
            return replace(stopped, pause=_backed_off(rule, streak)) if rule.get("backoff") else stopped
        case "fixed":
            return replace(stopped, until_fixed=True)
        case "quota":
            return replace(stopped, until_quota=True, lower_cap=max(1, int(daily_cap * _LOWER_CAP)))
        case hours:
            again = sum(1 for _ in takewhile(lambda tried: tried.rule == rule["name"], streak))
            longest = rule.get("most", hours)
            return replace(stopped, pause=timedelta(hours=min(hours * 2 ** min(again, 10), longest)))


def _backed_off(rule: Mapping[str, Any], streak: Sequence[Try]) -> timedelta | None:
    """5 minutes, doubled with each failure in a row; for some rules only from the third of their kind on."""
    kinds = _CONNECTION if rule["name"] in _CONNECTION else (rule["name"],)
    alike = takewhile(lambda tried: tried.rule in kinds if "after" in rule else _rests(tried), streak)
    times = _count(alike) + 1 - rule.get("after", 1)
    return min(_WIDER_BACKOFF * 2 ** min(times, 10), _WIDER_BACKOFF_MAX) if times >= 0 else None


def _rests(tried: Try) -> bool:
    return tried.outcome is Outcome.DEFERRED


def _after_others(decision: Decision, result: SendResult, streak: Sequence[Try]) -> Decision:
    """The refusals breaker: three equal ones that no rule knows, or five of any kind, stop the campaign."""
    by_server = result.outcome is Outcome.REJECTED and result.code > 0
    if not by_server or decision.stop_campaign or decision.pauses_mailbox:
        return decision
    refused = list(takewhile(lambda tried: tried.outcome is Outcome.REJECTED, streak))
    same = (decision.rule, result.code, result.enhanced)
    equal = takewhile(lambda tried: (tried.rule, tried.code, tried.enhanced) == same, refused)
    if decision.rule == "rejected" and _count(equal) + 1 >= _EQUAL_REFUSALS:
        return _stopped(decision, f"{_EQUAL_REFUSALS} mails in a row were refused in the same way")
    if len(refused) + 1 >= _REFUSALS:
        return _stopped(decision, f"{_REFUSALS} mails in a row were refused")
    return decision


def _stopped(decision: Decision, why: str) -> Decision:
    return replace(decision, stop_campaign=True, means=f"{decision.means}; {why}, so the campaign is paused")


def _count(items: Iterable[object]) -> int:
    return sum(1 for _ in items)
