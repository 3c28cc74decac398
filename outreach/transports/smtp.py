"""SMTP (RFC 5321) up to the dot, then the dot.

smtplib's `sendmail` and `data` write the dot themselves and its `login` tries several mechanisms, so only its pieces
are used: `ehlo`, `mail`, `rcpt`, `docmd`, `send`. Replies are read here: smtplib takes a torn line for a whole one and
"2_5" for 25, and collects a reply that never ends. No exception decides a resend: after the dot everything but a valid
reply is UNKNOWN.
"""

import base64
import io
import math
import re
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace

from outreach.core.guards import recipient_allowed
from outreach.core.normalize import normalize_host
from outreach.core.ports import Envelope, Outcome, Phase, SendResult

_TEXT_CAP = 500
_ENHANCED = re.compile(r"^([245]\.\d{1,3}\.\d{1,3})\b")
_LEADING_DOT = re.compile(rb"^\.", re.MULTILINE)
_DOT = b".\r\n"
_REPLY = re.compile(rb"([2-5][0-9][0-9])(?:([- ])(.*))?", re.DOTALL)  # RFC 5321 4.2
_REPLY_BYTES = 65_536
_SIZE = re.compile(r"[0-9]{1,20}")  # RFC 1870; 0 means that there is no limit

# Seconds for each phase (RFC 5321 4.5.3.2). All of them together stay below the lease of a claim.
TIMEOUTS: Mapping[Phase, float] = {
    Phase.CONNECT: 30.0,
    Phase.TLS: 60.0,
    Phase.AUTH: 60.0,
    Phase.MAIL: 60.0,
    Phase.RCPT: 60.0,
    Phase.DATA: 120.0,
    Phase.BODY: 180.0,
    Phase.DOT: 600.0,
}
_QUIT_SECONDS = 10.0
_HELO_NAME = "[127.0.0.1]"  # smtplib's default asks the DNS for our name, and tells it to the server
_ONE_ADDRESS = re.compile(r"[^\s,<>@\"]+@[^\s,<>@\"]+")


@dataclass(frozen=True, slots=True)
class Server:
    """Where to hand mail over. `security` is tls, starttls or none; `password` is asked for when it is needed."""

    host: str
    port: int
    security: str
    username: str = ""
    password: Callable[[], str] = field(default=lambda: "", repr=False)
    ca_file: str = ""
    allow_recipients: tuple[str, ...] = ()
    timeouts: Mapping[Phase, float] = field(default_factory=lambda: TIMEOUTS)
    """Seconds for each phase as a whole."""


class _Smtp(smtplib.SMTP):
    """smtplib's pieces on a socket of our own: it would read the banner and shake hands by itself, under a timeout that
    starts again with every byte."""

    def __init__(self, sock: socket.socket, timeouts: Mapping[Phase, float]) -> None:
        super().__init__(local_hostname=_HELO_NAME)
        self.sock = sock
        self.timeouts = timeouts
        self.watchdog = _Watchdog()

    def getreply(self) -> tuple[int, bytes]:
        """One whole reply. The code is −1 where what came is none."""
        code, said, left = b"", list[bytes](), _REPLY_BYTES
        while True:
            line = self._reader().readline(left + 1)
            left -= len(line)
            if left < 0:
                raise smtplib.SMTPException("the server's answer does not end")
            if not line.endswith(b"\n"):
                raise smtplib.SMTPServerDisconnected
            found = _REPLY.fullmatch(line.rstrip(b"\r\n"))
            if not found or found[1] != (code or found[1]):
                return -1, line.strip()
            code = found[1]
            said.append((found[3] or b"").strip())
            if found[2] != b"-":
                return int(code), b"\n".join(said)

    def overheard(self) -> bytes | None:
        """What the server says before its turn, without waiting: nothing (None), something, or that it has hung up
        (empty)."""
        sock = self.sock
        if sock is None:
            return b""
        patience = sock.gettimeout()
        sock.settimeout(0)
        try:
            said = self._reader().peek(1)
            return said if said or isinstance(sock, ssl.SSLSocket) else sock.recv(1, socket.MSG_PEEK)
        except (BlockingIOError, ssl.SSLWantReadError):
            return None
        except OSError:
            return b""
        finally:
            sock.settimeout(patience)

    def _reader(self) -> io.BufferedReader:
        if self.file is None:
            if self.sock is None:
                raise smtplib.SMTPServerDisconnected
            self.file = self.sock.makefile("rb")
        return self.file

    def close(self) -> None:
        self.watchdog.close()
        super().close()


class _Refused(Exception):
    """The dialogue ended before the dot."""

    def __init__(self, result: SendResult) -> None:
        super().__init__(result.text)
        self.result = result


class SmtpTransport:
    """One kept connection to one server, one message at a time."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._smtp: _Smtp | None = None
        self._staged = False

    def connect(self) -> SendResult | None:
        """Connect and log in now, to learn whether that works before anything is queued. The connection is kept."""
        try:
            self._connection()
        except _Refused as refused:
            return refused.result
        return None

    def stage(self, envelope: Envelope) -> SendResult | None:
        if not recipient_allowed(envelope.rcpt_to, self._server.allow_recipients):
            return SendResult(
                Outcome.REJECTED, Phase.RCPT, text="OUTREACH_ALLOW_RECIPIENTS does not name this recipient"
            )
        reused = self._smtp is not None
        result = self._stage_once(envelope)
        if reused and result is not None and result.phase is Phase.MAIL and result.code in (0, 421):
            # The server had closed the idle connection (RFC 5321 3.8): nothing was wrong with this mail, so a fresh one
            # may try.
            result = self._stage_once(envelope)
        self._staged = result is None
        return result

    def commit(self) -> SendResult:
        smtp = self._smtp
        assert smtp is not None and self._staged, "commit follows a successful stage"  # noqa: S101,PT018  a bug in the caller
        self._staged = False
        try:
            with _deadline(smtp, Phase.DOT):
                if early := _before_the_dot(smtp):
                    self._drop()  # no dot was written, so nothing was taken; but the intent is recorded
                    return early if early.code else replace(early, outcome=Outcome.UNKNOWN, phase=Phase.DOT)
                smtp.send(_DOT)
                code, text = smtp.getreply()
        except (OSError, smtplib.SMTPException, ValueError) as error:
            self._drop()
            return SendResult(Outcome.UNKNOWN, Phase.DOT, text=_words(error))
        result = _answer(Phase.DOT, code, text)
        if result.outcome is Outcome.UNKNOWN or code == 421:
            self._drop()
        return result

    def close(self) -> None:
        smtp = self._smtp
        if smtp is None or self._staged:
            # After 354 any command would become body text, so a staged message is given up by closing the socket.
            self._drop()
            return
        with suppress(OSError, smtplib.SMTPException, ValueError), _deadline(smtp, None):
            smtp.quit()  # its answer changes no outcome
        self._drop()

    def _stage_once(self, envelope: Envelope) -> SendResult | None:
        try:
            smtp = self._connection()
            _hand_over(smtp, envelope)
        except _Refused as refused:
            self._leave(refused.result)
            return refused.result
        return None

    def _connection(self) -> _Smtp:
        if self._smtp is None:
            self._smtp = _connect(self._server)
        return self._smtp

    def _leave(self, result: SendResult) -> None:
        """After a refusal inside a mail the connection may go on with RSET; anything else drops it."""
        kept = result.phase in (Phase.MAIL, Phase.RCPT, Phase.DATA) and result.code not in (0, 421)
        if kept and self._smtp is not None:
            with suppress(OSError, smtplib.SMTPException, ValueError), _deadline(self._smtp, None):
                if self._smtp.rset()[0] == 250:
                    return
        self._drop()

    def _drop(self) -> None:
        smtp, self._smtp, self._staged = self._smtp, None, False
        if smtp is not None:
            smtp.close()


# --- the dialogue ---------------------------------------------------------------------------------


def _connect(server: Server) -> _Smtp:
    with _refusing(Phase.CONNECT):
        context = _trust(server)
        sock = socket.create_connection((server.host, server.port), server.timeouts[Phase.CONNECT])
    smtp = _Smtp(sock, server.timeouts)
    try:
        with _refusing(Phase.CONNECT):
            # Body and dot are two small writes: without this the dot waits 40 ms for the body's acknowledgement.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if server.security == "tls":
            _secure(smtp, server, context)
        _say(smtp, Phase.CONNECT, smtp.getreply, good=(220,))
        _greet(smtp, server, context)
        if server.username:
            _log_in(smtp, server)
    except BaseException:  # also where the password cannot be had
        smtp.close()
        raise
    return smtp


def _trust(server: Server) -> ssl.SSLContext:
    """Whose certificates count. Reading them all takes longer than a mail, so without TLS nobody's do."""
    if server.security == "none":
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context = ssl.create_default_context(cafile=server.ca_file or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _secure(smtp: _Smtp, server: Server, context: ssl.SSLContext) -> None:
    """TLS from here on; the certificate and its host name are checked. What came before counts for nothing: not the
    features, and not what stood behind the answer to STARTTLS (RFC 3207 4.2, CVE-2021-38371)."""
    with _refusing(Phase.TLS):
        if smtp.sock is None:
            raise smtplib.SMTPServerDisconnected
        smtp.sock = context.wrap_socket(smtp.sock, server_hostname=server.host, do_handshake_on_connect=False)
        smtp.file = None
        smtp.ehlo_resp, smtp.esmtp_features, smtp.does_esmtp = None, {}, False
        with _deadline(smtp, Phase.TLS):
            smtp.sock.do_handshake()


def _greet(smtp: _Smtp, server: Server, context: ssl.SSLContext) -> None:
    _say(smtp, Phase.CONNECT, smtp.ehlo)
    if server.security == "starttls":
        if not smtp.has_extn("starttls"):
            raise _Refused(SendResult(Outcome.DEFERRED, Phase.TLS, text="the server does not offer STARTTLS"))
        _say(smtp, Phase.TLS, lambda: smtp.docmd("STARTTLS"), good=(220,))
        _secure(smtp, server, context)
        _say(smtp, Phase.CONNECT, smtp.ehlo)  # TLS stands: what is said now is not about it


def _log_in(smtp: _Smtp, server: Server) -> None:
    """One mechanism, one try: each failed login brings the account closer to being locked."""
    offered = smtp.esmtp_features.get("auth", "").upper().split()
    # Encoded here and in UTF-8 (RFC 4616): smtplib's own `auth` raises on "ä", with the password in the exception.
    # What the environment holds in other bytes goes out in those.
    user, password = (text.encode("utf-8", "surrogateescape") for text in (server.username, server.password()))
    if "PLAIN" in offered:
        _say(smtp, Phase.AUTH, lambda: smtp.docmd("AUTH PLAIN", _b64(b"\0" + user + b"\0" + password)), good=(235,))
    elif "LOGIN" in offered:
        _say(smtp, Phase.AUTH, lambda: smtp.docmd("AUTH LOGIN", _b64(user)), good=(334,))
        _say(smtp, Phase.AUTH, lambda: smtp.docmd(_b64(password)), good=(235,))
    else:
        raise _Refused(
            SendResult(Outcome.REJECTED, Phase.AUTH, 504, text="the server offers neither AUTH PLAIN nor LOGIN")
        )


def _hand_over(smtp: _Smtp, envelope: Envelope) -> None:
    rcpt = _on_the_wire(envelope.rcpt_to)
    options = _options(smtp, rcpt, envelope.mime)
    if smtp.overheard() is not None:
        raise _Refused(SendResult(Outcome.DEFERRED, Phase.MAIL, text="the server closed the connection"))
    _say(smtp, Phase.MAIL, lambda: smtp.mail(envelope.mail_from, options))
    _say(smtp, Phase.RCPT, lambda: smtp.rcpt(rcpt))
    _say(smtp, Phase.DATA, lambda: smtp.docmd("DATA"), good=(354,))
    with _refusing(Phase.BODY), _deadline(smtp, Phase.BODY):
        smtp.send(_LEADING_DOT.sub(b"..", envelope.mime))  # dot-stuffing, RFC 5321 4.5.2
        early = _before_the_dot(smtp)
    if early:
        raise _Refused(early)


def _on_the_wire(address: str) -> str:
    """One plain address, its domain in ASCII (RFC 5890)."""
    if not _ONE_ADDRESS.fullmatch(address):
        raise _Refused(SendResult(Outcome.REJECTED, Phase.RCPT, text="the recipient is not one plain address"))
    local, _, domain = address.rpartition("@")
    return address if domain.isascii() else f"{local}@{normalize_host(domain)}"


def _options(smtp: _Smtp, rcpt: str, mime: bytes) -> list[str]:
    """What MAIL says besides (RFC 1870, 6152, 6531). Refused where this server cannot carry this mail."""
    limit = smtp.esmtp_features.get("size", "")
    if _SIZE.fullmatch(limit) and 0 < int(limit) < len(mime):
        words = f"the mail has {len(mime)} bytes, and the server takes {limit} at most"
        raise _Refused(SendResult(Outcome.REJECTED, Phase.MAIL, 552, "5.3.4", words))
    if not rcpt.isascii() and not smtp.has_extn("smtputf8"):
        words = "an address outside ASCII needs SMTPUTF8, which the server does not offer"
        raise _Refused(SendResult(Outcome.REJECTED, Phase.RCPT, text=words))
    if not mime.isascii() and not smtp.has_extn("8bitmime"):
        words = "the mail holds bytes outside ASCII, which the server does not take (8BITMIME)"
        raise _Refused(SendResult(Outcome.REJECTED, Phase.MAIL, text=words))
    wanted = {
        f"SIZE={len(mime)}": smtp.has_extn("size"),
        "BODY=8BITMIME": not mime.isascii(),
        "SMTPUTF8": not rcpt.isascii(),
    }
    return [option for option, needed in wanted.items() if needed]


def _before_the_dot(smtp: _Smtp) -> SendResult | None:
    """What a server says to a mail that has not ended yet. A refusal is one, and nothing else may be taken for the
    answer to the dot: it came before it."""
    said = smtp.overheard()
    if said is None:
        return None
    code, text = smtp.getreply()
    if code >= 400:
        return _answer(Phase.DOT, code, text)
    return SendResult(Outcome.DEFERRED, Phase.BODY, text="the server answered before its turn")


def _say(smtp: _Smtp, phase: Phase, command: Callable[[], tuple[int, bytes]], good: tuple[int, ...] = ()) -> None:
    """One command and its reply; anything but success ends the dialogue with the server's answer."""
    with _refusing(phase), _deadline(smtp, phase):
        code, text = command()
    if code in good or (not good and 200 <= code < 300):
        return
    raise _Refused(_answer(phase, code, text))


@contextmanager
def _refusing(phase: Phase) -> Iterator[None]:
    """Turn what smtplib and the socket raise into a result of this phase."""
    try:
        yield
    except (ssl.SSLError, ssl.CertificateError) as error:
        raise _Refused(SendResult(Outcome.DEFERRED, Phase.TLS, text=_words(error))) from None
    except (OSError, smtplib.SMTPException, ValueError) as error:
        raise _Refused(SendResult(Outcome.DEFERRED, phase, text=_words(error))) from None


@contextmanager
def _deadline(smtp: _Smtp, phase: Phase | None) -> Iterator[None]:
    """The time of a phase, or what QUIT and RSET get, which change nothing. A socket's own timeout starts again with
    each byte, so a dribbling server could hold us for ever."""
    seconds = smtp.timeouts[phase] if phase else min(_QUIT_SECONDS, smtp.timeouts[Phase.CONNECT])
    sock = smtp.sock
    if sock is None:
        raise smtplib.SMTPServerDisconnected("the server closed the connection")
    sock.settimeout(seconds)
    with smtp.watchdog.within(sock, seconds):
        yield


class _Watchdog:
    """Shuts a socket down when a phase as a whole has taken too long. One thread for each connection: to start one for
    each command would take longer than the command."""

    _IDLE_SECONDS = 30.0

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._sock: socket.socket | None = None
        self._due_at = self._wakes_at = math.inf
        self._closed = False
        threading.Thread(target=self._watch, daemon=True).start()

    @contextmanager
    def within(self, sock: socket.socket, seconds: float) -> Iterator[None]:
        with self._changed:
            self._sock, self._due_at = sock, time.monotonic() + seconds
            if self._due_at < self._wakes_at:
                self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                self._sock, self._due_at = None, math.inf

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _watch(self) -> None:
        with self._changed:
            while not self._closed:
                now = time.monotonic()
                if self._sock and self._due_at <= now:
                    _shut(self._sock)
                    self._sock, self._due_at = None, math.inf
                self._wakes_at = min(self._due_at, now + self._IDLE_SECONDS)
                self._changed.wait(self._wakes_at - now)


def _shut(sock: socket.socket) -> None:
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


def _answer(phase: Phase, code: int, text: bytes | str) -> SendResult:
    """A reply as a result. What is no reply code (RFC 5321 4.2) says nothing: deferred, or unknown at the dot."""
    words = (text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text))[:_TEXT_CAP]
    found = _ENHANCED.match(words)
    enhanced = found[1] if found else ""
    if phase is Phase.DOT and code == 250:
        return SendResult(Outcome.ACCEPTED, phase, code, enhanced, words, words)
    if 500 <= code <= 599:
        return SendResult(Outcome.REJECTED, phase, code, enhanced, words)
    if 400 <= code <= 499:
        return SendResult(Outcome.DEFERRED, phase, code, enhanced, words)
    outcome = Outcome.UNKNOWN if phase is Phase.DOT else Outcome.DEFERRED
    return SendResult(outcome, phase, 0, "", words)


def _words(error: BaseException) -> str:
    """An exception in our own words: some hold the password they choked on."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the server's certificate is not trusted: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return "the server did not answer in time"
    if isinstance(error, UnicodeError):
        return "a value could not be encoded"
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return "the server closed the connection"
    text = getattr(error, "strerror", "") or str(error)
    return str(text)[:_TEXT_CAP]


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
