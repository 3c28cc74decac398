"""A store that another program holds, that may not be written, or whose folder is gone: said in our words, with what
to do about it; and what a server answered meanwhile is recorded once it can be."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from outreach.core.pacing import unpaced
from outreach.core.records import OutboxState
from outreach.errors import StoreError
from outreach.flows.send import Sender, send
from outreach.store import tables as t
from outreach.store.database import Database
from outreach.store.journal import Journal, MemoryJournal
from outreach.store.store import Store
from outreach.transports.directory import DirectoryTransport
from tests.factory import add_founders, queue_all, start_campaign
from tests.fakes import FakeClock
from tests.flows.test_enqueue_and_send import LIMITS


@pytest.fixture
def place(tmp_path: Path) -> Path:
    folder = tmp_path / "w"
    folder.mkdir()
    with closing(Database(folder / "outreach.db")) as made:
        t.metadata.create_all(made.engine)
    return folder / "outreach.db"


@pytest.fixture
def store(place: Path) -> Iterator[Store]:
    database = Database(place)
    sa.event.listen(database.engine, "connect", _impatient)
    with closing(Store(database, MemoryJournal())) as opened:
        yield opened


def _impatient(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA busy_timeout=20")


def exclusive(place: Path) -> sqlite3.Connection:
    """Another program with the whole store in its hands."""
    other = sqlite3.connect(place, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    return other


def refused(store: Store) -> StoreError:
    with pytest.raises(StoreError) as caught, store.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM companies")
    assert "database is locked" not in f"{caught.value}{caught.value.hint}"
    assert caught.value.hint
    assert caught.value.exit_code == 1
    return caught.value


def test_a_store_that_another_program_holds(place: Path, store: Store) -> None:
    with closing(exclusive(place)):
        assert "outreach.db has been locked by another program" in str(refused(store))
    with store.database.write() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM companies").scalar() == 0


def test_a_store_that_may_only_be_read(store: Store) -> None:
    sa.event.listen(store.database.engine, "connect", lambda raw, _record: raw.execute("PRAGMA query_only=1"))
    assert "outreach.db cannot be written" in str(refused(store))


def test_a_store_whose_folder_is_gone(place: Path, store: Store) -> None:
    shutil.rmtree(place.parent)
    assert "outreach.db cannot be opened" in str(refused(store))


def test_what_the_server_took_is_recorded_when_the_other_program_lets_go(
    tmp_path: Path, place: Path, store: Store
) -> None:
    add_founders(store, ["Bo", "Cy"])
    campaign, mailbox = start_campaign(store)
    items = queue_all(store, campaign)
    held: list[sqlite3.Connection] = []
    waits: list[str] = []

    def hold(label: str) -> None:
        if label == "answered" and not waits:
            held.append(exclusive(place))

    def wait(_until: datetime, reason: str) -> None:
        waits.append(reason)
        if len(waits) == 3:
            held.pop().close()

    sender = Sender(
        store=store, transport=DirectoryTransport(tmp_path / "sent"), mailbox=mailbox,
        limits=replace(unpaced(LIMITS), fresh_inbox=None), clock=FakeClock(), journal=Journal(tmp_path / "sent.log"),
        owner="me", chance=lambda: 0.5, at=hold, waiting=wait,
    )  # fmt: skip
    report = send(sender, items)
    assert [wait.partition(":")[0] for wait in waits] == ["store-busy"] * 3
    assert report.count(OutboxState.SENT) == len(list((tmp_path / "sent").glob("*.eml"))) == 2
    assert {item.state for item in store.outbox.items()} == {OutboxState.SENT}
