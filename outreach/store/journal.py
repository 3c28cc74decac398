"""Append-only files beside the store: `sent.log` and `suppressions.jsonl`.

A restored backup forgets the newest mails and opt-outs; these files do not. One JSON object a line, synced before
`record` returns if it is to be durable, readable by the owner only.
"""

import json
import os
import weakref
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from outreach.errors import StoreError

_FLAGS = os.O_CREAT | os.O_APPEND | os.O_RDWR | getattr(os, "O_BINARY", 0)  # Windows would end lines otherwise
_NEWEST_BYTES = 65_536
_AS_JSON = json.JSONEncoder(default=str, separators=(",", ":")).encode


class Recorder(Protocol):
    """Whoever keeps what must survive a restore."""

    def record(self, entry: Mapping[str, Any], *, durable: bool = True) -> None:
        """Durable when this returns, or with the next durable one; raises StoreError if it cannot be written."""
        ...


class Journal:
    """One such file, kept open from the first line that is written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._open: int | None = None

    def record(self, entry: Mapping[str, Any], *, durable: bool = True) -> None:
        # ASCII, so that no character of a server's text can look like the end of a line.
        line = _AS_JSON(entry).encode("ascii") + b"\n"
        try:
            file = self._file()
            size = os.fstat(file).st_size
            _write(file, b"\n" + line if size and _ends_torn(file, size) else line)
            if durable:
                os.fsync(file)
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
