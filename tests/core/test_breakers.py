"""When a campaign is stopped by what came back: exactly at the figures, by mails sent and not by the list."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.core.breakers import Tally, tripped, warns

CASES = [
    # sent, bounced, complained; then the breaker
    (0, 0, 0, ""),
    (19, 2, 0, ""),
    (20, 1, 0, ""),
    (20, 2, 0, "bounces"),
    (100, 2, 0, "bounces"),
    (101, 2, 0, ""),
    (10, 3, 0, "many-bounces"),
    (59, 3, 0, "many-bounces"),
    (60, 3, 0, "bounces"),
    (0, 3, 0, "many-bounces"),
    (1, 0, 1, "complaints"),
    (299, 0, 1, "complaints"),
    (300, 0, 1, "complaints"),
    (301, 0, 1, ""),
    (602, 0, 2, ""),
    (600, 0, 2, "complaints"),
    (20, 2, 1, "complaints"),
]


@pytest.mark.parametrize(("sent", "bounced", "complained", "code"), CASES)
def test_breakers(sent: int, bounced: int, complained: int, code: str) -> None:
    trip = tripped(Tally(sent, bounced, complained))
    assert (trip.code if trip else "") == code
    if trip:
        assert trip.why
        assert trip.reputation == (code == "complaints")


@pytest.mark.parametrize(
    ("sent", "complained", "told"), [(301, 1, True), (1000, 1, True), (1001, 1, False), (5, 0, False)]
)
def test_a_rare_complaint_warns(sent: int, complained: int, told: bool) -> None:
    assert bool(warns(Tally(sent, 0, complained))) == told


@given(st.integers(0, 5000), st.integers(0, 200), st.integers(0, 20))
def test_worse_answers_never_make_a_campaign_go_on(sent: int, bounced: int, complained: int) -> None:
    if tripped(Tally(sent, bounced, complained)):
        assert tripped(Tally(sent, bounced + 1, complained))
        assert tripped(Tally(sent, bounced, complained + 1))
