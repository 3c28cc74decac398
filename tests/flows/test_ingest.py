"""Importing real bytes into a real store: nothing lost, nothing twice, and never another result for another order."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import permutations
from random import Random

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.core.records import Campaign, Mailbox
from outreach.errors import ImportRefused, UsageError
from outreach.flows.ingest import IngestReport, Source, ingest
from outreach.importers import all_importers
from outreach.store import tables as t
from outreach.store.store import Store
from tests.factory import queue_all, start_campaign
from tests.fakes import FakeClock
from tests.postgres import new_store

pytestmark = pytest.mark.usefixtures("engine")

_IMPORTERS = all_importers()
_LONG_AGO = datetime(2025, 1, 1, tzinfo=UTC)
_CRUNCHBASE = (
    "Organization Name", "Organization Name URL", "Headquarters Location", "Description", "CB Rank (Company)",
    "Website", "LinkedIn", "Contact Email", "Founders", "Number of Founders", "Total Funding Amount",
)  # fmt: skip


def crunchbase(*rows: Mapping[str, str]) -> bytes:
    """An export with these companies; `slug` stands for the page's address."""
    return as_csv(_CRUNCHBASE, [{**row, "Organization Name URL": _page(row)} for row in rows])


def _page(row: Mapping[str, str]) -> str:
    slug = row.get("slug") or row["Organization Name"].lower().replace(" ", "-")
    return f"https://www.crunchbase.com/organization/{slug}"


def as_csv(headers: Sequence[str], rows: Iterable[Mapping[str, str]]) -> bytes:
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, headers, extrasaction="ignore", restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue().encode()


def bring(store: Store, data: bytes, name: str = "list.csv", **options: object) -> IngestReport:
    source = Source(name, data, _LONG_AGO)
    return ingest(store, [source], importers=_IMPORTERS, clock=FakeClock(), **options)  # type: ignore[arg-type]  # passed on


def company(name: str, **facts: str) -> dict[str, str]:
    named = {"website": "Website", "linkedin": "LinkedIn", "location": "Headquarters Location", "founders": "Founders",
             "email": "Contact Email", "funding": "Total Funding Amount", "slug": "slug"}  # fmt: skip
    return {"Organization Name": name, **{named[key]: value for key, value in facts.items()}}


def people(store: Store) -> dict[str, tuple[str, ...]]:
    return {founder.full_name: tuple(each.address for each in founder.addresses) for founder in store.people.founders()}


ACME = company(
    "Acme", website="https://acme.example", founders="Ada Testwell, Omar Brightly, III", email="info@acme.example"
)


# --- what a row becomes ---------------------------------------------------------------------------


def test_a_crunchbase_row_becomes_a_company_and_its_founders() -> None:
    store = new_store()
    report = bring(store, crunchbase(ACME))
    assert report.as_json()["companies"] == {"new": 1, "merged": 0, "same": 0}
    assert report.as_json()["founders"] == {"new": 2, "merged": 0, "same": 0}
    (found,) = store.people.companies()
    assert (found.name, found.domain, found.slug, found.founders) == ("Acme", "acme.example", "acme", 2)
    assert people(store) == {"Ada Testwell": (), "Omar Brightly, III": ()}
    assert [each.address for each in store.people.inboxes(found.id)] == ["info@acme.example"]


def test_the_same_file_again_changes_nothing() -> None:
    store = new_store()
    bring(store, crunchbase(ACME))
    before = _everything(store)
    report = bring(store, crunchbase(ACME), name="again.csv")
    assert (report.companies.same, report.founders.same, report.new_addresses) == (1, 2, 0)
    assert (report.companies.new, report.founders.new, report.files[0].outcomes.same) == (0, 0, 1)
    assert _everything(store) == before


def test_a_repeated_row_is_the_same() -> None:
    store = new_store()
    report = bring(store, crunchbase(ACME, ACME))
    assert (report.files[0].outcomes.new, report.files[0].outcomes.same) == (1, 1)
    assert len(store.people.founders()) == 2


def test_every_row_is_stored_as_it_came() -> None:
    store = new_store()
    strange = "=HYPERLINK(1)\n{{ 7*7 }}\x1b[31m =?UTF-8?Q?x?="
    bring(store, crunchbase({**company("Acme\u202e\x07 Co"), "Description": strange}))
    (founder_less,) = store.people.companies()
    assert founder_less.name == "Acme Co"
    with store.database.read() as connection:
        (row,) = connection.execute(sa.select(t.leads)).mappings()
    assert (row["line"], row["outcome"], row["cells"]["Description"]) == (2, "new", strange)


def test_people_with_addresses_join_the_founders_of_a_crunchbase_list() -> None:
    store = new_store()
    bring(store, crunchbase(ACME, company("Zenith", founders="Rosa Quill")))
    report = bring(
        store,
        b"Company,Website,Name,Email\n"
        b"Acme GmbH,www.acme.example/team,Ada Testwell,ada@acme.example\n"
        b"Zenith,,Rosa Quill,rosa@zenith.example\n",
    )
    assert (report.founders.new, report.founders.merged, report.new_addresses) == (0, 2, 2)
    assert people(store)["Ada Testwell"] == ("ada@acme.example",)
    assert people(store)["Rosa Quill"] == ("rosa@zenith.example",)
    assert len(store.people.companies()) == 2


def test_two_files_at_once_are_judged_together() -> None:
    store = new_store()
    sources = [
        Source("a.csv", b"Company,Name,Email\nAcme,Ada Testwell,ada@acme.example\n", _LONG_AGO),
        Source("b.csv", crunchbase(ACME), _LONG_AGO),
    ]
    report = ingest(store, sources, importers=_IMPORTERS, clock=FakeClock())
    assert report.companies.new == 1
    assert [file.outcomes for file in report.files] != []
    assert people(store)["Ada Testwell"] == ("ada@acme.example",)


def test_a_renamed_company_stays_one_and_nothing_falls_back() -> None:
    store = new_store()
    old = company("Acme", website="acme.example", funding="1000000", slug="acme")
    new = company("Apex", website="apex.example", funding="5000000", slug="acme")
    bring(store, crunchbase(new), name="companies-9-24-2025.csv")
    bring(store, crunchbase(old), name="companies-1-15-2024.csv")
    (found,) = store.people.companies()
    assert (found.name, found.domain, found.aliases) == ("Apex", "apex.example", ("Acme",))
    assert found.funding_total is not None
    assert found.funding_total.amount == 5_000_000


def test_an_empty_cell_blanks_nothing() -> None:
    store = new_store()
    bring(store, crunchbase(ACME), name="companies-1-15-2024.csv")
    bring(store, crunchbase(company("Acme")), name="companies-9-24-2025.csv")
    (found,) = store.people.companies()
    assert found.domain == "acme.example"
    assert found.founders == 2


def test_a_row_that_connects_two_known_companies_makes_them_one() -> None:
    store = new_store()
    bring(store, crunchbase(company("Acme", slug="acme", founders="Ada Testwell")))
    bring(store, b"Company,Website,Name,Email\nAcme Labs,acme.example,Ada Testwell,ada@acme.example\n")
    assert len(store.people.companies()) == 2
    report = bring(store, crunchbase(company("Acme", slug="acme", website="acme.example")), name="new.csv")
    assert (report.companies.new, report.companies.merged) == (0, 1)
    assert len(store.people.companies()) == 1
    assert people(store) == {"Ada Testwell": ("ada@acme.example",)}


# --- rows that cannot be used ---------------------------------------------------------------------


def test_rows_are_skipped_by_line_and_the_rest_comes_in() -> None:
    store = new_store()
    good, masked, open_quote = b"Acme,ada@acme.example,Ada Testwell", b",***@x.example,", b'Zenith,"rosa'
    data = b"\n".join([b"Company,Email,Name", good, b",,", masked, open_quote, b"Quill,q@quill.example,Q"])
    report = bring(store, data)
    (file,) = report.files
    assert [(row.line) for row in file.skipped] == [4, 5]
    assert file.rows == file.outcomes.new + file.outcomes.merged + file.outcomes.same + len(file.skipped) == 4
    assert report.in_part
    assert [each.name for each in store.people.companies()] == ["Acme", "Quill"]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf\n\n", "is empty"),
        (b"%PDF-1.7 \x00\x01", "PDF"),
        (b"PK\x03\x04" + bytes(50), "spreadsheet"),
        (bytes(range(256)) * 20, "binary"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"Colour,Size\nred,3\n", "no column for a company"),
        (b"Transaction Name,Money Raised,Organization Name,Organization Name URL\n", "funding rounds"),
    ],
)
def test_what_is_no_list_is_refused_and_changes_nothing(data: bytes, says: str) -> None:
    store = new_store()
    good = Source("good.csv", crunchbase(ACME), _LONG_AGO)
    with pytest.raises(ImportRefused, match=says) as refused:
        ingest(store, [good, Source("bad.csv", data, _LONG_AGO)], importers=_IMPORTERS, clock=FakeClock())
    assert refused.value.hint
    assert not store.people.companies()


def test_a_column_that_is_not_there_cannot_be_mapped() -> None:
    with pytest.raises(UsageError, match="no column “Firm”"):
        bring(new_store(), b"Company,Email\nAcme,a@acme.example\n", overrides={"company": "Firm"})


def test_a_mapping_overrides_the_guess() -> None:
    store = new_store()
    bring(store, b"Firma,Post\nAcme,ada@acme.example\n", overrides={"company": "firma", "email": "Post"})
    assert [each.name for each in store.people.companies()] == ["Acme"]


# --- options --------------------------------------------------------------------------------------


def test_a_dry_run_reports_the_same_and_writes_nothing() -> None:
    store = new_store()
    planned = bring(store, crunchbase(ACME, company("Zenith")), dry_run=True)
    assert not store.people.companies()
    done = bring(store, crunchbase(ACME, company("Zenith")))
    assert {**done.as_json(), "dry_run": True} == planned.as_json()


def test_a_tag_reaches_everyone_in_the_file_also_the_second_time() -> None:
    store = new_store()
    bring(store, crunchbase(ACME), tag="autumn")
    bring(store, crunchbase(ACME), tag="again")
    assert {founder.tags for founder in store.people.founders()} == {("again", "autumn")}


# --- never loses what happened --------------------------------------------------------------------


def test_what_was_sent_stays_with_founders_who_become_one() -> None:
    store = new_store()
    bring(store, crunchbase(company("Acme", slug="acme", founders="Ada Testwell")))
    bring(store, b"Company,Website,Name,Email\nAcme Labs,acme.example,Ada Testwell,ada@acme.example\n")
    store.suppressions.add_person(2, "asked us", FakeClock().now())
    with_address = [founder for founder in store.people.founders() if founder.addresses]
    campaign, _ = _campaign_with(store, with_address[0].id)
    queue_all(store, campaign)
    bring(store, crunchbase(company("Acme", slug="acme", website="acme.example")), name="new.csv")
    (founder,) = store.people.founders()
    with store.database.read() as connection:
        assert set(connection.scalars(sa.select(t.outbox.c.founder_id))) == {founder.id}
        assert set(connection.scalars(sa.select(t.enrollments.c.founder_id))) == {founder.id}
        assert f"person:{founder.id}" in set(connection.scalars(sa.select(t.suppressions.c.value)))


def test_founders_of_one_campaign_stay_apart() -> None:
    store = new_store()
    bring(store, b"Company,Website,Name,Email\nAcme,acme.example,Ada Testwell,ada@acme.example\n")
    bring(store, b"Company,Website,Name,Email\nOther,other.example,Ada Testwell,ada@other.example\n")
    start_campaign(store)
    linked = b"Company,Website,Name,Email\nAcme,acme.example,Ada Testwell,ada@acme.example ada@other.example\n"
    bring(store, linked)
    assert people_by_id(store) == {1: ("ada@acme.example",), 2: ("ada@other.example",)}
    with store.database.read() as connection:
        assert connection.scalars(sa.select(t.candidates.c.evidence)).all() == ["both are in one campaign"]


def _two_records_of_ada(store: Store) -> None:
    """Ada once without an address at a company without a website, and once with both."""
    bring(store, crunchbase(company("Acme", slug="acme", founders="Ada Testwell")))
    bring(store, b"Company,Website,Name,Email\nAcme Labs,acme.example,Ada Testwell,ada@acme.example\n")


def _join_them(store: Store) -> None:
    bring(store, crunchbase(company("Acme", slug="acme", website="acme.example")), name="new.csv")


def _answer(store: Store, founder_id: int) -> None:
    now = FakeClock().now()
    with store.database.write() as connection:
        connection.execute(
            sa.insert(t.inbound).values(
                message_id=f"<{founder_id}@acme.example>", sha256="", from_address="a@acme.example", from_name="",
                to_address="", subject="", sent_at=now, received_at=now, kind="reply", subkind="", evidence=[],
                founder_id=founder_id, text="", full_text="", label="", note="", trouble="", logged_at=now,
            )
        )  # fmt: skip


def _queued(store: Store) -> dict[str, str]:
    return {item.rcpt: item.state for item in store.outbox.items()}


def test_whoever_turns_out_to_have_answered_already_is_not_written_to() -> None:
    store = new_store()
    _two_records_of_ada(store)
    campaign, _ = _campaign_with(store, 2)
    queue_all(store, campaign)
    _answer(store, 1)
    assert _queued(store) == {"ada@acme.example": "queued"}
    _join_them(store)
    assert _queued(store) == {"ada@acme.example": "cancelled"}
    (enrollment,) = store.campaigns.enrollments(campaign.id)
    assert (enrollment.state, enrollment.reason) == ("stopped", "replied")


def test_a_colleague_of_one_who_answered_at_what_turns_out_to_be_the_same_company_is_not_written_to() -> None:
    store = new_store()
    bring(store, crunchbase(company("Acme", slug="acme", founders="Omar Brightly")))
    bring(store, b"Company,Website,Name,Email\nAcme Labs,acme.example,Ada Testwell,ada@acme.example\n")
    campaign, _ = _campaign_with(store, 2)
    queue_all(store, campaign)
    _answer(store, 1)
    _join_them(store)
    assert _queued(store) == {"ada@acme.example": "cancelled"}


def test_two_records_in_one_campaign_that_seem_to_be_one_person_are_not_both_written_to() -> None:
    store = new_store()
    bring(store, b"Company,Website,Name,Email\nAcme,acme.example,Ada Testwell,ada@acme.example\n")
    bring(store, b"Company,Website,Name,Email\nOther,other.example,Ada Testwell,ada@other.example\n")
    campaign, _ = start_campaign(store)
    queue_all(store, campaign)
    linked = b"Company,Website,Name,Email\nAcme,acme.example,Ada Testwell,ada@acme.example ada@other.example\n"
    bring(store, linked)
    states = {each.founder_id: each.state for each in store.campaigns.enrollments(campaign.id)}
    assert sorted(states.values()) == ["active", "held"]
    _answer(store, 1)
    bring(store, linked.replace(b"Name", b"Founder"), name="again.csv")
    assert {each.state for each in store.campaigns.enrollments(campaign.id)} == {"stopped"}
    assert set(_queued(store).values()) == {"cancelled"}


def test_who_is_away_is_away_for_every_campaign_that_comes_together() -> None:
    store = new_store()
    _two_records_of_ada(store)
    campaign, _ = _campaign_with(store, 2)
    other, _ = _campaign_with(store, 2, "autumn")
    until = FakeClock().now() + timedelta(days=9)
    with store.database.write() as connection:
        rows = t.enrollments
        connection.execute(
            sa.update(rows)
            .where(rows.c.campaign_id == other.id)
            .values(founder_id=1, state="held", held_until=until, reason="out-of-office")
        )
    _join_them(store)
    (enrollment,) = store.campaigns.enrollments(campaign.id)
    assert (enrollment.state, enrollment.held_until) == ("held", until)


def test_the_number_of_a_founder_who_became_another_is_never_given_again() -> None:
    store = new_store()
    _two_records_of_ada(store)
    campaign, _ = _campaign_with(store, 2)
    queue_all(store, campaign)
    _join_them(store)
    bring(store, b"Company,Website,Name,Email\nZenith,zenith.example,Rosa Quill,rosa@zenith.example\n")
    rosa = next(founder for founder in store.people.founders() if founder.full_name == "Rosa Quill")
    assert rosa.id == 3
    assert rosa.company is not None
    assert rosa.company.id == 3


def people_by_id(store: Store) -> dict[int, tuple[str, ...]]:
    return {founder.id: tuple(each.address for each in founder.addresses) for founder in store.people.founders()}


def _campaign_with(store: Store, founder_id: int, name: str = "spring") -> tuple[Campaign, Mailbox]:
    mailbox = store.campaigns.mailbox("ada@ada.example", FakeClock().now())
    campaign = store.campaigns.create(
        name, sequence="job-search", mailbox_id=mailbox.id, filters={}, now=FakeClock().now()
    )
    founder = next(each for each in store.people.founders() if each.id == founder_id)
    store.campaigns.enroll(
        campaign.id, [(founder, founder.addresses[0].address, founder.addresses[0].key)], FakeClock().now()
    )
    return campaign, mailbox


def test_a_fourth_name_on_a_domain_takes_apart_what_rested_on_it() -> None:
    store = new_store()
    names = ["Acme", "Zenith", "Quill"]
    rows = [{"Company": name, "Website": "host.example", "Name": "Ada Testwell", "Email": ""} for name in names]
    headers = ("Company", "Website", "Name", "Email")
    bring(store, as_csv(headers, rows))
    assert [each.aliases for each in store.people.companies()] == [("Quill", "Zenith")]
    store.suppressions.add_person(1, "asked us", FakeClock().now())
    report = bring(store, b"Company,Website\nSprout,host.example\n")
    assert report.shared_domains == ("host.example",)
    assert [(each.name, each.aliases, each.domain) for each in store.people.companies()] == [
        (name, (), "") for name in (*names, "Sprout")
    ]
    with store.database.read() as connection:
        suppressed = set(connection.scalars(sa.select(t.suppressions.c.value)))
    assert {f"person:{founder.id}" for founder in store.people.founders()} <= suppressed


# --- order ----------------------------------------------------------------------------------------

_NAMES = st.sampled_from(["Acme", "Acme GmbH", "Zenith", "Quill", "Bo", "Cy"])
_PEOPLE = st.sampled_from(["Ada Testwell", "Rosa Quill", "Dan Testwell", "Daniel Testwell", "Ada", ""])


@st.composite
def _crunchbase_rows(draw: st.DrawFn) -> dict[str, str]:
    return company(
        draw(_NAMES),
        slug=draw(st.sampled_from(["acme", "zenith", "quill", "other"])),
        website=draw(st.sampled_from(["", "acme.example", "zenith.example", "bit.ly/x", "quill.example"])),
        linkedin=draw(st.sampled_from(["", "linkedin.com/company/acme", "linkedin.com/company/quill"])),
        location=draw(st.sampled_from(["", "Berlin, Berlin, Germany", "Paris, Ile-de-France, France"])),
        email=draw(st.sampled_from(["", "info@acme.example", "ada@acme.example"])),
        founders=", ".join(dict.fromkeys(filter(None, (draw(_PEOPLE), draw(_PEOPLE))))),
    )


_GENERIC_ROWS = st.fixed_dictionaries(
    {
        "Company": st.sampled_from(["Acme", "Zenith", "Quill", ""]),
        "Website": st.sampled_from(["", "acme.example", "quill.example"]),
        "Country": st.sampled_from(["", "Germany", "France"]),
        "Name": _PEOPLE,
        "Email": st.sampled_from(["", "ada@acme.example", "rosa@quill.example", "info@acme.example", "ada@gmail.com"]),
        "LinkedIn": st.sampled_from(["", "linkedin.com/in/ada", "linkedin.com/in/rosa"]),
    }
)
_FILES = st.one_of(
    st.lists(_crunchbase_rows(), min_size=1, max_size=5).map(lambda rows: crunchbase(*rows)),
    st.lists(_GENERIC_ROWS, min_size=1, max_size=5).map(
        lambda rows: as_csv(("Company", "Website", "Country", "Name", "Email", "LinkedIn"), rows)
    ),
)


def _who_is_who(store: Store) -> object:
    """Companies, founders and questions by the rows they rest on: the same whatever the ids and current values are."""
    with store.database.read() as connection:
        query = sa.text("SELECT sha256, company_id FROM leads WHERE outcome <> 'skipped'")
        companies: dict[int, set[str]] = {}
        for row in connection.execute(query):
            companies.setdefault(row.company_id, set()).add(row.sha256)
        founders: dict[int, set[tuple[str, int]]] = {}
        for seat in connection.execute(
            sa.text("SELECT sha256, position, founder_id FROM lead_founders JOIN leads ON leads.id = lead_id")
        ):
            founders.setdefault(seat.founder_id, set()).add((seat.sha256, seat.position))
        named: dict[str, dict[int, frozenset[object]]] = {
            "company": {id_: frozenset(rows) for id_, rows in companies.items()},
            "founder": {id_: frozenset(seats) for id_, seats in founders.items()},
        }
        asked = {
            (row.kind, frozenset((named[row.kind][row.left_id], named[row.kind][row.right_id])))
            for row in connection.execute(sa.select(t.candidates))
        }
        owners = {
            row.key: named["founder"].get(row.founder_id) or named["company"].get(row.company_id)
            for row in connection.execute(sa.text("SELECT key, founder_id, company_id FROM addresses"))
        }
        ids = {*connection.scalars(sa.text("SELECT id FROM companies"))}
        assert ids == set(companies) - {None}
    return (
        {frozenset(rows) for id_, rows in companies.items() if id_ is not None},
        {frozenset(seats) for seats in founders.values()},
        asked,
        owners,
    )


@settings(max_examples=25, deadline=None)
@given(files=st.lists(_FILES, min_size=1, max_size=2), at_once=st.booleans(), dated=st.booleans())
def test_a_long_list_is_told_and_kept_as_a_short_one(files: list[bytes], at_once: bool, dated: bool) -> None:
    short, long = new_store(), new_store()
    for store, start in ((short, 10**9), (long, 0)):
        later = [files[0] + files[-1].split(b"\n", 1)[1]] if files[0][:20] == files[-1][:20] else files[:1]
        names = [f"{at}-2025-0{at + 1}-01.csv" if dated else f"{at}.csv" for at in range(3)]
        sources = [Source(name, data, _LONG_AGO) for name, data in zip(names, [*files, *later], strict=False)]
        reports = [
            ingest(store, part, importers=_IMPORTERS, clock=FakeClock(), long_from=start).as_json()
            for part in ([sources] if at_once else [[source] for source in sources])
        ]
        for report in reports:
            report["notes"].sort()
        if store is short:
            told = reports
    assert reports == told
    assert _contents(long) == _contents(short)


def _contents(store: Store) -> dict[str, list[str]]:
    """What is stored, by names instead of numbers."""
    queries = {
        "companies": "SELECT name, name_key, domain, website, slug, linkedin, description, industries, city, region, "
        "country, employees, founded, funding_amount, status, facts_at FROM companies",
        "names": "SELECT c.name, n.name FROM company_names n JOIN companies c ON c.id = company_id",
        "keys": "SELECT c.name, key FROM company_keys JOIN companies c ON c.id = company_id",
        "hints": "SELECT c.name, key FROM company_hints JOIN companies c ON c.id = company_id",
        "founders": "SELECT full_name, first_name, last_name, f.name_key, title, f.linkedin, c.name FROM founders f "
        "LEFT JOIN companies c ON c.id = company_id",
        "founder_keys": "SELECT full_name, key FROM founder_keys JOIN founders f ON f.id = founder_id",
        "founder_hints": "SELECT full_name, key FROM founder_hints JOIN founders f ON f.id = founder_id",
        "addresses": "SELECT key, a.status, origin, full_name, c.name, l.line FROM addresses a LEFT JOIN founders f "
        "ON f.id = a.founder_id LEFT JOIN companies c ON c.id = a.company_id JOIN leads l ON l.id = lead_id",
        "leads": "SELECT import_id, line, sha256, cells, outcome, reason, c.name FROM leads l "
        "LEFT JOIN companies c ON c.id = l.company_id",
        "seats": "SELECT line, position, full_name FROM lead_founders JOIN leads l ON l.id = lead_id "
        "JOIN founders f ON f.id = founder_id",
        "imports": "SELECT file, rows, format FROM imports",
    }
    with store.database.read() as connection:
        found = {name: sorted(map(repr, connection.exec_driver_sql(query))) for name, query in queries.items()}
        assert not connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1  # from then on they are checked again
    return found


def _everything(store: Store) -> dict[str, list[tuple[object, ...]]]:
    with store.database.read() as connection:
        names = ("companies", "company_names", "company_keys", "founders", "founder_keys", "addresses", "candidates",
                 "leads", "lead_founders", "imports")  # fmt: skip
        return {name: [tuple(row) for row in connection.execute(sa.text(f"SELECT * FROM {name}"))] for name in names}  # noqa: S608  table names of our own


@settings(max_examples=30, deadline=None)
@given(files=st.lists(_FILES, min_size=1, max_size=5), order=st.randoms(use_true_random=False))
def test_the_order_of_files_changes_nothing(files: list[bytes], order: Random) -> None:
    one_way, other_way, at_once = new_store(), new_store(), new_store()
    for data in files:
        bring(one_way, data)
    for data in order.sample(files, len(files)):
        bring(other_way, data)
    sources = [Source("all.csv", data, _LONG_AGO) for data in files]
    ingest(at_once, sources, importers=_IMPORTERS, clock=FakeClock())
    assert _who_is_who(one_way) == _who_is_who(other_way) == _who_is_who(at_once)
    streamed = new_store()
    for data in files:
        bring(streamed, data, long_from=0)
    assert _who_is_who(streamed) == _who_is_who(one_way)
    for data in files:
        again = bring(one_way, data)
        assert (again.companies.new, again.companies.merged, again.founders.new, again.founders.merged) == (0, 0, 0, 0)


def test_an_address_that_two_of_one_name_claim_is_the_same_ones_in_any_order() -> None:
    """One of them shares a page with somebody of another name, so that they are not taken for one."""
    files = (
        b"Company,Name,Email,LinkedIn\n,Daniel Testwell,dan@mail.example,\n",
        b"Company,Name,Email,LinkedIn\n,Daniel Testwell,dan@mail.example,linkedin.com/in/rosa\n",
        b"Company,Name,Email,LinkedIn\n,Ada Testwell,,linkedin.com/in/rosa\n",
    )
    owners = set()
    for order in permutations(files):
        store = new_store()
        for data in order:
            bring(store, data)
        owner = store.people.find_by_address("dan@mail.example")
        assert owner is not None
        owners.add(owner.linkedin)
    assert owners == {"linkedin.com/in/rosa"}


def test_an_address_that_several_claim_is_the_same_companys_in_any_order() -> None:
    files = (
        b"Name,Email\nAda Testwell,ada@acme.example\n",
        (
            b"Organization Name,Organization Name URL,Contact Email,Founders\n"
            b"Quill,https://www.crunchbase.com/organization/quill,ada@acme.example,Ada Testwell\n"
        ),
        b"Company,Name,Email\nAcme,Dan Testwell,ada@acme.example\n",
    )
    stores = []
    for order in permutations(files):
        stores.append(new_store())
        for data in order:
            bring(stores[-1], data)
    first, *others = map(_who_is_who, stores)
    assert [other for other in others if other != first] == []


def test_advice_is_given_only_where_it_helps() -> None:
    store = new_store()
    header = "Company ID,Companies,Primary Contact,PitchBook Link"
    named = bring(store, f"{header}\n1-1,Acme,Ada Testwell,View\n".encode(), "pitchbook.csv")
    assert [note.partition(":")[0] for note in named.files[0].notes] == ["no column with websites"]
    nobody = bring(store, b"Company,Website\nZenith,zenith.example\n")
    assert [note.partition(":")[0] for note in nobody.files[0].notes] == ["no column with founders"]


def test_a_list_that_knows_the_country_only_blanks_no_city() -> None:
    with_city = crunchbase(company("Acme", website="acme.example", location="Lyon, Rhone-Alpes, France"))
    without = b"Company,Website,Country\nAcme,acme.example,France\n"
    for order in ((with_city, without), (without, with_city)):
        store = new_store()
        for data in order:
            bring(store, data)
        (acme,) = store.people.companies()
        assert (acme.city, acme.country) == ("Lyon", "France")
