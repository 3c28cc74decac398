"""Reads a mailbox over IMAP (RFC 9051) and changes nothing: folders are opened with EXAMINE, bodies fetched by PEEK.

The only commands are CAPABILITY, STARTTLS, LOGIN or AUTHENTICATE, LIST, EXAMINE, UID SEARCH, UID FETCH and LOGOUT, and
no text of a received mail is ever part of one: a crafted Message-ID in a search has deleted mailboxes (CVE-2025-15366).
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError

from outreach.core.inbound import MAX_HEAD, MAX_MESSAGE
from outreach.core.ports import Cursor, Folder, Incoming
from outreach.errors import MailboxError
from outreach.inboxes._imap_login import BROKEN, ImapServer, connect, words

__all__ = ["ImapInbox", "ImapServer"]

T = TypeVar("T")

_TRIES = 3
_GAPS = (1.0, 5.0, 15.0)
_LISTED_AT_ONCE = 500
_READ_AT_ONCE = 25
_BYTES_AT_ONCE = 8_000_000
_ONE_DAY = timedelta(days=1)

_ROLES = {
    "junk": (b"\\Junk", ("junk", "spam", "junk e-mail", "junk email", "bulk mail")),
    "sent": (b"\\Sent", ("sent", "sent items", "sent mail", "sent messages")),
}

# At DEBUG the library logs the dialogue, received mail included.
logging.getLogger("imapclient").setLevel(logging.WARNING)


class ImapInbox:
    """One mailbox, over one connection at a time."""

    def __init__(self, server: ImapServer, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._server = server
        self._sleep = sleep
        self._client: IMAPClient | None = None
        self._open_folder: Folder | None = None
        self._validity = ""

    def folders(self) -> Sequence[Folder]:
        """INBOX, and what the server marks as junk and sent (RFC 6154), else what is usually called so."""
        listed = self._patiently(lambda client: list(client.list_folders()))
        names = [(flags, name, _last(name, delimiter)) for flags, delimiter, name in listed if _is_plain(name)]
        found = [Folder("INBOX", "inbox")]
        for role, (flag, usual) in _ROLES.items():
            marked = [name for flags, name, _ in names if flag in flags]
            called = [name for flags, name, last in names if last in usual and b"\\Noselect" not in flags]
            found += [Folder(name, role) for name in marked or called[:1]]
        return found

    def fetch(
        self, folder: Folder, cursor: Cursor | None, known: frozenset[str], since: datetime
    ) -> Iterator[Incoming]:
        """New UIDs, and unknown ones since `since`. A changed UIDVALIDITY voids the cursor and all known keys."""
        self._open_folder = folder
        self._patiently(self._examine)
        valid = cursor is not None and cursor.validity == self._validity
        last = cursor.last_uid if cursor and valid else 0
        uids = [uid for uid in self._search(last, since) if not valid or str(uid) not in known]
        for facts in _batches(self._list(uids, last, since)):
            for uid, raw, trouble in self._bodies(facts):
                last = max(last, uid)
                place = Cursor(folder.name, self._validity, last)
                yield Incoming(folder, str(uid), raw, facts[uid].received_at, place, trouble)

    def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with suppress(*BROKEN, IMAPClientError):
                client.logout()

    # --- which messages -----------------------------------------------------------------------------------

    def _search(self, last: int, since: datetime) -> list[int]:
        """UIDs above `last` (`n:*` also gives the newest one below it), and those of the server's days from `since`."""
        recent = self._patiently(lambda client: client.search(["SINCE", (since - _ONE_DAY).date()]))
        fresh = self._patiently(lambda client: client.search(["UID", f"{last + 1}:*"])) if last else []
        return sorted({*recent, *(uid for uid in fresh if uid > last)})

    def _list(self, uids: Sequence[int], last: int, since: datetime) -> "dict[int, _Facts]":
        """Size and date of each, before anything is downloaded; without those that are older than asked for."""
        found: dict[int, _Facts] = {}
        for start in range(0, len(uids), _LISTED_AT_ONCE):
            found |= self._patiently(partial(_look, uids=uids[start : start + _LISTED_AT_ONCE], since=since))
        return {uid: found[uid] for uid in sorted(found) if (last and uid > last) or found[uid].received_at >= since}

    # --- their bytes --------------------------------------------------------------------------------------

    def _bodies(self, facts: "Mapping[int, _Facts]") -> Iterator[tuple[int, bytes, str]]:
        """uid, bytes, trouble. What breaks the connection in a batch is found out one by one."""
        large = facts[next(iter(facts))].is_large
        try:
            answer = self._download(self._connected(), list(facts), large=large)
        except (*BROKEN, IMAPClientError):
            self._drop()
            for uid in facts:
                yield from self._body(uid, large=large)
            return
        for uid in facts:
            if uid in answer:  # else it was deleted meanwhile
                yield uid, answer[uid], _TOO_LARGE if large else ""

    def _body(self, uid: int, *, large: bool) -> Iterator[tuple[int, bytes, str]]:
        reason = ""
        for attempt in range(_TRIES):
            try:
                answer = self._download(self._connected(), [uid], large=large)
            except (*BROKEN, IMAPClientError) as error:
                reason = f"the server could not hand it over in {_TRIES} tries ({type(error).__name__})"
                self._drop()
                self._sleep(_GAPS[attempt])
            else:
                if uid in answer:
                    yield uid, answer[uid], _TOO_LARGE if large else ""
                return
        yield uid, b"", reason

    def _download(self, client: IMAPClient, uids: Sequence[int], *, large: bool) -> dict[int, bytes]:
        answer = client.fetch(uids, [f"BODY.PEEK[]<0.{MAX_HEAD if large else MAX_MESSAGE}>"])
        return {uid: body for uid, data in answer.items() if (body := _body_of(data)) is not None}

    # --- the connection -----------------------------------------------------------------------------------

    def _patiently(self, ask: Callable[[IMAPClient], T]) -> T:
        """Ask, on a fresh connection if this one breaks, with growing gaps."""
        for gap in _GAPS:
            try:
                return ask(self._connected())
            except BROKEN:
                self._drop()
                self._sleep(gap)
            except IMAPClientError as error:
                raise MailboxError(
                    f"{self._server.host} refused a command: {words(error)}.", hint="try again later: `outreach sync`"
                ) from None
        raise MailboxError(
            f"{self._server.host} broke the connection {len(_GAPS)} times.",
            hint="`outreach sync` goes on where this stopped",
        )

    def _connected(self) -> IMAPClient:
        if self._client is None:
            self._client = connect(self._server)
            if self._open_folder is not None:
                before = self._validity
                self._examine(self._client)
                if before and before != self._validity:
                    raise MailboxError(
                        f"the folder {self._open_folder.name} was made anew while it was being read.",
                        hint="`outreach sync` reads it again",
                    )
        return self._client

    def _examine(self, client: IMAPClient) -> None:
        assert self._open_folder is not None  # noqa: S101  only called with one
        answer = client.select_folder(self._open_folder.name, readonly=True)
        self._validity = str(answer.get(b"UIDVALIDITY", "") or "none")

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with suppress(*BROKEN, IMAPClientError):
                client.shutdown()


_TOO_LARGE = "it is larger than 25 MB"


@dataclass(frozen=True, slots=True)
class _Facts:
    """What is known of a message before it is read."""

    size: int
    received_at: datetime

    @property
    def is_large(self) -> bool:
        return self.size > MAX_MESSAGE


def _look(client: IMAPClient, *, uids: Sequence[int], since: datetime) -> dict[int, _Facts]:
    answer = client.fetch(uids, ["RFC822.SIZE", "INTERNALDATE"])
    return {uid: _facts(data, since) for uid, data in answer.items()}


def _facts(data: Mapping[bytes, Any], since: datetime) -> _Facts:
    received = data.get(b"INTERNALDATE")
    at = received.astimezone(UTC) if isinstance(received, datetime) else since
    size = data.get(b"RFC822.SIZE")
    return _Facts(size if isinstance(size, int) else 0, at)


def _batches(facts: Mapping[int, _Facts]) -> Iterator[dict[int, _Facts]]:
    """A few messages at a time, in order; one too large for reading whole stands alone."""
    batch: dict[int, _Facts] = {}
    for uid, fact in facts.items():
        full = len(batch) >= _READ_AT_ONCE or sum(each.size for each in batch.values()) + fact.size > _BYTES_AT_ONCE
        if batch and (full or fact.is_large or any(each.is_large for each in batch.values())):
            yield batch
            batch = {}
        batch[uid] = fact
    if batch:
        yield batch


def _body_of(data: Mapping[bytes, Any]) -> bytes | None:
    return next((value or b"" for name, value in data.items() if name.startswith(b"BODY[")), None)


def _last(name: str, delimiter: bytes | None) -> str:
    return (name.rpartition(delimiter.decode("ascii", "replace"))[2] if delimiter else name).lower()


def _is_plain(name: object) -> bool:
    """Folder names are the server's text and go back into commands."""
    return isinstance(name, str) and name.isprintable()
