"""The template language that is left when everything risky is taken away, and the errors that name file and line.

Jinja2's sandbox alone does not stop a template from asking for gigabytes, so the syntax tree is checked against a list
of what is allowed: variables we know, choices, comparisons, one level of loops over lists, a few filters. No
arithmetic, no calls, no assignments, no other files.
"""

from collections.abc import Iterator
from difflib import get_close_matches

from jinja2 import TemplateSyntaxError, nodes

from outreach.core.records import Step
from outreach.errors import TemplateError
from outreach.templating.context import CELLS, FIELDS, LISTS, WORDS
from outreach.templating.environment import ENVIRONMENT, FILTERS

_ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.Getattr, nodes.Getitem,
    nodes.Filter, nodes.Keyword, nodes.If, nodes.For, nodes.CondExpr, nodes.Or, nodes.And, nodes.Not, nodes.Compare,
    nodes.Operand, nodes.Test, nodes.List, nodes.Tuple, nodes.Concat,
)  # fmt: skip
_LOOP = frozenset(("first", "last", "index"))
_ROOTS = (*FIELDS, *WORDS, CELLS)
_VARIABLES = (*WORDS, *(f"{group}.{name}" for group, names in FIELDS.items() for name in names))
_HINT = "variables, `if`, `for` over a list, `or` and the filters " + ", ".join(sorted(FILTERS)) + " can be used"


def checked(source: str, step: Step, first_line: int) -> nodes.Template:
    """The syntax tree of a subject or a body, or TemplateError."""
    try:
        tree = ENVIRONMENT.parse(source)
    except TemplateSyntaxError as error:
        place = f"{step.path}:{first_line + error.lineno - 1}"
        raise TemplateError(
            f"{place}: {_lowered(str(error.message))}.", hint=_syntax_hint(str(error.message))
        ) from None
    _Checker(step.path, first_line).check(tree)
    return tree


def cell_names(tree: nodes.Template) -> Iterator[str]:
    """The headers that a template asks for with `lead['…']`."""
    for node in tree.find_all(nodes.Getitem):
        if isinstance(node.arg, nodes.Const):
            yield str(node.arg.value)


class _Checker:
    """One pass over one syntax tree."""

    def __init__(self, path: str, first_line: int) -> None:
        self._path, self._first_line = path, first_line
        self._loops: list[str] = []

    def check(self, node: nodes.Node) -> None:
        if type(node) not in _ALLOWED:
            raise self._error(node, f"`{_called(node)}` cannot be used in a template", _HINT)
        if isinstance(node, nodes.For):
            self._check_loop(node)
        elif isinstance(node, nodes.Getattr | nodes.Getitem):
            self._check_path(node)
        elif isinstance(node, nodes.Name):
            self._check_word(node)
        else:
            self._check_call(node)
            for child in node.iter_child_nodes():
                self.check(child)

    def _check_loop(self, loop: nodes.For) -> None:
        target, source = loop.target, loop.iter
        if self._loops:
            raise self._error(loop, "a loop inside a loop cannot be used", "print one list after the other")
        if not isinstance(target, nodes.Name) or loop.recursive or _dotted(source) not in LISTS:
            raise self._error(loop, "this loop cannot be used", "write `{% for industry in company.industries %}`")
        if target.name in (*_ROOTS, "loop"):
            raise self._error(loop, f"`{target.name}` has a meaning already", "give the loop's variable another name")
        self._loops.append(target.name)
        for child in [*loop.body, *loop.else_, *([loop.test] if loop.test else [])]:
            self.check(child)
        self._loops.pop()

    def _check_path(self, node: nodes.Getattr | nodes.Getitem) -> None:
        path = _dotted(node)
        root, _, name = path.partition(".")
        if path in _VARIABLES or (root == "loop" and self._loops and name in _LOOP):
            return
        if isinstance(node, nodes.Getitem) and root == CELLS and name:
            return
        if root == CELLS:
            raise self._error(node, "a cell is named by its header", "write `lead['Header']`")
        raise self._unknown(node, path or "this expression")

    def _check_word(self, node: nodes.Name) -> None:
        if node.name not in (*WORDS, *self._loops):
            raise self._unknown(node, node.name)

    def _check_call(self, node: nodes.Node) -> None:
        if isinstance(node, nodes.Filter) and node.name not in FILTERS:
            raise self._error(node, f"there is no filter `{node.name}`", _HINT)
        if isinstance(node, nodes.Filter) and node.node is None:
            raise self._error(node, "`filter` blocks cannot be used", _HINT)
        if isinstance(node, nodes.Test) and node.name not in ("defined", "undefined"):
            raise self._error(node, f"`is {node.name}` cannot be used", "only `is defined` and `is undefined`")

    def _unknown(self, node: nodes.Node, path: str) -> TemplateError:
        if path in FIELDS:
            hint = "it has " + ", ".join(f"{path}.{name}" for name in FIELDS[path])
            return self._error(node, f"`{path}` is not a text by itself", hint)
        near = get_close_matches(path, _VARIABLES, n=3, cutoff=0.7)
        hint = (
            f"did you mean {' or '.join(near)}?" if near else "known are " + ", ".join(_VARIABLES) + ", lead['Header']"
        )
        return self._error(node, f"there is no variable `{path}`", hint)

    def _error(self, node: nodes.Node, message: str, hint: str) -> TemplateError:
        return TemplateError(f"{self._path}:{self._first_line + node.lineno - 1}: {message}.", hint=hint)


def _dotted(node: nodes.Node) -> str:
    """`company.city` for the access to a field of a root; empty for anything else."""
    if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
        return f"{node.node.name}.{node.attr}"
    if isinstance(node, nodes.Getitem) and isinstance(node.node, nodes.Name) and isinstance(node.arg, nodes.Const):
        return f"{node.node.name}.{node.arg.value}"
    return ""


def _called(node: nodes.Node) -> str:
    return {"Call": "a call ()", "Assign": "set", "Add": "+", "Sub": "-", "Mul": "*", "Div": "/", "Pow": "**"}.get(
        type(node).__name__, type(node).__name__.lower()
    )


def _lowered(message: str) -> str:
    return message[:1].lower() + message[1:].rstrip(".")


def _syntax_hint(message: str) -> str:
    return _HINT if "unknown tag" in message else "look for a missing `}}`, `%}` or `{% endif %}` there"
