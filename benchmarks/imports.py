"""Importing a Crunchbase export, everything included, against a plain upsert: `python -m benchmarks.imports`.

Each measurement is a process of its own, so that its peak memory is its own; floor and ours alternate, and medians are
compared. `--rows 1000,100000 --rounds 5` chooses; a million rows take minutes.
"""

import argparse
import csv
import json
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.exports import HEADERS, write_export


def floor(file: Path, folder: Path) -> None:
    """The same rows into one table with a unique key, by the standard library alone."""
    connection = sqlite3.connect(folder / "floor.db")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    columns = [f"c{at}" for at in range(len(HEADERS))]
    connection.execute(f"CREATE TABLE rows ({', '.join(columns)}, UNIQUE (c1))")
    updates = ", ".join(f"{name} = excluded.{name}" for name in columns)
    marks = ", ".join("?" * len(columns))
    with file.open(encoding="utf-8", newline="") as text, connection:
        reader = csv.reader(text)
        next(reader)
        connection.executemany(
            f"INSERT INTO rows VALUES ({marks}) ON CONFLICT (c1) DO UPDATE SET {updates}",  # noqa: S608  columns of our own
            reader,
        )
    connection.close()


def ours(file: Path, folder: Path) -> None:
    """`outreach import`, from the open store to the report and the search index."""
    from outreach.bootstrap import SystemClock
    from outreach.flows.ingest import Source, ingest
    from outreach.importers import all_importers
    from outreach.store.journal import MemoryJournal
    from outreach.store.schema import open_database
    from outreach.store.store import Store

    path = folder / "outreach.db"
    store = Store(open_database(path, create=not path.exists()), MemoryJournal())
    source = Source(file.name, file, datetime.now(UTC))
    report = ingest(store, [source], importers=all_importers(), clock=SystemClock())
    assert report.files[0].rows == report.companies.new + report.companies.merged + report.companies.same
    store.close()


WORK: dict[str, Callable[[Path, Path], None]] = {"floor": floor, "ours": ours}


def measure(what: str, file: Path, folder: Path) -> tuple[float, float, float]:
    """Seconds, seconds of the processor, and megabytes at most, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.imports", "--one", what, str(file), str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds, cpu, peak = json.loads(done.stdout)
    return seconds, cpu, peak


def one(what: str, file: Path, folder: Path) -> None:
    if what == "ours":  # neither the start of the program nor making a store is the import
        import outreach.flows.ingest  # noqa: F401
        from outreach.store.schema import open_database

        open_database(folder / "outreach.db", create=True).close()
    started, worked = time.perf_counter(), time.process_time()
    WORK[what](file, folder)
    spent = [time.perf_counter() - started, time.process_time() - worked]
    print(json.dumps([*spent, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))


def compare(rows: int, rounds: int, *, again: bool) -> None:
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "companies-9-24-2025.csv"
        write_export(file, rows)
        other = Path(place) / "companies-9-25-2025.csv"
        write_export(other, rows)
        with other.open("ab") as more:  # the same rows in a file of other bytes
            more.write(b"\n")
        taken: dict[str, list[tuple[float, float, float]]] = {
            "floor": [],
            "ours": [],
            "same rows again": [],
            "same file again": [],
        }
        for _ in range(rounds):
            for what in WORK:
                with tempfile.TemporaryDirectory(dir=place) as folder:
                    taken[what].append(measure(what, file, Path(folder)))
                    if what == "ours" and again:
                        taken["same file again"].append(measure(what, file, Path(folder)))
                        taken["same rows again"].append(measure(what, other, Path(folder)))
        base, base_cpu = (statistics.median(each[at] for each in taken["floor"]) for at in (0, 1))
        for what, each in taken.items():
            if each:
                seconds, cpu = (statistics.median(spent[at] for spent in each) for at in (0, 1))
                peak = max(spent[2] for spent in each)
                told = f"{rows:>9,} rows  {what:16} {seconds:8.2f} s  {rows / seconds:9,.0f} rows/s"
                by_processor = f"{base_cpu / cpu:5.2f} by processor time"
                print(f"{told}  {base / seconds:5.2f} of the floor ({by_processor})  {peak:6.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", default="1000,100000")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--once", action="store_true", help="leave out importing the same again")
    parser.add_argument("--one", nargs=3, metavar=("WHAT", "FILE", "FOLDER"))
    chosen = parser.parse_args()
    if chosen.one:
        one(chosen.one[0], Path(chosen.one[1]), Path(chosen.one[2]))
        return
    for rows in map(int, chosen.rows.split(",")):
        compare(rows, chosen.rounds, again=not chosen.once)


if __name__ == "__main__":
    main()
