"""Whether the wall clock was set: told by a clock that nobody sets, and never claimed where that cannot be known."""

from datetime import timedelta

import pytest

from outreach.core.clock import Reading, jump
from tests.fakes import MONDAY_MORNING as NOW

BEFORE = Reading(NOW, "start", 100.0)
CASES = [
    ("time passes", Reading(NOW + timedelta(hours=5), "start", 100.0 + 5 * 3600), timedelta(0)),
    ("a lid was closed for a week", Reading(NOW + timedelta(days=7), "start", 100.0 + 7 * 86400), timedelta(0)),
    ("a little adjustment", Reading(NOW + timedelta(seconds=59), "start", 100.0), timedelta(0)),
    ("two days ahead", Reading(NOW + timedelta(days=2), "start", 100.0), timedelta(days=2)),
    ("an hour back", Reading(NOW - timedelta(hours=1), "start", 100.0), timedelta(hours=-1)),
    ("started anew", Reading(NOW + timedelta(days=2), "another start", 5.0), timedelta(0)),
]


@pytest.mark.parametrize(("name", "now", "by"), CASES)
def test_jump(name: str, now: Reading, by: timedelta) -> None:
    assert jump(BEFORE, now) == by


def test_the_first_look_sees_nothing() -> None:
    assert jump(None, BEFORE) == timedelta(0)
