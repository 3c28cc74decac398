"""What a server's reply means: one case for each rule of the table, the rules that outrank it, and what is wider."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.core.delivery import (
    NO_RESUME,
    Decision,
    Try,
    bounce_rules,
    decide,
    domain_paused_until,
    explain,
    find_rule,
)
from outreach.core.ports import Outcome, Phase, SendResult
from outreach.core.records import OutboxState
from outreach.resources import toml
from tests.fakes import MONDAY_MORNING as NOW

D, R = Outcome.DEFERRED, Outcome.REJECTED
QUEUED, FAILED = OutboxState.QUEUED, OutboxState.FAILED
RETRY, KEEP, FAIL = (QUEUED, True), (QUEUED, False), (FAILED, True)
FIXED = {"until_fixed": True}
BOUNCE = {"suppress_address": True}
STOP = {"stop_campaign": True}
REPUTATION = {"stop_campaign": True, "no_resume": NO_RESUME}


def rests(**length: float) -> dict[str, Any]:
    return {"pause": timedelta(**length)}


# Phase, outcome, code, enhanced code, text; then the rule, what becomes of the row, and what is wider.
CASES: list[tuple[Phase, Outcome, int, str, str, str, tuple[OutboxState, bool], dict[str, Any]]] = [
    (Phase.CONNECT, D, 0, "", "connection refused", "unreachable", RETRY, {}),
    (Phase.CONNECT, D, 0, "", "Name or service not known", "unreachable", RETRY, {}),
    (Phase.BODY, D, 0, "", "the server closed the connection", "connection-lost", RETRY, {}),
    (Phase.TLS, D, 0, "", "the server closed the connection", "connection-lost", RETRY, {}),
    (Phase.TLS, D, 0, "", "[ssl: unexpected_eof_while_reading] EOF", "connection-lost", RETRY, {}),
    (Phase.RCPT, D, 421, "4.3.2", "shutting down", "busy", RETRY, rests(minutes=5)),
    (Phase.MAIL, D, 451, "4.3.0", "queue file write error", "overloaded", RETRY, rests(minutes=5)),
    (Phase.MAIL, D, 450, "", "please try again later", "later", RETRY, rests(minutes=5)),
    (Phase.AUTH, D, 421, "4.7.0", "too many connections", "too-many-connections", KEEP, rests(minutes=5)),
    (Phase.CONNECT, D, 432, "4.3.2", "concurrent connections", "too-many-connections", KEEP, rests(minutes=5)),
    (Phase.MAIL, D, 421, "4.7.0", "unusual rate of unsolicited mail", "unusual-rate", KEEP,
     {**REPUTATION, **rests(hours=24)}),
    (Phase.DOT, D, 421, "4.7.28", "rate limited", "rate-unsolicited", KEEP, {**REPUTATION, **rests(hours=24)}),
    (Phase.AUTH, D, 454, "4.7.0", "too many login attempts", "too-many-logins", KEEP, rests(hours=1)),
    (Phase.AUTH, D, 421, "4.3.2", "going down", "busy", RETRY, rests(minutes=5)),
    (Phase.TLS, D, 421, "4.3.2", "going down", "busy", RETRY, rests(minutes=5)),
    (Phase.TLS, D, 454, "4.7.0", "TLS not available due to temporary reason", "tls-unavailable", KEEP, FIXED),
    (Phase.TLS, D, 0, "", "the server does not offer STARTTLS", "no-tls", KEEP, FIXED),
    (Phase.TLS, D, 0, "", "[ssl: wrong_version_number] wrong version number", "no-tls", KEEP, FIXED),
    (Phase.TLS, D, 0, "", "the server's certificate is not trusted", "certificate", KEEP, FIXED),
    (Phase.MAIL, R, 530, "5.7.0", "authentication required", "login-required", KEEP, FIXED),
    (Phase.AUTH, R, 534, "5.7.9", "application-specific password required", "app-password", KEEP, FIXED),
    (Phase.AUTH, R, 534, "5.7.14", "please log in via your web browser", "app-password", KEEP, FIXED),
    (Phase.AUTH, R, 535, "5.7.8", "bad credentials", "login-refused", KEEP, FIXED),
    (Phase.AUTH, R, 535, "5.7.139", "basic authentication is disabled", "password-login-off", KEEP, FIXED),
    (Phase.AUTH, R, 550, "5.7.30", "basic authentication is not supported", "password-login-off", KEEP, FIXED),
    (Phase.CONNECT, R, 554, "5.7.1", "no service for you", "turned-away", KEEP, rests(minutes=5)),
    (Phase.DOT, R, 550, "5.4.5", "daily sending quota exceeded", "quota", KEEP, {"until_quota": True, "lower_cap": 24}),
    (Phase.MAIL, D, 452, "4.5.3", "your recipient limit is reached", "quota-text", KEEP,
     {"until_quota": True, "lower_cap": 24}),
    (Phase.MAIL, R, 550, "5.1.8", "bad outbound sender", "account-blocked", KEEP, FIXED),
    (Phase.DOT, R, 554, "5.7.705", "tenant has exceeded threshold", "account-blocked", KEEP, FIXED),
    (Phase.MAIL, R, 553, "5.7.1", "sender address rejected: not owned by user", "not-your-address", FAIL, STOP),
    (Phase.DOT, R, 554, "5.2.252", "SendAsDenied", "send-as-denied", FAIL, STOP),
    (Phase.RCPT, R, 554, "5.7.1", "relay access denied", "relay-denied", KEEP, FIXED),
    (Phase.DOT, R, 550, "5.7.26", "unauthenticated: SPF did not pass", "authentication-records", KEEP, STOP),
    (Phase.RCPT, R, 550, "5.7.606", "access denied, banned sending IP", "banned", KEEP, FIXED),
    (Phase.MAIL, D, 421, "4.7.0", "[TSS04] messages temporarily deferred", "sender-deferred", RETRY,
     {"pause_domain": timedelta(hours=4)}),
    (Phase.RCPT, D, 450, "4.2.1", "receiving mail too fast", "receiving-too-fast", RETRY, {}),
    (Phase.RCPT, D, 450, "4.7.1", "greylisted", "greylisted", RETRY, {}),
    (Phase.RCPT, D, 451, "4.4.1", "no answer from host", "route-trouble", RETRY, {}),
    (Phase.RCPT, D, 451, "4.1.8", "domain of sender not found", "route-trouble", RETRY, {}),
    (Phase.RCPT, D, 452, "4.2.2", "mailbox full", "mailbox-full", RETRY, {}),
    (Phase.DOT, R, 552, "5.2.2", "mailbox full", "mailbox-full", RETRY, {}),
    (Phase.RCPT, R, 552, "", "Mailbox full", "mailbox-full-text", RETRY, {}),
    (Phase.DOT, R, 552, "", "mail action aborted: exceeded storage allocation", "mailbox-full-text", RETRY, {}),
    (Phase.RCPT, R, 550, "5.1.1", "the account that you tried to reach is over quota", "mailbox-full-text", RETRY, {}),
    (Phase.DOT, R, 550, "", "daily sending quota exceeded", "rejected", FAIL, {}),
    (Phase.RCPT, R, 550, "5.1.1", "mailbox unavailable", "bad-address", FAIL, BOUNCE),
    (Phase.RCPT, R, 550, "5.1.1", "rejected: your host is blocked by a blocklist", "spam", FAIL, REPUTATION),
    (Phase.RCPT, R, 550, "5.1.1", "Bo Quill", "bad-address", FAIL, BOUNCE),
    (Phase.RCPT, R, 550, "5.7.1", "unlisted user", "rejected", FAIL, {}),
    (Phase.RCPT, R, 550, "5.1.10", "recipient not found", "bad-address", FAIL, BOUNCE),
    (Phase.RCPT, R, 550, "5.1.2", "bad destination system", "bad-domain", FAIL, BOUNCE),
    (Phase.RCPT, R, 550, "5.4.4", "unable to route", "bad-domain", FAIL, BOUNCE),
    (Phase.RCPT, R, 553, "5.1.3", "bad address syntax", "invalid-address", FAIL, BOUNCE),
    (Phase.RCPT, R, 550, "5.2.1", "the account is off", "disabled", FAIL, BOUNCE),
    # text overrules loose codes
    (Phase.RCPT, R, 554, "5.7.1", "user does not exist", "user-unknown", FAIL, BOUNCE),
    (Phase.RCPT, R, 550, "", "no such user here", "user-unknown", FAIL, BOUNCE),
    (Phase.RCPT, R, 550, "5.0.0", "account has been deactivated", "mailbox-closed", FAIL, BOUNCE),
    (Phase.DOT, R, 554, "5.7.1", "message looks like spam", "spam", FAIL, REPUTATION),
    (Phase.RCPT, R, 550, "5.7.1", "your host is listed at a blocklist", "spam", FAIL, REPUTATION),
    (Phase.RCPT, R, 550, "5.7.1", "Client host [192.0.2.7] blocked using zen.bl.example", "spam", FAIL, REPUTATION),
    (Phase.DOT, R, 554, "", "Message blocked.", "spam", FAIL, REPUTATION),
    (Phase.DOT, R, 550, "5.7.1", "your account is blocked: too many complaints", "spam", FAIL, REPUTATION),
    (Phase.RCPT, R, 550, "5.7.1", "IP on block-list", "spam", FAIL, REPUTATION),
    # a block that is not about us all
    (Phase.RCPT, R, 550, "", "mailbox is blocked", "mailbox-blocked", FAIL, {}),
    (Phase.RCPT, R, 550, "5.7.0", "User <bo@bo.example> has been blocked", "mailbox-blocked", FAIL, {}),
    (Phase.RCPT, R, 550, "5.7.1", "recipient blocked", "mailbox-blocked", FAIL, {}),
    (Phase.RCPT, R, 550, "5.7.1", "sender blocked by recipient", "mailbox-blocked", FAIL, {}),
    (Phase.DOT, R, 550, "5.7.1", "you are on the recipient's personal blocklist", "mailbox-blocked", FAIL, {}),
    (Phase.DOT, R, 552, "5.7.0", "attachment type .zip blocked", "attachment-blocked", FAIL, STOP),
    (Phase.DOT, R, 554, "5.7.1", "message holds a blocked file extension", "attachment-blocked", FAIL, STOP),
    (Phase.RCPT, R, 550, "5.7.1", "<bo@blocklabs.example>: access denied", "rejected", FAIL, {}),
    (Phase.RCPT, R, 550, "5.7.1", "<bo.block@bo.example>: access denied", "rejected", FAIL, {}),
    (Phase.RCPT, R, 550, "5.7.1", "<bo@block.example>: not here, says mx.a-block.example", "rejected", FAIL, {}),
    (Phase.RCPT, R, 550, "5.7.1", "we sell blockchains", "rejected", FAIL, {}),
    (Phase.RCPT, R, 553, "", "[BL21] connections will not be accepted", "spam", FAIL, REPUTATION),
    (Phase.DOT, R, 554, "5.7.9", "message not accepted", "policy", FAIL, REPUTATION),
    (Phase.DOT, R, 552, "5.3.4", "too big", "too-large", FAIL, STOP),
    (Phase.MAIL, R, 552, "5.3.4", "the server takes 1000 bytes at most", "too-large", FAIL, STOP),
    (Phase.MAIL, R, 553, "5.6.7", "address not supported", "utf8-address", FAIL, {}),
    (Phase.RCPT, R, 0, "", "an address outside ASCII needs SMTPUTF8, which the server does not offer", "utf8-local",
     FAIL, {}),
    (Phase.DATA, R, 503, "5.5.1", "bad sequence of commands", "out-of-order", RETRY, {}),
    (Phase.DATA, R, 554, "", "no valid recipients", "out-of-order", RETRY, {}),
    (Phase.RCPT, R, 501, "5.5.2", "syntax error", "syntax", FAIL, STOP),
    (Phase.DATA, R, 502, "5.5.1", "not implemented", "syntax", FAIL, STOP),
    (Phase.RCPT, D, 450, "4.7.9", "not now", "deferred", RETRY, {}),
    (Phase.DOT, R, 571, "", "no", "rejected", FAIL, {}),
    # the enhanced code counts only if its class is the basic code's
    (Phase.RCPT, D, 450, "5.1.1", "not now", "deferred", RETRY, {}),
    # a local refusal has no code
    (Phase.RCPT, R, 0, "", "OUTREACH_ALLOW_RECIPIENTS does not name this recipient", "rejected", FAIL, {}),
]  # fmt: skip


def judge(result: SendResult, attempts: int = 0, streak: Sequence[Try] = (), chance: float = 0.5) -> Decision:
    return decide(result, attempts=attempts, streak=streak, now=NOW, chance=chance, daily_cap=30)


@pytest.mark.parametrize(("phase", "outcome", "code", "enhanced", "text", "rule", "row", "wider"), CASES)
def test_table(
    phase: Phase,
    outcome: Outcome,
    code: int,
    enhanced: str,
    text: str,
    rule: str,
    row: tuple[OutboxState, bool],
    wider: dict[str, Any],
) -> None:
    decision = judge(SendResult(outcome, phase, code, enhanced, text))
    plain = Decision(decision.state, decision.rule)
    told = {
        name: getattr(decision, name)
        for name in ("suppress_address", "stop_campaign", "no_resume", "pause", "until_fixed", "until_quota",
                     "lower_cap", "pause_domain")
        if getattr(decision, name) != getattr(plain, name)
    }  # fmt: skip
    assert (decision.rule, (decision.state, decision.counts), told) == (rule, row, wider)
    assert decision.means
    assert decision.remedy


def test_every_rule_has_a_case() -> None:
    assert {rule["name"] for rule in toml("smtp_replies.toml")["rule"]} == {case[5] for case in CASES}


def test_names_are_unique_and_every_rule_is_whole() -> None:
    rules = toml("smtp_replies.toml")["rule"]
    assert len({rule["name"] for rule in rules}) == len(rules)
    known = {"name", "phases", "code", "enhanced", "text", "says", "row", "minutes", "tries", "suppress", "stop",
             "reputation", "pause", "most", "backoff", "after", "domain", "means", "remedy"}  # fmt: skip
    for rule in rules:
        assert set(rule) <= known
        assert rule["row"] in ("retry", "keep", "daily", "fail")


codes = st.one_of(st.just(0), st.integers(200, 599))


@given(st.sampled_from(Phase), st.sampled_from([D, R]), codes, st.from_regex(r"([245]\.\d{1,3}\.\d{1,3})?"), st.text())
def test_any_reply_has_a_rule_and_never_resends_a_doubt(
    phase: Phase, outcome: Outcome, code: int, enhanced: str, text: str
) -> None:
    decision = judge(SendResult(outcome, phase, code, enhanced, text))
    assert find_rule(SendResult(outcome, phase, code, enhanced, text))["name"]
    assert decision.state in (QUEUED, FAILED)
    assert not decision.suppress_address or phase in (Phase.RCPT, Phase.DOT)
    doubt = judge(SendResult(Outcome.UNKNOWN, Phase.DOT, code, enhanced, text))
    assert (doubt.state, doubt.retry_at) == (OutboxState.UNKNOWN, None)


def test_only_recipient_replies_suppress_an_address() -> None:
    for phase in (Phase.CONNECT, Phase.AUTH, Phase.MAIL):
        assert not judge(SendResult(R, phase, 550, "5.1.1", "user unknown")).suppress_address
    assert set(bounce_rules()) >= {"bad-address", "user-unknown", "disabled"}


def test_the_servers_words_are_shown_with_what_they_mean_and_what_to_do() -> None:
    refused = SendResult(R, Phase.AUTH, 534, "5.7.9", "5.7.9 Application-specific password required")
    words = explain(judge(refused), refused)
    assert "wants an app password" in words
    assert "the server said: 534 5.7.9 Application-specific password required" in words
    assert words.endswith("put it in OUTREACH_SMTP_PASSWORD")


# --- the message: when it is tried again ---------------------------------------------------------------


@pytest.mark.parametrize(("attempts", "minutes"), [(0, 5), (1, 15), (2, 60), (3, 240), (7, 240)])
def test_backoff_of_a_row(attempts: int, minutes: int) -> None:
    later = SendResult(D, Phase.RCPT, 450, "", "not now")
    assert judge(later, attempts).retry_at == NOW + timedelta(minutes=minutes)
    soonest, latest = (judge(later, attempts, chance=chance).retry_at for chance in (0.0, 0.999_999))
    assert soonest == NOW + timedelta(minutes=minutes) * 0.8
    assert latest is not None
    assert timedelta() < NOW + timedelta(minutes=minutes) * 1.2 - latest < timedelta(seconds=1)


@pytest.mark.parametrize(
    ("enhanced", "text", "minutes"),
    [("4.7.1", "greylisted", 5), ("4.2.1", "too fast", 60), ("4.7.0", "[TSS04] deferred", 240)],
)
def test_some_rules_wait_longer(enhanced: str, text: str, minutes: int) -> None:
    decision = judge(SendResult(D, Phase.RCPT, 450, enhanced, text), chance=0.0)
    assert decision.retry_at == NOW + timedelta(minutes=minutes)


def test_gives_up_when_the_waits_come_to_a_day() -> None:
    states = [judge(SendResult(D, Phase.RCPT, 450, "", "not now"), tries).state for tries in range(10)]
    assert states == [QUEUED] * 8 + [FAILED] * 2


def test_a_full_mailbox_is_tried_once_a_day_for_three_days() -> None:
    full = SendResult(D, Phase.RCPT, 452, "4.2.2", "mailbox full")
    first = judge(full)
    assert first.retry_at == NOW + timedelta(days=1)
    assert [judge(full, tries).state for tries in range(5)] == [QUEUED] * 3 + [FAILED] * 2


def test_a_lost_dialogue_is_tried_once_more() -> None:
    lost = SendResult(R, Phase.DATA, 503, "5.5.1", "bad sequence")
    assert [judge(lost, tries).state for tries in range(3)] == [QUEUED, FAILED, FAILED]


# --- what is wider --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("failures", "minutes"), [(0, 5), (1, 10), (3, 40), (9, 240)])
def test_a_busy_server_lets_the_mailbox_rest(failures: int, minutes: int) -> None:
    busy = SendResult(D, Phase.RCPT, 421, "4.3.2", "shutting down")
    assert judge(busy, streak=[Try(D, "busy", 421, "4.3.2")] * failures).pause == timedelta(minutes=minutes)


@pytest.mark.parametrize(("failures", "minutes"), [(0, None), (1, None), (2, 5), (3, 10), (9, 240)])
@pytest.mark.parametrize("phase", [Phase.CONNECT, Phase.MAIL])
def test_the_third_lost_connection_in_a_row_lets_the_mailbox_rest(
    phase: Phase, failures: int, minutes: int | None
) -> None:
    streak = [Try(D, ("unreachable", "connection-lost")[number % 2]) for number in range(failures)]
    pause = judge(SendResult(D, phase), streak=streak).pause
    assert pause == (timedelta(minutes=minutes) if minutes else None)


def test_a_mail_that_went_ends_a_row_of_failures() -> None:
    streak = [Try(Outcome.ACCEPTED, "accepted"), *[Try(D, "connection-lost")] * 5]
    assert judge(SendResult(D, Phase.MAIL), streak=streak).pause is None


@pytest.mark.parametrize(("times", "hours"), [(0, 1), (1, 2), (3, 8), (9, 24)])
def test_too_many_logins_rest_longer_each_time(times: int, hours: int) -> None:
    logins = SendResult(D, Phase.AUTH, 454, "4.7.0", "too many login attempts")
    assert judge(logins, streak=[Try(D, "too-many-logins")] * times).pause == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("doubts", "pause", "until_fixed"), [(0, None, False), (1, timedelta(minutes=15), False), (2, None, True)]
)
def test_doubts_in_a_row(doubts: int, pause: timedelta | None, until_fixed: bool) -> None:
    decision = judge(
        SendResult(Outcome.UNKNOWN, Phase.DOT), streak=[Try(Outcome.UNKNOWN, "no-reply-after-dot")] * doubts
    )
    assert (decision.pause, decision.until_fixed) == (pause, until_fixed)


def refused(rule: str = "rejected", code: int = 571, enhanced: str = "") -> Try:
    return Try(R, rule, code, enhanced)


@pytest.mark.parametrize(
    ("before", "stops"),
    [
        ([], False),
        ([refused()], False),
        ([refused()] * 2, True),
        ([refused(), refused(code=572)], False),
        ([refused(), Try(Outcome.ACCEPTED), refused()], False),
        ([refused("bad-address", 550, "5.1.1")] * 3, False),
        ([refused("bad-address", 550, "5.1.1")] * 4, True),
        ([refused("bad-address", 550), Try(D, "greylisted"), *[refused("bad-address", 550)] * 4], False),
    ],
)
def test_refusals_in_a_row_stop_the_campaign(before: list[Try], stops: bool) -> None:
    decision = judge(SendResult(R, Phase.RCPT, 571, "", "no"), streak=before)
    assert decision.stop_campaign == stops
    assert ("in a row" in decision.means) == stops


def test_a_domain_that_defers_for_two_days_waits_for_a_person() -> None:
    hours = timedelta(hours=4)
    assert domain_paused_until(NOW, hours, NOW) == NOW + hours
    assert domain_paused_until(NOW - timedelta(hours=47), hours, NOW) == NOW + hours
    assert domain_paused_until(NOW - timedelta(hours=48), hours, NOW) is None


@pytest.mark.parametrize(
    "text",
    [
        "5.7.1 SPF record of testwell.example does not exist",
        "5.1.8 sender domain testwell.example does not exist",
        "5.7.1 The From domain does not exist in DNS",
        "5.7.1 the domain in your From address does not exist",
    ],
)
@pytest.mark.parametrize("phase", [Phase.RCPT, Phase.DOT])
def test_what_is_said_of_us_suppresses_nobody(phase: Phase, text: str) -> None:
    assert not judge(SendResult(R, phase, 550, text[:5], text)).suppress_address
