"""The demo as it is typed: where it refuses to play, and what it says then."""

import re
from pathlib import Path

import pytest

from outreach.cli import run
from outreach.cli._shell import Shell


@pytest.mark.parametrize(("folder", "instead"), [("", "outreach-demo"), ("old", "old-2")])
def test_a_folder_with_something_in_it_is_left_alone_and_another_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: str, instead: str
) -> None:
    (tmp_path / folder).mkdir(exist_ok=True)
    (tmp_path / folder / "mine.txt").touch()
    monkeypatch.chdir(tmp_path)
    assert run(["demo", folder or "."], Shell(environment={})) == 2
    assert f"hint: outreach demo {instead}\n" in capsys.readouterr().err


def test_the_day_of_a_scene_is_said_by_its_date_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["demo", str(tmp_path / "d")], Shell(environment={})) == 0
    scenes = re.findall(r"^── (.*?) ─*$", capsys.readouterr().out, re.MULTILINE)
    assert len(scenes) > 7
    assert not [scene for scene in scenes if re.search(r"(Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day", scene)]


def test_a_folder_that_is_not_ours_is_named_and_no_bug(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["demo", "/sys/outreach-demo"], Shell(environment={})) == 1  # where not even root may make one
    said = capsys.readouterr().err
    assert "error: /sys/outreach-demo cannot be used: " in said
    assert "permissions" in said
