"""What a person is told instead of a code."""

from outreach.cli._output import in_words
from outreach.core.pacing import Limits
from outreach.core.records import OutboxState
from outreach.resources import toml
from outreach.store.claims import _checks
from tests.fakes import MONDAY_MORNING as NOW
from tests.flows.test_enqueue_and_send import LIMITS


def test_every_obstacle_has_words() -> None:
    limits: Limits = LIMITS
    codes = {*_checks(1, limits, ["person:1"], NOW), *OutboxState} - {OutboxState.QUEUED, OutboxState.HELD}
    assert codes <= toml("reasons.toml").keys()


def test_the_detail_stays() -> None:
    assert in_words("mailbox-paused: the login was refused") == "the mailbox rests: the login was refused"
    assert in_words("something else") == "something else"
    assert in_words("") == ""
