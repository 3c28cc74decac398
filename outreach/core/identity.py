"""Which rows speak of the same company and of the same person.

A pure function of the set of rows: their order, and the order of the files they came in, changes nothing. So what is
known is judged again together with what is new, from the rows themselves. The rules stand in `same_company` and
`same_person`; this is the walk through both. Knows nothing of tables or of what survives.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from outreach.core.clusters import Link
from outreach.core.likeness import Likeness
from outreach.core.normalize import is_role_inbox
from outreach.core.records import Lead
from outreach.core.rulings import AS_COMPANY, Ruling, Seat, rulings_on
from outreach.core.same_company import company_mention, resolve_companies
from outreach.core.same_person import person_mention, resolve_people
from outreach.core.urls import company_domain

NOBODY = -1


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose address it is: a person's cluster or a company's, never both. `row` is one that gave it."""

    person: int
    company: int
    row: int


@dataclass(frozen=True, slots=True)
class Identities:
    """Clusters are numbers; `companies` gives each row's (NOBODY if it names none), `people` those of each row."""

    companies: tuple[int, ...]
    people: tuple[tuple[int, ...], ...]
    like_companies: tuple[Likeness, ...]
    like_people: tuple[Likeness, ...]
    addresses: dict[str, Owner]
    shared_addresses: frozenset[str]
    shared_domains: frozenset[str]
    notes: tuple[str, ...]
    company_links: tuple[Link, ...] = ()
    """Why rows name one company; `mentions` are rows."""
    people_links: tuple[Link, ...] = ()
    """Why they name one person; `mentions` count the people of all rows."""


def resolve(leads: Sequence[Lead], hashes: Sequence[str] = (), rulings: Sequence[Ruling] = ()) -> Identities:
    """Decide who is who among these rows. What a person has ruled about them, by their `hashes`, comes first."""
    named = [(row, lead.company) for row, lead in enumerate(leads) if lead.company]
    mentions = [company_mention(facts) for _, facts in named]
    places = [Seat(hashes[row], AS_COMPANY) for row, _ in named] if hashes else []
    found = resolve_companies(mentions, rulings_on(places, rulings, "company"))
    companies = [NOBODY] * len(leads)
    for at, (row, _) in enumerate(named):
        companies[row] = found.clusters.find(at)
    seats = [(row, facts) for row, lead in enumerate(leads) for facts in lead.people]
    persons = [person_mention(facts, companies[row]) for row, facts in seats]
    own = [Seat(hashes[row], at) for row, lead in enumerate(leads) for at in range(len(lead.people))] if hashes else []
    who = resolve_people(persons, rulings_on(own, rulings, "founder"))
    people: list[list[int]] = [[] for _ in leads]
    for at, (row, _) in enumerate(seats):
        people[row].append(who.clusters.find(at))
    return Identities(
        companies=tuple(companies),
        people=tuple(map(tuple, people)),
        like_companies=found.likenesses,
        like_people=who.likenesses,
        addresses=_owners(leads, companies, people, who.shared_addresses),
        shared_addresses=who.shared_addresses,
        shared_domains=found.shared_domains,
        notes=found.notes,
        company_links=tuple(
            Link(tuple(named[at][0] for at in link.mentions), link.rule, link.evidence) for link in found.clusters.links
        ),
        people_links=tuple(who.clusters.links),
    )


@dataclass(frozen=True, slots=True)
class LookupKeys:
    """What leads from rows to what is known of the same companies and people."""

    companies: set[str]
    founders: set[str]
    addresses: set[str]

    @classmethod
    def all_of(cls, each: Sequence["LookupKeys"]) -> "LookupKeys":
        """Those of several rows together."""
        return cls(
            set[str]().union(*(keys.companies for keys in each)),
            set[str]().union(*(keys.founders for keys in each)),
            set[str]().union(*(keys.addresses for keys in each)),
        )


def lookup_keys(leads: Iterable[Lead]) -> LookupKeys:
    found = LookupKeys(set(), set(), set())
    for lead in leads:
        if lead.company:
            mention = company_mention(lead.company)
            found.companies.update(mention.keys, mention.hints)
            found.addresses.update(mention.emails)
        for facts in lead.people:
            person = person_mention(facts, NOBODY)
            found.founders.update(person.keys)
            found.addresses.update(facts.emails)
            found.addresses.update(person.folded)
            found.companies.update(f"email:{address}" for address in facts.emails)  # a desk's, if it is disputed
            found.founders.update(f"email:{address}" for address in (*person.addresses, *person.folded))
    return found


# --- whose address --------------------------------------------------------------------------------


def _owners(
    leads: Sequence[Lead], companies: Sequence[int], people: Sequence[Sequence[int]], shared: frozenset[str]
) -> dict[str, Owner]:
    """Every address with its owner: the person who gave it; a shared one, or a desk's, belongs to the company."""
    claims: dict[str, list[tuple[tuple[object, ...], Owner]]] = {}
    for row, lead in enumerate(leads):
        for address, person in _claims(lead, people[row]):
            desk = person == NOBODY or is_role_inbox(address) or address in shared
            if desk and companies[row] != NOBODY:
                claim = (1, *_rank(lead, address)), Owner(NOBODY, companies[row], row)
            elif person != NOBODY and not is_role_inbox(address):
                claim = (2 if desk else 0, *_rank(lead, address)), Owner(person, NOBODY, row)
            else:
                continue
            claims.setdefault(address, []).append(claim)
    return {address: min(claims[address], key=lambda claim: (claim[0], claim[1].row))[1] for address in sorted(claims)}


def _claims(lead: Lead, people: Sequence[int]) -> Iterator[tuple[str, int]]:
    for person, facts in zip(people, lead.people, strict=True):
        yield from ((address, person) for address in facts.emails)
    if lead.company:
        yield from ((address, NOBODY) for address in lead.company.emails)


def _rank(lead: Lead, address: str) -> tuple[object, ...]:
    """Among several claims: the company on whose domain it lies, then what the rows say, never which came first."""
    facts = lead.company
    at_home = facts is not None and company_domain(facts.website) == address.rpartition("@")[2]
    claimants = [each for each in lead.people if address in each.emails]
    person = min(((each.full_name, not each.linkedin, each.linkedin, each.slug) for each in claimants), default=())
    said = (facts.slug, facts.name, facts.website, facts.country, facts.linkedin) if facts else ()
    return (not at_home, person, said)
