"""`merge` and `split`, of founders and of companies: a person's word on who is who."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outreach.cli._output import say, show, show_json
from outreach.cli._shell import Json, shell

if TYPE_CHECKING:
    from outreach.bootstrap import App
    from outreach.core.records import Company, Founder

Rows = Annotated[
    list[int] | None,
    typer.Option("--row", help="A row that speaks of another one, as `show` lists it; may be repeated."),
]


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
        people = app.store.people
        _merge(app, "founder", people.get_founder(one).id, people.get_founder(other).id, json=json)


def merge_companies(
    context: typer.Context,
    one: Annotated[str, typer.Argument(metavar="A", help="An id, a domain, or a name.")],
    other: Annotated[str, typer.Argument(metavar="B", help="The same company.")],
    json: Json = False,
) -> None:
    """Say that two records are one company. Every later import goes by it; `companies split` takes it back.

    Example: outreach companies merge acme.example 57
    """
    with shell(context).app() as app:
        people = app.store.people
        _merge(app, "company", people.get_company(one).id, people.get_company(other).id, json=json)


def split_founder(
    context: typer.Context,
    who: Annotated[str, typer.Argument(help="An id, an address, or a name.")],
    rows: Rows = None,
    json: Json = False,
) -> None:
    """Take apart what is two people. Without --row, the last merge by hand is taken back.

    Example: outreach founders split 12 --row 340
    """
    with shell(context).app() as app:
        _split(app, "founder", app.store.people.get_founder(who).id, rows or (), json=json)


def split_company(
    context: typer.Context,
    who: Annotated[str, typer.Argument(help="An id, a domain, or a name.")],
    rows: Rows = None,
    json: Json = False,
) -> None:
    """Take apart what is two companies. Without --row, the last merge by hand is taken back.

    Example: outreach companies split acme.example --row 340
    """
    with shell(context).app() as app:
        _split(app, "company", app.store.people.get_company(who).id, rows or (), json=json)


def _merge(app: "App", kind: str, left: int, right: int, *, json: bool) -> None:
    from outreach.flows import curate
    from outreach.importers import all_importers

    done = curate.say_same(app.store, all_importers(), app.clock, kind, left, right)
    kept = _records(app, kind, [done.became.get(left, left)])[0]
    if json:
        became = {str(old): new for old, new in done.became.items()}
        show_json({kind: _as_json(kept), "became": became})
        return
    if done.became:
        show(f"merged: {_named(kept)} is {kind} {kept.id} now")
    else:
        show("both are in one campaign: the records stay, and the second is not written to")
    say(f"to take it back: outreach {curate.plural(kind)} split {kept.id}")


def _split(app: "App", kind: str, record_id: int, rows: Iterable[int], *, json: bool) -> None:
    from outreach.flows import curate
    from outreach.importers import all_importers

    done = curate.split(app.store, all_importers(), app.clock, kind, record_id, list(rows))
    group, records = curate.plural(kind), _records(app, kind, (record_id, *done.new))
    if json:
        show_json({group: [_as_json(each) for each in records]})
        return
    if not done.new:
        show(f"still one: the rules hold {kind} {record_id} together")
        say(f"hint: outreach {group} split {record_id} --row ROW names the rows that speak of another one")
        return
    for each in records:
        show(f"{kind} {each.id}: {_named(each)}")


def _records(app: "App", kind: str, ids: Iterable[int]) -> "list[Founder | Company]":
    get = app.store.people.get_founder if kind == "founder" else app.store.people.get_company
    return [get(str(id_)) for id_ in ids]


def _named(record: "Founder | Company") -> str:
    from outreach.core.records import Founder

    if isinstance(record, Founder):
        return ", ".join([record.full_name, *(each.address for each in record.addresses)])
    return ", ".join(filter(None, (record.name, record.domain)))


def _as_json(record: "Founder | Company") -> dict[str, Any]:
    from outreach.cli._people import company_json, founder_json
    from outreach.core.records import Founder

    return founder_json(record) if isinstance(record, Founder) else company_json(record)
