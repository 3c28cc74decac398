"""`doctor` tells what is wrong, and adopts a store that was copied or restored: nobody gets a second mail."""

import json
import re
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from outreach.bootstrap import Network, open_app
from outreach.doctor import _mounted, examine_domain
from outreach.errors import MailboxError
from outreach.mailhosts import DnsMailHosts
from tests.cli.program import Workspace, founders_csv
from tests.smtp_server import Accepted, Behaviour, smtp_server
from tests.web_servers import HOST, name_server


@pytest.fixture
def behaviour() -> Behaviour:
    return Behaviour()


@pytest.fixture
def workspace(tmp_path: Path, behaviour: Behaviour) -> Iterator[Workspace]:
    with smtp_server(behaviour) as port:
        made = Workspace.create(tmp_path / "w", port=port)
        for part in ("new", "cur", "tmp"):
            (made.folder / "Maildir" / ".Sent" / part).mkdir(parents=True)
        (made.folder / "founders.csv").write_text(founders_csv(6))
        made.run("import", "founders.csv")
        made.run("campaign", "new", "spring", "--sequence", "job-search")
        yield made


def send(workspace: Workspace, limit: int = 0) -> None:
    planned = workspace.json("send", "--no-pacing")["planned"]
    wanted = min(planned, limit) if limit else planned
    workspace.run("send", "--live", "--no-pacing", "--expect", str(wanted), *(["--limit", str(limit)] if limit else []))


def nobody_twice(behaviour: Behaviour) -> bool:
    return max(Counter(mail.rcpts for mail in behaviour.ledger).values()) == 1


def test_all_is_well(workspace: Workspace) -> None:
    done = workspace.run("doctor")
    assert done.stdout.endswith("all is well\n")
    checks = {check["check"]: check["ok"] for check in workspace.json("doctor")["checks"]}
    assert all(checks.values())
    assert {"store", "copy", "files", "sending", "inbox", "clock", "disk"} <= checks.keys()


def test_what_is_wrong_is_named_with_its_remedy(workspace: Workspace) -> None:
    (workspace.folder / ".env").chmod(0o644)
    shutil.rmtree(workspace.folder / "Maildir" / ".Sent")
    environment = {**workspace.environment, "OUTREACH_SMTP_PORT": "1"}
    done = Workspace(workspace.folder, environment).run("doctor", exit_code=3)
    assert "NO  files        others can read .env" in done.stdout
    assert "chmod 600 .env" in done.stdout
    assert "NO  sending      the mail server cannot be reached" in done.stdout
    assert "NO  sent folder" in done.stdout
    assert done.stdout.endswith("3 checks to look at\n")


def test_a_certificate_file_that_is_not_there_is_named_and_no_server_blamed(workspace: Workspace) -> None:
    environment = {**workspace.environment, "OUTREACH_SMTP_CA_FILE": "ca.pem"}
    done = Workspace(workspace.folder, environment).run("doctor", exit_code=3)
    assert "NO  sending      there is no file ca.pem" in done.stdout


def test_mails_that_become_files_take_no_login(workspace: Workspace) -> None:
    environment = {**workspace.environment, "OUTREACH_TRANSPORT": "directory"}
    done = Workspace(workspace.folder, environment).run("doctor", exit_code=None)
    assert "takes the login" not in done.stdout
    assert "each mail becomes a file" in done.stdout


def test_a_network_behind_an_automounter_is_a_network() -> None:
    mounts = "/dev/vda1 / ext4 rw 0 0\nsystemd-1 /mnt/my\\040nas autofs rw 0 0\nnas:/a /mnt/my\\040nas nfs4 rw 0 0\n"
    assert _mounted(Path("/mnt/my nas/outreach"), mounts) == "nfs4"
    assert _mounted(Path("/home/ada"), mounts) == "ext4"


def asked_of_dns(
    folder: Path, sender: str, texts: dict[str, list[str]], *, mail: dict[str, str] | None = None
) -> dict[str, bool]:
    """What the check of the sender's domain says, by a name server of the test's own; no mail server is asked."""
    environment = {"OUTREACH_FROM": sender, "OUTREACH_SMTP_HOST": "smtp.fastmail.com", "OUTREACH_SMTP_SECURITY": "tls"}
    with name_server(mail or {}, texts) as port:
        network = Network(mail_hosts=lambda: DnsMailHosts([HOST], port, seconds=30))
        with open_app(folder, environment, network=network) as app:
            return {finding.check: finding.ok for finding in examine_domain(app)}


def test_the_records_of_the_senders_domain(workspace: Workspace) -> None:
    folder, ada = workspace.folder, "Ada <ada@mail.testwell.example>"
    good = {
        "mail.testwell.example": ["v=spf1 include:spf.messagingengine.com -all"],
        "fm2._domainkey.mail.testwell.example": ["v=DKIM1; k=rsa; p=MIGf"],
        "_dmarc.testwell.example": ["v=DMARC1; p=none"],
    }
    assert asked_of_dns(folder, ada, good) == {"SPF": True, "DKIM": True, "DMARC": True}
    assert asked_of_dns(folder, ada, {}) == {"SPF": False, "DKIM": False, "DMARC": False}
    assert asked_of_dns(folder, "Ada <ada@gmail.com>", {}) == {"domain": True}


def test_a_name_server_that_does_not_answer_is_no_verdict_on_the_domain(workspace: Workspace) -> None:
    with pytest.raises(MailboxError, match=r"DNS does not answer for _dmarc\.silent\.example"):
        asked_of_dns(workspace.folder, "Ada <ada@silent.example>", {}, mail={"_dmarc.silent.example": "broken"})


def test_nothing_to_adopt_changes_nothing(workspace: Workspace) -> None:
    send(workspace)
    assert "nothing to adopt" in workspace.run("doctor", "--adopt", "--yes", exit_code=1).stderr


def test_a_copy_sends_nothing_until_it_is_adopted_and_then_only_what_nobody_got(
    workspace: Workspace, behaviour: Behaviour, tmp_path: Path
) -> None:
    send(workspace, limit=2)
    copy = Workspace(tmp_path / "copy", workspace.environment)
    shutil.copytree(workspace.folder, copy.folder)
    send(workspace, limit=2)
    refused = copy.run("send", "--live", "--no-pacing", "--expect", "4", exit_code=1)
    assert "this store is a copy" in refused.stderr
    assert "doctor --adopt" in refused.stderr
    for number, mail in enumerate(behaviour.ledger):  # as providers file what is sent
        (copy.folder / "Maildir" / ".Sent" / "cur" / f"{number}.sent:2,S").write_bytes(mail.data)
    assert "needs someone to agree" in copy.run("doctor", "--adopt", exit_code=1).stderr
    copy.run("doctor", "--adopt", "--yes")
    send(copy)
    assert len(behaviour.ledger) == 6
    assert nobody_twice(behaviour)


def test_a_restored_backup_is_settled_by_the_log(workspace: Workspace, behaviour: Behaviour) -> None:
    """Before the backup two mails had left; after it two more, one of them in doubt, and one founder was added."""
    send(workspace, limit=2)
    with closing(sqlite3.connect(workspace.folder / "outreach.db")) as store, store:
        store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()
    backup = (workspace.folder / "outreach.db").read_bytes()
    (workspace.folder / "more.csv").write_text("Name,Company,Email\nZoe Quill,Zoe Labs,zoe@zoe.example\n")
    workspace.run("import", "more.csv")
    workspace.run("campaign", "enroll", "spring")
    behaviour.fault = lambda phase, number: "drop" if (phase, number) == ("accepted", 4) else None
    workspace.run("send", "--live", "--no-pacing", "--expect", "5", exit_code=3)
    behaviour.fault = lambda _phase, _number: None
    assert len(behaviour.ledger) == 7
    for leftover in ("outreach.db-wal", "outreach.db-shm"):
        (workspace.folder / leftover).unlink(missing_ok=True)
    (workspace.folder / "outreach.db").write_bytes(backup)
    assert "older copy" in workspace.run("send", "--live", "--no-pacing", "--expect", "4", exit_code=1).stderr
    adopted = json.loads(workspace.run("doctor", "--adopt", "--yes", "--json").stdout)
    assert (len(adopted["sent"]), len(adopted["doubtful"]), adopted["blocked"]) == (3, 1, ["zoe@zoe.example"])
    assert workspace.json("send", "--no-pacing")["planned"] == 0
    workspace.run("import", "more.csv")
    workspace.run("campaign", "enroll", "spring")
    assert workspace.json("send", "--no-pacing")["planned"] == 0
    assert workspace.json("status")["unknown"] == 1
    assert nobody_twice(behaviour)


@dataclass
class Provider(list[Accepted]):
    """Puts what the server takes into the owner's mailbox, after what `change` makes of it."""

    maildir: Path
    folders: Sequence[str] = ("",)
    change: Callable[[bytes], bytes] = bytes

    def append(self, mail: Accepted) -> None:
        super().append(mail)
        for folder in self.folders:
            (self.maildir / folder / "new" / f"{len(self)}.test").write_bytes(self.change(mail.data))


@pytest.fixture
def provider(workspace: Workspace, behaviour: Behaviour) -> Provider:
    behaviour.ledger = made = Provider(workspace.folder / "Maildir")
    return made


def checks(workspace: Workspace, *words: str) -> dict[str, tuple[bool, str]]:
    return {each["check"]: (each["ok"], each["says"]) for each in workspace.json("doctor", *words)["checks"]}


def test_the_self_test_mails_the_owner_and_learns_who_makes_copies(workspace: Workspace, provider: Provider) -> None:
    provider.folders = ("", ".Sent")
    seen = checks(workspace, "--self-test")
    assert [mail.rcpts for mail in provider] == [("ada@testwell.example",)]
    assert seen["self-test"] == (True, "the mail to ada@testwell.example arrived in INBOX after 5 s")
    assert seen["message id"] == (True, "kept")
    assert seen["copies"] == (True, "your provider puts them into Sent")
    assert "as received" not in seen
    assert workspace.json("sync")["by_kind"]["reply"] == 0
    provider.folders = ("",)
    send(workspace)
    backdate = "UPDATE outbox SET sent_at = datetime(sent_at, '-10 minutes')"
    with closing(sqlite3.connect(workspace.folder / "outreach.db")) as store, store:
        assert store.execute(backdate).rowcount == 6
    assert workspace.json("sync")["filed"] == 0  # it was seen that the provider does it
    assert checks(workspace)["sending"][0]
    assert len(provider) == 7  # without being asked, nothing is sent


def test_what_a_provider_did_to_the_self_test_is_told(workspace: Workspace, provider: Provider) -> None:
    shutil.rmtree(workspace.folder / "Maildir" / ".Sent")
    for part in ("new", "cur", "tmp"):
        (workspace.folder / "Maildir" / ".Junk" / part).mkdir(parents=True)
    provider.folders = (".Junk",)
    seen_as = b"Authentication-Results: mx.testwell.example; spf=softfail; dkim=pass; dkim=fail; dmarc=fail\r\n"
    provider.change = lambda raw: seen_as + re.sub(rb"(?m)^Message-ID: .*?\r$", b"Message-ID: <new@mx.example>\r", raw)
    done = workspace.run("doctor", "--self-test", exit_code=3)
    assert "NO  self-test    the mail to ada@testwell.example arrived in Junk after 5 s" in done.stdout
    assert "ok  message id   changed on the way; answers name both" in done.stdout
    assert "NO  as received  spf=softfail, dkim=pass, dkim=fail, dmarc=fail" in done.stdout
    assert "→ mend DMARC and SPF of your domain" in done.stdout
    assert "copies" not in done.stdout


def test_a_self_test_that_cannot_be_made_says_why(workspace: Workspace, behaviour: Behaviour) -> None:
    behaviour.fault = lambda phase, _number: "550 5.1.1 no such user" if phase == "rcpt" else None
    assert "no such user" in checks(workspace, "--self-test")["self-test"][1]
    elsewhere = Workspace(workspace.folder, {**workspace.environment, "OUTREACH_SMTP_PORT": "1"})
    assert checks(elsewhere, "--self-test")["self-test"] == (False, "nothing was sent")
    nobody = Workspace(workspace.folder, {**workspace.environment, "OUTREACH_ALLOW_RECIPIENTS": "other.example"})
    assert not checks(nobody, "--self-test")["self-test"][0]
    files = Workspace(workspace.folder, {**workspace.environment, "OUTREACH_TRANSPORT": "directory"})
    assert checks(files, "--self-test")["self-test"][1].startswith("nothing to learn")
    assert not behaviour.ledger
    assert "do not go together" in workspace.run("doctor", "--adopt", "--self-test", exit_code=2).stderr


def test_a_doubt_that_lies_in_the_sent_folder_is_settled_and_another_is_not(
    workspace: Workspace, behaviour: Behaviour
) -> None:
    faults = {("accepted", 2): "drop", ("dot", 4): "drop"}
    behaviour.fault = lambda phase, number: faults.get((phase, number))
    workspace.run("send", "--live", "--no-pacing", "--expect", "6", exit_code=3)
    for number, mail in enumerate(behaviour.ledger):
        (workspace.folder / "Maildir" / ".Sent" / "cur" / f"{number}.sent:2,S").write_bytes(mail.data)
    before = [item["id"] for item in workspace.json("outbox", "--state", "unknown")["items"]]
    found = workspace.json("outbox", "reconcile", exit_code=3)
    assert (len(found["sent"]), len(found["unknown"])) == (1, 1)
    assert set(found["sent"] + found["unknown"]) == set(before)
    assert [item["id"] for item in workspace.json("outbox", "--state", "unknown")["items"]] == found["unknown"]
    told = f"in doubt: message {found['unknown'][0]} "
    assert workspace.run("outbox", "reconcile", exit_code=3).stdout.startswith(told)
    with closing(sqlite3.connect(workspace.folder / "outreach.db")) as store, store:
        store.execute("UPDATE mailboxes SET files_sent = 1")
        store.execute("UPDATE outbox SET updated_at = '2026-01-05 00:00:00.000000'")
    assert "it probably was not" in workspace.run("outbox", "reconcile", exit_code=3).stdout
    workspace.run("outbox", "resolve", str(found["unknown"][0]), "--abandon")
    assert "nothing is in doubt" in workspace.run("outbox", "reconcile").stdout
