"""The bytes of one list, as often as they are wanted, and always the same ones. Knows nothing of what they mean."""

import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from outreach.errors import ImportRefused


@dataclass(frozen=True, slots=True)
class Content:
    """A file's bytes, or where they are; `mark` is what changes when somebody writes to it."""

    source: bytes | Path
    name: str
    mark: tuple[int, ...] = ()

    @classmethod
    def of(cls, source: bytes | Path, name: str) -> "Content":
        if isinstance(source, bytes):
            return cls(source, name)
        with _opened(source, name) as file:
            return cls(source, name, _mark(file))

    def open(self) -> BinaryIO:
        if isinstance(self.source, bytes):
            return io.BytesIO(self.source)
        file = _opened(self.source, self.name)
        if _mark(file) != self.mark:
            file.close()
            raise ImportRefused(
                f"{self.name} changed while it was read.", hint="wait until it is written in full, then import it again"
            )
        return file


def _opened(path: Path, name: str) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise ImportRefused(f"{name} cannot be read: {error.strerror}.", hint="check that it is still there") from None


def _mark(file: BinaryIO) -> tuple[int, ...]:
    stat = os.fstat(file.fileno())
    return stat.st_ino, stat.st_size, stat.st_mtime_ns
