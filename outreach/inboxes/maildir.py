"""Reads a Maildir (as qmail, Dovecot, mbsync and mutt keep it) and changes nothing: no file is renamed or flagged.

A message's key is its file name before the flags. Another program may rename it while we look; then it is looked for
again.
"""

import os
import re
import stat
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from outreach.core.inbound import MAX_HEAD, MAX_MESSAGE, head_of
from outreach.core.ports import ORDER, Cursor, Folder, Incoming, Known, Triage, everything
from outreach.errors import MailboxError
from outreach.resources import toml

_READ_AT_ONCE = 50
_LOOKS = 3
_FLAGS = re.compile(r"[:;!]2,[A-Za-z]*$")


class MaildirInbox:
    """The Maildir at `root`, with its Maildir++ subfolders for junk and sent mail."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def folders(self) -> Sequence[Folder]:
        if not all((self._root / part).is_dir() for part in ("new", "cur")):
            raise MailboxError(
                f"{self._root} is not a Maildir: it has no folders `new` and `cur`.",
                hint="set OUTREACH_MAILDIR to the folder that holds them",
            )
        found = [Folder("INBOX", "inbox")]
        found += [Folder(name, role) for role in ("junk", "sent") for name in self._called(role)]
        return sorted(found, key=lambda folder: ORDER.index(folder.role))

    def fetch(
        self,
        folder: Folder,
        cursor: Cursor | None,  # noqa: ARG002  the port's; names alone tell what is new here
        known: Known,
        since: datetime,
        wanted: Triage = everything,
    ) -> Iterator[Incoming | Cursor]:
        """Every message that is not known, oldest first. The cursor stays empty."""
        listed = self._list(folder)
        recent = [(at, key) for key, (at, _) in listed.items() if at >= since.timestamp()]
        old = set(known([key for _, key in recent]))
        fresh = sorted((at, key) for at, key in recent if key not in old)
        place = Cursor(folder.name, "", 0)
        for start in range(0, len(fresh), _READ_AT_ONCE):
            some = [
                (at, key, self._read(folder, key, listed[key][1])) for at, key in fresh[start : start + _READ_AT_ONCE]
            ]
            read = [(at, key, *found) for at, key, found in some if found is not None]
            chosen = wanted([head_of(raw) for _, _, raw, _ in read])
            for (at, key, raw, trouble), whole in zip(read, chosen, strict=True):
                received_at, skipped = datetime.fromtimestamp(at, UTC), not whole and not trouble
                yield Incoming(folder, key, head_of(raw) if skipped else raw, received_at, place, trouble, skipped)
        yield place

    def draft(self, mime: bytes) -> str:
        """A new file in the folder for drafts."""
        folder = next(iter(self._called("drafts")), "")
        if not folder:
            raise MailboxError(
                f"{self._root} has no folder for drafts.",
                hint="leave --draft out: the answer is then opened in your mail program",
            )
        self._write(folder, mime, "DS", time.time())
        return folder

    def file_copy(self, folder: Folder, mime: bytes, at: datetime) -> None:
        """A new file there, dated as the mail was sent."""
        self._write(folder.name, mime, "S", at.timestamp())

    def _write(self, folder: str, mime: bytes, flags: str, at: float) -> None:
        """Written beside and moved in, as every Maildir program does."""
        name = f"{time.time_ns()}.{os.getpid()}.outreach"
        beside = self._root / f".{folder}" / "tmp" / name
        try:
            with os.fdopen(os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
                file.write(mime.replace(b"\r\n", b"\n"))
            os.utime(beside, (at, at))
            beside.rename(self._root / f".{folder}" / "cur" / f"{name}:2,{flags}")
        except OSError as error:
            raise MailboxError(f"{beside} cannot be written: {error.strerror}.", hint="check its permissions") from None

    def close(self) -> None:
        """Nothing is held open."""

    def _called(self, role: str) -> list[str]:
        """The subfolders with one of the usual names, the most usual first."""
        there = {path.parent.name[1:].lower(): path.parent.name[1:] for path in self._root.glob(".*/cur")}
        return [there[name] for name in toml("mail_folders.toml")[role] if name in there]

    def _path(self, folder: Folder) -> Path:
        return self._root if folder.role == "inbox" else self._root / f".{folder.name}"

    def _list(self, folder: Folder) -> dict[str, tuple[float, Path]]:
        """key → when it was delivered, and its file."""
        found: dict[str, tuple[float, Path]] = {}
        try:
            for _ in range(_LOOKS):
                if self._look(folder, found):
                    break
        except OSError as error:
            raise MailboxError(
                f"the Maildir {self._root} cannot be read: {error.strerror}.", hint="check its permissions"
            ) from None
        return found

    def _look(self, folder: Folder, found: dict[str, tuple[float, Path]]) -> bool:
        """Add what lies there to `found`. False where a file was gone before it was looked at: most likely it has
        another name now, which another look finds."""
        steady = True
        for part in ("new", "cur"):
            with os.scandir(self._path(folder) / part) as entries:
                for entry in entries:
                    try:
                        info = entry.stat(follow_symlinks=False)
                    except FileNotFoundError:
                        steady = False
                        continue
                    if stat.S_ISREG(info.st_mode) and not entry.name.startswith("."):
                        found[_key(entry.name)] = (info.st_mtime, Path(entry.path))
        return steady

    def _read(self, folder: Folder, key: str, path: Path) -> tuple[bytes, str] | None:
        """The bytes; None if the message is gone, or always somewhere else: then the next reading finds it."""
        for _ in range(_LOOKS):
            try:
                return _bytes(path)
            except FileNotFoundError:
                moved = self._list(folder).get(key)
            except OSError as error:
                return b"", f"its file cannot be read: {error.strerror}"
            if moved is None:
                return None
            path = moved[1]
        return None


def _key(name: str) -> str:
    """The unique part of the name: `:2,S` says that it was seen; Windows writes `;` or `!`."""
    plain = _FLAGS.sub("", name)
    return plain.encode("utf-8", "backslashreplace").decode("utf-8")


def _bytes(path: Path) -> tuple[bytes, str]:
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(handle, "rb") as file:
        size = os.fstat(handle).st_size
        if size > MAX_MESSAGE:
            return file.read(MAX_HEAD), "it is larger than 25 MB"
        return file.read(MAX_MESSAGE), ""
