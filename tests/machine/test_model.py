"""The state machine of `model`, and whether it is any good: it must find every bug of `planted`.

A long run: `OUTREACH_TESTS_EXAMPLES=5000 pytest -n0 tests/machine/test_model.py -k promises`.
"""

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.machine.model import Broken, Outreach, TwoMailboxes, Unpaced
from tests.machine.planted import BUGS, RARE

EXAMPLES = int(os.environ.get("OUTREACH_TESTS_EXAMPLES", "12"))
LONG = EXAMPLES > 100
FOUND_BY = {"LosesTheAnswerBefore": Unpaced, "MovesWhoWasWritten": TwoMailboxes}
"""The machine that can meet a bug, where it is not the plain one."""
PLANTED = {**BUGS, **RARE} if LONG else BUGS
# No shrinking: each step is a few milliseconds, and a failure of forty steps is as good as one of thirty.
BUDGET = settings(
    max_examples=EXAMPLES, stateful_step_count=40, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck), print_blob=False,
)  # fmt: skip


@pytest.mark.timeout(86_400 if LONG else 300)
@pytest.mark.parametrize("machine", [Outreach, Unpaced, TwoMailboxes])
def test_the_promises_hold_whatever_happens(machine: type[Outreach]) -> None:
    run_state_machine_as_test(machine, settings=BUDGET)


@pytest.mark.timeout(3_600 if LONG else 300)
@pytest.mark.parametrize("bug", PLANTED)
def test_a_planted_bug_is_found(bug: str) -> None:
    class Faulty(FOUND_BY.get(bug, Outreach)):  # type: ignore[misc]  # chosen as it runs
        make_store = PLANTED[bug]

    always_the_same = settings(BUDGET, derandomize=True, database=None, max_examples=max(EXAMPLES, 40))
    with pytest.raises(Broken):
        run_state_machine_as_test(Faulty, settings=always_the_same)
