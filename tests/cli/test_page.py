"""The preview page in a real browser: the keyboard works, hostile names stay names, and nothing leaves the file."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from outreach.cli._page import preview_page
from outreach.core.findings import Finding
from outreach.core.message import build_message, with_footer
from outreach.core.records import (
    Attachment,
    Campaign,
    CampaignState,
    Company,
    Draft,
    Founder,
    Sender,
    Sequence,
    Step,
)
from outreach.flows.preview import Blank, Shown

CHROMIUM = shutil.which("chromium")
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
ME = Sender("Ada Lovelace", "ada@lovelace.example")
HOSTILE = (
    "</script><script>window.owned = 1</script>",
    "<img src=https://evil.example/p.gif onerror='window.owned = 1'>",
    "<!--<script>",
    "\u2028window.owned = 1//",
    "%DATA%%SCRIPT%",
    "javascript:window.owned=1",
    "' onmouseover='window.owned = 1",
)
HTML = (
    "<p>Hi <b>Bo</b></p><script>window.owned = 1; parent.owned = 1</script><img src='https://evil.example/p.gif'>"
    "<link rel=stylesheet href='https://evil.example/x.css'><form action='https://evil.example/'><input></form>"
    "<a id=out href='https://evil.example/'>out</a><meta http-equiv=refresh content='0;url=https://evil.example/'>"
)
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("Debian's chromium is not installed")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


def mail(number: int, name: str, company: str, **more: Any) -> Shown:
    """A mail as preview shows it; the HTML part is worse than the program would ever make one."""
    html = HTML if number == 1 else ""
    files = (Attachment("cv.pdf", "CV.pdf", kind="application/pdf", encoded=b"JVBERg==\r\n", size=4),) if html else ()
    text = with_footer(f"Hi {name},\n\nare you hiring at {company}?\n\nAda", "")
    message = build_message(
        Draft(f"About {company}", text, html, files), sender=ME, recipient="bo@quill.example", recipient_name=name,
        date=NOW, token=f"{number:032}",
    )  # fmt: skip
    founder = Founder(number, name, company=Company(number, company))
    shown = Shown(
        founder, "bo@quill.example", 1, f"About {company}", text, message.message_id, message.sha256, message.mime,
        "preview",
    )  # fmt: skip
    return Shown(**{**{field: getattr(shown, field) for field in Shown.__dataclass_fields__}, **more})


def page_bytes() -> bytes:
    link = Finding("link", "the first mail holds a link", blocks=False, path="t/mine/1-intro.txt", line=5)
    found: list[Shown | Blank] = [
        mail(1, "Bo Brightly", "Quill Labs", variant="short", findings=(link,)),
        mail(2, "Cy Sprout", "Sprout & Sons", approval="approved on 2026-03-02"),
        mail(3, "Di Ohm", "Ohm", waits=("company-busy: Cy Sprout is being written to",)),
        *(mail(10 + number, name, name) for number, name in enumerate(HOSTILE)),
        Blank(
            Founder(50, "Ed <b>Held</b>", company=Company(50, HOSTILE[0])), (f"company.city is empty {HOSTILE[1]}",), 1
        ),
    ]
    campaign = Campaign(1, "spring" + HOSTILE[0], "mine", 1, CampaignState.ACTIVE, "", {}, NOW)
    sequence = Sequence("mine", (Step(1, "intro", "s", "b", timedelta(), "x"),))
    command = "outreach preview spring --approve 0123456789ab"
    return preview_page(campaign, sequence, found, command=command, made=NOW)


class Elsewhere(BaseHTTPRequestHandler):
    """Where everything hostile points to; whatever arrives here has left the file."""

    arrived: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.arrived.append(self.path)
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the library's name
        """Nothing: pytest's output is not its place."""


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def page(browser: Browser, tmp_path: Path, elsewhere: str) -> Iterator[tuple[Page, list[str]]]:
    """The open page, and what went wrong in it or was answered from outside."""
    Elsewhere.arrived.clear()
    (tmp_path / "page.html").write_bytes(page_bytes().replace(b"https://evil.example", elsewhere.encode()))
    opened = browser.new_page(viewport={"width": 1280, "height": 860})
    requests: list[str] = []
    opened.on("response", lambda response: requests.append(response.url))
    opened.on("pageerror", lambda error: requests.append(f"error: {error}"))
    opened.on("dialog", lambda dialog: requests.append(f"dialog: {dialog.message}"))
    opened.goto((tmp_path / "page.html").as_uri())
    yield opened, requests
    opened.close()


def subject(page: Page) -> str:
    return page.locator("#mail h2").inner_text()


def test_the_keyboard_flips_filters_searches_and_turns(page: tuple[Page, list[str]]) -> None:
    shown, _ = page
    keys = shown.keyboard
    assert (subject(shown), shown.locator("#position").inner_text()) == ("About Quill Labs", "1 of 11")
    keys.press("j")
    assert subject(shown) == "About Sprout & Sons"
    assert shown.locator(".chip.good").inner_text() == "approved on 2026-03-02"
    keys.press("ArrowDown")
    assert "company-busy: Cy Sprout" in shown.locator(".notes").inner_text()
    keys.press("k")
    keys.press("ArrowUp")
    keys.press("k")
    assert subject(shown) == "About Quill Labs"
    keys.press("End")
    assert "company.city is empty" in shown.locator(".notes").inner_text()
    keys.press("Home")
    keys.press("t")
    assert shown.frame_locator("iframe").locator("b").inner_text() == "Bo"
    keys.press("t")
    assert "Message-ID: <or." in shown.locator(".source").inner_text()
    keys.press("t")
    keys.press("/")
    keys.type("sprout")
    assert shown.locator("#position").inner_text() == "1 of 2"
    keys.press("Enter")
    keys.press("j")
    assert subject(shown) == "About Ohm"
    keys.press("Escape")
    assert shown.locator("#position").inner_text() == "3 of 11"
    for expected in (9, 2, 1, 11):
        keys.press("f")
        assert shown.locator("#position").inner_text().endswith(f"of {expected}")


def test_a_hostile_name_runs_nothing_and_is_shown_as_it_is(page: tuple[Page, list[str]], elsewhere: str) -> None:
    shown, requests = page
    for number in range(11):
        if number:
            shown.keyboard.press("j")
        for _ in range(3):
            shown.keyboard.press("t")
    shown.keyboard.press("Home")
    shown.get_by_role("tab", name="HTML").click()
    shown.frame_locator("iframe").locator("#out").click(force=True)
    shown.wait_for_timeout(200)
    assert shown.evaluate("window.owned") is None
    assert Elsewhere.arrived == []
    assert [each for each in requests if not each.startswith("file:")] == []
    assert shown.locator("h1").inner_text() == "spring" + HOSTILE[0]
    names = shown.locator("#people b").all_inner_texts()
    assert [name.partition(elsewhere)[0] for name in names[3:10]] == [
        name.partition("https://evil.example")[0] for name in HOSTILE
    ]
    assert shown.locator("#people img, #people script, #mail script, #mail img").count() == 0


def test_the_policy_allows_one_script_and_nothing_else() -> None:
    text = page_bytes().decode()
    assert text.count("<script") == 2
    for word in ("default-src 'none'", "script-src 'sha256-", "frame-src 'none'", "form-action 'none'"):
        assert word in text
    assert "unsafe-eval" not in text
    assert "http://" not in text.partition('id="data"')[0].replace("http-equiv", "")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_and_paper_differ_enough_to_read(browser: Browser, tmp_path: Path, scheme: str) -> None:
    """WCAG AA: a contrast of 4.5 for the text, the remarks and the quiet lines of the list."""
    (tmp_path / "page.html").write_bytes(page_bytes())
    opened = browser.new_page(color_scheme=scheme)  # type: ignore[arg-type]  # one of its literals
    opened.goto((tmp_path / "page.html").as_uri())
    for selector in (
        ".body",
        ".notes li",
        "#people small",
        ".head h2",
        "#summary",
        ".tabs button",
        ".footer",
        ".fields dt",
    ):
        assert opened.evaluate(CONTRAST, selector) >= 4.5, selector
    opened.close()


CONTRAST = """selector => {
  const light = (color) => {
    const parts = color.match(/[\\d.]+/g).map(Number).slice(0, 3).map(v => color.startsWith('color') ? v : v / 255);
    const [r, g, b] = parts.map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const seen = (color) => !/rgba\\(0, 0, 0, 0\\)|transparent|\\/ 0\\)/.test(color);
  const node = document.querySelector(selector);
  let ground = node;
  while (!seen(getComputedStyle(ground).backgroundColor)) ground = ground.parentElement;
  const [a, b] = [light(getComputedStyle(node).color), light(getComputedStyle(ground).backgroundColor)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}"""
