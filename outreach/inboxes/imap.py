"""Reads a mailbox over IMAP (RFC 9051) and changes nothing there: folders are opened with EXAMINE, bodies read by PEEK.

The only commands are CAPABILITY, STARTTLS, LOGIN or AUTHENTICATE, LIST, EXAMINE, UID SEARCH, UID FETCH, IDLE, LOGOUT,
and APPEND of what is the user's own: copies of sent mails, and a draft when they ask for one. Of each message the head
comes first, and the rest only where it may concern us. No text of a received mail is ever part of a command: a crafted
Message-ID in a search has deleted mailboxes (CVE-2025-15366).
"""

import logging
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError
from imapclient.imap_utf7 import decode as decode_utf7

from outreach.core.inbound import MAX_HEAD, MAX_MESSAGE, MAX_READ_HEAD
from outreach.core.ports import ORDER, Cursor, Folder, Incoming, Known, Triage, everything
from outreach.errors import MailboxError
from outreach.inboxes._imap_fetch import fetch_many
from outreach.inboxes._imap_login import BROKEN, ImapServer, connect, words
from outreach.resources import toml

__all__ = ["ImapInbox", "ImapServer"]

T = TypeVar("T")

_TRIES = 3
_GAPS = (1.0, 5.0, 15.0)
_LISTED_AT_ONCE = 500
_READ_AT_ONCE = 200
_BYTES_AT_ONCE = 8_000_000
_ONE_DAY = timedelta(days=1)
_IDLE_SECONDS = 25 * 60.0
_LOOKS_UP = 1.0

# What tells whether a message can concern us: ids, people, and what machines say of themselves. Cut at 16 kB: then the
# message is read whole.
_HEAD = (
    "BODY.PEEK[HEADER.FIELDS (FROM TO CC SUBJECT DATE MESSAGE-ID IN-REPLY-TO REFERENCES REPLY-TO RETURN-PATH"
    " DELIVERED-TO X-ORIGINAL-TO ENVELOPE-TO CONTENT-TYPE AUTO-SUBMITTED PRECEDENCE LIST-ID LIST-UNSUBSCRIBE"
    " X-FAILED-RECIPIENTS X-OUTREACH-ID X-MS-EXCHANGE-PARENT-MESSAGE-ID X-MICROSOFT-ORIGINAL-MESSAGE-ID"
    " X-GOOGLE-ORIGINAL-MESSAGE-ID THREAD-INDEX X-APPLE-UNSUBSCRIBE X-SPAMARREST X-BOXBE X-CHALLENGE-RESPONSE)]"
    f"<0.{MAX_READ_HEAD}>"
)

_FLAGS = {"sent": b"\\Sent", "junk": b"\\Junk", "drafts": b"\\Drafts"}

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
        listed = self._patiently(_list_folders)
        found = [Folder(name, role) for role in ("junk", "sent") for name in _those_for(listed, role)]
        # Sent first: it tells under which ids our mails went out, and the answers name those.
        return sorted([*found, Folder("INBOX", "inbox")], key=lambda folder: ORDER.index(folder.role))

    def fetch(
        self, folder: Folder, cursor: Cursor | None, known: Known, since: datetime, wanted: Triage = everything
    ) -> Iterator[Incoming | Cursor]:
        """New UIDs, and unknown ones since `since`. A changed UIDVALIDITY voids the cursor and all known keys."""
        self._open_folder, self._validity = folder, ""
        mark = self._patiently(self._examine)
        valid = cursor is not None and cursor.validity == self._validity
        if cursor and valid and mark and cursor.mark == mark:
            return  # no UID was given out and no message was lost since: nothing is new
        last = cursor.last_uid if cursor and valid else 0
        uids = self._search(last, since)
        old = set(known([str(uid) for uid in uids])) if valid else set()
        fresh = [uid for uid in uids if str(uid) not in old]
        for start in range(0, len(fresh), _LISTED_AT_ONCE):
            listed = self._list(fresh[start : start + _LISTED_AT_ONCE], since)
            facts = {uid: fact for uid, fact in listed.items() if (valid and uid > last) or fact.received_at >= since}
            for uid, raw, trouble, skipped in self._read(facts, wanted):
                last = max(last, uid)
                place = Cursor(folder.name, self._validity, last)
                yield Incoming(folder, str(uid), raw, facts[uid].received_at, place, trouble, skipped)
        yield Cursor(folder.name, self._validity, last, mark)

    def wait(self, seconds: float, seen: str = "", stopped: Callable[[], bool] = lambda: False) -> bool:
        """IDLE on INBOX, on a fresh connection where one breaks; where the server has none, sleep."""
        self._open_folder, self._validity = Folder("INBOX", "inbox"), ""
        gaps = iter(_GAPS)
        left = seconds
        while left > 0 and not stopped():
            try:
                mark = self._examine(self._connected())
                if seen and mark and mark != seen:
                    return True  # it came before the waiting began
                if not self._connected().has_capability("IDLE"):
                    self.close()
                    self._rest(left, stopped)
                    return True
                told, left = self._idle(self._connected(), left, stopped)
                if told:
                    return True
            except BROKEN:
                self._drop()
                gap = next(gaps, _GAPS[-1])
                self._rest(min(gap, left), stopped)
                left -= gap
                if not seen:
                    return True  # whatever came meanwhile
            except IMAPClientError as error:
                raise MailboxError(
                    f"{self._server.host} does not let us wait for mail: {words(error)}.",
                    hint="outreach doctor shows what of the mailbox can be read",
                ) from None
        return False

    def draft(self, mime: bytes) -> str:
        """APPEND to the folder for drafts (RFC 6154), marked as one; nothing is opened or read for it."""
        folder = next(iter(_those_for(self._patiently(_list_folders), "drafts")), "")
        if not folder:
            raise MailboxError(
                f"{self._server.host} has no folder for drafts.",
                hint="leave --draft out: the answer is then opened in your mail program",
            )
        self._append(folder, mime, (b"\\Draft", b"\\Seen"), "the draft")
        return folder

    def file_copy(self, folder: Folder, mime: bytes, at: datetime) -> None:
        """APPEND to the Sent folder, dated as the mail was sent."""
        self._append(folder.name, mime, (b"\\Seen",), "the copy of a sent mail", at)

    def _append(self, folder: str, mime: bytes, flags: Sequence[bytes], what: str, at: datetime | None = None) -> None:
        """Once: whether a broken connection took it is not known, and twice is worse than not at all."""
        self._open_folder = None
        try:
            self._connected().append(folder, mime, flags=flags, msg_time=at)
        except (*BROKEN, IMAPClientError) as error:
            self._drop()
            raise MailboxError(
                f"{self._server.host} did not take {what}: {words(error)}.",
                hint=f"look into the folder {folder} before you try again",
            ) from None

    def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            try:
                client.logout()
            except (*BROKEN, IMAPClientError):  # whoever hangs up first: the socket is closed either way
                with suppress(*BROKEN, IMAPClientError):
                    client.shutdown()

    # --- which messages -----------------------------------------------------------------------------------

    def _search(self, last: int, since: datetime) -> list[int]:
        """UIDs above `last` (`n:*` also gives the newest one below it), and those of the server's days from `since`."""
        recent = self._patiently(lambda client: client.search(["SINCE", (since - _ONE_DAY).date()]))
        fresh = self._patiently(lambda client: client.search(["UID", f"{last + 1}:*"])) if last else []
        return sorted({*recent, *(uid for uid in fresh if uid > last)})

    def _list(self, uids: Sequence[int], since: datetime) -> "dict[int, _Facts]":
        """Size, date and head of each. What breaks the connection is found by halving, given up, and the rest read."""
        asked = set(uids)
        try:
            answer = fetch_many(self._connected(), uids, _HEAD)
        except (*BROKEN, IMAPClientError) as error:
            self._drop()
            if len(uids) == 1:
                return {uids[0]: self._list_one(uids[0], since, error)}
            middle = len(uids) // 2
            return self._list(uids[:middle], since) | self._list(uids[middle:], since)
        return {uid: _facts(answer[uid], since) for uid in sorted(answer) if uid in asked}

    def _list_one(self, uid: int, since: datetime, error: Exception) -> "_Facts":
        """A message whose head cannot be had, even without its text: quarantined, never passed over."""
        for gap in _GAPS[:-1]:
            self._sleep(gap)
            try:
                answer = self._connected().fetch([uid], ["RFC822.SIZE", "INTERNALDATE"])
            except (*BROKEN, IMAPClientError):
                self._drop()
            else:
                return replace(_facts(answer.get(uid, {}), since), head=b"")
        return _Facts(0, since, b"", _given_up(error))

    # --- their bytes --------------------------------------------------------------------------------------

    def _read(self, facts: "Mapping[int, _Facts]", wanted: Triage) -> Iterator[tuple[int, bytes, str, bool]]:
        """uid, bytes, trouble and whether only the head was read, in order. What is wanted comes a few at a time."""
        chosen = dict(zip(facts, wanted([fact.head for fact in facts.values()]), strict=True))
        batches = _batches({uid: facts[uid] for uid in facts if chosen[uid] and not facts[uid].trouble})
        ready: dict[int, tuple[bytes, str]] = {}
        waiting: set[int] = set()
        for uid, fact in facts.items():
            if fact.trouble:
                yield uid, b"", fact.trouble, False
            elif not chosen[uid]:
                yield uid, fact.head, "", True
            else:
                if uid not in waiting:
                    batch = next(batches)
                    waiting = set(batch)
                    ready = {one: (raw, trouble) for one, raw, trouble in self._bodies(batch)}
                if uid in ready:  # else it was deleted meanwhile
                    yield uid, *ready.pop(uid), False

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
            if uid in answer:
                yield uid, answer[uid], _TOO_LARGE if large else ""

    def _body(self, uid: int, *, large: bool) -> Iterator[tuple[int, bytes, str]]:
        reason = ""
        for attempt in range(_TRIES):
            try:
                answer = self._download(self._connected(), [uid], large=large)
            except (*BROKEN, IMAPClientError) as error:
                reason = _given_up(error)
                self._drop()
                self._sleep(_GAPS[attempt])
            else:
                if uid in answer:
                    yield uid, answer[uid], _TOO_LARGE if large else ""
                return
        yield uid, b"", reason

    def _download(self, client: IMAPClient, uids: Sequence[int], *, large: bool) -> dict[int, bytes]:
        answer = fetch_many(client, uids, f"BODY.PEEK[]<0.{MAX_HEAD if large else MAX_MESSAGE}>")
        return {uid: body for uid, data in answer.items() if (body := _body_of(data)) is not None}

    def _idle(self, client: IMAPClient, left: float, stopped: Callable[[], bool]) -> tuple[bool, float]:
        """Up to `left` seconds, ended before the server's half hour is over (RFC 2177): whether something came, and
        what is left of the time. A signal only counts; so this looks up every second."""
        client.idle()
        end, told = max(left - _IDLE_SECONDS, 0), False
        while left > end and not told and not stopped():
            told = _tells(client.idle_check(timeout=min(left, _LOOKS_UP)))
            left -= _LOOKS_UP
        _text, more = client.idle_done()
        return told or _tells(more or ()), left

    def _rest(self, seconds: float, stopped: Callable[[], bool]) -> None:
        while seconds > 0 and not stopped():
            self._sleep(min(seconds, _LOOKS_UP))
            seconds -= _LOOKS_UP

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

    def _examine(self, client: IMAPClient) -> str:
        """Opens the folder; what it looks like: the next UID, and how many messages there are."""
        assert self._open_folder is not None  # noqa: S101  only called with one
        answer = client.select_folder(self._open_folder.name, readonly=True)
        self._validity = str(answer.get(b"UIDVALIDITY", "") or "none")
        uid_next, there = answer.get(b"UIDNEXT"), answer.get(b"EXISTS")
        return f"{uid_next}/{there}" if uid_next and there is not None else ""

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
    head: bytes
    trouble: str = ""

    @property
    def is_large(self) -> bool:
        return self.size > MAX_MESSAGE


def _facts(data: Mapping[bytes, Any], since: datetime) -> _Facts:
    received = data.get(b"INTERNALDATE")
    try:
        at = received.astimezone(UTC) if isinstance(received, datetime) else since
    except OverflowError:  # the last hours of the year 9999
        at = since
    size = data.get(b"RFC822.SIZE")
    return _Facts(size if isinstance(size, int) else 0, at, _body_of(data) or b"")


def _tells(answer: Sequence[Sequence[object]]) -> bool:
    return any(len(each) > 1 and each[1] in (b"EXISTS", b"RECENT") for each in answer)


def _given_up(error: Exception) -> str:
    return f"the server could not hand it over in {_TRIES} tries ({type(error).__name__})"


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


# --- folders ------------------------------------------------------------------------------------------

_Listed = tuple[Collection[bytes], str, str]
"""A folder's flags, its name, and the last part of that in lower case."""


def _list_folders(client: IMAPClient) -> list[_Listed]:
    """All but those whose names break the rules: a name is the server's text, and goes back into commands."""
    client.folder_encode = False  # names are decoded here: the library gives up on all of them where one is wrong
    listed = client.list_folders()
    client.folder_encode = True
    named = [(flags, _decoded(name), delimiter) for flags, delimiter, name in listed]
    return [(flags, name, _last(name, delimiter)) for flags, name, delimiter in named if name.isprintable()]


def _decoded(name: bytes | str) -> str:
    """RFC 3501 5.1.3; what is not printable for a name that is none."""
    try:
        return str(decode_utf7(name))
    except (ValueError, IndexError):  # such as R&D, whose & should be &-
        return "\0"


def _last(name: str, delimiter: bytes | None) -> str:
    return (name.rpartition(delimiter.decode("ascii", "replace"))[2] if delimiter else name).lower()


def _those_for(listed: Sequence[_Listed], role: str) -> list[str]:
    """The folders that the server marks so, else the first that is called as usual."""
    usual = toml("mail_folders.toml")[role]
    marked = [name for flags, name, _ in listed if _FLAGS[role] in flags]
    return marked or [name for flags, name, last in listed if last in usual and b"\\Noselect" not in flags][:1]
