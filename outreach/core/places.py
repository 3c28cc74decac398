"""Names of places → city, region, country as Crunchbase names them. Pure; a place in no table stays as it is."""

from functools import cache, lru_cache

from outreach.core.quick import MOST_KEPT
from outreach.core.values import text_value
from outreach.resources import table, words

_CITIES_TOO = ("New York", "Washington")


@lru_cache(maxsize=MOST_KEPT)
def parse_location(cell: str) -> tuple[str, str, str]:
    """City, region, country. `Edinburgh, Edinburgh, City of, United Kingdom` has its region in two parts; `Los Angeles,
    CA` ends in a state, `Bahrain, Asia` in a continent."""
    parts = [part for part in map(text_value, cell.split(",")) if part]
    if len(parts) > 1 and parts[-1] in words("continents.txt"):
        parts.pop()
    if not parts:
        return "", "", ""
    if state := _state(parts[-1], behind=parts[:-1]):
        return (parts[0] if len(parts) > 1 else "", *state)
    if len(parts) == 1:
        country = country_name(parts[0])
        return ("", "", country) if country in _country_names().values() else (parts[0], "", "")
    country = country_name(parts[-1])
    return parts[0], ", ".join(region_name(part, country) for part in parts[1:-1]), country


def country_name(text: str) -> str:
    """Crunchbase's name for a country that is given by its code or another name."""
    names = _country_names()
    return names.get(text) or names.get(text.casefold(), text)


def find_country(text: str) -> str:
    """The same for what may be written in any case; empty for what is no country."""
    names = _country_names()
    return names.get(text.casefold()) or names.get(text.upper(), "")


def region_name(text: str, country: str) -> str:
    """The name of a state that is given by its code."""
    name, where = _regions().get(text, (text, country))
    return name if where == country else text


def _state(text: str, behind: list[str]) -> tuple[str, str] | None:
    """Region and country, if this is a state: a code only behind a city, for `CA` is Canada too."""
    if text in _regions():
        return _regions()[text] if len(behind) == 1 else None
    if len(behind) > 1 or text.casefold() in _country_names() or (not behind and text in _CITIES_TOO):
        return None
    return _region_names().get(text)


@cache
def _country_names() -> dict[str, str]:
    """code in capitals, or name casefolded → name."""
    found: dict[str, str] = {}
    for line in table("countries.txt"):
        name, *others = line.split("|")
        codes = [other for other in others if other.isupper()]
        found |= dict.fromkeys((name.casefold(), *codes, *(each.casefold() for each in others[2:])), name)
    return found


@cache
def _regions() -> dict[str, tuple[str, str]]:
    parts = (line.split("|") for line in table("regions.txt"))
    return {code: (name, country) for code, name, country in parts}


@cache
def _region_names() -> dict[str, tuple[str, str]]:
    return {name: (name, country) for name, country in _regions().values()}
