"""A person's word on who is who, and taking an import back: it holds, it can be taken back, and nothing is revived."""

import pytest
import sqlalchemy as sa

from outreach.errors import UsageError
from outreach.flows import curate
from outreach.flows.explain import provenance
from outreach.flows.ingest import Source, ingest
from outreach.store import curation
from outreach.store import tables as t
from outreach.store.store import Store
from tests.factory import queue_all, start_campaign
from tests.fakes import FakeClock
from tests.flows.test_ingest import _IMPORTERS as IMPORTERS
from tests.flows.test_ingest import bring, company, crunchbase, people, people_by_id
from tests.postgres import new_store

pytestmark = pytest.mark.usefixtures("engine")

ACME = b"Company,Website,Name,Email,Title\n"
DAN = ACME + b"Acme,acme.example,Dan Testwell,dan@acme.example,CEO\n"
DANIEL = ACME + b"Acme,acme.example,Daniel Testwell,daniel@acme.example,Founder\n"
ABOUT = (IMPORTERS, FakeClock())


def open_pairs(store: Store) -> list[tuple[int, int]]:
    with store.database.read() as connection:
        return [(pair.left_id, pair.right_id) for pair in curation.pairs(connection)]


def two_dans() -> Store:
    store = new_store()
    bring(store, DAN)
    bring(store, DANIEL)
    assert open_pairs(store) == [(1, 2)]
    return store


# --- merge and keep apart -------------------------------------------------------------------------


def test_what_a_person_merges_is_one_for_every_later_import() -> None:
    store = two_dans()
    curate.say_same(store, *ABOUT, "founder", 1, 2)
    assert people_by_id(store) == {1: ("dan@acme.example", "daniel@acme.example")}
    assert open_pairs(store) == []
    bring(store, DANIEL.replace(b"Founder", b"CTO"), name="list-2025-09-01.csv")
    assert people_by_id(store) == {1: ("dan@acme.example", "daniel@acme.example")}
    assert store.people.get_founder("2").id == 1, "a number that became another still finds who it was"
    with store.database.read() as connection:
        (merge,) = connection.execute(sa.select(t.merges)).mappings()
    assert (merge["absorbed_id"], merge["record_id"], merge["rule"], merge["leads"]) == (2, 1, "person", [2])


def test_a_row_by_hand_comes_in_as_theirs_or_not_at_all() -> None:
    store = new_store()
    bring(store, DAN)
    row = Source.of_row("by-hand.csv", {"Full Name": "Dee", "Email": "dee@other.example"}, FakeClock().now())

    def come_in(address: str) -> None:
        ingest(
            store, [row], importers=IMPORTERS, clock=FakeClock(), format_name="generic",
            beside=lambda connection: curate.give_address(connection, store, *ABOUT, 1, address),
        )  # fmt: skip

    with pytest.raises(UsageError, match="could not be added"):
        come_in("nobody@other.example")
    assert people_by_id(store) == {1: ("dan@acme.example",)}
    come_in("Dee@other.example")
    assert people_by_id(store) == {1: ("dan@acme.example", "dee@other.example")}


def test_a_merge_by_hand_is_taken_back_as_it_was() -> None:
    store = two_dans()
    curate.say_same(store, *ABOUT, "founder", 1, 2)
    done = curate.split(store, *ABOUT, "founder", 1)
    assert done.new == (3,)
    assert people_by_id(store) == {1: ("dan@acme.example",), 3: ("daniel@acme.example",)}
    assert open_pairs(store) == [(1, 3)]


def test_what_a_person_keeps_apart_is_not_asked_again_and_stays_apart() -> None:
    store = two_dans()
    curate.say_apart(store, *ABOUT, "founder", 1, 2)
    assert open_pairs(store) == []
    bring(store, DAN.replace(b"CEO", b"CTO"), name="list-2025-09-01.csv")
    bring(store, DANIEL.replace(b"Founder", b"CFO"), name="list-2025-10-01.csv")
    linking = b"Company,Website,Name,LinkedIn\nAcme,acme.example,Dan Testwell,linkedin.com/in/dan\n"
    bring(store, linking)
    bring(store, linking.replace(b"Dan ", b"Daniel "))
    assert len(store.people.founders()) == 2
    assert people_by_id(store)[1] == ("dan@acme.example",)
    assert people_by_id(store)[2] == ("daniel@acme.example",)
    assert store.people.get_founder("dan@acme.example").id == 1


def test_keeping_apart_can_be_taken_back_by_merging() -> None:
    store = two_dans()
    curate.say_apart(store, *ABOUT, "founder", 1, 2)
    curate.say_same(store, *ABOUT, "founder", 1, 2)
    assert len(store.people.founders()) == 1


def test_companies_are_judged_by_a_person_too() -> None:
    store = new_store()
    bring(store, b"Company,Website\nAcme,acme.example\n")
    bring(store, b"Company,Website\nAcme,acme.test\n")
    assert open_pairs(store) == [(1, 2)]
    curate.say_same(store, *ABOUT, "company", 1, 2)
    assert len(store.people.companies()) == 1
    bring(store, b"Company,Website,Country\nAcme,acme.test,Fiji\n")
    assert [(each.id, each.domain, each.country) for each in store.people.companies()] == [(1, "acme.example", "Fiji")]


def test_a_skipped_pair_waits_until_it_is_asked_for() -> None:
    store = two_dans()
    with store.database.read() as connection:
        (pair,) = curation.pairs(connection)
    curate.skip(store, FakeClock(), pair)
    bring(store, DAN.replace(b"CEO", b"CTO"), name="list-2025-09-01.csv")
    assert open_pairs(store) == []
    with store.database.read() as connection:
        assert [each.id for each in curation.pairs(connection, decision="skipped")] == [pair.id]


# --- split by rows --------------------------------------------------------------------------------

ADA = b"Company,Website,Name,Email\nAcme,acme.example,Ada Testwell,ada@acme.example\n"
OTHER_ADA = b"Company,Website,Name,Email\nAcme,acme.example,Ada Testwell,ada.t@acme.example\n"


def test_a_row_that_speaks_of_somebody_else_is_split_off_for_good() -> None:
    store = new_store()
    bring(store, ADA)
    bring(store, OTHER_ADA)
    assert people_by_id(store) == {1: ("ada@acme.example", "ada.t@acme.example")}
    rows = provenance(store, IMPORTERS, 1).rows
    done = curate.split(store, *ABOUT, "founder", 1, [rows[1].id])
    assert done.new == (2,)
    assert people_by_id(store) == {1: ("ada@acme.example",), 2: ("ada.t@acme.example",)}
    bring(store, ADA, name="again.csv")
    bring(store, OTHER_ADA.replace(b"Acme,", b"Acme GmbH,"), name="more.csv")
    assert people_by_id(store)[1] == ("ada@acme.example",)
    curate.say_same(store, *ABOUT, "founder", 1, 2)
    assert people_by_id(store)[1] == ("ada@acme.example", "ada.t@acme.example")


def test_a_split_without_rows_says_what_to_type() -> None:
    store = new_store()
    bring(store, ADA)
    with pytest.raises(UsageError) as error:
        curate.split(store, *ABOUT, "founder", 1)
    assert "founders split 1 --row" in error.value.hint
    with pytest.raises(UsageError, match="nothing to split"):
        curate.split(store, *ABOUT, "founder", 1, [1])


def test_mails_stay_with_the_person_whose_address_they_went_to() -> None:
    store = new_store()
    bring(store, ADA)
    bring(store, OTHER_ADA)
    campaign, _ = start_campaign(store)
    queue_all(store, campaign)
    store.suppressions.add_person(1, "asked us", FakeClock().now())
    rows = provenance(store, IMPORTERS, 1).rows
    curate.split(store, *ABOUT, "founder", 1, [rows[0].id])
    assert people_by_id(store) == {1: ("ada@acme.example",), 2: ("ada.t@acme.example",)}
    with store.database.read() as connection:
        assert set(connection.scalars(sa.select(t.outbox.c.founder_id))) == {1}
        assert set(connection.scalars(sa.select(t.enrollments.c.founder_id))) == {1}
    for founder in store.people.founders():
        assert store.suppressions.covering(founder), "whoever was on the list stays on it, whoever they are"


# --- holds ----------------------------------------------------------------------------------------

LINKED = b"Company,Website,Name,Email\nAcme,acme.example,Ada Testwell,ada@acme.example ada@other.example\n"


def twins() -> Store:
    store = new_store()
    bring(store, ADA)
    bring(store, b"Company,Website,Name,Email\nOther,other.example,Ada Testwell,ada@other.example\n")
    campaign, _ = start_campaign(store)
    queue_all(store, campaign)
    bring(store, LINKED)
    assert states(store) == {1: "active", 2: "held"}
    return store


def states(store: Store) -> dict[int, str]:
    return {each.founder_id: str(each.state) for each in store.campaigns.enrollments(1)}


def test_two_of_one_campaign_go_on_once_a_person_keeps_them_apart() -> None:
    store = twins()
    curate.say_apart(store, *ABOUT, "founder", 1, 2)
    assert states(store) == {1: "active", 2: "active"}
    bring(store, LINKED.replace(b"Acme,", b"Acme GmbH,"), name="again.csv")
    assert states(store) == {1: "active", 2: "active"}
    assert open_pairs(store) == [] or (1, 2) not in open_pairs(store)


def test_of_two_of_one_campaign_that_are_one_only_one_is_written_to() -> None:
    store = twins()
    curate.say_same(store, *ABOUT, "founder", 1, 2)
    assert states(store) == {1: "active", 2: "stopped"}
    assert {item.rcpt: str(item.state) for item in store.outbox.items()} == {
        "ada@acme.example": "queued",
        "ada@other.example": "cancelled",
    }
    bring(store, LINKED.replace(b"Acme,", b"Acme GmbH,"), name="again.csv")
    assert states(store) == {1: "active", 2: "stopped"}
    assert (1, 2) not in open_pairs(store)


def test_another_hold_is_not_released_with_it() -> None:
    store = twins()
    with store.database.write() as connection:
        rows = t.enrollments
        connection.execute(sa.update(rows).where(rows.c.founder_id == 2).values(reason="unclear answer"))
    curate.say_apart(store, *ABOUT, "founder", 1, 2)
    assert states(store)[2] == "held"


# --- edits ----------------------------------------------------------------------------------------


def test_a_persons_edit_outranks_every_list() -> None:
    store = new_store()
    bring(store, DAN)
    curate.edit(store, *ABOUT, 1, fields={"title": "CTO", "full_name": "Daniel Testwell"}, tags=["met"])
    bring(store, DAN.replace(b"CEO", b"Chair"), name="list-2025-09-01.csv", tag="autumn")
    found = store.people.get_founder("1")
    assert (found.full_name, found.first_name, found.title, found.tags) == (
        "Daniel Testwell",
        "Daniel",
        "CTO",
        ("autumn", "met"),
    )
    assert store.people.get_founder("Daniel Testwell").id == 1
    curate.edit(store, *ABOUT, 1, fields={}, untag=["autumn"], reset=["title"])
    bring(store, DAN.replace(b"CEO", b"Owner"), name="list-2025-10-01.csv", tag="autumn")
    found = store.people.get_founder("1")
    assert (found.title, found.tags) == ("Owner", ("met",))


def test_an_edit_goes_with_the_record_it_was_made_on() -> None:
    store = two_dans()
    curate.edit(store, *ABOUT, 2, fields={"title": "Boss"})
    curate.say_same(store, *ABOUT, "founder", 1, 2)
    assert store.people.get_founder("1").title == "Boss"


# --- provenance -----------------------------------------------------------------------------------


def test_every_fact_names_its_file_and_line() -> None:
    store = new_store()
    old = company(
        "Acme",
        website="https://acme.example",
        funding="1000000",
        founders="Ada Testwell",
        location="Berlin, Berlin, Germany",
    )
    bring(store, crunchbase(company("Zen"), old), name="companies-1-15-2024.csv")
    bring(store, crunchbase({**old, "Total Funding Amount": "5000000"}), name="companies-9-24-2025.csv")
    bring(
        store,
        ADA.replace(b"Email", b"Email,Title").replace(b".example\n", b".example,CEO\n"),
        name="people-2025-10-01.csv",
    )
    ada = store.people.get_founder("Ada Testwell")
    curate.edit(store, *ABOUT, ada.id, fields={"title": "CTO"})
    found = provenance(store, IMPORTERS, ada.id)
    facts = {(each.of, each.field): (each.value, each.file, each.line) for each in found.facts}
    assert facts["company", "funding_amount"] == ("5000000", "companies-9-24-2025.csv", 2)
    assert facts["company", "city"] == ("Berlin", "companies-1-15-2024.csv", 3)
    assert facts["founder", "full_name"] == ("Ada Testwell", "companies-1-15-2024.csv", 3)
    assert facts["founder", "title"] == ("CTO", "by hand", 0)
    assert facts["address", "ada@acme.example"] == ("given", "people-2025-10-01.csv", 2)
    assert [row.line for row in found.rows] == [3, 2, 2]
    assert {link.rule for link in found.links} >= {"P4"} or found.links


# --- undo -----------------------------------------------------------------------------------------


def test_undo_leaves_the_store_as_before_the_import() -> None:
    store = new_store()
    bring(store, crunchbase(company("Acme", slug="acme", founders="Ada Testwell")))
    bring(store, b"Company,Website,Name,Email\nZen,zen.example,Rosa Quill,rosa@zen.example\n")
    before = people(store), [(each.name, each.domain, each.founders) for each in store.people.companies()]
    bring(
        store,
        crunchbase(company("Acme", slug="acme", website="zen.example", founders="Rosa Quill, Bo Sample")),
        tag="x",
    )
    assert people(store) != before[0]
    done = curate.undo_import(store, *ABOUT, 3)
    assert (done.rows, done.stays) == (1, ())
    assert (people(store), [(each.name, each.domain, each.founders) for each in store.people.companies()]) == before
    with pytest.raises(UsageError, match="taken back already"):
        curate.undo_import(store, *ABOUT, 3)


def test_undo_of_everything_leaves_nothing_and_the_list_can_come_again() -> None:
    store = new_store()
    bring(store, DAN, tag="x")
    done = curate.undo_import(store, *ABOUT, 1)
    assert (done.rows, done.companies, done.founders) == (1, 1, 1)
    assert (store.people.founders(), store.people.companies()) == ([], [])
    report = bring(store, DAN)
    assert (report.companies.new, report.founders.new) == (1, 1)
    assert store.people.get_founder("dan@acme.example").id == 2, "a number is never given again"


def test_whoever_was_written_to_suppressed_or_edited_stays() -> None:
    store = new_store()
    rows = [f"{name} Labs,{name}.example,{name} Quill,{name}@{name}.example,CEO" for name in ("ann", "bo", "cy", "di")]
    bring(store, ACME + "\n".join(rows).encode() + b"\n")
    start_campaign(store)
    with store.database.write() as connection:
        rows_ = t.enrollments
        connection.execute(sa.delete(rows_).where(rows_.c.founder_id != 1))
    store.suppressions.add_person(2, "asked us", FakeClock().now())
    curate.edit(store, *ABOUT, 3, fields={"title": "CTO"})
    done = curate.undo_import(store, *ABOUT, 1)
    assert [(each.founder_id, each.reasons) for each in done.stays] == [
        (1, ("in a campaign",)),
        (2, ("must not be written to",)),
        (3, ("edited",)),
    ]
    assert sorted(people_by_id(store)) == [1, 2, 3]
    bring(store, ACME + "\n".join(rows).encode() + b"\n")
    assert sorted(people_by_id(store)) == [1, 2, 3, 5]
    assert store.suppressions.covering(store.people.get_founder("2"))


def test_an_opt_out_survives_undo_new_spellings_and_addresses_learned_later() -> None:
    store = new_store()
    bring(store, ADA)
    store.suppressions.add_person(1, "asked us", FakeClock().now())
    bring(store, b"Company,Website,Name,Email\nAcme GmbH,acme.example,Dr. Ada Testwell,ada.new@acme.example\n")
    curate.undo_import(store, *ABOUT, 2)
    curate.undo_import(store, *ABOUT, 1)
    other = b"Company,Website,Name,Email\nZen,zen.example,A. Testwell,ada.new@acme.example\n"
    bring(store, other)
    founder = store.people.get_founder("ada.new@acme.example")
    assert store.suppressions.covering(founder)
    with store.database.read() as connection:
        values = set(connection.scalars(sa.select(t.suppressions.c.value)))
    assert "address:ada.new@acme.example" in values


def test_a_bounce_is_remembered_through_an_undo() -> None:
    store = new_store()
    bring(store, ADA)
    bring(store, ADA.replace(b"Acme,", b"Acme Inc,"), name="b.csv")
    with store.database.write() as connection:
        connection.exec_driver_sql("UPDATE addresses SET status = 'bounced'")
    curate.undo_import(store, *ABOUT, 1)
    (founder,) = store.people.founders()
    assert [(each.address, str(each.status)) for each in founder.addresses] == [("ada@acme.example", "bounced")]
