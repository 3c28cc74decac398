"""The real program in a process of its own, in a workspace of its own."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]

_CROWD = ("Bo", "Cy", "Di", "Ed", "Fay", "Gus", "Hal", "Ida", "Jo", "Kim")


def founders_csv(number: int) -> str:
    """A table of founders with addresses, each at a company of their own."""
    lines = ["Name,Company,Website,Email,Title"]
    for index in range(number):
        first = f"{_CROWD[index % 10]}{chr(97 + index // 10 % 26)}{chr(97 + index // 260)}"
        lines.append(
            f"{first} Quill,{first} Labs,https://{first.lower()}.example,{first.lower()}@{first.lower()}.example,Founder"
        )
    return "\n".join(lines) + "\n"


@dataclass
class Workspace:
    """A folder and the environment in which the program runs there."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    @classmethod
    def create(cls, folder: Path, *, port: int = 1, **settings: str) -> "Workspace":
        """A workspace that sends to a loopback server and reads a Maildir."""
        folder.mkdir(parents=True, exist_ok=True)
        for part in ("new", "cur", "tmp"):
            (folder / "Maildir" / part).mkdir(parents=True, exist_ok=True)
        wanted = {
            "FROM": "Ada Testwell <ada@testwell.example>",
            "PURPOSE": "job-search",
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": str(port),
            "SMTP_SECURITY": "none",
            "MAILDIR": "Maildir",
            **settings,
        }
        environment = {name: value for name, value in os.environ.items() if not name.startswith("OUTREACH_")}
        environment["PYTHONPATH"] = str(ROOT)
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # compiling everything at each start triples it
        workspace = cls(folder, environment)
        flags = {f"OUTREACH_{name}": value for name, value in wanted.items() if value}
        workspace.environment = {**environment, **flags}
        workspace.run("init", "--yes")
        workspace.environment = environment
        return workspace

    def run(self, *words: str, exit_code: int | None = 0, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run one command; None takes any exit code."""
        done = subprocess.run(
            [sys.executable, "-m", "outreach", *words],
            cwd=self.folder,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        if exit_code is not None:
            assert done.returncode == exit_code, f"{words}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def json(self, *words: str, exit_code: int | None = None) -> Any:
        """Run it with --json; the one document on stdout."""
        done = self.run(*words, "--json", exit_code=exit_code)
        return json.loads(done.stdout)
