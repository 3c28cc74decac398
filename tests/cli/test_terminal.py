"""`send --live` in front of a person: the number typed on a real terminal, and Ctrl-C at a bad moment."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from outreach.cli._output import is_terminal
from tests.cli.program import Workspace, founders_csv
from tests.smtp_server import Behaviour, nth, smtp_server

ANY_TIME = {"WINDOW": "00:00-23:59", "WEEKDAYS": "mon-sun"}


@pytest.fixture
def behaviour() -> Behaviour:
    return Behaviour()


@pytest.fixture
def workspace(tmp_path: Path, behaviour: Behaviour) -> Iterator[Workspace]:
    with smtp_server(behaviour) as port:
        made = Workspace.create(tmp_path / "w", port=port, **ANY_TIME)
        (made.folder / "founders.csv").write_text(founders_csv(3))
        made.run("import", "founders.csv")
        made.run("campaign", "new", "spring", "--sequence", "job-search")
        yield made


def converse(workspace: Workspace, *words: str, answers: Mapping[bytes, Sequence[str]]) -> tuple[int, str]:
    """Run a command on a pseudo-terminal and answer its questions: each time a text of `answers` is shown, with
    the next of its lines. Exit code and everything shown."""
    primary, secondary = pty.openpty()
    program = subprocess.Popen(
        [sys.executable, "-m", "outreach", *words],
        cwd=workspace.folder, env=workspace.environment, stdin=secondary, stdout=secondary, stderr=secondary,
    )  # fmt: skip
    os.close(secondary)
    seen, told = b"", dict.fromkeys(answers, 0)
    while True:
        try:
            seen += os.read(primary, 4096)
        except OSError:  # the other end is closed
            break
        for question, lines in answers.items():
            if seen.count(question) > told[question]:
                os.write(primary, f"{lines[told[question]]}\n".encode())
                told[question] += 1
    os.close(primary)
    return program.wait(), seen.decode()


def type_at_prompt(workspace: Workspace, typed: str) -> tuple[int, str]:
    """Answer the question of `send --live`."""
    return converse(workspace, "send", "--live", "--no-pacing", answers={b"Type ": [typed]})


def test_init_asks_a_question_again_until_its_answer_is_right(workspace: Workspace) -> None:
    code, seen = converse(
        workspace, "init", "jobs",
        answers={
            b"Your name": ["", "Ada Lovelace"],
            b"The address": ["ada", "ada@testwell.example"],
            b"Your mail provider": ["gmial", "gmail"],
            b"What for": ["jobsearch", "job-search"],
        },
    )  # fmt: skip
    assert code == 0, seen
    env = (workspace.folder / "jobs" / ".env").read_text()
    for line in ("FROM='Ada Lovelace <ada@testwell.example>'", "PROVIDER='gmail'", "PURPOSE='job-search'"):
        assert f"OUTREACH_{line}" in env
    assert "app password" in seen
    assert "OUTREACH_IMAP_PASSWORD" in seen


@pytest.mark.parametrize("typed", ["2", "", "yes", "33"])
def test_another_answer_sends_nothing(workspace: Workspace, behaviour: Behaviour, typed: str) -> None:
    code, seen = type_at_prompt(workspace, typed)
    assert code == 1
    assert "not confirmed: nothing was sent" in seen
    assert behaviour.ledger == []
    assert workspace.json("outbox")["total"] == 0


def test_the_number_sends(workspace: Workspace, behaviour: Behaviour) -> None:
    code, seen = type_at_prompt(workspace, "3")
    assert code == 0, seen
    assert "3 mails to send now from Ada Testwell" in seen
    assert len(behaviour.ledger) == 3
    assert "3 messages, newest first; 2 more: --limit 3\n" in workspace.run("outbox", "--limit", "1").stdout
    assert workspace.run("outbox").stdout.endswith("3 messages, newest first\n")
    newest = max(workspace.json("outbox")["items"], key=lambda item: item["sent_at"])
    assert workspace.json("outbox", "--limit", "1") == {"items": [newest], "total": 3}


def test_ctrl_c_in_a_gap_ends_cleanly_and_nothing_is_lost(workspace: Workspace, behaviour: Behaviour) -> None:
    program = subprocess.Popen(
        [sys.executable, "-m", "outreach", "send", "--live", "--expect", "3"],
        cwd=workspace.folder, env=workspace.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert program.stderr is not None
    while "[1/3] sent" not in program.stderr.readline():
        assert program.poll() is None
    time.sleep(0.3)
    program.send_signal(signal.SIGINT)
    shown, said = program.communicate(timeout=20)
    assert program.returncode == 130
    assert "1 sent\n2 mails of 3 not sent yet\n" in shown
    assert "goes on where this one stopped" in said
    assert "Traceback" not in said
    assert len(behaviour.ledger) == 1
    states = sorted(item["state"] for item in workspace.json("outbox")["items"])
    assert states == ["queued", "queued", "sent"]
    workspace.run("send", "--live", "--expect", "2", "--no-pacing")
    assert len({mail.rcpts for mail in behaviour.ledger}) == len(behaviour.ledger) == 3


def through_a_shell(workspace: Workspace, words: str) -> subprocess.CompletedProcess[str]:
    command = ["sh", "-c", f"exec {sys.executable} -m outreach {words}"]
    return subprocess.run(
        command, cwd=workspace.folder, env=workspace.environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("words", "code"), [("founders >&-", 0), ("run <&-", 1), ("campaign stop spring <&-", 0), ("send --live <&-", 1)]
)
def test_a_stream_that_was_closed_is_nobody(workspace: Workspace, words: str, code: int) -> None:
    done = through_a_shell(workspace, words)
    assert done.returncode == code
    assert "bug" not in done.stderr


def test_without_stderr_mails_go_and_json_stays_one_document(workspace: Workspace, behaviour: Behaviour) -> None:
    assert not is_terminal(None), "or the words about a gap would end the run"
    done = through_a_shell(workspace, "send --live --expect 3 --no-pacing --json 2>&-")
    assert (done.returncode, json.loads(done.stdout)["sent"], len(behaviour.ledger)) == (0, 3, 3)


def test_a_result_that_a_full_disk_swallows_is_no_success(workspace: Workspace) -> None:
    done = through_a_shell(workspace, "founders --json >/dev/full")
    assert done.returncode == 1
    assert "the output cannot be written: No space left on device" in done.stderr


def test_a_rehearsal_goes_to_me_and_is_not_recorded(workspace: Workspace, behaviour: Behaviour) -> None:
    workspace.run("send", "--live", "--to-me", "--expect", "3", "--no-pacing")
    assert {mail.rcpts for mail in behaviour.ledger} == {("ada@testwell.example",)}
    assert all(b"Subject: [to " in mail.data for mail in behaviour.ledger)
    assert workspace.json("outbox")["total"] == 0
    assert workspace.json("send", "--no-pacing")["planned"] == 3


def test_a_rehearsal_that_the_server_refuses_says_so_in_its_words(workspace: Workspace, behaviour: Behaviour) -> None:
    behaviour.fault = nth("rcpt", "452 4.2.2 your box is full", 2)
    done = workspace.run("send", "--live", "--to-me", "--expect", "3", "--no-pacing", exit_code=1)
    assert "1 mail sent to ada@testwell.example; nothing was recorded" in done.stdout
    assert "452" in done.stderr
    assert "your box is full" in done.stderr
    assert len(behaviour.ledger) == 1
