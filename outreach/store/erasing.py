"""Takes everything that is held about one person out of the store (GDPR, article 17), inside one transaction.

The sections are those of `personal.py`, which tells what is held. Decides nothing: what is left of rows that name
others too, and by what the person could be called, is told by the caller.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from outreach.core.erased import Erased, name_words, page_words
from outreach.core.names import parse_name
from outreach.core.normalize import address_key, is_role_inbox, suppression_key
from outreach.core.records import OutboxState
from outreach.core.redaction import Traces
from outreach.core.urls import linkedin_person
from outreach.store import tables as t
from outreach.store.bulk import chunks, delete_in, select_in
from outreach.store.curation import drop_questions
from outreach.store.database import Database
from outreach.store.dialect import insert_missing, on_server
from outreach.store.erased_rows import Left, change_rows, settle_unnamed
from outreach.store.leads import company_keys
from outreach.store.search import optimize
from outreach.store.staging import mark_changed
from outreach.store.sweeping import cut_out

_ANSWERS = ("reply", "unsubscribe", "complaint")
_WROTE = (*_ANSWERS, "auto_reply")
_IN_HAND = (OutboxState.CLAIMED, OutboxState.SENDING)
_OF_FOUNDER = (t.founder_keys, t.founder_hints, t.founder_edits, t.founder_notes, t.founder_tags, t.addresses)


@dataclass(frozen=True, slots=True)
class Held:
    """Who somebody is in the store: every number, name, address and page of theirs. `places` are their company's keys;
    `keys` those of their own pages (`linkedin:ada`)."""

    id: int
    full_name: str
    ids: tuple[int, ...]
    names: frozenset[str]
    addresses: frozenset[str]
    keys: frozenset[str]
    company_id: int | None
    companies: frozenset[str]
    places: frozenset[str]
    mails: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Doubt:
    """A mail that keeps them from being erased: it is on its way (`in_hand`), or nobody knows whether it left."""

    id: int
    in_hand: bool


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody to be erased. `marks` are the keyed hashes that stay, `hidden` those of their addresses, `companies` and
    `domains` those that they were named at, `rows` what is left of rows that name them."""

    held: Held
    traces: Traces
    rows: tuple[Left, ...]
    marks: frozenset[str]
    companies: tuple[int, ...]
    domains: tuple[str, ...]
    hidden: Mapping[str, str]


@contextmanager
def erasing(database: Database) -> Iterator[sa.Connection]:
    """A transaction that overwrites what it deletes."""
    with database.write() as connection:
        if not on_server(connection):
            connection.exec_driver_sql("PRAGMA secure_delete=ON")
        yield connection


# --- who it is ------------------------------------------------------------------------------------


def look_up(connection: sa.Connection, founder_id: int) -> Held | None:
    """None: there is nobody of this number any more."""
    row = connection.execute(sa.select(t.founders).where(t.founders.c.id == founder_id)).first()
    if row is None:
        return None
    mine = t.retired_ids.c.kind == "person", t.retired_ids.c.became == founder_id
    keys = set(connection.scalars(sa.select(t.founder_keys.c.key).where(t.founder_keys.c.founder_id == founder_id)))
    pages = {f"linkedin:{linkedin_person(row.linkedin)}"} if linkedin_person(row.linkedin) else set[str]()
    edited = sa.select(t.founder_edits.c.value).where(
        t.founder_edits.c.founder_id == founder_id, t.founder_edits.c.field == "full_name"
    )
    return Held(
        id=founder_id,
        full_name=row.full_name,
        ids=(founder_id, *connection.scalars(sa.select(t.retired_ids.c.id).where(*mine))),
        names=frozenset({row.full_name, *connection.scalars(edited)} - {""}),
        addresses=frozenset(_addresses(connection, founder_id)),
        keys=frozenset(keys | pages | ({f"slug:{row.slug}"} if row.slug else set())),
        company_id=row.company_id,
        companies=_company_names(connection, row.company_id),
        places=company_keys(connection, row.company_id) if row.company_id is not None else frozenset(),
        mails=tuple(connection.scalars(sa.select(t.outbox.c.id).where(t.outbox.c.founder_id == founder_id))),
    )


def _addresses(connection: sa.Connection, founder_id: int) -> set[str]:
    """Every address of theirs, in every spelling, and those they wrote from."""
    found = set[str]()
    for of, names in (
        (t.addresses, ("address", "key")),
        (t.enrollments, ("address", "address_key")),
        (t.outbox, ("rcpt", "rcpt_key")),
    ):
        query = sa.select(*(of.c[name] for name in names)).where(of.c.founder_id == founder_id)
        found |= {each for row in connection.execute(query) for each in row}
    wrote = sa.select(t.inbound.c.from_address).where(
        t.inbound.c.founder_id == founder_id, t.inbound.c.kind.in_(_WROTE)
    )
    return own_addresses(connection, founder_id, {*found, *connection.scalars(wrote)})


def _company_names(connection: sa.Connection, company_id: int | None) -> frozenset[str]:
    now = sa.select(t.companies.c.name).where(t.companies.c.id == company_id)
    before = sa.select(t.company_names.c.name).where(t.company_names.c.company_id == company_id)
    return frozenset({*connection.scalars(now), *connection.scalars(before)})


def own_addresses(connection: sa.Connection, founder_id: int, addresses: Iterable[str]) -> set[str]:
    """Of these, those that are nobody else's: no desk's, no colleague's who answered for them, none that many use."""
    keys = {address: address_key(address) for address in addresses}
    owned = sa.select(t.addresses.c.key, t.addresses.c.founder_id)
    others = {
        row["key"]
        for row in select_in(connection, owned, t.addresses.c.key, sorted({*keys.values()}))
        if row["founder_id"] != founder_id
    }
    return {address for address, key in keys.items() if key and key not in others and not is_role_inbox(key)}


def who_is(connection: sa.Connection, erased: Erased) -> list[int]:
    """The founders among those who were erased: an older copy of the store has brought them back."""
    found = set[int]()
    for of, key in ((t.addresses, t.addresses.c.key), (t.enrollments, t.enrollments.c.address_key)):
        rows = connection.execute(sa.select(of.c.founder_id, key).where(of.c.founder_id.is_not(None)))
        found |= {founder for founder, address in rows if erased.has_address(address)}
    pages = connection.execute(sa.select(t.founder_keys.c.founder_id, t.founder_keys.c.key))
    found |= {founder for founder, page in pages if erased.has(page_words((page,)))}
    at = sa.select(
        t.founders.c.id, t.founders.c.full_name, t.companies.c.slug, t.companies.c.domain, t.companies.c.name_key
    ).join(t.companies, t.companies.c.id == t.founders.c.company_id)
    for row in connection.execute(at):
        places = [f"{word}:{key}" for word, key in zip(("slug", "domain", "name"), row[2:], strict=True) if key]
        if erased.has(name_words(row.full_name, places)):
            found.add(row.id)
    return sorted(found)


def forget_addresses(connection: sa.Connection, erased: Erased) -> None:
    """Entries about an address of theirs that stand by themselves."""
    query = sa.select(t.suppressions.c.id, t.suppressions.c.value).where(t.suppressions.c.value.startswith("address:"))
    delete_in(
        connection, t.suppressions.c.id, [row.id for row in connection.execute(query) if erased.has((row.value,))]
    )
    for key in list(connection.scalars(sa.select(t.hand_sent.c.address_key).distinct())):
        if erased.has_address(key):
            here = t.hand_sent.c.address_key == key
            connection.execute(sa.update(t.hand_sent).where(here).values(address_key=erased.hidden(key)))


def doubts(connection: sa.Connection, held: Held, now: datetime) -> list[Doubt]:
    """Mails to them that are on their way, or may have left."""
    lease = t.outbox.c.lease_expires_at
    in_hand = sa.and_(t.outbox.c.state.in_(_IN_HAND), lease > now)
    doubtful = t.outbox.c.state.in_((OutboxState.SENDING, OutboxState.UNKNOWN))
    query = sa.select(t.outbox.c.id, in_hand.label("in_hand")).where(sa.or_(in_hand, doubtful)).order_by(t.outbox.c.id)
    rows = select_in(connection, query, t.outbox.c.founder_id, [held.id])
    return [Doubt(row["id"], bool(row["in_hand"])) for row in rows]


def look_alikes(connection: sa.Connection, held: Held) -> list[int]:
    """Founders of whom it was asked whether they are this one, and nobody has said that they are not."""
    here = sa.or_(t.candidates.c.left_id == held.id, t.candidates.c.right_id == held.id)
    query = sa.select(t.candidates.c.left_id, t.candidates.c.right_id).where(
        t.candidates.c.kind == "founder", t.candidates.c.decision != "apart", here
    )
    return sorted({each for pair in connection.execute(query) for each in pair} - {held.id})


# --- taking it away -------------------------------------------------------------------------------


def erase(connection: sa.Connection, person: Person, now: datetime) -> None:
    """All of it."""
    held = person.held
    mark_changed(connection)
    _keep_company_closed(connection, held, now)
    _mails(connection, held)
    _answers(connection, held)
    change_rows(connection, person.rows)
    _look_ups(connection, person)
    _same_as(connection, held, now)
    _by_address(connection, person)
    for of in _OF_FOUNDER:
        delete_in(connection, of.c.founder_id, [held.id])
    delete_in(connection, t.founders.c.id, [held.id])
    settle_unnamed(connection, person.rows, now)
    _mentions(connection, person)
    cut_out(connection, person.traces)
    optimize(connection)


def _keep_company_closed(connection: sa.Connection, held: Held, now: datetime) -> None:
    """Whoever answers closes their company to new campaigns. That stays, without saying who it was."""
    answered = sa.select(t.inbound.c.id).where(t.inbound.c.founder_id == held.id, t.inbound.c.kind.in_(_ANSWERS))
    if held.company_id is not None and connection.scalar(answered.limit(1)) is not None:
        entry = {"kind": "manual", "reason": "somebody there answered, and was erased", "origin": "by hand"}
        value = f"company:{held.company_id}"
        insert_missing(connection, t.suppressions, [{"value": value, **entry, "created_at": now}])


def _mails(connection: sa.Connection, held: Held) -> None:
    delete_in(connection, t.attempts.c.outbox_id, held.mails)
    for chunk in chunks(held.mails):
        booked = t.send_ledger.c.outbox_id.in_(chunk)
        connection.execute(sa.update(t.send_ledger).where(booked).values(outbox_id=None))
    shown = [t.approvals.c.dedupe_key.like(f"%/{each}") for each in held.ids]
    connection.execute(sa.delete(t.approvals).where(sa.or_(*shown)))


def _answers(connection: sa.Connection, held: Held) -> None:
    """What they wrote, and whatever else came back to a mail to them; then the mails themselves. Where it lay in the
    mailbox stays known, so that it is not read again."""
    found = set[int]()
    query = sa.select(t.inbound.c.id)
    for column, values in (
        (t.inbound.c.founder_id, [held.id]),
        (t.inbound.c.outbox_id, held.mails),
        (t.inbound.c.from_address, sorted(held.addresses)),
    ):
        found |= {row["id"] for row in select_in(connection, query, column, values)}
    ids = sorted(found)
    for chunk in chunks(ids):
        there = t.inbound_locations.c.inbound_id.in_(chunk)
        connection.execute(sa.update(t.inbound_locations).where(there).values(inbound_id=None))
    delete_in(connection, t.inbound.c.id, ids)
    delete_in(connection, t.outbox.c.id, held.mails)
    connection.execute(sa.delete(t.enrollments).where(t.enrollments.c.founder_id == held.id))


def _by_address(connection: sa.Connection, person: Person) -> None:
    keys = sorted(person.traces.addresses)
    for column in (t.address_verdicts.c.key, t.addresses.c.key):
        delete_in(connection, column, keys)
    for of in (t.company_hints, t.founder_hints):
        delete_in(connection, of.c.key, [f"email:{key}" for key in keys])
    for address, mark in person.hidden.items():
        by_hand = t.hand_sent.c.address_key == address
        connection.execute(sa.update(t.hand_sent).where(by_hand).values(address_key=mark))
    values = [f"person:{each}" for each in person.held.ids] + [f"address:{suppression_key(key)}" for key in keys]
    delete_in(connection, t.suppressions.c.value, values)


def _look_ups(connection: sa.Connection, person: Person) -> None:
    """What finders were asked about them. What it cost still counts; of answers about a company the rest stays."""
    names = {parse_name(name).key for name in person.traces.names} - {""}
    mine = sa.or_(
        t.lookups.c.person.in_(sorted(person.traces.addresses)),
        sa.and_(t.lookups.c.about.in_(person.domains), t.lookups.c.person.in_(sorted(names))),
    )
    blank = {"question": "", "about": "", "person": "", "data": {}, "text": ""}
    connection.execute(sa.update(t.lookups).where(mine, t.lookups.c.credits > 0).values(**blank))
    connection.execute(sa.delete(t.lookups).where(mine))


def _same_as(connection: sa.Connection, held: Held, now: datetime) -> None:
    """What was asked and found of who is who; their number is never given again."""
    ids = list(held.ids)
    drop_questions(connection, "founder", ids)
    merged = sa.or_(t.merges.c.record_id.in_(ids), t.merges.c.absorbed_id.in_(ids))
    connection.execute(sa.delete(t.merges).where(t.merges.c.kind == "founder", merged))
    person = t.retired_ids.c.kind == "person"
    connection.execute(sa.update(t.retired_ids).where(person, t.retired_ids.c.became == held.id).values(became=0))
    insert_missing(connection, t.retired_ids, [{"kind": "person", "id": held.id, "became": 0, "retired_at": now}])


# --- where they are only mentioned ----------------------------------------------------------------


def _mentions(connection: sa.Connection, person: Person) -> None:
    """Their name in what is said of their companies: elsewhere somebody else may be called the same."""
    names_in: dict[sa.Table, sa.ColumnElement[bool]] = {
        t.lookups: t.lookups.c.about.in_(person.domains),
        t.companies: t.companies.c.id.in_(person.companies),
        t.leads: t.leads.c.company_id.in_(person.companies),
    }
    cut_out(connection, person.traces, names_in)
