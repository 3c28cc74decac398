"""Two records that may be one, with the rule that says so. What the rules of identity leave to a person."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from outreach.core.clusters import Clusters, pairs


@dataclass(frozen=True, slots=True)
class Likeness:
    """Clusters `left` and `right` may be one company or one person; only a person can tell."""

    left: int
    right: int
    rule: str
    evidence: str


def settled(clusters: Clusters, likenesses: Iterable[Likeness]) -> tuple[Likeness, ...]:
    """The questions that are left once all rules have been applied, between clusters as they are then."""
    now = (replace(each, left=clusters.find(each.left), right=clusters.find(each.right)) for each in likenesses)
    return tuple(each for each in now if each.left != each.right and not clusters.are_apart(each.left, each.right))


def refused(clusters: Clusters) -> Iterator[Likeness]:
    """What a rule would have made one, had a person not said that two among them are different."""
    for link in clusters.refused:
        now = {clusters.find(mention) for mention in link.mentions}
        yield from (Likeness(*pair, link.rule, link.evidence) for pair in pairs(now))
