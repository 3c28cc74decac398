"""Whole stores from one database to another: SQLite to PostgreSQL and back, and a file as the backup of either.

One transaction on each side. Every table is counted before the target is committed, and the source is told in the same
moment that it moved: from then on it refuses to be opened, so that no forgotten copy writes to anybody again.
"""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from outreach.core.records import CampaignState, OutboxState
from outreach.errors import StoreError
from outreach.store import tables as t
from outreach.store.database import Database, create_private
from outreach.store.dialect import advance_ids, on_server
from outreach.store.meta import GATE, INDEX, KEY, MOVED, PLACE, get_fact, put_fact
from outreach.store.schema import backup, backup_name, file_revision, migrate, open_database, revisions, server_revision

_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Copied:
    """table → rows, and where they are now."""

    rows: Mapping[str, int]
    to: str

    @property
    def total(self) -> int:
        return sum(self.rows.values())


def move(source: Database, target: Database, now: datetime) -> Copied:
    """Copy everything into an empty store, and retire this one. Raises StoreError, with nothing changed, if a mail is
    on its way or if the target holds anything."""
    with source.write() as reading:
        _refuse_at_work(reading, now)
        with target.write() as writing:
            _empty(reading, writing, target)
            copied = Copied(_copy(reading, writing, _model_tables()), target.name)
            _copy_facts(reading, writing, with_place=False)
        # Only now: a target too many is harmless, a source that says it moved and did not would be lost.
        put_fact(reading, MOVED, f"{target.name} on {now:%Y-%m-%d}")
        active = t.campaigns.c.state == CampaignState.ACTIVE
        halted = {"state": CampaignState.PAUSED, "reason": "this store has moved"}
        reading.execute(sa.update(t.campaigns).where(active).values(halted))  # stops a sender that has it open
    return copied


def back_up(source: Database, to: Path) -> Copied:
    """The store as a SQLite file of its own, of the very schema it has, consistent while others write."""
    if source.path:
        with _creating(to):
            backup(source.path, to)
        with closing(Database(to)) as made, made.read() as connection:
            return Copied({each.name: _count(connection, each) for each in _own_tables(connection)}, str(to))
    with _new_file(to, source) as target, source.read() as reading, target.write() as writing:
        copied = Copied(_copy(reading, writing, _own_tables(reading)), str(to))
        _copy_facts(reading, writing, with_place=True)
    return copied


@dataclass(frozen=True, slots=True)
class Upgrade:
    """From which schema to which; the backup, if one was made."""

    before: str
    now: str
    backup: Path | None


def upgrade(place: Path | str, folder: Path) -> Upgrade:
    """Bring a store to the newest schema. A file does it by itself; a team's database first leaves a backup here."""
    newest = revisions()[-1]
    if isinstance(place, Path):
        before = file_revision(place) if place.exists() else ""
        open_database(place).close()
        made = backup_name(place, before)
        return Upgrade(before, newest, made if before != newest and made.exists() else None)
    database = Database(place)
    before, _ = server_revision(database)
    if before not in revisions()[:-1]:  # newest, newer, none, or foreign: opening it says which
        open_database(place).close()
        return Upgrade(before, before, None)
    aside = _unused(backup_name(folder / "outreach.db", before))
    back_up(database, aside)
    migrate(database)
    return Upgrade(before, newest, aside)


@contextmanager
def opened_target(place: Path | str, source: Database) -> Iterator[Database]:
    """The database to copy into, made if there is none. What was moved from there to `source` before gives way: its
    rows are all in the source, so tables are emptied, and a file is put aside (and comes back if the copy fails)."""
    aside = _put_aside(place, source) if isinstance(place, Path) and place.exists() else None
    try:
        with closing(open_database(place, create=True)) as target:
            yield target
    except BaseException:
        if isinstance(place, Path):
            _remove(place)
            if aside:
                aside.rename(place)
        raise


# --- rows -----------------------------------------------------------------------------------------


def _copy(reading: sa.Connection, writing: sa.Connection, tables: list[sa.Table]) -> dict[str, int]:
    """Parents before children; the counts of both sides must agree."""
    if not on_server(writing):
        writing.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
    for each in tables:
        _copy_table(reading, writing, each)
    counts = {each.name: _count(reading, each) for each in tables}
    wrong = [name for name, each in zip(counts, tables, strict=True) if _count(writing, each) != counts[name]]
    if wrong:
        raise StoreError(f"the copy would be incomplete ({', '.join(wrong)}); nothing was changed.")
    return counts


def _copy_table(reading: sa.Connection, writing: sa.Connection, each: sa.Table) -> None:
    query, key = sa.select(each), each.autoincrement_column
    ordered = query.order_by(key) if key is not None else query
    result = reading.execute(ordered, execution_options={"yield_per": _BATCH})
    for rows in result.mappings().partitions():
        writing.execute(sa.insert(each), [dict(row) for row in rows])
    advance_ids(writing, each)


def _copy_facts(reading: sa.Connection, writing: sa.Connection, *, with_place: bool) -> None:
    """With the facts about the place, the copy knows that it is one, and sends nothing until it is adopted."""
    facts = [dict(row) for row in reading.execute(sa.select(t.meta)).mappings()]
    left = (GATE, INDEX) if with_place else (GATE, INDEX, MOVED, PLACE)
    kept = [fact for fact in facts if not fact["name"].startswith(left)]
    if kept:
        writing.execute(sa.insert(t.meta), kept)


def _count(connection: sa.Connection, each: sa.Table) -> int:
    return connection.scalar(sa.select(sa.func.count()).select_from(each)) or 0


def _model_tables() -> list[sa.Table]:
    return [each for each in t.metadata.sorted_tables if each is not t.meta]


def _own_tables(connection: sa.Connection) -> list[sa.Table]:
    """The tables as they are there, which may be of an older schema; known ones with the models' types."""
    found = sa.MetaData()
    found.reflect(connection)
    own = [each for each in found.sorted_tables if each.name not in ("alembic_version", t.meta.name)]
    for each in own:
        model = t.metadata.tables.get(each.name)
        for column in each.columns if model is not None else ():
            if model is not None and column.name in model.c:
                column.type = model.c[column.name].type
    return own


# --- what must not be ------------------------------------------------------------------------------


def _refuse_at_work(connection: sa.Connection, now: datetime) -> None:
    in_hand = (OutboxState.CLAIMED, OutboxState.SENDING)
    query = sa.select(sa.func.count()).where(t.outbox.c.state.in_(in_hand), t.outbox.c.lease_expires_at > now)
    if connection.scalar(query):
        raise StoreError(
            "a mail is on its way from this store just now; nothing was copied.",
            hint="let the running `outreach send` end, or stop it with Ctrl-C, then copy",
        )


def _empty(reading: sa.Connection, writing: sa.Connection, target: Database) -> None:
    """Raise StoreError unless the target holds nothing, or only what was moved from it to this source before. A mailbox
    without a mail is made by looking at an empty store; it gives way."""
    empty = not any(_count(writing, each) for each in _model_tables() if each is not t.mailboxes)
    if not empty and not _came_from(writing, reading):
        raise StoreError(
            f"{target.name} holds a store already; nothing was copied.", hint="name an empty database, or a new file"
        )
    for each in reversed(_model_tables()):
        writing.execute(sa.delete(each))
    here = sa.or_(t.meta.c.name == GATE, t.meta.c.name.startswith(PLACE))
    writing.execute(sa.delete(t.meta).where(~here))


def _came_from(old: sa.Connection, new: sa.Connection) -> bool:
    """Whether the old store was moved away and the new one writes with its key: then it holds all that the old had."""
    return bool(get_fact(old, MOVED)) and get_fact(old, KEY) == get_fact(new, KEY)


def _put_aside(path: Path, source: Database) -> Path:
    with closing(open_database(path)) as old, old.read() as was, source.read() as now:
        known = _came_from(was, now)
    if not known:
        raise StoreError(
            f"{path} is another store than the one to copy; nothing was copied.",
            hint="move that file away, then copy again",
        )
    aside = _unused(path.with_name(f"{path.name}.moved"))
    path.rename(aside)
    return aside


def _unused(path: Path) -> Path:
    """This name, or with a number the first that is free."""
    names = (path, *(path.with_name(f"{path.name}-{number}") for number in range(2, 1000)))
    return next(name for name in names if not name.exists())


def _remove(path: Path) -> None:
    for end in ("", "-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)


@contextmanager
def _new_file(path: Path, source: Database) -> Iterator[Database]:
    """A SQLite file of the same schema as the source; removed again if the copy fails."""
    with _creating(path):
        create_private(path)
    target = Database(path)
    try:
        migrate(target, server_revision(source)[0])
        yield target
    except BaseException:
        target.close()
        _remove(path)
        raise
    target.close()


@contextmanager
def _creating(path: Path) -> Iterator[None]:
    try:
        yield
    except FileExistsError:
        raise StoreError(f"{path} is there already; nothing was written.", hint="name a new file") from None
    except OSError as error:
        raise StoreError(f"{path} cannot be made: {error.strerror}.", hint="name a file in a folder of yours") from None
