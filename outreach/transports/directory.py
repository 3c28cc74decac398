"""Writes each message as an `.eml` file: for looking at them, for tests, or for another program to send.

The same two steps as SMTP: a temporary file, synced; then its final name, and the folder synced.
"""

import os
import re
from contextlib import suppress
from pathlib import Path

from outreach.core.ports import Envelope, Outcome, Phase, SendResult

_MESSAGE_ID = re.compile(rb"^Message-ID:\s*<([^>]+)>", re.IGNORECASE | re.MULTILINE)


class DirectoryTransport:
    """One `.eml` per message in `folder`, named by its Message-ID."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._staged: Path | None = None
        self._final: Path | None = None

    def stage(self, envelope: Envelope) -> SendResult | None:
        found = _MESSAGE_ID.search(envelope.mime)
        if not found:
            return SendResult(Outcome.REJECTED, Phase.BODY, text="the message has no Message-ID")
        name = re.sub(r"[^A-Za-z0-9.=+@_-]", "_", found[1].decode("ascii", "replace"))
        self._final = self.folder / f"{name}.eml"
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._staged = self.folder / f".{name}.{os.getpid()}.tmp"
            with os.fdopen(os.open(self._staged, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as file:
                file.write(envelope.mime)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            return SendResult(Outcome.DEFERRED, Phase.BODY, text=f"{self.folder}: {error.strerror}")
        return None

    def commit(self) -> SendResult:
        assert self._staged is not None and self._final is not None, "commit follows a successful stage"  # noqa: S101,PT018  a bug in the caller
        try:
            self._staged.replace(self._final)
            _sync_folder(self.folder)
        except OSError as error:
            return SendResult(Outcome.UNKNOWN, Phase.DOT, text=f"{self._final}: {error.strerror}")
        self._staged = None
        return SendResult(Outcome.ACCEPTED, Phase.DOT, 250, "2.0.0", f"written to {self._final}")

    def close(self) -> None:
        if self._staged is not None:
            with suppress(OSError):
                self._staged.unlink(missing_ok=True)
            self._staged = None


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows cannot open a folder, and its rename is journalled
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
