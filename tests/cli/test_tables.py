"""Tables on a screen: each row goes on in further lines where the screen is narrow, and nothing of it is lost."""

import sys
from pathlib import Path

import pytest

from tests.cli.program import Workspace
from tests.cli.terminal import converse

TABLE = """\
Name,Company,Website,Email,Title
Ada Testwell,Testwell Instruments,testwell.example,ada@testwell.example,CEO
"""
WIDE = "id  name          title  company               address               status  source   sure"
WIDE_ROW = "1   Ada Testwell  CEO    Testwell Instruments  ada@testwell.example  given   generic"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = Workspace.create(tmp_path / "w", FROM="Me Testwell <me@me.example>")
    (made.folder / "list.csv").write_text(TABLE)
    made.run("import", "list.csv")
    return made


@pytest.mark.parametrize(
    ("columns", "lines"),
    [
        (100, [WIDE, WIDE_ROW]),
        (60, [
            "id  name          title  company",
            "    address               status  source   sure",
            "1   Ada Testwell  CEO    Testwell Instruments",
            "    ada@testwell.example  given   generic",
        ]),
    ],
)  # fmt: skip
def test_a_table_fits_the_screen(workspace: Workspace, columns: int, lines: list[str]) -> None:
    command = [sys.executable, "-m", "outreach", "-C", str(workspace.folder), "founders"]
    code, seen = converse(command, {**workspace.environment, "COLUMNS": str(columns)}, "?", [])
    assert (code, seen.splitlines()) == (0, lines)


def test_what_is_no_screen_gets_a_line_for_each_row(workspace: Workspace) -> None:
    workspace.environment |= {"COLUMNS": "40"}
    assert workspace.run("founders").stdout.splitlines() == [WIDE, WIDE_ROW]
