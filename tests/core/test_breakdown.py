"""A campaign by step, variant, tag or industry: who counts where, and what the numbers do not tell."""

from datetime import UTC, datetime, timedelta

import pytest

from outreach.core.breakdown import By, Group, Heard, Mailed, break_down, compare_variants, tells_something
from outreach.core.stats import chance_of_difference, rate

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
DAY = timedelta(days=1)
BO, CY, DI = 1, 2, 3


def mailed(id_: int, founder: int, step: int = 1, variant: str = "", day: int = 0) -> Mailed:
    return Mailed(id_, founder, step, variant, MONDAY + day * DAY)


def heard(founder: int, *means: str, answers: int | None = None, day: int = 9) -> Heard:
    return Heard(founder, answers, MONDAY + day * DAY, frozenset(means))


THREE_AND_A_SECOND = [mailed(10, BO), mailed(11, CY), mailed(12, DI), mailed(20, BO, 2, day=4)]


def numbers(groups: list[Group]) -> dict[str, tuple[int, int, int, int]]:
    """key → mailed, delivered, bounced, replied."""
    return {group.key: (group.mailed, group.delivered, group.bounced, group.replied) for group in groups}


def test_an_answer_counts_for_the_mail_that_it_names() -> None:
    found = break_down(By.STEP, THREE_AND_A_SECOND, [heard(BO, "replied", answers=10)], {})
    assert numbers(found) == {"step 1": (3, 3, 0, 1), "step 2": (1, 1, 0, 0)}


def test_one_that_names_none_counts_for_the_last_mail_before_it() -> None:
    late, early, by_a_wrong_clock = heard(BO, "replied"), heard(CY, "replied", day=1), heard(DI, "replied", day=-1)
    found = break_down(By.STEP, THREE_AND_A_SECOND, [late, early, by_a_wrong_clock], {})
    assert numbers(found) == {"step 1": (3, 3, 0, 2), "step 2": (1, 1, 0, 1)}


def test_everyone_counts_once_in_a_group() -> None:
    twice = [heard(BO, "replied", "interested", answers=10), heard(BO, "replied", answers=10)]
    (first, _) = break_down(By.STEP, THREE_AND_A_SECOND, twice, {})
    assert (first.replied, first.interested, first.interview) == (1, 1, 0)


def test_who_answers_was_reached_even_if_a_mail_came_back() -> None:
    (first, _) = break_down(
        By.STEP, THREE_AND_A_SECOND, [heard(BO, "bounced"), heard(CY, "bounced"), heard(CY, "replied")], {}
    )
    assert (first.mailed, first.bounced, first.delivered, first.replied) == (3, 1, 3, 1)


def test_someone_who_was_never_mailed_counts_nowhere() -> None:
    assert break_down(By.STEP, [], [heard(BO, "replied")], {}) == []


def test_variants_are_those_of_each_step() -> None:
    mails = [mailed(1, BO, 1, "a"), mailed(2, CY, 1, "b"), mailed(3, BO, 2), mailed(4, CY, 3, "b")]
    assert list(numbers(break_down(By.VARIANT, mails, [], {}))) == ["step 1 a", "step 1 b", "step 3 b"]


def test_who_has_several_tags_counts_for_each_and_the_largest_group_comes_first() -> None:
    traits = {BO: ["berlin", "vip"], CY: ["vip"]}
    found = break_down(By.TAG, THREE_AND_A_SECOND, [heard(BO, "replied")], traits)
    assert numbers(found) == {"vip": (2, 2, 0, 1), "(none)": (1, 1, 0, 0), "berlin": (1, 1, 0, 1)}
    assert [group.key for group in found] == ["vip", "(none)", "berlin"]
    assert tells_something(found)
    assert not tells_something(break_down(By.TAG, THREE_AND_A_SECOND, [], {}))


def variants(*told: tuple[str, int, int]) -> list[Group]:
    return [Group(f"step 1 {letter}", delivered=total, replied=hits) for letter, hits, total in told]


@pytest.mark.parametrize(
    "told",
    [
        (("a", 1, 10), ("b", 4, 10)),
        (("a", 0, 3), ("b", 3, 3)),
        (("a", 0, 0), ("b", 5, 5)),
        (("a", 20, 100), ("b", 30, 100)),
        (("a", 10, 100), ("b", 21, 100), ("c", 15, 100)),  # p = 0.049 for the most unlike two of three pairs
    ],
)
def test_few_answers_tell_no_difference(told: tuple[tuple[str, int, int], ...]) -> None:
    assert compare_variants(variants(*told)) == ["step 1: these numbers tell no difference between the variants"]


def test_many_do_and_the_odds_are_told() -> None:
    (line,) = compare_variants(variants(("a", 10, 100), ("b", 30, 100)))
    assert line == "step 1: b is answered more often than a (p = 0.00065)"


def test_one_variant_alone_is_compared_with_nothing() -> None:
    assert compare_variants(variants(("a", 10, 100))) == []


def test_more_answers_than_mails_are_a_whole_and_no_bug() -> None:
    """Somebody may write who was enrolled and not yet written to."""
    assert rate(2, 1) == rate(1, 1)
    assert rate(2, 0) is None


def test_the_odds_are_those_of_fisher() -> None:
    """The example with which the test is usually explained: 1 of 10 and 11 of 14 study."""
    assert chance_of_difference((1, 10), (11, 14)) == pytest.approx(0.0027594, abs=1e-6)
    assert chance_of_difference((5, 50), (50, 500)) == pytest.approx(1.0)
    assert chance_of_difference((0, 0), (1, 1)) == 1.0
