"""Cuts what is only one person's out of every text of the store that still holds it: addresses and pages everywhere,
names where it is asked. Knows tables only by their columns.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from outreach.core.erased import SKIPPED, thinned
from outreach.core.redaction import Traces
from outreach.store import tables as t
from outreach.store.dialect import on_server

_AS_IT_IS = {"companies": ("name", "name_key", "domain", "website"), "meta": ("name", "value")}
"""A company may be called after its founder; that is the company's name."""
_PARTS = {"lookups": ("data",)}
"""Documents of which the smallest part that speaks of them goes, not only the words."""


def cut_out(
    connection: sa.Connection, traces: Traces, names_in: Mapping[sa.Table, sa.ColumnElement[bool]] | None = None
) -> None:
    """From all tables; with `names_in`, names too, and only from the rows of these."""
    names = names_in is not None
    needles = [*traces.unique, *(sorted(traces.names) if names else ())]
    wanted = names_in or dict.fromkeys(t.metadata.sorted_tables, sa.true())
    for of, where in wanted.items() if needles else ():
        _skipped(connection, of, traces, where)
        for column in _texts(of):
            for row in _holding(connection, of, column, needles, where):
                _cut(connection, of, column, row, traces, names=names)
    if not names:
        _bytes(connection, traces)


def _texts(of: sa.Table) -> Iterator[sa.Column[Any]]:
    for column in of.columns:
        own = column.primary_key or column.name in _AS_IT_IS.get(of.name, ())
        if not own and isinstance(column.type, sa.String | sa.JSON):
            yield column


def _holding(
    connection: sa.Connection, of: sa.Table, column: sa.Column[Any], needles: list[str], where: sa.ColumnElement[bool]
) -> list[sa.Row[Any]]:
    if not needles:
        return []
    text = sa.func.lower(sa.cast(column, sa.Text))
    spelled = [json.dumps(each)[1:-1] if isinstance(column.type, sa.JSON) else each for each in needles]
    holds = sa.or_(*(text.contains(each.lower(), autoescape=True) for each in spelled))
    keys = list(of.primary_key.columns)
    return list(connection.execute(sa.select(*keys, column.label("text_held")).where(where, holds)))


def _cut(
    connection: sa.Connection, of: sa.Table, column: sa.Column[Any], row: sa.Row[Any], traces: Traces, *, names: bool
) -> None:
    if column.name in _PARTS.get(of.name, ()):
        left = thinned(row.text_held, lambda text: traces.in_text(text, names=names))
    else:
        left = traces.cut_all(row.text_held, names=names)
    if left != row.text_held:
        here = [key == getattr(row, key.name) for key in of.primary_key.columns]
        connection.execute(sa.update(of).where(*here).values({column.name: left}))


def _skipped(connection: sa.Connection, of: sa.Table, traces: Traces, where: sa.ColumnElement[bool]) -> None:
    """A row of a list that could not be used, and that speaks of them, goes whole."""
    if of is not t.leads:
        return
    for row in _holding(connection, of, t.leads.c.cells, [*traces.unique], where):
        skipped = sa.update(t.leads).where(t.leads.c.id == row.id, t.leads.c.outcome == "skipped")
        connection.execute(skipped.values(cells={}, reason=SKIPPED, sha256=""))


def _bytes(connection: sa.Connection, traces: Traces) -> None:
    """Mail of others that names an address of theirs is not kept as it came; what it says is, without the address."""
    for address in sorted(traces.addresses):
        holds = _in_bytes(connection, t.inbound.c.raw, address)
        connection.execute(sa.update(t.inbound).where(t.inbound.c.raw.is_not(None), holds).values(raw=None))


def mails_with(connection: sa.Connection, traces: Traces) -> tuple[int, ...]:
    """Mails to others in which an address of theirs stands."""
    found = {
        id_
        for address in traces.addresses
        for id_ in connection.scalars(sa.select(t.outbox.c.id).where(_in_bytes(connection, t.outbox.c.mime, address)))
    }
    return tuple(sorted(found))


def _in_bytes(connection: sa.Connection, column: sa.Column[Any], text: str) -> sa.ColumnElement[bool]:
    needle = sa.literal(text.encode("utf-8", "replace"), sa.LargeBinary)
    if on_server(connection):
        return sa.func.position(needle.op("IN")(column)) > 0
    return sa.func.instr(column, needle) > 0
