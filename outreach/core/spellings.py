"""A person's name → the ways in which it may stand before the @, in ASCII, likeliest first.

Knows scripts and customs (which part is the family name, ü → ue or u, particles, hyphens, nicknames); knows nothing of
patterns, domains or mail. Where a script cannot be read without guessing, nothing comes back.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache

from anyascii import anyascii

from outreach.core.names import parse_name
from outreach.resources import table, toml, words

_QUOTED = re.compile(r"[\"“”„‟«»'‘’]([\w. -]{2,20})[\"“”„‟«»'‘’](?=\s|$)")
_BRACKETED = re.compile(r"\(([^()]*)\)")
_GIVEN_NAME = re.compile(r"[^\W\d_]{2,15}")
_SPLIT_GIVEN = re.compile(r"[A-Z][a-z]+-[a-z]+")
_PATRONYMIC = re.compile(r".{2,}(?:[oey]vich|ich|ovna|evna|ichna)")
_NOT_LOCAL = re.compile(r"[^a-z0-9-]+")
_MAX = 12


@dataclass(frozen=True, slots=True)
class Spelling:
    """One way to write a name in an address. `last` is empty for a name of one word."""

    first: str
    last: str


@dataclass(frozen=True, slots=True)
class _Parts:
    """The words of a name by their place; `glued`: the words of the given name are written as one."""

    given: tuple[str, ...]
    family: tuple[str, ...]
    glued: bool = False
    second_family: tuple[str, ...] = ()
    nickname: str = ""


@lru_cache(maxsize=4096)
def spellings(name: str, country: str = "") -> tuple[Spelling, ...]:
    """Every sensible way to write this name, likeliest first; empty where its script cannot be read."""
    if _is_unreadable(name, country):
        return ()
    parts = _parts(name, country.casefold())
    found: dict[Spelling, None] = {}
    for family in filter(None, (parts.family, parts.second_family)) if parts.family else [()]:
        for given in _given_names(parts):
            for write in _ways(name, country):
                _combine(found, _first_shapes(given, parts, write), _last_shapes(family, country, write))
    return tuple(found)[:_MAX]


def _combine(found: dict[Spelling, None], firsts: Sequence[str], lasts: Sequence[str]) -> None:
    """The likeliest pairs first: those whose parts come early in their own lists."""
    pairs = ((at + to, at, Spelling(first, last)) for at, first in enumerate(firsts) for to, last in enumerate(lasts))
    found.update(dict.fromkeys(pair for *_, pair in sorted(pairs, key=lambda each: each[:2])))


def short_forms(first: str) -> frozenset[str]:
    """Nicknames of a given name, and the names that it is a nickname of."""
    return frozenset(word for line in table("nicknames.txt") if first in line.split() for word in line.split())


# --- which word is what ---------------------------------------------------------------------------


def _parts(name: str, country: str) -> _Parts:
    bare, nickname = _without_nickname(name)
    if _in_script(bare, "HANGUL") or _in_script(bare, "CJK"):
        return _eastern(bare)
    if _in_script(bare, "HIRAGANA") or _in_script(bare, "KATAKANA"):
        family, *given = bare.split()
        return _Parts(tuple(given), (family,)) if given else _Parts((family,), ())
    parsed = parse_name(bare)
    shown = [word for word in _name_words(bare) if word]
    if len(shown) < 2:
        return _Parts((parsed.first or bare,), (), nickname=nickname)
    return _reordered(shown, country, nickname) or _western(shown, parsed.last, country, nickname)


def _western(shown: Sequence[str], last: str, country: str, nickname: str) -> _Parts:
    family = tuple(last.split())
    before = shown[: len(shown) - len(family)]
    if before[1:] and before[-1].casefold() in toml("spelling_rules.toml")["irish"]["glued"]:
        family, before = (before[-1] + family[0], *family[1:]), before[:-1]
    middle = [word for word in before[1:] if len(_ascii(word)) > 1 and not _PATRONYMIC.fullmatch(_ascii(word))]
    rule = toml("spelling_rules.toml")["two_surnames"]
    if middle and _ascii(middle[0]) in rule["second_given"]:
        middle = middle[1:]  # José Luis
    if country in rule["countries"] and middle and len(family) == 1:
        return _Parts((before[0],), (middle[-1],), second_family=family, nickname=nickname)
    return _Parts((before[0],), family, nickname=nickname)


def _reordered(shown: Sequence[str], country: str, nickname: str) -> _Parts | None:
    """A name whose family name stands first: NGUYEN Van An, Wang Xiaoming, Kim Min-jun, Иванов Пётр Ильич."""
    bare = [_ascii(word) for word in shown]
    loud = [word.isupper() and len(word) > 1 for word in shown]
    custom = {family: kind for kind, family in (line.split() for line in table("family_first.txt"))}
    kind = custom.get(bare[0], "") if bare[-1] not in custom else ""
    if country == "vietnam" and len(shown) > 2:
        kind = "vi"
    if len(shown) == 3 and _PATRONYMIC.fullmatch(bare[2]) and not _PATRONYMIC.fullmatch(bare[1]):
        return _Parts((shown[1],), (shown[0],), nickname=nickname)
    if loud[0] and not any(loud[1:]) and len(shown[0]) > 2:
        kind = kind or "zh"
    if bare[0] in words("family_or_given.txt") and len(shown) == 2 and _SPLIT_GIVEN.fullmatch(shown[1]):
        kind = "ko"
    if not kind:
        return None
    given = (shown[-1],) if kind == "vi" else tuple(shown[1:])
    return _Parts(given, (shown[0],), glued=kind != "vi", nickname=nickname)


def _eastern(name: str) -> _Parts:
    """Chinese or Korean in its own script: one syllable of family name (two for a few), then the given name."""
    head, *rest = name.split()
    if rest:
        return _Parts(tuple(rest), (head,), glued=True)
    size = 2 if head[:2] in words("compound_surnames.txt") and len(head) > 2 else 1
    family = toml("spelling_rules.toml")["han_surnames"].get(head[:size], head[:size])
    return _Parts((head[size:],), (family,), glued=True) if len(head) > size else _Parts((), (head,))


def _without_nickname(name: str) -> tuple[str, str]:
    quoted = _QUOTED.search(name)
    bracketed = _BRACKETED.search(name)
    told = quoted or bracketed
    inside = told[1].strip() if told else ""
    bare = _BRACKETED.sub(" ", name.replace(quoted[0], " ") if quoted else name)
    return " ".join(bare.split()) or name, inside if _GIVEN_NAME.fullmatch(inside) else ""


def _name_words(name: str) -> list[str]:
    """The words that are the name itself, in the order of `parse_name`: no title, suffix or degree."""
    key = parse_name(name)
    kept, wanted = [], list(key.words)
    for word in name.replace(",", " ").split():
        folded = "".join(c for c in unicodedata.normalize("NFKD", word).casefold() if c.isalnum())
        if any(folded == each or _ascii(word).replace("-", "") == anyascii(each) for each in wanted):
            kept.append(word)
    if "," in name and len(kept) == 2 and parse_name(name).first.casefold() == kept[1].casefold():
        kept.reverse()  # "Testwell, Ada"
    return kept


def _given_names(parts: _Parts) -> Iterator[tuple[str, ...]]:
    yield parts.given
    if parts.nickname:
        yield (parts.nickname,)


# --- scripts --------------------------------------------------------------------------------------


def _is_unreadable(name: str, country: str) -> bool:
    scripts = {script for character in name if (script := _script(character))}
    if "CJK" in scripts and (country.casefold() == "japan" or scripts & {"HIRAGANA", "KATAKANA"}):
        return True  # how a kanji name is read, only its owner knows
    return bool(scripts & set(toml("spelling_rules.toml")["unreadable"]["scripts"]))


@cache
def _script(character: str) -> str:
    return unicodedata.name(character, "").partition(" ")[0] if character.isalpha() else ""


def _in_script(text: str, script: str) -> bool:
    return any(_script(character) == script for character in text)


def _ways(name: str, country: str) -> Iterable["_Write"]:
    """The customs of writing this name in ASCII, likeliest first."""
    rules = toml("spelling_rules.toml")
    lower = unicodedata.normalize("NFC", name).lower()
    if _in_script(name, "CYRILLIC") and (own := _local_ways(lower, country)):
        return own
    if _in_script(name, "CYRILLIC"):
        usual, endings, inside = (rules["cyrillic"][kind] for kind in ("usual", "endings", "inside"))
        first = [_Write({}, ending=(old, new)) for old, new in usual]
        then = [_Write({}, ending=(old, new)) for old, new in endings]
        return [*first, _Write({}), *then, *(_Write({}, inside=(old, new)) for old, new in inside)]
    if not any(character in rules["plain"] for character in lower):
        return [_Write({})]
    signs = {character for character in lower if not character.isascii() and character.isalpha()}
    german = country.casefold() in rules["german"]["countries"]
    german = german or (not country and signs <= set(rules["german"]["only"]))
    ways = [_Write(rules["expanded"]), _Write(rules["plain"])]
    return ways if german else ways[::-1]


def _local_ways(lower: str, country: str) -> list["_Write"]:
    """The customs of a language that writes Cyrillic in its own way; empty for all others."""
    for rule in (toml("spelling_rules.toml")[name] for name in ("serbian", "ukrainian", "bulgarian")):
        if set(rule["only"]) & set(lower) or country.casefold() in rule["countries"]:
            letters, within = dict(rule["letters"]), dict(rule.get("within", {}))
            return [_Write(letters, within=within), *([_Write(letters)] if within else [])]
    return []


@dataclass(frozen=True, slots=True)
class _Write:
    """One custom: letters rewritten before the transliteration (those of `within` not at the start of a word), and one
    rewriting of what comes out of it, at the end of a word or anywhere in it."""

    letters: dict[str, str]
    ending: tuple[str, str] = ("", "")
    inside: tuple[str, str] = ("", "")
    within: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, word: str) -> str:
        lower = unicodedata.normalize("NFC", word).lower()
        for letter, plain in self.letters.items():
            lower = lower.replace(letter, plain)
        for letter, plain in self.within.items():
            lower = lower[:1] + lower[1:].replace(letter, plain)
        text = _ascii(lower)
        if _in_script(word, "GREEK"):
            return _greek(text)
        if _in_script(word, "HIRAGANA") or _in_script(word, "KATAKANA"):
            return text.replace("ou", "o").replace("uu", "u")
        if self.ending[0] and text.endswith(self.ending[0]):
            return text.removesuffix(self.ending[0]) + self.ending[1]
        return text.replace(*self.inside) if self.inside[0] else text


def _greek(text: str) -> str:
    rules = toml("spelling_rules.toml")["greek"]
    for old, new in rules["first"]:
        text = new + text[len(old) :] if text.startswith(old) else text
    for old, new in rules["inside"]:
        text = text.replace(old, new)
    return text


def _ascii(word: str) -> str:
    return _NOT_LOCAL.sub("", anyascii(word).lower().replace("’", "")).strip("-")


# --- shapes ---------------------------------------------------------------------------------------


def _first_shapes(given: Sequence[str], parts: _Parts, write: _Write) -> list[str]:
    written = [text for text in map(write, given) if text]
    if not written:
        return [""]
    joined = "".join(written)
    if parts.glued:
        return _unique([joined.replace("-", ""), joined])
    head = written[0]
    return _unique([joined if len(written) == 1 else head, head.replace("-", ""), head.partition("-")[0]])


def _last_shapes(family: Sequence[str], country: str, write: _Write) -> list[str]:
    """`de la Cruz` → delacruz, cruz; `Müller-Lüdenscheidt` → with the hyphen, without, the first of the two."""
    written = [text for text in map(write, family) if text]
    if not written:
        return [""]
    common = _common_spellings(written[0]) if len(written) == 1 else ()
    joined, base = "".join(written), written[-1]
    particles = sum(text in words("name_particles.txt") for text in written[:-1])
    if len(written) > 1 and not particles:
        return _unique([written[0], joined, base])  # García Márquez, given as one family name
    if particles and country.casefold() in toml("spelling_rules.toml")["no_particles"]["countries"]:
        return _unique([base, joined])
    short, _, behind = base.partition("-")
    if short in words("name_particles.txt"):
        return _unique([joined.replace("-", ""), joined, base, behind])  # El-Naggari
    return _unique([*common, joined, joined.replace("-", ""), base, short])


def _common_spellings(word: str) -> tuple[str, ...]:
    return next((tuple(line.split()[1:]) for line in table("surname_spellings.txt") if line.split()[0] == word), ())


def _unique(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(filter(None, texts))) or [""]
