"""`duplicates`, `founders merge · split · edit · export`, `imports undo`, as a person or a script meets them."""

import csv
import json
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
import sqlalchemy as sa

from tests.cli.program import Workspace
from tests.cli.terminal import converse
from tests.cli.test_people import outreach  # noqa: F401  the program in a fresh workspace

Outreach = Callable[..., tuple[int, str, str]]

_DANS = """Company,Website,Name,Email,Location
Acme,acme.example,Dan Testwell,dan@acme.example,"Oakland, California, United States"
Acme,acme.example,Daniel Testwell,daniel@acme.example,
Zürich Löwen,loewen.example,Rosa Quill,rosa@loewen.example,"Zürich, Zurich, Switzerland"
"""

_TWO = ("Dan Testwell", "Daniel Testwell")


@pytest.fixture
def dans(outreach: Outreach, tmp_path: Path) -> Outreach:  # noqa: F811  the fixture above
    (tmp_path / "dans.csv").write_text(_DANS, "utf-8")
    assert outreach("import", str(tmp_path / "dans.csv"))[0] == 0
    return outreach


def document(result: tuple[int, str, str]) -> Any:
    assert result[0] == 0, result
    return json.loads(result[1])


def test_duplicates_are_shown_side_by_side_with_the_evidence(dans: Outreach) -> None:
    code, out, err = dans("duplicates")
    assert code == 0
    assert "pair 1: may be one founder, by rule P5: Dan Testwell, Daniel Testwell" in out
    assert "dan@acme.example" in out
    assert "outreach duplicates PAIR --merge" in err
    listed = document(dans("duplicates", "--json"))
    assert (listed["total"], listed["candidates"][0]["left"]["name"]) == (1, "Dan Testwell")


def test_a_long_list_of_pairs_asks_the_store_no_more_than_a_short_one(outreach: Outreach, tmp_path: Path) -> None:  # noqa: F811
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    counts = []
    for number in (2, 30):
        rows = (
            f"A{at},a{at}.example,{name},{name.split()[0]}@a{at}.example\n" for at in range(number) for name in _TWO
        )
        (tmp_path / f"{number}.csv").write_text("Company,Website,Name,Email\n" + "".join(rows), "utf-8")
        outreach("import", str(tmp_path / f"{number}.csv"))
        sa.event.listen(sa.Engine, "before_cursor_execute", note)
        try:
            listed = document(outreach("duplicates", "--json"))["candidates"]
        finally:
            sa.event.remove(sa.Engine, "before_cursor_execute", note)
        assert [each["left"]["addresses"] for each in listed] == [f"Dan@a{at}.example".lower() for at in range(number)]
        counts.append(len(asked))
        asked.clear()
    assert counts[0] == counts[1] > 0


def test_a_pair_is_merged_and_taken_apart_again(dans: Outreach) -> None:
    assert "founder 2 is founder 1 now" in dans("duplicates", "1", "--merge")[1]
    assert dans("duplicates")[1] == "no pair waits for a decision\n"
    shown = document(dans("founders", "show", "2", "--json"))
    assert (shown["id"], len(shown["addresses"]), len(shown["rows"])) == (1, 2, 2)
    split = document(dans("founders", "split", "1", "--json"))
    assert [each["id"] for each in split["founders"]] == [1, 4]
    assert document(dans("duplicates", "--json"))["total"] == 1


def test_a_pair_is_kept_apart_or_skipped(dans: Outreach) -> None:
    dans("duplicates", "1", "--skip")
    assert document(dans("duplicates", "--json"))["total"] == 0
    assert document(dans("duplicates", "--skipped", "--json"))["total"] == 1
    assert "kept apart" in dans("duplicates", "1", "--keep-apart")[1]
    assert dans("duplicates", "1", "--merge", "--skip")[0] == 2
    assert dans("duplicates", "9", "--merge")[0] == 1


def test_a_person_is_asked_pair_by_pair(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "w")
    (workspace.folder / "dans.csv").write_text(_DANS + "Acme,acme.example,Danny Testwell,,\n", "utf-8")
    workspace.run("import", "dans.csv")
    command = [sys.executable, "-m", "outreach", "-C", str(workspace.folder), "duplicates"]
    code, seen = converse(command, workspace.environment, "q quit", ["what?", "m", "s"])
    assert code == 0
    assert "founder 2 is founder 1 now" in seen
    assert "to take it back: outreach founders split 1" in seen
    assert "skipped; outreach duplicates --skipped shows it again" in seen
    assert document((0, workspace.run("duplicates", "--json").stdout, ""))["total"] == 0


def test_two_founders_are_merged_and_split_by_rows(dans: Outreach) -> None:
    merged = document(dans("founders", "merge", "dan@acme.example", "2", "--json"))
    assert merged["became"] == {"2": 1}
    code, _, err = dans("founders", "merge", "1", "2")
    assert (code, "that is one record already" in err) == (2, True)
    rows = [row["row"] for row in document(dans("founders", "show", "1", "--json"))["rows"]]
    split = document(dans("founders", "split", "1", "--row", str(rows[0]), "--json"))
    assert sorted(each["addresses"][0]["address"] for each in split["founders"]) == [
        "dan@acme.example",
        "daniel@acme.example",
    ]
    code, _, err = dans("founders", "split", "1", "--row", "99")
    assert (code, "does not speak of founder 1" in err) == (1, True)


def test_two_companies_are_merged_and_taken_apart_again(dans: Outreach, tmp_path: Path) -> None:
    merged = document(dans("companies", "merge", "acme.example", "loewen.example", "--json"))
    assert (merged["became"], merged["company"]["founders"]) == ({"2": 1}, 3)
    (tmp_path / "again.csv").write_text(_DANS.replace("Rosa", "Rosa Maria"), "utf-8")
    dans("import", str(tmp_path / "again.csv"))
    assert document(dans("companies", "--json"))["total"] == 1
    rows = document(dans("companies", "show", "acme.example", "--json"))["rows"]
    assert [row["line"] for row in rows] == [2, 3, 4, 2, 3, 4]
    assert f"row {rows[0]['row']}:" in dans("companies", "show", "1")[1]
    split = document(dans("companies", "split", "1", "--json"))
    assert sorted(each["domain"] for each in split["companies"]) == ["acme.example", "loewen.example"]
    code, _, err = dans("companies", "split", "acme.example")
    assert (code, "outreach companies split 1 --row ROW" in err) == (2, True)


def test_a_company_is_taken_apart_by_its_rows(dans: Outreach) -> None:
    dans("companies", "merge", "1", "2")
    rows = [row["row"] for row in document(dans("companies", "show", "1", "--json"))["rows"]]
    assert "outreach companies list" in dans("companies", "merge", "1", "1")[2]
    code, out, _ = dans("companies", "split", "1", "--row", str(rows[2]))
    assert (code, sorted(line.partition(": ")[2] for line in out.splitlines())) == (
        0,
        ["Acme, acme.example", "Zürich Löwen, loewen.example"],
    )


def test_an_edit_is_shown_and_stays(dans: Outreach, tmp_path: Path) -> None:
    assert "CTO" in dans("founders", "edit", "1", "--title", "CTO", "--tag", "met", "--first-name", "Danny")[1]
    (tmp_path / "more.csv").write_text(_DANS.replace("Email", "Email,Title").replace('e,"O', 'e,CEO,"O'), "utf-8")
    dans("import", str(tmp_path / "more.csv"))
    shown = document(dans("founders", "show", "1", "--json"))
    assert (shown["title"], shown["first_name"], shown["tags"]) == ("CTO", "Danny", ["met"])
    assert dans("founders", "edit", "1")[0] == 2
    assert dans("founders", "edit", "1", "--reset", "shoes")[0] == 2


@pytest.mark.parametrize("row", ["Mira Quill,,", "Mira Quill,Nowhere,", "Mira Quill,Loewen,loewen.example"])
def test_an_address_that_a_person_knows(dans: Outreach, tmp_path: Path, row: str) -> None:
    (tmp_path / "more.csv").write_text(f"Name,Company,Website,Title\n{row},CTO\n", "utf-8")
    dans("import", str(tmp_path / "more.csv"))
    before = document(dans("founders", "--json"))["total"]
    assert "mira@quill.example" in dans("founders", "edit", "Mira Quill", "--email", "Mira@quill.example")[1]
    shown = document(dans("founders", "show", "Mira Quill", "--json"))
    assert [(each["address"], each["status"]) for each in shown["addresses"]] == [("mira@quill.example", "given")]
    assert (shown["title"], document(dans("founders", "--json"))["total"]) == ("CTO", before)


def test_an_address_comes_in_as_theirs_or_not_at_all(dans: Outreach, tmp_path: Path) -> None:
    """The store fails between the row and the word on whose it is: no second Mira stays behind."""
    (tmp_path / "more.csv").write_text("Name,Company,Title\nMira Quill,,CTO\n", "utf-8")
    dans("import", str(tmp_path / "more.csv"))
    before = dans("founders", "--json")[1], dans("imports", "--json")[1]
    with closing(sqlite3.connect(tmp_path / "outreach.db")) as store:
        store.execute("CREATE TRIGGER broken BEFORE INSERT ON rulings BEGIN SELECT RAISE(ABORT, 'broken'); END")
        assert dans("founders", "edit", "Mira Quill", "--email", "mira@quill.example")[0] == 1
        assert (dans("founders", "--json")[1], dans("imports", "--json")[1]) == before
        store.execute("DROP TRIGGER broken")
    assert "mira@quill.example" in dans("founders", "edit", "Mira Quill", "--email", "mira@quill.example")[1]


def test_an_address_that_cannot_be_added(dans: Outreach) -> None:
    for address, says in (
        ("mira", "is no address of one person"),
        ("info@acme.example", "is no address of one person"),
        ("dan@acme.example", "is an address of Dan Testwell (founder 1)"),
    ):
        code, _, err = dans("founders", "edit", "3", "--email", address)
        assert (code, says in err) == (2, True), err
    code, _, err = dans("founders", "edit", "3", "--linkedin", "rosa")
    assert (code, "rosa is no page of a person" in err) == (2, True)
    assert len(document(dans("founders", "show", "3", "--json"))["addresses"]) == 1


def test_an_import_is_taken_back(dans: Outreach) -> None:
    dans("suppress", "add", "rosa@loewen.example")
    dans("founders", "edit", "1", "--title", "CTO")
    undone = document(dans("imports", "undo", "1", "--json"))
    assert undone["removed"] == {"companies": 0, "founders": 1}
    assert {each["founder"]: each["reasons"] for each in undone["stays"]}[1] == ["edited"]
    assert "taken back" in dans("imports")[1]
    assert dans("imports", "undo", "1")[0] == 2
    assert dans("imports", "undo", "7")[0] == 1


def test_show_says_who_must_not_be_written_to(dans: Outreach) -> None:
    dans("suppress", "add", "1")
    dans("suppress", "add", "loewen.example")
    assert "MUST NOT be written to" in dans("founders", "show", "1")[1]
    assert "domain:loewen.example" in dans("founders", "show", "3")[1]
    assert "MUST NOT" not in dans("founders", "show", "2")[1]
    assert document(dans("founders", "show", "1", "--json"))["suppressed"][0]["kind"] == "manual"


# --- filters ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("filters", "ids"),
    [
        (["--location", "San Francisco Bay Area"], [1, 2]),
        (["--location", "bay area"], [1, 2]),
        (["--location", "DACH"], [3]),
        (["--location", "zurich"], [3]),
        (["--location", "ZÜRICH"], [3]),
        (["--country", "usa"], [1, 2]),
        (["--country", "Switz"], []),
        (["--search", "LÖWEN"], [3]),
        (["--search", "lowen"], [3]),
        (["--search", "ros"], [3]),
        (["--search", "daniel acme"], [2]),
        (["--search", '" OR name : *'], []),
        (["--search", "rosa@loewen.example"], [3]),
        (["--sort", "-name"], [3, 1, 2]),
    ],
)
def test_filters_as_people_type_them(dans: Outreach, filters: list[str], ids: list[int]) -> None:
    assert [each["id"] for each in document(dans("founders", *filters, "--json"))["founders"]] == ids


def test_columns_and_sort_are_from_a_list(dans: Outreach) -> None:
    assert dans("founders", "--columns", "id,country", "--limit", "1")[1].split() == [
        "id",
        "country",
        "1",
        "United",
        "States",
    ]
    for wrong in (("--columns", "id;drop"), ("--sort", "1; DROP TABLE founders")):
        code, _, err = dans("founders", *wrong)
        assert (code, "hint: " in err) == (2, True)


# --- exports ----------------------------------------------------------------------------------------


def test_rejected_rows_run_no_formulas(outreach: Outreach, tmp_path: Path) -> None:  # noqa: F811
    rows = [
        ["Company", "Website", "=Notes"],
        *(["", "", payload] for payload in _PAYLOADS),
        ["Acme", "acme.example", "x"],
    ]
    with (tmp_path / "list.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    rejects = tmp_path / "rejects.csv"
    outreach("import", str(tmp_path / "list.csv"), "--rejects", str(rejects))
    with rejects.open(encoding="utf-8-sig", newline="") as file:
        written = list(csv.reader(file))
    assert [row[2] for row in written] == ["'=Notes", *(f"'{payload}" for payload in _PAYLOADS)]


_PAYLOADS = ("=1+1", "+1", "-1", "@SUM(A1)", " =1+1", "＝1+1", "\t=1", '=HYPERLINK("x")', "=cmd|' /C calc'!A0")


@pytest.mark.parametrize("payload", _PAYLOADS)
def test_no_exported_cell_runs(outreach: Outreach, tmp_path: Path, payload: str) -> None:  # noqa: F811  the fixture
    with (tmp_path / "bad.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["Company", "Name", "Title"], ["Acme", "Ada Testwell", f"{payload}"]])
    outreach("import", str(tmp_path / "bad.csv"), "--tag", payload.strip())
    out = tmp_path / "out.csv"
    assert outreach("founders", "export", str(out))[0] == 0
    with out.open(encoding="utf-8-sig", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell.lstrip().startswith(("=", "+", "-", "@", "＝"))]
    outreach("founders", "export", str(out), "--raw", "--force", "--columns", "title")
    assert f'"{payload.strip()[:4]}' in out.read_text("utf-8-sig").replace('""', '"')


def test_exports_in_every_format_and_never_over_a_file(dans: Outreach, tmp_path: Path) -> None:
    for name in ("f.csv", "f.tsv", "f.xlsx", "f.json"):
        assert (
            "3 founders written" in dans("founders", "export", str(tmp_path / name), "--columns", "id,name,address")[1]
        )
    assert [row["name"] for row in json.loads((tmp_path / "f.json").read_text("utf-8"))][2] == "Rosa Quill"
    with ZipFile(tmp_path / "f.xlsx") as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert "Rosa Quill" in sheet
    assert "<f>" not in sheet
    code, _, err = dans("founders", "export", str(tmp_path / "f.csv"))
    assert (code, "--force" in err) == (2, True)
    assert dans("founders", "export", str(tmp_path / "f.csv"), "--force")[0] == 0
    assert dans("founders", "export", str(tmp_path / "f.docx"))[0] == 2
    assert dans("founders", "export", str(tmp_path / "none" / "f.csv"))[0] == 2
    assert "2 companies written" in dans("companies", "export", str(tmp_path / "c.csv"))[1]
    assert [each.name for each in tmp_path.glob(".*.partial")] == []
