"""The demo's people are read as what they are: each scripted answer, judged by the program itself."""

import tomllib
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any

import pytest

from outreach.core.inbound import read_mail
from outreach.core.judge import Judged, Owner, judge
from outreach.core.matching import Found, SentMail, clues_of, find_match
from outreach.core.message import build_message, dedupe_key, message_token
from outreach.core.records import Company, Draft, Founder, Sender
from outreach.core.verdict import Kind
from outreach.demo.answers import compose, read_arrived
from outreach.resources import data_dir
from outreach.templating import Renderer, load_sequence, template_context

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
ME = Sender("Ada Testwell", "ada@testwell.example")
OWNER = Owner(frozenset((ME.address,)), (ME.name,))
SCRIPT = tomllib.loads(files("outreach.demo").joinpath("data", "answers.toml").read_text("utf-8"))["answer"]
MACHINES = {
    "out-of-office": (Kind.AUTO_REPLY, "out_of_office"),
    "auto-reply": (Kind.AUTO_REPLY, "left"),
    "unsubscribe": (Kind.UNSUBSCRIBE, "machine"),
}


def play(answer: dict[str, Any]) -> Judged:
    """Our first mail to this person, their answer, and what the program makes of it."""
    address = answer["from"]
    sequence = load_sequence(data_dir() / "templates" / "job-search")
    founder = Founder(1, "Zoë Quill", "Zoë", "Quill", company=Company(1, "Quill Robotics"))
    context = template_context(founder, address, ME, "demo")
    draft = Renderer(sequence).render(sequence.steps[0], context)
    assert isinstance(draft, Draft)
    token = message_token(b"k" * 32, dedupe_key(1, 1, 1), 0)
    message = build_message(draft, sender=ME, recipient=address, recipient_name="Zoë Quill", date=NOW, token=token)
    at = NOW + timedelta(hours=answer["after"])
    raw = compose(answer["style"], read_arrived(message.mime, address), answer["text"], at)
    sent = SentMail(1, message.message_id, "", "sent", address, address, draft.subject, 1, 1, "", 1, 1, NOW)
    arrival = read_mail(raw, at)
    is_bounce = answer["style"] == "bounce"
    match = find_match(clues_of(arrival, report=is_bounce, own=OWNER.addresses), Found((sent,)), at)
    return judge(arrival, match, [draft.text], owner=OWNER, folder="inbox", now=at)


def expected(answer: dict[str, Any]) -> tuple[Kind, str]:
    if answer["style"] == "bounce":
        return (Kind.BOUNCE, "hard" if answer["text"].startswith("5.1.1") else "soft")
    if "remove me" in answer["text"]:
        return (Kind.UNSUBSCRIBE, "human")
    return MACHINES.get(answer["style"], (Kind.REPLY, "inline" if answer["style"] == "inline" else "plain"))


@pytest.mark.parametrize("answer", SCRIPT, ids=lambda answer: f"{answer['from']} {answer['mail']}")
def test_an_answer_is_read_as_what_it_is(answer: dict[str, Any]) -> None:
    judged = play(answer)
    assert (judged.verdict.kind, judged.verdict.subkind) == expected(answer)
    assert judged.kept
    if judged.verdict.kind is Kind.REPLY and answer["style"] != "inline":
        assert judged.text.new.split() == answer["text"].split()
