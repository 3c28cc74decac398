"""Several mailboxes at the prompt: who writes to whom, what each may still send, what is said where one is broken."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest

from outreach.cli import run
from outreach.cli._shell import Shell
from tests.cli.program import founders_csv
from tests.fakes import FakeClock
from tests.servers import free_port
from tests.smtp_server import Behaviour, smtp_server

SETTINGS = {
    "FROM": "Ada Testwell <ada@first.example>",
    "PURPOSE": "job-search",
    "TRANSPORT": "directory",
    "MAILDIR": "A",
    "DAILY_CAP": "3",
    "RAMP": "0",
}
SALES = 'OUTREACH_FROM="Bea Testwell <bea@second.example>"\nOUTREACH_MAILDIR=B\nOUTREACH_DAILY_CAP=6\n'


@dataclass
class Prompt:
    """Commands run in this process, in one folder, at a time that stands still."""

    folder: Path
    capture: pytest.CaptureFixture[str]
    clock: FakeClock = field(default_factory=FakeClock)
    code: int = 0
    said: str = ""

    def __call__(self, *words: str, environment: dict[str, str] | None = None) -> str:
        """What stands on stdout; `code` and `said` (stderr) are kept."""
        self.capture.readouterr()
        self.code = run(list(words), Shell(self.folder, environment or {}, clock=self.clock))
        out, self.said = self.capture.readouterr()
        return out

    def json(self, *words: str) -> Any:
        return json.loads(self(*words, "--json"))

    def mails(self) -> list[tuple[str, str]]:
        """(From, To) of everything that left."""
        found = [message_from_bytes(file.read_bytes()) for file in (self.folder / "outbox").glob("*.eml")]
        return sorted((str(each["From"]), str(each["To"])) for each in found)


@pytest.fixture
def outreach(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Prompt:
    monkeypatch.chdir(tmp_path)
    prompt = Prompt(tmp_path, capsys)
    prompt("init", "--yes", environment={f"OUTREACH_{name}": value for name, value in SETTINGS.items()})
    for part in ("A/new", "A/cur", "B/new", "B/cur", "mailboxes"):
        (tmp_path / part).mkdir(parents=True)
    (tmp_path / "mailboxes" / "sales.env").write_text(SALES)
    (tmp_path / "mailboxes" / "sales.env").chmod(0o600)
    (tmp_path / "founders.csv").write_text(founders_csv(6))
    prompt("import", "founders.csv")
    assert prompt("campaign", "new", "spring", "-s", "job-search", "--mailbox", "default", "--mailbox", "sales")
    assert prompt.code == 0, prompt.said
    return prompt


def test_the_list_says_what_each_may_still_send(outreach: Prompt) -> None:
    found = outreach.json("mailboxes")["mailboxes"]
    assert [(each["name"], each["address"], each["people"], each["left_24h"], each["left_1h"]) for each in found] == [
        ("default", "ada@first.example", 2, 3, 3),
        ("sales", "bea@second.example", 4, 6, 6),
    ]
    outreach("send", "--live", "--expect", "6", "--no-pacing")
    assert outreach.code == 0, outreach.said
    [ada, bea] = outreach.json("mailboxes")["mailboxes"]
    assert (ada["sent_24h"], ada["left_24h"], bea["sent_24h"], bea["left_24h"]) == (2, 1, 4, 2)
    assert "2 of 3, 1 left" in outreach("mailboxes")


def test_everyone_keeps_the_mailbox_that_was_shown(outreach: Prompt) -> None:
    shown = {each["address"]: each["from"] for each in outreach.json("preview", "spring", "--all")["messages"]}
    listed = {each["address"]: each["from"] for each in outreach.json("campaign", "show", "spring")["founders"]}
    assert {address: sender.partition("<")[2].rstrip(">") for address, sender in shown.items()} == listed
    dry = outreach("send", "spring", "--no-pacing")
    assert "2 from Ada Testwell <ada@first.example>" in dry
    assert "4 from Bea Testwell <bea@second.example>" in dry
    outreach("send", "spring", "--live", "--expect", "6", "--no-pacing")
    assert {to.partition("<")[2].rstrip(">"): sender for sender, to in outreach.mails()} == shown
    assert {each["address"]: each["from"] for each in outreach.json("outbox")["items"]} == listed
    who = next(iter(listed))
    assert f"from {listed[who]}" in outreach("why", who)
    [funnel] = outreach.json("report")["campaigns"]
    assert [(each["mailbox"], each["mailed"]) for each in funnel["mailboxes"]] == [
        ("ada@first.example", 2),
        ("bea@second.example", 4),
    ]


def test_only_one_mailbox_on_request(outreach: Prompt) -> None:
    outreach("send", "--live", "--expect", "2", "--no-pacing", "--mailbox", "ada@first.example")
    assert {sender for sender, _ in outreach.mails()} == {"Ada Testwell <ada@first.example>"}
    outreach("send", "--mailbox", "nobody")
    assert "there is no mailbox nobody" in outreach.said
    assert "default, sales" in outreach.said


def test_a_mailbox_that_cannot_be_read_keeps_its_people_and_nobody_elses(outreach: Prompt) -> None:
    (outreach.folder / "B").rename(outreach.folder / "elsewhere")
    told = outreach("send", "--live", "--expect", "2", "--no-pacing")
    assert outreach.code == 3
    assert "Nothing goes from sales meanwhile." in outreach.said
    assert (
        "0 from Bea Testwell <bea@second.example>; 4 more later (the mailbox cannot be used: its inbox" in outreach.said
    )
    assert "2 sent" in told
    assert {sender for sender, _ in outreach.mails()} == {"Ada Testwell <ada@first.example>"}
    outreach("sync")
    assert outreach.code == 3
    assert outreach.said.startswith("sales: ")
    outreach("mailboxes", "check")
    assert outreach.code == 3
    (outreach.folder / "A").rename(outreach.folder / "away")
    outreach("send", "--live", "--expect", "0", "--no-pacing")
    assert outreach.code == 1


def test_a_server_that_is_down_keeps_its_people_and_nobody_elses(outreach: Prompt) -> None:
    behaviour = Behaviour()
    servers = "OUTREACH_SMTP_HOST=127.0.0.1\nOUTREACH_SMTP_SECURITY=none\nOUTREACH_SMTP_PORT={}\n"
    with smtp_server(behaviour) as port:
        for name, where in ((".env", port), ("mailboxes/sales.env", free_port())):
            file = outreach.folder / name
            file.write_text(file.read_text() + "\n" + servers.format(where))
        env = outreach.folder / ".env"
        env.write_text(env.read_text() + "OUTREACH_TRANSPORT=smtp\n")
        found = outreach.json("send", "--live", "--expect", "2", "--no-pacing")
        assert outreach.code == 3
        assert found["sent"] == 2
        assert found["mailboxes"][1]["reason"].startswith("mailbox-unusable: ")
        outreach("send", "--live", "--expect", "4", "--no-pacing", "--mailbox", "sales")
        assert outreach.code == 1
        assert "nothing was sent" in outreach.said
    assert {str(message_from_bytes(each.data)["From"]) for each in behaviour.ledger} == {SETTINGS["FROM"]}


def test_pause_move_and_resume(outreach: Prompt) -> None:
    outreach("mailboxes", "pause", "sales")
    found = outreach.json("send", "spring")
    assert [(each["name"], each["planned"], each["later"], each["reason"]) for each in found["mailboxes"]] == [
        ("default", 2, 0, None),
        ("sales", 0, 4, "mailbox-paused: by hand"),
    ]
    [_, sales] = outreach.json("status")["mailboxes"]
    assert (sales["due_now"], sales["why_not_now"]) == (0, "mailbox-paused: by hand")
    outreach("send", "--live", "--expect", "2", "--no-pacing")
    assert outreach.json("campaign", "move", "spring", "--from", "sales", "--to", "default")["moved"] == 4
    assert outreach.json("campaign", "move", "spring", "--from", "default", "--to", "sales", "--dry-run") == {
        "campaign": "spring", "moved": 4, "kept": 2, "dry_run": True,
    }  # fmt: skip
    outreach("mailboxes", "resume", "sales")
    assert outreach("mailboxes", "check", "sales").count("sales: ") >= 3
    outreach.clock.move(timedelta(days=1))
    outreach("send", "--live", "--expect", "4", "--no-pacing")
    assert [sender for sender, _ in outreach.mails()] == ["Ada Testwell <ada@first.example>"] * 6


def test_a_move_to_the_same_mailbox_changes_nothing(outreach: Prompt) -> None:
    outreach("campaign", "move", "spring", "--from", "bea@second.example", "--to", "sales")
    assert (outreach.code, "are one mailbox" in outreach.said) == (2, True)


def test_people_of_a_mailbox_without_settings_wait_and_are_told_of(outreach: Prompt) -> None:
    (outreach.folder / "mailboxes" / "sales.env").rename(outreach.folder / "sales.txt")
    told = outreach("send", "spring")
    assert "left out: spring, 4 people of bea@second.example, which has no settings here" in told
    assert "2 mails to send now from Ada Testwell" in told
    assert "bea@second.example has no settings here; waiting for it: 4 people" in outreach("mailboxes")
    assert "nobody writes to 4 of bea@second.example in spring" in outreach("doctor")
    held = outreach.json("preview", "spring", "--all")["held"]
    assert [each["reasons"][0].partition(":")[0] for each in held] == ["no-mailbox"] * 4
    moved = outreach.json("campaign", "move", "spring", "--from", "bea@second.example", "--to", "default")
    assert moved["moved"] == 4
    assert "6 mails to send now" in outreach("send", "spring", "--no-pacing")


def test_doctor_minds_the_files_of_mailboxes_too(outreach: Prompt) -> None:
    (outreach.folder / "mailboxes" / "sales.env").chmod(0o644)
    assert "others can read mailboxes/sales.env" in outreach("doctor")
    assert "sales: " in outreach("doctor")


def test_a_campaign_is_given_other_mailboxes_for_those_who_come_later(outreach: Prompt) -> None:
    before = outreach.json("campaign", "show", "spring")["founders"]
    assert outreach.json("campaign", "edit", "spring", "--mailbox", "sales")["mailboxes"] == ["bea@second.example"]
    (outreach.folder / "more.csv").write_text(founders_csv(8))
    outreach("import", "more.csv")
    assert outreach.json("campaign", "enroll", "spring")["mailboxes"] == {"bea@second.example": 2}
    after = outreach.json("campaign", "show", "spring")["founders"]
    assert [each for each in after if each["founder"] <= 6] == before
