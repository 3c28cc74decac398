"""What every finder promises, those of other packages included: the one of docs/finders.md is installed and run."""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.core.ports import Answer, Candidate, Finder, FinderTools, LookupOutcome, Wanted, WebAnswer, WebTrouble
from outreach.errors import UsageError
from outreach.finders import DEFAULT_ORDER, finder_names, make_finders
from tests.fakes import FakeClock

DOCS = Path(__file__).parents[2] / "docs" / "finders.md"
WANTED = Wanted(1, "Ada Testwell", "Acme", "acme.example", website="https://acme.example", company_id=1, team=3)


class ScriptedWeb:
    """A web that always gives the same answer, and remembers what was asked."""

    def __init__(self, answer: WebAnswer) -> None:
        self.answer, self.urls = answer, list[str]()

    def get(self, url: str, *, headers: Mapping[str, str], seconds: float, limit: int) -> WebAnswer:
        assert headers
        assert 0 < seconds < 120
        assert 0 < limit <= 5_000_000
        self.urls.append(url)
        return self.answer


def tools(answer: WebAnswer | None = None, secret: str = "s3cret") -> FinderTools:
    answer = answer or WebAnswer("", trouble=WebTrouble.UNREACHABLE, reason="cannot be reached", reached=False)
    return FinderTools(ScriptedWeb(answer), FakeClock(), lambda _name: secret)


@pytest.fixture(scope="module", autouse=True)
def directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The example of the documentation, installed as a package of its own would be."""
    folder = tmp_path_factory.mktemp("site")
    text = DOCS.read_text("utf-8")
    (code,) = re.findall(r"<!-- the example that the tests install and run -->\n```python\n(.*?)```", text, re.DOTALL)
    (toml,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    (folder / "ada_directory.py").write_text(code)
    info = folder / "ada_directory-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: ada-directory\nVersion: 1.0\n")
    group = re.search(r'entry-points\."(.*?)"', toml)
    entry = re.search(r'^(\w+) = "(.*)"', toml, re.MULTILINE)
    assert group
    assert entry
    (info / "entry_points.txt").write_text(f"[{group[1]}]\n{entry[1]} = {entry[2]}\n")
    sys.path.insert(0, str(folder))
    yield
    sys.path.remove(str(folder))
    sys.modules.pop("ada_directory", None)


ALL = ("hunter", "pattern", "website", "directory")


def finder(name: str, answer: WebAnswer | None = None) -> Finder:
    return make_finders([name], tools(answer))[0]


def test_every_finder_is_known_by_its_name() -> None:
    assert set(finder_names()) == set(ALL)


@pytest.mark.parametrize("name", ALL)
class TestFinder:
    """Any finder."""

    def test_is_called_what_its_file_or_entry_point_is_called(self, name: str) -> None:
        assert finder(name).name == name
        assert finder(name).missing == ""

    def test_asks_nothing_where_no_domain_is_known(self, name: str) -> None:
        assert list(finder(name).questions(Wanted(1, "Ada Testwell", "Acme", ""))) == []

    def test_questions_are_the_same_each_time_and_say_what_they_cost(self, name: str) -> None:
        one, other = (list(finder(name).questions(WANTED)) for _ in range(2))
        assert one == other
        assert one
        for question in one:
            assert question.finder == name
            assert question.key
            assert question.about == WANTED.domain
            assert question.calls >= 0 <= question.credits

    def test_questions_ask_nobody(self, name: str) -> None:
        web = ScriptedWeb(WebAnswer("", 200))
        list(make_finders([name], FinderTools(web, FakeClock(), lambda _name: "x"))[0].questions(WANTED))
        assert web.urls == []

    @pytest.mark.parametrize("trouble", list(WebTrouble))
    @pytest.mark.parametrize("reached", [True, False])
    def test_trouble_is_an_outcome(self, name: str, trouble: WebTrouble, reached: bool) -> None:
        made = finder(name, WebAnswer("https://acme.example/", trouble=trouble, reason="trouble", reached=reached))
        for question in made.questions(WANTED):
            assert isinstance(made.ask(question), Answer)

    @pytest.mark.parametrize("status", [200, 204, 301, 400, 401, 403, 404, 410, 429, 451, 500, 503])
    def test_every_status_is_an_outcome(self, name: str, status: int) -> None:
        made = finder(name, WebAnswer("https://acme.example/", status, {}, b'[{"name": "x", "mail": "y"}]'))
        for question in made.questions(WANTED):
            answer = made.ask(question)
            assert answer.calls <= max(question.calls, 8)
            assert answer.credits <= question.credits

    def test_an_answer_survives_the_store(self, name: str) -> None:
        page = b"<p>ada.testwell@acme.example</p>"
        made = finder(name, WebAnswer("https://acme.example/", 200, {"content-type": "text/html"}, page))
        if name == "directory":
            made = finder(name, WebAnswer("", 200, {}, b'[{"name": "Ada Testwell", "mail": "ada@acme.example"}]'))
        for question in made.questions(WANTED):
            answer = made.ask(question)
            if answer.outcome is LookupOutcome.ANSWERED:
                again = json.loads(json.dumps(dict(answer.data)))
                found = list(made.read(WANTED, again))
                assert found == list(made.read(WANTED, answer.data))
                assert all(
                    isinstance(each, Candidate) and each.evidence and 0 <= each.confidence <= 100 for each in found
                )


@pytest.mark.parametrize("name", ALL)
@settings(deadline=None)  # a busy machine is no fault
@given(full_name=st.text(max_size=40))
def test_any_name_is_taken(name: str, full_name: str) -> None:
    assert list(finder(name).questions(Wanted(1, full_name, "Acme", "acme.example"))) is not None


def test_the_usual_order_leaves_out_what_is_not_ready() -> None:
    assert [each.name for each in make_finders([], tools())] == list(DEFAULT_ORDER)
    assert [each.name for each in make_finders([], tools(secret=""))] == ["website", "pattern"]


def test_what_is_named_and_not_ready_says_what_to_set() -> None:
    with pytest.raises(UsageError) as error:
        make_finders(["directory"], tools(secret=""))
    assert "OUTREACH_X_DIRECTORY_KEY" in error.value.hint


def test_the_example_finds_an_address() -> None:
    body: Any = [{"name": "Ada Testwell", "mail": "ada@acme.example"}, {"name": "Bo", "mail": "bo@acme.example"}]
    made = finder("directory", WebAnswer("", 200, {}, json.dumps(body).encode()))
    (question,) = made.questions(WANTED)
    (candidate,) = made.read(WANTED, made.ask(question).data)
    assert candidate.address == "ada@acme.example"
