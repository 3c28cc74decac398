"""The one door to the web: an HTTP client that only goes to public addresses, and takes no more than it was promised.

Where a name leads is decided here, once: the address is checked and then connected to, so that no second answer of a
name server can lead elsewhere. No redirect is followed here: whoever may follow one asks again, and is checked again.
`trusted` endpoints are for loopback servers of tests and of the demo; they are handed in at construction, and no
setting reaches them.
"""

import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpcore
import httpx

from outreach.core.ports import WebAnswer, WebTrouble

Endpoint = tuple[str, int]
Resolve = Callable[[str, int], Sequence[Endpoint]]

_PORTS = {"http": 80, "https": 443}
_CHUNK = 16_384
# Python counts some of these as global: they embed or lead to addresses of another kind.
_DENIED = tuple(
    map(
        ipaddress.ip_network,
        ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "fec0::/10", "::/96", "192.0.0.0/24",
         "192.88.99.0/24", "100.64.0.0/10", "198.18.0.0/15", "224.0.0.0/4", "ff00::/8", "0.0.0.0/8", "240.0.0.0/4",
         "100::/64", "2001:db8::/32", "3fff::/20", "5f00::/16"),
    )
)  # fmt: skip


class _Blocked(Exception):
    """A place this program does not go to."""


class _Offline(Exception):
    """No name server answered."""


def is_public(host: str) -> bool:
    """Whether a numeric address is one of the public internet."""
    address = ipaddress.ip_address(host.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    if mapped is not None:
        return is_public(str(mapped))
    denied = any(address.version == net.version and address in net for net in _DENIED)
    return address.is_global and not denied and not address.is_multicast and not address.is_reserved


def system_resolve(host: str, port: int) -> list[Endpoint]:
    """Where this machine's resolver says that a host is."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [(str(address[0]), int(address[1])) for *_, address in found]


@dataclass(frozen=True, slots=True)
class GuardedWeb:
    """The client. `agent` is its User-Agent."""

    agent: str
    resolve: Resolve = system_resolve
    trusted: frozenset[Endpoint] = frozenset()

    def get(self, url: str, *, headers: Mapping[str, str], seconds: float, limit: int) -> WebAnswer:
        """See `core.ports.Web`."""
        line = _Line(self.resolve, self.trusted, time.monotonic() + seconds)
        try:
            # No client around the transport: no proxy, netrc or certificate file of the environment, no cookies, and
            # nobody who reads a Location that nobody is going to follow.
            asked = {"User-Agent": self.agent, "Accept-Encoding": "identity", "Connection": "close", **headers}
            with _Transport(line) as transport:
                response = transport.handle_request(httpx.Request("GET", _checked_url(url), headers=asked))
                return _read(response, url, limit)
        except _Blocked as error:
            return WebAnswer(url, trouble=WebTrouble.BLOCKED, reason=str(error), reached=False)
        except _Offline:
            reason = "cannot be looked up: no name server answers (is this machine online?)"
            return WebAnswer(url, trouble=WebTrouble.OFFLINE, reason=reason, reached=False)
        except httpcore.TimeoutException:
            return WebAnswer(url, trouble=WebTrouble.TIMEOUT, reason="did not answer in time", reached=line.wrote)
        except (httpcore.NetworkError, OSError) as error:
            if isinstance(error.__context__, ssl.SSLError):
                return WebAnswer(url, trouble=WebTrouble.UNREADABLE, reason="has no valid certificate", reached=False)
            return WebAnswer(url, trouble=WebTrouble.UNREACHABLE, reason="cannot be reached", reached=line.wrote)
        except (httpcore.ProtocolError, httpx.InvalidURL, UnicodeError, ValueError):
            if not line.wrote:
                return WebAnswer(url, trouble=WebTrouble.BLOCKED, reason="is no web address", reached=False)
            return WebAnswer(url, trouble=WebTrouble.UNREADABLE, reason="does not speak HTTP")


def _read(response: httpx.Response, url: str, limit: int) -> WebAnswer:
    """The head, and as much of the body as the limit allows, never decompressed."""
    if response.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        return WebAnswer(url, trouble=WebTrouble.UNREADABLE, reason="answers compressed, though asked not to")
    body = bytearray()
    for chunk in response.iter_raw(_CHUNK):
        body += chunk
        if len(body) >= limit:
            break
    return WebAnswer(url, response.status_code, dict(response.headers), bytes(body[:limit]))


def _checked_url(url: str) -> httpx.URL:
    parsed = httpx.URL(url)
    if parsed.scheme not in _PORTS or not parsed.host:
        raise _Blocked("is no web address")
    if parsed.port not in (None, _PORTS[parsed.scheme]):
        raise _Blocked("names a port of its own")
    return parsed.copy_with(userinfo=b"", fragment=None)


# --- the line: where every connection is checked, and every read is timed ---------------------------


class _Line(httpcore.NetworkBackend):
    """Opens connections to public addresses only; none of its waits lasts beyond the deadline."""

    def __init__(self, resolve: Resolve, trusted: frozenset[Endpoint], deadline: float) -> None:
        self._resolve, self._trusted, self._deadline = resolve, trusted, deadline
        self.wrote = False
        """Whether a request may have reached a server."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002  the deadline counts for all of it
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            endpoints = list(self._resolve(host, port))
        except (OSError, UnicodeError) as error:
            if isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN:
                raise _Offline from None
            raise httpcore.ConnectError("no such host") from None
        allowed = [each for each in endpoints if each in self._trusted or is_public(each[0])]
        if endpoints and not allowed:
            raise _Blocked("leads to an address that is not public")
        for address, its_port in allowed:
            try:
                stream = httpcore.SyncBackend().connect_tcp(address, its_port, self.left, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
            peer = stream.get_extra_info("server_addr")
            if (peer[0], peer[1]) not in self._trusted and not is_public(peer[0]):
                stream.close()
                raise _Blocked("leads to an address that is not public")
            return _Timed(stream, self)
        raise httpcore.ConnectError("cannot be reached")

    @property
    def left(self) -> float:
        """Seconds; raises where there are none. Whoever sends without a pause never makes a read wait."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise httpcore.TimeoutException
        return left

    def connect_unix_socket(self, *_args: Any, **_kwargs: Any) -> httpcore.NetworkStream:
        raise _Blocked("is a local socket")

    def sleep(self, seconds: float) -> None:
        time.sleep(min(seconds, self.left))


class _Timed(httpcore.NetworkStream):
    """A stream whose every operation has only the time that is left."""

    def __init__(self, stream: httpcore.NetworkStream, line: _Line) -> None:
        self._stream, self._line = stream, line

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002  the deadline counts
        return self._stream.read(max_bytes, self._line.left)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002  the deadline counts
        self._line.wrote = True
        self._stream.write(buffer, self._line.left)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: Any,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002  the deadline counts
    ) -> httpcore.NetworkStream:
        return _Timed(self._stream.start_tls(ssl_context, server_hostname, self._line.left), self._line)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Transport(httpx.BaseTransport):
    """httpx on top of our own line. Verification of certificates is always on."""

    def __init__(self, line: _Line) -> None:
        self._line = line
        self._pool: httpcore.ConnectionPool | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        context = httpx.create_ssl_context(trust_env=False) if request.url.scheme == "https" else None
        self._pool = httpcore.ConnectionPool(
            ssl_context=context, network_backend=self._line, max_connections=1, max_keepalive_connections=0
        )
        url = httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        answer = self._pool.handle_request(
            httpcore.Request(request.method, url, headers=request.headers.raw, extensions=request.extensions)
        )
        assert isinstance(answer.stream, Iterable)  # noqa: S101  the synchronous pool gives no other
        return httpx.Response(
            answer.status, headers=answer.headers, stream=_Body(answer.stream), extensions=answer.extensions
        )

    def close(self) -> None:
        if self._pool is not None:
            self._pool.close()


class _Body(httpx.SyncByteStream):
    """The body as httpcore gives it."""

    def __init__(self, stream: Iterable[bytes]) -> None:
        self._stream = stream

    def __iter__(self) -> Any:
        return iter(self._stream)

    def close(self) -> None:
        if hasattr(self._stream, "close"):
            self._stream.close()
