"""A person's word outranks every rule, in whatever order the rows come."""

from itertools import permutations

from outreach.core.areas import find_area
from outreach.core.identity import resolve
from outreach.core.rulings import AS_COMPANY, Ruling, Seat
from tests.core.test_identity import at, row, who

_ACME = at("Acme", slug="acme", website="acme.example")
_ROWS = {
    "ada": row(_ACME, who("Ada Quill", "ada@acme.example")),
    "other": row(_ACME, who("Ada Quill", "ada.q@acme.example")),
    "bo": row(at("Zenith", slug="zenith"), who("Bo Sample")),
}


def judged(*rulings: Ruling) -> set[tuple[int, int]]:
    """How many people and companies there are, in every order."""
    found = set()
    for order in permutations(_ROWS):
        result = resolve([_ROWS[name] for name in order], order, rulings)
        people = {cluster for each in result.people for cluster in each}
        found.add((len(people), len(set(result.companies))))
    return found


def test_without_a_word_the_rules_decide() -> None:
    assert judged() == {(2, 2)}


def test_what_is_one_is_one() -> None:
    assert judged(Ruling("founder", True, Seat("ada", 0), Seat("bo", 0))) == {(1, 2)}
    assert judged(Ruling("company", True, Seat("ada", AS_COMPANY), Seat("bo", AS_COMPANY))) == {(2, 1)}


def test_what_is_apart_stays_apart() -> None:
    assert judged(Ruling("founder", False, Seat("ada", 0), Seat("other", 0))) == {(3, 2)}
    assert judged(Ruling("company", False, Seat("ada", AS_COMPANY), Seat("other", AS_COMPANY))) == {(3, 3)}


def test_a_word_about_rows_that_are_not_there_changes_nothing() -> None:
    assert judged(Ruling("founder", False, Seat("ada", 0), Seat("gone", 0))) == {(2, 2)}


def test_what_a_rule_would_have_made_one_is_asked_but_not_of_those_kept_apart() -> None:
    third = row(_ACME, who("Ada Quill", "a.quill@acme.example"))
    apart = Ruling("founder", False, Seat("ada", 0), Seat("other", 0))
    found = resolve([_ROWS["ada"], _ROWS["other"], third], ["ada", "other", "third"], [apart])
    assert {(each.left, each.right) for each in found.like_people} == {(0, 2), (1, 2)}


def test_areas_as_people_say_them() -> None:
    for typed in ("Bay Area", "SAN FRANCISCO BAY AREA", "silicon  valley", "NYC", "U.K.", "dach", "Türkiye"):
        assert find_area(typed), typed
    assert find_area("Berlin") is None
