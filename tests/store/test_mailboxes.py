"""Stores from before there were several mailboxes: everyone keeps the one that wrote to them."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from outreach.store import tables as t
from outreach.store.database import Database
from outreach.store.schema import migrate
from tests.postgres import Server

AT = datetime(2026, 3, 2, tzinfo=UTC)
BEFORE = "0008"


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path):  # type: ignore[no-untyped-def]  # a generator of one place
    if request.param == "sqlite":
        yield tmp_path / "outreach.db"
        return
    server: Server = request.getfixturevalue("server")
    url = server.create()
    yield url
    server.drop(url)


def test_an_older_store_is_upgraded_with_its_data(place: Path | str) -> None:
    with closing(Database(place)) as database:
        migrate(database, BEFORE)
        with database.write() as connection:
            old = sa.MetaData()
            old.reflect(connection, only=["mailboxes", "campaigns", "founders", "enrollments"])

            def add(to: str, /, **values: object) -> None:
                connection.execute(sa.insert(old.tables[to]).values(**values))

            for number, name in ((1, "ada"), (2, "bea")):
                add("mailboxes", id=number, address=f"{name}@{name}.example", next_send_at=AT, pause_reason="")
                add("campaigns", id=number, name=name, sequence="s", mailbox_id=number, state="active", reason="",
                    filters={}, created_at=AT)  # fmt: skip
                add("founders", id=number, full_name=name, first_name="", last_name="", name_key=name, title="",
                    linkedin="", slug="", facts_at=AT, created_at=AT)  # fmt: skip
                add("enrollments", id=number, campaign_id=number, founder_id=number, address=f"{name}@x.example",
                    address_key=name, state="active", reason="", enrolled_at=AT, updated_at=AT)  # fmt: skip
        migrate(database)
        rows = t.enrollments
        with database.read() as connection:
            query = sa.select(rows.c.id, rows.c.mailbox_id, rows.c.address).order_by(rows.c.id)
            assert [tuple(row) for row in connection.execute(query)] == [
                (1, 1, "ada@x.example"),
                (2, 2, "bea@x.example"),
            ]
            assert connection.exec_driver_sql("SELECT more_mailboxes FROM campaigns").scalars().all() in (
                ["[]", "[]"],
                [[], []],
            )
