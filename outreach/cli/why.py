"""`outreach why WHO`: everything about one person, and why they are, or are not, written to."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from outreach.cli._output import in_words, local, show, show_json
from outreach.cli._shell import Json, shell

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import tzinfo

    from outreach.core.guards import Answer
    from outreach.flows.why import Fact, Standing, Story


def register(app: typer.Typer) -> None:
    app.command()(why)


def why(
    context: typer.Context,
    who: Annotated[str, typer.Argument(metavar="WHO", help="An id, an address, or a name.")],
    json: Json = False,
) -> None:
    """Everything about one person in order of time, and for each campaign every rule and the next possible mail.

    Example: outreach why "Ada Testwell"
    """
    with shell(context).app() as app:
        from outreach.flows.why import why as run
        from outreach.importers import all_importers

        story = run(
            app.store,
            app.store.people.get_founder(who),
            importers=all_importers(),
            steps_of=app.steps_of,
            mailboxes=[(box.mailbox, box.limits) for box in app.boxes],
            now=app.clock.now(),
        )
        zone, several = app.settings.zone, len(app.boxes) > 1
    if json:
        show_json(_json(story))
    else:
        _show(story, zone, several=several)


def _show(story: "Story", zone: "tzinfo", *, several: bool) -> None:
    founder = story.founder
    title = f", {founder.title}" if founder.title else ""
    company = f" at {founder.company.name}" if founder.company else ""
    show(f"{founder.full_name or '(no name)'}{title}{company}   (founder {founder.id})")
    show("\nwhat is known, and who says so:")
    for fact in story.facts:
        show(f"  {fact.field + ':':12} {fact.value}   {_sources(fact)}")
    for address in founder.addresses:
        sure = f", {address.confidence} %" if address.confidence is not None else ""
        show(f"  {address.address} is {address.status}{sure}, from {address.origin}")
        for line in address.evidence:
            show(f"      {line}")
    show("\nwhat happened:")
    for event in story.events:
        show(f"  {event.at.astimezone(zone):%Y-%m-%d %H:%M}  {event.kind:10}  {event.text}")
    if not story.standings:
        show("\nno campaign yet; the rules as they stand:")
        _show_rules(story.rules)
    for standing in story.standings:
        _show_standing(standing, zone, several=several)


def _sources(fact: "Fact") -> str:
    if not fact.sources:
        return f"(found by {fact.origin})" if fact.origin else "(in no list)"
    return "(" + "; ".join(f"{source.file}, line {source.line}" for source in fact.sources) + ")"


def _show_standing(standing: "Standing", zone: "tzinfo", *, several: bool) -> None:
    sender = f", from {standing.mailbox}" if several and standing.mailbox else ""
    show(f"\ncampaign {standing.campaign}, {standing.state}: {standing.enrollment or 'not enrolled'}{sender}")
    _show_rules(standing.rules)
    reason = "; ".join(map(in_words, standing.reason.split("; ")))
    if standing.next_at:
        step = f"step {standing.step}, " if standing.step else ""
        why_then = f" ({reason})" if reason else ""
        show(f"  next possible mail: {step}{local(standing.next_at.astimezone(zone))}{why_then}")
    else:
        show(f"  no next mail: {reason}")


def _show_rules(rules: "Iterable[Answer]") -> None:
    for rule in rules:
        show(f"  {'pass' if rule.ok else 'FAIL'}  {rule.rule}{f': {rule.detail}' if rule.detail else ''}")


def _json(story: "Story") -> dict[str, Any]:
    from outreach.cli._people import founder_json

    return {
        "founder": founder_json(story.founder),
        "facts": [
            {
                "field": fact.field,
                "value": fact.value,
                "sources": [{"file": source.file, "line": source.line} for source in fact.sources],
            }
            for fact in story.facts
        ],
        "events": [{"at": event.at, "kind": event.kind, "text": event.text} for event in story.events],
        "rules": _rules_json(story.rules),
        "campaigns": [
            {
                "campaign": each.campaign,
                "state": each.state,
                "enrollment": each.enrollment,
                "from": each.mailbox or None,
                "rules": _rules_json(each.rules),
                "step": each.step,
                "next_at": each.next_at,
                "reason": each.reason,
            }
            for each in story.standings
        ],
    }


def _rules_json(rules: "Iterable[Answer]") -> list[dict[str, Any]]:
    return [{"rule": rule.rule, "ok": rule.ok, "detail": rule.detail} for rule in rules]
