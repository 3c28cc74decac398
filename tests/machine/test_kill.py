"""kill -9 at each step of a batch, two senders racing: nobody gets two copies, nobody is lost, every doubt is listed.

The server's ledger, written before each 250, is the judge.
"""

import itertools
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from outreach.core.records import OutboxState
from outreach.store.journal import Journal
from tests.cli.program import Workspace, founders_csv
from tests.smtp_server import Behaviour, smtp_server

STEPS = ("claimed", "staged", "logged", "intended", "answered", "settled")
MAILS = 200
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
@pytest.mark.parametrize(("kind", "mails"), [("sqlite", MAILS), ("postgresql", MAILS // 2)])
def test_killed_at_every_step_by_turns_with_two_senders(
    tmp_path: Path, behaviour: Behaviour, request: pytest.FixtureRequest, kind: str, mails: int
) -> None:
    url = request.getfixturevalue("server").create() if kind == "postgresql" else ""
    with smtp_server(behaviour) as port:
        workspace = Workspace.create(tmp_path / "w", port=port, DATABASE_URL=url)
        (workspace.folder / "founders.csv").write_text(founders_csv(mails))
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
    states = check_promises(workspace, behaviour, enrolled=mails)
    assert set(states) <= {OutboxState.SENT, OutboxState.UNKNOWN}
    assert states[OutboxState.UNKNOWN] >= 1, "no doubt was made: the kills came at harmless moments only"
    assert all(kills[step] >= 1 for step in STEPS), f"not every step was struck: {kills}"


@pytest.mark.timeout(300)
def test_the_program_itself_killed_at_random_moments(tmp_path: Path, behaviour: Behaviour) -> None:
    """The real command line, SIGKILL from outside, started again and again."""
    with smtp_server(behaviour) as port:
        workspace = Workspace.create(tmp_path / "w", port=port)
        (workspace.folder / "founders.csv").write_text(founders_csv(60))
        workspace.run("import", "founders.csv")
        workspace.run("campaign", "new", "spring", "--sequence", "job-search")
        chance = random.Random(11)
        killed = 0
        for _ in range(12):
            planned = workspace.json("send", "spring", "--no-pacing")["planned"]
            if not planned:
                break
            command = [sys.executable, "-m", "outreach", "send", "--live", "--no-pacing", "--expect", str(planned)]
            sender = subprocess.Popen(
                command,
                cwd=workspace.folder,
                env=workspace.environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
            assert sender.stderr is not None
            sender.stderr.readline()  # the first mail is through
            time.sleep(chance.random() * 0.1)
            os.kill(sender.pid, signal.SIGKILL)
            killed += sender.wait() == -signal.SIGKILL
            sender.stderr.close()
        planned = workspace.json("send", "spring", "--no-pacing")["planned"]
        workspace.run("send", "--live", "--no-pacing", "--expect", str(planned), exit_code=None)
    states = check_promises(workspace, behaviour, enrolled=60)
    assert killed >= 2
    assert set(states) <= {OutboxState.SENT, OutboxState.UNKNOWN}


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
