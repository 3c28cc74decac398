"""What the user notes: about a founder (the line written for them, their consent), and that a mail is approved."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from outreach.store import tables as t
from outreach.store.bulk import insert_all, select_in
from outreach.store.database import Database

LINE, CONSENT = "line", "consent"


@dataclass(frozen=True, slots=True)
class Approved:
    """A mail as it was when a person approved it: its hash, the digest of its template, and the values it named."""

    dedupe_key: str
    sha256: str
    template: str
    facts: Mapping[str, str]
    approved_at: datetime


class Notes:
    """Written by hand, and never by an import."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def set(self, name: str, values: Mapping[int, str], now: datetime) -> None:
        """Founder → what to note; an empty text removes the note."""
        rows = [
            {"founder_id": founder_id, "name": name, "value": value, "updated_at": now}
            for founder_id, value in values.items()
        ]
        with self._db.write() as connection:
            connection.execute(
                sa.delete(t.founder_notes).where(
                    t.founder_notes.c.name == name, t.founder_notes.c.founder_id == sa.bindparam("whose")
                ),
                [{"whose": founder_id} for founder_id in values],
            )
            insert_all(connection, t.founder_notes, [row for row in rows if row["value"]])

    def approve(self, mails: Iterable[Approved]) -> None:
        """Remember these as they are; what was approved of them before is forgotten."""
        rows = [{name: getattr(mail, name) for name in Approved.__dataclass_fields__} for mail in mails]
        with self._db.write() as connection:
            connection.execute(
                sa.delete(t.approvals).where(t.approvals.c.dedupe_key == sa.bindparam("which")),
                [{"which": row["dedupe_key"]} for row in rows],
            )
            insert_all(connection, t.approvals, rows)

    def withdraw(self, campaign_id: int) -> int:
        """Forget the approvals of a campaign; how many there were."""
        with self._db.write() as connection:
            return connection.execute(
                sa.delete(t.approvals).where(t.approvals.c.dedupe_key.like(f"{campaign_id}/%"))
            ).rowcount

    def approvals(self, campaign_id: int) -> dict[str, Approved]:
        """dedupe key → what was approved, for one campaign."""
        query = sa.select(t.approvals).where(t.approvals.c.dedupe_key.like(f"{campaign_id}/%"))
        with self._db.read() as connection:
            return {row["dedupe_key"]: Approved(**row) for row in connection.execute(query).mappings()}

    def with_line(self, founder_ids: Iterable[int]) -> dict[int, str]:
        """Founder → the line written for them."""
        query = sa.select(t.founder_notes).where(t.founder_notes.c.name == LINE)
        with self._db.read() as connection:
            return {
                row["founder_id"]: row["value"]
                for row in select_in(connection, query, t.founder_notes.c.founder_id, founder_ids)
            }
