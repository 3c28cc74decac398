"""What was previewed is what the server receives, byte for byte; and no cell of a list makes anything else of it."""
# ruff: noqa: E501  tables of odd texts, as dense as they are

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import time, timedelta
from email import message_from_bytes
from email.policy import default
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.core.message import OPT_OUT, dedupe_key
from outreach.core.pacing import Limits, unpaced
from outreach.core.ports import Envelope, Outcome
from outreach.core.read_back import read_message
from outreach.core.records import Campaign, CampaignState, Company, Enrollment, EnrollmentState, Founder, Sequence
from outreach.core.text import one_line
from outreach.flows._writer import Unwritten, Writer, Written
from outreach.flows.enqueue import Conditions, enqueue, plan
from outreach.flows.preview import Shown, preview
from outreach.flows.send import Sender, send
from outreach.store import tables as t
from outreach.store.journal import MemoryJournal
from outreach.store.notes import LINE
from outreach.store.store import Store, memory_store
from outreach.templating import load_sequence
from outreach.transports.smtp import Server, SmtpTransport
from tests.factory import KEY, SENDER, add_founders, start_campaign
from tests.fakes import MONDAY_MORNING as NOW
from tests.fakes import FakeClock
from tests.smtp_server import Accepted, Behaviour, smtp_server

LIMITS = unpaced(
    Limits(
        daily_cap=2000, hourly_cap=500, min_gap=timedelta(seconds=20), max_gap=timedelta(seconds=20),
        window=(time(9), time(17)), weekdays=frozenset(range(5)), zone=ZoneInfo("Europe/Oslo"), company_daily_cap=1,
        run_limit=500,
    )
)  # fmt: skip
FILES = {
    "1-intro.a.md": "Subject: {{ company.name }} and you\nAttach: cv.pdf as For {{ company.short_name }}.pdf\n\n"
    "Hi {{ founder.first_name or founder.full_name }},\n\n{{ line or 'hello' }}\n\n"
    "**{{ company.name }}**: [page]({{ company.website or 'https://x.example' }}). Hiring?\n\n{{ me.signature }}\n",
    "1-intro.b.txt": "Subject: For {{ founder.full_name }}\n\nHi {{ founder.first_name or founder.full_name }},\n\n"
    "{{ line or 'hello' }} {{ company.name }} {{ founder.title or 'x' }} {{ lead['Notes'] or '' }} Hiring?\n\n"
    "{{ me.signature }}\n",
    "2-follow-up.txt": "Wait: 3 working days\n\nOn {{ previous.sent_on | weekday }}: {{ line or 'x' }}\n\nAda\n",
}
SCRIPTS = (
    "abcdefghijklmnopqrstuvwxyzéñøßčş", "абвгдежзийклмнопрст", "αβγδεζηθικλμνξοπρστ", "אבגדהוזחטיכלמנ", "ابتثجحخدذرزسشص",
    "अआइईउऊएकखगघचछ", "กขคงจฉชซญดตถ", "王李张刘陈杨赵黄周吴徐孙", "あいうえおカキクケコ", "가나다라마바사아자", "🚀🦊👩‍🚀✨",
    "e\u0301i\u0308o\u0303", "ⅷ①ﬁ￥", "\u200fא\u200b",
)  # fmt: skip


@pytest.fixture(scope="module")
def sequence(tmp_path_factory: pytest.TempPathFactory) -> Sequence:
    folder = tmp_path_factory.mktemp("bytes") / "templates" / "all"
    folder.mkdir(parents=True)
    for name, text in FILES.items():
        (folder / name).write_text(text, "utf-8")
    (folder / "cv.pdf").write_bytes(b"%PDF-1.4\n" + bytes(range(256)) * 20)
    return load_sequence(folder)


@pytest.fixture(scope="module")
def behaviour() -> Behaviour:
    return Behaviour()


@pytest.fixture(scope="module")
def transport(behaviour: Behaviour) -> Iterator[SmtpTransport]:
    with smtp_server(behaviour) as port:
        made = SmtpTransport(Server("127.0.0.1", port, "none"))
        yield made
        made.close()


def word(chance: random.Random) -> str:
    alphabet = chance.choice(SCRIPTS)
    return "".join(chance.choice(alphabet) for _ in range(chance.randint(2, 9))).capitalize()


def crowd(number: int) -> Store:
    """Founders whose names, companies, titles and lines are of every script."""
    chance, store = random.Random(5), memory_store()
    add_founders(store, [f"P{index}" for index in range(number)])
    with store.database.write() as connection:
        for index in range(1, number + 1):
            name = f"{word(chance)} {word(chance)} {index}"
            connection.execute(
                sa.update(t.founders)
                .where(t.founders.c.id == index)
                .values(full_name=name, first_name="", last_name="", title=word(chance))
            )
            company = f"{word(chance)} {chance.choice(['GmbH', 'Inc.', 'Labs', ''])} {index}"
            connection.execute(sa.update(t.companies).where(t.companies.c.id == index).values(name=company))
    lines = {index: " ".join(word(chance) for _ in range(chance.randint(1, 30))) for index in range(1, number + 1, 2)}
    store.notes.set(LINE, lines, NOW)
    return store


def without_date(mime: bytes) -> bytes:
    head, _, body = mime.partition(b"\r\n\r\n")
    return b"\r\n".join(line for line in head.split(b"\r\n") if not line.startswith(b"Date: ")) + body


def shown(store: Store, campaign: Campaign, writer: Writer, clock: FakeClock) -> dict[str, Shown]:
    found = preview(store, campaign, writer, founder_id=None, step=1, now=clock.now())
    return {mail.message_id: mail for mail in found if isinstance(mail, Shown)}


def test_a_thousand_mails_arrive_as_they_were_shown(sequence: Sequence) -> None:
    number, clock, behaviour = 1_000, FakeClock(NOW), Behaviour()
    store = crowd(number)
    campaign, _ = start_campaign(store)
    writer = Writer(sequence, SENDER, KEY, zone=LIMITS.zone)
    before = shown(store, campaign, writer, clock)
    assert len(before) == number
    with smtp_server(behaviour) as port:
        for _ in range(2):  # a run takes 500 at the most
            mailbox = store.campaigns.mailbox(SENDER.address, clock.now())
            conditions = Conditions(mailbox, LIMITS)
            items = enqueue(store, plan(store, [(campaign, writer)], conditions, clock.now()), clock.now())
            transport = SmtpTransport(Server("127.0.0.1", port, "none"))
            send(
                Sender(
                    store=store, transport=transport, mailbox=mailbox, limits=LIMITS, clock=clock,
                    journal=MemoryJournal(), owner="desk", chance=lambda: 0.5,
                ),
                items,
            )  # fmt: skip
    after = shown(store, campaign, writer, clock)
    assert len(behaviour.ledger) == number
    for mail in behaviour.ledger:
        assert mail.data == after[mail.message_id].mime
        assert without_date(mail.data) == without_date(before[mail.message_id].mime)
        assert after[mail.message_id].sha256 == before[mail.message_id].sha256
        assert mail.rcpts == (before[mail.message_id].address,)
    assert {mail.variant for mail in before.values()} == {"a", "b"}
    assert len({type(mail.seen.html) for mail in before.values()}) == 1

    again = crowd(number)
    campaign, _ = start_campaign(again)
    assert {key: mail.mime for key, mail in shown(again, campaign, writer, FakeClock(NOW)).items()} == {
        key: mail.mime for key, mail in before.items()
    }


# --- nasty cells ----------------------------------------------------------------------------------

EMPTY = ("", " ", "\t", "\n", "\r\n", "\u00a0", "\u200b", "\ufeff", "\0", "nan", "NaN", "NAN", "N/A", "n/a", "na", "NA",
         "null", "NULL", "None", "none", "-", "--", "—", "–", "unknown", "Unknown", "TBD", "undisclosed", "no data",
         "\u202e", " nan ", "\x1b")  # fmt: skip
FULL = (
    "Ada", "O'Brien", 'Say "hi"', "Ada, Countess", "a; b", "a:b", "a\\b", "(note)", "<ada@evil.example>", "ada@evil.example",
    "a@x.example, b@y.example", "two\nlines", "two\r\nlines", "one\rline", "tab\there", "x\r\nBcc: i@evil.example",
    "x\nBcc: i@evil.example\n\nbody", "\r\n\r\nbody", "=?UTF-8?Q?=0ABcc:=20i@evil.example?=",
    "=?=?UTF-8?B?Cg==?=", "=?utf-8?q?x", "%0d%0aBcc:i@evil.example", "\u2028Bcc: i@evil.example", "\u0085Bcc: x",
    "{{ 7*7 }}", "{{", "}}", "{% for x in y %}", "{#", "${7*7}", "#{7*7}", "[FIRST NAME]", "[NAME]", "{first_name}",
    "<First Name>", "First Name", "John Doe", "Test", "<script>alert(1)</script>", "<img src=x onerror=alert(1)>",
    "<b>bold</b>", "a<br>b", "&lt;b&gt;", "&amp;", "\" onmouseover=\"x", "javascript:alert(1)", "[x](https://evil.example)",
    "![x](https://evil.example/p.gif)", "**bold**", "`code`", "# title", "> quote", "- item", "https://bit.ly/x", "--or--",
    "🚀", "👩‍🚀 crew", "שלום", "مرحبا", "\u202eevil\u202c", "\u2066x\u2069", "王小明", "İstanbul", "ﬁn", "e\u0301", "Zoë",
    "lone\ud800surrogate", "nul\0byte", "bell\x07", "\x1b[31mred", "\x9b31m", "del\x7f", "x" * 10_000, "wörd " * 2_000,
    "a\n" * 5_000, ".", "..", ".\r\n", ".\r\n.\r\nMAIL FROM:<i@evil.example>", "From me", "=1+1", "'=1+1", "+1", "@x", "-1",
    "/etc/passwd", "../../x", "C:\\x", "CON", "x.exe", "1", "0", "True", "OrValue0x", "\U000e0041tag", "\ufffd", "ﷺ" * 50,
)  # fmt: skip
WITH_A, WITH_B = 3, 1
"""Founders who get the variant with HTML and attachment, and the plain one."""
PLACES = ("full_name", "first_name", "title", "line", "company", "website", "notes", "sender")
CAMPAIGN = Campaign(1, "spring", "all", 1, CampaignState.ACTIVE, "", {}, NOW)
TO = Enrollment(1, 1, 1, "bo@quill.example", "bo@quill.example", EnrollmentState.ACTIVE, "", None, NOW)
ONE_PART = {
    "From", "To", "Subject", "Date", "Message-ID", "References", "List-Unsubscribe", "X-Outreach-Id", "MIME-Version",
    "Content-Type", "Content-Transfer-Encoding",
}  # fmt: skip


def placed(cell: str, place: str, founder_id: int) -> Founder:
    company = Company(1, "Quill Labs", website="https://quill.example", city="Oslo")
    founder = Founder(founder_id, "Bo Brightly", "Bo", "Brightly", title="Founder", company=company)
    if place == "company":
        return replace(founder, company=replace(company, name=cell))
    if place == "website":
        return replace(founder, company=replace(company, website=cell))
    if place == "notes":
        return replace(founder, cells={"Notes": cell})
    if place == "full_name":
        return replace(founder, full_name=cell, first_name="", last_name="")
    if place == "sender":
        return founder
    kept = {"first_name": founder.first_name, "title": founder.title, "line": founder.line, place: cell}
    return replace(founder, first_name=kept["first_name"], title=kept["title"], line=kept["line"])


@cache
def writer_of(sequence_path: str, name: str) -> Writer:
    return Writer(load_sequence(Path(sequence_path)), replace(SENDER, name=name), KEY)


def written(sequence: Sequence, cell: str, place: str, founder_id: int) -> Written | Unwritten:
    writer = writer_of(str(Path(sequence.steps[0].path).parent), cell if place == "sender" else SENDER.name)
    founder = placed(cell, place, founder_id)
    return writer.write(CAMPAIGN, TO, founder, writer.sequence.steps[0], earlier=(), generation=0, date=NOW)


def delivered(transport: SmtpTransport, behaviour: Behaviour, mail: Written) -> Accepted:
    """The mail as the server has it: accepted once, to one recipient."""
    seen = len(behaviour.ledger)
    assert transport.stage(Envelope(SENDER.address, TO.address, mail.mime)) is None
    assert transport.commit().outcome is Outcome.ACCEPTED
    [accepted] = behaviour.ledger[seen:]
    assert accepted.rcpts == (TO.address,)
    assert accepted.data == mail.mime
    return accepted


def check_sound(mail: Accepted, *, html: bool) -> None:
    parsed = message_from_bytes(mail.data, policy=default)
    assert set(parsed.keys()) == (ONE_PART - {"Content-Transfer-Encoding"} if html else ONE_PART)
    assert len(parsed.keys()) == len(set(parsed.keys()))
    assert [address.addr_spec for address in parsed["To"].addresses] == [TO.address]
    assert [address.addr_spec for address in parsed["From"].addresses] == [SENDER.address]
    seen = read_message(mail.data)
    text = seen.text
    greeting = text.splitlines()[0]
    assert greeting.startswith("Hi ")
    assert greeting.endswith(",")
    assert one_line(greeting.removeprefix("Hi ").removesuffix(",")).casefold() not in {
        each.strip().casefold() for each in EMPTY
    }
    assert OPT_OUT in " ".join(text.split())
    if html:
        for sign in ("<script", "<img", "onerror=alert(1)>", "<b>bold", 'href="javascript'):
            assert sign not in seen.html


def test_the_table_is_long_enough() -> None:
    assert len(set(EMPTY + FULL)) >= 80


@pytest.mark.parametrize("place", PLACES)
def test_a_nasty_cell_is_rendered_right_or_held_with_a_reason(
    sequence: Sequence, transport: SmtpTransport, behaviour: Behaviour, place: str
) -> None:
    outcomes = set()
    for cell in (*EMPTY, *FULL):
        for founder_id in (WITH_A, WITH_B):
            result = written(sequence, cell, place, founder_id)
            outcomes.add(type(result))
            if isinstance(result, Unwritten):
                assert result.reasons
                assert all(result.reasons), (cell, place)
                continue
            check_sound(delivered(transport, behaviour, result), html=founder_id == WITH_A)
            if place == "line" and cell in FULL:
                assert one_line(cell, 2_000) in " ".join(result.draft.text.split()), cell
    assert Written in outcomes


@pytest.mark.parametrize("cell", EMPTY)
def test_an_empty_name_is_never_greeted(sequence: Sequence, cell: str) -> None:
    """Without a name there is no mail; with one but no first name, the whole name stands in."""
    for founder_id in (WITH_A, WITH_B):
        result = written(sequence, cell, "full_name", founder_id)
        assert isinstance(result, Unwritten), result.draft.text
        assert any("founder.full_name is empty" in reason for reason in result.reasons)
        unnamed = written(sequence, cell, "first_name", founder_id)
        assert isinstance(unnamed, Written)
        assert unnamed.draft.text.startswith("Hi Bo,")


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=80), st.text(max_size=80), st.text(max_size=200), st.integers(1, 50))
def test_any_text_arrives_as_it_was_written(
    sequence: Sequence,
    transport: SmtpTransport,
    behaviour: Behaviour,
    name: str,
    company: str,
    line: str,
    founder_id: int,
) -> None:
    founder = Founder(founder_id, name, company=Company(1, company), line=line)
    writer = writer_of(str(Path(sequence.steps[0].path).parent), SENDER.name)
    result = writer.write(CAMPAIGN, TO, founder, sequence.steps[0], earlier=(), generation=0, date=NOW)
    if isinstance(result, Written):
        check_sound(delivered(transport, behaviour, result), html=bool(result.draft.html))
        assert result.dedupe_key == dedupe_key(1, 1, founder_id)
    else:
        assert result.reasons
        assert Path(result.step.path).suffix in (".md", ".txt") if result.step else False
