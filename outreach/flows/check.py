"""Reads a sequence as a careful colleague would, over the user's own people: what is wrong, where, and for how many."""

from collections.abc import Iterable, Iterator
from collections.abc import Sequence as Ordered
from dataclasses import dataclass
from datetime import datetime, timedelta

from outreach.core.findings import Finding, placed, wrong_silences
from outreach.core.mentions import Names, names_of
from outreach.core.message import InThread
from outreach.core.notice import privacy_notice
from outreach.core.records import (
    Campaign,
    CampaignState,
    Company,
    Enrollment,
    EnrollmentState,
    Founder,
    Sender,
    Step,
)
from outreach.core.review import review_names, review_template
from outreach.core.variants import every_variant
from outreach.flows._writer import Unwritten, Writer
from outreach.templating import VARIABLES, Context, Previous, facts_of, template_context

MOST_PEOPLE = 2_000
NOBODY = Founder(
    0, "Zoë Quill", "Zoë", "Quill", title="Founder",
    company=Company(0, "Quill Robotics", domain="quill.example", website="https://quill.example",
                    description="Quill Robotics makes small robots.", industries=("Robotics", "Software"), city="Oslo",
                    region="Oslo", country="Norway", employees="11-50", founded="2021", last_funding_type="Seed",
                    last_funding_on="2024-05"),
    line="I saw your robot sort parcels in Oslo.",
)  # fmt: skip
"""An invented founder, for a workspace that has none yet."""


@dataclass(frozen=True, slots=True)
class Checked:
    """One finding, and for how many people it holds; none where it is about the template itself."""

    finding: Finding
    people: int = 0
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Variable:
    """What a template can say, how many people have it, and an example."""

    name: str
    filled: int
    example: str


def check(writer: Writer, people: Ordered[Founder], now: datetime) -> list[Checked]:
    """Every finding of the sequence, in the order of the files."""
    found = [Checked(finding) for step in _files(writer) for finding in _of_template(step, people, writer.sender)]
    found += _over_people(writer, people or (NOBODY,), now)
    return sorted(_without_repeats(found), key=lambda each: (each.finding.path, each.finding.line, each.finding.rule))


def variables(people: Ordered[Founder], sender: Sender, now: datetime) -> list[Variable]:
    """Everything that a template can say about these people, the headers of their lists included."""
    founders = people or (NOBODY,)
    headers = dict.fromkeys(header for founder in founders for header in founder.cells)
    names = (*VARIABLES, *(f"lead['{header}']" for header in headers))
    values = [facts_of(_example(founder, sender, now), names) for founder in founders]
    return [_variable(name, [each[name] for each in values]) for name in names]


def _example(founder: Founder, sender: Sender, now: datetime) -> Context:
    """What the second mail to this founder could say, three days after the first."""
    step = Step(2, "follow-up", "", "", timedelta(days=3), "", variant="a")
    address = _address(founder)
    return template_context(
        founder, address, sender, "spring", step, Previous(1, "A question", now - step.wait),
        date=now, notice=privacy_notice(founder, address, sender, purpose="job-search", why=""),
    )  # fmt: skip


def _variable(name: str, values: Ordered[str]) -> Variable:
    filled = [value for value in values if value.strip()]
    return Variable(name, len(filled), filled[0] if filled else "")


def _files(writer: Writer) -> Iterator[Step]:
    for step in writer.sequence.steps:
        yield from every_variant(step)


def _of_template(step: Step, people: Iterable[Founder], sender: Sender) -> list[Finding]:
    found = [*review_template(step), *review_names(step, people, sender)]
    return [*wrong_silences(step), *placed(found, step)]


def _over_people(writer: Writer, people: Ordered[Founder], now: datetime) -> list[Checked]:
    """The findings of the finished mails, the same ones of many people together."""
    names = Names(names_of(people))
    together: dict[tuple[str, int, str, str], tuple[Finding, list[str]]] = {}
    for founder in people:
        for finding in _of_person(writer, founder, names, now):
            key = (finding.path, finding.line, finding.rule, finding.quote if finding.rule == "empty" else "")
            together.setdefault(key, (finding, []))[1].append(founder.full_name or f"founder {founder.id}")
    return [Checked(finding, len(whom), tuple(dict.fromkeys(whom))[:3]) for finding, whom in together.values()]


def _of_person(writer: Writer, founder: Founder, names: Names, now: datetime) -> Iterator[Finding]:
    """All steps and variants for one founder, each as if those before it had gone."""
    campaign, enrollment = _pretended(founder, now)
    earlier: list[InThread] = []
    for step in writer.sequence.steps:
        sent: InThread | None = None
        for file in every_variant(step):
            written = writer.write(
                campaign, enrollment, founder, file, earlier=earlier, generation=0, date=now, names=names
            )
            yield from written.findings
            sent = written if not isinstance(written, Unwritten) else sent
        if sent is None:
            return
        earlier.append(sent)


def _pretended(founder: Founder, now: datetime) -> tuple[Campaign, Enrollment]:
    campaign = Campaign(0, "spring", "", 0, CampaignState.ACTIVE, "", {}, now)
    address = _address(founder)
    return campaign, Enrollment(0, 0, founder.id, address, address, EnrollmentState.ACTIVE, "", None, now)


def _address(founder: Founder) -> str:
    return founder.addresses[0].address if founder.addresses else "zoe@quill.example"


def _without_repeats(found: Iterable[Checked]) -> list[Checked]:
    """The same thing is said once of one line, by whoever sees more of it."""
    best: dict[tuple[str, int, str, str], Checked] = {}
    for each in found:
        key = (each.finding.path, each.finding.line, each.finding.rule, each.finding.quote)
        if key not in best or each.people > best[key].people:
            best[key] = each
    return list(best.values())
