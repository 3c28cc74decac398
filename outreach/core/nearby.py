"""Beside whose name does an address stand? Read from the words around it, where several people may be named.

Pure. A page lists people one after the other, mostly the name first: the nearest name counts, and one that shares a
word with ours ("Ada Brightly", "Bo Testwell") is somebody else's.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from anyascii import anyascii

from outreach.core.spellings import short_forms, spellings

_WORD = re.compile(r"[^\W\d_][\w'’.-]*")
_NOT_LETTER = re.compile(r"[^a-z]+")
_FAR = 999
_BETWEEN = 3


class Whose(StrEnum):
    """Whose an address is by its place."""

    MINE = "mine"
    OTHERS = "others"
    UNKNOWN = "unknown"


def whose(near: str, address: str, name: str, country: str = "") -> Whose:
    """Whose address it is among the words `near` it, of which it is one itself."""
    before, _, after = near.partition(address)
    names = _names(name, country)
    if not names.firsts or not names.lasts:
        return Whose.UNKNOWN
    mine, others = _distances(_words(before), names, from_end=True)
    mine_after, others_after = _distances(_words(after), names, from_end=False)
    if mine < others and mine <= others_after:
        return Whose.MINE
    if others < mine and mine_after >= others_after:
        return Whose.OTHERS
    if min(mine, others) == _FAR and mine_after != others_after:
        return Whose.MINE if mine_after < others_after else Whose.OTHERS
    return Whose.UNKNOWN


@dataclass(frozen=True, slots=True)
class _Names:
    """The words of one person's name, folded; `whole` is it in one word (王小明); `middle` may stand between a first
    and a last name."""

    firsts: frozenset[str]
    lasts: frozenset[str]
    whole: frozenset[str]
    middle: frozenset[str]


def _names(name: str, country: str) -> _Names:
    ways = [(_folded(way.first), _folded(way.last)) for way in spellings(name, country)]
    firsts = {form for first, _ in ways for form in (first, *short_forms(first)) if len(form) > 1}
    lasts = frozenset(last for _, last in ways if last)
    whole = frozenset(text for first, last in ways if first and last for text in (first + last, last + first))
    return _Names(frozenset(firsts), lasts, whole, frozenset(map(_folded, _words(name))))


def _words(text: str) -> list[str]:
    return [word.strip(".-'’") for word in _WORD.findall(text)]


def _distances(shown: Sequence[str], names: _Names, *, from_end: bool) -> tuple[int, int]:
    """How many words away our name is, and how many the name of somebody who shares a word with us."""
    folded = [_folded(word) for word in shown]
    mine = _ours(shown, folded, names)
    others = {at for at, word in enumerate(folded) if word in names.firsts | names.lasts and _named(shown, at)} - mine
    away = [{len(shown) - 1 - at if from_end else at for at in those} for those in (mine, others)]
    return min(away[0], default=_FAR), min(away[1], default=_FAR)


def _ours(shown: Sequence[str], folded: Sequence[str], names: _Names) -> set[int]:
    """The words that are our name: `Ada Testwell`, `Ada M. van Testwell`, `Testwell, Ada`."""
    found: set[int] = set()
    at = 0
    while at < len(folded):
        end = _end_of_name(shown, folded, names, at)
        found.update(range(at, end))
        at = max(end, at + 1)
    return found


def _end_of_name(shown: Sequence[str], folded: Sequence[str], names: _Names, at: int) -> int:
    """Behind the last word of our name that starts here; `at` itself if none does."""
    if folded[at] in names.whole:
        return at + 1
    wanted = names.lasts if folded[at] in names.firsts else names.firsts if folded[at] in names.lasts else frozenset()
    reach = range(at + 1, min(len(folded), at + 2 + _BETWEEN))
    for to in reach:
        if folded[to] in wanted:
            return to + 1
        if not _may_be_between(shown[to], folded[to], names, from_last=wanted is names.firsts):
            return at
    return at


def _may_be_between(word: str, folded: str, names: _Names, *, from_last: bool) -> bool:
    """An initial, a particle, a middle name; behind a last name only the latter: Nguyễn Văn An."""
    return folded in names.middle or (not from_last and (len(word) == 1 or word.islower()))


def _named(shown: Sequence[str], at: int) -> bool:
    """Whether a word that is one of our names stands beside another that looks like a name."""
    beside = [shown[to] for to in (at - 1, at + 1) if 0 <= to < len(shown)]
    return any(_looks_like_a_name(word) for word in beside)


def _looks_like_a_name(word: str) -> bool:
    return word[:1].isupper() and not (word.isupper() and len(word) <= 4)


def _folded(word: str) -> str:
    return _NOT_LETTER.sub("", anyascii(word).lower())
