"""A small IMAP server that can be told how to misbehave, and remembers every command. The faults of a real one come too
seldom for a test; what a real one does is tested against Dovecot."""

import re
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

_FETCH = re.compile(rb"UID FETCH (\S+) \((.*)\)$")


@dataclass
class Mailbox:
    """What the server holds, and how it fails: `fault(command, how_often)` names what happens instead of the answer."""

    messages: dict[int, bytes] = field(default_factory=dict)
    validity: int = 7
    folders: tuple[bytes, ...] = ()
    """Lines of the list besides INBOX."""
    headless: frozenset[int] = frozenset()
    """Messages whose head holds nothing that was asked for, which is said as NIL."""
    fault: Callable[[bytes, int], str] = lambda _command, _count: ""
    commands: list[bytes] = field(default_factory=list)
    connections: int = 0
    counts: dict[bytes, int] = field(default_factory=dict)

    def happens(self, command: bytes) -> str:
        self.commands.append(command)
        self.counts[command] = self.counts.get(command, 0) + 1
        return self.fault(command, self.counts[command])


@contextmanager
def imap_server(box: Mailbox) -> Iterator[int]:
    """The port on which it listens."""

    class Session(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            box.connections += 1
            try:
                self.wfile.write(b"* OK ready\r\n")
                while line := self.rfile.readline():
                    tag, _, command = line.strip().partition(b" ")
                    if not self._answer(tag, command):
                        return
            except OSError:
                return

        def _answer(self, tag: bytes, command: bytes) -> bool:
            fault = box.happens(command)
            if fault == "drop":
                return False
            if fault == "bye":
                self.wfile.write(b"* BYE going down\r\n")
                return False
            if fault == "huge":
                self.wfile.write(b"* 1 FETCH (UID 1 BODY[] {4000000000}\r\nabc")
                return False
            if fault == "no":
                self.wfile.write(tag + b" NO not now\r\n")
                return True
            self.wfile.write(b"".join(_reply(box, command)) + tag + b" OK done\r\n")
            return not command.upper().startswith(b"LOGOUT")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def _reply(box: Mailbox, command: bytes) -> Iterator[bytes]:
    word = command.upper()
    if word.startswith(b"CAPABILITY"):
        yield b"* CAPABILITY IMAP4rev1\r\n"
    elif word.startswith(b"LIST"):
        yield from (b"* LIST %s\r\n" % line for line in (b'(\\HasNoChildren) "/" INBOX', *box.folders))
    elif word.startswith(b"EXAMINE"):
        top = max(box.messages, default=0) + 1
        yield b"* %d EXISTS\r\n* OK [UIDVALIDITY %d] x\r\n* OK [UIDNEXT %d] x\r\n" % (
            len(box.messages),
            box.validity,
            top,
        )
    elif word.startswith(b"UID SEARCH"):
        yield b"* SEARCH " + b" ".join(b"%d" % uid for uid in _searched(box, command)) + b"\r\n"
    elif word.startswith(b"UID FETCH"):
        yield from _fetched(box, command)


def _searched(box: Mailbox, command: bytes) -> list[int]:
    """`UID n:*` gives the newest one too, as the standard says."""
    found = re.search(rb"UID (\d+):\*", command.removeprefix(b"UID SEARCH "))
    if not found:
        return sorted(box.messages)
    return sorted(
        {uid for uid in box.messages if uid >= int(found[1])} | ({max(box.messages)} if box.messages else set())
    )


def _fetched(box: Mailbox, command: bytes) -> Iterator[bytes]:
    found = _FETCH.match(command)
    assert found, command
    at = datetime.now(UTC).strftime("%d-%b-%Y %H:%M:%S +0000").encode()
    for number, uid in enumerate(_uids(found[1]), 1):
        raw = box.messages.get(uid)
        if raw is None:
            continue
        head = raw.partition(b"\n\n")[0] + b"\r\n\r\n"
        facts = b'UID %d RFC822.SIZE %d INTERNALDATE "%s"' % (uid, len(raw), at)
        part, data = (b"BODY[HEADER.FIELDS (X)]<0>", head) if b"HEADER" in found[2] else (b"BODY[]<0>", raw)
        if uid in box.headless and b"HEADER" in found[2]:
            yield b"* %d FETCH (%s %s NIL)\r\n" % (number, facts, part)
        elif b"BODY" not in found[2]:
            yield b"* %d FETCH (%s)\r\n" % (number, facts)
        else:
            yield b"* %d FETCH (%s %s {%d}\r\n%s)\r\n" % (number, facts, part, len(data), data)


def _uids(text: bytes) -> Iterator[int]:
    for part in text.split(b","):
        first, _, last = part.partition(b":")
        yield from range(int(first), int(last or first) + 1)
