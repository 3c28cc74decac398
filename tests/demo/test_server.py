"""The demo's world: mails go in over SMTP, and the scripted answers lie in the Maildir when their time has come."""

import csv
import smtplib
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from importlib.resources import files
from pathlib import Path

import pytest

from outreach.core.message import build_message
from outreach.core.records import Draft, Message, Sender
from outreach.demo.answers import compose, read_arrived
from outreach.demo.server import World

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
ME = Sender("Ada Testwell", "ada@testwell.example")
DATA = files("outreach.demo").joinpath("data")
SCRIPT = tomllib.loads(DATA.joinpath("answers.toml").read_text("utf-8"))["answer"]


@pytest.fixture
def maildir(tmp_path: Path) -> Path:
    return tmp_path / "Maildir"


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    world.stop()


def mail(recipient: str, *, ident: str = "a1", at: datetime = NOW) -> Message:
    text = "Hi,\n\nare you hiring?\n\nAda"
    return build_message(
        Draft("Work", text), sender=ME, recipient=recipient, recipient_name="Zoë Quill", date=at, token=ident
    )


def send(server: tuple[str, int], recipient: str, message: Message) -> None:
    with smtplib.SMTP(*server, timeout=10) as client:
        client.sendmail(ME.address, [recipient], message.mime)


def read(maildir: Path) -> list[EmailMessage]:
    paths = sorted((maildir / "new").iterdir())
    return [message_from_bytes(path.read_bytes(), policy=default) for path in paths]


def test_an_answer_is_there_when_its_time_has_come(world: World, maildir: Path) -> None:
    server = world.start(maildir)
    message = mail("lena@quillmoss.example")
    send(server, "lena@quillmoss.example", message)
    send(server, "silent@quillmoss.example", mail("silent@quillmoss.example"))
    assert world.answer(NOW + timedelta(hours=3)) == 0
    assert world.answer(NOW + timedelta(hours=4)) == 1
    assert world.answer(NOW + timedelta(days=4)) == 0
    (answer,) = read(maildir)
    assert answer["In-Reply-To"] == message.message_id
    assert answer["Date"].datetime == NOW + timedelta(hours=3, minutes=1)
    (path,) = (maildir / "new").iterdir()
    assert path.stat().st_mtime == (NOW + timedelta(hours=3, minutes=1)).timestamp()


def test_people_answer_the_mail_they_are_said_to_answer(world: World, maildir: Path) -> None:
    server = world.start(maildir)
    for number in (1, 2):
        assert world.answer(NOW + timedelta(days=3)) == 0
        send(server, "Sanne@hexaloft.example", mail("sanne@hexaloft.example", ident=f"t{number}"))
    assert world.answer(NOW + timedelta(days=3)) == 1
    assert read(maildir)[0]["In-Reply-To"] == "<or.t2@testwell.example>"


@pytest.mark.parametrize("style", sorted({answer["style"] for answer in SCRIPT} - {"bounce", "unsubscribe"}))
def test_what_is_written_holds_the_words_and_names_the_writer(style: str) -> None:
    arrived = read_arrived(mail("zoe@quill.example").mime, "zoe@quill.example")
    answer = message_from_bytes(compose(style, arrived, "Größte Freude.", NOW), policy=default)
    body = answer.get_body(("plain", "html"))
    assert body is not None
    assert "Größte Freude." in body.get_content()
    (writer,) = answer["From"].addresses
    assert (writer.display_name, writer.addr_spec) == ("Zoë Quill", "zoe@quill.example")
    assert answer["To"] == "ada@testwell.example"
    machine = style in ("out-of-office", "auto-reply")
    assert (answer["Auto-Submitted"] == "auto-replied") == machine
    assert ("are you hiring?" in body.get_content()) == (not machine)


def test_a_bounce_is_a_report_that_returns_our_headers() -> None:
    message = mail("kofi@lumenpike.example")
    arrived = read_arrived(message.mime, "kofi@lumenpike.example")
    report = message_from_bytes(compose("bounce", arrived, "5.1.1|550 5.1.1 User unknown", NOW))
    assert report.get_content_type() == "multipart/report"
    assert report.get_param("report-type") == "delivery-status"
    parts = list(report.walk())
    assert [part.get_content_type() for part in parts[1:3]] == ["text/plain", "message/delivery-status"]
    failed = next(part for part in parts if part["Final-Recipient"])
    assert (failed["Status"], failed["Final-Recipient"]) == ("5.1.1", "rfc822; kofi@lumenpike.example")
    assert parts[-1].get_content_type() == "text/rfc822-headers"
    assert f"Message-ID: {message.message_id}" in str(parts[-1].get_payload())


def test_the_unsubscribe_button_sends_our_token_back() -> None:
    arrived = read_arrived(mail("zoe@quill.example").mime, "zoe@quill.example")
    assert message_from_bytes(compose("unsubscribe", arrived, "", NOW))["Subject"] == "unsubscribe a1"


def test_whoever_answers_is_on_the_list_that_has_addresses() -> None:
    lines = DATA.joinpath("founder-emails.csv").read_text("utf-8").splitlines()
    listed = {row["Email"].lower() for row in csv.DictReader(lines)}
    assert {answer["from"] for answer in SCRIPT} <= listed
    keys = [(answer["from"], answer["mail"]) for answer in SCRIPT]
    assert len(set(keys)) == len(keys)
