"""What arrives is read under caps, and nothing in it raises."""

# ruff: noqa: E501  one case, one line: a table reads better wide

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.core.headers import decode_header, find_addresses, find_ids, read_date, read_mailbox
from outreach.core.inbound import MAX_PARTS, read_mail
from tests.mails import ARRIVED_AT, answer, mail, read, report


def test_a_plain_reply() -> None:
    arrival = read(answer("Yes.\n"))
    assert (arrival.from_name, arrival.from_address) == ("Bo Brightly", "bo@bo.example")
    assert arrival.subject == "Re: Engineering work"
    assert arrival.text.strip() == "Yes."
    assert arrival.message_id == "<reply-1@bo.example>"
    assert arrival.sent_at == ARRIVED_AT
    assert not arrival.trouble


def test_a_delivery_report_and_what_it_returns() -> None:
    arrival = read(report(original="bo@bo.example", recipient="bo@elsewhere.example"))
    assert arrival.report_type == "delivery-status"
    assert [block.text("final-recipient") for block in arrival.statuses if "action" in block] == [
        "rfc822; bo@elsewhere.example"
    ]
    assert arrival.returned.ids("message-id") == ("<or.abcdefghijklmnopqrstuvwxyz@ada.example>",)
    assert "message/rfc822" in arrival.types


def test_a_report_inside_a_forwarded_message_is_not_its_own() -> None:
    inner = report().decode()
    forwarded = mail(
        f"--o\nContent-Type: text/plain\n\nlook at this\n--o\nContent-Type: message/rfc822\n\n{inner}\n--o--\n",
        content_type="multipart/mixed; boundary=o",
    )
    arrival = read(forwarded)
    assert arrival.statuses == ()
    assert "message/delivery-status" not in arrival.types
    assert arrival.text.strip() == "look at this"


@pytest.mark.parametrize("encoding", ["quoted-printable", "base64"])
def test_a_status_part_may_be_encoded(encoding: str) -> None:
    from base64 import encodebytes

    plain = "Final-Recipient: rfc822;bo@bo.example\nAction: failed\nStatus: 5.1.1\n"
    coded = encodebytes(plain.encode()).decode() if encoding == "base64" else plain.replace(": ", ":=\n ")
    raw = mail(
        f"--b\nContent-Type: message/delivery-status\nContent-Transfer-Encoding: {encoding}\n\n{coded}\n--b--\n",
        content_type="multipart/mixed; boundary=b",
    )
    assert [block.text("status") for block in read(raw).statuses] == ["5.1.1"]


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("plain", "plain"),
        ("=?utf-8?Q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
        ("=?UTF-8?B?R3LDvMOfZQ==?=", "Grüße"),
        ("=?utf-8?q?a?= =?utf-8?q?b?=", "ab"),
        ("=?utf-8?Q?=C3?= =?utf-8?Q?=BC?=", "ü"),
        ("=?iso-8859-1*de?Q?=FC?= und mehr", "ü und mehr"),
        ("=?unicode-1-1-utf-7?Q?Abwesend+AOQ-?=", "Abwesendä"),
        ("=?no-such-charset?Q?=C3=BC?=", "ü"),
        ("=?zip?B?eA==?=", "x"),
        ("=?utf-8?B?broken!?=", "n䞻"),
        ("a =?broken", "a =?broken"),
    ],
)
def test_encoded_words(raw: str, text: str) -> None:
    if "broken!" in raw:
        assert isinstance(decode_header(raw), str)
    else:
        assert decode_header(raw) == text


@pytest.mark.parametrize(
    ("raw", "name", "address"),
    [
        ("Bo Brightly <bo@bo.example>", "Bo Brightly", "bo@bo.example"),
        ('"Brightly, Bo" <bo@bo.example>', "Brightly, Bo", "bo@bo.example"),
        ("bo@bo.example", "", "bo@bo.example"),
        ("bo@bo.example (Bo Brightly)", "Bo Brightly", "bo@bo.example"),
        ("Bo O'Brightly <bo.o'brightly@bo.example>", "Bo O'Brightly", "bo.o'brightly@bo.example"),
        ("'bo@bo.example' <bo@bo.example>", "'bo@bo.example'", "bo@bo.example"),
        ("=?utf-8?Q?Evil_=3Cboss=40acme.example=3E?= <bo@bo.example>", "Evil <boss@acme.example>", "bo@bo.example"),
        ('"boss@acme.example" <bo@bo.example>', "boss@acme.example", "bo@bo.example"),
        ("(c):", "(c):", ""),
        ("", "", ""),
        ("<>", "<>", ""),
    ],
)
def test_who_wrote_it(raw: str, name: str, address: str) -> None:
    assert read_mailbox(raw) == (name, address)


def test_ids_come_folded_joined_and_broken() -> None:
    assert find_ids("<a@x.example>,<b@\r\n x.example> junk <[c@x.example]> <none>") == (
        "<a@x.example>",
        "<b@x.example>",
        "<[c@x.example]>",
    )


def test_of_many_ids_the_first_and_the_last_count() -> None:
    found = find_ids(" ".join(f"<{number}@x.example>" for number in range(1_000)))
    assert len(found) == 200
    assert found[0] == "<0@x.example>"
    assert found[-1] == "<999@x.example>"


def test_an_apostrophe_is_part_of_an_address_inside_a_name_only() -> None:
    text = "write to 'bo@bo.example' or o'brightly@bo.example, <a href='cy@cy.example'>it's x@y.example</a>"
    assert find_addresses(text) == ("bo@bo.example", "o'brightly@bo.example", "cy@cy.example", "x@y.example")


def test_addresses_in_a_text() -> None:
    assert find_addresses("to bo@bo.example, <cy@cy.example>. not@local and x@y.example.") == (
        "bo@bo.example",
        "cy@cy.example",
        "x@y.example",
    )


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "yesterday",
        "Mon, 02 Mar 0000 09:30:00 +0000",
        "Mon, 02 Mar 2026 09:30:00 +9900",
        "Mon, 02 Mar 2036 09:30:00 +0000",
    ],
)
def test_a_date_that_cannot_be_believed_is_the_day_it_came(raw: str) -> None:
    assert read_date(raw, ARRIVED_AT) == ARRIVED_AT


def test_a_date_in_another_zone() -> None:
    assert read_date("Mon, 02 Mar 2026 10:30:00 +0100", ARRIVED_AT) == datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def _nested(depth: int) -> bytes:
    parts = "".join(f"--b{n - 1}\nContent-Type: multipart/mixed; boundary=b{n}\n\n" for n in range(1, depth))
    return f"From: bo@bo.example\nContent-Type: multipart/mixed; boundary=b0\n\n{parts}".encode()


HOSTILE = {
    "empty": b"",
    "only NULs": b"\0" * 5_000,
    "500 nested parts": _nested(500),
    "190 nested parts, long": _nested(190) + b"x y\n" * 300_000,
    "100,000 references": b"References: " + b" ".join(b"<%d@x.example>" % n for n in range(100_000)) + b"\n\nhi",
    "20,000 addresses": b"To: " + b", ".join(b"a%d@x.example" % n for n in range(20_000)) + b"\n\nhi",
    "50,000 encoded words": b"Subject: " + b" ".join([b"=?utf-8?q?a?="] * 50_000) + b"\n\nhi",
    "one long encoded header": b"Subject: " + b"=?" * 30_000 + b"\n\nhi",
    "100,000 headers": b"".join(b"X-%d: y\n" % n for n in range(100_000)) + b"\nhi",
    "20,000 parts": b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\nContent-Type: text/plain\n\nx\n" * 20_000,
    "20,000 parts without a type": b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 200_000,
    "2,000 nested messages": b"Content-Type: message/rfc822\n\n" * 2_000,
    "a digest": b"Content-Type: multipart/digest; boundary=b\n\n" + b"--b\n\nSubject: x\n\n" * 3_000,
    "headers that Exchange sends": b'Message-ID: <[id@x.example]>\nTo: "\nFrom: (c):\nContent-Type: text/plain; name*\n\nhi',
    "no such charset": b"Content-Type: text/plain; charset=zip\n\nhi",
    "a NUL in the charset": b'Content-Type: text/plain; charset="a\0b"\n\nhi',
    "a slow charset": b"Content-Type: text/plain; charset=idna\n\n" + b"a" * 200_000,
    "surrogates from UTF-7": b"Subject: =?utf-7?q?+2AA-?=\nContent-Type: text/plain; charset=utf-7\n\n+2AA-",
    "broken base64": b"Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\nabc!!!",
    "a bad file name": b"Content-Type: text/plain; name*0*=x; name*a=y\nContent-Disposition: attachment; filename*=x''%ff\n\nhi",
    "a report of 20,000 blocks": b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n"
    b"Content-Type: message/delivery-status\n\n" + b"Final-Recipient: rfc822;a@b.example\nAction: failed\n\n" * 20_000,
    "many brackets": b"From: " + b"<" * 60_000 + b"\nTo: " + b"a@" * 30_000 + b"\n\n" + b"<a@" * 100_000,
}  # fmt: skip


@pytest.mark.timeout(30)  # a guard against hanging: read naively, some of these take minutes
@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_mail_is_read(raw: bytes) -> None:
    arrival = read_mail(raw, ARRIVED_AT)
    arrival.text.encode("utf-8")
    arrival.subject.encode("utf-8")
    assert len(arrival.attachments) <= MAX_PARTS


def test_line_ends_may_be_bare_returns() -> None:
    arrival = read_mail(b"From: bo@bo.example\rSubject: x\r\rhello\rworld", ARRIVED_AT)
    assert (arrival.subject, arrival.text.split()) == ("x", ["hello", "world"])


def test_what_is_too_large_says_so() -> None:
    assert "parts" in read_mail(HOSTILE["20,000 parts"], ARRIVED_AT).trouble
    assert "header" in read_mail(HOSTILE["100,000 headers"], ARRIVED_AT).trouble


@settings(max_examples=300)
@given(st.binary(max_size=2_000), st.sampled_from([report(), answer()]), st.integers(0, 1_500))
def test_any_bytes_are_a_message(noise: bytes, around: bytes, at: int) -> None:
    for raw in (noise, around[:at] + noise + around[at:]):
        arrival = read_mail(raw, ARRIVED_AT)
        assert arrival.sent_at <= ARRIVED_AT + timedelta(days=1)
        for text in (arrival.subject, arrival.text, arrival.from_name, arrival.from_address, arrival.message_id):
            assert "\0" not in text
            text.encode("utf-8")
