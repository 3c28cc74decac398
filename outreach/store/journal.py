"""Append-only files beside the store: `sent.log` and `suppressions.jsonl`.

A restored backup forgets the newest mails and opt-outs; these files do not. One JSON object a line, synced before
`record` returns, readable by the owner only.
"""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from outreach.errors import StoreError


class Recorder(Protocol):
    """Whoever keeps what must survive a restore."""

    def record(self, entry: Mapping[str, Any]) -> None:
        """Durable when this returns; raises StoreError if it is not."""
        ...


class Journal:
    """One such file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def record(self, entry: Mapping[str, Any]) -> None:
        line = json.dumps(entry, ensure_ascii=False, default=str, separators=(",", ":")) + "\n"
        try:
            handle = os.open(self.path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
            try:
                os.write(handle, line.encode("utf-8", "backslashreplace"))
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as error:
            raise StoreError(
                f"{self.path} cannot be written: {error.strerror}.",
                hint="check free space and permissions of its folder",
            ) from None

    def entries(self) -> Iterator[dict[str, Any]]:
        """Every whole line; a torn last line (a crash inside a write) is passed over."""
        if not self.path.exists():
            return
        for line in self.path.read_text("utf-8", "replace").splitlines():
            try:
                yield json.loads(line)
            except ValueError:
                continue


class MemoryJournal:
    """A journal that forgets: for stores in memory."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def record(self, entry: Mapping[str, Any]) -> None:
        self.lines.append(dict(entry))
