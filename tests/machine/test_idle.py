"""`outreach run` beside a real IMAP server: an answer is read within seconds of its coming, though the inbox is polled
once an hour; a broken connection is made anew; SIGTERM ends the waiting."""

import time
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path

import pytest

from tests.cli.program import Workspace, founders_csv
from tests.machine.test_run import ANY_TIME, Running
from tests.mails import mail
from tests.servers import PASSWORD, Dovecot, Wire, dovecot, give_to, make_authority, wire_to
from tests.smtp_server import Behaviour, smtp_server

USER = "ada@ada.example"
SECOND = "bea@testwell.example"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Dovecot]:
    with dovecot(make_authority(tmp_path / "authority")) as running:
        yield running


@pytest.fixture
def wire(server: Dovecot) -> Iterator[Wire]:
    with wire_to(server.port) as made:
        yield made


def imap_at(wire: Wire, user: str) -> dict[str, str]:
    return {
        "IMAP_HOST": "localhost",
        "IMAP_PORT": str(wire.port),
        "IMAP_SECURITY": "none",
        "IMAP_USERNAME": user,
        "IMAP_PASSWORD": PASSWORD,
    }


def answer(server: Dovecot, behaviour: Behaviour, number: int, user: str = USER) -> None:
    sent = message_from_bytes(behaviour.ledger[0].data)
    path = server.mail / user / "new" / f"{number}.answer"
    beside = server.mail / USER / "tmp" / path.name
    beside.write_bytes(
        mail("Yes.", sender=str(sent["To"]), in_reply_to=str(sent["Message-ID"]), message_id=f"<{number}@x.example>")
    )
    give_to(server.mail.owner(), server.mail.group(), beside)
    beside.rename(path)


def until_idle(wire: Wire, times: int) -> None:
    end = time.monotonic() + 60
    while sum(b"IDLE" in command for command in wire.commands) < times:
        assert time.monotonic() < end, wire.commands
        time.sleep(0.05)


def test_an_answer_is_read_as_it_comes(server: Dovecot, wire: Wire, tmp_path: Path) -> None:
    behaviour = Behaviour()
    with smtp_server(behaviour) as port:
        made = Workspace.create(tmp_path / "w", port=port, **{**ANY_TIME, "MAILDIR": "", **imap_at(wire, USER)})
        (made.folder / "founders.csv").write_text(founders_csv(1))
        made.run("import", "founders.csv")
        made.run("campaign", "new", "spring", "--sequence", "job-search")
        running = Running(made, "--yes", "--every", "1h")
        running.until("[1/1] sent")
        until_idle(wire, 1)
        answer(server, behaviour, 0)
        running.until("1 reply")
        until_idle(wire, 2)
        wire.cut_at, wire.answered = len(wire.commands) + 1, True  # the next word of the server's breaks it
        answer(server, behaviour, 1)
        running.until("1 reply")
        assert running.stop() == 130
    assert not [line for line in running.said if "Traceback" in line]


@pytest.fixture
def behaviour() -> Behaviour:
    return Behaviour()


@pytest.fixture
def two(wire: Wire, behaviour: Behaviour, tmp_path: Path) -> Iterator[Workspace]:
    """A workspace with two mailboxes at that server, and one founder whom the first writes to."""
    with smtp_server(behaviour) as port:
        made = Workspace.create(tmp_path / "w", port=port, **{**ANY_TIME, "MAILDIR": "", **imap_at(wire, USER)})
        settings = {"FROM": f"Bea <{SECOND}>", "SMTP_HOST": "127.0.0.1", "SMTP_PORT": port, "SMTP_SECURITY": "none"}
        lines = [f"OUTREACH_{key}={word}" for key, word in {**settings, **imap_at(wire, SECOND)}.items()]
        (made.folder / "mailboxes").mkdir()
        (made.folder / "mailboxes" / "second.env").write_text("\n".join(lines))
        (made.folder / "founders.csv").write_text(founders_csv(1))
        made.run("import", "founders.csv")
        made.run("campaign", "new", "spring", "--sequence", "job-search")
        yield made


def test_whichever_mailbox_an_answer_comes_to(
    server: Dovecot, wire: Wire, behaviour: Behaviour, two: Workspace
) -> None:
    running = Running(two, "--yes", "--every", "1h")
    running.until("[1/1] sent")
    for number, user in enumerate((SECOND, USER)):
        until_idle(wire, 2 * (number + 1))
        answer(server, behaviour, number, user)
        running.until("1 reply")
    until_idle(wire, 6)
    assert running.stop() == 130
    assert not [line for line in running.said if "Traceback" in line]


def test_a_mailbox_that_cannot_be_read_is_asked_once_a_round_and_keeps_nobody_from_listening(
    server: Dovecot, wire: Wire, behaviour: Behaviour, two: Workspace
) -> None:
    file = two.folder / "mailboxes" / "second.env"
    file.write_text(file.read_text().replace(PASSWORD, "wrong"))
    running = Running(two, "--yes", "--every", "1h")
    running.until("[1/1] sent")
    until_idle(wire, 1)
    answer(server, behaviour, 0)
    running.until("1 reply")
    until_idle(wire, 2)
    assert running.stop() == 130
    logins = sum(b"AUTHENTICATE" in command for command in wire.commands)
    assert logins == 2 + 2 + 2  # in each of two rounds both mailboxes are read, and one is listened to
