"""When someone who is away will be back, read from an out-of-office text.

Dates count only near a word such as "until" or "back"; a range gives its end; an ambiguous order the later reading.
What lies in the past or more than 120 days ahead is no return date: writing too late does no harm, too soon does.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from outreach.resources import toml

FARTHEST = timedelta(days=120)
_NEAR = 48
_LOOKED_AT = 4_000
_BETWEEN = 24


@dataclass(frozen=True, slots=True)
class _Mention:
    """A date in a text, and where it stands."""

    start: int
    end: int
    day: date


def find_return(text: str, written_on: date) -> date | None:
    """The day on which the writer is back, as they wrote it; None if there is none to be had."""
    folded = " ".join(text[:_LOOKED_AT].lower().split())
    mentions = sorted(_mentions(folded, written_on), key=lambda mention: (mention.start, -mention.end))
    days = [_range_end(folded, mention, mentions) for mention in mentions if _is_announced(folded, mention, mentions)]
    return max((day for day in days if written_on <= day <= written_on + FARTHEST), default=None)


def working_day_after(day: date) -> date:
    """The next working day after a return: nobody answers on the first morning."""
    following = day + timedelta(days=1)
    while following.weekday() > 4:
        following += timedelta(days=1)
    return following


def _is_announced(text: str, mention: _Mention, mentions: list[_Mention]) -> bool:
    before = text[max(0, mention.start - _NEAR) : mention.start]
    if _any_word(before, "until"):
        return True
    return _any_word(before[-16:], "from") and _range_end(text, mention, mentions) != mention.day


def _range_end(text: str, mention: _Mention, mentions: list[_Mention]) -> date:
    """The end of `3 March to 10 March`, where the mention is its start."""
    for other in mentions:
        between = text[mention.end : other.start]
        if (
            other.start >= mention.end
            and len(between) <= _BETWEEN
            and _only_joins(between)
            and other.day >= mention.day
        ):
            return other.day
    return mention.day


def _only_joins(between: str) -> bool:
    words = [word for word in re.split(r"[\s,.()]+", between) if word]
    joins, days = toml("absence.toml")["to"], _numbered("weekdays", first=0)
    return any(word in joins for word in words) and all(
        word in joins or word in days or word in ("the", "den", "il") for word in words
    )


def _any_word(text: str, words: str) -> bool:
    return _words(words).search(text) is not None


@cache
def _words(name: str) -> re.Pattern[str]:
    return re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, toml("absence.toml")[name])) + r")(?!\w)")


# --- dates in a text --------------------------------------------------------------------------------------------


def _mentions(text: str, written_on: date) -> Iterator[_Mention]:
    months = _numbered("months", first=1)
    for match in _ISO.finditer(text):
        yield from _mention(match, written_on, int(match[2]), int(match[3]), int(match[1]))
    for match in _NUMERIC.finditer(text):
        yield from _numeric(match, written_on)
    for match in _DAY_MONTH.finditer(text):
        if match[2] in months:
            yield from _mention(match, written_on, months[match[2]], int(match[1]), _year(match[3]))
    for match in _MONTH_DAY.finditer(text):
        if match[1] in months:
            yield from _mention(match, written_on, months[match[1]], int(match[2]), _year(match[3]))
    for match in _weekday_names().finditer(text):
        ahead = (_numbered("weekdays", first=0)[match[1]] - written_on.weekday() - 1) % 7 + 1
        yield _Mention(match.start(), match.end(), written_on + timedelta(days=ahead))


_ISO = re.compile(r"(?<!\d)(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)")
_NUMERIC = re.compile(r"(?<![\d./-])(\d{1,2})([./-])(\d{1,2})(?:\2(\d{4}|\d{2}))?\.?(?![\d/])")
_DAY_MONTH = re.compile(
    r"(?<!\d)(\d{1,2})(?:st|nd|rd|th|er|º|\.)?(?: of| de)? ([^\W\d_]{3,12})\.?,?(?: de)?(?: (\d{4})(?!\d))?"
)
_MONTH_DAY = re.compile(r"(?<!\w)([^\W\d_]{3,12})\.? (\d{1,2})(?:st|nd|rd|th)?(?![\d:])(?:,? (\d{4})(?!\d))?")


@cache
def _numbered(name: str, *, first: int) -> dict[str, int]:
    return {word: number for number, words in enumerate(toml("absence.toml")[name], first) for word in words}


@cache
def _weekday_names() -> re.Pattern[str]:
    return re.compile(r"(?<!\w)(" + "|".join(map(re.escape, _numbered("weekdays", first=0))) + r")(?!\w)")


def _numeric(match: re.Match[str], written_on: date) -> Iterator[_Mention]:
    """12.03. is the 12th of March; 12/03 may be either, and then the later reading counts."""
    first, second, year = int(match[1]), int(match[3]), _year(match[4])
    readings = list(_mention(match, written_on, second, first, year))
    if match[2] != ".":
        readings += _mention(match, written_on, first, second, year)
    ahead = [reading for reading in readings if written_on <= reading.day <= written_on + FARTHEST]
    yield from sorted(ahead or readings, key=lambda mention: mention.day)[-1:]


def _mention(match: re.Match[str], written_on: date, month: int, day: int, year: int | None) -> Iterator[_Mention]:
    """Without a year, the next such day."""
    for candidate in [year] if year else [written_on.year, written_on.year + 1]:
        try:
            found = date(candidate, month, day)
        except ValueError:
            continue
        if year or found >= written_on:
            yield _Mention(match.start(), match.end(), found)
            return


def _year(text: str | None) -> int | None:
    return None if not text else int(text) + 2000 if len(text) == 2 else int(text)
