"""Other processes: which is which, and work that one of our own does under limits.

Which process is which, so that a dead worker's claim can be told from a slow one's. Linux knows most; elsewhere the
lease of the claim decides."""

import hashlib
import os
import platform
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

T = TypeVar("T")

_SEPARATOR = "|"
_THIS_RUN = uuid.uuid4().hex
_CHILD_BYTES = 2_000_000_000


class ChildFailed(Exception):
    """The child did not finish: it took too long, ran out of memory or died."""


def in_child(work: Callable[..., T], *args: object, seconds: float) -> T:
    """Call a function in a process of its own, which is killed after so many seconds and may use 2 GB. The function and
    all that goes in and out must be importable and picklable."""
    from multiprocessing import get_context

    context = get_context("spawn")
    here, there = context.Pipe(duplex=False)
    child = context.Process(target=_work, args=(there, work, args), daemon=True)
    child.start()
    there.close()
    try:
        if not here.poll(seconds):
            raise ChildFailed(f"it took more than {seconds:g} seconds")
        done, value = here.recv()
    except (EOFError, OSError):  # before it answered, or while
        raise ChildFailed("the process that read it died") from None
    finally:
        child.kill()
        child.join()
        here.close()
    if not done:
        raise ChildFailed(str(value))
    return value  # type: ignore[no-any-return]  # what `work` returned


def _work(there: "Connection", work: Callable[..., object], args: tuple[object, ...]) -> None:
    with suppress(ImportError, ValueError, OSError):  # not on every system
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_CHILD_BYTES, _CHILD_BYTES))
    try:
        there.send((True, work(*args)))
    except Exception as error:  # noqa: BLE001  whatever it is, the parent hears of it
        there.send((False, type(error).__name__))


def this_process() -> str:
    """`host|boot|pid|start`: who owns a claim. Empty parts are unknown on this system."""
    pid = os.getpid()
    return _SEPARATOR.join((_host(), _boot_id(), str(pid), _started(pid)))


def is_surely_dead(owner: str) -> bool:
    """Whether that process is gone for certain: the machine was started anew, or the pid is free or someone else's."""
    host, _, rest = owner.partition(_SEPARATOR)
    boot, _, rest = rest.partition(_SEPARATOR)
    pid, _, started = rest.partition(_SEPARATOR)
    if host != _host() or not pid.isdigit():
        return False
    if boot != _boot_id():
        return True
    return not _exists(int(pid)) or (bool(started) and started != _started(int(pid)))


def steady_time() -> tuple[str, float]:
    """A name for this start of the machine, and the seconds since it by a clock that nobody sets; sleep counts too."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return _boot_id() or _THIS_RUN, time.clock_gettime(time.CLOCK_BOOTTIME)
    return _THIS_RUN, time.monotonic()  # elsewhere the monotonic clock goes on during sleep by itself


def place_of(file: Path) -> dict[str, str]:
    """Where a store lives: a copy of it has another file number, a cloned or other machine another name."""
    return {"machine": _machine(), "file": str(file.stat().st_ino)}


def _host() -> str:
    """The name, and what tells namesakes apart: in a team two laptops may both be called `debian`."""
    return f"{platform.node()}#{_machine()[:4]}"


def _machine() -> str:
    machine = _read(Path("/etc/machine-id")) or platform.node()
    return hashlib.sha256(machine.encode()).hexdigest()[:16]


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


@cache
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
