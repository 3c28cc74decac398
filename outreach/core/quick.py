"""What makes reading fast enough for a million rows: records that are cheap to make, and answers kept by value."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

_T = TypeVar("_T")
_K = TypeVar("_K", bound=Hashable)
_V = TypeVar("_V")

MOST_KEPT = 8_192
"""What comes again in a list mostly comes again soon, and a million values that do not are not worth keeping."""


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(cls: type[_T]) -> type[_T]:
    """A slotted dataclass that the type checker holds frozen. `frozen=True` would hold it at run time too, but sets
    each field through a call: making one takes six times as long, and a row makes half a dozen."""
    return dataclass(slots=True, unsafe_hash=True)(cls)


class Memo(dict[_K, _V]):
    """What a function makes of each value, made once: `memo[value]`. Costs a third of `lru_cache`; starts anew when it
    holds too many."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[[_K], _V]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: _K) -> _V:
        if len(self) >= MOST_KEPT:
            self.clear()
        value = self[key] = self._make(key)
        return value
