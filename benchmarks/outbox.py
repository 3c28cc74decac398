"""Whether a long outbox slows anything: `python -m benchmarks.outbox [ROWS]`.

A claim with its release among so many rows, beside one among 1,000, by turns; and the whole of `outreach status`. But
for 300, the rows are mails that were sent over the last year, to people who were sent all they were to be.
"""

import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from outreach.core.records import EnrollmentState, OutboxItem, OutboxState
from outreach.store import tables as t
from outreach.store.journal import MemoryJournal
from outreach.store.schema import open_database
from outreach.store.store import Store
from tests.factory import SENDER, add_founders, queue_all, start_campaign
from tests.flows.test_enqueue_and_send import LIMITS

_FEW, _MANY, _WAITING = 1_000, 100_000, 300
_SETTINGS = {
    "OUTREACH_FROM": f"{SENDER.name} <{SENDER.address}>",
    "OUTREACH_PURPOSE": "job-search",
    "OUTREACH_SMTP_HOST": "127.0.0.1",
    "OUTREACH_SMTP_SECURITY": "none",
}


def main(rows: int) -> None:
    with tempfile.TemporaryDirectory() as place:
        few, items = _filled(Path(place) / "few", _FEW)
        many, more = _filled(Path(place) / "many", rows)
        spent: dict[int, list[float]] = {_FEW: [], rows: []}
        for one, other in zip(items, more, strict=True):
            spent[_FEW].append(_claim(few, one))
            spent[rows].append(_claim(many, other))
        for each in (few, many):
            each.close()
        base = statistics.median(spent[_FEW])
        for count, seconds in spent.items():
            median = statistics.median(seconds)
            print(f"{count:>9,} rows  claim and release {median * 1e6:7.0f} µs  {median / base:5.2f} of {_FEW:,} rows")
        for count, folder in ((_FEW, "few"), (rows, "many")):
            told = [_status(Path(place) / folder) for _ in range(5)]
            print(f"{count:>9,} rows  outreach status   {statistics.median(told) * 1000:7.0f} ms, start-up included")


def _filled(folder: Path, rows: int) -> tuple[Store, list[OutboxItem]]:
    """A workspace with so many messages queued."""
    folder.mkdir()
    _outreach(folder, "init", "--yes")
    store, now = Store(open_database(folder / "outreach.db"), MemoryJournal()), datetime.now(UTC)
    add_founders(store, [f"Bo{number}" for number in range(rows)], now=now)
    campaign, _ = start_campaign(store, now=now)
    items = queue_all(store, campaign, now=now)
    _note_sent(store, items[_WAITING:], now)
    return store, items[:_WAITING]


def _note_sent(store: Store, items: list[OutboxItem], now: datetime) -> None:
    """One after the other over a year, until a week ago."""
    outbox, enrollments, ledger = t.outbox, t.enrollments, t.send_ledger
    step = timedelta(days=365) / len(items)
    sent = [(item, now - timedelta(days=7) - number * step) for number, item in enumerate(items)]
    with store.database.write() as connection:
        for item, at in sent:
            values = {"state": OutboxState.SENT, "intent_at": at, "sent_at": at, "due_at": at}
            connection.execute(sa.update(outbox).where(outbox.c.id == item.id).values(values))
        connection.execute(
            sa.insert(ledger),
            [{"mailbox_id": item.mailbox_id, "outbox_id": item.id, "at": at} for item, at in sent],
        )
        waiting = sa.select(outbox.c.enrollment_id).where(outbox.c.state == OutboxState.QUEUED)
        over = sa.update(enrollments).where(enrollments.c.id.not_in(waiting))
        connection.execute(over.values(state=EnrollmentState.FINISHED, reason="finished"))


def _claim(store: Store, item: OutboxItem) -> float:
    limits, now = replace(LIMITS, fresh_inbox=None), datetime.now(UTC)
    started = time.perf_counter()
    claim = store.claims.claim(item, limits, token=uuid.uuid4().hex, owner="me", now=now)
    assert claim
    store.claims.release(claim, "", now)
    return time.perf_counter() - started


def _status(folder: Path) -> float:
    started = time.perf_counter()
    _outreach(folder, "status")
    return time.perf_counter() - started


def _outreach(folder: Path, *words: str) -> None:
    command = [sys.executable, "-m", "outreach", *words]
    subprocess.run(command, cwd=folder, env=_SETTINGS, check=True, capture_output=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else _MANY)
