"""However many a statement is about, it fits: SQLite takes 32,766 values in one, PostgreSQL 65,535, and SQLite
conditions nested a thousand deep. Some stores here take fewer values, so that few rows show it."""

import sqlite3
from datetime import timedelta

import pytest

from outreach.core.matching import Clue, Clues
from outreach.core.records import OutboxState
from outreach.flows.ingest import Source, ingest
from outreach.importers import all_importers
from outreach.store.store import Store, memory_store
from tests.factory import add_founders, queue_all, start_campaign
from tests.fakes import MONDAY_MORNING as NOW
from tests.fakes import FakeClock

_TAKEN = 1_100
_MANY = 1_200


def _narrow(values: int) -> Store:
    made = memory_store()
    raw = made.database.engine.raw_connection().driver_connection
    assert isinstance(raw, sqlite3.Connection)
    raw.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, values)
    return made


@pytest.fixture
def store() -> Store:
    return _narrow(_TAKEN)


def test_the_mails_of_a_large_batch_are_brought_forward_and_asked_for_again(store: Store) -> None:
    add_founders(store, [f"p{number}" for number in range(_MANY)])
    campaign, _ = start_campaign(store)
    later = NOW + timedelta(days=1)
    items = queue_all(store, campaign, now=later)
    ids = [item.id for item in reversed(items)]
    store.outbox.bring_forward(ids, NOW)
    queued = store.outbox.items(states=[OutboxState.QUEUED], ids=ids)
    assert [item.id for item in queued] == sorted(ids)
    assert {item.due_at for item in queued} == {NOW}
    store.outbox.bring_forward(ids, later)
    assert {item.due_at for item in store.outbox.items(ids=ids)} == {NOW}
    assert len(store.outbox.items(ids=ids, limit=3)) == 3


def test_many_records_turn_out_to_be_others_at_once(store: Store) -> None:
    names = [f"{chr(97 + at // 676)}{chr(97 + at // 26 % 26)}{chr(97 + at % 26)}".title() for at in range(_MANY)]
    people = [
        (f"{name} Quill", f"{name}@{name}.example", f"https://www.linkedin.com/in/{name}-quill") for name in names
    ]
    lists = [
        "Name,Company,Email\n" + "".join(f"{name},{name} Labs,{mail}\n" for name, mail, _ in people),
        "Name,Company,LinkedIn\n" + "".join(f"{name},{name} Studio,{page}\n" for name, _, page in people),
        "Name,Email,LinkedIn\n" + "".join(f"{name},{mail},{page}\n" for name, mail, page in people),
    ]
    for number, text in enumerate(lists):
        source = Source(f"{number}.csv", text.encode(), NOW)
        ingest(store, [source], importers=all_importers(), clock=FakeClock())
    assert store.people.count_founders() < 1.1 * _MANY


def test_reports_that_name_hundreds_of_mails_are_looked_up_together() -> None:
    """As a mailbox might hold that somebody has filled."""
    store = memory_store()
    add_founders(store, ["Bo"])
    campaign, _ = start_campaign(store)
    [item] = queue_all(store, campaign)
    noise = [
        Clues(
            ids=tuple(Clue(f"<{number}-{each}>", "the id by SES") for number in range(200)),
            recipients=tuple(Clue(f"x{number}@y{each}.example", "Final-Recipient") for number in range(200)),
            tokens=tuple(Clue(f"{'abcd'[number]}{each:025}", "To") for number in range(4)),
        )
        for each in range(8)
    ]
    found = store.mail.find([*noise, Clues(ids=(Clue(item.message_id, "References"),))])
    assert [mail.id for mail in found.mails] == [item.id]
