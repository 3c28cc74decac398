"""What is held about one person, as typed: all of theirs, and nothing that is only somebody else's."""

import json
import stat
from pathlib import Path

from tests.cli.program import Workspace
from tests.cli.test_main_job import ADDRESSES, COMPANIES, answer
from tests.smtp_server import Behaviour, smtp_server


def test_everything_about_one_person_is_told(tmp_path: Path) -> None:
    behaviour = Behaviour()
    with smtp_server(behaviour) as port:
        workspace = Workspace.create(tmp_path / "w", port=port)
        (workspace.folder / "companies.csv").write_text(COMPANIES)
        (workspace.folder / "addresses.csv").write_text(ADDRESSES)
        workspace.run("import", "companies.csv", "addresses.csv", "--tag", "berlin-tag")
        workspace.run("founders", "edit", "Bo Brightly", "--title", "Chief Canary")
        workspace.run("campaign", "new", "spring", "--sequence", "job-search")
        workspace.run("send", "spring", "--live", "--expect", "2", "--no-pacing")
    (mail,) = (each for each in behaviour.ledger if list(each.rcpts) == ["bo@quill.example"])
    answer(workspace, mail, "Please remove me from your list, says canary seven.")
    workspace.run("sync")

    done = workspace.run("export-person", "bo@quill.example")
    told = json.loads(done.stdout)
    assert "look through it before you hand it on" in done.stderr
    assert (told["name"], told["company"]["name"]) == ("Bo Brightly", "Quill Labs")
    assert [row["value"] for row in told["edits"]] == ["Chief Canary"]
    assert [row["tag"] for row in told["tags"]] == ["berlin-tag"]
    assert [row["key"] for row in told["addresses"]] == ["bo@quill.example"]
    assert {row["file"] for row in told["lists"]} == {"companies.csv", "addresses.csv"}
    assert [(row["campaign"], row["state"]) for row in told["enrollments"]] == [("spring", "stopped")]
    assert [(row["rcpt"], row["state"]) for row in told["mails"]] == [("bo@quill.example", "sent")]
    assert "Subject: " in told["mails"][0]["mime"]
    assert [row["outcome"] for row in told["attempts"]]
    assert ["canary seven" in row["text"] for row in told["answers"]] == [True]
    assert {row["kind"] for row in told["suppressions"]} == {"opt_out"}
    assert {line["rcpt"] for line in told["sent_log"] if "rcpt" in line} == {"bo@quill.example"}
    assert told["suppression_log"]
    assert "di@sprout.example" not in done.stdout

    workspace.run("export-person", "Bo Brightly", "--file", "bo.json")
    written = workspace.folder / "bo.json"
    assert json.loads(written.read_text())["mails"] == told["mails"]
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    again = workspace.run("export-person", "Bo Brightly", "--file", "bo.json", exit_code=2)
    assert "add --force" in again.stderr
    assert workspace.run("export-person", "nobody", exit_code=1).stderr.startswith("error: there is no founder")
