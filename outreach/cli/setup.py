"""`outreach init`: a workspace, ready to use."""

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from outreach.cli._output import is_terminal, say, show
from outreach.cli._shell import shell
from outreach.errors import SettingsError, UsageError, WorkspaceError
from outreach.resources import toml

_ASKED = (
    ("name", "Your name, as readers see it"),
    ("email", "The address you send from"),
    (
        "provider",
        "Your mail provider (gmail, workspace, outlook, microsoft365, fastmail, zoho, yahoo, icloud; empty: other)",
    ),
    ("purpose", "What for: job-search or commercial"),
)
"""What `init` asks: the answer, and the question."""
_NEEDED = ("name", "email")


def register(app: typer.Typer) -> None:
    app.command()(init)


def init(
    context: typer.Context,
    directory: Annotated[Path | None, typer.Argument(metavar="DIR", help="Default: the current folder.")] = None,
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
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file.", hint="name a folder: outreach init jobs")
    env = folder / ".env"
    kept = env.exists()
    try:
        if not kept:
            _make(folder, _settings(answers, host.environment, ask=not yes and is_terminal(sys.stdin)))
        _furnish(folder, host.environment)
    except OSError as error:
        raise WorkspaceError(
            f"{folder} cannot be made a workspace: {error.strerror}.", hint="name a folder of yours: outreach init jobs"
        ) from None
    if kept and any(answers.values()):
        say(f"{env} is there already and is kept as it is; what you gave here changes nothing: edit it instead")
    _next_steps(folder, env)


def _settings(answers: Mapping[str, str], environment: Mapping[str, str], *, ask: bool) -> dict[str, str]:
    """The lines of `.env` that are known: from flags, from the environment, from questions."""
    given = {name: value for name, value in environment.items() if name.startswith("OUTREACH_") and value}
    given.pop("OUTREACH_WORKSPACE", None)
    found = _flags(answers)
    if ask:
        for key, question in _ASKED:
            if not found[key] and _setting(key) not in given:
                check = partial(_checked, key)
                found[key] = typer.prompt(question, default="", show_default=False, err=True, value_proc=check)
    if found["name"] and found["email"]:
        given["OUTREACH_FROM"] = _as_setting("name", found["name"], address=found["email"])
    for key in ("provider", "purpose"):
        if found[key]:
            given[_setting(key)] = found[key]
    if (zone := _zone_here()) and "OUTREACH_TIMEZONE" not in given:
        given["OUTREACH_TIMEZONE"] = zone
    if "OUTREACH_FROM" not in given:
        raise UsageError(
            "your name and address are needed to make a workspace.",
            hint='outreach init --name "Ada Lovelace" --email ada@ada.example --provider gmail',
        )
    return given


def _flags(answers: Mapping[str, str]) -> dict[str, str]:
    """What was given as flags, each of it right."""
    for key, answer in answers.items():
        if answer and (fault := _fault(key, answer)):
            raise UsageError(f"--{key} {answer}: {fault}.", hint="outreach init --help shows an example")
    return dict(answers)


def _setting(key: str) -> str:
    return "OUTREACH_FROM" if key in _NEEDED else f"OUTREACH_{key.upper()}"


def _as_setting(key: str, answer: str, *, address: str = "ada@ada.example") -> str:
    """An answer as its setting has it: name and address share one."""
    from outreach.settings import named_mailbox

    return {"name": named_mailbox(answer, address), "email": named_mailbox("Ada", answer)}.get(key, answer)


def _fault(key: str, answer: str) -> str:
    """What is wrong with an answer, if anything is."""
    from outreach.settings import load_settings

    example = {"OUTREACH_FROM": "Ada <ada@ada.example>"}
    try:
        load_settings(Path(), {**example, _setting(key): _as_setting(key, answer)})
    except SettingsError as error:
        return error.problems[0].removeprefix(f"{_setting(key)}: ").partition("; write")[0]
    return ""


def _checked(key: str, answer: str) -> str:
    """The answer, if the setting it becomes would be right; else the question is asked again."""
    answer = answer.strip()
    if (answer or key in _NEEDED) and (fault := _fault(key, answer)):
        raise typer.BadParameter(fault)
    return answer


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
    from outreach.resources import data_dir
    from outreach.workspace import open_store

    os.umask(0o077)
    for sequence in sorted((data_dir() / "templates").iterdir()):
        if sequence.is_dir() and not (folder / "templates" / sequence.name).exists():
            shutil.copytree(sequence, folder / "templates" / sequence.name)
    open_store(folder, environment, create=True).close()


def _next_steps(folder: Path, env: Path) -> None:
    there = "" if folder.resolve() == Path.cwd() else f"-C {folder} "
    show(f"workspace ready in {folder.resolve()}")
    for line in _missing(env.read_text("utf-8")):
        say(f"to send: {line}")
    say(f"next: outreach {there}import startups.csv")


def _missing(env: str) -> Iterator[str]:
    """What a new `.env` still lacks before mail can be sent and answers be read."""
    lines = [line.partition("=") for line in env.splitlines() if not line.startswith("#")]
    values = {name: value.strip("'\"") for name, _, value in lines if value}
    if not values.keys() & {"OUTREACH_PROVIDER", "OUTREACH_SMTP_HOST", "OUTREACH_TRANSPORT"}:
        yield "name your mail server, the inbox where answers arrive, and your passwords in .env"
    for service in ("SMTP", "IMAP"):
        logs_in = values.keys() & {"OUTREACH_PROVIDER", f"OUTREACH_{service}_USERNAME"}
        if logs_in and not values.keys() & {f"OUTREACH_{service}_PASSWORD", f"OUTREACH_{service}_PASSWORD_CMD"}:
            yield f"set OUTREACH_{service}_PASSWORD or OUTREACH_{service}_PASSWORD_CMD in .env"
    if values.get("OUTREACH_PURPOSE") != "job-search" and "OUTREACH_POSTAL_ADDRESS" not in values:
        yield "set OUTREACH_POSTAL_ADDRESS in .env, which commercial mail needs; or OUTREACH_PURPOSE=job-search"
    yield from filter(None, [str(toml("providers.toml").get(values.get("OUTREACH_PROVIDER", ""), {}).get("note", ""))])
