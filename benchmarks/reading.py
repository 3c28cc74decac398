"""How long it takes to read a list and to understand it, beside the csv module alone over the same file.

python -m benchmarks.reading [ROWS …]
"""

import csv
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.lists import write_crunchbase
from outreach.importers import all_importers

_ROUNDS = 5


def main(sizes: list[int]) -> None:
    importers = all_importers()
    print(f"{'rows':>10} {'csv.reader':>12} {'outreach':>12} {'ratio':>7} {'MB at most':>11}")
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            path = write_crunchbase(Path(folder) / "companies-9-24-2025.csv", size)

            def floor(path: Path = path) -> None:
                with path.open(encoding="utf-8", newline="") as file:
                    for _ in csv.reader(file):
                        pass

            def ours(path: Path = path) -> None:
                for _ in importers.open_list(path, path.name, overrides={}).rows:
                    pass

            pairs = [(_seconds(floor), _seconds(ours)) for _ in range(_ROUNDS)]
        floors, times = (statistics.median(column) for column in zip(*pairs, strict=True))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        each = (f"{seconds / size * 1e6:>9.2f} µs" for seconds in (floors, times))
        print(f"{size:>10,} {' '.join(each)} {times / floors:>7.2f} {peak:>11.0f}")


def _seconds(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main([int(each) for each in sys.argv[1:]] or [1_000, 100_000])
