"""Apollo exports of accounts: one row is one company, without people."""

from outreach.core.ports import Row, TableHead
from outreach.core.records import Lead, RowError
from outreach.importers._apollo import COMPANY_HEADERS, company
from outreach.importers._fields import Fields, by_field, find_header, has, mapper

name = "apollo_accounts"
row_limit = 0


def claims(head: TableHead) -> bool:
    named = find_header(head, COMPANY_HEADERS["company"])
    return named != "" and has(head, "Apollo Account Id") and not has(head, "First Name")


def _read(row: Row, fields: Fields) -> Lead | RowError:
    found = company(fields)
    return Lead(row.line, row.cells, found) if found else RowError(row.line, "no company name", row.cells)


mapping = mapper(COMPANY_HEADERS, required=("company",), what="Apollo export of accounts")
reader = by_field(_read)
