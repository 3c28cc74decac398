"""How a company builds its addresses: patterns learned from known ones, and what they make of another name.

Pure. A pattern is written as people write it, `{first}.{last}` or `{f}{last}`. Whether an address exists is not known
here: everything that comes out is a guess with a reason.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from outreach.core.records import KnownAddress
from outreach.core.spellings import Spelling, short_forms, spellings
from outreach.resources import table

_SMALL = ("1-10", "11-50")
_SURE_SAMPLES = 3
_MOST = 0.5


@dataclass(frozen=True, slots=True)
class Learned:
    """The pattern that most known addresses of a domain follow: `fits` of `samples` do."""

    pattern: str
    fits: int
    samples: int
    example: str

    @property
    def confidence(self) -> int:
        """In per cent: one example says little, three that agree say much; never as much as a check of the address."""
        base = {1: 50, 2: 65}.get(self.fits, 75 + min(self.fits - _SURE_SAMPLES, 5))
        return round(base * self.fits / self.samples)


@dataclass(frozen=True, slots=True)
class Guess:
    """A local part, the pattern that made it, and how likely it is, in per cent."""

    local: str
    pattern: str
    confidence: int


def learn(known: Iterable[KnownAddress]) -> Learned | None:
    """The pattern of a domain, from addresses whose owners are known; None where they agree on nothing."""
    samples = [(each, found) for each in known if (found := _patterns_of(each))]
    votes = Counter(pattern for _, found in samples for pattern in found)
    if not votes:
        return None
    order = list(table("address_patterns.txt"))
    pattern = min(votes, key=lambda each: (-votes[each], order.index(each)))
    if votes[pattern] <= _MOST * len(samples):
        return None
    example = next(each.key for each, found in samples if pattern in found)
    return Learned(pattern, votes[pattern], len(samples), example)


def guesses(name: str, country: str = "", *, learned: Learned | None = None, employees: str = "") -> tuple[Guess, ...]:
    """What the address of this person may be, likeliest first. Empty where the name's script cannot be read."""
    ways = spellings(name, country)
    patterns = [learned.pattern] if learned else list(_usual(employees))
    found: dict[str, Guess] = {}
    for at, pattern in enumerate(patterns):
        for to, way in enumerate(ways):
            local = fill(pattern, way)
            sure = learned.confidence if learned else max(5, 30 - 8 * at)
            if local and local not in found:
                found[local] = Guess(local, pattern, max(1, sure - 20 * to))
    return tuple(sorted(found.values(), key=lambda guess: -guess.confidence))


def fill(pattern: str, way: Spelling) -> str:
    """`{f}{last}` and Ada Testwell → `atestwell`; empty where the name lacks a part."""
    parts = {"first": way.first, "last": way.last, "f": way.first[:1], "l": way.last[:1]}
    if any(f"{{{name}}}" in pattern and not part for name, part in parts.items()):
        return ""
    return pattern.format(**parts).strip(".-_")


def fits(local: str, name: str, country: str = "") -> str:
    """How a local part fits a person: "strong" (both names in full), "initials" (one of them as a letter), "weak" (one
    of them alone), or not at all."""
    text = local.lower().partition("+")[0]
    return next((fit for fit, locals_ in _owned(name, country).items() if text in locals_), "")


@lru_cache(maxsize=4096)
def _owned(name: str, country: str) -> Mapping[str, frozenset[str]]:
    """The local parts of a person by how well they fit, the best first."""
    ways = _with_short_forms(spellings(name, country))
    patterns = {"strong": [], "initials": [], "weak": ["{first}", "{last}"]}
    for pattern in table("address_patterns.txt"):
        if "{first}" in pattern and "{last}" in pattern:
            patterns["strong"].append(pattern)
        elif "{f" in pattern and "{l" in pattern and pattern != "{f}{l}":
            patterns["initials"].append(pattern)
    found = {fit: {fill(pattern, way) for pattern in those for way in ways} for fit, those in patterns.items()}
    return {fit: frozenset(each for each in locals_ if len(each) > 1) for fit, locals_ in found.items()}


def _with_short_forms(ways: Sequence[Spelling]) -> tuple[Spelling, ...]:
    more = [Spelling(short, way.last) for way in ways for short in sorted(short_forms(way.first))]
    return (*ways, *more)


def _patterns_of(known: KnownAddress) -> frozenset[str]:
    local = known.key.rpartition("@")[0].partition("+")[0]
    ways = _with_short_forms(spellings(known.name, known.country))
    return frozenset(
        pattern for pattern in table("address_patterns.txt") for way in ways if fill(pattern, way) == local
    )


def _usual(employees: str) -> tuple[str, ...]:
    """The patterns to try without an example: small firms use first names alone, larger ones cannot."""
    usual = ["{first}.{last}", "{first}", "{f}{last}", "{first}{last}"]
    if employees in _SMALL or not employees:
        usual[:2] = ["{first}", "{first}.{last}"]
    return tuple(usual)
