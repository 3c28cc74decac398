"""Guesses an address from how the company builds those that are known, else from how companies usually do.

Asks nobody. Everything it proposes is a guess, and says from what it follows.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from outreach.core.address_patterns import guesses, learn
from outreach.core.ports import Answer, Candidate, FinderTools, LookupOutcome, Question, Wanted
from outreach.core.records import AddressStatus


class PatternFinder:
    """`{first}.{last}@`, and the like."""

    name = "pattern"
    missing = ""

    def questions(self, wanted: Wanted) -> Sequence[Question]:
        if not wanted.domain or not guesses(wanted.full_name, wanted.country):
            return ()
        return (Question(self.name, f"pattern {wanted.domain}", about=wanted.domain, keep=False),)

    def ask(self, question: Question) -> Answer:
        return Answer(LookupOutcome.ANSWERED, {"domain": question.about})

    def read(self, wanted: Wanted, data: Mapping[str, Any]) -> Sequence[Candidate]:
        return tuple(self._candidates(wanted, str(data["domain"])))

    def _candidates(self, wanted: Wanted, domain: str) -> Iterator[Candidate]:
        learned = learn(wanted.known)
        why = (
            f"{learned.fits} of {learned.samples} known addresses at {domain} are {learned.pattern}@, such as "
            f"{learned.example}"
            if learned
            else f"no address at {domain} is known, so this is only a usual form"
        )
        for guess in guesses(wanted.full_name, wanted.country, learned=learned, employees=wanted.employees):
            address = f"{guess.local}@{domain}"
            if address not in wanted.taken | wanted.dead:
                evidence = (f"{guess.pattern}@ for {wanted.full_name}", why)
                yield Candidate(address, AddressStatus.GUESSED, guess.confidence, evidence)


def make(_tools: FinderTools) -> PatternFinder:
    return PatternFinder()
