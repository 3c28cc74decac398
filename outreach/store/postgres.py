"""PostgreSQL as the store of a team: connections, transactions, the gate, and what its errors mean.

READ COMMITTED alone would let an opt-out commit between the fence's look and its commit, and let two workers see the
same free slot. So every writer locks the gate first, one row of `meta`: it sees all that was committed before, and
nobody writes beside it. That is what BEGIN IMMEDIATE does for SQLite, so the same code is right on both. Nothing here
outlives a transaction, so a pooler in transaction mode is fine.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from outreach.core.clock import Reading
from outreach.errors import StoreError, StoreUnavailable

LOCK_SECONDS = 30
_PATIENCE_SECONDS = 10.0
_PAUSE_SECONDS = 0.25
_CONNECT = {"connect_timeout": "10", "keepalives_idle": "30", "tcp_user_timeout": "30000"}
_SCHEMES = ("postgresql://", "postgres://", "postgresql+psycopg://")

_READS = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
_WRITES = f"""SELECT set_config('lock_timeout', '{LOCK_SECONDS}s', true),
 set_config('synchronous_commit', CASE WHEN current_setting('synchronous_commit') IN ('off', 'local') THEN 'on'
  ELSE current_setting('synchronous_commit') END, true)"""
_GATE = "SELECT value FROM meta WHERE name = 'gate' FOR UPDATE"
_NEW_GATE = "INSERT INTO meta (name, value) VALUES ('gate', '') ON CONFLICT DO NOTHING"
_ONE_MIGRATION = "SELECT pg_advisory_xact_lock(1333491826)"  # "Outr", as in the header of our SQLite files
# Text is compared and ordered by its bytes, as SQLite does: a range over Message-IDs means the same on both.
_BY_BYTES = """SELECT 'ALTER TABLE ' || quote_ident(c.relname) || ' ALTER COLUMN ' || quote_ident(a.attname)
  || ' TYPE ' || format_type(a.atttypid, a.atttypmod) || ' COLLATE "C"'
 FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_collation o ON o.oid = a.attcollation
 WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
  AND o.collname <> 'C' AND format_type(a.atttypid, a.atttypmod) <> 'name'"""


def is_server(place: object) -> bool:
    """Whether this names a PostgreSQL database rather than a file."""
    return str(place).startswith(_SCHEMES)


def shown(place: str) -> str:
    """The address without its password."""
    url = parsed(place)
    user, port = f"{url.username}@" if url.username else "", f":{url.port}" if url.port else ""
    return f"postgresql://{user}{url.host or ''}{port}/{url.database or ''}"


def parsed(place: str) -> sa.URL:
    try:
        url = sa.make_url(place)
    except (sa.exc.ArgumentError, ValueError):
        url = sa.make_url("postgresql:///@")
    if "@" in f"{url.host}{url.database}":  # the rest of a password, which must not be shown
        raise StoreError(
            "OUTREACH_DATABASE_URL is not an address of a database.",
            hint="write it as postgresql://user@host/outreach; in a password, write % as %25, @ as %40 and / as %2F",
        )
    return url


def make_engine(place: str) -> sa.Engine:
    """Connections are tried before they are used, so that a restarted server is met with a new one."""
    try:
        import psycopg
    except ImportError:
        raise StoreError(
            "a store on PostgreSQL needs a library that is not installed.", hint="pip install 'outreach[postgres]'"
        ) from None

    class Text(psycopg.types.string.StrDumper):
        """Text that came in a mail may hold NUL, which PostgreSQL's text cannot."""

        def dump(self, obj: str) -> Any:
            return super().dump(obj.replace("\0", "\ufffd") if "\0" in obj else obj)

    def on_connect(connection: Any, _record: object) -> None:
        connection.adapters.register_dumper(str, Text)
        connection.prepare_threshold = None  # a pooler may give each transaction another session

    url = parsed(place).set(drivername="postgresql+psycopg")
    engine = sa.create_engine(url.set(query={**_CONNECT, **url.query}), pool_pre_ping=True)
    sa.event.listen(engine, "connect", on_connect)
    return engine


def begin_read(connection: sa.Connection) -> None:
    """A snapshot, as SQLite gives one."""
    connection.exec_driver_sql(_READS)


def begin_write(connection: sa.Connection) -> None:
    """Behind the gate, and durable: the intent must be on the disk before the dot leaves."""
    connection.exec_driver_sql(_WRITES)
    if connection.exec_driver_sql(_GATE).first() is None:
        raise StoreError("the database has lost a row that every change needs.", hint="run `outreach db upgrade`")


def begin_migration(connection: sa.Connection) -> None:
    """One at a time, and behind the gate once there is one."""
    connection.execution_options(outreach_migrates=True)
    connection.exec_driver_sql(_ONE_MIGRATION)
    if sa.inspect(connection).has_table("meta"):
        connection.exec_driver_sql(_GATE)


def furnish(connection: sa.Connection) -> None:
    """What every store on PostgreSQL has besides its tables."""
    for statement in connection.exec_driver_sql(_BY_BYTES).scalars().all():
        connection.exec_driver_sql(statement)
    connection.exec_driver_sql(_NEW_GATE)


def check(connection: sa.Connection) -> str:
    """What keeps a commit here from being one; empty if nothing does."""
    asleep = connection.exec_driver_sql("SHOW fsync").scalar() == "off"
    return "fsync is off on this server: a power cut would make it forget what was sent" if asleep else ""


def vacuum(engine: sa.Engine) -> None:
    """Free what was deleted, so that other rows overwrite it; readers and writers go on meanwhile."""
    connection = engine.raw_connection()
    try:
        driver: Any = connection.driver_connection
        driver.autocommit = True  # no transaction may be open
        try:
            driver.execute("VACUUM")
        finally:
            driver.autocommit = False
    finally:
        connection.close()


_CLUSTER = """SELECT (SELECT system_identifier FROM pg_control_system()) || '/'
 || CASE WHEN pg_is_in_recovery() THEN '' ELSE left(pg_walfile_name(pg_current_wal_lsn()), 8) END"""


def cluster(connection: sa.Connection) -> str:
    """The server's own number, and its timeline, which changes when a replica or a backup takes over. Empty where a
    provider does not let us ask."""
    with connection.begin_nested() as attempt:
        try:
            return str(connection.exec_driver_sql(_CLUSTER).scalar_one())
        except sa.exc.ProgrammingError:
            attempt.rollback()
            return ""


@contextmanager
def connected(engine: sa.Engine, *, patient: bool) -> Iterator[sa.Connection]:
    """A connection. With `patient`, a server that is being restarted is waited for: nothing was asked of it yet."""
    end = time.monotonic() + (_PATIENCE_SECONDS if patient else 0)
    while True:
        try:
            connection = engine.connect()
            break
        except sa.exc.OperationalError:
            if time.monotonic() >= end:
                raise
            time.sleep(_PAUSE_SECONDS)
    with connection:
        yield connection


_READ_ONLY = ("25006", "53100")
_LOCKED = "55P03"
_FORBIDDEN = "42501"


@contextmanager
def translated(place: str) -> Iterator[None]:
    """The driver's errors as ours."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        told = _translation(error, shown(place))
        if told is None:
            raise
        raise told from None


def _translation(error: sa.exc.DBAPIError, name: str) -> StoreError | None:
    state: str = getattr(error.orig, "sqlstate", None) or ""
    said = " ".join(str(error.orig).split("\n")[0].split()).rstrip(".")
    if state == _LOCKED:
        return StoreError(
            f"{name} has been locked by another program for {LOCK_SECONDS} seconds.",
            hint="end what holds it (an import, a copy, an open transaction), then run the same command again",
        )
    if state in _READ_ONLY:
        return StoreError(f"{name} cannot be written: {said}.", hint="check free space, and that it is no replica")
    if state == _FORBIDDEN:
        return StoreError(f"{name} refuses this user: {said}.", hint="its owner can grant what is missing")
    if error.connection_invalidated or isinstance(error, sa.exc.OperationalError):
        return StoreUnavailable(
            f"the database server of {name} cannot be used now: {said}.",
            hint="check OUTREACH_DATABASE_URL and the server, then run the same command again; nothing is done twice",
        )
    return None


class ServerClock:
    """The server's time, so that leases and windows mean the same on every machine of a team.

    It is asked once a minute; in between, this machine's boot clock, which runs on through a suspend, carries it. A
    server that is away leaves the clock as it is.
    """

    _EVERY_SECONDS = 60.0

    def __init__(self, ask: Callable[[], datetime], steady: Callable[[], tuple[str, float]]) -> None:
        self._ask, self._steady = ask, steady
        self._since = _boot_seconds()
        self._at = ask()

    def now(self) -> datetime:
        if _boot_seconds() - self._since > self._EVERY_SECONDS:
            self._set()
        return self._at + timedelta(seconds=_boot_seconds() - self._since)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def reading(self) -> Reading:
        return Reading(self.now(), *self._steady())

    def _set(self) -> None:
        passed = timedelta(seconds=_boot_seconds() - self._since)
        before = _boot_seconds()
        try:
            self._at = self._ask()
        except StoreUnavailable:
            self._at += passed
        self._since = before


def _boot_seconds() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()
