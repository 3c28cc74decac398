"""A campaign's numbers by step, variant, tag or industry. Pure: who was written what, and what came back, as values.

An answer counts for the mail that it answers, each person once in a group; whoever has several tags or industries
counts in the group of each.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import combinations

from outreach.core.quick import record
from outreach.core.stats import chance_of_difference

SURE_ENOUGH = 0.05
"""A difference that chance alone would make less often than this is called one."""
NONE = "(none)"
"""The group of those without a tag or an industry."""


class By(StrEnum):
    """What a campaign is broken down by."""

    STEP = "step"
    VARIANT = "variant"
    TAG = "tag"
    INDUSTRY = "industry"


@record
class Mailed:
    """One mail that left, or may have."""

    id: int
    founder: int
    step: int
    variant: str
    at: datetime


@record
class Heard:
    """One message that came back from a founder: what it `means` are fields of `Group`. `answers` is the id of the mail
    that it answers, if it names one."""

    founder: int
    answers: int | None
    at: datetime
    means: frozenset[str]


@dataclass(frozen=True, slots=True)
class Group:
    """The people of one step, variant, tag or industry in numbers."""

    key: str
    mailed: int = 0
    delivered: int = 0
    bounced: int = 0
    replied: int = 0
    unsubscribed: int = 0
    interested: int = 0
    interview: int = 0
    offer: int = 0


def break_down(
    by: By, mailed: Iterable[Mailed], heard: Iterable[Heard], traits: Mapping[int, Sequence[str]]
) -> list[Group]:
    """The groups: steps in their order, tags and industries the largest first. `traits` are the tags or industries of
    each founder."""
    mails: dict[int, list[Mailed]] = defaultdict(list)
    people: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for mail in sorted(mailed, key=lambda each: (each.step, each.variant)):
        mails[mail.founder].append(mail)
        for key in _keys(by, mail, traits):
            people[key]["mailed"].add(mail.founder)
    for each in heard:
        answered = _answered(each, mails[each.founder])
        for key in _keys(by, answered, traits) if answered else ():
            for meaning in each.means:
                people[key][meaning].add(each.founder)
    groups = [_group(key, found) for key, found in people.items()]
    return groups if by in (By.STEP, By.VARIANT) else sorted(groups, key=lambda group: (-group.mailed, group.key))


def _keys(by: By, mail: Mailed, traits: Mapping[int, Sequence[str]]) -> Sequence[str]:
    match by:
        case By.STEP:
            return (f"step {mail.step}",)
        case By.VARIANT:
            return (f"step {mail.step} {mail.variant}",) if mail.variant else ()
        case _:
            return traits.get(mail.founder) or (NONE,)


def _answered(heard: Heard, mails: Sequence[Mailed]) -> Mailed | None:
    """The mail that it names, else the last one before it; where a clock was wrong and none is, the first."""
    in_time = sorted(mails, key=lambda mail: mail.at)
    named = [mail for mail in in_time if mail.id == heard.answers]
    before = [mail for mail in in_time if mail.at <= heard.at]
    return next(iter((*named, *reversed(before), *in_time)), None)


def _group(key: str, people: Mapping[str, set[int]]) -> Group:
    """Whoever answers was reached, even if a mail to them came back."""
    lost = people.get("bounced", set()).difference(people.get("replied", ()), people.get("interested", ()))
    numbers = {name: len(found) for name, found in people.items()}
    return Group(key, delivered=len(people["mailed"] - lost), **numbers)


def tells_something(groups: Sequence[Group]) -> bool:
    """Whether anybody is in a group."""
    return any(group.key != NONE for group in groups)


def compare_variants(groups: Sequence[Group]) -> list[str]:
    """What the numbers tell of the variants of each step, and no more: two by two, with as many doubts as pairs."""
    steps: dict[str, list[Group]] = defaultdict(list)
    for group in groups:
        steps[group.key.rpartition(" ")[0]].append(group)
    return [_comparison(step, variants) for step, variants in steps.items() if len(variants) > 1]


def _comparison(step: str, variants: Sequence[Group]) -> str:
    pairs = list(combinations(variants, 2))
    told = []
    for pair in pairs:
        less, more = sorted(pair, key=lambda group: group.replied / group.delivered if group.delivered else 0)
        chance = chance_of_difference((more.replied, more.delivered), (less.replied, less.delivered))
        if chance * len(pairs) < SURE_ENOUGH:
            told.append(f"{_letter(more)} is answered more often than {_letter(less)} (p = {chance:.2g})")
    return f"{step}: {'; '.join(told) or 'these numbers tell no difference between the variants'}"


def _letter(group: Group) -> str:
    return group.key.rpartition(" ")[2]
