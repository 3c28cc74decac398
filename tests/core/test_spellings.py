"""Names of many cultures → what may stand before the @. The table is `names.txt`."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.core.spellings import short_forms, spellings


def rows() -> list[tuple[str, str, list[str]]]:
    lines = Path(__file__).with_name("names.txt").read_text("utf-8").splitlines()
    parts = [line.split("|") for line in lines if line.strip() and not line.startswith("#")]
    return [(name.strip(), country.strip(), expected.split()) for name, country, expected in parts]


def test_the_table_is_long_enough() -> None:
    assert len(rows()) >= 150


@pytest.mark.parametrize(("name", "country", "expected"), rows(), ids=[name for name, *_ in rows()])
def test_a_name_is_written_as_people_write_it(name: str, country: str, expected: list[str]) -> None:
    found = [f"{each.first}.{each.last}" for each in spellings(name, country)]
    assert found[: len(expected)] == ([] if expected == ["-"] else expected)


@settings(deadline=None)  # a busy machine is no fault
@given(st.text(max_size=60), st.sampled_from(["", "Germany", "Japan", "Spain"]))
def test_whatever_comes_out_can_stand_before_the_at(name: str, country: str) -> None:
    for each in spellings(name, country):
        for part in (each.first, each.last):
            assert set(part) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
            assert part == part.strip("-")


def test_short_forms_go_both_ways() -> None:
    assert {"bill", "will"} & short_forms("william")
    assert "robert" in short_forms("bob")
    assert short_forms("xyzzy") == frozenset()
