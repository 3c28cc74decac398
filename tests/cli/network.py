"""The program in this process, with an internet of its own: what no setting can give it."""

import json
from pathlib import Path
from typing import Any

import pytest

from outreach.bootstrap import Network
from outreach.cli import run
from outreach.cli._shell import Shell
from tests.fakes import FakeClock


class Program:
    """A workspace and how commands are run in it; `out` and `err` are what the last one printed."""

    def __init__(self, folder: Path, network: Network, capsys: pytest.CaptureFixture[str], **settings: str) -> None:
        self.folder, self._network, self._capsys, self.clock = folder, network, capsys, FakeClock()
        self.environment = {f"OUTREACH_{name}": value for name, value in settings.items()}
        flags = {"FROM": "Me Testwell <me@me.example>", "PURPOSE": "job-search", "SMTP_HOST": "127.0.0.1",
                 "SMTP_PORT": "1", "SMTP_SECURITY": "none"}  # fmt: skip
        self.environment |= {f"OUTREACH_{name}": value for name, value in flags.items()}
        self.run("init", "--yes")

    def run(self, *words: str, exit_code: int = 0) -> str:
        """One command; its stdout."""
        shell = Shell(environment=self.environment, clock=self.clock, network=self._network)
        code = run(["-C", str(self.folder), *words], shell)
        self.out, self.err = self._capsys.readouterr()
        assert code == exit_code, (words, code, self.out, self.err)
        return self.out

    def json(self, *words: str, exit_code: int = 0) -> Any:
        return json.loads(self.run(*words, "--json", exit_code=exit_code))

    def bring(self, table: str) -> None:
        """Import a table."""
        file = self.folder / "list.csv"
        file.write_text(table, "utf-8")
        self.run("import", str(file))
