"""Patterns: learned from known addresses, applied to names, and read backwards from addresses on a page."""

import pytest

from outreach.core.address_patterns import fill, fits, guesses, learn
from outreach.core.records import KnownAddress
from outreach.core.spellings import Spelling


def known(*pairs: str) -> list[KnownAddress]:
    """`"ada.testwell Ada Testwell"` → an address at acme.example."""
    return [KnownAddress(f"{pair.split()[0]}@acme.example", pair.partition(" ")[2]) for pair in pairs]


@pytest.mark.parametrize(
    ("pairs", "pattern", "confidence"),
    [
        (["ada.testwell Ada Testwell"], "{first}.{last}", 50),
        (["ada Ada Testwell"], "{first}", 50),
        (["atestwell Ada Testwell", "bquill Bo Quill"], "{f}{last}", 65),
        (["j.mueller Jürgen Müller", "a.testwell Ada Testwell", "b.quill Bo Quill"], "{f}.{last}", 75),
        (["jurgen.muller Jürgen Müller", "bo.quill Bo Quill"], "{first}.{last}", 65),
        (["ada Ada Testwell", "bo Bo Quill", "cy.brightly Cy Brightly"], "{first}", 43),
        (["testwell.ada Ada Testwell"], "{last}.{first}", 50),
        (["ada_testwell Ada Testwell"], "{first}_{last}", 50),
        (["bill William Quill"], "{first}", 50),
        (["ada+news Ada Testwell"], "{first}", 50),
        (["minjun.kim 김민준"], "{first}.{last}", 50),
    ],
)
def test_a_pattern_is_learned(pairs: list[str], pattern: str, confidence: int) -> None:
    found = learn(known(*pairs))
    assert found
    assert (found.pattern, found.confidence) == (pattern, confidence)
    assert found.example in {each.key for each in known(*pairs)}


@pytest.mark.parametrize(
    "pairs",
    [
        [],
        ["team Ada Testwell"],
        ["ada Ada Testwell", "bo.quill Bo Quill"],
        ["x7 Ada Testwell", "ceo Bo Quill"],
    ],
)
def test_what_does_not_agree_teaches_nothing(pairs: list[str]) -> None:
    assert learn(known(*pairs)) is None


def test_a_learned_pattern_is_applied_in_each_spelling() -> None:
    learned = learn(known("ada.testwell Ada Testwell", "bo.quill Bo Quill", "cy.brightly Cy Brightly"))
    found = guesses("Jürgen Müller", "Germany", learned=learned)
    assert [(each.local, each.confidence) for each in found] == [("juergen.mueller", 75), ("jurgen.muller", 55)]


def test_without_an_example_the_usual_forms_are_proposed() -> None:
    small = [each.local for each in guesses("Ada Testwell", employees="1-10")]
    large = [each.local for each in guesses("Ada Testwell", employees="251-500")]
    assert small[:4] == ["ada", "ada.testwell", "atestwell", "adatestwell"]
    assert large[0] == "ada.testwell"
    assert all(each.confidence <= 30 for each in guesses("Ada Testwell"))


def test_a_name_that_cannot_be_read_gives_no_guess() -> None:
    assert guesses("山田太郎", "Japan") == ()
    assert guesses("") == ()


def test_a_name_of_one_word_fills_only_what_it_can() -> None:
    assert fill("{first}.{last}", Spelling("prince", "")) == ""
    assert [each.local for each in guesses("Prince")] == ["prince"]


@pytest.mark.parametrize(
    ("local", "name", "fit"),
    [
        ("ada.testwell", "Ada Testwell", "strong"),
        ("atestwell", "Ada Testwell", "initials"),
        ("testwell.a", "Ada Testwell", "initials"),
        ("bill.quill", "William Quill", "strong"),
        ("ADA.TESTWELL", "Ada Testwell", "strong"),
        ("juergen.mueller", "Jürgen Müller", "strong"),
        ("jurgen.muller", "Jürgen Müller", "strong"),
        ("ada", "Ada Testwell", "weak"),
        ("testwell", "Ada Testwell", "weak"),
        ("at", "Ada Testwell", ""),
        ("a", "Ada Testwell", ""),
        ("adam.testwell", "Ada Testwell", ""),
        ("ada.test", "Ada Testwell", ""),
        ("bo.quill", "Ada Testwell", ""),
        ("info", "Ada Testwell", ""),
    ],
)
def test_whose_an_address_may_be(local: str, name: str, fit: str) -> None:
    assert fits(local, name) == fit
