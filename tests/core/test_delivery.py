"""What a server's reply means: one case for each rule of the table, and the rules that outrank it."""

from datetime import timedelta

import pytest

from outreach.core.delivery import Decision, decide
from outreach.core.ports import Outcome, Phase, SendResult
from outreach.core.records import OutboxState
from outreach.resources import toml
from tests.fakes import MONDAY_MORNING as NOW

D, R = Outcome.DEFERRED, Outcome.REJECTED
QUEUED, FAILED = OutboxState.QUEUED, OutboxState.FAILED

# Phase, outcome, code, enhanced code, text; then the rule and the state.
CASES = [
    (Phase.CONNECT, D, 0, "", "connection refused", "unreachable", QUEUED),
    (Phase.BODY, D, 0, "", "the server closed the connection", "connection-lost", QUEUED),
    (Phase.MAIL, D, 421, "4.7.0", "unusual rate of unsolicited mail", "rate-unsolicited", QUEUED),
    (Phase.AUTH, D, 454, "4.7.0", "too many login attempts", "too-many-logins", QUEUED),
    (Phase.TLS, D, 0, "", "certificate is not trusted", "tls-unavailable", QUEUED),
    (Phase.AUTH, R, 534, "5.7.9", "application-specific password required", "app-password", QUEUED),
    (Phase.AUTH, R, 535, "5.7.8", "bad credentials", "login-refused", QUEUED),
    (Phase.MAIL, R, 530, "5.7.0", "authentication required", "login-required", QUEUED),
    (Phase.DOT, R, 550, "5.4.5", "daily sending quota exceeded", "quota", QUEUED),
    (Phase.MAIL, R, 550, "5.1.8", "bad outbound sender", "account-blocked", QUEUED),
    (Phase.MAIL, R, 553, "5.7.1", "sender address rejected: not owned by user", "not-your-address", FAILED),
    (Phase.DOT, R, 550, "5.7.26", "unauthenticated: SPF did not pass", "authentication-records", QUEUED),
    (Phase.RCPT, R, 550, "5.7.606", "access denied, banned sending IP", "banned", QUEUED),
    (Phase.RCPT, R, 554, "5.7.1", "user does not exist", "user-unknown", FAILED),
    (Phase.RCPT, R, 550, "5.1.1", "mailbox unavailable", "bad-address", FAILED),
    (Phase.RCPT, D, 452, "4.2.2", "mailbox full", "mailbox-full", QUEUED),
    (Phase.DOT, R, 554, "5.7.1", "message looks like spam", "spam", FAILED),
    (Phase.DOT, R, 552, "5.3.4", "too big", "too-large", FAILED),
    (Phase.RCPT, R, 501, "5.5.2", "syntax error", "syntax", FAILED),
    (Phase.RCPT, D, 421, "4.3.2", "shutting down", "busy", QUEUED),
    (Phase.RCPT, D, 450, "4.7.1", "greylisted", "deferred", QUEUED),
    (Phase.DOT, R, 571, "", "no", "rejected", FAILED),
    # the enhanced code counts only if its class is the basic code's
    (Phase.RCPT, D, 450, "5.1.1", "later", "deferred", QUEUED),
]


def judge(result: SendResult, attempts: int = 0, failures: int = 0) -> Decision:
    return decide(result, attempts=attempts, failures_in_row=failures, now=NOW)


@pytest.mark.parametrize(("phase", "outcome", "code", "enhanced", "text", "rule", "state"), CASES)
def test_table(
    phase: Phase, outcome: Outcome, code: int, enhanced: str, text: str, rule: str, state: OutboxState
) -> None:
    decision = judge(SendResult(outcome, phase, code, enhanced, text))
    assert (decision.rule, decision.state) == (rule, state)
    assert decision.means


def test_every_rule_has_a_case() -> None:
    assert {rule["name"] for rule in toml("smtp_replies.toml")["rule"]} <= {case[5] for case in CASES}


def test_only_recipient_replies_suppress_an_address() -> None:
    for phase in (Phase.CONNECT, Phase.AUTH, Phase.MAIL):
        assert not judge(SendResult(R, phase, 550, "5.1.1", "user unknown")).suppress_address
    assert judge(SendResult(R, Phase.RCPT, 550, "5.1.1", "user unknown")).suppress_address


def test_no_reply_after_the_dot_is_a_doubt_whatever_was_raised() -> None:
    decision = judge(SendResult(Outcome.UNKNOWN, Phase.DOT, 0, "", "550 5.1.1 user unknown"))
    assert decision.state is OutboxState.UNKNOWN
    assert decision.retry_at is None


@pytest.mark.parametrize(("attempts", "minutes"), [(0, 5), (1, 15), (2, 60), (3, 240), (7, 240)])
def test_backoff_of_a_row(attempts: int, minutes: int) -> None:
    decision = judge(SendResult(D, Phase.RCPT, 450, "4.7.1", "greylisted"), attempts=attempts)
    assert decision.retry_at == NOW + timedelta(minutes=minutes)


def test_gives_up_when_the_waits_come_to_a_day() -> None:
    states = [judge(SendResult(D, Phase.RCPT, 450, "", "later"), attempts=tries).state for tries in range(10)]
    assert states == [QUEUED] * 8 + [FAILED] * 2


@pytest.mark.parametrize(("failures", "minutes"), [(0, 5), (1, 10), (3, 40), (9, 240)])
def test_a_busy_server_lets_the_mailbox_rest(failures: int, minutes: int) -> None:
    busy = SendResult(D, Phase.RCPT, 421, "4.3.2", "shutting down")
    assert judge(busy, failures=failures).pause == timedelta(minutes=minutes)


@pytest.mark.parametrize(("failures", "minutes"), [(0, None), (1, None), (2, 5), (3, 10), (9, 240)])
@pytest.mark.parametrize("phase", [Phase.CONNECT, Phase.MAIL])
def test_the_third_lost_connection_in_a_row_lets_the_mailbox_rest(
    phase: Phase, failures: int, minutes: int | None
) -> None:
    pause = judge(SendResult(D, phase), failures=failures).pause
    assert pause == (timedelta(minutes=minutes) if minutes else None)


def test_a_login_that_fails_waits_for_a_person() -> None:
    decision = judge(SendResult(R, Phase.AUTH, 535, "5.7.8", "no"))
    assert decision.until_fixed
    assert not decision.counts
