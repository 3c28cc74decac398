"""Real servers from Debian, started for a test on free loopback ports with everything under one folder."""

import grp
import os
import pwd
import re
import shutil
import socket
import socketserver
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

PASSWORD = "pa:ss-wörd"
_PATIENCE = 15.0


def need(program: str) -> str:
    """The path of a server program; the test is skipped, and counted, where it is not installed."""
    found = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.skip(f"{program} is not installed")
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def wait_for(port: int) -> None:
    """Until something listens there."""
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"nothing listens on port {port}")


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority of the test's own, and a server certificate it signed."""

    ca: Path
    certificate: Path
    key: Path


def make_authority(folder: Path, host: str = "localhost") -> Authority:
    """With the openssl program: no library that makes certificates is needed for anything else."""
    need("openssl")
    folder.mkdir(parents=True, exist_ok=True)
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    _openssl(folder, "req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Test CA",
             "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")  # fmt: skip
    _openssl(folder, "req", *curve[:-2], "-keyout", "server.key", "-out", "server.csr", "-subj", f"/CN={host}")
    (folder / "server.ext").write_text(f"subjectAltName=DNS:{host}\nauthorityKeyIdentifier=keyid\n")
    _openssl(folder, "x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
             "-days", "2", "-out", "server.pem", "-extfile", "server.ext")  # fmt: skip
    return Authority(folder / "ca.pem", folder / "server.pem", folder / "server.key")


def _openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


@dataclass(frozen=True, slots=True)
class Dovecot:
    """A running IMAP server. Anybody may log in with the password, and has the Maildir `mail/NAME`."""

    port: int
    tls_port: int
    mail: Path
    authority: Authority
    log: Path


_CONFIG = """
base_dir = {folder}/sockets
state_dir = {folder}/state
log_path = {folder}/log
log_debug = event=imap_command_finished
protocols = imap
listen = 127.0.0.1
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{key}
disable_plaintext_auth = no
mail_location = maildir:{mail}/%u
mailbox_list_index = no
mailbox_idle_check_interval = 1 secs
first_valid_uid = 0
auth_mechanisms = plain login
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}/home
}}
namespace inbox {{
  inbox = yes
  mailbox Junk {{
    auto = create
    special_use = \\Junk
  }}
  mailbox Sent {{
    auto = create
    special_use = \\Sent
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
"""


@contextmanager
def dovecot(authority: Authority) -> Iterator[Dovecot]:
    """Dovecot as an ordinary user, in the foreground, gone when the block ends. Its folder does not lie among pytest's,
    which every other run on this machine closes to that user; and a socket's path has room for a hundred characters."""
    program = need("dovecot")
    user, group = _ordinary_user()
    folder = Path(tempfile.mkdtemp(prefix="dovecot"))
    for part in ("state", "home", "mail", "sockets"):
        (folder / part).mkdir()
    certificate, key = (Path(shutil.copy(each, folder)) for each in (authority.certificate, authority.key))
    server = Dovecot(free_port(), free_port(), folder / "mail", authority, folder / "log")
    (folder / "dovecot.conf").write_text(
        _CONFIG.format(
            folder=folder,
            user=user,
            group=group,
            certificate=certificate,
            key=key,
            mail=server.mail,
            password=PASSWORD,
            port=server.port,
            tls_port=server.tls_port,
        )
    )
    give_to(user, group, folder)
    with (folder / "output").open("wb") as output:  # a daemon on a captured stdout never lets go of it
        process = subprocess.Popen(
            [program, "-F", "-c", str(folder / "dovecot.conf")],
            stdout=output,
            stderr=output,
            user=user if os.geteuid() == 0 else None,
            group=group if os.geteuid() == 0 else None,
            extra_groups=[] if os.geteuid() == 0 else None,
        )
        try:
            wait_for(server.port)
            yield server
        finally:
            process.terminate()
            process.wait(_PATIENCE)
            shutil.rmtree(folder, ignore_errors=True)


def give_to(user: str, group: str, *folders: Path) -> None:
    """Let that user into these folders, and through those above (pytest's own are 0700)."""
    for folder in folders:
        for parent in folder.parents:
            if parent.owner() == pwd.getpwuid(os.geteuid()).pw_name and not parent.stat().st_mode & 0o001:
                parent.chmod(parent.stat().st_mode | 0o011)
        if os.geteuid() == 0:
            for path in (folder, *folder.rglob("*")):
                shutil.chown(path, user, group)


def _ordinary_user() -> tuple[str, str]:
    if os.geteuid() == 0:
        return "nobody", grp.getgrgid(pwd.getpwnam("nobody").pw_gid).gr_name
    me = pwd.getpwuid(os.geteuid())
    return me.pw_name, grp.getgrgid(me.pw_gid).gr_name


# --- SMTP ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sink:
    """Postfix's smtp-sink behind a TLS end of the test's own: it takes mail and writes each into a file."""

    tls_port: int
    authority: Authority
    folder: Path

    def mails(self) -> list[bytes]:
        return [file.read_bytes() for file in sorted(self.folder.iterdir())]


@contextmanager
def smtp_sink(authority: Authority) -> Iterator[Sink]:
    """smtp-sink speaks no TLS itself, so a few lines here unwrap it. It gives up root, so its folder is open to all."""
    program = need("smtp-sink")
    port = free_port()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        user = ["-u", pwd.getpwuid(65534).pw_name] if os.geteuid() == 0 else []
        command = [program, *user, "-d", f"{name}/%M.", f"127.0.0.1:{port}", "50"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_for(port)
            with _tls_in_front_of(port, authority) as tls_port:
                yield Sink(tls_port, authority, folder)
        finally:
            process.terminate()
            process.wait()


@contextmanager
def _tls_in_front_of(port: int, authority: Authority) -> Iterator[int]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(authority.certificate, authority.key)

    class Unwrap(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            try:
                outside = context.wrap_socket(self.request, server_side=True)
            except OSError:  # the client did not like the certificate
                return
            with outside, socket.create_connection(("127.0.0.1", port)) as inside:
                back = threading.Thread(target=_pump, args=(inside, outside), daemon=True)
                back.start()
                _pump(outside, inside)
                back.join()

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Unwrap) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65_536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return


# --- a wire that breaks -------------------------------------------------------------------------------------------

_LITERAL = re.compile(rb"\{(\d+)\}\r\n")


@dataclass
class Wire:
    """What lies between a client and a server. `cut_at` breaks it once: at that command of the client's (counted over
    all connections), before the server gets it or, with `answered`, in the middle of its answer, inside of a literal
    if there is one."""

    port: int = 0
    cut_at: int = 0
    answered: bool = False
    commands: list[bytes] = field(default_factory=list)
    carried: int = 0
    """Bytes of answers."""
    cuts: int = 0


class _Relay(socketserver.BaseRequestHandler):
    """One connection through a wire."""

    wire: Wire
    to: int

    def handle(self) -> None:
        with socket.create_connection(("127.0.0.1", self.to)) as inside:
            self._inside, self._cutting = inside, False
            back = threading.Thread(target=self._answers, daemon=True)
            back.start()
            self._commands()
            back.join()

    def _commands(self) -> None:
        while data := _received(self.request):
            if data.endswith(b"\r\n"):  # a password comes in two pieces
                self.wire.commands.append(data)
                self._cutting |= len(self.wire.commands) == self.wire.cut_at
            if self._cutting and not self.wire.answered:
                break
            self._inside.sendall(data)
        self._end()

    def _answers(self) -> None:
        while data := _received(self._inside):
            self.wire.carried += len(data)
            cutting = self._cutting
            with suppress(OSError):
                self.request.sendall(_half(data) if cutting else data)
            if cutting:
                break
        self._end()

    def _end(self) -> None:
        self.wire.cuts += self._cutting
        self._cutting = False
        for each in (self.request, self._inside):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


@contextmanager
def wire_to(port: int) -> Iterator[Wire]:
    """A proxy on loopback in front of that port."""
    wire = Wire()
    relay = type("Relay", (_Relay,), {"wire": wire, "to": port})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), relay) as server:
        server.daemon_threads = True
        wire.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield wire
        finally:
            server.shutdown()
            thread.join()


def _half(answer: bytes) -> bytes:
    literal = _LITERAL.search(answer)
    return answer[: literal.end() + int(literal[1]) // 2 if literal else len(answer) // 2]


def _received(source: socket.socket) -> bytes:
    try:
        return source.recv(65_536)
    except OSError:
        return b""
