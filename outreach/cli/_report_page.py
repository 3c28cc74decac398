"""The report as one HTML file: charts drawn into it, no script, nothing fetched.

It names campaigns, and no person: why one is paused is left out, for that may tell an address.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import jinja2

from outreach.cli._page import part
from outreach.cli.report import rates_of
from outreach.core.breakdown import By, Group, compare_variants
from outreach.core.stats import Rate
from outreach.store.report import Funnel, People

_CHARTED = 12
_STEPS = {
    # field of the funnel → its rate, where it has one
    "enrolled": "",
    "mailed": "",
    "delivered": "",
    "replied": "reply",
    "interested": "interested",
    "interview": "interview",
    "offer": "offer",
}


@dataclass(frozen=True, slots=True)
class Charted:
    """A campaign, and its breakdowns."""

    funnel: Funnel
    parts: Mapping[By, Sequence[Group]]


def report_page(people: People, campaigns: Sequence[Charted], *, made: datetime) -> bytes:
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined)
    environment.filters["share"] = _share
    page = environment.from_string(part("report.html")).render(
        style=part("colors.css") + part("report.css"),
        people=people,
        made=f"{made:%d %b %Y, %H:%M}",
        campaigns=[_campaign(number, each) for number, each in enumerate(campaigns, 1)],
    )
    return page.encode()


def _campaign(number: int, charted: Charted) -> dict[str, Any]:
    rates = rates_of(charted.funnel)
    steps = [
        {
            "name": name,
            "number": (hits := getattr(charted.funnel, name)),
            "part": hits / max(1, charted.funnel.enrolled),
            "rate": rates.get(rate),
        }
        for name, rate in _STEPS.items()
    ]
    parts = [_part(by, groups) for by, groups in charted.parts.items()]
    return {**asdict(charted.funnel), "number": number, "steps": steps, "parts": parts}


def _part(by: By, groups: Sequence[Group]) -> dict[str, Any]:
    charted = [{**asdict(group), "rate": rates_of(group)["reply"]} for group in groups[:_CHARTED]]
    highest = max((each["rate"].high for each in charted if each["rate"]), default=0)
    return {
        "by": by,
        "groups": groups,
        "charted": charted,
        "most": next(most for most in (0.2, 0.4, 0.6, 1) if highest <= most),
        "told": compare_variants(groups) if by is By.VARIANT else (),
    }


def _share(rate: Rate) -> str:
    return f"{rate.value:.0%} ({rate.low:.0%} to {rate.high:.0%})"
