"""Files that the user asks for: readable by them only, never written over by accident, never half."""

import os
from pathlib import Path

from outreach.errors import UsageError

_MARK = b"made by outreach: one file, no request leaves it -->"


def is_our_page(path: Path) -> bool:
    """Whether that is a page which can be made again."""
    return path.is_file() and _MARK in path.read_bytes()[:200]


def write_private(path: Path, data: bytes, *, force: bool) -> None:
    """Write beside and rename. UsageError if the file is there already and `force` is not given."""
    if path.exists() and not force:
        raise UsageError(f"{path} is there already.", hint="name another file, or add --force")
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        handle = os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "wb") as out:
            out.write(data)
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise UsageError(
            f"{path} cannot be written: {error.strerror}.", hint="name a file in a folder of yours"
        ) from None
