"""Messages: what every mail carries, threads, and that no data adds a header, a recipient or a line."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.header import decode_header, make_header
from email.policy import default
from email.utils import getaddresses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.core.encoding import encode_mailbox, encode_text, header_text
from outreach.core.message import (
    OPT_OUT,
    build_message,
    check_wire,
    dedupe_key,
    message_token,
    read_draft,
    with_footer,
)
from outreach.core.records import Draft, Message, OutboxItem, OutboxState, Sender
from outreach.core.text import one_line, plain_text

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
ME = Sender("Ada Lovelace", "ada@lovelace.example")
TOKEN = message_token(b"k" * 32, dedupe_key(1, 1, 7), 0)
HEADERS = [
    "From", "To", "Subject", "Date", "Message-ID", "References", "List-Unsubscribe", "X-Outreach-Id",
    "MIME-Version", "Content-Type", "Content-Transfer-Encoding",
]  # fmt: skip

NASTY = (
    "two\nlines",
    "one\r\nBcc: i@evil.example",
    "=?UTF-8?Q?=0ABcc:=20i@evil.example?=",
    "=?=?UTF-8?Q?=0ABcc:=20i@evil.example?=",
    "{{ 7*7 }}",
    "\x1b[31mred\x1b]8;;http://evil.example\x07",
    '=HYPERLINK("http://evil.example")',
    "\u202egnp.exe\u202c",
    "שלום עולם",
    "🚀👩‍🚀 rocket",
    "x" * 10_000,
    "nul\0byte",
    "lone\ud800surrogate",
    'Quill, "Rosa" \\ <rosa@evil.example>',
    "a@x.example, b@y.example",
    ".\r\n.\r\nMAIL FROM:<i@evil.example>",
    "Ада Тестова, III",
)
texts = st.one_of(st.text(), st.text(alphabet=st.characters(), max_size=300), st.sampled_from(NASTY))


def build(
    draft: Draft, earlier: tuple[OutboxItem, ...] = (), name: str = "Zoë Quill", sender: Sender = ME, token: str = TOKEN
) -> Message:
    return build_message(
        draft,
        sender=sender,
        recipient="zoe@quill.example",
        recipient_name=name,
        date=NOW,
        token=token,
        earlier=earlier,
    )


def sent(step: int, message: Message, wire_message_id: str = "") -> OutboxItem:
    return OutboxItem(
        id=step, campaign_id=1, campaign="c", enrollment_id=1, mailbox_id=1, step=step, founder_id=7, founder="Zoë",
        rcpt="zoe@quill.example", rcpt_key="zoe@quill.example", subject="", message_id=message.message_id,
        wire_message_id=wire_message_id, mime=message.mime, sha256=message.sha256, state=OutboxState.SENT, reason="",
        due_at=NOW, expires_at=NOW, attempts=1, sent_at=NOW, updated_at=NOW,
    )  # fmt: skip


def test_a_first_mail_carries_what_brings_its_answers_back() -> None:
    message = build(Draft("Hello", "Hi Zoë,\n\ntext\n"))
    mail = message_from_bytes(message.mime, policy=default)
    assert list(mail.keys()) == HEADERS
    assert mail["From"] == "Ada Lovelace <ada@lovelace.example>"
    assert [address.addr_spec for address in mail["To"].addresses] == ["zoe@quill.example"]
    assert mail["To"].addresses[0].display_name == "Zoë Quill"
    assert mail["Message-ID"] == message.message_id == f"<or.{TOKEN}@lovelace.example>"
    assert mail["References"] == message.message_id
    assert mail["List-Unsubscribe"] == f"<mailto:ada@lovelace.example?subject=unsubscribe%20{TOKEN}>"
    assert mail["X-Outreach-Id"] == TOKEN
    assert mail["Date"].datetime == NOW
    assert mail.get_content() == "Hi Zoë,\r\n\r\ntext\r\n"


def test_a_token_is_160_bits_of_one_workspace_and_one_mail() -> None:
    assert len(TOKEN) == 32
    assert TOKEN.isalnum()
    assert TOKEN.lower() == TOKEN
    others = {message_token(b"k" * 32, key, n) for key in ("1/1/7", "1/2/7", "1/1/71") for n in (0, 1)}
    assert len(others | {message_token(b"j" * 32, "1/1/7", 0)}) == 7
    assert TOKEN in others


def test_the_same_input_gives_the_same_bytes_and_the_hash_leaves_the_date_out() -> None:
    draft = Draft("Hello", "text\nDate: in the body\n")
    later = build_message(
        draft, sender=ME, recipient="zoe@quill.example", recipient_name="Zoë Quill", token=TOKEN,
        date=NOW + timedelta(days=1),
    )  # fmt: skip
    assert build(draft) == build(draft)
    assert later.mime != build(draft).mime
    assert later.sha256 == build(draft).sha256
    assert build(replace(draft, text="another")).sha256 != build(draft).sha256


def test_a_follow_up_continues_the_thread_by_the_ids_the_provider_used() -> None:
    first = build(Draft("Größe and work", "one"))
    second = build(Draft("", "two"), (sent(1, first, "<new@provider.example>"),), token="two")
    third = build(Draft("", "three"), (sent(1, first, "<new@provider.example>"), sent(2, second)))
    mail = message_from_bytes(third.mime, policy=default)
    assert mail["Subject"] == "Re: Größe and work"
    assert mail["In-Reply-To"] == second.message_id
    assert mail["References"] == f"{first.message_id} <new@provider.example> {second.message_id}"
    assert message_from_bytes(second.mime)["In-Reply-To"] == "<new@provider.example>"


def test_a_later_step_with_a_subject_starts_a_thread_of_its_own() -> None:
    first = build(Draft("One", "1"))
    second = build(Draft("Two", "2"), (sent(1, first),), token="two")
    third = build(Draft("", "3"), (sent(1, first), sent(2, second)))
    assert b"In-Reply-To" not in second.mime
    mail = message_from_bytes(third.mime)
    assert (mail["Subject"], mail["References"]) == ("Re: Two", "<or.two@lovelace.example>")


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("", "zoe@quill.example"),
        ("Zoe Quill", "Zoe Quill <zoe@quill.example>"),
        ("Omar Brightly, III", '"Omar Brightly, III" <zoe@quill.example>'),
        ("Zoë", "=?utf-8?q?Zo=C3=AB?=\r\n <zoe@quill.example>"),
        ("me@x.example", "=?utf-8?q?me=40x=2Eexample?=\r\n <zoe@quill.example>"),
        ('"', "=?utf-8?q?=22?=\r\n <zoe@quill.example>"),
    ],
)
def test_a_display_name_never_becomes_an_address(name: str, header: str) -> None:
    assert encode_mailbox("To", name, "zoe@quill.example") == header


def test_long_text_outside_ascii_keeps_its_spaces_in_words_of_75() -> None:
    subject = "Größere Fragen über Übersetzungen für kleine Städte und ihre Bürger 東京の小さな会社について 🚀"
    lines = f"Subject: {encode_text('Subject', subject)}".split("\r\n")
    assert len(lines) > 3
    assert max(map(len, lines)) <= 76
    assert read_draft(build(Draft(subject, "text")).mime).subject == subject


def test_an_ascii_subject_stays_on_one_line() -> None:
    subject = "word " * 38 + "end"
    assert f"\r\nSubject: {subject}\r\n".encode() in build(Draft(subject, "text")).mime


def test_the_footer_is_added_once() -> None:
    with_both = with_footer("Hi,\n\ntext\n\nAda", "1 Example Street,\nExampletown")
    assert with_both == f"Hi,\n\ntext\n\nAda\n\n{OPT_OUT}\n1 Example Street,\nExampletown\n"
    assert with_footer(with_both, "1 Example Street,\nExampletown") == with_both
    assert with_footer(f"P.S. {OPT_OUT}\n\nAda", "").count(OPT_OUT) == 1


@pytest.mark.parametrize("nasty", NASTY)
def test_nasty_cells_stay_text(nasty: str) -> None:
    check_harmless(nasty, nasty, nasty)


@given(name=texts, subject=texts, text=texts)
def test_any_text_keeps_headers_and_recipient(name: str, subject: str, text: str) -> None:
    check_harmless(name, subject, text)


def check_harmless(name: str, subject: str, text: str) -> None:
    message = build(Draft(subject or "x", text), name=name, sender=replace(ME, name=name))
    assert check_wire(message.mime, "zoe@quill.example", message.message_id) == []
    mail = message_from_bytes(message.mime)
    assert list(mail.keys()) == HEADERS
    assert [address for _, address in getaddresses([mail["To"]])] == ["zoe@quill.example"]
    shown = read_draft(message.mime)
    assert shown == Draft(header_text(subject or "x"), plain_text(text))
    parsed = message_from_bytes(message.mime, policy=default)
    assert parsed["Subject"] == header_text(subject or "x")
    assert len(parsed["To"].addresses) == 1
    # Python 3.11 keeps the blank between two encoded-words of a phrase, so the name is decoded from the raw line.
    shown_name = str(make_header(decode_header(mail["To"].replace("\r\n", "").rpartition(" <")[0])))
    assert shown_name.strip('"') == header_text(name).strip('"')


@given(texts)
def test_clean_text_is_clean_already(text: str) -> None:
    for clean in (one_line, plain_text, header_text):
        assert clean(clean(text)) == clean(text)
    assert len(header_text(text)) <= 200
    header_text(text).encode()


GOOD = build(Draft("Hello", "text"))


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (b"text\r\n", b"text\n", "a line feed without a carriage return"),
        (b"text\r\n", b"te\rxt\r\n", "a carriage return without a line feed"),
        (b"text\r\n", b"te\0xt\r\n", "a NUL byte"),
        (b"text\r\n", b"x" * 999 + b"\r\n", "a line longer than 998 bytes"),
        (b"text\r\n", b"text", "no line end after the last line"),
        (b"Subject: ", b"Bcc: i@evil.example\r\nSubject: ", "the header 'Bcc' is not ours"),
        (b"Subject: ", b"Subject: x\r\nSubject: ", "Subject stands there 2 times"),
        (b"Date: ", b"References: ", "Date stands there 0 times"),
        (b" <zoe@quill.example>", b" <zoe@quill.example>, <i@evil.example>", "To is not zoe@quill.example alone"),
        (b" <zoe@quill.example>", b" i@evil.example <zoe@quill.example>", "To is not zoe@quill.example alone"),
        (b" <zoe@quill.example>", b" <i@evil.example>", "To is not zoe@quill.example alone"),
        (b"Message-ID: <or.", b"Message-ID: <xr.", "Message-ID is not the one recorded"),
        (b"Subject: Hello", "Subject: Größe".encode(), "a header holds bytes outside ASCII"),
    ],
)
def test_the_wire_check_finds(old: bytes, new: bytes, fault: str) -> None:
    assert GOOD.mime.count(old) == 1
    assert check_wire(GOOD.mime, "zoe@quill.example", GOOD.message_id) == []
    assert fault in check_wire(GOOD.mime.replace(old, new), "zoe@quill.example", GOOD.message_id)


@pytest.mark.parametrize("rcpt", ["a@x.example, b@y.example", "a@b@c.example", "ada", "a b@x.example", "<a@x.example>"])
def test_two_people_in_a_recipient_do_not_pass(rcpt: str) -> None:
    message = build_message(
        Draft("Hello", "text"), sender=ME, recipient=rcpt, recipient_name="Ada", date=NOW, token=TOKEN
    )
    assert f"To is not {rcpt} alone" in check_wire(message.mime, rcpt, message.message_id)
