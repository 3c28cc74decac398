"""Copies of sent mails in the Sent folder: which are there, and what that tells of the provider."""

from datetime import datetime

import sqlalchemy as sa

from outreach.store import tables as t
from outreach.store.database import Database


class Copies:
    """What is known of them."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def take(self, outbox_id: int, now: datetime) -> bool:
        """Whether the copy of this mail is ours to put there: said once, to one caller."""
        with self._db.write() as connection:
            return _mark(connection, outbox_id, now)

    def learn(self, mailbox_id: int, *, files_sent: bool) -> None:
        """The provider was seen to put copies there by itself, or not to."""
        with self._db.write() as connection:
            _learn(connection, mailbox_id, files_sent=files_sent)


def note_filed(connection: sa.Connection, outbox_id: int, mailbox_id: int, now: datetime) -> None:
    """A copy was seen there. One that we did not put there tells that the provider does."""
    if _mark(connection, outbox_id, now):
        _learn(connection, mailbox_id, files_sent=True)


def _mark(connection: sa.Connection, outbox_id: int, now: datetime) -> bool:
    unmarked = (t.outbox.c.id == outbox_id, t.outbox.c.filed_at.is_(None))
    return connection.execute(sa.update(t.outbox).where(*unmarked).values(filed_at=now)).rowcount == 1


def _learn(connection: sa.Connection, mailbox_id: int, *, files_sent: bool) -> None:
    at = t.mailboxes.c.id == mailbox_id
    connection.execute(sa.update(t.mailboxes).where(at).values(files_sent=files_sent))
