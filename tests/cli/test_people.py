"""`import`, `imports`, `founders` and `companies` as a person or a script meets them."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from outreach.cli import run
from outreach.cli._shell import Shell

_SAMPLES = Path(__file__).parent.parent / "samples"
_CRUNCHBASE = str(_SAMPLES / "crunchbase" / "companies-2021.csv")
_FOUNDERS = str(_SAMPLES / "generic" / "founders.csv")

_UNCHECKED: dict[str, Any] = {"confidence": None, "evidence": [], "checked_at": None}

Outreach = Callable[..., tuple[int, str, str]]


@pytest.fixture
def outreach(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Outreach:
    """The program in a fresh workspace: exit code, stdout, stderr."""

    def call(*words: str) -> tuple[int, str, str]:
        code = run(["-C", str(tmp_path), *words], Shell(environment={}))
        out, err = capsys.readouterr()
        return code, out, err

    call(
        "init", str(tmp_path), "--yes", "--name", "Ada Testwell", "--email", "ada@ada.example", "--provider", "fastmail"
    )
    return call


def document(result: tuple[int, str, str]) -> Any:
    return json.loads(result[1])


def test_import_says_what_became_of_every_row(outreach: Outreach) -> None:
    code, out, err = outreach("import", _CRUNCHBASE)
    assert code == 3
    assert "companies-2021.csv: crunchbase, UTF-8, 3 rows: 2 new, 0 merged, 0 same, 1 skipped" in out
    assert "company = Organization Name" in out
    assert "line 4: skipped, no company name" in out
    assert "--rejects FILE" in err


def test_import_json_has_the_promised_shape(outreach: Outreach) -> None:
    code, out, _ = outreach("import", _CRUNCHBASE, "--json")
    report = json.loads(out)
    (file,) = report["files"]
    assert code == 3
    assert (file["file"], file["format"], file["encoding"], file["rows"]) == (
        "companies-2021.csv",
        "crunchbase",
        "UTF-8",
        3,
    )
    assert file["skipped"] == [{"line": 4, "reason": "no company name in “Organization Name”"}]
    assert report["companies"] == {"new": 2, "merged": 0, "same": 0}
    assert report["founders"] == {"new": 4, "merged": 0, "same": 0}
    assert report["addresses"] == {"new": 1}
    assert report["candidates"] == 0


def test_a_second_list_joins_the_first(outreach: Outreach) -> None:
    outreach("import", _CRUNCHBASE)
    report = document(outreach("import", _FOUNDERS, "--json"))
    assert report["companies"] == {"new": 1, "merged": 1, "same": 0}
    (acme,) = document(outreach("companies", "list", "--search", "acme", "--json"))["companies"]
    assert acme["crunchbase_slug"] == "acme"
    assert acme["aliases"] == ["Acme GmbH"]
    assert (acme["city"], acme["country"], acme["founders"]) == ("Edinburgh", "United Kingdom", 3)


def test_founders_json_has_the_promised_shape(outreach: Outreach) -> None:
    outreach("import", _FOUNDERS, "--tag", "may")
    found = document(outreach("founders", "--json", "--search", "jürgen"))
    (founder,) = found["founders"]
    assert found["total"] == 1
    assert founder == {
        "id": 1,
        "full_name": "Dr. Jürgen Müller-Lüdenscheidt",
        "first_name": "Jürgen",
        "last_name": "Müller-Lüdenscheidt",
        "title": "CEO",
        "company": {"id": 1, "name": "Acme GmbH", "domain": "acme.example", "country": ""},
        "addresses": [{"address": "juergen@acme.example", "status": "given", "origin": "generic", **_UNCHECKED}],
        "tags": ["may"],
    }


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        (["--location", "edin"], ["Ada Testwell", "Omar Brightly, III"]),
        (["--country", "united kingdom"], ["Ada Testwell", "Omar Brightly, III"]),
        (["--industry", "saas"], ["Ada Testwell", "Omar Brightly, III"]),
        (["--employees", "1-10"], ["Rosa Quill, PhD", "Dan Testwell"]),
        (["--employees", "11-"], ["Ada Testwell", "Omar Brightly, III"]),
        (["--founded", "2019-"], ["Rosa Quill, PhD", "Dan Testwell"]),
        (["--founded", "2018"], ["Ada Testwell", "Omar Brightly, III"]),
        (["--funding", "1M-"], ["Ada Testwell", "Omar Brightly, III"]),
        (["--funding", "undisclosed"], ["Rosa Quill, PhD", "Dan Testwell"]),
        (["--search", "testwell"], ["Ada Testwell", "Dan Testwell"]),
        (["--search", "%"], []),
        (["--tag", "none"], []),
        (["--has-email"], []),
        (["--not-contacted", "--limit", "1"], ["Ada Testwell"]),
    ],
)
def test_filters(outreach: Outreach, filters: list[str], names: list[str]) -> None:
    outreach("import", _CRUNCHBASE)
    found = document(outreach("founders", "list", *filters, "--json"))
    assert [founder["full_name"] for founder in found["founders"]] == names


def test_a_filter_that_is_no_range_is_named(outreach: Outreach) -> None:
    code, _, err = outreach("founders", "list", "--employees", "few")
    assert code == 2
    assert "“few” is no range" in err


def test_companies_by_their_founders(outreach: Outreach, tmp_path: Path) -> None:
    table = tmp_path / "some.csv"
    table.write_text(
        "Name,Company,Email\nAy Bee,Silent,\nCee Dee,Reachable,cee@reachable.example\nEff Gee,Reachable,\n"
    )
    outreach("import", str(table))
    outreach("founders", "edit", "Ay Bee", "--tag", "fair")
    for words, names in (
        (["--has-email"], ["Reachable"]),
        (["--tag", "fair"], ["Silent"]),
        (["--tag", "fair", "--has-email"], []),
        (["--not-contacted", "--search", "reach"], ["Reachable"]),
    ):
        found = document(outreach("companies", *words, "--json"))
        assert [each["name"] for each in found["companies"]] == names
        assert found["total"] == len(names)


@pytest.mark.parametrize(
    ("option", "text", "says"),
    [
        ("--employees", "50-10", "write --employees 11-50, 50- or -10"),
        ("--founded", "2020-2018", "write --founded 2018-2022, 2020- or -2019"),
        ("--founded", "since 2020", "write --founded 2018-2022, 2020- or -2019"),
        ("--funding", "10M-1M", "write --funding 1M-10M, 500k- or -5M"),
    ],
)
def test_a_range_that_holds_nothing_is_named(outreach: Outreach, option: str, text: str, says: str) -> None:
    code, _, err = outreach("founders", "list", option, text)
    assert (code, says in err) == (2, True), err


@pytest.mark.parametrize(("order", "names"), [("founded", "Old New Nobody"), ("-founded", "New Old Nobody")])
def test_what_is_not_known_comes_last_in_any_order(outreach: Outreach, tmp_path: Path, order: str, names: str) -> None:
    table = tmp_path / "some.csv"
    table.write_text("Name,Company,Founded\nAy Bee,Nobody,\nCee Dee,New,2024\nEff Gee,Old,1999\n")
    outreach("import", str(table))
    found = document(outreach("companies", "--sort", order, "--json"))["companies"]
    assert [company["name"] for company in found] == names.split()
    people = document(outreach("founders", "--sort", order, "--json"))["founders"]
    assert [founder["company"]["name"] for founder in people] == names.split()


def test_show_takes_an_id_an_address_or_a_name(outreach: Outreach) -> None:
    outreach("import", _FOUNDERS)
    for who in (
        "1",
        "JUERGEN@acme.example",
        "Jürgen Müller-Lüdenscheidt",
        "jurgen muller ludenscheidt",
        "Lüdenscheidt",
    ):
        code, out, err = outreach("founders", "show", who)
        assert (code, "Dr. Jürgen Müller-Lüdenscheidt, CEO" in out) == (0, True), err
    assert "met in May" in outreach("founders", "show", "1")[1]
    assert document(outreach("companies", "show", "acme.example", "--json"))["name"] == "Acme GmbH"


def test_an_ambiguous_name_lists_the_candidates(outreach: Outreach) -> None:
    outreach("import", _CRUNCHBASE)
    code, _, err = outreach("founders", "show", "testwell")
    assert code == 1
    assert "1 Ada Testwell (Acme), 4 Dan Testwell (Undisclosed)" in err
    assert outreach("founders", "show", "nobody")[0] == 1
    assert outreach("companies", "show", "nobody")[0] == 1


def test_a_dry_run_changes_nothing(outreach: Outreach) -> None:
    code, _, err = outreach("import", _FOUNDERS, "--dry-run")
    assert code == 3
    assert "nothing was changed" in err
    assert document(outreach("imports", "--json"))["total"] == 0


def test_a_list_whose_letters_were_guessed_wrong_comes_in_again(outreach: Outreach, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes("Full Name,Company,Email\nOndřej Malý,Acme,o@acme.example\n".encode("iso-8859-2"))
    assert document(outreach("import", str(path), "--json"))["files"][0]["encoding"] == "Windows-1252"
    assert outreach("import", str(path), "--encoding", "klingon")[0] == 2
    again = document(outreach("import", str(path), "--encoding", "ISO-8859-2", "--json"))
    assert (again["files"][0]["encoding"], again["founders"]["same"]) == ("iso-8859-2", 0)
    outreach("imports", "undo", "1")
    assert document(outreach("founders", "--json"))["founders"][0]["full_name"] == "Ondřej Malý"


def test_rejects_can_be_fixed_and_imported(outreach: Outreach, tmp_path: Path) -> None:
    rejects = tmp_path / "rejects.csv"
    outreach("import", _CRUNCHBASE, "--rejects", str(rejects))
    text = rejects.read_text("utf-8-sig")
    assert text.splitlines()[0].endswith("reject_line,reject_reason")
    rejects.write_text(text.replace("#NAME?", "+N"), "utf-8")
    report = document(outreach("import", str(rejects), "--json"))
    assert report["companies"] == {"new": 1, "merged": 0, "same": 0}
    again = document(outreach("import", _CRUNCHBASE, "--json"))
    assert again["companies"] == {"new": 0, "merged": 0, "same": 2}


def test_imports_show_what_came_from_where(outreach: Outreach) -> None:
    outreach("import", _CRUNCHBASE, "--tag", "spring")
    assert "companies-2021.csv" in outreach("imports")[1]
    shown = document(outreach("imports", "show", "1", "--json"))
    assert shown["outcomes"] == {"new": 2, "skipped": 1}
    assert shown["skipped_rows"][0]["line"] == 4
    assert "line 4: skipped" in outreach("imports", "show", "1")[1]
    assert outreach("imports", "show", "9")[0] == 1


def test_standard_input_and_a_mapping(outreach: Outreach, monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(b"Firma;Wer\nAcme;Ada Testwell\n"))
    monkeypatch.setattr(sys, "stdin", stdin)
    report = document(outreach("import", "-", "--map", "company=Firma", "--map", "person=wer", "--json"))
    assert report["files"][0]["mapping"] == {"company": "Firma", "person": "Wer"}
    assert report["founders"]["new"] == 1


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["missing.csv"], 1, "there is no file missing.csv"),
        ([str(_SAMPLES)], 1, "is a folder"),
        ([_FOUNDERS, "--format", "excel"], 2, "there is no format “excel”"),
        ([_FOUNDERS, "--map", "company"], 2, "names no column"),
        ([_FOUNDERS, "--map", "firm=Company"], 2, "no field “firm”"),
        ([_FOUNDERS, "--map", "company=Firm"], 2, "no column “Firm”"),
    ],
)
def test_what_cannot_be_done_says_what_to_type(outreach: Outreach, words: list[str], code: int, says: str) -> None:
    found, out, err = outreach("import", *words)
    assert (found, out) == (code, "")
    assert says in err
    assert "hint: " in err


def test_what_a_list_says_cannot_act_on_the_terminal(outreach: Outreach, tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("Company,Name,Notes\nA\x1b[31mcme,Ada\u202e Testwell,\x1b]0;x\x07\n", "utf-8")
    commands = (("import", str(bad)), ("founders",), ("founders", "show", "1"))
    shown = "".join(text for words in commands for text in outreach(*words)[1:])
    assert "\x1b" not in shown
    assert "\u202e" not in shown


def test_an_empty_store_says_what_to_do(outreach: Outreach) -> None:
    for words in (("founders",), ("companies",), ("imports",)):
        assert "outreach import FILE" in outreach(*words)[1]
    assert outreach("founders", "--tag", "x")[1] == "no founders match\n"
