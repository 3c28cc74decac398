"""What the two engines say differently, in one place: everything else in this room is one SQL for both."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

SERVER = "postgresql"


def on_server(connection: sa.Connection) -> bool:
    """Whether this is PostgreSQL."""
    return connection.dialect.name == SERVER


def insert_missing(
    connection: sa.Connection, into: sa.Table, rows: Sequence[Mapping[str, Any]] | sa.Select[Any]
) -> None:
    """Insert what is not there yet, by any of the table's keys: a list of rows, or a query with the columns' names."""
    if on_server(connection):
        from sqlalchemy.dialects.postgresql import insert  # heavy, and of no use to a file
    else:
        from sqlalchemy.dialects.sqlite import insert  # type: ignore[assignment]  # the same methods
    inserting = insert(into)
    if isinstance(rows, sa.Select):
        # SQLite's grammar needs a WHERE here: without one, ON would be read as a join's.
        query = rows.where(sa.true())
        connection.execute(inserting.from_select(rows.selected_columns.keys(), query).on_conflict_do_nothing())
    elif rows:
        connection.execute(inserting.on_conflict_do_nothing(), rows)


def update_unless_taken(
    connection: sa.Connection,
    values: Mapping[sa.Column[Any], sa.ColumnElement[Any]],
    where: sa.ColumnElement[bool],
    rows: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Update where no key of the table would come to stand twice; where one would, the row stays as it is."""
    of = next(iter(values)).table
    assert isinstance(of, sa.Table)  # noqa: S101  a column of `store.tables` has one
    free = [~_taken(of, key, values) for key in _keys(of) if any(column in values for column in key)]
    statement = sa.update(of).where(where, *free).values({column.name: value for column, value in values.items()})
    connection.execute(statement, rows or None)


def _keys(of: sa.Table) -> list[list[sa.Column[Any]]]:
    unique = [key for key in of.constraints if isinstance(key, sa.UniqueConstraint | sa.PrimaryKeyConstraint)]
    return [list(key.columns) for key in unique]


def _taken(
    of: sa.Table, key: Sequence[sa.Column[Any]], values: Mapping[sa.Column[Any], sa.ColumnElement[Any]]
) -> sa.ColumnElement[bool]:
    other = of.alias("other")
    return sa.exists().where(*(other.c[column.name] == values.get(column, column) for column in key)).correlate(of)


def json_texts(connection: sa.Connection, column: sa.ColumnElement[Any]) -> sa.TableValuedAlias:
    """The texts of a JSON list, as a table with the column `value`."""
    name = "json_array_elements_text" if on_server(connection) else "json_each"
    return getattr(sa.func, name)(column).table_valued(sa.column("value", sa.String))  # type: ignore[no-any-return]  # SQLAlchemy's functions are made by their names


def advance_ids(connection: sa.Connection, of: sa.Table) -> None:
    """After rows with ids of our own: PostgreSQL's counter for this table goes on behind the highest."""
    column = of.autoincrement_column
    if column is None or not on_server(connection):
        return
    counter = sa.func.pg_get_serial_sequence(sa.func.quote_ident(of.name), column.name)
    highest = sa.select(sa.func.max(column)).scalar_subquery()
    connection.execute(sa.select(sa.func.setval(counter, highest)).where(highest.is_not(None)))
