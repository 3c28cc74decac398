"""Tables of phrases as one pattern each, so that a long list costs one look at a text.

A phrase is looked for in lower-cased text with folded white space. ` * ` in it stands for a few more words of the same
sentence, or none.
"""

import re
from collections.abc import Iterable

_NO_BLANKS = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
"""Scripts that write no blanks between words, or glue endings to them: a phrase may stand anywhere in them."""
_MORE_WORDS = r"\b[^.!?;]{1,40}?\b"


def words_pattern(phrases: Iterable[str]) -> re.Pattern[str]:
    """Whole words only: `full` is not in `fully`."""
    return re.compile("|".join(map(_bounded, phrases)))


def anywhere_pattern(phrases: Iterable[str]) -> re.Pattern[str]:
    """Parts of words too: `abwesen` is in `abwesend` and in `Abwesenheit`."""
    return re.compile("|".join(map(_gaps, phrases)))


def fold(text: str) -> str:
    """Lower case, plain apostrophes, single blanks: what phrases are looked for in."""
    return " ".join(text.lower().replace("\u2019", "'").split())


def _bounded(phrase: str) -> str:
    before = "" if _NO_BLANKS.match(phrase[0]) else r"(?<!\w)"
    after = "" if _NO_BLANKS.match(phrase[-1]) else r"(?!\w)"
    return f"{before}(?:{_gaps(phrase)}){after}"


def _gaps(phrase: str) -> str:
    return _MORE_WORDS.join(map(re.escape, phrase.split(" * ")))
