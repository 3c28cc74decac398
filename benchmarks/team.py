"""A team on one PostgreSQL store: how many mails a second its workers send while the server is restarted under them,
and what that costs. The counts are judged by the receiving server's ledger.

    pip install -e '.[dev]'; apt-get install postgresql
    python -m benchmarks.team [MAILS [WORKERS [RESTARTS]]]
"""

import sys
import tempfile
from pathlib import Path

from tests.machine.team import run_team
from tests.postgres import postgres

MAILS, WORKERS, RESTARTS = 6000, 8, 6


def main(mails: int = MAILS, workers: int = WORKERS, restarts: int = RESTARTS) -> None:
    with tempfile.TemporaryDirectory() as folder, postgres() as server:
        result = run_team(Path(folder), server, mails=mails, workers=workers, restarts=restarts)
    print(f"{mails} mails, {workers} workers, {result.restarts} immediate restarts of the server under them")
    print(f"states: {', '.join(f'{number} {state}' for state, number in sorted(result.states.items()))}")
    print(f"duplicates {result.duplicates}, lost {result.lost}, wrongly recorded {result.misrecorded}")
    print(f"workers that gave up: {result.failed_workers}; {mails / result.seconds:.0f} mails a second")
    if result.duplicates or result.lost or result.misrecorded or result.failed_workers:
        sys.exit(1)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
