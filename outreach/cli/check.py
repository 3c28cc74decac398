"""`outreach check`: the templates, read by a careful colleague over the user's own people."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outreach.cli._output import count, say, show, show_json, show_table
from outreach.cli._shell import DONE_IN_PART, Json, shell
from outreach.errors import NotFound, TemplateError

if TYPE_CHECKING:
    from outreach.bootstrap import App
    from outreach.core.records import Founder
    from outreach.flows.check import Checked, Variable

_RULE_OF_LANGUAGE = "template"


def register(app: typer.Typer) -> None:
    app.command()(check)


def check(
    context: typer.Context,
    sequence: Annotated[str, typer.Argument(metavar="SEQUENCE", help="Default: all in templates/.")] = "",
    variables: Annotated[
        bool, typer.Option("--variables", help="List what a template can say, with examples from your own data.")
    ] = False,
    json: Json = False,
) -> None:
    """Read the templates as a careful colleague would, over your own people: what is wrong, where, and for how many.

    Example: outreach check job-search
    """
    with shell(context).app() as app:
        people = _people(app)
        if variables:
            _show_variables(app, people, json=json)
            return
        names = [sequence] if sequence else _names(app)
        found = {name: _check_one(app, name, people) for name in names}
    if json:
        show_json({"people": len(people), "sequences": [_sequence_json(name, those) for name, those in found.items()]})
    else:
        _show_findings(found, people)
    if any(found.values()):
        raise typer.Exit(DONE_IN_PART)


def _people(app: "App") -> list["Founder"]:
    from outreach.flows.check import MOST_PEOPLE

    return app.store.people.founders({"has_email": "yes"}, MOST_PEOPLE)


def _names(app: "App") -> tuple[str, ...]:
    from outreach.templating import sequence_names

    names = sequence_names(app.workspace.templates)
    if not names:
        raise NotFound(
            f"there is no sequence in {app.workspace.templates}.", hint="`outreach init` puts three starters there"
        )
    return names


def _check_one(app: "App", name: str, people: list["Founder"]) -> list["Checked"]:
    """A template that cannot be used is a finding, so that the others are still read."""
    from outreach.core.findings import Finding
    from outreach.flows.check import Checked
    from outreach.flows.check import check as run
    from outreach.templating import sequence_folder

    if not sequence_folder(app.workspace.templates, name).is_dir():
        app.sequence(name)  # names those there are
    try:
        return run(app.writer(name), people, app.clock.now())
    except TemplateError as error:
        place, _, said = str(error).partition(": ")
        path, _, line = place.rpartition(":")
        known = line.isdecimal()
        message = f"{str(said if known else error).rstrip('.')}: {error.hint}"
        return [Checked(Finding(_RULE_OF_LANGUAGE, message, True, path if known else "", int(line) if known else 0))]


def _show_findings(found: "dict[str, list[Checked]]", people: list["Founder"]) -> None:
    for name, those in found.items():
        for each in those:
            show(_sentence(each, len(people)))
        if not those:
            show(f"{name}: nothing to object to")
    whom = f"over {count(len(people), 'founder')} with an address" if people else "over an invented founder"
    total = sum(map(len, found.values()))
    say(f"{count(total, 'finding')} in {count(len(found), 'sequence')}, {whom}")
    if any(not each.finding.blocks for those in found.values() for each in those):
        say("a warning can be silenced in its file: `Silence: RULE because REASON` among the headers")


def _sentence(each: "Checked", people: int) -> str:
    finding = each.finding
    effect = "held" if finding.blocks else "warning"
    whom = f" ({each.people} of {people}: {', '.join(each.examples)}{' …' if each.people > len(each.examples) else ''})"
    place = f"{_short(finding.place)}: " if finding.path else ""
    return f"{place}{effect} [{finding.rule}] {finding.message}{whom if each.people and people else ''}"


def _short(place: str) -> str:
    """The place, from the current folder on where it lies below."""
    path, colon, line = place.rpartition(":")
    try:
        return f"{Path(path).resolve().relative_to(Path.cwd())}{colon}{line}"
    except ValueError:
        return place


def _sequence_json(name: str, those: "list[Checked]") -> dict[str, Any]:
    return {
        "name": name,
        "findings": [
            {
                "rule": each.finding.rule,
                "blocks": each.finding.blocks,
                "message": each.finding.message,
                "path": each.finding.path,
                "line": each.finding.line,
                "founders": each.people,
                "examples": list(each.examples),
            }
            for each in those
        ],
    }


def _show_variables(app: "App", people: list["Founder"], *, json: bool) -> None:
    from outreach.flows.check import variables as run
    from outreach.templating import FILTERS

    found: list[Variable] = run(people, app.sender, app.clock.now())
    if json:
        show_json({"people": len(people), "variables": [
            {"name": each.name, "filled": each.filled, "example": each.example} for each in found
        ]})  # fmt: skip
        return
    total = max(len(people), 1)
    show_table(
        ("variable", "filled", "example"),
        [(f"{{{{ {each.name} }}}}", f"{100 * each.filled // total} %", each.example) for each in found],
    )
    say(f"filters: {', '.join(sorted(FILTERS))}   (docs/templates.md says what each makes of a value)")
    if not people:
        say("no founder has an address yet: the examples are an invented founder's")
