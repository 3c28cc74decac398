"""A hostile list: no header is injected, nothing is evaluated, nothing escapes to the terminal."""

import csv
import os
import pty
import re
import subprocess
import sys
from email import message_from_bytes
from pathlib import Path

import pytest

from tests.cli.program import Workspace

CELLS = {
    "newline": "Ada\r\nBcc: i@evil.example\r\n\r\nbody",
    "encoded newline": "=?UTF-8?Q?=0ABcc:=20i@evil.example?=",
    "template": "{{ 7*7 }}{% for x in range(9) %}x{% endfor %}",
    "escape": "\x1b[2J\x1b]0;owned\x07\x1b]8;;http://evil.example\x1b\\x\x9b31m",
    "formula": '=HYPERLINK("http://evil.example","x")',
    "bidi": "\u202egnp.exe\u2066",
    "markup": "[red]x[/] <script>alert(1)</script>",
    "wide": "王" * 300,
}
HEADERS = ["Name", "Company", "Website", "Email", "Title", "City", "Country", "Notes"]
WIRE_HEADERS = {
    "From", "To", "Subject", "Date", "Message-ID", "References", "List-Unsubscribe", "X-Outreach-Id", "MIME-Version",
    "Content-Type", "Content-Transfer-Encoding",
}  # fmt: skip
TEMPLATE = """Subject: About {{ company.name }}

Hi {{ founder.first_name or founder.full_name }},

{{ founder.full_name }} / {{ founder.title or "no title" }} / {{ company.name }} / {{ company.city or "nowhere" }} / {{ lead['Notes'] or "no notes" }}
"""  # noqa: E501  one line on purpose


def rows() -> list[dict[str, str]]:
    """Each hostile text once in each column, each in a row of its own, and a harmless address."""
    found = []
    for number, (kind, text) in enumerate(CELLS.items()):
        for column in HEADERS:
            who = f"{kind.replace(' ', '')}{column.lower()}"
            row = {
                "Name": f"Bo {who.title()}", "Company": f"{who} Labs", "Website": f"https://{who}.example",
                "Email": f"bo@{who}.example", "Title": "Founder", "City": "Berlin", "Country": "Germany",
                "Notes": f"row {number}",
            }  # fmt: skip
            found.append({**row, column: text})
    return found


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder = tmp_path_factory.mktemp("hostile") / "w"
    made = Workspace.create(folder, TRANSPORT="directory", SMTP_HOST="", SMTP_SECURITY="")
    with (folder / "hostile.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, HEADERS)
        writer.writeheader()
        writer.writerows(rows())
    (folder / "templates" / "all").mkdir()
    (folder / "templates" / "all" / "1-intro.txt").write_text(TEMPLATE)
    made.run("import", "hostile.csv", exit_code=None)
    made.run("campaign", "new", "all", "--sequence", "all")
    planned = made.json("send", "--no-pacing")["planned"]
    made.run("send", "--live", "--no-pacing", "--expect", str(planned))
    return made


def test_every_row_is_accounted_for(workspace: Workspace) -> None:
    [file] = workspace.json("import", "hostile.csv")["files"]
    assert file["rows"] == len(CELLS) * len(HEADERS)


def test_no_header_is_injected_and_nothing_is_evaluated(workspace: Workspace) -> None:
    mails = [file.read_bytes() for file in (workspace.folder / "outbox").iterdir()]
    assert len(mails) > len(CELLS) * 3
    for mime in mails:
        mail = message_from_bytes(mime)
        assert set(mail.keys()) == WIRE_HEADERS
        assert len(mail.keys()) == len(WIRE_HEADERS)
        assert str(mail["To"]).count("@") == 1 or "?=" in str(mail["To"])
        assert b"\r\nBcc:" not in mime
        text = mail.get_payload(decode=True).decode()  # type: ignore[union-attr]  # one text part
        assert "49" not in text
        assert "xxxxxxxxx" not in text
        assert "\x1b" not in text


def test_a_template_in_the_data_holds_the_mail_back(workspace: Workspace) -> None:
    held = workspace.json("preview", "all")["held"]
    assert any("{{" in reason for entry in held for reason in entry["reasons"])


COMMANDS = [
    ["founders"],
    ["companies"],
    ["campaign", "show", "all"],
    ["preview", "all", "--all"],
    ["outbox"],
    ["imports"],
    ["import", "hostile.csv", "--dry-run"],
    ["send"],
    ["founders", "show", "1"],
    ["companies", "show", "1"],
    ["status"],
    ["report"],
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_nothing_escapes_to_the_terminal(workspace: Workspace, words: list[str]) -> None:
    """Over a real pseudo-terminal, the only control characters are line ends and tabs."""
    seen = on_a_terminal(workspace, words)
    assert seen.strip()
    assert re.findall(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b]", seen) == []


def on_a_terminal(workspace: Workspace, words: list[str]) -> str:
    primary, secondary = pty.openpty()
    program = subprocess.Popen(
        [sys.executable, "-m", "outreach", *words],
        cwd=workspace.folder, env=workspace.environment, stdin=secondary, stdout=secondary, stderr=secondary,
    )  # fmt: skip
    os.close(secondary)
    seen = b""
    while True:
        try:
            part = os.read(primary, 65_536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        seen += part
    os.close(primary)
    program.wait()
    return seen.decode("utf-8", "replace")


def test_json_is_plain_ascii(workspace: Workspace) -> None:
    done = workspace.run("founders", "--json")
    assert done.stdout.isascii()
    assert "\x1b" not in done.stdout


def test_the_raw_cells_are_kept(workspace: Workspace, tmp_path: Path) -> None:
    import json
    import sqlite3

    connection = sqlite3.connect(workspace.folder / "outreach.db")
    cells = [json.loads(row[0]) for row in connection.execute("SELECT cells FROM leads ORDER BY line")]
    connection.close()
    assert CELLS["formula"] in [cell.get("Notes") for cell in cells]
