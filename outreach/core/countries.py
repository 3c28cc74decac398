"""What the law of the reader's country asks of a first mail. The rules are a table (`core/data/countries.toml`); a
campaign may set one aside with a reason, which is kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from outreach.core.normalize import is_free_mail
from outreach.core.places import find_country
from outreach.core.records import Founder
from outreach.resources import toml

JOB_SEARCH = "job-search"


@dataclass(frozen=True, slots=True)
class CountryAnswer:
    """What a country's rule says of writing to one founder. `blocks` is False for a warning."""

    country: str
    detail: str
    blocks: bool

    def __str__(self) -> str:
        return f"country: {self.detail}"


def needs_notice(country: str) -> bool:
    """Whether the first mail must say where the address is from; what is no country we know counts as if it must."""
    return not find_country(country.strip()) or bool(_entry(country).get("notice"))


def country_answer(
    founder: Founder, address: str, *, purpose: str, overrides: Mapping[str, str]
) -> CountryAnswer | None:
    """The rule that speaks against writing to this founder at this address, if one does."""
    country = founder.company.country if founder.company else ""
    entry = _entry(country)
    rule = entry.get("rule", "")
    if not rule or _is_set_aside(entry, overrides) or not _APPLIES[rule](founder, address):
        return None
    terms = toml("countries.toml")["rules"][rule]
    blocks = bool(terms["strict"]) or purpose != JOB_SEARCH
    return CountryAnswer(country, f"{country}: {terms['why']}", blocks)


def known_country(name: str) -> str:
    """The table's own name for a country that has a rule; empty for others."""
    entry = _entry(name)
    return str(entry["names"][0]) if entry.get("rule") else ""


def countries_with_rules() -> tuple[str, ...]:
    return tuple(entry["names"][0] for entry in toml("countries.toml")["country"] if entry.get("rule"))


def _is_set_aside(entry: Mapping[str, Any], overrides: Mapping[str, str]) -> bool:
    return any(find_country(country) in entry["names"] for country in overrides)


def _has_no_consent(founder: Founder, _address: str) -> bool:
    return not founder.consent


def _is_individual(founder: Founder, address: str) -> bool:
    return not founder.consent and (founder.company is None or (bool(address) and is_free_mail(address)))


_APPLIES = {"consent": _has_no_consent, "record": _has_no_consent, "companies": _is_individual}


@cache
def _table() -> dict[str, dict[str, Any]]:
    return {name: entry for entry in toml("countries.toml")["country"] for name in entry["names"]}


def _entry(country: str) -> Mapping[str, Any]:
    return _table().get(find_country(country.strip()), {})
