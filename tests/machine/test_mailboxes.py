"""Two mailboxes with a mail server and an IMAP server each (Postfix's smtp-sink, Dovecot), and a sender that is killed
in the middle: the servers' own ledgers are the judge of who wrote to whom, and that nobody was written to twice."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from time import monotonic, sleep

import pytest

from tests.cli.program import Workspace, founders_csv
from tests.mails import mail
from tests.servers import PASSWORD, Dovecot, Sink, dovecot, give_to, make_authority, smtp_sink

ADA, BEA = "Ada Testwell <ada@first.example>", "Bea Testwell <bea@second.example>"
PEOPLE = 12


@dataclass
class Two:
    """One workspace with two mailboxes, `default` and `second`, and their servers in that order."""

    workspace: Workspace
    sinks: tuple[Sink, Sink]
    imap: Dovecot

    def mails(self, number: int) -> list[Message]:
        """What this mailbox's server took. It writes after its answer, so a moment is given."""
        return [message_from_bytes(raw) for raw in self.sinks[number].mails()]

    def ledger(self, expected: int) -> Counter[str]:
        end = monotonic() + 15
        while monotonic() < end and len(self.mails(0)) + len(self.mails(1)) < expected:
            sleep(0.05)
        return Counter(str(each["To"]) for number in (0, 1) for each in self.mails(number))

    def put(self, user: str, name: str, raw: bytes, folder: str = "") -> None:
        """Into a mailbox, as its server would deliver it."""
        target = self.imap.mail / user / folder
        for part in ("new", "cur", "tmp"):
            (target / part).mkdir(parents=True, exist_ok=True)
        (target / "new" / name).write_bytes(raw)
        if os.geteuid() == 0:
            give_to("nobody", "nogroup", self.imap.mail)


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    authority = make_authority(tmp_path / "ca")
    with (
        dovecot(authority) as imap,
        smtp_sink(authority) as first,
        smtp_sink(authority) as second,
    ):

        def servers(user: str) -> dict[str, str]:
            return {
                "SMTP_HOST": "localhost", "SMTP_SECURITY": "tls",
                "SMTP_CA_FILE": str(authority.ca), "IMAP_HOST": "localhost", "IMAP_PORT": str(imap.tls_port),
                "IMAP_SECURITY": "tls", "IMAP_USERNAME": user, "IMAP_PASSWORD": PASSWORD,
            }  # fmt: skip

        made = Workspace.create(tmp_path / "w", port=first.tls_port, FROM=ADA, MAILDIR="", **servers("ada"))
        lines = {"FROM": f'"{BEA}"', "SMTP_PORT": str(second.tls_port), **servers("bea")}
        file = made.folder / "mailboxes" / "second.env"
        file.parent.mkdir()
        file.write_text("".join(f"OUTREACH_{name}={value}\n" for name, value in lines.items()))
        file.chmod(0o600)
        (made.folder / "founders.csv").write_text(founders_csv(PEOPLE))
        made.run("import", "founders.csv")
        made.run("campaign", "new", "spring", "-s", "job-search", "--mailbox", "default", "--mailbox", "second")
        yield Two(made, (first, second), imap)


def test_a_sender_for_two_mailboxes_that_is_killed_in_the_middle_doubles_and_loses_nobody(two: Two) -> None:
    w = two.workspace
    assert [each for each in w.json("mailboxes", "check")["checks"] if not each["ok"]] == []
    shown = {each["message_id"]: each for each in w.json("preview", "spring", "--all")["messages"]}
    owner = {each["founder"]: each["from"] for each in w.json("campaign", "show", "spring")["founders"]}
    assert Counter(owner.values()) == {"ada@first.example": 6, "bea@second.example": 6}

    w.run("sync")
    # After the eighth answer and before it is recorded: Ada's are through, Bea's are half-way.
    killed = subprocess.run(
        [sys.executable, "-m", "tests.machine.mailboxes_worker", ".", "answered", "8"],
        cwd=w.folder, env=w.environment, check=False,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL

    sent = w.json("send", "--live", "--expect", "4", "--no-pacing", exit_code=3)
    assert (sent["sent"], sent["unknown"]) == (4, 1)
    assert set(two.ledger(PEOPLE).values()) == {1}
    assert len(two.mails(0)) == len(two.mails(1)) == 6
    for number, sender in enumerate((ADA, BEA)):
        for each in two.mails(number):
            seen = shown[str(each["Message-ID"])]
            assert (str(each["From"]), seen["from"]) == (sender, sender)
            assert f"<{owner[seen['founder']]}>" in sender
            text = each.get_payload(decode=True).decode()  # type: ignore[union-attr]  # one text part
            assert text.replace("\r\n", "\n").rstrip() == seen["text"].rstrip()  # the server ends its file with a line
    items = w.json("outbox")["items"]
    assert {each["message_id"]: each["sha256"] for each in items} == {
        message_id: each["sha256"] for message_id, each in shown.items()
    }

    # The doubt is Bea's, and lies in the Sent folder of hers.
    [doubt] = w.json("outbox", "--state", "unknown")["items"]
    assert doubt["from"] == "bea@second.example"
    copy = next(each for each in two.mails(1) if str(each["Message-ID"]) == doubt["message_id"])
    two.put("bea", "1.copy", copy.as_bytes(), ".Sent")
    assert w.json("outbox", "reconcile", exit_code=0) == {"sent": [doubt["id"]], "unknown": []}

    # An answer to Ada's mail that comes to Bea's mailbox counts all the same.
    theirs = two.mails(0)[0]
    answer = mail("Yes, let us talk.", sender=str(theirs["To"]), to=BEA, in_reply_to=str(theirs["Message-ID"]))
    two.put("bea", "2.answer", answer)
    assert w.json("sync", exit_code=0)["by_kind"]["reply"] == 1
    stopped = [each for each in w.json("campaign", "show", "spring")["founders"] if each["state"] == "stopped"]
    assert [owner[each["founder"]] for each in stopped] == ["ada@first.example"]


def test_two_processes_for_two_mailboxes_do_not_stand_in_each_others_way(two: Two) -> None:
    w = two.workspace
    both = [
        subprocess.Popen(
            [sys.executable, "-m", "outreach", "send", "--live", "--no-pacing", "--expect", "6", "--mailbox", name],
            cwd=w.folder,
            env=w.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in ("default", "second")
    ]
    said = [each.communicate(timeout=60) for each in both]
    assert [each.returncode for each in both] == [0, 0], said
    assert len(two.ledger(PEOPLE)) == PEOPLE
    assert set(two.ledger(PEOPLE).values()) == {1}
    assert {str(each["From"]) for each in two.mails(0)} == {ADA}
    assert {str(each["From"]) for each in two.mails(1)} == {BEA}
