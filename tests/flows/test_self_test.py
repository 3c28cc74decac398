"""A mail to oneself: where it is looked for, how long, and what is told of it."""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from outreach.core.ports import Envelope, Outcome, Phase, SendResult
from outreach.flows.self_test import PATIENCE, SelfTest, self_test
from outreach.inboxes.maildir import MaildirInbox
from tests.factory import SENDER
from tests.fakes import FakeClock
from tests.mails import mail

Deliver = Callable[[bytes], None]


class Post:
    """A provider: `deliver` says what becomes of a mail that it takes."""

    def __init__(self, deliver: Deliver, answer: Outcome = Outcome.ACCEPTED) -> None:
        self.deliver, self.answer = deliver, answer
        self.envelopes: list[Envelope] = []

    def stage(self, envelope: Envelope) -> SendResult | None:
        self.envelopes.append(envelope)
        return None

    def commit(self) -> SendResult:
        if self.answer in (Outcome.ACCEPTED, Outcome.UNKNOWN):
            self.deliver(self.envelopes[-1].mime)
        return SendResult(self.answer, Phase.DOT, 250 if self.answer is Outcome.ACCEPTED else 550)

    def close(self) -> None:
        pass


class Slow(FakeClock):
    """A clock that does something once so many seconds were waited: `later`."""

    def __init__(self) -> None:
        super().__init__()
        self.later: list[tuple[float, Callable[[], None]]] = []
        self.waited = 0.0

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self.waited += seconds
        for at, act in list(self.later):
            if self.waited >= at:
                self.later.remove((at, act))
                act()


@pytest.fixture
def maildir(tmp_path: Path) -> Path:
    for folder in ("", ".Junk", ".Sent"):
        for part in ("tmp", "new", "cur"):
            (tmp_path / folder / part).mkdir(parents=True)
    return tmp_path


@pytest.fixture
def clock() -> Slow:
    return Slow()


def put(maildir: Path, raw: bytes, clock: FakeClock, folder: str = "") -> None:
    target = maildir / folder / "new" / f"{len(list(maildir.rglob('*.test')))}.test"
    target.write_bytes(raw)
    os.utime(target, (clock.now().timestamp(),) * 2)


def run(post: Post, maildir: Path, clock: FakeClock) -> SelfTest:
    return self_test(post, MaildirInbox(maildir), sender=SENDER, clock=clock)


def test_it_goes_to_the_owner_alone_and_is_found_among_other_mail(maildir: Path, clock: Slow) -> None:
    put(maildir, mail("something else", sender="x@x.example"), clock)
    post = Post(lambda raw: put(maildir, raw, clock))
    seen = run(post, maildir, clock)
    assert [(each.mail_from, each.rcpt_to) for each in post.envelopes] == [(SENDER.address, SENDER.address)]
    assert seen.arrived is not None
    assert seen.arrived.raw == post.envelopes[0].mime
    assert seen.after == timedelta(seconds=5)
    assert seen.copy is None
    assert clock.waited == 30  # so long a copy in Sent is waited for


def test_two_tests_are_told_apart(maildir: Path, clock: Slow) -> None:
    run(Post(lambda raw: put(maildir, raw, clock)), maildir, clock)
    assert run(Post(lambda _raw: None), maildir, clock).arrived is None


def test_with_a_copy_in_sent_nothing_more_is_waited_for(maildir: Path, clock: Slow) -> None:
    def deliver(raw: bytes) -> None:
        put(maildir, raw, clock)
        put(maildir, raw, clock, ".Sent")

    seen = run(Post(deliver), maildir, clock)
    assert seen.copy is not None
    assert clock.waited == 5


def test_a_mailbox_without_sent_is_not_waited_for(maildir: Path, clock: Slow) -> None:
    (maildir / ".Sent").rename(maildir / ".Elsewhere")
    seen = run(Post(lambda raw: put(maildir, raw, clock)), maildir, clock)
    assert seen.arrived is not None
    assert [folder.role for folder in seen.folders] == ["inbox", "junk"]
    assert clock.waited == 5


def test_what_comes_late_or_into_junk_is_found_there(maildir: Path, clock: Slow) -> None:
    def deliver(raw: bytes) -> None:
        clock.later.append((70, lambda: put(maildir, raw, clock, ".Junk")))

    seen = run(Post(deliver), maildir, clock)
    assert seen.arrived is not None
    assert (seen.arrived.folder.role, seen.after) == ("junk", timedelta(seconds=70))


def test_patience_ends(maildir: Path, clock: Slow) -> None:
    def deliver(raw: bytes) -> None:
        clock.later.append((PATIENCE.total_seconds() + 5, lambda: put(maildir, raw, clock)))

    assert run(Post(deliver), maildir, clock).arrived is None
    assert clock.waited == PATIENCE.total_seconds()


def test_a_mail_whose_acceptance_was_not_heard_may_come(maildir: Path, clock: Slow) -> None:
    post = Post(lambda raw: put(maildir, raw, clock), Outcome.UNKNOWN)
    assert run(post, maildir, clock).arrived is not None


def test_what_the_server_refuses_is_not_looked_for(maildir: Path, clock: Slow) -> None:
    seen = run(Post(lambda _raw: None, Outcome.REJECTED), maildir, clock)
    assert (seen.answer.outcome, seen.arrived, clock.waited) == (Outcome.REJECTED, None, 0)
