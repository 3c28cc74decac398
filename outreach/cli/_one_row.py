"""What a person adds by hand comes in as an import of one row: so `why` knows from where, and `imports undo` takes it
back."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import sqlalchemy as sa

    from outreach.bootstrap import App
    from outreach.core.records import Company, Founder


def add_row(
    app: "App",
    file: str,
    name: str,
    address: str,
    company: "Company | None",
    beside: "Callable[[sa.Connection], None]" = lambda _connection: None,
) -> "Founder | None":
    """Import a row that says so, and what comes with it in one transaction; the founder who has the address then."""
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
    importers = all_importers()
    ingest(app.store, [source], importers=importers, clock=app.clock, format_name="generic", beside=beside)
    return app.store.people.find_by_address(address_key(address))


def add_address(app: "App", founder: "Founder", address: str) -> "Founder":
    """One more address of a founder, as given as any that stands in a list: the row and whose it is, in one
    transaction."""
    from outreach.flows.curate import check_new_address, give_address
    from outreach.importers import all_importers

    def give(connection: "sa.Connection") -> None:
        give_address(connection, app.store, all_importers(), app.clock, founder.id, address)

    check_new_address(app.store, founder, address)
    file = f"by-hand-founder-{founder.id}.csv"
    return add_row(app, file, founder.full_name, address, founder.company, give) or founder
