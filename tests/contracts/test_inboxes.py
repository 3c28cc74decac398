"""What every inbox does, over a Maildir in a folder and over a real IMAP server; and what only IMAP can get wrong."""

import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path
from uuid import uuid4

import pytest

from outreach.core.ports import Cursor, Folder, Inbox, Incoming, Known
from outreach.errors import MailboxError
from outreach.inboxes.imap import ImapInbox, ImapServer
from outreach.inboxes.maildir import MaildirInbox
from outreach.inboxes.mbox import MboxInbox
from tests.mails import mail
from tests.servers import PASSWORD, Authority, Dovecot, dovecot, free_port, make_authority

NOW = datetime.now(UTC).replace(microsecond=0)
LONG_AGO = NOW - timedelta(days=30)
INBOX = Folder("INBOX", "inbox")
ALLOWED_VERBS = {"CAPABILITY", "STARTTLS", "LOGIN", "AUTHENTICATE", "LIST", "EXAMINE", "UID", "LOGOUT"}


def nothing(_keys: object) -> tuple[str, ...]:
    """No key is known."""
    return ()


def messages(inbox: Inbox, known: Known = nothing) -> Iterator[Incoming]:
    """Everything in INBOX, without the cursor at the end."""
    return (one for one in inbox.fetch(INBOX, None, known, LONG_AGO) if isinstance(one, Incoming))


class Box:
    """A mailbox under test: its files, and a fresh inbox over them."""

    def __init__(self, maildir: Path, connect: Callable[[], Inbox], user: str = "") -> None:
        self.maildir, self.connect, self.user = maildir, connect, user
        self._count = 0

    def put(self, raw: bytes, *, folder: str = "", at: datetime = NOW, name: str = "") -> Path:
        """Deliver a message, as a mail server would."""
        self._count += 1
        target = (self.maildir / f".{folder}" if folder else self.maildir) / "new"
        name = name or f"{int(at.timestamp())}.{self._count:04d}.test"
        beside = self.maildir / "tmp" / name
        beside.write_bytes(raw)
        os.utime(beside, (at.timestamp(), at.timestamp()))
        stat = self.maildir.stat()
        if os.geteuid() == 0:
            os.chown(beside, stat.st_uid, stat.st_gid)
        return beside.rename(target / name)

    def read(
        self,
        folder: Folder = INBOX,
        cursor: Cursor | None = None,
        known: frozenset[str] = frozenset(),
        since: datetime = LONG_AGO,
    ) -> list[Incoming]:
        inbox = self.connect()
        try:
            found = list(inbox.fetch(folder, cursor, known.intersection, since))
            return [one for one in found if isinstance(one, Incoming)]
        finally:
            inbox.close()

    def folders(self) -> list[Folder]:
        inbox = self.connect()
        try:
            return list(inbox.folders())
        finally:
            inbox.close()

    def state(self) -> dict[str, bytes]:
        """Every message by its file name without the folder: flags are part of the name."""
        files = (path for part in ("new", "cur") for path in self.maildir.rglob(f"{part}/*"))
        return {re.sub(r":2,$", "", path.name): path.read_bytes() for path in files}


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Dovecot]:
    with dovecot(authority) as running:
        yield running


def account(server: Dovecot, security: str = "tls", user: str = "ada@ada.example") -> ImapServer:
    port = server.tls_port if security == "tls" else server.port
    return ImapServer("localhost", port, security, user, lambda: PASSWORD, str(server.authority.ca))


@pytest.fixture
def imap_box(server: Dovecot) -> Box:
    """A mailbox of this test's own; the server makes it at the first login."""
    user = f"{uuid4().hex}@ada.example"
    box = Box(server.mail / user, lambda: ImapInbox(account(server, user=user), sleep=lambda _seconds: None), user)
    for folder in box.folders():
        box.read(folder)
    return box


@pytest.fixture
def maildir_box(tmp_path: Path) -> Box:
    for folder in ("", ".Junk", ".Sent"):
        for part in ("tmp", "new", "cur"):
            (tmp_path / "Maildir" / folder / part).mkdir(parents=True)
    return Box(tmp_path / "Maildir", lambda: MaildirInbox(tmp_path / "Maildir"))


class Mboxes(Box):
    """The same over mbox files, one for each folder."""

    def put(self, raw: bytes, *, folder: str = "", at: datetime = NOW, name: str = "") -> Path:  # noqa: ARG002
        path = self.maildir / (folder or "Inbox")
        quoted = re.sub(rb"(?m)^(>*From )", rb">\1", raw)
        with path.open("ab") as file:
            file.write(f"From x@x.example {at:%a %b %d %H:%M:%S %Y}\n".encode() + quoted.rstrip(b"\n") + b"\n\n")
        return path

    def read(
        self,
        folder: Folder = INBOX,
        cursor: Cursor | None = None,
        known: frozenset[str] = frozenset(),
        since: datetime = LONG_AGO,
    ) -> list[Incoming]:
        return super().read(Folder("Inbox", "inbox") if folder == INBOX else folder, cursor, known, since)

    def state(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.maildir.iterdir()}


@pytest.fixture
def mbox_box(tmp_path: Path) -> Mboxes:
    for name in ("Inbox", "Junk", "Sent"):
        (tmp_path / name).touch()
    return Mboxes(tmp_path, lambda: MboxInbox(tmp_path))


@pytest.fixture(params=["maildir", "imap", "mbox"])
def box(request: pytest.FixtureRequest) -> Box:
    found: Box = request.getfixturevalue(f"{request.param}_box")
    return found


class TestEveryInbox:
    def test_it_finds_the_folders_that_matter(self, box: Box) -> None:
        found = [(folder.name.upper(), folder.role) for folder in box.folders()]
        assert found == [("SENT", "sent"), ("INBOX", "inbox"), ("JUNK", "junk")]

    def test_messages_come_whole_and_oldest_first(self, box: Box) -> None:
        raws = [mail(f"number {number}", message_id=f"<{number}@x.example>") for number in range(3)]
        for number, raw in enumerate(raws):
            box.put(raw, at=NOW - timedelta(hours=9 - number))
        found = box.read()
        assert [one.raw.replace(b"\r\n", b"\n").rstrip(b"\n") for one in found] == raws
        assert [one.received_at for one in found] == [NOW - timedelta(hours=9 - number) for number in range(3)]
        assert not any(one.trouble for one in found)
        assert len({one.key for one in found}) == 3

    def test_an_empty_folder(self, box: Box) -> None:
        assert box.read() == []

    def test_only_what_is_new_comes_the_second_time(self, box: Box) -> None:
        box.put(mail("one"))
        (first,) = box.read()
        box.put(mail("two", message_id="<2@x.example>"))
        (second,) = box.read(cursor=first.cursor, known=frozenset((first.key,)))
        assert b"two" in second.raw
        known = frozenset((first.key, second.key))
        assert box.read(cursor=second.cursor, known=known) == []

    def test_what_is_older_than_asked_for_is_left_alone(self, box: Box) -> None:
        box.put(mail("old"), at=NOW - timedelta(days=20))
        box.put(mail("new", message_id="<2@x.example>"), at=NOW)
        (only,) = box.read(since=NOW - timedelta(days=2))
        assert b"new" in only.raw

    def test_junk_and_sent_are_read_like_the_inbox(self, box: Box) -> None:
        box.put(mail("junk"), folder="Junk")
        box.put(mail("sent"), folder="Sent")
        for folder in box.folders():
            found = box.read(folder)
            assert [one.raw.rstrip().rpartition(b"\n")[2] for one in found] == (
                [] if folder.role == "inbox" else [folder.role.encode()]
            )
            assert all(one.folder == folder for one in found)

    def test_reading_changes_nothing(self, box: Box) -> None:
        box.put(mail("unread"))
        box.put(mail("kept"), folder="Junk")
        before = box.state()
        for folder in box.folders():
            box.read(folder)
        assert box.state() == before

    def test_a_message_deleted_meanwhile_is_passed_over(self, box: Box) -> None:
        if isinstance(box, Mboxes):
            return  # a file is read at once
        paths = [box.put(mail(str(number), message_id=f"<{number}@x.example>")) for number in range(2)]
        inbox = box.connect()
        rest = messages(inbox)
        for path in paths:
            for there in (path, path.parent.parent / "cur" / f"{path.name}:2,"):
                there.unlink(missing_ok=True)
        assert len(list(rest)) <= 2
        inbox.close()

    def test_hostile_bytes_come_through(self, box: Box) -> None:
        raw = b'Subject: a\nFrom: \xff\xfe\nSubject: =?x?y?\nMessage-ID: <a"b) OR ALL@x.example>\n\n\x01\x1b[31m\xff\n'
        box.put(raw)
        (found,) = box.read()
        assert found.raw.replace(b"\r\n", b"\n") == raw


# --- Maildir alone ------------------------------------------------------------------------------------------


def test_a_maildir_without_its_folders_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MailboxError, match="is not a Maildir") as caught:
        MaildirInbox(tmp_path).folders()
    assert "OUTREACH_MAILDIR" in caught.value.hint


def test_the_subfolders_of_a_maildir_are_known_by_their_names(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / ".Gesendet", tmp_path / ".spam", tmp_path / ".Archive"):
        for part in ("new", "cur", "tmp"):
            (folder / part).mkdir(parents=True)
    assert MaildirInbox(tmp_path).folders() == [Folder("Gesendet", "sent"), INBOX, Folder("spam", "junk")]


def test_flags_are_no_part_of_a_key(maildir_box: Box) -> None:
    path = maildir_box.put(mail())
    (before,) = maildir_box.read()
    path.rename(maildir_box.maildir / "cur" / f"{path.name}:2,RS")
    assert maildir_box.read(cursor=before.cursor, known=frozenset((before.key,))) == []


def test_a_file_renamed_between_listing_and_opening_is_found(maildir_box: Box) -> None:
    path = maildir_box.put(mail("moved"))
    maildir_box.put(mail("first", message_id="<2@x.example>"), at=NOW - timedelta(hours=1))
    stream = messages(maildir_box.connect())
    assert b"first" in next(iter(stream)).raw
    path.rename(maildir_box.maildir / "cur" / f"{path.name}:2,S")
    assert b"moved" in next(iter(stream)).raw


def test_a_maildir_in_which_files_are_renamed_all_the_time_is_read(maildir_box: Box) -> None:
    names = [maildir_box.put(mail(str(number), message_id=f"<{number}@x.example>")).name for number in range(500)]
    done = threading.Event()

    def flag() -> None:
        new, cur = maildir_box.maildir / "new", maildir_box.maildir / "cur"
        for name in names:
            (new / name).rename(cur / f"{name}:2,")
        for old, flags in cycle((("", "S"), ("S", ""))):
            for name in names:
                (cur / f"{name}:2,{old}").rename(cur / f"{name}:2,{flags}")
                if done.wait(0.001):
                    return

    other = threading.Thread(target=flag)
    other.start()
    try:
        assert {len(maildir_box.read()) for _ in range(5)} == {500}
    finally:
        done.set()
        other.join()


def test_links_are_not_followed(maildir_box: Box, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("From: x\n\nsecret")
    (maildir_box.maildir / "new" / "1.link.test").symlink_to(secret)
    assert maildir_box.read() == []


# --- IMAP alone -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("security", ["tls", "starttls", "none"])
def test_each_kind_of_connection(server: Dovecot, imap_box: Box, security: str) -> None:
    imap_box.put(mail("hello"))
    inbox = ImapInbox(account(server, security, imap_box.user))
    assert [b"hello" in one.raw for one in messages(inbox)] == [True]
    inbox.close()


def test_only_harmless_commands_are_ever_sent(server: Dovecot, imap_box: Box) -> None:
    imap_box.put(mail("x", message_id="<evil\r\nA1 STORE 1 +FLAGS \\Deleted@x.example>"))
    start = server.log.stat().st_size
    for folder in imap_box.folders():
        imap_box.read(folder)
    time.sleep(0.2)  # the server writes its log a moment later
    commands = re.findall(r"Command finished: (\S+)(?: (\S+))?", server.log.read_text("utf-8")[start:])
    assert commands
    assert {verb for verb, _ in commands} <= ALLOWED_VERBS
    assert {word for verb, word in commands if verb == "UID"} <= {"SEARCH", "FETCH"}


def test_a_new_uidvalidity_voids_cursor_and_keys(server: Dovecot, imap_box: Box) -> None:
    imap_box.put(mail("one"))
    (first,) = imap_box.read()
    other = replace(first.cursor, validity=f"{first.cursor.validity}0", last_uid=999)
    (again,) = imap_box.read(cursor=other, known=frozenset((first.key,)))
    assert again.cursor == first.cursor


def test_the_cursor_never_goes_back(imap_box: Box) -> None:
    for number in range(3):
        imap_box.put(mail(str(number), message_id=f"<{number}@x.example>"))
    found = imap_box.read()
    late = imap_box.read(cursor=found[2].cursor, known=frozenset((found[0].key, found[2].key)))
    assert [one.key for one in late] == [found[1].key]
    assert late[0].cursor == found[2].cursor


def test_many_messages_come_in_batches(imap_box: Box) -> None:
    for number in range(60):
        imap_box.put(mail(str(number), message_id=f"<{number}@x.example>"), at=NOW - timedelta(minutes=99 - number))
    assert [int(one.raw.rpartition(b"\n")[2]) for one in imap_box.read()] == list(range(60))


def test_a_message_over_the_cap_is_read_in_part(imap_box: Box) -> None:
    imap_box.put(mail("x\n" * 13_000_000))
    (found,) = imap_box.read()
    assert "25 MB" in found.trouble
    assert b"Re: Engineering work" in found.raw
    assert len(found.raw) < 300_000


def test_a_connection_that_breaks_is_made_anew(imap_box: Box) -> None:
    for number in range(210):
        imap_box.put(mail(str(number), message_id=f"<{number}@x.example>"), at=NOW - timedelta(minutes=300 - number))
    inbox = imap_box.connect()
    assert isinstance(inbox, ImapInbox)
    found = []
    for one in messages(inbox):
        found.append(int(one.raw.rpartition(b"\n")[2]))
        if len(found) in (5, 205):
            assert inbox._client is not None
            inbox._client.shutdown()
    inbox.close()
    assert found == list(range(210))


def test_a_wrong_password_is_one_try_and_a_hint(server: Dovecot) -> None:
    inbox = ImapInbox(replace(account(server), password=lambda: "wrong"))
    with pytest.raises(MailboxError, match="refused the login") as caught:
        inbox.folders()
    assert "app password" in caught.value.hint
    assert "wrong" not in str(caught.value)


def test_a_certificate_that_nobody_signed_is_refused(server: Dovecot) -> None:
    with pytest.raises(MailboxError, match="is not trusted") as caught:
        ImapInbox(replace(account(server), ca_file="")).folders()
    assert "OUTREACH_IMAP_CA_FILE" in caught.value.hint


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_certificate_for_another_host_is_refused(server: Dovecot, security: str) -> None:
    with pytest.raises(MailboxError, match="is not trusted"):
        ImapInbox(replace(account(server, security), host="127.0.0.1")).folders()


def test_a_port_without_tls_is_named(server: Dovecot) -> None:
    with pytest.raises(MailboxError, match="does not speak TLS"):
        ImapInbox(replace(account(server), port=server.port)).folders()


def test_a_host_that_is_not_there_is_named() -> None:
    server = ImapServer("127.0.0.1", free_port(), "none", "ada", lambda: PASSWORD)
    with pytest.raises(MailboxError, match="cannot be reached"):
        ImapInbox(server).folders()


def test_idle_tells_when_something_comes(imap_box: Box) -> None:
    inbox = imap_box.connect()
    assert isinstance(inbox, ImapInbox)
    assert inbox.wait(0.5) is False
    timer = threading.Timer(0.5, imap_box.put, [mail("new")])
    timer.start()
    started = time.monotonic()
    assert inbox.wait(20) is True
    assert time.monotonic() - started < 15
    timer.join()
    inbox.close()


def test_a_draft_is_appended_on_request_and_nothing_else_is_touched(server: Dovecot, imap_box: Box) -> None:
    imap_box.put(mail("kept"))
    imap_box.read()
    drafts = imap_box.maildir / ".Drafts"
    shutil.copytree(imap_box.maildir / ".Junk", drafts)
    if os.geteuid() == 0:
        stat = imap_box.maildir.stat()
        for path in (drafts, *drafts.rglob("*")):
            os.chown(path, stat.st_uid, stat.st_gid)
    before = imap_box.state()
    inbox = imap_box.connect()
    assert isinstance(inbox, ImapInbox)
    start = server.log.stat().st_size
    assert inbox.draft(mail("a draft").replace(b"\n", b"\r\n")) == "Drafts"
    inbox.close()
    added = {name: raw for name, raw in imap_box.state().items() if name not in before}
    assert [b"a draft" in raw for raw in added.values()] == [True]
    assert {name: raw for name, raw in imap_box.state().items() if name in before} == before
    time.sleep(0.2)
    verbs = {
        verb for verb, _ in re.findall(r"Command finished: (\S+)(?: (\S+))?", server.log.read_text("utf-8")[start:])
    }
    assert verbs <= ALLOWED_VERBS | {"APPEND"}


@pytest.mark.parametrize("kind", ["imap", "maildir"])
def test_a_copy_of_a_sent_mail_is_read_back_as_it_was_sent(kind: str, request: pytest.FixtureRequest) -> None:
    box: Box = request.getfixturevalue(f"{kind}_box")
    box.put(mail("kept"), folder="Sent")
    before = box.state()
    (sent,) = [folder for folder in box.folders() if folder.role == "sent"]
    inbox, copy, at = box.connect(), mail("a copy").replace(b"\n", b"\r\n"), NOW - timedelta(days=3)
    assert isinstance(inbox, ImapInbox | MaildirInbox)
    list(inbox.fetch(sent, None, nothing, LONG_AGO))
    inbox.file_copy(sent, copy, at)
    inbox.close()
    assert before.items() <= box.state().items()
    (found,) = [one for one in box.read(sent) if b"a copy" in one.raw]
    assert (found.raw.replace(b"\r\n", b"\n"), found.received_at) == (copy.replace(b"\r\n", b"\n"), at)


def test_a_server_that_does_not_take_a_copy_is_said_so(imap_box: Box, tmp_path: Path) -> None:
    for inbox in (imap_box.connect(), MaildirInbox(tmp_path)):
        assert isinstance(inbox, ImapInbox | MaildirInbox)
        with pytest.raises(MailboxError) as caught:
            inbox.file_copy(Folder("Nowhere", "sent"), mail("a copy"), NOW)
        assert caught.value.hint
        inbox.close()


def test_a_mailbox_without_drafts_says_what_to_do(imap_box: Box, maildir_box: Box) -> None:
    for inbox in (imap_box.connect(), maildir_box.connect()):
        assert isinstance(inbox, ImapInbox | MaildirInbox)
        with pytest.raises(MailboxError, match="no folder for drafts") as caught:
            inbox.draft(b"x")
        assert "--draft" in caught.value.hint
        inbox.close()


def test_a_draft_in_a_maildir(maildir_box: Box) -> None:
    for part in ("tmp", "new", "cur"):
        (maildir_box.maildir / ".Drafts" / part).mkdir(parents=True)
    inbox = maildir_box.connect()
    assert isinstance(inbox, MaildirInbox)
    assert inbox.draft(b"Subject: x\r\n\r\ntext\r\n") == "Drafts"
    (file,) = (maildir_box.maildir / ".Drafts" / "cur").iterdir()
    assert file.read_bytes() == b"Subject: x\n\ntext\n"
    assert file.name.endswith(":2,DS")


# --- mbox alone -----------------------------------------------------------------------------------------------


def test_an_mbox_read_to_its_end_goes_on_from_there(mbox_box: Mboxes) -> None:
    mbox_box.put(mail("one"))
    inbox = MboxInbox(mbox_box.maildir)
    folder = Folder("Inbox", "inbox")
    first, cursor = inbox.fetch(folder, None, nothing, LONG_AGO)
    assert isinstance(first, Incoming)
    assert isinstance(cursor, Cursor)
    mbox_box.put(mail("two", message_id="<2@x.example>"))
    second, end = inbox.fetch(folder, cursor, nothing, LONG_AGO)
    assert isinstance(second, Incoming)
    assert b"two" in second.raw
    assert isinstance(end, Cursor)
    assert list(inbox.fetch(folder, end, nothing, LONG_AGO)) == [end]


def test_an_mbox_that_was_rewritten_is_read_again_but_nothing_twice(mbox_box: Mboxes) -> None:
    path = mbox_box.put(mail("one"))
    mbox_box.put(mail("two", message_id="<2@x.example>"))
    inbox = MboxInbox(mbox_box.maildir)
    folder = Folder("Inbox", "inbox")
    one, two, cursor = inbox.fetch(folder, None, nothing, LONG_AGO)
    assert isinstance(one, Incoming)
    assert isinstance(two, Incoming)
    assert isinstance(cursor, Cursor)
    path.write_bytes(path.read_bytes().replace(b"\nSubject:", b"\nX-Mozilla-Status: 0001\nSubject:", 1))
    known = frozenset((one.key, two.key)).intersection
    assert [each for each in inbox.fetch(folder, cursor, known, LONG_AGO) if isinstance(each, Incoming)] == []


def test_a_message_that_is_still_being_written_waits(mbox_box: Mboxes) -> None:
    path = mbox_box.put(mail("one"))
    with path.open("ab") as file:
        file.write(f"From x@x.example {NOW:%a %b %d %H:%M:%S %Y}\nSubject: half".encode())
    assert [b"one" in each.raw for each in mbox_box.read()] == [True]


def test_a_lone_mbox_file_is_the_inbox(mbox_box: Mboxes) -> None:
    path = mbox_box.put(mail("one"))
    assert MboxInbox(path).folders() == [Folder("Inbox", "inbox")]
    with pytest.raises(MailboxError, match="no mbox file"):
        MboxInbox(path.with_name("none")).folders()


def test_prose_that_begins_with_from_is_no_new_message(tmp_path: Path) -> None:
    file = tmp_path / "mail"
    file.write_bytes(
        b"From bo@bo.example Mon Nov  2 10:00:00 2026\nSubject: one\n\nThanks.\n\nFrom now on, please stop.\n\n"
        b"From - Mon Nov  2 10:00:00 2026\nSubject: two\n\nHello\n\n"
        b"From 12@x.example Thu Jan 01 09:30:00 +0000 2026\nSubject: three\n\nHello\n\n"
        b"From cy@cy.example\nSubject: four\n\nHello\n\n"
    )
    inbox = MboxInbox(file)
    found = inbox.fetch(inbox.folders()[0], None, nothing, datetime(2000, 1, 1, tzinfo=UTC))
    first, second, third, fourth = (one for one in found if isinstance(one, Incoming))
    assert first.raw == b"Subject: one\n\nThanks.\n\nFrom now on, please stop.\n"
    assert [one.raw.split()[1] for one in (second, third, fourth)] == [b"two", b"three", b"four"]
    assert third.received_at == datetime(2026, 1, 1, 9, 30, tzinfo=UTC)
