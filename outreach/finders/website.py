"""Reads a company's own pages: at most five, as a polite visitor, and takes an address only if it stands there.

robots.txt is obeyed, one request a second is made, nothing but the company's own site is visited.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from outreach.core.address_patterns import fits
from outreach.core.names import parse_name
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
from outreach.core.robots import ALLOW_ALL, ALLOW_NONE, Robots, parse_robots
from outreach.core.spellings import spellings
from outreach.core.urls import company_domain

PRODUCT = "outreach"
PAGES = 5
SECONDS = 10.0
PAGE_BYTES = 1_000_000
_ROBOTS_BYTES = 500_000
_PAUSE = 1.0
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
        start = wanted.website if on_site(_with_scheme(wanted.website), wanted.domain) else wanted.domain
        params = {"domain": wanted.domain, "start": start}
        return (
            Question(
                self.name, f"site {wanted.domain}", params, calls=PAGES + 1, about=wanted.domain, needs_mail=False
            ),
        )

    def ask(self, question: Question) -> Answer:
        return _Visit(self._web, self._clock, question.params["domain"]).make(question.params["start"])

    def read(self, wanted: Wanted, data: Mapping[str, Any]) -> Sequence[Candidate]:
        found: dict[str, Candidate] = {}
        for page in data.get("pages", ()):
            for seen in page["addresses"]:
                candidate = _candidate(wanted, page["url"], seen["address"], seen["how"], seen["near"])
                if candidate and candidate.confidence > found.get(seen["address"], _NOBODY).confidence:
                    found[seen["address"]] = candidate
        return sorted(found.values(), key=lambda each: (each.of_company, -each.confidence))


def make(tools: FinderTools) -> WebsiteFinder:
    return WebsiteFinder(tools.web, tools.clock)


# --- whose address it is ----------------------------------------------------------------------------

_NOBODY = Candidate("", AddressStatus.UNKNOWN, -1, ())


def _candidate(wanted: Wanted, url: str, address: str, how: str, near: str) -> Candidate | None:
    """The address as this founder's, or the company's; None if it is somebody else's."""
    local, _, host = address.rpartition("@")
    here = registrable_domain(host) == wanted.domain
    where = f"stands on {url} ({how})"
    if here and is_role_inbox(address):
        return Candidate(address, AddressStatus.VERIFIED, 90, (where, "the company's shared inbox"), of_company=True)
    fit = fits(local, wanted.full_name, wanted.country)
    if not fit or address in wanted.taken or any(fits(local, name) == "strong" for name in wanted.colleagues):
        return None
    named = _is_named(wanted.full_name, wanted.country, near)
    if here and (fit == "strong" or named):
        why = f"fits {wanted.full_name}" if fit == "strong" else f"stands beside the name {wanted.full_name}"
        return Candidate(address, AddressStatus.VERIFIED, 95 if fit == "strong" else 85, (where, why))
    if here and not any(fits(local, name) for name in wanted.colleagues):
        doubt = f"only one name of {wanted.full_name} shows in it: it may be a namesake's"
        return Candidate(address, AddressStatus.RISKY, 50, (where, doubt))
    if fit == "strong" and (named or is_free_mail(address)):
        doubt = f"fits {wanted.full_name}, but is not at the company"
        return Candidate(address, AddressStatus.RISKY, 40, (where, doubt))
    return None


def _is_named(name: str, country: str, near: str) -> bool:
    """Whether the words around an address name this person in full."""
    around = set(parse_name(near[:190]).words) | {each.key for each in map(parse_name, near.split()[:60])}
    if set(parse_name(name).words) <= around and len(parse_name(name).words) > 1:
        return True
    return any(way.last and {way.first, way.last} <= around for way in spellings(name, country))


# --- the visit --------------------------------------------------------------------------------------


class _Visit:
    """One visit to one site."""

    def __init__(self, web: Web, clock: Clock, domain: str) -> None:
        self._web, self._clock, self._domain = web, clock, domain
        self._calls = 0
        self._pause = _PAUSE

    def make(self, start: str) -> Answer:
        first = _with_scheme(start)
        robots, trouble = self._robots(first)
        if trouble and trouble.trouble is WebTrouble.UNREACHABLE and first.startswith("https://"):
            first = first.replace("https://", "http://", 1)
            robots, trouble = self._robots(first)
        if trouble:
            return self._end(trouble)
        if not robots.allows(_path(first)):
            return self._answer([], "its robots.txt asks programs to stay away")
        home = self._get(first)
        if home.trouble or home.status != 200:
            return self._end(home) if home.trouble else self._answer([], f"its first page answers {home.status}")
        return self._walk(home, robots)

    def _walk(self, home: WebAnswer, robots: Robots) -> Answer:
        read = read_page(_text(home), home.url)
        pages = [(home.url, read)]
        wanted = [link for link in worth_reading(read.links, 4 * PAGES) if robots.allows(_path(link))]
        seen = {home.url.rstrip("/")}
        for link in wanted:
            if len(pages) >= PAGES:
                break
            if link.rstrip("/") in seen or urlsplit(link).netloc != urlsplit(home.url).netloc:
                continue
            seen.add(link.rstrip("/"))
            page = self._get(link)
            if page.trouble is None and page.status == 200 and robots.allows(_path(page.url)):
                pages.append((page.url, read_page(_text(page), page.url)))
        kept = [
            {"url": url, "addresses": [{"address": s.address, "how": s.how, "near": s.near} for s in each.addresses]}
            for url, each in pages
        ]
        return self._answer(kept, f"{len(kept)} pages read")

    def _robots(self, url: str) -> tuple[Robots, WebAnswer | None]:
        """What robots.txt allows (RFC 9309 2.3.1), or why the site cannot be visited."""
        parts = urlsplit(url)
        answer = self._get(f"{parts.scheme}://{parts.netloc}/robots.txt", limit=_ROBOTS_BYTES)
        if answer.trouble is WebTrouble.BLOCKED and answer.reached:
            return ALLOW_ALL, None  # it redirects elsewhere: there is no robots.txt here
        if answer.trouble:
            return ALLOW_NONE, answer
        if answer.status == 200:
            robots = parse_robots(answer.body.decode("utf-8", "replace"), PRODUCT)
            self._pause = max(_PAUSE, robots.delay)
            return robots, None
        return (ALLOW_NONE if answer.status >= 500 or answer.status == 429 else ALLOW_ALL), None

    def _get(self, url: str, limit: int = PAGE_BYTES) -> WebAnswer:
        if self._calls:
            self._clock.sleep(self._pause)
        self._calls += 1
        return self._web.get(url, headers={"Accept": "text/html"}, seconds=SECONDS, limit=limit, site=self._domain)

    def _end(self, answer: WebAnswer) -> Answer:
        """A site that cannot be visited. One that leads where we do not go is not tried again for a month."""
        gone = answer.trouble is WebTrouble.BLOCKED
        return Answer(
            LookupOutcome.NOTHING if gone else LookupOutcome.FAILED,
            calls=self._calls,
            text=f"{self._domain} {answer.reason}",
        )

    def _answer(self, pages: Sequence[Mapping[str, Any]], text: str) -> Answer:
        outcome = LookupOutcome.ANSWERED if pages else LookupOutcome.NOTHING
        return Answer(outcome, {"pages": list(pages)}, self._calls, text=text)


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
    try:
        b"x".decode(named or "utf-8", "replace")  # refuses "base64" and "zip", which are codecs too
    except (LookupError, ValueError):
        return "utf-8"
    return named or "utf-8"


def _meta_charset(head: bytes) -> str:
    text = head.decode("ascii", "ignore").lower()
    return text.partition("charset=")[2][:30].strip(" \"'").partition('"')[0].partition("'")[0].partition(">")[0]
