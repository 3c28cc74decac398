"""Append-only files beside the store: `sent.log` and `suppressions.jsonl`.

A restored backup forgets the newest mails and opt-outs; these files do not. One JSON object a line, synced before
`record` returns if it is to be durable, readable by the owner only.
"""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from outreach.errors import StoreError


class Recorder(Protocol):
    """Whoever keeps what must survive a restore."""

    def record(self, entry: Mapping[str, Any], *, durable: bool = True) -> None:
        """Durable when this returns, or with the next durable one; raises StoreError if it cannot be written."""
        ...


class Journal:
    """One such file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def record(self, entry: Mapping[str, Any], *, durable: bool = True) -> None:
        # ASCII, so that no character of a server's text can look like the end of a line.
        line = json.dumps(entry, default=str, separators=(",", ":")).encode("ascii") + b"\n"
        try:
            with os.fdopen(os.open(self.path, os.O_CREAT | os.O_APPEND | os.O_RDWR, 0o600), "r+b") as file:
                if file.seek(0, os.SEEK_END) and _ends_torn(file):
                    line = b"\n" + line
                file.write(line)
                file.flush()
                if durable:
                    os.fsync(file.fileno())
        except OSError as error:
            raise StoreError(
                f"{self.path} cannot be written: {error.strerror}.",
                hint="check free space and permissions of its folder",
            ) from None

    def entries(self) -> Iterator[dict[str, Any]]:
        """Every whole line; a torn last line (a crash inside a write) is passed over."""
        if not self.path.exists():
            return
        for line in self.path.read_text("utf-8", "replace").split("\n"):
            try:
                yield json.loads(line)
            except ValueError:
                continue


def _ends_torn(file: BinaryIO) -> bool:
    """Whether a crash cut the last line short, so that the next one must not be glued to it."""
    file.seek(-1, os.SEEK_END)
    return file.read(1) != b"\n"


class MemoryJournal:
    """A journal that forgets: for stores in memory."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def record(self, entry: Mapping[str, Any], *, durable: bool = True) -> None:  # noqa: ARG002  there is no disk
        self.lines.append(dict(entry))
