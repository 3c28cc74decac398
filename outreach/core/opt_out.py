"""Does this answer ask us to stop writing? Words decide, no model; it must be given the new text only, because our own
quoted footer speaks of stopping too.
"""

import re
from functools import cache

from outreach.resources import toml

_LOOKED_AT = 8_000
_SHORT = 60
"""Words up to which a first line of just "stop" is the whole answer, and the rest a signature."""


def find_opt_out(new_text: str) -> str:
    """The words that ask for it; empty if none do."""
    text = _folded(new_text)
    if _is_whole(text):
        return text[:80]
    lines = [line for line in new_text[:_LOOKED_AT].splitlines() if line.strip()]
    if lines and len(text.split()) <= _SHORT and _is_whole(_folded(lines[0])):
        return _folded(lines[0])
    for pattern in _clear():
        for match in pattern.finditer(text):
            if not _is_negated(text[: match.start()]):
                return match[0].strip()
    return ""


def find_doubtful(new_text: str) -> str:
    """A word that may mean an opt-out: worth a person's look."""
    found = re.search(toml("opt_out.toml")["doubtful"], _folded(new_text))
    return found[0] if found else ""


def _folded(text: str) -> str:
    return " ".join(text[:_LOOKED_AT].lower().replace("’", "'").split())


def _is_whole(text: str) -> bool:
    tables = toml("opt_out.toml")
    words = [word for word in re.split(r"[^\w'-]+", text) if word and word not in tables["courtesies"]]
    return " ".join(words) in tables["whole"]


def _is_negated(before: str) -> bool:
    tail = before.rstrip().rpartition(".")[2][-14:].rstrip()
    return any(tail.endswith(word) and not tail.endswith("if not") for word in toml("opt_out.toml")["negations"])


@cache
def _clear() -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern) for pattern in toml("opt_out.toml")["clear"])
