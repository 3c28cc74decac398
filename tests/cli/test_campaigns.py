"""Campaigns as a person types them: a filter that fits nobody, a change of mind, and what each command says."""

import shutil
import sys
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.cli.program import Workspace, founders_csv
from tests.cli.terminal import converse

_TOKYO = ZoneInfo("Asia/Tokyo")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = Workspace.create(tmp_path / "w", TIMEZONE="Asia/Tokyo")
    (made.folder / "founders.csv").write_text(founders_csv(20))
    made.run("import", "founders.csv")
    return made


def test_a_filter_that_fits_nobody_is_said_and_can_be_changed(workspace: Workspace) -> None:
    done = workspace.run("campaign", "new", "spring", "--sequence", "job-search", "--search", "nobdy")
    assert "nobody fits --search nobdy" in done.stderr
    assert "outreach campaign edit spring" in done.stderr
    assert "  whom: --search nobdy\n" in workspace.run("campaign", "show", "spring").stdout
    workspace.run("campaign", "edit", "spring", "--employees", "many", exit_code=2)
    for code, *wrong in ((2, "--purpose", "fun"), (2, "--allow-country", "Atlantis=x"), (1, "--mailbox", "nowhere")):
        edit = ("campaign", "edit", "spring", "--search", "bo", "--why", "they hire", *wrong)
        workspace.run(*edit, exit_code=code)
    assert workspace.json("campaign", "show", "spring")["filters"] == {"search": "nobdy"}
    assert "they hire" not in workspace.run("campaign", "show", "spring").stdout
    workspace.run("campaign", "edit", "spring", "--search", "bo", "--has-email")
    assert "  whom: --has-email --search bo\n" in workspace.run("campaign", "show", "spring").stdout
    assert workspace.json("campaign", "enroll", "spring")["enrolled"] == 2
    workspace.run("campaign", "edit", "spring", "--why", "they hire")
    assert workspace.json("campaign", "show", "spring")["filters"] == {"search": "bo", "has_email": "yes"}


def test_a_sequence_is_called_by_a_name_and_never_by_a_path(workspace: Workspace) -> None:
    for folder in (workspace.folder / "elsewhere", workspace.folder / "templates" / ".hidden"):
        shutil.copytree(workspace.folder / "templates" / "job-search", folder)
    for name in ("../elsewhere", str(workspace.folder / "elsewhere"), "job-search/../../elsewhere", ".hidden", ""):
        refused = workspace.run("campaign", "new", "spring", "--sequence", name, exit_code=1).stderr
        assert refused.startswith(f"error: {name!r} is no name for a sequence.\n")
        assert refused.endswith("there are: fundraising, job-search, sales\n")
    assert workspace.json("campaign", "list")["campaigns"] == []
    assert "is no name for a sequence" in workspace.run("check", "../elsewhere", exit_code=1).stderr
    assert "hidden" not in workspace.run("check").stdout


def test_without_a_campaign_send_and_status_say_so(workspace: Workspace) -> None:
    for words in (["send"], ["status"]):
        assert "no campaign of yours is under way" in workspace.run(*words).stdout
    assert workspace.json("status")["why_not_now"] == "no-campaign"


def test_status_says_what_send_would_refuse(workspace: Workspace, tmp_path: Path) -> None:
    workspace.run("campaign", "new", "spring", "--sequence", "job-search")
    assert workspace.json("status")["warnings"] == []
    copy = Workspace(tmp_path / "copy", workspace.environment)
    shutil.copytree(workspace.folder, copy.folder)
    assert "look          nothing is sent from here: this store is a copy" in copy.run("status").stdout
    log = workspace.folder / "sent.log"
    log.write_text('{"kind":"intent","message_id":"<1@testwell.example>","token":"t"}\n', "utf-8")
    assert "or is an older one; outreach doctor" in workspace.run("status").stdout
    log.unlink()
    workspace.environment = {**workspace.environment, "OUTREACH_PURPOSE": "commercial"}
    assert "commercial mail needs a postal address" in workspace.run("status").stdout


def test_a_campaign_goes_through_its_states_for_scripts_too(workspace: Workspace) -> None:
    workspace.run("campaign", "new", "spring", "--sequence", "job-search")
    assert "outreach campaign resume spring" in workspace.run("campaign", "pause", "spring").stderr
    assert workspace.json("campaign", "pause", "spring", exit_code=0)["state"] == "paused"
    resumed = workspace.json("campaign", "resume", "spring", exit_code=0)
    assert (resumed["state"], resumed["was_paused"]) == ("active", "by hand")
    assert workspace.json("campaign", "stop", "spring", exit_code=0) == {"campaign": "spring", "state": "stopped"}
    assert workspace.json("campaign", "list")["campaigns"][0]["sequence"] == "job-search"


@pytest.mark.parametrize(("answer", "code", "state"), [("n", 1, "active"), ("", 1, "active"), ("y", 0, "stopped")])
def test_at_a_terminal_a_campaign_ends_only_when_somebody_says_so(
    workspace: Workspace, answer: str, code: int, state: str
) -> None:
    workspace.run("campaign", "new", "spring", "--sequence", "job-search")
    command = [sys.executable, "-m", "outreach", "-C", str(workspace.folder), "campaign", "stop", "spring"]
    done, seen = converse(command, workspace.environment, "End it for good?", [answer])
    assert done == code, seen
    assert "20 people in spring would get no more mail" in seen
    assert workspace.json("campaign", "show", "spring")["state"] == state


def test_a_dry_run_of_enrolling_says_whom_in_json_too(workspace: Workspace) -> None:
    told = workspace.json("campaign", "new", "spring", "--sequence", "job-search", "--search", "boaa", "--dry-run")
    assert told["chosen"] == [{"founder": 1, "name": "Boaa Quill"}]
    assert workspace.json("campaign", "list")["total"] == 0


def test_many_people_with_one_reason_are_told_it_in_words(workspace: Workspace) -> None:
    (workspace.folder / "more.csv").write_text(
        "Name,Company,Website\n" + "".join(f"Al{n} Quill,Co{n},co{n}.example\n" for n in range(16))
    )
    workspace.run("import", "more.csv")
    done = workspace.run("campaign", "new", "spring", "--sequence", "job-search")
    assert "and 13 more (no-address: no e-mail address is known; outreach find looks for one)" in done.stdout


def test_a_founder_on_the_list_is_named(workspace: Workspace) -> None:
    workspace.run("suppress", "add", "1")
    workspace.run("suppress", "add", "acme.example")
    told = workspace.run("suppress", "list").stdout
    for who in ("Boaa Quill (founder 1)", "\nboaa@boaa.example", "everyone at acme.example"):
        assert who in told
    assert "person:" not in told
    assert "Boaa Quill (founder 1)" in workspace.run("suppress", "remove", "1").stdout


def test_every_table_shows_the_times_of_the_users_zone(workspace: Workspace) -> None:
    workspace.run("suppress", "add", "acme.example")
    for words, key, list_ in (
        (["imports"], "imported_at", "imports"),
        (["suppress", "list"], "created_at", "suppressions"),
    ):
        [entry] = workspace.json(*words)[list_]
        here = datetime.fromisoformat(entry[key]).astimezone(_TOKYO)
        assert f"{here:%Y-%m-%d %H:%M}" in workspace.run(*words).stdout
    [entry] = workspace.json("imports")["imports"]
    here = datetime.fromisoformat(entry["imported_at"]).astimezone(_TOKYO)
    assert f"imported {here:%a %d %b %Y %H:%M} JST" in workspace.run("imports", "show", "1").stdout


def test_an_empty_outbox_and_a_limit(workspace: Workspace) -> None:
    assert "the outbox is empty" in workspace.run("outbox").stderr
    assert "no message fits" in workspace.run("outbox", "--state", "failed").stderr
    assert workspace.json("outbox", "--limit", "1") == {"items": [], "total": 0}
