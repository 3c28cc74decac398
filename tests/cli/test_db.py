"""The store's own commands, on a real PostgreSQL server: there, back, and what a person reads on the way."""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.cli.program import ROOT, Workspace, founders_csv
from tests.postgres import Server, postgres


def say_where(workspace: Workspace, url: str) -> None:
    env = workspace.folder / ".env"
    lines = [line for line in env.read_text().splitlines() if not line.startswith("OUTREACH_DATABASE_URL")]
    env.write_text("\n".join([*lines, f"OUTREACH_DATABASE_URL='{url}'" if url else ""]) + "\n")


def test_a_workspace_moves_to_a_server_and_home_again(tmp_path: Path, server: Server) -> None:
    workspace = Workspace.create(tmp_path / "w", TRANSPORT="directory")
    (workspace.folder / "founders.csv").write_text(founders_csv(3))
    workspace.run("import", "founders.csv")
    workspace.run("campaign", "new", "spring", "--sequence", "job-search")
    assert "does not say where to" in workspace.run("db", "copy", exit_code=2).stderr
    url = server.create()
    say_where(workspace, url.replace("postgres@", "postgres:CANARY@"))
    empty = workspace.run("status", exit_code=1).stderr
    assert "outreach db copy" in empty
    assert "CANARY" not in empty
    assert workspace.json("db", "copy")["rows"]["founders"] == 3
    assert workspace.json("send", "--live", "--no-pacing", "--expect", "3")["sent"] == 3
    copied = workspace.json("db", "backup", "b.db")
    assert copied["rows"]["outbox"] == 3
    assert "there already" in workspace.run("db", "backup", "b.db", exit_code=1).stderr
    assert "nothing to do" in workspace.run("db", "upgrade").stdout
    assert [line for line in workspace.run("doctor", exit_code=None).stdout.splitlines() if "store" in line[:10]]

    say_where(workspace, "")
    retired = workspace.run("status", exit_code=1).stderr
    assert "was moved to postgresql://postgres@127.0.0.1" in retired
    say_where(workspace, url)
    assert workspace.json("db", "copy", "--back")["to"] == "outreach.db"
    assert "was moved to outreach.db" in workspace.run("status", exit_code=1).stderr
    say_where(workspace, "")
    assert workspace.json("outbox")["total"] == 3
    assert workspace.json("send")["planned"] == 0


def test_after_a_failover_nothing_is_sent_until_a_person_has_looked(tmp_path: Path) -> None:
    with postgres("fsync=off", on_disk=False) as own:
        workspace = Workspace.create(tmp_path / "w", TRANSPORT="directory", DATABASE_URL=own.create())
        (workspace.folder / "founders.csv").write_text(founders_csv(2))
        workspace.run("import", "founders.csv")
        workspace.run("campaign", "new", "spring", "--sequence", "job-search")
        assert workspace.json("send", "--live", "--no-pacing", "--limit", "1", "--expect", "1")["sent"] == 1
        own.promote()
        refused = workspace.run("send", "--live", "--no-pacing", "--expect", "1", exit_code=1).stderr
        assert "this store is a copy, or was moved" in refused
        workspace.run("doctor", "--adopt", "--yes")
        assert workspace.json("send", "--live", "--no-pacing", "--expect", "1")["sent"] == 1
    assert len(list((workspace.folder / "outbox").glob("*.eml"))) == 2


def test_a_colleague_joins_with_the_key_and_not_without(tmp_path: Path, server: Server) -> None:
    url = server.create()
    first = Workspace.create(tmp_path / "first", DATABASE_URL=url)
    first.run("campaign", "new", "spring", "--sequence", "job-search")
    joining = tmp_path / "second"
    joining.mkdir()
    shutil.copy(first.folder / ".env", joining)
    second = Workspace(joining, first.environment)
    refused = second.run("init", "--yes", exit_code=1).stderr
    assert "outreach.key is missing" in refused
    assert "copy it from the workspace that made the store" in refused
    shutil.copy(first.folder / "outreach.key", joining)
    second.run("init", "--yes")
    assert [each["name"] for each in second.json("report")["campaigns"]] == ["spring"]


def test_without_the_library_it_says_what_to_install_and_sqlite_never_loads_it(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['psycopg'] = None\n"  # as if it were not installed
        "from outreach.cli import run\n"
        "sys.exit(run(['-C', sys.argv[1], 'founders']))"
    )
    workspace = Workspace.create(tmp_path / "w")
    command = [sys.executable, "-c", code, str(workspace.folder)]
    plain = subprocess.run(command, cwd=ROOT, env=workspace.environment, capture_output=True, text=True, check=False)
    assert plain.returncode == 0, plain.stderr
    say_where(workspace, "postgresql://ada@127.0.0.1:1/x")
    lacking = subprocess.run(command, cwd=ROOT, env=workspace.environment, capture_output=True, text=True, check=False)
    assert lacking.returncode == 1
    assert "pip install 'outreach[postgres]'" in lacking.stderr


def test_a_store_named_by_its_file_lies_in_the_workspace_wherever_one_stands(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "w", DATABASE_URL="sqlite:///people.db")
    assert (workspace.folder / "people.db").is_file()
    Workspace(tmp_path, workspace.environment).run("-C", "w", "status")
