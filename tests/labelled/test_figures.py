"""The figures that the inbox must reach, on the labelled set of this repository."""

# ruff: noqa: E501  a table reads better wide

from functools import cache

import pytest

from outreach.core.opt_out import find_opt_out
from tests.labelled.figures import Result, Share, all_samples, figures, judged
from tests.labelled.opt_outs import ASKED, ASKED_UNSEEN, NOT_ASKED, NOT_ASKED_UNSEEN


@cache
def results() -> tuple[Result, ...]:
    return tuple(judged(sample) for sample in all_samples())


@cache
def found() -> dict[str, Share]:
    return figures(results())


def test_the_set_is_large_and_no_message_is_in_it_twice() -> None:
    assert len(results()) >= 500
    assert len({result.sample.name for result in results()}) == len(results())
    assert len({result.sample.raw for result in results()}) == len(results())


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("bounce precision", 0.995), ("bounce recall", 0.985), ("reply precision", 0.975), ("reply recall", 0.99),
        ("auto_reply precision", 0.8), ("auto_reply recall", 0.95), ("complaint precision", 1.0), ("complaint recall", 0.95),
        ("challenge recall", 1.0), ("receipt recall", 1.0), ("unsubscribe recall", 0.98), ("failed recipient found", 0.98),
        ("failed recipient named by the report itself", 0.97), ("dead address found", 0.9), ("sub-kind right", 0.95),
    ],
)  # fmt: skip
def test_at_least(name: str, least: float) -> None:
    assert found()[name].value >= least, str(found()[name])


@pytest.mark.parametrize(
    ("name", "most"),
    [("machine taken for a person", 0.01), ("person taken for an automatic reply", 0.0), ("wrongly suppressed", 0.0)],
)
def test_at_most(name: str, most: float) -> None:
    assert found()[name].value <= most, str(found()[name])


def test_every_verdict_has_evidence() -> None:
    assert all(result.judged.verdict.evidence for result in results())
    assert not any(result.judged.trouble for result in results())


def test_opt_outs_are_found_in_eight_languages() -> None:
    asked = [text for texts in ASKED.values() for text in texts]
    assert sum(bool(find_opt_out(text)) for text in asked) >= 0.98 * len(asked)


@pytest.mark.parametrize("text", ASKED_UNSEEN)
def test_what_was_written_down_before_the_rules_knew_it(text: str) -> None:
    assert find_opt_out(text)


@pytest.mark.parametrize("text", [*NOT_ASKED, *NOT_ASKED_UNSEEN])
def test_what_only_sounds_like_an_opt_out_is_none(text: str) -> None:
    assert not find_opt_out(text)
