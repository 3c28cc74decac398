"""Settings: every problem named at once, with the line to write; the environment wins; secrets stay hidden."""

from datetime import time, timedelta
from pathlib import Path

import pytest

from outreach.errors import MailboxError, SettingsError
from outreach.resources import env_example
from outreach.settings import PREFIX, Settings, load_mailboxes, load_settings

ME = {"OUTREACH_FROM": "Ada Lovelace <ada@ada.example>"}
NO_FILE = Path("no-such-file")


def problems(environment: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as error:
        load_settings(NO_FILE, environment)
    return "\n".join(error.value.problems)


WRONG = [
    ({"OUTREACH_FROM": "ada@ada.example"}, "has no name"),
    ({"OUTREACH_FROM": "Ada <ada at ada>"}, "is not a mailbox"),
    ({**ME, "OUTREACH_SMTP_PORT": "abc"}, "OUTREACH_SMTP_PORT=465"),
    ({**ME, "OUTREACH_SMTP_PORT": "70000"}, "OUTREACH_SMTP_PORT"),
    ({**ME, "OUTREACH_SMTP_HSOT": "x"}, "did you mean OUTREACH_SMTP_HOST?"),
    ({**ME, "OUTREACH_PURPOSE": "fun"}, "OUTREACH_PURPOSE=job-search"),
    ({**ME, "OUTREACH_PROVIDER": "goggle"}, "fastmail, gmail"),
    ({**ME, "OUTREACH_WINDOW": "9 to 5"}, "OUTREACH_WINDOW=09:00-17:00"),
    ({**ME, "OUTREACH_WINDOW": "17:00-09:00"}, "ends before it starts"),
    ({**ME, "OUTREACH_WINDOW": "25:00-26:00"}, "is not a span of time"),
    ({**ME, "OUTREACH_WEEKDAYS": "mon-xyz"}, "OUTREACH_WEEKDAYS=mon-fri"),
    ({**ME, "OUTREACH_TIMEZONE": "Mars/Olympus"}, "OUTREACH_TIMEZONE=Europe/Berlin"),
    ({**ME, "OUTREACH_MIN_GAP": "5"}, "20 seconds"),
    ({**ME, "OUTREACH_MIN_GAP": "300"}, "OUTREACH_MAX_GAP"),
    ({**ME, "OUTREACH_MIN_GAP": "9" * 20}, "is not a length of time"),
    ({**ME, "OUTREACH_DAILY_CAP": "0"}, "OUTREACH_DAILY_CAP"),
    ({**ME, "OUTREACH_SMTP_HOST": "mail.example", "OUTREACH_SMTP_SECURITY": "none"}, "OUTREACH_SMTP_SECURITY=tls"),
    ({**ME, "OUTREACH_IMAP_HOST": "mail.example", "OUTREACH_IMAP_SECURITY": "none"}, "OUTREACH_IMAP_SECURITY=tls"),
    ({**ME, "OUTREACH_IMAP_HOST": "mail.example", "OUTREACH_MAILDIR": "m"}, "keep one of the two"),
    ({**ME, "OUTREACH_DATABASE_URL": "mysql://x"}, "sqlite:///"),
]


@pytest.mark.parametrize(("environment", "expected"), WRONG)
def test_a_wrong_setting_is_named_with_the_line_to_write(environment: dict[str, str], expected: str) -> None:
    assert expected in problems(environment)


def test_all_problems_come_at_once() -> None:
    found = problems({"OUTREACH_SMTP_PORT": "x", "OUTREACH_TYPO": "1", "OUTREACH_PROVIDER": "no"})
    for name in ("OUTREACH_FROM", "OUTREACH_SMTP_PORT", "OUTREACH_TYPO", "OUTREACH_PROVIDER"):
        assert name in found


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    env = tmp_path / ".env"
    env.write_text(
        'OUTREACH_FROM="Ada <ada@ada.example>"\nOUTREACH_DAILY_CAP=7\nOUTREACH_HOURLY_CAP=3\nOTHER=ignored\n'
    )
    settings = load_settings(env, {"OUTREACH_DAILY_CAP": "9", "OUTREACH_WORKSPACE": "x"})
    assert (settings.daily_cap, settings.hourly_cap) == (9, 3)


def test_a_provider_fills_hosts_ports_user_and_ceiling() -> None:
    settings = load_settings(NO_FILE, {**ME, "OUTREACH_PROVIDER": "microsoft365"})
    assert (settings.smtp_host, settings.smtp_port, settings.smtp_security) == ("smtp.office365.com", 587, "starttls")
    assert settings.imap_username == settings.smtp_username == "ada@ada.example"
    assert settings.ceiling == 200
    with_maildir = load_settings(NO_FILE, {**ME, "OUTREACH_PROVIDER": "gmail", "OUTREACH_MAILDIR": "Mail"})
    assert with_maildir.imap_host == ""


def test_values_are_parsed() -> None:
    settings = load_settings(
        NO_FILE,
        {**ME, "OUTREACH_WINDOW": "8:30-18:00", "OUTREACH_WEEKDAYS": "sat-mon, wed", "OUTREACH_MIN_GAP": "1m",
         "OUTREACH_MAX_GAP": "2m", "OUTREACH_ALLOW_RECIPIENTS": "Me@X.example, y.example", "OUTREACH_NO_SEND": "1",
         "OUTREACH_SMTP_SECURITY": "starttls"},
    )  # fmt: skip
    assert settings.window == (time(8, 30), time(18))
    assert settings.weekdays == {5, 6, 0, 2}
    assert settings.min_gap == timedelta(minutes=1)
    assert settings.allow_recipients == ("me@x.example", "y.example")
    assert settings.no_send
    assert settings.smtp_port == 587


def test_a_window_may_be_the_whole_day() -> None:
    assert load_settings(NO_FILE, {**ME, "OUTREACH_WINDOW": "00:00-24:00"}).window == (time(), time.max)


def test_a_password_is_never_shown(tmp_path: Path) -> None:
    env = tmp_path / ".env"
    env.write_text("OUTREACH_FROM='Ada <ada@ada.example>'\nOUTREACH_SMTP_PASSWORD='CANARY $x #y'\n")
    settings = load_settings(env, {})
    assert settings.password("smtp") == "CANARY $x #y"
    assert "CANARY" not in repr(settings) + str(settings)
    with pytest.raises(SettingsError) as error:
        load_settings(env, {"OUTREACH_SMTP_PORT": "CANARY"})
    assert "CANARY" not in str(error.value)


def test_a_password_command(tmp_path: Path) -> None:
    settings = load_settings(NO_FILE, {**ME, "OUTREACH_SMTP_PASSWORD_CMD": "printf 'secret\\nmore'"})
    assert settings.password("smtp") == "secret"
    broken = load_settings(NO_FILE, {**ME, "OUTREACH_SMTP_PASSWORD_CMD": "no-such-command-anywhere"})
    with pytest.raises(MailboxError, match="OUTREACH_SMTP_PASSWORD_CMD"):
        broken.password("smtp")


def test_the_example_lists_every_setting_and_nothing_else() -> None:
    names = {
        line.lstrip("#").partition("=")[0] for line in env_example().splitlines() if line.lstrip("#").startswith(PREFIX)
    }
    assert names == {PREFIX + (info.alias or name).upper() for name, info in Settings.model_fields.items()}


# --- several mailboxes ------------------------------------------------------------------------------------------


def with_mailboxes(folder: Path, first: str, **others: str) -> dict[str, Settings]:
    (folder / "mailboxes").mkdir()
    (folder / ".env").write_text(f'OUTREACH_FROM="Ada <ada@ada.example>"\n{first}')
    for name, text in others.items():
        (folder / "mailboxes" / f"{name}.env").write_text(text)
    return load_mailboxes(folder / ".env", {}, folder / "mailboxes")


def test_without_files_there_is_the_mailbox_of_the_settings_alone(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text('OUTREACH_FROM="Ada <ada@ada.example>"\n')
    assert list(load_mailboxes(tmp_path / ".env", {}, tmp_path / "mailboxes")) == ["default"]


def test_a_mailbox_has_servers_of_its_own_and_the_pace_of_all_unless_it_says_otherwise(tmp_path: Path) -> None:
    first = "OUTREACH_SMTP_HOST=a.example\nOUTREACH_SMTP_PASSWORD=CANARY\nOUTREACH_MAILDIR=A\nOUTREACH_DAILY_CAP=9\n"
    found = with_mailboxes(
        tmp_path, f"{first}OUTREACH_HOURLY_CAP=4\nOUTREACH_MAILBOX_CEILING=7\nOUTREACH_NO_SEND=1\n",
        sales='OUTREACH_FROM="Bea <bea@b.example>"\nOUTREACH_PROVIDER=gmail\nOUTREACH_DAILY_CAP=3\n',
    )  # fmt: skip
    assert list(found) == ["default", "sales"]
    sales = found["sales"]
    assert (sales.daily_cap, sales.hourly_cap, sales.no_send) == (3, 4, True)
    assert (sales.smtp_host, sales.smtp_username, sales.maildir) == ("smtp.gmail.com", "bea@b.example", "")
    assert sales.smtp_password.get_secret_value() == ""
    assert sales.mailbox_ceiling == 2000
    assert found["default"].smtp_host == "a.example"


def test_every_wrong_line_of_a_mailbox_is_named_with_its_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as error:
        with_mailboxes(
            tmp_path, "OUTREACH_MAX_GAP=90\n",
            one="OUTREACH_FROM=nobody\nOUTREACH_SMTP_PASSWORD=CANARY\nOUTREACH_SMPT_HOST=x\nCOLOUR=red\n",
            two='OUTREACH_FROM="Bea <bea@b.example>"\nOUTREACH_NO_SEND=1\nOUTREACH_MIN_GAP=99\nOUTREACH_X_KEY=CANARY\n',
            three='OUTREACH_FROM="Ada <ADA@ada.example>"\n',
            default='OUTREACH_FROM="Cy <cy@c.example>"\nbroken "line\n',
        )  # fmt: skip
    found = "\n".join(error.value.problems)
    assert sorted(line.partition(": ")[0] for line in error.value.problems) == sorted(
        [*["mailboxes/one.env"] * 3, *["mailboxes/two.env"] * 3, "mailboxes/three.env", *["mailboxes/default.env"] * 2]
    )
    for told in (
        "one.env: OUTREACH_FROM: is not a mailbox",
        "one.env: OUTREACH_SMPT_HOST is not a setting; did you mean OUTREACH_SMTP_HOST?",
        "one.env: COLOUR is not a setting",
        "two.env: OUTREACH_NO_SEND holds for all mailboxes; write it into .env",
        "two.env: OUTREACH_MAX_GAP: is shorter than OUTREACH_MIN_GAP",
        "two.env: OUTREACH_X_KEY holds for all mailboxes",
        "three.env: OUTREACH_FROM: ada@ada.example is the mailbox default already",
        "default.env: default cannot be the name of a mailbox",
        "default.env: line 2 cannot be read",
    ):
        assert told in found
    assert "CANARY" not in str(error.value)
