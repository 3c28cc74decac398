"""Does a mail name somebody it is not for? The classic slip: one line pasted into another person's mail.

Names of two words and more are looked for, as they are written: single words (Notion, Square) are too often just words.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from outreach.core.records import Founder, Sender

_WORD = re.compile(r"\w+(?:['’.-]\w+)*")
_Words = tuple[str, ...]


class Names:
    """The names of everyone in a campaign and of their companies, ready to be looked for in many texts."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names: dict[_Words, str] = {}
        self._lengths: dict[str, set[int]] = {}
        """First word → how many words the names have that start with it."""
        for name in names:
            self._add(name)

    def _add(self, name: str) -> None:
        parts = _words(name)
        if len(parts) > 1 and any(part[:1] != part[:1].lower() or not part.isascii() for part in parts):
            self._names[parts] = name
            self._lengths.setdefault(parts[0], set()).add(len(parts))

    def strangers(self, text: str, founder: Founder, sender: Sender) -> tuple[str, ...]:
        """Names in the text that are neither the founder's, nor of their company, nor the sender's own, each once."""
        parts, found = _WORD.findall(text), dict[str, None]()
        own: str | None = None
        for at, word in enumerate(parts):
            for length in self._lengths.get(word, ()):
                wanted = tuple(parts[at : at + length])
                if wanted in self._names:
                    own = own if own is not None else _own(founder, sender)
                    if f" {' '.join(wanted)} " not in own:
                        found[self._names[wanted]] = None
        return tuple(found)


def names_of(founders: Iterable[Founder]) -> Iterator[str]:
    """Theirs, and those of their companies."""
    for founder in founders:
        yield founder.full_name
        if founder.company:
            yield founder.company.name


def _own(founder: Founder, sender: Sender) -> str:
    """Everything that may be named: also what contains a shorter name of somebody else."""
    company = founder.company
    names = [founder.full_name, sender.name, sender.signature]
    if company:
        names += [company.name, company.description, *company.aliases, *company.industries, company.city]
    return " " + " | ".join(" ".join(_WORD.findall(name)) for name in names) + " "


@lru_cache(maxsize=65_536)
def _words(name: str) -> _Words:
    return tuple(_WORD.findall(name))
