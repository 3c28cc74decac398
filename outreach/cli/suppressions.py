"""`outreach suppress …`: who must never be written to."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from outreach.cli._output import count, say, show, show_json, show_table
from outreach.cli._shell import DONE_IN_PART, Json, listing, shell
from outreach.core.suppression import ERASED

if TYPE_CHECKING:
    from outreach.bootstrap import App


def register(app: typer.Typer) -> None:
    group = listing("Who must not be written to.")
    group.command("add")(suppress)
    group.command("list")(list_suppressions)
    group.command("remove")(unsuppress)
    group.command("import")(import_suppressions)
    app.add_typer(group, name="suppress")


def suppress(
    context: typer.Context,
    who: Annotated[str, typer.Argument(help="A founder (id, address or name), any address, or a domain.")],
    reason: Annotated[str, typer.Option(help="For your own memory.")] = "by hand",
    json: Json = False,
) -> None:
    """Never write to someone again: a founder with all their addresses, any address, or a whole domain.

    Example: outreach suppress add acme.example --reason "asked us not to"
    """
    with shell(context).app() as app:
        from outreach.flows.suppress import suppress as run

        covered = run(app.store, who, reason=reason, clock=app.clock)
    if json:
        show_json({"suppressed": list(covered)})
    else:
        show(f"never written to again: {', '.join(covered)}")


def list_suppressions(context: typer.Context, json: Json = False) -> None:
    """Who must not be written to, and why.

    Example: outreach suppress list
    """
    with shell(context).app() as app:
        entries, zone = app.store.suppressions.all(), app.settings.zone
        names = _named(app, [entry["value"] for entry in entries])
    if json:
        show_json({"suppressions": [dict(entry) for entry in entries], "total": len(entries)})
        return
    shown = [each for each in entries if each["kind"] != ERASED]
    if not entries:
        show("nobody is suppressed")
    if shown:
        show_table(
            ("who", "kind", "reason", "since"),
            [
                (names[each["value"]], each["kind"].replace("_", "-"), each["reason"], each["created_at"])
                for each in shown
            ],
            zone,
        )
    if hashes := len(entries) - len(shown):
        say(f"and people who were erased, of whom only {count(hashes, 'keyed hash', 'keyed hashes')} are kept")


def _named(app: "App", values: Sequence[str]) -> dict[str, str]:
    """Entries of the list as a person reads them: an address, a domain with everyone there, a founder by name."""
    ids = [int(value.removeprefix("person:")) for value in values if value.startswith("person:")]
    people = app.store.people.by_ids(ids)
    named = {f"person:{each.id}": f"{each.full_name} (founder {each.id})" for each in people.values()}
    return {
        value: named.get(value, value.removeprefix("address:").replace("domain:", "everyone at ", 1))
        for value in values
    }


def unsuppress(
    context: typer.Context,
    who: Annotated[str, typer.Argument(help="A founder, an address, a domain, or an entry of `suppress list`.")],
    consent: Annotated[
        str, typer.Option("--i-have-consent", metavar="REASON", help="When and how they asked you to write again.")
    ] = "",
    json: Json = False,
) -> None:
    """Take someone off the list. An opt-out is final, unless they have asked you since.

    Example: outreach suppress remove acme.example
    """
    with shell(context).app() as app:
        from outreach.flows.suppress import unsuppress as run

        removed = run(app.store, who, consent=consent, clock=app.clock)
        names = _named(app, removed)
    if json:
        show_json({"removed": list(removed)})
    else:
        show(f"may be written to again: {', '.join(names[each] for each in removed)}")
        say("campaigns that were stopped for them stay stopped")


def import_suppressions(
    context: typer.Context,
    file: Annotated[
        typer.FileText,
        # What is no UTF-8 costs its own line, which is named: the others must not be written to all the same.
        typer.Argument(
            metavar="FILE",
            encoding="utf-8-sig",
            errors="replace",
            help="Addresses and domains, one to a line; - for stdin.",
        ),
    ],
    reason: Annotated[str, typer.Option(help="For your own memory.")] = "imported list",
    json: Json = False,
) -> None:
    """Never write to anyone on a list, such as the opt-outs of another tool.

    Example: outreach suppress import unsubscribed.csv
    """
    with shell(context).app() as app:
        from outreach.flows.suppress import suppress_all

        listed = suppress_all(app.store, file, reason=reason, clock=app.clock)
    if json:
        show_json({"suppressed": listed.covered, "skipped": [{"line": n, "reason": why} for n, why in listed.refused]})
    else:
        show(f"{count(listed.covered, 'line')} on the list")
        for number, why in listed.refused:
            show(f"skipped line {number}: {why}")
    if listed.refused:
        raise typer.Exit(DONE_IN_PART)
