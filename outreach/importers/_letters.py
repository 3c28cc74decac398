"""Latin letters beyond ASCII → the code page of Windows that wrote them: by how often each stands in a language. A byte
alone does not tell (0xF8 is ø in the West and ř in Prague), a few dozen words do. Knows nothing of files."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from math import log

from outreach.resources import toml

WESTERN = "cp1252"
NAMES = {
    "cp1250": "Windows-1250 (Central European)",
    "cp1254": "Windows-1254 (Turkish)",
    "cp1257": "Windows-1257 (Baltic)",
}
_WORD = re.compile(rb"[A-Za-z\x80-\xff]+")
_SHARE = re.compile(r"(\D)(\d+)")
_UNKNOWN = 0.002
"""How likely a letter is that a language does not have: names come from anywhere."""
_CLEARLY = 10.0
"""By how much the logarithm of the likelihood must be higher than for the West: 20,000 to 1."""
_TELLING = 2
"""So many different letters must become others: São on every line of a list is no Romanian."""


def code_page(text: bytes) -> str:
    """The code page of some cells, WESTERN unless another one is clearly likelier. Each word counts once."""
    written = b" ".join({word for word in _WORD.findall(text) if not word.isascii() and not word.isupper()})
    western = _letters(written, WESTERN)
    least = max(_likelihoods(western, WESTERN)) + _CLEARLY
    found = {codec: _letters(written, codec) for codec in NAMES}
    likely = {
        codec: max(_likelihoods(letters, codec))
        for codec, letters in found.items()
        if len(letters - western) >= _TELLING
    }
    best = max(likely, key=lambda codec: likely[codec], default=WESTERN)
    return best if likely.get(best, least) > least else WESTERN


def _letters(written: bytes, codec: str) -> Counter[str]:
    text = written.decode(codec, "replace")
    return Counter(
        _lower(letter) for letter in text if not letter.isascii() and (letter.isalpha() or letter == "\ufffd")
    )


def _lower(letter: str) -> str:
    return lower if len(lower := letter.lower()) == 1 else letter


def _likelihoods(letters: Mapping[str, int], codec: str) -> list[float]:
    """Of each language written in it, and of all of them mixed."""
    return [
        sum(number * log(shares.get(letter, _UNKNOWN)) for letter, number in letters.items())
        for shares in _languages()[codec]
    ]


@cache
def _languages() -> dict[str, list[dict[str, float]]]:
    return {codec: _with_mixture(each.values()) for codec, each in toml("letters.toml").items()}


def _with_mixture(languages: Iterable[str]) -> list[dict[str, float]]:
    told = [{letter: int(share) / 100 for letter, share in _SHARE.findall(text.replace(" ", ""))} for text in languages]
    mixed = {letter: sum(shares.get(letter, 0) for shares in told) / len(told) for shares in told for letter in shares}
    return [*told, mixed]
