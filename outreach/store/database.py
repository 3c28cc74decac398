"""The SQLite file and its transactions: who may write, how durable a commit is, and which files are refused.

SQLAlchemy's defaults lose updates on SQLite: a deferred BEGIN that reads and then writes fails at once under WAL,
whatever the timeout. So pysqlite's own transaction handling is off and every writer starts with BEGIN IMMEDIATE.
"""

import os
import sqlite3
import weakref
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.pool import StaticPool

from outreach.errors import StoreError

APPLICATION_ID = 0x4F757472  # "Outr", in the SQLite header
_WRITER = "outreach_writer"
_BUSY_MS = 30_000


class Database:
    """One store file (or `:memory:`), read and written in short transactions."""

    def __init__(self, path: Path | str) -> None:
        self.path = None if str(path) == ":memory:" else Path(path)
        self.engine = _engine(self.path)
        weakref.finalize(self, self.engine.dispose)  # whoever forgets to close it leaves no open file behind

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A consistent snapshot."""
        with _translated(self.path), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A durable transaction: committed and synced when the block ends, rolled back if it raises."""
        with _translated(self.path), self.engine.connect() as connection:
            writer = connection.execution_options(**{_WRITER: True})
            with writer.begin():
                yield writer

    @contextmanager
    def connection(self) -> Iterator[sa.Connection]:
        """One connection for several transactions of `reading` and `writing`, with what is temporary in it."""
        with _translated(self.path), self.engine.connect() as connection:
            yield connection

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


def _engine(path: Path | None) -> sa.Engine:
    if path is None:
        engine = sa.create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    else:
        engine = sa.create_engine(f"sqlite:///{path}")
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
    writes = connection.get_execution_options().get(_WRITER, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _translated(path: Path | None) -> Iterator[None]:
    try:
        yield
    except sa.exc.DatabaseError as error:
        cause = str(error.orig)
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
        if "readonly" in cause or "full" in cause or "disk I/O" in cause:
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
        raise StoreError(
            f"{path} is not a usable database: {error}.",
            hint="put a backup in its place, or move it away and run `outreach init` for a new one",
        ) from None
    if found != APPLICATION_ID:
        raise StoreError(
            f"{path} is a database of another program.",
            hint="name another workspace with -C DIR, or move that file away",
        )
