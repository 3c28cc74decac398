"""PostgreSQL from Debian, started for the tests, and both kinds of store for the tests that run on either."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg
import pytest

from outreach.store.database import Database
from outreach.store.journal import MemoryJournal, Recorder
from outreach.store.schema import memory_database, open_database
from outreach.store.store import Store
from tests.servers import free_port

_TEMPLATE = "template_store"
_ENGINES = ("sqlite", "postgresql")
_MEMORY = "/dev/shm"  # noqa: S108  where the test makes a private folder; a database a test: ten times faster than on a disk


@dataclass
class Server:
    """A cluster of its own, on a free loopback port, run by an ordinary user."""

    folder: Path
    port: int
    options: tuple[str, ...] = ()
    _numbers: Iterator[int] = field(default_factory=count)

    def start(self) -> None:
        self._control("start", "-l", str(self.folder / "log"), "-o", " ".join(f"-c {each}" for each in self.options))

    def stop(self, mode: str = "immediate") -> None:
        self._control("stop", "-m", mode)

    def promote(self) -> None:
        """What a failover or a restore does: the server goes on, on another history than before."""
        self.stop("fast")
        signal = self.folder / "data" / "recovery.signal"
        signal.touch()
        if os.geteuid() == 0:
            shutil.chown(signal, "postgres")
        self.options = (*self.options, "restore_command=false")
        self.start()

    def url(self, name: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    def create(self, template: str = "template0") -> str:
        """A new database; its address."""
        name = f"store_{next(self._numbers)}"
        self.sql(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
        return self.url(name)

    def drop(self, url: str) -> None:
        self.sql(f'DROP DATABASE "{url.rpartition("/")[2]}" WITH (FORCE)')

    def sql(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def make_template(self) -> None:
        """The schema once, by the migrations; each test's database is a copy."""
        self.sql(f'CREATE DATABASE "{_TEMPLATE}"')
        open_database(self.url(_TEMPLATE), create=True).close()

    def _control(self, *words: str) -> None:
        run(["pg_ctl", "-w", "-D", str(self.folder / "data"), *words])


def run(words: list[str]) -> None:
    """One of PostgreSQL's programs, which all refuse root."""
    program = _program(words[0])
    me = "postgres" if os.geteuid() == 0 else None
    # A daemon on a captured stdout never lets go of it.
    subprocess.run([program, *words[1:]], check=True, user=me, group=me, extra_groups=None, cwd="/",
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip


def _program(name: str) -> str:
    """Debian keeps them by version; the test is skipped, and counted, where there is none."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    found = shutil.which(name, path=":".join([*map(str, reversed(folders)), os.environ.get("PATH", "")]))
    if found is None:
        pytest.skip("PostgreSQL is not installed")
    return found


@contextmanager
def postgres(*options: str, on_disk: bool = True) -> Iterator[Server]:
    """A running server, gone when the block ends."""
    with tempfile.TemporaryDirectory(dir=None if on_disk or not Path(_MEMORY).is_dir() else _MEMORY) as name:
        folder = Path(name)
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres", pwd.getpwnam("postgres").pw_gid)
        run(["initdb", "-D", str(folder / "data"), "-U", "postgres", "-A", "trust", "-N", "--locale=C.UTF-8"])
        port = free_port()
        where = (f"port={port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={folder}")
        server = Server(folder, port, (*where, "max_connections=60", *options))
        server.start()
        try:
            yield server
        finally:
            server.stop()


_new: list[Callable[[Recorder], Store]] = []


def new_store(log: Recorder | None = None) -> Store:
    """An empty store of the kind that the test is being run with (fixture `engine`)."""
    make = _new[-1] if _new else lambda log: Store(memory_database(), log)
    return make(log or MemoryJournal())


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One for the session. It need not outlive a power cut, so it never waits for the disk."""
    with postgres("fsync=off", "full_page_writes=off", on_disk=False) as running:
        running.make_template()
        yield running


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Both engines; only the fast one for Hypothesis, which makes hundreds of stores for rules that no engine knows."""
    if "engine" in metafunc.fixturenames:
        drawn = hasattr(metafunc.function, "hypothesis")
        metafunc.parametrize("engine", _ENGINES[:1] if drawn else _ENGINES, indirect=True)


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    """The test runs once on SQLite and once on PostgreSQL; `new_store` makes what it runs on."""
    made: list[Database] = []

    def on_sqlite(log: Recorder) -> Store:
        return Store(memory_database(), log)

    def on_server(log: Recorder) -> Store:
        made.append(open_database(request.getfixturevalue("server").create(_TEMPLATE)))
        return Store(made[-1], log)

    _new.append(on_sqlite if request.param == "sqlite" else on_server)
    yield request.param
    _new.pop()
    for database in made:
        database.close()
        request.getfixturevalue("server").drop(database.server)
