"""`outreach find` in front of a person: the cost is shown and asked for, and a bar shows how far it is."""

import sys
from pathlib import Path

import pytest

from tests.cli.program import Workspace
from tests.cli.terminal import converse
from tests.web_servers import KEY, Hunter, http_server, name_server, record


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = Workspace.create(tmp_path / "w", HUNTER_API_KEY=KEY)
    (made.folder / "list.csv").write_text("Name,Company,Website\nAda Quill,A,ada.example\nBo Quill,B,bo.example\n")
    made.run("import", "list.csv")
    return made


def find(workspace: Workspace, api: Hunter, answer: str) -> tuple[int, str]:
    """`find --using hunter` with its one question answered."""
    with http_server(api.answer, api.asked) as port, name_server({}) as dns:
        command = [sys.executable, "-m", "tests.machine.find_worker", str(workspace.folder), str(port), str(dns)]
        return converse([*command, "--using", "hunter"], workspace.environment, "credits?", [answer])


def known() -> Hunter:
    return Hunter({("ada.example", "ada", "quill"): record("ada@ada.example")})


def test_the_cost_is_shown_and_agreed_to(workspace: Workspace) -> None:
    api = known()
    code, seen = find(workspace, api, "y")
    assert code == 0
    assert "hunter: 50 credits left" in seen
    assert "hunter: at most 2 calls and 2 credits" in seen
    assert "Spend up to 2 credits?" in seen
    assert "finding addresses" in seen
    assert "2/2" in seen
    assert "ada@ada.example" in seen
    assert len(api.charged) == 1


def test_whoever_says_no_spends_nothing(workspace: Workspace) -> None:
    api = known()
    code, seen = find(workspace, api, "n")
    assert code == 3
    assert "nothing was spent" in seen
    assert [each.path for each in api.asked if "finder" in each.path] == []
