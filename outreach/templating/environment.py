"""The Jinja2 sandbox: no loader, no globals, no filter but ours; values that are empty know their names.

A `Blank` stands for a value that is missing or says nothing. In an `if`, an `or` and in `default(…)` it is as absent as
template authors expect; printed, it notes its name, so that the mail is held with all such names at once.
"""

from collections.abc import Callable, Iterator
from typing import Any

from jinja2 import Undefined
from jinja2.filters import do_default
from jinja2.sandbox import ImmutableSandboxedEnvironment


class Blank(Undefined):
    """A value that says nothing. `seen` collects the names of those that were printed."""

    __slots__ = ("_seen",)

    def __init__(self, name: str, seen: list[str]) -> None:
        super().__init__(name=name)
        self._seen = seen

    def note(self) -> None:
        if self._undefined_name not in self._seen:
            self._seen.append(str(self._undefined_name))

    def __str__(self) -> str:
        self.note()
        return ""

    def _never(self, _other: object) -> bool:
        return False

    # In an `if`, what is not known is neither more nor less than anything; Jinja2's own raises.
    __lt__ = __le__ = __gt__ = __ge__ = _never  # type: ignore[assignment]  # declared as never returning

    def __iter__(self) -> Iterator[Any]:
        return iter(())


def _truncate(text: str, length: int = 255) -> str:
    """At most `length` characters, cut between words."""
    return text if len(text) <= length else text[:length].rsplit(" ", 1)[0].rstrip(" ,.;:") + "…"


def _join(values: Any, separator: str = ", ") -> str:
    # Only lists are joined: joining the letters of a text could be chained into one of any length.
    return separator.join(values) if isinstance(values, list) else str(values)


def _of_known(convert: Callable[..., Any]) -> Callable[..., Any]:
    """A filter that hands a Blank on untouched, so that `{{ company.city | upper | default("here") }}` works."""

    def applied(value: Any, *arguments: Any) -> Any:
        return value if isinstance(value, Undefined) else convert(value, *arguments)

    return applied


FILTERS: dict[str, Callable[..., Any]] = {
    "default": do_default,
    "capitalize": _of_known(lambda value: str(value).capitalize()),
    "first": _of_known(lambda value: value[0]),
    "join": _of_known(_join),
    "last": _of_known(lambda value: value[-1]),
    "length": _of_known(len),
    "lower": _of_known(lambda value: str(value).lower()),
    "title": _of_known(lambda value: str(value).title()),
    "trim": _of_known(lambda value: str(value).strip()),
    "truncate": _of_known(_truncate),
    "upper": _of_known(lambda value: str(value).upper()),
}


def _printed(value: Any) -> Any:
    return ", ".join(value) if isinstance(value, list) else value


def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, finalize=_printed)
    environment.globals.clear()
    environment.filters = dict(FILTERS)
    environment.tests = {name: environment.tests[name] for name in ("defined", "undefined")}
    return environment


ENVIRONMENT = _environment()
