"""What a person waits for never scans a table: every statement behind it is asked for its plan."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from benchmarks.exports import write_export
from outreach.core.pacing import Limits, unpaced
from outreach.flows.explain import provenance
from outreach.flows.ingest import Source, ingest
from outreach.importers import all_importers
from outreach.store.store import Store, memory_store
from tests.factory import add_founders, queue_all, start_campaign
from tests.fakes import MONDAY_MORNING as NOW
from tests.fakes import FakeClock
from tests.flows.test_enqueue_and_send import LIMITS
from tests.flows.test_ingest import _LONG_AGO

_LARGE = (
    "founders", "companies", "addresses", "leads", "lead_founders", "company_names", "company_keys", "founder_keys",
    "company_hints", "founder_hints", "founder_tags",
)  # fmt: skip
_SCAN = re.compile(rf"SCAN (?:{'|'.join(_LARGE)})\b(?! USING INTEGER PRIMARY KEY)")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    path: Path = tmp_path_factory.mktemp("plans") / "companies-9-24-2025.csv"
    write_export(path, 300)
    store = memory_store()
    ingest(store, [Source(path.name, path, _LONG_AGO)], importers=all_importers(), clock=FakeClock(), tag="autumn")
    return store


_ASKED: dict[str, Callable[[Store], object]] = {
    "by id": lambda store: store.people.get_founder("7"),
    "by address": lambda store: store.people.find_by_address("info@none.example"),
    "by name": lambda store: store.people.get_founder(store.people.get_founder("7").full_name),
    "company by domain": lambda store: store.people.get_company(store.people.get_company("7").domain),
    "company by name": lambda store: store.people.get_company(store.people.get_company("7").name),
    "its team": lambda store: store.people.team(7),
    "its inboxes": lambda store: store.people.inboxes(7),
    "location": lambda store: store.people.founders({"location": "Bay Area"}, 50),
    "country": lambda store: store.people.founders({"country": "Germany"}, 50),
    "industry": lambda store: store.people.founders({"industry": "saas"}, 50),
    "employees": lambda store: store.people.founders({"employees": "1-50"}, 50),
    "founded": lambda store: store.people.founders({"founded": "2020-"}, 50),
    "funding": lambda store: store.people.founders({"funding": "1M-5M"}, 50),
    "tag": lambda store: store.people.founders({"tag": "autumn"}, 50),
    "search": lambda store: store.people.founders({"search": "ada"}, 50),
    "several": lambda store: store.people.founders({"search": "ada", "country": "Germany", "has_email": "yes"}, 50),
    "how many": lambda store: store.people.count_founders({"location": "Berlin"}, most=10_000),
    "companies": lambda store: store.people.companies({"search": "platform", "location": "London"}, 50),
    "why": lambda store: provenance(store, all_importers(), 7),
    "suppressed": lambda store: store.suppressions.covering(store.people.get_founder("7")),
}


@pytest.mark.parametrize("asked", list(_ASKED))
def test_nothing_scans_a_large_table(store: Store, asked: str) -> None:
    for statement, values in _asking(store, _ASKED[asked]):
        assert _scans(store, statement, values) == [], statement


@pytest.mark.parametrize("limits", [LIMITS, unpaced(LIMITS), replace(LIMITS, fresh_inbox=None)])
def test_a_claim_looks_at_few_rows_however_long_the_outbox_is(limits: Limits) -> None:
    """All that must hold when a message is claimed and when its intent is recorded."""
    store = memory_store()
    add_founders(store, ["Bo", "Cy"])
    first, _ = queue_all(store, start_campaign(store)[0])
    asked = _asking(store, lambda store: store.claims.obstacle(first.id, limits, NOW))
    steps = [step for statement, values in asked for step in _plan(store, statement, values)]
    assert steps
    assert not [step for step in steps if step.startswith("SCAN") and step != "SCAN CONSTANT ROW"]


def _asking(store: Store, ask: Callable[[Store], object]) -> list[tuple[str, Any]]:
    """The queries behind it, with their values."""
    statements: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, values: object, *_rest: object) -> None:
        statements.append((statement, values))

    sa.event.listen(store.database.engine, "before_cursor_execute", note)
    try:
        ask(store)
    finally:
        sa.event.remove(store.database.engine, "before_cursor_execute", note)
    asking = [each for each in statements if each[0].lstrip().upper().startswith(("SELECT", "WITH"))]
    assert asking
    return asking


def test_a_scan_would_be_seen(store: Store) -> None:
    assert _scans(store, "SELECT id FROM companies WHERE description LIKE ?", ("%x%",)) == ["SCAN companies"]


def _scans(store: Store, statement: str, values: Any) -> list[str]:
    return [step for step in _plan(store, statement, values) if _SCAN.search(step)]


def _plan(store: Store, statement: str, values: Any) -> list[str]:
    with store.database.read() as connection:
        return [step[3] for step in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]
