"""What Alembic runs for every migration; the connection, in its transaction, comes from `outreach.store.schema`."""

from typing import Any, Literal

from alembic import context

from outreach.store import tables as t
from outreach.store.search import is_index
from outreach.store.types import UTCDateTime


def render_item(kind: str, item: Any, _autogen_context: Any) -> str | Literal[False]:
    """Write our own type of column as SQLAlchemy's, so that an old migration never needs it."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UTCDateTime) else False


def include_name(name: str | None, kind: str, _parents: Any) -> bool:
    """The full-text index is no table of ours."""
    return not (kind == "table" and is_index(name))


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=t.metadata,
    render_as_batch=True,
    render_item=render_item,
    include_name=include_name,
)
context.run_migrations()
