"""Which process is which, so that a dead worker's claim can be told from a slow one's. Linux knows most; elsewhere the
lease of the claim decides."""

import hashlib
import os
import platform
from pathlib import Path

_SEPARATOR = "|"


def this_process() -> str:
    """`host|boot|pid|start`: who owns a claim. Empty parts are unknown on this system."""
    pid = os.getpid()
    return _SEPARATOR.join((platform.node(), _boot_id(), str(pid), _started(pid)))


def is_surely_dead(owner: str) -> bool:
    """Whether that process is gone for certain: the machine was started anew, or the pid is free or someone else's."""
    host, _, rest = owner.partition(_SEPARATOR)
    boot, _, rest = rest.partition(_SEPARATOR)
    pid, _, started = rest.partition(_SEPARATOR)
    if host != platform.node() or not pid.isdigit():
        return False
    if boot != _boot_id():
        return True
    return not _exists(int(pid)) or (bool(started) and started != _started(int(pid)))


def place_of(file: Path) -> dict[str, str]:
    """Where a store lives: a copy of it has another file number, a cloned or other machine another name."""
    machine = _read(Path("/etc/machine-id")) or platform.node()
    return {"machine": hashlib.sha256(machine.encode()).hexdigest()[:16], "file": str(file.stat().st_ino)}


def _exists(pid: int) -> bool:
    if os.name == "nt":  # there, signal 0 would be sent as Ctrl-C
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _boot_id() -> str:
    return _read(Path("/proc/sys/kernel/random/boot_id"))


def _started(pid: int) -> str:
    """Field 22 of /proc/PID/stat (proc(5)); the command name before it may hold spaces and brackets."""
    fields = _read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    return fields[19] if len(fields) > 19 else ""


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:
        return ""
