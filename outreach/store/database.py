"""The database and its transactions: who may write, how durable a commit is, and which files are refused.

A store is a SQLite file, one in memory, or a PostgreSQL database (`store.postgres`).

SQLAlchemy's defaults lose updates on SQLite: a deferred BEGIN that reads and then writes fails at once under WAL,
whatever the timeout. So pysqlite's own transaction handling is off and every writer starts with BEGIN IMMEDIATE.
"""

import os
import sqlite3
import weakref
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.pool import StaticPool

from outreach.errors import StoreError
from outreach.store import postgres
from outreach.store.dialect import on_server

APPLICATION_ID = 0x4F757472  # "Outr", in the SQLite header
_WRITER = "outreach_writer"
_MIGRATION = "outreach_migrates"
_BUSY_MS = 30_000
_COMPACT_MS = 5_000
_NOT_THE_FILES_FAULT = (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
"""Nobody should put a backup in the place of a good file because its disk is full."""


class Database:
    """One store (a file, `:memory:`, or `postgresql://…`), read and written in short transactions."""

    def __init__(self, place: Path | str) -> None:
        self.server = str(place) if postgres.is_server(place) else ""
        self.path = None if self.server or str(place) == ":memory:" else Path(place)
        self.engine = _engine(self.path, self.server)
        self._reached = False
        weakref.finalize(self, self.engine.dispose)  # whoever forgets to close it leaves no open file behind

    @property
    def name(self) -> str:
        """What to call it in front of people; without a password."""
        return postgres.shown(self.server) if self.server else self.path.name if self.path else "the store"

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A consistent snapshot."""
        with self.connection() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A durable transaction: committed and synced when the block ends, rolled back if it raises."""
        with self.connection() as connection:
            writer = connection.execution_options(**{_WRITER: True})
            with writer.begin():
                yield writer

    @contextmanager
    def connection(self) -> Iterator[sa.Connection]:
        """One connection for several transactions of `reading` and `writing`, with what is temporary in it."""
        if not self.server:
            with _translated(self.path), self.engine.connect() as connection:
                yield connection
            return
        with postgres.translated(self.server), postgres.connected(self.engine, patient=self._reached) as connection:
            self._reached = True
            yield connection

    def check(self) -> str:
        """What is wrong with it; empty if nothing is."""
        with self.read() as connection:
            if self.server:
                return postgres.check(connection)
            said = str(connection.exec_driver_sql("PRAGMA quick_check").scalar())
            return "" if said == "ok" else said

    def compact(self) -> bool:
        """Write the file anew without its unused places, and empty the log beside it; whether nobody was in the way.
        What a server keeps in unused places is freed for other rows."""
        if self.server:
            postgres.vacuum(self.engine)
            return True
        if self.path is None:
            return True
        self.engine.dispose()  # this process's own idle connections read an older state
        with _translated(self.path), closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            connection.execute(f"PRAGMA busy_timeout={_COMPACT_MS}")
            try:
                connection.execute("VACUUM")
                busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                    return False
                raise
        return not busy

    def now(self) -> datetime:
        """The server's time."""
        with self.read() as connection:
            return connection.exec_driver_sql("SELECT clock_timestamp()").scalar_one().astimezone(UTC)  # type: ignore[no-any-return]  # a column of the driver's

    def cluster(self) -> str:
        """Which server this is and which of its histories; empty for a file, or where the server does not tell."""
        if not self.server:
            return ""
        with self.read() as connection:
            return postgres.cluster(connection)

    def close(self) -> None:
        self.engine.dispose()


@contextmanager
def reading(connection: sa.Connection) -> Iterator[None]:
    """A snapshot, on a connection that is open already."""
    with connection.begin():
        yield


@contextmanager
def writing(connection: sa.Connection) -> Iterator[None]:
    """A durable transaction, on a connection that is open already."""
    connection.execution_options(**{_WRITER: True})
    try:
        with connection.begin():
            yield
    finally:
        connection.execution_options(**{_WRITER: False})


def _engine(path: Path | None, server: str) -> sa.Engine:
    if server:
        engine = postgres.make_engine(server)
    elif path is None:
        engine = sa.create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    else:
        engine = sa.create_engine(f"sqlite:///{path}")
    if not server:
        sa.event.listen(engine, "connect", _on_connect)
    sa.event.listen(engine, "begin", _on_begin)
    return engine


def _on_connect(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",  # the intent must be on the disk before the dot leaves
        "fullfsync=1",  # macOS: a plain fsync does not reach the platter
        f"busy_timeout={_BUSY_MS}",
        "foreign_keys=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _on_begin(connection: sa.Connection) -> None:
    options = connection.get_execution_options()
    writes = options.get(_WRITER, False)
    if on_server(connection):
        if not options.get(_MIGRATION):
            (postgres.begin_write if writes else postgres.begin_read)(connection)
        return
    driver = connection.connection.driver_connection
    assert driver is not None  # noqa: S101  an open connection has one
    driver.execute("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _translated(path: Path | None) -> Iterator[None]:
    try:
        yield
    except (sa.exc.DatabaseError, sqlite3.DatabaseError) as error:
        cause = str(error.orig if isinstance(error, sa.exc.DatabaseError) else error)
        name = path.name if path else "the store"
        if "malformed" in cause or "not a database" in cause:
            raise StoreError(
                f"{name} is damaged: {cause}.",
                hint="put a backup in its place; `sent.log` beside it shows what was sent",
            ) from None
        if "locked" in cause or "busy" in cause:
            raise StoreError(
                f"{name} has been locked by another program for {_BUSY_MS // 1000} seconds.",
                hint="close what holds it (a backup, a database browser), then run the same command again",
            ) from None
        if "unable to open" in cause:
            raise StoreError(
                f"{name} cannot be opened: is its folder still there, and yours?",
                hint="connect the disk it lies on, or name the workspace with `outreach -C DIR …`",
            ) from None
        if any(word in cause for word in ("readonly", "full", "disk I/O")):
            raise StoreError(
                f"{name} cannot be written: {cause}.", hint="check free space and permissions of its folder"
            ) from None
        raise


def create_private(path: Path) -> None:
    """Make an empty file that only its owner can read, before SQLite opens it; WAL and SHM files inherit the mode."""
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def refuse_foreign(path: Path) -> None:
    """Raise StoreError, by name, for a file that is not a store of this program. An empty file is a new store."""
    if path.stat().st_size == 0:
        return
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            (found,) = connection.execute("PRAGMA application_id").fetchone()
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as error:
        if path.is_file() and error.sqlite_errorcode & 0xFF in _NOT_THE_FILES_FAULT:
            raise StoreError(
                f"{path.name} cannot be used: {error}.", hint="check free space and permissions of its folder"
            ) from None
        raise StoreError(
            f"{path} is not a usable database: {error}.",
            hint="put a backup in its place, or move it away and run `outreach init` for a new one",
        ) from None
    if found != APPLICATION_ID:
        raise StoreError(
            f"{path} is a database of another program.",
            hint="name another workspace with -C DIR, or move that file away",
        )
