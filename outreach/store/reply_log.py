"""The reply log as people read it, and what they write beside it."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from outreach.core.records import Reply
from outreach.core.verdict import Kind
from outreach.errors import NotFound
from outreach.store import tables as t
from outreach.store.consequences import release_person
from outreach.store.database import Database

_HOLDING = (Kind.AUTOMATIC, Kind.CHALLENGE)


class Replies:
    """What came in and was kept."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def listed(
        self,
        *,
        kinds: Collection[str] = (),
        campaign_id: int | None = None,
        founder_id: int | None = None,
        since: datetime | None = None,
        unlabelled: bool = False,
        due_on: str = "",
        after: int = 0,
        limit: int | None = None,
    ) -> list[Reply]:
        """The log: what waits for a label first, then newest first. `due_on`: only reminders up to that day (ISO);
        `after`: only rows that came after this one."""
        conditions = _wanted(kinds, campaign_id, founder_id, since, unlabelled=unlabelled)
        conditions += [t.inbound.c.remind_on != "", t.inbound.c.remind_on <= due_on] if due_on else []
        conditions += [t.inbound.c.id > after] if after else []
        query = _select().where(*conditions).limit(limit)
        with self._db.read() as connection:
            return [_read(row) for row in connection.execute(query).mappings()]

    def count(
        self,
        *,
        kinds: Collection[str] = (),
        campaign_id: int | None = None,
        since: datetime | None = None,
        unlabelled: bool = False,
    ) -> int:
        """How many messages `listed` would list without a limit."""
        conditions = _wanted(kinds, campaign_id, None, since, unlabelled=unlabelled)
        with self._db.read() as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(t.inbound).where(*conditions)) or 0

    def newest(self) -> int:
        """The number of the newest row; 0 for an empty log."""
        with self._db.read() as connection:
            return connection.scalar(sa.select(sa.func.max(t.inbound.c.id))) or 0

    def due(self, day: str) -> int:
        """Reminders up to that day (ISO)."""
        with self._db.read() as connection:
            wanted = (t.inbound.c.remind_on != "", t.inbound.c.remind_on <= day)
            return connection.scalar(sa.select(sa.func.count()).select_from(t.inbound).where(*wanted)) or 0

    def conversation(self, founder_id: int) -> list[Reply]:
        """Everything that came from one founder, oldest first."""
        query = _select().where(t.inbound.c.founder_id == founder_id)
        with self._db.read() as connection:
            found = [_read(row) for row in connection.execute(query).mappings()]
        return sorted(found, key=lambda reply: (reply.received_at, reply.id))

    def quarantined(self) -> int:
        """Messages that could not be read whole, and wait for a person."""
        query = (
            sa.select(sa.func.count()).select_from(t.inbound).where(t.inbound.c.trouble != "", t.inbound.c.label == "")
        )
        with self._db.read() as connection:
            return connection.scalar(query) or 0

    def get(self, reply_id: int) -> Reply:
        with self._db.read() as connection:
            row = connection.execute(_select().where(t.inbound.c.id == reply_id)).mappings().one_or_none()
        if row is None:
            raise NotFound(f"there is no reply {reply_id}.", hint="`outreach replies` lists them")
        return _read(row)

    def label(self, reply_id: int, label: str, now: datetime, *, remind_on: str = "") -> Reply:
        """What a person made of it; empty takes it back. Whom a machine's mail holds goes on once it has a label.
        `remind_on`: the day (ISO) on which it comes back as a reminder."""
        reply = self.get(reply_id)
        with self._db.write() as connection:
            _annotate(connection, reply_id, {"label": label, "remind_on": remind_on})
            if label and reply.kind in _HOLDING and reply.founder_id is not None:
                release_person(connection, reply.founder_id, now)
        return replace(reply, label=label, remind_on=remind_on)

    def note(self, reply_id: int, text: str) -> Reply:
        reply = self.get(reply_id)
        with self._db.write() as connection:
            _annotate(connection, reply_id, {"note": text})
        return replace(reply, note=text)

    def thread_mailbox(self, reply_id: int) -> int | None:
        """The mailbox that a message's thread goes from: that of the mail it answers, else the one it came to."""
        wrote = sa.select(t.outbox.c.mailbox_id).join(t.inbound, t.inbound.c.outbox_id == t.outbox.c.id)
        came_to = sa.select(t.inbound_locations.c.mailbox_id).where(t.inbound_locations.c.inbound_id == reply_id)
        with self._db.read() as connection:
            found: int | None = connection.scalar(wrote.where(t.inbound.c.id == reply_id))
            return found if found is not None else connection.scalar(came_to.limit(1))

    def raw(self, reply_id: int) -> bytes:
        """The message as it came, cut at 1 MB; empty if it was not kept."""
        with self._db.read() as connection:
            return connection.scalar(sa.select(t.inbound.c.raw).where(t.inbound.c.id == reply_id)) or b""


# What a person should read comes before the rest: people's own words, and what could not be told or read.
_waits = sa.case(
    (
        sa.and_(
            t.inbound.c.label == "",
            sa.or_(
                t.inbound.c.kind.in_(("reply", "challenge")), t.inbound.c.trouble != "", t.inbound.c.kind == "automatic"
            ),
        ),
        1,
    ),
    else_=0,
)


def _select() -> sa.Select[Any]:
    return (
        sa.select(t.inbound, t.campaigns.c.name.label("campaign"), t.founders.c.full_name.label("founder"))
        .outerjoin(t.campaigns, t.campaigns.c.id == t.inbound.c.campaign_id)
        .outerjoin(t.founders, t.founders.c.id == t.inbound.c.founder_id)
        .order_by(_waits.desc(), t.inbound.c.received_at.desc(), t.inbound.c.id.desc())
    )


def _wanted(
    kinds: Collection[str],
    campaign_id: int | None,
    founder_id: int | None,
    since: datetime | None,
    *,
    unlabelled: bool,
) -> list[sa.ColumnElement[bool]]:
    wanted: list[sa.ColumnElement[bool]] = []
    if kinds:
        wanted.append(t.inbound.c.kind.in_(kinds))
    if campaign_id is not None:
        wanted.append(t.inbound.c.campaign_id == campaign_id)
    if founder_id is not None:
        wanted.append(t.inbound.c.founder_id == founder_id)
    if since is not None:
        wanted.append(t.inbound.c.received_at >= since)
    if unlabelled:
        wanted.append(t.inbound.c.label == "")
    return wanted


def _read(row: sa.RowMapping) -> Reply:
    plain = {name: row[name] for name in Reply.__dataclass_fields__}
    texts = {
        "campaign": row["campaign"] or "",
        "founder": row["founder"] or "",
        **{name: tuple(row[name]) for name in ("evidence", "attachments", "failures")},
    }
    return Reply(**{**plain, **texts})


def _annotate(connection: sa.Connection, reply_id: int, values: Mapping[str, str]) -> None:
    connection.execute(sa.update(t.inbound).where(t.inbound.c.id == reply_id).values(**values))
