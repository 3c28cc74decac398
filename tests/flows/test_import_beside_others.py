"""An import beside other processes: it waits for nobody while it plans, sees what changed meanwhile, and a kill in the
middle leaves it wholly in or wholly out."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from benchmarks.exports import write_export
from outreach.core.records import Lead, RowError
from outreach.flows.ingest import Source, ingest
from outreach.importers import Importers, StartupList, all_importers
from outreach.store.journal import MemoryJournal
from outreach.store.schema import open_database
from outreach.store.store import Store
from tests.fakes import FakeClock
from tests.flows.test_ingest import _LONG_AGO, bring, company, crunchbase, people

ROOT = Path(__file__).parents[2]
_ROWS = 2_600
"""Just enough bytes for a long list."""


class Interrupted(Importers):
    """The formats, with something happening elsewhere each time a list has been read."""

    def __init__(self, meanwhile: Callable[[], None]) -> None:
        self._all, self._meanwhile = all_importers(), meanwhile

    def open_list(
        self, data: bytes | Path, name: str, *, format_name: str = "", overrides: Mapping[str, str]
    ) -> StartupList:
        found = self._all.open_list(data, name, format_name=format_name, overrides=overrides)
        return replace(found, rows=_Rows(found, self._meanwhile))

    def __getattr__(self, name: str) -> object:
        return getattr(self._all, name)

    def read_again(self, format_name, mapping, row):  # type: ignore[no-untyped-def]  # handed on
        return self._all.read_again(format_name, mapping, row)


@dataclass
class _Rows:
    of: StartupList
    meanwhile: Callable[[], None]

    def __iter__(self) -> Iterator[Lead | RowError]:
        yield from self.of.rows
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


def test_a_kill_leaves_an_import_wholly_in_or_wholly_out(tmp_path: Path) -> None:
    """Killed at ever later times, until one run comes through; then once more, which changes nothing."""
    file, path = tmp_path / "companies-9-24-2025.csv", tmp_path / "outreach.db"
    write_export(file, _ROWS)
    open_database(path, create=True).close()
    code = (
        "import sys; from pathlib import Path; from benchmarks.imports import ours; import outreach.flows.ingest;"
        "print('ready', flush=True); ours(Path(sys.argv[1]), Path(sys.argv[2]))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    found = []
    delay = 0.3
    while not found or found[-1] == (0, 0, 0):
        child = subprocess.Popen(
            [sys.executable, "-c", code, str(file), str(tmp_path)], env=environment, stdout=subprocess.PIPE
        )
        assert child.stdout is not None
        child.stdout.readline()
        try:
            child.wait(timeout=delay)
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
            child.wait()
        child.stdout.close()
        found.append(_counts(path))
        delay *= 1.7
        assert len(found) < 40
    whole = found[-1]
    assert whole[0] == _ROWS
    assert len(found) > 1, "at least one was killed before it was in"
    store = Store(open_database(path), MemoryJournal())
    again = ingest(store, [Source(file.name, file, _LONG_AGO)], importers=all_importers(), clock=FakeClock())
    assert (again.companies.new, again.companies.merged, again.founders.new) == (0, 0, 0)
    assert _counts(path) == whole
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
