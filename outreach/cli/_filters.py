"""The filters that narrow people and companies, said once for every command that takes them."""

from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from inspect import Parameter, signature
from typing import Annotated, Any

import typer

Filters = Mapping[str, str]
"""Those that were given, as the store understands them; a flag says `yes`."""

FOUNDERS = {
    "industry": "Only companies of this industry.",
    "location": "Only companies in this city, region, country or area, such as Bay Area.",
    "country": "Only companies of this country.",
    "employees": "Only companies of this size, such as 1-50.",
    "founded": "Only companies founded then, such as 2020- or 2018-2022.",
    "funding": "Only companies with such funding: an amount (1M-10M), or a kind (Seed).",
    "tag": "Only founders with this tag.",
    "has_email": "Only founders with an address.",
    "not_contacted": "Only founders to whom no mail has gone.",
    "search": "Only where these words (or their beginnings) stand in a name, title, address or company.",
}
COMPANIES = {
    **FOUNDERS,
    "tag": "Only companies with a founder of this tag.",
    "has_email": "Only companies with a founder who has an address.",
    "not_contacted": "Only companies with a founder to whom no mail has gone.",
}
WITHOUT_ADDRESS = {name: says for name, says in FOUNDERS.items() if name != "has_email"}
_FLAGS = ("has_email", "not_contacted")

Sort = Annotated[str, typer.Option(metavar="FIELD", help="In the order of this field; -FIELD is the other way.")]
Columns = Annotated[str, typer.Option(metavar="A,B…", help="Show these columns (a wrong one lists them all).")]

Command = Callable[..., None]


def takes(options: Mapping[str, str]) -> Callable[[Command], Command]:
    """Typer reads a command's options off its signature: these stand in it in place of `filters`, which gets those that
    were given."""

    def taking(command: Command) -> Command:
        @wraps(command)
        def run(**given: Any) -> None:
            values = {name: given.pop(name) for name in options}
            command(filters={name: "yes" if name in _FLAGS else text for name, text in values.items() if text}, **given)

        run.__dict__["__signature__"] = signature(command).replace(parameters=list(_spelt_out(command, options)))
        return run

    return taking


def _spelt_out(command: Command, options: Mapping[str, str]) -> Iterator[Parameter]:
    for parameter in signature(command).parameters.values():
        if parameter.name == "filters":
            yield from (_option(name, says) for name, says in options.items())
        else:
            yield parameter.replace(kind=Parameter.KEYWORD_ONLY)


def _option(name: str, says: str) -> Parameter:
    option = typer.Option(f"--{name.replace('_', '-')}", help=says)
    default, of = (False, Annotated[bool, option]) if name in _FLAGS else ("", Annotated[str, option])
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=of)
