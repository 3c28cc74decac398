"""Looks for an address for every founder who has none: what is known first, then the finders in order, the first good
answer ends it. Every answer is kept, so nothing is asked twice, and a run that was cut off goes on where it stopped.

`plan` asks nobody, and a dry run prints it; `find` carries it out within a budget.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from outreach.core.address_check import SENDABLE, Checked, better, check
from outreach.core.guards import Facts, answers, sendable_address
from outreach.core.lookups import again_from
from outreach.core.names import parse_name
from outreach.core.normalize import is_role_inbox
from outreach.core.ports import (
    Answer,
    Candidate,
    Clock,
    Finder,
    LookupOutcome,
    MailHosts,
    Question,
    Verifier,
    Wanted,
)
from outreach.core.records import AddressStatus
from outreach.flows._asking import Asking, Terms, counts_still
from outreach.store.finds import Lookup
from outreach.store.store import Store

_NOT_WITHOUT = frozenset(("suppressed", "replied", "company-gone"))
_GUESSES_VERIFIED = 3
_OPEN = (LookupOutcome.FAILED, LookupOutcome.LIMITED, LookupOutcome.REFUSED, LookupOutcome.DOUBTFUL)


@dataclass(frozen=True, slots=True)
class Cost:
    """What one finder would be asked, at most; `known` questions are answered by what is remembered."""

    questions: int = 0
    calls: int = 0
    credits: int = 0
    known: int = 0


@dataclass(frozen=True, slots=True)
class FindPlan:
    """Whom a run would look for, and the most it would cost. `suppressed` are those who must not be looked up, of
    `homeless` no company domain is known, `settled` were looked for lately and nothing has changed since, `waiting`
    have a site that could not be reached, which is tried again from `again_at` on."""

    wanted: tuple[Wanted, ...]
    costs: Mapping[str, Cost]
    suppressed: int = 0
    homeless: int = 0
    settled: int = 0
    waiting: int = 0
    again_at: datetime | None = None
    later: int = 0

    @property
    def credits(self) -> int:
        return sum(cost.credits for cost in self.costs.values())

    @property
    def calls(self) -> int:
        return sum(cost.calls for cost in self.costs.values())


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one founder. `reason` says why there is no address."""

    wanted: Wanted
    checked: Checked | None = None
    finder: str = ""
    reason: str = ""
    inboxes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FindReport:
    """What a run did. `resting` finders stopped early, and why; `doubts` are questions whose answer got lost; `absent`
    says of each domain without a site what happened there."""

    results: tuple[Result, ...] = ()
    calls: int = 0
    credits: int = 0
    doubts: int = 0
    resting: Mapping[str, str] = field(default_factory=dict)
    absent: Mapping[str, str] = field(default_factory=dict)
    interrupted: bool = False
    left: int = 0

    def count(self, status: AddressStatus | None) -> int:
        return sum((each.checked.status if each.checked else None) is status for each in self.results)


@dataclass(frozen=True, slots=True)
class Search:
    """Everything a run needs from outside. `credits` is the most this run may spend, within `budget` a day."""

    store: Store
    finders: Sequence[Finder]
    mail_hosts: MailHosts
    clock: Clock
    credits: int
    budget: int
    verify: bool = False
    ask_again: bool = False
    stopped: Callable[[], bool] = lambda: False
    narrate: Callable[[Result], None] = lambda _result: None


def plan(
    store: Store,
    finders: Sequence[Finder],
    filters: Mapping[str, str],
    now: datetime,
    *,
    limit: int | None = None,
    verify: bool = False,
    ask_again: bool = False,
) -> FindPlan:
    """Whom to look for, and what it costs at most."""
    without = [founder for founder in store.people.founders(filters) if not sendable_address(founder.addresses)]
    facts = store.campaigns.facts(without, campaign_id=None)
    free = [founder for founder in without if _may_be_looked_up(facts[founder.id], now)]
    every = store.finds.wanted(free)
    at_home = [each for each in every if each.domain]
    due, absent = _due(store, at_home, _view(finders, verify=verify), now, ask_again=ask_again)
    wanted = due[:limit]
    costs = {
        finder.name: _cost(store, [question for each in wanted for question in finder.questions(each)], now, ask_again)
        for finder in finders
    }
    if verify:
        costs = {**costs, **_verification_cost(finders, costs, len(wanted))}
    return FindPlan(
        wanted=tuple(wanted),
        costs=costs,
        suppressed=len(without) - len(free),
        homeless=len(every) - len(at_home),
        settled=len(at_home) - len(due) - len(absent),
        waiting=len(absent),
        again_at=min(absent, default=None),
        later=len(due) - len(wanted),
    )


def find(search: Search, found: FindPlan) -> FindReport:
    """Carry out the plan. What an interrupt cuts off is left, and what was found before it is told."""
    run = _Run(search)
    results = []
    with suppress(KeyboardInterrupt):
        for wanted in found.wanted:
            if search.stopped():
                break
            result = run.one(wanted)
            results.append(result)
            search.narrate(result)
    left = len(found.wanted) - len(results)
    asked = run.asking
    return FindReport(
        tuple(results),
        asked.calls,
        asked.credits,
        asked.doubts,
        resting=dict(asked.resting),
        absent=dict(asked.absent),
        interrupted=left > 0,
        left=left,
    )


def _may_be_looked_up(facts: Facts, now: datetime) -> bool:
    """Nothing is asked, let alone paid, about people who are not going to be written to."""
    return all(answer.ok for answer in answers(facts, now) if answer.rule in _NOT_WITHOUT)


def _view(finders: Sequence[Finder], *, verify: bool) -> list[str]:
    """With whose eyes a run looks."""
    return [*sorted(finder.name for finder in finders), *(["verified"] if verify else [])]


def _search_for(wanted: Wanted) -> Question:
    """The looking itself, remembered like a question: who was looked for to the end need not be looked for again."""
    name = parse_name(wanted.full_name).key
    return Question("find", f"{wanted.domain} {name}", about=wanted.domain, person=name)


def _due(
    store: Store, wanted: Sequence[Wanted], view: Sequence[str], now: datetime, *, ask_again: bool
) -> tuple[list[Wanted], list[datetime]]:
    """Those who were not looked for lately, or about whom more is known since, or who get more eyes now; and from when
    those are tried again whose site could not be reached. Whoever was never looked for comes first, so that `--limit`
    moves on."""
    searches = {each.founder_id: _search_for(each) for each in wanted}
    known = store.finds.recall(searches.values())
    found = [(each, known.get(("find", searches[each.founder_id].key))) for each in wanted]

    def is_settled(each: Wanted, lookup: Lookup | None) -> bool:
        if ask_again or lookup is None or not counts_still(lookup, now, ask_again=False):
            return False
        data = lookup.answer.data
        return set(view) <= set(data["view"]) and data["seen"] == _seen(each)

    settled = [lookup for each, lookup in found if lookup and is_settled(each, lookup)]
    due = sorted((pair for pair in found if not is_settled(*pair)), key=lambda pair: pair[1] is not None)
    absent = (again_from(lookup.answer.outcome, lookup.asked_at) for lookup in settled)
    return [each for each, _ in due], [at for at in absent if at]


def _seen(wanted: Wanted) -> list[str]:
    """What was known when somebody was looked for: with other examples or another bounce, the guess is another."""
    return sorted({*(each.key for each in wanted.known), *wanted.dead})


def _cost(store: Store, questions: Sequence[Question], now: datetime, ask_again: bool) -> Cost:  # noqa: FBT001  private
    unique = {question.key: question for question in questions}
    known = store.finds.recall(unique.values())
    fresh = [
        question
        for question in unique.values()
        if not counts_still(known.get((question.finder, question.key)), now, ask_again=ask_again)
    ]
    return Cost(
        len(fresh), sum(each.calls for each in fresh), sum(each.credits for each in fresh), len(unique) - len(fresh)
    )


def _verification_cost(finders: Sequence[Finder], costs: Mapping[str, Cost], people: int) -> dict[str, Cost]:
    verifier = next((finder for finder in finders if isinstance(finder, Verifier)), None)
    if verifier is None:
        return {}
    cost, each = costs[verifier.name], _GUESSES_VERIFIED * people
    return {verifier.name: Cost(cost.questions + each, cost.calls + each, cost.credits + each, cost.known)}


class _Run:
    """One run, from founder to founder."""

    def __init__(self, search: Search) -> None:
        self._search, self._store, self._clock = search, search.store, search.clock
        terms = Terms(search.credits, search.budget, search.ask_again)
        self.asking = Asking(search.store, search.mail_hosts, search.clock, terms)
        self._state = LookupOutcome.ANSWERED
        """Whether the founder in hand was looked for to the end: else FAILED, or UNREACHABLE for a day."""
        self._barred: set[str] = set()
        """The finders that the founder in hand has asked not to give their data: they get no further question."""

    def one(self, wanted: Wanted) -> Result:
        """Ask the finders in order until one has a good answer; keep the best there is."""
        reasons: list[str] = []
        self._state, self._barred = LookupOutcome.ANSWERED, set()
        found: list[tuple[Checked, str]] = []
        for finder in self._search.finders:
            found += [(each, finder.name) for each in self._candidates(finder, wanted, reasons)]
            if any(each.status in SENDABLE and not each.of_company for each, _ in found):
                break
        others = self._store.finds.others(wanted.founder_id, [each.key for each, _ in found])
        mine = [each for each, _ in found if not each.of_company and each.key not in wanted.dead | others]
        origin = {each.key: name for each, name in reversed(found)}
        best = self._verified(better(mine))
        inboxes = [each for each, _ in found if each.of_company and each.status is AddressStatus.VERIFIED]
        keep = [best] if best and best.status is not AddressStatus.INVALID else []
        named = [(each, origin[each.key]) for each in (*inboxes, *keep)]
        self._store.finds.save(wanted, named, self._search_of(wanted, best), self._clock.now())
        boxes = tuple(each.key for each in inboxes)
        if best and keep:
            return Result(wanted, best, origin[best.key], inboxes=boxes)
        why = best.evidence[-1] if best else "; ".join(dict.fromkeys(reasons)) or "nothing was found"
        return Result(wanted, reason=why, inboxes=boxes)

    def _search_of(self, wanted: Wanted, best: Checked | None) -> tuple[Question, Answer]:
        """That this founder was looked for, and whether to the end or something must be asked again."""
        outcome = LookupOutcome.FAILED if best and best.status is AddressStatus.UNKNOWN else self._state
        data = {"view": _view(self._search.finders, verify=self._search.verify), "seen": _seen(wanted)}
        return _search_for(wanted), Answer(outcome, data)

    def _candidates(self, finder: Finder, wanted: Wanted, reasons: list[str]) -> list[Checked]:
        """What one finder has for this founder, checked; its questions in order, until one brings something good."""
        found: list[Checked] = []
        for question in finder.questions(wanted):
            if question.needs_mail and (fault := self.asking.takes_no_mail(question.about)):
                reasons.append(fault)
                continue
            answer = self.asking.answer(finder, question)
            self._note(finder, answer)
            if answer is None:
                reasons.append(f"{finder.name}: {self.asking.resting.get(finder.name, 'not asked')}")
                continue
            if answer.text and answer.outcome is not LookupOutcome.ANSWERED:
                reasons.append(answer.text)
            if answer.outcome is LookupOutcome.ANSWERED:
                found += [self._checked(each) for each in finder.read(wanted, answer.data)]
            if any(each.status in SENDABLE and not each.of_company for each in found):
                break
        return found

    def _note(self, finder: Finder, answer: Answer | None) -> None:
        if answer is None or answer.outcome in _OPEN:
            self._state = LookupOutcome.FAILED
        elif answer.outcome is LookupOutcome.UNREACHABLE and self._state is LookupOutcome.ANSWERED:
            self._state = answer.outcome
        elif answer.outcome is LookupOutcome.RESTRICTED:
            self._barred.add(finder.name)

    def _checked(self, candidate: Candidate) -> Checked:
        return check(candidate, self.asking.mail_domain(candidate.address.rpartition("@")[2]))

    def _verified(self, found: Sequence[Checked]) -> Checked | None:
        """The best. A provider's word on the likeliest few decides, if the user asks for it or it was given before."""
        verifier = next((each for each in self._search.finders if isinstance(each, Verifier)), None)
        if not found or verifier is None or found[0].status in SENDABLE:
            return found[0] if found else None
        judged = []
        for each in found[:_GUESSES_VERIFIED]:
            judged.append(self._ask_verifier(verifier, each))
            if judged[-1].status in SENDABLE:
                break
        return better([*judged, *found[len(judged) :]])[0]

    def _ask_verifier(self, verifier: Verifier, checked: Checked) -> Checked:
        """What a provider says of an address; what it cannot say leaves the address as it was."""
        if checked.status is AddressStatus.INVALID or is_role_inbox(checked.key) or verifier.name in self._barred:
            return checked
        question = verifier.verification(checked.key)
        answer = self.asking.answer(verifier, question) if self._search.verify else self.asking.remembered(question)
        if answer is None or answer.outcome is not LookupOutcome.ANSWERED:
            return checked
        said = verifier.verdict(checked.key, answer.data)
        evidence = (*checked.evidence, *said.evidence)
        return self._checked(Candidate(checked.key, said.status, said.confidence or checked.confidence, evidence))
