"""Renders the steps of a sequence for one founder: a draft, or the names of the fields it lacks; never half a text."""

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Sequence as Ordered
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from jinja2 import Environment, Template, nodes
from jinja2 import TemplateError as JinjaError

from outreach.core.encoding import header_text
from outreach.core.message import footer_lines, with_footer
from outreach.core.records import Draft, Sequence, Step
from outreach.core.text import file_name, plain_text
from outreach.core.variants import every_variant
from outreach.errors import TemplateError
from outreach.resources import words
from outreach.templating.context import CELLS, NEVER_BLANK, TODAY, Context
from outreach.templating.environment import RENDERING, Blank, Rendering, html_environment, text_environment
from outreach.templating.language import Shared, cell_names, check_required, check_shared, checked, included, variables

MAX_TEXT = 100_000


@dataclass(frozen=True, slots=True)
class Missing:
    """The mail is held: it would have printed these fields, which are empty, without saying what to write instead."""

    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Compiled:
    subject: Template
    body: Template
    html: Template | None
    names: tuple[Template, ...]
    """Of the attachments."""
    used: tuple[tuple[str, int], ...]
    wanted: Mapping[str, tuple[str, ...]]
    """The variables it needs: those of one word by themselves, of the others which fields."""


class Renderer:
    """The compiled templates of one sequence; TemplateError if one of them cannot be used."""

    def __init__(self, sequence: Sequence) -> None:
        compiler = _Compiler(sequence.shared)
        self._files = {file.path: compiler.compile(file) for step in sequence.steps for file in every_variant(step)}

    def render(self, step: Step, context: Context) -> Draft | Missing:
        """The text of `step` (one variant), with the footer that every mail needs. The subject is empty where the
        thread goes on."""
        compiled = self._files[step.path]
        rendering = Rendering(_today(context))
        values = _marked(context, compiled.wanted, rendering.seen)
        token = RENDERING.set(rendering)
        try:
            subject = _run(compiled.subject, values, step)
            body = _run(compiled.body, values, step)
            names = [_run(name, values, step) for name in compiled.names]
            markdown = _run(compiled.html, values, step) if compiled.html else ""
        finally:
            RENDERING.reset(token)
        missing = dict.fromkeys([*rendering.seen, *_empty(step.required, values)])
        if missing:
            return Missing(tuple(missing))
        return _draft(step, subject, body, names, context, (markdown, rendering.values))

    def variables(self, step: Step) -> tuple[tuple[str, int], ...]:
        """Every variable that this file names, with its line in the file."""
        return self._files[step.path].used


def _draft(
    step: Step,
    subject: str,
    body: str,
    names: Iterable[str],
    context: Context,
    markdown: tuple[str, list[str]],
) -> Draft:
    me = context["me"]
    postal_address = str(me["postal_address"]) if isinstance(me, dict) else ""
    notice = str(context["privacy_notice"])
    html = ""
    if step.markdown:
        from outreach.templating.markdown import html_part  # only mails that have such a part pay for it

        html = html_part(markdown[0], markdown[1], footer_lines(body, postal_address, notice))
    attached = tuple(
        replace(file, name=file_name(name, file.path)) for file, name in zip(step.attachments, names, strict=True)
    )
    return Draft(header_text(subject), with_footer(body, postal_address, notice), html and plain_text(html), attached)


class _Compiler:
    """Checks and compiles the files of one sequence."""

    def __init__(self, shared: Mapping[str, str]) -> None:
        self._text: Environment = text_environment(shared)
        self._html: Environment = html_environment(shared)
        with _not_too_deep("a file of templates/_shared"):
            self._shared: Shared = check_shared(shared)
            for name in shared:
                self._text.get_template(name), self._html.get_template(name)

    def compile(self, step: Step) -> _Compiled:
        check_required(step.required, step.path)
        with _not_too_deep(step.path):
            subject = self._checked(step.subject, step, step.subject_line)
            body = self._checked(step.body, step, step.body_line)
            names = [self._checked(file.name, step, file.line) for file in step.attachments]
            used = tuple(self._used(step, subject, body, names))
            return _Compiled(
                self._text.from_string(subject),
                self._text.from_string(body),
                self._html.from_string(self._checked(step.body, step, step.body_line)) if step.markdown else None,
                tuple(self._text.from_string(name) for name in names),
                used,
                self._wanted((subject, body, *names), (*(name for name, _ in used), *step.required)),
            )

    def _checked(self, source: str, step: Step, line: int) -> nodes.Template:
        return checked(source, step.path, line, self._shared)

    def _wanted(self, trees: Iterable[nodes.Template], used: Iterable[str]) -> dict[str, tuple[str, ...]]:
        paths = [name.partition(".") for name in dict.fromkeys(used) if not name.startswith(f"{CELLS}[")]
        found: dict[str, list[str]] = {}
        for root, _, name in paths:
            found.setdefault(root, []).extend([name] if name else [])
        cells = dict.fromkeys(name for tree in self._all(*trees) for name in cell_names(tree))
        return {root: tuple(names) for root, names in {**found, CELLS: list(cells)}.items()}

    def _all(self, *trees: nodes.Template) -> Iterator[nodes.Template]:
        """These trees and those of the files they include."""
        yield from trees
        for name in {name for tree in trees for name in included(tree)}:
            yield self._shared.trees[name]

    def _used(
        self, step: Step, subject: nodes.Template, body: nodes.Template, names: Iterable[nodes.Template]
    ) -> Iterator[tuple[str, int]]:
        places = [(subject, step.subject_line), (body, step.body_line)]
        places += [(name, file.line) for name, file in zip(names, step.attachments, strict=True)]
        for tree, first_line in places:
            yield from ((name, first_line + line - 1) for name, line in variables(tree))
            for file in included(tree):
                yield from ((name, first_line) for name, _ in variables(self._shared.trees[file]))


@contextmanager
def _not_too_deep(path: str) -> Iterator[None]:
    """Python's own limits on nesting, as an error that names the file."""
    try:
        yield
    except (RecursionError, SyntaxError, MemoryError):
        raise TemplateError(f"{path} is nested too deeply.", hint="use fewer `if` inside each other") from None


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


def _marked(context: Context, wanted: Mapping[str, tuple[str, ...]], seen: list[str]) -> dict[str, Any]:
    """What the template needs of the context, with a Blank for everything that says nothing."""
    values: dict[str, Any] = {}
    for root, fields in wanted.items():
        value = context[root]
        if root == CELLS:
            values[root] = _cells(value, fields, seen)
        elif isinstance(value, dict):
            values[root] = {name: _mark(value[name], f"{root}.{name}", seen) for name in fields}
        else:
            values[root] = value if root in NEVER_BLANK else _mark(value, root, seen)
    return values


def _cells(row: Any, wanted: Ordered[str], seen: list[str]) -> dict[str, Any]:
    if not wanted:
        return {}
    known = {header.casefold(): cell for header, cell in row.items()}
    return {header: _mark(known.get(header.casefold(), ""), f"{CELLS}['{header}']", seen) for header in wanted}


def _mark(value: Any, name: str, seen: list[str]) -> Any:
    return Blank(name, seen) if _is_blank(value) else value


def _empty(required: Iterable[str], values: Mapping[str, Any]) -> Iterator[str]:
    for name in required:
        root, _, field = name.partition(".")
        value = values[root][field] if field else values[root]
        if isinstance(value, Blank):
            yield name


def _is_blank(value: Any) -> bool:
    return not value or (isinstance(value, str) and (value in _EMPTY or value.strip().casefold() in _EMPTY))


_EMPTY = words("empty_words.txt") | {""}


def _today(context: Context) -> date:
    told = context.get(TODAY, "")
    return date.fromisoformat(told) if isinstance(told, str) and told else date.min
