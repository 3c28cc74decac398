"""What came back: where each message lies, what it was, and what it is about. People read it by `reply_log`.

A message, everything that follows from it and the cursor's move are one transaction, so a crash between two messages
loses nothing and repeats nothing. Of mail that does not concern us only its place in the mailbox is kept.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from outreach.core.inbound import Arrival, read_head
from outreach.core.interest import Guess
from outreach.core.judge import RULES
from outreach.core.matching import Clues, Found, Match
from outreach.core.measures import Consequence, PauseMailbox
from outreach.core.ports import Cursor, Incoming, Known
from outreach.core.reply_text import ReplyText
from outreach.core.triage import Links, Sent
from outreach.core.verdict import Kind, Verdict
from outreach.store import tables as t
from outreach.store.bookings import note_by_hand
from outreach.store.breakers import check_breakers
from outreach.store.bulk import insert_all, select_in
from outreach.store.consequences import Cause, Effects, apply, apply_all
from outreach.store.database import Database
from outreach.store.erasures import Erasures
from outreach.store.journal import Recorder
from outreach.store.sent_index import all_sent, find_links, find_sent

if TYPE_CHECKING:
    from outreach.core.erased import Erased

_MAX_RAW = 1_000_000
_MOST_ATTACHMENTS = 50
_COLLEAGUES = 50
_OWN_TEXTS = 8


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
    guess: Guess = Guess()  # noqa: RUF009  frozen, so all rows may share it


@dataclass(frozen=True, slots=True)
class Stored:
    """A message as it was kept, to be judged again."""

    id: int
    raw: bytes
    received_at: datetime
    kind: str
    subkind: str
    trouble: str
    founder: str
    label: str


class Mail:
    """Everything that came in. `suppression_log` remembers opt-outs beyond any restore."""

    def __init__(self, database: Database, suppression_log: Recorder, erasures: Erasures) -> None:
        self._db, self._erasures = database, erasures
        self._journal = suppression_log

    # --- reading the mailbox ------------------------------------------------------------------------------

    def position(self, mailbox_id: int, folder: str) -> tuple[Cursor | None, Known]:
        """How far a folder was read, and a way to ask which keys are known in it under that validity."""
        of_folder = (t.cursors.c.mailbox_id == mailbox_id, t.cursors.c.folder == folder)
        with self._db.read() as connection:
            row = connection.execute(sa.select(t.cursors).where(*of_folder)).one_or_none()
        if row is None:
            return None, lambda _keys: ()
        place = {"mailbox_id": mailbox_id, "folder": folder, "validity": row.validity}
        return Cursor(row.folder, row.validity, row.last_uid, row.mark), partial(self._known, place)

    def _known(self, place: Mapping[str, Any], keys: Sequence[str]) -> set[str]:
        with self._db.read() as connection:
            return _located(connection, place, keys)

    def first_sent_at(self) -> datetime | None:
        """When the first mail may have left, from whichever mailbox: nothing older can be an answer, and an answer may
        come in to another one."""
        query = sa.select(sa.func.min(t.outbox.c.intent_at, type_=t.outbox.c.intent_at.type))
        with self._db.read() as connection:
            first: datetime | None = connection.scalar(query)
        return first

    def finish(self, mailbox_id: int, now: datetime) -> None:
        """Every folder was read to its end."""
        with self._db.write() as connection:
            connection.execute(sa.update(t.mailboxes).where(t.mailboxes.c.id == mailbox_id).values(synced_at=now))

    # --- what a message may be about -----------------------------------------------------------------------

    def find(self, clues: Sequence[Clues]) -> Found:
        """Every mail and prospect that the clues of some messages may point to, newest first."""
        with self._db.read() as connection:
            return find_sent(connection, clues)

    def links(self, ids: Collection[str], keys: Collection[str]) -> Links:
        """Which ids and addresses of some heads are known."""
        with self._db.read() as connection:
            return find_links(connection, ids, keys)

    def all_sent(self) -> Sent:
        """What all our mails have in common with their answers."""
        with self._db.read() as connection:
            return all_sent(connection)

    def sent_bytes(self, founders: Collection[int]) -> dict[int, list[bytes]]:
        """Our mails to each of these founders that may have left, newest first: what they may quote."""
        query = sa.select(t.outbox.c.founder_id, t.outbox.c.mime).where(t.outbox.c.intent_at.is_not(None))
        found: dict[int, list[bytes]] = {}
        with self._db.read() as connection:
            for row in select_in(connection, query.order_by(t.outbox.c.id.desc()), t.outbox.c.founder_id, founders):
                mails = found.setdefault(row["founder_id"], [])
                if len(mails) < _OWN_TEXTS:
                    mails.append(row["mime"])
        return found

    # --- writing it down -----------------------------------------------------------------------------------

    def record(
        self, batch: Sequence[tuple[Incoming, Entry | None]], *, mailbox_id: int, now: datetime
    ) -> tuple[list[bool], Effects]:
        """Keep some messages of one folder with all that follows from them, and move the cursor, in one transaction.
        No entry: it does not concern us. For each whether it was new, not known from elsewhere; and what changed."""
        if not batch:
            return [], Effects()
        with self._db.write() as connection:
            erased = self._erasures.known(connection)
            if erased:
                batch = [
                    (one, entry if entry and _is_there(connection, entry, erased) else None) for one, entry in batch
                ]
            kept = [(one, entry) for one, entry in batch if entry is not None and entry.kept]
            ids = dict(zip((one.key for one, _ in kept), _keep(connection, kept, now), strict=True))
            _locate(connection, mailbox_id, [(one, ids[one.key][0] if one.key in ids else None) for one, _ in batch])
            placed = [(entry, *ids.get(one.key, (None, True))) for one, entry in batch]
            planned = [
                (entry.consequences, self._cause(inbound_id, now), _mailbox_of(connection, entry) or mailbox_id)
                for entry, inbound_id, fresh in placed
                if entry is not None and fresh
            ]
            effects = apply_all(connection, planned, now)
            for one, entry in batch:
                _teach(connection, entry, one, mailbox_id, now, erased)
            _move_cursor(connection, mailbox_id, batch[-1][0].cursor)
            return [fresh for _, _, fresh in placed], effects

    def _cause(self, inbound_id: int | None, now: datetime) -> Cause:
        return Cause(f"mail {inbound_id}" if inbound_id else "the Sent folder", now, self._journal)

    def reached(self, mailbox_id: int, cursor: Cursor) -> None:
        """A folder was read to its end."""
        with self._db.write() as connection:
            _move_cursor(connection, mailbox_id, cursor)

    # --- judging again ---------------------------------------------------------------------------------------

    def stored(self, after: int, limit: int) -> list[Stored]:
        """Kept messages in the order in which they came, from the one after `after` on."""
        query = (
            sa.select(t.inbound, t.founders.c.full_name.label("founder"))
            .outerjoin(t.founders, t.founders.c.id == t.inbound.c.founder_id)
            .where(t.inbound.c.id > after, t.inbound.c.raw.is_not(None), sa.func.length(t.inbound.c.raw) > 0)
            .order_by(t.inbound.c.id)
            .limit(limit)
        )
        with self._db.read() as connection:
            return [_stored(row) for row in connection.execute(query).mappings()]

    def judge_again(self, stored_id: int, entry: Entry, *, follow: bool, mailbox_id: int, now: datetime) -> Effects:
        """Another verdict on a message replaces the old one; with `follow`, it adds stops and suppressions. It lifts
        nothing; label and note stay."""
        with self._db.write() as connection:
            connection.execute(sa.update(t.inbound).where(t.inbound.c.id == stored_id).values(**_verdict_values(entry)))
            cause = Cause(f"mail {stored_id}, judged again", now, self._journal)
            if not follow:
                return Effects()
            about = _mailbox_of(connection, entry) or mailbox_id
            effects = apply(connection, entry.consequences, mailbox_id=about, cause=cause)
            _hold_against_campaign(connection, entry, now)
            return effects


def _is_there(connection: sa.Connection, entry: Entry, erased: "Erased") -> bool:
    """Whether whom a message concerns has not been erased since it was judged."""
    if erased.has_address(entry.arrival.from_address):
        return False
    match = entry.match
    there = sa.select(t.founders.c.id).where(t.founders.c.id == match.founder_id) if match else None
    return there is None or connection.scalar(there) is not None


def _teach(
    connection: sa.Connection,
    entry: Entry | None,
    incoming: Incoming,
    mailbox_id: int,
    now: datetime,
    erased: "Erased",
) -> None:
    """What pacing learns: mails by hand count against the mailbox's ceiling, bad answers against the campaign."""
    if incoming.folder.role == "sent" and (entry is None or entry.verdict.subkind == "by_hand"):
        # What does not concern us was not read whole, and is the owner's own.
        arrival = entry.arrival if entry else read_head(incoming.raw, incoming.received_at)
        to = [erased.hidden(address) for address in arrival.to]
        note_by_hand(connection, mailbox_id, min(arrival.sent_at, now), to)
    if entry is not None:
        _hold_against_campaign(connection, entry, now)


def _hold_against_campaign(connection: sa.Connection, entry: Entry, now: datetime) -> None:
    campaign_id = _campaign_of(entry.match)
    if campaign_id is not None and entry.verdict.kind in (Kind.BOUNCE, Kind.COMPLAINT):
        check_breakers(connection, campaign_id, now)


# --- recording --------------------------------------------------------------------------------------------------


def _keep(connection: sa.Connection, batch: Sequence[tuple[Incoming, Entry]], now: datetime) -> list[tuple[int, bool]]:
    """For each message its row, and whether it is new: the same id with other bytes is another message."""
    named = [(_identity(one, entry), entry.arrival.sha256) for one, entry in batch]
    query = sa.select(t.inbound.c.id, t.inbound.c.message_id, t.inbound.c.sha256)
    rows = select_in(connection, query, t.inbound.c.message_id, {identity for identity, _ in named})
    known = {(row["message_id"], row["sha256"]): row["id"] for row in rows}
    fresh: dict[tuple[str, str], dict[str, Any]] = {}
    for name, (one, entry) in zip(named, batch, strict=True):
        if name not in known:
            fresh.setdefault(name, {"message_id": name[0], **_values(entry, one, now)})
    statement = sa.insert(t.inbound).returning(t.inbound.c.id, sort_by_parameter_order=True)
    made = dict(zip(fresh, connection.scalars(statement, list(fresh.values())), strict=True)) if fresh else {}
    return [
        (known[name], False) if name in known else (made[name], fresh.pop(name, None) is not None) for name in named
    ]


def _identity(incoming: Incoming, entry: Entry) -> str:
    """What could not be fetched at all has no bytes to tell it by, only its place."""
    arrival = entry.arrival
    return (arrival.message_id or arrival.sha256) if incoming.raw else f"{incoming.folder.name}/{incoming.key}"


def _values(entry: Entry, incoming: Incoming, now: datetime) -> dict[str, Any]:
    arrival = entry.arrival
    return {
        "sha256": arrival.sha256,
        "from_address": arrival.from_address,
        "from_name": arrival.from_name,
        "to_address": next(iter(arrival.to), ""),
        "sent_at": arrival.sent_at,
        "received_at": arrival.received_at,
        "label": "",
        "note": "",
        "logged_at": now,
        "subject": "" if entry.private else arrival.subject,
        "raw": None if entry.private else incoming.raw[:_MAX_RAW],
        "truncated": len(incoming.raw) > _MAX_RAW,
        **_verdict_values(entry),
    }


def _verdict_values(entry: Entry) -> dict[str, Any]:
    """What the judgement says, and what it is about."""
    arrival, match, verdict = entry.arrival, entry.match, entry.verdict
    sure = match if match and not match.probable else None
    shown = not entry.private
    return {
        "kind": verdict.kind,
        "subkind": verdict.subkind,
        "evidence": [*verdict.evidence, f"rules: {RULES}"],
        "rules": RULES,
        "failures": [asdict(failure) for failure in verdict.failures],
        "returns_on": verdict.returns_on.isoformat() if verdict.returns_on else "",
        "outbox_id": match.mail.id if match and match.mail else None,
        "founder_id": sure.founder_id if sure else None,
        "campaign_id": _campaign_of(sure),
        "step": sure.mail.step if sure and sure.mail else None,
        "text": entry.text.shown if shown else "",
        "full_text": entry.text.full if shown else "",
        "inline": entry.text.inline,
        "attachments": [asdict(part) for part in arrival.attachments[:_MOST_ATTACHMENTS]] if shown else [],
        "guess": entry.guess.meaning if shown else "",
        "guess_evidence": entry.guess.words if shown else "",
        "trouble": entry.trouble,
    }


def _stored(row: sa.RowMapping) -> Stored:
    plain = {name: row[name] for name in ("id", "raw", "received_at", "kind", "subkind", "trouble", "label")}
    return Stored(**plain, founder=row["founder"] or "")


def _campaign_of(match: Match | None) -> int | None:
    if match is None:
        return None
    return match.mail.campaign_id if match.mail else match.prospect.campaign_id if match.prospect else None


def _mailbox_of(connection: sa.Connection, entry: Entry) -> int | None:
    """The mailbox that a message is about, if it answers a mail of ours: it may have come to another one."""
    mail = entry.match.mail if entry.match else None
    if mail is None or not any(isinstance(each, PauseMailbox) for each in entry.consequences):
        return None
    mailbox_id: int | None = connection.scalar(sa.select(t.outbox.c.mailbox_id).where(t.outbox.c.id == mail.id))
    return mailbox_id


def _locate(connection: sa.Connection, mailbox_id: int, found: Sequence[tuple[Incoming, int | None]]) -> None:
    """Remember where these messages of one folder lie."""
    if not found:
        return
    first = found[0][0]
    place = {"mailbox_id": mailbox_id, "folder": first.folder.name, "validity": first.cursor.validity}
    there = _located(connection, place, [incoming.key for incoming, _ in found])
    fresh = {one.key: {**place, "key": one.key, "inbound_id": to} for one, to in found if one.key not in there}
    insert_all(connection, t.inbound_locations, list(fresh.values()))


def _located(connection: sa.Connection, place: Mapping[str, Any], keys: Sequence[str]) -> set[str]:
    query = sa.select(t.inbound_locations.c.key).where(
        *(t.inbound_locations.c[name] == value for name, value in place.items())
    )
    return {row["key"] for row in select_in(connection, query, t.inbound_locations.c.key, keys)}


def _move_cursor(connection: sa.Connection, mailbox_id: int, cursor: Cursor) -> None:
    of_folder = (t.cursors.c.mailbox_id == mailbox_id, t.cursors.c.folder == cursor.folder)
    values = {"validity": cursor.validity, "last_uid": cursor.last_uid, "mark": cursor.mark}
    if connection.execute(sa.update(t.cursors).where(*of_folder).values(**values)).rowcount == 0:
        connection.execute(sa.insert(t.cursors).values(mailbox_id=mailbox_id, folder=cursor.folder, **values))
