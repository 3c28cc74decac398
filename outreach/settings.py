"""The settings: `.env` and the environment, read and checked in one go.

The environment wins over the file. Every problem is named at once, with the line to write. Secrets are held as
`SecretStr` and resolved only where they are used; this module never prints a value that may be one.
"""

import re
import shlex
import subprocess
from collections.abc import Iterable, Mapping
from datetime import date, time, timedelta
from email.utils import parseaddr, quote
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from dotenv.parser import parse_stream
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from outreach.core.normalize import is_plain_address
from outreach.errors import MailboxError, SettingsError
from outreach.resources import toml

PREFIX = "OUTREACH_"
EXTRA = "x_"
"""Names that begin so (`OUTREACH_X_…`) belong to finders of other packages."""
DEFAULT_MAILBOX = "default"
"""The name of the mailbox that `.env` describes."""
_MAILBOX_NAME = re.compile(r"\w[\w.-]{0,31}", re.ASCII)
_OF_ONE_MAILBOX = re.compile(r"from|provider|(smtp|imap)_\w+|maildir|mbox|sent_copies|mailbox_ceiling")
"""What only the file of a mailbox may say of it: no server is asked with the password of another."""
_PACE = frozenset(
    ("signature", "daily_cap", "hourly_cap", "ramp", "min_gap", "max_gap", "window", "weekdays", "holidays",
     "domain_gap", "stale_inbox", "timezone", "run_limit")
)  # fmt: skip
"""What the file of a mailbox may say otherwise than `.env`."""
_NOT_SETTINGS = frozenset({"OUTREACH_WORKSPACE"})  # read before any setting is
_SPECIAL = re.compile(r'[()<>\[\]:;@\\,."]')
_LOOPBACK = re.compile(r"localhost|127(\.\d{1,3}){3}|::1", re.IGNORECASE)
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_PASSWORD_CMD_SECONDS = 60
_STORES = ("sqlite:///", "postgresql://", "postgres://")


class Purpose(StrEnum):
    """Why the mails are sent; what the law asks depends on it."""

    JOB_SEARCH = "job-search"
    COMMERCIAL = "commercial"


class Security(StrEnum):
    """How a connection is encrypted. NONE is for loopback hosts only."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


class TransportName(StrEnum):
    """The ways out."""

    SMTP = "smtp"
    DIRECTORY = "directory"


class StaleInbox(StrEnum):
    """What an inbox that could not be read for half an hour holds back."""

    ALL = "all"
    FIRST_STEPS = "first-steps-pass"


class SentCopies(StrEnum):
    """Whether copies of sent mails are put into the Sent folder."""

    AUTO = "auto"
    """Where the provider does not."""
    NEVER = "never"


def is_loopback(host: str) -> bool:
    """Whether a host name can only mean this machine."""
    return _LOOPBACK.fullmatch(host) is not None


def _mailbox(text: str) -> str:
    name, address = parseaddr(text)
    valid = address if is_plain_address(address) else _valid_address(address)
    if not name.strip():
        raise PydanticCustomError("mailbox", "has no name before the address")
    return named_mailbox(name, valid)


def named_mailbox(name: str, address: str) -> str:
    """`Ada Lovelace <ada@…>`, with the name in quotes where a comma or the like asks for it (RFC 5322, 3.2.3)."""
    name = name.strip()
    return f'"{quote(name)}" <{address}>' if _SPECIAL.search(name) else f"{name} <{address}>"


def _valid_address(text: str) -> str:
    from email_validator import EmailNotValidError, validate_email  # slow to load, and hardly ever needed

    try:
        # `.example` and `.test` are special-use, yet fine as an identity: whether mail arrives is the server's word.
        valid = validate_email(text, check_deliverability=False, test_environment=True, allow_smtputf8=False)
    except EmailNotValidError as error:
        raise PydanticCustomError("mailbox", "is not a mailbox ({why})", {"why": str(error).rstrip(".")}) from None
    return valid.ascii_email or valid.normalized


def _window(value: object) -> object:
    if isinstance(value, str):
        match = re.fullmatch(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})", value.strip())
        if not match:
            raise PydanticCustomError("window", "is not a span of time")
        hours = [int(part) for part in match.groups()]
        try:
            value = (time(hours[0], hours[1]), time.max if hours[2:] == [24, 0] else time(hours[2], hours[3]))
        except ValueError:
            raise PydanticCustomError("window", "is not a span of time") from None
        if value[0] >= value[1]:
            raise PydanticCustomError("window", "ends before it starts")
    return value


def _weekdays(value: object) -> object:
    if not isinstance(value, str):
        return value
    days: set[int] = set()
    for part in value.lower().replace(" ", "").split(","):
        first, _, last = part.partition("-")
        if first not in _DAYS or (last and last not in _DAYS):
            raise PydanticCustomError("weekdays", "is not a list of weekdays")
        start, end = _DAYS.index(first), _DAYS.index(last or first)
        days.update(day % 7 for day in range(start, end + 1 if end >= start else end + 8))
    return frozenset(days)


def _dates(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return frozenset(date.fromisoformat(part) for part in re.split(r"[,\s]+", value.strip()) if part)
    except ValueError:
        raise PydanticCustomError("dates", "is not a list of dates such as 2026-12-25") from None


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)  # to list them all would look through 600 files, at every command
    except (KeyError, ValueError, OSError):  # unknown, or no name at all: "../x", a folder
        raise PydanticCustomError("zone", "is not a time zone of the IANA list") from None
    return name


def _duration(value: object) -> object:
    if isinstance(value, str):
        match = re.fullmatch(r"(\d{1,6})\s*(s|sec|m|min|h)?", value.strip())
        if not match:
            raise PydanticCustomError("duration", "is not a length of time")
        unit = {"m": "minutes", "min": "minutes", "h": "hours"}.get(match[2], "seconds")
        return timedelta(**{unit: int(match[1])})
    return value


def _listed(value: object) -> object:
    return (
        tuple(part for part in re.split(r"[,\s]+", value.strip().lower()) if part) if isinstance(value, str) else value
    )


_Window = Annotated[tuple[time, time], BeforeValidator(_window)]
_Duration = Annotated[timedelta, BeforeValidator(_duration)]
_List = Annotated[tuple[str, ...], BeforeValidator(_listed)]
_Port = Annotated[int, Field(ge=1, le=65535)]


class Settings(BaseModel):
    """Every setting, checked. Names are those of `.env` without `OUTREACH_`, in lower case."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    from_: Annotated[str, AfterValidator(_mailbox)] = Field(alias="from", examples=['"Ada Lovelace <ada@example.com>"'])
    purpose: Purpose = Field(Purpose.COMMERCIAL, examples=["job-search"])
    provider: str = Field("", examples=["gmail"])

    transport: TransportName = Field(TransportName.SMTP, examples=["smtp"])
    outbox_dir: str = Field("", examples=["outbox"])
    smtp_host: str = Field("", examples=["smtp.example.com"])
    smtp_port: _Port = Field(465, examples=["465"])
    smtp_security: Security = Field(Security.TLS, examples=["tls"])
    smtp_username: str = Field("", examples=["ada@example.com"])
    smtp_password: SecretStr = Field(SecretStr(""), examples=["..."])
    smtp_password_cmd: str = Field("", examples=['"pass show mail/ada"'])
    smtp_ca_file: str = Field("", examples=["/etc/ssl/my-ca.pem"])

    imap_host: str = Field("", examples=["imap.example.com"])
    imap_port: _Port = Field(993, examples=["993"])
    imap_security: Security = Field(Security.TLS, examples=["tls"])
    imap_username: str = Field("", examples=["ada@example.com"])
    imap_password: SecretStr = Field(SecretStr(""), examples=["..."])
    imap_password_cmd: str = Field("", examples=['"pass show mail/ada"'])
    imap_ca_file: str = Field("", examples=["/etc/ssl/my-ca.pem"])
    maildir: str = Field("", examples=["/home/ada/Maildir"])
    mbox: str = Field("", examples=["/var/mail/ada"])

    sent_copies: SentCopies = Field(SentCopies.AUTO, examples=["never"])

    daily_cap: int = Field(30, ge=1, le=2000, examples=["30"])
    hourly_cap: int = Field(20, ge=1, le=500, examples=["20"])
    ramp: int = Field(15, ge=0, le=2000, examples=["15"])
    min_gap: _Duration = Field(timedelta(seconds=60), ge=timedelta(seconds=20), examples=["60"])
    max_gap: _Duration = Field(
        timedelta(seconds=190), ge=timedelta(seconds=20), validate_default=True, examples=["190"]
    )
    window: _Window = Field((time(9), time(17)), examples=["09:00-17:00"])
    weekdays: Annotated[frozenset[int], BeforeValidator(_weekdays)] = Field(frozenset(range(5)), examples=["mon-fri"])
    holidays: Annotated[frozenset[date], BeforeValidator(_dates)] = Field(
        frozenset(), examples=["2026-12-25,2026-12-26"]
    )
    domain_gap: _Duration = Field(timedelta(minutes=10), ge=timedelta(0), examples=["10m"])
    mailbox_ceiling: int = Field(2000, ge=1, le=2000, examples=["100"])
    stale_inbox: StaleInbox = Field(StaleInbox.ALL, examples=["first-steps-pass"])
    timezone: Annotated[str, AfterValidator(_zone)] = Field("UTC", examples=["Europe/Berlin"])
    company_daily_cap: int = Field(1, ge=1, le=20, examples=["1"])
    run_limit: int = Field(50, ge=1, le=500, examples=["50"])

    hunter_api_key: SecretStr = Field(SecretStr(""), examples=["..."])
    hunter_api_key_cmd: str = Field("", examples=['"pass show hunter"'])
    finders: _List = Field((), examples=["website,hunter,pattern"])
    find_budget: int = Field(50, ge=0, le=100_000, examples=["50"])

    postal_address: str = Field("", examples=['"1 Example Street, Exampletown"'])
    signature: str = Field("", examples=['"Ada Lovelace, engineer"'])
    allow_recipients: _List = Field((), examples=["me@example.com,example.org"])
    no_send: bool = Field(default=False, examples=["1"])
    database_url: SecretStr = Field(SecretStr(""), examples=["sqlite:////home/ada/outreach.db"])

    _extras: Mapping[str, SecretStr] = PrivateAttr(default_factory=dict)

    def model_post_init(self, context: Mapping[str, SecretStr] | None, /) -> None:
        """What finders of other packages are told arrives beside the settings themselves."""
        self._extras = dict(context or {})

    @field_validator("max_gap")
    @classmethod
    def _not_below_min_gap(cls, value: timedelta, info: ValidationInfo) -> timedelta:
        if value < info.data.get("min_gap", value):
            raise PydanticCustomError("gap", "is shorter than OUTREACH_MIN_GAP")
        return value

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def ceiling(self) -> int:
        """The most that may leave this mailbox in 24 hours, by hand or by program; settings only lower it."""
        return min(self.mailbox_ceiling, int(toml("providers.toml").get(self.provider, {}).get("ceiling", 2000)))

    def secret(self, name: str) -> str:
        """A finder's secret: `hunter_api_key`, or `x_…` for one of another package; empty if it is not set."""
        if name.startswith(EXTRA):
            return self._extras.get(name, SecretStr("")).get_secret_value()
        given: SecretStr = getattr(self, name, SecretStr(""))
        command: str = getattr(self, f"{name}_cmd", "")
        return given.get_secret_value() or (_ask(command, f"{name}_cmd") if command else "")

    def password(self, service: str) -> str:
        """The password for `smtp` or `imap`: the setting itself, else the first line that its command prints."""
        given: SecretStr = getattr(self, f"{service}_password")
        command: str = getattr(self, f"{service}_password_cmd")
        return given.get_secret_value() or (_ask(command, f"{service}_password_cmd") if command else "")


def _ask(command: str, setting: str) -> str:
    name = PREFIX + setting.upper()
    try:
        done = subprocess.run(  # noqa: S603  the user's own command, from the user's own settings
            shlex.split(command), capture_output=True, text=True, timeout=_PASSWORD_CMD_SECONDS, check=True
        )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise MailboxError(
            f"the command in {name} failed ({type(error).__name__}).", hint="run it by hand; it must print the password"
        ) from None
    return done.stdout.partition("\n")[0].strip("\r")


def _with_defaults(values: Mapping[str, str]) -> dict[str, Any]:
    """What the provider or the kind of connection implies, under what the user wrote."""
    implied: dict[str, Any] = dict(toml("providers.toml").get(values.get("provider", ""), {}))
    if implied:
        implied["imap_username"] = implied["smtp_username"] = parseaddr(values.get("from", ""))[1]
    if values.get("maildir") or values.get("mbox"):
        implied = {name: value for name, value in implied.items() if not name.startswith("imap_")}
    if values.get("smtp_security") == Security.STARTTLS:
        implied["smtp_port"] = 587
    if values.get("imap_security") in (Security.STARTTLS, Security.NONE):
        implied["imap_port"] = 143
    if values.get("smtp_ca_file"):
        implied["imap_ca_file"] = values["smtp_ca_file"]
    return {**{name: value for name, value in implied.items() if name in Settings.model_fields}, **values}


def _contradictions(values: Mapping[str, Any]) -> Iterable[str]:
    """Settings that are fine alone and wrong together."""
    providers = sorted(toml("providers.toml"))
    if values.get("provider") and values["provider"] not in providers:
        yield f"OUTREACH_PROVIDER: is not one of {', '.join(providers)}; or name the hosts yourself"
    for service in ("SMTP", "IMAP"):
        host, security = values.get(f"{service.lower()}_host"), values.get(f"{service.lower()}_security")
        if host and security == Security.NONE and not is_loopback(host):
            name = f"OUTREACH_{service}_SECURITY"
            yield f"{name}: none is for this machine only, not for {host}; write {name}=tls"
    inboxes = [f"OUTREACH_{name.upper()}" for name in ("maildir", "mbox", "imap_host") if values.get(name)]
    if len(inboxes) > 1:
        yield f"{inboxes[0]}: is set together with {inboxes[1]}; keep one of the two"
    if not str(values.get("database_url") or "sqlite:///").startswith(_STORES):
        yield (
            "OUTREACH_DATABASE_URL: only SQLite files and PostgreSQL can be used; "
            f"write e.g. {_example('database_url')}, or postgresql://user@host/outreach"
        )


def load_settings(env_file: Path, environment: Mapping[str, str]) -> Settings:
    """Read `.env` (if it is there) and the environment, which wins. SettingsError names every problem at once."""
    found, problems = _read_lines(env_file)
    settings, wrong = _checked(_given(found, environment))
    if settings is None or problems:
        raise SettingsError(
            [*problems, *wrong], source=f"{env_file} or the environment", hint=f"change these lines in {env_file}"
        )
    return settings


def load_mailboxes(env_file: Path, environment: Mapping[str, str], folder: Path) -> dict[str, Settings]:
    """The settings of every mailbox by its name, that of `.env` first: each file NAME.env in `folder` describes one
    more. It has the servers and the limits of its own; what it does not say of pace and signature is as in `.env`.
    SettingsError names every problem with its file."""
    found = {DEFAULT_MAILBOX: load_settings(env_file, environment)}
    shared = {
        name: value
        for name, value in _given(_read_lines(env_file)[0], environment).items()
        if not _OF_ONE_MAILBOX.fullmatch(name)
    }
    problems: list[str] = []
    for file in sorted(folder.glob("*.env")):
        where = f"{folder.name}/{file.name}"
        lines, wrong = _read_lines(file)
        own, foreign = _given(lines, {}), [name for name in lines if not name.startswith(PREFIX)]
        settings, invalid = _checked({**shared, **own})
        wrong += [f"{name} is not a setting" for name in foreign]
        wrong += [_not_here(name) for name in own if not _may_differ(name)]
        wrong += invalid
        wrong += _name_taken(file.stem, settings, found)
        problems += [f"{where}: {problem}" for problem in wrong]
        if settings is not None:
            found.setdefault(file.stem, settings)
    if problems:
        raise SettingsError(problems, source=f"{folder}", hint="change these lines, or move the file elsewhere")
    return found


def _may_differ(name: str) -> bool:
    unknown = name not in _known_names() and not name.startswith(EXTRA)  # which `Settings` itself says
    return bool(_OF_ONE_MAILBOX.fullmatch(name)) or name in _PACE or unknown


def _not_here(name: str) -> str:
    return f"{_named(name)} holds for all mailboxes; write it into .env"


def _named(name: str) -> str:
    return PREFIX + name.upper()


def _known_names() -> list[str]:
    return [info.alias or name for name, info in Settings.model_fields.items()]


def _name_taken(name: str, settings: Settings | None, found: Mapping[str, Settings]) -> Iterable[str]:
    """Why a mailbox cannot be called so, or is there already."""
    if name == DEFAULT_MAILBOX or not _MAILBOX_NAME.fullmatch(name):
        yield f"{name} cannot be the name of a mailbox; call the file by letters, digits, - and _, such as sales.env"
    if settings is not None:
        address = parseaddr(settings.from_)[1].casefold()
        for other, known in found.items():
            if parseaddr(known.from_)[1].casefold() == address:
                yield f"OUTREACH_FROM: {address} is the mailbox {other} already; each file has its own"


def _given(lines: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """What is set, by the names of `Settings`; the environment wins over the lines of a file."""
    return {
        name.removeprefix(PREFIX).lower(): value
        for name, value in {**lines, **environment}.items()
        if name.startswith(PREFIX) and name not in _NOT_SETTINGS and value
    }


def _checked(given: Mapping[str, str]) -> tuple[Settings | None, list[str]]:
    """The settings, or what is wrong with them, a line for each problem."""
    values = _with_defaults({name: value for name, value in given.items() if not name.startswith(EXTRA)})
    extras = {name: SecretStr(value) for name, value in given.items() if name.startswith(EXTRA)}
    problems = [*_contradictions(values)]
    try:
        settings = Settings.model_validate(values, context=extras)
    except ValidationError as error:
        return None, problems + [_problem(details) for details in error.errors(include_input=False)]
    return (None, problems) if problems else (settings, [])


def _read_lines(env_file: Path) -> tuple[dict[str, str], list[str]]:
    """The assignments in `.env`, and the lines that are none: what is not understood is never passed over."""
    if not env_file.is_file():
        return {}, []
    try:
        with env_file.open(encoding="utf-8") as file:
            bindings = list(parse_stream(file))
    except OSError as error:
        raise SettingsError(
            [f"the file cannot be read: {error.strerror}"], source=str(env_file), hint="see to its permissions"
        ) from None
    except UnicodeDecodeError as error:
        raise SettingsError(
            [f"the file cannot be read: {error}"], source=str(env_file), hint="save it as plain UTF-8 text"
        ) from None
    wrong = [f"line {b.original.line} cannot be read; check its quotes" for b in bindings if b.error]
    return {b.key: b.value for b in bindings if b.key and b.value is not None}, wrong


def _problem(details: ErrorDetails) -> str:
    field = str(details["loc"][0])
    name = PREFIX + field.upper()
    example = _example(field)
    if details["type"] == "missing":
        return f"{name} is missing; write e.g. {example}"
    if details["type"] == "extra_forbidden":
        return f"{name} is not a setting{_meant(field)}"
    said = str(details["msg"]).removeprefix("Value error, ")
    return f"{name}: {said[:1].lower() + said[1:]}; write e.g. {example}"


def _example(field: str) -> str:
    for name, info in Settings.model_fields.items():
        if (info.alias or name) == field and info.examples:
            return f"{PREFIX}{field.upper()}={info.examples[0]}"
    return f"{PREFIX}{field.upper()}=..."


def _meant(field: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(field, _known_names(), n=1)
    return f"; did you mean {PREFIX}{near[0].upper()}?" if near else "; `.env.example` lists them all"
