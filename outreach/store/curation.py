"""What a person says of who is who, and taking an import back: the rows and rulings that identity is then judged from.

Every function takes a connection, so that the judgement that follows commits together with it. Decides nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from outreach.core.rulings import AS_COMPANY, Ruling, Seat
from outreach.errors import NotFound, UsageError
from outreach.store import tables as t
from outreach.store.bulk import chunks, delete_in, insert_all, select_in
from outreach.store.consequences import SAME_PERSON, release_twin, stop_enrollments
from outreach.store.dialect import insert_missing

EDITABLE = ("full_name", "first_name", "last_name", "title", "linkedin")


# --- rows and rulings -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NamingRow:
    """A stored row that names a record, and where in it."""

    lead_id: int
    seat: Seat
    file: str
    line: int
    exported_at: datetime
    cells: Mapping[str, str]


def rows_naming(connection: sa.Connection, kind: str, record_id: int) -> list[NamingRow]:
    """Oldest first."""
    position = t.lead_founders.c.position if kind == "founder" else sa.literal(AS_COMPANY)
    query = (
        sa.select(
            t.leads.c.id,
            t.leads.c.sha256,
            position.label("position"),
            t.imports.c.file,
            t.leads.c.line,
            t.imports.c.exported_at,
            t.leads.c.cells,
        )
        .join(t.imports, t.imports.c.id == t.leads.c.import_id)
        .order_by(t.leads.c.id)
    )
    if kind == "founder":
        query = query.join(t.lead_founders, t.lead_founders.c.lead_id == t.leads.c.id)
        query = query.where(t.lead_founders.c.founder_id == record_id)
    else:
        query = query.where(t.leads.c.company_id == record_id, t.leads.c.outcome != "skipped")
    return [
        NamingRow(id_, Seat(sha256, place), file, line, exported_at, cells)
        for id_, sha256, place, file, line, exported_at, cells in connection.execute(query)
    ]


def rule(connection: sa.Connection, ruling: Ruling, now: datetime) -> None:
    """Record what a person said."""
    row = {
        "kind": ruling.kind,
        "same": ruling.same,
        "left_sha256": ruling.left.sha256,
        "left_position": ruling.left.position,
        "right_sha256": ruling.right.sha256,
        "right_position": ruling.right.position,
        "ruled_at": now,
    }
    connection.execute(sa.insert(t.rulings).values(row))


def rulings_between(
    connection: sa.Connection, kind: str, left: Iterable[Seat], right: Iterable[Seat], *, same: bool
) -> list[int]:
    """Earlier rulings of that kind between one of these seats and one of those, newest first."""
    one, other = set(left), set(right)
    found = []
    query = (
        sa.select(t.rulings).where(t.rulings.c.kind == kind, t.rulings.c.same == same).order_by(t.rulings.c.id.desc())
    )
    for row in connection.execute(query).mappings():
        ends = Seat(row["left_sha256"], row["left_position"]), Seat(row["right_sha256"], row["right_position"])
        if (ends[0] in one and ends[1] in other) or (ends[1] in one and ends[0] in other):
            found.append(int(row["id"]))
    return found


def take_back(connection: sa.Connection, rulings: Iterable[int]) -> None:
    delete_in(connection, t.rulings.c.id, rulings)


# --- candidates -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pair:
    """Two records that may be one."""

    id: int
    kind: str
    left_id: int
    right_id: int
    rule: str
    evidence: str
    decision: str


def pairs(connection: sa.Connection, *, decision: str = "", limit: int | None = None) -> list[Pair]:
    """Open questions (or those with another decision), oldest first."""
    query = sa.select(*(t.candidates.c[name] for name in Pair.__dataclass_fields__))
    query = query.where(t.candidates.c.decision == decision).order_by(t.candidates.c.id).limit(limit)
    return [Pair(**row) for row in connection.execute(query).mappings()]


def count_pairs(connection: sa.Connection, decision: str = "") -> int:
    query = sa.select(sa.func.count()).select_from(t.candidates).where(t.candidates.c.decision == decision)
    return connection.scalar(query) or 0


def get_pair(connection: sa.Connection, pair_id: int) -> Pair:
    query = sa.select(*(t.candidates.c[name] for name in Pair.__dataclass_fields__)).where(t.candidates.c.id == pair_id)
    row = connection.execute(query).mappings().first()
    if row is None:
        raise NotFound(f"there is no pair {pair_id}.", hint="outreach duplicates lists them")
    return Pair(**row)


def decide(connection: sa.Connection, kind: str, left_id: int, right_id: int, decision: str, now: datetime) -> None:
    """Remember what a person said of this pair, asked or not."""
    low, high = sorted((left_id, right_id))
    at = (t.candidates.c.kind == kind, t.candidates.c.left_id == low, t.candidates.c.right_id == high)
    changed = connection.execute(sa.update(t.candidates).where(*at).values(decision=decision))
    if not changed.rowcount:
        row = {"kind": kind, "left_id": low, "right_id": high, "rule": "person", "evidence": "you said so"}
        connection.execute(sa.insert(t.candidates).values(**row, decision=decision, found_at=now))


def settle_twins(connection: sa.Connection, left_id: int, right_id: int, *, same: bool, now: datetime) -> int:
    """Two records of one campaign: of one person the second is not written to; of two people both go on."""
    if not same:
        return release_twin(connection, left_id, now) + release_twin(connection, right_id, now)
    low, high = sorted((left_id, right_id))
    shared = sa.select(t.enrollments.c.campaign_id).where(t.enrollments.c.founder_id == low)
    condition = sa.and_(t.enrollments.c.founder_id == high, t.enrollments.c.campaign_id.in_(shared))
    return stop_enrollments(connection, condition, reason=SAME_PERSON, cancel="stopped", now=now)


# --- edits ----------------------------------------------------------------------------------------


def edit(connection: sa.Connection, founder_id: int, fields: Mapping[str, str], now: datetime) -> None:
    """What a person writes of a founder; it outranks every list from now on."""
    rows = [
        {"founder_id": founder_id, "field": name, "value": value, "edited_at": now} for name, value in fields.items()
    ]
    if rows:
        forget_edits(connection, founder_id, fields)
        connection.execute(sa.insert(t.founder_edits), rows)


def forget_edits(connection: sa.Connection, founder_id: int, fields: Iterable[str]) -> None:
    """The lists are believed again."""
    connection.execute(
        sa.delete(t.founder_edits).where(
            t.founder_edits.c.founder_id == founder_id, t.founder_edits.c.field.in_(list(fields))
        )
    )


def tag(
    connection: sa.Connection, founder_id: int, added: Sequence[str], removed: Sequence[str], now: datetime
) -> None:
    """Tags by hand: one that was taken away does not come back with the next import."""
    edit(
        connection,
        founder_id,
        {**{f"tag:{each}": "yes" for each in added}, **{f"tag:{each}": "" for each in removed}},
        now,
    )
    connection.execute(
        sa.delete(t.founder_tags).where(
            t.founder_tags.c.founder_id == founder_id, t.founder_tags.c.tag.in_(list(removed))
        )
    )
    if added:
        rows = [{"founder_id": founder_id, "tag": each} for each in added]
        insert_missing(connection, t.founder_tags, rows)


# --- taking an import back ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stays:
    """A founder of an import that is taken back, and why they stay with what the import said."""

    founder_id: int
    full_name: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Removed:
    """The rows of an import that are gone: whom they named, and the addresses that rested on them."""

    rows: int
    companies: frozenset[int]
    founders: frozenset[int]
    statuses: Mapping[str, str]
    stays: tuple[Stays, ...]


def owner_of(connection: sa.Connection, key: str) -> int | None:
    """The founder who has this address."""
    return connection.scalar(sa.select(t.addresses.c.founder_id).where(t.addresses.c.key == key))


def remove_rows(connection: sa.Connection, import_id: int, now: datetime) -> Removed:
    """Take an import's rows away, but for those of founders to whom something has happened since."""
    found = connection.execute(sa.select(t.imports).where(t.imports.c.id == import_id)).mappings().first()
    if found is None:
        raise NotFound(f"there is no import {import_id}.", hint="outreach imports lists them")
    if found["undone_at"] is not None:
        raise UsageError(
            f"import {import_id} has been taken back already.",
            hint=f"outreach import {found['file']} brings it in again",
        )
    stays = _who_stays(connection, import_id)
    gone = _removable(connection, import_id, [each.founder_id for each in stays])
    named = sa.select(t.leads.c.company_id).where(t.leads.c.id.in_(gone), t.leads.c.company_id.is_not(None))
    companies = frozenset(connection.scalars(named.distinct()))
    founders = frozenset(
        connection.scalars(
            sa.select(t.lead_founders.c.founder_id).where(t.lead_founders.c.lead_id.in_(gone)).distinct()
        )
    )
    rested = sa.select(t.addresses.c.key, t.addresses.c.status).where(t.addresses.c.lead_id.in_(gone))
    statuses = {row.key: row.status for row in connection.execute(rested)}
    _untag(connection, found["tag"], import_id, founders - {each.founder_id for each in stays})
    connection.execute(sa.delete(t.addresses).where(t.addresses.c.lead_id.in_(gone)))
    connection.execute(sa.delete(t.lead_founders).where(t.lead_founders.c.lead_id.in_(gone)))
    removed = connection.execute(sa.delete(t.leads).where(t.leads.c.id.in_(gone))).rowcount
    connection.execute(sa.update(t.imports).where(t.imports.c.id == import_id).values(undone_at=now))
    connection.execute(sa.delete(_gone))
    return Removed(removed, companies, founders, statuses, stays)


_gone = sa.Table("gone_leads", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), prefixes=["TEMPORARY"])


def _removable(connection: sa.Connection, import_id: int, staying: Sequence[int]) -> sa.Select[Any]:
    """The rows to take away, listed in a table of this connection: they may be a million."""
    _gone.create(connection, checkfirst=True)
    connection.execute(sa.delete(_gone))
    mine = sa.select(t.leads.c.id).where(t.leads.c.import_id == import_id)
    connection.execute(sa.insert(_gone).from_select(["id"], mine))
    for chunk in chunks(staying):
        named = sa.select(t.lead_founders.c.lead_id).where(t.lead_founders.c.founder_id.in_(chunk))
        connection.execute(sa.delete(_gone).where(_gone.c.id.in_(named)))
    return sa.select(_gone.c.id)


def _who_stays(connection: sa.Connection, import_id: int) -> tuple[Stays, ...]:
    """Founders of the import who were written to, answered, are on a list not to be written to, or were edited."""
    named = (
        sa.select(t.lead_founders.c.founder_id)
        .join(t.leads, t.leads.c.id == t.lead_founders.c.lead_id)
        .where(t.leads.c.import_id == import_id)
    )
    as_suppressed = named.with_only_columns(sa.literal("person:") + sa.cast(t.lead_founders.c.founder_id, sa.String))
    suppressed = sa.select(t.suppressions.c.value).where(t.suppressions.c.value.in_(as_suppressed)).distinct()
    reasons: dict[int, list[str]] = {}
    for reason, column, of in (
        ("mailed", t.outbox.c.founder_id, t.outbox.c.intent_at.is_not(None)),
        ("answered", t.inbound.c.founder_id, sa.true()),
        ("in a campaign", t.enrollments.c.founder_id, sa.true()),
        ("edited", t.founder_edits.c.founder_id, sa.true()),
    ):
        for founder in connection.scalars(sa.select(column).where(of, column.in_(named)).distinct()):
            reasons.setdefault(founder, []).append(reason)
    for value in connection.scalars(suppressed):
        reasons.setdefault(int(value.removeprefix("person:")), []).append("must not be written to")
    people = select_in(connection, sa.select(t.founders.c.id, t.founders.c.full_name), t.founders.c.id, sorted(reasons))
    return tuple(Stays(row["id"], row["full_name"], tuple(reasons[row["id"]])) for row in people)


def _untag(connection: sa.Connection, text: str, import_id: int, founders: Iterable[int]) -> None:
    """The tag of the import goes, unless another import or a person has given it too."""
    if not text:
        return
    others = (
        sa.select(t.lead_founders.c.founder_id)
        .join(t.leads, t.leads.c.id == t.lead_founders.c.lead_id)
        .join(t.imports, t.imports.c.id == t.leads.c.import_id)
        .where(t.imports.c.tag == text, t.imports.c.id != import_id, t.imports.c.undone_at.is_(None))
    )
    by_hand = sa.select(t.founder_edits.c.founder_id).where(t.founder_edits.c.field == f"tag:{text}")
    for chunk in chunks(sorted(founders)):
        connection.execute(
            sa.delete(t.founder_tags).where(
                t.founder_tags.c.tag == text,
                t.founder_tags.c.founder_id.in_(chunk),
                t.founder_tags.c.founder_id.not_in(others),
                t.founder_tags.c.founder_id.not_in(by_hand),
            )
        )


def still_named(connection: sa.Connection, removed: Removed) -> tuple[set[int], set[int]]:
    """Those of the removed rows whom other rows still name."""
    companies = select_in(
        connection, sa.select(t.leads.c.company_id).distinct(), t.leads.c.company_id, removed.companies
    )
    founders = select_in(
        connection, sa.select(t.lead_founders.c.founder_id).distinct(), t.lead_founders.c.founder_id, removed.founders
    )
    return {row["company_id"] for row in companies}, {row["founder_id"] for row in founders}


def drop_unnamed(connection: sa.Connection, removed: Removed, now: datetime) -> tuple[int, int]:
    """Records that no row names any more go, with what hangs on them; how many companies and founders went."""
    companies, founders = still_named(connection, removed)
    people = sorted(removed.founders - founders)
    for column in (
        t.founder_keys.c.founder_id,
        t.founder_hints.c.founder_id,
        t.founder_tags.c.founder_id,
        t.addresses.c.founder_id,
    ):
        delete_in(connection, column, people)
    delete_in(connection, t.founders.c.id, people)
    used = {
        row["company_id"]
        for column in (t.founders.c.company_id, t.outbox.c.company_id)
        for row in select_in(connection, sa.select(column).distinct(), column, removed.companies)
    }
    firms = sorted(removed.companies - companies - used)
    for column in (
        t.company_keys.c.company_id,
        t.company_hints.c.company_id,
        t.company_names.c.company_id,
        t.addresses.c.company_id,
    ):
        delete_in(connection, column, firms)
    delete_in(connection, t.companies.c.id, firms)
    for kind, word, ids in (("founder", "person", people), ("company", "company", firms)):
        drop_questions(connection, kind, ids)
        if ids:  # a number is never given again
            row = {"kind": word, "id": ids[-1], "became": 0, "retired_at": now}
            insert_all(connection, t.retired_ids, [row])
    return len(firms), len(people)


def drop_questions(connection: sa.Connection, kind: str, ids: Iterable[int]) -> None:
    """Nobody is asked any more whether these are others."""
    for chunk in chunks(ids):
        either = sa.or_(t.candidates.c.left_id.in_(chunk), t.candidates.c.right_id.in_(chunk))
        connection.execute(sa.delete(t.candidates).where(t.candidates.c.kind == kind, either))


def restore_statuses(connection: sa.Connection, statuses: Mapping[str, str]) -> None:
    """An address that other rows name as well keeps what was learned of it."""
    rows = [{"at_key": key, "learned": status} for key, status in statuses.items() if status != "given"]
    if rows:
        statement = sa.update(t.addresses).where(t.addresses.c.key == sa.bindparam("at_key"))
        connection.execute(statement.values(status=sa.bindparam("learned")), rows)
