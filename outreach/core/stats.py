"""Rates with their uncertainty: what a handful of answers can and cannot tell."""

from dataclasses import dataclass
from math import exp, lgamma, sqrt

_Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of `total`, with its 95 % Wilson score interval (Wilson 1927), right for small numbers too."""

    value: float
    low: float
    high: float


def rate(hits: int, total: int) -> Rate | None:
    """None where nothing was tried. More hits than tries are all of them: somebody answered who was not written to."""
    if total <= 0:
        return None
    share = min(1.0, hits / total)
    scale = 1 + _Z95**2 / total
    middle = (share + _Z95**2 / (2 * total)) / scale
    half = _Z95 / scale * sqrt(share * (1 - share) / total + _Z95**2 / (4 * total**2))
    return Rate(share, max(0.0, middle - half), min(1.0, middle + half))


def chance_of_difference(first: tuple[int, int], second: tuple[int, int]) -> float:
    """How likely two samples (hits, total) of one and the same rate differ at least as much as these do: Fisher's exact
    test, two-sided. 1.0 where nothing was tried."""
    (hits, total), (others, other_total) = first, second
    wins, everyone = hits + others, total + other_total
    if not total or not other_total:
        return 1.0

    def chance(of_first: int) -> float:
        return exp(_ways(wins, of_first) + _ways(everyone - wins, total - of_first) - _ways(everyone, total))

    as_rare = chance(hits) * (1 + 1e-9)
    possible = map(chance, range(max(0, wins - other_total), min(wins, total) + 1))
    return min(1.0, sum(each for each in possible if each <= as_rare))


def _ways(of: int, chosen: int) -> float:
    """The logarithm of the binomial coefficient."""
    return lgamma(of + 1) - lgamma(chosen + 1) - lgamma(of - chosen + 1)
