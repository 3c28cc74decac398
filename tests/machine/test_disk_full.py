"""The disk is full, at each stage: the command says so, nothing is sent without its intent on disk, and once there is
space again nothing is sent twice or lost. The kernel itself refuses the write: strace lets it.
"""

import re
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest

from tests.cli.program import Workspace, founders_csv
from tests.servers import need
from tests.smtp_server import Behaviour, smtp_server

WAL, LOG = "outreach.db-wal", "sent.log"
SEND = ("send", "--live", "--no-pacing", "--expect", "2")
_CALL = re.compile(r"^\d+ +(?:write|pwrite64|fdatasync|sendto)\(\d+<([^>]*)>(?:, \"(.{0,6}))?")


@dataclass
class Disk:
    """A workspace with two people to write to, on a disk that can be made full."""

    workspace: Workspace
    behaviour: Behaviour
    before: bytes = b""

    def full(self, name: str, when: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command while the writes `when` (the first is 1; `3+`, `3..4`) to this file find no space."""
        path = str(self.workspace.folder / name)
        return self._traced(words, "-P", path, "-e", f"inject=write,pwrite64:error=ENOSPC:when={when}")

    def begin_anew(self) -> None:
        """As it was before anything was sent; the same file, since a copy would be noticed."""
        store = self.workspace.folder / "outreach.db"
        with store.open("r+b") as file:
            file.write(self.before)
            file.truncate()
        for name in (LOG, WAL, "outreach.db-shm"):
            (self.workspace.folder / name).unlink(missing_ok=True)
        self.behaviour.ledger.clear()

    def first_writes(self) -> dict[str, int]:
        """Which write to the store is the first one of the queue, a claim, an intent and an outcome: what a whole run
        does, in order."""
        assert self._traced(SEND).returncode == 0
        writes, commits, found = 0, [1], dict[str, int]()
        for line in (self.workspace.folder / "calls").read_text().splitlines():
            file, text = called.groups("") if (called := _CALL.match(line)) else ("", "")
            if file.endswith(WAL) and "fdatasync" in line:
                commits.append(writes + 1)
            elif file.endswith(WAL):
                writes += 1
            elif file.endswith(LOG):
                found.setdefault("intent", writes + 1)
            elif text.lower().startswith("mail f"):  # whose case smtplib changed in Python 3.13
                found.setdefault("claim", commits[-2])
                found.setdefault("queue", commits[-3])
            elif text.startswith(".\\r\\n"):
                found.setdefault("outcome", writes + 1)
        return found

    def _traced(self, words: Sequence[str], *options: str) -> subprocess.CompletedProcess[str]:
        trace = (
            need("strace"),
            "-f",
            "--seccomp-bpf",
            "-y",
            "-o",
            "calls",
            "-e",
            "trace=write,pwrite64,fdatasync,sendto",
            *options,
        )
        done = subprocess.run(
            [*trace, sys.executable, "-m", "outreach", *words],
            cwd=self.workspace.folder, env=self.workspace.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stderr
        assert "has a bug" not in done.stderr
        return done

    def rows(self, question: str) -> list[tuple[Any, ...]]:
        """Asked of the file itself: to start the program for it would take longer than all the rest."""
        with closing(sqlite3.connect(self.workspace.folder / "outreach.db")) as connection:
            return connection.execute(question).fetchall()

    def states(self) -> list[tuple[str, int]]:
        return self.rows("SELECT state, count(*) FROM outbox GROUP BY state")

    def check_the_rest_goes(self) -> None:
        """Space is back: what is left is sent, and everybody has got one mail."""
        left = 2 - len(self.behaviour.ledger)
        self.workspace.run("send", "--live", "--no-pacing", "--expect", str(left))
        assert self.states() == [("sent", 2)]
        assert Counter(mail.rcpts for mail in self.behaviour.ledger).most_common(1)[0][1] == 1
        assert len(self.behaviour.ledger) == 2


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Disk]:
    behaviour = Behaviour()
    with smtp_server(behaviour) as port:
        workspace = Workspace.create(tmp_path_factory.mktemp("disk") / "w", port=port)
        (workspace.folder / "founders.csv").write_text(founders_csv(2))
        yield Disk(workspace, behaviour)


@pytest.fixture(scope="module")
def ready(disk: Disk) -> Disk:
    """With an import, a campaign and an opt-out that first found no space."""
    for words in (("import", "founders.csv"), ("campaign", "new", "spring", "--sequence", "job-search")):
        refused = disk.full(WAL, "1+", *words)
        assert refused.returncode == 1
        assert "error: outreach.db cannot be written: database or disk is full." in refused.stderr
        assert "hint: check free space" in refused.stderr
        disk.workspace.run(*words)
    assert disk.rows("SELECT count(*) FROM founders") == [(2,)]
    refused = disk.full("suppressions.jsonl", "1+", "suppress", "add", "someone@else.example")
    assert refused.returncode == 1
    assert "suppressions.jsonl cannot be written: No space left on device" in refused.stderr
    assert disk.rows("SELECT count(*) FROM suppressions") == [(0,)]
    disk.workspace.run("suppress", "add", "someone@else.example")
    assert disk.rows("SELECT count(*) FROM suppressions") == [(1,)]
    disk.before = (disk.workspace.folder / "outreach.db").read_bytes()
    return disk


@pytest.fixture(scope="module")
def writes(ready: Disk) -> dict[str, int]:
    ready.begin_anew()
    return ready.first_writes()


def test_a_store_that_finds_no_space_to_be_opened_is_not_called_broken(ready: Disk) -> None:
    refused = ready.full("outreach.db-shm", "1+", "status")
    assert refused.returncode == 1
    assert "error: outreach.db cannot be used: disk I/O error." in refused.stderr
    assert "hint: check free space" in refused.stderr


@pytest.mark.parametrize("stage", ["queue", "claim", "intent"])
def test_before_its_intent_is_on_disk_no_mail_leaves(ready: Disk, writes: dict[str, int], stage: str) -> None:
    ready.begin_anew()
    refused = ready.full(WAL, f"{writes[stage]}+", *SEND)
    assert refused.returncode in (1, 3)
    assert "outreach.db cannot be written: database or disk is full." in refused.stderr
    assert ready.behaviour.ledger == []
    ready.check_the_rest_goes()


def test_without_the_intent_in_the_log_no_mail_leaves(ready: Disk) -> None:
    ready.begin_anew()
    refused = ready.full(LOG, "1+", *SEND)
    assert refused.returncode in (1, 3)
    assert "sent.log cannot be written: No space left on device." in refused.stderr
    assert ready.behaviour.ledger == []
    ready.check_the_rest_goes()


def test_an_outcome_is_recorded_in_the_room_that_was_kept_for_it(ready: Disk, writes: dict[str, int]) -> None:
    """The first attempt gives up the ballast, the second one waits a second."""
    ready.begin_anew()
    ballast = ready.workspace.folder / "outreach.ballast"
    assert ballast.stat().st_size == 1_048_576
    done = ready.full(WAL, f"{writes['outcome']}..{writes['outcome'] + 1}", *SEND)
    assert done.returncode == 0
    assert "its disk is full: outreach.db cannot be written: database or disk is full." in done.stderr
    assert len(ready.behaviour.ledger) == 2
    assert ready.states() == [("sent", 2)]
    assert not ballast.exists()


def test_an_outcome_that_the_log_has_no_room_for_is_in_the_store(ready: Disk) -> None:
    ready.begin_anew()
    assert ready.full(LOG, "2", *SEND).returncode == 0
    assert len(ready.behaviour.ledger) == 2
    assert ready.states() == [("sent", 2)]
