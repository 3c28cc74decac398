"""In which time zone a company is, from its city, region and country alone: offline, by a table built from GeoNames.

A country with one zone decides by itself; the United States need a state or a city. What the table does not know has
no zone here, and the caller falls back to the mailbox's.
"""

import re
import unicodedata
from dataclasses import dataclass, field
from functools import cache
from zoneinfo import ZoneInfo

from outreach.core.records import Company, Founder
from outreach.resources import table

_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"})
_SAINT = re.compile(r"\b(?:saint|sankt)\b")
_EMPTY_WORDS = re.compile(r"\b(?:city of|state of|province of|greater|metropolitan area|bay area|area)\b")
_GIVEN = ("timezone", "time zone", "time_zone")


@dataclass(frozen=True, slots=True)
class Zone:
    """The zone whose hours count for a mail, and where that is known from: `given` by a list's own column, `inferred`
    from the company's place, or the `mailbox`'s where nothing else is known."""

    name: str
    origin: str
    place: str = ""

    def __str__(self) -> str:
        match self.origin:
            case "given":
                return f"{self.name} (given)"
            case "inferred":
                return f"{self.name} (inferred from {self.place})"
            case _:
                return f"{self.name} (yours; their place is not known)"


def recipient_zone(founder: Founder, mailbox_zone: str) -> Zone:
    """The zone in which a founder reads their mail: given, inferred, or the mailbox's own."""
    given = next((cell.strip() for header, cell in founder.cells.items() if header.strip().casefold() in _GIVEN), "")
    if is_zone(given):
        return Zone(given, "given")
    company = founder.company
    found = find_zone(company.city, company.region, company.country) if company else ""
    return Zone(found, "inferred", _place(company)) if company and found else Zone(mailbox_zone, "mailbox")


def find_zone(city: str, region: str = "", country: str = "") -> str:
    """The IANA zone of a place, or empty. A list may give any of the three, and a lone word stands in `country`."""
    town, state, land = fold_place(city), fold_place(region), fold_place(country)
    atlas = _atlas()
    code = atlas.countries.get(land, "")
    if land in atlas.regions["US"] and not state and (not code or _is_american(atlas, town, code)):
        code, state = "US", land  # "Austin, TX"
    if not code:
        return atlas.alone(town or land)
    return atlas.in_country(code, town, state)


@cache
def is_zone(name: str) -> bool:
    """Whether a text names a zone of the IANA list."""
    try:
        return "/" in name and zone_info(name) is not None
    except (KeyError, ValueError, OSError):  # unknown, or no name at all: "../x", 10,000 letters
        return False


@cache
def zone_info(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def fold_place(name: str) -> str:
    """A place name to look up: without accents, case, punctuation and words that say nothing."""
    plain = unicodedata.normalize("NFKD", name.casefold().translate(_LETTERS))
    letters = "".join(character for character in plain if not unicodedata.combining(character))
    words = " ".join(re.sub(r"[^\w]+", " ", letters.replace(".", "")).split())
    return " ".join(_SAINT.sub("st", _EMPTY_WORDS.sub(" ", words)).split()) or words


def _place(company: Company) -> str:
    return ", ".join(part for part in (company.city, company.country or company.region) if part)


@dataclass(frozen=True, slots=True)
class _Atlas:
    """The table, by folded names."""

    countries: dict[str, str] = field(default_factory=dict)
    zones: dict[str, str] = field(default_factory=dict)
    regions: dict[str, dict[str, tuple[str, str]]] = field(default_factory=dict)
    """country → name of a region → its first name and the zone of most of it."""
    exceptions: dict[str, dict[str, str]] = field(default_factory=dict)
    cities: dict[str, dict[str, str]] = field(default_factory=dict)
    big: dict[str, tuple[str, str]] = field(default_factory=dict)

    def alone(self, town: str) -> str:
        return self.big.get(town, ("", ""))[1]

    def in_country(self, code: str, town: str, state: str) -> str:
        name, of_region = self.regions.get(code, {}).get(state, ("", ""))
        if of_region:
            return self.exceptions.get(f"{code}.{name}", {}).get(town, of_region)
        return self.cities.get(code, {}).get(town, "") or self.zones[code]


def _is_american(atlas: _Atlas, town: str, code: str) -> bool:
    """Whether a two-letter code after a city means a state: `San Francisco, CA` is no Canadian place."""
    known = atlas.big.get(town, ("", ""))[0] == code or town in atlas.cities.get(code, {})
    return town in atlas.cities["US"] and not known


@cache
def _atlas() -> _Atlas:
    atlas = _Atlas()
    for line in table("zones.txt"):
        kind, code, zone, names = line.split("\t")
        _read(atlas, kind, code, zone.strip("-"), names.split("|"))
    return atlas


def _read(atlas: _Atlas, kind: str, code: str, zone: str, names: list[str]) -> None:
    match kind:
        case "country":
            atlas.zones[code] = zone
            atlas.countries.update(dict.fromkeys(names, code))
        case "region":
            atlas.regions.setdefault(code, {}).update(dict.fromkeys(names, (names[0], zone)))
        case "but":
            atlas.exceptions.setdefault(code, {}).update(dict.fromkeys(names, zone))
        case "city":
            atlas.cities.setdefault(code, {}).update(dict.fromkeys(names, zone))
        case _:
            atlas.big.update(dict.fromkeys(names, (code, zone)))
