"""kill -9 at each step of a batch, senders racing: nobody gets two copies, nobody is lost, every doubt is listed.

The server's ledger, written before each 250, is the judge.
"""

import itertools
import json
import random
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from outreach.core.pacing import DAY, HOUR
from outreach.core.records import OutboxState
from outreach.store.journal import Journal
from tests.cli.program import Workspace, founders_csv
from tests.machine.kills import NEVER, Size, at_terminal, joined, run_kills, talk
from tests.smtp_server import Behaviour, smtp_server

STEPS = ("claimed", "staged", "logged", "intended", "answered", "owed", "settled")
MAILS = 100
ROUNDS = 60


@pytest.fixture
def behaviour() -> Behaviour:
    return Behaviour()


def start(workspace: Workspace, label: str, occurrence: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.machine.worker", str(workspace.folder), label, str(occurrence)]
    return subprocess.Popen(command, env=workspace.environment, stderr=subprocess.DEVNULL)


def left(workspace: Workspace) -> int:
    return len(workspace.json("outbox")["items"]) - sum(
        item["state"] in ("sent", "unknown", "cancelled") for item in workspace.json("outbox")["items"]
    )


def check_promises(workspace: Workspace, behaviour: Behaviour, enrolled: int) -> Counter[str]:
    """Never twice, never lost, every doubt listed, nothing recorded that is not so."""
    items = workspace.json("outbox")["items"]
    delivered = Counter(mail.message_id for mail in behaviour.ledger)
    per_person = Counter(rcpt for mail in behaviour.ledger for rcpt in mail.rcpts)
    assert max(per_person.values()) == 1, "somebody got two copies"
    assert len({item["founder"] for item in items if item["state"] != "cancelled"}) == enrolled, "somebody is missing"
    states = {item["message_id"]: item["state"] for item in items}
    assert {states[message_id] for message_id in delivered} <= {OutboxState.SENT, OutboxState.UNKNOWN}
    assert all(message_id in delivered for message_id, state in states.items() if state == OutboxState.SENT)
    doubts = workspace.json("outbox", "--state", "unknown", exit_code=0)["items"]
    assert {item["message_id"] for item in doubts} >= {m for m in delivered if states[m] != OutboxState.SENT}
    if (workspace.folder / "outreach.db").exists():
        with sqlite3.connect(workspace.folder / "outreach.db") as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        connection.close()
    logged = {
        entry["message_id"] for entry in Journal(workspace.folder / "sent.log").entries() if entry["kind"] == "intent"
    }
    assert set(delivered) <= logged, "a mail left without its intent in the log"
    return Counter(states.values())


@pytest.mark.timeout(600)
def test_four_senders_killed_everywhere_while_the_server_has_faults(tmp_path: Path) -> None:
    """The real command line at real terminals; `python -m benchmarks.kills` is the same at full size."""
    result = run_kills(tmp_path, Size(mails=400, kills=70, campaign=100))
    assert result.promises_hold, result
    assert sum(result.kills.values()) >= 70
    assert sum(result.faults.values()) >= 10
    assert set(result.states) <= {"sent", "unknown", "failed"}


@pytest.mark.timeout(600)
def test_two_senders_on_a_server_killed_at_every_step_by_turns(
    tmp_path: Path, behaviour: Behaviour, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue("server").create()
    with smtp_server(behaviour) as port:
        workspace = Workspace.create(tmp_path / "w", port=port, DATABASE_URL=url)
        (workspace.folder / "founders.csv").write_text(founders_csv(MAILS))
        workspace.run("import", "founders.csv")
        workspace.run("campaign", "new", "spring", "--sequence", "job-search")
        chance = random.Random(4711)
        kills = Counter[str]()
        for label, _ in zip(itertools.cycle(STEPS), range(ROUNDS), strict=False):
            workers = [start(workspace, label, chance.randint(1, 5)), start(workspace, label, chance.randint(3, 9))]
            kills[label] += sum(worker.wait() == -signal.SIGKILL for worker in workers)
            if not left(workspace):
                break
        start(workspace, "never", 1).wait()
    states = check_promises(workspace, behaviour, enrolled=MAILS)
    assert set(states) <= {OutboxState.SENT, OutboxState.UNKNOWN}
    assert states[OutboxState.UNKNOWN] >= 1, "no doubt was made: the kills came at harmless moments only"
    assert all(kills[step] >= 1 for step in STEPS), f"not every step was struck: {kills}"


def test_two_sends_at_once_keep_the_caps_and_write_to_nobody_twice(tmp_path: Path, behaviour: Behaviour) -> None:
    """From two folders with one store; the clock is theirs together, and hours pass while they wait."""
    any_time = {"WINDOW": "00:00-23:59", "WEEKDAYS": "mon-sun", "MIN_GAP": "20s", "MAX_GAP": "20s", "RAMP": "0"}
    clock = tmp_path / "clock"
    clock.write_text("0")
    with smtp_server(behaviour) as port:
        desk = Workspace.create(tmp_path / "machine-0", port=port, DAILY_CAP="8", HOURLY_CAP="3", **any_time)
        (desk.folder / "founders.csv").write_text(founders_csv(12))
        desk.run("import", "founders.csv")
        desk.run("campaign", "new", "spring", "--sequence", "job-search")
        places = [joined(desk, tmp_path / f"machine-{number}") for number in range(2)]
        words = (str(clock), *NEVER, "send", "--live", "--wait")
        senders = [at_terminal(words, folder, environment) for folder, environment in places]
        with ThreadPoolExecutor() as threads:
            told = list(threads.map(lambda sender: talk(*sender), senders))
    assert {process.returncode for process, _ in senders} <= {0, 3}, told
    assert all("sent" in said and "locked" not in said and "bug" not in said for said in told), told
    assert 8 <= len({mail.rcpts for mail in behaviour.ledger}) == len(behaviour.ledger)
    with sqlite3.connect(desk.folder / "outreach.db") as connection:
        rows = connection.execute("SELECT at FROM send_ledger ORDER BY at").fetchall()
    connection.close()
    booked = [datetime.fromisoformat(at) for (at,) in rows]
    assert len(booked) == len(behaviour.ledger)
    assert all(sum(at - HOUR < other <= at for other in booked) <= 3 for at in booked)
    assert all(sum(at - DAY < other <= at for other in booked) <= 8 for at in booked)
    assert all(later - earlier >= timedelta(seconds=20) for earlier, later in pairwise(booked))


def test_a_second_send_is_refused_while_one_is_at_work(tmp_path: Path, behaviour: Behaviour) -> None:
    with smtp_server(behaviour) as port:
        workspace = Workspace.create(tmp_path / "w", port=port)
        (workspace.folder / "founders.csv").write_text(founders_csv(2))
        workspace.run("import", "founders.csv")
        workspace.run("campaign", "new", "spring", "--sequence", "job-search")
        script = (
            "import os, sys; from pathlib import Path; from outreach.bootstrap import open_app\n"
            f"with open_app(Path({str(workspace.folder)!r}), os.environ) as app, app.sending():\n"
            "    print('at work', flush=True); sys.stdin.read()\n"
        )
        holder = subprocess.Popen(
            [sys.executable, "-c", script], env=workspace.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert holder.stdout is not None
        assert holder.stdin is not None
        holder.stdout.readline()
        refused = workspace.run("send", "--live", "--no-pacing", "--expect", "2", exit_code=1)
        holder.stdin.close()
        holder.wait()
        holder.stdout.close()
        assert f"process {holder.pid}" in refused.stderr
        assert json.loads(workspace.run("send", "--live", "--no-pacing", "--expect", "2", "--json").stdout)["sent"] == 2
