"""The one door to the web: it leads to public addresses only, takes no more than was promised, and waits no longer."""

import resource
import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from outreach.core.ports import WebAnswer, WebTrouble
from outreach.webclient import Endpoint, GuardedWeb, is_public
from tests.servers import make_authority
from tests.web_servers import HOST, Asked, Response, Town, http_server, town


def get(web: GuardedWeb, url: str, *, seconds: float = 30.0, limit: int = 100_000) -> WebAnswer:
    return web.get(url, headers={}, seconds=seconds, limit=limit)


NOT_PUBLIC = [
    "0.0.0.0",  # noqa: S104  it is there to be refused
    "0.1.2.3", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.8.8.8", "169.254.169.254", "172.16.0.1",
    "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "203.0.113.9", "224.0.0.1", "240.0.0.1",
    "255.255.255.255", "::", "::1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::7f00:1", "64:ff9b::7f00:1",
    "64:ff9b:1::1", "100::1", "2001:0:4136:e378::1", "2001:db8::1", "2002:7f00:1::", "fc00::1", "fd12::1", "fe80::1",
    "fe80::1%eth0", "fec0::1", "ff02::1",
]  # fmt: skip


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_that_is_not_public_is_not_connected_to(address: str) -> None:
    def resolve(_host: str, port: int) -> list[Endpoint]:
        return [(address, port)]

    answer = get(GuardedWeb("agent", resolve), "http://acme.example/")
    assert (answer.trouble, answer.reached) == (WebTrouble.BLOCKED, False)
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "8.8.8.8", "2606:2800:220:1::1", "::ffff:8.8.8.8"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "①②⑦.0.0.1", "localhost", "[::1]",
        "[::ffff:7f00:1]",
    ],
)  # fmt: skip
def test_every_spelling_of_this_machine_is_refused(host: str) -> None:
    """With the resolver of this machine, while a server listens."""
    asked: list = []  # type: ignore[type-arg]  # of requests, of which there must be none
    with http_server(lambda _request: Response("secret"), asked):
        answer = get(GuardedWeb("agent"), f"http://{host}/")
    assert answer.trouble in (WebTrouble.BLOCKED, WebTrouble.UNREADABLE)
    assert not answer.reached
    assert asked == []


@pytest.mark.parametrize(
    "url",
    ["http://acme.example:8080/", "https://acme.example:80/", "ftp://acme.example/", "file:///etc/passwd", "x", ""],
)
def test_other_ports_and_schemes_are_refused(url: str) -> None:
    with town(acme={"/": Response("x")}) as here:
        assert get(here.web(), url).trouble in (WebTrouble.BLOCKED, WebTrouble.UNREADABLE)
        assert here.asked == []


def test_a_trusted_endpoint_is_that_port_only() -> None:
    with town(acme={"/": Response("x")}) as here, http_server(lambda _request: Response("secret")) as other:
        here.elsewhere["other.example"] = [(HOST, other)]
        assert get(here.web(), "http://acme.example/").body == b"x"
        assert get(here.web(), "http://other.example/").trouble is WebTrouble.BLOCKED


def test_a_name_that_changes_its_mind_leads_nowhere_else() -> None:
    """Rebinding: the address that was checked is the one connected to; the resolver is asked once for each request."""
    with town(acme={"/": Response("hello")}) as here, http_server(lambda _request: Response("secret")) as inside:
        answers = [[(HOST, here.port)], [(HOST, inside)], [("169.254.169.254", 80)]]
        calls: list[str] = []

        def resolve(host: str, _port: int) -> list[Endpoint]:
            calls.append(host)
            return answers[len(calls) - 1]

        web = GuardedWeb("agent", resolve, frozenset({(HOST, here.port)}))
        assert get(web, "http://acme.example/").body == b"hello"
        assert len(calls) == 1
        assert get(web, "http://acme.example/").trouble is WebTrouble.BLOCKED
        assert get(web, "http://acme.example/").trouble is WebTrouble.BLOCKED


def test_no_redirect_is_followed() -> None:
    with town(acme={"/": Response("", 302, {"Location": "/home"}), "/home": Response("x")}) as here:
        answer = get(here.web(), "http://acme.example/")
        assert (answer.status, answer.headers["location"]) == (302, "/home")
        assert here.paths("acme.example") == ["/"]


def test_a_gzip_bomb_stays_a_parcel() -> None:
    """A gigabyte of zeros would be a megabyte on the wire: it is refused by its label, and not opened."""
    bomb = b"\x1f\x8b\x08" + bytes(1_000_000)
    with town(acme={"/": Response(bomb, headers={"Content-Encoding": "gzip"})}) as here:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        answer = get(here.web(), "http://acme.example/")
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert answer.trouble is WebTrouble.UNREADABLE
    assert grown < 20_000  # kB
    assert here.asked[0].headers["Accept-Encoding"] == "identity"


def test_an_endless_page_is_cut_at_the_limit() -> None:
    with town(acme={"/": Response(drip=b"x" * 50_000)}) as here:
        answer = get(here.web(), "http://acme.example/", limit=200_000, seconds=10)
    assert (answer.status, len(answer.body)) == (200, 200_000)


@pytest.mark.parametrize(
    "response",
    [Response("late", stall=90), Response(drip=b".", pause=0.1), Response(raw=b"HTTP/1.1 200 OK\r\nX: y")],
)
def test_no_wait_lasts_beyond_the_deadline(response: Response) -> None:
    with town(acme={"/": response}) as here:
        answer = get(here.web(), "http://acme.example/", seconds=0.5)
    assert answer.trouble in (WebTrouble.TIMEOUT, WebTrouble.UNREADABLE)
    assert answer.reached


def test_a_server_that_says_go_on_for_ever_is_left() -> None:
    stop = threading.Event()
    with socket.create_server((HOST, 0)) as door:

        def prattle() -> None:
            with door.accept()[0] as guest, suppress(OSError):
                while not stop.is_set():
                    guest.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 50)

        server = threading.Thread(target=prattle)
        server.start()
        here = (HOST, int(door.getsockname()[1]))
        web = GuardedWeb("agent", lambda _host, _port: [here], frozenset({here}))
        answers: list[WebAnswer] = []
        visitor = threading.Thread(target=lambda: answers.append(get(web, "http://acme.example/", seconds=0.5)))
        visitor.start()
        visitor.join(20)
        stop.set()
        server.join()
        visitor.join()
    assert [answer.trouble for answer in answers] == [WebTrouble.TIMEOUT]


@pytest.mark.parametrize("raw", [b"SSH-2.0-OpenSSH\r\n", b"\x00\x01\x02\r\n\r\n", b"HTTP/9.9 what\r\n\r\n"])
def test_what_is_no_http_is_said_to_be_none(raw: bytes) -> None:
    with town(acme={"/": Response(raw=raw)}) as here:
        assert get(here.web(), "http://acme.example/").trouble is WebTrouble.UNREADABLE


def test_who_cannot_be_reached_got_nothing() -> None:
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = int(free.getsockname()[1])
    web = GuardedWeb("agent", lambda _host, _port: [(HOST, port)], frozenset({(HOST, port)}))
    answer = get(web, "http://acme.example/")
    assert (answer.trouble, answer.reached) == (WebTrouble.UNREACHABLE, False)
    assert get(Town().web(), "http://nowhere.example/").trouble is WebTrouble.UNREACHABLE


def test_a_machine_without_a_network_is_not_taken_for_a_host_that_is_gone() -> None:
    def resolve(_host: str, _port: int) -> list[Endpoint]:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    answer = get(GuardedWeb("agent", resolve), "http://acme.example/")
    assert (answer.trouble, answer.reached) == (WebTrouble.OFFLINE, False)


def test_the_environment_has_no_say(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    with town(acme={"/": Response("hello")}) as here:
        assert get(here.web(), "http://acme.example/").body == b"hello"


def test_a_certificate_of_nobody_knows_whom_is_not_taken(tmp_path: Path) -> None:
    """Over TLS the request is not even sent; a server that cannot be trusted is not asked in clear text instead."""
    authority = make_authority(tmp_path, "acme.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.certificate, authority.key)
    asked: list[Asked] = []
    with http_server(lambda _request: Response("secret"), asked, tls=context) as port:
        web = GuardedWeb("agent", lambda _host, _port: [(HOST, port)], frozenset({(HOST, port)}))
        answer = get(web, "https://acme.example/")
    assert (answer.trouble, answer.reason) == (WebTrouble.UNREADABLE, "has no valid certificate")
    assert not answer.reached
    assert asked == []
