"""The filters that narrow people and companies, the same for every command that takes them."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

Industry = Annotated[str, typer.Option(help="Only companies of this industry.")]
Location = Annotated[str, typer.Option(help="Only companies in this city, region, country or area, such as Bay Area.")]
Country = Annotated[str, typer.Option(help="Only companies of this country.")]
Employees = Annotated[str, typer.Option(help="Only companies of this size, such as 1-50.")]
Founded = Annotated[str, typer.Option(help="Only companies founded then, such as 2020- or 2018-2022.")]
Funding = Annotated[str, typer.Option(help="Only companies with such funding: an amount (1M-10M), or a kind (Seed).")]
Tag = Annotated[str, typer.Option(help="Only founders with this tag.")]
HasEmail = Annotated[bool, typer.Option("--has-email", help="Only founders with an address.")]
NotContacted = Annotated[bool, typer.Option("--not-contacted", help="Only founders to whom no mail has gone.")]
TaggedFounder = Annotated[str, typer.Option("--tag", help="Only companies with a founder of this tag.")]
FounderHasEmail = Annotated[bool, typer.Option("--has-email", help="Only companies with a founder who has an address.")]
FounderNotContacted = Annotated[
    bool, typer.Option("--not-contacted", help="Only companies with a founder to whom no mail has gone.")
]
Search = Annotated[
    str,
    typer.Option(help="Only where these words (or their beginnings) stand in a name, title, address or company."),
]

Sort = Annotated[str, typer.Option(metavar="FIELD", help="In the order of this field; -FIELD is the other way.")]
Columns = Annotated[str, typer.Option(metavar="A,B…", help="Show these columns (a wrong one lists them all).")]

_TEXTS = ("industry", "location", "country", "employees", "founded", "funding", "tag", "search")
_FLAGS = ("has_email", "not_contacted")


def chosen_filters(given: Mapping[str, Any]) -> dict[str, str]:
    """Those that were given, out of a command's own arguments."""
    texts = {name: str(given[name]) for name in _TEXTS if given.get(name)}
    return {**texts, **{name: "yes" for name in _FLAGS if given.get(name)}}
