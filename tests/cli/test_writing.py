"""Writing as a user does it: lines by hand, checks, approval, editing after launch, country rules, the page."""

import csv
import io
import json
import zipfile
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import pytest

from outreach.cli import run
from outreach.cli._shell import Shell
from tests.cli.program import founders_csv
from tests.smtp_server import Behaviour, smtp_server

PEOPLE = """\
Name,Company,Website,Email,Title,City,Country
Bo Brightly,Quill Labs Inc.,https://quill.example,bo@quill.example,CEO,Oslo,Norway
Dr. Müller-Lüdenscheidt,Müller GmbH & Co. KG,https://mueller.example,hans@mueller.example,Founder,Berlin,Germany
"=HYPERLINK(""x"")",Formula Labs,https://formula.example,eva@formula.example,CTO,Paris,France
Kim Ohara,Ohara,https://ohara.example,kim@gmail.com,,London,United Kingdom
"""
TEMPLATE = """\
Subject: About {{ company.short_name }}

Hi {{ founder.first_name or founder.full_name }},

{{ line or "I found you in a list." }}

Are you hiring?

{{ me.signature }}
"""


@dataclass(frozen=True)
class Done:
    """What one command printed."""

    stdout: str
    stderr: str


class Program:
    """The real commands in this process, in a workspace of their own: a hundred starts would take minutes."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._capsys = folder, capsys

    def run(self, *words: str, exit_code: int | None = 0) -> Done:
        code = run(["-C", str(self.folder), *words], Shell(environment={}))
        done = Done(*self._capsys.readouterr())
        assert exit_code in (None, code), f"{words}: exit {code}\n{done.stdout}\n{done.stderr}"
        return done

    def json(self, *words: str, exit_code: int | None = None) -> Any:
        return json.loads(self.run(*words, "--json", exit_code=exit_code).stdout)


@pytest.fixture
def program(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Program:
    made = Program(tmp_path, capsys)
    monkeypatch.chdir(tmp_path)
    made.run("init", "--yes", "--name", "Ada Testwell", "--email", "ada@testwell.example", "--purpose", "job-search")
    return made


@pytest.fixture
def workspace(program: Program) -> Program:
    with (program.folder / ".env").open("a") as file:
        file.write("OUTREACH_TRANSPORT=directory\n")
    (program.folder / "people.csv").write_text(PEOPLE)
    write(program, "1-intro.txt", TEMPLATE)
    write(program, "2-follow-up.txt", "Wait: 3 working days\n\nHi {{ founder.full_name }}, any news?\n")
    program.run("import", "people.csv")
    return program


def write(workspace: Program, name: str, text: str) -> Path:
    folder = workspace.folder / "templates" / "mine"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, "utf-8")
    return folder / name


def started(workspace: Program, *more: str) -> Any:
    return workspace.json("campaign", "new", "spring", "--sequence", "mine", *more)


def mails(workspace: Program) -> dict[str, Any]:
    return {mail["name"]: mail for mail in workspace.json("preview", "spring")["messages"]}


# --- lines by hand --------------------------------------------------------------------------------


def test_a_line_is_written_shown_and_taken_back(workspace: Program) -> None:
    started(workspace)
    done = workspace.run("founders", "edit", "Bo Brightly", "--line", "Your robot sorts\nparcels.")
    assert "line: Your robot sorts parcels." in done.stdout
    assert "Your robot sorts parcels." in mails(workspace)["Bo Brightly"]["text"]
    assert workspace.json("founders", "show", "1")["line"] == "Your robot sorts parcels."
    workspace.run("founders", "edit", "1", "--line", "")
    assert "I found you in a list." in mails(workspace)["Bo Brightly"]["text"]
    assert "nothing to write" in workspace.run("founders", "edit", "1", exit_code=2).stderr
    workspace.run("founders", "edit", "1", "--line", "x" * 600, exit_code=2)


def test_a_step_can_require_the_line(workspace: Program) -> None:
    write(workspace, "1-intro.txt", "Require: line\n" + TEMPLATE)
    started(workspace)
    workspace.run("founders", "edit", "1", "--line", "Hello.")
    found = workspace.json("preview", "spring")
    assert [mail["founder"] for mail in found["messages"]] == [1]
    assert all("line is empty: outreach founders edit" in held["reasons"][0] for held in found["held"])


def filled(path: Path, lines: dict[str, str]) -> list[dict[str, str]]:
    rows = list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"))))
    return [{**row, "line": lines.get(row["founder"], row["line"])} for row in rows]


def as_text(rows: list[dict[str, str]], delimiter: str = ",") -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


@pytest.mark.parametrize(
    ("encoding", "delimiter"), [("utf-8-sig", ","), ("cp1252", ";"), ("utf-16", "\t"), ("utf-8", ";")]
)
def test_lines_go_out_and_come_back_as_spreadsheets_save_them(
    workspace: Program, encoding: str, delimiter: str
) -> None:
    started(workspace)
    table = workspace.folder / "lines.csv"
    workspace.run("preview", "spring", "--export-lines", "lines.csv")
    assert table.read_bytes().startswith(b"\xef\xbb\xbf")
    assert "'=HYPERLINK" in table.read_text("utf-8-sig")
    lines = {"Bo Brightly": 'Größe, "and" so; on', '\'=HYPERLINK("x")': "=1+1 is two"}
    rows = filled(table, lines)
    rows[0]["line"] = lines["Bo Brightly"]
    table.write_bytes(as_text(rows, delimiter).encode(encoding))
    report = workspace.json("import-lines", "lines.csv", "--dry-run")
    assert (report["set"], report["rejected"]) == (2, [])
    assert workspace.json("founders", "show", "1")["line"] == ""
    report = workspace.json("import-lines", "lines.csv", exit_code=0)
    assert (report["set"], report["same"], report["empty"]) == (2, 0, len(rows) - 2)
    assert workspace.json("founders", "show", "1")["line"] == lines["Bo Brightly"]
    again = workspace.json("import-lines", "lines.csv", exit_code=0)
    assert (again["set"], again["same"]) == (0, 2)
    workspace.run("preview", "spring", "--export-lines", "lines.csv", exit_code=2)
    workspace.run("preview", "spring", "--export-lines", "lines.csv", "--force")
    assert "'=1+1 is two" in table.read_text("utf-8-sig")


def workbook(rows: list[list[str]]) -> bytes:
    """The smallest file that a spreadsheet program would write."""
    kinds = "http://schemas.openxmlformats.org"
    cells = "".join(
        "<row>" + "".join(f'<c t="inlineStr"><is><t>{escape(cell)}</t></is></c>' for cell in row) + "</row>"
        for row in rows
    )
    main = f"{kinds}/spreadsheetml/2006/main"
    links = f"{kinds}/package/2006/relationships"
    office = f"{kinds}/officeDocument/2006/relationships"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{kinds}/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{links}"><Relationship Id="a" Type="{office}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
        '<sheet name="lines" sheetId="1" r:id="a"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{links}"><Relationship Id="a" Type="{office}/worksheet" '
        'Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{cells}</sheetData></worksheet>',
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name, text in parts.items():
            made.writestr(name, text)
    return out.getvalue()


def test_lines_come_back_in_a_workbook_too(workspace: Program) -> None:
    started(workspace)
    workspace.run("preview", "spring", "--export-lines", "lines.csv")
    rows = filled(workspace.folder / "lines.csv", {"Bo Brightly": "Größe & <b>more</b>"})
    table = [list(rows[0]), *(list(row.values()) for row in rows)]
    (workspace.folder / "lines.xlsx").write_bytes(workbook(table))
    assert workspace.json("import-lines", "lines.xlsx", exit_code=0)["set"] == 1
    assert workspace.json("founders", "show", "1")["line"] == "Größe & <b>more</b>"


def test_a_line_in_the_wrong_row_is_not_taken(workspace: Program) -> None:
    (workspace.folder / "lines.csv").write_text(
        "id,founder,line\n1,Cy Quill,for Cy\n99,Bo Brightly,x\n,Bo Brightly,x\n1,Bo Brightly,yes\n1,Bo Brightly,twice\n"
        f"2,Dr. Müller-Lüdenscheidt,{'x' * 501}\n"
    )
    report = workspace.json("import-lines", "lines.csv", exit_code=3)
    assert report["set"] == 1
    assert [row["line"] for row in report["rejected"]] == [2, 3, 4, 6, 7]
    assert report["rejected"][0]["reason"] == "founder 1 is Bo Brightly, not Cy Quill"
    (workspace.folder / "other.csv").write_text("name,email\nBo,bo@x.example\n")
    assert "no column `id`" in workspace.run("import-lines", "other.csv", exit_code=3).stdout
    (workspace.folder / "other.csv").write_text("name,email\n" + "Bo,bo@x.example\n" * 30)
    said = workspace.run("import-lines", "other.csv", exit_code=3).stdout
    assert said.count("no column `id`") == 10
    assert "… and 20 more (--json shows all)" in said
    assert "cannot be read" in workspace.run("import-lines", "nowhere.csv", exit_code=1).stderr


# --- checks ---------------------------------------------------------------------------------------


def test_the_starters_pass_over_real_data(workspace: Program) -> None:
    done = workspace.run("check", exit_code=None)
    for name in ("fundraising", "job-search", "sales"):
        assert f"{name}: nothing to object to" in done.stdout


def test_check_names_what_is_wrong_with_a_folder_without_an_empty_place(workspace: Program) -> None:
    (workspace.folder / "templates" / "mine" / "1-other.txt").write_text("Subject: x\n\nHi?\n")
    said = workspace.run("check", "mine", exit_code=3).stdout
    assert said.startswith("held [template] ")
    assert "templates/mine has two steps with the number 1: give each file its own number" in said


def test_check_names_file_line_rule_and_people(workspace: Program) -> None:
    write(
        workspace, "1-intro.txt",
        "Subject: About {{ company.short_name }}\nSilence: link because the demo is what I write about\n\n"
        "Hi {{ founder.first_name }},\n\nACT NOW: https://demo.example\n\nLike Bo Brightly, are you hiring?\n",
    )  # fmt: skip
    [found] = workspace.json("check", "mine", exit_code=3)["sequences"]
    told = {(each["line"], each["rule"]): each for each in found["findings"]}
    assert all(each["path"].endswith("mine/1-intro.txt") for each in found["findings"])
    assert set(told) == {(4, "empty"), (6, "shouting"), (6, "spam-word"), (8, "other-name")}
    assert told[4, "empty"]["founders"] == 1
    assert told[4, "empty"]["examples"] == ["Dr. Müller-Lüdenscheidt"]
    assert told[8, "other-name"]["blocks"]
    text = workspace.run("check", "mine", exit_code=3).stdout
    assert "templates/mine/1-intro.txt:6: warning [shouting] 'ACT NOW' is in capitals" in text


def test_a_broken_sequence_is_a_finding_and_the_others_are_read(workspace: Program) -> None:
    write(workspace, "1-intro.txt", "Subject: x\n\n{{ founder.frist_name }}\n")
    found = {each["name"]: each["findings"] for each in workspace.json("check", exit_code=3)["sequences"]}
    assert [(each["line"], each["rule"]) for each in found["mine"]] == [(3, "template")]
    assert found["sales"] == []
    assert "did you mean mine?" in workspace.run("check", "mien", exit_code=1).stderr


def test_variables_come_with_examples_of_the_users_own_data(workspace: Program) -> None:
    found = {each["name"]: each for each in workspace.json("check", "--variables")["variables"]}
    assert found["founder.full_name"]["example"] == "Bo Brightly"
    assert found["company.short_name"]["example"] == "Quill Labs"
    assert found["founder.first_name"]["filled"] == 3
    assert found["lead['Country']"]["example"] == "Norway"
    assert "{{ company.city }}" in workspace.run("check", "--variables").stdout


# --- approval -------------------------------------------------------------------------------------


def test_approved_mails_go_and_a_change_voids_the_approval(workspace: Program) -> None:
    started(workspace)
    digest = workspace.json("preview", "spring")["hash"]
    assert f"--approve {digest}" in workspace.run("preview", "spring").stderr
    assert workspace.json("send", "--approved", "--no-pacing")["planned"] == 0
    assert "not the ones of 123" in workspace.run("preview", "spring", "--approve", "123", exit_code=1).stderr
    assert workspace.json("preview", "spring", "--approve", digest)["approved"] == 3
    assert workspace.json("send", "--approved", "--no-pacing")["planned"] == 3
    assert mails(workspace)["Bo Brightly"]["approval"].startswith("approved on")

    workspace.run("founders", "edit", "1", "--line", "Another line.")
    plan = workspace.json("send", "--no-pacing")
    [held] = plan["held"]
    assert plan["planned"] == 2
    assert held["reasons"] == ["changed: since you approved it, line changed from '' to 'Another line.'"]
    assert "line changed" in mails(workspace)["Bo Brightly"]["approval"]

    write(workspace, "1-intro.txt", TEMPLATE.replace("hiring", "looking for people"))
    plan = workspace.json("send", "--no-pacing")
    assert plan["planned"] == 0
    assert all("mine/1-intro.txt changed" in held["reasons"][0] for held in plan["held"])
    workspace.run("send", "--live", "--expect", "3", "--no-pacing", exit_code=1)
    assert not (workspace.folder / "outbox").exists()

    workspace.run("preview", "spring", "--approve", "all")
    assert workspace.json("send", "--live", "--approved", "--expect", "3", "--no-pacing")["sent"] == 3


# --- campaigns ------------------------------------------------------------------------------------


def test_an_edit_after_launch_reaches_only_what_is_not_queued(program: Program) -> None:
    behaviour = Behaviour(fault=lambda phase, number: "451 4.7.1 later" if phase == "rcpt" and number == 2 else None)
    workspace = program
    with smtp_server(behaviour) as port:
        with (workspace.folder / ".env").open("a") as file:
            file.write(f"OUTREACH_SMTP_HOST=127.0.0.1\nOUTREACH_SMTP_PORT={port}\nOUTREACH_SMTP_SECURITY=none\n")
        (workspace.folder / "people.csv").write_text(founders_csv(3))
        write(workspace, "1-intro.txt", TEMPLATE)
        workspace.run("import", "people.csv")
        workspace.run("campaign", "new", "spring", "--sequence", "mine")
        workspace.run("send", "--live", "--limit", "2", "--expect", "2", "--no-pacing", exit_code=None)
        [queued] = workspace.json("outbox", "--state", "queued")["items"]
        before = workspace.json("preview", "spring", str(queued["founder"]))
        write(workspace, "1-intro.txt", TEMPLATE.replace("Are you hiring?", "Do you hire?"))
        note = workspace.run("preview", "spring").stderr
        assert f"1 already in the outbox keep the old words ({before['messages'][0]['name']})" in note
        assert "1 went with them" in note
        assert "keep the old words" in workspace.run("campaign", "show", "spring").stdout
        assert "keep the old words" in workspace.run("send", "--no-pacing").stderr
        after = {mail["founder"]: mail for mail in workspace.json("preview", "spring")["messages"]}
        assert after[queued["founder"]]["sha256"] == before["messages"][0]["sha256"]
        fresh = [mail for mail in after.values() if mail["state"] == "preview" and mail["step"] == 1]
        assert len(fresh) == 1
        assert "Do you hire?" in fresh[0]["text"]


def test_country_rules_warn_a_job_search_and_hold_commercial_mail(workspace: Program) -> None:
    made = started(workspace)
    assert [entry["reasons"][0].partition(":")[0] for entry in made["not_enrolled"]] == ["country"]
    assert [entry["founder"] for entry in made["warned"]] == [2]
    dry = workspace.json(
        "campaign",
        "new",
        "sales",
        "--sequence",
        "sales",
        "--purpose",
        "commercial",
        "--dry-run",
        "--country",
        "Germany",
    )
    assert (dry["enrolled"], len(dry["not_enrolled"])) == (0, 1)
    assert workspace.json("campaign", "list")["total"] == 1
    refused = workspace.run("campaign", "edit", "spring", "--allow-country", "Germany", exit_code=2)
    assert "needs a reason" in refused.stderr
    assert (
        "no rule for Atlantis"
        in workspace.run("campaign", "edit", "spring", "--allow-country", "Atlantis=x", exit_code=2).stderr
    )
    workspace.run("campaign", "edit", "spring", "--allow-country", "UK=he asked me to write")
    workspace.run("campaign", "enroll", "spring")
    assert "Kim Ohara" in mails(workspace)
    assert workspace.json("campaign", "show", "spring")["overrides"] == {"United Kingdom": "he asked me to write"}


def test_a_notice_says_where_the_address_is_from(workspace: Program) -> None:
    started(workspace)
    assert all("I have your address from" in mail["text"] for mail in mails(workspace).values())


def test_consent_lets_somebody_pass(workspace: Program) -> None:
    workspace.run("founders", "edit", "Kim Ohara", "--consent", "asked me at a fair, 2026-02-01")
    assert started(workspace)["not_enrolled"] == []


def test_a_diff_shows_what_is_theirs(workspace: Program) -> None:
    started(workspace)
    done = workspace.run("preview", "spring", "1", "--diff", "2")
    assert "-Hi Bo," in done.stdout
    assert "+Hi Dr. Müller-Lüdenscheidt," in done.stdout
    assert "hiring" not in done.stdout.replace(" Are", "")
    told = workspace.json("preview", "spring", "1", "--diff", "2")
    assert (told["founders"], "-Hi Bo," in told["diff"]) == ([1, 2], True)
    workspace.run("preview", "spring", "1", "--diff", "4", exit_code=1)
