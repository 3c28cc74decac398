"""Reads mbox files (as Thunderbird, mutt and /var/mail keep them) and changes nothing: no lock file, opened to read.

A message has no name there: its key is a hash of its bytes without the lines that mail programs rewrite in place. What
was read and still stands there is not read again: the cursor holds how far, and a hash of what lies just before.
"""

import os
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from outreach.core.inbound import MAX_HEAD, MAX_MESSAGE, head_of
from outreach.core.ports import ORDER, Cursor, Folder, Incoming, Known, Triage, everything
from outreach.errors import MailboxError

_READ_AT_ONCE = 50
_TAIL = 4_096
_LONGEST_LINE = 1_000_000
_STILL_WRITING = 2.0
"""Seconds after which the last message of a file is surely whole, if nobody says so by a blank line."""
_FOLDERS = {"inbox": ("Inbox", "INBOX"), "junk": ("Junk", "Spam"), "sent": ("Sent", "Sent-1")}
# With a time, or nothing but an address: "From now on, please stop" is the mail's own, though some do not quote it.
_FROM = re.compile(rb"From (?:.*\d\d:\d\d.*|\S*@\S*|-)\s*")
_QUOTED_FROM = re.compile(rb"^>+From ")
_REWRITTEN = re.compile(
    rb"^(?:status|x-status|x-mozilla-status2?|x-mozilla-keys|x-keywords|x-uid|content-length|lines):", re.I
)
_DATE = re.compile(rb"(\w{3}) +(\w{3}) +(\d{1,2}) +(\d\d:\d\d:\d\d) +(?:[\w+-]{3,5} +)?(\d{4})")


class MboxInbox:
    """One mbox file, or a folder of them with `Inbox`, and `Junk` and `Sent` if they are there."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def folders(self) -> Sequence[Folder]:
        if self._path.is_file():
            return [Folder(self._path.name, "inbox")]
        found = [
            Folder(name, role)
            for role, names in _FOLDERS.items()
            for name in [next((each for each in names if (self._path / each).is_file()), "")]
            if name
        ]
        if not any(folder.role == "inbox" for folder in found):
            raise MailboxError(
                f"{self._path} is no mbox file, and no folder with one called Inbox.",
                hint="set OUTREACH_MBOX to the file in which your mail arrives",
            )
        return sorted(found, key=lambda folder: ORDER.index(folder.role))

    def fetch(
        self, folder: Folder, cursor: Cursor | None, known: Known, since: datetime, wanted: Triage = everything
    ) -> Iterator[Incoming | Cursor]:
        """What stands below what was read; if that was changed, whatever is not known, from the beginning."""
        try:
            with self._file(folder).open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                start = cursor.last_uid if cursor and cursor.mark and _mark(file, cursor.last_uid) == cursor.mark else 0
                end = start
                for some in _in_groups(_messages(file, start, size)):
                    yield from _chosen(folder, some, known, since, wanted)
                    end = some[-1].end
                yield Cursor(folder.name, "", end, _mark(file, end))
        except OSError as error:
            raise MailboxError(
                f"{self._file(folder)} cannot be read: {error.strerror}.",
                hint="check OUTREACH_MBOX and its permissions",
            ) from None

    def close(self) -> None:
        """Nothing is held open."""

    def _file(self, folder: Folder) -> Path:
        return self._path if self._path.is_file() else self._path / folder.name


class _Message:
    """One message, and where it ends in its file."""

    def __init__(self, line: bytes, raw: bytes, end: int, *, cut: bool) -> None:
        self.line, self.raw, self.end, self.cut = line, raw, end, cut

    @property
    def key(self) -> str:
        digest = sha256(self.line)
        head, gap, body = self.raw.partition(b"\n\n")
        for line in head.split(b"\n"):
            if not _REWRITTEN.match(line):
                digest.update(line + b"\n")
        digest.update(gap + body.rstrip())
        return digest.hexdigest()[:32]

    @property
    def received_at(self) -> datetime:
        """From the line that starts it; without a zone, it is taken for UTC."""
        found = _DATE.search(self.line)
        if found is None:
            return datetime.now(UTC)
        day, month, number, at, year = (part.decode("ascii", "replace") for part in found.groups())
        try:
            return parsedate_to_datetime(f"{day}, {number} {month} {year} {at} +0000")
        except (TypeError, ValueError):
            return datetime.now(UTC)


def _chosen(
    folder: Folder, messages: Sequence[_Message], known: Known, since: datetime, wanted: Triage
) -> Iterator[Incoming]:
    keyed = {message.key: message for message in messages}
    old = set(known(list(keyed)))
    fresh = {key: one for key, one in keyed.items() if key not in old and one.received_at >= since}
    for (key, one), whole in zip(fresh.items(), wanted([head_of(one.raw) for one in fresh.values()]), strict=True):
        trouble = "it is larger than 25 MB" if one.cut else ""
        skipped = not whole and not trouble
        raw = head_of(one.raw) if skipped else one.raw
        # No mark: after a crash the file is read again from where the last whole reading ended.
        yield Incoming(folder, key, raw, one.received_at, Cursor(folder.name, "", 0), trouble, skipped)


def _in_groups(messages: Iterator[_Message]) -> Iterator[list[_Message]]:
    group: list[_Message] = []
    for message in messages:
        group.append(message)
        if len(group) >= _READ_AT_ONCE:
            yield group
            group = []
    if group:
        yield group


def _messages(file: BinaryIO, start: int, size: int) -> Iterator[_Message]:
    """Messages from `start` on. The last one may still be being written: then it waits for the next reading."""
    file.seek(start)
    lines: list[bytes] = []
    line, length, blank = b"", 0, True
    position = start
    while position < size and (read := file.readline(_LONGEST_LINE)):
        if blank and _FROM.fullmatch(read):
            if line:
                yield _made(line, lines, length, position)
            line, lines, length = read, [], 0
        elif line:
            length += len(read)
            if length <= MAX_MESSAGE:
                lines.append(read[1:] if _QUOTED_FROM.match(read) else read)
        position += len(read)
        blank = read in (b"\n", b"\r\n")
    settled = blank or datetime.now(UTC).timestamp() - os.fstat(file.fileno()).st_mtime > _STILL_WRITING
    if line and settled:
        yield _made(line, lines, length, position)


def _made(line: bytes, lines: list[bytes], length: int, end: int) -> _Message:
    cut = length > MAX_MESSAGE
    raw = b"".join(lines).replace(b"\r\n", b"\n").removesuffix(b"\n")
    return _Message(line, raw[:MAX_HEAD] if cut else raw, end, cut=cut)


def _mark(file: BinaryIO, end: int) -> str:
    """A hash of what lies just before a place; empty for the beginning."""
    if end <= 0:
        return ""
    here = file.tell()
    file.seek(max(0, end - _TAIL))
    found = sha256(file.read(min(end, _TAIL))).hexdigest()[:32]
    file.seek(here)
    return found
