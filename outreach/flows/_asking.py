"""Asks finders and DNS on behalf of a run: from memory where there is an answer, within the money there is, and never
what may have been paid for already. Knows nothing of founders.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from outreach.core.lookups import BUDGET_SPAN, MAIL_DOMAIN_REMEMBERED, again_from, still_counts
from outreach.core.ports import (
    Answer,
    Clock,
    Finder,
    LookupOutcome,
    MailDomain,
    MailHost,
    MailHosts,
    Question,
)
from outreach.store.finds import Lookup
from outreach.store.store import Store

_FAILURES = 3
"""So many questions in a row without an answer, and a finder rests for this run."""


def counts_still(lookup: Lookup | None, now: datetime, *, ask_again: bool) -> bool:
    """Whether what was asked then need not be asked now."""
    return lookup is not None and still_counts(lookup.answer.outcome, lookup.asked_at, now, ask_again=ask_again)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a run may spend, within `budget` in 24 hours, and whether lost answers may be asked for again."""

    credits: int
    budget: int
    ask_again: bool


class Asking:
    """One run's questions: how many, what they cost, who is left alone and why, and what DNS said."""

    def __init__(self, store: Store, mail_hosts: MailHosts, clock: Clock, terms: Terms) -> None:
        self._store, self._mail_hosts, self._clock, self._terms = store, mail_hosts, clock, terms
        self._domains: dict[str, MailDomain] = {}
        self._failures: dict[str, int] = {}
        self.calls = self.credits = self.doubts = 0
        self.resting: dict[str, str] = {}
        self.absent: dict[str, str] = {}
        """Domains where nobody was there, and what happened instead."""

    def answer(self, finder: Finder, question: Question) -> Answer | None:
        """From memory, else by asking. None: not asked, because the finder rests or the money is spent."""
        if not question.keep:
            return finder.ask(question)
        now = self._clock.now()
        if known := self.remembered(question):
            self.doubts += known.outcome is LookupOutcome.DOUBTFUL
            self._note_absence(question, known)
            return known
        if finder.name in self.resting or not self._affordable(finder, question, now):
            return None
        answer = self._ask(finder, question, now)
        if answer is None:
            return self.remembered(question)
        self.calls += answer.calls
        self.credits += answer.credits
        self.doubts += answer.outcome is LookupOutcome.DOUBTFUL
        self._rest(finder, answer)
        self._note_absence(question, answer)
        return answer

    def remembered(self, question: Question) -> Answer | None:
        known = self._store.finds.recall([question]).get((question.finder, question.key))
        counts = counts_still(known, self._clock.now(), ask_again=self._terms.ask_again)
        if not known or not counts:
            return None
        again = again_from(known.answer.outcome, known.asked_at)
        later = f"; tried {known.asked_at:%Y-%m-%d %H:%M}, again from {again:%Y-%m-%d %H:%M} UTC" if again else ""
        return replace(known.answer, text=f"{known.answer.text}{later}")

    def _ask(self, finder: Finder, question: Question, now: datetime) -> Answer | None:
        """What costs money is written down before it is asked; None if another run was quicker."""
        if not question.credits:
            answer = finder.ask(question)
            self._store.finds.record(question, answer, now, self._clock.now())
            return answer

        def may(known: Lookup | None, spent: int) -> bool:
            fresh = not counts_still(known, now, ask_again=self._terms.ask_again)
            return fresh and spent + question.credits <= self._terms.budget

        lookup = self._store.finds.begin(question, now, now - BUDGET_SPAN, may)
        if lookup is None:
            return None
        answer = finder.ask(question)
        if answer.outcome is LookupOutcome.DOUBTFUL:
            answer = Answer(answer.outcome, answer.data, answer.calls, question.credits, answer.text)
        self._store.finds.finish(lookup, answer, self._clock.now())
        return answer

    def _note_absence(self, question: Question, answer: Answer) -> None:
        if answer.outcome is LookupOutcome.UNREACHABLE:
            self.absent[question.about] = answer.text

    def _affordable(self, finder: Finder, question: Question, now: datetime) -> bool:
        if not question.credits:
            return True
        if self.credits + question.credits > self._terms.credits:
            spent = f"the {self._terms.credits} credits of this run are spent"
            self.resting[finder.name] = spent if self._terms.credits else "no credits may be spent in this run"
        elif self._store.finds.spent(now - BUDGET_SPAN) + question.credits > self._terms.budget:
            self.resting[finder.name] = f"the budget of {self._terms.budget} credits in 24 hours is spent"
        return finder.name not in self.resting

    def _rest(self, finder: Finder, answer: Answer) -> None:
        """A finder that refuses, or is at its limit, is left alone; so is one that keeps failing."""
        lost = answer.outcome in (LookupOutcome.FAILED, LookupOutcome.DOUBTFUL)
        self._failures[finder.name] = self._failures.get(finder.name, 0) + 1 if lost else 0
        stuck = self._failures[finder.name] >= _FAILURES
        if answer.outcome in (LookupOutcome.LIMITED, LookupOutcome.REFUSED) or stuck:
            self.resting[finder.name] = answer.text

    # --- domains ------------------------------------------------------------------------------------------

    def takes_no_mail(self, domain: str) -> str:
        state = self.mail_domain(domain).state
        return f"{domain} takes no mail" if state in (MailHost.NONE, MailHost.NULL) else ""

    def mail_domain(self, domain: str) -> MailDomain:
        """What DNS says, remembered for a week; a failure is asked again in the next run."""
        if domain not in self._domains:
            question = Question("dns", f"mx {domain}", about=domain)
            now = self._clock.now()
            known = self._store.finds.recall([question]).get((question.finder, question.key))
            if known and now - known.asked_at < MAIL_DOMAIN_REMEMBERED:
                data = known.answer.data
                self._domains[domain] = MailDomain(domain, MailHost(data["state"]), tuple(data["hosts"]))
            else:
                self._domains[domain] = self._look_up(question, domain, now)
        return self._domains[domain]

    def _look_up(self, question: Question, domain: str, now: datetime) -> MailDomain:
        found = self._mail_hosts.look_up(domain)
        if found.state is not MailHost.UNKNOWN:
            data = {"state": found.state, "hosts": list(found.hosts)[:5]}
            self._store.finds.record(question, Answer(LookupOutcome.ANSWERED, data), now, now)
        return found
