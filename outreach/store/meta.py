"""Single facts that a store keeps about itself, by name."""

import sqlalchemy as sa

from outreach.errors import StoreError
from outreach.store import tables as t
from outreach.store.database import Database

GATE = "gate"
"""The row that every writer on PostgreSQL locks first."""
KEY = "key"
"""The fingerprint of the secret behind its Message-IDs."""
MOVED = "moved"
"""Where it lives now, if it was moved."""
PLACE = "instance."
"""The start of the names of facts about where it lies."""
ADOPTION = "adoption."
"""The start of the names of the adoptions it went through: an older copy has not been through the newest."""
INDEX = "search:"
"""The start of the names of facts about a full-text index: each database fills its own."""


def get_fact(connection: sa.Connection, name: str) -> str:
    """Empty if it is not known."""
    return connection.scalar(sa.select(t.meta.c.value).where(t.meta.c.name == name)) or ""


def put_fact(connection: sa.Connection, name: str, value: str) -> None:
    connection.execute(sa.delete(t.meta).where(t.meta.c.name == name))
    connection.execute(sa.insert(t.meta).values(name=name, value=value))


def refuse_moved(database: Database) -> None:
    """Raise StoreError for a store that lives elsewhere now."""
    with database.read() as connection:
        moved = get_fact(connection, MOVED)
    if moved:
        raise StoreError(
            f"this store was moved to {moved}; sending from here would write to the same people again.",
            hint="let OUTREACH_DATABASE_URL in .env say where it is now; `outreach db copy` moves it there and back",
        )
