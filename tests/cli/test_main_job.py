"""The main job by hand, as a new user would do it: the real program, a real SMTP server, a real Maildir."""

import json
import stat
from email import message_from_bytes
from email.message import EmailMessage
from email.utils import parseaddr
from pathlib import Path

import pytest

from outreach.settings import load_settings
from tests.cli.program import Workspace, founders_csv
from tests.smtp_server import Accepted, Behaviour, nth, smtp_server

# ruff: noqa: E501  the lines of a CSV file stand as they are
COMPANIES = """\
Organization Name,Organization Name URL,Industries,Headquarters Location,Description,Website,Founders,Number of Founders
Quill Labs,https://www.crunchbase.com/organization/quill-labs,"Artificial Intelligence, SaaS","Berlin, Berlin, Germany",Writes.,https://quill.example,"Bo Brightly, Cy Quill, III",2
Sprout AI,https://www.crunchbase.com/organization/sprout-ai,Artificial Intelligence,"Paris, Ile-de-France, France",Grows.,https://www.sprout.example/en,Di Sprout,1
"""
ADDRESSES = """\
Name,Company,Email
Bo Brightly,Quill Labs,bo@quill.example
Di Sprout,Sprout AI,di@sprout.example
"""


@pytest.fixture
def behaviour() -> Behaviour:
    return Behaviour()


@pytest.fixture
def workspace(tmp_path: Path, behaviour: Behaviour):  # type: ignore[no-untyped-def]  # a generator of one workspace
    with smtp_server(behaviour) as port:
        made = Workspace.create(tmp_path / "w", port=port)
        (made.folder / "companies.csv").write_text(COMPANIES)
        (made.folder / "addresses.csv").write_text(ADDRESSES)
        yield made


def started(workspace: Workspace) -> Workspace:
    workspace.run("import", "companies.csv", "addresses.csv")
    workspace.run("campaign", "new", "spring", "--sequence", "job-search")
    return workspace


def answer(workspace: Workspace, mail: Accepted, text: str, name: str = "1.answer") -> None:
    """What the recipient's mail program would send back, dropped into the Maildir."""
    sent = message_from_bytes(mail.data)
    reply = EmailMessage()
    reply["From"] = f"The Founder <{mail.rcpts[0]}>"
    reply["To"] = "Ada Testwell <ada@testwell.example>"
    reply["Subject"] = f"Re: {sent['Subject']}"
    reply["Message-ID"] = f"<{name}@mail.example>"
    reply["In-Reply-To"] = sent["Message-ID"]
    reply["References"] = sent["Message-ID"]
    reply["Date"] = sent["Date"]
    quoted = "\n".join(f"> {line}" for line in sent.get_payload(decode=True).decode().splitlines())  # type: ignore[union-attr]  # one text part
    reply.set_content(f"{text}\n\nOn Monday Ada Testwell wrote:\n{quoted}\n")
    (workspace.folder / "Maildir" / "new" / name).write_bytes(reply.as_bytes())


def test_from_a_list_to_a_reply_in_the_log(workspace: Workspace, behaviour: Behaviour) -> None:
    imported = workspace.json("import", "companies.csv", "addresses.csv")
    assert imported["companies"]["new"] == 2
    assert imported["founders"]["new"] == 3
    assert imported["addresses"]["new"] == 2

    again = workspace.json("import", "companies.csv", "addresses.csv")
    assert (again["companies"]["new"], again["founders"]["new"], again["addresses"]["new"]) == (0, 0, 0)

    founders = workspace.json("founders", "--has-email")
    assert {founder["full_name"] for founder in founders["founders"]} == {"Bo Brightly", "Di Sprout"}

    campaign = workspace.json("campaign", "new", "spring", "--sequence", "job-search")
    assert campaign["enrolled"] == 2
    assert [entry["reasons"][0].partition(":")[0] for entry in campaign["not_enrolled"]] == ["no-address"]

    shown = workspace.json("preview", "spring")["messages"]
    assert len(shown) == 2

    dry = workspace.json("send", "spring", "--no-pacing")
    assert (dry["live"], dry["planned"], dry["sent"]) == (False, 2, 0)
    assert behaviour.ledger == []

    sent = workspace.json("send", "spring", "--live", "--expect", "2", "--no-pacing", exit_code=0)
    assert (sent["sent"], sent["failed"], sent["unknown"]) == (2, 0, 0)
    assert len(behaviour.ledger) == 2

    answer(workspace, behaviour.ledger[0], "Happy to talk. Tuesday at ten?")
    synced = workspace.json("sync")
    assert synced["by_kind"]["reply"] == 1

    [reply] = workspace.json("replies")["replies"]
    assert (reply["kind"], reply["text"].strip(), reply["campaign"]) == (
        "reply",
        "Happy to talk. Tuesday at ten?",
        "spring",
    )
    assert reply["evidence"]

    workspace.run("replies", "label", str(reply["id"]), "interview")
    [funnel] = workspace.json("report")["campaigns"]
    assert (funnel["mailed"], funnel["replied"], funnel["interview"]) == (2, 1, 1)
    assert funnel["rates"]["reply"]["value"] == 0.5


def test_every_step_tells_the_next(workspace: Workspace, behaviour: Behaviour) -> None:
    said = [
        workspace.run(*words)
        for words in (
            ["import", "companies.csv", "addresses.csv"],
            ["campaign", "new", "spring", "--sequence", "job-search"],
            ["preview", "spring"],
            ["send", "spring", "--no-pacing"],
            ["send", "spring", "--live", "--expect", "2", "--no-pacing"],
        )
    ]
    for done in said:
        assert "next: outreach " in done.stderr, done.args


def test_preview_queue_and_wire_are_the_same_bytes(workspace: Workspace, behaviour: Behaviour) -> None:
    started(workspace)
    before = {mail["message_id"]: mail for mail in workspace.json("preview", "spring")["messages"]}
    workspace.run("send", "--live", "--expect", "2", "--no-pacing")
    workspace.run("preview", "spring", "--step", "1", "--all", "--eml", "eml")
    stored = {
        message_from_bytes(file.read_bytes())["Message-ID"]: file.read_bytes()
        for file in (workspace.folder / "eml").iterdir()
    }
    queued = {item["message_id"]: item for item in workspace.json("outbox")["items"]}
    assert len(behaviour.ledger) == 2
    for mail in behaviour.ledger:
        assert mail.data == stored[mail.message_id]
        assert before[mail.message_id]["sha256"] == queued[mail.message_id]["sha256"]
        text = message_from_bytes(mail.data).get_payload(decode=True).decode()  # type: ignore[union-attr]  # one text part
        assert text.replace("\r\n", "\n") == before[mail.message_id]["text"]


def test_a_reply_stops_the_sequence_and_silence_does_not(workspace: Workspace, behaviour: Behaviour) -> None:
    started(workspace)
    workspace.run("send", "--live", "--expect", "2", "--no-pacing")
    answered, silent = behaviour.ledger
    answer(workspace, answered, "No thanks, we are full.")
    workspace.run("sync")
    entries = {e["address"]: e for e in workspace.json("campaign", "show", "spring")["founders"]}
    assert entries[answered.rcpts[0]]["state"] == "stopped"
    assert entries[silent.rcpts[0]]["state"] == "active"
    status = workspace.json("status")
    assert (status["due_now"], status["why_not_now"]) == (0, "not-due")
    assert status["next_at"]
    assert status["new_replies"] == 1


def test_an_opt_out_is_for_good(workspace: Workspace, behaviour: Behaviour) -> None:
    started(workspace)
    workspace.run("send", "--live", "--expect", "2", "--no-pacing")
    answer(workspace, behaviour.ledger[0], "Please remove me from your list.")
    assert workspace.json("sync")["by_kind"]["unsubscribe"] == 1
    workspace.run("import", "addresses.csv")
    refused = workspace.json("campaign", "new", "autumn", "--sequence", "sales")["not_enrolled"]
    reasons = " ".join(reason for entry in refused for reason in entry["reasons"])
    assert "suppressed: opt_out" in reasons
    (workspace.folder / "outreach.db").rename(workspace.folder / "lost.db")
    for leftover in ("outreach.db-wal", "outreach.db-shm"):
        (workspace.folder / leftover).unlink(missing_ok=True)
    workspace.run("init")
    workspace.run("import", "companies.csv", "addresses.csv")
    refused = workspace.json("campaign", "new", "spring", "--sequence", "job-search")["not_enrolled"]
    assert any("suppressed" in reason for entry in refused for reason in entry["reasons"]), (
        "a new store forgot the opt-out"
    )


def test_nothing_is_sent_without_the_right_number(workspace: Workspace, behaviour: Behaviour) -> None:
    started(workspace)
    off_by_one = workspace.run("send", "--live", "--expect", "3", "--no-pacing", exit_code=1)
    assert "2 mails planned, not 3" in off_by_one.stderr
    unasked = workspace.run("send", "--live", "--no-pacing", exit_code=1)
    assert "--expect 2" in unasked.stderr
    assert behaviour.ledger == []
    assert workspace.json("outbox")["total"] == 0


def test_limit_takes_the_first_of_them(workspace: Workspace, behaviour: Behaviour) -> None:
    started(workspace)
    assert workspace.json("send", "--limit", "1", "--no-pacing")["planned"] == 1
    workspace.run("send", "--live", "--limit", "1", "--expect", "1", "--no-pacing")
    assert len(behaviour.ledger) == 1
    workspace.run("send", "--live", "--expect", "1", "--no-pacing")
    assert len({mail.rcpts for mail in behaviour.ledger}) == 2


def test_a_rejected_address_is_blocked_and_said(tmp_path: Path) -> None:
    behaviour = Behaviour(fault=nth("rcpt", "550 5.1.1 no such user", 1))
    with smtp_server(behaviour) as port:
        workspace = Workspace.create(tmp_path / "w", port=port)
        (workspace.folder / "founders.csv").write_text(founders_csv(2))
        workspace.run("import", "founders.csv")
        workspace.run("campaign", "new", "spring", "--sequence", "job-search")
        done = workspace.run("send", "--live", "--expect", "2", "--no-pacing", "--json", exit_code=3)
    assert json.loads(done.stdout)["failed"] == 1
    [failed] = workspace.json("outbox", "--state", "failed")["items"]
    assert "no such mailbox" in failed["reason"]
    [entry] = workspace.json("suppress", "list")["suppressions"]
    assert entry["value"] == f"address:{failed['address']}"


def test_a_doubt_is_listed_and_settled_by_hand(tmp_path: Path) -> None:
    behaviour = Behaviour(fault=nth("accepted", "drop", 1))
    with smtp_server(behaviour) as port:
        workspace = Workspace.create(tmp_path / "w", port=port)
        (workspace.folder / "founders.csv").write_text(founders_csv(2))
        workspace.run("import", "founders.csv")
        workspace.run("campaign", "new", "spring", "--sequence", "job-search")
        sent = workspace.run("send", "--live", "--expect", "2", "--no-pacing", exit_code=3)
        assert "outreach outbox --state unknown" in sent.stderr
        [doubt] = workspace.json("outbox", "--state", "unknown")["items"]
        assert workspace.json("send", "--no-pacing")["planned"] == 0
        workspace.run("outbox", "resolve", str(doubt["id"]), "--sent")
        assert workspace.json("outbox", "--state", "unknown")["total"] == 0
    assert len(behaviour.ledger) == 2


def test_an_older_copy_of_the_store_sends_nothing(workspace: Workspace, behaviour: Behaviour) -> None:
    started(workspace)
    old = (workspace.folder / "outreach.db").read_bytes()
    workspace.run("send", "--live", "--expect", "2", "--no-pacing")
    for leftover in ("outreach.db-wal", "outreach.db-shm"):
        (workspace.folder / leftover).unlink(missing_ok=True)
    (workspace.folder / "outreach.db").write_bytes(old)
    refused = workspace.run("send", "--live", "--expect", "2", "--no-pacing", exit_code=1)
    assert "sent.log knows 2 mails that this store has forgotten" in refused.stderr
    assert len(behaviour.ledger) == 2


def test_a_colleague_of_someone_who_answered_is_left_alone(workspace: Workspace, behaviour: Behaviour) -> None:
    started(workspace)
    workspace.run("send", "--live", "--expect", "2", "--no-pacing")
    answer(workspace, next(mail for mail in behaviour.ledger if "quill" in mail.rcpts[0]), "No, thank you.")
    workspace.run("sync")
    (workspace.folder / "more.csv").write_text("Name,Company,Email\nCy Quill,Quill Labs,cy@quill.example\n")
    workspace.run("import", "more.csv")
    refused = workspace.json("campaign", "new", "autumn", "--sequence", "sales")["not_enrolled"]
    reasons = {entry["name"]: " ".join(entry["reasons"]) for entry in refused}
    assert any("company-replied: Bo Brightly" in text for name, text in reasons.items() if name.startswith("Cy Quill"))


def test_a_refused_campaign_leaves_nothing_behind(workspace: Workspace) -> None:
    started(workspace)
    workspace.run("campaign", "new", "autumn", "-s", "job-search", "--employees", "abc", exit_code=2)
    workspace.run("campaign", "new", "a b", "-s", "job-search", exit_code=2)
    assert workspace.json("campaign")["total"] == 1


def test_files_are_private(workspace: Workspace) -> None:
    started(workspace)
    workspace.run("send", "--live", "--expect", "2", "--no-pacing")
    for name in (".env", "outreach.db", "outreach.key", "sent.log"):
        assert stat.S_IMODE((workspace.folder / name).stat().st_mode) == 0o600, name


def test_init_keeps_what_is_there(workspace: Workspace) -> None:
    before = {
        path: path.read_bytes()
        for path in workspace.folder.rglob("*")
        if path.is_file() and "outreach.db" not in path.name
    }
    (workspace.folder / "templates" / "sales" / "1-intro.txt").write_text(
        "Subject: mine\n\nHi {{ founder.first_name }}\n"
    )
    workspace.run("init")
    assert (workspace.folder / "templates" / "sales" / "1-intro.txt").read_text().startswith("Subject: mine")
    changed = [path.name for path, data in before.items() if path.read_bytes() != data]
    assert changed == ["1-intro.txt"]


def test_another_folder_with_dash_c(workspace: Workspace, tmp_path: Path) -> None:
    elsewhere = Workspace(tmp_path, workspace.environment)
    done = elsewhere.run("-C", str(workspace.folder), "import", str(workspace.folder / "companies.csv"))
    assert "next: outreach" in done.stderr
    environment = {**workspace.environment, "OUTREACH_WORKSPACE": str(workspace.folder)}
    assert Workspace(tmp_path, environment).json("founders")["total"] == 3


def test_no_send_means_no_connection(workspace: Workspace, behaviour: Behaviour) -> None:
    started(workspace)
    workspace.environment = {**workspace.environment, "OUTREACH_NO_SEND": "1"}
    done = workspace.run("send", "--live", "--expect", "2", "--no-pacing", exit_code=1)
    assert "OUTREACH_NO_SEND" in done.stderr
    assert behaviour.commands == []


def test_commercial_mail_needs_a_postal_address(workspace: Workspace, behaviour: Behaviour) -> None:
    started(workspace)
    workspace.environment = {**workspace.environment, "OUTREACH_PURPOSE": "commercial"}
    done = workspace.run("send", "--live", "--expect", "2", "--no-pacing", exit_code=1)
    assert "OUTREACH_POSTAL_ADDRESS" in done.stderr
    assert behaviour.ledger == []
    workspace.environment = {**workspace.environment, "OUTREACH_POSTAL_ADDRESS": "1 Example Street, Exampletown"}
    done = workspace.run("send", "--live", "--expect", "2", "--no-pacing", exit_code=1)
    assert "does not say why you write to these people" in done.stderr
    workspace.run("campaign", "edit", "spring", "--why", "They hire engineers.")
    held = workspace.json("send", "--no-pacing")["held"]
    assert [entry["reasons"][0].partition(":")[0] for entry in held] == ["country"]
    workspace.run("campaign", "edit", "spring", "--allow-country", "Germany=they asked for offers by mail")
    workspace.run("send", "--live", "--expect", "2", "--no-pacing")
    assert all(b"1 Example Street" in mail.data for mail in behaviour.ledger)


def test_the_directory_transport_writes_files(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "w", TRANSPORT="directory", SMTP_HOST="", SMTP_SECURITY="")
    (workspace.folder / "founders.csv").write_text(founders_csv(3))
    workspace.run("import", "founders.csv")
    workspace.run("campaign", "new", "spring", "--sequence", "job-search")
    assert workspace.json("send", "--live", "--expect", "3", "--no-pacing")["sent"] == 3
    assert len(list((workspace.folder / "outbox").iterdir())) == 3


def test_a_campaign_keeps_its_sender(workspace: Workspace, behaviour: Behaviour) -> None:
    started(workspace)
    workspace.environment = {**workspace.environment, "OUTREACH_FROM": "Ada Testwell <ada@other.example>"}
    refused = workspace.run("send", "spring", "--live", "--expect", "2", "--no-pacing", exit_code=1)
    assert "started from another address" in refused.stderr
    assert workspace.json("send", "--no-pacing")["planned"] == 0
    assert behaviour.ledger == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["afile"], "afile is a file"),
        (["companies.csv/jobs"], "companies.csv/jobs cannot be made a workspace: Not a directory"),
        (["jobs", "--email", "ada"], "--email ada: is not a mailbox"),
        (["jobs", "--provider", "gmial"], "--provider gmial: is not one of"),
        (["jobs", "--purpose", "fun"], "--purpose fun: "),
    ],
)
def test_init_says_what_it_cannot_take(workspace: Workspace, words: list[str], says: str) -> None:
    (workspace.folder / "afile").touch()
    done = workspace.run("init", "--name", "Ada", "--email", "ada@testwell.example", *words, exit_code=None)
    assert done.returncode in (1, 2)
    assert done.stderr.startswith(f"error: {says}")
    assert "has a bug" not in done.stderr
    assert not (workspace.folder / "jobs").exists()


@pytest.mark.parametrize("name", ["Testwell, Ada", 'Ada "Countess" Testwell', "Ada <3 Testwell", "Ada O'Testwell"])
def test_init_takes_a_name_as_it_is(workspace: Workspace, name: str) -> None:
    workspace.run("init", "jobs", "--name", name, "--email", "ada@testwell.example")
    settings = load_settings(workspace.folder / "jobs" / ".env", {})
    assert parseaddr(settings.from_) == (name, "ada@testwell.example")


def test_init_says_that_it_keeps_the_settings_that_are_there(workspace: Workspace) -> None:
    before = (workspace.folder / ".env").read_bytes()
    assert "kept as it is" in workspace.run("init", "--provider", "gmail").stderr
    assert (workspace.folder / ".env").read_bytes() == before


def test_init_says_what_commercial_mail_needs(workspace: Workspace) -> None:
    done = workspace.run("init", "jobs", "--name", "Ada", "--email", "ada@testwell.example")
    assert "OUTREACH_POSTAL_ADDRESS" in done.stderr
    done = workspace.run("init", "j2", "--name", "Ada", "--email", "ada@testwell.example", "--purpose", "job-search")
    assert "OUTREACH_POSTAL_ADDRESS" not in done.stderr
