"""The rules of identity, case by case; how rows come together in a store is tested in `tests/flows/test_ingest.py`."""

from itertools import permutations
from typing import Any

import pytest

from outreach.core.identity import Identities, resolve
from outreach.core.records import CompanyFacts, Lead, PersonFacts


def row(company: CompanyFacts | None = None, *people: PersonFacts) -> Lead:
    return Lead(2, {}, company, people)


def at(name: str, **facts: Any) -> CompanyFacts:
    emails = tuple(filter(None, facts.pop("email", "").split()))
    return CompanyFacts(name, **facts, emails=emails)


def who(name: str, *emails: str, linkedin: str = "") -> PersonFacts:
    return PersonFacts(name, linkedin=linkedin and f"linkedin.com/in/{linkedin}", emails=emails)


def page(name: str) -> str:
    return f"linkedin.com/company/{name}"


# --- companies ------------------------------------------------------------------------------------

_ACME = at("Acme", slug="acme", website="acme.example", country="Germany")


@pytest.mark.parametrize(
    ("rule", "left", "right", "outcome"),
    [
        ("C1 renamed and moved", _ACME, at("Apex", slug="acme", website="apex.example"), "one"),
        ("C1 slugs decoded", at("A", slug="caf%C3%A9"), at("B", slug="café"), "one"),
        ("C2 other path", at("Acme", website="acme.example"), at("Zenith", website="www.ACME.example/ar?x=1"), "one"),
        ("C2 two slugs", _ACME, at("Acme Labs", slug="acme-labs", website="acme.example"), "one"),
        ("C2 legal form", at("Zenith", website="z.example"), at("Testcorp Pte Ltd", website="z.example"), "one"),
        ("C3", at("Acme", linkedin=page("a"), website="acme.example"), at("Zen", linkedin=page("a")), "one"),
        (
            "C3 contradicted",
            at("A", linkedin=page("a"), website="a.example"),
            at("B", linkedin=page("a"), website="b.example"),
            "ask",
        ),
        ("no LinkedIn key", at("A", linkedin="linkedin.com/in/x"), at("B", linkedin="linkedin.com/in/x"), "two"),
        ("C4", _ACME, at("ACME GmbH", country="Germany"), "one"),
        ("C4 other country", _ACME, at("Acme", country="France"), "two"),
        ("C4 slugs contradict", at("Acme", slug="a", country="Fiji"), at("Acme", slug="b", country="Fiji"), "ask"),
        ("only a name", _ACME, at("Acme"), "one"),
        ("weak and weak", at("Acme"), at("Acme"), "one"),
        ("weak, other country", at("Acme", country="Fiji"), at("Acme", country="Chad"), "two"),
        ("C5", at("Acme", website="acme.example"), at("Acme", website="acme.test"), "ask"),
        (
            "C6 contact",
            at("A", website="a.example", email="hi@a.example"),
            at("B", website="b.example", email="hi@a.example"),
            "ask",
        ),
        ("C6 accents", at("A", slug="café"), at("B", slug="cafe"), "ask"),
        ("C7 shared host", at("A", website="bit.ly/a"), at("B", website="bit.ly/b"), "two"),
        ("C7 private suffix", at("A", website="a.github.io"), at("B", website="b.github.io"), "two"),
        ("C7 university", at("A", website="uni.edu.sa"), at("B", website="uni.edu.sa"), "two"),
        ("C7 Group", at("Quill", country="Fiji"), at("Quill Group", country="Fiji"), "two"),
    ],
)
def test_two_companies(rule: str, left: CompanyFacts, right: CompanyFacts, outcome: str) -> None:
    for leads in permutations([row(left), row(right)]):
        found = resolve(leads)
        one = found.companies[0] == found.companies[1]
        assert ("one" if one else "ask" if found.like_companies else "two") == outcome


def test_a_name_that_two_companies_have_joins_neither() -> None:
    found = resolve([row(_ACME), row(at("Acme", slug="acme-fr", website="acme.test")), row(at("Acme"))])
    assert len(set(found.companies)) == 3


def test_four_names_on_one_domain_identify_nobody() -> None:
    names = ["Acme", "Zenith", "Quill", "Sprout"]
    found = resolve([row(at(name, website="host.example")) for name in names])
    assert len(set(found.companies)) == 4
    assert found.shared_domains == {"host.example"}


def test_three_names_or_many_spellings_on_one_domain_are_one_company() -> None:
    three = resolve([row(at(name, website="host.example")) for name in ("Acme", "Acme Labs", "Acmé!", "Labs")])
    assert len(set(three.companies)) == 1
    slugs = resolve([row(at(f"Name {at_}", slug="one", website="host.example")) for at_ in range(6)])
    assert len(set(slugs.companies)) == 1


# --- people ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "left", "right", "outcome"),
    [
        ("P1", row(None, who("Mei Lin Test", linkedin="mei")), row(None, who("Test Mei", linkedin="Mei")), "one"),
        ("P3", row(None, who("Ada", "a@x.example")), row(None, who("Ada Testwell", "a@x.example")), "one"),
        ("P3 initials", row(None, who("A. Quill", "a@x.example")), row(None, who("Ada Quill", "a@x.example")), "one"),
        ("P4", row(_ACME, who("Léa Quill")), row(_ACME, who("Lea Quill")), "one"),
        (
            "P4 two LinkedIn",
            row(_ACME, who("Lea Quill", linkedin="a")),
            row(_ACME, who("Lea Quill", linkedin="b")),
            "one",
        ),
        ("P4 suffixes", row(_ACME, who("Lea Quill Jr")), row(_ACME, who("Lea Quill III")), "ask"),
        ("P4 one word", row(_ACME, who("Ada", "a@x.example")), row(_ACME, who("Ada", "b@x.example")), "ask"),
        ("P4 mere word", row(_ACME, who("Ada")), row(_ACME, who("Ada")), "one"),
        ("P5 nickname", row(_ACME, who("Dan Testwell")), row(_ACME, who("Daniel Testwell")), "ask"),
        ("P5 subset", row(_ACME, who("Rosa Quill")), row(_ACME, who("Rosa Ines Quill")), "ask"),
        ("P5 brothers", row(_ACME, who("Milo Brightly")), row(_ACME, who("Mila Brightly")), "ask"),
        ("P6", row(_ACME, who("Ada Quill", "t@x.example")), row(_ACME, who("Bo Sample", "t@x.example")), "ask"),
        ("P6 tags", row(None, who("Ada", "ada+x@x.example")), row(None, who("Bo", "ada@x.example")), "ask"),
        ("P7", row(_ACME, who("Ada Quill")), row(at("Zenith", slug="z"), who("Ada Quill")), "two"),
        (
            "role inbox",
            row(_ACME, who("Ada Quill", "info@x.example")),
            row(at("Z", slug="z"), who("Ada Quill", "info@x.example")),
            "two",
        ),
        ("strangers", row(_ACME, who("Ada Quill")), row(_ACME, who("Bo Sample")), "two"),
    ],
)
def test_two_people(rule: str, left: Lead, right: Lead, outcome: str) -> None:
    for leads in permutations([left, right]):
        found = resolve(leads)
        one = found.people[0] == found.people[1]
        asked = "ask" if found.like_people else "two"
        assert ("one" if one else asked) == outcome


def test_two_spellings_in_one_cell_are_one_founder() -> None:
    found = resolve([row(_ACME, who("Léa Quill"), who("Lea Quill"))])
    assert found.people == ((0, 0),)


# --- whose address --------------------------------------------------------------------------------


def _owner(found: Identities, address: str) -> str:
    owner = found.addresses[address]
    return "person" if owner.person >= 0 else "company"


def test_a_desk_belongs_to_the_company_whoever_gave_it() -> None:
    found = resolve([row(_ACME, who("Ada Quill", "info@acme.example"))])
    assert _owner(found, "info@acme.example") == "company"


def test_an_address_of_two_people_belongs_to_their_company() -> None:
    two = [
        row(_ACME, who("Rosa Quill", "team.inbox@acme.example")),
        row(_ACME, who("Bo Sample", "team.inbox@acme.example")),
    ]
    assert _owner(resolve(two), "team.inbox@acme.example") == "company"
    assert _owner(resolve(two[:1]), "team.inbox@acme.example") == "person"


def test_a_person_has_a_better_claim_than_a_company() -> None:
    found = resolve(
        [row(at("Acme", website="acme.example", email="ada@acme.example")), row(None, who("Ada", "ada@acme.example"))]
    )
    assert _owner(found, "ada@acme.example") == "person"


def test_a_desk_of_nobody_belongs_to_nobody() -> None:
    assert resolve([row(None, who("Ada Quill", "info@acme.example"))]).addresses == {}
