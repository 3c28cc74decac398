"""Every phase of the dialogue × everything that can go wrong there: the state of the message, what rests, what is said,
and that the server's ledger agrees; and later, that everybody who should get the mail has got it once.

The first message of three meets the fault; the others go after it.
"""

import ssl
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from outreach.core.pacing import UNTIL_FIXED, unpaced
from outreach.core.ports import Phase
from outreach.core.records import CampaignState, OutboxItem, OutboxState
from outreach.flows.send import Sender, SendReport, send
from outreach.store.journal import MemoryJournal
from outreach.store.store import Store, memory_store
from outreach.transports.smtp import TIMEOUTS, Server, SmtpTransport
from tests.factory import add_founders, queue_all, start_campaign
from tests.fakes import FakeClock
from tests.flows.test_enqueue_and_send import LIMITS
from tests.servers import Authority, make_authority
from tests.smtp_server import Behaviour, smtp_server

_IMPATIENT = 0.3
_BIG = b"x" * 76 + b"\r\n"

TALK = {
    "garbage": "<html>502</html>",
    "torn": "25",
    "odd code": "2_5 fine",
    "not ascii": "451 4.3.0 sp\udce4ter",  # latin-1, as some servers write it
    "4xx": "451 4.3.0 not now",
    "5xx": "571 no",
    "421": "421 4.3.2 going down",
    "long": "250 " + "x" * 100_000,
}
SILENT = ("drop", "reset", "hang", "dribble", "endless", "garbage", "odd code", "long")
"""No valid reply, whatever it is that comes."""
FAULTS = (*SILENT, "not ascii", "4xx", "5xx", "421", "slow", "twice")

Expected = tuple[OutboxState, str, str]
LOST = (OutboxState.QUEUED, "connection-lost", "")
UNREACHED = (OutboxState.QUEUED, "unreachable", "")
LATER = (OutboxState.QUEUED, "overloaded", "mailbox for 5 minutes")
BUSY = (OutboxState.QUEUED, "busy", "mailbox for 5 minutes")
REFUSED = (OutboxState.FAILED, "rejected", "")
TURNED_AWAY = (OutboxState.QUEUED, "turned-away", "mailbox for 5 minutes")
NO_LOGIN = (OutboxState.QUEUED, "login-refused", "mailbox until a person acts")
NO_TLS = (OutboxState.QUEUED, "tls-unavailable", "mailbox until a person acts")
BAD_TLS = (OutboxState.QUEUED, "no-tls", "mailbox until a person acts")
SENT = (OutboxState.SENT, "accepted", "")
DOUBT = (OutboxState.UNKNOWN, "no-reply-after-dot", "")


def _replies(lost: Expected, refused: Expected, twice: Expected, **others: Expected) -> dict[str, Expected]:
    usual = {"not ascii": LATER, "4xx": LATER, "5xx": refused, "421": BUSY, "slow": SENT, "twice": twice}
    return {**dict.fromkeys(SILENT, lost), **usual, **others}


_ALL_SENT = dict.fromkeys(FAULTS, SENT)
TABLE: dict[str, dict[str, Expected]] = {
    "connect": _replies(UNREACHED, TURNED_AWAY, LOST),
    "ehlo": _replies(UNREACHED, TURNED_AWAY, LOST),
    "starttls": _replies(LOST, NO_TLS, SENT),  # what stands behind the answer in clear counts for nothing
    "tls": {**dict.fromkeys(("drop", "reset", "hang"), LOST), **dict.fromkeys(("garbage", "dribble", "421"), BAD_TLS)},
    "ehlo-tls": _replies(UNREACHED, TURNED_AWAY, LOST),
    "auth": _replies(LOST, NO_LOGIN, LOST),
    "mail": _replies(LOST, REFUSED, LOST),
    "rcpt": _replies(LOST, REFUSED, LOST),
    "data": _replies(LOST, REFUSED, LOST),
    "body": {
        **dict.fromkeys(("drop", "reset", "hang", "garbage", "long", "odd code", "twice"), LOST),
        "4xx": LATER, "not ascii": LATER, "5xx": REFUSED, "421": BUSY,
    },
    "dot": _replies(DOUBT, REFUSED, SENT),
    "accepted": {**dict.fromkeys(SILENT, DOUBT), "slow": SENT, "twice": SENT},
    "after": dict.fromkeys(("drop", "reset", "421", "garbage"), SENT),
    "next mail": {**_replies(LOST, REFUSED, LOST), **dict.fromkeys(SILENT, SENT), "421": SENT},
    "rset": dict.fromkeys(FAULTS, REFUSED),
    "quit": _ALL_SENT,
}  # fmt: skip
CASES = [(phase, fault, *expected) for phase, faults in TABLE.items() for fault, expected in faults.items()]
WHERE = {
    "ehlo": Phase.CONNECT, "starttls": Phase.TLS, "ehlo-tls": Phase.CONNECT, "accepted": Phase.DOT,
    "next mail": Phase.MAIL, "rset": Phase.CONNECT, "quit": Phase.CONNECT, "after": Phase.DOT,
}  # fmt: skip
IN_DOUBT_YET_DELIVERED = ("accepted",)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def tls(authority: Authority) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(authority.certificate, authority.key)
    return context


@dataclass
class Desk:
    """Three messages, a server that misbehaves once, and a clock."""

    store: Store
    behaviour: Behaviour
    server: Server
    clock: FakeClock

    @property
    def items(self) -> list[OutboxItem]:
        return self.store.outbox.items(states=[OutboxState.QUEUED])

    def send(self, items: list[OutboxItem], timeouts: Mapping[Phase, float] = TIMEOUTS) -> SendReport:
        sender = Sender(
            store=self.store, transport=SmtpTransport(replace(self.server, timeouts=timeouts)),
            mailbox=self.store.campaigns.mailbox("ada@ada.example", self.clock.now()),
            limits=replace(unpaced(LIMITS), fresh_inbox=None), clock=self.clock, journal=MemoryJournal(), owner="desk",
            chance=lambda: 0.5,
        )  # fmt: skip
        return send(sender, items)

    def rests(self) -> str:
        """What is wider than the message: what rests now, and until when."""
        mailbox = self.store.campaigns.mailbox("ada@ada.example", self.clock.now())
        [campaign] = self.store.campaigns.all()
        if campaign.state is not CampaignState.ACTIVE:
            return "campaign"
        if mailbox.paused_until is None:
            return ""
        if mailbox.paused_until == UNTIL_FIXED:
            return "mailbox until a person acts"
        return f"mailbox for {(mailbox.paused_until - self.clock.now()).total_seconds() / 60:g} minutes"


@pytest.fixture
def desk(request: pytest.FixtureRequest, tls: ssl.SSLContext, authority: Authority) -> Iterator[Desk]:
    phase = request.getfixturevalue("phase")
    secure = phase in ("starttls", "tls", "ehlo-tls")
    features = ("SIZE 100000000", "8BITMIME", *(["STARTTLS"] if secure else []), *(["AUTH PLAIN"] * (phase == "auth")))
    behaviour = Behaviour(features=features, tls=tls if secure else None)
    store = memory_store()
    add_founders(store, ["Bo", "Cy", "Di"])
    queue_all(store, start_campaign(store)[0])
    with smtp_server(behaviour) as port:
        ca_file = str(authority.ca) if secure else ""
        server = Server("localhost", port, "starttls" if secure else "none", ca_file=ca_file)
        if phase == "auth":
            server = replace(server, username="ada@ada.example", password=lambda: "CANARY")
        yield Desk(store, behaviour, server, FakeClock())


def strike(behaviour: Behaviour, phase: str, does: str) -> None:
    """Let the server do that once: at the first time of the phase, or at the second mail of a connection."""
    where, when = ("mail", 2) if phase == "next mail" else (phase, 1)

    def fault(at: str, number: int) -> str | None:
        if phase == "rset" and (at, number) == ("rcpt", 1):
            return "571 no"  # a refusal, after which the connection goes on with RSET
        return TALK.get(does, does) if (at, number) == (where, when) else None

    behaviour.fault = fault


@pytest.mark.parametrize(("phase", "fault", "state", "rule", "rests"), CASES)
def test_every_phase_and_fault(
    desk: Desk, phase: str, fault: str, state: OutboxState, rule: str, rests: str, tmp_path: Path
) -> None:
    strike(desk.behaviour, phase, fault)
    first = int(phase == "next mail")
    before, struck, others = desk.items[:first], desk.items[first], desk.items[first + 1 :]
    big = struck.mime + _BIG * 100_000 if phase == "body" else struck.mime
    waits = fault in ("hang", "dribble")
    timeouts = {**TIMEOUTS, WHERE.get(phase, Phase(phase) if phase in tuple(Phase) else Phase.DOT): _IMPATIENT}
    report = desk.send([*before, replace(struck, mime=big)], timeouts if waits else TIMEOUTS)

    told = report.results[-1]
    row = desk.store.outbox.get(struck.id)
    assert (told.decision.state, told.decision.rule, desk.rests()) == (state, rule, rests)
    assert row.state is state
    assert bool(row.reason) is (state is not OutboxState.SENT)
    assert told.decision.remedy or state is OutboxState.SENT
    if fault in ("4xx", "5xx", "421") and state is not OutboxState.SENT and phase not in ("rset", "tls"):
        assert TALK[fault].partition(" ")[2] in desk.store.outbox.attempts(struck.id)[-1]["text"], "the server's words"

    desk.send(others)
    if rests:
        assert desk.store.outbox.still_queued([item.id for item in others]), "they wait with the mailbox"
    desk.clock.move(timedelta(hours=1))
    [campaign] = desk.store.campaigns.all()
    desk.store.campaigns.wake_mailbox(campaign.mailbox_id)
    desk.send(desk.items)

    copies = Counter(rcpt for mail in desk.behaviour.ledger for rcpt in mail.rcpts)
    states = {item.rcpt: item.state for item in desk.store.outbox.items()}
    ended = {OutboxState.QUEUED: OutboxState.SENT}.get(state, state)
    assert states[struck.rcpt] is ended
    assert {states[item.rcpt] for item in (*before, *others)} == {OutboxState.SENT}
    delivered = ended is OutboxState.SENT or (ended is OutboxState.UNKNOWN and phase in IN_DOUBT_YET_DELIVERED)
    assert copies == {item.rcpt: 1 for item in (*before, *others, *([struck] if delivered else []))}
    booked = desk.store.outbox.sent_times(campaign.mailbox_id)
    assert len(booked) == len(states) - (ended is OutboxState.FAILED), "what may have left is booked, and nothing else"
    assert "CANARY" not in str([desk.store.outbox.attempts(item.id) for item in desk.store.outbox.items()])
