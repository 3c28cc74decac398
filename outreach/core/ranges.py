"""Ranges as people type them in filters: `1-50`, `2020-`, `-2018`, `1M-10M`, `2021`."""

import re
from dataclasses import dataclass

from outreach.errors import UsageError

_NUMBER = r"\d+(?:\.\d+)?[kmb]?"
_RANGE = re.compile(
    rf"(?P<low>{_NUMBER})?\s*(?:(?P<dash>-|–|\.\.)\s*(?P<high>{_NUMBER})?|(?P<more>\+))?", re.IGNORECASE
)
_SCALES = {"k": 10**3, "m": 10**6, "b": 10**9}


@dataclass(frozen=True, slots=True)
class Range:
    """From `low` to `high`, both included; None is open."""

    low: int | None
    high: int | None

    def holds(self, low: int, high: int | None) -> bool:
        """Whether all of low…high (None: no end) lies inside."""
        return (self.low is None or low >= self.low) and (self.high is None or (high is not None and high <= self.high))


def find_range(text: str) -> Range | None:
    """The range that this text is, or None."""
    match = _RANGE.fullmatch(text.strip())
    if not match or not (match["low"] or match["high"]):
        return None
    low, high = _number(match["low"]), _number(match["high"])
    return Range(low, high if match["dash"] or match["more"] else low)


def parse_range(text: str, what: str, examples: str) -> Range:
    """The same, or UsageError with examples that fit."""
    found = find_range(text)
    if found is None:
        raise UsageError(f"“{text}” is no range for {what}.", hint=f"write --{what} {examples}")
    if found.low is not None and found.high is not None and found.low > found.high:
        raise UsageError(f"“{text}” for {what} ends before it begins.", hint=f"write --{what} {examples}")
    return found


def _number(text: str | None) -> int | None:
    if not text:
        return None
    scale = _SCALES.get(text[-1].lower())
    return round(float(text[:-1]) * scale) if scale else round(float(text))
