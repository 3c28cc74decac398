"""Between DATA and each final dot the intent reaches the disk: what the kernel was asked for, in order."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.program import Workspace, founders_csv
from tests.servers import need
from tests.smtp_server import Behaviour, smtp_server

MAILS = 20
_CALL = re.compile(r"^\d+ +(fsync|fdatasync|sendto)\((\d+)<?([^,>)]*)>?(?:, \"(.*?)\")?.* = (-?\d+)")


@pytest.mark.timeout(120)
def test_every_dot_follows_a_sync_of_the_intent_in_store_and_log(tmp_path: Path) -> None:
    """The log first, then the store (its write-ahead log), each with success; and only then the dot. That is so as well
    where what was answered to the mail before is recorded only then."""
    strace, behaviour = need("strace"), Behaviour()
    with smtp_server(behaviour) as port:
        workspace = Workspace.create(tmp_path / "w", port=port)
        (workspace.folder / "founders.csv").write_text(founders_csv(MAILS))
        workspace.run("import", "founders.csv")
        workspace.run("campaign", "new", "spring", "--sequence", "job-search")
        calls = tmp_path / "calls"
        send = [sys.executable, "-m", "outreach", "send", "--live", "--no-pacing", "--expect", str(MAILS)]
        subprocess.run(
            [strace, "-f", "--seccomp-bpf", "-y", "-o", calls, "-e", "trace=fsync,fdatasync,sendto", *send],
            cwd=workspace.folder, env=workspace.environment, check=True, capture_output=True,
        )  # fmt: skip
    assert len(behaviour.ledger) == MAILS
    synced = list[list[str]]()
    files = list[str]()
    for call, _, name, text, result in _calls(calls):
        if call == "sendto" and text.startswith("DATA"):
            files = []
        elif call == "sendto" and text == r".\r\n":
            synced.append(files)
        elif call != "sendto" and result == "0":
            files.append(Path(name).name)
    assert [files[:2] for files in synced] == [["sent.log", "outreach.db-wal"]] * MAILS


def _calls(trace: Path) -> list[tuple[str, ...]]:
    return [found.groups("") for line in trace.read_text().splitlines() if (found := _CALL.match(line))]
