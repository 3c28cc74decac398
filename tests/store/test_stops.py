"""Stopping many at once ends exactly what stopping them one by one would."""

from datetime import timedelta

import sqlalchemy as sa

from outreach.core.measures import StopCompany, StopPerson
from outreach.store import tables as t
from outreach.store.database import Database
from outreach.store.stops import stop_all
from tests.factory import add_founders, start_campaign
from tests.fakes import MONDAY_MORNING as NOW
from tests.postgres import new_store

ENROLLMENTS, COMPANIES = t.enrollments, t.companies
NAMES = [f"p{number}" for number in range(60)]


def _database() -> Database:
    store = new_store()
    add_founders(store, NAMES)
    start_campaign(store)
    return store.database


def _states(database: Database) -> list[tuple[str, str, str]]:
    with database.read() as connection:
        rows = connection.execute(sa.select(ENROLLMENTS.c.address_key, ENROLLMENTS.c.state, ENROLLMENTS.c.reason))
        return sorted((row[0], str(row[1]), row[2]) for row in rows)


def test_many_together_end_what_each_alone_would() -> None:
    """More domains than are asked for by name, so that the other way of looking is taken too."""
    domains = [StopCompany(None, (f"p{number}.example",), "colleague-replied", "replied") for number in range(0, 50, 2)]
    stops: list[StopPerson | StopCompany] = [StopPerson(3, "replied", "replied"), *domains]
    together, alone = _database(), _database()
    with together.write() as connection:
        people = stop_all(connection, stops, NOW + timedelta(days=1))
    for stop in stops:
        with alone.write() as connection:
            stop_all(connection, [stop], NOW + timedelta(days=1))
    assert _states(together) == _states(alone)
    assert len(people) == 25
    assert people[3] == stops[0]


def test_a_domain_reaches_what_lies_below_it_and_nothing_beside_it() -> None:
    database = _database()
    with database.write() as connection:
        names = {"p1@p1.example": "p1@mail.p1.example", "p2@p2.example": "p2@notp1.example"}
        for before, after in names.items():
            connection.execute(
                sa.update(ENROLLMENTS).where(ENROLLMENTS.c.address_key == before).values(address_key=after)
            )
        connection.execute(sa.update(COMPANIES).values(domain=""))
        stop_all(connection, [StopCompany(None, ("p1.example",), "colleague-replied", "replied")], NOW)
    stopped = {key for key, state, _ in _states(database) if state == "stopped"}
    assert stopped == {"p1@mail.p1.example"}


def test_nobody_is_stopped_by_nothing() -> None:
    database = _database()
    with database.write() as connection:
        assert stop_all(connection, [], NOW) == {}
        assert stop_all(connection, [StopCompany(None, (), "colleague-replied", "replied")], NOW) == {}
    assert {state for _, state, _ in _states(database)} == {"active"}
