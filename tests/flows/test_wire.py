"""What may stand on the wire: sizes, addresses outside ASCII, line ends and dots, on the last bytes."""

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.core.message import build_message, check_wire
from outreach.core.pacing import unpaced
from outreach.core.ports import Envelope, Outcome
from outreach.core.records import CampaignState, Draft, OutboxItem, OutboxState
from outreach.errors import StoreError
from outreach.flows.send import Sender, SendReport, send
from outreach.store import tables as t
from outreach.store.journal import MemoryJournal
from outreach.store.store import Store, memory_store
from outreach.transports.smtp import Server, SmtpTransport
from tests.factory import SENDER, add_founders, queue_all, start_campaign
from tests.fakes import MONDAY_MORNING as NOW
from tests.fakes import FakeClock
from tests.flows.test_enqueue_and_send import LIMITS
from tests.smtp_server import Behaviour, smtp_server

UTF8 = ("SIZE 10000000", "8BITMIME", "SMTPUTF8")


def queued(*addresses: str) -> tuple[Store, list[OutboxItem]]:
    """One founder for each address, with a message in the queue."""
    store, names = memory_store(), ["Bo", "Cy", "Di"][: len(addresses)]
    add_founders(store, names)
    with store.database.write() as connection:
        for number, address in enumerate(addresses, 1):
            connection.execute(
                sa.update(t.addresses).where(t.addresses.c.id == number).values(address=address, key=address)
            )
    return store, queue_all(store, start_campaign(store)[0])


def sent(store: Store, items: Sequence[OutboxItem], behaviour: Behaviour) -> SendReport:
    with smtp_server(behaviour) as port:
        sender = Sender(
            store=store, transport=SmtpTransport(Server("127.0.0.1", port, "none")),
            mailbox=store.campaigns.mailbox(SENDER.address, NOW), limits=replace(unpaced(LIMITS), fresh_inbox=None),
            clock=FakeClock(), journal=MemoryJournal(), owner="desk", chance=lambda: 0.5,
        )  # fmt: skip
        return send(sender, items)


@pytest.mark.parametrize("limit", ["SIZE 10", "SIZE 200"])
def test_a_mail_too_big_for_the_server_is_refused_before_data(limit: str) -> None:
    store, items = queued("bo@bo.example", "cy@cy.example")
    behaviour = Behaviour(features=(limit,))
    report = sent(store, items, behaviour)
    [refused, waits] = [store.outbox.get(item.id) for item in items]
    assert (refused.state, waits.state) == (OutboxState.FAILED, OutboxState.QUEUED)
    assert f"the mail has {len(refused.mime)} bytes, and the server takes {limit[5:]} at most" in str(report.results)
    assert "too large for the server" in refused.reason
    assert store.campaigns.get("spring").state is CampaignState.PAUSED, "all of its mails are like it"
    assert [command.split()[0] for command in behaviour.commands] == ["EHLO", "RSET", "QUIT"]


@pytest.mark.parametrize("limit", ["SIZE", "SIZE 0", "SIZE ²", f"SIZE {'9' * 5000}", "SIZE 1000000"])
def test_no_limit_and_an_odd_one_refuse_nothing(limit: str) -> None:
    store, items = queued("bo@bo.example")
    assert sent(store, items, Behaviour(features=(limit,))).count(OutboxState.SENT) == 1


def test_a_domain_outside_ascii_goes_in_ascii() -> None:
    behaviour = Behaviour()
    mime = b"From: a\r\nTo: bo@xn--bcher-kva.example\r\n\r\nHi\r\n"
    with smtp_server(behaviour) as port:
        transport = SmtpTransport(Server("127.0.0.1", port, "none"))
        assert transport.stage(Envelope("ada@ada.example", "bo@bücher.example", mime)) is None
        assert transport.commit().outcome is Outcome.ACCEPTED
        transport.close()
    assert [mail.rcpts for mail in behaviour.ledger] == [("bo@xn--bcher-kva.example",)]


def test_a_name_outside_ascii_goes_where_the_server_carries_it() -> None:
    store, items = queued("jürgen@bo.example", "cy@cy.example")
    behaviour = Behaviour(features=UTF8)
    assert sent(store, items, behaviour).count(OutboxState.SENT) == 2
    first, second = [command for command in behaviour.commands if command.startswith("MAIL")]
    assert first.endswith(f"SIZE={len(items[0].mime)} BODY=8BITMIME SMTPUTF8")
    assert second.endswith(f"SIZE={len(items[1].mime)}")
    assert [(mail.rcpts, mail.data) for mail in behaviour.ledger] == [((item.rcpt,), item.mime) for item in items]


@pytest.mark.parametrize("features", [("8BITMIME",), ("SMTPUTF8",), ()])
def test_elsewhere_it_is_refused_alone_and_says_why(features: tuple[str, ...]) -> None:
    store, items = queued("jürgen@bo.example", "cy@cy.example")
    behaviour = Behaviour(features=features)
    report = sent(store, items, behaviour)
    assert [(told.item.rcpt, told.decision.state) for told in report.results] == [
        ("jürgen@bo.example", OutboxState.FAILED),
        ("cy@cy.example", OutboxState.SENT),
    ]
    assert "letters outside ASCII before the @" in store.outbox.get(items[0].id).reason
    assert store.campaigns.get("spring").state is CampaignState.ACTIVE
    assert sum(command.startswith("MAIL") for command in behaviour.commands) == 1


def test_only_the_recipients_own_letters_may_be_outside_ascii() -> None:
    made = build_message(
        Draft("Hi", "Hi\n"), sender=SENDER, recipient="jürgen@bo.example", recipient_name="Jürgen Quill", date=NOW,
        token="t",
    )  # fmt: skip
    assert check_wire(made.mime, "jürgen@bo.example", made.message_id) == []
    subject = made.mime.replace(b"Subject: Hi", "Subject: Hü".encode())
    assert check_wire(subject, "jürgen@bo.example", made.message_id) == ["a header holds bytes outside ASCII"]
    assert check_wire(made.mime, "jurgen@bo.example", made.message_id)


SMUGGLED = (b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r.\r\n", b"\r\n.\n", b"\r\n.\r", b"a\rb", b"a\nb")


@pytest.mark.parametrize("inside", SMUGGLED)
def test_no_line_end_but_crlf_reaches_a_socket(inside: bytes) -> None:
    """Servers that take one of these for the end of a mail would find a second one behind it (CVE-2023-51764)."""
    store, items = queued("bo@bo.example")
    behaviour = Behaviour()
    mime = items[0].mime + b"x" + inside + b"MAIL FROM:<ada@ada.example>\r\n"
    report = sent(store, [replace(items[0], mime=mime)], behaviour)
    assert isinstance(report.errors[0], StoreError)
    assert "not as it was queued" in str(report.errors[0])
    assert behaviour.commands == []


lines = st.lists(st.sampled_from([".", "..", ".\t", " .", "a.", "", ".a", "\u2028.", "é" * 80 + "."]), max_size=12)


@settings(max_examples=60, deadline=None)
@given(st.lists(lines, min_size=1, max_size=3))
def test_dots_are_stuffed_and_the_end_stands_at_the_end(mails: list[list[str]]) -> None:
    behaviour = Behaviour()
    with smtp_server(behaviour) as port:
        transport = SmtpTransport(Server("127.0.0.1", port, "none"))
        mimes = [
            build_message(
                Draft("Hi", "\n".join(text)), sender=SENDER, recipient="bo@bo.example", recipient_name="Bo", date=NOW,
                token=f"t{number}",
            ).mime
            for number, text in enumerate(mails)
        ]  # fmt: skip
        for mime in mimes:
            assert transport.stage(Envelope(SENDER.address, "bo@bo.example", mime)) is None
            assert transport.commit().outcome is Outcome.ACCEPTED
        transport.close()
    assert [mail.data for mail in behaviour.ledger] == mimes
    for mail in behaviour.ledger:
        assert not re.search(rb"\r(?!\n)|(?<!\r)\n", mail.wire)
        assert mail.wire.find(b"\r\n.\r\n") == len(mail.wire) - 5
