"""Second real implementations for tests: a clock whose sleep moves time."""

from datetime import UTC, datetime, timedelta

from outreach.core.clock import Reading

MONDAY_MORNING = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


class FakeClock:
    """Time that moves only when someone sleeps, or when a test says so."""

    def __init__(self, start: datetime = MONDAY_MORNING) -> None:
        self._now = start
        self._steady = 0.0

    def now(self) -> datetime:
        return self._now

    def sleep(self, seconds: float) -> None:
        self.move(timedelta(seconds=seconds))

    def reading(self) -> Reading:
        return Reading(self._now, "this start", self._steady)

    def move(self, by: timedelta) -> None:
        self._now += by
        self._steady += by.total_seconds()

    def set(self, by: timedelta) -> None:
        """Somebody sets the clock; no time passes."""
        self._now += by
