"""Where a large import is made ready: temporary tables of one connection, which no other process sees or waits for.

Rows stream in while the store can still be written by others; then everything is copied over in one transaction, under
the write lock for as long as the copying takes. A process that dies leaves nothing behind.
"""

import io
import json
import pickle
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

import sqlalchemy as sa

from outreach.core.quick import Memo
from outreach.core.records import Lead
from outreach.core.singles import COMPANY_COLUMNS, FOUNDER_COLUMNS, Single
from outreach.store import tables as t
from outreach.store.database import Database
from outreach.store.dialect import on_server
from outreach.store.meta import get_fact, put_fact

_PEOPLE = ("companies", "founders", "addresses", "leads", "enrollments", "rulings", "founder_edits", "retired_ids")
_TABLES = {
    "rows": (
        "id INTEGER PRIMARY KEY, file INT, line INT, sha256 TEXT, cells TEXT, outcome TEXT, reason TEXT, company_id INT"
    ),
    "twins": "lead INTEGER PRIMARY KEY, twin INT",
    "companies": f"id INTEGER PRIMARY KEY, lead INT, {', '.join(COMPANY_COLUMNS)}, facts_at",
    "founders": f"id INTEGER PRIMARY KEY, lead INT, place INT, company_id INT, {', '.join(FOUNDER_COLUMNS)}, facts_at",
    "addresses": "lead INT, key TEXT, founder_id INT, company_id INT, status TEXT, origin TEXT",
    "seats": "lead INT, place INT, founder_id INT",
    "company_names": "lead INT, company_id INT, name TEXT",
    "company_keys": "lead INT, company_id INT, key TEXT",
    "company_hints": "lead INT, company_id INT, key TEXT",
    "founder_keys": "lead INT, founder_id INT, key TEXT",
    "founder_hints": "lead INT, founder_id INT, key TEXT",
    "weak": "lead INTEGER PRIMARY KEY",
    "judged": "lead INTEGER PRIMARY KEY",
    "plans": "id INTEGER PRIMARY KEY, plan BLOB",
}
_WORDS = ("company_names", "company_keys", "company_hints", "founder_keys", "founder_hints")
_ALONE = "lead NOT IN (SELECT lead FROM temp.new_judged)"
_CACHE_KB = 48_000
_MANY = 50_000
"""From so many rows on, indexes are made anew instead of row by row, if that is most of what is there."""


class _Pickler(pickle.Pickler):
    """Frozen records by what they are made of: their own way is several times as slow."""

    def reducer_override(self, obj: Any) -> Any:
        parts = _parts[type(obj)]
        return (type(obj), parts(obj)) if parts else NotImplemented


_parts: Memo[type, Callable[[object], Any] | None] = Memo(
    lambda kind: attrgetter(*kind.__dataclass_fields__) if hasattr(kind, "__dataclass_fields__") else None
)


@dataclass(frozen=True, slots=True)
class Alone:
    """What rows bring that stand alone; `rows` by file."""

    rows: Mapping[int, int]
    companies: int
    founders: int
    addresses: int
    weak: int


class Staging:
    """A large import on its way. `lead`, `company` and `founder` are the next numbers, as the store stands now."""

    def __init__(self, connection: sa.Connection, next_ids: tuple[int, int, int]) -> None:
        self._c = connection
        self.lead, self.company, self.founder = next_ids
        self._firsts = next_ids
        self._added = Counter[int]()
        """file → its rows that name somebody and repeat no stored one."""
        self._waiting: dict[str, list[tuple[Any, ...]]] = {name: [] for name in _TABLES}
        for name, columns in _TABLES.items():
            connection.exec_driver_sql(f"DROP TABLE IF EXISTS temp.new_{name}")
            connection.exec_driver_sql(f"CREATE TEMPORARY TABLE new_{name} ({columns})")

    # --- streaming in -------------------------------------------------------------------------------

    def add_skipped(self, file: int, line: int, sha256: str, cells: str, reason: str) -> None:
        self._waiting["rows"].append((self.lead, file, line, sha256, cells, "skipped", reason, None))
        self.lead += 1

    def add_repeated(self, file: int, line: int, sha256: str, cells: str, twin: int) -> None:
        """A row that a stored row says already."""
        self._waiting["rows"].append((self.lead, file, line, sha256, cells, "same", "", None))
        self._waiting["twins"].append((self.lead, twin))
        self.lead += 1

    def add_row(
        self, file: int, row: Lead, sha256: str, cells: str, *, what: Single, facts_at: str, origin: str
    ) -> None:
        """A row with what it would become alone."""
        lead, company, waiting = self.lead, None, self._waiting
        self.lead += 1
        if what.company is not None:
            company = self.company
            self.company += 1
            waiting["companies"].append((company, lead, *what.company[:-1], _as_json[what.company[-1]], facts_at))
            self._add_words(lead, company, what.company[_SLUG], what)
            if not what.keys:
                waiting["weak"].append((lead,))
        first = self.founder
        self.founder += len(what.people)
        for place, person in enumerate(what.people):
            waiting["founders"].append((first + place, lead, place, company, *person, facts_at))
        for place, key in what.people_keys:
            waiting["founder_keys"].append((lead, first + place, key))
        for place, key in what.people_hints:
            waiting["founder_hints"].append((lead, first + place, key))
        for key, place in what.addresses.items():
            if place < 0:
                waiting["addresses"].append((lead, key, None, company, "given", origin))
            else:
                status = row.people[place].email_status
                waiting["addresses"].append((lead, key, first + place, None, status, origin))
        waiting["rows"].append((lead, file, row.line, sha256, cells, "new", "", company))
        self._added[file] += 1

    def _add_words(self, lead: int, company: int, slug: object, what: Single) -> None:
        """What finds the company, but for what a column of it holds under an index (`leads.implied_keys`)."""
        for alias in what.aliases:
            self._waiting["company_names"].append((lead, company, alias))
        for key in what.keys:
            if not key.startswith(("slug:", "domain:")):
                self._waiting["company_keys"].append((lead, company, key))
        for key in what.hints:
            if not key.startswith("name:") and key != f"bare:{slug}":
                self._waiting["company_hints"].append((lead, company, key))

    def flush(self) -> None:
        """Write what has been added. Nobody reads it before."""
        for name, rows in self._waiting.items():
            if rows:
                self._insert(name, rows)
                rows.clear()

    def _insert(self, name: str, rows: list[tuple[Any, ...]]) -> None:
        marks = ", ".join("?" * len(rows[0]))
        self._c.exec_driver_sql(f"INSERT INTO temp.new_{name} VALUES ({marks})", rows)  # noqa: S608  names of our own

    # --- what must be judged --------------------------------------------------------------------------

    def judge(self, leads: Iterable[int]) -> None:
        """These rows do not stand alone: what they would be alone is passed over."""
        if judged := [(lead,) for lead in leads]:
            self._insert("judged", judged)

    def count_alone(self) -> "Alone":
        """What the rows bring that stand alone; asked for before anything is judged."""
        judged = self._c.exec_driver_sql(
            "SELECT file, count(*), count(company_id) FROM temp.new_judged "
            "JOIN temp.new_rows ON id = lead GROUP BY file"
        ).all()
        rows = self._added - Counter({file: number for file, number, _ in judged})
        companies = self.company - self._firsts[1] - sum(number for *_, number in judged)
        return Alone(rows, companies, *map(self._count, ("founders", "addresses", "weak")))

    def _count(self, name: str) -> int:
        return int(self._c.exec_driver_sql(f"SELECT count(*) FROM temp.new_{name} WHERE {_ALONE}").scalar_one())  # noqa: S608  names of our own

    def rows(self, leads: Sequence[int]) -> Iterator[tuple[int, int, int, str, dict[str, str]]]:
        """id, file, line, hash and cells of staged rows."""
        wanted = "WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id"
        query = f"SELECT id, file, line, sha256, cells FROM temp.new_rows {wanted}"  # noqa: S608  names of our own
        for id_, file, line, sha256, cells in self._c.exec_driver_sql(query, (json.dumps(list(leads)),)):
            yield id_, file, line, sha256, json.loads(cells)

    def settle(self, rows: Sequence[tuple[str, int | None, int]], seats: Sequence[tuple[int, int, int]]) -> None:
        """What became of rows that were judged: (outcome, company, row), and (row, place, founder)."""
        if rows:
            self._c.exec_driver_sql("UPDATE temp.new_rows SET outcome = ?, company_id = ? WHERE id = ?", list(rows))
        if seats:
            self._c.exec_driver_sql("INSERT INTO temp.new_seats VALUES (?, ?, ?)", list(seats))

    def keep_plan(self, number: int, plan: object) -> None:
        """A plan for some of the rows, until it is carried out."""
        blob = io.BytesIO()
        _Pickler(blob, pickle.HIGHEST_PROTOCOL).dump(plan)
        self._c.exec_driver_sql("INSERT INTO temp.new_plans VALUES (?, ?)", (number, blob.getvalue()))

    def drop_plans(self, numbers: Iterable[int]) -> None:
        self._c.exec_driver_sql("DELETE FROM temp.new_plans WHERE id = ?", [(number,) for number in numbers])

    def plans(self) -> Iterator[Any]:
        for id_ in self._c.exec_driver_sql("SELECT id FROM temp.new_plans ORDER BY id").scalars().all():
            (blob,) = self._c.exec_driver_sql("SELECT plan FROM temp.new_plans WHERE id = ?", (id_,)).one()
            yield pickle.loads(blob)  # noqa: S301  made by this very process, in a table that no other one sees

    def repeat(self, twins: Iterable[tuple[int, int]]) -> None:
        """Rows (the first of each pair) that stored rows say already."""
        if repeated := list(twins):
            self._insert("twins", repeated)

    def index_repeated(self) -> None:
        self._c.exec_driver_sql("CREATE INDEX temp.new_twins_twin ON new_twins (twin)")

    def take_repeated(self, companies: Iterable[int], founders: Iterable[int]) -> list[int]:
        """Rows that repeat a stored row about one of these: they are judged after all, with what else is said."""
        found: set[int] = set()
        of_company = "JOIN leads ON leads.id = twin WHERE leads.company_id"
        of_founder = "JOIN lead_founders ON lead_founders.lead_id = twin WHERE lead_founders.founder_id"
        for where, ids in ((of_company, companies), (of_founder, founders)):
            query = f"SELECT lead FROM temp.new_twins {where} IN (SELECT value FROM json_each(?))"  # noqa: S608  names of our own
            found.update(self._c.exec_driver_sql(query, (json.dumps(sorted(ids)),)).scalars())
        if found:
            self._c.exec_driver_sql("DELETE FROM temp.new_twins WHERE lead = ?", [(lead,) for lead in found])
        return sorted(found)

    # --- copying over -----------------------------------------------------------------------------------

    def copy_records(self, now: datetime) -> None:
        """The records of rows that stand alone."""
        at = stored_time(self._c, now)
        companies, founders = ", ".join(COMPANY_COLUMNS), ", ".join(FOUNDER_COLUMNS)
        self._run(
            f"INSERT INTO companies (id, {companies}, facts_at, created_at) "  # noqa: S608  names of our own
            f"SELECT id, {companies}, facts_at, ? FROM temp.new_companies WHERE {_ALONE} ORDER BY id",
            (at,),
        )
        self._run(
            f"INSERT INTO founders (id, company_id, {founders}, facts_at, created_at) "  # noqa: S608  names of our own
            f"SELECT id, company_id, {founders}, facts_at, ? FROM temp.new_founders WHERE {_ALONE} ORDER BY id",
            (at,),
        )
        for name in _WORDS:
            owner, text = [column.split()[0] for column in _TABLES[name].split(", ")[1:]]
            self._run(
                f"INSERT INTO {name} ({owner}, {text}) "  # noqa: S608  names of our own
                f"SELECT {owner}, {text} FROM temp.new_{name} WHERE {_ALONE} ORDER BY {text}, {owner}"
            )

    def copy_rows(self, imports: Mapping[int, int]) -> None:
        """The rows themselves, once all records are there; `imports` are the numbers of the files. A row that repeats a
        stored one speaks of whomever that one is taken for now."""
        self._run(
            "INSERT INTO temp.new_seats SELECT lead, position, founder_id FROM temp.new_twins "
            "JOIN lead_founders ON lead_founders.lead_id = twin"
        )
        self._run(
            "UPDATE temp.new_rows SET outcome = 'same', company_id = "
            "(SELECT leads.company_id FROM temp.new_twins JOIN leads ON leads.id = twin WHERE lead = new_rows.id) "
            "WHERE id IN (SELECT lead FROM temp.new_twins)"
        )
        if not imports:
            return
        files = " ".join(f"WHEN {at} THEN {number}" for at, number in imports.items())
        self._run(
            "INSERT INTO leads (id, import_id, line, sha256, cells, outcome, reason, company_id) "  # noqa: S608  numbers of our own
            f"SELECT id, CASE file {files} END, line, sha256, cells, outcome, reason, company_id "
            "FROM temp.new_rows ORDER BY id"
        )

    def copy_seats(self, now: datetime) -> None:
        """Whom the rows name, and the addresses of rows that stand alone."""
        self._run(
            "INSERT INTO lead_founders (lead_id, position, founder_id) "  # noqa: S608  names of our own
            f"SELECT lead, place, id FROM temp.new_founders WHERE {_ALONE} UNION ALL "
            "SELECT lead, place, founder_id FROM temp.new_seats ORDER BY 1, 2"
        )
        self._run(
            "INSERT INTO addresses (address, key, founder_id, company_id, status, origin, lead_id, created_at) "  # noqa: S608  names of our own
            "SELECT key, key, founder_id, company_id, status, origin, lead, ? FROM temp.new_addresses "
            f"WHERE {_ALONE} ORDER BY rowid",
            (stored_time(self._c, now),),
        )

    def tag(self, text: str) -> None:
        """Everyone whom the rows name, but for those from whom a person has taken the tag away."""
        self._run("INSERT OR IGNORE INTO founder_tags (founder_id, tag) "  # noqa: S608  names of our own
                  f"SELECT id, ? FROM temp.new_founders WHERE {_ALONE} UNION SELECT founder_id, ? FROM temp.new_seats "
                  "WHERE founder_id NOT IN "
                  "(SELECT founder_id FROM founder_edits WHERE field = 'tag:' || ? AND value = '')",
                  (text, text, text))  # fmt: skip

    @contextmanager
    def indexes_aside(self) -> Iterator[None]:
        """Sorting an index once costs less than a million insertions at random places."""
        staged = self.lead - self._firsts[0]
        there = self._c.exec_driver_sql("SELECT count(*) FROM leads").scalar_one()
        aside = []
        if staged > _MANY and staged > there:
            names = ("leads", "companies", "founders", "lead_founders", "addresses", *_WORDS)
            marks = ", ".join("?" * len(names))
            query = (
                "SELECT name, sql FROM main.sqlite_master "  # noqa: S608  names of our own
                f"WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ({marks})"
            )
            aside = [tuple(row) for row in self._c.exec_driver_sql(query, names)]
        for name, _ in aside:
            self._run(f"DROP INDEX main.{name}")
        yield
        for _, statement in aside:
            self._run(statement)

    def _run(self, statement: str, values: tuple[Any, ...] = ()) -> None:
        self._c.exec_driver_sql(statement, values)


_SLUG = COMPANY_COLUMNS.index("slug")
_as_json: Memo[object, str] = Memo(json.dumps)


def stored_time(connection: sa.Connection, at: datetime) -> str:
    """As the store writes it."""
    column = t.imports.c.imported_at
    process = column.type.dialect_impl(connection.dialect).bind_processor(connection.dialect)
    return str(process(at) if process else at)


@contextmanager
def staging_connection(database: Database) -> Iterator[sa.Connection]:
    """A connection of its own, with room to sort; what it staged goes with it."""
    with database.connection() as connection:
        if on_server(connection):  # there an import is planned as a whole, behind the gate
            yield connection
            return
        connection.exec_driver_sql(f"PRAGMA cache_size = -{_CACHE_KB}")
        connection.exec_driver_sql(f"PRAGMA temp.cache_size = -{_CACHE_KB // 2}")
        connection.rollback()
        try:
            yield connection
        finally:
            with suppress(sa.exc.DBAPIError):  # what went wrong before this is what must be told
                connection.rollback()
                if database.path:
                    connection.invalidate()  # closes it: to drop a table is to read all of it once more
                else:
                    for name in _TABLES:
                        connection.exec_driver_sql(f"DROP TABLE IF EXISTS temp.new_{name}")
                    connection.rollback()


@contextmanager
def references_unchecked(connection: sa.Connection) -> Iterator[None]:
    """For a transaction that refers to nothing but what it writes itself: a check reads the record that is referred to,
    and those of a long list fill most of the file, in another order."""
    driver = connection.connection.driver_connection
    assert driver is not None  # noqa: S101  an open connection has one
    driver.execute("PRAGMA foreign_keys=OFF")  # of no effect inside a transaction
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys=ON")


def fingerprint(connection: sa.Connection) -> tuple[object, ...]:
    """What tells whether who is who has changed: counts, newest numbers, and the mark that every change moves."""
    if on_server(connection):
        return ()
    counted = ", ".join(f"(SELECT count(*) FROM {name}), (SELECT max(rowid) FROM {name})" for name in _PEOPLE)  # noqa: S608
    moved = sa.select(t.meta.c.value).where(t.meta.c.name == CHANGES)
    return (*connection.exec_driver_sql(f"SELECT {counted}").one(), connection.scalar(moved))


CHANGES = "people:changes"


def mark_changed(connection: sa.Connection) -> None:
    """Say that who is who has changed in a way that counts do not show."""
    put_fact(connection, CHANGES, str(int(get_fact(connection, CHANGES) or 0) + 1))
