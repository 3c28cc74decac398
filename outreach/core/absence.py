"""When someone who is away will be back, read from an out-of-office text.

Dates count only beside a word such as "until" or "back"; a range gives its end; an ambiguous order the later reading.
What lies in the past or more than 120 days ahead is no return date: writing too late does no harm, too soon does.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from outreach.core.phrases import Phrases, fold
from outreach.resources import toml

FARTHEST = timedelta(days=120)
_NEAR = 48
_LOOKED_AT = 4_000
_BETWEEN = 24
_SENTENCE_END = re.compile("[.!?;。]")


@dataclass(frozen=True, slots=True)
class _Mention:
    """A date in a text, and where it stands."""

    start: int
    end: int
    day: date


def find_return(text: str, written_on: date) -> date | None:
    """The day on which the writer is back, as they wrote it; None if there is none to be had."""
    folded = fold(text[:_LOOKED_AT])
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
    after = _SENTENCE_END.split(text[mention.end : mention.end + _BETWEEN], maxsplit=1)[0]
    if _words("until").find(before) or _words("after").find(after):
        return True
    return bool(_words("from").find(before[-16:])) and _range_end(text, mention, mentions) != mention.day


def _range_end(text: str, mention: _Mention, mentions: list[_Mention]) -> date:
    """The end of `3 March to 10 March`, where the mention is its start: perhaps past already, so that without a year it
    was taken for next year's."""
    near = (other for other in mentions if mention.end <= other.start <= mention.end + _BETWEEN)
    ends = (other.day for other in near if _only_joins(text[mention.end : other.start]))
    return max(ends, default=mention.day)


def _only_joins(between: str) -> bool:
    words = [word for word in re.split(r"[\s,.()]+", between) if word]
    joins, days = toml("absence.toml")["to"], _numbered("weekdays", first=0)
    return any(word in joins for word in words) and all(
        word in joins or word in days or word in ("the", "den", "il") for word in words
    )


@cache
def _words(name: str) -> Phrases:
    return Phrases(toml("absence.toml")[name], whole=True)


# --- dates in a text --------------------------------------------------------------------------------------------


def _mentions(text: str, written_on: date) -> Iterator[_Mention]:
    for pattern in _dates():
        for match in pattern.finditer(text):
            if month := _month(match["month"]):
                yield from _mention(match, written_on, month, int(match["day"]), _year(match["year"]))
    for match in _NUMERIC.finditer(text):
        yield from _numeric(match, written_on)
    for match in _weekday_names().finditer(text):
        ahead = (_numbered("weekdays", first=0)[match[1]] - written_on.weekday() - 1) % 7 + 1
        yield _Mention(match.start(), match.end(), written_on + timedelta(days=ahead))


_NUMERIC = re.compile(r"(?P<at>(?<![\d./-])(\d{1,2})([./-])(\d{1,2})(?:\3(\d{4}|\d{2}))?\.?(?![\d/]))")
_DAY = r"(?<!\d)(?P<day>\d{1,2})(?:st|nd|rd|th|er|º|\.)?"
_MONTH = r"(?P<month>[^\W\d_]{3,12})\.?"
_FIRST = r"(?!out\b|set\b)"  # October and September in Portuguese, which never puts the month first
_YEAR = r"(?: (?P<year>\d{4})(?!\d))?"


@cache
def _dates() -> tuple[re.Pattern[str], ...]:
    """Every way to write a date with a year or a word in it; `at` is where it stands."""
    to = " ?(?:" + "|".join(map(re.escape, toml("absence.toml")["to"])) + ") ?"
    patterns = (
        r"(?P<at>(?<!\d)(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})(?!\d))",
        r"(?P<at>(?:(?P<year>\d{4}) ?[年년] ?)?(?<!\d)(?P<month>\d{1,2}) ?[月월] ?(?P<day>\d{1,2}) ?[日일])",
        rf"(?P<at>{_DAY}(?: of| de)? {_MONTH},?(?: de)?{_YEAR})",
        rf"(?P<at>{_DAY})(?={to}\d{{1,2}}(?:st|nd|rd|th|º|\.)?(?: of| de)? {_MONTH},?(?: de)?{_YEAR})",  # 9 to 13 March
        rf"(?P<at>(?<!\w){_FIRST}{_MONTH} {_DAY}(?![\d:]),?{_YEAR})",
        rf"(?<!\w){_FIRST}{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?{to}(?P<at>{_DAY})(?![\d:]),?{_YEAR}",  # March 9 to 13
    )
    return tuple(map(re.compile, patterns))


def _month(text: str) -> int:
    return int(text) if text.isdecimal() else _numbered("months", first=1).get(text, 0)


@cache
def _numbered(name: str, *, first: int) -> dict[str, int]:
    return {word: number for number, words in enumerate(toml("absence.toml")[name], first) for word in words}


@cache
def _weekday_names() -> re.Pattern[str]:
    return re.compile(r"(?<!\w)(" + "|".join(map(re.escape, _numbered("weekdays", first=0))) + r")(?!\w)")


def _numeric(match: re.Match[str], written_on: date) -> Iterator[_Mention]:
    """12.03. is the 12th of March; 12/03 may be either, and then the later reading counts."""
    first, second, year = int(match[2]), int(match[4]), _year(match[5])
    readings = list(_mention(match, written_on, second, first, year))
    if match[3] != ".":
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
            yield _Mention(match.start("at"), match.end("at"), found)
            return


def _year(text: str | None) -> int | None:
    return None if not text else int(text) + 2000 if len(text) == 2 else int(text)
