"""Copies of sent mails in the Sent folder: put there once, and never where the provider does it."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from outreach.core.ports import Folder
from outreach.errors import MailboxError
from outreach.flows.file_copies import file_copies
from outreach.inboxes.maildir import MaildirInbox
from tests.factory import SENDER
from tests.fakes import MONDAY_MORNING
from tests.flows.world import World, make_world
from tests.mails import mail

pytestmark = pytest.mark.usefixtures("engine")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path)


class BrokenMaildir(MaildirInbox):
    """It can be read, and takes nothing."""

    def file_copy(self, folder: Folder, mime: bytes, at: datetime) -> None:
        raise MailboxError(f"it broke off ({folder.name}, {len(mime)} bytes, {at}).", hint="try again")


def put(world: World) -> int:
    return file_copies(world.store, MaildirInbox(world.maildir), mailbox=world.mailbox, clock=world.clock)


def copies(world: World) -> list[Path]:
    return sorted((world.maildir / ".Sent").glob("*/*"))


def files_sent(world: World) -> bool | None:
    return world.store.campaigns.mailbox(SENDER.address, world.clock.now()).files_sent


def test_each_mail_is_put_there_once_as_it_was_sent(world: World) -> None:
    assert put(world) == 3
    filed = copies(world)
    assert sorted(path.read_bytes() for path in filed) == sorted(
        item.mime.replace(b"\r\n", b"\n") for item in world.items.values()
    )
    assert {path.stat().st_mtime for path in filed} == {MONDAY_MORNING.timestamp()}
    assert all(path.name.endswith(":2,S") for path in filed)
    assert put(world) == 0
    assert len(copies(world)) == 3


def test_reading_our_own_copies_tells_nothing_of_the_provider(world: World) -> None:
    put(world)
    assert world.sync().by_kind == {"own": 3}
    assert files_sent(world) is None


def test_a_provider_that_files_by_itself_is_learned_from_its_copy(world: World) -> None:
    world.arrive(world.items["Bo"].mime, folder="Sent")
    world.sync()
    assert files_sent(world) is True
    assert {item.id for item in world.store.outbox.unfiled(world.mailbox.id, world.clock.now())} == {
        world.items[name].id for name in ("Cy", "Di")
    }
    assert put(world) == 2


def test_what_has_just_left_may_still_be_filed_by_the_provider(world: World) -> None:
    world.set_items(sent_at=world.clock.now() - timedelta(minutes=1))
    assert put(world) == 0
    world.clock.move(timedelta(minutes=1))
    assert put(world) == 3


def test_what_left_long_ago_is_not_put_there_any_more(world: World) -> None:
    world.clock.move(timedelta(days=8))
    assert put(world) == 0


def test_a_mail_by_hand_is_no_copy_of_ours(world: World) -> None:
    bo = world.items["Bo"]
    by_hand = mail(
        "Hi Bo", sender=SENDER.address, to=bo.rcpt, message_id="<hand@ada.example>", references=bo.message_id
    )
    world.arrive(by_hand, folder="Sent")
    world.sync()
    assert files_sent(world) is None


def test_a_mailbox_without_a_sent_folder_stays_as_it_is(world: World) -> None:
    (world.maildir / ".Sent").rename(world.maildir / ".Elsewhere")
    assert put(world) == 0
    (world.maildir / ".Elsewhere").rename(world.maildir / ".Sent")
    assert put(world) == 3


def test_a_copy_that_is_not_taken_is_not_tried_again(world: World) -> None:
    """Whether a server that broke off has it is not known; the others still get theirs."""
    with pytest.raises(MailboxError, match="broke off"):
        file_copies(world.store, BrokenMaildir(world.maildir), mailbox=world.mailbox, clock=world.clock)
    assert put(world) == 2
