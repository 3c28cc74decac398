"""Off the list again, and lists of another tool: an opt-out is final, and no restore brings back what was lifted."""

import sqlite3
from pathlib import Path

import pytest

from tests.cli.program import Workspace, founders_csv


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = Workspace.create(tmp_path / "w")
    (made.folder / "founders.csv").write_text(founders_csv(2))
    made.run("import", "founders.csv")
    return made


def listed(workspace: Workspace) -> set[str]:
    return {entry["value"] for entry in workspace.json("suppress", "list")["suppressions"]}


def test_what_was_put_there_by_hand_comes_off_and_stays_off_after_a_restore(workspace: Workspace) -> None:
    workspace.run("suppress", "add", "1")
    workspace.run("suppress", "add", "acme.example")
    before = (workspace.folder / "outreach.db").read_bytes()
    assert listed(workspace) == {"person:1", "address:boaa@boaa.example", "domain:acme.example"}
    workspace.run("suppress", "remove", "boaa@boaa.example")
    assert listed(workspace) == {"domain:acme.example"}
    assert "is not on the list" in workspace.run("suppress", "remove", "1", exit_code=1).stderr
    (workspace.folder / "outreach.db").write_bytes(before)
    with sqlite3.connect(workspace.folder / "outreach.db") as store:
        store.execute("DELETE FROM suppressions")
    store.close()
    assert listed(workspace) == {"domain:acme.example"}, "the log brings back what still holds, and nothing else"


def test_an_opt_out_needs_their_consent_and_a_later_one_wins(workspace: Workspace) -> None:
    lines = workspace.folder / "suppressions.jsonl"
    entry = (
        '{"at":"2026-03-01T00:00:00+00:00","action":"%s","value":"address:x@x.example","kind":"opt_out","reason":""}\n'
    )
    lines.write_text(entry % "add")
    refused = workspace.run("suppress", "remove", "x@x.example", exit_code=2)
    assert "that is final" in refused.stderr
    workspace.run("suppress", "remove", "x@x.example", "--i-have-consent", "wrote to me on 3 March")
    assert listed(workspace) == set()
    assert "wrote to me on 3 March" in lines.read_text()
    with lines.open("a") as file:
        file.write(entry % "add")
    assert listed(workspace) == {"address:x@x.example"}


def test_a_list_of_another_tool(workspace: Workspace) -> None:
    (workspace.folder / "out.csv").write_text('Email;When\nann@zoe.example;2025\n"zoe.example",x\nnobody\ngmail.com\n')
    done = workspace.run("suppress", "import", "out.csv", exit_code=3)
    assert "2 lines on the list" in done.stdout
    assert "skipped line 4: nobody" in done.stdout
    assert "skipped line 5: gmail.com" in done.stdout
    assert listed(workspace) == {"address:ann@zoe.example", "domain:zoe.example"}


def test_a_line_that_is_no_utf8_costs_only_itself(workspace: Workspace) -> None:
    (workspace.folder / "out.txt").write_bytes(
        "\ufeffann@zoe.example\n".encode() + b"M\xfcller@x.example\nbo@zoe.example\n"
    )
    done = workspace.run("suppress", "import", "out.txt", exit_code=3)
    assert "skipped line 2: M" in done.stdout
    assert listed(workspace) == {"address:ann@zoe.example", "address:bo@zoe.example"}
    workspace.run("suppress", "import", "-", stdin="cy@zoe.example\n")
    assert "address:cy@zoe.example" in listed(workspace)
