"""A real IMAP server the whole way into the log: nothing twice, nothing stepped over, not one flag changed."""

import itertools
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import uuid4

import pytest

from outreach.errors import MailboxError
from outreach.flows.sync import SyncReport, sync
from outreach.inboxes.imap import ImapInbox, ImapServer
from outreach.store import tables as t
from outreach.store.schema import open_database
from tests.factory import SENDER
from tests.fakes import FakeClock
from tests.flows.world import World, make_world
from tests.mails import mail
from tests.servers import PASSWORD, Dovecot, Wire, dovecot, give_to, make_authority, wire_to

INBOUND, LOCATIONS = t.inbound, t.inbound_locations
FOLDERS = ("", "Junk", "Sent")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dovecot]:
    with dovecot(make_authority(tmp_path_factory.mktemp("authority"))) as running:
        yield running


@pytest.fixture
def wire(server: Dovecot) -> Iterator[Wire]:
    with wire_to(server.port) as made:
        yield made


@dataclass
class Mailed:
    """A world whose mailbox a server keeps, with messages in all folders."""

    world: World
    user: str
    owner: tuple[str, str]
    names: Iterator[int] = field(default_factory=itertools.count)

    def put(self, raw: bytes, folder: str = "") -> Path:
        return self._owned(self.world.arrive(raw, folder=folder, at=datetime.now().astimezone()))

    def answer(self, name: str, text: str, n: int) -> Path:
        return self._owned(self.world.answer(name, text, n=n))

    def _owned(self, path: Path) -> Path:
        give_to(*self.owner, path)
        return path

    def sync(self, port: int) -> SyncReport:
        world = self.world
        account = ImapServer("localhost", port, "none", self.user, lambda: PASSWORD)
        return sync(
            world.store,
            ImapInbox(account, sleep=lambda _seconds: None),
            mailbox=world.store.campaigns.mailbox(SENDER.address, world.clock.now()),
            owner_name=SENDER.name,
            clock=FakeClock(world.clock.now()),
        )

    def log(self) -> list[tuple[str, str, str]]:
        return sorted((row["message_id"], row["kind"], row["subject"]) for row in self.world.rows(INBOUND))

    def places(self) -> list[tuple[str, str]]:
        return sorted((row["folder"], row["key"]) for row in self.world.rows(LOCATIONS))

    def files(self) -> dict[str, bytes]:
        """Every message by its file name: flags are part of the name, and moving it to `cur` adds `:2,`."""
        found = (path for part in ("new", "cur") for path in self.world.maildir.rglob(f"{part}/*"))
        return {re.sub(r":2,$", "", path.name): path.read_bytes() for path in found}


def mailed(server: Dovecot, database: Path | None = None) -> Mailed:
    user = f"{uuid4().hex}@ada.example"
    world = make_world(server.mail / user, open_database(database, create=True) if database else None)
    root = server.mail
    made = Mailed(world, user, (root.owner(), root.group()))
    give_to(*made.owner, world.maildir)
    return made


def filled(server: Dovecot, database: Path | None = None) -> Mailed:
    """Answers, other people's mail, and a mail by hand."""
    made = mailed(server, database)
    for number in range(8):
        made.answer(("Bo", "Cy")[number % 2], f"answer {number}", number)
        made.put(mail(f"other {number}", sender=f"eve{number}@else.example", message_id=f"<{number}@else.example>"))
    made.put(mail("buy", sender="shop@shop.example", message_id="<spam@shop.example>"), "Junk")
    made.put(mail("hand", sender="ada@ada.example", to="di@di.example", message_id="<h@ada.example>"), "Sent")
    return made


def undisturbed(server: Dovecot, wire: Wire) -> tuple[Mailed, int]:
    """What a reading finds where nothing breaks, and how many commands it takes."""
    made = filled(server)
    made.sync(wire.port)
    return made, len(wire.commands)


def test_a_wire_that_breaks_at_any_step_loses_and_doubles_nothing(server: Dovecot, wire: Wire) -> None:
    whole, steps = undisturbed(server, wire)
    assert len(whole.log()) == 9
    assert steps > 10
    for step, answered in itertools.product(range(1, steps + 1), (False, True)):
        made = filled(server)
        before = made.files()
        wire.commands.clear()
        wire.cut_at, wire.answered, wire.cuts = step, answered, 0
        try:
            made.sync(wire.port)
        except MailboxError:  # then it is said, and the next one goes on
            made.sync(wire.port)
        assert wire.cuts == 1 or len(wire.commands) < step, (step, answered)
        assert made.log() == whole.log(), (step, answered)
        assert made.places() == whole.places(), (step, answered)
        assert made.world.enrollments() == whole.world.enrollments(), (step, answered)
        assert made.files() == before, (step, answered)
        assert made.sync(server.port).fetched == 0


def test_ten_thousand_messages_and_then_only_what_is_new(server: Dovecot, wire: Wire) -> None:
    made = mailed(server)
    root = made.world.maildir / "new"
    for number in range(10_000):
        item = made.world.items[("Bo", "Cy", "Di")[number % 3]]
        sender, about = (item.rcpt, item.message_id) if number % 100 == 0 else ("e@e.example", "")
        raw = mail(f"number {number}", message_id=f"<{number}@x.example>", sender=sender, in_reply_to=about)
        (root / f"{number:05d}.x").write_bytes(raw)
    give_to(*made.owner, root)
    before = made.files()
    first = made.sync(wire.port)
    assert (first.fetched, first.by_kind["reply"], first.unmatched) == (10_000, 100, 9_900)
    assert len(made.places()) == 10_000
    wire.carried = 0
    assert made.sync(wire.port).fetched == 0
    made.answer("Bo", "one more", 10_001)
    again = made.sync(wire.port)
    assert (again.fetched, again.by_kind) == (1, {"reply": 1})
    assert wire.carried < 200_000  # UIDs of the last days, and not one head read again
    assert len(made.log()) == 101
    assert before.items() <= made.files().items()


def test_a_mailbox_made_anew_is_read_again_and_logged_once(server: Dovecot, wire: Wire) -> None:
    made = filled(server)
    made.sync(wire.port)
    log = made.log()
    for path in made.world.maildir.rglob("dovecot*"):
        path.unlink()
    uid_list = made.world.maildir / "dovecot-uidlist"
    uid_list.write_text("3 V987654321 N1 G0123456789abcdef0123456789abcdef\n")
    give_to(*made.owner, uid_list)
    assert made.sync(wire.port).by_kind.get("reply", 0) == 0
    assert made.log() == log
    validities = {row["validity"] for row in made.world.rows(LOCATIONS) if row["folder"] == "INBOX"}
    assert "987654321" in validities


def test_what_was_deleted_between_two_readings_hides_nothing_else(server: Dovecot, wire: Wire) -> None:
    made = filled(server)
    made.sync(wire.port)
    newest = max((made.world.maildir / "new").iterdir(), key=lambda path: path.name)
    newest.unlink()
    made.answer("Di", "and now this", 1)
    assert made.sync(wire.port).by_kind == {"reply": 1}
    assert len(made.log()) == 10


def test_two_readings_at_once_log_nothing_twice(server: Dovecot, wire: Wire, tmp_path: Path) -> None:
    made = filled(server, tmp_path / "outreach.db")
    errors: list[BaseException] = []

    def work() -> None:
        try:
            made.sync(wire.port)
        except BaseException as error:  # noqa: BLE001  shown by the test
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(made.log()) == len(set(made.log())) == 9
    assert len(made.places()) == len(set(made.places())) == 18
