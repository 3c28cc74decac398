"""`outreach find` and `outreach why` as a user types them, with servers on loopback behind every name."""

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from outreach.bootstrap import Network
from outreach.cli import run
from outreach.cli._shell import Shell
from tests.cli.network import Program
from tests.web_servers import KEY, Hunter, Response, Town, network, problem, record, town

TABLE = """\
Name,Company,Website,Email,Title
Ada Testwell,Acme,acme.example,,CEO
Bo Quill,Acme,acme.example,,CTO
Cy Brightly,Zenith,zenith.example,,Founder
Di Sprout,Sprout,sprout.example,di.sprout@sprout.example,Founder
Ed Sprout,Sprout,sprout.example,,CTO
"""
ACME = {"/": Response("<p>Ada Testwell: ada.testwell [at] acme [dot] example, hello@acme.example</p>")}
FREE = ("find", "--using", "website,pattern")


@pytest.fixture
def hunter() -> Hunter:
    return Hunter({("zenith.example", "cy", "brightly"): record("cy@zenith.example")})


@pytest.fixture
def here() -> Iterator[Town]:
    with town(acme=ACME) as made:
        yield made


@pytest.fixture
def reached(here: Town, hunter: Hunter) -> Iterator[Network]:
    with network(here, hunter) as made:
        yield made


@pytest.fixture
def program(tmp_path: Path, reached: Network, capsys: pytest.CaptureFixture[str]) -> Program:
    made = Program(tmp_path / "w", reached, capsys, HUNTER_API_KEY=KEY)
    made.bring(TABLE)
    return made


def test_a_dry_run_says_what_it_would_cost_and_asks_nobody(program: Program, hunter: Hunter, here: Town) -> None:
    said = program.run("find", "--dry-run")
    assert "4 founders without an address that may be written to" in said
    assert "website: at most 36 calls and 0 credits" in said
    assert "hunter: at most 4 calls and 4 credits" in said
    assert "OUTREACH_FIND_BUDGET leaves 50 credits for now" in said
    assert "dry run: nobody was asked" in said
    told = program.json("find", "--dry-run")
    assert (told["founders"], told["calls"], told["credits"], told["dry_run"]) == (4, 40, 4, True)
    assert hunter.asked == here.asked == []


def test_what_is_found_is_shown_with_status_source_and_confidence(program: Program) -> None:
    said = program.run(*FREE)
    assert re.search(r"Ada Testwell +ada\.testwell@acme\.example +verified +95 % +website", said)
    assert re.search(r"Ed Sprout +ed\.sprout@sprout\.example +guessed +50 % +pattern", said)
    assert "--allow-guessed" in program.err
    listed = program.run("founders")
    assert re.search(r"Ada Testwell .* ada\.testwell@acme\.example +verified +website +95 %", listed)
    assert re.search(r"Di Sprout .* di\.sprout@sprout\.example +given +generic", listed)
    told = {each["full_name"]: each["addresses"][0] for each in program.json("founders")["founders"]}
    ada = told["Ada Testwell"]
    assert (ada["status"], ada["origin"], ada["confidence"]) == ("verified", "website", 95)
    assert ada["evidence"][0].startswith("stands on http://acme.example/")


def test_money_is_not_spent_without_a_word(program: Program, hunter: Hunter) -> None:
    program.run("find", exit_code=2)
    assert "nobody has agreed" in program.err
    assert "--max-credits 4" in program.err
    assert hunter.charged == []


def test_money_is_spent_up_to_the_limit_and_what_is_left_is_said(program: Program, hunter: Hunter) -> None:
    program.run("find", "--using", "hunter,pattern", "--max-credits", "9")
    assert "hunter: 50 credits left" in program.err
    assert re.search(r"Cy Brightly +cy@zenith\.example +verified +95 % +hunter", program.out)
    assert len(hunter.charged) == 1
    asked = len(hunter.asked)
    program.run("find", "--using", "hunter,pattern", "--max-credits", "9")
    assert "3 more were looked for within 30 days" in program.err
    assert len(hunter.asked) == asked


def test_the_json_document(program: Program) -> None:
    told = program.json(*FREE)
    assert told["found"] == {"verified": 1, "guessed": 3}
    assert (told["founders"], told["not_found"], told["credits"], told["interrupted"]) == (4, 0, 0, False)
    (ada,) = (each for each in told["results"] if each["name"] == "Ada Testwell")
    assert ada["inboxes"] == ["hello@acme.example"]
    assert program.err == ""


def test_no_bar_where_nobody_watches(program: Program) -> None:
    program.run(*FREE)
    assert "finding addresses" not in program.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["find", "--using", "nope"], "there is hunter, pattern, website"),
        (["find", "--limit", "0"], ""),
    ],
)
def test_wrong_usage_says_what_to_type(program: Program, words: list[str], says: str) -> None:
    program.run(*words, exit_code=2)
    assert says in program.err


def test_without_a_key_hunter_is_left_out_and_says_what_to_set(program: Program) -> None:
    del program.environment["OUTREACH_HUNTER_API_KEY"]
    env = program.folder / ".env"  # `init` has written it down
    env.write_text(env.read_text().replace("OUTREACH_HUNTER_API_KEY", "#OUTREACH_HUNTER_API_KEY"))
    assert "hunter" not in program.run("find", "--dry-run")
    program.run("find", "--using", "hunter", exit_code=2)
    assert "OUTREACH_HUNTER_API_KEY" in program.err


def test_the_limit_moves_on(program: Program) -> None:
    for left in (3, 2, 1):
        program.run(*FREE, "--limit", "1")
        assert f"{left} more founder" in program.err
    program.run(*FREE, "--limit", "1")
    assert len(program.json("founders", "--has-email")["founders"]) == 5


def test_a_site_that_is_down_is_tried_again_a_day_later_and_both_times_are_said(program: Program, here: Town) -> None:
    program.run("find", "--using", "website", "--search", "zenith")
    assert "not found: Cy Brightly (zenith.example cannot be reached)" in program.out
    assert "1 site gave no page and will be tried again after a day: zenith.example cannot be reached" in program.err
    asked = program.clock.now()
    program.clock.move(timedelta(hours=23))
    program.run("find", "--using", "website", "--search", "zenith")
    assert "0 founders looked for: nothing to do" in program.out
    assert "1 more founder left for later, as the company's site could not be reached: tried again from" in program.err
    assert "from Tue 03 Mar 2026 09:30" in program.err
    assert "or now with --ask-again" in program.err
    told = program.json("find", "--using", "website", "--search", "zenith", "--dry-run")
    assert (told["founders"], told["settled"], told["waiting"]) == (0, 0, 1)
    assert datetime.fromisoformat(told["again_at"]) == asked + timedelta(days=1)
    assert re.search(
        r"website was asked \(site zenith\.example\): unreachable: zenith\.example cannot be reached; "
        r"tried again from 2026-03-03",
        program.run("why", "Cy Brightly"),
    )
    here.pages["zenith.example"] = {"/": Response("cy.brightly@zenith.example")}
    program.run("find", "--using", "website", "--search", "zenith", "--ask-again")
    assert "cy.brightly@zenith.example" in program.out


def test_a_campaign_writes_to_guesses_only_where_it_says_so(program: Program) -> None:
    program.run(*FREE)
    careful = program.json("campaign", "new", "careful", "--sequence", "job-search")
    assert careful["enrolled"] == 2
    program.run("campaign", "stop", "careful")
    bold = program.json("campaign", "new", "bold", "--sequence", "job-search", "--allow-guessed")
    assert bold["enrolled"] == 5
    assert program.json("campaign", "show", "bold")["allows"] == ["guessed"]


def test_an_import_without_addresses_points_here(program: Program) -> None:
    (program.folder / "more.csv").write_text("Name,Company,Website\nFay Quill,Fay,fay.example\n")
    program.run("import", str(program.folder / "more.csv"))
    said = program.run("campaign", "new", "spring", "--sequence", "job-search")
    assert "no-address: no e-mail address is known; outreach find looks for one" in said


# --- the key --------------------------------------------------------------------------------------------


def test_the_key_is_nowhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every kind of failure, with the traceback of a bug on top: the key is in no output, log, file or store."""
    answers = [problem(status, KEY, KEY) for status in (400, 403, 404, 422, 429, 451, 500)]
    answers += [Response(KEY), Response("", 302, {"Location": f"http://evil.example/{KEY}"}), Response("", stall=90)]
    names = [f"{chr(65 + at)}na" for at in range(len(answers))]
    faults = {("email-finder", name): [answer] * 9 for name, answer in zip(names, answers, strict=True)}
    table = "Name,Company,Website\n" + "".join(f"{name} Quill,{name},{name.lower()}.example\n" for name in names)
    said = []
    with town() as here, network(here, Hunter(faults=faults), patience=8.0) as reached:
        program = Program(tmp_path / "w", reached, capsys)
        env = program.folder / ".env"
        env.write_text(env.read_text() + f"OUTREACH_HUNTER_API_KEY={KEY}\n")
        program.bring(table)
        for name in names:  # one at a time, as the finder rests after a refusal
            program.run(
                "find",
                "--using",
                "hunter",
                "--search",
                name,
                "--max-credits",
                "9",
                exit_code=3 if _rests(name, names) else 0,
            )
            said += [program.out, program.err]
        for line in ("find --dry-run", "founders", "why Ana", "find --dry-run --json"):
            program.run(*line.split())
            said += [program.out, program.err]

        def broken(_agent: str) -> None:
            raise RuntimeError(KEY.replace("CANARY", "no"))

        program.bring(table.replace("Quill", "Sprout"))
        shell = Shell(environment=program.environment, network=Network(web=broken))  # type: ignore[arg-type]  # a bug
        with pytest.raises(RuntimeError) as bug:
            run(["--debug", "-C", str(program.folder), "find", "--using", "hunter", "--max-credits", "1"], shell)
        said.append("".join(map(str, bug.traceback)))
    assert KEY not in "".join(said)
    env.unlink()
    for file in program.folder.rglob("*"):
        if file.is_file():
            assert KEY.encode() not in file.read_bytes(), file


def _rests(name: str, names: list[str]) -> bool:
    return names.index(name) in (1, 4, 7, 8, 9)


# --- why ------------------------------------------------------------------------------------------------


def test_why_tells_the_whole_story(program: Program) -> None:
    program.run(*FREE)
    program.run("campaign", "new", "spring", "--sequence", "job-search")
    said = program.run("why", "Ada Testwell")
    for line in (
        "Ada Testwell, CEO at Acme   (founder 1)",
        "(list.csv, line 2)",
        "ada.testwell@acme.example is verified, 95 %, from website",
        "stands on http://acme.example/ (spelled out on the page)",
        "acme.example takes mail (mx.acme.example)",
        "list.csv, line 2 (new)",
        "website was asked (site acme.example): answered",
        "enrolled in spring with ada.testwell@acme.example",
        "pass  suppressed",
        "next possible mail: step 1, Mon 02 Mar 2026 09:30 UTC",
    ):
        assert line in said, line
    times = re.findall(r"^  (\d{4}-\d\d-\d\d \d\d:\d\d)  ", said, re.MULTILINE)
    assert times == sorted(times)


def test_why_says_why_not(program: Program) -> None:
    program.run(*FREE)
    program.run("campaign", "new", "spring", "--sequence", "job-search")
    said = program.run("why", "Cy Brightly")
    assert "FAIL  unverified-address: no address is given or verified (cy@zenith.example is guessed)" in said
    assert "no next mail: not in this campaign" in said
    program.run("suppress", "add", "Ada Testwell", "--reason", "asked")
    said = program.run("why", "Ada Testwell")
    assert "FAIL  suppressed: manual (asked)" in said
    assert "nothing more: suppressed" in said
    assert re.search(r"suppressed +person:1 \(manual\): asked, by by hand", said)


def test_why_as_json(program: Program) -> None:
    program.run(*FREE)
    program.run("campaign", "new", "spring", "--sequence", "job-search")
    told = program.json("why", "Ada Testwell")
    (name,) = (fact for fact in told["facts"] if fact["field"] == "name")
    assert name == {"field": "name", "value": "Ada Testwell", "sources": [{"file": "list.csv", "line": 2}]}
    (campaign,) = told["campaigns"]
    assert (campaign["campaign"], campaign["step"], campaign["next_at"][:18]) == ("spring", 1, "2026-03-02T09:30:0")
    assert {rule["rule"] for rule in campaign["rules"]} >= {"suppressed", "replied", "namesake"}
    assert all(rule["ok"] for rule in campaign["rules"])
    assert [event["at"] for event in told["events"]] == sorted(event["at"] for event in told["events"])
    assert json.dumps(told)


def test_why_without_a_campaign_shows_the_rules(program: Program) -> None:
    said = program.run("why", "5")
    assert "no campaign yet; the rules as they stand:" in said
    assert "FAIL  no-address" in said


def test_why_of_a_paused_campaign(program: Program) -> None:
    program.run("campaign", "new", "spring", "--sequence", "job-search")
    program.run("campaign", "pause", "spring")
    assert "no next mail: the campaign is paused (by hand)" in program.run("why", "Di Sprout")


def test_why_of_a_mailbox_that_rests_until_somebody_acts(program: Program) -> None:
    program.run("campaign", "new", "spring", "--sequence", "job-search")
    program.run("mailboxes", "pause", "default")
    assert "no next mail: the mailbox rests: by hand" in program.run("why", "Di Sprout")
    assert program.json("why", "Di Sprout")["campaigns"][0]["next_at"] is None


def test_a_list_that_gives_what_was_only_guessed_counts_more(program: Program) -> None:
    program.run(*FREE)
    program.bring("Name,Company,Website,Email\nCy Brightly,Zenith,zenith.example,cy@zenith.example\n")
    (cy,) = program.json("founders", "--search", "Brightly")["founders"]
    assert (cy["addresses"][0]["status"], cy["addresses"][0]["origin"]) == ("given", "generic")
    assert "cy@zenith.example   (list.csv, line 2)" in program.run("why", "Cy Brightly")


def test_who_answered_or_is_gone_is_not_looked_up(program: Program) -> None:
    program.bring("Organization Name,Organization Name URL,Website,Founders,Operating Status\n"
                  "Gone,https://www.crunchbase.com/organization/gone,gone.example,Fay Quill,Closed\n")  # fmt: skip
    program.run("find", "--dry-run", "--using", "pattern")
    assert "1 more are not looked up" in program.err
