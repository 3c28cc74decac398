"""Why a delivery failed (RFC 3463), by the code and the text together.

Half of all failures come without a usable code, and
servers word them in a thousand ways. So tables decide, and the text may overrule the code.
"""

import re
from functools import cache
from typing import Any

from outreach.core.headers import find_addresses
from outreach.core.phrases import Phrases, fold, words_of
from outreach.core.verdict import Failure
from outreach.resources import toml

_LOOKED_AT = 4_000
STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)")
_BASIC = re.compile(r"(?:^|[\s:;#<(\[\"'=])([45]\d\d)(?=[\s\-:,;#)\]]|$)")
_VAGUE = re.compile(r"[45]\.0\.\d+|5\.[35]\.0|5\.9\.9")
_DEAD_DOMAIN = ("5.1.2", "5.4.4", "5.4.310")


def judge_failure(status: str, text: str) -> str:
    """hard, closed, soft, policy, content or unknown: the code, unless the text says otherwise."""
    said = categories(text)
    code = exact_code(status, text)
    basic = _BASIC.search(f" {text} ")
    vague = _VAGUE.fullmatch(code) is not None
    temporary = (code.startswith("4") and not vague) or (
        not code.startswith("5") and basic is not None and basic[1].startswith("4")
    )
    rows = () if vague else toml("status_codes.toml")["code"]
    row = next((row for row in rows if code and re.fullmatch(row["status"], code)), None)
    firm = row is not None and row.get("firm", False)
    if "certain" in said and "sender" not in said and not temporary and not firm:
        return "hard"
    if row is not None:
        instead = next((category for category in said if category in row["unless"]), "")
        return _MEANS[instead] if instead else str(row["means"])
    if said:
        meant = _MEANS[said[0]]
        return "soft" if temporary and meant in ("hard", "closed") else meant
    return "soft" if temporary or code.startswith("4") else "unknown"


def is_dead_domain(failure: Failure) -> bool:
    """Whether nobody at that domain can be written to: no such domain, no mail server, null MX (RFC 7505)."""
    if failure.reason != "hard":
        return False
    if failure.status in _DEAD_DOMAIN or exact_code("", failure.diagnostic) in _DEAD_DOMAIN:
        return True
    return any(phrase in failure.diagnostic.lower() for phrase in toml("machines.toml")["dead_domain_words"])


def is_delay(text: str) -> bool:
    """Whether it says that the server goes on trying."""
    lowered = text.lower()
    return "delayed" in categories(text) and not any(word in lowered for word in toml("machines.toml")["final_words"])


def exact_code(status: str, text: str) -> str:
    """The most telling code: a bare x.0.0 says less than what the server's own words hold."""
    if status and not _VAGUE.fullmatch(status):
        return status
    return next((code for code in STATUS.findall(text) if not _VAGUE.fullmatch(code) and code[0] in "45"), status)


_MEANS = {
    "sender": "policy",
    "certain": "hard",
    "bad": "hard",
    "closed": "closed",
    "their_rule": "unknown",
    "greylisted": "soft",
    "full": "soft",
    "temporary": "soft",
    "delayed": "soft",
    "policy": "policy",
    "content": "content",
}


def categories(text: str) -> tuple[str, ...]:
    """What the text says, most telling first. Addresses and links are no words: `full@` is not a full mailbox."""
    folded = fold(re.sub(r"https?://\S+", " ", text[:_LOOKED_AT]))
    for address in find_addresses(folded):
        folded = folded.replace(address, " ")
    words = words_of(folded)
    return tuple(category for category, table in _reasons() if table.find(folded, words))


@cache
def _reasons() -> tuple[tuple[str, Phrases], ...]:
    tables: dict[str, Any] = toml("bounce_phrases.toml")
    return tuple((category, Phrases(table, whole=True)) for category, table in tables.items())
