"""Lists as they reach the command line: from a file, a pipe, a program's output; and what is done with bad rows."""

import csv
import os
import threading
from pathlib import Path

import pytest

from tests.cli.program import Workspace

_SAMPLES = Path(__file__).parent.parent / "samples"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.create(tmp_path / "w")


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_pipe_is_read_once_and_leaves_nothing_behind(workspace: Workspace) -> None:
    before = names(workspace.folder)
    piped = workspace.run("import", "-", "--dry-run", stdin=(_SAMPLES / "apollo/apollo-contacts-2022.csv").read_text())
    assert "standard input: apollo" in piped.stdout
    pipe = workspace.folder / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=[(_SAMPLES / "generic/sheet.xlsx").read_bytes()])
    writer.start()
    done = workspace.run("import", "pipe")
    writer.join()
    assert "pipe: generic, Excel, 2 rows: 2 new" in done.stdout
    assert names(workspace.folder) - before <= {"pipe", "outreach.db-wal", "outreach.db-shm"}


def test_rejects_keep_every_cell_and_are_refused_until_they_are_fixed(workspace: Workspace) -> None:
    (workspace.folder / "bad.csv").write_text(
        'Company,Email\nAcme,a@acme.example,surplus\nZenith,"z@zenith.example\nQuill,q@quill.example\n'
    )
    workspace.run("import", "bad.csv", "--rejects", "rejects.csv", exit_code=3)
    rejects = workspace.folder / "rejects.csv"
    rows = list(csv.reader(rejects.read_text("utf-8-sig").splitlines()))
    assert rows[0] == ["Company", "Email", "reject_line", "reject_reason"]
    assert [(row[0], row[2], row[4:]) for row in rows[1:]] == [("Acme", "2", ["surplus"]), ("Zenith", "3", [])]
    assert workspace.json("import", "rejects.csv", "--dry-run")["files"][0]["skipped"][0]["line"] == 2
    fixed = [row[:4] for row in rows]
    with rejects.open("w", newline="") as file:
        csv.writer(file).writerows(fixed)
    assert workspace.json("import", "rejects.csv", exit_code=0)["files"][0]["new"] == 2


def test_a_wide_list_is_shown_in_a_few_lines(workspace: Workspace) -> None:
    header = ",".join(["Company", *(f"Column {number}" for number in range(500))])
    (workspace.folder / "wide.csv").write_text(f"{header}\nAcme\n")
    done = workspace.run("import", "wide.csv", exit_code=0)
    assert "and 490 more columns" in done.stdout
