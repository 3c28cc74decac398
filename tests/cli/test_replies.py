"""`outreach sync` and `outreach replies …`, as typed: what is shown, and what scripts rely on."""

import csv
import json
import os
import stat
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from outreach.cli import run
from outreach.cli._shell import Shell
from outreach.core.records import OutboxItem, OutboxState
from outreach.store import tables as t
from outreach.workspace import open_store
from tests.factory import add_founders, queue_all, start_campaign
from tests.fakes import MONDAY_MORNING, FakeClock
from tests.mails import mail, report

ENVIRONMENT = {
    "OUTREACH_FROM": "Ada Testwell <ada@ada.example>",
    "OUTREACH_PURPOSE": "job-search",
    "OUTREACH_MAILDIR": "Maildir",
}


class Desk:
    """A workspace from which Bo and Cy were written to."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._capsys = folder, capsys
        self.clock = FakeClock()
        for part in ("new", "cur", "tmp"):
            (folder / "Maildir" / part).mkdir(parents=True)
        self.run("init", str(folder), "--yes")
        store = open_store(folder, ENVIRONMENT)
        add_founders(store, ["Bo", "Cy"])
        campaign, _ = start_campaign(store)
        self.items = {item.rcpt: item for item in queue_all(store, campaign)}
        with store.database.write() as connection:
            values = {"state": OutboxState.SENT, "intent_at": MONDAY_MORNING, "sent_at": MONDAY_MORNING}
            connection.execute(sa.update(t.outbox).values(**values))
        store.close()
        self.clock.move(timedelta(hours=4))

    @property
    def bo(self) -> OutboxItem:
        return self.items["bo@bo.example"]

    def arrive(self, raw: bytes) -> None:
        file = self.folder / "Maildir" / "new" / f"{len(list(self.folder.rglob('*.test')))}.test"
        file.write_bytes(raw)
        os.utime(file, (self.clock.now().timestamp(),) * 2)

    def run(self, *words: str, code: int = 0) -> tuple[str, str]:
        """stdout and stderr of one command."""
        shell = Shell(environment=ENVIRONMENT, clock=self.clock)
        assert run(["-C", str(self.folder), *words], shell) == code
        said = self._capsys.readouterr()
        return said.out, said.err

    def json(self, *words: str, code: int = 0) -> Any:
        return json.loads(self.run(*words, "--json", code=code)[0])


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(tmp_path / "desk", capsys)


def reply(desk: Desk, text: str = "Yes, let us talk.", **headers: str) -> bytes:
    return mail(text, in_reply_to=desk.bo.message_id, date=desk.clock.now(), **headers)


def test_sync_says_what_came_and_what_it_did(desk: Desk) -> None:
    desk.arrive(reply(desk))
    desk.arrive(mail("Dinner?", sender="mum@family.example", message_id="<2@family.example>"))
    out, _ = desk.run("sync")
    assert "reply: Bo Brightly <bo@bo.example>  Yes, let us talk." in out
    assert "2 new mails: 1 reply, 1 other mail" in out
    assert "stopped writing to 1 person" in out
    assert "Dinner" not in out
    assert desk.run("sync")[0] == "nothing new\n"


def test_sync_puts_copies_of_what_was_sent_into_the_sent_folder(desk: Desk) -> None:
    for part in ("new", "cur", "tmp"):
        (desk.folder / "Maildir" / ".Sent" / part).mkdir(parents=True)
    assert desk.run("sync")[0] == "nothing new\n2 copies of your mails put into Sent\n"
    filed = sorted(path.read_bytes() for path in (desk.folder / "Maildir" / ".Sent" / "cur").iterdir())
    assert filed == sorted(item.mime.replace(b"\r\n", b"\n") for item in desk.items.values())
    assert desk.run("sync")[0] == "2 new mails: 2 mails of yours\n"
    assert (desk.json("sync")["fetched"], desk.json("sync")["filed"]) == (0, 0)


def test_no_copies_where_nobody_wants_them_or_the_provider_makes_them(desk: Desk) -> None:
    for part in ("new", "cur", "tmp"):
        (desk.folder / "Maildir" / ".Sent" / part).mkdir(parents=True)
    env = desk.folder / ".env"
    env.write_text(f"{env.read_text()}\nOUTREACH_SENT_COPIES=never\n")
    assert desk.json("sync")["filed"] == 0
    env.write_text(env.read_text().replace("COPIES=never", "COPIES=auto\nOUTREACH_SMTP_HOST=smtp.gmail.com"))
    assert desk.json("sync")["filed"] == 0
    env.write_text(env.read_text().replace("smtp.gmail.com", "smtp.ada.example"))
    assert desk.json("sync")["filed"] == 2


def test_a_copy_that_cannot_be_put_there_keeps_nothing_from_being_read(desk: Desk) -> None:
    for part in ("new", "cur"):
        (desk.folder / "Maildir" / ".Sent" / part).mkdir(parents=True)  # without `tmp`, nothing can be delivered there
    desk.arrive(reply(desk))
    out, err = desk.run("sync")
    assert "1 new mail: 1 reply" in out
    assert "cannot be written" in err
    assert "OUTREACH_SENT_COPIES=never" in err


def test_the_documents_scripts_rely_on(desk: Desk) -> None:
    desk.arrive(reply(desk))
    desk.arrive(report(returned_id=desk.items["cy@cy.example"].message_id, recipient="cy@cy.example"))
    found = desk.json("sync")
    assert (found["fetched"], found["unmatched"]) == (2, 0)
    assert (found["by_kind"]["reply"], found["by_kind"]["bounce"], found["by_kind"]["unsubscribe"]) == (1, 1, 0)
    listed = desk.json("replies")
    assert listed["total"] == 2
    answer = next(each for each in listed["replies"] if each["kind"] == "reply")
    keys = "id kind subkind from subject received_at campaign step founder text evidence label"
    assert set(keys.split()) <= set(answer)
    assert (answer["from"], answer["campaign"], answer["step"], answer["label"]) == ("bo@bo.example", "spring", 1, None)
    assert desk.json("replies", "--kind", "bounce")["total"] == 1
    assert desk.json("replies", "--since", "2030-01-01")["total"] == 0
    assert desk.json("replies", "--campaign", "spring", "--unlabelled", "--limit", "1")["total"] == 2


def test_show_puts_the_new_text_first_then_the_thread_then_why(desk: Desk) -> None:
    desk.arrive(reply(desk, "Yes.\n\nOn Monday Ada wrote:\n> Hi Bo,\n> \n> are you hiring?"))
    desk.run("sync")
    out, _ = desk.run("replies", "show", "1")
    assert out.index("Yes.") < out.index("your mail, step 1") < out.index("rule: written by a person")
    assert out.count("are you hiring?") == 1
    shown = desk.json("replies", "show", "1")
    assert "> are you hiring?" in shown["full_text"]
    assert shown["thread"][0]["step"] == 1


def test_labels_and_notes(desk: Desk) -> None:
    desk.arrive(reply(desk))
    desk.run("sync")
    assert desk.json("replies", "label", "1", "Not Now")["label"] == "not-now"
    desk.run("replies", "note", "1", "call on Thursday")
    found = desk.json("replies")["replies"][0]
    assert (found["label"], found["note"]) == ("not-now", "call on Thursday")
    assert desk.json("replies", "--unlabelled")["total"] == 0
    assert "not-now" in desk.run("replies")[0]


def test_export_is_private_and_runs_no_formulas(desk: Desk) -> None:
    desk.arrive(reply(desk, '=HYPERLINK("https://x.example","click")'))
    desk.run("sync")
    file = desk.folder / "out.csv"
    desk.run("replies", "export", str(file))
    assert file.read_bytes().startswith(b"\xef\xbb\xbf"), "or Excel takes it for Windows-1252"
    (row,) = csv.DictReader(file.read_text("utf-8-sig").splitlines())
    assert row["text"].startswith("'=HYPERLINK")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "is there already" in desk.run("replies", "export", str(file), code=2)[1]
    desk.run("replies", "export", str(file), "--force")


def test_hostile_text_reaches_the_terminal_harmless(desk: Desk) -> None:
    desk.arrive(reply(desk, "\x1b]52;c;x\x07 [red]\u202e", sender='"\x1b[2J" <bo@bo.example>', subject="[/x] \x9b31m"))
    for words in (("sync",), ("replies",), ("replies", "show", "1")):
        out, err = desk.run(*words)
        assert not set("\x1b\x07\x9b\u202e") & set(out + err)


def test_what_cannot_be_read_whole_ends_with_3(desk: Desk) -> None:
    desk.arrive(reply(desk, "--b\nContent-Type: text/plain\n\nx\n" * 300, content_type="multipart/mixed; boundary=b"))
    assert "could not be read whole" in desk.run("sync", code=3)[1]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("replies", "show", "99"), 1, "there is no reply 99"),
        (("replies", "--kind", "letter"), 2, "there is no kind called letter"),
        (("replies", "--campaign", "none"), 1, "no campaign called none"),
        (("sync", "--since", "yesterday"), 2, "is not a date"),
    ],
)
def test_mistakes_are_named(desk: Desk, words: tuple[str, ...], code: int, said: str) -> None:
    _, err = desk.run(*words, code=code)
    assert said in err
    assert "hint: " in err


def test_nothing_yet(desk: Desk) -> None:
    assert "outreach sync" in desk.run("replies")[1]


def test_nothing_that_fits_is_not_nothing_at_all(desk: Desk) -> None:
    desk.arrive(reply(desk))
    desk.run("sync")
    assert "no reminder is due" in desk.run("replies", "--due")[1]
    assert "nothing fits" in desk.run("replies", "--kind", "complaint")[1]


def test_a_label_that_no_report_counts_is_said(desk: Desk) -> None:
    desk.arrive(reply(desk))
    desk.run("sync")
    assert "intrested is a label of your own" in desk.run("replies", "label", "1", "intrested")[1]
    assert desk.run("replies", "label", "1", "interested")[1] == ""


def test_a_table_has_the_times_of_the_users_zone(desk: Desk) -> None:
    desk.arrive(reply(desk))
    desk.run("sync")
    (desk.folder / ".env").write_text((desk.folder / ".env").read_text() + "OUTREACH_TIMEZONE='Asia/Tokyo'\n")
    received = datetime.fromisoformat(desk.json("replies")["replies"][0]["received_at"])
    assert f"{received.astimezone(ZoneInfo('Asia/Tokyo')):%Y-%m-%d %H:%M}" in desk.run("replies")[0]
    [item] = desk.json("outbox", "--limit", "1")["items"]
    sent = datetime.fromisoformat(item["sent_at"]).astimezone(ZoneInfo("Asia/Tokyo"))
    assert f"{sent:%Y-%m-%d %H:%M}" in desk.run("outbox")[0]


def test_a_report_counts_everyone_once(desk: Desk) -> None:
    desk.arrive(reply(desk))
    desk.run("sync")
    [funnel] = desk.json("report")["campaigns"]
    stopped = funnel["enrolled"] - funnel["waiting"] - funnel["held"] - funnel["finished"]
    assert stopped
    assert f"finished, {stopped} stopped" in desk.run("report")[0]


def test_no_inbox_is_named(desk: Desk) -> None:
    (desk.folder / "Maildir" / "new").rename(desk.folder / "Maildir" / "other")
    out, err = desk.run("sync", code=1)
    assert "is not a Maildir" in err
    assert out == ""
