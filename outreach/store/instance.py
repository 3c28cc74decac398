"""Which store this is, and what must be done with one that turns out to be a copy or an older one.

A copied or restored store brings back messages that have left since. Until a person has adopted it, nothing is sent
from it; adopting settles every message by what the sent log and the Sent folder know.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from outreach.core.message import dedupe_key
from outreach.core.normalize import address_key, suppression_key
from outreach.core.records import EnrollmentState, OutboxState
from outreach.core.sent_log import Story, read_log
from outreach.core.suppression import ERASED_START
from outreach.errors import StoreError
from outreach.store import tables as t
from outreach.store.consequences import Cause, suppress
from outreach.store.database import Database
from outreach.store.journal import Recorder
from outreach.store.meta import ADOPTION, KEY, PLACE, get_fact, put_fact
from outreach.store.outbox import EXPIRES_AFTER, LIVE, Outbox, Tries


@dataclass(frozen=True, slots=True)
class Adopted:
    """What became of the messages that the store did not know to have left, by Message-ID. `recreated` are those whose
    rows were missing; `blocked` are addresses that were written to and are nobody's here; `waiting` is what is left."""

    sent: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()
    recreated: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()
    waiting: int = 0


class Instance:
    """This store's identity: on which machine and in which file it was last used."""

    def __init__(self, database: Database, suppression_log: Recorder) -> None:
        self._db, self._log, self._outbox = database, suppression_log, Outbox(database)

    def moved(self, here: Mapping[str, str]) -> tuple[str, ...]:
        """What differs from where this store was used before: names of facts. The first use records them."""
        with self._db.read() as connection:
            there = _facts(connection, PLACE)
        if not there:
            self.settle(here)
        return tuple(name for name in here if there and there.get(name) != here[name])

    def forgotten(self, log: Iterable[Mapping[str, Any]]) -> list[Story]:
        """What left, or may have, by the word of the sent log, and that this store does not know to have left.

        Such a store is an older copy: sending from it would write twice. It must know every try of the log that may
        have left, by its token; an intent without an outcome was then found dead before its dot, or is a doubt.
        """
        with self._db.read() as connection:
            adoptions = _facts(connection, ADOPTION)
        told = read_log(log, adoptions)
        known = self._outbox.tries(told)
        return [story for message_id, story in told.items() if not _explained(story, known.get(message_id, Tries()))]

    def key(self) -> str:
        """The fingerprint of the secret that it writes Message-IDs with; empty before the first."""
        with self._db.read() as connection:
            return get_fact(connection, KEY)

    def check_key(self, fingerprint: str) -> None:
        """Remember the first; raise StoreError for another one."""
        known = self.key()
        if not known:
            with self._db.write() as connection:
                put_fact(connection, KEY, fingerprint)
        elif known != fingerprint:
            raise StoreError(
                "outreach.key is not the key that this store was made with: answers could not be told from other mail.",
                hint="copy outreach.key from the workspace that made the store, or from a backup of this one",
            )

    def settle(self, here: Mapping[str, str]) -> None:
        """This is where it is used from now on."""
        with self._db.write() as connection:
            _record(connection, here)

    def adopt(
        self,
        stories: Sequence[Story],
        seen_in_sent: Collection[str],
        here: Mapping[str, str],
        now: datetime,
        adoption: str,
    ) -> Adopted:
        """Settle every message by the evidence, and take the store for this one from now on. One transaction, which
        leaves the name of this adoption behind."""
        with self._db.write() as connection:
            _end_claims(connection, now)
            sent, doubtful, recreated, blocked = list[str](), list[str](), list[str](), list[str]()
            for story in stories:
                left = "sent" if story.message_id in seen_in_sent else (story.left or "unknown")
                known = _mark(connection, story, left, now)
                made = not known and _recreate(connection, story, left, now)
                if known or made:
                    (sent if left == "sent" else doubtful).append(story.message_id)
                    recreated += [story.message_id] if made else []
                else:
                    blocked += self._block(connection, story, now)
            sent += _found(connection, seen_in_sent, now)
            _record(connection, here)
            put_fact(connection, ADOPTION + adoption, now.isoformat())
            waiting = connection.scalar(sa.select(sa.func.count()).where(t.outbox.c.state == OutboxState.QUEUED)) or 0
        return Adopted(tuple(sent), tuple(doubtful), tuple(recreated), tuple(blocked), waiting)

    def _block(self, connection: sa.Connection, story: Story, now: datetime) -> list[str]:
        """Someone who was written to and is not known here: imported again, they must not be written to again."""
        if not story.rcpt:
            return []
        cause = Cause("sent.log", now, self._log)
        reason = f"was written to on {story.at[:10]}, which this store has forgotten"
        suppress(connection, f"address:{suppression_key(story.rcpt)}", kind="manual", reason=reason, cause=cause)
        return [story.rcpt]


def _explained(story: Story, known: Tries) -> bool:
    if story.rcpt.startswith(ERASED_START):
        return True  # the store has nothing of them, and nobody writes to them
    return story.tries <= known.tokens and (known.may_have_left or not story.may_have_left)


def _facts(connection: sa.Connection, start: str) -> dict[str, str]:
    rows = connection.execute(sa.select(t.meta).where(t.meta.c.name.startswith(start))).all()
    return {row.name.removeprefix(start): row.value for row in rows}


def _record(connection: sa.Connection, here: Mapping[str, str]) -> None:
    connection.execute(sa.delete(t.meta).where(t.meta.c.name.startswith(PLACE)))
    connection.execute(sa.insert(t.meta), [{"name": PLACE + name, "value": value} for name, value in here.items()])


def _end_claims(connection: sa.Connection, now: datetime) -> None:
    """Whoever had these in hand worked on another copy: an intent is a doubt, a claim is for the log to judge."""
    for before, after in ((OutboxState.SENDING, OutboxState.UNKNOWN), (OutboxState.CLAIMED, OutboxState.QUEUED)):
        connection.execute(
            sa.update(t.outbox).where(t.outbox.c.state == before).values(state=after, reason="adopted", updated_at=now)
        )


def _mark(connection: sa.Connection, story: Story, left: str, now: datetime) -> bool:
    """A message that is here did leave, or may have."""
    at = datetime.fromisoformat(story.at) if story.at else now
    row = connection.execute(sa.select(t.outbox).where(t.outbox.c.message_id == story.message_id)).first()
    if row is None:
        return False
    connection.execute(
        sa.update(t.outbox)
        .where(t.outbox.c.id == row.id)
        .values(
            state=OutboxState.SENT if left == "sent" else OutboxState.UNKNOWN,
            reason="by the word of sent.log",
            intent_at=at,
            sent_at=at if left == "sent" else None,
            updated_at=now,
        )
    )
    connection.execute(sa.insert(t.send_ledger).values(mailbox_id=row.mailbox_id, at=at, outbox_id=row.id))
    return True


def _found(connection: sa.Connection, seen_in_sent: Collection[str], now: datetime) -> list[str]:
    """Messages that wait or are in doubt here and lie in the Sent folder."""
    states = (OutboxState.QUEUED, OutboxState.HELD, OutboxState.UNKNOWN)
    rows = connection.execute(sa.select(t.outbox.c.message_id).where(t.outbox.c.state.in_(states))).scalars()
    found = [message_id for message_id in rows if message_id in seen_in_sent]
    for message_id in found:
        _mark(connection, Story(message_id, "sent"), "sent", now)
    return found


def _recreate(connection: sa.Connection, story: Story, left: str, now: datetime) -> bool:
    """The row of a message that only the log remembers, if its campaign and its founder are here."""
    campaign = connection.execute(sa.select(t.campaigns).where(t.campaigns.c.name == story.campaign)).first()
    founder = connection.execute(
        sa.select(t.founders).join(t.addresses, t.addresses.c.founder_id == t.founders.c.id)
        .where(t.addresses.c.key == story.rcpt)
    ).first()  # fmt: skip
    if campaign is None or founder is None:
        return False
    key = dedupe_key(campaign.id, story.step, founder.id)
    if not _free(connection, key, now):
        return False
    enrolled = _enrolled(connection, campaign, founder.id, story, now)
    connection.execute(
        sa.insert(t.outbox).values(
            campaign_id=campaign.id,
            enrollment_id=enrolled.id,
            mailbox_id=enrolled.mailbox_id,
            step=story.step,
            founder_id=founder.id,
            company_id=founder.company_id,
            rcpt=story.rcpt,
            rcpt_key=story.rcpt,
            rcpt_domain=story.rcpt.rpartition("@")[2],
            subject="",
            dedupe_key=key,
            message_id=story.message_id,
            mime=b"",
            sha256="",
            state=OutboxState.QUEUED,
            due_at=now,
            expires_at=now + EXPIRES_AFTER,
            queued_at=now,
            updated_at=now,
        )
    )
    return _mark(connection, story, left, now)


def _free(connection: sa.Connection, key: str, now: datetime) -> bool:
    """Make room for what left under another id: the same step, planned here and never sent, is cancelled."""
    connection.execute(
        sa.update(t.outbox)
        .where(t.outbox.c.dedupe_key == key, t.outbox.c.intent_at.is_(None))
        .values(state=OutboxState.CANCELLED, reason="adopted", updated_at=now)
    )
    return connection.scalar(sa.select(t.outbox.c.id).where(t.outbox.c.dedupe_key == key, LIVE).limit(1)) is None


def _enrolled(
    connection: sa.Connection, campaign: sa.Row[Any], founder_id: int, story: Story, now: datetime
) -> sa.Row[Any]:
    """The founder's place in the campaign, made if it is gone too; from now on with the mailbox that wrote to them."""
    mine = sa.and_(t.enrollments.c.campaign_id == campaign.id, t.enrollments.c.founder_id == founder_id)
    wrote = connection.scalar(sa.select(t.mailboxes.c.id).where(t.mailboxes.c.address == address_key(story.mailbox)))
    if connection.scalar(sa.select(t.enrollments.c.id).where(mine)) is None:
        values: dict[str, Any] = {"campaign_id": campaign.id, "founder_id": founder_id, "reason": ""}
        values |= {"address": story.rcpt, "address_key": story.rcpt, "state": EnrollmentState.ACTIVE}
        values |= {"enrolled_at": now, "updated_at": now, "mailbox_id": wrote or campaign.mailbox_id}
        connection.execute(sa.insert(t.enrollments).values(**values))
    elif wrote is not None:
        connection.execute(sa.update(t.enrollments).where(mine).values(mailbox_id=wrote))
    return connection.execute(sa.select(t.enrollments).where(mine)).one()
