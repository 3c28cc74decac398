"""Whether this machine's clock was set while we looked away: the wall clock against one that nobody sets.

The caps hold in true hours. If the wall clock jumps ahead, the mails of today look as if they were of last week, and
the caps would be free again; so what is written down moves along with the clock.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

TOLERANCE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Reading:
    """Both clocks at one moment. `steady` counts seconds since the machine was started, sleep included; `boot` names
    that start, and readings of different starts cannot be compared."""

    wall: datetime
    boot: str
    steady: float


WRONG_BY = timedelta(days=7)
"""How far a clock may have been off when a mail left: so much earlier its answers may seem to come."""


def jump(before: Reading | None, now: Reading) -> timedelta:
    """By how much the wall clock was set between two readings; zero for what no person would notice."""
    if before is None or before.boot != now.boot or not now.boot:
        return timedelta(0)
    shift = (now.wall - before.wall) - timedelta(seconds=now.steady - before.steady)
    return shift if abs(shift) > TOLERANCE else timedelta(0)
