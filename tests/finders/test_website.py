"""The company's own pages: what is there to be found is found, nothing is invented, the rules are kept."""

import socket
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from outreach.core.ports import Answer, Candidate, FinderTools, LookupOutcome, Wanted, Web, WebAnswer
from outreach.core.records import AddressStatus
from outreach.finders.website import PAGES, REQUESTS, WebsiteFinder, make
from tests.fakes import FakeClock
from tests.web_servers import Response, Town, town

S = AddressStatus
ADA = Wanted(1, "Ada Testwell", "Acme", "acme.example", website="http://acme.example", company_id=1)
HOME = Response("<h1>Acme</h1><a href='/team'>Team</a> <a href='/contact'>Contact</a> <a href='/blog/1'>Blog</a>")
TEAM = Response(
    "<div><h3>Ada Testwell</h3><p>CEO</p><p>ada.testwell [at] acme [dot] example</p></div>"
    "<div><h3>Bo Quill</h3><p>CTO</p><p>bo@acme.example</p></div>"
)
CONTACT = Response("<p>Write to <a href='mailto:hello@acme.example'>us</a>; our lawyers: quill@lawyers.example</p>")
SITE = {"/": HOME, "/team": TEAM, "/contact": CONTACT, "/blog/1": Response("guest: ada@guest.example")}


class Diary:
    """A web that notes what it is asked, and when by the clock of the visit."""

    def __init__(self, web: Web, clock: FakeClock) -> None:
        self._web, self._clock = web, clock
        self.asked: list[tuple[datetime, str]] = []

    def get(self, url: str, *, headers: Mapping[str, str], seconds: float, limit: int) -> WebAnswer:
        self.asked.append((self._clock.now(), url))
        return self._web.get(url, headers=headers, seconds=seconds, limit=limit)


class Visit:
    """A finder, its clock, and a visit that was made."""

    def __init__(self, here: Town, wanted: Wanted = ADA) -> None:
        self.clock = FakeClock()
        self.diary = Diary(here.web("outreach/1 (+mailto:me@me.example)"), self.clock)
        self.finder: WebsiteFinder = make(FinderTools(self.diary, self.clock, str))
        self.began = self.clock.now()
        (question,) = self.finder.questions(wanted)
        self.answer: Answer = self.finder.ask(question)
        self.candidates: Sequence[Candidate] = self.finder.read(wanted, self.answer.data)

    @property
    def urls(self) -> list[str]:
        return [url for _, url in self.diary.asked]

    @property
    def gaps(self) -> list[timedelta]:
        """How long each request waited after the one before."""
        return [later - earlier for (earlier, _), (later, _) in pairwise(self.diary.asked)]

    @property
    def found(self) -> dict[str, AddressStatus]:
        return {each.address: each.status for each in self.candidates}


def test_the_founders_address_and_the_companys_inbox_are_found() -> None:
    with town(acme=SITE) as here:
        visit = Visit(here)
        assert visit.found == {"ada.testwell@acme.example": S.VERIFIED, "hello@acme.example": S.VERIFIED}
        mine, desk = visit.candidates
        assert (mine.of_company, desk.of_company) == (False, True)
        assert mine.evidence[0] == "stands on http://acme.example/team (spelled out on the page)"
        assert visit.answer.calls == 4


def test_the_same_visit_serves_the_colleagues() -> None:
    bo = Wanted(2, "Bo Quill", "Acme", "acme.example", colleagues=("Ada Testwell",))
    with town(acme=SITE) as here:
        visit = Visit(here)
        (mine, *_) = visit.finder.read(bo, visit.answer.data)
        assert (mine.address, mine.status) == ("bo@acme.example", S.VERIFIED)
        assert "beside the name" in mine.evidence[1]


def test_the_visitor_is_polite() -> None:
    with town(acme=SITE) as here:
        visit = Visit(here)
        assert here.paths("acme.example") == ["/robots.txt", "/", "/team", "/contact"]
        assert (visit.clock.now() - visit.began).total_seconds() >= len(here.asked) - 1
        assert {each.headers["User-Agent"] for each in here.asked} == {"outreach/1 (+mailto:me@me.example)"}


def test_at_most_five_pages_are_read() -> None:
    links = "".join(f"<a href='/team/{number}'>x</a>" for number in range(50))
    pages = {"/": Response(links)} | {f"/team/{number}": Response("x") for number in range(50)}
    with town(acme=pages) as here:
        visit = Visit(here)
        assert len(here.asked) == PAGES + 1
        assert len(visit.answer.data["pages"]) == PAGES


@pytest.mark.parametrize(
    ("robots", "visited"),
    [
        (Response("User-agent: *\nDisallow: /"), []),
        (Response("User-agent: outreach\nDisallow: /"), []),
        (Response("User-agent: *\nDisallow: /team"), ["/", "/contact"]),
        (Response("no", 403), ["/", "/team", "/contact"]),
        (Response("oops", 500), []),
        (Response("busy", 429), []),
        (Response("", 302, {"Location": "http://evil.example/robots.txt"}), []),
        (Response("", 302, {"Location": "/robots.txt"}), ["/robots.txt"] * 3),
    ],
)
def test_robots_txt_is_obeyed(robots: Response, visited: list[str]) -> None:
    with town(acme={**SITE, "/robots.txt": robots}) as here:
        Visit(here)
        assert here.paths("acme.example")[1:] == visited
        assert here.paths("evil.example") == []


def test_a_site_that_asks_for_more_time_gets_it() -> None:
    with town(acme={**SITE, "/robots.txt": Response("User-agent: *\nCrawl-delay: 7")}) as here:
        visit = Visit(here)
        assert (visit.clock.now() - visit.began).total_seconds() >= 21


DESKS = ("privacy", "jobs", "noreply", "webmaster", "datenschutz", "press", "kontakt")


def mail_link(local: str) -> str:
    return f"<a href='mailto:{local}@acme.example'>mail</a>"


@pytest.mark.parametrize(
    ("page", "found"),
    [
        ("<p>bo@acme.example</p>", {}),
        ("<p>adam.testwell@acme.example</p>", {}),
        ("<p>ada.testwell@other.example</p>", {}),
        ("<p>ada@acme.example</p>", {"ada@acme.example": S.RISKY}),
        ("<p>Ada Testwell, ada@acme.example</p>", {"ada@acme.example": S.VERIFIED}),
        ("<p>Ada Testwell ada.testwell@gmail.com</p>", {"ada.testwell@gmail.com": S.RISKY}),
        ("<p>Ada Testwell is at acme.example</p>", {}),
        ("<p style='display:none'>ada.testwell@acme.example</p>", {}),
        ("<!-- ada.testwell@acme.example -->", {}),
        ("<script>x='ada.testwell'+'@'+'acme.example'</script>", {"ada.testwell@acme.example": S.VERIFIED}),
        ("<p>ada.testwell@mail.acme.example</p>", {"ada.testwell@mail.acme.example": S.VERIFIED}),
        ("<p>info@acme.example, info@other.example</p>", {"info@acme.example": S.VERIFIED}),
        ("<p>photo: ada.testwell@2x.png</p>", {}),
        ("<p>a.testwell@acme.example</p>", {"a.testwell@acme.example": S.VERIFIED}),
        ("<p>Anna Testwell, CFO: a.testwell@acme.example</p>", {}),
        ("<p>Ada Testwell, CEO</p><p>Bo Testwell, CTO: testwell@acme.example</p>", {}),
        (f"<li>Ada Testwell {mail_link('at')}<li>Ada Brightly {mail_link('ada')}", {}),
        ("<p>Ada Testwell, ada@acme.example</p><p>Ada Brightly, ada@acme.example</p>", {}),
        ("<p>ada@acme.example</p><p>our CEO: Ada Testwell, ada@acme.example</p>", {"ada@acme.example": S.VERIFIED}),
        ("<p>Ada Testwell made this site: webmaster@agency.example, ada@agency.example</p>", {}),
        ("<p>Ada Testwell: atestwell@other.example</p>", {"atestwell@other.example": S.RISKY}),
        ("".join(f"<p>{desk}@acme.example" for desk in DESKS), {"kontakt@acme.example": S.VERIFIED}),
        (
            "<a href='mailto:ada.testwell@acme.example?subject=Hello&cc=bo@acme.example'>Ada</a>",
            {"ada.testwell@acme.example": S.VERIFIED},
        ),
        ("<a style='display:none' href='mailto:ada.testwell@acme.example'>trap</a>", {}),
    ],
)
def test_what_a_page_says_and_what_it_does_not(page: str, found: dict[str, AddressStatus]) -> None:
    with town(acme={"/": Response(page)}) as here:
        assert Visit(here).found == found


def test_a_colleague_with_the_same_first_name_keeps_her_address() -> None:
    wanted = Wanted(1, "Ada Testwell", "Acme", "acme.example", "http://acme.example", colleagues=("Ada Brightly",))
    with town(acme={"/": Response("<p>ada@acme.example</p><p>ada.brightly@acme.example</p>")}) as here:
        assert Visit(here, wanted).found == {}


def moved(to: str) -> Response:
    return Response("", 302, {"Location": to})


ALLOWED = Response("User-agent: *\nDisallow: /private")


def test_every_hop_waits_its_turn_and_obeys_the_host_it_goes_to() -> None:
    with town(acme={}) as here:
        here.pages["acme.example"] = {"/robots.txt": ALLOWED, "/": moved("http://www.acme.example/a")}
        here.pages["www.acme.example"] = {
            "/robots.txt": Response("User-agent: *\nCrawl-delay: 4"),
            "/a": moved("http://app.acme.example/home"),
        }
        here.pages["app.acme.example"] = {"/robots.txt": ALLOWED, "/home": Response("ada.testwell@acme.example")}
        visit = Visit(here)
    assert visit.found == {"ada.testwell@acme.example": S.VERIFIED}
    assert visit.candidates[0].evidence[0].startswith("stands on http://app.acme.example/home ")
    assert visit.urls == [
        "http://acme.example/robots.txt", "http://acme.example/",
        "http://www.acme.example/robots.txt", "http://www.acme.example/a",
        "http://app.acme.example/robots.txt", "http://app.acme.example/home",
    ]  # fmt: skip
    assert [gap.total_seconds() for gap in visit.gaps] == [1, 1, 4, 4, 4]
    assert visit.answer.calls == len(visit.urls)


@pytest.mark.parametrize("path", ["/private", "/team"])
def test_a_redirect_is_no_way_round_robots_txt(path: str) -> None:
    with town(acme={}) as here:
        here.pages["acme.example"] = {
            "/robots.txt": ALLOWED, "/": HOME, "/team": moved("http://www.acme.example/team"), "/contact": moved(path),
            "/private": Response("ada.testwell@acme.example"),
        }  # fmt: skip
        here.pages["www.acme.example"] = {
            "/robots.txt": Response("User-agent: outreach\nDisallow: /"),
            "/team": Response("ada.testwell@acme.example"),
        }
        visit = Visit(here)
        assert visit.found == {}
        assert here.paths("www.acme.example") == ["/robots.txt"]
        assert "/private" not in here.paths("acme.example")


def test_a_robots_txt_that_moved_speaks_for_both_hosts_and_is_read_once() -> None:
    with town(acme={}) as here:
        here.pages["acme.example"] = {
            "/robots.txt": moved("http://www.acme.example/robots.txt"), "/": moved("http://www.acme.example/"),
        }  # fmt: skip
        here.pages["www.acme.example"] = {**SITE, "/robots.txt": Response("User-agent: *\nDisallow: /team")}
        visit = Visit(here)
        assert here.paths("acme.example") == ["/robots.txt", "/"]
        assert here.paths("www.acme.example") == ["/robots.txt", "/", "/contact"]
        assert visit.found == {"hello@acme.example": S.VERIFIED}


ASTRAY = [
    "http://169.254.169.254/latest/meta-data/", "http://[::1]/", "http://127.0.0.1/", "http://localhost/",
    "http://[::ffff:169.254.169.254]/", "http://evil.example/", "https://acme.example:8443/", "ftp://acme.example/",
    "//evil.example/", "http://[bad/", "http://acme.example.evil.example/", "http://acme.example@evil.example/",
    "http://inside.acme.example/", "http://meta.acme.example/", "javascript:alert(1)", "", "http://acme.example:x/",
    "http://\x7f/", f"http://acme.example/{70_000 * 'a'}", "mailto:ada@acme.example",
]  # fmt: skip


@pytest.mark.parametrize("location", ASTRAY)
@pytest.mark.parametrize("path", ["/", "/team", "/robots.txt"])
def test_a_redirect_to_anywhere_else_is_not_followed(location: str, path: str) -> None:
    """Names of the site itself are no better: `inside` is on this machine, `meta` where clouds keep their secrets."""
    with town(acme={**SITE, path: moved(location)}, evil={"/": Response("ada.testwell@acme.example")}) as here:
        here.pages["localhost"] = {"/": Response("ada.testwell@acme.example")}
        here.elsewhere["inside.acme.example"] = [("127.0.0.1", 9)]
        here.elsewhere["meta.acme.example"] = [("::ffff:169.254.169.254", 80)]
        visit = Visit(here)
        assert visit.answer.outcome is (LookupOutcome.ANSWERED if path == "/team" else LookupOutcome.NOTHING)
        assert "ada.testwell@acme.example" not in visit.found
        assert {each.host for each in here.asked} <= {"acme.example"}


def test_a_name_that_leads_elsewhere_at_the_next_hop_is_not_followed() -> None:
    """Rebinding between two hops: the second answer of the name server is checked like the first."""
    with town(acme={"/": moved("/home"), "/home": Response("secret")}) as here:
        answers = [[("127.0.0.1", here.port)]] * 2 + [[("127.0.0.1", 80)]] * 9
        web = here.web()
        turned = type(web)("agent", lambda _host, _port: answers.pop(0), web.trusted)
        finder = make(FinderTools(turned, FakeClock(), str))
        answer = finder.ask(finder.questions(ADA)[0])
        assert (answer.outcome, answer.text) == (
            LookupOutcome.NOTHING, "acme.example leads to an address that is not public",
        )  # fmt: skip
        assert [each.path for each in here.asked] == ["/robots.txt", "/"]


def test_a_circle_is_left_after_three_hops() -> None:
    with town(acme={"/": moved("/a"), "/a": moved("/b"), "/b": moved("/a")}) as here:
        visit = Visit(here)
        assert here.paths("acme.example") == ["/robots.txt", "/", "/a", "/b", "/a"]
        assert (visit.answer.outcome, visit.answer.text) == (
            LookupOutcome.NOTHING, "acme.example redirects in circles",
        )  # fmt: skip


def test_a_maze_is_left_after_twelve_requests() -> None:
    links = "".join(f"<a href='/team/{number}'>x</a>" for number in range(9))
    maze = {f"/team/{number}": moved(f"/team/{number}0") for number in range(900)}
    with town(acme={"/": Response(f"{links}<p>ada.testwell@acme.example</p>"), **maze}) as here:
        visit = Visit(here)
        assert len(here.asked) == visit.answer.calls == REQUESTS
        assert visit.found == {"ada.testwell@acme.example": S.VERIFIED}
        assert visit.finder.questions(ADA)[0].calls == REQUESTS


@pytest.mark.parametrize(
    ("site", "outcome"),
    [
        ({"/": Response(b"\x1f\x8b" + bytes(1000), headers={"Content-Encoding": "gzip"})}, LookupOutcome.UNREACHABLE),
        ({"/": Response(raw=b"SMTP?\r\n")}, LookupOutcome.UNREACHABLE),
        ({"/": Response("gone", 410)}, LookupOutcome.NOTHING),
        ({"/": Response("not for you", 403)}, LookupOutcome.NOTHING),
        ({"/": Response("busy", 503)}, LookupOutcome.UNREACHABLE),
        ({"/": Response("too much", 429)}, LookupOutcome.UNREACHABLE),
        ({"/robots.txt": Response("oops", 500)}, LookupOutcome.UNREACHABLE),
        ({"/robots.txt": Response("User-agent: *\nDisallow: /")}, LookupOutcome.NOTHING),
    ],
)
def test_a_site_that_says_nothing_gives_nothing(site: dict[str, Response], outcome: LookupOutcome) -> None:
    with town(acme=site) as here:
        visit = Visit(here)
        assert (visit.answer.outcome, visit.found) == (outcome, {})
        assert visit.answer.text.startswith("acme.example ")
        assert len(here.asked) <= 2


def test_a_site_that_is_down_is_unreachable_and_a_machine_without_a_network_is_no_sign() -> None:
    def lost(_host: str, _port: int) -> list[tuple[str, int]]:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    assert Visit(Town()).answer.outcome is LookupOutcome.UNREACHABLE
    offline = make(FinderTools(type(Town().web())("agent", lost), FakeClock(), str))
    answer = offline.ask(offline.questions(ADA)[0])
    assert (answer.outcome, "online" in answer.text) == (LookupOutcome.FAILED, True)


def test_an_endless_page_is_read_as_far_as_it_goes() -> None:
    start = "<p>ada.testwell@acme.example</p>"
    with town(acme={"/": Response(start, drip=b"<p>more</p>" * 5_000)}) as here:
        assert Visit(here).found == {"ada.testwell@acme.example": S.VERIFIED}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("<p>Ädä ada.testwell@acme.example</p>".encode("latin-1"), "text/html; charset=iso-8859-1"),
        ("<p>ada.testwell@acme.example</p>".encode("utf-16"), "text/html; charset=utf-16"),
        (b"<meta charset='windows-1252'><p>\x80 ada.testwell@acme.example</p>", "text/html"),
        (b"<p>\xff\xfe ada.testwell@acme.example</p>", "text/html; charset=base64"),
        (b"<p>ada.testwell@acme.example</p>", "text/html; charset=nonsense"),
    ],
)
def test_pages_in_any_encoding_are_read(body: bytes, kind: str) -> None:
    with town(acme={"/": Response(body, headers={"Content-Type": kind})}) as here:
        assert "ada.testwell@acme.example" in Visit(here).found


def test_a_page_in_a_codec_that_takes_minutes_is_not_read_by_it() -> None:
    """Punycode is no charset of pages, and takes quadratic time."""
    body = b"<p>ada.testwell@acme.example</p>" + b"a-" + b"ab1cd2" * 150_000
    with town(acme={"/": Response(body, headers={"Content-Type": "text/html; charset=punycode"})}) as here:
        assert "ada.testwell@acme.example" in Visit(here).found


def test_what_is_no_text_is_not_read() -> None:
    with town(
        acme={"/": Response(b"%PDF ada.testwell@acme.example", headers={"Content-Type": "application/pdf"})}
    ) as here:
        assert Visit(here).found == {}


@pytest.mark.parametrize("domain", ["linkedin.com", "crunchbase.com", "github.com", ""])
def test_some_sites_are_never_visited(domain: str) -> None:
    finder = make(FinderTools(Town().web(), FakeClock(), str))
    assert finder.questions(Wanted(1, "Ada Testwell", "Acme", domain, website=f"https://www.{domain}/company/x")) == ()


def test_a_website_that_is_none_is_left_for_the_domain() -> None:
    finder = make(FinderTools(Town().web(), FakeClock(), str))
    wanted = Wanted(1, "Ada Testwell", "Acme", "acme.example", website="http://[acme.example")
    assert finder.questions(wanted)[0].params["start"] == "acme.example"


def test_a_website_elsewhere_is_left_for_the_companys_own_domain() -> None:
    finder = make(FinderTools(Town().web(), FakeClock(), str))
    wanted = Wanted(1, "Ada Testwell", "Acme", "acme.example", website="https://www.linkedin.com/company/acme")
    assert finder.questions(wanted)[0].params["start"] == "acme.example"
