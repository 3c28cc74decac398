"""A list without those who were erased: a row comes in without them, or is skipped where it names nobody else, or not
without them. Nothing of them is kept."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from outreach.core.erased import SKIPPED, Erased, addresses_in, words_of
from outreach.core.ports import Row
from outreach.core.records import Lead, PersonFacts, RowError
from outreach.core.redaction import Read, Traces, redacted
from outreach.core.same_person import person_mention
from outreach.importers import Importers, StartupList


def without_erased(of: StartupList, erased: Erased, importers: Importers) -> StartupList:
    """The same list with a last look at each row. What is skipped has no cells."""

    def look(row: Lead | RowError) -> Lead | RowError:
        if not erased.names(row):
            return row

        def read(cells: Mapping[str, str]) -> Lead | RowError:
            return importers.read_again(of.format, of.mapping, Row(row.line, cells))

        return _without(row, erased, read) or RowError(row.line, SKIPPED)

    return replace(of, rows=replace(of.rows, look=look))


def _without(row: Lead | RowError, erased: Erased, read: Read) -> Lead | None:
    """What it says of the company and of others, one person less at a time; None if there are no others."""
    while isinstance(row, Lead) and row.people and erased.names(row):
        held = {found for cell in row.cells.values() for found in addresses_in(cell) if erased.has_address(found)}
        theirs = [at for at, each in enumerate(row.people) if erased.has(words_of(each, row.company))]
        if theirs:
            left = redacted(row.cells, theirs[0], read, _traces(row, row.people[theirs[0]], held))
            cells = left.cells if left else None
        else:  # an address of theirs stands in what is said of others
            cells = Traces(addresses=frozenset(held)).cut_all(row.cells) if held else None
        if cells is None or cells == dict(row.cells):
            return None
        row = read(cells)
    return row if isinstance(row, Lead) and row.people else None


def _traces(row: Lead, person: PersonFacts, held: Collection[str]) -> Traces:
    """What is that person's in this row."""
    mention = person_mention(person, -1)
    return Traces(
        names=frozenset({person.full_name} - {""}),
        addresses=frozenset({*person.emails, *held}),
        pages=frozenset({mention.linkedin, mention.slug} - {""}),
        companies=frozenset({row.company.name} if row.company else ()),
    )
