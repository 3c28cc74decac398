"""The program itself, killed at a step of its own: `python -m tests.machine.shell CLOCK LABEL N WORDS…`.

CLOCK is how many seconds its clock is ahead, so that nobody has to wait for a retry, or the file of a clock that
several processes share. At the N-th time of a labelled step it kills itself.
"""

import fcntl
import os
import signal
import sys
from datetime import datetime, timedelta
from pathlib import Path

from outreach.bootstrap import SystemClock
from outreach.cli import run
from outreach.cli._shell import Shell
from outreach.core.clock import Reading


class Ahead(SystemClock):
    """This machine's time, and some more."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self._seconds)

    def reading(self) -> Reading:
        told = super().reading()
        return Reading(told.wall, told.boot, told.steady + self._seconds)


class Shared(SystemClock):
    """A clock of several processes, in a file: whoever sleeps moves it on for all, a minute for each second."""

    _FASTER = 60.0

    def __init__(self, file: Path) -> None:
        self._file = file

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self._move(0.0))

    def sleep(self, seconds: float) -> None:
        self._move(seconds * self._FASTER)

    def reading(self) -> Reading:
        told, ahead = super().reading(), self._move(0.0)
        return Reading(SystemClock.now(self) + timedelta(seconds=ahead), told.boot, told.steady + ahead)

    def _move(self, seconds: float) -> float:
        with self._file.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            ahead = float(file.read()) + seconds
            file.seek(0)
            file.write(f"{ahead:020.6f}")
        return ahead


class Killing:
    """Kills this process at the n-th time of a step."""

    def __init__(self, label: str, number: int) -> None:
        self._label, self._left = label, number

    def __call__(self, label: str) -> None:
        self._left -= label == self._label
        if label == self._label and not self._left:
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    time, label, number, *words = sys.argv[1:]
    clock = Shared(Path(time)) if Path(time).is_file() else Ahead(float(time))
    sys.exit(run(words, Shell(clock=clock, at=Killing(label, int(number)))))
