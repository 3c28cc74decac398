"""`outreach init`: a workspace, ready to use."""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from outreach.cli._output import say, show
from outreach.cli._shell import shell
from outreach.errors import UsageError

_ASKED = (
    ("name", "Your name, as readers see it"),
    ("email", "The address you send from"),
    (
        "provider",
        "Your mail provider (gmail, workspace, outlook, microsoft365, fastmail, zoho, yahoo, icloud; empty: other)",
    ),
    ("purpose", "What for: job-search or commercial"),
)


def register(app: typer.Typer) -> None:
    app.command()(init)


def init(
    context: typer.Context,
    directory: Annotated[Path | None, typer.Argument(metavar="[DIR]", help="Default: the current folder.")] = None,
    name: Annotated[str, typer.Option(help="Your name, as readers see it.")] = "",
    email: Annotated[str, typer.Option(help="The address you send from.")] = "",
    provider: Annotated[str, typer.Option(help="gmail, workspace, fastmail, …: fills in hosts and limits.")] = "",
    purpose: Annotated[str, typer.Option(help="job-search or commercial.")] = "",
    yes: Annotated[
        bool, typer.Option("--yes", help="Ask nothing; take everything from flags and the environment.")
    ] = False,
) -> None:
    """Make a workspace: settings, starter sequences and the store. What is there is kept.

    Example: outreach init jobs --name "Ada Lovelace" --email ada@ada.example --provider fastmail
    """
    host = shell(context)
    folder = directory or host.directory
    answers = {"name": name, "email": email, "provider": provider, "purpose": purpose}
    env = folder / ".env"
    if not env.exists():
        wanted = _settings(answers, host.environment, ask=not yes and sys.stdin.isatty())
        _make(folder, wanted)
    _furnish(folder, host.environment)
    _next_steps(folder, env)


def _settings(answers: Mapping[str, str], environment: Mapping[str, str], *, ask: bool) -> dict[str, str]:
    """The lines of `.env` that are known: from flags, from the environment, from questions."""
    given = {name: value for name, value in environment.items() if name.startswith("OUTREACH_") and value}
    given.pop("OUTREACH_WORKSPACE", None)
    found = dict(answers)
    if ask:
        for key, question in _ASKED:
            if not found[key] and not (key in ("name", "email") and "OUTREACH_FROM" in given):
                found[key] = typer.prompt(question, default="", show_default=False, err=True).strip()
    if found["name"] and found["email"]:
        given["OUTREACH_FROM"] = f"{found['name']} <{found['email']}>"
    for key in ("provider", "purpose"):
        if found[key]:
            given[f"OUTREACH_{key.upper()}"] = found[key]
    if (zone := _zone_here()) and "OUTREACH_TIMEZONE" not in given:
        given["OUTREACH_TIMEZONE"] = zone
    if "OUTREACH_FROM" not in given:
        raise UsageError(
            "your name and address are needed to make a workspace.",
            hint='outreach init --name "Ada Lovelace" --email ada@ada.example --provider gmail',
        )
    return given


def _zone_here() -> str:
    """The IANA name of this machine's time zone, where it tells: written down once, so that working hours never depend
    on the machine again."""
    from zoneinfo import available_timezones

    name = str(Path("/etc/localtime").resolve()).partition("zoneinfo/")[2]
    return name if name in available_timezones() else ""


def _make(folder: Path, wanted: Mapping[str, str]) -> None:
    """Write `.env` from the commented example, once the settings are known to be good."""
    from outreach.resources import env_example
    from outreach.settings import load_settings

    load_settings(folder / ".env", wanted)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(folder / ".env", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(_filled(env_example(), wanted))


def _filled(example: str, wanted: Mapping[str, str]) -> str:
    """The example with the wanted lines in their places; what it does not list stands at the end."""
    left = dict(wanted)
    lines = []
    for line in example.splitlines():
        name = line.removeprefix("#").partition("=")[0].strip()
        lines.append(_assignment(name, left.pop(name)) if name in left else line)
    return "\n".join([*lines, *(_assignment(name, value) for name, value in left.items())]) + "\n"


def _assignment(name: str, value: str) -> str:
    """Single quotes keep `$`, `#` and blanks as they are; what holds one itself is written with double quotes."""
    if "'" not in value:
        return f"{name}='{value}'"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{name}="{escaped}"'


def _furnish(folder: Path, environment: Mapping[str, str]) -> None:
    """Whatever of templates, store and key is not there yet."""
    from outreach.bootstrap import open_store
    from outreach.resources import data_dir

    os.umask(0o077)
    for sequence in sorted((data_dir() / "templates").iterdir()):
        if sequence.is_dir() and not (folder / "templates" / sequence.name).exists():
            shutil.copytree(sequence, folder / "templates" / sequence.name)
    open_store(folder, environment, create=True).close()


def _next_steps(folder: Path, env: Path) -> None:
    there = "" if folder.resolve() == Path.cwd() else f"-C {folder} "
    show(f"workspace ready in {folder.resolve()}")
    missing = _missing(env)
    if missing:
        say(f"to send, {missing} in {env}")
    say(f"next: outreach {there}import startups.csv")


def _missing(env: Path) -> str:
    """What a new `.env` still lacks before mail can be sent."""
    names = {line.partition("=")[0] for line in env.read_text("utf-8").splitlines()}
    if not names & {"OUTREACH_PROVIDER", "OUTREACH_SMTP_HOST", "OUTREACH_TRANSPORT"}:
        return "name your mail server and your password"
    logs_in = names & {"OUTREACH_PROVIDER", "OUTREACH_SMTP_USERNAME"}
    if logs_in and not names & {"OUTREACH_SMTP_PASSWORD", "OUTREACH_SMTP_PASSWORD_CMD"}:
        return "set OUTREACH_SMTP_PASSWORD or OUTREACH_SMTP_PASSWORD_CMD"
    return ""
