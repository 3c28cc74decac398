"""Reads a company's own pages: at most five, as a polite visitor, and takes an address only if it stands there.

Each request, every hop of a redirect among them, waits its turn, stays on the company's own site, and obeys the
robots.txt of the very host that it goes to.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urljoin, urlsplit

from outreach.core.address_patterns import fits
from outreach.core.headers import text_codec
from outreach.core.nearby import Whose, whose
from outreach.core.normalize import is_free_mail, is_role_inbox, registrable_domain
from outreach.core.pages import on_site, read_page, worth_reading
from outreach.core.ports import (
    Answer,
    Candidate,
    Clock,
    FinderTools,
    LookupOutcome,
    Question,
    Wanted,
    Web,
    WebAnswer,
    WebTrouble,
)
from outreach.core.records import AddressStatus
from outreach.core.robots import ALLOW_ALL, Robots, parse_robots
from outreach.core.urls import company_domain
from outreach.resources import words

PRODUCT = "outreach"
PAGES = 5
REQUESTS = 12
"""In one visit: pages, redirects and robots.txt together."""
SECONDS = 10.0
PAGE_BYTES = 1_000_000
_ROBOTS_BYTES = 500_000
_PAUSE = 1.0
_REDIRECTS = 3
_MOVED = (301, 302, 303, 307, 308)
_TEXT = ("text/html", "application/xhtml", "text/plain")


class WebsiteFinder:
    """The pages of a company's site."""

    name = "website"
    missing = ""

    def __init__(self, web: Web, clock: Clock) -> None:
        self._web, self._clock = web, clock

    def questions(self, wanted: Wanted) -> Sequence[Question]:
        # A shared host has no domain of the company's, so LinkedIn, Crunchbase and their like never get here.
        if not wanted.domain or company_domain(wanted.domain) != wanted.domain:
            return ()
        start = wanted.website if _is_on(_with_scheme(wanted.website), wanted.domain) else wanted.domain
        params = {"domain": wanted.domain, "start": start}
        return (
            Question(self.name, f"site {wanted.domain}", params, calls=REQUESTS, about=wanted.domain, needs_mail=False),
        )

    def ask(self, question: Question) -> Answer:
        return _Visit(self._web, self._clock, question.params["domain"]).make(question.params["start"])

    def read(self, wanted: Wanted, data: Mapping[str, Any]) -> Sequence[Candidate]:
        seen: dict[str, list[_Sighting]] = {}
        for page in data.get("pages", ()):
            for each in page["addresses"]:
                seen.setdefault(each["address"], []).append(_Sighting(page["url"], each["how"], each["near"]))
        found = [candidate for address, those in seen.items() if (candidate := _candidate(wanted, address, those))]
        return sorted(found, key=lambda each: (each.of_company, -each.confidence))


def make(tools: FinderTools) -> WebsiteFinder:
    return WebsiteFinder(tools.web, tools.clock)


# --- whose address it is ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Sighting:
    """Where an address stands, in which way, and among which words."""

    url: str
    how: str
    near: str


def _candidate(wanted: Wanted, address: str, seen: Sequence[_Sighting]) -> Candidate | None:
    """The address as this founder's, or the company's; None if it is somebody else's."""
    local, _, host = address.rpartition("@")
    here = registrable_domain(host) == wanted.domain
    if is_role_inbox(address):
        if not here or local not in words("front_desks.txt"):
            return None
        where = f"stands on {seen[0].url} ({seen[0].how})"
        return Candidate(address, AddressStatus.VERIFIED, 90, (where, "the company's shared inbox"), of_company=True)
    by_place = {whose(each.near, address, wanted.full_name, wanted.country): each for each in seen}
    mine = Whose.MINE in by_place and Whose.OTHERS not in by_place
    fit = fits(local, wanted.full_name, wanted.country)
    rivals = {fits(local, name) for name in wanted.colleagues} - {""}
    if not fit or address in wanted.taken or "strong" in rivals:
        return None
    if fit != "strong" and (Whose.OTHERS in by_place or (rivals and not mine)):
        return None
    place = by_place[Whose.MINE] if mine else seen[0]
    judged = _at_the_company(wanted.full_name, fit, mine) if here else _elsewhere(wanted.full_name, address, fit, mine)
    if judged is None:
        return None
    status, confidence, why = judged
    return Candidate(address, status, confidence, (f"stands on {place.url} ({place.how})", why))


_Judged = tuple[AddressStatus, int, str]


def _at_the_company(name: str, fit: str, mine: bool) -> _Judged:  # noqa: FBT001  private
    if fit == "strong":
        return AddressStatus.VERIFIED, 95, f"fits {name}"
    if mine:
        return AddressStatus.VERIFIED, 90 if fit == "initials" else 85, f"stands beside the name {name}"
    if fit == "initials":
        return AddressStatus.VERIFIED, 80, f"fits {name} with an initial"
    return AddressStatus.RISKY, 50, f"only one name of {name} shows in it: it may be a namesake's"


def _elsewhere(name: str, address: str, fit: str, mine: bool) -> _Judged | None:  # noqa: FBT001  private
    if (mine and fit != "weak") or (fit == "strong" and is_free_mail(address)):
        return AddressStatus.RISKY, 40, f"fits {name}, but is not at the company"
    return None


# --- the visit --------------------------------------------------------------------------------------


class _Visit:
    """One visit to one site."""

    def __init__(self, web: Web, clock: Clock, domain: str) -> None:
        self._web, self._clock, self._domain = web, clock, domain
        self._robots: dict[str, Robots | WebAnswer] = {}
        self._calls = 0
        self._pause = _PAUSE

    def make(self, start: str) -> Answer:
        first = _with_scheme(start)
        home = self._page(first)
        if home.trouble is WebTrouble.UNREACHABLE and not home.reached and first.startswith("https://"):
            home = self._page(first.replace("https://", "http://", 1))
        if home.trouble:
            return self._end(home)
        if home.status != 200:
            return self._end(_no_answer(home, f"answers {home.status} for its first page"))
        return self._walk(home)

    def _walk(self, home: WebAnswer) -> Answer:
        read = read_page(_text(home), home.url)
        pages, seen = [(home.url, read)], {_same(home.url)}
        for link in worth_reading(read.links, 4 * PAGES):
            if len(pages) >= PAGES:
                break
            if _same(link) in seen or _host(link) != _host(home.url):
                continue
            page = self._page(link)
            if page.trouble is None and page.status == 200 and _same(page.url) not in seen:
                pages.append((page.url, read_page(_text(page), page.url)))
            seen |= {_same(link), _same(page.url)}
        kept = [
            {"url": url, "addresses": [{"address": s.address, "how": s.how, "near": s.near} for s in each.addresses]}
            for url, each in pages
        ]
        return Answer(LookupOutcome.ANSWERED, {"pages": kept}, self._calls, text=f"{len(kept)} pages read")

    def _page(self, url: str) -> WebAnswer:
        """A page, if the robots.txt of every host on the way to it allows that."""
        return self._follow(url, PAGE_BYTES, self._forbidden)

    def _follow(self, url: str, limit: int, forbidden: Callable[[str], WebAnswer | None]) -> WebAnswer:
        """Ask, and ask again wherever the answer points to, on this site. Each hop is a request like any other."""
        for _ in range(_REDIRECTS + 1):
            if no := forbidden(url):
                return no
            answer = self._request(url, limit)
            if answer.trouble or answer.status not in _MOVED:
                return answer
            url = _target(url, answer)
            if not _is_on(url, self._domain):
                return WebAnswer(answer.url, trouble=WebTrouble.BLOCKED, reason="redirects to another site")
        return WebAnswer(url, trouble=WebTrouble.BLOCKED, reason="redirects in circles")

    def _forbidden(self, url: str) -> WebAnswer | None:
        """Why the host of this page does not want it to be fetched, or cannot say; None if it may be."""
        origin = _origin(url)
        if origin not in self._robots:
            self._robots[origin] = self._ask_robots(origin)
        robots = self._robots[origin]
        if isinstance(robots, WebAnswer):
            return robots
        return None if robots.allows(_path(url)) else WebAnswer(url, trouble=WebTrouble.BLOCKED, reason=_STAY_AWAY)

    def _ask_robots(self, origin: str) -> Robots | WebAnswer:
        """What robots.txt allows (RFC 9309 2.3.1), or why it cannot be known, which forbids everything. Where one host
        sends us to the file of another, both have said what they want."""
        passed: list[str] = []
        answer = self._follow(f"{origin}/robots.txt", _ROBOTS_BYTES, passed.append)
        found = _rules(answer)
        if isinstance(found, Robots):
            self._pause = max(self._pause, found.delay)
        for url in passed:
            if urlsplit(url).path == "/robots.txt":
                self._robots.setdefault(_origin(url), found)
        return found

    def _request(self, url: str, limit: int) -> WebAnswer:
        if self._calls >= REQUESTS:
            return WebAnswer(url, trouble=WebTrouble.BLOCKED, reason="leads from one page to the next without an end")
        if self._calls:
            self._clock.sleep(self._pause)
        self._calls += 1
        return self._web.get(url, headers={"Accept": "text/html"}, seconds=SECONDS, limit=limit)

    def _end(self, answer: WebAnswer) -> Answer:
        """A site that was not visited. One that leads where we do not go is left alone like one that has answered."""
        outcome = _ENDS.get(answer.trouble or WebTrouble.BLOCKED, LookupOutcome.UNREACHABLE)
        return Answer(outcome, calls=self._calls, text=f"{self._domain} {answer.reason}")


_ENDS = {WebTrouble.BLOCKED: LookupOutcome.NOTHING, WebTrouble.OFFLINE: LookupOutcome.FAILED}
_STAY_AWAY = "asks programs to stay away (robots.txt)"


def _rules(answer: WebAnswer) -> Robots | WebAnswer:
    if answer.trouble is WebTrouble.BLOCKED and answer.reached:
        return replace(answer, reason=f"{answer.reason} for its robots.txt")
    if answer.trouble:
        return answer
    if answer.status == 200:
        return parse_robots(answer.body.decode("utf-8", "replace"), PRODUCT)
    if _is_passing(answer.status):
        return _no_answer(answer, f"answers {answer.status} for its robots.txt")
    return ALLOW_ALL


def _no_answer(answer: WebAnswer, reason: str) -> WebAnswer:
    """A status that says that there is no page: for now, or at all."""
    trouble = WebTrouble.UNREACHABLE if _is_passing(answer.status) else WebTrouble.BLOCKED
    return replace(answer, trouble=trouble, reason=reason)


def _is_passing(status: int) -> bool:
    return status >= 500 or status == 429


def _target(url: str, answer: WebAnswer) -> str:
    try:
        return urljoin(url, answer.headers.get("location", "")).partition("#")[0]
    except ValueError:
        return ""


def _is_on(url: str, domain: str) -> bool:
    try:
        return on_site(url, domain)
    except ValueError:
        return False


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").removeprefix("www.")


def _same(url: str) -> str:
    """What is the same page for a visitor: with or without `www.`, a final slash, and TLS."""
    return f"{_host(url)}{_path(url)}".rstrip("/")


def _with_scheme(url: str) -> str:
    whole = url if url.lower().startswith(("http://", "https://")) else f"https://{url}"
    return whole if "/" in whole.partition("://")[2] else f"{whole}/"


def _path(url: str) -> str:
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _text(page: WebAnswer) -> str:
    """The page as characters; empty for what is no text."""
    kind = page.headers.get("content-type", "text/html").lower()
    if not kind.startswith(_TEXT):
        return ""
    return page.body.decode(_charset(kind, page.body[:2_000]), "replace")


def _charset(kind: str, head: bytes) -> str:
    named = kind.partition("charset=")[2].strip(" \"';") or _meta_charset(head)
    return text_codec(named) or "utf-8"


def _meta_charset(head: bytes) -> str:
    text = head.decode("ascii", "ignore").lower()
    return text.partition("charset=")[2][:30].strip(" \"'").partition('"')[0].partition("'")[0].partition(">")[0]
