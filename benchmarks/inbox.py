"""Reading a mailbox: `python -m benchmarks.inbox [MESSAGES]`, against Dovecot on loopback.

Goal 7: a first sync of 10,000 messages of which one in ten concerns us, at least twice as fast as imap-tools that only
parses them. Goal 8: a sync with nothing new, at most twice as long as login, EXAMINE and logout.
"""

import contextlib
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from outreach.core.records import OutboxState
from outreach.flows.sync import sync
from outreach.inboxes._imap_login import connect
from outreach.inboxes.imap import ImapInbox, ImapServer
from outreach.store import tables as t
from outreach.store.journal import MemoryJournal
from outreach.store.schema import open_database
from outreach.store.store import Store
from tests.factory import SENDER, add_founders, queue_all, start_campaign
from tests.fakes import FakeClock
from tests.mails import OUR_TEXT, mail
from tests.servers import PASSWORD, Dovecot, dovecot, make_authority

NOW = datetime.now(UTC)
PADDING = "\n".join(f"> line {number} of what somebody else wrote some time ago" for number in range(60))

QUOTE = "\n".join(f"> {line}" for line in OUR_TEXT.splitlines())
ANSWER = f"Yes, let us talk.\n\nOn Mon, Ada Testwell <ada@ada.example> wrote:\n{QUOTE}\n{PADDING}"


def main() -> None:
    messages = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as name, server(Path(name)) as running:
        user = "ada@ada.example"
        account = ImapServer("localhost", running.port, "none", user, lambda: PASSWORD)
        touch(account)
        store = filled_store(Path(name) / "outreach.db", people=messages // 10)
        fill(running.mail / user, store, messages)
        floor = median(lambda: touch(account))
        touch(account)
        peer = median(lambda: imap_tools(running.port, user), times=3)
        started = time.perf_counter()
        report = run(store, account)
        first = time.perf_counter() - started
        again = median(lambda: run(store, account))
        sys.stdout.write(
            f"{messages:,} messages, {report.by_kind}, {report.effects.people} people stopped\n"
            f"imap-tools, parsing only      {peer:8.2f} s\n"
            f"first sync                    {first:8.2f} s   {peer / first:5.2f} x imap-tools (goal 2, stretch 3.5)\n"
            f"login, EXAMINE, logout        {floor * 1000:8.1f} ms\n"
            f"sync with nothing new         {again * 1000:8.1f} ms  {again / floor:5.2f} x that (goal 2)\n"
        )


@contextlib.contextmanager
def server(folder: Path) -> Iterator[Dovecot]:
    with dovecot(make_authority(folder / "authority")) as running:
        yield running


def filled_store(path: Path, people: int) -> Store:
    """So many founders, each with a mail that was sent."""
    store = Store(open_database(path, create=True), MemoryJournal())
    add_founders(store, [f"bo{number}" for number in range(people)])
    campaign, _mailbox = start_campaign(store)
    queue_all(store, campaign)
    with store.database.write() as connection:
        sent_at = NOW - timedelta(days=2)
        connection.execute(t.outbox.update().values(state=OutboxState.SENT, intent_at=sent_at, sent_at=sent_at))
    return store


def fill(maildir: Path, store: Store, messages: int) -> None:
    """One in ten answers us; the others are a list's, a shop's and friends'."""
    items = store.outbox.items(limit=messages)
    stat = maildir.stat()
    for number in range(messages):
        if number % 10 == 0:
            item = items[number // 10 % len(items)]
            raw = mail(
                ANSWER, sender=item.rcpt, in_reply_to=item.message_id, message_id=f"<{number}@a.example>", date=NOW
            )
        else:
            raw = mail(
                PADDING,
                sender=f"somebody{number}@else{number % 97}.example",
                subject=f"Something else {number}",
                message_id=f"<{number}@b.example>",
                date=NOW,
            )
        path = maildir / "new" / f"{number:07d}.bench"
        path.write_bytes(raw)
        os.chown(path, stat.st_uid, stat.st_gid)


def run(store: Store, account: ImapServer):  # type: ignore[no-untyped-def]
    clock = FakeClock(NOW + timedelta(minutes=5))
    mailbox = store.campaigns.mailbox(SENDER.address, clock.now())
    return sync(store, ImapInbox(account), mailbox=mailbox, owner_name=SENDER.name, clock=clock)


def touch(account: ImapServer) -> None:
    client = connect(account)
    client.select_folder("INBOX", readonly=True)
    client.logout()


def imap_tools(port: int, user: str) -> None:
    from imap_tools import MailBoxUnencrypted

    box = MailBoxUnencrypted("localhost", port)
    with contextlib.closing(box.client):
        box.client.authenticate("PLAIN", lambda _challenge: f"\0{user}\0{PASSWORD}".encode())
        box.folder.set("INBOX", readonly=True)
        for found in box.fetch("ALL", mark_seen=False, bulk=500):
            _ = found.subject, found.from_, found.text


def median(work: Callable[[], object], times: int = 5) -> float:
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


if __name__ == "__main__":
    main()
