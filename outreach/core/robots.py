"""robots.txt (RFC 9309): may this program fetch that path, and how long must it wait between two pages? Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote, unquote

_MAX_LINES = 5_000
_MAX_RULE = 2_000
_MAX_DELAY = 30.0
_RULES = ("allow", "disallow", "crawl-delay")


@dataclass(frozen=True, slots=True)
class Robots:
    """What a site allows one program. `rules` are (allows, path pattern)."""

    rules: tuple[tuple[bool, str], ...] = ()
    delay: float = 0.0

    def allows(self, path: str) -> bool:
        """The longest rule that fits decides; of two equally long ones, the one that allows (RFC 9309 2.2.2)."""
        wanted = _canonical(path or "/")
        fitting = [(len(pattern), allows) for allows, pattern in self.rules if _fits(pattern, wanted)]
        return max(fitting)[1] if fitting else True


ALLOW_ALL = Robots()


def parse_robots(text: str, product: str) -> Robots:
    """The rules for `product`: those of its own groups, else those of `*`."""
    groups = list(_groups(text.removeprefix("\ufeff").splitlines()[:_MAX_LINES]))
    mine = [lines for agents, lines in groups if product.casefold() in agents]
    chosen = mine or [lines for agents, lines in groups if "*" in agents]
    rules, delay = [], 0.0
    for name, value in (line for lines in chosen for line in lines):
        if name in ("allow", "disallow") and value and len(value) <= _MAX_RULE:
            rules.append((name == "allow", _canonical(value)))
        elif name == "crawl-delay":
            delay = max(delay, _seconds(value))
    return Robots(tuple(rules), delay)


def _groups(lines: Iterable[str]) -> Iterable[tuple[set[str], list[tuple[str, str]]]]:
    """Consecutive User-agent lines share the rules that follow them; a Sitemap parts nothing (2.2.4)."""
    agents, rules = set[str](), list[tuple[str, str]]()
    for raw in lines:
        name, colon, value = raw.partition("#")[0].partition(":")
        name, value = name.strip().casefold(), value.strip()
        if not colon:
            continue
        if name == "user-agent":
            if rules:
                yield agents, rules
                agents, rules = set(), []
            agents.add(value.partition("/")[0].strip().casefold())
        elif agents and name in _RULES:
            rules.append((name, value))
    if agents:
        yield agents, rules


def _seconds(value: str) -> float:
    try:
        return min(max(float(value), 0.0), _MAX_DELAY)
    except ValueError:
        return 0.0


def _canonical(path: str) -> str:
    """One way of percent-encoding, so that `/%7eada` and `/~ada` are the same path."""
    return quote(unquote(path), safe="/*$?=&:;,@!~+'()")


def _fits(pattern: str, path: str) -> bool:
    """`*` stands for anything, a final `$` for the end. Pieces are looked for one after the other: no backtracking."""
    anchored = pattern.endswith("$")
    head, *pieces = pattern.removesuffix("$").split("*")
    if not path.startswith(head):
        return False
    if anchored and not pieces:
        return path == head
    at = len(head)
    for number, piece in enumerate(pieces):
        if anchored and number == len(pieces) - 1:
            return path.endswith(piece) and len(path) - len(piece) >= at
        at = path.find(piece, at)
        if at < 0:
            return False
        at += len(piece)
    return True
