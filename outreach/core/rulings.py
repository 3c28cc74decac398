"""What a person has said about who is who: it outranks every rule, and holds for the same rows in any later import.

A ruling names rows by what they say, so it survives that records are made, merged and taken apart. Knows nothing of
tables, and nothing of companies or people but where a row names them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from outreach.core.clusters import Clusters
from outreach.core.quick import record

AS_COMPANY = -1
"""The place in a row where it names its company; people stand at 0, 1, …"""


@record
class Seat:
    """A place in a row: the row by its hash, and which of those it names."""

    sha256: str
    position: int


@dataclass(frozen=True, slots=True)
class Ruling:
    """Two seats are one (`same`), or are not."""

    kind: str
    same: bool
    left: Seat
    right: Seat


@dataclass(frozen=True, slots=True)
class Rulings:
    """Rulings by the mentions they are about. `repeated` are mentions of the very same seat."""

    repeated: tuple[tuple[int, int], ...] = ()
    same: tuple[tuple[int, int], ...] = ()
    apart: tuple[tuple[int, int], ...] = ()


NO_RULINGS = Rulings()


def rulings_on(seats: Sequence[Seat], rulings: Iterable[Ruling], kind: str) -> Rulings:
    """Those that are about these mentions, each given by its seat; and that one seat is one, however often it comes."""
    wanted = [ruling for ruling in rulings if ruling.kind == kind]
    first: dict[Seat, int] = {}
    repeated = []
    for mention, seat in enumerate(seats):
        if (other := first.setdefault(seat, mention)) != mention:
            repeated.append((other, mention))
    found = [
        (each.same, first[each.left], first[each.right]) for each in wanted if {each.left, each.right} <= set(first)
    ]
    return Rulings(
        repeated=tuple(repeated),
        same=tuple((left, right) for same, left, right in found if same),
        apart=tuple((left, right) for same, left, right in found if not same),
    )


def apply_rulings(clusters: Clusters, rulings: Rulings) -> None:
    """Before any rule."""
    for pair in rulings.repeated:
        clusters.unite(pair, "row", "the same row")
    for pair in rulings.same:
        clusters.unite(pair, "person", "you said that they are one")
    for left, right in rulings.apart:
        clusters.forbid(left, right)
