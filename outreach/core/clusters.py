"""Groups of mentions that are one thing (union-find), with the traits of each group gathered.

The grouping depends only on what is united, never on the order of the mentions. Knows nothing of what a trait means.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import combinations, pairwise

_ALL_PAIRS = 20


@dataclass(frozen=True, slots=True)
class Link:
    """Mentions that a rule has made one (or would have, had nobody said that two of them are not): why they are."""

    mentions: tuple[int, ...]
    rule: str
    evidence: str


class Clusters:
    """Mentions 0…n-1, at first each alone. A cluster goes by its lowest mention.

    `links` are what has made them one; `refused` what would have, where a person has said that two are not one.
    """

    def __init__(self, traits: Sequence[Mapping[str, Iterable[str]]]) -> None:
        self._parent = list(range(len(traits)))
        self._apart: dict[int, set[int]] = {}
        self.links: list[Link] = []
        self.refused: list[Link] = []
        self._traits = [
            {name: {value for value in values if value} for name, values in each.items()} for each in traits
        ]

    def find(self, mention: int) -> int:
        root = mention
        while self._parent[root] != root:
            root = self._parent[root]
        while self._parent[mention] != root:
            self._parent[mention], mention = root, self._parent[mention]
        return root

    def unite(self, mentions: Iterable[int], rule: str = "", evidence: str = "") -> None:
        """Make one of them all, or of none: a group in which two are known to be different proves nothing."""
        roots = sorted({self.find(mention) for mention in mentions})
        if len(roots) < 2:
            return
        link = Link(tuple(roots), rule, evidence)
        if self._apart and any(self._apart.get(root, set()) & set(roots) for root in roots):
            self.refused.append(link)
            return
        self.links.append(link)
        for other in roots[1:]:
            self._parent[other] = roots[0]
            for name, values in self._traits[other].items():
                self._traits[roots[0]][name] |= values
            self._inherit(roots[0], other)

    def forbid(self, left: int, right: int) -> None:
        """A person has said that these are different; what is one already stays one."""
        left, right = self.find(left), self.find(right)
        if left != right:
            self._apart.setdefault(left, set()).add(right)
            self._apart.setdefault(right, set()).add(left)

    def are_apart(self, left: int, right: int) -> bool:
        """Whether a person has said so."""
        return self.find(right) in self._apart.get(self.find(left), ())

    def _inherit(self, root: int, other: int) -> None:
        for stranger in self._apart.pop(other, ()):
            self._apart[stranger] = self._apart[stranger] - {other} | {root}
            self._apart.setdefault(root, set()).add(stranger)

    def unite_equal(self, said: Sequence[Hashable], rule: str = "row", evidence: str = "they say the same") -> None:
        """Unite mentions that say exactly the same, one value for each: the same row may have come in two files."""
        first: dict[Hashable, int] = {}
        more: dict[int, list[int]] = {}
        for mention, each in enumerate(said):
            if (other := first.setdefault(each, mention)) != mention:
                more.setdefault(other, [other]).append(mention)
        for same in more.values():
            self.unite(same, rule, evidence)

    def trait(self, mention: int, name: str) -> Set[str]:
        """Every value of a trait in the mention's cluster."""
        return self._traits[self.find(mention)][name]

    def drop(self, name: str, values: Set[str]) -> None:
        """Take values of a trait away: they turned out to identify nobody."""
        for each in self._traits:
            each[name] -= values

    def roots(self) -> list[int]:
        return [mention for mention, parent in enumerate(self._parent) if mention == parent]

    def by(self, key: Callable[[int], Iterable[str]], among: Iterable[int] | None = None) -> dict[str, list[int]]:
        """key → the clusters that have it, only where there are several; in the order of the keys."""
        found: dict[str, list[int]] = {}
        for root in self.roots() if among is None else among:
            for value in key(root):
                found.setdefault(value, []).append(root)
        return {value: found[value] for value in sorted(found) if len(found[value]) > 1}

    def sharing(self, name: str) -> dict[str, list[int]]:
        """value of a trait → the clusters that share it."""
        return self.by(lambda root: self._traits[root][name])


def pairs(roots: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Every pair of a small group; neighbours only of a large one, lest one common name make a million questions."""
    ordered = sorted(set(roots))
    return combinations(ordered, 2) if len(ordered) <= _ALL_PAIRS else pairwise(ordered)
