"""Garbage in: one clear sentence and a hint, exit code 1, and nothing changed."""

import os
from pathlib import Path

import pytest

from tests.cli.program import Workspace, founders_csv


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.create(tmp_path / "w")


def refused(done, *says: str) -> None:  # type: ignore[no-untyped-def]  # a finished process
    lines = done.stderr.strip().splitlines()
    assert done.stdout == ""
    assert lines[0].startswith("error: "), done.stderr
    assert lines[-1].startswith("hint: "), done.stderr
    for word in says:
        assert word in done.stderr


BAD_FILES = [
    ("a.csv", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog >>\nendobj\n" + bytes(range(256)) * 20),
    ("empty.csv", b""),
    ("blank.csv", b"\n\n  \n"),
    ("header.csv", b"Colour,Weight,Height\nred,1,2\nblue,3,4\n"),
    ("rounds.csv", b"Transaction Name,Money Raised,Organization Name\nSeed Round - Quill,100,Quill\n"),
    ("zip.csv", b"PK\x03\x04" + bytes(200)),
]


@pytest.mark.parametrize(("name", "data"), BAD_FILES, ids=[name for name, _ in BAD_FILES])
def test_a_file_that_is_no_list(workspace: Workspace, name: str, data: bytes) -> None:
    (workspace.folder / name).write_bytes(data)
    refused(workspace.run("import", name, exit_code=1), name)
    assert workspace.json("founders")["total"] == 0


def test_one_bad_file_among_good_ones_changes_nothing(workspace: Workspace) -> None:
    (workspace.folder / "good.csv").write_text(founders_csv(2))
    (workspace.folder / "bad.csv").write_bytes(b"")
    refused(workspace.run("import", "good.csv", "bad.csv", exit_code=1), "bad.csv")
    assert workspace.json("founders")["total"] == 0


def test_a_missing_file(workspace: Workspace) -> None:
    refused(workspace.run("import", "nowhere.csv", exit_code=1), "nowhere.csv")


def test_a_truncated_database(workspace: Workspace) -> None:
    path = workspace.folder / "outreach.db"
    os.truncate(path, path.stat().st_size // 2 + 100)
    before = path.read_bytes()
    refused(workspace.run("founders", exit_code=1), "outreach.db")
    assert path.read_bytes() == before


def test_an_emptied_database_is_no_new_one(workspace: Workspace) -> None:
    (workspace.folder / "outreach.db").write_bytes(b"")
    refused(workspace.run("founders", exit_code=1), "outreach.db is empty")


def test_a_line_of_settings_that_cannot_be_read(workspace: Workspace) -> None:
    with (workspace.folder / ".env").open("a") as file:
        file.write('OUTREACH_NO_SEND="1\n')
    refused(workspace.run("founders", exit_code=1), "cannot be read; check its quotes")


def test_the_wrong_format_by_name(workspace: Workspace) -> None:
    (workspace.folder / "founders.csv").write_text(founders_csv(2))
    refused(workspace.run("import", "founders.csv", "--format", "crunchbase", exit_code=1), "Organization Name")


def test_rejects_never_overwrite_a_file(workspace: Workspace) -> None:
    (workspace.folder / "founders.csv").write_text(founders_csv(2))
    workspace.run("import", "founders.csv", "--rejects", "founders.csv", exit_code=2)
    assert (workspace.folder / "founders.csv").read_text() == founders_csv(2)
    assert workspace.json("founders")["total"] == 0


def test_a_foreign_database(workspace: Workspace) -> None:
    import sqlite3

    path = workspace.folder / "outreach.db"
    path.unlink()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE songs (title TEXT)")
    connection.commit()
    connection.close()
    refused(workspace.run("founders", exit_code=1), "another program")


def test_a_missing_env(workspace: Workspace) -> None:
    (workspace.folder / ".env").unlink()
    refused(workspace.run("founders", exit_code=1), ".env")


def test_no_workspace_at_all(tmp_path: Path, workspace: Workspace) -> None:
    (tmp_path / "empty").mkdir()
    refused(Workspace(tmp_path / "empty", workspace.environment).run("founders", exit_code=1), "outreach init")


def test_wrong_settings_are_all_named(workspace: Workspace) -> None:
    with (workspace.folder / ".env").open("a") as file:
        file.write("OUTREACH_DAILY_CAP=many\nOUTREACH_SMPT_HOST=x\n")
    refused(workspace.run("founders", exit_code=1), "OUTREACH_DAILY_CAP", "OUTREACH_SMPT_HOST")


@pytest.mark.parametrize("words", [["founders"], ["send"], ["--help"], ["why", "1"], ["founders", "show", "nobody"]])
def test_a_terminal_that_knows_few_letters(workspace: Workspace, words: list[str]) -> None:
    (workspace.folder / "polish.csv").write_text("Name,Company,Email\nŽofie Łukasik,Zażółć,z@zazolc.example\n", "utf-8")
    workspace.run("import", "polish.csv")
    workspace.environment["PYTHONIOENCODING"] = "ascii"
    done = workspace.run(*words, exit_code=None)
    assert "has a bug" not in done.stderr
    assert done.returncode == (1 if "nobody" in words else 0)


def test_a_closed_smtp_port(workspace: Workspace) -> None:
    (workspace.folder / "founders.csv").write_text(founders_csv(3))
    workspace.run("import", "founders.csv")
    workspace.run("campaign", "new", "spring", "--sequence", "job-search")
    before = workspace.json("campaign", "show", "spring")
    refused(workspace.run("send", "--live", "--expect", "3", "--no-pacing", exit_code=1), "127.0.0.1")
    assert workspace.json("campaign", "show", "spring") == before
    assert all(item["state"] == "queued" and item["attempts"] == 0 for item in workspace.json("outbox")["items"])


def test_a_sequence_that_is_not_there(workspace: Workspace) -> None:
    refused(workspace.run("campaign", "new", "spring", "--sequence", "nope", exit_code=1), "nope", "job-search")


def test_a_campaign_that_is_not_there(workspace: Workspace) -> None:
    refused(workspace.run("send", "nope", exit_code=1), "nope")


@pytest.mark.parametrize("words", [["send", "--no-such-flag"], ["nonsense"], ["campaign", "new"]])
def test_wrong_usage(workspace: Workspace, words: list[str]) -> None:
    done = workspace.run(*words, exit_code=2)
    assert done.stderr


@pytest.mark.parametrize(
    "words",
    [("founders", "show"), ("why",), ("outbox", "show"), ("replies", "show"), ("duplicates",), ("outbox", "--limit")],
    ids=" ".join,
)
def test_a_number_that_no_store_can_hold(workspace: Workspace, words: tuple[str, ...]) -> None:
    refused(workspace.run(*words, "9" * 23, exit_code=2), "a number is too big")


def test_mails_into_a_folder_that_is_a_file(workspace: Workspace) -> None:
    (workspace.folder / "founders.csv").write_text(founders_csv(1))
    workspace.run("import", "founders.csv")
    workspace.run("campaign", "new", "spring", "--sequence", "job-search")
    refused(workspace.run("preview", "spring", "--eml", "founders.csv", exit_code=2), "File exists")
