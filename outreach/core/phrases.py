"""Long tables of phrases, looked for in a text: what mail servers, help desks and absent people say.

A phrase is looked for in lower-cased text with folded white space. ` * ` in it stands for a few more words of the same
sentence, or none. One big pattern would try every phrase at every letter; here a phrase costs one plain search, and one
that must stand as whole words not even that, unless its first word occurs.
"""

import re
from collections.abc import Iterable
from functools import cache

from outreach.resources import toml

_WORD = re.compile(r"\w+")
_NO_BLANKS = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
"""Scripts that write no blanks between words, or glue endings to them: a phrase may stand anywhere in them."""
_MORE = " * "
_MORE_WORDS = r"\b[^.!?;]{1,40}?\b"


def fold(text: str) -> str:
    """Lower case, plain apostrophes, single blanks: what phrases are looked for in."""
    return " ".join(text.lower().replace("\u2019", "'").split())


def words_of(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text))


class Phrases:
    """One table. `whole`: whole words only, so that `full` is not in `fully`; else `abwesen` is in `abwesend`."""

    def __init__(self, phrases: Iterable[str], *, whole: bool = False) -> None:
        self._plain: list[str] = []
        self._anywhere: list[_Phrase] = []
        self._by_word: dict[str, list[_Phrase]] = {}
        for text in phrases:
            first = _WORD.match(text) if whole and not _NO_BLANKS.match(text) else None
            if first:
                self._by_word.setdefault(first[0], []).append(_Phrase(text, whole=whole))
            elif whole or _MORE in text:
                self._anywhere.append(_Phrase(text, whole=whole))
            else:
                self._plain.append(text)

    def find(self, text: str, words: frozenset[str] | None = None) -> str:
        """What of the table stands in the folded text, or empty. `words`: the text's, if they are known already."""
        plain = next((each for each in self._plain if each in text), "")
        if plain:
            return plain
        here = self._by_word.keys() & (words_of(text) if words is None else words) if self._by_word else ()
        candidates = (phrase for word in sorted(here) for phrase in self._by_word[word])
        found = (phrase.find(text) for phrases in (self._anywhere, candidates) for phrase in phrases)
        return next(filter(None, found), "")


@cache
def phrases(file: str, name: str) -> Phrases:
    """The phrases under this name in a data file; parts of words count too."""
    return Phrases(toml(file)[name])


class _Phrase:
    """One phrase; its pattern is made only when its first words were found."""

    def __init__(self, text: str, *, whole: bool) -> None:
        self._parts = text.split(_MORE)
        self._whole = whole
        self._pattern: re.Pattern[str] | None = None

    def find(self, text: str) -> str:
        if any(part not in text for part in self._parts):
            return ""
        if self._pattern is None:
            self._pattern = _pattern(self._parts, whole=self._whole)
        found = self._pattern.search(text)
        return found[0] if found else ""


def _pattern(parts: list[str], *, whole: bool) -> re.Pattern[str]:
    before = r"(?<!\w)" if whole and not _NO_BLANKS.match(parts[0]) else ""
    after = r"(?!\w)" if whole and not _NO_BLANKS.match(parts[-1][-1]) else ""
    return re.compile(before + _MORE_WORDS.join(map(re.escape, parts)) + after)
