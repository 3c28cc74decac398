"""Renders the steps of a sequence for one founder: a draft, or the names of the fields it lacks; never half a text."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import Template
from jinja2 import TemplateError as JinjaError

from outreach.core.encoding import header_text
from outreach.core.message import with_footer
from outreach.core.records import Draft, Sequence, Step
from outreach.errors import TemplateError
from outreach.resources import table
from outreach.templating.context import CELLS, Context
from outreach.templating.environment import ENVIRONMENT, Blank
from outreach.templating.language import cell_names, checked

MAX_TEXT = 100_000


@dataclass(frozen=True, slots=True)
class Missing:
    """The mail is held: it would have printed these fields, which are empty, without saying what to write instead."""

    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Compiled:
    subject: Template
    body: Template
    cells: frozenset[str]


class Renderer:
    """The compiled templates of one sequence; TemplateError if one of them cannot be used."""

    def __init__(self, sequence: Sequence) -> None:
        self._steps = {step.number: _compile(step) for step in sequence.steps}

    def render(self, step: Step, context: Context) -> Draft | Missing:
        """The text of `step`, with the footer that every mail needs. The subject is empty where the thread goes on."""
        compiled = self._steps[step.number]
        seen: list[str] = []
        values = _marked(context, compiled.cells, seen)
        subject = _run(compiled.subject, values, step)
        body = _run(compiled.body, values, step)
        if seen:
            return Missing(tuple(seen))
        me = context["me"]
        postal_address = str(me["postal_address"]) if isinstance(me, dict) else ""
        return Draft(header_text(subject), with_footer(body, postal_address))


def _compile(step: Step) -> _Compiled:
    try:
        trees = checked(step.subject, step, step.subject_line), checked(step.body, step, step.body_line)
        subject, body = (ENVIRONMENT.from_string(tree) for tree in trees)
    except (RecursionError, SyntaxError, MemoryError):  # Python's own limits on nesting
        raise TemplateError(f"{step.path} is nested too deeply.", hint="use fewer `if` inside each other") from None
    return _Compiled(subject, body, frozenset(name for tree in trees for name in cell_names(tree)))


def _run(template: Template, values: Mapping[str, Any], step: Step) -> str:
    pieces, size = [], 0
    try:
        for piece in template.generate(values):
            size += len(piece)
            if size > MAX_TEXT:
                raise TemplateError(f"{step.path} renders to more than {MAX_TEXT // 1000} kB.", hint="shorten it")
            pieces.append(piece)
    except (JinjaError, TypeError, ValueError, LookupError) as error:
        raise TemplateError(
            f"{step.path} cannot be rendered: {error}.", hint="check how its filters are used"
        ) from None
    return "".join(pieces)


def _marked(context: Context, cells: Iterable[str], seen: list[str]) -> dict[str, Any]:
    """The context with a Blank for everything that says nothing."""
    values: dict[str, Any] = {}
    for name, value in context.items():
        if name == CELLS:
            values[name] = _cells(value, cells, seen)
        elif isinstance(value, dict):
            values[name] = {field: _mark(inner, f"{name}.{field}", seen) for field, inner in value.items()}
        else:
            values[name] = _mark(value, name, seen)
    return values


def _cells(row: Any, wanted: Iterable[str], seen: list[str]) -> dict[str, Any]:
    known = {header.casefold(): cell for header, cell in row.items()}
    return {header: _mark(known.get(header.casefold(), ""), f"lead['{header}']", seen) for header in wanted}


def _mark(value: Any, name: str, seen: list[str]) -> Any:
    return Blank(name, seen) if _is_blank(value) else value


def _is_blank(value: Any) -> bool:
    return not value or (isinstance(value, str) and value.strip().casefold() in ("", *table("empty_words.txt")))
