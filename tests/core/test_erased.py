"""Who was erased is known again by what they are called by, and by nothing else; what is cut out of texts and rows."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from outreach.core.erased import Erased, address_word, mark_of, settled_line, thinned, words_of
from outreach.core.ports import Row
from outreach.core.records import CompanyFacts, Lead, PersonFacts, RowError
from outreach.core.redaction import Traces, redacted
from outreach.core.same_person import person_mention
from outreach.flows.ingest import Source
from outreach.importers import all_importers

KEY = bytes(range(32))
QUILL = CompanyFacts("Quill Labs, Inc.", website="https://www.quill.example/", slug="quill-labs")
BO = PersonFacts(
    "Bo Brightly", linkedin="https://linkedin.com/in/bo-b", emails=("bo@quill.example", "info@quill.example")
)
ERASED = Erased(KEY, frozenset(mark_of(KEY, word) for word in words_of(BO, QUILL)))
ROW = {"any": "cell"}


@pytest.mark.parametrize(
    "lead",
    [
        Lead(1, ROW, None, (PersonFacts("", emails=("B.O+news@Quill.example".replace("B.O", "Bo"),)),)),
        Lead(1, ROW, None, (PersonFacts("Somebody Else", linkedin="www.linkedin.com/in/BO-B/"),)),
        Lead(1, ROW, CompanyFacts("Quill", website="quill.example"), (PersonFacts("BO BRIGHTLY"),)),
        Lead(1, ROW, CompanyFacts("Quill Labs"), (PersonFacts("Cy Quill"), PersonFacts("Bo Brightly"))),
        Lead(1, {"note": "ask bo@quill.example, she knows"}, CompanyFacts("Acme")),
        RowError(1, "broken", {"note": "<bo@quill.example>"}),
    ],
    ids=["address", "page", "name at domain", "name at company", "note", "broken row"],
)
def test_a_row_that_names_them_is_known(lead: Lead | RowError) -> None:
    assert ERASED.names(lead)
    assert not Erased(bytes(32), ERASED.marks).names(lead), "with another key the marks say nothing"
    assert not Erased().names(lead)


@pytest.mark.parametrize(
    "lead",
    [
        Lead(1, ROW, CompanyFacts("Acme", website="acme.example"), (PersonFacts("Bo Brightly"),)),
        Lead(1, ROW, QUILL, (PersonFacts("Cy Quill", emails=("cy@quill.example", "info@quill.example")),)),
        Lead(1, {"note": "jumbo@quill.example"}, None, (PersonFacts("Bo Brightly"),)),
    ],
    ids=["namesake", "colleague", "name alone"],
)
def test_others_are_not_taken_for_them(lead: Lead) -> None:
    assert not ERASED.names(lead)


def test_marks_say_nothing_by_themselves() -> None:
    assert all(word not in mark for word in ("bo", "quill", "brightly") for mark in ERASED.marks)
    assert mark_of(KEY, address_word("bo@quill.example")) != mark_of(bytes(32), address_word("bo@quill.example"))


def test_lines_of_the_logs_lose_them_and_nothing_else() -> None:
    mark = mark_of(KEY, "address:bo@quill.example")
    sent = {"kind": "sent", "rcpt": "bo@quill.example", "text": "250 ok bo@quill.example.", "founder": 3}
    assert settled_line(sent, ERASED, frozenset()) == {**sent, "rcpt": mark, "text": f"250 ok {mark}."}
    assert settled_line({"value": "address:bo@quill.example", "reason": "Bo asked"}, ERASED, frozenset()) is None
    assert settled_line({"value": "person:3", "reason": "Bo asked"}, ERASED, frozenset({"person:3"})) is None
    for other in ({"value": "address:cy@quill.example"}, {"value": "domain:quill.example"}, {"value": "person:33"}):
        assert settled_line(other, ERASED, frozenset({"person:3"})) == other


def test_answers_lose_the_smallest_part_that_speaks_of_them() -> None:
    data = {
        "pages": [
            {
                "url": "https://quill.example/",
                "addresses": [{"address": a} for a in ("bo@quill.example", "cy@q.example")],
            }
        ],
        "seen": ["bo@quill.example", "cy@q.example"],
    }
    assert thinned(data, ERASED.in_text) == {
        "pages": [{"url": "https://quill.example/", "addresses": [{"address": "cy@q.example"}]}],
        "seen": ["cy@q.example"],
    }
    assert thinned({"email": "bo@quill.example", "score": 90}, ERASED.in_text) == {}


# --- texts and rows -------------------------------------------------------------------------------

TRACES = Traces(frozenset({"Bo Brightly"}), frozenset({"bo@quill.example"}), frozenset({"bo-b"}))


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Bo Brightly", ""),
        ("Bo  Brightly, Cy Quill, III", "Cy Quill, III"),
        ("Cy Quill; bo brightly", "Cy Quill"),
        ("Cy / Bo Brightly", "Cy"),
        ("Founded by Bo Brightly in 2019.", "Founded by [erased] in 2019."),
        ("https://www.linkedin.com/in/bo-b/", ""),
        ("see linkedin.com/in/bo-b, she knows", "see linkedin.com/in/[erased], she knows"),
        ("<mailto:bo@quill.example>", ""),
        ("jumbo@quill.example", "jumbo@quill.example"),
        ("bo@quill.example.org", "bo@quill.example.org"),
        ("linkedin.com/in/bo-b-2", "linkedin.com/in/bo-b-2"),
        ("Bo Brightlyson", "Bo Brightlyson"),
    ],
)
def test_what_is_cut_out_of_a_text(text: str, left: str) -> None:
    assert TRACES.cut(text) == left


def test_a_company_keeps_its_name() -> None:
    traces = replace(TRACES, companies=frozenset({"Bo Brightly GmbH", "Bo Brightly"}))
    assert traces.cut("bo  brightly GmbH") == "bo  brightly GmbH"
    assert traces.cut("Bo Brightly, Cy Quill") == "Cy Quill"
    assert not traces.in_text("Bo Brightly")


def read_generic(mapping: dict[str, str]):  # type: ignore[no-untyped-def]  # a function of cells
    importers = all_importers()
    return lambda cells: importers.read_again("generic", mapping, Row(2, cells))


COMPANY = {"company": "Company", "website": "Website", "person": "Name", "email": "Email"}


def test_a_row_about_one_person_keeps_what_it_says_of_the_company() -> None:
    cells = {"Name": "Bo Brightly", "Email": "bo@quill.example", "Company": "Quill Labs", "Website": "quill.example",
             "Mobile": "+49 170 000", "Notes": "sails on Sundays"}  # fmt: skip
    read = read_generic(COMPANY)
    left = redacted(cells, 0, read, TRACES)
    assert left is not None
    assert {header: cell for header, cell in left.cells.items() if cell} == {
        "Company": "Quill Labs", "Website": "quill.example",
    }  # fmt: skip
    assert read(left.cells).company == read(cells).company
    assert left.others == ()


def test_a_row_that_says_nothing_else_goes() -> None:
    cells = {"Name": "Bo Brightly", "Email": "bo@quill.example"}
    assert redacted(cells, 0, read_generic({"person": "Name", "email": "Email"}), TRACES) is None


def test_a_row_of_a_broken_list_goes() -> None:
    assert redacted({"Name": ""}, 0, lambda cells: RowError(1, "no", cells), TRACES) is None


def test_in_a_row_about_several_only_what_speaks_of_the_one_goes() -> None:
    cells = {"Company": "Quill Labs", "Website": "quill.example", "Stage": "Seed", "Founder 1": "Cy Quill",
             "Founder 1 Email": "cy@quill.example", "Founder 1 Title": "CEO", "Founder 2": "Bo Brightly",
             "Founder 2 Email": "bo@quill.example", "Founder 2 Title": "CTO",
             "Story": "Bo Brightly met Cy at school."}  # fmt: skip
    source = Source.of_row("team.csv", cells, datetime.now(UTC))
    of = all_importers().open_list(source.data, source.name, overrides={})
    read = read_generic(dict(of.mapping))
    before = read(cells)
    place = next(at for at, each in enumerate(before.people) if each.full_name == "Bo Brightly")
    left = redacted(cells, place, read, TRACES)
    assert left is not None
    assert left.others == (1 - place,)
    assert read(left.cells).people == (before.people[1 - place],)
    assert {header for header, cell in left.cells.items() if not cell} == {
        "Founder 2", "Founder 2 Email", "Founder 2 Title",
    }  # fmt: skip
    assert left.cells["Story"] == "[erased] met Cy at school."


SAMPLES = Path(__file__).parents[1] / "samples"


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*/*.csv")), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_whoever_any_format_names_can_be_taken_out_of_the_row(path: Path) -> None:
    """Whoever it is: nothing that was only theirs is left, and the others are read as before."""
    importers = all_importers()
    of = importers.open_list(path, path.name, overrides={})

    def read(cells: Mapping[str, str]) -> Lead | RowError:
        return importers.read_again(of.format, of.mapping, Row(2, cells))

    for row in of.rows:
        if not isinstance(row, Lead):
            continue
        for place, person in enumerate(row.people):
            mention = person_mention(person, -1)
            names = frozenset({person.full_name} - {""})
            pages = frozenset({mention.linkedin, mention.slug} - {""})
            traces = Traces(names, frozenset(person.emails), pages)
            left = redacted(row.cells, place, read, traces)
            others = [each for at, each in enumerate(row.people) if at != place and not traces.is_them(each)]
            if left is None:
                continue
            again = read(left.cells)
            assert isinstance(again, Lead)
            assert not any(traces.is_them(each) for each in again.people)
            assert [each.emails for each in again.people] == [each.emails for each in others]
            assert not any(traces.in_text(cell) for cell in left.cells.values())
