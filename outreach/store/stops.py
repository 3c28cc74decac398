"""Stopping everyone that some messages stop, together: what is open is read once, dictionaries tell who is concerned,
and each reason takes one statement. One by one, a full mailbox would ask the same tables a thousand times.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from outreach.core.measures import StopCompany, StopPerson
from outreach.core.records import EnrollmentState, OutboxState
from outreach.store import tables as t
from outreach.store.bulk import chunks

OPEN = (EnrollmentState.ACTIVE, EnrollmentState.HELD)
WAITING = (OutboxState.QUEUED, OutboxState.HELD)
WILL_NOT_GO = sa.case((t.outbox.c.intent_at.is_not(None), OutboxState.UNKNOWN), else_=OutboxState.CANCELLED)
"""What a waiting message becomes that is not to go: where a person had ordered a second copy, the doubt remains."""
_FEW = 20
"""Domains up to which the database looks for addresses below them; of more, all open enrollments are looked through."""
_MANY = 500
"""People up to whom the open enrollments are asked for by name."""


def stop_all(
    connection: sa.Connection, stops: Sequence[StopPerson | StopCompany], now: datetime
) -> dict[int, StopPerson | StopCompany]:
    """End the open enrollments that these stops are about, and cancel what waits for them. Which stop ended whose
    (founder → stop): who is stopped in person is not stopped as a colleague."""
    concerned = _Concerned(stops)
    if not stops:
        return {}
    ended: dict[StopPerson | StopCompany, list[int]] = {}
    people: dict[int, StopPerson | StopCompany] = {}
    owners = concerned.owners(connection)
    for row in connection.execute(concerned.enrollments()).mappings():
        stop = concerned.stop_of(row) or owners.get(row["founder_id"])
        if stop is not None:
            ended.setdefault(stop, []).append(row["id"])
            people.setdefault(row["founder_id"], stop)
    by_reason: dict[tuple[str, str], list[int]] = {}
    for stop, ids in ended.items():
        by_reason.setdefault((stop.reason, stop.cancel), []).extend(ids)
    for (reason, cancel), ids in by_reason.items():
        for chunk in chunks(ids):
            _end(connection, chunk, reason, cancel, now)
    return people


class _Concerned:
    """Whom some stops are about. Of two stops for the same one the first counts."""

    def __init__(self, stops: Sequence[StopPerson | StopCompany]) -> None:
        backwards = list(reversed(stops))
        companies = [stop for stop in backwards if isinstance(stop, StopCompany)]
        self._people = {stop.founder_id: stop for stop in backwards if isinstance(stop, StopPerson)}
        self._companies = {stop.company_id: stop for stop in companies if stop.company_id is not None}
        self._domains = {domain: stop for stop in companies for domain in stop.domains}

    def stop_of(self, row: sa.RowMapping) -> StopPerson | StopCompany | None:
        return (
            self._people.get(row["founder_id"])
            or self._companies.get(row["company_id"])
            or self._domains.get(row["company_domain"])
            or self._of_address(row["address_key"])
        )

    def _of_address(self, key: str) -> StopCompany | None:
        """By the domain it lies at or below."""
        return next((self._domains[each] for each in _domains_above(key) if each in self._domains), None)

    def enrollments(self) -> sa.Select[tuple[int, int, str, int, str]]:
        """The open ones among which to look."""
        query = (
            sa.select(
                t.enrollments.c.id,
                t.enrollments.c.founder_id,
                t.enrollments.c.address_key,
                t.founders.c.company_id,
                t.companies.c.domain.label("company_domain"),
            )
            .join(t.founders, t.founders.c.id == t.enrollments.c.founder_id)
            .outerjoin(t.companies, t.companies.c.id == t.founders.c.company_id)
            .where(t.enrollments.c.state.in_(OPEN))
        )
        if len(self._people) > _MANY or len(self._domains) > _FEW:
            return query
        owners = sa.select(t.addresses.c.founder_id).where(sa.or_(sa.false(), *self._below(t.addresses.c.key)))
        return query.where(
            sa.or_(
                t.enrollments.c.founder_id.in_(list(self._people)),
                t.founders.c.company_id.in_(list(self._companies)),
                t.companies.c.domain.in_(list(self._domains)),
                t.enrollments.c.founder_id.in_(owners.where(t.addresses.c.founder_id.is_not(None))),
                *self._below(t.enrollments.c.address_key),
            )
        )

    def owners(self, connection: sa.Connection) -> Mapping[int, StopCompany]:
        """The founders with any address at one of the domains."""
        if not self._domains:
            return {}
        query = sa.select(t.addresses.c.founder_id, t.addresses.c.key).where(t.addresses.c.founder_id.is_not(None))
        if len(self._domains) <= _FEW:
            query = query.where(sa.or_(*self._below(t.addresses.c.key)))
        found = ((founder, self._of_address(key)) for founder, key in connection.execute(query))
        return {founder: stop for founder, stop in found if stop is not None}

    def _below(self, column: sa.ColumnElement[str]) -> list[sa.ColumnElement[bool]]:
        return [column.endswith(f"{mark}{domain}", autoescape=True) for domain in self._domains for mark in "@."]


def _domains_above(key: str) -> Iterator[str]:
    host = key.rpartition("@")[2]
    while host:
        yield host
        host = host.partition(".")[2]


def _end(connection: sa.Connection, ids: Sequence[int], reason: str, cancel: str, now: datetime) -> None:
    connection.execute(
        sa.update(t.outbox)
        .where(t.outbox.c.state.in_(WAITING), t.outbox.c.enrollment_id.in_(ids))
        .values(state=WILL_NOT_GO, reason=cancel, updated_at=now)
    )
    connection.execute(
        sa.update(t.enrollments)
        .where(t.enrollments.c.id.in_(ids))
        .values(state=EnrollmentState.STOPPED, reason=reason, updated_at=now)
    )
