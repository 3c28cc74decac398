"""What a person is told instead of a code."""

from datetime import UTC, datetime

from outreach.cli._output import in_words, rule_in_words
from outreach.core.guards import Facts, answers
from outreach.core.records import Founder, OutboxState
from outreach.resources import toml
from outreach.store.gate import Kind, checks


def test_every_obstacle_has_words() -> None:
    codes = {*checks(Kind(paced=True, fresh=True, first_steps_pass=False)), *OutboxState} - {OutboxState.QUEUED}
    assert codes <= toml("reasons.toml").keys()


def test_every_rule_has_words() -> None:
    found = {answer.rule for answer in answers(Facts(Founder(1, "Ada Testwell")), datetime.now(UTC))}
    assert all(rule_in_words(f"{rule}: why") != rule for rule in found)


def test_the_detail_stays() -> None:
    assert in_words("mailbox-paused: the login was refused") == "the mailbox rests: the login was refused"
    assert in_words("something else") == "something else"
    assert in_words("") == ""
