"""What holds a finished message back, and what does not."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from outreach.core.lint import lint_message
from outreach.core.message import build_message, with_footer
from outreach.core.records import Draft, Message, Sender

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
ME = Sender("Ada Lovelace", "ada@lovelace.example", postal_address="1 Example Street, Exampletown")
TEXT = "Hi Zoë,\n\nare you looking for an engineer?\n\nAda"


def rules(
    text: str = TEXT,
    subject: str = "Work at Quill",
    *,
    step: int = 1,
    recipient: str = "zoe@quill.example",
    sender: Sender = ME,
) -> list[str]:
    draft = Draft(subject, with_footer(text, sender.postal_address))
    return lint(draft, build(draft, recipient, sender), step=step, recipient=recipient, sender=sender)


def build(draft: Draft, recipient: str = "zoe@quill.example", sender: Sender = ME) -> Message:
    return build_message(draft, sender=sender, recipient=recipient, recipient_name="Zoë Quill", date=NOW, token="token")


def lint(
    draft: Draft, message: Message, *, step: int = 1, recipient: str = "zoe@quill.example", sender: Sender = ME
) -> list[str]:
    found = lint_message(message, draft, step=step, sender=sender, recipient=recipient)
    assert all(finding.message for finding in found)
    return [finding.rule for finding in found]


def test_an_honest_mail_passes() -> None:
    assert rules() == []


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("Hi {{ founder.first_name }},", "leftover"),
        ("Hi Zoë, {% if x", "leftover"),
        ("Hi [FIRST NAME],", "leftover"),
        ("Hello [NAME],", "leftover"),
        ("Dear <First Name>,", "leftover"),
        ("Hi {first_name},", "leftover"),
        ("Hi Zoë,\n\nI like None.", "empty-value"),
        ("Hi Zoë,\n\nyour nan people", "empty-value"),
        ("Hi ,\n\ntext", "greeting"),
        ("Dear,\n\ntext", "greeting"),
        ("Good morning !\n\ntext", "greeting"),
        ("Hello First Name,\n\ntext", "greeting"),
        ("Hi John Doe,\n\ntext", "greeting"),
        ("Hi Zoë,\n\nhttps://bit.ly/3xyz", "link-shortener"),
        ("Hi Zoë,\n\nsee www.TinyURL.com/abc.", "link-shortener"),
        ('Hi Zoë,\n\n<img src="https://t.example/p.gif">', "html"),
        ("Hi Zoë,<br>text", "html"),
    ],
)
def test_a_text_is_held(text: str, rule: str) -> None:
    assert rules(text) == [rule]


@pytest.mark.parametrize(
    "text",
    [
        "None of us liked it.",
        "Hello,\n\ntext",
        "Hi there,\n\ntext",
        "Hi Nan,\n\ntext",
        "Hilda told me about it.",
        "Banana bread [1] and [see below], a < b > c, x <y@z.example>.",
        "https://not-bit.ly.example/x and t.come",
        "JSON like {name: 1} is fine.",
    ],
)
def test_a_text_is_not_held_for_nothing(text: str) -> None:
    assert rules(text) == []


@pytest.mark.parametrize(
    "subject", ["Re: Work", "RE:work", "Fwd: Work", "fw: x", "AW: Arbeit", "Re[2]: x", "Réponse : x", "Odp: x"]
)
@pytest.mark.parametrize("step", [1, 2])
def test_a_subject_must_not_pretend_to_answer(subject: str, step: int) -> None:
    assert rules(subject=subject, step=step) == ["subject"]


def test_a_first_mail_answers_none() -> None:
    draft = Draft("Work", with_footer(TEXT, ME.postal_address))
    message = build(draft)
    threaded = replace(message, mime=message.mime.replace(b"References:", b"In-Reply-To: <x@x.example>\r\nReferences:"))
    assert lint(draft, threaded) == ["subject"]
    assert lint(draft, threaded, step=2) == []


def test_a_mail_needs_a_subject_or_a_thread() -> None:
    assert rules(subject="") == ["subject"]
    assert rules(subject="", step=2) == ["subject"]


@pytest.mark.parametrize(
    ("recipient", "sender", "found"),
    [
        ("bob@lovelace.example", ME, ["own-domain"]),
        ("bob@mail.lovelace.example", ME, ["own-domain"]),
        ("bob@notlovelace.example", ME, []),
        ("bob@gmail.com", replace(ME, address="ada@gmail.com"), []),
        ("info@quill.example", ME, ["role-inbox"]),
        ("noreply@quill.example", ME, ["role-inbox"]),
    ],
)
def test_some_recipients_are_not_written_to(recipient: str, sender: Sender, found: list[str]) -> None:
    assert rules(recipient=recipient, sender=sender) == found


def test_the_final_bytes_say_how_to_opt_out_and_where_the_sender_lives() -> None:
    draft = Draft("Work", TEXT)
    assert lint(draft, build(draft)) == ["footer", "footer"]


def test_what_the_wire_would_refuse_is_held_now() -> None:
    draft = Draft("Work", with_footer(TEXT, ME.postal_address))
    message = build(draft)
    altered = replace(message, mime=message.mime.replace(b"Subject:", b"Bcc: i@evil.example\r\nSubject:"))
    assert lint(draft, altered) == ["wire"]
