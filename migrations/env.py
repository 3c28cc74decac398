"""What Alembic runs for every migration; the connection, in its transaction, comes from `outreach.store.schema`."""

from typing import Any, Literal

from alembic import context
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

from outreach.store import tables  # noqa: F401  fills SQLModel.metadata


def render_item(kind: str, item: Any, _autogen_context: Any) -> str | Literal[False]:
    """Write SQLModel's column types as SQLAlchemy's, so that an old migration never needs an old SQLModel."""
    if kind == "type" and isinstance(item, AutoString):
        return "sa.String()"
    if kind == "type" and isinstance(item, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
    render_item=render_item,
)
context.run_migrations()
