"""What one does with an answer: labels that come back, referrals, guesses, drafts, files for others, watching."""

import json
import mailbox
from datetime import timedelta
from email import message_from_bytes
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.cli.test_replies import Desk, reply
from tests.fakes import FakeClock
from tests.mails import mail, report


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    made = Desk(tmp_path / "desk", capsys)
    made.arrive(reply(made, "Not right now, check back in autumn.\n\n> Hi Bo,\n> \n> are you hiring?"))
    made.run("sync")
    return made


def test_a_guess_is_shown_as_one_until_a_person_has_said(desk: Desk) -> None:
    assert "not now?" in desk.run("replies")[0]
    assert "Guess: not now, by the words" in desk.run("replies", "show", "1")[0]
    assert desk.json("replies", "show", "1")["guess"]["meaning"] == "not-now"
    desk.run("replies", "label", "1", "interested")
    assert "Guess" not in desk.run("replies", "show", "1")[0]
    assert "interested" in desk.run("replies")[0]


def test_not_now_comes_back_on_its_day(desk: Desk) -> None:
    assert "--until DATE" in desk.run("replies", "label", "1", "not-now")[1]
    out, _ = desk.run("replies", "label", "1", "not-now", "--until", "2026-09-01")
    assert "it comes back on 2026-09-01" in out
    assert desk.json("replies", "--due")["replies"] == []
    assert "reminders" not in desk.run("status")[0]
    desk.clock.move(timedelta(days=200))
    assert [each["id"] for each in desk.json("replies", "--due")["replies"]] == [1]
    assert "reminders     1" in desk.run("status")[0]
    assert "comes back on 2026-09-01" in desk.run("replies", "show", "1")[0]


@pytest.mark.parametrize(("day", "said"), [("soon", "is not a date"), ("2020-01-01", "is over")])
def test_a_day_that_cannot_be(desk: Desk, day: str, said: str) -> None:
    assert said in desk.run("replies", "label", "1", "not-now", "--until", day, code=2)[1]


def test_a_day_is_one_of_the_users_zone(desk: Desk) -> None:
    env = desk.folder / ".env"
    lines = [line for line in env.read_text().splitlines() if not line.startswith("OUTREACH_TIMEZONE")]
    env.write_text("\n".join([*lines, "OUTREACH_TIMEZONE=America/Los_Angeles"]))
    desk.clock.move(timedelta(hours=15))  # the next day in UTC, in the evening there
    tomorrow = str(desk.clock.now().date())
    desk.run("replies", "label", "1", "not-now", "--until", tomorrow)
    assert desk.json("replies", "--due")["total"] == 0
    desk.clock.move(timedelta(hours=15))
    assert "is over" in desk.run("replies", "label", "1", "not-now", "--until", tomorrow, code=2)[1]
    assert desk.json("replies", "--due")["total"] == 1


def test_the_right_person_becomes_a_founder_of_that_company(desk: Desk) -> None:
    out, _ = desk.run("replies", "label", "1", "wrong-person", "--referral", "Eve Doe <eve@bo.example>")
    assert "Eve Doe of Bo Labs is founder 3 now" in out
    (eve,) = [each for each in desk.json("founders")["founders"] if each["full_name"] == "Eve Doe"]
    assert eve["company"]["name"] == "Bo Labs"
    assert [each["address"] for each in eve["addresses"]] == ["eve@bo.example"]
    assert desk.json("replies", "show", "1")["label"] == "wrong-person"
    assert "referral-by-reply-1.csv" in desk.run("imports")[0]


def test_a_referral_that_is_no_person(desk: Desk) -> None:
    assert "is not a person" in desk.run("replies", "label", "1", "wrong-person", "--referral", "eve", code=2)[1]


def test_the_whole_message_is_one_key_away(desk: Desk) -> None:
    out, err = desk.run("replies", "show", "1")
    assert "are you hiring?" not in out.partition("──")[0]
    assert "--full" in err
    assert "> are you hiring?" in desk.run("replies", "show", "1", "--full")[0]
    assert "In-Reply-To:" in desk.run("replies", "show", "1", "--raw")[0]


def test_the_thread_holds_both_sides_in_order(desk: Desk) -> None:
    desk.clock.move(timedelta(hours=1))
    desk.arrive(reply(desk, "And another thing.", message_id="<again@bo.example>"))
    desk.run("sync")
    thread = desk.json("replies", "show", "2")["thread"]
    assert [line["kind"] for line in thread] == ["reply", "sent"]
    assert thread[0]["text"].startswith("Not right now")


def test_an_answer_opens_as_a_link_in_the_thread(desk: Desk) -> None:
    out, _ = desk.run("replies", "answer", "1", "--print")
    link = urlsplit(out.strip())
    fields = parse_qs(link.query)
    assert (link.scheme, link.path) == ("mailto", "bo@bo.example")
    assert fields["subject"] == ["Re: Engineering work"]
    assert fields["in-reply-to"] == ["<reply-1@bo.example>"]
    assert "> Not right now" in fields["body"][0]


def test_a_draft_is_filed_threaded_and_not_sent(desk: Desk) -> None:
    assert "no folder for drafts" in desk.run("replies", "answer", "1", "--draft", code=1)[1]
    for part in ("tmp", "new", "cur"):
        (desk.folder / "Maildir" / ".Drafts" / part).mkdir(parents=True)
    out, _ = desk.run("replies", "answer", "1", "--draft")
    assert "lies in Drafts" in out
    (file,) = (desk.folder / "Maildir" / ".Drafts" / "cur").iterdir()
    draft = message_from_bytes(file.read_bytes())
    assert (draft["To"], draft["In-Reply-To"]) == ("bo@bo.example", "<reply-1@bo.example>")
    assert draft["References"].split() == [desk.bo.message_id, "<reply-1@bo.example>"]
    assert "X-Outreach-Id" not in draft
    assert not draft["Message-ID"].startswith("<or.")


def test_hostile_ids_stay_out_of_a_draft(desk: Desk) -> None:
    raw = reply(desk, message_id="<x@y.example>\r\nBcc: <evil@x.example", references="<a b@c.example> <ü@x.example>")
    desk.arrive(raw)
    desk.run("sync")
    out, _ = desk.run("replies", "answer", "2", "--print")
    assert "Bcc" not in parse_qs(urlsplit(out.strip()).query).get("in-reply-to", [""])[0]
    for part in ("tmp", "new", "cur"):
        (desk.folder / "Maildir" / ".Drafts" / part).mkdir(parents=True)
    desk.run("replies", "answer", "2", "--draft")
    (file,) = (desk.folder / "Maildir" / ".Drafts" / "cur").iterdir()
    assert message_from_bytes(file.read_bytes())["Bcc"] is None


def test_files_for_other_programs(desk: Desk) -> None:
    desk.arrive(report(returned_id=desk.items["cy@cy.example"].message_id, recipient="cy@cy.example"))
    desk.run("sync")
    folder = desk.folder
    desk.run("replies", "export", str(folder / "all.json"))
    rows = json.loads((folder / "all.json").read_text())["replies"]
    assert {row["kind"] for row in rows} == {"reply", "bounce"}
    assert next(row for row in rows if row["kind"] == "bounce")["failures"][0]["reason"] == "hard"
    desk.run("replies", "export", str(folder / "all.mbox"))
    found = mailbox.mbox(str(folder / "all.mbox"), create=False)
    assert [each["From"] for each in found] == [
        "Bo Brightly <bo@bo.example>",
        "Mail Delivery System <MAILER-DAEMON@mx.bo.example>",
    ]
    found.close()
    assert "does not say in which format" in desk.run("replies", "export", str(folder / "all.txt"), code=2)[1]


class Interrupted(FakeClock):
    """A clock at which somebody presses Ctrl-C after the second wait; a mail comes in during the first."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk.clock.now())
        self._desk, self._waits = desk, 0

    def sleep(self, seconds: float) -> None:
        self._waits += 1
        if self._waits > 1:
            raise KeyboardInterrupt
        super().sleep(seconds)
        self._desk.arrive(reply(self._desk, "Yes, now!", message_id="<later@bo.example>"))


def test_watching_shows_what_comes_in_until_it_is_ended(desk: Desk) -> None:
    desk.clock = Interrupted(desk)
    out, err = desk.run("replies", "--watch", code=130)
    assert "Yes, now!" in out
    assert "Ctrl-C" in err


def test_judging_again_is_said(desk: Desk) -> None:
    assert "1 mail judged again, 0 changed" in desk.run("sync", "--reclassify")[0]
    assert desk.json("sync", "--reclassify")["judged"] == 1
    refused = desk.run("sync", "--reclassify", "--since", "2026-03-01", code=2)[1]
    assert "hint: outreach sync --since 2026-03-01, then outreach sync --reclassify\n" in refused


def test_what_waits_comes_first(desk: Desk) -> None:
    desk.clock.move(timedelta(hours=1))
    desk.arrive(
        mail(
            "I am out of the office until 12 March 2026.",
            sender="cy@cy.example",
            auto_submitted="auto-replied",
            message_id="<away@cy.example>",
            date=desk.clock.now(),
        )
    )
    desk.run("sync")
    assert [each["kind"] for each in desk.json("replies")["replies"]] == ["reply", "auto_reply"]
    desk.run("replies", "label", "1", "no")
    assert [each["kind"] for each in desk.json("replies")["replies"]] == ["auto_reply", "reply"]
