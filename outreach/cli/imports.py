"""`outreach imports …`: what came from where, and taking it back."""

from typing import Annotated, Any

import typer

from outreach.cli._output import count, local, show, show_json, show_some, show_table
from outreach.cli._shell import Json, listing, shell


def register(app: typer.Typer) -> None:
    group = listing("What came from where.")
    group.command("list")(list_imports)
    group.command("show")(show_import)
    group.command("undo")(undo_import)
    app.add_typer(group, name="imports")


def list_imports(context: typer.Context, json: Json = False) -> None:
    """Every file that was imported.

    Example: outreach imports
    """
    with shell(context).app() as app:
        found, zone = app.store.leads.imports(), app.settings.zone
    if json:
        show_json({"imports": [_import_json(each) for each in found], "total": len(found)})
    elif not found:
        show("nothing has been imported yet; outreach import FILE brings a list in")
    else:
        headers = ("id", "file", "format", "rows", "new", "merged", "same", "skipped", "tag", "imported", "taken back")
        outcomes = ("new", "merged", "same", "skipped")
        show_table(
            headers,
            [
                (
                    each.id,
                    each.file,
                    each.format,
                    each.rows,
                    *(each.outcomes.get(name, 0) for name in outcomes),
                    each.tag,
                    each.imported_at,
                    each.undone_at,
                )
                for each in found
            ],
            zone,
        )


def show_import(
    context: typer.Context,
    id_: Annotated[int, typer.Argument(metavar="ID", help="As `imports` shows it.")],
    json: Json = False,
) -> None:
    """One import: how it was read, and which rows were skipped.

    Example: outreach imports show 1
    """
    with shell(context).app() as app:
        found, skipped, zone = app.store.leads.get_import(id_), app.store.leads.skipped(id_), app.settings.zone
    if json:
        rows = [{"line": row.line, "reason": row.reason, "cells": dict(row.cells)} for row in skipped]
        show_json({**_import_json(found), "mapping": dict(found.mapping), "skipped_rows": rows})
        return
    show(f"{found.file}: {found.format}, {found.encoding}, {count(found.rows, 'row')}")
    tagged = f", tag {found.tag}" if found.tag else ""
    exported, imported = (local(at.astimezone(zone)) for at in (found.exported_at, found.imported_at))
    show(f"  exported {exported}, imported {imported}{tagged}")
    show(f"  {', '.join(f'{number} {outcome}' for outcome, number in sorted(found.outcomes.items())) or 'no rows'}")
    show(f"  columns: {', '.join(f'{field} = {header}' for field, header in found.mapping.items())}")
    for row in skipped:
        show(f"  line {row.line}: skipped, {row.reason}")


def undo_import(
    context: typer.Context,
    id_: Annotated[int, typer.Argument(metavar="ID", help="As `imports` shows it.")],
    json: Json = False,
) -> None:
    """Take one import back, with what rests on it alone. Whoever was written to, answered or edited since stays.

    Example: outreach imports undo 2
    """
    with shell(context).app() as app:
        from outreach.flows.curate import undo_import as take_back
        from outreach.importers import all_importers

        file = app.store.leads.get_import(id_).file
        done = take_back(app.store, all_importers(), app.clock, id_)
    stays = [
        {"founder": each.founder_id, "full_name": each.full_name, "reasons": list(each.reasons)} for each in done.stays
    ]
    if json:
        gone = {"companies": done.companies, "founders": done.founders}
        show_json({"import": id_, "rows_removed": done.rows, "removed": gone, "stays": stays})
        return
    people = f"{count(done.companies, 'company', 'companies')} and {count(done.founders, 'founder')}"
    show(f"import {id_} ({file}) taken back: {count(done.rows, 'row')} gone, and with them {people}")
    if done.stays:
        show(f"{count(len(done.stays), 'founder stays', 'founders stay')}, with the rows that name them:")
        show_some(f"{each.founder_id} {each.full_name}: {', '.join(each.reasons)}" for each in done.stays)


def _import_json(found: Any) -> dict[str, Any]:
    names = ("id", "file", "format", "encoding", "rows", "tag", "exported_at", "imported_at", "undone_at")
    return {**{name: getattr(found, name) for name in names}, "outcomes": dict(found.outcomes)}
