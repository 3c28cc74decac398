"""Places as a person types them ("Bay Area", "DACH") → what lists write. Pure; the table is `data/areas.toml`."""

from dataclasses import dataclass
from functools import cache

from outreach.core.names import without_marks
from outreach.resources import toml


@dataclass(frozen=True, slots=True)
class Area:
    """One of `places`, and beside it one of `within` if there are any."""

    places: tuple[str, ...]
    within: tuple[str, ...] = ()


def find_area(typed: str) -> Area | None:
    """The area of that name, or None: then the text is a place as it stands."""
    return _areas().get(_folded(typed))


@cache
def _areas() -> dict[str, Area]:
    return {
        _folded(name): Area(tuple(area["places"]), tuple(area.get("within", ())))
        for area in toml("areas.toml")["area"]
        for name in area["names"]
    }


def _folded(text: str) -> str:
    return " ".join(without_marks(text).casefold().split())
