"""Web addresses → keys: whose site it is, which Crunchbase or LinkedIn page. Pure and idempotent.

A key is empty where the address names nobody in particular: a shared host, a public body, a search page.
"""

import re
import unicodedata
from functools import lru_cache
from urllib.parse import unquote

from outreach.core.normalize import normalize_host, registrable_domain
from outreach.core.quick import MOST_KEPT
from outreach.resources import words

_PLAIN_URL = re.compile(r"(?:https?://)?(?:www\.)?(?!www\.)([a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9]+(?:-[a-z0-9]+)*)+)/?")
"""Most of them: nothing in it but the host."""
_SCHEME = re.compile(r"^[a-z][a-z0-9+.-]*:/*", re.IGNORECASE)
_NOT_HOST = re.compile(r"[/?#\\\s]")
_SLUG = re.compile(r"(?:organization|company|person)/+([^/?#\s]+)", re.IGNORECASE)
_PLAIN_SLUG = re.compile(r"(?:https://www\.crunchbase\.com/(?:organization|person)/)?([a-z0-9-]+)")
_BARE_SLUG = re.compile(r"[^/?#\s:]+")
_PUBLIC_BODY = re.compile(r"(?:edu|gov|mil|(?:ac|edu|gov)\.[a-z]{2,})")
_LINKEDIN_COMPANY = re.compile(r"linkedin\.com/(?:company|company-beta|school|showcase)/+([^/?#\s]+)", re.IGNORECASE)
_LINKEDIN_PERSON = re.compile(r"linkedin\.com/in/+([^/?#\s]+)", re.IGNORECASE)


@lru_cache(maxsize=MOST_KEPT)
def company_domain(website: str) -> str:
    """The registrable domain that identifies a company; empty for shared hosts, public bodies, IP addresses."""
    domain = registrable_domain(host_of(website))
    suffix = domain.partition(".")[2]
    return "" if domain in words("shared_hosts.txt") or _PUBLIC_BODY.fullmatch(suffix) else domain


def host_of(url: str) -> str:
    """The host of a web address written with or without a scheme; without user, port and `www.`."""
    if plain := _PLAIN_URL.fullmatch(url):
        return plain[1]
    text = _SCHEME.sub("", url.strip()).lstrip("/")
    host = _NOT_HOST.split(text, maxsplit=1)[0].rpartition("@")[2].partition(":")[0]
    return normalize_host(host).removeprefix("www.")


def crunchbase_slug(url: str) -> str:
    """Crunchbase's name for a company or a person, from its page's address; relative ones and bare slugs occur too."""
    if plain := _PLAIN_SLUG.fullmatch(url):
        return plain[1]
    text = url.strip()
    found = _SLUG.search(text)
    if found:
        return _decoded(found[1])
    return _decoded(text) if _BARE_SLUG.fullmatch(text) and "." not in text else ""


def linkedin_company(url: str) -> str:
    """The name of a company's LinkedIn page; empty for a person's page, a search, anything else."""
    found = _LINKEDIN_COMPANY.search(url)
    return _decoded(found[1]) if found else ""


def linkedin_person(url: str) -> str:
    """The name of a person's LinkedIn page (`/in/…`), else empty."""
    found = _LINKEDIN_PERSON.search(url)
    return _decoded(found[1]) if found else ""


def _decoded(slug: str) -> str:
    if slug.isascii() and "%" not in slug:
        return slug.lower().strip()
    return unicodedata.normalize("NFC", unquote(slug, errors="replace").lower()).strip()
