"""Ways to find an address. A module in this folder is the plugin: its `make` builds the finder of the file's name.

Others come from outside: an entry point of the group `outreach.finders` names a function of the same shape.
"""

from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import entry_points
from pkgutil import iter_modules

from outreach.core.ports import Finder, FinderTools
from outreach.errors import UsageError

GROUP = "outreach.finders"
DEFAULT_ORDER = ("website", "hunter", "pattern")
"""What costs nothing first; a guess last."""

Make = Callable[[FinderTools], Finder]


def finder_names() -> tuple[str, ...]:
    """Every finder there is, those of other packages included."""
    return tuple(sorted({*_own(), *(point.name for point in entry_points(group=GROUP))}))


def make_finders(names: Sequence[str], tools: FinderTools) -> list[Finder]:
    """The finders of these names, in this order; without names, those that are ready, in the usual order."""
    if names:
        found = [_make(name, tools) for name in dict.fromkeys(names)]
        if unready := next((finder for finder in found if finder.missing), None):
            raise UsageError(f"{unready.name} cannot be used yet.", hint=unready.missing)
        return found
    return [finder for finder in (_make(name, tools) for name in DEFAULT_ORDER) if not finder.missing]


def _make(name: str, tools: FinderTools) -> Finder:
    if name in _own():
        make: Make = import_module(f"{__name__}.{name}").make
        return make(tools)
    for point in entry_points(group=GROUP, name=name):
        make = point.load()
        return make(tools)
    raise UsageError(f"there is no finder “{name}”.", hint=f"there is {', '.join(finder_names())}")


def _own() -> tuple[str, ...]:
    return tuple(module.name for module in iter_modules(__path__) if not module.name.startswith("_"))
