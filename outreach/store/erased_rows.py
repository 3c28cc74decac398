"""Rows of lists that named somebody who is erased: what is left of them, and of whom only they spoke.

Identity is decided from rows, so that every record that stays must have one; rulings go by the rows they were said of.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from outreach.core.rulings import AS_COMPANY
from outreach.store import tables as t
from outreach.store.bulk import chunks, delete_in, insert_all, select_in
from outreach.store.curation import drop_questions
from outreach.store.dialect import insert_missing
from outreach.store.leads import StoredLead


@dataclass(frozen=True, slots=True)
class Left:
    """What is to be left of a stored row: None for nothing. `others`: the founders it names still, in its order, each
    with the place they had."""

    row: StoredLead
    cells: Mapping[str, str] | None
    sha256: str
    others: tuple[tuple[int, int], ...] = ()


def change_rows(connection: sa.Connection, rows: Sequence[Left]) -> None:
    gone = [left.row.id for left in rows if left.cells is None]
    delete_in(connection, t.lead_founders.c.lead_id, [left.row.id for left in rows])
    for chunk in chunks(gone):
        given = t.addresses.c.lead_id.in_(chunk)
        connection.execute(sa.update(t.addresses).where(given).values(lead_id=None))
    delete_in(connection, t.leads.c.id, gone)
    seats = []
    for left in rows:
        if left.cells is not None:
            changed = {"cells": dict(left.cells), "sha256": left.sha256}
            connection.execute(sa.update(t.leads).where(t.leads.c.id == left.row.id).values(**changed))
            names = [founder for founder, _ in left.others]
            seats += [{"lead_id": left.row.id, "position": at, "founder_id": each} for at, each in enumerate(names)]
    insert_all(connection, t.lead_founders, seats)
    for left in {left.row.sha256: left for left in rows}.values():
        _rulings(connection, left)
    _whole_files(connection, rows)


def _rulings(connection: sa.Connection, left: Left) -> None:
    """What a person said of others in the row, and of the company, holds for what is left of it."""
    places = {old: new for new, (_, old) in enumerate(left.others)} | {AS_COMPANY: AS_COMPANY}
    for side in ("left", "right"):
        here = t.rulings.c[f"{side}_sha256"] == left.row.sha256
        position = t.rulings.c[f"{side}_position"]
        kept = places if left.cells is not None else {}
        connection.execute(sa.delete(t.rulings).where(here, position.not_in(list(kept))))
        for old, new in kept.items():
            moved = {f"{side}_sha256": left.sha256, f"{side}_position": new}
            connection.execute(sa.update(t.rulings).where(here, position == old).values(**moved))


def _whole_files(connection: sa.Connection, rows: Sequence[Left]) -> None:
    """The number of a file of one row is the number of that row."""
    hashes = {left.row.import_id: left.sha256 for left in rows}
    single = sa.select(t.imports.c.id).where(t.imports.c.rows <= 1)
    for row in list(select_in(connection, single, t.imports.c.id, sorted(hashes))):
        changed = sa.update(t.imports).where(t.imports.c.id == row["id"])
        connection.execute(changed.values(sha256=hashes[row["id"]]))


_REST = {"person": "Full Name", "email": "Email", "company": "Company", "website": "Website"}


def settle_unnamed(connection: sa.Connection, rows: Sequence[Left], now: datetime) -> None:
    """Whom only those rows named that are gone: a company that nothing else speaks of goes too; what others stand on
    is written down as a row, for identity is decided from rows alone."""
    companies = {left.row.company_id for left in rows if left.row.company_id is not None and left.cells is None}
    named = {
        row["company_id"]
        for row in select_in(connection, sa.select(t.leads.c.company_id), t.leads.c.company_id, sorted(companies))
    }
    used = {
        row["company_id"]
        for column in (t.founders.c.company_id, t.outbox.c.company_id)
        for row in select_in(connection, sa.select(column), column, sorted(companies - named))
    }
    _drop_companies(connection, sorted(companies - named - used), now)
    people = {founder for left in rows for founder in left.row.founder_ids}
    seated = select_in(
        connection, sa.select(t.lead_founders.c.founder_id), t.lead_founders.c.founder_id, sorted(people)
    )
    alone = people - {row["founder_id"] for row in seated}
    query = sa.select(t.founders.c.id, t.founders.c.full_name, t.founders.c.company_id)
    told = [
        (row["company_id"], row["id"], row["full_name"])
        for row in select_in(connection, query, t.founders.c.id, sorted(alone))
    ]
    told += [(company, None, "") for company in sorted((named | used) & companies - named - {each[0] for each in told})]
    _write_down(connection, told, now)


def _drop_companies(connection: sa.Connection, ids: Sequence[int], now: datetime) -> None:
    for of in (t.company_keys, t.company_hints, t.company_names, t.addresses):
        delete_in(connection, of.c.company_id, ids)
    delete_in(connection, t.companies.c.id, ids)
    delete_in(connection, t.suppressions.c.value, [f"company:{each}" for each in ids])
    drop_questions(connection, "company", ids)
    gone = [{"kind": "company", "id": each, "became": 0, "retired_at": now} for each in ids]
    insert_missing(connection, t.retired_ids, gone)


def _write_down(connection: sa.Connection, told: Sequence[tuple[int | None, int | None, str]], now: datetime) -> None:
    if not told:
        return
    file = {
        "file": "what-is-left.csv", "sha256": f"rest {now.isoformat()}", "format": "generic", "encoding": "utf-8",
        "mapping": _REST, "rows": len(told), "tag": "", "exported_at": now, "imported_at": now,
    }  # fmt: skip
    made = connection.execute(sa.insert(t.imports).values(**file)).inserted_primary_key or (0,)
    for line, (company_id, founder_id, name) in enumerate(told, 2):
        company = connection.execute(sa.select(t.companies).where(t.companies.c.id == company_id)).first()
        address = connection.scalar(
            sa.select(t.addresses.c.key).where(t.addresses.c.founder_id == founder_id).order_by(t.addresses.c.id)
        )
        cells = {
            "Full Name": name,
            "Email": address or "",
            "Company": company.name if company else "",
            "Website": (company.website or company.domain) if company else "",
        }
        values = {"import_id": made[0], "line": line, "sha256": f"rest {now.isoformat()} {line}", "cells": cells}
        row = connection.execute(sa.insert(t.leads).values(**values, outcome="same", company_id=company_id))
        if founder_id is not None:
            seat = {"lead_id": (row.inserted_primary_key or (0,))[0], "position": 0, "founder_id": founder_id}
            connection.execute(sa.insert(t.lead_founders).values(**seat))
