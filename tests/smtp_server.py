"""An SMTP server that does what a test tells it to, and keeps a ledger of what it accepted.

Every accepted mail is in the ledger before its 250 is written: the ledger is the judge of what was delivered.
"""

import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes


@dataclass(frozen=True)
class Accepted:
    """One mail the server took."""

    mail_from: str
    rcpts: tuple[str, ...]
    data: bytes

    @property
    def message_id(self) -> str:
        return str(message_from_bytes(self.data)["Message-ID"])


@dataclass
class Behaviour:
    """What to answer. `fault(phase, number)` may give, for the number-th time of a phase, a reply line or "drop".

    Phases: connect, ehlo, starttls, auth, mail, rcpt, data, dot (before acceptance), accepted (after it), quit.
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

    def _talk(self) -> None:  # noqa: C901  one line for each verb
        self._say("connect", "220 ready")
        mail_from, rcpts = "", list[str]()
        while line := self.rfile.readline():
            text = line.decode("utf-8", "replace").strip()
            verb = text.split(" ", 1)[0].upper()
            self.server.behaviour.commands.append(text)
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
                case "QUIT":
                    self._say("quit", "221 bye")
                    return
                case _:
                    self._line("250 ok")

    def _ehlo(self) -> None:
        fault = self._fault("ehlo")
        features = ["loopback", *self.server.behaviour.features]
        lines = [f"250{'-' if feature is not features[-1] else ' '}{feature}" for feature in features]
        self._line(fault or "\r\n".join(lines))

    def _start_tls(self) -> None:
        if self._say("starttls", "220 go on") and self.server.behaviour.tls:
            self.connection = self.server.behaviour.tls.wrap_socket(self.connection, server_side=True)
            self.rfile = self.connection.makefile("rb")
            self.wfile = self.connection.makefile("wb", buffering=0)

    def _take(self, mail_from: str, rcpts: tuple[str, ...]) -> None:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            if not line:
                raise _Drop
            lines.append(line[1:] if line.startswith(b".") else line)
        fault = self._fault("dot")
        if fault:
            self._line(fault)
            return
        with self.server.behaviour.lock:
            self.server.behaviour.ledger.append(Accepted(mail_from, rcpts, b"".join(lines)))
        self._say("accepted", "250 2.0.0 queued")

    def _fault(self, phase: str) -> str | None:
        fault = self.server.behaviour.ask(phase)
        if fault == "drop":
            raise _Drop
        return fault

    def _say(self, phase: str, reply: str) -> bool:
        fault = self._fault(phase)
        self._line(fault or reply)
        return fault is None

    def _line(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def __init__(self, behaviour: Behaviour) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behaviour = behaviour


@contextmanager
def smtp_server(behaviour: Behaviour) -> Iterator[int]:
    """Run it on a free loopback port."""
    with _Server(behaviour) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def nth(phase: str, reply: str, *numbers: int) -> Callable[[str, int], str | None]:
    """A fault at the given occurrences of one phase (all of them if none is named)."""
    return lambda where, number: reply if where == phase and (not numbers or number in numbers) else None
