"""A first guess at what an answer means: interested, not-interested, question, referral or not-now.

Plain words decide, in a fixed order; nothing is sent or stopped because of a guess, and it is always shown as one, with
the words that led to it. The label is a person's.
"""

import re
from dataclasses import dataclass
from functools import cache

from outreach.core.phrases import fold
from outreach.resources import toml

_LOOKED_AT = 4_000


@dataclass(frozen=True, slots=True)
class Guess:
    """`meaning` is empty where nothing can be told."""

    meaning: str = ""
    words: str = ""


def guess_interest(new_text: str) -> Guess:
    """The first group of words that fits; a lone question mark makes a question."""
    text = fold(new_text[:_LOOKED_AT])
    for meaning, pattern in _patterns():
        found = pattern.search(text)
        if found:
            return Guess(meaning, found[0].strip())
    asked = next((said for said in re.split(r"(?<=[.!?？])\s*", text) if said.endswith(("?", "？"))), "")
    return Guess("question", asked[:80]) if asked else Guess()


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    tables: dict[str, list[str]] = toml("interest.toml")
    return tuple(
        (name.replace("_", "-"), re.compile(r"(?<!\w)(?:" + "|".join(phrases) + ")"))
        for name, phrases in tables.items()
    )
