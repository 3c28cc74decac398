"""Writes `outreach/store/tables.py` from the models: the same tables, as what runs needs them.

To load SQLModel and build its classes takes longer than all else that a looking command does. So it is loaded where the
schema is declared and compared, and what runs has plain SQLAlchemy tables.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from outreach.store import models, types

FILE = Path(types.__file__).with_name("tables.py")
_HEADING = '''"""The tables as SQLAlchemy's Core has them. They never leave this room.

Written from `models.py`, which says what each is for, by `python -m migrations`: change it there.
"""

import sqlalchemy as sa

from outreach.store.types import BIG, NAMES, UTCDateTime

metadata = sa.MetaData(naming_convention=NAMES)
'''
_TYPES = {
    "AutoString": "sa.String",
    "BigInteger": "BIG",
    "Boolean": "sa.Boolean",
    "Float": "sa.Float",
    "Integer": "sa.Integer",
    "JSON": "sa.JSON",
    "LargeBinary": "sa.LargeBinary",
    "UTCDateTime": "UTCDateTime",
}


def written() -> str:
    """The file as it must be."""
    text = "\n".join((_HEADING, *map(_table, models.Meta.metadata.sorted_tables)))
    ruff = [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(FILE), "-"]
    done = subprocess.run(ruff, input=text, capture_output=True, text=True, check=True)  # noqa: S603  our own words
    return done.stdout


def _table(of: sa.Table) -> str:
    parts = [json.dumps(of.name), "metadata", *map(_column, of.columns), *_extras(of)]
    return "\n".join((f"{of.name} = sa.Table(", *(f"    {part}," for part in parts), ")\n"))


def _column(column: sa.Column[Any]) -> str:
    parts = [json.dumps(column.name), _TYPES[type(column.type).__name__]]
    parts += [f"sa.ForeignKey({json.dumps(key.target_fullname)})" for key in column.foreign_keys]
    if column.primary_key:
        parts.append("primary_key=True")
    elif not column.nullable:
        parts.append("nullable=False")
    parts += [f"{name}=True" for name in ("index", "unique") if getattr(column, name)]
    if isinstance(column.default, sa.ColumnDefault):
        parts.append(f"default={_default(column.default.arg)}")
    if isinstance(column.server_default, sa.DefaultClause):
        parts.append(f"server_default={json.dumps(column.server_default.arg)}")
    return f"sa.Column({', '.join(parts)})"


def _default(value: Any) -> str:
    """A value, or the type whose empty value it is."""
    if callable(value):
        return "list" if value(None) == [] else "dict"
    return "list" if value == [] else json.dumps(value) if isinstance(value, str) else repr(value)


def _extras(of: sa.Table) -> Iterator[str]:
    """What is not said with one column."""
    for check in of.constraints:
        if isinstance(check, sa.CheckConstraint):
            yield f"sa.CheckConstraint({json.dumps(str(check.sqltext))}, name={json.dumps(check.name)})"
    for key in of.constraints:
        if isinstance(key, sa.UniqueConstraint) and len(key.columns) > 1:
            yield f"sa.UniqueConstraint({', '.join(json.dumps(column.name) for column in key.columns)})"
    for index in sorted(of.indexes, key=lambda each: str(each.name)):
        where = index.dialect_options["sqlite"]["where"]
        if len(index.columns) > 1 or where is not None or not index.columns[0].index:
            names = ", ".join(json.dumps(name) for name in (index.name, *index.columns.keys()))
            unique = ", unique=True" if index.unique else ""
            partly = f", sqlite_where=sa.text({json.dumps(str(where))})" if where is not None else ""
            yield f"sa.Index({names}{unique}{partly})"
