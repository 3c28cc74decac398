"""What several commands say of a campaign: its terms, who is left out, and what an edited template still reaches."""

from collections.abc import Callable, Mapping, Sequence
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from outreach.cli._output import in_words, rule_in_words, say, show
from outreach.errors import UsageError

if TYPE_CHECKING:
    from outreach.bootstrap import App
    from outreach.core.records import Campaign, Founder
    from outreach.flows.edits import Edit

_SHOWN_REASONS = 15

NAME = Annotated[str, typer.Argument(metavar="CAMPAIGN", help="The campaign.")]


def running(app: "App", name: str) -> "Campaign":
    campaign = app.store.campaigns.get(name)
    if campaign.state == "stopped":
        raise UsageError(f"{name} was stopped for good.", hint="outreach campaign new … starts another")
    return campaign


def senders_of(app: "App", campaign: "Campaign") -> list[str]:
    """The addresses that new people of a campaign are written to from."""
    addresses = app.store.campaigns.addresses()
    return [addresses[each] for each in campaign.mailboxes]


def terms_json(campaign: "Campaign") -> dict[str, object]:
    return {"purpose": campaign.purpose, "why": campaign.why, "overrides": dict(campaign.overrides)}


def terms_lines(campaign: "Campaign") -> list[str]:
    lines = [f"  whom: {in_filters(campaign.filters)}"]
    lines += [f"  purpose: {campaign.purpose or 'as in the settings'}", f"  why: {campaign.why or '-'}"]
    return lines + [f"  {country}: its rule is set aside ({reason})" for country, reason in campaign.overrides.items()]


def in_filters(filters: Mapping[str, str]) -> str:
    """Filters as one types them."""
    words = [
        f"--{name.replace('_', '-')}{'' if value == 'yes' else f' {quote(value)}'}" for name, value in filters.items()
    ]
    return " ".join(words) or "everyone"


def edits_of(app: "App", campaign: "Campaign") -> "list[Edit]":
    """Steps that were edited since mails were written from them; none where the sequence cannot be read."""
    from outreach.errors import TemplateError
    from outreach.flows.edits import edits

    try:
        return edits(app.store, campaign, app.sequence(campaign.sequence))
    except TemplateError as error:
        say(f"the sequence cannot be used: {error}")
        return []


def say_edits(app: "App", name: str) -> None:
    """What an edited template still reaches: the campaign of that name, or all that are under way."""
    for campaign in app.store.campaigns.all():
        if campaign.name == name or (not name and campaign.state != "stopped"):
            for each in edits_of(app, campaign):
                say(f"note: {each}")


def show_refused(
    refused: "Sequence[tuple[Founder, Sequence[str]]]", what: str, tell: Callable[[str], None] = show
) -> None:
    """People who are left out, grouped by their reasons, so that the long list of one reason stays one line."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for founder, reasons in refused:
        told = "; ".join(map(in_words, reasons))
        rules = "; ".join(rule_in_words(reason) for reason in reasons)
        groups.setdefault(told if len(refused) <= _SHOWN_REASONS else rules, []).append((founder.full_name, told))
    for rules, people in sorted(groups.items(), key=lambda group: -len(group[1])):
        some = ", ".join(name for name, _ in people[:3]) + (f" and {len(people) - 3} more" if len(people) > 3 else "")
        why = {told for _, told in people}
        tell(f"{what}: {some} ({why.pop() if len(why) == 1 else rules})")
