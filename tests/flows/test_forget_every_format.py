"""Whoever any list names can be erased, one after the other: nothing of theirs is left, everybody else stays as they
were, and the list does not bring them back."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from outreach.core.records import Founder
from outreach.flows.forget import forget
from outreach.flows.ingest import Source, ingest
from outreach.importers import all_importers
from outreach.store import tables as t
from outreach.store.journal import MemoryJournal
from outreach.store.store import Store, memory_store
from tests.fakes import FakeClock

SAMPLES = sorted((Path(__file__).parents[1] / "samples").glob("*/*.csv"))
MOST = 4


def bring(store: Store, path: Path) -> list[str]:
    """Why rows were skipped."""
    source = Source(path.name, path.read_bytes(), datetime(2026, 1, 1, tzinfo=UTC))
    report = ingest(store, [source], importers=all_importers(), clock=FakeClock())
    return [row.reason.partition(":")[0] for row in report.files[0].skipped]


def everything(store: Store) -> str:
    with store.database.read() as connection:
        assert not connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
        return json.dumps([[*row] for of in t.metadata.sorted_tables for row in connection.execute(sa.select(of))],
                          default=str, ensure_ascii=False)  # fmt: skip


def known(store: Store) -> dict[int, tuple[str, tuple[str, ...], str]]:
    return {each.id: told(each) for each in store.people.founders({})}


def told(founder: Founder) -> tuple[str, tuple[str, ...], str]:
    return founder.full_name, tuple(each.key for each in founder.addresses), founder.linkedin


def has_row_alone(store: Store, founder_id: int) -> bool:
    """Whether a row names them and nobody else."""
    seats = t.lead_founders.c
    theirs = sa.select(seats.lead_id).where(seats.founder_id == founder_id)
    named = sa.select(sa.func.count()).where(seats.lead_id.in_(theirs)).group_by(seats.lead_id)
    with store.database.read() as connection:
        return 1 in connection.scalars(named).all()


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_one_after_the_other(path: Path) -> None:
    store, log, sent_log, clock = memory_store(), MemoryJournal(), MemoryJournal(), FakeClock()
    bring(store, path)
    for founder in store.people.founders({})[:MOST]:
        rest = {id_: each for id_, each in known(store).items() if id_ != founder.id}
        named_alone = has_row_alone(store, founder.id)
        forget(store, all_importers(), founder.id, sent_log=sent_log, log=log, now=clock.now())
        assert known(store) == rest
        left = everything(store)
        shared = " " not in founder.full_name or founder.full_name in {name for name, *_ in rest.values()}
        # One word may be a word of another's, and a name another's name.
        for text in filter(None, ("" if shared else founder.full_name, *told(founder)[1], founder.linkedin)):
            assert not re.search(rf"(?<!\w){re.escape(text)}(?!\w)", left, re.IGNORECASE), text
        skipped = bring(store, path)
        assert known(store) == rest, "the list is read again, but for them"
        if named_alone and (founder.company or founder.addresses or founder.linkedin):
            assert "erased" in skipped
