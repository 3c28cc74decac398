"""Making and upgrading the store's schema: one plain query tells whether there is anything to do. A new file is made
from the tables; an older one, and a server, is brought up by Alembic.

Migrations run in code, without an ini file, in one transaction, with foreign keys off: Alembic rebuilds tables on
SQLite, and a rebuild under ON DELETE rules would delete the children.
"""

import io
import sqlite3
from contextlib import closing, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from outreach.errors import StoreError
from outreach.resources import data_dir
from outreach.store import postgres, search, tables  # noqa: F401  the last two fill t.metadata
from outreach.store import tables as t
from outreach.store.database import APPLICATION_ID, Database, create_private, refuse_foreign
from outreach.store.postgres import is_server

if TYPE_CHECKING:
    from alembic.config import Config  # heavy, and needed only when there is something to migrate


_VERSION = (
    "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, "
    "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
)
"""As Alembic makes it."""


@cache
def revisions() -> tuple[str, ...]:
    """The known revisions, oldest first: a migration's file name starts with its revision."""
    files = (data_dir() / "migrations" / "versions").glob("[0-9]*.py")
    return tuple(sorted(file.name.partition("_")[0] for file in files))


def open_database(place: Path | str, *, create: bool = False) -> Database:
    """Open the store at `place`; raise StoreError for what is not ours, newer or damaged.

    A file made by an older version is upgraded, with a backup first. A team's database is not: it is upgraded by
    `outreach db upgrade`, when all who share it can.
    """
    return _open_server(str(place), create=create) if is_server(place) else _open_file(Path(place), create=create)


def _open_file(path: Path, *, create: bool) -> Database:
    if not path.exists():
        if not create:
            raise StoreError(
                f"there is no store at {path}.", hint="run `outreach init` here, or name a workspace with -C DIR"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        create_private(path)
    if path.is_file() and path.stat().st_size == 0 and not create:
        raise StoreError(
            f"{path.name} is empty: it is not a usable database.",
            hint="put a backup in its place; for a new store, remove it and run `outreach init`",
        )
    refuse_foreign(path)
    database = Database(path)
    if not _is_newest(path.name, found := file_revision(path)):
        if found:
            _backup(path, found)
            migrate(database)
        else:
            _make(database)
    return database


def _make(database: Database) -> None:
    """The newest schema in an empty file, as the tables describe it: what all migrations together come to, much sooner.
    Wholly or not at all, and once, should two do it."""
    with database.write() as connection:
        if sa.inspect(connection).has_table("alembic_version"):
            return
        t.metadata.create_all(connection)
        connection.exec_driver_sql(_VERSION)
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES (?)", (revisions()[-1],))
        connection.exec_driver_sql(f"PRAGMA application_id={APPLICATION_ID}")


def _open_server(place: str, *, create: bool) -> Database:
    database = Database(place)
    found, others = server_revision(database)
    if not found and others:
        raise StoreError(
            f"{database.name} holds tables of another program.", hint="name an empty database in OUTREACH_DATABASE_URL"
        )
    if not found and not create:
        raise StoreError(
            f"there is no store in {database.name} yet.",
            hint="`outreach init` makes an empty one there; `outreach db copy` takes one along",
        )
    if not _is_newest(database.name, found):
        if found:
            raise StoreError(
                f"{database.name} was made by an older outreach (schema {found}; this one needs {revisions()[-1]}).",
                hint="run `outreach db upgrade` once, and let everyone who shares it upgrade too",
            )
        migrate(database)
    return database


def _is_newest(name: str, found: str) -> bool:
    if found and found not in revisions():
        raise StoreError(
            f"{name} was made by a newer outreach (schema {found}; this one knows {revisions()[-1]}).",
            hint="upgrade with `pip install --upgrade outreach`",
        )
    return found == revisions()[-1]


def memory_database() -> Database:
    """A store that lives as long as the process: the fake of every test, with the schema the models describe."""
    database = Database(":memory:")
    t.metadata.create_all(database.engine)
    return database


def alembic_config(connection: sa.Connection) -> "Config":
    """Alembic's settings, in code; `migrations/env.py` takes the connection from it."""
    from alembic.config import Config

    config = Config(stdout=io.StringIO())
    config.set_main_option("script_location", str(data_dir() / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def migrate(database: Database, revision: str = "head") -> None:
    """Bring the schema to a revision, wholly or not at all."""
    if database.server:
        _migrate_server(database, revision)
        return
    from alembic import command

    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        connection.rollback()
        with connection.execution_options(outreach_writer=True).begin():
            command.upgrade(alembic_config(connection), revision)
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
            if broken:
                raise StoreError(f"the upgrade would break {len(broken)} links between tables; nothing was changed.")
            connection.exec_driver_sql(f"PRAGMA application_id={APPLICATION_ID}")
    database.close()  # foreign keys are switched on again by the next connection


def _migrate_server(database: Database, revision: str) -> None:
    from alembic import command

    with postgres.translated(database.server), database.engine.connect() as connection:
        postgres.begin_migration(connection)
        command.upgrade(alembic_config(connection), revision)
        postgres.furnish(connection)
        connection.commit()


def server_revision(database: Database) -> tuple[str, bool]:
    """The schema's revision in a PostgreSQL database (empty: none), and whether there are tables at all."""
    with database.read() as connection:
        names = set(sa.inspect(connection).get_table_names())
        ours = {"alembic_version", "meta"} <= names
        found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() if ours else ""
    return found or "", bool(names)


def backup(path: Path, to: Path) -> None:
    """An online copy of the store, consistent while others write."""
    create_private(to)
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(to)) as target:
        source.backup(target)


def _backup(path: Path, revision: str) -> None:
    with suppress(FileExistsError):  # made by an earlier try of the same upgrade
        backup(path, backup_name(path, revision))


def backup_name(path: Path, revision: str) -> Path:
    """Where the store of an older schema is kept when it is upgraded."""
    return path.with_name(f"{path.name}.before-{revision}")


def file_revision(path: Path) -> str:
    """The schema's revision in a SQLite file; empty: none."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        try:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.OperationalError:
            return ""
    return row[0] if row else ""
