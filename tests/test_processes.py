"""A dead worker is told from a slow one, and nothing is called dead without proof."""

import os
import subprocess
import sys
import time

import pytest

from outreach.processes import ChildFailed, in_child, is_surely_dead, this_process


def test_this_process_lives() -> None:
    assert not is_surely_dead(this_process())


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere the lease of the claim decides")
def test_a_process_that_ended_is_dead() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from outreach.processes import this_process; print(this_process())"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert is_surely_dead(done.stdout.strip())


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere the lease of the claim decides")
def test_a_process_number_used_again_is_not_the_old_process() -> None:
    host, boot, pid, started = this_process().split("|")
    assert is_surely_dead("|".join((host, boot, pid, str(int(started) - 1))))
    assert is_surely_dead(f"{host}|another-boot|{pid}|{started}")


@pytest.mark.parametrize("owner", ["", "elsewhere|boot|1|1", "garbage"])
def test_what_is_not_known_is_not_called_dead(owner: str) -> None:
    assert not is_surely_dead(owner)


def test_a_child_does_the_work_and_hands_it_back() -> None:
    assert in_child(sorted, [3, 1, 2], seconds=30) == [1, 2, 3]


def test_a_child_that_takes_too_long_is_ended() -> None:
    with pytest.raises(ChildFailed, match="more than"):
        in_child(time.sleep, 60, seconds=0.5)


def test_a_child_that_fails_or_dies_is_a_failure_with_a_reason() -> None:
    with pytest.raises(ChildFailed, match="ZeroDivisionError"):
        in_child(divmod, 1, 0, seconds=30)
    with pytest.raises(ChildFailed, match="died"):
        in_child(os._exit, 3, seconds=30)
    with pytest.raises(ChildFailed, match=r"MemoryError|died"):
        in_child(bytes, 8_000_000_000, seconds=30)
