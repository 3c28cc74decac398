"""Never twice, never lost: senders of the real program on one store, killed at every step, at every word of the
dialogue and at random, while the mail server has faults in every phase. The receiving server's ledger judges.

    pip install -e '.[dev]'
    python -m benchmarks.kills [MAILS [KILLS [WORKERS [SEED]]]]
"""

import sys
import tempfile
from pathlib import Path

from tests.machine.kills import MOMENTS, Size, run_kills


def main(*figures: int) -> None:
    size = Size(*figures)
    with tempfile.TemporaryDirectory() as folder:
        result = run_kills(Path(folder), size)
    killed, faults = sum(result.kills.values()), sum(result.faults.values())
    print(
        f"{size.mails} mails, {size.workers} senders, {result.starts} starts, {killed} SIGKILLs, {faults} wire faults"
    )
    print(f"killed at: {', '.join(f'{moment} {result.kills[moment]}' for moment in MOMENTS)}")
    print(f"faults in: {', '.join(f'{phase} {number}' for phase, number in sorted(result.faults.items()))}")
    print(f"states: {', '.join(f'{number} {state}' for state, number in sorted(result.states.items()))}")
    print(f"duplicates {result.duplicates}, lost {result.lost}, wrongly recorded {result.wrong}", end=", ")
    print(f"altered {result.altered}, doubts not listed {result.unlisted}")
    print(
        f"of {result.states['unknown']} doubts {result.doubts_delivered} had arrived, {result.proved} were proved sent"
    )
    print(f"{result.seconds:.0f} seconds", *result.odd[:20], sep="\n")
    if not result.promises_hold:
        sys.exit(1)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
