"""Who was erased, as the suppression list has it: keyed hashes, and nothing else of them."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from outreach.core.suppression import ERASED, ERASED_START
from outreach.store import tables as t
from outreach.store.database import Database
from outreach.store.dialect import insert_missing
from outreach.store.meta import get_fact, put_fact

if TYPE_CHECKING:  # what tells who somebody is is loaded only where there is anybody
    from outreach.core.erased import Erased

_UNSWEPT = "erased:unswept"
"""Set while the files may still hold, in places that are not used, what was erased."""
_MARKS = (t.suppressions.c.value > ERASED_START, t.suppressions.c.value < ERASED_START[:-1] + ";")


class Erasures:
    """Those who were erased. `key` gives the workspace's secret; it is only asked for where there are any."""

    def __init__(self, database: Database, key: Callable[[], bytes]) -> None:
        self._db, self._ask_key = database, key

    @cached_property
    def key(self) -> bytes:
        """The workspace's secret."""
        return self._ask_key()

    def known(self, connection: sa.Connection | None = None) -> "Erased":
        """All of them; in a transaction that is open, as it sees them."""
        from outreach.core.erased import Erased

        marks = frozenset(self.marks(connection))
        return Erased(self.key, marks) if marks else Erased()

    def marks(self, connection: sa.Connection | None = None) -> dict[str, datetime]:
        """Entry of the suppression list → since when."""
        if connection is None:
            with self._db.read() as reading:
                return self.marks(reading)
        rows = connection.execute(sa.select(t.suppressions.c.value, t.suppressions.c.created_at).where(*_MARKS))
        return {row.value: row.created_at for row in rows}

    def numbers(self) -> list[int]:
        """The numbers of founders who are gone for good."""
        gone = sa.select(t.retired_ids.c.id).where(t.retired_ids.c.kind == "person", t.retired_ids.c.became == 0)
        with self._db.read() as connection:
            return list(connection.scalars(gone))

    def is_settled(self, entries: Iterable[Mapping[str, Any]]) -> bool:
        """Whether the file beside the store tells the same, and nothing was cut off."""
        noted = read_marks(entries)
        with self._db.read() as connection:
            same = noted.keys() == self.marks(connection).keys()
            return same and not any(noted.values()) and not get_fact(connection, _UNSWEPT)

    def sweep(self) -> bool:
        """Write the file anew, so that nothing of what was erased is left in places that are not used any more; whether
        nobody else was in the way."""
        if not self._db.compact():
            return False
        with self._db.write() as connection:
            connection.execute(sa.delete(t.meta).where(t.meta.c.name == _UNSWEPT))
        return True


def mark(connection: sa.Connection, marks: Iterable[str], now: datetime) -> None:
    """Put these on the suppression list, for good."""
    entry = {"kind": ERASED, "reason": ERASED, "origin": "by hand", "created_at": now}
    insert_missing(connection, t.suppressions, [{"value": value, **entry} for value in sorted(marks)])
    put_fact(connection, _UNSWEPT, now.isoformat())


def as_lines(marks: Mapping[str, datetime], **more: Any) -> list[dict[str, Any]]:
    """As the file beside the store has them."""
    entry = {"action": "add", "kind": ERASED, "reason": ERASED, "origin": "by hand", **more}
    return [{"at": since.isoformat(), "value": value, **entry} for value, since in sorted(marks.items())]


def read_marks(entries: Iterable[Mapping[str, Any]]) -> dict[str, bool]:
    """Entry → whether erasing was cut off between this line and the last."""
    found: dict[str, bool] = {}
    for entry in entries:
        value = str(entry.get("value", ""))
        if value.startswith(ERASED_START):
            found[value] = found.get(value, False) or bool(entry.get("unfinished"))
    return found
