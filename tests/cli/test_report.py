"""`outreach report`: the same numbers on the screen, in JSON and in a page that opens without a network."""

import re
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser

from outreach.cli._report_page import Charted, report_page
from outreach.core.breakdown import By, Group
from outreach.store import tables as t
from outreach.store.report import Funnel, People
from outreach.workspace import open_store
from tests.cli.test_page import HOSTILE, browser
from tests.cli.test_replies import ENVIRONMENT, Desk, reply
from tests.mails import mail, report

__all__ = ["browser"]

MADE = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    """Bo answered, and the mail to Cy came back; Bo is tagged, and her company makes robots."""
    made = Desk(tmp_path / "desk", capsys)
    made.arrive(reply(made))
    made.arrive(report(returned_id=made.items["cy@cy.example"].message_id, recipient="cy@cy.example"))
    made.run("sync")
    made.run("replies", "label", "1", "interested")
    change(made, sa.insert(t.founder_tags).values(founder_id=made.bo.founder_id, tag="vip"))
    change(made, sa.update(t.companies).where(t.companies.c.name == "Bo Labs").values(industries=["Robotics", "AI"]))
    return made


def change(desk: Desk, statement: sa.Insert | sa.Update) -> None:
    store = open_store(desk.folder, ENVIRONMENT)
    with store.database.write() as connection:
        connection.execute(statement)
    store.close()


@pytest.mark.parametrize(
    ("by", "groups"),
    [
        ("step", {"step 1": (2, 1, 1, 1)}),
        ("tag", {"(none)": (1, 1, 0, 0), "vip": (1, 0, 1, 1)}),
        ("industry", {"(none)": (1, 1, 0, 0), "AI": (1, 0, 1, 1), "Robotics": (1, 0, 1, 1)}),
        ("variant", {}),
    ],
)
def test_a_campaign_is_broken_down(desk: Desk, by: str, groups: dict[str, tuple[int, ...]]) -> None:
    [campaign] = desk.json("report", "--by", by)["campaigns"]
    found = {
        each["key"]: tuple(each[name] for name in ("mailed", "bounced", "replied", "interested"))
        for each in campaign["by"]
    }
    assert found == groups
    for each in campaign["by"]:
        assert each["delivered"] == each["mailed"] - each["bounced"]
        assert (each["rates"]["reply"] is None) is (each["delivered"] == 0)
    out, _ = desk.run("report", "spring", "--by", by)
    assert all(key in out for key in groups)
    assert groups or "no mail of it has a variant" in out


def test_without_being_asked_nothing_is_broken_down(desk: Desk) -> None:
    [campaign] = desk.json("report")["campaigns"]
    assert "by" not in campaign
    assert "by step" not in desk.run("report")[0]


def test_variants_are_shown_with_what_their_numbers_do_not_tell(desk: Desk) -> None:
    for letter, address in (("a", "bo@bo.example"), ("b", "cy@cy.example")):
        change(desk, sa.update(t.outbox).where(t.outbox.c.rcpt == address).values(variant=letter))
    out, _ = desk.run("report", "--by", "variant")
    assert "step 1: these numbers tell no difference between the variants" in out
    assert [each["key"] for each in desk.json("report", "--by", "variant")["campaigns"][0]["by"]] == [
        "step 1 a",
        "step 1 b",
    ]


def test_an_answer_by_another_address_after_a_bounce_breaks_no_rate(desk: Desk) -> None:
    """Two answers, one of them from someone whose first address bounced: more than the mails that did not come back."""
    to_cy = desk.items["cy@cy.example"].message_id
    desk.arrive(
        mail(
            "Hello", in_reply_to=to_cy, date=desk.clock.now(), sender="cy@private.example", message_id="<2@cy.example>"
        )
    )
    desk.run("sync")
    [campaign] = desk.json("report")["campaigns"]
    assert (campaign["bounced"], campaign["replied"], campaign["delivered"]) == (1, 2, 2)
    assert campaign["rates"]["reply"]["value"] == 1


def test_the_page_is_private_and_is_not_written_over_something_else(desk: Desk, tmp_path: Path) -> None:
    page, other = tmp_path / "report.html", tmp_path / "other.html"
    desk.run("report", "--html", str(page))
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    first = page.read_text()
    desk.clock.move(timedelta(days=1))
    desk.run("report", "--html", str(page))
    assert page.read_text() != first
    other.write_text("mine")
    assert "--force" in desk.run("report", "--html", str(other), code=2)[1]
    assert other.read_text() == "mine"
    desk.run("report", "--html", str(other), "--force")
    assert "made by outreach" in other.read_text()


def test_the_page_shows_what_says_something_and_nobody_by_name(desk: Desk, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    change(desk, sa.update(t.campaigns).values(state="paused", reason="the server said: bo@bo.example is unknown"))
    desk.run("report", "--html", str(page))
    text = page.read_text()
    assert [by for by in By if f"Replies by {by}" in text] == [By.STEP, By.TAG, By.INDUSTRY]
    assert "Brightly" not in text
    assert "@" not in re.sub(r"(?s)<style>.*?</style>", "", text)
    desk.run("report", "--by", "tag", "--html", str(page))
    assert "Replies by step" not in page.read_text()


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_the_page_opens_without_a_network_and_runs_nothing(browser: Browser, tmp_path: Path, colours: str) -> None:
    numbers = Funnel("x", "paused", "", *[7] * 16)
    charted = [
        Charted(
            Funnel(f"{text} campaign", "paused", text, *[7 - at % 7] * 16),
            {
                By.TAG: [Group(text, 9, 8, 1, 3), Group("x" * 300, 5, 5, 0, 1)],
                By.VARIANT: [Group("step 1 a", 5, 5, 0, 1), Group("step 1 b", 5, 5)],
            },
        )
        for at, text in enumerate(HOSTILE)
    ]
    file = tmp_path / "report.html"
    file.write_bytes(report_page(People(9, 8), [*charted, Charted(numbers, {})], made=MADE))
    context = browser.new_context(
        color_scheme="dark" if colours == "dark" else "light", viewport={"width": 420, "height": 900}
    )
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    assert asked == [file.as_uri()]
    assert page.evaluate("window.owned") is None
    assert page.locator("section").count() == len(HOSTILE) + 1
    assert page.locator("h2").first.inner_text().startswith(HOSTILE[0].split("\n")[0])
    assert page.locator("script").count() == 0
    assert page.get_by_role("img").count() == len(HOSTILE) * 3 + 1
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    context.close()


def test_a_page_without_a_campaign_says_so() -> None:
    assert b"There is no campaign yet" in report_page(People(0, 0), [], made=MADE)


def test_a_campaign_that_is_not_there(desk: Desk, tmp_path: Path) -> None:
    assert "nothing" in desk.run("report", "nothing", "--html", str(tmp_path / "x.html"), code=1)[1]
    assert not (tmp_path / "x.html").exists()
