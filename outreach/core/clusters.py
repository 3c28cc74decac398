"""Groups of mentions that are one thing (union-find), with the traits of each group gathered.

The grouping depends only on what is united, never on the order of the mentions. Knows nothing of what a trait means.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence, Set
from itertools import combinations, pairwise

from outreach.core.quick import record

_ALL_PAIRS = 20


@record
class Link:
    """Mentions that a rule has made one (or would have, had nobody said that two of them are not): why they are."""

    mentions: tuple[int, ...]
    rule: str
    evidence: str


class Clusters:
    """Mentions 0…n-1, at first each alone. A cluster goes by its lowest mention.

    `traits` gives, by name, the values of each mention; of those that have none nothing is held. `links` are what has
    made them one; `refused` what would have, where a person has said that two are not one.
    """

    def __init__(self, size: int, traits: Mapping[str, Iterable[Sequence[str]]]) -> None:
        self._parent = list(range(size))
        self._apart: dict[int, set[int]] = {}
        self.links: list[Link] = []
        self.refused: list[Link] = []
        self._traits: dict[str, dict[int, set[str]]] = {
            name: {at: {*filter(None, values)} for at, values in enumerate(column) if any(values)}
            for name, column in traits.items()
        }

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
            for values in self._traits.values():
                if other in values:
                    values.setdefault(roots[0], set()).update(values.pop(other))
            if self._apart:
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

    def unite_equal(
        self, said: Iterable[tuple[int, Hashable]], rule: str = "row", evidence: str = "they say the same"
    ) -> None:
        """Unite those of these mentions that say exactly the same: the same row may have come in two files."""
        first: dict[Hashable, int] = {}
        more: dict[int, list[int]] = {}
        for mention, each in said:
            if (other := first.setdefault(each, mention)) != mention:
                more.setdefault(other, [other]).append(mention)
        for same in more.values():
            self.unite(same, rule, evidence)

    def trait(self, mention: int, name: str) -> Set[str]:
        """Every value of a trait in the mention's cluster."""
        return self._traits[name].get(self.find(mention), _NONE)

    def drop(self, name: str, values: Set[str]) -> None:
        """Take values of a trait away: they turned out to identify nobody."""
        for each in self._traits[name].values():
            each.difference_update(values)

    def roots(self) -> list[int]:
        return [mention for mention, parent in enumerate(self._parent) if mention == parent]

    def members(self) -> dict[int, list[int]]:
        """cluster → its mentions, only where there are several."""
        found: dict[int, list[int]] = {}
        for mention, parent in enumerate(self._parent):
            if mention != parent:
                root = self.find(mention)
                found.setdefault(root, [root]).append(mention)
        return found

    def by(self, key: Callable[[int], Iterable[str]], among: Iterable[int] | None = None) -> dict[str, list[int]]:
        """key → the clusters that have it, only where there are several; in the order of the keys."""
        return _shared((root, key(root)) for root in (self.roots() if among is None else among))

    def sharing(self, name: str) -> dict[str, list[int]]:
        """value of a trait → the clusters that share it."""
        return _shared(self._traits[name].items())


_NONE: Set[str] = frozenset()


def _shared(said: Iterable[tuple[int, Iterable[str]]]) -> dict[str, list[int]]:
    """value → those that have it, where there are several. Nearly all values have one, which costs no list."""
    first: dict[str, int] = {}
    more: dict[str, set[int]] = {}
    for root, values in said:
        for value in values:
            if (other := first.setdefault(value, root)) != root:
                more.setdefault(value, {other}).add(root)
    return {value: sorted(more[value]) for value in sorted(more)}


def pairs(roots: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Every pair of a small group; neighbours only of a large one, lest one common name make a million questions."""
    ordered = sorted(set(roots))
    return combinations(ordered, 2) if len(ordered) <= _ALL_PAIRS else pairwise(ordered)
