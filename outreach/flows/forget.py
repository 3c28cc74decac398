"""Erases a person: everything that is held about them goes, in one transaction, and keyed hashes stay behind of all
that they could be called by, so that nobody writes to them again and no list brings them back.

The files beside the store follow. Each step can be cut off: what was confirmed is noted first, and whoever opens the
store next goes on from there (`catch_up`), which also erases again whom a restored backup brings back.
"""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from outreach.core.erased import Erased, address_word, mark_of, name_words, page_words, places_of, settled_line
from outreach.core.ports import Row
from outreach.core.records import Lead
from outreach.core.redaction import Read, Traces, redacted
from outreach.core.same_person import person_mention
from outreach.core.suppression import ERASED, ERASED_START
from outreach.errors import SendRefused
from outreach.importers import Importers
from outreach.store.consequences import Cause, stop_people, suppress_person
from outreach.store.erased_rows import Left
from outreach.store.erasing import (
    Doubt,
    Held,
    Person,
    doubts,
    erase,
    erasing,
    forget_addresses,
    look_alikes,
    look_up,
    own_addresses,
    who_is,
)
from outreach.store.erasures import as_lines, mark, read_marks
from outreach.store.journal import Log
from outreach.store.leads import Leads, StoredLead
from outreach.store.store import Store
from outreach.store.sweeping import mails_with


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was done. `marks` is how many keyed hashes stay; `traces` what to look for in other files. `swept` False:
    the store's file still has to be written anew, for another program was in the way. `mails` are those to others in
    which an address of theirs stands: they are what was sent, and stay."""

    founder_id: int
    marks: int
    traces: Traces
    swept: bool
    mails: tuple[int, ...] = ()


def check_free(store: Store, founder_id: int, now: datetime) -> tuple[int, ...]:
    """Raise SendRefused while a mail to them is on its way, or may have left and nobody knows. Founders who may be the
    same person: they are not erased with them."""
    with store.database.read() as connection:
        held = look_up(connection, founder_id)
        if held is None:
            return ()
        _refuse(held, doubts(connection, held, now))
        return tuple(look_alikes(connection, held))


def forget(store: Store, importers: Importers, founder_id: int, *, sent_log: Log, log: Log, now: datetime) -> Forgotten:
    """Erase this founder. Raises SendRefused, with nothing changed, while a mail to them is in doubt."""
    key = store.erasures.key
    with erasing(store.database) as connection:
        held = look_up(connection, founder_id)
        if held is None:  # somebody else was quicker
            return Forgotten(founder_id, 0, Traces(), swept=True)
        _refuse(held, doubts(connection, held, now))
        person = _known(store.leads, importers, connection, held, key)
        erase(connection, person, now)
        mark(connection, person.marks, now)
        mails = mails_with(connection, person.traces)
        # Before the commit: whoever opens the store next goes on from this line, should all end here.
        lines = as_lines(dict.fromkeys(person.marks, now), unfinished=True)
        for at, line in enumerate(lines, 1):
            log.record(line, durable=at == len(lines))
    _settle_files(store, sent_log, log)
    return Forgotten(founder_id, len(person.marks), person.traces, store.erasures.sweep(), mails)


def catch_up(store: Store, importers: Importers, *, sent_log: Log, log: Log, now: datetime) -> tuple[int, ...]:
    """Erase again whom an older copy of the store has brought back, and finish what was cut off. Who cannot be erased
    yet, for a mail to them is on its way: until then nothing else goes to them."""
    noted, key = read_marks(log.entries()), store.erasures.key
    waiting: list[int] = []
    with erasing(store.database) as connection:
        there = store.erasures.marks(connection).keys()
        if fresh := noted.keys() - there:
            erased = Erased(key, frozenset(noted) | there)
            waiting = _erase_again(store, importers, connection, erased, now)
            if not waiting:
                mark(connection, fresh, now)
    if waiting:
        return tuple(waiting)
    if fresh or any(noted.values()) or noted.keys() != store.erasures.marks().keys():
        _settle_files(store, sent_log, log)
    store.erasures.sweep()
    return ()


def _erase_again(
    store: Store, importers: Importers, connection: sa.Connection, erased: Erased, now: datetime
) -> list[int]:
    waiting = []
    for founder_id in who_is(connection, erased):
        held = look_up(connection, founder_id)
        if held is None:
            continue
        if any(doubt.in_hand for doubt in doubts(connection, held, now)):
            suppress_person(connection, founder_id, kind=ERASED, reason=ERASED, cause=Cause("by hand", now))
            stop_people(connection, [founder_id], reason="suppressed", cancel="suppressed", now=now)
            waiting.append(founder_id)
        else:
            person = _known(store.leads, importers, connection, held, erased.key)
            erase(connection, person, now)
            mark(connection, person.marks, now)
    if not waiting:
        forget_addresses(connection, erased)
    return waiting


def _settle_files(store: Store, sent_log: Log, log: Log) -> None:
    """Put keyed hashes in the place of what the files beside the store say of everyone who was erased. The list of them
    comes last: what it names is gone from both files."""
    since, erased = store.erasures.marks(), store.erasures.known()
    gone = frozenset(f"person:{number}" for number in store.erasures.numbers())
    sent_log.rewrite(lambda line: settled_line(line, erased, frozenset()))

    def settled(line: dict[str, object]) -> dict[str, object] | None:
        return None if line.get("value") in since else settled_line(line, erased, gone)

    log.rewrite(settled, as_lines(since))


def _refuse(held: Held, found: list[Doubt]) -> None:
    if not found:
        return
    name, doubt = held.full_name or f"founder {held.id}", found[0]
    if doubt.in_hand:
        raise SendRefused(
            f"a mail to {name} is on its way just now (message {doubt.id}); nothing was erased.",
            hint="wait for the running `outreach send` to end, then type the same command again",
        )
    raise SendRefused(
        f"a mail to {name} may have left, and nobody knows (message {doubt.id}); nothing was erased.",
        hint=f"outreach outbox reconcile looks in your Sent folder; or: outreach outbox resolve {doubt.id} --sent",
    )


# --- who it is ------------------------------------------------------------------------------------


def _known(leads: Leads, importers: Importers, connection: sa.Connection, held: Held, key: bytes) -> Person:
    """Everything that says who they are: the record, and every row that names them."""
    rows = leads.rows_of(connection, (), [held.id])
    read = [(row, importers.read_again(row.format, row.mapping, Row(row.line, row.cells))) for row in rows]
    said = [
        (lead.people[place], lead.company)
        for row, lead in read
        for place in _places(row, held.id)
        if isinstance(lead, Lead) and place < len(lead.people)
    ]
    names = held.names | {person.full_name for person, _ in said if person.full_name}
    given = {address for person, _ in said for address in person.emails}
    addresses = held.addresses | own_addresses(connection, held.id, given)
    pages = held.keys | {page for person, _ in said for page in (*person_mention(person, -1).keys, *person.ids)}
    places = held.places | {place for _, company in said if company for place in places_of(company)}
    words = page_words(pages) | {address_word(address) for address in addresses}
    words |= {word for name in names for word in name_words(name, places)}
    own = frozenset(page.partition(":")[2] for page in pages if page.startswith(("linkedin:", "slug:")))
    traces = Traces(names, addresses, own, held.companies | {company.name for _, company in said if company})
    return Person(
        held,
        traces,
        tuple(_left(row, held.id, importers, traces, key) for row in rows),
        frozenset(mark_of(key, word) for word in words if word),
        tuple(sorted({each for each in (held.company_id, *(row.company_id for row in rows)) if each is not None})),
        tuple(sorted(place.removeprefix("domain:") for place in places if place.startswith("domain:"))),
        {address: mark_of(key, address_word(address)) for address in sorted(addresses)},
    )


def _places(row: StoredLead, founder_id: int) -> list[int]:
    return [place for place, each in enumerate(row.founder_ids) if each == founder_id]


def _left(row: StoredLead, founder_id: int, importers: Importers, traces: Traces, key: bytes) -> Left:
    """What is left of a row that names them."""
    number = mark_of(key, f"row {row.sha256}").removeprefix(ERASED_START)
    read = _reader(row, importers)
    found = redacted(row.cells, _places(row, founder_id)[0], read, traces)
    if found is None:
        return Left(row, None, number)
    others = [(row.founder_ids[place], place) for place in found.others if place < len(row.founder_ids)]
    return Left(row, found.cells, number, tuple(pair for pair in others if pair[0] != founder_id))


def _reader(row: StoredLead, importers: Importers) -> Read:
    return lambda cells: importers.read_again(row.format, row.mapping, Row(row.line, cells))
