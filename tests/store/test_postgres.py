"""PostgreSQL as a store: the schema, the gate, the server's clock, and what a person reads when it cannot be used."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from outreach.errors import StoreError, StoreUnavailable
from outreach.store import tables as t
from outreach.store.database import Database
from outreach.store.instance import Instance
from outreach.store.journal import MemoryJournal
from outreach.store.meta import put_fact
from outreach.store.postgres import ServerClock
from outreach.store.schema import open_database
from tests.postgres import Server, postgres


@pytest.fixture
def database(server: Server) -> Iterator[Database]:
    url = server.create()
    with closing(open_database(url, create=True)) as made:
        yield made
    server.drop(url)


def test_models_and_migrations_agree(database: Database) -> None:
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, t.metadata) == []


def test_text_is_compared_by_its_bytes_as_sqlite_does(database: Database) -> None:
    with database.write() as connection:
        for name in ("a", "B", "é", "_", "<or.x@", "<or.xA"):
            connection.execute(sa.insert(t.metadata.tables["meta"]).values(name=name, value="order"))
    with database.read() as connection:
        query = "SELECT name FROM meta WHERE value = 'order' ORDER BY name"
        assert connection.exec_driver_sql(query).scalars().all() == ["<or.x@", "<or.xA", "B", "_", "a", "é"]


def test_writers_stand_in_line_and_lose_no_update(database: Database) -> None:
    """Read, then write: under READ COMMITTED alone this loses updates."""
    with database.write() as connection:
        connection.exec_driver_sql("INSERT INTO meta VALUES ('n', '0')")

    def work() -> None:
        with closing(Database(database.server)) as mine:
            for _ in range(25):
                with mine.write() as connection:
                    value = int(str(connection.exec_driver_sql("SELECT value FROM meta WHERE name = 'n'").scalar()))
                    time.sleep(0.001)
                    put_fact(connection, "n", str(value + 1))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT value FROM meta WHERE name = 'n'").scalar() == "100"


def test_a_writer_sees_what_was_committed_while_it_waited(database: Database) -> None:
    """An opt-out that commits first is seen by the fence that stood in line behind it."""
    seen: list[object] = []
    started = threading.Event()

    def fence() -> None:
        started.set()
        with closing(Database(database.server)) as mine, mine.write() as connection:
            seen.append(connection.exec_driver_sql("SELECT count(*) FROM meta WHERE name = 'opt-out'").scalar())

    with database.write() as connection:
        thread = threading.Thread(target=fence)
        thread.start()
        started.wait()
        time.sleep(0.1)
        connection.exec_driver_sql("INSERT INTO meta VALUES ('opt-out', '')")
    thread.join()
    assert seen == [1]


def test_a_reader_sees_one_moment_and_writes_nothing(database: Database) -> None:
    with database.read() as reading:
        count = "SELECT count(*) FROM meta"
        before = reading.exec_driver_sql(count).scalar()
        with database.write() as connection:
            connection.exec_driver_sql("INSERT INTO meta VALUES ('later', '')")
        assert reading.exec_driver_sql(count).scalar() == before
    with pytest.raises(StoreError, match="cannot be written"), database.read() as connection:
        connection.exec_driver_sql("INSERT INTO meta VALUES ('x', '')")


def test_the_clock_is_the_servers() -> None:
    asked: list[datetime] = []
    away = datetime(2030, 1, 1, tzinfo=UTC)

    def ask() -> datetime:
        asked.append(away)
        return away

    clock = ServerClock(ask, lambda: ("here", 0.0))
    assert timedelta() <= clock.now() - away < timedelta(seconds=5)
    assert len(asked) == 1, "a minute long it is not asked again"


def test_a_server_that_is_away_leaves_the_clock_going(monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[datetime | StoreError] = [datetime(2030, 1, 1, tzinfo=UTC), StoreUnavailable("away")]

    def ask() -> datetime:
        answer = answers.pop(0)
        if isinstance(answer, StoreError):
            raise answer
        return answer

    monkeypatch.setattr(ServerClock, "_EVERY_SECONDS", 0.0)
    clock = ServerClock(ask, lambda: ("here", 0.0))
    assert clock.now() >= datetime(2030, 1, 1, tzinfo=UTC)
    assert answers == []


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("postgresql://ada:CANARY@127.0.0.1:1/x", "cannot be used now"),
        ("postgresql://ada:CAN@ARY/x@127.0.0.1/x", "is not an address"),
        ("postgresql://ada:CANARY@127.0.0.1:port/x", "is not an address"),
    ],
)
def test_what_cannot_be_reached_is_named_without_its_password(address: str, says: str) -> None:
    with pytest.raises(StoreError, match=says) as error:
        open_database(address)
    assert "CANARY" not in str(error.value) + error.value.hint
    assert error.value.hint


def test_what_is_not_ours_is_refused(server: Server) -> None:
    url = server.create()
    with pytest.raises(StoreError, match="no store in") as error:
        open_database(url)
    assert "db copy" in error.value.hint
    server.sql("CREATE TABLE songs (title text)", url.rpartition("/")[2])
    for create in (True, False):
        with pytest.raises(StoreError, match="another program"):
            open_database(url, create=create)
    server.drop(url)


def test_a_newer_store_is_left_alone(database: Database) -> None:
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match="newer outreach"):
        open_database(database.server)


def test_a_restart_is_waited_for_and_a_lost_transaction_is_not_repeated() -> None:
    with postgres() as own:
        database = open_database(own.create(), create=True)

        def lose() -> None:
            with database.write() as connection:
                put_fact(connection, "once", "")
                own.stop()

        def start_again() -> None:
            time.sleep(1.0)
            own.start()

        with pytest.raises(StoreUnavailable):
            lose()
        thread = threading.Thread(target=start_again)
        thread.start()
        with database.read() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM meta WHERE name = 'once'").scalar() == 0
        thread.join()
        database.close()


def test_another_history_of_the_server_is_noticed(database: Database) -> None:
    instance = Instance(database, MemoryJournal())
    here = database.cluster()
    assert here.endswith("/00000001")
    assert instance.moved({"server": here}) == ()
    assert instance.moved({"server": here.replace("/00000001", "/00000002")}) == ("server",)
    assert database.check() == "fsync is off on this server: a power cut would make it forget what was sent"


def test_a_store_keeps_its_key(database: Database) -> None:
    instance = Instance(database, MemoryJournal())
    assert instance.key() == ""
    instance.check_key("one")
    instance.check_key("one")
    with pytest.raises(StoreError, match="not the key"):
        instance.check_key("another")


def test_a_user_without_rights_is_told(database: Database, server: Server) -> None:
    server.sql("DROP ROLE IF EXISTS guest")
    server.sql("CREATE ROLE guest LOGIN")
    address = database.server.replace("postgres@", "guest@")
    with closing(Database(address)) as guest, pytest.raises(StoreError, match="refuses this user"), guest.write():
        raise AssertionError
