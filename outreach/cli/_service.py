"""The service that `outreach run --install` writes: a systemd user unit, or a launchd agent on macOS.

It is written, not started: starting it is the user's own command, which is printed.
"""

import os
import plistlib
import re
import sys
from pathlib import Path

from outreach.cli._output import say, show
from outreach.errors import UsageError, WorkspaceError

_UNIT = """\
[Unit]
Description=outreach: sends and reads answers in {folder}
After=network-online.target

[Service]
WorkingDirectory={folder}
ExecStart={command}
Restart=on-failure
RestartSec=60
# Stopping it lets the mail in flight finish; that ends with 130.
KillSignal=SIGTERM
TimeoutStopSec=700
SuccessExitStatus=130
UMask=0077

[Install]
WantedBy=default.target
"""


def install(folder: Path, every: str, mailbox: str = "") -> None:
    """Write the service of this workspace, or of one of its mailboxes, and say how to start and stop it."""
    if not (folder / "outreach.db").exists():
        raise WorkspaceError(f"there is no outreach workspace in {folder}.", hint=f"outreach init {folder}")
    name = "outreach-" + (re.sub(r"[^A-Za-z0-9_.-]+", "-", folder.name).strip("-") or "workspace")
    words = [sys.executable, "-m", "outreach", "-C", str(folder), "run", "--yes", "--every", every]
    if mailbox:
        name, words = f"{name}-{re.sub(r'[^A-Za-z0-9_.-]+', '-', mailbox)}", [*words, "--mailbox", mailbox]
    if sys.platform == "darwin":
        write_launchd(name, folder, words, home=Path.home())
    elif sys.platform.startswith("linux"):
        _systemd(name, folder, words)
    else:
        raise UsageError(
            "services are written for systemd and launchd only.",
            hint="start `outreach run --yes` at login by other means",
        )


def _systemd(name: str, folder: Path, words: list[str]) -> None:
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    path = home / "systemd" / "user" / f"{name}.service"
    command = " ".join(map(_quoted, words))
    _write(path, _UNIT.format(folder=_specifiers(str(folder)), command=command).encode())
    say(f"start:  systemctl --user daemon-reload && systemctl --user enable --now {name}")
    say(f"watch:  journalctl --user -fu {name}")
    say(f"stop:   systemctl --user disable --now {name}")


def write_launchd(name: str, folder: Path, words: list[str], *, home: Path) -> Path:
    """The agent of macOS (launchd.plist(5)); where it lies."""
    path = home / "Library" / "LaunchAgents" / f"{name}.plist"
    agent = {
        "Label": name,
        "ProgramArguments": words,
        "WorkingDirectory": str(folder),
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ExitTimeOut": 700,
        "Umask": 0o077,
        "StandardErrorPath": str(folder / "run.log"),
        "StandardOutPath": str(folder / "run.log"),
    }
    _write(path, plistlib.dumps(agent))
    say(f"start:  launchctl load -w {path}")
    say(f"watch:  tail -f {folder / 'run.log'}")
    say(f"stop:   launchctl unload -w {path}")
    return path


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    show(f"written: {path}")


def _quoted(word: str) -> str:
    """One word of a systemd command line (systemd.syntax(7)): quotes and backslashes escaped, % and $ doubled."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{_specifiers(escaped).replace("$", "$$")}"'


def _specifiers(text: str) -> str:
    return text.replace("%", "%%")
