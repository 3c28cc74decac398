"""A person's word on who is who: these two are one, these are not, these rows speak of somebody else, take a list back.

What was said is recorded as a ruling on rows; then identity is judged again from the rows, so that it holds for every
later import. Each in one transaction.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from outreach.core.merge import MergePlan, plan_merge
from outreach.core.normalize import address_key, is_address, is_role_inbox
from outreach.core.ports import Clock
from outreach.core.records import Founder
from outreach.core.rulings import Ruling, Seat
from outreach.errors import NotFound, UsageError
from outreach.flows._known import with_known
from outreach.importers import Importers
from outreach.store import curation
from outreach.store.merging import Merging
from outreach.store.store import Store


def plural(kind: str) -> str:
    """The group of commands for this kind of record."""
    return {"founder": "founders", "company": "companies"}[kind]


@dataclass(frozen=True, slots=True)
class Curated:
    """What became of the records: `became` maps one to the record it is part of now, `new` are those that came off."""

    became: Mapping[int, int]
    new: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Undone:
    """What taking an import back did."""

    rows: int
    companies: int
    founders: int
    stays: tuple[curation.Stays, ...]


@dataclass(frozen=True, slots=True)
class _Judge:
    """Who judges again, and with what."""

    store: Store
    importers: Importers
    clock: Clock

    def again(self, connection: sa.Connection, companies: Iterable[int], founders: Iterable[int]) -> MergePlan:
        """Judge everything anew that has to do with these records, from their rows."""
        entries, known = with_known((), self.store.leads, self.importers, connection, about=(companies, founders))
        plan = plan_merge(entries, known)
        merging = Merging(connection, self.clock.now(), self.store.suppression_log)
        merging.apply(plan, entries, (), ())
        merging.ask(plan.questions, known.companies, known.founders)
        return plan

    def about(self, connection: sa.Connection, kind: str, *records: int) -> Curated:
        plan = self.again(connection, *((records, ()) if kind == "company" else ((), records)))
        absorbed, split = (
            (plan.absorbed_companies, plan.split_companies)
            if kind == "company"
            else (plan.absorbed_founders, plan.split_founders)
        )
        return Curated(dict(absorbed), tuple(sorted(split)))


def say_same(store: Store, importers: Importers, clock: Clock, kind: str, left: int, right: int) -> Curated:
    """These two records are one. Two of one campaign stay two records, and only one of them is written to."""
    if left == right:
        raise UsageError(
            "that is one record already.", hint=f"name two of them; outreach {plural(kind)} list shows their ids"
        )
    with store.database.write() as connection:
        return _same(connection, _Judge(store, importers, clock), kind, left, right)


def _same(connection: sa.Connection, judge: _Judge, kind: str, left: int, right: int) -> Curated:
    now = judge.clock.now()
    seats = _seats(connection, kind, left), _seats(connection, kind, right)
    curation.take_back(connection, curation.rulings_between(connection, kind, *seats, same=False))
    curation.rule(connection, Ruling(kind, True, seats[0][0], seats[1][0]), now)
    curation.decide(connection, kind, left, right, "merged", now)
    if kind == "founder":
        curation.settle_twins(connection, left, right, same=True, now=now)
    return judge.about(connection, kind, left, right)


def give_address(
    connection: sa.Connection, store: Store, importers: Importers, clock: Clock, founder_id: int, address: str
) -> None:
    """A row that gives this founder an address has just come in, in the same transaction: whoever has the address now
    is this founder, since a name alone may not be enough to know them by."""
    owner = curation.owner_of(connection, address_key(address))
    if owner is None:
        raise UsageError(f"{address} could not be added.", hint="add it with `outreach import`")
    if owner != founder_id:
        _same(connection, _Judge(store, importers, clock), "founder", founder_id, owner)


def say_apart(store: Store, importers: Importers, clock: Clock, kind: str, left: int, right: int) -> Curated:
    """These two records are not one, whatever later lists say; what waited for that goes on."""
    with store.database.write() as connection:
        seats = _seats(connection, kind, left), _seats(connection, kind, right)
        curation.take_back(connection, curation.rulings_between(connection, kind, *seats, same=True))
        curation.rule(connection, Ruling(kind, False, seats[0][0], seats[1][0]), clock.now())
        curation.decide(connection, kind, left, right, "apart", clock.now())
        if kind == "founder":
            curation.settle_twins(connection, left, right, same=False, now=clock.now())
        return _Judge(store, importers, clock).about(connection, kind, left, right)


def check_new_address(store: Store, founder: Founder, address: str) -> None:
    """Raises UsageError for an address that cannot be this founder's alone."""
    key = address_key(address)
    if not is_address(key) or is_role_inbox(key):
        raise UsageError(f"{address} is no address of one person.", hint="write it as --email ada@acme.example")
    if store.erasures.known().has_address(key):
        raise UsageError(f"{address} is an address of somebody who was erased.", hint="erasing is final")
    owner = store.people.find_by_address(key)
    if owner and owner.id != founder.id:
        raise UsageError(
            f"{address} is an address of {owner.full_name} (founder {owner.id}).",
            hint=f"if they are one person: outreach founders merge {founder.id} {owner.id}",
        )


def skip(store: Store, clock: Clock, pair: curation.Pair) -> None:
    """Not now: the question is not asked again by itself."""
    with store.database.write() as connection:
        curation.decide(connection, pair.kind, pair.left_id, pair.right_id, "skipped", clock.now())


def split(
    store: Store, importers: Importers, clock: Clock, kind: str, record_id: int, rows: Sequence[int] = ()
) -> Curated:
    """These rows speak of another one. Without rows: take back the last time a person said that two are one."""
    with store.database.write() as connection:
        told = curation.rows_naming(connection, kind, record_id)
        if rows:
            _take_apart(connection, kind, record_id, told, rows, clock.now())
        else:
            _take_back_merge(connection, kind, record_id, [row.seat for row in told])
        return _Judge(store, importers, clock).about(connection, kind, record_id)


def _take_back_merge(connection: sa.Connection, kind: str, record_id: int, seats: Sequence[Seat]) -> None:
    merges = curation.rulings_between(connection, kind, seats, seats, same=True)
    if not merges:
        group = plural(kind)
        raise UsageError(
            f"nobody has merged this {kind} by hand: say which rows speak of another one.",
            hint=f"outreach {group} split {record_id} --row ROW, with the numbers that `{group} show` lists",
        )
    curation.take_back(connection, merges[:1])


def _take_apart(
    connection: sa.Connection,
    kind: str,
    record_id: int,
    told: Sequence[curation.NamingRow],
    rows: Sequence[int],
    now: datetime,
) -> None:
    wrong = set(rows) - {row.lead_id for row in told}
    if wrong:
        raise NotFound(
            f"row {min(wrong)} does not speak of {kind} {record_id}.",
            hint=f"outreach {plural(kind)} show {record_id} lists the rows that do",
        )
    moved = list(dict.fromkeys(row.seat for row in told if row.lead_id in rows))
    stays = [seat for seat in dict.fromkeys(row.seat for row in told) if seat not in moved]
    if not stays:
        raise UsageError(
            f"all rows of this {kind} say that, so there is nothing to split.", hint="name some of the rows, not all"
        )
    curation.take_back(connection, curation.rulings_between(connection, kind, moved, stays, same=True))
    for together in (moved, stays):
        for other in together[1:]:
            curation.rule(connection, Ruling(kind, True, together[0], other), now)
    curation.rule(connection, Ruling(kind, False, stays[0], moved[0]), now)


def edit(
    store: Store,
    importers: Importers,
    clock: Clock,
    founder_id: int,
    *,
    fields: Mapping[str, str],
    tags: Sequence[str] = (),
    untag: Sequence[str] = (),
    reset: Sequence[str] = (),
) -> None:
    """What a person writes of a founder outranks every list; `reset` names fields that the lists decide again."""
    with store.database.write() as connection:
        curation.edit(connection, founder_id, fields, clock.now())
        curation.forget_edits(connection, founder_id, reset)
        curation.tag(connection, founder_id, tags, untag, clock.now())
        _Judge(store, importers, clock).again(connection, (), (founder_id,))


def undo_import(store: Store, importers: Importers, clock: Clock, import_id: int) -> Undone:
    """Take back one import's rows and what rests on them alone. Whoever was written to, answered, must not be written
    to or was edited stays, with the rows that name them."""
    with store.database.write() as connection:
        removed = curation.remove_rows(connection, import_id, clock.now())
        companies, founders = curation.still_named(connection, removed)
        if companies or founders:
            _Judge(store, importers, clock).again(connection, companies, founders)
        curation.restore_statuses(connection, removed.statuses)
        gone = curation.drop_unnamed(connection, removed, clock.now())
    return Undone(removed.rows, *gone, removed.stays)


def _seats(connection: sa.Connection, kind: str, record_id: int) -> list[Seat]:
    found = [row.seat for row in curation.rows_naming(connection, kind, record_id)]
    if not found:
        raise NotFound(f"no list names {kind} {record_id}.", hint=f"outreach {plural(kind)} list shows those there are")
    return found
