"""Faulty sending engines, each with one bug that a tool of this kind has had: the state machine must find every one.

They are the real classes with one thing done differently, put in by the machine's own constructor.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from outreach.core.clock import Reading
from outreach.core.delivery import Decision
from outreach.core.pacing import Limits
from outreach.core.ports import Outcome, SendResult
from outreach.core.records import OutboxState
from outreach.core.sent_log import Story
from outreach.store import tables as t
from outreach.store.bookings import Bookings
from outreach.store.campaigns import Campaigns, Moved
from outreach.store.claims import Answered, Claim, Claims, Held, Intent
from outreach.store.database import Database
from outreach.store.instance import Instance
from outreach.store.journal import Journal
from outreach.store.outbox import NewMessage, Outbox
from outreach.store.store import Store
from outreach.store.suppressions import Suppressions


class RequeuesSending(Claims):
    """A dead sender's mail goes back to the queue, although it may have left."""

    def reap(self, held: Held, now: datetime) -> bool:
        with self._db.write() as connection:
            return bool(
                connection.execute(
                    sa.update(t.outbox)
                    .where(t.outbox.c.id == held.id, t.outbox.c.token == held.token)
                    .values(state=OutboxState.QUEUED, intent_at=None, updated_at=now)
                ).rowcount
            )


class TriesDoubtsAgain(Claims):
    """A lost connection is a failure to try again, wherever it was lost."""

    def settle(
        self, claim: Claim, came_from: OutboxState, result: SendResult, decision: Decision, now: datetime
    ) -> bool:
        if result.outcome is Outcome.UNKNOWN:
            decision = replace(decision, state=OutboxState.QUEUED, retry_at=now)
        return super().settle(claim, came_from, result, decision, now)


class NoFence(Claims):
    """What was asked at the claim is not asked again before the dot."""

    def fence(
        self, claim: Claim, limits: Limits, *, now: datetime, before: Answered | None = None, **rest: Any
    ) -> Intent | None:
        if super().fence(claim, limits, now=now, before=before, **{**rest, "following": None}):
            return Intent()
        with self._db.write() as connection:
            taken = connection.execute(
                sa.update(t.outbox)
                .where(t.outbox.c.id == claim.item.id, t.outbox.c.token == claim.token)
                .values(state=OutboxState.SENDING, intent_at=now)
            ).rowcount
            booking = {"mailbox_id": claim.item.mailbox_id, "at": now, "outbox_id": claim.item.id}
            connection.execute(sa.insert(t.send_ledger).values(**booking))
        return Intent() if taken else None


class BooksNothing(Claims):
    """The intent is recorded, and not counted against the caps."""

    def fence(self, claim: Claim, limits: Limits, **rest: Any) -> Intent | None:
        open_ = super().fence(claim, limits, **rest)
        with self._db.write() as connection:
            connection.execute(sa.delete(t.send_ledger).where(t.send_ledger.c.outbox_id == claim.item.id))
        return open_


class LosesTheAnswerBefore(Claims):
    """What was answered to the mail before goes down with an intent that is refused."""

    def fence(
        self, claim: Claim, limits: Limits, *, now: datetime, before: Answered | None = None, **rest: Any
    ) -> Intent | None:
        intent = super().fence(claim, limits, now=now, **rest)
        if intent and before:
            self.settle(before.claim, before.came_from, before.result, before.decision, before.at)
        return intent


class ForgetsWhoWasWritten(Outbox):
    """No unique key: the same step is queued for the same person as often as somebody asks."""

    def enqueue(self, messages: Sequence[NewMessage], now: datetime) -> int:
        with self._db.write() as connection:
            connection.exec_driver_sql("DROP INDEX IF EXISTS uq_outbox_dedupe_key")
            for message in messages:
                row = {name: getattr(message, name) for name in NewMessage.__dataclass_fields__}
                row |= {"rcpt_domain": message.rcpt_key.rpartition("@")[2], "queued_at": now, "updated_at": now}
                if not connection.scalar(sa.select(t.outbox.c.id).where(t.outbox.c.message_id == message.message_id)):
                    connection.execute(sa.insert(t.outbox).values(**row))
        return len(messages)

    def generations(self, campaign_id: int) -> dict[str, int]:
        query = sa.select(t.outbox.c.dedupe_key, sa.func.count()).group_by(t.outbox.c.dedupe_key)
        with self._db.read() as connection:
            return dict(connection.execute(query.where(t.outbox.c.campaign_id == campaign_id)).all())

    def histories(self, campaign_id: int, enrollments: Iterable[int] | None = None) -> dict[int, list[Any]]:  # noqa: ARG002  it remembers none
        return {}


class ExpiresDoubts(Claims):
    """A second copy that a person had ordered, and that could not go in time, takes the doubt about the first along."""

    def expire(self, now: datetime) -> int:
        with self._db.write() as connection:
            done = connection.execute(
                sa.update(t.outbox)
                .where(t.outbox.c.state == OutboxState.QUEUED, t.outbox.c.expires_at <= now)
                .values(state=OutboxState.CANCELLED, reason="expired", intent_at=None)
            )
        return done.rowcount


class BelievesBackups(Instance):
    """A store that was put back is taken at its word."""

    def forgotten(self, log: Iterable[Mapping[str, Any]]) -> list[Story]:  # noqa: ARG002  nobody reads it
        return []


class HearsNoNo(Suppressions):
    """Who is known is not put on the list."""

    def add_person(self, founder_id: int, reason: str, now: datetime) -> None:
        pass


class MovesWhoWasWritten(Campaigns):
    """Everybody gets another mailbox, also those who have a mail from the one they had."""

    def move(self, campaign_id: int, source: int, target: int, now: datetime, *, dry_run: bool = False) -> Moved:
        moved = super().move(campaign_id, source, target, now, dry_run=dry_run)
        with self._db.write() as connection:
            rest = connection.execute(
                sa.update(t.enrollments)
                .where(t.enrollments.c.campaign_id == campaign_id, t.enrollments.c.mailbox_id == source)
                .values(mailbox_id=target)
            )
        return Moved(moved.moved + rest.rowcount, 0)


class NeverMindsTheClock(Bookings):
    """Caps are counted by a clock that anybody may set."""

    def mind_clock(self, mailbox_id: int, reading: Reading) -> timedelta:  # noqa: ARG002  that is the bug
        return timedelta(0)


def _planted(part: str, bug: type) -> type[Store]:
    """A store in which this part has the bug."""

    class Planted(Store):
        def __init__(self, database: Database, log: Journal) -> None:
            super().__init__(database, log)
            logged = part in ("claims", "suppressions", "instance")
            setattr(self, part, bug(database, log) if logged else bug(database))

    return Planted


_QUICK: tuple[tuple[str, type], ...] = (
    ("claims", RequeuesSending),
    ("claims", TriesDoubtsAgain),
    ("claims", NoFence),
    ("claims", BooksNothing),
    ("claims", LosesTheAnswerBefore),
    ("outbox", ForgetsWhoWasWritten),
    ("suppressions", HearsNoNo),
    ("campaigns", MovesWhoWasWritten),
)
_RARE: tuple[tuple[str, type], ...] = (
    ("instance", BelievesBackups),
    ("claims", ExpiresDoubts),
    ("bookings", NeverMindsTheClock),
)
BUGS = {bug.__name__: _planted(part, bug) for part, bug in _QUICK}
RARE = {bug.__name__: _planted(part, bug) for part, bug in _RARE}
"""Those that need several coincidences: for long runs."""
