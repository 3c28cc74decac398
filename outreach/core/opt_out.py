"""Does this answer ask us to stop writing? Words decide, no model; it must be given the new text only, because our own
quoted footer speaks of stopping too.
"""

import re
from functools import cache

from outreach.core.phrases import fold
from outreach.resources import toml

_LOOKED_AT = 8_000
_NEAR = 40
_EMPTY_LINE = re.compile(r"\n[ \t]*\n")
_SHORT_LINE = re.compile(r"^([^\n]{0,48}\w)[ \t]*\n(?=[^\W\d_a-zà-öø-ÿ])", re.MULTILINE)
"""Followed by a line that begins like a sentence."""
_YOU = re.compile(r"\byou(?: (?:do|did|will|would|can|could|have|still|just))* $")
_SHORT = 60
_FIRST_LINES = 3
"""Of so few words, a line of just "stop" among the first is the whole answer, the rest greeting and signature."""


def find_opt_out(new_text: str) -> str:
    """The words that ask for it; empty if none do."""
    text = _folded(new_text)
    if _is_whole(text):
        return text[:80]
    if len(text.split()) <= _SHORT:
        first = [line for line in new_text.splitlines() if line.strip()][:_FIRST_LINES]
        if whole := next(filter(_is_whole, map(_folded, first)), ""):
            return whole
    asked = _innocent().sub(" – ", text)
    for pattern in _clear():
        for match in pattern.finditer(asked):
            if not _is_negated(asked[: match.start()]):
                return match[0].strip()
    return ""


def find_doubtful(new_text: str) -> str:
    """A word that may mean an opt-out: worth a person's look."""
    found = re.search(toml("opt_out.toml")["doubtful"], _folded(new_text))
    return found[0] if found else ""


def _folded(text: str) -> str:
    """On one line; an empty line ends a sentence like a full stop: "Certainly not", and then "Remove me". So does the
    end of a line that no program has wrapped."""
    return fold(_SHORT_LINE.sub(r"\1. ", _EMPTY_LINE.sub(". ", text[:_LOOKED_AT].strip())))


def _is_whole(text: str) -> bool:
    tables = toml("opt_out.toml")
    words = [word for word in re.split(r"[^\w'-]+", text) if word and word not in tables["courtesies"]]
    return " ".join(words) in tables["whole"]


def _is_negated(before: str) -> bool:
    """Whether a no stands right before it: "please don't remove me". "If you don't", "you never" are complaints."""
    found = _negation().search(before[-_NEAR:])
    return found is not None and _YOU.search(before[-_NEAR:][: found.start()]) is None


@cache
def _negation() -> re.Pattern[str]:
    return re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, toml("opt_out.toml")["negations"])) + ") ?$")


@cache
def _innocent() -> re.Pattern[str]:
    return re.compile("|".join(toml("opt_out.toml")["innocent"]))


@cache
def _clear() -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern) for pattern in toml("opt_out.toml")["clear"])
