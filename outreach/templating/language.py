"""The template language that is left when everything risky is taken away, and the errors that name file and line.

Jinja2's sandbox alone does not stop a template from asking for gigabytes, so the syntax tree is checked against a list
of what is allowed: variables we know, choices, comparisons, one level of loops over lists, a few filters, and the files
of the shared folder: whole (`include`) or their macros. No arithmetic, no assignments, no calls but of macros, and none
of those calls another.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from jinja2 import TemplateSyntaxError, nodes

from outreach.errors import TemplateError
from outreach.templating.context import CELLS, FIELDS, LISTS, VARIABLES, WORDS
from outreach.templating.environment import ENVIRONMENT, FILTERS

_ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.Getattr, nodes.Getitem,
    nodes.Filter, nodes.Keyword, nodes.If, nodes.For, nodes.CondExpr, nodes.Or, nodes.And, nodes.Not, nodes.Compare,
    nodes.Operand, nodes.Test, nodes.List, nodes.Tuple, nodes.Concat,
)  # fmt: skip
_LOOP = frozenset(("first", "last", "index"))
_ROOTS = (*FIELDS, *WORDS, CELLS)
_HINT = "variables, `if`, `for` over a list, `or` and the filters " + ", ".join(sorted(FILTERS)) + " can be used"


@dataclass(frozen=True, slots=True)
class Macro:
    """What a macro takes: its parameters, and how many of them may be left out."""

    parameters: tuple[str, ...]
    optional: int


@dataclass(frozen=True, slots=True)
class Shared:
    """The checked files of the shared folder: what each says, and the macros it has."""

    trees: Mapping[str, nodes.Template]
    macros: Mapping[str, Mapping[str, Macro]]


NOTHING_SHARED = Shared({}, {})


def check_shared(files: Mapping[str, str]) -> Shared:
    """The shared files, or TemplateError for one that a template must not say."""
    trees = {name: _parsed(text, f"_shared/{name}", 1) for name, text in files.items()}
    for name, tree in trees.items():
        _Checker(f"_shared/{name}", 1, None).check(tree)
    macros = {name: {node.name: _macro(node) for node in tree.find_all(nodes.Macro)} for name, tree in trees.items()}
    return Shared(trees, macros)


def checked(source: str, path: str, first_line: int, shared: Shared = NOTHING_SHARED) -> nodes.Template:
    """The syntax tree of a subject, a body or a name, or TemplateError."""
    tree = _parsed(source, path, first_line)
    _Checker(path, first_line, shared).check(tree)
    return tree


def cell_names(tree: nodes.Template) -> Iterator[str]:
    """The headers that a template asks for with `lead['…']`."""
    for node in tree.find_all(nodes.Getitem):
        if isinstance(node.node, nodes.Name) and node.node.name == CELLS and isinstance(node.arg, nodes.Const):
            yield str(node.arg.value)


def included(tree: nodes.Template) -> Iterator[str]:
    """The shared files that a template uses."""
    for include in tree.find_all(nodes.Include):
        if isinstance(include.template, nodes.Const):
            yield str(include.template.value)
    for source in tree.find_all(nodes.FromImport):
        if isinstance(source.template, nodes.Const):
            yield str(source.template.value)


def variables(tree: nodes.Template) -> Iterator[tuple[str, int]]:
    """Every variable that a template names, with its line."""
    for node in tree.find_all((nodes.Getattr, nodes.Getitem)):
        if path := _shown(node):
            yield path, node.lineno
    for name in tree.find_all(nodes.Name):
        if name.name in WORDS:
            yield name.name, name.lineno


def _parsed(source: str, path: str, first_line: int) -> nodes.Template:
    try:
        return ENVIRONMENT.parse(source)
    except TemplateSyntaxError as error:
        place = f"{path}:{first_line + error.lineno - 1}"
        raise TemplateError(
            f"{place}: {_lowered(str(error.message))}.", hint=_syntax_hint(str(error.message))
        ) from None


def _macro(node: nodes.Macro) -> Macro:
    return Macro(tuple(each.name for each in node.args), len(node.defaults))


class _Checker:
    """One pass over one syntax tree. A file of the shared folder has no `shared` of its own: it includes nothing, and
    it alone may hold macros."""

    def __init__(self, path: str, first_line: int, shared: Shared | None) -> None:
        self._path, self._first_line, self._shared = path, first_line, shared
        self._loops: list[str] = []
        self._macros: dict[str, Macro] = {}
        self._parameters: tuple[str, ...] | None = None
        """Inside a macro, which sees nothing else."""

    def check(self, node: nodes.Node) -> None:
        match node:
            case nodes.For():
                self._check_loop(node)
            case nodes.Macro():
                self._check_macro(node)
            case nodes.Include():
                self._check_include(node)
            case nodes.FromImport():
                self._check_import(node)
            case nodes.Output():
                self._check_output(node)
            case nodes.Getattr() | nodes.Getitem():
                self._check_path(node)
            case nodes.Name():
                self._check_word(node)
            case _:
                self._check_rest(node)

    def _check_rest(self, node: nodes.Node) -> None:
        if type(node) not in _ALLOWED:
            raise self._error(node, f"`{_called(node)}` cannot be used in a template", _HINT)
        self._check_call(node)
        for child in node.iter_child_nodes():
            self.check(child)

    def _check_output(self, output: nodes.Output) -> None:
        for node in output.nodes:
            if isinstance(node, nodes.Call):
                self._check_use(node)
            else:
                self.check(node)

    def _check_loop(self, loop: nodes.For) -> None:
        target, source = loop.target, loop.iter
        if self._loops:
            raise self._error(loop, "a loop inside a loop cannot be used", "print one list after the other")
        if not isinstance(target, nodes.Name) or loop.recursive or _dotted(source) not in LISTS or self._in_macro:
            raise self._error(loop, "this loop cannot be used", "write `{% for industry in company.industries %}`")
        if target.name in (*_ROOTS, *self._macros, "loop"):
            raise self._error(loop, f"`{target.name}` has a meaning already", "give the loop's variable another name")
        self._loops.append(target.name)
        for child in [*loop.body, *loop.else_, *([loop.test] if loop.test else [])]:
            self.check(child)
        self._loops.pop()

    # --- what is shared -----------------------------------------------------------------------------

    @property
    def _in_macro(self) -> bool:
        return self._parameters is not None

    def _check_macro(self, macro: nodes.Macro) -> None:
        if self._shared is not None or self._in_macro or self._loops:
            raise self._error(
                macro, "`macro` cannot be used here", "write macros in a file of templates/_shared, and import them"
            )
        names = tuple(each.name for each in macro.args)
        if wrong := next((name for name in (*names, macro.name) if name in _ROOTS), ""):
            raise self._error(macro, f"`{wrong}` has a meaning already", "give it another name")
        for default in macro.defaults:
            if not isinstance(default, nodes.Const):
                raise self._error(default, "a default must be a text or a number", "write e.g. `name='there'`")
        self._parameters = names
        for child in macro.body:
            self.check(child)
        self._parameters = None

    def _check_include(self, node: nodes.Include) -> None:
        if self._loops or self._in_macro:
            raise self._error(node, "`include` cannot be used inside a loop or a macro", "include it before or after")
        if node.ignore_missing:
            raise self._error(node, "`ignore missing` cannot be used", "leave it out")
        self._shared_name(node, node.template)

    def _check_import(self, node: nodes.FromImport) -> None:
        file = self._shared_name(node, node.template)
        macros = self._shared.macros[file] if self._shared else {}
        for each in node.names:
            name, alias = each if isinstance(each, tuple) else (each, each)
            if name not in macros:
                known = ", ".join(macros) or "none"
                raise self._error(node, f"{file} has no macro `{name}`", f"it has: {known}")
            if alias in _ROOTS or node.with_context:
                raise self._error(node, f"`{alias}` cannot be imported like this", "write `{% from 'x' import name %}`")
            self._macros[alias] = macros[name]

    def _shared_name(self, node: nodes.Node, template: nodes.Expr) -> str:
        name = template.value if isinstance(template, nodes.Const) else None
        if self._shared is None:
            raise self._error(node, "a shared file cannot include another", "include both where they are needed")
        if not isinstance(name, str) or name not in self._shared.trees:
            near = get_close_matches(str(name), list(self._shared.trees), n=1, cutoff=0.5)
            known = ", ".join(self._shared.trees)
            hint = f"did you mean '{near[0]}'?" if near else f"there is: {known}" if known else "write the file first"
            raise self._error(node, f"there is no file {name!r} in templates/_shared", hint)
        return name

    def _check_use(self, call: nodes.Call) -> None:
        """A macro where it is printed, with as many arguments as it takes."""
        name = call.node.name if isinstance(call.node, nodes.Name) else ""
        macro = self._macros.get(name)
        if macro is None:
            raise self._error(call, "`a call ()` cannot be used in a template", _HINT)
        if call.dyn_args or call.dyn_kwargs:
            raise self._error(call, "`*` cannot be used in a call", "name each argument")
        given = [*macro.parameters[: len(call.args)], *(each.key for each in call.kwargs)]
        needed = macro.parameters[: len(macro.parameters) - macro.optional]
        takes = ", ".join(macro.parameters) or "nothing"
        if len(call.args) > len(macro.parameters) or set(given) - set(macro.parameters) or len(set(given)) < len(given):
            raise self._error(call, f"`{name}` does not take this", f"it takes {takes}")
        if missing := [each for each in needed if each not in given]:
            raise self._error(call, f"`{name}` also needs {', '.join(missing)}", f"it takes {takes}")
        for argument in [*call.args, *(each.value for each in call.kwargs)]:
            self.check(argument)

    # --- variables ----------------------------------------------------------------------------------

    def _check_path(self, node: nodes.Getattr | nodes.Getitem) -> None:
        path = _dotted(node)
        root, _, name = path.partition(".")
        if self._in_macro:
            raise self._error(
                node, f"a macro sees only its parameters, not `{path or '…'}`", "hand it over when you call the macro"
            )
        if path in VARIABLES or (root == "loop" and self._loops and name in _LOOP):
            return
        if isinstance(node, nodes.Getitem) and root == CELLS and name:
            return
        if root == CELLS:
            raise self._error(node, "a cell is named by its header", "write `lead['Header']`")
        raise self._unknown(node, path or "this expression")

    def _check_word(self, node: nodes.Name) -> None:
        if self._parameters is not None:
            if node.name not in self._parameters:
                raise self._error(
                    node, f"a macro sees only its parameters, not `{node.name}`", "hand it over when you call the macro"
                )
        elif node.name not in (*WORDS, *self._loops):
            raise self._unknown(node, node.name)

    def _check_call(self, node: nodes.Node) -> None:
        if isinstance(node, nodes.Filter) and node.name not in FILTERS:
            near = get_close_matches(node.name, list(FILTERS), n=1)
            raise self._error(node, f"there is no filter `{node.name}`", f"did you mean {near[0]}?" if near else _HINT)
        if isinstance(node, nodes.Filter) and node.node is None:
            raise self._error(node, "`filter` blocks cannot be used", _HINT)
        if isinstance(node, nodes.Test) and node.name not in ("defined", "undefined"):
            raise self._error(node, f"`is {node.name}` cannot be used", "only `is defined` and `is undefined`")

    def _unknown(self, node: nodes.Node, path: str) -> TemplateError:
        if path in FIELDS:
            hint = "it has " + ", ".join(f"{path}.{name}" for name in FIELDS[path])
            return self._error(node, f"`{path}` is not a text by itself", hint)
        near = get_close_matches(path, VARIABLES, n=3, cutoff=0.7)
        hint = (
            f"did you mean {' or '.join(near)}?" if near else "known are " + ", ".join(VARIABLES) + ", lead['Header']"
        )
        return self._error(node, f"there is no variable `{path}`", hint)

    def _error(self, node: nodes.Node, message: str, hint: str) -> TemplateError:
        return TemplateError(f"{self._path}:{self._first_line + node.lineno - 1}: {message}.", hint=hint)


def check_required(names: tuple[str, ...], path: str) -> None:
    """Raise TemplateError for a `Require` that names no variable."""
    for name in names:
        if name not in VARIABLES:
            near = get_close_matches(name, VARIABLES, n=1)
            raise TemplateError(
                f"{path}:1: `Require` names `{name}`, and there is no such variable.",
                hint=f"did you mean {near[0]}?" if near else "`outreach check --variables` lists them",
            )


def _dotted(node: nodes.Node) -> str:
    """`company.city` for the access to a field of a root; empty for anything else."""
    if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
        return f"{node.node.name}.{node.attr}"
    if isinstance(node, nodes.Getitem) and isinstance(node.node, nodes.Name) and isinstance(node.arg, nodes.Const):
        return f"{node.node.name}.{node.arg.value}"
    return ""


def _shown(node: nodes.Node) -> str:
    """A variable as an author writes it."""
    path = _dotted(node)
    root, _, name = path.partition(".")
    return f"{CELLS}['{name}']" if root == CELLS and name else path if path in VARIABLES else ""


def _called(node: nodes.Node) -> str:
    return {"Call": "a call ()", "Assign": "set", "Add": "+", "Sub": "-", "Mul": "*", "Div": "/", "Pow": "**"}.get(
        type(node).__name__, type(node).__name__.lower()
    )


def _lowered(message: str) -> str:
    return message[:1].lower() + message[1:].rstrip(".")


def _syntax_hint(message: str) -> str:
    return _HINT if "unknown tag" in message else "look for a missing `}}`, `%}` or `{% endif %}` there"
