"""In which time zone a place lies: as lists write places, never a guess where a country has several."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.core.places import parse_location
from outreach.core.records import Company, Founder
from outreach.core.zones import Zone, find_zone, is_zone, recipient_zone
from outreach.resources import table

PLACES = [
    ("San Francisco, California, United States", "America/Los_Angeles"),
    ("San Francisco, CA", "America/Los_Angeles"),
    ("Austin, TX", "America/Chicago"),
    ("Palo Alto, California", "America/Los_Angeles"),
    ("A Hamlet, Colorado, United States", "America/Denver"),
    ("New York, NY, USA", "America/New_York"),
    ("Berlin, Berlin, Germany", "Europe/Berlin"),
    ("Germany", "Europe/Berlin"),
    ("London", "Europe/London"),
    ("London, England, United Kingdom", "Europe/London"),
    ("London, Ontario, Canada", "America/Toronto"),
    ("Edinburgh, Edinburgh, City of, United Kingdom", "Europe/London"),
    # states with two zones
    ("Nashville, Tennessee, United States", "America/Chicago"),
    ("Knoxville, Tennessee, United States", "America/New_York"),
    ("El Paso, Texas, United States", "America/Denver"),
    ("Phoenix, Arizona, United States", "America/Phoenix"),
    ("St. Louis, Missouri, United States", "America/Chicago"),
    ("Saint Louis, Missouri, United States", "America/Chicago"),
    # countries with several, and one people in them mostly share
    ("São Paulo, Sao Paulo, Brazil", "America/Sao_Paulo"),
    ("Manaus, Amazonas, Brazil", "America/Manaus"),
    ("Perth, Western Australia, Australia", "Australia/Perth"),
    ("Moscow, Moscow City, Russian Federation", "Europe/Moscow"),
    ("Madrid, Madrid, Spain", "Europe/Madrid"),
    ("Las Palmas, Canarias, Spain", "Atlantic/Canary"),
    ("Beijing, Beijing, China", "Asia/Shanghai"),
    ("Tallinn, Harjumaa, Estonia", "Europe/Tallinn"),
    # what does not say enough
    ("United States", ""),
    ("Canada", ""),
    ("Springfield, United States", ""),
    ("Atlantis", ""),
    ("remote", ""),
    ("", ""),
]


@pytest.mark.parametrize(("cell", "zone"), PLACES)
def test_places(cell: str, zone: str) -> None:
    assert find_zone(*parse_location(cell)) == zone


def test_a_code_after_a_city_is_a_country_or_a_state_whichever_has_that_city() -> None:
    assert find_zone("Berlin", "", "DE") == "Europe/Berlin"
    assert find_zone("San Francisco", "", "CA") == "America/Los_Angeles"


def test_every_zone_of_the_table_is_known() -> None:
    zones = {line.split("\t")[2] for line in table("zones.txt")} - {"-"}
    assert len(zones) > 200
    assert all(is_zone(zone) for zone in zones)


@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=30))
def test_any_text_is_looked_up_without_trouble(city: str, region: str, country: str) -> None:
    assert find_zone(city, region, country) == "" or is_zone(find_zone(city, region, country))


def founder(company: Company, timezone: str = "") -> Founder:
    return Founder(1, "Ada Testwell", company=company, cells={"Timezone": timezone})


BERLIN = Company(1, "Ada Labs", city="Berlin", region="Berlin", country="Germany")
AMERICA = Company(1, "Ada Labs", country="United States")


@pytest.mark.parametrize(
    ("who", "zone", "words"),
    [
        (founder(BERLIN), Zone("Europe/Berlin", "inferred", "Berlin, Germany"), "inferred from Berlin, Germany"),
        (founder(BERLIN, "Asia/Tokyo"), Zone("Asia/Tokyo", "given"), "given"),
        (founder(BERLIN, "nonsense"), Zone("Europe/Berlin", "inferred", "Berlin, Germany"), "inferred"),
        (founder(AMERICA), Zone("Europe/Lisbon", "mailbox"), "yours"),
        (Founder(1, "Ada Testwell"), Zone("Europe/Lisbon", "mailbox"), "yours"),
    ],
)
def test_a_recipient_has_a_zone_and_it_is_said_from_where(who: Founder, zone: Zone, words: str) -> None:
    assert recipient_zone(who, "Europe/Lisbon") == zone
    assert words in str(zone)
