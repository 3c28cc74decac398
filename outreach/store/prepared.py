"""Statements that a sending run repeats for every mail: made into text once, then handed to SQLite as they are.

For each of these SQLAlchemy takes ten times as long as SQLite does. On a server it is the network that takes the time,
and SQLAlchemy that notices when the connection is lost: there everything goes the usual way.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.sql.compiler import SQLCompiler

from outreach.store.dialect import on_server


class Answer(Protocol):
    """What both ways give back."""

    @property
    def rowcount(self) -> int: ...
    def fetchone(self) -> Any: ...
    def fetchall(self) -> Sequence[Any]: ...


@dataclass(frozen=True, slots=True)
class _Text:
    """A statement as SQLite takes it: the order of the values, those it has of its own, and how to spell the others."""

    sql: str
    order: tuple[str, ...]
    own: Mapping[str, Any]
    lists: Mapping[str, Sequence[str]]
    spellings: Sequence[tuple[str, Callable[[Any], Any]]]

    def values(self, told: Mapping[str, Any]) -> list[Any]:
        known = {**self.own, **told}
        for name, members in self.lists.items():
            known.update(zip(members, told[name], strict=True))
        for name, spell in self.spellings:
            known[name] = spell(known[name])
        return [known[name] for name in self.order]


class Prepared:
    """One statement whose values are named parameters. Rows come as plain tuples, so it may not ask for times."""

    def __init__(self, statement: sa.ClauseElement, columns: Sequence[str] = ()) -> None:
        """`columns`: those of an INSERT."""
        self._statement, self._columns = statement, list(columns) or None
        self._texts: dict[tuple[int, ...], _Text] = {}
        """One for each length of the lists among the values."""

    def run(self, connection: sa.Connection, values: Mapping[str, Any]) -> Answer:
        if on_server(connection):
            assert isinstance(self._statement, sa.Executable)  # noqa: S101  a bug in the caller
            return connection.execute(self._statement, values)
        lengths = tuple(len(value) for value in values.values() if isinstance(value, list))
        text = self._texts.get(lengths)
        if text is None:
            text = self._texts[lengths] = self._compile(connection.dialect, values)
        driver = connection.connection.driver_connection
        assert driver is not None  # noqa: S101  an open connection has one
        return driver.execute(text.sql, text.values(values))  # type: ignore[no-any-return]  # sqlite3's cursor

    def _compile(self, dialect: sa.Dialect, values: Mapping[str, Any]) -> _Text:
        compiled = self._statement.compile(dialect=dialect, column_keys=self._columns)
        assert isinstance(compiled, SQLCompiler)  # noqa: S101  as every statement's is
        expanded = compiled.construct_expanded_state({**compiled.params, **values})
        lists = {name: members for name, members in expanded.parameter_expansion.items() if name in values}
        told = {*values, *chain.from_iterable(lists.values())}
        own = {name: value for name, value in {**compiled.params, **expanded.parameters}.items() if name not in told}
        types = {name: bound.type for name, bound in compiled.binds.items()}
        spellings = {name: kind.dialect_impl(dialect).bind_processor(dialect) for name, kind in types.items()}
        return _Text(
            expanded.statement,
            tuple(expanded.positiontup or ()),
            {name: _plain(value, spellings.get(name)) for name, value in own.items()},
            lists,
            [(name, spell) for name, spell in spellings.items() if spell and name in values],
        )


def _plain(value: Any, spell: Callable[[Any], Any] | None) -> Any:
    """A value that never changes, as SQLite takes it at once: not a StrEnum, which it would have to ask first."""
    value = spell(value) if spell else value
    return str(value) if isinstance(value, str) else value
