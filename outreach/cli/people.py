"""`outreach founders …` and `outreach companies …`: who is there."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outreach.cli._filters import (
    Country,
    Employees,
    Founded,
    Funding,
    HasEmail,
    Industry,
    Location,
    NotContacted,
    Search,
    Tag,
    chosen_filters,
)
from outreach.cli._output import say, show, show_json, show_table
from outreach.cli._shell import Json, listing, shell
from outreach.errors import UsageError

if TYPE_CHECKING:
    from outreach.core.records import Address, Company, Founder

_SHOWN = 50

Limit = Annotated[int | None, typer.Option(min=1, help=f"At most so many (default: {_SHOWN}; all with --json).")]


def register(app: typer.Typer) -> None:
    founders = listing("The people you may write to.")
    founders.command("list")(list_founders)
    founders.command("show")(show_founder)
    founders.command("edit")(edit_founder)
    founders.command("merge")(merge_founders)
    founders.command("split")(split_founder)
    app.add_typer(founders, name="founders")
    companies = listing("The startups they founded.")
    companies.command("list")(list_companies)
    companies.command("show")(show_company)
    app.add_typer(companies, name="companies")


def list_founders(  # noqa: PLR0917  Typer's options are the filters, and go by name
    context: typer.Context,
    industry: Industry = "",
    location: Location = "",
    country: Country = "",
    employees: Employees = "",
    founded: Founded = "",
    funding: Funding = "",
    tag: Tag = "",
    has_email: HasEmail = False,
    not_contacted: NotContacted = False,
    search: Search = "",
    limit: Limit = None,
    json: Json = False,
) -> None:
    """Founders, with their company and address.

    Example: outreach founders list --location Berlin --has-email
    """
    filters = chosen_filters(locals())
    with shell(context).app() as app:
        found = app.store.people.founders(filters, limit or (None if json else _SHOWN))
        total = app.store.people.count_founders(filters)
    if json:
        show_json({"founders": [founder_json(founder) for founder in found], "total": total})
    elif not total:
        show("no founders match" if filters else "there are no founders yet; outreach import FILE brings a list in")
    else:
        show_table(("id", "name", "title", "company", "address"), map(_founder_cells, found))
        _say_rest(len(found), total)


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
        told = [{"row": row.id, "file": row.file, "line": row.line, "exported_at": row.exported_at} for row in rows]
        rest = {"linkedin": found.linkedin, "cells": dict(found.cells), "suppressed": blocked, "rows": told}
        show_json({**founder_json(found), **rest})
        return
    show(f"{found.full_name or '(no name)'}{f', {found.title}' if found.title else ''}   (founder {found.id})")
    for entry in blocked:
        why = f": {entry['reason']}" if entry["reason"] else ""
        show(f"  MUST NOT be written to ({entry['kind']}, {entry['value']}{why})")
    if found.company:
        show(f"  company:   {found.company.name}{f', {found.company.domain}' if found.company.domain else ''}")
    _show_addresses(found.addresses)
    for label, text in (("linkedin", found.linkedin), ("tags", ", ".join(found.tags))):
        if text:
            show(f"  {label + ':':10} {text}")
    for row in rows:
        show(f"  row {row.id}:    {row.file}, line {row.line}, exported {row.exported_at:%Y-%m-%d}")
    _show_cells(found.cells)


def edit_founder(
    context: typer.Context,
    who: Annotated[str, typer.Argument(help="An id, an address, or a name.")],
    name: Annotated[str | None, typer.Option(help="The whole name.")] = None,
    first_name: Annotated[str | None, typer.Option(help="What a mail greets them by.")] = None,
    last_name: Annotated[str | None, typer.Option()] = None,
    title: Annotated[str | None, typer.Option()] = None,
    linkedin: Annotated[str | None, typer.Option(help="The address of their page.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="Add a tag; may be repeated.")] = None,
    untag: Annotated[list[str] | None, typer.Option(help="Take a tag away; may be repeated.")] = None,
    reset: Annotated[
        list[str] | None, typer.Option(metavar="FIELD", help="Let the lists decide this field again.")
    ] = None,
    json: Json = False,
) -> None:
    """Write what you know better than the lists; no import changes it any more.

    Example: outreach founders edit "Ada Testwell" --title CTO --tag met-in-may
    """
    given = {"full_name": name, "first_name": first_name, "last_name": last_name, "title": title, "linkedin": linkedin}
    fields = {field: " ".join(text.split()) for field, text in given.items() if text is not None}
    again = [{"name": "full_name"}.get(field, field.replace("-", "_")) for field in reset or ()]
    if wrong := next((field for field in again if field not in given), ""):
        raise UsageError(f"there is no field {wrong}.", hint=f"the fields are name, {', '.join(list(given)[1:])}")
    if not (fields or tag or untag or again):
        raise UsageError("nothing to write.", hint="outreach founders edit WHO --title CTO (see --help)")
    if fields.get("full_name") == "":
        raise UsageError(
            "a name cannot be empty.", hint="outreach founders edit WHO --reset name lets the lists decide"
        )
    with shell(context).app() as app:
        from outreach.flows import curate
        from outreach.importers import all_importers

        found = app.store.people.get_founder(who)
        tags = [[text.strip() for text in each or () if text.strip()] for each in (tag, untag)]
        curate.edit(
            app.store, all_importers(), app.clock, found.id, fields=fields, tags=tags[0], untag=tags[1], reset=again
        )
        now = app.store.people.get_founder(str(found.id))
    if json:
        show_json(founder_json(now))
    else:
        show(f"founder {now.id}: {', '.join(filter(None, (now.full_name, now.title, *now.tags)))}")


def merge_founders(
    context: typer.Context,
    one: Annotated[str, typer.Argument(metavar="A", help="An id, an address, or a name.")],
    other: Annotated[str, typer.Argument(metavar="B", help="The same person.")],
    json: Json = False,
) -> None:
    """Say that two records are one person. Every later import goes by it; `founders split` takes it back.

    Example: outreach founders merge 12 57
    """
    with shell(context).app() as app:
        from outreach.flows import curate
        from outreach.importers import all_importers

        left, right = app.store.people.get_founder(one), app.store.people.get_founder(other)
        done = curate.say_same(app.store, all_importers(), app.clock, "founder", left.id, right.id)
        kept = app.store.people.get_founder(str(left.id))
    if json:
        show_json({"founder": founder_json(kept), "became": {str(old): new for old, new in done.became.items()}})
        return
    if done.became:
        show(f"merged: {kept.full_name} is founder {kept.id} now")
    else:
        show("both are in one campaign: the records stay, and the second is not written to")
    say(f"to take it back: outreach founders split {kept.id}")


def split_founder(
    context: typer.Context,
    who: Annotated[str, typer.Argument(help="An id, an address, or a name.")],
    rows: Annotated[
        list[int] | None,
        typer.Option("--row", help="A row that speaks of somebody else, as `founders show` lists it; may be repeated."),
    ] = None,
    json: Json = False,
) -> None:
    """Take apart what is two people. Without --row, the last merge by hand is taken back.

    Example: outreach founders split 12 --row 340
    """
    with shell(context).app() as app:
        from outreach.flows import curate
        from outreach.importers import all_importers

        found = app.store.people.get_founder(who)
        done = curate.split(app.store, all_importers(), app.clock, found.id, rows or ())
        people = [app.store.people.get_founder(str(id_)) for id_ in (found.id, *done.new)]
    if json:
        show_json({"founders": [founder_json(each) for each in people]})
        return
    if not done.new:
        show(f"still one: the rules hold founder {found.id} together")
        say(f"hint: outreach founders split {found.id} --row ROW names the rows that speak of somebody else")
    for each in people if done.new else []:
        at = ", ".join(address.address for address in each.addresses)
        show(f"founder {each.id}: {each.full_name}{f', {at}' if at else ''}")


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


def _founder_cells(founder: "Founder") -> tuple[object, ...]:
    address = founder.addresses[0].address if founder.addresses else ""
    return founder.id, founder.full_name, founder.title, founder.company.name if founder.company else "", address


# --- companies ------------------------------------------------------------------------------------


def list_companies(
    context: typer.Context,
    industry: Industry = "",
    location: Location = "",
    country: Country = "",
    employees: Employees = "",
    founded: Founded = "",
    funding: Funding = "",
    search: Search = "",
    limit: Limit = None,
    json: Json = False,
) -> None:
    """Companies, with how many of their founders are known.

    Example: outreach companies list --industry fintech --employees 1-50
    """
    filters = chosen_filters(locals())
    with shell(context).app() as app:
        found = app.store.people.companies(filters, limit or (None if json else _SHOWN))
        total = app.store.people.count_companies(filters)
    if json:
        show_json({"companies": [company_json(company) for company in found], "total": total})
    elif not total:
        show("no companies match" if filters else "there are no companies yet; outreach import FILE brings a list in")
    else:
        show_table(
            ("id", "name", "domain", "city", "country", "founders"),
            [(each.id, each.name, each.domain, each.city, each.country, each.founders) for each in found],
        )
        _say_rest(len(found), total)


def show_company(
    context: typer.Context, who: Annotated[str, typer.Argument(help="An id, a domain, or a name.")], json: Json = False
) -> None:
    """One company, its founders and its own inboxes.

    Example: outreach companies show acme.example
    """
    with shell(context).app() as app:
        found = app.store.people.get_company(who)
        team, inboxes = app.store.people.team(found.id), app.store.people.inboxes(found.id)
    if json:
        show_json({**company_json(found), **_company_facts(found), "team": [founder_json(each) for each in team],
                   "inboxes": [_address_json(each) for each in inboxes]})  # fmt: skip
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


def _address_json(address: "Address") -> dict[str, str]:
    return {"address": address.address, "status": address.status, "origin": address.origin}


def _show_addresses(addresses: Iterable["Address"]) -> None:
    for address in addresses:
        show(f"  address:   {address.address} ({address.status}, from {address.origin})")


def _show_cells(cells: Mapping[str, str]) -> None:
    if cells:
        show("  the newest list says:")
    for header, cell in cells.items():
        if cell.strip():
            show(f"    {header}: {' '.join(cell.split())}")


def _say_rest(shown: int, total: int) -> None:
    if shown < total:
        say(f"{shown} of {total:,} shown; --limit {total} shows all, filters narrow them (--help)")
