"""An SMTP server that does what a test tells it to, and keeps a ledger of what it accepted.

Every accepted mail is in the ledger before its 250 is written: the ledger is the judge of what was delivered.
"""

import select
import socket
import socketserver
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes

_SLOW_SECONDS = 0.002


@dataclass(frozen=True)
class Accepted:
    """One mail the server took; `wire` is its content as it came, dots stuffed and the final one included."""

    mail_from: str
    rcpts: tuple[str, ...]
    data: bytes
    wire: bytes = b""

    @property
    def message_id(self) -> str:
        return str(message_from_bytes(self.data)["Message-ID"])


@dataclass
class Behaviour:
    """What to answer. `fault(phase, number)` may give, for the number-th time of a phase, what to say instead or one of

    drop     close the connection
    reset    the same with an RST
    hang     say nothing more, and read nothing
    dribble  a byte now and then, and never a whole line
    slow     the right answer, byte after byte
    endless  lines of one answer without end
    twice    the right answer, and behind it one that nobody has asked for

    Phases: connect, ehlo, starttls, tls (the handshake), ehlo-tls, auth, mail, rcpt, data, body (at its first line),
    dot (before acceptance), accepted (after it), after (the 250 is out), rset, quit.
    """

    fault: Callable[[str, int], str | None] = lambda _phase, _number: None
    features: tuple[str, ...] = ("SIZE 10000000", "8BITMIME")
    tls: ssl.SSLContext | None = None
    ledger: list[Accepted] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, phase: str) -> str | None:
        with self.lock:
            self.counts[phase] = self.counts.get(phase, 0) + 1
            return self.fault(phase, self.counts[phase])


class _Drop(Exception):
    pass


class _Handler(socketserver.StreamRequestHandler):
    server: "_Server"

    def handle(self) -> None:
        try:
            self._talk()
        except (_Drop, OSError):
            return
        finally:
            if self.connection is not self.request:
                self.connection.close()  # the one in TLS

    def _talk(self) -> None:  # noqa: C901  one line for each verb
        self._say("connect", "220 ready")
        mail_from, rcpts = "", list[str]()
        while line := self.rfile.readline():
            text = line.decode("utf-8", "replace").strip()
            verb = text.split(" ", 1)[0].upper()
            self.server.behaviour.commands.append(verb + text[len(verb) :])
            match verb:
                case "EHLO":
                    self._ehlo()
                case "STARTTLS":
                    self._start_tls()
                case "AUTH":
                    self._say("auth", "235 2.7.0 welcome")
                case "MAIL":
                    mail_from, rcpts = text.partition(":")[2].split(">")[0].lstrip("<"), []
                    self._say("mail", "250 2.1.0 ok")
                case "RCPT":
                    if self._say("rcpt", "250 2.1.5 ok"):
                        rcpts.append(text.partition(":")[2].split(">")[0].lstrip("<"))
                case "DATA":
                    if self._say("data", "354 go on"):
                        self._take(mail_from, tuple(rcpts))
                case "RSET":
                    self._say("rset", "250 2.0.0 ok")
                case "QUIT":
                    self._say("quit", "221 bye")
                    return
                case _:
                    self._lines(["250 ok"])

    def _ehlo(self) -> None:
        features = ["loopback", *self.server.behaviour.features]
        lines = [f"250{'-' if feature is not features[-1] else ' '}{feature}" for feature in features]
        self._say("ehlo-tls" if isinstance(self.connection, ssl.SSLSocket) else "ehlo", "\r\n".join(lines))

    def _start_tls(self) -> None:
        if not self._say("starttls", "220 go on") or not self.server.behaviour.tls:
            return
        self.connection.recv(1, socket.MSG_PEEK)  # their hello is there
        if self._fault("tls", ""):
            return
        self.connection = self.server.behaviour.tls.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb", buffering=0)

    def _take(self, mail_from: str, rcpts: tuple[str, ...]) -> None:
        lines, refused = list[bytes](), False
        while (line := self.rfile.readline()) != b".\r\n":
            if not line:
                raise _Drop
            if not lines:
                refused = self._fault("body", "")
            lines.append(line)
        if refused or self._fault("dot", ""):
            return  # one answer to each mail: what was refused early is not taken in the end
        wire = b"".join(lines)
        data = b"".join(line[1:] if line.startswith(b".") else line for line in lines)
        with self.server.behaviour.lock:
            self.server.behaviour.ledger.append(Accepted(mail_from, rcpts, data, wire + b".\r\n"))
        self._say("accepted", "250 2.0.0 queued")
        self._fault("after", "")

    def _say(self, phase: str, reply: str) -> bool:
        """Whether what was said is what should be."""
        return not self._fault(phase, reply)

    def _fault(self, phase: str, reply: str) -> bool:
        """Say this, or do what this phase is to suffer; whether that stands in its place."""
        does = self.server.behaviour.ask(phase)
        lines: list[str] = [reply] if reply else []
        match does:
            case None:
                self._lines(lines)
                return False
            case "slow":
                for byte in "".join(f"{line}\r\n" for line in lines).encode():
                    self.wfile.write(bytes((byte,)))
                    time.sleep(_SLOW_SECONDS)
                return False
            case "twice":
                self._lines([*lines, "250 2.0.0 queued"])
                return False
            case "hang":
                self._until_they_leave(b"")
            case "dribble":
                self._until_they_leave(b"2")
            case "endless":
                self._until_they_leave(b"250-and so on\r\n" * 100)
            case "reset":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
            case "drop":
                pass
            case _:
                self._lines([does])
                return True
        raise _Drop

    def _until_they_leave(self, saying: bytes) -> None:
        left = select.poll()
        left.register(self.connection, select.POLLRDHUP)
        while not left.poll(10) and not self.server.closing.is_set():
            self.wfile.write(saying)

    def _lines(self, lines: Sequence[str]) -> None:
        if lines:
            self.wfile.write("".join(f"{line}\r\n" for line in lines).encode("utf-8", "surrogateescape"))


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def __init__(self, behaviour: Behaviour) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behaviour = behaviour
        self.closing = threading.Event()


@contextmanager
def smtp_server(behaviour: Behaviour) -> Iterator[int]:
    """Run it on a free loopback port."""
    with _Server(behaviour) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.closing.set()
            server.shutdown()
            thread.join()


def nth(phase: str, reply: str, *numbers: int) -> Callable[[str, int], str | None]:
    """A fault at the given occurrences of one phase (all of them if none is named)."""
    return lambda where, number: reply if where == phase and (not numbers or number in numbers) else None
