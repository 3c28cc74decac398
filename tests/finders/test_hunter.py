"""Hunter, as a server on loopback that behaves as its documentation says, and as it should not."""

from datetime import timedelta
from typing import Any

import pytest

from outreach.core.ports import Answer, FinderTools, LookupOutcome, Wanted
from outreach.core.records import AddressStatus
from outreach.finders.hunter import HunterFinder, make
from tests.fakes import FakeClock
from tests.web_servers import KEY, Hunter, Response, network, problem, record, told, town

S = AddressStatus
O = LookupOutcome  # noqa: E741  a table reads better with it
ADA = Wanted(1, "Ada Testwell", "Acme", "acme.example")
FINDER = ("email-finder", "Ada")


class Desk:
    """A finder at a Hunter of its own."""

    def __init__(self, **kwargs: Any) -> None:
        self.hunter = Hunter(**kwargs)
        self.clock = FakeClock()
        self.key = KEY
        self.patience = 30.0

    def __enter__(self) -> "Desk":
        self._town = town()
        self._network = network(self._town.__enter__(), self.hunter)
        here = self._network.__enter__()
        assert here.web
        tools = FinderTools(here.web("outreach/1"), self.clock, lambda _name: self.key, here.base_urls, self.patience)
        self.finder: HunterFinder = make(tools)
        return self

    def __exit__(self, *_error: object) -> None:
        self._network.__exit__(None, None, None)
        self._town.__exit__(None, None, None)

    def ask(self, wanted: Wanted = ADA) -> Answer:
        return self.finder.ask(self.finder.questions(wanted)[0])


KNOWN = {("acme.example", "ada", "testwell"): record("ada@acme.example")}


def test_a_found_address_comes_with_its_score_and_sources() -> None:
    with Desk(addresses=KNOWN) as desk:
        answer = desk.ask()
        (candidate,) = desk.finder.read(ADA, answer.data)
    assert (answer.outcome, answer.calls, answer.credits) == (O.ANSWERED, 1, 1)
    assert (candidate.address, candidate.status, candidate.confidence) == ("ada@acme.example", S.VERIFIED, 95)
    assert candidate.evidence == (
        "Hunter: valid (the mailbox exists)", "Hunter's score is 95", "seen on https://news.example/ada",
    )  # fmt: skip


def test_the_key_goes_into_a_header_and_nowhere_else() -> None:
    with Desk(addresses=KNOWN) as desk:
        answer = desk.ask()
        (asked,) = desk.hunter.asked
    assert asked.headers["X-API-KEY"] == KEY
    assert KEY not in asked.path
    assert KEY not in repr((answer, desk.finder, desk.finder.questions(ADA), vars(desk.finder)))


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("valid", S.VERIFIED),
        ("accept_all", S.RISKY),
        ("webmail", S.RISKY),
        ("unknown", S.GUESSED),
        ("", S.GUESSED),
        ("invalid", S.INVALID),
        ("disposable", S.INVALID),
        ("a new word", S.GUESSED),
    ],
)
def test_what_hunter_says_and_what_it_means(word: str, status: AddressStatus) -> None:
    with Desk(addresses={("acme.example", "ada", "testwell"): record("ada@acme.example", word)}) as desk:
        (candidate,) = desk.finder.read(ADA, desk.ask().data)
    assert candidate.status is status


NO_CREDITS = [problem(429, "too_many_requests", Retry_After="1")] * 9


@pytest.mark.parametrize(
    ("responses", "outcome", "calls", "credits"),
    [
        ([Response("", 202), Response("", 202), told(record("ada@acme.example"))], O.ANSWERED, 3, 1),
        ([Response("", 202)] * 99, O.FAILED, 8, 0),
        ([Response("", 204)], O.NOTHING, 1, 0),
        ([Response("", 222)], O.FAILED, 1, 0),
        ([problem(400, "wrong_params")], O.NOTHING, 1, 0),
        ([problem(401, "authentication_failed")], O.REFUSED, 1, 0),
        ([problem(403, "rate_limit")] * 9, O.LIMITED, 3, 0),
        ([problem(403, "rate_limit"), told(record("ada@acme.example"))], O.ANSWERED, 2, 1),
        ([problem(404, "not_found")], O.NOTHING, 1, 0),
        ([problem(422, "invalid_first_name")], O.NOTHING, 1, 0),
        (NO_CREDITS, O.LIMITED, 3, 0),
        ([problem(429, "usage_limit", Retry_After="86400")] * 9, O.LIMITED, 1, 0),
        ([problem(429, "x", Retry_After="2"), told(record("ada@acme.example"))], O.ANSWERED, 2, 1),
        ([problem(451, "claimed_email")], O.RESTRICTED, 1, 0),
        ([problem(500, "oops")] * 9, O.FAILED, 3, 0),
        ([problem(503, "oops"), told(record("ada@acme.example"))], O.ANSWERED, 2, 1),
        ([Response("", 302, {"Location": "http://evil.example/"})], O.REFUSED, 1, 0),
        ([Response("", 301, {"Location": "https://api.hunter.test/v2/x"})], O.REFUSED, 1, 0),
        ([Response("<html>not json</html>")], O.DOUBTFUL, 1, 0),
        ([Response('{"data": [1, 2')], O.DOUBTFUL, 1, 0),
        ([Response('{"data": null}')], O.DOUBTFUL, 1, 0),
        ([Response("[" * 100_000)], O.DOUBTFUL, 1, 0),
        ([Response('{"data": {"email": 7, "score": "x", "sources": "no"}}')], O.ANSWERED, 1, 1),
        ([Response(raw=b"\x00\x01garbage\r\n\r\n")], O.DOUBTFUL, 1, 0),
        ([Response("late", stall=90)], O.DOUBTFUL, 1, 0),
        ([Response('{"data":', drip=b" ", pause=0.1)], O.DOUBTFUL, 1, 0),
        ([Response("", 418)], O.FAILED, 1, 0),
    ],
)
def test_every_answer_is_understood(responses: list[Response], outcome: O, calls: int, credits: int) -> None:  # noqa: A002  the trade's word
    desk = Desk(faults={FINDER: list(responses)})
    if any(each.stall or each.drip for each in responses):
        desk.patience = 1.0
    with desk:
        answer = desk.ask()
        assert (answer.outcome, answer.calls, answer.credits) == (outcome, calls, credits)
        assert all(each.host.startswith("api.hunter.test") for each in desk.hunter.asked)
        if outcome is O.ANSWERED:
            assert isinstance(list(desk.finder.read(ADA, answer.data)), list)
        else:
            assert answer.text.startswith("Hunter")
            assert KEY not in answer.text


def test_what_is_to_be_waited_for_is_waited_for() -> None:
    with Desk(faults={FINDER: [problem(429, "x", Retry_After="40"), problem(404, "x")]}) as desk:
        began = desk.clock.now()
        desk.ask()
        assert desk.clock.now() - began >= timedelta(seconds=40)


def test_a_server_that_cannot_be_reached_got_no_question() -> None:
    with Desk() as desk:
        desk.finder = HunterFinder(desk.finder._web, desk.clock, lambda _name: KEY, "http://nowhere.test/v2", 0.5)
        answer = desk.ask()
    assert (answer.outcome, answer.calls, answer.credits) == (O.FAILED, 3, 0)


def test_no_more_than_fifteen_questions_a_second_and_ten_verifications() -> None:
    with Desk() as desk:
        for number in range(31):
            desk.finder._call("account", {"domain": str(number)})
        passed = desk.clock.now() - FakeClock().now()
        assert timedelta(seconds=2) <= passed < timedelta(seconds=3)
        for _ in range(11):
            desk.finder.ask(desk.finder.verification("ada@acme.example"))
        assert desk.clock.now() - FakeClock().now() - passed >= timedelta(seconds=1)


# --- Domain Search ------------------------------------------------------------------------------------


def test_three_founders_of_one_company_are_one_question() -> None:
    known = {
        ("acme.example", "ada", "testwell"): record("ada@acme.example"),
        ("acme.example", "bo", "quill"): record("bo@acme.example", "accept_all"),
        ("acme.example", "dan", "elsewise"): record("x@acme.example"),
    }
    team = [Wanted(n, name, "Acme", "acme.example", team=3) for n, name in enumerate(("Ada Testwell", "Bo Quill"))]
    with Desk(addresses=known) as desk:
        answer = desk.ask(team[0])
        found = [[each.address for each in desk.finder.read(wanted, answer.data)] for wanted in team]
        assert [question.params["path"] for question in desk.finder.questions(team[0])] == [
            "domain-search",
            "email-finder",
        ]
    assert found == [["ada@acme.example"], ["bo@acme.example"]]
    assert len(desk.hunter.charged) == 1


def test_an_address_of_somebody_else_is_not_taken() -> None:
    taken = Wanted(1, "Ada Testwell", "Acme", "acme.example", taken=frozenset({"ada@acme.example"}))
    with Desk(addresses=KNOWN) as desk:
        assert desk.finder.read(taken, desk.ask().data) == ()


def test_an_address_that_hunter_itself_says_is_somebody_elses_is_not_taken() -> None:
    wrong = record("bo@acme.example", first_name="Bo", last_name="Quill")
    with Desk(faults={FINDER: [told(wrong)]}) as desk:
        assert desk.finder.read(ADA, desk.ask().data) == ()


def test_an_address_elsewhere_is_risky() -> None:
    with Desk(addresses={("acme.example", "ada", "testwell"): record("ada@other.example")}) as desk:
        (candidate,) = desk.finder.read(ADA, desk.ask().data)
    assert candidate.status is S.RISKY


# --- Email Verifier, account --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "status"),
    [("valid", S.VERIFIED), ("accept_all", S.RISKY), ("invalid", S.INVALID), ("unknown", S.UNKNOWN)],
)
def test_a_verification_says(word: str, status: AddressStatus) -> None:
    with Desk(verdicts={"ada@acme.example": {"status": word, "score": 77}}) as desk:
        answer = desk.finder.ask(desk.finder.verification("ada@acme.example"))
        candidate = desk.finder.verdict("ada@acme.example", answer.data)
    assert (candidate.status, candidate.confidence, answer.credits) == (status, 77, 1)


def test_what_is_left_is_said() -> None:
    with Desk() as desk:
        assert desk.finder.credits_left() == "50 credits"
        desk.key = "wrong"
        assert desk.finder.credits_left() == ""


def test_what_is_left_is_not_said_where_it_is_no_number() -> None:
    meters = {"credits": {"used": "5", "available": 50}, "searches": {"used": None, "available": 7}, "calls": 3}
    with Desk(faults={("account", ""): [told({"requests": meters})]}) as desk:
        assert desk.finder.credits_left() == "7 searches"


def test_without_a_key_it_says_what_to_set() -> None:
    with Desk() as desk:
        desk.key = ""
        assert "OUTREACH_HUNTER_API_KEY" in desk.finder.missing


def test_a_name_of_one_word_or_no_domain_is_not_asked_for() -> None:
    with Desk() as desk:
        assert desk.finder.questions(Wanted(1, "Prince", "Acme", "acme.example")) == ()
        assert desk.finder.questions(Wanted(1, "Ada Testwell", "Acme", "")) == ()
