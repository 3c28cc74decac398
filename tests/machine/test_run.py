"""`outreach run` as a process of its own: it sends, notices answers, says a line for each event, and stops cleanly."""

import plistlib
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path

import pytest

from tests.cli.program import Workspace, founders_csv
from tests.machine.kills import NEVER
from tests.mails import mail
from tests.smtp_server import Behaviour, nth, smtp_server

ANY_TIME = {"WINDOW": "00:00-23:59", "WEEKDAYS": "mon-sun", "MIN_GAP": "20s", "MAX_GAP": "20s"}


@pytest.fixture
def behaviour() -> Behaviour:
    return Behaviour()


@pytest.fixture
def workspace(tmp_path: Path, behaviour: Behaviour) -> Iterator[Workspace]:
    with smtp_server(behaviour) as port:
        made = Workspace.create(tmp_path / "w", port=port, **ANY_TIME)
        (made.folder / "founders.csv").write_text(founders_csv(2))
        made.run("import", "founders.csv")
        made.run("campaign", "new", "spring", "--sequence", "job-search")
        yield made


class Running:
    """A run, and what it says line by line."""

    def __init__(self, workspace: Workspace, *words: str, clock: Path | None = None) -> None:
        program = ["tests.machine.shell", str(clock), *NEVER] if clock else ["outreach"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", *program, "run", *words],
            cwd=workspace.folder, env=workspace.environment, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._lines: queue.Queue[str] = queue.Queue()
        self.said: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._lines.put(line.rstrip("\n"))

    def until(self, text: str) -> str:
        """Wait for a line with this text."""
        while True:
            line = self._lines.get(timeout=60)
            self.said.append(line)
            if text in line:
                return line

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(30)
        self._reader.join()
        assert self.process.stderr is not None
        self.process.stderr.close()
        return code


def test_it_sends_notices_an_answer_and_stops_cleanly(workspace: Workspace, behaviour: Behaviour) -> None:
    running = Running(workspace, "--yes", "--every", "1s")
    running.until("2 people in spring")
    running.until("2 mails to send")
    running.until("[1/2] sent")
    first = message_from_bytes(behaviour.ledger[0].data)
    answer = mail("Yes, let us talk.", sender=str(first["To"]), in_reply_to=str(first["Message-ID"]))
    (workspace.folder / "Maildir" / "new" / "1.answer").write_bytes(answer)
    running.until("[2/2] sent")
    running.until("1 reply")
    running.until("nobody's turn has come yet, next ")
    assert running.stop() == 130
    assert len(behaviour.ledger) == 2
    stopped = [
        entry for entry in workspace.json("campaign", "show", "spring")["founders"] if entry["state"] == "stopped"
    ]
    assert len(stopped) == 1
    assert not [line for line in running.said if "Traceback" in line]


def test_a_server_that_is_down_is_said_once_and_tried_again(workspace: Workspace, behaviour: Behaviour) -> None:
    behaviour.fault = lambda phase, number: "421 4.3.2 not now" if phase == "connect" and number <= 2 else None
    running = Running(workspace, "--yes", "--every", "1s")
    running.until("trying again")
    running.until("[1/2] sent")
    assert running.stop() == 130
    assert sum("trying again" in line for line in running.said) <= 2


def test_what_cannot_be_read_is_said_once(workspace: Workspace, behaviour: Behaviour) -> None:
    settings = workspace.folder / ".env"
    lines = settings.read_text("utf-8").splitlines(keepends=True)
    settings.write_text("".join(line for line in lines if not line.startswith("OUTREACH_MAILDIR")), "utf-8")
    behaviour.fault = lambda phase, number: "421 4.3.2 not now" if phase == "connect" and number <= 3 else None
    running = Running(workspace, "--yes", "--every", "1s")
    running.until("[1/2] sent")
    assert running.stop() == 130
    assert sum("no inbox is set" in line for line in running.said) == 1


def test_nothing_goes_before_someone_agreed(workspace: Workspace, behaviour: Behaviour) -> None:
    refused = workspace.run("run", exit_code=1)
    assert "outreach run --yes" in refused.stderr
    assert workspace.run("run", "--every", "soon", exit_code=2).stderr.startswith(
        "error: 'soon' is not a length of time"
    )
    assert behaviour.ledger == []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a systemd unit is written on Linux")
def test_a_unit_is_written_and_says_how_to_start_it(workspace: Workspace) -> None:
    config = workspace.folder / "config"
    workspace.environment["XDG_CONFIG_HOME"] = str(config)
    done = workspace.run("run", "--install", "--every", "10m")
    [unit] = (config / "systemd" / "user").iterdir()
    text = unit.read_text()
    assert f"WorkingDirectory={workspace.folder}" in text
    assert f'"{sys.executable}" "-m" "outreach" "-C" "{workspace.folder}" "run" "--yes" "--every" "10m"' in text
    assert f"systemctl --user enable --now {unit.stem}" in done.stderr


def test_the_launchd_agent_is_a_property_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from outreach.cli._service import write_launchd

    path = write_launchd("outreach-w", tmp_path / "a folder", ["python", "-m", "outreach"], home=tmp_path)
    agent = plistlib.loads(path.read_bytes())
    assert agent["ProgramArguments"] == ["python", "-m", "outreach"]
    assert agent["KeepAlive"] == {"SuccessfulExit": False}
    assert str(path) in capsys.readouterr().err


def test_a_password_that_is_refused_is_tried_once(tmp_path: Path) -> None:
    """Hour after hour, by a clock of its own; and once more when somebody starts it anew."""
    clock = tmp_path / "clock"
    behaviour = Behaviour(fault=nth("auth", "535 5.7.8 wrong"), features=("AUTH PLAIN",))
    with smtp_server(behaviour) as port:
        workspace = Workspace.create(
            tmp_path / "w", port=port, SMTP_USERNAME="ada", SMTP_PASSWORD="wrong", **ANY_TIME
        )  # fmt: skip
        (workspace.folder / "founders.csv").write_text(founders_csv(2))
        workspace.run("import", "founders.csv")
        workspace.run("campaign", "new", "spring", "--sequence", "job-search")
        for tries in (1, 2):
            clock.write_text("0")
            running = Running(workspace, "--yes", clock=clock)
            running.until("the login was refused")
            while float(clock.read_text()) < 3600:
                time.sleep(0.1)
            assert running.stop() == 130
            assert sum(command.startswith("AUTH") for command in behaviour.commands) == tries
        behaviour.fault = nth("no phase", "")
        clock.write_text("0")
        mended = Running(workspace, "--yes", clock=clock)
        mended.until("[2/2] sent")
        mended.stop()
    assert len(behaviour.ledger) == 2
