"""How fast a mail is written: rendered, built, checked, against the standard library's `EmailMessage` with the same
template compiled once. Run `python -m benchmarks.writing`; it prints microseconds a mail and the ratio, medians of
seven runs over 1,000 founders, side by side in one process.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime

from jinja2 import Environment

from outreach.core.lint import lint_message
from outreach.core.mentions import Names, names_of
from outreach.core.message import OPT_OUT, build_message, message_token
from outreach.core.records import Company, Draft, Founder, Sender, Sequence
from outreach.resources import data_dir
from outreach.templating import Renderer, load_sequence, template_context

FOUNDERS = 1_000
RUNS = 7
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
ME = Sender("Ada Lovelace", "ada@lovelace.example")
KEY = b"k" * 32


def people() -> list[Founder]:
    """Half of them with a name outside ASCII, as lists have it."""
    return [
        Founder(
            number, f"{'Zoë' if number % 2 else 'Bo'} Quill{number}", "Zoë" if number % 2 else "Bo", f"Quill{number}",
            company=Company(number, f"Quill{number} Robotics, Inc.", city="Oslo", industries=("Robotics", "AI")),
        )
        for number in range(FOUNDERS)
    ]  # fmt: skip


def ours(sequence: Sequence, founders: list[Founder]) -> Callable[[], int]:
    renderer, step, names = Renderer(sequence), sequence.steps[0], Names(names_of(founders))

    def write(founder: Founder) -> int:
        address = f"z{founder.id}@quill{founder.id}.example"
        context = template_context(founder, address, ME, "spring", step, date=NOW)
        draft = renderer.render(step, context)
        assert isinstance(draft, Draft), "every founder here has all that the template asks for"
        message = build_message(
            draft,
            sender=ME,
            recipient=address,
            recipient_name=founder.full_name,
            date=NOW,
            token=message_token(KEY, f"1/1/{founder.id}", 0),
        )
        found = lint_message(message, draft, step=1, sender=ME, recipient=address, founder=founder, names=names)
        assert not found, found
        return len(message.mime)

    return lambda: sum(map(write, founders))


def standard(sequence: Sequence, founders: list[Founder]) -> Callable[[], int]:
    """Nothing is cleaned, checked or threaded: the floor that a short script would reach."""
    environment = Environment()  # noqa: S701  plain text
    subject, body = (environment.from_string(text) for text in (sequence.steps[0].subject, sequence.steps[0].body))

    def write(founder: Founder) -> int:
        values = {"founder": founder, "company": founder.company, "me": {"signature": ME.name}}
        mail = EmailMessage()
        mail["From"] = f"{ME.name} <{ME.address}>"
        mail["To"] = f"{founder.full_name} <z{founder.id}@quill{founder.id}.example>"
        mail["Subject"] = subject.render(values)
        mail["Date"] = format_datetime(NOW)
        mail["Message-ID"] = f"<or.{founder.id}@lovelace.example>"
        mail["List-Unsubscribe"] = f"<mailto:{ME.address}?subject=unsubscribe>"
        mail.set_content(f"{body.render(values)}\n\n{OPT_OUT}\n")
        return len(mail.as_bytes())

    return lambda: sum(map(write, founders))


def median_of(work: Callable[[], int]) -> float:
    """Microseconds a mail."""
    work()
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times) / FOUNDERS * 1e6


def main() -> None:
    founders = people()
    plain = load_sequence(data_dir() / "templates" / "job-search")
    step = plain.steps[0]
    markdown = Sequence("markdown", (replace(step, markdown=True),))
    peer = median_of(standard(plain, founders))
    mine = median_of(ours(plain, founders))
    html = median_of(ours(markdown, founders))
    print(f"{'':34} µs a mail   times as fast")
    print(f"{'EmailMessage build + as_bytes':34} {peer:9.0f}             1.0")
    print(f"{'ours: render, build, check (text)':34} {mine:9.0f}   {peer / mine:13.1f}")
    print(f"{'ours, with an HTML part':34} {html:9.0f}   {peer / html:13.1f}")


if __name__ == "__main__":
    main()
