"""What a person adds by hand comes in as an import of one row: so `why` knows from where, and `imports undo` takes it
back."""

from typing import TYPE_CHECKING

from outreach.errors import UsageError

if TYPE_CHECKING:
    from outreach.bootstrap import App
    from outreach.core.records import Company, Founder


def add_row(app: "App", file: str, name: str, address: str, company: "Company | None") -> "Founder | None":
    """Import a row that says so; the founder who has the address then."""
    from outreach.core.normalize import address_key
    from outreach.flows.ingest import Source, ingest
    from outreach.importers import all_importers

    cells = {
        "Company": company.name if company else "",
        "Website": company.website or company.domain if company else "",
        "Full Name": name,
        "Email": address,
    }
    source = Source.of_row(file, cells, app.clock.now())
    ingest(app.store, [source], importers=all_importers(), clock=app.clock, format_name="generic")
    return app.store.people.find_by_address(address_key(address))


def add_address(app: "App", founder: "Founder", address: str) -> "Founder":
    """One more address of a founder, as given as any that stands in a list."""
    from outreach.core.normalize import address_key
    from outreach.flows.curate import check_new_address, say_same
    from outreach.importers import all_importers

    check_new_address(app.store, founder, address)
    found = add_row(app, f"by-hand-founder-{founder.id}.csv", founder.full_name, address, founder.company)
    if found is None:
        raise UsageError(f"{address} could not be added.", hint="add it with `outreach import`")
    if found.id != founder.id:  # a name alone may not be enough to know them by
        say_same(app.store, all_importers(), app.clock, "founder", founder.id, found.id)
    return app.store.people.find_by_address(address_key(address)) or found
