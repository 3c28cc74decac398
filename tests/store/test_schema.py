"""The schema: models and migrations agree, foreign and newer files are refused by name, nothing half-done stays."""

import os
import re
import sqlite3
import stat
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from migrations.tables import FILE, written
from outreach.errors import StoreError
from outreach.resources import data_dir
from outreach.store import tables as t
from outreach.store.database import APPLICATION_ID, Database
from outreach.store.schema import backup, file_revision, memory_database, migrate, open_database, revisions
from outreach.store.search import is_index


def test_the_tables_are_what_the_models_say() -> None:
    assert FILE.read_text(encoding="utf-8") == written(), "python -m migrations writes them anew"


def _migrated(path: Path) -> Database:
    """A store that every migration has been through."""
    database = Database(path)
    migrate(database)
    return database


def test_tables_and_migrations_agree(tmp_path: Path) -> None:
    database = _migrated(tmp_path / "outreach.db")
    with database.read() as connection:
        options = {"compare_type": True, "render_as_batch": True, "include_name": _is_modelled}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, t.metadata) == []


def _is_modelled(name: str | None, kind: str, _parents: object) -> bool:
    return not (kind == "table" and is_index(name))


def test_the_search_index_of_a_migrated_store_is_the_one_the_program_makes(tmp_path: Path) -> None:
    query = "SELECT name, sql FROM sqlite_master WHERE name LIKE '%\\_text%' ESCAPE '\\' ORDER BY name"
    found = []
    for database in (_migrated(tmp_path / "outreach.db"), memory_database()):
        with database.read() as connection:
            found.append([tuple(row) for row in connection.exec_driver_sql(query)])
    assert found[0] == found[1]
    assert "companies_text_update" in {name for name, _ in found[0]}


def _sorted(described: object) -> list[str]:
    texts = map(str, described) if isinstance(described, list) else [str(described)]
    return sorted(re.sub(r" at 0x[0-9a-f]+", "", text) for text in texts)


def test_a_migrated_store_is_the_one_the_models_make(tmp_path: Path) -> None:
    migrated, made = _migrated(tmp_path / "old.db"), open_database(tmp_path / "new.db", create=True)
    assert file_revision(tmp_path / "old.db") == file_revision(tmp_path / "new.db")
    for table in t.metadata.tables:
        for describe in (
            "get_columns",
            "get_indexes",
            "get_unique_constraints",
            "get_foreign_keys",
            "get_pk_constraint",
        ):
            ours = getattr(sa.inspect(migrated.engine), describe)(table)
            theirs = getattr(sa.inspect(made.engine), describe)(table)
            assert _sorted(ours) == _sorted(theirs), (table, describe)


def test_a_store_is_private_durable_and_ours(tmp_path: Path) -> None:
    path = tmp_path / "outreach.db"
    database = open_database(path, create=True)
    with database.write() as connection:
        pragmas = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in
                   ("journal_mode", "synchronous", "foreign_keys", "application_id", "busy_timeout")}  # fmt: skip
    full = 2
    assert pragmas == {
        "journal_mode": "wal",
        "synchronous": full,
        "foreign_keys": 1,
        "application_id": APPLICATION_ID,
        "busy_timeout": 30_000,
    }
    for file in tmp_path.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "outreach.db"
    open_database(path, create=True).close()
    before = path.read_bytes()
    open_database(path).close()
    assert path.read_bytes() == before


def foreign(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE songs (title TEXT)")
    connection.commit()
    connection.close()


def truncated(path: Path) -> None:
    open_database(path, create=True).close()
    os.truncate(path, path.stat().st_size // 2 + 100)


def newer(path: Path) -> None:
    database = open_database(path, create=True)
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    database.close()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (foreign, "another program"),
        (truncated, "not a usable database"),
        (newer, "newer outreach"),
        (lambda path: path.write_bytes(b"%PDF-1.7 " * 500), "not a usable database"),
        (lambda path: path.mkdir(), "not a usable database"),
    ],
)
def test_what_is_not_ours_is_refused_by_name_and_left_alone(tmp_path: Path, spoil, says: str) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "outreach.db"
    spoil(path)
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises(StoreError, match=says) as error:
        open_database(path)
    assert "outreach.db" in str(error.value)
    assert error.value.hint
    assert (path.read_bytes() if path.is_file() else b"") == before


def test_a_missing_store_says_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as error:
        open_database(tmp_path / "outreach.db")
    assert "outreach init" in error.value.hint


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    database = open_database(tmp_path / "outreach.db", create=True)

    def fail() -> None:
        with database.write() as connection:
            connection.exec_driver_sql("INSERT INTO meta VALUES ('a', 'b')")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM meta").scalar() == 0


def test_a_backup_is_whole(tmp_path: Path) -> None:
    database = open_database(tmp_path / "outreach.db", create=True)
    with database.write() as connection:
        connection.exec_driver_sql("INSERT INTO meta VALUES ('a', 'b')")
    backup(tmp_path / "outreach.db", tmp_path / "copy.db")
    with open_database(tmp_path / "copy.db").read() as connection:
        assert connection.exec_driver_sql("SELECT value FROM meta").scalar() == "b"


def test_two_writers_lose_no_update(tmp_path: Path) -> None:
    """Read, then write: under a deferred BEGIN this fails or loses updates."""
    import threading

    path = tmp_path / "outreach.db"
    with open_database(path, create=True).write() as connection:
        connection.exec_driver_sql("INSERT INTO meta VALUES ('n', '0')")

    def work() -> None:
        database = Database(path)
        for _ in range(50):
            with database.write() as connection:
                value = connection.exec_driver_sql("SELECT value FROM meta").scalar()
                connection.exec_driver_sql("UPDATE meta SET value = ?", (str(int(str(value)) + 1),))
        database.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with open_database(path).read() as connection:
        assert connection.exec_driver_sql("SELECT value FROM meta").scalar() == "200"


def test_revisions_form_one_chain_in_the_order_of_their_numbers() -> None:
    before = "None"
    for revision in revisions():
        (file,) = (data_dir() / "migrations" / "versions").glob(f"{revision}_*.py")
        found = re.search(r"^down_revision = \W?(\w+)", file.read_text(), re.MULTILINE)
        assert found
        assert found[1] == before
        before = revision
