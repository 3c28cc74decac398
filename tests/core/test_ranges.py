"""Ranges as people type them in filters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.core.ranges import Range, find_range, parse_range
from outreach.errors import UsageError


@pytest.mark.parametrize(
    ("typed", "low", "high"),
    [
        ("11-50", 11, 50),
        ("1..50", 1, 50),
        ("2018 – 2022", 2018, 2022),
        ("2020-", 2020, None),
        ("50..", 50, None),
        ("-2018", None, 2018),
        ("..50", None, 50),
        ("10001+", 10_001, None),
        ("2021", 2021, 2021),
        ("1M-10M", 1_000_000, 10_000_000),
        ("1.5m-", 1_500_000, None),
    ],
)
def test_ranges(typed: str, low: int | None, high: int | None) -> None:
    assert find_range(typed) == Range(low, high)


@pytest.mark.parametrize("typed", ["", "-", ".", "..", "+", "few", "2020 2022", "1.2.3-4", "1,000-5,000", "10-20-30"])
def test_what_is_no_range_is_never_everything(typed: str) -> None:
    with pytest.raises(UsageError):
        parse_range(typed, "employees", "11-50")


@given(st.text(alphabet="0123456789.-–+kmb ", max_size=12))
def test_a_range_has_an_end(typed: str) -> None:
    found = find_range(typed)
    assert found is None or (found.low, found.high) != (None, None)
