"""What came back: where each message lies, what it was, what it is about, and the log that people read.

A message, everything that follows from it and the cursor's move are one transaction, so a crash between two messages
loses nothing and repeats nothing. Of mail that does not concern us only its place in the mailbox is kept.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from outreach.core.consequences import Consequence
from outreach.core.inbound import Arrival
from outreach.core.matching import Clues, Found, Match
from outreach.core.ports import Cursor, Incoming
from outreach.core.records import Reply
from outreach.core.reply_text import ReplyText
from outreach.core.verdict import Kind, Verdict
from outreach.errors import NotFound
from outreach.store.consequences import Cause, Effects, apply, release_person
from outreach.store.database import Database
from outreach.store.journal import Recorder
from outreach.store.reply_log import read_reply_row, select_replies, wanted_replies
from outreach.store.sent_index import find_sent
from outreach.store.tables import (
    AddressRow,
    CampaignRow,
    CompanyRow,
    CursorRow,
    EnrollmentRow,
    FounderRow,
    InboundLocation,
    InboundRow,
    MailboxRow,
    OutboxRow,
    table,
)

_inbound, _locations, _cursors = table(InboundRow), table(InboundLocation), table(CursorRow)
_outbox, _enrollments, _addresses = table(OutboxRow), table(EnrollmentRow), table(AddressRow)
_founders, _companies, _campaigns = table(FounderRow), table(CompanyRow), table(CampaignRow)
_mailboxes = table(MailboxRow)

_MAX_RAW = 1_000_000
_COLLEAGUES = 50
_OWN_TEXTS = 8
_HOLDING = (Kind.AUTOMATIC, Kind.CHALLENGE)


@dataclass(frozen=True, slots=True)
class Entry:
    """One message, judged: everything that is to be kept of it. `kept` False: only where it lies."""

    arrival: Arrival
    verdict: Verdict
    match: Match | None
    text: ReplyText
    consequences: Sequence[Consequence]
    kept: bool
    private: bool = False
    """The row says that it came and from whom, not what it says."""
    trouble: str = ""


class Mail:
    """The reply log. `suppression_log` remembers opt-outs beyond any restore."""

    def __init__(self, database: Database, suppression_log: Recorder) -> None:
        self._db = database
        self._journal = suppression_log

    # --- reading the mailbox ------------------------------------------------------------------------------

    def position(self, mailbox_id: int, folder: str) -> tuple[Cursor | None, frozenset[str]]:
        """How far a folder was read, and the keys known in it under that validity."""
        of_folder = (_cursors.c.mailbox_id == mailbox_id, _cursors.c.folder == folder)
        with self._db.read() as connection:
            row = connection.execute(sa.select(_cursors).where(*of_folder)).one_or_none()
            if row is None:
                return None, frozenset()
            known = connection.scalars(
                sa.select(_locations.c.key).where(
                    _locations.c.mailbox_id == mailbox_id,
                    _locations.c.folder == folder,
                    _locations.c.validity == row.validity,
                )
            )
            return Cursor(row.folder, row.validity, row.last_uid), frozenset(known)

    def first_sent_at(self, mailbox_id: int) -> datetime | None:
        """When the first mail may have left: nothing older can be an answer."""
        query = sa.select(sa.func.min(_outbox.c.intent_at, type_=_outbox.c.intent_at.type))
        with self._db.read() as connection:
            first: datetime | None = connection.scalar(query.where(_outbox.c.mailbox_id == mailbox_id))
        return first

    def finish(self, mailbox_id: int, now: datetime) -> None:
        """Every folder was read to its end."""
        with self._db.write() as connection:
            connection.execute(sa.update(_mailboxes).where(_mailboxes.c.id == mailbox_id).values(synced_at=now))

    # --- what a message may be about -----------------------------------------------------------------------

    def find(self, clues: Clues) -> Found:
        """Every mail and prospect that the clues may point to, newest first."""
        with self._db.read() as connection:
            return find_sent(connection, clues)

    def sent_bytes(self, founder_id: int) -> list[bytes]:
        """Our mails to one founder that may have left, newest first: what they may quote."""
        query = (
            sa.select(_outbox.c.mime)
            .where(_outbox.c.founder_id == founder_id, _outbox.c.intent_at.is_not(None))
            .order_by(_outbox.c.id.desc())
            .limit(_OWN_TEXTS)
        )
        with self._db.read() as connection:
            return list(connection.scalars(query))

    # --- writing it down -----------------------------------------------------------------------------------

    def record(self, entry: Entry, incoming: Incoming, *, mailbox_id: int, now: datetime) -> Effects | None:
        """Keep one message with all that follows from it, and move the cursor. None: it was known from elsewhere."""
        with self._db.write() as connection:
            inbound_id, fresh = _keep(connection, entry, incoming, now) if entry.kept else (None, True)
            _locate(connection, mailbox_id, incoming, inbound_id)
            _move_cursor(connection, mailbox_id, incoming.cursor)
            if not fresh:
                return None
            cause = Cause(f"mail {inbound_id}" if inbound_id else "the Sent folder", now, self._journal)
            return apply(connection, entry.consequences, mailbox_id=mailbox_id, cause=cause)

    # --- the log, as people read it --------------------------------------------------------------------------

    def replies(
        self,
        *,
        kinds: Collection[str] = (),
        campaign_id: int | None = None,
        founder_id: int | None = None,
        since: datetime | None = None,
        unlabelled: bool = False,
        limit: int | None = None,
    ) -> list[Reply]:
        """The log, newest first."""
        query = (
            select_replies()
            .where(*wanted_replies(kinds, campaign_id, founder_id, since, unlabelled=unlabelled))
            .limit(limit)
        )
        with self._db.read() as connection:
            return [read_reply_row(row) for row in connection.execute(query).mappings()]

    def count(
        self,
        *,
        kinds: Collection[str] = (),
        campaign_id: int | None = None,
        since: datetime | None = None,
        unlabelled: bool = False,
    ) -> int:
        """How many messages `replies` would list without a limit."""
        conditions = wanted_replies(kinds, campaign_id, None, since, unlabelled=unlabelled)
        with self._db.read() as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(_inbound).where(*conditions)) or 0

    def quarantined(self) -> int:
        """Messages that could not be read whole, and wait for a person."""
        query = sa.select(sa.func.count()).select_from(_inbound).where(_inbound.c.trouble != "", _inbound.c.label == "")
        with self._db.read() as connection:
            return connection.scalar(query) or 0

    def get(self, reply_id: int) -> Reply:
        with self._db.read() as connection:
            row = connection.execute(select_replies().where(_inbound.c.id == reply_id)).mappings().one_or_none()
        if row is None:
            raise NotFound(f"there is no reply {reply_id}.", hint="`outreach replies` lists them")
        return read_reply_row(row)

    def label(self, reply_id: int, label: str, now: datetime) -> Reply:
        """What a person made of it; empty takes it back. Whom a machine's mail holds goes on once it has a label."""
        reply = self.get(reply_id)
        with self._db.write() as connection:
            _annotate(connection, reply_id, {"label": label})
            if label and reply.kind in _HOLDING and reply.founder_id is not None:
                release_person(connection, reply.founder_id, now)
        return replace(reply, label=label)

    def note(self, reply_id: int, text: str) -> Reply:
        reply = self.get(reply_id)
        with self._db.write() as connection:
            _annotate(connection, reply_id, {"note": text})
        return replace(reply, note=text)

    def raw(self, reply_id: int) -> bytes:
        """The message as it came, cut at 1 MB; empty if it was not kept."""
        with self._db.read() as connection:
            return connection.scalar(sa.select(_inbound.c.raw).where(_inbound.c.id == reply_id)) or b""


# --- recording --------------------------------------------------------------------------------------------------


def _keep(connection: sa.Connection, entry: Entry, incoming: Incoming, now: datetime) -> tuple[int, bool]:
    """The row of this message, and whether it is new: the same id with other bytes is another message."""
    arrival = entry.arrival
    # What could not be fetched at all has no bytes to tell it by, only its place.
    identity = (arrival.message_id or arrival.sha256) if incoming.raw else f"{incoming.folder.name}/{incoming.key}"
    known = sa.select(_inbound.c.id).where(_inbound.c.message_id == identity, _inbound.c.sha256 == arrival.sha256)
    found = connection.scalar(known)
    if found is not None:
        return found, False
    made = connection.execute(sa.insert(_inbound).values(message_id=identity, **_values(entry, incoming, now)))
    key = made.inserted_primary_key
    assert key is not None  # noqa: S101  every INSERT of one row has one
    return int(key[0]), True


def _values(entry: Entry, incoming: Incoming, now: datetime) -> dict[str, Any]:
    arrival, match, verdict = entry.arrival, entry.match, entry.verdict
    sure = match if match and not match.probable else None
    content = (
        {"subject": "", "text": "", "full_text": "", "raw": None}
        if entry.private
        else {
            "subject": arrival.subject,
            "text": entry.text.shown,
            "full_text": entry.text.full,
            "raw": incoming.raw[:_MAX_RAW],
        }
    )
    return {
        "sha256": arrival.sha256,
        "from_address": arrival.from_address,
        "from_name": arrival.from_name,
        "to_address": next(iter(arrival.to), ""),
        "sent_at": arrival.sent_at,
        "received_at": arrival.received_at,
        "kind": verdict.kind,
        "subkind": verdict.subkind,
        "evidence": list(verdict.evidence),
        "outbox_id": match.mail.id if match and match.mail else None,
        "founder_id": sure.founder_id if sure else None,
        "campaign_id": _campaign_of(sure),
        "step": sure.mail.step if sure and sure.mail else None,
        "label": "",
        "note": "",
        "trouble": entry.trouble,
        "logged_at": now,
        **content,
    }


def _campaign_of(match: Match | None) -> int | None:
    if match is None:
        return None
    return match.mail.campaign_id if match.mail else match.prospect.campaign_id if match.prospect else None


def _locate(connection: sa.Connection, mailbox_id: int, incoming: Incoming, inbound_id: int | None) -> None:
    place = {
        "mailbox_id": mailbox_id,
        "folder": incoming.folder.name,
        "validity": incoming.cursor.validity,
        "key": incoming.key,
    }
    there = sa.select(_locations.c.key).where(*(_locations.c[name] == value for name, value in place.items()))
    if connection.scalar(there) is None:
        connection.execute(sa.insert(_locations).values(inbound_id=inbound_id, **place))


def _move_cursor(connection: sa.Connection, mailbox_id: int, cursor: Cursor) -> None:
    of_folder = (_cursors.c.mailbox_id == mailbox_id, _cursors.c.folder == cursor.folder)
    values = {"validity": cursor.validity, "last_uid": cursor.last_uid}
    if connection.execute(sa.update(_cursors).where(*of_folder).values(**values)).rowcount == 0:
        connection.execute(sa.insert(_cursors).values(mailbox_id=mailbox_id, folder=cursor.folder, **values))


def _annotate(connection: sa.Connection, reply_id: int, values: Mapping[str, str]) -> None:
    connection.execute(sa.update(_inbound).where(_inbound.c.id == reply_id).values(**values))
