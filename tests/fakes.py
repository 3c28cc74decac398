"""Second real implementations for tests: a clock whose sleep moves time."""

from datetime import UTC, datetime, timedelta

MONDAY_MORNING = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


class FakeClock:
    """Time that moves only when someone sleeps, or when a test says so."""

    def __init__(self, start: datetime = MONDAY_MORNING) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def sleep(self, seconds: float) -> None:
        self.move(timedelta(seconds=seconds))

    def move(self, by: timedelta) -> None:
        self._now += by
