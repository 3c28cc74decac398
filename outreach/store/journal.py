"""Files beside the store that only grow: `sent.log` and `suppressions.jsonl`.

A restored backup forgets the newest mails and opt-outs; these files do not. One JSON object a line, synced before
`record` returns if it is to be durable, readable by the owner only. Only to erase a person are they written anew
(`rewrite`): another file takes the place of the old one, under the lock that every line is written under.
"""

import json
import os
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

try:
    import fcntl
except ImportError:  # Windows: a file that another process has open cannot be replaced there anyway
    fcntl = None  # type: ignore[assignment]  # asked for before each use

from outreach.errors import StoreError

_FLAGS = os.O_CREAT | os.O_APPEND | os.O_RDWR | getattr(os, "O_BINARY", 0)  # Windows would end lines otherwise
_NEWEST_BYTES = 65_536
_AS_JSON = json.JSONEncoder(default=str, separators=(",", ":")).encode


class Recorder(Protocol):
    """Whoever keeps what must survive a restore."""

    def record(self, entry: Mapping[str, Any], *, durable: bool = True) -> None:
        """Durable when this returns, or with the next durable one; raises StoreError if it cannot be written."""
        ...


Change = Callable[[dict[str, Any]], Mapping[str, Any] | None]


class Log(Recorder, Protocol):
    """The same, with what erasing a person takes."""

    def entries(self) -> Iterator[dict[str, Any]]:
        """Every whole line."""
        ...

    def rewrite(self, change: Change, more: Iterable[Mapping[str, Any]] = ()) -> None:
        """Every line as `change` has it (None: it goes), then `more`: all of it or nothing."""
        ...


class Journal:
    """One such file, kept open from the first line that is written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._open: int | None = None

    def record(self, entry: Mapping[str, Any], *, durable: bool = True) -> None:
        line = _line(entry)
        with self._locked() as file:
            size = os.fstat(file).st_size
            _write(file, b"\n" + line if size and _ends_torn(file, size) else line)
            if durable:
                os.fsync(file)

    def rewrite(self, change: Change, more: Iterable[Mapping[str, Any]] = ()) -> None:
        """Every line as `change` has it (None: it goes), then `more`. The new file takes the place of the old one in
        one step, and nobody writes meanwhile. What a crash has torn goes: nobody reads it, and it may name anybody."""
        added = b"".join(map(_line, more))
        if not added and not self.path.exists():
            return
        with self._locked():
            beside = self.path.with_name(f"{self.path.name}.new")
            text = b"".join(_changed(line, change) for line in self.path.read_bytes().split(b"\n") if line)
            file = os.open(beside, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0), 0o600)
            try:
                _write(file, text + added)
                os.fsync(file)
            finally:
                os.close(file)
            beside.replace(self.path)
            _sync_folder(self.path.parent)

    @contextmanager
    def _locked(self) -> Iterator[int]:
        """The file, with nobody else writing it; not one that another has taken the place of meanwhile."""
        try:
            file = self._file()
            while not _lock(file):
                file = self._file()
            try:
                yield file
            finally:
                _unlock(file)
        except OSError as error:
            raise StoreError(
                f"{self.path} cannot be written: {error.strerror}.",
                hint="check free space and permissions of its folder",
            ) from None

    def _file(self) -> int:
        """Opened anew where somebody has put another file in its place."""
        if self._open is not None and os.fstat(self._open).st_nlink:
            return self._open
        file = os.open(self.path, _FLAGS, 0o600)
        weakref.finalize(self, os.close, file)
        self._open = file
        return file

    def entries(self) -> Iterator[dict[str, Any]]:
        """Every whole line; a torn last line (a crash inside a write) is passed over."""
        if self.path.exists():
            yield from _whole(self.path.read_bytes())

    def newest(self) -> Iterator[dict[str, Any]]:
        """The last some hundred of them, however long the file is: an older copy of the store knows none of these."""
        if self.path.exists():
            with self.path.open("rb") as file:
                file.seek(-min(_NEWEST_BYTES, self.path.stat().st_size), os.SEEK_END)
                yield from _whole(file.read())


def _whole(text: bytes) -> Iterator[dict[str, Any]]:
    for line in text.decode("utf-8", "replace").split("\n"):
        with suppress(ValueError):
            yield json.loads(line)


def _line(entry: Mapping[str, Any]) -> bytes:
    """ASCII, so that no character of a server's text can look like the end of a line."""
    return _AS_JSON(entry).encode("ascii") + b"\n"


def _changed(line: bytes, change: Change) -> bytes:
    try:
        entry = json.loads(line)
    except ValueError:
        return b""
    changed = change(entry) if isinstance(entry, dict) else None
    return b"" if changed is None else line + b"\n" if changed == entry else _line(changed)


def _lock(file: int) -> bool:
    """Whether it is still the file of its name, once nobody else writes it."""
    if fcntl is not None:
        fcntl.flock(file, fcntl.LOCK_EX)
    if os.fstat(file).st_nlink:
        return True
    _unlock(file)
    return False


def _unlock(file: int) -> None:
    if fcntl is not None:
        fcntl.flock(file, fcntl.LOCK_UN)


def _sync_folder(folder: Path) -> None:
    """The new name must be on the disk too."""
    if hasattr(os, "O_DIRECTORY"):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _write(file: int, line: bytes) -> None:
    while line:
        line = line[os.write(file, line) :]


def _ends_torn(file: int, size: int) -> bool:
    """Whether a crash cut the last line short, so that the next one must not be glued to it."""
    os.lseek(file, size - 1, os.SEEK_SET)  # where it is written does not depend on it
    return os.read(file, 1) != b"\n"


class MemoryJournal:
    """A journal that forgets: for stores in memory."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def record(self, entry: Mapping[str, Any], *, durable: bool = True) -> None:  # noqa: ARG002  there is no disk
        self.lines.append(dict(entry))

    def rewrite(self, change: Change, more: Iterable[Mapping[str, Any]] = ()) -> None:
        changed = [change(line) for line in self.lines]
        self.lines = [*(dict(line) for line in changed if line is not None), *map(dict, more)]

    def entries(self) -> Iterator[dict[str, Any]]:
        yield from self.lines
