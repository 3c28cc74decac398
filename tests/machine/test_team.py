"""Several workers on one store, a PostgreSQL server that is stopped under them included: never twice, never lost."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.cli.program import Workspace, founders_csv
from tests.machine.team import queue, run_team
from tests.postgres import postgres
from tests.smtp_server import Behaviour, smtp_server

MAILS, WORKERS, RESTARTS = 240, 4, 3


@pytest.mark.timeout(300)
def test_a_server_that_is_restarted_under_a_team_costs_no_mail_and_doubles_none(tmp_path: Path) -> None:
    with postgres() as server:
        result = run_team(tmp_path, server, mails=MAILS, workers=WORKERS, restarts=RESTARTS)
    assert (result.duplicates, result.lost, result.misrecorded, result.failed_workers) == (0, 0, 0, 0)
    assert sum(result.states.values()) == MAILS
    assert result.states["unknown"] <= WORKERS * RESTARTS, "more doubts than mails were in flight"
    assert result.restarts == RESTARTS, "a restart came when the work was done"


@pytest.mark.timeout(300)
def test_many_processes_on_one_sqlite_file_never_speak_of_a_lock(tmp_path: Path) -> None:
    """Three senders, two imports and someone who suppresses, all at once: each waits for its turn in silence."""
    behaviour = Behaviour()
    with smtp_server(behaviour) as port:
        workspace = Workspace.create(tmp_path / "w", port=port)
        queue(workspace, 60)
        for name in ("more.csv", "others.csv"):
            (workspace.folder / name).write_text(founders_csv(200).replace(".example", f"-{name[:4]}.example"))
        commands = [
            *([sys.executable, "-m", "tests.machine.team", str(workspace.folder), str(seed)] for seed in range(3)),
            *([sys.executable, "-m", "outreach", "import", name] for name in ("more.csv", "others.csv")),
            [sys.executable, "-m", "outreach", "suppress", "add", "nobody.example"],
        ]
        running = [
            subprocess.Popen(each, cwd=workspace.folder, env=workspace.environment, text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            for each in commands
        ]  # fmt: skip
        told = [each.communicate()[0] for each in running]
        assert [each.returncode for each in running] == [0] * len(commands), told
        assert not any("locked" in text or "busy" in text for text in told), told
    copies = Counter(rcpt for mail in behaviour.ledger for rcpt in mail.rcpts)
    assert (len(copies), set(copies.values())) == (60, {1})
    assert workspace.json("founders", "--limit", "1")["total"] == 460
