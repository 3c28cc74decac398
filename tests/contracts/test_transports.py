"""Every way out keeps the same promises: nothing is delivered before `commit`, and then exactly once, byte for byte."""

import socket
import threading
import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from outreach.core.ports import Envelope, Outcome, Phase, SendResult, Transport
from outreach.errors import MailboxError
from outreach.transports.directory import DirectoryTransport
from outreach.transports.smtp import TIMEOUTS, Server, SmtpTransport
from tests.smtp_server import Behaviour, nth, smtp_server

MIME = (
    b"From: Ada <ada@ada.example>\r\nTo: bo@bo.example\r\nMessage-ID: <or.abc@ada.example>\r\n\r\n"
    b"Hello,\r\n.\r\n..two dots\r\nlast line\r\n"
)
ENVELOPE = Envelope("ada@ada.example", "bo@bo.example", MIME)


class TransportContract:
    """What a transport must do; a subclass says how to make one and what it has delivered."""

    @pytest.fixture
    def transport(self) -> Transport:
        raise NotImplementedError

    @pytest.fixture
    def delivered(self) -> Callable[[], list[bytes]]:
        raise NotImplementedError

    def test_stage_alone_delivers_nothing(self, transport: Transport, delivered: Callable[[], list[bytes]]) -> None:
        assert transport.stage(ENVELOPE) is None
        transport.close()
        assert delivered() == []

    def test_commit_delivers_once_and_byte_for_byte(
        self, transport: Transport, delivered: Callable[[], list[bytes]]
    ) -> None:
        assert transport.stage(ENVELOPE) is None
        result = transport.commit()
        transport.close()
        assert result.outcome is Outcome.ACCEPTED
        assert delivered() == [MIME]

    def test_one_after_the_other(self, transport: Transport, delivered: Callable[[], list[bytes]]) -> None:
        for name in ("one", "two", "three"):
            mime = MIME.replace(b"or.abc", b"or." + name.encode())
            assert transport.stage(Envelope("ada@ada.example", "bo@bo.example", mime)) is None
            assert transport.commit().outcome is Outcome.ACCEPTED
        transport.close()
        assert len(delivered()) == 3

    def test_close_twice_and_without_use(self, transport: Transport) -> None:
        transport.close()
        transport.close()


class TestDirectory(TransportContract):
    @pytest.fixture
    def transport(self, tmp_path: Path) -> Transport:
        return DirectoryTransport(tmp_path / "out")

    @pytest.fixture
    def delivered(self, tmp_path: Path) -> Callable[[], list[bytes]]:
        return lambda: [file.read_bytes() for file in sorted((tmp_path / "out").glob("*"))]

    def test_a_folder_that_cannot_be_made_defers(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("in the way")
        result = DirectoryTransport(tmp_path / "file").stage(ENVELOPE)
        assert result is not None
        assert result.outcome is Outcome.DEFERRED


class TestSmtp(TransportContract):
    @pytest.fixture
    def behaviour(self) -> Behaviour:
        return Behaviour()

    @pytest.fixture
    def transport(self, behaviour: Behaviour) -> Iterator[Transport]:
        with smtp_server(behaviour) as port:
            yield SmtpTransport(Server("127.0.0.1", port, "none"))

    @pytest.fixture
    def delivered(self, behaviour: Behaviour) -> Callable[[], list[bytes]]:
        return lambda: [mail.data for mail in behaviour.ledger]


# Where the dialogue breaks, how, and what that means: (phase, what the server does, outcome, phase of the result).
BEFORE_THE_DOT = [
    ("connect", "drop", Outcome.DEFERRED, Phase.CONNECT),
    ("connect", "421 4.3.2 not now", Outcome.DEFERRED, Phase.CONNECT),
    ("connect", "554 5.7.1 go away", Outcome.REJECTED, Phase.CONNECT),
    ("connect", "<html>", Outcome.DEFERRED, Phase.CONNECT),
    ("ehlo", "drop", Outcome.DEFERRED, Phase.CONNECT),
    ("mail", "451 4.3.0 try again", Outcome.DEFERRED, Phase.MAIL),
    ("mail", "530 5.7.0 log in first", Outcome.REJECTED, Phase.MAIL),
    ("rcpt", "550 5.1.1 no such user", Outcome.REJECTED, Phase.RCPT),
    ("rcpt", "450 4.2.1 later", Outcome.DEFERRED, Phase.RCPT),
    ("rcpt", "drop", Outcome.DEFERRED, Phase.RCPT),
    ("data", "451 4.3.0 try again", Outcome.DEFERRED, Phase.DATA),
    ("data", "250 what", Outcome.DEFERRED, Phase.DATA),
]
AT_THE_DOT = [
    ("dot", "451 4.7.1 greylisted", Outcome.DEFERRED, 0),
    ("dot", "554 5.7.1 spam", Outcome.REJECTED, 0),
    ("dot", "drop", Outcome.UNKNOWN, 0),
    ("dot", "<html>502</html>", Outcome.UNKNOWN, 0),
    ("dot", "354 what", Outcome.UNKNOWN, 0),
    ("dot", "2_5 odd", Outcome.UNKNOWN, 0),
    ("dot", "2" * 9000, Outcome.UNKNOWN, 0),
    ("accepted", "drop", Outcome.UNKNOWN, 1),
    ("accepted", "garbage", Outcome.UNKNOWN, 1),
    ("quit", "drop", Outcome.ACCEPTED, 1),
    ("quit", "421 4.3.2 bye", Outcome.ACCEPTED, 1),
]


def _offered(server: Server, envelope: Envelope = ENVELOPE) -> SendResult | None:
    transport = SmtpTransport(server)
    try:
        return transport.stage(envelope)
    finally:
        transport.close()


@pytest.mark.parametrize(("phase", "does", "outcome", "seen_at"), BEFORE_THE_DOT)
def test_before_the_dot_nothing_is_delivered(phase: str, does: str, outcome: Outcome, seen_at: Phase) -> None:
    behaviour = Behaviour(fault=nth(phase, does))
    with smtp_server(behaviour) as port:
        transport = SmtpTransport(Server("127.0.0.1", port, "none"))
        result = transport.stage(ENVELOPE)
        transport.close()
    assert result is not None
    assert (result.outcome, result.phase) == (outcome, seen_at)
    assert behaviour.ledger == []


@pytest.mark.parametrize(("phase", "does", "outcome", "deliveries"), AT_THE_DOT)
def test_after_the_dot_only_a_valid_reply_counts(phase: str, does: str, outcome: Outcome, deliveries: int) -> None:
    behaviour = Behaviour(fault=nth(phase, does))
    with smtp_server(behaviour) as port:
        transport = SmtpTransport(Server("127.0.0.1", port, "none"))
        assert transport.stage(ENVELOPE) is None
        result = transport.commit()
        transport.close()
    assert result.outcome is outcome
    assert len(behaviour.ledger) == deliveries


@pytest.mark.parametrize("said", ["drop", "421 4.4.2 idle for too long"])
def test_an_idle_connection_that_was_closed_is_opened_anew(said: str) -> None:
    behaviour = Behaviour(fault=nth("mail", said, 2))
    with smtp_server(behaviour) as port:
        transport = SmtpTransport(Server("127.0.0.1", port, "none"))
        for _ in range(2):
            assert transport.stage(ENVELOPE) is None
            assert transport.commit().outcome is Outcome.ACCEPTED
        transport.close()
    assert len(behaviour.ledger) == 2
    assert behaviour.counts["connect"] == 2


@pytest.mark.parametrize("security", ["none", "tls"])
def test_a_server_that_dribbles_is_left_at_the_deadline(security: str) -> None:
    """Each byte would start a socket's own timeout again: a banner, or a TLS record that never ends."""
    impatient = dict.fromkeys(TIMEOUTS, 0.5)
    left = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def dribble() -> None:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                connection.sendall(b"\x16\x03\x03\x3f\xff" if security == "tls" else b"2")
                while not left.wait(0.02):
                    connection.sendall(b"2")

        thread = threading.Thread(target=dribble, daemon=True)
        thread.start()
        result = _offered(Server("127.0.0.1", listener.getsockname()[1], security, timeouts=impatient))
        left.set()
        thread.join()
    assert result is not None
    assert result.outcome is Outcome.DEFERRED


def test_one_login_is_tried_and_the_password_stays_secret() -> None:
    behaviour = Behaviour(fault=nth("auth", "535 5.7.8 wrong"), features=("AUTH PLAIN LOGIN",))
    with smtp_server(behaviour) as port:
        server = Server("127.0.0.1", port, "none", "ada@ada.example", lambda: "CANARY-ä")
        result = _offered(server)
    assert result is not None
    assert (result.outcome, result.phase, result.code) == (Outcome.REJECTED, Phase.AUTH, 535)
    assert sum(command.startswith("AUTH") for command in behaviour.commands) == 1
    assert "CANARY" not in repr(server) + repr(result)


def test_a_password_in_other_bytes_than_utf8_goes_out_in_those() -> None:
    behaviour = Behaviour(features=("AUTH PLAIN",))
    with smtp_server(behaviour) as port:
        password = b"p\xe4ss".decode("utf-8", "surrogateescape")  # as the environment gives it
        assert _offered(Server("127.0.0.1", port, "none", "ada", lambda: password)) is None
    (login,) = (command for command in behaviour.commands if command.startswith("AUTH"))
    assert b64decode(login.split()[2]) == b"\0ada\0p\xe4ss"


def test_nothing_stays_open_where_the_password_cannot_be_had() -> None:
    def locked() -> str:
        raise MailboxError("the command failed.")

    with smtp_server(Behaviour(features=("AUTH PLAIN",))) as port:
        before = threading.active_count()
        transport = SmtpTransport(Server("127.0.0.1", port, "none", "ada", locked))
        with pytest.raises(MailboxError):
            transport.stage(ENVELOPE)
        for _ in range(500):
            if threading.active_count() <= before:
                break
            time.sleep(0.01)
        assert threading.active_count() <= before


def test_starttls_missing_means_no_mail_in_clear() -> None:
    behaviour = Behaviour(features=("AUTH PLAIN",))
    with smtp_server(behaviour) as port:
        server = Server("127.0.0.1", port, "starttls", "ada@ada.example", lambda: "CANARY")
        result = _offered(server)
    assert result is not None
    assert result.phase is Phase.TLS
    assert not any(command.startswith(("AUTH", "MAIL")) for command in behaviour.commands)


@pytest.mark.parametrize("rcpt", ["a@a.example, b@b.example", "a@a.example>", "a b@a.example", "no-at", "ä@a.example"])
def test_only_one_plain_address_is_ever_a_recipient(rcpt: str) -> None:
    behaviour = Behaviour()
    with smtp_server(behaviour) as port:
        result = _offered(Server("127.0.0.1", port, "none"), Envelope("ada@ada.example", rcpt, MIME))
    assert result is not None
    assert result.outcome is Outcome.REJECTED
    assert not any(command.startswith("RCPT") for command in behaviour.commands)


def test_a_recipient_outside_the_allowed_list_is_refused_at_the_wire() -> None:
    behaviour = Behaviour()
    with smtp_server(behaviour) as port:
        server = Server("127.0.0.1", port, "none", allow_recipients=("ada@ada.example", "friends.example"))
        refused = _offered(server)
        taken = _offered(server, Envelope("ada@ada.example", "cy@friends.example", MIME))
    assert refused is not None
    assert "OUTREACH_ALLOW_RECIPIENTS" in refused.text
    assert taken is None


def test_a_message_over_the_servers_size_is_not_offered() -> None:
    behaviour = Behaviour(features=("SIZE 10",))
    with smtp_server(behaviour) as port:
        result = _offered(Server("127.0.0.1", port, "none"))
    assert result is not None
    assert result.enhanced == "5.3.4"
