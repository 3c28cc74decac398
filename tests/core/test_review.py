"""Findings: which rule, on which line, silenced by whom; and the names of other people."""

from datetime import timedelta

import pytest

from outreach.core.findings import FIXED, SILENCEABLE, Finding, placed, wrong_silences
from outreach.core.mentions import Names, names_of
from outreach.core.records import Company, Founder, Sender, Step
from outreach.core.review import review_message, review_names, review_template
from outreach.core.text import plain_text

ME = Sender("Ada Lovelace", "ada@lovelace.example")
BO = Founder(1, "Bo Brightly", company=Company(1, "Quill Labs", aliases=("Old Quill Works",)))
CY = Founder(2, "Cy Sprout", company=Company(2, "Sprout & Sons Ltd"))
UNI = Founder(3, "王 小明", company=Company(3, "Kraków Łódź Tech"))
ONE = Founder(4, "Square", company=Company(4, "Notion"))


def step(body: str = "Hi,\n\nare you hiring?", subject: str = "Work", number: int = 1, **silenced: str) -> Step:
    names = {rule.replace("_", "-"): reason for rule, reason in silenced.items()}
    return Step(number, "intro", subject, body, timedelta(), "t/1-intro.txt", 3, silenced=names)


@pytest.mark.parametrize(
    ("body", "rule", "line"),
    [
        ("Hi,\n\nACT NOW and see.", "shouting", 5),
        ("Hi,\n\nact now and see.", "spam-word", 5),
        ("Hi,\nreally?!", "shouting", 4),
        ("Hi!!\n", "shouting", 3),
        ("{# TODO: mine #}\nHi,\n\nTODO say why", "leftover", 6),
        ("Hi [your name here],", "leftover", 3),
        ("{% if company.city %}\n{{ company.name }}\n{% endif %}\nclick here", "spam-word", 6),
    ],
)
def test_the_templates_own_words(body: str, rule: str, line: int) -> None:
    assert [(finding.rule, finding.line) for finding in review_template(step(body)) if finding.rule == rule] == [
        (rule, line)
    ]


@pytest.mark.parametrize("body", ["Hi NASA,", "{{ 'ACT NOW AND SEE' }}", "{# CLICK HERE #}", "an API for SaaS", "Why?"])
def test_what_is_not_the_authors_shouting(body: str) -> None:
    assert review_template(step(body)) == []


@pytest.mark.parametrize(
    ("text", "subject", "number", "rules"),
    [
        ("Hi,\n\nare you hiring?", "Work", 1, []),
        ("word " * 160 + "?", "Work", 1, ["length"]),
        ("word " * 130, "", 2, ["length"]),
        ("Are you hiring? When?", "Work", 1, ["question"]),
        ("Are you hiring? When?", "", 2, []),
        ("I like your work.", "Work", 1, ["question"]),
        ("Are you hiring?", "x" * 60, 1, ["subject-length"]),
        ("https://x.example/a?b=c Hiring?", "Work", 1, ["link"]),
        ("https://x.example", "", 2, []),
        ("![me](https://x.example/me.png) Hiring?", "Work", 1, ["image"]),
    ],
)
def test_the_finished_mail(text: str, subject: str, number: int, rules: list[str]) -> None:
    found = review_message(subject, text, step=step(text, subject, number))
    assert [finding.rule for finding in found] == rules
    assert not any(finding.blocks for finding in found)


def test_a_file_silences_a_rule_by_a_reason_and_no_other() -> None:
    found = [Finding("link", "a link"), Finding("length", "long"), Finding("leftover", "x")]
    kept = placed(found, step(link="the demo", leftover="no"))
    assert [finding.rule for finding in kept] == ["length", "leftover"]
    assert [finding.message for finding in wrong_silences(step(link="x", leftover="y", lenght="z"))] == [
        "the rule leftover protects the reader and cannot be silenced",
        "there is no rule lenght; did you mean length?",
    ]
    assert not FIXED & SILENCEABLE


def test_a_finding_is_placed_where_its_words_stand() -> None:
    body = "Hi,\n\nsee https://x.example\n\nbye"
    assert placed([Finding("link", "a link", quote="https://x.example")], step(body))[0].place == "t/1-intro.txt:5"
    assert placed([Finding("subject", "odd")], step(body))[0].line == 1
    assert placed([Finding("length", "long")], step(body))[0].line == 3


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Hi Bo Brightly of Quill Labs,", []),
        ("Hi Cy Sprout, is Cy Sprout there?", ["Cy Sprout"]),
        ("I love what Sprout & Sons Ltd does", ["Sprout & Sons Ltd"]),
        ("Kraków Łódź Tech", ["Kraków Łódź Tech"]),
        ("a square notion of cy sprout", []),
        ("Ada Lovelace", []),
        ("Old Quill Works", []),
        ("王 小明", ["王 小明"]),
    ],
)
def test_a_stranger_in_a_mail(text: str, named: list[str]) -> None:
    names = Names(names_of([BO, CY, UNI, ONE, Founder(9, "Ada Lovelace"), Founder(8, "Old Quill Works")]))
    assert list(names.strangers(text, BO, ME)) == named


def test_a_name_in_the_template_is_found_with_its_line() -> None:
    [finding] = review_names(step("Hi,\n\nlike Cy Sprout, you build."), [BO, CY], ME)
    assert (finding.rule, finding.line, finding.blocks) == ("other-name", 5, True)


def test_harmless_characters_are_those_of_the_unicode_tables() -> None:
    import sys
    import unicodedata

    from outreach.core.text import one_line

    hidden = ("Cc", "Cf", "Cs", "Zl", "Zp")
    every = map(chr, range(sys.maxunicode + 1))
    wanted = [each for each in every if unicodedata.category(each) in hidden and each not in "\u200c\u200d"]
    kept = [hex(ord(each)) for each in wanted if one_line(f"a{each}b") != "a b"]
    assert kept == []
    assert plain_text("a\x0bb\u202ec") == "a b c\n"
