"""Stores that move: everything arrives, the old place is retired, and nothing that is there is ever written over."""

import stat
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from outreach.core.pacing import unpaced
from outreach.core.records import CampaignState
from outreach.errors import StoreError
from outreach.store import tables as t
from outreach.store.copying import back_up, move, opened_target, upgrade
from outreach.store.database import Database
from outreach.store.instance import Instance
from outreach.store.journal import MemoryJournal
from outreach.store.meta import refuse_moved
from outreach.store.schema import migrate, open_database, revisions, server_revision
from outreach.store.store import Store
from tests.factory import add_founders, queue_all, start_campaign
from tests.fakes import MONDAY_MORNING as NOW
from tests.postgres import Server
from tests.store.test_claims import LIMITS, claimed, fence

KEY = "k" * 16
BIG = 3_000_000_000
Rows = dict[str, list[dict[str, object]]]


@pytest.fixture
def url(server: Server) -> Iterator[str]:
    made = server.create()
    yield made
    server.drop(made)


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[Store]:
    """A SQLite store with people, mails, what came back, and what only one engine finds easy."""
    with closing(Store(open_database(tmp_path / "outreach.db", create=True), MemoryJournal())) as store:
        store.instance.check_key(KEY)
        add_founders(store, ["Bo", "Cy", "Zoë"])
        campaign, mailbox = start_campaign(store)
        items = queue_all(store, campaign)
        assert fence(store, claimed(store, items[0], limits=unpaced(LIMITS)), unpaced(LIMITS))
        [row] = store.claims.held("sending")  # type: ignore[arg-type]  # a StrEnum's own text
        store.claims.reap(row, NOW)
        store.suppressions.add_domain("nobody.example", "by hand", NOW)
        with store.database.write() as connection:
            connection.execute(sa.update(t.companies).values(funding_usd=BIG, industries=["Ünïcode", "AI"]))
            cursor = {"mailbox_id": mailbox.id, "folder": "INBOX", "validity": "1", "last_uid": 2**32 - 1}
            connection.execute(sa.insert(t.cursors).values(cursor))
            texts = dict.fromkeys(
                (
                    "sha256",
                    "from_address",
                    "from_name",
                    "to_address",
                    "subject",
                    "subkind",
                    "full_text",
                    "label",
                    "note",
                ),
                "",
            )
            connection.execute(
                sa.insert(t.inbound).values(
                    message_id="<a@b>", sent_at=NOW, received_at=NOW, kind="reply", evidence=["x"], text="hi\0there",
                    raw=bytes(range(256)), trouble="", logged_at=NOW, **texts,
                )
            )  # fmt: skip
        yield store


def rows(database: Database) -> Rows:
    """Everything but what is about the place itself; NUL cannot be text in PostgreSQL."""
    found: Rows = {}
    with database.read() as connection:
        for each in t.metadata.sorted_tables:
            query = sa.select(each).order_by(*each.primary_key.columns)
            found[each.name] = [
                {k: v.replace("\0", "\ufffd") if isinstance(v, str) else v for k, v in row.items()}
                for row in connection.execute(query).mappings()
                if each.name != "meta" or row["name"] == "key"
            ]
    return found


def campaign_states(store: Store) -> set[CampaignState]:
    return {campaign.state for campaign in store.campaigns.all()}


def test_there_and_back_everything_is_the_same(filled: Store, url: str, tmp_path: Path) -> None:
    before = rows(filled.database)
    with opened_target(url, filled.database) as there:
        copied = move(filled.database, there, NOW)
        assert rows(there) == before
        assert copied.total == sum(map(len, before.values())) - len(before["meta"])
        assert campaign_states(Store(there, MemoryJournal())) == {CampaignState.ACTIVE}
        add_founders(Store(there, MemoryJournal()), ["Di"])  # the counters go on behind what was copied
        later = rows(there)
        path = tmp_path / "outreach.db"
        with opened_target(path, there) as here:
            move(there, here, NOW)
            assert rows(here) == later
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert (tmp_path / "outreach.db.moved").exists()
    with closing(open_database(path)) as back, opened_target(url, back) as again:
        move(back, again, NOW)
        assert rows(again) == later


def test_the_old_place_is_retired_for_those_who_open_it_and_those_who_have_it_open(filled: Store, url: str) -> None:
    [item, *_] = filled.outbox.items(states=["queued"])  # type: ignore[list-item]  # a StrEnum's own text
    with opened_target(url, filled.database) as there:
        move(filled.database, there, NOW)
        refuse_moved(there)
    with pytest.raises(StoreError, match="was moved to postgresql://postgres@127"):
        refuse_moved(filled.database)
    assert filled.claims.claim(item, LIMITS, token="t", owner="me", now=NOW) is None
    assert filled.claims.obstacle(item.id, LIMITS, NOW) == "campaign-paused"


def test_a_mail_on_its_way_is_waited_for(filled: Store, url: str) -> None:
    [item, *_] = filled.outbox.items(states=["queued"])  # type: ignore[list-item]  # a StrEnum's own text
    claimed(filled, item, limits=unpaced(LIMITS))
    with pytest.raises(StoreError, match="on its way"), opened_target(url, filled.database) as there:
        move(filled.database, there, NOW)
    refuse_moved(filled.database)
    assert campaign_states(filled) == {CampaignState.ACTIVE}
    with opened_target(url, filled.database) as there:
        move(filled.database, there, NOW + timedelta(hours=1))


def test_another_store_is_never_written_over(filled: Store, url: str, tmp_path: Path) -> None:
    with closing(open_database(url, create=True)) as taken:
        add_founders(Store(taken, MemoryJournal()), ["Somebody"])
        before = rows(taken)
        with pytest.raises(StoreError, match="holds a store already"), opened_target(url, filled.database) as there:
            move(filled.database, there, NOW)
        assert rows(taken) == before
        file = tmp_path / "outreach.db"
        with pytest.raises(StoreError, match="another store"), opened_target(file, taken):
            raise AssertionError
    assert file.exists()
    refuse_moved(filled.database)


def test_a_failed_copy_back_leaves_the_file_that_was_there(filled: Store, url: str, tmp_path: Path) -> None:
    with opened_target(url, filled.database) as there:
        move(filled.database, there, NOW)
        filled.close()
        with pytest.raises(ZeroDivisionError), opened_target(tmp_path / "outreach.db", there):
            raise ZeroDivisionError
    assert [file.name for file in tmp_path.glob("outreach.db*")] == ["outreach.db"]
    with closing(open_database(tmp_path / "outreach.db")) as old, pytest.raises(StoreError, match="was moved"):
        refuse_moved(old)


def test_a_backup_of_either_is_a_file_that_works(filled: Store, url: str, tmp_path: Path) -> None:
    with opened_target(url, filled.database) as there:
        filled.instance.moved({"file": "7"})
        back_up(filled.database, tmp_path / "of-file.db")
        move(filled.database, there, NOW)
        Instance(there, MemoryJournal()).moved({"server": "7/1"})
        back_up(there, tmp_path / "of-server.db")
        with pytest.raises(StoreError, match="there already"):
            back_up(there, tmp_path / "of-server.db")
        for name in ("of-file.db", "of-server.db"):
            with closing(open_database(tmp_path / name)) as copy:
                assert rows(copy) == rows(there)
                assert Instance(copy, MemoryJournal()).moved({"server": "", "file": "1"}), "it knows that it is a copy"
            assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_a_teams_database_is_upgraded_by_order_and_after_a_backup(url: str, tmp_path: Path) -> None:
    oldest = revisions()[0]
    with closing(Database(url)) as database:
        migrate(database, oldest)
        with database.write() as connection:
            connection.exec_driver_sql("INSERT INTO meta VALUES ('a', 'b')")
    if len(revisions()) > 1:
        with pytest.raises(StoreError, match="older outreach") as error:
            open_database(url)
        assert "outreach db upgrade" in error.value.hint
    done = upgrade(url, tmp_path)
    assert (done.before, done.now) == (oldest, revisions()[-1])
    with closing(open_database(url)) as database:
        assert server_revision(database) == (revisions()[-1], True)
    if done.backup:
        with closing(Database(done.backup)) as kept, kept.read() as connection:
            assert connection.exec_driver_sql("SELECT value FROM meta WHERE name = 'a'").scalar() == "b"
            assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == oldest
    assert upgrade(url, tmp_path).before == revisions()[-1]
