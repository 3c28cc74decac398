"""How fast a service may be asked: so many calls in so many seconds, for several spans at once. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `calls` within `span`."""

    calls: int
    span: timedelta


def wait_for(asked: Sequence[datetime], rates: Sequence[Rate], now: datetime) -> timedelta:
    """How long to wait before the next call, after calls at these times (oldest first)."""
    due = now
    for rate in rates:
        if len(asked) >= rate.calls:
            due = max(due, asked[-rate.calls] + rate.span)
    return due - now
