"""Help answers at once and loads nothing heavy; every command has an example."""

import importlib
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup
from typer.main import get_group

from outreach import cli
from outreach.cli._commands import LINES, build
from tests.cli.program import ROOT, Workspace

HEAVY = ("sqlmodel", "sqlalchemy", "alembic", "jinja2", "httpx", "pydantic", "rich", "lxml", "imapclient", "aiosmtpd")


def loaded(*words: str, whole: bool = False) -> set[str]:
    """The packages in memory after a command line, in a process of its own; with `whole`, their modules."""
    code = (
        "import sys; from outreach.cli import run\n"
        f"code = run({list(words)!r})\n"
        "print('\\n'.join(sorted(sys.modules)), file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return {module if whole else module.partition(".")[0] for module in done.stderr.split()}


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["--version"]])
def test_help_loads_nothing_heavy(words: list[str]) -> None:
    assert loaded(*words).isdisjoint(HEAVY)


@pytest.mark.parametrize("words", [["send", "--help"], ["campaign", "--help"], ["replies", "list", "--help"]])
def test_help_of_a_command_loads_little(words: list[str]) -> None:
    """Typer itself loads pydantic once a command is named."""
    assert loaded(*words).isdisjoint(set(HEAVY) - {"pydantic"})


AT_WORK = {
    "alembic", "jinja2", "httpx", "rapidfuzz", "lxml", "imapclient", "multiprocessing", "email_validator",
    "sqlalchemy.dialects.postgresql", "sqlalchemy.orm", "sqlmodel", "outreach.store.claims", "outreach.store.mail",
}  # fmt: skip


@pytest.mark.parametrize("words", [["founders"], ["companies"], ["suppress", "list"]], ids=" ".join)
def test_a_command_that_only_looks_loads_nothing_that_works(words: list[str], tmp_path: Path) -> None:
    """Neither what writes, sends, imports or reads mail, nor the driver of another database."""
    workspace = Workspace.create(tmp_path / "w")
    found = loaded("-C", str(workspace.folder), *words, whole=True)
    assert "sqlalchemy" in found
    assert found.isdisjoint(AT_WORK)
    assert not [name for name in found if name.startswith(("outreach.flows.", "outreach.templating."))]


def commands() -> list[list[str]]:
    found = []
    for name in LINES:
        command = build(name)
        found += [[name, each] for each in command.commands] if isinstance(command, TyperGroup) else [[name]]
    return found


def test_every_command_that_a_part_brings_has_its_line() -> None:
    parts = [module for module in pkgutil.iter_modules(cli.__path__) if not module.name.startswith("_")]
    root = typer.Typer()
    for part in parts:
        getattr(importlib.import_module(f"outreach.cli.{part.name}"), "register", lambda _root: None)(root)
    assert sorted(get_group(root).commands) == sorted(LINES)


def test_the_lines_of_help_are_not_cut() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "outreach", "--help"], cwd=ROOT, capture_output=True, text=True, check=True,
        env=os.environ | {"COLUMNS": "80"},
    )  # fmt: skip
    shown = {tuple(line.strip().split("  ", 1)) for line in done.stdout.splitlines()}
    assert {(name, line) for name, line in LINES.items()} <= {(pair[0], pair[-1].strip()) for pair in shown}


@pytest.mark.parametrize("name", ["founders", "mailboxes", "db"])
def test_the_help_of_a_group_cuts_no_sentence(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "outreach", name, "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "..." not in done.stdout.partition("Commands:")[2]


def test_a_command_loads_no_other() -> None:
    assert "outreach.cli.founders" in loaded("founders", "--help", whole=True)
    assert loaded("founders", "--help", whole=True).isdisjoint({"outreach.cli.send", "outreach.cli.find"})


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_has_help_with_an_example(words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "outreach", *words, "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    typed = " ".join(word for word in words if word != "list")  # which may be left out
    assert f"Example: outreach {typed}" in " ".join(done.stdout.split())


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("outreach fou", {"founders"}),
        ("outreach founders ex", {"export"}),
        ("outreach replies ", {"list", "show", "label", "note", "answer", "export"}),
        ("outreach founders --loc", {"--location"}),
        ("outreach founders list --loc", {"--location"}),
        ("outreach founders --limit 5 --loc", {"--location"}),
        ("outreach db ", {"upgrade", "backup", "copy"}),
    ],
)
def test_a_shell_completes_commands_and_options(typed: str, offered: set[str]) -> None:
    asked = {"_OUTREACH_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(typed.count(" "))}
    program = [sys.executable, "-c", "from outreach.cli import main; main()"]
    done = subprocess.run(program, env={**os.environ, **asked}, capture_output=True, text=True, check=False)
    assert set(done.stdout.split()) == offered, done.stderr
