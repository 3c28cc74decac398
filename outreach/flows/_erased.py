"""A list without the rows that name somebody who was erased: they are skipped, and nothing of them is kept."""

from dataclasses import replace

from outreach.core.erased import SKIPPED, Erased
from outreach.core.records import Lead, RowError
from outreach.importers import StartupList


def without_erased(of: StartupList, erased: Erased) -> StartupList:
    """Each such row is one that cannot be used, and has no cells."""

    def look(row: Lead | RowError) -> Lead | RowError:
        return RowError(row.line, SKIPPED) if erased.names(row) else row

    return replace(of, rows=replace(of.rows, look=look))
