"""Servers on loopback for finders: company sites, a Hunter that behaves as its documentation says, and a name server.

The client reaches them by their real names: a `Town` says where each host lives, and only those endpoints are trusted.
"""

import json
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
from dns.rdatatype import TXT

from outreach.bootstrap import Network
from outreach.mailhosts import DnsMailHosts
from outreach.webclient import Endpoint, GuardedWeb

HOST = "127.0.0.1"


@dataclass
class Asked:
    """One request as it came in."""

    host: str
    path: str
    headers: Mapping[str, str]
    at: float


class Response:
    """What to answer; `drip` sends the body for ever, a piece at a time, and `stall` waits before anything is sent."""

    def __init__(
        self,
        body: str | bytes = b"",
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        *,
        stall: float = 0.0,
        drip: bytes = b"",
        pause: float = 0.0,
        raw: bytes = b"",
    ) -> None:
        self.body = body.encode() if isinstance(body, str) else body
        self.status = status
        self.headers = {"Content-Type": "text/html; charset=utf-8", **(headers or {})}
        self.stall, self.drip, self.pause, self.raw = stall, drip, pause, raw


Answerer = Callable[[Asked], Response]


class _Server(ThreadingHTTPServer):
    """Keeps what was asked; `done` ends whatever still waits or drips."""

    daemon_threads = True

    def __init__(self, answer: Answerer, asked: list[Asked]) -> None:
        super().__init__((HOST, 0), _Handler)
        self.answer, self.asked, self.done = answer, asked, threading.Event()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        request = Asked(self.headers.get("Host", ""), self.path, dict(self.headers), time.monotonic())
        self.server.asked.append(request)
        self.close_connection = True
        with suppress(OSError):  # the client left, as it should
            self._send(self.server.answer(request))

    def _send(self, response: Response) -> None:
        self.server.done.wait(response.stall)
        if response.raw:
            self.wfile.write(response.raw)
            return
        self.send_response(response.status)
        length = {} if response.drip else {"Content-Length": str(len(response.body))}
        for name, value in {**response.headers, **length, "Connection": "close"}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(response.body)
        while response.drip and not self.server.done.is_set():
            self.wfile.write(response.drip)
            self.server.done.wait(response.pause)

    def log_message(self, *_args: object) -> None:
        pass


@contextmanager
def http_server(answer: Answerer, asked: list[Asked] | None = None, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """A server whose every answer comes from one function; its port."""
    server = _Server(answer, [] if asked is None else asked)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.done.set()
        server.shutdown()
        server.server_close()


@dataclass
class Town:
    """Where hosts live: their pages, all behind one server, and what the name server says of their mail.

    A host that is not in `elsewhere` and has no pages does not exist.
    """

    pages: dict[str, dict[str, Response]] = field(default_factory=dict)
    elsewhere: dict[str, list[Endpoint]] = field(default_factory=dict)
    mail: dict[str, str] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    port: int = 0
    offline: bool = False
    """Whether no name server answers."""

    def answer(self, request: Asked) -> Response:
        host = request.host.partition(":")[0]
        found = self.pages.get(host, {}).get(request.path)
        if found is None and request.path == "/robots.txt":
            return Response("", 404)
        return found or Response("<p>not here</p>", 404)

    def resolve(self, host: str, port: int) -> list[Endpoint]:
        """Plain HTTP only: whoever asks for 443 finds nothing."""
        if self.offline:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        if host in self.elsewhere:
            return self.elsewhere[host]
        if host in self.pages and port == 80:
            return [(HOST, self.port)]
        raise socket.gaierror(f"no such host: {host}")

    def web(self, agent: str = "outreach/test") -> GuardedWeb:
        return GuardedWeb(agent, self.resolve, frozenset({(HOST, self.port)}))

    def paths(self, host: str) -> list[str]:
        """What was asked of a host."""
        return [each.path for each in self.asked if each.host.partition(":")[0] == host]


@contextmanager
def town(**pages: dict[str, Response]) -> Iterator[Town]:
    """A town with these sites: `acme={"/": Response(…)}` lives at acme.example and www.acme.example."""
    here = Town()
    for name, site in pages.items():
        here.pages[f"{name}.example"] = here.pages[f"www.{name}.example"] = site
    with http_server(here.answer, here.asked) as port:
        here.port = port
        yield here


# --- a name server ----------------------------------------------------------------------------------


@contextmanager
def name_server(mail: Mapping[str, str], texts: Mapping[str, Sequence[str]] | None = None) -> Iterator[int]:
    """Answers MX questions: an mail host, `none` (no MX), `null`, `gone` (NXDOMAIN), `broken`, or `silent`. Answers TXT
    questions by `texts`, where it is given.

    A domain that is not listed takes mail at mx.<domain>.
    """

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            data, channel = self.request
            query = dns.message.from_wire(data)
            asked = query.question[0].name
            says = mail.get(asked.to_text(omit_final_dot=True), f"mx.{asked.to_text(omit_final_dot=True)}")
            if says == "silent":
                return
            reply = dns.message.make_response(query)
            reply.flags |= dns.flags.RA
            if says in ("gone", "broken"):
                reply.set_rcode(dns.rcode.NXDOMAIN if says == "gone" else dns.rcode.SERVFAIL)
            elif query.question[0].rdtype == TXT and texts is not None:
                found = [f'"{text}"' for text in texts.get(asked.to_text(omit_final_dot=True), ())]
                if found:
                    reply.answer.append(dns.rrset.from_text(asked, 60, "IN", "TXT", *found))
            elif says == "null":
                reply.answer.append(dns.rrset.from_text(asked, 60, "IN", "MX", "0 ."))
            elif says != "none":
                reply.answer.append(dns.rrset.from_text(asked, 60, "IN", "MX", f"10 {says}."))
            channel.sendto(reply.to_wire(), self.client_address)

    with socketserver.ThreadingUDPServer((HOST, 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()


# --- Hunter -----------------------------------------------------------------------------------------

KEY = "CANARY-hunter-key-5b1f"


@dataclass
class Hunter:
    """The API as documented: `addresses` is what it knows, `faults` what it does instead for a path and a parameter.

    `charged` counts what it would bill: one credit for each address found, and for each verification answered.
    """

    addresses: dict[tuple[str, str, str], dict[str, Any]] = field(default_factory=dict)
    verdicts: dict[str, dict[str, Any]] = field(default_factory=dict)
    faults: dict[tuple[str, str], list[Response]] = field(default_factory=dict)
    charged: list[str] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    key: str = KEY

    def answer(self, request: Asked) -> Response:
        parts = urlsplit(request.path)
        path, params = parts.path.rpartition("/")[2], dict(parse_qsl(parts.query))
        if request.headers.get("X-API-KEY") != self.key:
            return problem(401, "authentication_failed", "No user found for the API key supplied")
        about = params.get("first_name") or params.get("email") or params.get("domain") or ""
        fault = self.faults.get((path, about))
        if fault:
            response = fault.pop(0)
            if response.status == 200 and not response.raw:
                self.charged.append(request.path)
            return response
        return getattr(self, path.replace("-", "_"))(params, request.path)  # type: ignore[no-any-return]  # one below

    def account(self, _params: Mapping[str, str], _path: str) -> Response:
        used = len(self.charged)
        return told({"plan_name": "Free", "requests": {"credits": {"used": used, "available": 50}}})

    def email_finder(self, params: Mapping[str, str], path: str) -> Response:
        found = self.addresses.get((params["domain"], params["first_name"].lower(), params["last_name"].lower()))
        if found is None:
            return told({"email": None, "score": None, "first_name": params["first_name"]})
        self.charged.append(path)
        return told({"first_name": params["first_name"], "last_name": params["last_name"], **found})

    def domain_search(self, params: Mapping[str, str], path: str) -> Response:
        emails = [
            {
                "value": record["email"],
                "type": "personal",
                "confidence": record.get("score", 90),
                "first_name": first.title(),
                "last_name": last.title(),
                "sources": record.get("sources", []),
                "verification": record.get("verification"),
            }
            for (domain, first, last), record in self.addresses.items()
            if domain == params["domain"]
        ]
        if emails:
            self.charged.append(path)
        return told({"domain": params["domain"], "pattern": "{first}", "emails": emails})

    def email_verifier(self, params: Mapping[str, str], path: str) -> Response:
        self.charged.append(path)
        verdict = {"status": "unknown", "score": 0, **self.verdicts.get(params["email"], {})}
        return told({"email": params["email"], **verdict})


def told(data: Mapping[str, Any]) -> Response:
    return Response(json.dumps({"data": data, "meta": {"params": {}}}), headers={"Content-Type": "application/json"})


def problem(status: int, code: str, details: str = "", **headers: str) -> Response:
    body = json.dumps({"errors": [{"id": code, "code": status, "details": details}]})
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(body, status, {"Content-Type": "application/json", **named})


def record(email: str, status: str = "valid", score: int = 95, **more: Any) -> dict[str, Any]:
    """What Hunter knows of one person."""
    sources = [{"domain": "news.example", "uri": f"https://news.example/{email.partition('@')[0]}"}]
    return {"email": email, "score": score, "verification": {"status": status}, "sources": sources, **more}


@contextmanager
def network(
    here: Town, hunter: Hunter | None = None, *, patience: float = 30.0, dns_seconds: float = 30.0
) -> Iterator[Network]:
    """All of it as the program takes it; only who tests a wait shortens it."""
    api = hunter or Hunter()
    with http_server(api.answer, api.asked) as hunter_port, name_server(here.mail) as dns_port:
        here.elsewhere["api.hunter.test"] = [(HOST, hunter_port)]
        trusted = frozenset({(HOST, here.port), (HOST, hunter_port)})
        yield Network(
            web=lambda agent: GuardedWeb(agent, here.resolve, trusted),
            mail_hosts=lambda: DnsMailHosts([HOST], dns_port, seconds=dns_seconds),
            base_urls={"hunter": "http://api.hunter.test/v2"},
            patience=patience,
        )
