"""Erasing a person, as typed: the bytes of every file of the workspace, before and after kills, backups and other
processes."""

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.program import Workspace
from tests.cli.terminal import converse
from tests.cli.test_main_job import answer
from tests.smtp_server import Behaviour, nth, smtp_server

# ruff: noqa: E501  the lines of a CSV file stand as they are

COMPANIES = """\
Organization Name,Organization Name URL,Website,Description,Founders
Quill Labs,https://www.crunchbase.com/organization/quill-labs,https://quill.example,"Bo Brightly writes, with others.","Bo Brightly, Cy Quill"
Sprout,https://www.crunchbase.com/organization/sprout,https://sprout.example,Grows.,Di Sprout
"""
PEOPLE = """\
Name,Company,Website,Email,Title,Mobile
Bo Brightly,Quill Labs,quill.example,bo@quill.example,Chief Canary,+49 170 555
Cy Quill,Quill Labs,quill.example,cy@quill.example,CEO,
Di Sprout,Sprout,sprout.example,di@sprout.example,CEO,
"""
THEIRS = (b"brightly", b"bo@quill", b"chief canary", b"+49 170 555", b"canary seven", b"a line for bo")
_THE_USERS_OWN = ("companies.csv", "people.csv", "Maildir")


@pytest.fixture
def behaviour() -> Behaviour:
    return Behaviour()


@pytest.fixture
def workspace(tmp_path: Path, behaviour: Behaviour) -> Iterator[Workspace]:
    """Bo was written to, and said no."""
    with smtp_server(behaviour) as port:
        made = Workspace.create(tmp_path / "w", port=port)
        (made.folder / "companies.csv").write_text(COMPANIES)
        (made.folder / "people.csv").write_text(PEOPLE)
        made.run("import", "companies.csv", "people.csv", "--tag", "autumn")
        made.run("founders", "edit", "Bo Brightly", "--line", "A line for Bo.")
        made.run("founders", "--search", "brightly")  # so that the index knows them
        made.run("campaign", "new", "spring", "--sequence", "job-search")
        yield made


def write(workspace: Workspace, behaviour: Behaviour) -> None:
    workspace.run("send", "spring", "--live", "--no-pacing", "--expect", "2")
    (mail,) = (each for each in behaviour.ledger if list(each.rcpts) == ["bo@quill.example"])
    answer(workspace, mail, "Please remove me from your list, says canary seven.")
    workspace.run("sync")


def traces(folder: Path) -> list[str]:
    """Files of the workspace, but for the user's own, in which something of theirs stands."""
    found = []
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.is_file() and inside.parts[0] not in _THE_USERS_OWN:
            said = path.read_bytes().lower()
            found += [f"{inside}: {text.decode()}" for text in THEIRS if text in said]
    return found


def namesakes(workspace: Workspace) -> list[int]:
    found = workspace.json("founders")["founders"]
    return [each["id"] for each in found if each["full_name"] == "Bo Brightly"]


def test_no_byte_of_them_is_left_in_any_file(workspace: Workspace, behaviour: Behaviour) -> None:
    write(workspace, behaviour)
    before = {each.partition(":")[0] for each in traces(workspace.folder)}
    assert before == {"outreach.db", "sent.log", "suppressions.jsonl"}
    done = workspace.run("forget", "bo@quill.example", "--yes")
    assert traces(workspace.folder) == []
    assert done.stdout.startswith("to be erased: Bo Brightly, Quill Labs, bo@quill.example (founder 1)\n")
    for word in ("2 rows of lists", "1 mail,", "1 answer,", "companies.csv", "people.csv", "Maildir", "backed up"):
        assert word in done.stdout
    for words in (["founders"], ["report"], ["status"], ["replies"], ["outbox"], ["suppress", "list"], ["doctor"]):
        workspace.run(*words, exit_code=None)
    assert traces(workspace.folder) == []
    assert workspace.run("why", "bo@quill.example", exit_code=1).stderr.startswith("error: there is no founder")
    [ok] = [each for each in workspace.run("doctor", exit_code=None).stdout.splitlines() if " copy " in each]
    assert "the one that was used last" in ok


def test_what_was_deleted_before_is_gone_from_the_file_too(workspace: Workspace) -> None:
    """SQLite leaves deleted rows in unused places of its file, and an index leaves words of rows that are gone."""
    store = workspace.folder / "outreach.db"
    with closing(sqlite3.connect(store, isolation_level=None)) as connection:
        connection.execute("PRAGMA secure_delete=OFF")  # as where SQLite was built without
        connection.execute("INSERT INTO meta VALUES ('probe', ?)", ("Bo Brightly was here. " * 1000,))
        connection.execute("DELETE FROM meta WHERE name = 'probe'")
    assert b"Bo Brightly was here" in store.read_bytes()
    assert indexed(store, "rightly") > 0
    workspace.run("forget", "Bo Brightly", "--yes")
    assert traces(workspace.folder) == []
    assert indexed(store, "rightly") == 0


def indexed(store: Path, ending: str) -> int:
    """Blocks of the indexes with a word that ends so: they leave out what a word shares with the one before it."""
    with closing(sqlite3.connect(store)) as connection:
        blocks = connection.execute(
            "SELECT block FROM founders_text_data UNION ALL SELECT block FROM addresses_text_data"
        )
        return sum(ending.encode() in bytes(block) for (block,) in blocks)


def test_what_scripts_get(workspace: Workspace, behaviour: Behaviour) -> None:
    write(workspace, behaviour)
    told = workspace.json("forget", "Bo Brightly", "--yes", exit_code=0)
    assert told["forgotten"]["id"] == 1
    assert {name: told["forgotten"]["erased"][name] for name in ("lists", "mails", "answers", "addresses")} == {
        "lists": 2, "mails": 1, "answers": 1, "addresses": 1,
    }  # fmt: skip
    assert told["forgotten"]["hashes"] >= 2
    assert told["forgotten"]["swept"] is True
    assert {"companies.csv", "people.csv"} <= set(told["still_in"])
    assert told["not_touched"]


def test_it_asks_first(workspace: Workspace) -> None:
    refused = workspace.run("forget", "Bo Brightly", exit_code=2)
    assert "hint: outreach forget 1 --yes" in refused.stderr
    words = [sys.executable, "-m", "outreach", "-C", str(workspace.folder), "forget", "Bo Brightly"]
    code, shown = converse(words, workspace.environment, "[y/N]", ["n"])
    assert code == 1
    assert "cannot be undone" in shown
    assert "not erased: nothing was changed" in shown
    assert namesakes(workspace) == [1]
    code, _ = converse(words, workspace.environment, "[y/N]", ["y"])
    assert code == 0
    assert traces(workspace.folder) == []


def test_who_was_erased_before_is_told_so(workspace: Workspace) -> None:
    """Also by the same command, where it was cut off and the next one has finished it."""
    kill(workspace, "commit")
    done = workspace.run("forget", "bo@quill.example", "--yes")
    assert "bo@quill.example was erased before: nothing of them is left here" in done.stdout
    assert workspace.json("forget", "Bo+x@quill.example", "--yes")["forgotten"]["id"] is None
    assert traces(workspace.folder) == []


def test_who_is_meant_must_be_clear(workspace: Workspace) -> None:
    (workspace.folder / "more.csv").write_text(
        "Name,Company,Email,LinkedIn\nBo Brightly,Elsewhere,bo@elsewhere.example,linkedin.com/in/bo-e\n"
    )
    workspace.run("import", "more.csv")
    refused = workspace.run("forget", "Bo Brightly", "--yes", exit_code=1)
    assert "could be 2 founders: 1 Bo Brightly (Quill Labs)" in refused.stderr
    assert workspace.run("forget", "Nobody Atall", "--yes", exit_code=1).stderr.startswith("error: there is no founder")
    workspace.run("forget", "https://www.linkedin.com/in/bo-e/", "--yes")
    assert namesakes(workspace) == [1]


def test_the_same_files_do_not_bring_them_back(workspace: Workspace) -> None:
    workspace.run("forget", "Bo Brightly", "--yes")
    told = workspace.json("import", "companies.csv", "people.csv", exit_code=3)
    skipped = [(file["file"], row["line"], row["reason"]) for file in told["files"] for row in file["skipped"]]
    assert [each[:2] for each in skipped] == [("people.csv", 2)]  # the other names a colleague, and comes in without Bo
    assert all(reason.startswith("erased") for *_, reason in skipped)
    text = workspace.run("import", "people.csv", exit_code=3).stdout
    assert "line 2: skipped, erased" in text
    edited = PEOPLE.replace("Chief Canary", "CTO")
    (workspace.folder / "people.csv").write_text(edited)
    workspace.run("import", "people.csv", exit_code=3)
    refused = workspace.run("founders", "edit", "Cy Quill", "--email", "bo@quill.example", exit_code=2)
    assert "was erased" in refused.stderr
    assert traces(workspace.folder) == []
    assert workspace.json("founders")["total"] == 2


def test_nobody_is_erased_while_a_mail_is_in_doubt(workspace: Workspace, behaviour: Behaviour) -> None:
    behaviour.fault = nth("accepted", "drop", 1)
    done = workspace.json("send", "spring", "--live", "--no-pacing", "--expect", "2", exit_code=None)
    assert done["unknown"] == 1
    [item] = workspace.json("outbox", "--state", "unknown")["items"]
    refused = workspace.run("forget", str(item["founder"]), "--yes", exit_code=1)
    assert f"message {item['id']}" in refused.stderr
    assert f"outreach outbox resolve {item['id']} --sent" in refused.stderr
    workspace.run("outbox", "resolve", str(item["id"]), "--sent")
    workspace.run("forget", str(item["founder"]), "--yes")
    assert workspace.run("founders", "show", str(item["founder"]), exit_code=1).stdout == ""


def test_a_restored_backup_forgets_them_again(workspace: Workspace, behaviour: Behaviour) -> None:
    write(workspace, behaviour)
    workspace.run("db", "backup", "../backup.db")
    workspace.run("forget", "Bo Brightly", "--yes")
    restore(workspace)
    assert traces(workspace.folder)
    workspace.run("send", exit_code=None)
    assert traces(workspace.folder) == []
    assert namesakes(workspace) == []
    workspace.run("doctor", "--adopt", "--yes", exit_code=None)
    workspace.run("sync")
    workspace.run("import", "people.csv", exit_code=3)
    assert traces(workspace.folder) == []
    assert [list(each.rcpts) for each in behaviour.ledger].count(["bo@quill.example"]) == 1


def restore(workspace: Workspace) -> None:
    for end in ("", "-wal", "-shm"):
        workspace.folder.joinpath(f"outreach.db{end}").unlink(missing_ok=True)
    shutil.copy(workspace.folder.parent / "backup.db", workspace.folder / "outreach.db")


def test_without_the_key_nothing_is_taken_for_settled(workspace: Workspace) -> None:
    """The hashes say nothing then: better no import than one that brings them back."""
    workspace.run("forget", "Bo Brightly", "--yes")
    key = workspace.folder / "outreach.key"
    key.rename(workspace.folder / "aside")
    assert "outreach.key is missing" in workspace.run("import", "people.csv", exit_code=1).stderr
    (workspace.folder / "aside").rename(key)
    workspace.run("import", "people.csv", exit_code=3)
    assert traces(workspace.folder) == []


# --- other processes, and kills ---------------------------------------------------------------------

_CHILD = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
import sqlalchemy as sa
from outreach.flows.forget import forget
from outreach.importers import all_importers
from outreach.store.journal import Journal
from outreach.workspace import Workspace, open_store

folder, who, point = sys.argv[1:]

def die(*_about):
    os.kill(os.getpid(), signal.SIGKILL)

class Dying(Journal):
    def rewrite(self, change, more=()):
        if point == f"rewrite {self.path.name}":
            die()
        super().rewrite(change, more)
        if point == f"rewritten {self.path.name}":
            die()
    def record(self, entry, *, durable=True):
        if point == "noted" and not durable:
            super().record(entry, durable=True)
            die()
        super().record(entry, durable=durable)
        if point == "all noted" and durable:
            die()

place = Workspace(Path(folder))
store = open_store(place.folder, os.environ)
engine = store.database.engine
if point == "commit":
    sa.event.listen(engine, "commit", lambda c: die() if c.get_execution_options().get("outreach_writer") else 0)
elif point == "compact":
    store.database.compact = die
else:
    sa.event.listen(engine, "before_cursor_execute", lambda c, u, said, *rest: die() if said.startswith(point) else 0)
forget(store, all_importers(), store.people.get_founder(who).id, sent_log=Dying(place.sent_log),
       log=Dying(place.suppression_log), now=datetime.now(UTC))
"""
_BEFORE = (
    "DELETE FROM attempts",
    "DELETE FROM outbox",
    "UPDATE leads",
    "DELETE FROM founders ",
    "INSERT INTO addresses_text",
)
_BEHIND = ("noted", "all noted", "commit", "rewrite sent.log", "rewritten sent.log", "rewrite suppressions.jsonl",
           "rewritten suppressions.jsonl", "compact")  # fmt: skip


def test_a_kill_leaves_them_wholly_in_or_the_next_command_takes_them_wholly_out(
    workspace: Workspace, behaviour: Behaviour
) -> None:
    """SIGKILL at one step after the other. Before the erasing is noted nothing has happened; behind that, whichever
    command comes next goes on."""
    write(workspace, behaviour)
    workspace.run("db", "backup", "../backup.db")
    logs = {name: (workspace.folder / name).read_bytes() for name in ("sent.log", "suppressions.jsonl")}
    for point in (*_BEFORE, *_BEHIND):
        kill(workspace, point)
        left = namesakes(workspace)
        if point in _BEFORE:
            assert left == [1], point
            assert workspace.json("replies")["total"] == 1, point
            continue
        assert left == [], point
        assert traces(workspace.folder) == [], point
        assert not list(workspace.folder.glob("*.new")), point
        restore(workspace)  # to be killed anew
        for name, text in logs.items():
            (workspace.folder / name).write_bytes(text)
    assert workspace.json("forget", "Bo Brightly", "--yes", exit_code=0)["forgotten"]["swept"]
    assert traces(workspace.folder) == []


def kill(workspace: Workspace, point: str) -> None:
    words = [sys.executable, "-c", _CHILD, str(workspace.folder), "bo@quill.example", point]
    done = subprocess.run(words, env=workspace.environment, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, f"{point}: {done.stderr}"


def test_several_processes_erase_at_once(workspace: Workspace, behaviour: Behaviour) -> None:
    """The same person twice, and another: each is erased, and no line of the logs is lost."""
    write(workspace, behaviour)
    lines = len((workspace.folder / "sent.log").read_text().splitlines())
    words = [sys.executable, "-m", "outreach", "forget", "--yes", "--json"]
    running = [
        subprocess.Popen([*words, who], cwd=workspace.folder, env=workspace.environment, text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for who in ("bo@quill.example", "bo@quill.example", "di@sprout.example")
    ]  # fmt: skip
    ended = [(*each.communicate(), each.returncode) for each in running]
    assert {code for *_, code in ended} <= {0, 1}
    assert ended[2][2] == 0, ended[2]
    assert 0 in {code for *_, code in ended[:2]}
    assert all("there is no founder" in said for _, said, code in ended if code)
    assert [each["full_name"] for each in workspace.json("founders")["founders"]] == ["Cy Quill"]
    assert traces(workspace.folder) == []
    sent = (workspace.folder / "sent.log").read_text()
    assert len(sent.splitlines()) == lines
    assert "di@sprout" not in sent
    noted = [json.loads(line) for line in (workspace.folder / "suppressions.jsonl").read_text().splitlines()]
    assert not any(each.get("unfinished") for each in noted)
