"""Finding addresses, from the founders in the store to the addresses in it: real servers on loopback, a real store."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

import pytest
import sqlalchemy as sa

from outreach.bootstrap import Network
from outreach.core.ports import Answer, FinderTools, LookupOutcome, Question
from outreach.core.records import Address, AddressStatus, Founder
from outreach.finders import make_finders
from outreach.flows._asking import Asking, Terms
from outreach.flows.find import FindPlan, FindReport, Search, find, plan
from outreach.store import tables as t
from outreach.store.store import Store, memory_store
from tests.factory import add_founders
from tests.fakes import FakeClock
from tests.web_servers import KEY, Hunter, Response, Town, network, problem, record, town

S = AddressStatus


class World:
    """A store with founders who have no address, and everyone who could be asked."""

    def __init__(self, here: Town, hunter: Hunter, reached: Network, names: tuple[str, ...]) -> None:
        self.store: Store = memory_store()
        self.town, self.hunter, self.clock, self.network = here, hunter, FakeClock(), reached
        self.key = KEY
        add_founders(self.store, names)
        with self.store.database.write() as connection:
            connection.execute(sa.delete(t.addresses))

    def plan(self, using: str = "website,hunter,pattern", **options: bool | int | None) -> FindPlan:
        return plan(self.store, self.finders(using), {}, self.clock.now(), **options)  # type: ignore[arg-type]  # by name

    def finders(self, using: str) -> list:  # type: ignore[type-arg]  # of finders
        web = self.network.web
        assert web
        tools = FinderTools(web("t"), self.clock, lambda _name: self.key, self.network.base_urls, self.network.patience)
        return make_finders(using.split(","), tools)

    def find(
        self,
        using: str = "website,hunter,pattern",
        *,
        credits: int = 100,  # noqa: A002  the trade's word
        budget: int = 100,
        limit: int | None = None,
        verify: bool = False,
        ask_again: bool = False,
        stop_after: int | None = None,
    ) -> FindReport:
        mail_hosts = self.network.mail_hosts
        assert mail_hosts
        seen: list[object] = []
        search = Search(
            store=self.store,
            finders=self.finders(using),
            mail_hosts=mail_hosts(),
            clock=self.clock,
            credits=credits,
            budget=budget,
            verify=verify,
            ask_again=ask_again,
            stopped=lambda: stop_after is not None and len(seen) >= stop_after,
            narrate=seen.append,
        )
        return find(search, self.plan(using, limit=limit, verify=verify, ask_again=ask_again))

    def addresses(self) -> dict[str, AddressStatus]:
        return {each.address: each.status for founder in self.founders() for each in founder.addresses}

    def founders(self) -> list[Founder]:
        return self.store.people.founders({})

    def give(self, name: str, address: str, status: AddressStatus = S.GIVEN) -> None:
        """As if a list had said so."""
        founder = next(each for each in self.founders() if each.first_name == name)
        with self.store.database.write() as connection:
            connection.execute(
                sa.insert(t.addresses).values(
                    address=address, key=address, founder_id=founder.id, status=status, origin="list",
                    created_at=self.clock.now(),
                )
            )  # fmt: skip

    def begin(self, question: Question) -> int | None:
        """As another run would, that has not got its answer yet."""
        now = self.clock.now()
        return self.store.finds.begin(question, now, now - timedelta(days=1), lambda known, _spent: known is None)

    def together(self) -> None:
        """All founders work for the first one's company."""
        with self.store.database.write() as connection:
            founders = self.store.database.engine.dialect.identifier_preparer.quote("founders")
            connection.exec_driver_sql(f"UPDATE {founders} SET company_id = 1")  # noqa: S608  a name of our own


@contextmanager
def world(
    *names: str,
    pages: Mapping[str, dict[str, Response]] | None = None,
    mail: Mapping[str, str] | None = None,
    hunter: Hunter | None = None,
    patience: float = 30.0,
    dns_seconds: float = 30.0,
) -> Iterator[World]:
    with town(**(pages or {})) as here:
        here.mail.update(mail or {})
        api = hunter or Hunter()
        with network(here, api, patience=patience, dns_seconds=dns_seconds) as reached:
            yield World(here, api, reached, names or ("Bo",))


PUBLISHED = {"/": Response("<p>Bo Brightly: bo.brightly@bo.example, info@bo.example</p>")}


def first(addresses: tuple[Address, ...]) -> Address:
    assert addresses
    return addresses[0]


# --- in order, until one has a good answer --------------------------------------------------------------


def test_what_the_company_publishes_is_verified_and_nobody_else_is_asked() -> None:
    with world(pages={"bo": PUBLISHED}) as here:
        report = here.find()
        assert here.addresses() == {"bo.brightly@bo.example": S.VERIFIED}
        assert here.hunter.asked == []
        (result,) = report.results
        assert (result.finder, result.inboxes) == ("website", ("info@bo.example",))
        assert [each.address for each in here.store.people.inboxes(1)] == ["info@bo.example"]
        address = first(here.founders()[0].addresses)
        assert (address.confidence, address.origin, address.checked_at) == (
            95,
            "website",
            result and address.checked_at,
        )
        assert address.evidence[-1] == "bo.example takes mail (mx.bo.example)"


def test_what_the_site_does_not_say_hunter_may_know() -> None:
    hunter = Hunter({("bo.example", "bo", "brightly"): record("bo@bo.example")})
    with world(pages={"bo": {"/": Response("nothing here")}}, hunter=hunter) as here:
        report = here.find()
        assert here.addresses() == {"bo@bo.example": S.VERIFIED}
        assert (report.credits, len(hunter.charged)) == (1, 1)


def test_a_catch_all_is_risky_and_better_than_a_guess() -> None:
    hunter = Hunter({("bo.example", "bo", "brightly"): record("bo@bo.example", "accept_all", 60)})
    with world(hunter=hunter) as here:
        here.find()
        assert here.addresses() == {"bo@bo.example": S.RISKY}


def test_what_nobody_knows_is_guessed_and_called_a_guess() -> None:
    with world() as here:
        here.find()
        assert here.addresses() == {"bo@bo.example": S.GUESSED}


def test_a_guess_follows_what_is_known_of_the_company() -> None:
    with world("Bo", "Cy", "Di") as here:
        here.together()
        here.give("Cy", "cy.brightly@bo.example")
        here.give("Di", "di.brightly@bo.example")
        here.find("pattern")
        assert here.addresses()["bo.brightly@bo.example"] is S.GUESSED
        bo = here.founders()[0]
        assert "2 of 2 known addresses at bo.example are {first}.{last}@" in first(bo.addresses).evidence[1]


def test_the_order_is_the_users() -> None:
    with world(pages={"bo": PUBLISHED}) as here:
        assert list(here.plan("pattern,website").costs) == ["pattern", "website"]
        here.find("pattern")
        assert here.addresses() == {"bo@bo.example": S.GUESSED}
        here.find("pattern,website")
        assert here.addresses()["bo.brightly@bo.example"] is S.VERIFIED


# --- DNS ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("says", ["none", "null", "gone"])
def test_a_domain_without_mail_costs_nothing_and_gives_nothing(says: str) -> None:
    hunter = Hunter({("bo.example", "bo", "brightly"): record("bo@bo.example")})
    with world(pages={"bo": PUBLISHED}, mail={"bo.example": says}, hunter=hunter) as here:
        report = here.find()
        assert here.addresses() == {}
        assert hunter.asked == []
        assert "takes no mail" in report.results[0].reason


@pytest.mark.parametrize("says", ["silent", "broken"])
def test_a_name_server_that_does_not_answer_leaves_it_unknown_until_it_does(says: str) -> None:
    with world(pages={"bo": PUBLISHED}, mail={"bo.example": says}, dns_seconds=1) as here:
        here.find("website")
        assert here.addresses() == {"bo.brightly@bo.example": S.UNKNOWN}
        visits = len(here.town.asked)
        here.town.mail["bo.example"] = "mx.bo.example"
        here.find("website")
        assert here.addresses() == {"bo.brightly@bo.example": S.VERIFIED}
        assert len(here.town.asked) == visits


# --- nothing twice --------------------------------------------------------------------------------------


def test_nothing_is_asked_twice_within_thirty_days() -> None:
    nothing = {"/": Response("nothing")}
    with world("Bo", "Cy", pages={"bo": nothing, "cy": nothing}) as here:
        here.find()
        asked, pages = len(here.hunter.asked), len(here.town.asked)
        again = here.find()
        assert (again.results, again.calls) == ((), 0)
        here.find("hunter")
        assert (len(here.hunter.asked), len(here.town.asked)) == (asked, pages)
        here.clock.move(timedelta(days=31))
        here.find("hunter")
        assert len(here.hunter.asked) > asked


DOWN = {"/": Response("busy", 503)}


def test_a_site_that_is_down_is_not_tried_again_for_a_day() -> None:
    with world("Bo", "Cy", pages={"bo": DOWN}) as here:
        here.find("website")
        asked = len(here.town.asked)
        assert asked
        waiting = here.plan("website")
        assert (waiting.wanted, waiting.settled, waiting.waiting) == ((), 0, 2)
        assert waiting.again_at
        assert timedelta(hours=23) < waiting.again_at - here.clock.now() <= timedelta(days=1)
        assert len(here.plan("website", ask_again=True).wanted) == 2
        here.clock.move(timedelta(hours=23))
        here.find("website")
        assert len(here.town.asked) == asked
        here.town.pages["bo.example"] = PUBLISHED
        here.clock.move(timedelta(hours=2))
        here.find("website")
        assert here.addresses() == {"bo.brightly@bo.example": S.VERIFIED}


def test_another_finder_is_asked_at_once_and_the_site_that_is_down_is_not() -> None:
    hunter = Hunter({("bo.example", "bo", "brightly"): record("bo@bo.example")})
    with world(pages={"bo": DOWN}, hunter=hunter) as here:
        here.find("website")
        asked = len(here.town.asked)
        report = here.find("website,hunter")
        assert (len(here.town.asked), here.addresses()) == (asked, {"bo@bo.example": S.VERIFIED})
        assert report.results[0].finder == "hunter"


def test_whoever_asks_again_asks_the_site_that_was_down() -> None:
    with world(pages={"bo": DOWN}) as here:
        here.find("website,pattern")
        here.give("Bo", "b@bo.example", S.BOUNCED)  # more is known: the search is due, the site is not
        asked = len(here.town.asked)
        (result,) = here.find("website").results
        assert len(here.town.asked) == asked
        assert "answers 503 for its first page; tried 2026-03-02 09:30, again from 2026-03-03 09:30" in result.reason
        here.town.pages["bo.example"] = PUBLISHED
        here.find("website", ask_again=True)
        assert "bo.brightly@bo.example" in here.addresses()


def test_without_a_network_the_sites_are_left_alone_and_nothing_is_held_against_them() -> None:
    with world("Bo", "Cy", "Di", "Ed", pages={"bo": PUBLISHED}) as here:
        here.town.offline = True
        report = here.find("website")
        assert "is this machine online?" in report.resting["website"]
        assert report.calls == 3
        here.town.offline = False
        assert here.find("website").results[0].checked
        assert here.addresses() == {"bo.brightly@bo.example": S.VERIFIED}


def test_a_run_that_was_stopped_goes_on_where_it_stopped() -> None:
    known = {(f"{name}.example", name, "brightly"): record(f"{name}@{name}.example") for name in ("bo", "cy", "di")}
    with world("Bo", "Cy", "Di", hunter=Hunter(known)) as here:
        report = here.find("hunter", stop_after=1)
        assert (report.interrupted, report.left, len(here.hunter.charged)) == (True, 2, 1)
        here.find("hunter")
        assert len(here.hunter.charged) == 3
        assert set(here.addresses().values()) == {S.VERIFIED}


def test_what_was_cut_off_is_a_doubt_and_not_asked_again_by_itself() -> None:
    """The run dies between the question and its answer: the question is on record, and counts as paid."""
    hunter = Hunter({("bo.example", "bo", "brightly"): record("bo@bo.example")})
    with world(hunter=hunter) as here:
        finder = here.finders("hunter")[0]
        question = finder.questions(here.store.finds.wanted(here.founders())[0])[0]
        here.begin(question)
        report = here.find("hunter")
        assert (hunter.asked, report.doubts) == ([], 1)
        assert here.store.finds.spent(here.clock.now() - timedelta(hours=1)) == 1
        again = here.find("hunter", ask_again=True)
        assert (len(hunter.charged), again.doubts) == (1, 0)
        assert here.addresses() == {"bo@bo.example": S.VERIFIED}


def test_of_two_runs_at_once_only_one_asks_and_both_keep_within_the_budget() -> None:
    """The other run begins its question between our look into the memory and our own question."""
    hunter = Hunter({("bo.example", "bo", "brightly"): record("bo@bo.example")})
    with world(hunter=hunter) as here:
        finder = here.finders("hunter")[0]
        question = finder.questions(here.store.finds.wanted(here.founders())[0])[0]
        mail_hosts = here.network.mail_hosts
        assert mail_hosts
        other = Question("hunter", "email-finder cy.example cy", credits=1)

        class Late(Asking):
            """A run whose look into the memory is already old when it asks."""

            def remembered(self, question: Question) -> Answer | None:
                known = super().remembered(question)
                here.begin(question)
                return known

        asking = Late(here.store, mail_hosts(), here.clock, Terms(9, 9, ask_again=False))
        answer = asking.answer(finder, question)
        assert answer
        assert (answer.outcome, hunter.asked) == (LookupOutcome.DOUBTFUL, [])
        assert here.store.finds.spent(here.clock.now() - timedelta(hours=1)) == 1
        now = here.clock.now()
        assert here.store.finds.begin(other, now, now - timedelta(days=1), lambda _known, spent: spent < 1) is None


def test_a_lost_answer_is_a_doubt_too() -> None:
    hunter = Hunter(faults={("email-finder", "Bo"): [Response("late", stall=90)]})
    with world(hunter=hunter, patience=1) as here:
        assert here.find("hunter").doubts == 1
        here.find("hunter")
        assert len(hunter.asked) == 1


def test_a_wish_not_to_be_found_counts_for_ever() -> None:
    hunter = Hunter(faults={("email-finder", "Bo"): [problem(451, "claimed_email")]})
    with world(hunter=hunter) as here:
        here.find("hunter")
        here.clock.move(timedelta(days=400))
        report = here.find("hunter", ask_again=True)
        assert len(hunter.asked) == 1
        assert "asked by the person" in report.results[0].reason


def test_whoever_wishes_not_to_be_found_is_not_verified_there_either() -> None:
    hunter = Hunter(faults={("email-finder", "Bo"): [problem(451, "claimed_email")]})
    with world(hunter=hunter) as here:
        for _ in range(2):
            here.find("hunter,pattern", verify=True, ask_again=True)
        assert [each.path.rpartition("/")[2].partition("?")[0] for each in hunter.asked] == ["email-finder"]
        assert here.addresses() == {"bo@bo.example": S.GUESSED}


# --- money ----------------------------------------------------------------------------------------------


def test_the_plan_says_what_it_costs_and_asks_nobody() -> None:
    with world("Bo", "Cy", pages={"bo": PUBLISHED}) as here:
        found = here.plan()
        assert (found.calls, found.credits) == (12 * 2 + 2, 2)
        assert here.hunter.asked == here.town.asked == []


def test_a_run_spends_no_more_than_it_may() -> None:
    known = {(f"{name}.example", name, "brightly"): record(f"{name}@{name}.example") for name in ("bo", "cy", "di")}
    with world("Bo", "Cy", "Di", hunter=Hunter(known)) as here:
        report = here.find("hunter", credits=1)
        assert len(here.hunter.asked) == 1
        assert "credits of this run" in report.resting["hunter"]
        report = here.find("hunter", budget=2)
        assert len(here.hunter.asked) == 2
        assert "in 24 hours" in report.resting["hunter"]
        here.clock.move(timedelta(hours=25))
        here.find("hunter", budget=2)
        assert len(here.hunter.asked) == 3


@pytest.mark.parametrize("response", [problem(401, "no"), problem(429, "quota", Retry_After="9999")])
def test_a_finder_that_refuses_is_left_alone_and_the_next_one_helps(response: Response) -> None:
    faults = {("email-finder", name): [response] for name in ("Bo", "Cy", "Di")}
    with world("Bo", "Cy", "Di", hunter=Hunter(faults=faults)) as here:
        report = here.find("hunter,pattern")
        assert len(here.hunter.asked) == 1
        assert report.resting.keys() == {"hunter"}
        assert len(here.addresses()) == 3
        assert len(here.plan("hunter,pattern").wanted) == 3


def test_a_finder_that_keeps_failing_is_left_alone() -> None:
    faults = {("email-finder", name): [problem(500, "no")] * 9 for name in ("Bo", "Cy", "Di", "Ed")}
    with world("Bo", "Cy", "Di", "Ed", hunter=Hunter(faults=faults)) as here:
        here.find("hunter")
        assert len(here.hunter.asked) == 9  # three founders, three tries each


def test_a_guess_is_verified_only_where_the_user_asks_for_it() -> None:
    hunter = Hunter(
        verdicts={"bo.brightly@bo.example": {"status": "valid", "score": 91}, "bo@bo.example": {"status": "invalid"}}
    )
    with world(hunter=hunter) as here:
        here.find("pattern,hunter")
        assert [each.path for each in hunter.asked if "verifier" in each.path] == []
        here.find("pattern,hunter", verify=True)
        assert here.addresses()["bo.brightly@bo.example"] is S.VERIFIED
        assert len(hunter.charged) == 2


# --- people ---------------------------------------------------------------------------------------------


def test_what_a_provider_found_invalid_is_not_guessed_again() -> None:
    hunter = Hunter(verdicts={"bo@bo.example": {"status": "invalid", "score": 0}})
    with world(hunter=hunter) as here:
        here.find("pattern,hunter", verify=True)
        asked = len(hunter.asked)
        here.clock.move(timedelta(days=1))
        here.give("Bo", "b@bo.example", S.BOUNCED)
        here.find("pattern,hunter")
        assert "bo@bo.example" not in here.addresses()
        assert len(hunter.asked) == asked


def test_two_of_one_first_name_do_not_get_one_address() -> None:
    with world("Bo", "Cy") as here:
        here.together()
        with here.store.database.write() as connection:
            connection.exec_driver_sql("UPDATE founders SET full_name = 'Bo Quill', first_name = 'Bo' WHERE id = 2")
        report = here.find("pattern")
        found = [each.checked.key for each in report.results if each.checked]
        assert found == ["bo@bo.example", "bo.quill@bo.example"]
        assert set(here.addresses()) == set(found)


def test_who_must_not_be_written_to_is_not_looked_up() -> None:
    with world("Bo", "Cy", pages={"bo": PUBLISHED}) as here:
        here.store.suppressions.add_person(1, "asked", here.clock.now())
        found = here.plan()
        assert ([each.full_name for each in found.wanted], found.suppressed) == (["Cy Brightly"], 1)


def test_whoever_has_an_address_is_not_looked_for() -> None:
    with world("Bo", "Cy") as here:
        here.give("Bo", "b@bo.example")
        here.give("Cy", "c@cy.example", S.RISKY)
        assert [each.full_name for each in here.plan().wanted] == ["Cy Brightly"]


def test_after_a_bounce_the_next_candidate_is_offered() -> None:
    with world() as here:
        here.find("pattern")
        assert here.addresses() == {"bo@bo.example": S.GUESSED}
        with here.store.database.write() as connection:
            connection.execute(sa.update(t.addresses).values(status=S.BOUNCED))
        here.find("pattern")
        assert here.addresses() == {"bo@bo.example": S.BOUNCED, "bo.brightly@bo.example": S.GUESSED}


def test_what_is_given_or_belongs_to_somebody_else_stays() -> None:
    with world("Bo", "Cy", pages={"bo": {"/": Response("bo.brightly@bo.example")}}) as here:
        here.together()
        here.give("Cy", "bo.brightly@bo.example")
        here.find("website")
        assert here.addresses() == {"bo.brightly@bo.example": S.GIVEN}


def test_who_has_no_company_domain_is_counted() -> None:
    with world() as here:
        with here.store.database.write() as connection:
            connection.execute(sa.update(t.companies).values(domain=""))
        found = here.plan()
        assert (found.wanted, found.homeless) == ((), 1)


def test_no_key_is_in_the_store() -> None:
    answers = {"Bo": Response(f"{KEY} is not json"), "Cy": problem(500, KEY), "Di": problem(400, KEY)}
    faults = {("email-finder", name): [answer] for name, answer in answers.items()}
    with world("Bo", "Cy", "Di", hunter=Hunter(faults=faults)) as here:
        here.find("hunter")
        with here.store.database.read() as connection:
            rows = connection.execute(sa.select(t.lookups)).all()
        assert {row.outcome for row in rows if row.finder == "hunter"} >= {
            LookupOutcome.DOUBTFUL,
            LookupOutcome.NOTHING,
        }
        assert KEY not in repr(rows)
