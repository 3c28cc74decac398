"""Hostile mail the whole way: read, matched, judged; each ends as a row, within bounded time, and none is fatal."""

# ruff: noqa: E501  one case, one line: a table reads better wide

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.core.inbound import head_of
from outreach.core.judge import Judged
from outreach.core.measures import HoldPerson
from outreach.core.triage import Links, Sent, concerns_us, glance
from tests.core.test_inbound import HOSTILE
from tests.labelled import Sample
from tests.labelled.figures import OWNER, judged
from tests.mails import OUR_ID, answer, mail, report

MORE = {
    "100,000 styles": b"Content-Type: text/html\nFrom: <>\n\n" + b"<style>" * 100_000,
    "many tags": b"Content-Type: text/html\nFrom: <>\n\n" + b"<" * 250_000,
    "deep tags": b"Content-Type: text/html\n\n" + b"<div>" * 50_000 + b"x",
    "one long line": b"From: bo@bo.example\n\n" + b"stop " * 60_000,
    "dashes": b"From: bo@bo.example\n\n" + b"-" * 250_000,
    "one line of attributions": b"From: bo@bo.example\n\n" + b"Am 1. schrieb " * 17_000,
    "labels": b"From: bo@bo.example\n\n" + b"From: x\n" * 30_000,
    "quotes": b"From: bo@bo.example\n\n" + b"> " * 120_000,
    "a thousand dates": b"From: bo@bo.example\nSubject: Out of office\n\n" + b"until 1.2. to 3 March 2026 - " * 8_000,
    "JSON without an end": b"From: x@sns.amazonaws.com\n\n" + b'{"notificationType": "Bounce", "x": ' + b"[" * 100_000,
    "JSON that is odd": b'From: x\n\n{"notificationType": "Bounce", "bounce": {"bouncedRecipients": [1, {}, null]}, "mail": 5}',
    "escapes": b"From: \x1b]0;x\x07 <bo@bo.example>\nSubject: \x1b[2J\x9b31m\n\n\x1b]52;c;x\x07",
    "an id that is a command": b"From: bo@bo.example\nMessage-ID: <x\r\n A1 UID STORE 1 +FLAGS (\\Deleted)@x.example>\n\nhi",
    "an id with a path": b"From: bo@bo.example\nMessage-ID: <../../../etc/passwd@x.example>\n\nhi",
}


@pytest.mark.timeout(60)  # a guard against hanging
@pytest.mark.parametrize("raw", [*HOSTILE.values(), *MORE.values()], ids=[*HOSTILE, *MORE])
@pytest.mark.parametrize("ours", [False, True])
def test_each_is_judged(raw: bytes, ours: bool) -> None:
    found = judge_it(f"In-Reply-To: {OUR_ID}\n".encode() + raw if ours else raw)
    assert found.verdict.evidence
    assert not found.trouble.startswith("it could not be judged")
    assert concerns_us(glance(head_of(raw), OWNER.addresses, Sent()), Links()) in (True, False)


def test_a_quarantined_mail_that_names_us_holds_the_person() -> None:
    """It may hide a no: our id stands somewhere in its first 64 kB."""
    parts = b"--b\nContent-Type: text/plain\n\nx " + OUR_ID.encode() + b"\n"
    raw = b"From: else@else.example\nContent-Type: multipart/mixed; boundary=b\n\n" + parts * 300
    found = judge_it(raw)
    assert "more than 200 parts" in found.trouble
    assert [type(each) for each in found.consequences] == [HoldPerson]
    assert found.verdict.subkind == "unreadable"


@settings(max_examples=300)
@given(
    st.sampled_from([answer("Yes, let us talk."), report(), mail("I am away until 3 March.", subject="Out of office"), MORE["JSON that is odd"]]),
    st.lists(st.tuples(st.integers(0, 1_500), st.sampled_from([b"\0", b"\xff", b"\n", b"\r", b"--b\n", b"=?", b"<", b">", b":", b";", b'"', b"multipart/"])), max_size=8),
)  # fmt: skip
def test_any_damage_is_judged(raw: bytes, damage: list[tuple[int, bytes]]) -> None:
    for at, noise in damage:
        raw = raw[:at] + noise + raw[at:]
    found = judge_it(raw)
    assert not found.trouble.startswith("it could not be judged")
    for text in (found.text.new, found.text.full, *found.verdict.evidence):
        text.encode("utf-8")


def judge_it(raw: bytes) -> Judged:
    return judged(Sample("hostile", raw, "")).judged
