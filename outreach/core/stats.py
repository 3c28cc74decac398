"""Rates with their uncertainty: what a handful of answers can and cannot tell."""

from dataclasses import dataclass
from math import sqrt

_Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of `total`, with its 95 % Wilson score interval (Wilson 1927), right for small numbers too."""

    value: float
    low: float
    high: float


def rate(hits: int, total: int) -> Rate | None:
    """None where nothing was tried."""
    if total <= 0:
        return None
    share = hits / total
    scale = 1 + _Z95**2 / total
    middle = (share + _Z95**2 / (2 * total)) / scale
    half = _Z95 / scale * sqrt(share * (1 - share) / total + _Z95**2 / (4 * total**2))
    return Rate(share, max(0.0, middle - half), min(1.0, middle + half))
