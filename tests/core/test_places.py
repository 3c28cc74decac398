"""Places as lists write them, and as Crunchbase names them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.core.places import country_name, parse_location, region_name


@pytest.mark.parametrize(
    ("cell", "place"),
    [
        ("San Francisco, California, United States", ("San Francisco", "California", "United States")),
        ("San Francisco, CA, USA", ("San Francisco", "California", "United States")),
        ("Edinburgh, Edinburgh, City of, United Kingdom", ("Edinburgh", "Edinburgh, City of", "United Kingdom")),
        ("Los Angeles, CA", ("Los Angeles", "California", "United States")),
        ("Toronto, ON", ("Toronto", "Ontario", "Canada")),
        ("Austin, Texas", ("Austin", "Texas", "United States")),
        ("Tbilisi, Georgia", ("Tbilisi", "", "Georgia")),
        ("Pune, India", ("Pune", "", "India")),
        ("Bahrain, Asia", ("", "", "Bahrain")),
        ("UAE", ("", "", "United Arab Emirates")),
        ("San Francisco Bay Area", ("San Francisco Bay Area", "", "")),
        ("New York", ("New York", "", "")),
        ("California", ("", "California", "United States")),
        ("London, England, GB", ("London", "England", "United Kingdom")),
        ("—", ("", "", "")),
        ("", ("", "", "")),
    ],
)
def test_parse_location(cell: str, place: tuple[str, str, str]) -> None:
    assert parse_location(cell) == place


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("USA", "United States"),
        ("US", "United States"),
        ("united states of america", "United States"),
        ("DEU", "Germany"),
        ("in", "in"),
        ("IN", "India"),
        ("Netherlands", "The Netherlands"),
        ("Atlantis", "Atlantis"),
        ("", ""),
    ],
)
def test_country_name(text: str, country: str) -> None:
    assert country_name(text) == country
    assert country_name(country) == country


def test_a_state_is_named_in_its_own_country_only() -> None:
    assert region_name("CA", "United States") == "California"
    assert region_name("CA", "Italy") == "CA"


@given(st.text(max_size=40))
def test_any_text_is_a_place_or_none(text: str) -> None:
    assert all(isinstance(part, str) for part in parse_location(text))
