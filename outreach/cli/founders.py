"""`outreach founders …`: the people you may write to."""

from collections.abc import Mapping
from typing import Annotated

import typer

from outreach.cli._export import File, Force, Raw, cell_text, check_target, chosen_columns, export
from outreach.cli._filters import FOUNDERS, Columns, Filters, Sort, takes
from outreach.cli._output import count, show, show_json, show_table
from outreach.cli._people import (
    FOUNDER_COLUMNS,
    MOST_COUNTED,
    SHOWN,
    Limit,
    founder_columns,
    founder_json,
    row_json,
    say_rest,
    show_addresses,
)
from outreach.cli._shell import Json, listing, shell
from outreach.cli.curation import merge_founders, split_founder
from outreach.errors import UsageError


def register(app: typer.Typer) -> None:
    group = listing("The people you may write to.")
    group.command("list")(list_founders)
    group.command("show")(show_founder)
    group.command("export")(export_founders)
    group.command("edit")(edit_founder)
    group.command("merge")(merge_founders)
    group.command("split")(split_founder)
    app.add_typer(group, name="founders")


@takes(FOUNDERS)
def list_founders(
    context: typer.Context,
    filters: Filters,
    sort: Sort = "",
    columns: Columns = "",
    limit: Limit = None,
    json: Json = False,
) -> None:
    """Founders, with their company and address.

    Example: outreach founders list --location "Bay Area" --has-email
    """
    shown = chosen_columns(
        columns, FOUNDER_COLUMNS, ("id", "name", "title", "company", "address", "status", "source", "sure")
    )
    with shell(context).app() as app:
        people = app.store.people
        found = people.founders(filters, limit or (None if json else SHOWN), sort=sort)
        total = people.count_founders(filters, most=None if json else MOST_COUNTED)
    if json:
        show_json({"founders": [founder_json(founder) for founder in found], "total": total})
    elif not total:
        show("no founders match" if filters else "there are no founders yet; outreach import FILE brings a list in")
    else:
        rows = (founder_columns(founder) for founder in found)
        show_table(shown, ([cell_text(row[name]) for name in shown] for row in rows))
        say_rest(len(found), total)


@takes(FOUNDERS)
def export_founders(
    context: typer.Context,
    file: File,
    filters: Filters,
    sort: Sort = "",
    columns: Columns = "",
    raw: Raw = False,
    force: Force = False,
) -> None:
    """Write founders to a CSV, TSV, XLSX or JSON file. Cells that a spreadsheet would run are disarmed.

    Example: outreach founders export founders.xlsx --tag autumn
    """
    written = chosen_columns(columns, FOUNDER_COLUMNS, FOUNDER_COLUMNS)
    check_target(file, force=force)
    with shell(context).app() as app:
        rows = map(founder_columns, app.store.people.each_founder(filters, sort=sort))
        number = export(file, written, rows, raw=raw)
    show(f"{count(number, 'founder')} written to {file}")


def show_founder(
    context: typer.Context,
    who: Annotated[str, typer.Argument(help="An id, an address, or a name.")],
    json: Json = False,
) -> None:
    """One founder, with everything the newest list says of them.

    Example: outreach founders show "Ada Testwell"
    """
    with shell(context).app() as app:
        from outreach.flows.explain import provenance
        from outreach.importers import all_importers

        found = app.store.people.get_founder(who)
        blocked = app.store.suppressions.covering(found)
        rows = provenance(app.store, all_importers(), found.id).rows
    if json:
        named_in = [row_json(row.id, row.file, row.line, row.exported_at) for row in rows]
        rest = {"linkedin": found.linkedin, "line": found.line, "consent": found.consent}
        show_json({**founder_json(found), **rest, "cells": dict(found.cells), "suppressed": blocked, "rows": named_in})
        return
    show(f"{found.full_name or '(no name)'}{f', {found.title}' if found.title else ''}   (founder {found.id})")
    for entry in blocked:
        why = f": {entry['reason']}" if entry["reason"] else ""
        show(f"  MUST NOT be written to ({entry['kind']}, {entry['value']}{why})")
    if found.company:
        show(f"  company:   {found.company.name}{f', {found.company.domain}' if found.company.domain else ''}")
    show_addresses(found.addresses)
    told = (
        ("linkedin", found.linkedin),
        ("tags", ", ".join(found.tags)),
        ("line", found.line),
        ("consent", found.consent),
    )
    for label, text in told:
        if text:
            show(f"  {label + ':':10} {text}")
    for row in rows:
        show(f"  {f'row {row.id}:':10} {row.file}, line {row.line}, exported {row.exported_at:%Y-%m-%d}")
    _show_cells(found.cells)


def _show_cells(cells: Mapping[str, str]) -> None:
    if cells:
        show("  the newest list says:")
    for header, cell in cells.items():
        if cell.strip():
            show(f"    {header}: {' '.join(cell.split())}")


def edit_founder(  # noqa: PLR0917  Typer's options go by name
    context: typer.Context,
    who: Annotated[str, typer.Argument(help="An id, an address, or a name.")],
    name: Annotated[str | None, typer.Option(help="The whole name.")] = None,
    first_name: Annotated[str | None, typer.Option(help="What a mail greets them by.")] = None,
    last_name: Annotated[str | None, typer.Option()] = None,
    title: Annotated[str | None, typer.Option()] = None,
    linkedin: Annotated[str | None, typer.Option(help="The address of their page.")] = None,
    email: Annotated[str, typer.Option(help="Add an address that you know; may be written to as one of a list.")] = "",
    tag: Annotated[list[str] | None, typer.Option(help="Add a tag; may be repeated.")] = None,
    untag: Annotated[list[str] | None, typer.Option(help="Take a tag away; may be repeated.")] = None,
    reset: Annotated[
        list[str] | None, typer.Option(metavar="FIELD", help="Let the lists decide this field again.")
    ] = None,
    line: Annotated[
        str | None, typer.Option(help="A sentence for this one person, {{ line }} in templates; empty removes it.")
    ] = None,
    consent: Annotated[
        str | None, typer.Option(help="On what ground they agreed to be written to: what, when, where to see it.")
    ] = None,
    json: Json = False,
) -> None:
    """Write what you know better than the lists, or what no list says; no import changes it any more.

    Example: outreach founders edit "Ada Testwell" --title CTO --line "Your talk made me try it at home."
    """
    from outreach.cli._one_row import add_address
    from outreach.cli.lines import checked_notes
    from outreach.core.urls import linkedin_person

    notes = checked_notes(line=line, consent=consent)
    given = {"full_name": name, "first_name": first_name, "last_name": last_name, "title": title, "linkedin": linkedin}
    fields = {field: " ".join(text.split()) for field, text in given.items() if text is not None}
    if linkedin and not linkedin_person(linkedin):
        raise UsageError(f"{linkedin} is no page of a person.", hint="write it as --linkedin linkedin.com/in/ada")
    again = [{"name": "full_name"}.get(field, field.replace("-", "_")) for field in reset or ()]
    if wrong := next((field for field in again if field not in given), ""):
        raise UsageError(f"there is no field {wrong}.", hint=f"the fields are name, {', '.join(list(given)[1:])}")
    if not (fields or tag or untag or again or notes or email):
        raise UsageError("nothing to write.", hint="outreach founders edit WHO --title CTO (see --help)")
    if fields.get("full_name") == "":
        raise UsageError(
            "a name cannot be empty.", hint="outreach founders edit WHO --reset name lets the lists decide"
        )
    with shell(context).app() as app:
        from outreach.flows import curate
        from outreach.importers import all_importers

        found = app.store.people.get_founder(who)
        found = add_address(app, found, email) if email else found
        tags = [[text.strip() for text in each or () if text.strip()] for each in (tag, untag)]
        curate.edit(
            app.store, all_importers(), app.clock, found.id, fields=fields, tags=tags[0], untag=tags[1], reset=again
        )
        for name_, text in notes.items():
            app.store.notes.set(name_, {found.id: text}, app.clock.now())
        now = app.store.people.get_founder(str(found.id))
    if json:
        show_json({**founder_json(now), "line": now.line, "consent": now.consent})
    else:
        addresses = [address.address for address in now.addresses] if email else []
        show(f"founder {now.id}: {', '.join(filter(None, (now.full_name, now.title, *addresses, *now.tags)))}")
        for note in notes:
            show(f"  {note}: {getattr(now, note) or 'removed'}")
