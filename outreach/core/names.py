"""Names of companies and people → keys, parts, and whether two could be the same one. Pure; originals are kept by the
caller. Knows nothing of rows or of what follows from a likeness."""

import re
import unicodedata
from functools import cache, lru_cache

from outreach.core.quick import MOST_KEPT, record
from outreach.core.text import one_line
from outreach.resources import table, words

_BRACKETED = re.compile(r"\s*[(\[]([^()\[\]]*)[)\]]")
_NICKNAME = re.compile(r"(?<=\S)\s+[\"“”„][^\"“”„]*[\"“”](?!\S)")  # James "Tyler" Testwell
_FORMERLY = re.compile(r"^(?:formerly|former|previously|fka|f/k/a|aka|a/k/a|ex|now|dba|d/b/a)\b[:.\s]*", re.IGNORECASE)
_BETWEEN_PEOPLE = re.compile(r"\s*[,;\n]\s*|\s+(?:and|&)\s+")
_OTHER_MARKS = re.compile(r"[;\n]| (?:and |& |,| )")
_NO_QUOTES = str.maketrans("", "", '"“”„')
_PLAIN_NAME = re.compile(r"([A-Z][a-z]+) ([A-Z][a-z]+)")
"""Most names: nothing to be told apart, so nothing to be looked for."""
_LIKE = 85
"""Likeness from which two names in one company are worth a question: of 24 such pairs about 16 were one person."""


# --- companies ------------------------------------------------------------------------------------


@lru_cache(maxsize=MOST_KEPT)
def company_key(name: str) -> str:
    """What spellings of one company's name share: no marks, case, brackets, punctuation, blanks, legal form."""
    bare = _BRACKETED.sub(" ", name).strip() or name if "(" in name or "[" in name else name
    parts = bare.replace("&", " and ").replace(",", " ").split()
    while len(parts) > 1 and _is_legal_form(parts[-1]):
        parts.pop()
    return letters("".join(parts)) or one_line(name).casefold()


def company_aliases(name: str) -> tuple[str, ...]:
    """The other names that stand in brackets: `Acme (formerly Zenith)` → Zenith."""
    found = (_FORMERLY.sub("", inside).strip() for inside in _BRACKETED.findall(name))
    return tuple(alias for alias in found if alias)


def names_no_company(name: str) -> bool:
    """`Stealth`, `Self-employed`, `Career Break`: what people write instead of a company."""
    return name.strip().casefold().replace("-", " ") in words("no_companies.txt")


def _is_legal_form(word: str) -> bool:
    bare = letters(word)
    dotted = "." in word.rstrip(".") and len(bare) <= 4
    return bare in words("legal_forms.txt") or (
        bare in words("short_legal_forms.txt") and (dotted or word.rstrip(".").isupper())
    )


# --- people ---------------------------------------------------------------------------------------


@record
class PersonName:
    """A person's name in parts. `words` are its key words in order; `suffix` tells a father from a son."""

    full: str
    first: str
    last: str
    words: tuple[str, ...]
    suffix: str = ""

    @property
    def key(self) -> str:
        return "".join(self.words)


@lru_cache(maxsize=MOST_KEPT)
def parse_name(text: str) -> PersonName:
    """`Dr. Jürgen Müller-Lüdenscheidt, PhD` → first Jürgen, last Müller-Lüdenscheidt."""
    if plain := _PLAIN_NAME.fullmatch(text):
        first, last = text.lower().split(" ")
        if first not in words("name_titles.txt") and last not in _special_lasts():
            return PersonName(text, plain[1], plain[2], (first, last))
    full = one_line(text)
    shown, suffix = _undecorated(full)
    last_at = _last_name_at(shown)
    return PersonName(
        full=full,
        first=cased(shown[0]) if shown else "",
        last=" ".join(map(cased, shown[last_at:])) if len(shown) > 1 else "",
        words=tuple(filter(None, map(letters, shown))),
        suffix=suffix,
    )


def tidy_name(text: str) -> str:
    """The name as a person would write it: no titles, credentials, pronouns or pictures; `Jr` and `III` stay."""
    shown, suffix = _undecorated(one_line(text))
    if not shown:
        return ""
    name = " ".join(map(cased, shown))
    return f"{name}, {suffix.upper() if suffix.startswith('i') else suffix.capitalize()}" if suffix else name


@cache
def _special_lasts() -> frozenset[str]:
    return _after_names() | words("name_particles.txt")


def split_people(cell: str) -> tuple[str, ...]:
    """`Ada Testwell, Omar Brightly, III` → two names: a piece that is only a suffix or a degree belongs to the last."""
    pieces = cell.split(", ")
    if len(pieces) <= cell.count(",") or _OTHER_MARKS.search(cell):
        pieces = _BETWEEN_PEOPLE.split(cell)
    after = _after_names()
    found: list[str] = []
    for piece in filter(None, map(str.strip, pieces)):
        first = piece.partition(" ")[0]
        if found and (first.lower() in after or "." in first) and all(map(_is_after_name, piece.split())):
            found[-1] += f", {piece}"
        else:
            found.append(piece)
    return tuple(found)


def compatible(left: PersonName, right: PersonName) -> bool:
    """Whether two names may be one person's: equal, one the other's first name, initials, or some of its words."""
    if left.suffix and right.suffix and left.suffix != right.suffix:
        return False
    short, long = sorted((left, right), key=lambda name: len(name.words))
    if left.key == right.key or not short.words:
        return True
    if set(short.words) <= set(long.words):
        return True
    return short.words[-1] == long.words[-1] and _initials_fit(short.words[:-1], long.words[:-1])


def alike(left: PersonName, right: PersonName) -> str:
    """Why two names in one company may be one person: a nickname, fewer words, a near spelling. Else empty."""
    if not left.words or not right.words:
        return ""
    if (
        set(left.words).isdisjoint(right.words) and left.key != right.key
    ):  # most colleagues: no word is compared further
        return "a near spelling" if _is_near(left.key, right.key) else ""
    same_last = min(len(left.words), len(right.words)) > 1 and left.words[-1] == right.words[-1]
    if same_last and _short_forms(left.words[0]) & _short_forms(right.words[0]):
        return "forms of one first name"
    if compatible(left, right):
        return "one name holds the other"
    return "a near spelling" if _is_near(left.key, right.key) else ""


def _is_near(left: str, right: str) -> bool:
    from rapidfuzz import fuzz  # who only looks somebody up compares no spellings

    return bool(fuzz.ratio(left, right, score_cutoff=_LIKE))


def _undecorated(full: str) -> tuple[list[str], str]:
    """The words of the name itself, and the suffix."""
    bare = _BRACKETED.sub(" ", full).strip() or full
    if not bare.isalpha() and any(mark in bare for mark in '"“”„'):
        bare = _NICKNAME.sub("", bare).translate(_NO_QUOTES)
    head, *rest = [piece.strip() for piece in bare.split(",") if piece.strip()] or [""]
    behind = [word for piece in rest for word in piece.split()]
    if behind and not any(map(_is_after_name, behind)) and len(head.split()) == 1 and len(rest) == 1:
        shown = [*behind, head]  # "Testwell, Ada"
    else:
        shown = head.split()
    shown = [word for word in map(_without_pictures, shown) if letters(word)]
    while len(shown) > 1 and letters(shown[0]) in words("name_titles.txt"):
        shown = shown[1:]
    while len(shown) > 1 and _is_after_name(shown[-1]):
        behind.append(shown.pop())
    suffixes = [letters(word) for word in behind if letters(word) in words("name_suffixes.txt")]
    return shown, suffixes[0] if suffixes else ""


def _without_pictures(word: str) -> str:
    """Without emoji and their like."""
    if word.isascii():
        return word
    return "".join(character for character in word if unicodedata.category(character) not in ("So", "Sk", "Cn", "Co"))


def _is_after_name(word: str) -> bool:
    bare = word.lower() if word.isalnum() and word.isascii() else letters(word)
    return bare in _after_names()


@cache
def _after_names() -> frozenset[str]:
    return words("name_suffixes.txt") | words("name_credentials.txt")


def _last_name_at(shown: list[str]) -> int:
    """Where the family name starts: the last word, with the particles before it."""
    at = max(len(shown) - 1, 1)
    while at > 1 and letters(shown[at - 1]) in words("name_particles.txt"):
        at -= 1
    return at


def cased(word: str) -> str:
    """`ADA` and `ada` are how lists shout and mumble; a mail says Ada."""
    if len(word) < 3 or "." in word or not (word.isupper() or word.islower()):
        return word
    return "-".join(map(_capital, word.split("-")))


def _capital(part: str) -> str:
    """`o'brien` → O'Brien; in Ng'ang'a the apostrophe starts no name."""
    return part[:2].upper() + part[2:].capitalize() if part[1:2] in ("'", "’") else part.capitalize()


def _initials_fit(short: tuple[str, ...], long: tuple[str, ...]) -> bool:
    return len(short) <= len(long) and all(
        one == other or (len(one) == 1 and other.startswith(one)) or (len(other) == 1 and one.startswith(other))
        for one, other in zip(short, long, strict=False)
    )


@lru_cache(maxsize=4096)
def _short_forms(first: str) -> frozenset[str]:
    """Every given name of which `first` is a form."""
    return frozenset(line.split()[0] for line in table("nicknames.txt") if first in line.split())


# --- letters --------------------------------------------------------------------------------------


def without_marks(text: str) -> str:
    """`é` → `e`, everything compatible unified."""
    if text.isascii():
        return text
    split = unicodedata.normalize("NFKD", text)
    return "".join(character for character in split if not unicodedata.combining(character))


def letters(text: str) -> str:
    """Letters and digits, without marks and case."""
    folded = text.casefold() if text.isascii() else without_marks(without_marks(text).casefold())
    return folded if folded.isalnum() else "".join(filter(str.isalnum, folded))
