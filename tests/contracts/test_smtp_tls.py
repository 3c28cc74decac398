"""SMTP over TLS to Postfix's smtp-sink, with a certificate authority of our own; a wrong certificate is refused."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from outreach.core.delivery import decide
from outreach.core.ports import Envelope, Outcome, Phase, SendResult
from outreach.transports.smtp import Server, SmtpTransport
from tests.cli.program import Workspace, founders_csv
from tests.fakes import MONDAY_MORNING as NOW
from tests.servers import Authority, Sink, make_authority, smtp_sink

MIME = (
    b"From: Ada <ada@ada.example>\r\nTo: bo@bo.example\r\nMessage-ID: <or.abc@ada.example>\r\n\r\n"
    b"Hello,\r\n..a dot\r\nbye\r\n"
)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("stranger"))


@pytest.fixture
def sink(authority: Authority) -> Iterator[Sink]:
    with smtp_sink(authority) as running:
        yield running


def refusal(server: Server) -> SendResult:
    transport = SmtpTransport(server)
    result = transport.stage(Envelope("ada@ada.example", "bo@bo.example", MIME))
    transport.close()
    assert result is not None
    return result


def test_mail_goes_through_tls_byte_for_byte(sink: Sink) -> None:
    transport = SmtpTransport(Server("localhost", sink.tls_port, "tls", ca_file=str(sink.authority.ca)))
    for _ in range(2):
        assert transport.stage(Envelope("ada@ada.example", "bo@bo.example", MIME)) is None
        assert transport.commit().outcome is Outcome.ACCEPTED
    transport.close()
    mails = sink.mails()
    assert len(mails) == 2
    assert all(MIME.replace(b"\r\n", b"\n") in mail.replace(b"\r\n", b"\n") for mail in mails)


def test_an_unknown_authority_is_refused_before_a_word_is_said(sink: Sink, stranger: Authority) -> None:
    for ca_file in ("", str(stranger.ca)):
        result = refusal(Server("localhost", sink.tls_port, "tls", "ada", lambda: "CANARY", ca_file))
        assert (result.outcome, result.phase) == (Outcome.DEFERRED, Phase.TLS)
        assert "certificate" in result.text
    assert sink.mails() == []


def test_a_certificate_for_another_host_is_refused(sink: Sink) -> None:
    result = refusal(Server("127.0.0.1", sink.tls_port, "tls", ca_file=str(sink.authority.ca)))
    assert result.phase is Phase.TLS
    assert "certificate" in result.text
    assert sink.mails() == []


def test_a_bad_certificate_rests_the_mailbox_until_someone_looks(sink: Sink) -> None:
    result = refusal(Server("localhost", sink.tls_port, "tls"))
    decision = decide(result, attempts=0, now=NOW)
    assert decision.until_fixed
    assert not decision.counts


def test_the_program_sends_over_tls(sink: Sink, tmp_path: Path) -> None:
    workspace = Workspace.create(
        tmp_path / "w",
        port=sink.tls_port,
        SMTP_HOST="localhost",
        SMTP_SECURITY="tls",
        SMTP_CA_FILE=str(sink.authority.ca),
    )
    (workspace.folder / "founders.csv").write_text(founders_csv(5))
    workspace.run("import", "founders.csv")
    workspace.run("campaign", "new", "spring", "--sequence", "job-search")
    assert workspace.json("send", "--live", "--expect", "5", "--no-pacing")["sent"] == 5
    items = {item["message_id"] for item in workspace.json("outbox")["items"]}
    assert {message_id for message_id in items if any(message_id.encode() in mail for mail in sink.mails())} == items
    assert len(sink.mails()) == 5

    other = {**workspace.environment, "OUTREACH_SMTP_CA_FILE": str(tmp_path / "no-such-file.pem")}
    workspace.environment = other
    refused = workspace.run("send", "--live", "--expect", "0", "--no-pacing", exit_code=1)
    assert "error: " in refused.stderr
