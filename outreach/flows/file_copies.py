"""Puts copies of sent mails into the Sent folder, where the provider does not: the owner finds there what they sent,
and another installation what is not to be sent twice.

To be run after the folder was read: a copy that came by itself is known by then.
"""

from datetime import timedelta
from typing import Protocol

from outreach.core.ports import Clock, Filing, Inbox
from outreach.core.records import Mailbox
from outreach.store.store import Store

FILED_AFTER = timedelta(minutes=2)
"""A provider may take a moment to file its own copy."""


class FilingInbox(Inbox, Filing, Protocol):
    """A mailbox that can be read, and takes copies."""


def file_copies(store: Store, inbox: FilingInbox, *, mailbox: Mailbox, clock: Clock) -> int:
    """How many copies were put there; none into a mailbox without a Sent folder. Each is tried once: one too few does
    no harm. Raises MailboxError where one is not taken. Closes the inbox."""
    try:
        waiting = store.outbox.unfiled(mailbox.id, clock.now() - FILED_AFTER)
        folders = [folder for folder in inbox.folders() if folder.role == "sent"] if waiting else []
        filed = 0
        for mail in waiting if folders else ():
            if store.copies.take(mail.id, clock.now()):
                inbox.file_copy(folders[0], mail.mime, mail.sent_at or clock.now())
                filed += 1
        return filed
    finally:
        inbox.close()
