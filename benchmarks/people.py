"""Looking people up in a large store, and finding who may be twice in it: `python -m benchmarks.people --rows 1000000`.

Each look-up is the program's own query in one process, median of five, without start-up. The candidates are the
pairs of colleagues with like names among as many founders, in blocks of one company, as an import finds them.
"""

import argparse
import random
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.exports import write_export
from benchmarks.imports import ours
from outreach.core.records import PersonFacts
from outreach.core.same_person import person_mention, resolve_people
from outreach.flows.explain import provenance
from outreach.importers import all_importers
from outreach.store.journal import MemoryJournal
from outreach.store.schema import open_database
from outreach.store.store import Store


def _median_ms(ask: Callable[[], object]) -> float:
    times = []
    for _ in range(5):
        started = time.perf_counter()
        ask()
        times.append(time.perf_counter() - started)
    return statistics.median(times) * 1000


def look_up(rows: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "companies-9-24-2025.csv"
        write_export(file, rows)
        ours(file, Path(folder))
        store = Store(open_database(Path(folder) / "outreach.db"), MemoryJournal())
        people, importers = store.people, all_importers()
        some = people.get_founder(str(rows // 2))
        company = some.company.id if some.company else 1
        address = people.inboxes(company)[0].address
        asked: dict[str, Callable[[], object]] = {
            "founder by id": lambda: people.get_founder(str(some.id)),
            "by address": lambda: people.find_by_address(address),
            "by name": lambda: people.founders({"search": some.full_name}, 50),
            "by company": lambda: people.team(company),
            "first 50": lambda: people.founders({}, 50),
            "50 in Berlin, with the count": lambda: (
                people.founders({"location": "Berlin"}, 50), people.count_founders({"location": "Berlin"}, most=10_000)
            ),
            "50 by size and year": lambda: people.founders({"employees": "1-50", "founded": "2020-"}, 50),
            "text, a rare word": lambda: people.founders({"search": "zozozo"}, 50),
            "text, a word of every company": lambda: people.founders({"search": "platform"}, 50),
            "where each fact is from": lambda: provenance(store, importers, some.id),
        }  # fmt: skip
        for what, ask in asked.items():
            print(f"{rows:>9,} rows  {what:30} {_median_ms(ask):8.1f} ms")
        store.close()


def candidates(founders: int) -> None:
    """Three founders a company, with names from a small stock, so that many are alike."""
    draw = random.Random(1)  # noqa: S311  invented data
    first = ("Dan", "Daniel", "Rosa", "Milo", "Mila", "Ada", "Omar", "Lea", "Léa", "Bo", "Kim", "Ines")
    last = [
        f"{a}{b}{c}" for a in ("Test", "Bright", "Qui", "Sam") for b in ("we", "li", "la") for c in ("ll", "ly", "n")
    ]
    mentions = [
        person_mention(PersonFacts(f"{draw.choice(first)} {draw.choice(last)}"), at // 3) for at in range(founders)
    ]
    started = time.perf_counter()
    found = resolve_people(mentions)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{founders:>9,} founders judged at once: {len(found.likenesses):,} pairs {seconds:8.1f} s  {peak:6.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    chosen = parser.parse_args()
    candidates(chosen.rows)
    look_up(chosen.rows)


if __name__ == "__main__":
    main()
