"""What the law of the reader's country asks, as the program acts on it: each row of the table as a case."""

import pytest

from outreach.core.countries import countries_with_rules, country_answer, known_country, needs_notice
from outreach.core.notice import privacy_notice
from outreach.core.places import find_country
from outreach.core.records import Address, AddressStatus, Company, Founder, Sender
from outreach.resources import toml

ME = Sender("Ada Lovelace", "ada@lovelace.example")


def founder(country: str, *, consent: str = "", company: bool = True) -> Founder:
    address = Address("bo@quill.example", "bo@quill.example", AddressStatus.GIVEN, "crunchbase")
    return Founder(
        1, "Bo Quill", company=Company(1, "Quill Labs", country=country) if company else None, addresses=(address,),
        consent=consent,
    )  # fmt: skip


CASES = [
    # country, purpose, address, consent → blocked, warned or let through
    ("Germany", "commercial", "bo@quill.example", "", "blocked"),
    ("Germany", "job-search", "bo@quill.example", "", "warned"),
    ("Germany", "commercial", "bo@quill.example", "said yes at a fair, 2026-02-01", "passes"),
    ("Deutschland", "commercial", "bo@quill.example", "", "blocked"),
    ("Allemagne", "commercial", "bo@quill.example", "", "blocked"),
    ("DEU", "commercial", "bo@quill.example", "", "blocked"),
    ("pl", "commercial", "bo@quill.example", "", "blocked"),
    ("Austria", "commercial", "bo@quill.example", "", "blocked"),
    ("Italy", "commercial", "bo@quill.example", "", "blocked"),
    ("Poland", "commercial", "bo@quill.example", "", "blocked"),
    ("Canada", "commercial", "bo@quill.example", "", "blocked"),
    ("Canada", "job-search", "bo@quill.example", "", "warned"),
    ("Canada", "commercial", "bo@quill.example", "asked for it, 2026-02-01, https://x.example", "passes"),
    ("United Kingdom", "commercial", "bo@quill.example", "", "passes"),
    ("United Kingdom", "commercial", "bo@gmail.com", "", "blocked"),
    ("United Kingdom", "commercial", "bo@yahoo.co.uk", "", "blocked"),
    ("United Kingdom", "commercial", "bo@btinternet.com", "", "blocked"),
    ("United Kingdom", "job-search", "bo@gmail.com", "", "blocked"),
    ("united kingdom", "job-search", "bo@gmail.com", "he asked, 2026-02-01", "passes"),
    ("United States", "commercial", "bo@gmail.com", "", "passes"),
    ("France", "commercial", "bo@quill.example", "", "passes"),
    ("", "commercial", "bo@gmail.com", "", "passes"),
    ("Atlantis", "commercial", "bo@gmail.com", "", "passes"),
]


@pytest.mark.parametrize(("country", "purpose", "address", "consent", "result"), CASES)
def test_a_country_says(country: str, purpose: str, address: str, consent: str, result: str) -> None:
    answer = country_answer(founder(country, consent=consent), address, purpose=purpose, overrides={})
    assert {None: "passes", True: "blocked", False: "warned"}[answer.blocks if answer else None] == result
    assert answer is None or str(answer).startswith(f"country: {country}: ")


def test_every_country_of_the_table_is_one() -> None:
    names = [name for entry in toml("countries.toml")["country"] for name in entry["names"]]
    assert [find_country(name) for name in names] == names


def test_every_rule_has_a_case() -> None:
    assert {known_country(case[0]) for case in CASES} - {""} == set(countries_with_rules())


def test_a_campaign_sets_a_rule_aside_by_any_name_of_the_country() -> None:
    for name in ("Germany", "germany", "DE", "Allemagne"):
        overrides = {name: "they asked for offers"}
        assert country_answer(founder("Deutschland"), "", purpose="commercial", overrides=overrides) is None
    assert country_answer(founder("Austria"), "", purpose="commercial", overrides={"Germany": "x"})


@pytest.mark.parametrize(
    ("country", "needed"),
    [("Germany", True), ("France", True), ("Norway", True), ("Switzerland", True), ("United Kingdom", True), ("", True),
     ("España", True), ("Espagne", True), ("DEU", True), ("de", True), ("Île-de-France", True), ("Atlantis", True),
     ("United States", False), ("USA", False), ("Canada", False), ("Japan", False)],
)  # fmt: skip
def test_the_notice_goes_where_the_law_asks_for_it(country: str, needed: bool) -> None:
    assert needs_notice(country) is needed
    said = privacy_notice(founder(country), "bo@quill.example", ME, purpose="job-search", why="")
    assert bool(said) is needed
    assert "a Crunchbase list" in said or not needed


def test_a_commercial_notice_says_who_why_whence_and_how_to_object() -> None:
    said = privacy_notice(founder(""), "bo@quill.example", ME, purpose="commercial", why="They hire.")
    for part in ("Ada Lovelace", "a Crunchbase list", "They hire", "object", "copy", "deleted"):
        assert part in said
    assert privacy_notice(founder("", company=False), "other@x.example", ME, purpose="job-search", why="")
