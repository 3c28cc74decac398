"""A mail server that drops, dribbles or lies: nothing is lost, doubled or stepped over; the mailbox stays as it was."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from outreach.core.ports import Cursor, Folder, Incoming
from outreach.errors import MailboxError
from outreach.inboxes.imap import ImapInbox, ImapServer
from tests.imap_server import Mailbox, imap_server
from tests.mails import mail

INBOX = Folder("INBOX", "inbox")
LONG_AGO = datetime.now(UTC) - timedelta(days=30)
VERBS = {"CAPABILITY", "LOGIN", "AUTHENTICATE", "LIST", "EXAMINE", "UID SEARCH", "UID FETCH", "IDLE", "NOOP", "LOGOUT"}


def box(count: int = 5, fault: Callable[[bytes, int], str] = lambda _command, _count: "") -> Mailbox:
    return Mailbox(
        {uid: mail(f"number {uid}", message_id=f"<{uid}@x.example>") for uid in range(1, count + 1)}, fault=fault
    )


def read(of: Mailbox, cursor: Cursor | None = None, known: frozenset[str] = frozenset()) -> list[Incoming]:
    with imap_server(of) as port:
        inbox = ImapInbox(ImapServer("127.0.0.1", port, "none", "ada", lambda: "secret"), sleep=lambda _seconds: None)
        try:
            found = list(inbox.fetch(INBOX, cursor, known.intersection, LONG_AGO))
        finally:
            inbox.close()
    return [one for one in found if isinstance(one, Incoming)]


def numbers(found: list[Incoming]) -> list[int]:
    return [int(one.raw.rpartition(b" ")[2]) for one in found]


STEPS = (b"CAPABILITY", b"LOGIN", b"EXAMINE", b"UID SEARCH", b"UID FETCH")


@pytest.mark.parametrize("fault", ["drop", "bye"])
@pytest.mark.parametrize("step", STEPS)
def test_a_connection_cut_at_any_step_is_made_anew(step: bytes, fault: str) -> None:
    seen: list[bytes] = []

    def once(command: bytes, _count: int) -> str:
        hit = command.upper().startswith(step) and not seen
        seen.extend([command] if hit else [])
        return fault if hit else ""

    broken = box(fault=once)
    assert numbers(read(broken)) == [1, 2, 3, 4, 5]
    assert seen
    assert broken.connections >= 2


def test_a_second_cut_while_bodies_come_loses_and_doubles_nothing() -> None:
    cuts = iter([True, False, True, False, False, True] + [False] * 50)
    of = box(fault=lambda command, _count: "drop" if b"BODY.PEEK[]" in command and next(cuts) else "")
    assert numbers(read(of)) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("fault", ["drop", "huge", "no"])
def test_a_message_that_breaks_every_connection_is_quarantined_and_the_rest_read(fault: str) -> None:
    def poisoned(command: bytes, _count: int) -> str:
        found = re.match(rb"UID FETCH (\S+) .*BODY\.PEEK\[\]", command)
        return (
            fault
            if (found and b"3" in found[1].replace(b":", b",").split(b",")) or (found and b"1:5" in command)
            else ""
        )

    found = read(box(fault=poisoned))
    assert [one.key for one in found] == ["1", "2", "3", "4", "5"]
    assert [bool(one.trouble) for one in found] == [False, False, True, False, False]
    assert "could not hand it over" in found[2].trouble


def test_a_message_whose_head_cannot_be_had_is_read_whole() -> None:
    def poisoned(command: bytes, _count: int) -> str:
        found = re.match(rb"UID FETCH (\S+) .*HEADER", command)
        touched = found and any(
            int(part.split(b":")[0]) <= 3 <= int(part.split(b":")[-1]) for part in found[1].split(b",")
        )
        return "drop" if touched else ""

    assert numbers(read(box(fault=poisoned))) == [1, 2, 3, 4, 5]


def test_a_message_of_which_nothing_can_be_had_is_quarantined() -> None:
    def poisoned(command: bytes, _count: int) -> str:
        found = re.match(rb"UID FETCH (\S+)", command)
        touched = found and any(
            int(part.split(b":")[0]) <= 3 <= int(part.split(b":")[-1]) for part in found[1].split(b",")
        )
        return "drop" if touched else ""

    found = read(box(fault=poisoned))
    assert [one.key for one in found] == ["1", "2", "3", "4", "5"]
    assert [one.key for one in found if one.trouble] == ["3"]


def test_a_server_that_never_works_ends_with_a_hint() -> None:
    with pytest.raises(MailboxError) as caught:
        read(box(fault=lambda command, _count: "drop" if command.startswith(b"EXAMINE") else ""))
    assert caught.value.hint


def test_a_server_that_refuses_a_command_is_named() -> None:
    with pytest.raises(MailboxError, match="refused a command"):
        read(box(fault=lambda command, _count: "no" if command.startswith(b"UID SEARCH") else ""))


def test_the_newest_uid_that_every_search_returns_is_no_new_message() -> None:
    of = box(3)
    found = read(of)
    assert read(of, cursor=found[-1].cursor, known=frozenset(("1", "2", "3"))) == []


def test_a_reused_uid_after_a_new_validity_is_read() -> None:
    of = box(2)
    found = read(of)
    of.validity, of.messages = 8, {1: mail("number 9", message_id="<9@x.example>")}
    assert numbers(read(of, cursor=found[-1].cursor, known=frozenset(("1", "2")))) == [9]


def test_an_old_uid_that_appears_late_is_read() -> None:
    of = box(3)
    late = of.messages.pop(2)
    found = read(of)
    of.messages[2] = late
    assert numbers(read(of, cursor=found[-1].cursor, known=frozenset(("1", "3")))) == [2]


def test_nothing_new_is_told_by_one_command() -> None:
    of = box(3)
    with imap_server(of) as port:
        inbox = ImapInbox(ImapServer("127.0.0.1", port, "none", "ada", lambda: "secret"))
        *_, cursor = inbox.fetch(INBOX, None, lambda _keys: (), LONG_AGO)
        assert isinstance(cursor, Cursor)
        of.commands.clear()
        assert list(inbox.fetch(INBOX, cursor, lambda _keys: (), LONG_AGO)) == []
        assert [command.split()[0] for command in of.commands] == [b"EXAMINE"]
        inbox.close()


def test_a_server_that_refuses_the_waiting_is_a_mailbox_that_cannot_be_used() -> None:
    of = box(3)
    of.fault = lambda command, _count: "no" if command.startswith(b"EXAMINE") else ""
    with imap_server(of) as port:
        inbox = ImapInbox(ImapServer("127.0.0.1", port, "none", "ada", lambda: "secret"), sleep=lambda _seconds: None)
        with pytest.raises(MailboxError, match="does not let us wait for mail"):
            inbox.wait(5.0)
        inbox.close()


def test_bodies_only_of_what_is_wanted() -> None:
    of = box(6)
    with imap_server(of) as port:
        inbox = ImapInbox(ImapServer("127.0.0.1", port, "none", "ada", lambda: "secret"))
        wanted = [b"<2@" in head or b"<5@" in head for head in of.messages.values()]
        found = [
            one
            for one in inbox.fetch(INBOX, None, lambda _keys: (), LONG_AGO, lambda _heads: wanted)
            if isinstance(one, Incoming)
        ]
        inbox.close()
    assert [(one.key, one.skipped) for one in found] == [(str(uid), uid not in (2, 5)) for uid in range(1, 7)]
    bodies = [command for command in of.commands if b"BODY.PEEK[]" in command]
    assert [re.findall(rb"UID FETCH (\S+)", command) for command in bodies] == [[b"2,5"]]


def test_no_word_of_a_mail_reaches_a_command() -> None:
    hostile = mail(
        "number 1", message_id="<x\r\nA9 UID STORE 1 +FLAGS (\\Deleted)@x.example>", subject="x\r\nA8 EXPUNGE"
    )
    of = Mailbox({1: hostile})
    found = read(of)
    read(of, cursor=found[-1].cursor)
    assert {
        " ".join(command.decode().upper().split()[: 2 if command.startswith(b"UID") else 1]) for command in of.commands
    } <= VERBS
    assert not any(b"STORE" in command or b"EXPUNGE" in command for command in of.commands)


def test_a_folder_whose_name_breaks_the_rules_hides_no_other() -> None:
    listed = (b'() "/" "R&D"', b'() "/" "Entw&APw-rfe"', b'(\\Sent) "/" "Gesendet &- mehr"')
    with imap_server(Mailbox(folders=listed)) as port:
        inbox = ImapInbox(ImapServer("127.0.0.1", port, "none", "ada", lambda: "secret"))
        assert inbox.folders() == [Folder("Gesendet & mehr", "sent"), INBOX]
        inbox.close()


def test_a_message_of_whose_head_nothing_comes_is_read_like_the_others() -> None:
    few = box(3)
    few.headless = frozenset((2,))
    assert numbers(read(few)) == [1, 2, 3]


def test_folders_that_no_server_marks_are_known_by_their_names() -> None:
    listed = (b'() "/" "Junk-E-Mail"', b'() "/" "Gesendete Elemente"', b'() "/" "Gesendete Elemente/2025"')
    with imap_server(Mailbox(folders=listed)) as port:
        inbox = ImapInbox(ImapServer("127.0.0.1", port, "none", "ada", lambda: "secret"))
        assert inbox.folders() == [Folder("Gesendete Elemente", "sent"), INBOX, Folder("Junk-E-Mail", "junk")]
        inbox.close()
