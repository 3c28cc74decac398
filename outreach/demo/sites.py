"""The demo's little internet: a few company sites on loopback, and a name server's answers. Nothing leaves the machine.

Pages are a table (`data/sites.toml`); the program reaches them by their real names, through its own guarded client.
"""

import socket
import threading
import tomllib
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files

from outreach.bootstrap import Network
from outreach.core.ports import MailDomain, MailHost
from outreach.webclient import Endpoint, GuardedWeb

HOST = "127.0.0.1"


class Sites:
    """Start them, visit them, stop them."""

    def __init__(self) -> None:
        self._pages = _pages()

    def start(self) -> Network:
        """Listen on a free port of this machine; what the program needs to get there."""
        self._server = _Server(self._pages)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        here: Endpoint = (HOST, int(self._server.server_address[1]))

        def resolve(host: str, port: int) -> list[Endpoint]:
            if host.removeprefix("www.") in self._pages and port == 80:
                return [here]
            raise socket.gaierror(f"no such host in the demo: {host}")

        return Network(web=lambda agent: GuardedWeb(agent, resolve, frozenset({here})), mail_hosts=_EveryoneTakesMail)

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _EveryoneTakesMail:
    """What a name server would say of the demo's domains."""

    def look_up(self, domain: str) -> MailDomain:
        return MailDomain(domain, MailHost.TAKES, (f"mx.{domain}",))

    def texts(self, name: str) -> tuple[str, ...] | None:  # noqa: ARG002  no name has one
        return ()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, pages: Mapping[str, Mapping[str, str]]) -> None:
        super().__init__((HOST, 0), _Page)
        self.pages = pages


class _Page(BaseHTTPRequestHandler):
    """One request: the page of that host and path, else 404."""

    server: _Server

    def do_GET(self) -> None:
        host = self.headers.get("Host", "").partition(":")[0].removeprefix("www.")
        page = self.server.pages.get(host, {}).get(self.path)
        body = (page or "not here").encode()
        self.send_response(200 if page else 404)
        self.send_header("Content-Type", "text/plain" if self.path == "/robots.txt" else "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Its own log would be in the way of the demo."""


def _pages() -> dict[str, dict[str, str]]:
    return tomllib.loads(files("outreach.demo").joinpath("data", "sites.toml").read_text("utf-8"))
