"""How well the labelled set is judged, from bytes to consequences: precision and recall of each kind."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from outreach.core.classify import is_report
from outreach.core.judge import Judged, Owner, judge
from outreach.core.matching import Found, Match, Prospect, clues_of, find_match
from outreach.core.measures import SuppressAddress, SuppressPerson
from tests.labelled import RCPT, Sample
from tests.labelled.bounces import DEAD, all_bounces
from tests.labelled.machines import all_machines
from tests.labelled.odd_bounces import all_odd
from tests.labelled.people import all_people
from tests.labelled.tricky import all_tricky
from tests.labelled.written import all_written
from tests.mails import ARRIVED_AT, ME, OUR_TEXT, SENT_AT, read, sent

OWNER = Owner(frozenset((ME,)), ("Ada Testwell", ME))
# Others were written to as well: a match must choose.
KNOWN = Found(
    (
        sent(),
        sent(id=2, founder_id=8, rcpt="cy@cy.example", message_id="<or.zz@ada.example>", company_domain="cy.example"),
    ),
    (Prospect(7, RCPT, 3, "bo.example", 2, SENT_AT),),
)
PEOPLE = ("reply", "unsubscribe")


@dataclass(frozen=True, slots=True)
class Result:
    """One message, and what was made of it."""

    sample: Sample
    match: Match | None
    judged: Judged

    @property
    def kind(self) -> str:
        """What it was called; a name that it may also have counts as its own."""
        called = self.judged.verdict.kind.value
        return self.sample.kind if called in self.sample.also else called

    @property
    def suppresses(self) -> bool:
        return any(isinstance(each, SuppressAddress | SuppressPerson) for each in self.judged.consequences)


def all_samples() -> list[Sample]:
    return [*all_bounces(), *all_odd(), *all_machines(), *all_people(), *all_tricky(), *all_written()]


def judged(sample: Sample) -> Result:
    arrival = read(sample.raw)
    clues = clues_of(arrival, report=is_report(arrival), own=OWNER.addresses)
    match = find_match(clues, KNOWN, arrival.sent_at)
    made = judge(arrival, match, [OUR_TEXT], owner=OWNER, folder="inbox", now=ARRIVED_AT + timedelta(hours=1))
    return Result(sample, match, made)


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    hits: int
    total: int

    @property
    def value(self) -> float:
        return self.hits / self.total if self.total else 1.0

    def __str__(self) -> str:
        return f"{self.value:7.3f}  ({self.hits} of {self.total})"


def figures(results: Sequence[Result]) -> dict[str, Share]:
    """The figures by which the inbox is measured."""
    found: dict[str, Share] = {}
    for kind in sorted({result.sample.kind for result in results}):
        truly = [result for result in results if result.sample.kind == kind]
        called = [result for result in results if result.kind == kind]
        right = sum(result.kind == kind for result in truly)
        found[f"{kind} precision"] = Share(right, len(called))
        found[f"{kind} recall"] = Share(right, len(truly))
    machines = [result for result in results if result.sample.kind not in PEOPLE and result.sample.linked]
    people = [result for result in results if result.sample.kind in PEOPLE]
    found["machine taken for a person"] = Share(sum(result.kind == "reply" for result in machines), len(machines))
    found["person taken for an automatic reply"] = Share(sum(r.kind == "auto_reply" for r in people), len(people))
    bounces = [result for result in results if result.sample.kind == "bounce"]
    named = sum(r.match is not None and r.match.address_key == r.sample.failed for r in bounces)
    found["failed recipient found"] = Share(named, len(bounces))
    listed = sum(any(f.address == r.sample.failed for f in r.judged.verdict.failures) for r in bounces)
    found["failed recipient named by the report itself"] = Share(listed, len(bounces))
    alive = [r for r in bounces if not set(r.sample.subkinds) & set(DEAD)]
    found["wrongly suppressed"] = Share(sum(r.suppresses for r in alive), len(alive))
    dead = [r for r in bounces if set(r.sample.subkinds) <= set(DEAD)]
    found["dead address found"] = Share(sum(r.judged.verdict.subkind in DEAD for r in dead), len(dead))
    right = sum(
        not r.sample.subkinds or r.judged.verdict.subkind in r.sample.subkinds
        for r in results
        if r.kind == r.sample.kind
    )
    found["sub-kind right"] = Share(right, sum(r.kind == r.sample.kind for r in results))
    return found


def table(shares: dict[str, Share]) -> Iterator[str]:
    yield from (f"{name:46}{share}" for name, share in shares.items())
