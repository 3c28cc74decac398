"""A no that is committed before the intent is obeyed: from wherever it comes, at whichever step of the real wire
procedure it is said, by another process with a connection of its own. After the intent the mail is on its way."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from outreach.core.pacing import FRESH_INBOX, unpaced
from outreach.core.records import CampaignState, OutboxItem, OutboxState
from outreach.flows import curate
from outreach.flows.enqueue import Conditions, Writer, enqueue, plan
from outreach.flows.ingest import Source, ingest
from outreach.flows.send import Sender, send
from outreach.flows.suppress import suppress, suppress_all
from outreach.flows.sync import sync
from outreach.importers import all_importers
from outreach.inboxes.maildir import MaildirInbox
from outreach.resources import data_dir
from outreach.settings import Security
from outreach.store import tables as t
from outreach.store.database import Database
from outreach.store.journal import MemoryJournal
from outreach.store.schema import open_database
from outreach.store.store import Store
from outreach.templating import load_sequence
from outreach.transports.smtp import Server, SmtpTransport
from tests.factory import KEY, SENDER, start_campaign
from tests.fakes import FakeClock
from tests.flows.test_enqueue_and_send import LIMITS
from tests.mails import mail
from tests.postgres import Server as Postgres
from tests.smtp_server import Behaviour, smtp_server

NAMES = ("Bo", "Cy", "Di", "Ed", "Fay", "Gus", "Hal", "Ida", "Jo")
ROWS = [f"{name} {name}son,{name} Labs,{name.lower()}.example,{name.lower()}@{name.lower()}.example" for name in NAMES]
BEFORE = ("queued", "claimed", "connect", "ehlo", "mail", "rcpt", "data", "staged", "logged")
AFTER = ("intended", "dot", "accepted", "answered", "settled")
_HEADER = "Name,Company,Website,Email\n"


@dataclass
class Pair:
    """Two processes on one store: `mine` sends, `other` hears the no."""

    mine: Store
    other: Store
    clock: FakeClock
    maildir: Path
    sent: dict[str, OutboxItem]
    """address → the first mail, which left days ago."""

    def bring(self, *rows: str) -> None:
        data = (_HEADER + "".join(f"{row}\n" for row in rows)).encode()
        ingest(self.other, [Source("list.csv", data, self.clock.now())], importers=all_importers(), clock=self.clock)

    def arrive(self, raw: bytes) -> None:
        (self.maildir / "new" / f"{len(list((self.maildir / 'new').iterdir()))}.test").write_bytes(raw)
        mailbox = self.other.campaigns.mailbox(SENDER.address, self.clock.now())
        sync(self.other, MaildirInbox(self.maildir), mailbox=mailbox, owner_name=SENDER.name, clock=self.clock)

    def answer(self, item: OutboxItem, text: str) -> None:
        first = self.sent[item.rcpt].message_id
        self.arrive(mail(text, sender=item.rcpt, in_reply_to=first, message_id=f"<a@{item.rcpt.partition('@')[2]}>"))

    def complain(self, item: OutboxItem) -> None:
        text = f"""\
--b
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: Reports/1.0
Version: 1
Original-Rcpt-To: {item.rcpt}

--b
Content-Type: message/rfc822

Message-ID: {self.sent[item.rcpt].message_id}
From: ada@ada.example
To: {item.rcpt}
Subject: Engineering work

Hi
--b--
"""
        domain = item.rcpt.partition("@")[2]
        kind = "multipart/report; report-type=feedback-report; boundary=b"
        self.arrive(mail(text, sender=f"abuse@{domain}", message_id=f"<c@{domain}>", content_type=kind))

    def merge(self, item: OutboxItem) -> None:
        name = item.founder.partition(" ")[0].lower()
        self.bring(f"Nora {name}no,No {name} Co,no{name}.example,nora@no{name}.example")
        suppress(self.other, f"nora@no{name}.example", reason="said no", clock=self.clock)
        nora = self.other.people.get_founder(f"nora@no{name}.example")
        curate.say_same(self.other, all_importers(), self.clock, "founder", item.founder_id, nora.id)

    def learn(self, item: OutboxItem) -> None:
        name = item.founder.partition(" ")[0]
        old = f"old.{name.lower()}@elsewhere.example"
        suppress(self.other, old, reason="said no", clock=self.clock)
        self.bring(f"{item.founder},{name} Labs,{name.lower()}.example,{item.rcpt} {old}")


SOURCES: dict[str, Callable[[Pair, OutboxItem], object]] = {
    "suppress add": lambda pair, item: suppress(pair.other, item.rcpt, reason="no", clock=pair.clock),
    "suppress import": lambda pair, item: suppress_all(pair.other, [item.rcpt], reason="no", clock=pair.clock),
    "domain": lambda pair, item: suppress(pair.other, item.rcpt.partition("@")[2], reason="no", clock=pair.clock),
    "reply": lambda pair, item: pair.answer(item, "Yes, let us talk."),
    "opt-out": lambda pair, item: pair.answer(item, "Please stop. Unsubscribe me."),
    "complaint": Pair.complain,
    "merge": Pair.merge,
    "import": Pair.learn,
    "pause": lambda pair, item: pair.other.campaigns.set_state(item.campaign_id, CampaignState.PAUSED, "by hand"),
}


@contextmanager
def stores(folder: Path, server: Postgres | None) -> Iterator[tuple[Store, Store]]:
    if server is None:
        place: Path | str = folder / "outreach.db"
        with closing(Database(place)) as made:
            t.metadata.create_all(made.engine)
    else:
        place = server.create("template_store")
    first, second = (
        (Database(place), Database(place)) if server is None else (open_database(place), open_database(place))
    )
    with closing(Store(first, MemoryJournal())) as mine, closing(Store(second, MemoryJournal())) as other:
        yield mine, other
    if server is not None:
        server.drop(str(place))


class At:
    """Says the no once, at one point: a step of the sender, or a phase of the server, in the server's own thread."""

    def __init__(self) -> None:
        self.point = ""
        self.say: Callable[[], object] = lambda: None

    def __call__(self, point: str, _number: int = 0) -> None:
        if point == self.point:
            self.point = ""
            self.say()


def deliver(pair: Pair, at: At, port: int, items: list[OutboxItem]) -> None:
    mailbox = pair.mine.campaigns.mailbox(SENDER.address, pair.clock.now())
    server = Server("127.0.0.1", port, Security.NONE, "", lambda: "", "", ())
    sender = Sender(
        store=pair.mine, transport=SmtpTransport(server), mailbox=mailbox, limits=unpaced(LIMITS), clock=pair.clock,
        journal=MemoryJournal(), owner="mine", chance=lambda: 0.5, at=at,
    )  # fmt: skip
    send(sender, items)


def due(pair: Pair) -> list[OutboxItem]:
    """Everyone's next step, queued."""
    campaign = pair.mine.campaigns.get("spring")
    writer = Writer(load_sequence(data_dir() / "templates" / "job-search"), SENDER, KEY)
    mailbox = pair.mine.campaigns.mailbox(SENDER.address, pair.clock.now())
    pair.mine.mail.finish(mailbox.id, pair.clock.now())
    conditions = Conditions(mailbox, replace(unpaced(LIMITS), fresh_inbox=FRESH_INBOX))
    return enqueue(pair.mine, plan(pair.mine, [(campaign, writer)], conditions, pair.clock.now()), pair.clock.now())


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@pytest.mark.parametrize("source", SOURCES)
def test_a_no_before_the_intent_is_obeyed(
    tmp_path: Path, request: pytest.FixtureRequest, kind: str, source: str
) -> None:
    at = At()
    behaviour = Behaviour(fault=at)
    server = request.getfixturevalue("server") if kind == "postgresql" else None
    with stores(tmp_path, server) as (mine, other), smtp_server(behaviour) as port:
        pair = Pair(mine, other, FakeClock(), tmp_path / "Maildir", {})
        for part in ("new", "cur", "tmp"):
            (pair.maildir / part).mkdir(parents=True)
        pair.bring(*ROWS)
        start_campaign(mine)
        pair.sent = {item.rcpt: item for item in due(pair)}
        deliver(pair, at, port, list(pair.sent.values()))
        assert len(behaviour.ledger) == len(NAMES)
        pair.clock.move(timedelta(days=4))
        for point, item in zip(BEFORE, due(pair), strict=True):
            at.point, at.say = point, partial(SOURCES[source], pair, item)
            at("queued")
            deliver(pair, at, port, [item])
            assert at.point == "", f"nothing was said at {point}"
            assert len(behaviour.ledger) == len(NAMES), f"{item.rcpt} was written to after {source} at {point}"
            after = OutboxState.QUEUED if source == "pause" else OutboxState.CANCELLED
            assert mine.outbox.get(item.id).state is after, point
            other.campaigns.set_state(item.campaign_id, CampaignState.ACTIVE, "")


def test_a_no_after_the_intent_comes_too_late_for_that_mail_and_is_kept(tmp_path: Path) -> None:
    at = At()
    behaviour = Behaviour(fault=at)
    with stores(tmp_path, None) as (mine, other), smtp_server(behaviour) as port:
        pair = Pair(mine, other, FakeClock(), tmp_path, {})
        pair.bring(*ROWS)
        start_campaign(mine)
        for number, (point, item) in enumerate(zip(AFTER, due(pair), strict=False), 1):
            at.point, at.say = point, partial(SOURCES["suppress add"], pair, item)
            deliver(pair, at, port, [item])
            assert len(behaviour.ledger) == number, point
            assert mine.outbox.get(item.id).state is OutboxState.SENT
        pair.clock.move(timedelta(days=4))
        stopped = {behaviour.ledger[number].rcpts[0] for number in range(len(AFTER))}
        assert not stopped & {item.rcpt for item in due(pair)}, "no follow-up after a no"
