"""`outreach companies …`: the startups they founded."""

from typing import Annotated

import typer

from outreach.cli._export import File, Force, Raw, cell_text, check_target, chosen_columns, export
from outreach.cli._filters import COMPANIES, Columns, Filters, Sort, takes
from outreach.cli._output import count, show, show_json, show_table
from outreach.cli._people import (
    COMPANY_COLUMNS,
    MOST_COUNTED,
    SHOWN,
    Limit,
    address_json,
    company_columns,
    company_facts,
    company_json,
    founder_json,
    row_json,
    say_rest,
    show_addresses,
)
from outreach.cli._shell import Json, listing, shell
from outreach.cli.curation import merge_companies, split_company


def register(app: typer.Typer) -> None:
    group = listing("The startups they founded.")
    group.command("list")(list_companies)
    group.command("show")(show_company)
    group.command("export")(export_companies)
    group.command("merge")(merge_companies)
    group.command("split")(split_company)
    app.add_typer(group, name="companies")


@takes(COMPANIES)
def list_companies(
    context: typer.Context,
    filters: Filters,
    sort: Sort = "",
    columns: Columns = "",
    limit: Limit = None,
    json: Json = False,
) -> None:
    """Companies, with how many of their founders are known.

    Example: outreach companies list --industry fintech --employees 1-50
    """
    shown = chosen_columns(columns, COMPANY_COLUMNS, ("id", "name", "domain", "city", "country", "founders"))
    with shell(context).app() as app:
        people = app.store.people
        found = people.companies(filters, limit or (None if json else SHOWN), sort=sort)
        total = people.count_companies(filters, most=None if json else MOST_COUNTED)
    if json:
        show_json({"companies": [company_json(company) for company in found], "total": total})
    elif not total:
        show("no companies match" if filters else "there are no companies yet; outreach import FILE brings a list in")
    else:
        rows = (company_columns(company) for company in found)
        show_table(shown, ([cell_text(row[name]) for name in shown] for row in rows))
        say_rest(len(found), total)


@takes(COMPANIES)
def export_companies(
    context: typer.Context,
    file: File,
    filters: Filters,
    sort: Sort = "",
    columns: Columns = "",
    raw: Raw = False,
    force: Force = False,
) -> None:
    """Write companies to a CSV, TSV, XLSX or JSON file. Cells that a spreadsheet would run are disarmed.

    Example: outreach companies export companies.csv --country Germany
    """
    written = chosen_columns(columns, COMPANY_COLUMNS, COMPANY_COLUMNS)
    check_target(file, force=force)
    with shell(context).app() as app:
        rows = map(company_columns, app.store.people.each_company(filters, sort=sort))
        number = export(file, written, rows, raw=raw)
    show(f"{count(number, 'company', 'companies')} written to {file}")


def show_company(
    context: typer.Context, who: Annotated[str, typer.Argument(help="An id, a domain, or a name.")], json: Json = False
) -> None:
    """One company, its founders and its own inboxes.

    Example: outreach companies show acme.example
    """
    with shell(context).app() as app:
        from outreach.store import curation

        found = app.store.people.get_company(who)
        team, inboxes = app.store.people.team(found.id), app.store.people.inboxes(found.id)
        with app.store.database.read() as connection:
            rows = curation.rows_naming(connection, "company", found.id)
    if json:
        show_json({**company_json(found), **company_facts(found), "team": [founder_json(each) for each in team],
                   "inboxes": [address_json(each) for each in inboxes],
                   "rows": [row_json(row.lead_id, row.file, row.line, row.exported_at) for row in rows]})  # fmt: skip
        return
    show(f"{found.name}   (company {found.id})")
    shown = {"also": ", ".join(found.aliases), "website": found.website, **company_facts(found)}
    shown["place"] = ", ".join(filter(None, (found.city, found.region, found.country)))
    for label, value in shown.items():
        if value:
            show(f"  {label.replace('_', ' ') + ':':18} {', '.join(value) if isinstance(value, list) else value}")
    for founder in team:
        show(f"  founder:           {founder.id} {founder.full_name}")
    show_addresses(inboxes)
    for row in rows:
        show(f"  {f'row {row.lead_id}:':18} {row.file}, line {row.line}")
