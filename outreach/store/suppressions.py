"""The suppression list as a whole: added to by hand, listed, and made one with its log, which no restore forgets."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from outreach.core.measures import StopCompany
from outreach.core.records import Founder
from outreach.core.suppression import suppression_keys
from outreach.store import tables as t
from outreach.store.consequences import Cause, stop_enrollments, stop_people, suppress, suppress_person
from outreach.store.database import Database
from outreach.store.dialect import insert_missing
from outreach.store.journal import Recorder
from outreach.store.stops import stop_all

# A person's number means something only in the store that gave it; their addresses are logged beside it.
_EVERYWHERE = ("address:", "domain:")
_COLUMNS = ("value", "kind", "reason", "origin", "created_at")


class Suppressions:
    """Whom we must not write to."""

    def __init__(self, database: Database, log: Recorder) -> None:
        self._db, self._log = database, log

    def add_person(self, founder_id: int, reason: str, now: datetime) -> None:
        """The founder with all their addresses; whatever was to be sent to them is cancelled."""
        with self._db.write() as connection:
            suppress_person(connection, founder_id, kind="manual", reason=reason, cause=self._cause(now))
            stop_people(connection, [founder_id], reason="suppressed", cancel="suppressed", now=now)

    def add_address(self, key: str, reason: str, now: datetime) -> None:
        """One address, by its widest key, whether or not anyone here has it."""
        with self._db.write() as connection:
            suppress(connection, f"address:{key}", kind="manual", reason=reason, cause=self._cause(now))
            condition = t.enrollments.c.address_key == key
            stop_enrollments(connection, condition, reason="suppressed", cancel="suppressed", now=now)

    def add_domain(self, domain: str, reason: str, now: datetime) -> None:
        """A domain with everything below it."""
        with self._db.write() as connection:
            suppress(connection, f"domain:{domain}", kind="manual", reason=reason, cause=self._cause(now))
            stop_all(connection, [StopCompany(None, (domain,), "suppressed", "suppressed")], now)

    def find(self, values: Iterable[str]) -> list[Mapping[str, Any]]:
        """The entries with these values."""
        wanted = set(values)
        return [entry for entry in self.all() if entry["value"] in wanted]

    def remove(self, entries: Sequence[Mapping[str, Any]], reason: str, now: datetime) -> None:
        """Take entries off the list, for good: the log remembers that too, so that no restore brings them back."""
        with self._db.write() as connection:
            for entry in entries:
                told = {"value": entry["value"], "kind": entry["kind"], "reason": reason}
                self._log.record({"at": now.isoformat(), "action": "remove", **told})
                connection.execute(
                    sa.delete(t.suppressions).where(
                        t.suppressions.c.value == entry["value"], t.suppressions.c.kind == entry["kind"]
                    )
                )

    def expire(self, now: datetime) -> None:
        """Forget what has come to its end."""
        with self._db.write() as connection:
            connection.execute(sa.delete(t.suppressions).where(t.suppressions.c.until <= now))

    def all(self) -> list[Mapping[str, Any]]:
        """Newest first."""
        query = sa.select(*(t.suppressions.c[name] for name in _COLUMNS)).order_by(t.suppressions.c.id.desc())
        with self._db.read() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def covering(self, founder: Founder) -> list[dict[str, Any]]:
        """What keeps this founder from being written to: as a person, by an address, a domain, or their company."""
        keys = suppression_keys(
            [address.key for address in founder.addresses],
            founder_id=founder.id,
            company_id=founder.company.id if founder.company else None,
        )
        query = sa.select(*(t.suppressions.c[name] for name in _COLUMNS)).where(t.suppressions.c.value.in_(keys))
        with self._db.read() as connection:
            return [dict(row) for row in connection.execute(query.order_by(t.suppressions.c.id)).mappings()]

    def merge(self, entries: Iterable[Mapping[str, Any]]) -> int:
        """Take over what only the log knows: a restored or older store has forgotten it. How many were missing."""
        logged: dict[tuple[str, str], Mapping[str, Any]] = {}
        for entry in entries:
            key = (str(entry.get("value")), str(entry.get("kind")))
            if entry.get("action") == "remove":
                logged.pop(key, None)
            elif entry.get("action") == "add" and "kind" in entry and key[0].startswith(_EVERYWHERE):
                logged[key] = entry
        if not logged:
            return 0
        with self._db.read() as connection:
            known = {tuple(row) for row in connection.execute(sa.select(t.suppressions.c.value, t.suppressions.c.kind))}
        missing = [entry for key, entry in logged.items() if key not in known]
        if missing:
            with self._db.write() as connection:
                insert_missing(connection, t.suppressions, [_row(entry) for entry in missing])
        return len(missing)

    def _cause(self, now: datetime) -> Cause:
        return Cause("by hand", now, self._log)


def _row(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "value": str(entry["value"]),
        "kind": str(entry["kind"]),
        "reason": str(entry.get("reason", "")),
        "origin": str(entry.get("origin", "")),
        "created_at": datetime.fromisoformat(entry["at"]),
    }
