"""What is held about one person: nothing forgotten, nothing of others from answers about the whole company."""

import inspect
import re

from outreach.core.names import parse_name
from outreach.core.ports import Answer, LookupOutcome, Question
from outreach.store import erased_rows, erasing, erasures, personal, sweeping
from outreach.store import tables as t
from outreach.store.store import memory_store
from tests.factory import add_founders
from tests.fakes import MONDAY_MORNING

NOT_ABOUT_A_PERSON = {
    "meta": "the store itself",
    "companies": "a company; the document names the person's",
    "company_keys": "a company",
    "company_hints": "a company",
    "company_names": "a company",
    "domain_flags": "a domain",
    "domain_pauses": "a domain",
    "mailboxes": "the user's own",
    "cursors": "where the user's mailbox was read to",
}


def test_every_table_is_in_it_or_is_not_about_a_person() -> None:
    """A new table has to be put into one or the other."""
    read = set(re.findall(r"\bt\.(\w+)", inspect.getsource(personal)))
    assert not read & NOT_ABOUT_A_PERSON.keys()
    assert read | NOT_ABOUT_A_PERSON.keys() == {each.name for each in t.metadata.sorted_tables}


def test_whatever_is_told_is_erased_too() -> None:
    """What one of them knows of, the other must."""
    parts = (erasing, erased_rows, erasures, sweeping)
    erased = set(re.findall(r"\bt\.(\w+)", "".join(map(inspect.getsource, parts)))) - {"metadata"}
    told = set(re.findall(r"\bt\.(\w+)", inspect.getsource(personal)))
    only_read = {"campaigns": "their place in it goes, the campaign stays"}
    assert told - erased == only_read.keys()


def test_of_an_answer_about_the_company_only_their_part_is_told() -> None:
    store = memory_store()
    add_founders(store, ["Bo", "Cy"])
    bo = store.people.get_founder("Bo Brightly")
    seen = [{"address": f"{name}@bo.example", "how": "on the page", "near": name} for name in ("bo", "mallory")]
    site = Answer(LookupOutcome.ANSWERED, {"pages": [{"url": "http://bo.example/", "addresses": seen}]})
    key = parse_name(bo.full_name).key
    mine = Answer(LookupOutcome.NOTHING, {}, text="Hunter knows nothing")
    for question, answer in (
        (Question("website", "site bo.example", about="bo.example"), site),
        (Question("hunter", f"email-finder bo.example {key}", about="bo.example", person=key), mine),
        (Question("hunter", "email-finder bo.example other", about="bo.example", person="other"), mine),
        (Question("website", "site cy.example", about="cy.example"), site),
    ):
        store.finds.record(question, answer, MONDAY_MORNING, MONDAY_MORNING)
    held = store.personal.held(bo, key)
    assert [(row["finder"], row["data"]) for row in held["lookups"]] == [("hunter", {}), ("website", [seen[0]])]
    assert "mallory" not in repr(held)
    assert "Cy" not in repr(held)
