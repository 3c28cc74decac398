"""Whose an address is by its place among names."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.core.nearby import Whose, whose

A = "x@acme.example"


@pytest.mark.parametrize(
    ("near", "expected"),
    [
        (f"Ada Testwell {A}", Whose.MINE),
        (f"Ada Testwell, CEO and founder: {A}", Whose.MINE),
        (f"Dr. Ada M. Testwell, PhD {A}", Whose.MINE),
        (f"Testwell, Ada {A}", Whose.MINE),
        (f"ADA TESTWELL {A}", Whose.MINE),
        (f"{A} Ada Testwell", Whose.MINE),
        (f"Bo Quill {A} Ada Testwell", Whose.MINE),
        (f"Ada Testwell CEO {A} Bo Quill CTO", Whose.MINE),
        (f"Ada Brightly, CTO {A}", Whose.OTHERS),
        (f"Bo Testwell {A}", Whose.OTHERS),
        (f"Ada Testwell CEO ada.t@acme.example Ada Brightly, CTO {A}", Whose.OTHERS),
        (f"Ada Testwell CEO Bo Testwell {A}", Whose.OTHERS),
        (f"Ada Testwell Ada Brightly {A}", Whose.OTHERS),
        (f"{A} Ada Brightly", Whose.OTHERS),
        (f"Ada Testwell, who leads our research: {A} Ada Brightly", Whose.UNKNOWN),
        (f"Ada and Bo Testwell {A}", Whose.OTHERS),
        (f"Testwell GmbH {A}", Whose.OTHERS),
        (f"write to Ada: {A}", Whose.UNKNOWN),
        (f"Ada CEO {A}", Whose.UNKNOWN),
        (A, Whose.UNKNOWN),
        ("Ada Testwell", Whose.MINE),  # kept by an older version, without the address
    ],
)
def test_the_nearest_name_counts(near: str, expected: Whose) -> None:
    assert whose(near, A, "Ada Testwell") is expected


@pytest.mark.parametrize(
    ("name", "shown", "country"),
    [
        ("Jürgen Müller", "Jürgen Müller", "Germany"),
        ("Jürgen Müller", "Juergen Mueller", "Germany"),
        ("William Quill", "Bill Quill", ""),
        ("Karl von der Heide", "Karl von der Heide", "Germany"),
        ("Anne-Marie Quill", "Anne-Marie Quill", ""),
        ("Lucía Fernández López", "Lucía Fernández", "Spain"),
        ("Пётр Иванов", "Пётр Иванов", "Russia"),
        ("Wang Xiaoming", "王小明", "China"),
        ("Nguyễn Văn An", "Nguyễn Văn An", "Vietnam"),
        ("Kim Min-jun", "Min-jun Kim", "South Korea"),
    ],
)
def test_names_are_recognised_as_people_write_them(name: str, shown: str, country: str) -> None:
    assert whose(f"{shown}: {A}", A, name, country) is Whose.MINE


@settings(deadline=None)  # a busy machine is no fault
@given(st.text(max_size=200), st.text(max_size=30))
def test_any_words_and_any_name_are_taken(near: str, name: str) -> None:
    assert whose(near, A, name) in Whose
