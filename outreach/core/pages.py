"""A company's web page → the addresses that stand on it, as a visitor can read them, and the links worth following.

Addresses written to fool machines are read (`ada [at] acme.example`, entities, Cloudflare's scrambling, right-to-left
text, strings joined in a script); what is hidden from visitors (comments, invisible elements) is not. Nothing is made
up: an address comes out only if all of it stands there. Pure; pages are hostile.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import unescape
from urllib.parse import unquote, urljoin, urlsplit

from lxml import etree
from lxml.html import HtmlElement, HTMLParser, document_fromstring

from outreach.core.normalize import find_addresses, normalize_host, registrable_domain
from outreach.core.text import one_line
from outreach.resources import table

_ADDRESS = re.compile(r"[\w.+'%-]{1,64}@(?:[\w-]{1,63}\.){1,6}[^\W\d_]{2,24}(?![\w@-])")
# A plain " at " is a word like any other: it counts only where the dots are spelled out too.
_AT = re.compile(r"\s*[\[({<]\s*(?:at|@|ät|arroba|chez)\s*[\])}>]\s*|\s+\(a\)\s+", re.IGNORECASE)
_DOT = re.compile(r"\s*[\[({<]\s*(?:dot|punkt|punto|point|\.)\s*[\])}>]\s*", re.IGNORECASE)
_SPOKEN = re.compile(r"\b([\w.-]{1,64})\s+at\s+([\w-]{1,63}(?:\s+dot\s+[\w-]{1,63}){1,4})\b", re.IGNORECASE)
_SPOKEN_DOT = re.compile(r"\s+dot\s+", re.IGNORECASE)
_JOINED = re.compile(r"[\"']\s*\+\s*[\"']")
_OTHER_MAIL = re.compile(r"\S*@\S*")
_HEX = re.compile(r"[0-9a-f]{6,400}", re.IGNORECASE)
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d])", re.IGNORECASE)
_REVERSED = re.compile(r"direction\s*:\s*rtl", re.IGNORECASE)
_SILENT = frozenset(("style", "noscript", "template", "head", "svg", "iframe", "object"))
_BLOCKS = frozenset(
    ("p", "div", "li", "td", "th", "tr", "br", "h1", "h2", "h3", "h4", "h5", "h6", "section", "article", "header",
     "footer", "main", "ul", "ol", "table", "dt", "dd", "address", "figcaption", "form", "nav", "aside", "blockquote")
)  # fmt: skip
_MAX_ADDRESSES = 200
_SIGHTINGS = 3
"""So many places of one page are kept for one address: beside whose name it stands may be clear at one only."""
_MAX_LINKS = 400
_MAX_TEXT = 400_000
_MAX_DEPTH = 200
_MAX_REVERSED = 1_000
"""Characters: what is written backwards is an address or two, not a page in Arabic."""
_NEAR = 160


@dataclass(frozen=True, slots=True)
class Seen:
    """An address as it stands on a page: in which way, and the words around it, the address among them."""

    address: str
    how: str
    near: str = ""


@dataclass(frozen=True, slots=True)
class PageRead:
    """What one page holds. `text` is what a visitor sees, cut; `links` lead to pages of the same site."""

    addresses: tuple[Seen, ...] = ()
    links: tuple[str, ...] = ()
    text: str = ""


def read_page(html: str, url: str) -> PageRead:
    """Read one page. Never raises, whatever the bytes."""
    root = _parsed(html)
    if root is None:
        return PageRead()
    words = _Words()
    words.walk(root)
    text = words.text()
    found = [*words.marked(text), *_in_text(text), *_in_scripts(root)]
    places: dict[str, dict[Seen, None]] = {}
    for seen in found:
        if len(there := places.setdefault(seen.address, {})) < _SIGHTINGS:
            there[seen] = None
    kept = tuple(seen for those in places.values() for seen in those)
    return PageRead(kept[:_MAX_ADDRESSES], tuple(_links(root, url)), " ".join(text.split())[:20_000])


def on_site(url: str, domain: str) -> bool:
    """Whether a URL is a page of the company that owns `domain`."""
    parts = urlsplit(url)
    return parts.scheme in ("http", "https") and registrable_domain(parts.hostname or "") == domain


def worth_reading(links: Iterable[str], limit: int) -> tuple[str, ...]:
    """The links that most likely lead to people and addresses, best first."""
    ranks = {word: rank for rank, word in enumerate(table("site_pages.txt"))}
    scored = []
    for at, link in enumerate(links):
        path = unquote(urlsplit(link).path).casefold()
        hits = [rank for word, rank in ranks.items() if word in path]
        if hits and path.count("/") <= 4:
            scored.append((min(hits), path.count("/"), at, link))
    return tuple(link for *_, link in sorted(scored))[:limit]


# --- reading --------------------------------------------------------------------------------------


def _parsed(html: str) -> HtmlElement | None:
    text = html.replace("\x00", " ").strip()
    if not text:
        return None
    try:
        # An encoding declared inside is of no interest: these are characters already.
        parser = HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True, huge_tree=False)
        return document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except (etree.LxmlError, ValueError):
        return None


class _Words:
    """The text a visitor sees, collected without recursion limits of its own: deep pages are cut."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._size = 0
        self._marks: list[tuple[int, str, str]] = []
        """Addresses that are not written as text: where they stand in it, what they say, and how."""

    def text(self) -> str:
        return "".join(self._parts)

    def marked(self, text: str) -> Iterator[Seen]:
        """The addresses of mail links and the scrambled ones, with the words around the place where they stand."""
        for at, said, how in self._marks:
            name = said.rpartition("<")[0]
            yield from _usable(said, how, f"{text[max(0, at - _NEAR) : at]} {name}", text[at : at + _NEAR // 4])

    def walk(self, element: HtmlElement, depth: int = 0) -> None:
        if depth > _MAX_DEPTH or self._size > _MAX_TEXT or not isinstance(element.tag, str):
            return
        tag = element.tag
        if tag in _SILENT and tag != "head":
            return
        style = element.get("style") or ""
        if tag in ("script", "head") or element.get("hidden") is not None or _HIDDEN.search(style):
            return
        self._mark_link(element)
        self._mark_scrambled(element)
        start, began = len(self._parts), self._size
        if tag in _BLOCKS:
            self._add("\n")
        self._add(element.text or "")
        for child in element:
            self.walk(child, depth + 1)
            self._add(child.tail or "")
        if tag in _BLOCKS:
            self._add("\n")
        if _REVERSED.search(style) and self._size - began <= _MAX_REVERSED:
            inside = "".join(self._parts[start:]).strip()
            for found in _ADDRESS.finditer(inside[::-1]):
                self._marks.append((began, found[0], "written backwards on the page"))

    def _add(self, text: str) -> None:
        self._parts.append(text)
        self._size += len(text)

    def _mark_link(self, element: HtmlElement) -> None:
        href = (element.get("href") or "").strip() if element.tag == "a" else ""
        if href[:7].casefold() == "mailto:":
            for part in unquote(href[7:].partition("?")[0]).split(","):
                self._marks.append((self._size, part, "a mail link"))

    def _mark_scrambled(self, element: HtmlElement) -> None:
        """Cloudflare's e-mail protection: each byte XORed with the first."""
        code = element.get("data-cfemail") or (element.get("href") or "").partition("/email-protection#")[2]
        if not _HEX.fullmatch(code) or len(code) % 2:
            return
        key, *rest = bytes.fromhex(code)
        text = bytes(byte ^ key for byte in rest).decode("utf-8", "replace")
        self._marks += [
            (self._size, found[0], "protected against robots on the page") for found in _ADDRESS.finditer(text)
        ]


def _in_text(shown: str) -> Iterator[Seen]:
    text = " ".join(shown.split())  # a page of blanks must not cost more than its length
    plain = _DOT.sub(".", _AT.sub("@", text))
    spoken = _SPOKEN.sub(lambda found: f"{found[1]}@{_SPOKEN_DOT.sub('.', found[2])}", plain)
    for found in _ADDRESS.finditer(spoken):
        how = "on the page" if found[0] in text else "spelled out on the page"
        start, end = found.span()
        yield from _usable(found[0], how, spoken[max(0, start - _NEAR) : start], spoken[end : end + _NEAR // 4])


def _in_scripts(root: HtmlElement) -> Iterator[Seen]:
    """Strings in a script, also where it joins them: `"ada" + "@" + "acme.example"`."""
    for script in root.iter("script"):
        code = _JOINED.sub("", unescape(script.text_content()[:_MAX_TEXT]))
        for found in _ADDRESS.finditer(code):
            yield from _usable(found[0], "a script of the page")


def _usable(text: str, how: str, before: str = "", after: str = "") -> Iterator[Seen]:
    for key in find_addresses(text.strip(" .'")).usable:
        around = (_OTHER_MAIL.sub(" ", part) for part in (before, after))
        yield Seen(key, how, one_line(f" {key} ".join(around), 2 * _NEAR + len(key)))


def _links(root: HtmlElement, url: str) -> Iterator[str]:
    """Pages of the same site, without fragments, each once."""
    here = registrable_domain(urlsplit(url).hostname or "")
    given: dict[str, None] = {}
    for link in root.iter("a"):
        try:
            target = urljoin(url, (link.get("href") or "").strip()).partition("#")[0]
            parts = urlsplit(target)
            host = normalize_host(parts.hostname or "")
        except ValueError:
            continue
        if parts.scheme in ("http", "https") and here and registrable_domain(host) == here and target != url:
            given[target] = None
        if len(given) >= _MAX_LINKS:
            return iter(given)
    return iter(given)
