"""An import beside other processes: it waits for nobody while it plans, sees what changed meanwhile, and a kill in the
middle leaves it wholly in or wholly out."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from benchmarks.exports import write_export
from outreach.core.ports import Row
from outreach.core.records import Lead, RowError
from outreach.flows.ingest import Source, ingest
from outreach.importers import Importers, Rows, StartupList, all_importers
from outreach.store.journal import MemoryJournal
from outreach.store.schema import open_database
from outreach.store.store import Store
from tests.fakes import FakeClock
from tests.flows.test_ingest import _LONG_AGO, bring, company, crunchbase, people

ROOT = Path(__file__).parents[2]


class Interrupted(Importers):
    """The formats, with something happening elsewhere each time a list has been read."""

    def __init__(self, meanwhile: Callable[[], None]) -> None:
        self._all, self._meanwhile = all_importers(), meanwhile

    def open_list(
        self, data: bytes | Path, name: str, *, format_name: str = "", overrides: Mapping[str, str], encoding: str = ""
    ) -> StartupList:
        found = self._all.open_list(data, name, format_name=format_name, overrides=overrides, encoding=encoding)
        return replace(found, rows=Rows(_Raw(found.rows.raw, self._meanwhile), found.rows.make_reader))

    def read_again(self, format_name: str, mapping: Mapping[str, str], row: Row) -> Lead | RowError:
        return self._all.read_again(format_name, mapping, row)


@dataclass
class _Raw:
    of: Iterable[Row | RowError]
    meanwhile: Callable[[], None]

    def __iter__(self) -> Iterator[Row | RowError]:
        yield from self.of
        self.meanwhile()


def two_stores(path: Path) -> tuple[Store, Store]:
    first = Store(open_database(path, create=True), MemoryJournal())
    return first, Store(open_database(path), MemoryJournal())


@pytest.mark.parametrize("long_from", [0, 10**9])
def test_others_write_while_an_import_plans_and_what_they_change_is_seen(tmp_path: Path, long_from: int) -> None:
    store, other = two_stores(tmp_path / "outreach.db")
    times = []

    def meanwhile() -> None:
        times.append(1)
        if len(times) == 1:
            bring(other, b"Company,Website,Name,Email\nAcme Labs,acme.example,Ada Testwell,ada@acme.example\n")

    data = crunchbase(company("Acme", slug="acme", website="acme.example", founders="Ada Testwell"))
    source = Source("list.csv", data, _LONG_AGO)
    report = ingest(store, [source], importers=Interrupted(meanwhile), clock=FakeClock(), long_from=long_from)
    assert len(times) == 2, "planned once more, on what the other had brought in"
    assert (report.companies.new, report.companies.merged) == (0, 1)
    assert people(store) == {"Ada Testwell": ("ada@acme.example",)}
    assert len(store.people.companies()) == 1


@pytest.mark.parametrize("long_from", [0, 10**9])
def test_where_others_never_stop_an_import_comes_through(tmp_path: Path, long_from: int) -> None:
    store, other = two_stores(tmp_path / "outreach.db")
    times: list[int] = []

    def meanwhile() -> None:
        times.append(1)
        if len(times) <= 3:
            bring(other, f"Company,Website\nZen {len(times)},zen{len(times)}.example\n".encode())

    source = Source("list.csv", crunchbase(company("Acme", website="acme.example")), _LONG_AGO)
    ingest(store, [source], importers=Interrupted(meanwhile), clock=FakeClock(), long_from=long_from)
    assert len(store.people.companies()) == 4


_CHILD = """
import os, signal, sys
from pathlib import Path
import sqlalchemy as sa
from outreach.flows.ingest import Source, ingest
from outreach.importers import all_importers
from outreach.store.journal import MemoryJournal
from outreach.store.schema import open_database
from outreach.store.store import Store
from tests.fakes import FakeClock, MONDAY_MORNING

file, path, point, long_from = sys.argv[1:]
store = Store(open_database(Path(path)), MemoryJournal())

def die(*_about):
    os.kill(os.getpid(), signal.SIGKILL)

if point == "commit":
    sa.event.listen(
        store.database.engine, point, lambda c: die() if c.get_execution_options().get("outreach_writer") else 0
    )
else:
    sa.event.listen(
        store.database.engine, "before_cursor_execute", lambda c, u, said, *rest: die() if said.startswith(point) else 0
    )
source = Source("list.csv", Path(file), MONDAY_MORNING)
ingest(store, [source], importers=all_importers(), clock=FakeClock(), long_from=int(long_from))
"""
_POINTS = (
    "INSERT INTO imports", "INSERT INTO companies", "INSERT INTO founders", "INSERT INTO leads",
    "INSERT INTO lead_founders", "INSERT INTO addresses", "commit", "INSERT INTO companies_text",
)  # fmt: skip


@pytest.mark.parametrize(("long_from", "points"), [("0", _POINTS), ("1000000000", _POINTS[3::2])])
def test_a_kill_leaves_an_import_wholly_in_or_wholly_out(
    tmp_path: Path, long_from: str, points: tuple[str, ...]
) -> None:
    """Killed (SIGKILL) at one step after the other; the same command then goes on as if nothing had happened."""
    file, path = tmp_path / "list.csv", tmp_path / "outreach.db"
    write_export(file, 60)
    open_database(path, create=True).close()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for point in points:
        done = subprocess.run(
            [sys.executable, "-c", _CHILD, str(file), str(path), point, long_from], env=environment, check=False
        )
        assert done.returncode == -signal.SIGKILL, point
        is_in = point == _POINTS[-1]
        assert (_counts(path)[0] == 60) == is_in, point
        assert is_in or _counts(path) == (0, 0, 0), point
    whole = _counts(path)
    store = Store(open_database(path), MemoryJournal())
    again = ingest(store, [Source(file.name, file, _LONG_AGO)], importers=all_importers(), clock=FakeClock())
    assert (again.companies.new, again.companies.merged, again.founders.new) == (0, 0, 0)
    assert _counts(path) == whole
    assert store.people.count_founders({"location": "Berlin"}) > 0, "the index is made good by the next search"
    store.close()


def _counts(path: Path) -> tuple[int, int, int]:
    database = open_database(path)
    with database.read() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        assert not connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
        found = [connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one() for name in  # noqa: S608
                 ("leads", "companies", "founders")]  # fmt: skip
    database.close()
    return found[0], found[1], found[2]
