"""`outreach founders …` and `outreach companies …`: who is there."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outreach.cli._export import File, Force, Raw, cell_text, check_target, chosen_columns, export
from outreach.cli._filters import COMPANIES, FOUNDERS, Columns, Filters, Sort, takes
from outreach.cli._output import count, say, show, show_json, show_table
from outreach.cli._shell import Json, listing, shell
from outreach.cli.curation import merge_companies, merge_founders, split_company, split_founder
from outreach.errors import UsageError

if TYPE_CHECKING:
    from outreach.core.records import Address, Company, Founder

_SHOWN = 50
_MOST_COUNTED = 10_000
"""Counting further would cost a wait on a large store, to nobody's use."""

Limit = Annotated[int | None, typer.Option(min=1, help=f"At most so many (default: {_SHOWN}; all with --json).")]


def register(app: typer.Typer) -> None:
    founders = listing("The people you may write to.")
    founders.command("list")(list_founders)
    founders.command("show")(show_founder)
    founders.command("export")(export_founders)
    founders.command("edit")(edit_founder)
    founders.command("merge")(merge_founders)
    founders.command("split")(split_founder)
    app.add_typer(founders, name="founders")
    companies = listing("The startups they founded.")
    companies.command("list")(list_companies)
    companies.command("show")(show_company)
    companies.command("export")(export_companies)
    companies.command("merge")(merge_companies)
    companies.command("split")(split_company)
    app.add_typer(companies, name="companies")


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
        columns, _FOUNDER_COLUMNS, ("id", "name", "title", "company", "address", "status", "source", "sure")
    )
    with shell(context).app() as app:
        people = app.store.people
        found = people.founders(filters, limit or (None if json else _SHOWN), sort=sort)
        total = people.count_founders(filters, most=None if json else _MOST_COUNTED)
    if json:
        show_json({"founders": [founder_json(founder) for founder in found], "total": total})
    elif not total:
        show("no founders match" if filters else "there are no founders yet; outreach import FILE brings a list in")
    else:
        rows = (_founder_columns(founder) for founder in found)
        show_table(shown, ([cell_text(row[name]) for name in shown] for row in rows))
        _say_rest(len(found), total)


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
    written = chosen_columns(columns, _FOUNDER_COLUMNS, _FOUNDER_COLUMNS)
    check_target(file, force=force)
    with shell(context).app() as app:
        rows = map(_founder_columns, app.store.people.each_founder(filters, sort=sort))
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
        named_in = [_row_json(row.id, row.file, row.line, row.exported_at) for row in rows]
        rest = {"linkedin": found.linkedin, "line": found.line, "consent": found.consent}
        show_json({**founder_json(found), **rest, "cells": dict(found.cells), "suppressed": blocked, "rows": named_in})
        return
    show(f"{found.full_name or '(no name)'}{f', {found.title}' if found.title else ''}   (founder {found.id})")
    for entry in blocked:
        why = f": {entry['reason']}" if entry["reason"] else ""
        show(f"  MUST NOT be written to ({entry['kind']}, {entry['value']}{why})")
    if found.company:
        show(f"  company:   {found.company.name}{f', {found.company.domain}' if found.company.domain else ''}")
    _show_addresses(found.addresses)
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


def founder_json(founder: "Founder") -> dict[str, Any]:
    """A founder as scripts see one."""
    company = founder.company
    return {
        "id": founder.id,
        "full_name": founder.full_name,
        "first_name": founder.first_name,
        "last_name": founder.last_name,
        "title": founder.title,
        "company": {"id": company.id, "name": company.name, "domain": company.domain, "country": company.country}
        if company
        else None,
        "addresses": [_address_json(address) for address in founder.addresses],
        "tags": list(founder.tags),
    }


_FOUNDER_COLUMNS = (
    "id", "name", "first_name", "last_name", "title", "address", "status", "source", "sure", "company", "domain",
    "website", "city", "region", "country", "industries", "employees", "founded", "funding", "linkedin", "tags",
)  # fmt: skip


def _founder_columns(founder: "Founder") -> dict[str, Any]:
    """A founder as a row of a table; `address` is all of theirs, with `status` in the same order."""
    company = _company_columns(founder.company) if founder.company else dict.fromkeys(_COMPANY_COLUMNS, "")
    return {
        **company,
        "id": founder.id,
        "name": founder.full_name,
        "first_name": founder.first_name,
        "last_name": founder.last_name,
        "title": founder.title,
        "address": [address.address for address in founder.addresses],
        "status": [str(address.status) for address in founder.addresses],
        "source": [address.origin for address in founder.addresses],
        "sure": [_sure(address) or "-" for address in founder.addresses] if any(map(_sure, founder.addresses)) else [],
        "company": founder.company.name if founder.company else "",
        "linkedin": founder.linkedin,
        "tags": list(founder.tags),
    }


# --- companies ------------------------------------------------------------------------------------


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
    shown = chosen_columns(columns, _COMPANY_COLUMNS, ("id", "name", "domain", "city", "country", "founders"))
    with shell(context).app() as app:
        people = app.store.people
        found = people.companies(filters, limit or (None if json else _SHOWN), sort=sort)
        total = people.count_companies(filters, most=None if json else _MOST_COUNTED)
    if json:
        show_json({"companies": [company_json(company) for company in found], "total": total})
    elif not total:
        show("no companies match" if filters else "there are no companies yet; outreach import FILE brings a list in")
    else:
        rows = (_company_columns(company) for company in found)
        show_table(shown, ([cell_text(row[name]) for name in shown] for row in rows))
        _say_rest(len(found), total)


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
    written = chosen_columns(columns, _COMPANY_COLUMNS, _COMPANY_COLUMNS)
    check_target(file, force=force)
    with shell(context).app() as app:
        rows = map(_company_columns, app.store.people.each_company(filters, sort=sort))
        number = export(file, written, rows, raw=raw)
    show(f"{count(number, 'company', 'companies')} written to {file}")


_COMPANY_COLUMNS = (
    "id", "name", "aliases", "domain", "website", "city", "region", "country", "industries", "employees", "founded",
    "funding", "last_funding", "status", "linkedin", "crunchbase_slug", "description", "founders",
)  # fmt: skip


def _company_columns(company: "Company") -> dict[str, Any]:
    return {**company_json(company), **_company_facts(company)}


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
        show_json({**company_json(found), **_company_facts(found), "team": [founder_json(each) for each in team],
                   "inboxes": [_address_json(each) for each in inboxes],
                   "rows": [_row_json(row.lead_id, row.file, row.line, row.exported_at) for row in rows]})  # fmt: skip
        return
    show(f"{found.name}   (company {found.id})")
    shown = {"also": ", ".join(found.aliases), "website": found.website, **_company_facts(found)}
    shown["place"] = ", ".join(filter(None, (found.city, found.region, found.country)))
    for label, value in shown.items():
        if value:
            show(f"  {label.replace('_', ' ') + ':':18} {', '.join(value) if isinstance(value, list) else value}")
    for founder in team:
        show(f"  founder:           {founder.id} {founder.full_name}")
    _show_addresses(inboxes)
    for row in rows:
        show(f"  {f'row {row.lead_id}:':18} {row.file}, line {row.line}")


def company_json(company: "Company") -> dict[str, Any]:
    """A company as scripts see one."""
    return {
        "id": company.id,
        "name": company.name,
        "aliases": list(company.aliases),
        "domain": company.domain,
        "website": company.website,
        "city": company.city,
        "region": company.region,
        "country": company.country,
        "crunchbase_slug": company.slug,
        "founders": company.founders,
    }


def _company_facts(company: "Company") -> dict[str, Any]:
    funding = company.funding_total
    return {
        "description": company.description,
        "industries": list(company.industries),
        "employees": company.employees,
        "founded": company.founded,
        "funding": f"{funding.amount:,} {funding.currency}".strip() if funding else "",
        "last_funding": " ".join(filter(None, (company.last_funding_type, company.last_funding_on))),
        "status": company.status,
        "linkedin": company.linkedin,
    }


# --- shared ---------------------------------------------------------------------------------------


def _row_json(number: int, file: str, line: int, exported_at: datetime) -> dict[str, Any]:
    return {"row": number, "file": file, "line": line, "exported_at": exported_at}


def _address_json(address: "Address") -> dict[str, Any]:
    return {
        "address": address.address,
        "status": address.status,
        "origin": address.origin,
        "confidence": address.confidence,
        "evidence": list(address.evidence),
        "checked_at": address.checked_at,
    }


def _sure(address: "Address") -> str:
    return "" if address.confidence is None else f"{address.confidence} %"


def _show_addresses(addresses: Iterable["Address"]) -> None:
    for address in addresses:
        sure = f", {_sure(address)}" if address.confidence is not None else ""
        show(f"  address:   {address.address} ({address.status}{sure}, from {address.origin})")
        for line in address.evidence:
            show(f"             {line}")


def _show_cells(cells: Mapping[str, str]) -> None:
    if cells:
        show("  the newest list says:")
    for header, cell in cells.items():
        if cell.strip():
            show(f"    {header}: {' '.join(cell.split())}")


def _say_rest(shown: int, total: int) -> None:
    if total >= _MOST_COUNTED:
        say(f"{shown} of {_MOST_COUNTED:,} or more shown; --limit and filters (--help) show others")
    elif shown < total:
        say(f"{shown} of {total:,} shown; --limit {total} shows all, filters narrow them (--help)")
