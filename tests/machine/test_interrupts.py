"""Ctrl-C once and twice, a closed terminal, an unread pipe: what is sent is recorded, and the exit code says so."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.program import Workspace, founders_csv
from tests.smtp_server import Behaviour, smtp_server

MAILS = 30


class Slow:
    """A server that takes its time at one phase, until it is told to go on."""

    def __init__(self, phase: str, number: int) -> None:
        self.phase, self.number = phase, number
        self.reached, self.go_on = threading.Event(), threading.Event()

    def __call__(self, phase: str, number: int) -> None:
        if (phase, number) == (self.phase, self.number):
            self.reached.set()
            self.go_on.wait(60)


@pytest.fixture
def behaviour() -> Behaviour:
    return Behaviour()


@pytest.fixture
def workspace(tmp_path: Path, behaviour: Behaviour) -> Iterator[Workspace]:
    with smtp_server(behaviour) as port:
        workspace = Workspace.create(tmp_path / "w", port=port)
        (workspace.folder / "founders.csv").write_text(founders_csv(MAILS))
        workspace.run("import", "founders.csv")
        workspace.run("campaign", "new", "spring", "--sequence", "job-search")
        yield workspace


def start_send(
    workspace: Workspace, stdin: int | None = None, stdout: int = subprocess.DEVNULL, stderr: int = subprocess.DEVNULL
) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "outreach", "send", "--live", "--no-pacing", "--expect", str(MAILS), "--json"]
    return subprocess.Popen(
        command, cwd=workspace.folder, env=workspace.environment, stdin=stdin, stdout=stdout, stderr=stderr
    )


def states(workspace: Workspace) -> dict[str, int]:
    found: dict[str, int] = {}
    for item in workspace.json("outbox")["items"]:
        found[item["state"]] = found.get(item["state"], 0) + 1
    return found


def test_the_first_ctrl_c_finishes_the_mail_in_flight(workspace: Workspace, behaviour: Behaviour) -> None:
    behaviour.fault = slow = Slow("accepted", 5)
    sender = start_send(workspace)
    assert slow.reached.wait(60)
    sender.send_signal(signal.SIGINT)
    time.sleep(0.3)
    slow.go_on.set()
    assert sender.wait() == 130
    assert states(workspace) == {"sent": 5, "queued": MAILS - 5}
    assert len(behaviour.ledger) == 5


@pytest.mark.parametrize(
    ("phase", "after"),
    [("rcpt", {"sent": 4, "queued": MAILS - 4}), ("accepted", {"sent": 4, "unknown": 1, "queued": MAILS - 5})],
)
def test_the_second_ctrl_c_cuts_the_dialogue_off(
    workspace: Workspace, behaviour: Behaviour, phase: str, after: dict[str, int]
) -> None:
    behaviour.fault = slow = Slow(phase, 5)
    sender = start_send(workspace, stdout=subprocess.PIPE)
    assert slow.reached.wait(60)
    for _ in range(2):
        sender.send_signal(signal.SIGINT)
        time.sleep(0.3)
    told, _ = sender.communicate(timeout=20)
    assert sender.returncode == 130
    counts = json.loads(told)
    assert (counts["sent"], counts["unknown"]) == (4, after.get("unknown", 0))
    slow.go_on.set()
    assert states(workspace) == after


def test_a_closed_terminal_changes_nothing(workspace: Workspace, behaviour: Behaviour) -> None:
    behaviour.fault = slow = Slow("accepted", 5)
    terminal, side = os.openpty()
    sender = start_send(workspace, stdin=side, stdout=side, stderr=side)
    os.close(side)
    assert slow.reached.wait(60)
    os.close(terminal)  # every write to it fails from now on
    sender.send_signal(signal.SIGHUP)
    slow.go_on.set()
    assert sender.wait() == 0
    assert states(workspace) == {"sent": MAILS}


def test_streams_that_nobody_reads_change_neither_the_mails_nor_the_exit_code(
    workspace: Workspace, behaviour: Behaviour
) -> None:
    behaviour.fault = lambda phase, number: "drop" if (phase, number) == ("accepted", MAILS) else None
    pipes = [os.pipe(), os.pipe()]
    sender = start_send(workspace, stdout=pipes[0][1], stderr=pipes[1][1])
    for reader, writer in pipes:
        os.close(reader)
        os.close(writer)
    assert sender.wait() == 3, "the last one is in doubt"
    assert states(workspace) == {"sent": MAILS - 1, "unknown": 1}


def test_what_a_killed_run_left_in_doubt_is_named_by_whatever_looks_first(
    workspace: Workspace, behaviour: Behaviour
) -> None:
    behaviour.fault = slow = Slow("accepted", 3)
    sender = start_send(workspace)
    assert slow.reached.wait(60)
    sender.kill()
    sender.wait()
    slow.go_on.set()
    assert workspace.json("status")["unknown"] == 1
    [doubt] = json.loads(workspace.run("outbox", "--state", "unknown", "--json").stdout)["items"]
    assert doubt["reason"] == "the sender died before the answer was recorded"
