"""Erasing a person: nothing of theirs is left in any table, nothing of anybody else is gone, and nothing brings them
back. On either database."""

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from outreach.core.names import parse_name
from outreach.core.pacing import unpaced
from outreach.core.ports import Answer, LookupOutcome, Question
from outreach.core.records import EnrollmentState, OutboxState
from outreach.core.sent_log import read_log
from outreach.errors import NotFound, SendRefused, UsageError
from outreach.flows import curate
from outreach.flows.forget import catch_up, check_free, forget
from outreach.flows.ingest import IngestReport, Source, ingest
from outreach.flows.suppress import suppress
from outreach.importers import all_importers
from outreach.store import curation
from outreach.store import tables as t
from outreach.store.journal import MemoryJournal
from outreach.store.store import Store
from tests.factory import queue_all, start_campaign
from tests.fakes import MONDAY_MORNING, FakeClock
from tests.flows.test_enqueue_and_send import LIMITS
from tests.flows.world import World
from tests.mails import mail
from tests.postgres import new_store

# ruff: noqa: E501  the lines of a CSV file stand as they are

pytestmark = pytest.mark.usefixtures("engine")

COMPANIES = b"""\
Organization Name,Organization Name URL,Website,Description,Founders,Stage
Quill Labs,https://www.crunchbase.com/organization/quill-labs,https://quill.example,"Founded by Bo Brightly in 2019.","Bo Brightly, Cy Quill",Seed
Sprout,https://www.crunchbase.com/organization/sprout,https://sprout.example,Grows.,"Di Sprout, Bo Brightly",Seed
"""
PEOPLE = b"""\
Name,Company,Website,Email,Title,LinkedIn,Mobile,Remarks
Bo Brightly,Quill Labs,quill.example,bo@quill.example,Chief Canary,https://linkedin.com/in/bo-canary,+49 170 555,sails alone
Cy Quill,Quill Labs,quill.example,cy@quill.example,CEO,,,knows bo@quill.example well
Di Sprout,Sprout,sprout.example,di@sprout.example,CEO,,,
"""
CONNECTIONS = b"""\
Name,Company,Website,Email,LinkedIn
Bo A. Brightly,Quill Labs,,bo.private@mail.example,https://linkedin.com/in/bo-canary
,,,<bo@quill.example,
"""
THEIRS = (
    "bo@quill.example", "bo.private@mail.example", "bo-canary", "chief canary", "+49 170 555", "sails alone",
    "a line for bo", "canary seven", "bo a. brightly", "+canary@",
)  # fmt: skip


class Case:
    """Bo at Quill Labs, with all that a store can hold about a person; their colleague Cy; Di; and a namesake."""

    def __init__(self, folder: Path) -> None:
        for name in ("tmp", "new", "cur"):
            (folder / name).mkdir(parents=True)
        self.clock, self.log, self.sent_log = FakeClock(), MemoryJournal(), MemoryJournal()
        self.store = new_store(self.log)
        for name, text in (("companies.csv", COMPANIES), ("people.csv", PEOPLE), ("connections.csv", CONNECTIONS)):
            self.bring(name, text, tag="autumn")
        self.bo = self.store.people.get_founder("bo@quill.example").id
        self._know_more()
        self.world = self._write(folder)
        self._hear()

    def bring(self, name: str, text: bytes, *, tag: str = "", long_from: int = 10**9) -> IngestReport:
        source = Source(name, text, self.clock.now())
        return ingest(self.store, [source], importers=all_importers(), clock=self.clock, tag=tag, long_from=long_from)

    def _know_more(self) -> None:
        curate.edit(self.store, all_importers(), self.clock, self.bo, fields={"title": "Chief Canary"}, tags=["friend"])
        self.store.notes.set("line", {self.bo: "A line for Bo."}, self.clock.now())
        name, now = parse_name("Bo Brightly").key, self.clock.now()
        seen = [{"address": f"{each}@quill.example", "near": each} for each in ("bo", "cy")]
        site = Answer(LookupOutcome.ANSWERED, {"pages": [{"url": "http://quill.example/", "addresses": seen}]})
        paid = Answer(LookupOutcome.ANSWERED, {"email": "bo@quill.example", "first_name": "Bo"}, 1, 1)
        for question, answer in (
            (Question("website", "site quill.example", about="quill.example"), site),
            (Question("hunter", f"email-finder quill.example {name}", about="quill.example", person=name), paid),
            (Question("find", f"quill.example {name}", about="quill.example", person=name), Answer(paid.outcome, {})),
        ):
            self.store.finds.record(question, answer, now, now)
        di = self.store.people.get_founder("di@sprout.example").id
        with self.store.database.write() as connection:
            curation.decide(connection, "founder", self.bo, di, "", now)

    def _write(self, folder: Path) -> World:
        campaign, mailbox = start_campaign(self.store)
        items = {item.rcpt: item for item in queue_all(self.store, campaign)}
        world = World(self.store, self.log, self.clock, folder, campaign, mailbox, items)
        now = MONDAY_MORNING
        world.set_items(state=OutboxState.SENT, intent_at=now, sent_at=now)
        with self.store.database.write() as connection:
            for item in items.values():
                about = {"outbox_id": item.id, "at": now}
                connection.execute(sa.insert(t.send_ledger).values(mailbox_id=mailbox.id, **about))
                said = {"token": f"t{item.id}", "phase": "dot", "outcome": "accepted", "text": f"250 ok {item.rcpt}"}
                connection.execute(sa.insert(t.attempts).values(**about, **said))
                shown = {"dedupe_key": f"{campaign.id}/2/{item.founder_id}", "facts": {"to": item.rcpt}}
                connection.execute(sa.insert(t.approvals).values(sha256="", template="", approved_at=now, **shown))
                by_hand = {"mailbox_id": mailbox.id, "at": now, "address_key": item.rcpt}
                connection.execute(sa.insert(t.hand_sent).values(**by_hand))
                for kind in ("intent", "sent"):
                    self.sent_log.record({"at": now.isoformat(), "kind": kind, "message_id": item.message_id,
                                          "rcpt": item.rcpt, "token": f"t{item.id}", "founder": item.founder_id})  # fmt: skip
        self.clock.move(timedelta(hours=5))
        return world

    def _hear(self) -> None:
        sent = self.world.items["bo@quill.example"]
        self.world.arrive(
            mail(
                "Please remove me from your list, says canary seven.", sender="Bo <bo.private@mail.example>",
                in_reply_to=sent.message_id, message_id="<1@mail.example>", date=self.clock.now(),
            )
        )  # fmt: skip
        sent = self.world.items["di@sprout.example"]
        self.world.arrive(
            mail(
                "Yes. Ask bo@quill.example too.", sender="Di <di@sprout.example>", in_reply_to=sent.message_id,
                message_id="<2@mail.example>", date=self.clock.now(),
            )
        )  # fmt: skip
        self.world.sync()

    def forget(self) -> int:
        done = forget(self.store, all_importers(), self.bo, sent_log=self.sent_log, log=self.log, now=self.clock.now())
        return done.marks

    def everything(self) -> dict[str, list[str]]:
        """Every row of every table, as text."""
        with self.store.database.read() as connection:
            return {
                of.name: [repr(tuple(row)) for row in connection.execute(sa.select(of))]
                for of in t.metadata.sorted_tables
            }

    def count(self, of: sa.Table) -> int:
        return len(self.world.rows(of))


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path / "Maildir")


def mentions(case: Case, *texts: str) -> list[str]:
    found = re.compile("|".join(map(re.escape, texts or THEIRS)), re.IGNORECASE)
    rows = [f"{name}: {row}" for name, rows in case.everything().items() for row in rows if found.search(row)]
    return rows + [line for log in (case.log, case.sent_log) for line in map(repr, log.lines) if found.search(line)]


def test_the_case_holds_something_of_them_in_every_table_that_can(case: Case) -> None:
    """Else the next test proves little."""
    held = case.store.personal.held(case.store.people.get_founder(str(case.bo)), parse_name("Bo Brightly").key)
    assert {name for name, rows in held.items() if not rows} <= {"hints", "checks"}
    found = {row.partition(":")[0] for row in mentions(case)}
    assert {"leads", "outbox", "inbound", "founder_edits", "founder_notes", "lookups", "approvals"} <= found
    assert all(mentions(case, text) for text in THEIRS[:-2])


def test_nothing_of_them_is_left(case: Case) -> None:
    assert case.forget() >= 5
    assert mentions(case) == []
    assert mentions(case, "Founded by Bo Brightly") == []
    with pytest.raises(NotFound):
        case.store.people.get_founder(str(case.bo))
    assert not [row for row in case.world.rows(t.merges) if case.bo in (row["record_id"], row["absorbed_id"])]
    assert not [row for row in case.world.rows(t.candidates) if case.bo in (row["left_id"], row["right_id"])]


def test_a_mail_to_somebody_else_that_names_them_is_told_of(case: Case) -> None:
    """Those are the very bytes that were sent."""
    other = case.world.items["di@sprout.example"]
    with case.store.database.write() as connection:
        here = t.outbox.c.id == other.id
        connection.execute(sa.update(t.outbox).where(here).values(mime=b"To: di\r\n\r\nI asked bo@quill.example.\r\n"))
    now = case.clock.now()
    done = forget(case.store, all_importers(), case.bo, sent_log=case.sent_log, log=case.log, now=now)
    assert done.mails == (other.id,)


def test_what_counts_still_counts(case: Case) -> None:
    """Caps, budgets and what the Sent folder shows: numbers without a name."""
    before = case.count(t.send_ledger), case.count(t.hand_sent), case.store.finds.spent(MONDAY_MORNING - timedelta(1))
    case.forget()
    spent = case.store.finds.spent(MONDAY_MORNING - timedelta(1))
    assert (case.count(t.send_ledger), case.count(t.hand_sent), spent) == before
    booked = case.store.bookings.sent_by_day(case.world.mailbox.id)
    assert sum(booked.values()) == before[0]


def test_everybody_else_is_as_before(case: Case) -> None:
    """The colleague who stood in the same row, whoever has the same name elsewhere, and their mails and answers."""
    others = [case.store.people.get_founder(each) for each in ("cy@quill.example", "di@sprout.example")]
    namesake = next(
        each for each in case.store.people.founders({}) if each.full_name == "Bo Brightly" and each.id != case.bo
    )
    before = {each.id: case.store.personal.held(each, parse_name(each.full_name).key) for each in [*others, namesake]}
    case.forget()
    for founder in [*others, namesake]:
        now = case.store.people.get_founder(str(founder.id))
        assert (now.full_name, now.addresses, now.title, now.tags) == (
            founder.full_name, founder.addresses, founder.title, founder.tags,
        )  # fmt: skip
        held = case.store.personal.held(now, parse_name(now.full_name).key)
        for name in ("keys", "edits", "addresses", "enrollments", "mails", "attempts", "ledger", "approvals"):
            assert held[name] == before[founder.id][name], name
        assert len(held["lists"]) == len(before[founder.id]["lists"])
    answer = case.store.replies.conversation(others[1].id)
    assert [each.text for each in answer] == ["Yes. Ask [erased] too."]
    company = case.store.people.get_company("quill.example")
    assert (company.name, company.slug, company.description) == (
        "Quill Labs",
        "quill-labs",
        "Founded by [erased] in 2019.",
    )


def test_the_rows_that_are_left_say_the_same_of_everybody_else(case: Case) -> None:
    """Judged again from its rows, nobody comes back, and nobody changes."""
    case.forget()
    before = {name: rows for name, rows in case.everything().items() if name not in ("meta", "founders", "companies")}
    cy = case.store.people.get_founder("cy@quill.example")
    people = {each.full_name for each in case.store.people.founders({})}
    curate.edit(case.store, all_importers(), case.clock, cy.id, fields={})
    after = {name: rows for name, rows in case.everything().items() if name in before}
    assert after == before
    assert {each.full_name for each in case.store.people.founders({})} == people


@pytest.mark.parametrize("long_from", [0, 10**9], ids=["streamed", "at once"])
def test_no_list_brings_them_back(case: Case, long_from: int) -> None:
    case.forget()
    people = case.store.people.count_founders()
    for name, text in (
        ("again.csv", PEOPLE.replace(b"Chief Canary", b"CTO")),
        (
            "other.csv",
            b"Full name;Mail\nSomebody Else;B.O+x@quill.example\nBo;bo@quill.example\n".replace(b"B.O", b"bo"),
        ),
        ("page.csv", b"Name,Company,LinkedIn\nBo B,Elsewhere,linkedin.com/in/bo-canary\n"),
        ("name.csv", b"Name,Company,Website\nBo Brightly,Quill,https://www.quill.example/team\n"),
        ("broken.csv", b"Name,Company,Email\n,,<bo@quill.example\n"),
    ):
        report = case.bring(name, text, long_from=long_from)
        [file] = report.files
        assert [row.reason.partition(":")[0] for row in file.skipped][:1] == ["erased"], name
        assert all(not row.cells for row in file.skipped if row.reason.startswith("erased"))
        assert mentions(case, *THEIRS[:3]) == [], name
    assert {each.full_name for each in case.store.people.founders({"search": "Bo Brightly"})} == {"Bo Brightly"}
    assert case.store.people.count_founders() == people


def test_a_row_is_skipped_with_its_line(case: Case) -> None:
    case.forget()
    [file] = case.bring("people.csv", PEOPLE).files
    assert [(row.line, row.reason.partition(":")[0]) for row in file.skipped] == [(2, "erased")]
    [file] = case.bring(
        "new.csv", b"Name,Company,Email\nBo,Quill,bo@quill.example\nEd New,Fresh,ed@fresh.example\n"
    ).files
    assert [row.line for row in file.skipped] == [2]
    assert case.store.people.get_founder("ed@fresh.example")


@pytest.mark.parametrize("long_from", [0, 10**9], ids=["streamed", "at once"])
def test_a_row_that_names_others_comes_in_without_them(case: Case, long_from: int) -> None:
    """The company goes on being kept up to date, and its other founders with it."""
    case.forget()
    newer = COMPANIES.replace(b"Bo Brightly, Cy Quill", b"Bo Brightly, Ed New, Cy Quill").replace(b"Seed", b"Series A")
    [file] = case.bring("companies-2026.csv", newer, long_from=long_from).files
    assert file.skipped == ()
    assert {each.full_name for each in case.store.people.founders({"search": "Quill"})} >= {"Ed New", "Cy Quill"}
    assert mentions(case, *THEIRS[:3]) == []
    rows = [row["cells"] for row in case.world.rows(t.leads) if "Quill Labs" in str(row["cells"])]
    assert rows
    assert not any("Bo Brightly" in str(cells) for cells in rows)
    before = case.store.people.count_founders()
    again = case.bring("companies-2027.csv", newer, long_from=long_from)
    assert (again.founders.new, again.companies.new) == (0, 0)
    assert case.store.people.count_founders() == before


def test_a_remark_that_holds_their_address_comes_in_without_it(case: Case) -> None:
    case.forget()
    case.bring("remarks.csv", b"Name,Company,Email,Remarks\nEd New,Fresh,ed@fresh.example,ask bo@quill.example\n")
    assert case.store.people.get_founder("ed@fresh.example").full_name == "Ed New"
    assert mentions(case, *THEIRS[:3]) == []


def test_their_number_is_never_given_again(case: Case) -> None:
    """Lines of `sent.log` carry it."""
    newest = case.store.people.get_founder(str(max(each.id for each in case.store.people.founders({}))))
    case.bo = newest.id
    case.forget()
    case.bring("new.csv", b"Name,Company,Email\nEd New,Fresh,ed@fresh.example\n")
    assert case.store.people.get_founder("ed@fresh.example").id > newest.id


def test_by_hand_they_do_not_come_back_either(case: Case) -> None:
    case.forget()
    cy = case.store.people.get_founder("cy@quill.example")
    with pytest.raises(UsageError, match="was erased"):
        curate.check_new_address(case.store, cy, "Bo+new@quill.example")
    assert suppress(case.store, "bo@quill.example", reason="again", clock=case.clock) == ("bo@quill.example",)
    assert mentions(case) == []


def test_no_finder_brings_them_back(case: Case) -> None:
    case.forget()
    seen = [{"address": f"{each}@quill.example", "near": each} for each in ("bo", "cy")]
    answer = Answer(LookupOutcome.ANSWERED, {"pages": [{"url": "http://quill.example/", "addresses": seen}]})
    now, name = case.clock.now(), parse_name("Bo Brightly").key
    case.store.finds.record(Question("website", "site quill.example", about="quill.example"), answer, now, now)
    mine = Question("find", f"quill.example {name}", about="quill.example", person=name)
    case.store.finds.record(mine, answer, now, now)
    assert case.store.finds.others(999, ["bo@quill.example", "new@quill.example"]) == {"bo@quill.example"}
    assert mentions(case) == []
    assert not [row for row in case.world.rows(t.lookups) if row["person"] == name]


def test_what_they_write_later_is_not_kept_and_not_read_again(case: Case) -> None:
    case.forget()
    before = case.count(t.inbound)
    assert case.world.sync(case.clock.now() - timedelta(days=30)).fetched == 0
    sent = case.world.items["bo@quill.example"]
    for number, sender in enumerate(("bo@quill.example", "bo.private@mail.example"), 10):
        case.world.arrive(
            mail(
                "Unsubscribe! says canary seven.", sender=f"Bo <{sender}>", in_reply_to=sent.message_id,
                subject="Re: Engineering work", message_id=f"<{number}@mail.example>", date=case.clock.now(),
            )
        )  # fmt: skip
    report = case.world.sync()
    assert report.fetched == 2
    assert case.count(t.inbound) == before
    assert mentions(case) == []


def test_what_was_judged_before_and_is_recorded_after_is_not_kept(case: Case) -> None:
    """Another process read the mailbox when the person was still there."""
    bo = case.bo
    kept: list[Any] = []
    record = case.store.mail.record

    def late(batch: Any, **rest: Any) -> Any:
        if batch and not kept:
            kept.append(batch)
            case.forget()
        return record(batch, **rest)

    case.store.mail.record = late  # type: ignore[method-assign]  # the moment between judging and recording
    case.world.answer("bo@quill.example", "Hello, says canary seven.", n=7, sender="Bo <bo@quill.example>")
    case.world.sync()
    assert kept[0][0][1].match.founder_id == bo
    assert mentions(case) == []


def test_a_mail_that_waits_goes_and_a_worker_who_wants_it_gets_nothing(case: Case) -> None:
    with case.store.database.write() as connection:
        connection.execute(sa.update(t.enrollments).values(state=EnrollmentState.ACTIVE))
    [item] = [each for each in queue_all(case.store, case.world.campaign, step=2) if each.founder_id == case.bo]
    limits = unpaced(LIMITS)
    case.forget()
    claims, now = case.store.claims, case.clock.now()
    assert claims.claim(item, limits, token="a", owner="me", now=now) is None
    assert claims.obstacle(item.id, limits, now) == OutboxState.CANCELLED


@pytest.mark.parametrize("state", [OutboxState.CLAIMED, OutboxState.SENDING, OutboxState.UNKNOWN])
def test_nobody_is_erased_while_a_mail_to_them_is_in_doubt(case: Case, state: OutboxState) -> None:
    item = case.world.items["bo@quill.example"]
    with case.store.database.write() as connection:
        lease = None if state is OutboxState.UNKNOWN else case.clock.now() + timedelta(minutes=5)
        here = t.outbox.c.id == item.id
        connection.execute(sa.update(t.outbox).where(here).values(state=state, lease_expires_at=lease))
    before = case.everything()
    for ask in (case.forget, lambda: check_free(case.store, case.bo, case.clock.now())):
        with pytest.raises(SendRefused, match=f"message {item.id}") as refused:
            ask()
        assert "outreach " in refused.value.hint
    assert case.everything() == before
    case.clock.move(timedelta(minutes=10))
    if state is OutboxState.CLAIMED:  # its worker may write no dot any more
        case.forget()
        assert mentions(case) == []
    else:
        with pytest.raises(SendRefused):
            case.forget()


def test_a_colleague_stays_as_out_of_reach_as_the_answer_made_them(case: Case) -> None:
    assert case.world.enrollments()["cy@quill.example"][0] == EnrollmentState.STOPPED
    case.forget()
    cy = case.store.people.get_founder("cy@quill.example")
    [entry] = case.store.suppressions.covering(cy)
    assert (entry["value"], entry["kind"]) == (f"company:{cy.company.id if cy.company else 0}", "manual")


# --- the files beside the store -------------------------------------------------------------------


def test_the_logs_know_them_by_hashes_only_and_the_store_is_no_older_copy(case: Case) -> None:
    lines = len(case.sent_log.lines)
    case.forget()
    assert len(case.sent_log.lines) == lines
    assert case.store.instance.forgotten(case.sent_log.entries()) == []
    hidden = [story for story in read_log(case.sent_log.entries()).values() if story.rcpt.startswith("erased:")]
    assert [story.left for story in hidden] == ["sent"]
    added = {line["value"] for line in case.log.lines if line["value"].startswith("erased:")}
    assert added == set(case.store.erasures.marks())
    assert not any(line.get("unfinished") for line in case.log.lines)
    assert case.store.erasures.is_settled(case.log.entries())


def test_a_store_from_before_forgets_them_again(tmp_path: Path) -> None:
    """A restored backup: its file brings them back, and the log beside it knows better."""
    case, old = Case(tmp_path / "a"), Case(tmp_path / "b")
    case.forget()
    old.log.lines = [*case.log.lines, *old.log.lines]
    old.sent_log.lines = list(case.sent_log.lines)
    assert not old.store.erasures.is_settled(old.log.entries())
    assert mentions(old)
    assert catch_up(old.store, all_importers(), sent_log=old.sent_log, log=old.log, now=old.clock.now()) == ()
    assert mentions(old) == []
    assert old.store.erasures.is_settled(old.log.entries())
    old.store.suppressions.merge(old.log.entries())
    assert mentions(old) == []


def test_another_machine_of_the_team_cleans_its_own_files(tmp_path: Path) -> None:
    """The store is shared, the logs are not: they still name them when outreach is used there next."""
    case = Case(tmp_path / "a")
    theirs = MemoryJournal(), MemoryJournal()
    for mine, other in zip((case.sent_log, case.log), theirs, strict=True):
        other.lines = list(mine.lines)
    case.forget()
    there = Store(case.store.database, theirs[1])
    assert not there.erasures.is_settled(theirs[1].entries())
    catch_up(there, all_importers(), sent_log=theirs[0], log=theirs[1], now=case.clock.now())
    assert theirs[0].lines == case.sent_log.lines
    assert theirs[1].lines == case.log.lines


def test_an_older_copy_with_a_mail_on_its_way_writes_no_other_and_waits(tmp_path: Path) -> None:
    case, old = Case(tmp_path / "a"), Case(tmp_path / "b")
    case.forget()
    old.log.lines += case.log.lines
    item = old.world.items["bo@quill.example"]
    lease = old.clock.now() + timedelta(minutes=5)
    with old.store.database.write() as connection:
        here = t.outbox.c.id == item.id
        connection.execute(sa.update(t.outbox).where(here).values(state=OutboxState.SENDING, lease_expires_at=lease))
        connection.execute(
            sa.update(t.enrollments).where(t.enrollments.c.founder_id == old.bo).values(state=EnrollmentState.ACTIVE)
        )

    def again() -> tuple[int, ...]:
        return catch_up(old.store, all_importers(), sent_log=old.sent_log, log=old.log, now=old.clock.now())

    assert again() == (old.bo,)
    assert ("address:bo@quill.example", "erased") in old.world.suppressed()
    assert old.world.enrollments()["bo@quill.example"][0] == EnrollmentState.STOPPED
    old.clock.move(timedelta(minutes=10))
    assert again() == ()
    assert mentions(old) == []


def test_someone_else_was_quicker(case: Case) -> None:
    assert case.forget() > 0
    assert case.forget() == 0


def test_no_other_store_can_tell_who_it_was(case: Case) -> None:
    """With another key the same person has other hashes."""
    case.forget()
    mine = set(case.store.erasures.marks())
    erased = replace(case.store.erasures.known(), key=bytes(range(32)))
    assert not erased.has_address("bo@quill.example")
    assert case.store.erasures.known().has_address("bo@quill.example")
    assert all(re.fullmatch(r"erased:[0-9a-f]{40}", each) for each in mine)
