"""When someone who is away is back."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.core.absence import FARTHEST, find_return, working_day_after

TODAY = date(2026, 3, 2)  # a Monday


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("I am out of the office until 12 March 2026.", date(2026, 3, 12)),
        ("I'll be back on Monday.", date(2026, 3, 9)),
        ("I'm away from 3 March to 10 March", date(2026, 3, 10)),
        ("Ich bin bis zum 15.03. abwesend", date(2026, 3, 15)),
        ("I'm away from 1 March to 13 March", date(2026, 3, 13)),
        ("from Sunday 1 March to Friday 13 March", date(2026, 3, 13)),
        ("from 1 to 13 March", date(2026, 3, 13)),
        ("Out March 1-13", date(2026, 3, 13)),
        ("Out 1-13 March", date(2026, 3, 13)),
        ("du 1er au 13 mars", date(2026, 3, 13)),
        ("del 1 al 13 de marzo de 2026", date(2026, 3, 13)),
        ("On 12 March I will be back", date(2026, 3, 12)),
        ("ab Montag wieder erreichbar", date(2026, 3, 9)),
        ("ich bin am 12.3. zurück", date(2026, 3, 12)),
        ("3月12日まで不在です", date(2026, 3, 12)),
        ("back Fri", date(2026, 3, 6)),
        ("On 12 March we met. I am back", None),
        ("We launched 4-12 March.", None),
        ("from 28 February to 1 March", None),
        ("vom 3.3. bis 9.3.2026 im Urlaub", date(2026, 3, 9)),
        ("Abwesend bis einschließlich 13. März 2026", date(2026, 3, 13)),
        ("away until 03/04", date(2026, 4, 3)),
        ("I will return on March 16th, 2026", date(2026, 3, 16)),
        ("je serai de retour le 9 mars", date(2026, 3, 9)),
        ("hasta el 5 de abril", date(2026, 4, 5)),
        ("rientro il 20 marzo", date(2026, 3, 20)),
        ("volto a 11 de março", date(2026, 3, 11)),
        ("terug op 12 maart", date(2026, 3, 12)),
        ("wracam 14 marca", date(2026, 3, 14)),
        ("back 2026-03-20", date(2026, 3, 20)),
        ("I will be back in the office on Tuesday, March 10.", date(2026, 3, 10)),
        ("Born 12 March 1980; call back", None),
        ("until 2 Mar 2027", None),
        ("I was out until 27 February 2026", None),
        ("We launched on 12 March.", None),
        ("back soon", None),
        ("", None),
        ("until 31/31", None),
    ],
)
def test_return_dates(text: str, day: date | None) -> None:
    assert find_return(text, TODAY) == day


def test_without_a_year_the_next_such_day() -> None:
    assert find_return("back on 5 January", date(2026, 12, 20)) == date(2027, 1, 5)


def test_nobody_answers_on_the_first_morning_nor_at_a_weekend() -> None:
    assert working_day_after(date(2026, 3, 12)) == date(2026, 3, 13)
    assert working_day_after(date(2026, 3, 13)) == date(2026, 3, 16)


@given(st.text(max_size=300))
def test_any_text_gives_a_near_day_or_none(text: str) -> None:
    found = find_return(f"until {text}", TODAY)
    assert found is None or TODAY <= found <= TODAY + FARTHEST
