"""Rows that share nothing with any other row: most of a large list. They need no judgement, so they become records
directly, and only the rest is judged by `merge`.

`single` says what a row could share and what it would become alone, exactly as `plan_merge` would have it; `Sharing`
finds out, in bounded memory, which rows share something. Knows nothing of tables.
"""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from outreach.core.names import PersonName, alike, company_aliases, parse_name
from outreach.core.normalize import is_role_inbox, suppression_key
from outreach.core.records import CompanyFacts, Lead, PersonFacts
from outreach.core.same_company import company_mention
from outreach.core.urls import crunchbase_slug, linkedin_person


@dataclass(slots=True)
class Single:
    """`shared` is what another row could have too. `company` and `people` are columns in the order of the tables, or
    the row must be judged (`plain` is false). `addresses`: key → place of the person, or -1 for the company."""

    shared: list[str]
    plain: bool
    company: tuple[object, ...] | None
    keys: Sequence[str]
    hints: Sequence[str]
    aliases: Sequence[str]
    people: list[tuple[object, ...]]
    people_keys: list[tuple[int, str]]
    people_hints: list[tuple[int, str]]
    addresses: dict[str, int]


COMPANY_COLUMNS = (
    "name", "name_key", "domain", "website", "slug", "linkedin", "description", "city", "region", "country",
    "employees", "founded", "funding_amount", "funding_currency", "funding_usd", "last_funding_type",
    "last_funding_on", "status", "phone", "industries",
)  # fmt: skip
FOUNDER_COLUMNS = ("full_name", "first_name", "last_name", "name_key", "title", "linkedin", "slug")


def single(lead: Lead) -> Single:
    """What the row is, taken alone."""
    facts = lead.company
    found = Single([], True, None, (), (), (), [], [], [], {})
    if facts is not None:
        _add_company(found, facts)
    names: list[PersonName] = []
    for at, person in enumerate(lead.people):
        name = parse_name(person.full_name)
        if not name.words or (names and any(name.key == other.key or alike(name, other) for other in names)):
            found.plain = False
        names.append(name)
        _add_person(found, at, person, name, has_company=facts is not None)
    if facts is not None:
        for address in facts.emails:
            found.shared.append(f"email:{_widest(address)}")
            found.addresses.setdefault(address, -1)
    return found


def _add_company(found: Single, facts: CompanyFacts) -> None:
    mention = company_mention(facts)
    keys, hints = mention.keys, mention.hints
    found.shared += hints
    found.shared += keys[1:] if hints[-1].startswith("bare:") else keys  # one page is one bare page too
    funding = facts.funding_total
    has_place = bool(facts.country or facts.city)
    found.company = (
        facts.name,
        mention.name,
        mention.domain,
        facts.website,
        mention.slug,
        facts.linkedin if mention.linkedin else "",
        facts.description,
        facts.city if has_place else "",
        facts.region if has_place else "",
        facts.country if has_place else "",
        facts.employees,
        facts.founded,
        (funding.amount or None) if funding else None,
        funding.currency if funding else "",
        funding.usd if funding else None,
        facts.last_funding_type,
        facts.last_funding_on,
        facts.status,
        facts.phone,
        facts.industries,
    )
    found.keys = keys
    found.hints = hints
    if "(" in facts.name or "[" in facts.name:
        found.aliases = tuple({*company_aliases(facts.name)} - {facts.name})


def _add_person(found: Single, at: int, facts: PersonFacts, name: PersonName, *, has_company: bool) -> None:
    first = parse_name(facts.first_name).first if facts.first_name else name.first
    linkedin = linkedin_person(facts.linkedin) if facts.linkedin else ""
    slug = crunchbase_slug(facts.slug) if facts.slug else ""
    found.people.append(
        (
            name.full,
            first,
            facts.last_name or name.last,
            name.key,
            facts.title,
            facts.linkedin if linkedin else "",
            slug,
        )
    )
    if linkedin:
        found.people_keys.append((at, f"linkedin:{linkedin}"))
        found.shared.append(f"person-linkedin:{linkedin}")
    if slug:
        found.people_keys.append((at, f"slug:{slug}"))
        found.shared.append(f"person-slug:{slug}")
    for address in facts.emails:
        wide = _widest(address)
        found.shared.append(f"email:{wide}")
        role = is_role_inbox(address)
        if not role and wide != address:
            found.people_hints.append((at, f"email:{wide}"))
        if role and not has_company:
            continue
        owner = -1 if role else at
        found.plain = found.plain and found.addresses.get(address, owner) == owner
        found.addresses[address] = owner


def _widest(address: str) -> str:
    return suppression_key(address) or address


# --- who shares something -------------------------------------------------------------------------


class Sharing:
    """Which of many rows share something, without holding what: two bits a value in a table, and half its hash in an
    array.

    A value that only seems to have come before costs a judgement, never a result.
    """

    def __init__(self, expected: int) -> None:
        size = 1 << max(16, min(28, (max(expected, 1) * 32).bit_length()))  # bits: at most 32 MB
        self._mask = size - 1
        self._bits = bytearray(size >> 3)
        self._hashes = array("I")
        self._ends = array("I")
        self._first: dict[int, int] = {}
        """Hash of what has come more than once → the first row that has it, once that has been looked for."""

    def add(self, values: Iterable[str]) -> None:
        """The values of the next row."""
        bits, mask, hashes = self._bits, self._mask, self._hashes
        for full in {*map(hash, values)}:
            value = full & _HALF
            hashes.append(value)
            one, other = full & mask, (full >> 29) & mask
            if bits[one >> 3] >> (one & 7) & 1 and bits[other >> 3] >> (other & 7) & 1:
                self._first[value] = _NO_ROW
            else:
                bits[one >> 3] |= 1 << (one & 7)
                bits[other >> 3] |= 1 << (other & 7)
        self._ends.append(len(hashes))

    def repeat(self, value: str) -> None:
        """Something that the store knows already, or that a person has ruled on: whoever has it must be judged."""
        self._first[hash(value) & _HALF] = _NO_ROW

    def __len__(self) -> int:
        return len(self._ends)

    def groups(self, more: Iterable[int] = ()) -> list[list[int]]:
        """The rows that must be judged, those together that share something; `more` must be judged in any case."""
        parent: dict[int, int] = {row: row for row in more}

        def find(row: int) -> int:
            while parent[row] != row:
                parent[row] = parent[parent[row]]
                row = parent[row]
            return row

        start = 0
        first, hashes = self._first, self._hashes
        for row, end in enumerate(self._ends):
            for value in hashes[start:end]:
                if value in first:
                    parent.setdefault(row, row)
                    if first[value] == _NO_ROW:
                        first[value] = row
                    one, other = find(first[value]), find(row)
                    if one != other:
                        parent[max(one, other)] = min(one, other)
            start = end
        found: dict[int, list[int]] = {}
        for row in sorted(parent):
            found.setdefault(find(row), []).append(row)
        return list(found.values())


_NO_ROW = -1
_HALF = 0xFFFF_FFFF
