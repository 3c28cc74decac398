"""The Jinja2 sandbox: no globals, no filter but ours, no file but the shared ones; empty values know their names.

A `Blank` stands for a value that is missing or says nothing. In an `if`, an `or` and in `default(…)` it is as absent as
template authors expect; printed, it notes its name, so that the mail is held with all such names at once.

For an HTML part every printed value becomes a token: Markdown sees the template's own text and the tokens only, and the
values are put in afterwards, escaped. So no value is ever markup.
"""

from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from jinja2 import DictLoader, Undefined, pass_eval_context
from jinja2.filters import do_default
from jinja2.nodes import EvalContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from outreach.core import wording


@dataclass(slots=True)
class Rendering:
    """What one rendering collects: the names of printed blanks and, for HTML, the values behind the tokens."""

    today: date
    seen: list[str] = field(default_factory=list)
    values: list[str] = field(default_factory=list)


RENDERING: ContextVar[Rendering] = ContextVar("rendering")
PLACEHOLDER = "OrValue{}x"
"""Letters and digits only, so that neither Markdown nor a URL changes it."""


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

    def __html__(self) -> str:
        return str(self)

    def _never(self, _other: object) -> bool:
        return False

    # In an `if`, what is not known is neither more nor less than anything; Jinja2's own raises.
    __lt__ = __le__ = __gt__ = __ge__ = _never  # type: ignore[assignment]  # declared as never returning

    def __iter__(self) -> Iterator[Any]:
        return iter(())


# --- filters --------------------------------------------------------------------------------------


def _truncate(value: Any, length: int = 255) -> str:
    """At most `length` characters, cut between words."""
    text = str(value)
    return text if len(text) <= length else text[:length].rsplit(" ", 1)[0].rstrip(" ,.;:") + "…"


def _join(values: Any, separator: str = ", ") -> str:
    # Only lists are joined: joining the letters of a text could be chained into one of any length.
    return str(separator).join(values) if isinstance(values, list) else str(values)


def _listed(values: Any, limit: int = 0, conjunction: str = "and") -> str:
    return wording.in_words(values, limit, conjunction) if isinstance(values, list) else str(values)


def _of_known(convert: Callable[..., Any]) -> Callable[..., Any]:
    """A filter that hands a Blank on untouched, so that `{{ company.city | upper | default("here") }}` works."""

    def applied(value: Any, *arguments: Any) -> Any:
        return value if isinstance(value, Undefined) else convert(value, *arguments)

    return applied


def _read(name: str, convert: Callable[[str], str]) -> Callable[..., Any]:
    """A filter that reads a value; what it cannot read is as absent as an empty value."""

    def applied(value: Any) -> Any:
        if isinstance(value, Undefined):
            return value
        return convert(str(value)) or Blank(f"`{name}` of “{str(value)[:40]}”", RENDERING.get().seen)

    return applied


FILTERS: Mapping[str, Callable[..., Any]] = {
    "a": _read("a", wording.with_article),
    "capitalize": _of_known(lambda value: str(value).capitalize()),
    "day": _read("day", wording.day_in_words),
    "default": do_default,
    "first": _of_known(lambda value: value[0]),
    "first_name": _read("first_name", wording.given_name),
    "join": _of_known(_join),
    "last": _of_known(lambda value: value[-1]),
    "length": _of_known(len),
    "listed": _of_known(_listed),
    "lower": _of_known(lambda value: str(value).lower()),
    "money": _read("money", wording.money_in_words),
    "month": _read("month", wording.month_in_words),
    "short_name": _read("short_name", wording.short_company),
    "title": _of_known(lambda value: str(value).title()),
    "trim": _of_known(lambda value: str(value).strip()),
    "truncate": _of_known(_truncate),
    "upper": _of_known(lambda value: str(value).upper()),
    "weekday": _read("weekday", wording.weekday_in_words),
    "years_ago": _read("years_ago", lambda value: wording.years_ago(value, RENDERING.get().today)),
}


# --- printing -------------------------------------------------------------------------------------


@pass_eval_context  # keeps Jinja2 from finalizing constants when it compiles, where no rendering is under way
def _tokenized(_context: EvalContext, value: Any) -> Any:
    """A token in place of the value; what a macro made holds its tokens already."""
    if isinstance(value, Markup):
        return value
    shown = str(value)
    if not shown:
        return Markup("")
    values = RENDERING.get().values
    values.append(shown)
    return Markup(PLACEHOLDER.format(len(values) - 1))  # noqa: S704  letters and digits of our own


def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, cache_size=50)
    environment.globals.clear()
    environment.filters = dict(FILTERS)
    environment.tests = {name: environment.tests[name] for name in ("defined", "undefined")}
    return environment


ENVIRONMENT = _environment()


def text_environment(shared: Mapping[str, str]) -> ImmutableSandboxedEnvironment:
    """For plain text, with these files to include."""
    return _overlay(loader=DictLoader(shared))


def html_environment(shared: Mapping[str, str]) -> ImmutableSandboxedEnvironment:
    """The same, with a token for every printed value."""
    return _overlay(loader=DictLoader(shared), autoescape=True, finalize=_tokenized)


def _overlay(**options: Any) -> ImmutableSandboxedEnvironment:
    made = ENVIRONMENT.overlay(**options)
    assert isinstance(made, ImmutableSandboxedEnvironment)  # noqa: S101  an overlay is of its environment's class
    return made
