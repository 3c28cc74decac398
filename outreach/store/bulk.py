"""Set-based statements over many values. Contains no business."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

import sqlalchemy as sa

from outreach.store.dialect import advance_ids

_T = TypeVar("_T")
_CHUNK = 500
"""Values in one IN: far below every engine's limit, and one prepared statement serves all chunks but the last."""


def chunks(values: Iterable[_T]) -> Iterator[list[_T]]:
    """So many at a time that one IN takes them."""
    rest = iter(values)
    while chunk := list(islice(rest, _CHUNK)):
        yield chunk


def select_in(
    connection: sa.Connection, query: sa.Select[Any], column: sa.ColumnElement[Any], values: Iterable[Any]
) -> Iterator[sa.RowMapping]:
    """The rows of a query where a column has one of many values."""
    for chunk in chunks(values):
        yield from connection.execute(query.where(column.in_(chunk))).mappings()


def delete_in(connection: sa.Connection, column: sa.Column[Any], values: Iterable[Any]) -> None:
    for chunk in chunks(values):
        connection.execute(sa.delete(column.table).where(column.in_(chunk)))


def insert_all(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows; where they bring ids of their own, the next ids given by the database come after them."""
    if rows:
        connection.execute(sa.insert(table), rows)
        if "id" in rows[0]:
            advance_ids(connection, table)


def update_all(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Update rows by their `id`; every row has the same columns."""
    if not rows:
        return
    columns: dict[str, Any] = {name: sa.bindparam(f"new_{name}") for name in rows[0] if name != "id"}
    statement = sa.update(table).where(table.c.id == sa.bindparam("at_id")).values(columns)
    named = [{f"new_{name}" if name != "id" else "at_id": value for name, value in row.items()} for row in rows]
    connection.execute(statement, named)


def next_id(connection: sa.Connection, table: sa.Table) -> int:
    """The next free id, inside a transaction that nobody else can write in. For rows that are never deleted."""
    return int(connection.scalar(sa.select(sa.func.coalesce(sa.func.max(table.c.id), 0))) or 0) + 1
