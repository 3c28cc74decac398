"""A folder with everything about one user's outreach: where each file lies, the store that is opened, copied and moved,
and the key that belongs to it.
"""

import os
import re
import secrets
from collections.abc import Iterable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from outreach.errors import StoreError, UsageError
from outreach.settings import Settings, load_settings
from outreach.store.journal import Journal
from outreach.store.meta import refuse_moved
from outreach.store.postgres import is_server
from outreach.store.schema import open_database
from outreach.store.store import Store

if TYPE_CHECKING:  # what only some commands need is loaded where they need it
    from outreach.store.copying import Copied, Upgrade

KEY_BYTES = 32
_OF_STORE = ("", "-wal", "-shm", "-journal")
_READ_AT_ONCE = 1_048_576
_LONGEST_TEXT = 1_000


@dataclass(frozen=True, slots=True)
class Workspace:
    """A folder with everything about one user's outreach."""

    folder: Path

    @property
    def env(self) -> Path:
        return self.folder / ".env"

    @property
    def mailboxes(self) -> Path:
        """The settings of further mailboxes, a file each."""
        return self.folder / "mailboxes"

    @property
    def templates(self) -> Path:
        return self.folder / "templates"

    @property
    def store(self) -> Path:
        return self.folder / "outreach.db"

    @property
    def key(self) -> Path:
        return self.folder / "outreach.key"

    @property
    def sent_log(self) -> Path:
        return self.folder / "sent.log"

    @property
    def suppression_log(self) -> Path:
        return self.folder / "suppressions.jsonl"

    @property
    def ballast(self) -> Path:
        return self.folder / "outreach.ballast"


def open_store(
    folder: Path, environment: Mapping[str, str], *, settings: Settings | None = None, create: bool = False
) -> Store:
    """The store of the workspace in `folder`; with `create`, made if it is not there, and its key with it."""
    workspace = Workspace(folder)
    settings = settings or load_settings(workspace.env, environment)
    log = Journal(workspace.suppression_log)
    database = open_database(store_place(workspace, settings), create=create)
    refuse_moved(database)
    store = Store(database, log, lambda: workspace_key(workspace, store))
    entries = list(log.entries())
    if not store.erasures.is_settled(entries):
        _erase_again(workspace, store, log)
        entries = list(log.entries())
    store.suppressions.merge(entries)
    if create:
        workspace_key(workspace, store)
    return store


def files_holding(folder: Path, texts: Iterable[str]) -> list[Path]:
    """Files in the folder, but for the store itself, in which one of these texts can be read as it is, in any case."""
    workspace = Workspace(folder)
    own = {workspace.key, workspace.ballast, *(workspace.store.with_name(f"outreach.db{end}") for end in _OF_STORE)}
    wanted = [re.escape(text.lower().encode()) for text in texts if text]
    if not wanted:
        return []
    pattern = re.compile(b"|".join(wanted))
    found = []
    for path in sorted(folder.rglob("*")):
        if path not in own and path.is_file() and not path.is_symlink():
            with suppress(OSError):  # what cannot be read cannot be told
                found += [path] if _holds(path, pattern) else []
    return found


def _holds(path: Path, pattern: re.Pattern[bytes]) -> bool:
    before = b""
    with path.open("rb") as file:
        while part := file.read(_READ_AT_ONCE):
            if pattern.search(before + part.lower()):
                return True
            before = part[-_LONGEST_TEXT:].lower()
    return False


def _erase_again(workspace: Workspace, store: Store, log: Journal) -> None:
    """An older copy of the store has brought back somebody who was erased, another machine has erased somebody, or
    erasing was cut off."""
    from outreach.flows.forget import catch_up
    from outreach.importers import all_importers

    catch_up(store, all_importers(), sent_log=Journal(workspace.sent_log), log=log, now=datetime.now(UTC))


def upgrade_store(folder: Path, environment: Mapping[str, str]) -> "Upgrade":
    """Bring the store of this workspace to the newest schema."""
    from outreach.store.copying import upgrade

    workspace, settings = _described(folder, environment)
    return upgrade(store_place(workspace, settings), folder)


def back_up_store(folder: Path, environment: Mapping[str, str], to: Path) -> "Copied":
    """The store of this workspace, whichever it is, as one SQLite file."""
    from outreach.store.copying import back_up

    workspace, settings = _described(folder, environment)
    with closing(open_database(store_place(workspace, settings))) as database:
        return back_up(database, to)


def move_store(folder: Path, environment: Mapping[str, str], *, back: bool) -> "Copied":
    """The store in this folder to where OUTREACH_DATABASE_URL says, or from there to here."""
    from outreach.store.copying import move, opened_target

    workspace, settings = _described(folder, environment)
    there = store_place(workspace, settings)
    if there == workspace.store:
        raise UsageError(
            "OUTREACH_DATABASE_URL does not say where to.",
            hint=f"set it in {workspace.env}, such as postgresql://ada@db.example.com/outreach",
        )
    source, target = (there, workspace.store) if back else (workspace.store, there)
    with closing(open_database(source)) as reading:
        refuse_moved(reading)
        with opened_target(target, reading) as writing:
            return move(reading, writing, datetime.now(UTC))


def _described(folder: Path, environment: Mapping[str, str]) -> tuple[Workspace, Settings]:
    os.umask(0o077)
    workspace = Workspace(folder)
    return workspace, load_settings(workspace.env, environment)


def store_place(workspace: Workspace, settings: Settings) -> Path | str:
    """Where the store lies: a file, as all that the settings name from the workspace on, or the address of a PostgreSQL
    database."""
    place = settings.database_url.get_secret_value()
    if is_server(place):
        return place
    return workspace.folder / place.removeprefix("sqlite:///") if place else workspace.store


def workspace_key(workspace: Workspace, store: Store) -> bytes:
    """The secret behind Message-IDs and opt-out tokens. Made once, and never anew for a store that has sent with it."""
    try:
        key = bytes.fromhex(workspace.key.read_text("ascii").strip())
    except FileNotFoundError:
        if store.instance.key() or store.outbox.items(limit=1):
            raise StoreError(
                f"{workspace.key.name} is missing: without it, answers to what was sent cannot be told from others.",
                hint="put it back from a backup; in a team, copy it from the workspace that made the store",
            ) from None
        key = create_key(workspace)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise StoreError(f"{workspace.key} does not hold a key.", hint="put it back from a backup of this workspace")
    store.instance.check_key(sha256(b"outreach.key" + key).hexdigest()[:16])
    return key


def create_key(workspace: Workspace) -> bytes:
    """32 random bytes, readable by the owner only."""
    key = secrets.token_bytes(KEY_BYTES)
    with os.fdopen(os.open(workspace.key, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(key.hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
    return key
