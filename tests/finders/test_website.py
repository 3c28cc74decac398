"""The company's own pages: what is there to be found is found, nothing is invented, the rules are kept."""

from collections.abc import Sequence

import pytest

from outreach.core.ports import Answer, Candidate, FinderTools, LookupOutcome, Wanted
from outreach.core.records import AddressStatus
from outreach.finders.website import PAGES, WebsiteFinder, make
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


class Visit:
    """A finder, its clock, and a visit that was made."""

    def __init__(self, here: Town, wanted: Wanted = ADA) -> None:
        self.clock = FakeClock()
        self.finder: WebsiteFinder = make(FinderTools(here.web("outreach/1 (+mailto:me@me.example)"), self.clock, str))
        self.began = self.clock.now()
        (question,) = self.finder.questions(wanted)
        self.answer: Answer = self.finder.ask(question)
        self.candidates: Sequence[Candidate] = self.finder.read(wanted, self.answer.data)

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
        Visit(here)
        assert len(here.asked) == PAGES + 1


@pytest.mark.parametrize(
    ("robots", "visited"),
    [
        (Response("User-agent: *\nDisallow: /"), []),
        (Response("User-agent: outreach\nDisallow: /"), []),
        (Response("User-agent: *\nDisallow: /team"), ["/", "/contact"]),
        (Response("no", 403), ["/", "/team", "/contact"]),
        (Response("oops", 500), []),
        (Response("", 302, {"Location": "http://evil.example/robots.txt"}), ["/", "/team", "/contact"]),
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
    ],
)
def test_what_a_page_says_and_what_it_does_not(page: str, found: dict[str, AddressStatus]) -> None:
    with town(acme={"/": Response(page)}) as here:
        assert Visit(here).found == found


def test_a_colleague_with_the_same_first_name_keeps_her_address() -> None:
    wanted = Wanted(1, "Ada Testwell", "Acme", "acme.example", "http://acme.example", colleagues=("Ada Brightly",))
    with town(acme={"/": Response("<p>ada@acme.example</p><p>ada.brightly@acme.example</p>")}) as here:
        assert Visit(here, wanted).found == {}


@pytest.mark.parametrize(
    ("site", "outcome"),
    [
        ({"/": Response("", 302, {"Location": "http://169.254.169.254/latest/"})}, LookupOutcome.NOTHING),
        ({"/": Response("", 302, {"Location": "http://[::1]/"})}, LookupOutcome.NOTHING),
        ({"/": Response("", 302, {"Location": "/"})}, LookupOutcome.NOTHING),
        ({"/": Response("", 302, {"Location": "http://evil.example/"})}, LookupOutcome.NOTHING),
        ({"/": Response(b"\x1f\x8b" + bytes(1000), headers={"Content-Encoding": "gzip"})}, LookupOutcome.FAILED),
        ({"/": Response(raw=b"SMTP?\r\n")}, LookupOutcome.FAILED),
        ({"/": Response("gone", 410)}, LookupOutcome.NOTHING),
        ({"/": Response("busy", 503)}, LookupOutcome.NOTHING),
    ],
)
def test_a_site_that_leads_astray_gives_nothing(site: dict[str, Response], outcome: LookupOutcome) -> None:
    with town(acme=site, evil={"/": Response("ada.testwell@acme.example")}) as here:
        visit = Visit(here)
        assert (visit.answer.outcome, visit.found) == (outcome, {})
        assert here.paths("evil.example") == []
        assert visit.answer.text


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


def test_what_is_no_text_is_not_read() -> None:
    with town(
        acme={"/": Response(b"%PDF ada.testwell@acme.example", headers={"Content-Type": "application/pdf"})}
    ) as here:
        assert Visit(here).found == {}


@pytest.mark.parametrize("domain", ["linkedin.com", "crunchbase.com", "github.com", ""])
def test_some_sites_are_never_visited(domain: str) -> None:
    finder = make(FinderTools(Town().web(), FakeClock(), str))
    assert finder.questions(Wanted(1, "Ada Testwell", "Acme", domain, website=f"https://www.{domain}/company/x")) == ()


def test_a_website_elsewhere_is_left_for_the_companys_own_domain() -> None:
    finder = make(FinderTools(Town().web(), FakeClock(), str))
    wanted = Wanted(1, "Ada Testwell", "Acme", "acme.example", website="https://www.linkedin.com/company/acme")
    assert finder.questions(wanted)[0].params["start"] == "acme.example"
