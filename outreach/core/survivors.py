"""Which of several rows' values a company or a founder goes by.

Fill, never overwrite: what came first stays, and an empty cell blanks nothing. What changes with time (funding, size,
status, title; the name and domain under one Crunchbase page) follows the newest export. Knows nothing of why the rows
belong together.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from outreach.core.names import PersonName, company_aliases, company_key, parse_name
from outreach.core.quick import record
from outreach.core.records import CompanyFacts, Lead, Money, PersonFacts
from outreach.core.same_company import company_mention
from outreach.core.same_person import person_mention
from outreach.core.urls import company_domain, crunchbase_slug, linkedin_person

_T = TypeVar("_T")
_F = TypeVar("_F", CompanyFacts, PersonFacts)


@record
class Entry:
    """A row, where it came from, and whom it has been taken for so far (a new one for nobody)."""

    lead: Lead
    format: str
    exported_at: datetime
    lead_id: int | None = None
    company_id: int | None = None
    founder_ids: tuple[int, ...] = ()
    sha256: str = ""
    """What the row says, as a number: the same cells read in the same way."""
    repeated: bool = False
    """The very same row is known already, or stands above."""


@record
class CompanyRecord:
    """A company as the store keeps it. `keys` are its alone; `hints` others may share."""

    id: int
    name: str
    name_key: str
    domain: str
    website: str
    slug: str
    linkedin: str
    description: str
    industries: tuple[str, ...]
    city: str
    region: str
    country: str
    employees: str
    founded: str
    funding_amount: int | None
    funding_currency: str
    funding_usd: int | None
    last_funding_type: str
    last_funding_on: str
    status: str
    phone: str
    facts_at: datetime
    aliases: frozenset[str]
    keys: frozenset[str]
    hints: frozenset[str]

    def same_as(self, other: "CompanyRecord | None") -> bool:
        """Whether nothing but the date of the newest export differs."""
        return other is not None and replace(self, facts_at=other.facts_at) == other


@record
class FounderRecord:
    """A founder as the store keeps it."""

    id: int
    company_id: int | None
    full_name: str
    first_name: str
    last_name: str
    name_key: str
    title: str
    linkedin: str
    slug: str
    facts_at: datetime
    keys: frozenset[str]
    hints: frozenset[str]

    def same_as(self, other: "FounderRecord | None") -> bool:
        return other is not None and replace(self, facts_at=other.facts_at) == other


# --- companies ------------------------------------------------------------------------------------


def company_record(id_: int, entries: Sequence[Entry], shared_domains: frozenset[str]) -> CompanyRecord:
    """The company that these rows, oldest import first, speak of."""
    told = [(entry.exported_at, entry.lead.company) for entry in entries if entry.lead.company]
    facts = [each for _, each in told]
    current = [each for _, each in sorted(told, key=lambda pair: pair[0])]  # stable: of one date the later import
    mentions = [company_mention(each) for each in facts]
    slug = _first(mention.slug for mention in mentions)
    named = _named(facts, current, slug)
    at_home = _first_where(lambda each: bool(_own_domain(each, shared_domains)), [*named, *facts])
    place = _place(facts)
    funding = _newest(each.funding_total for each in current) or Money(0)
    name = named[0].name
    aliases = [alias for each in facts for alias in (each.name, *company_aliases(each.name))]
    keys = {key for mention in mentions for key in mention.keys}
    unsure = {f"domain:{domain}" for domain in shared_domains}
    return CompanyRecord(
        id=id_,
        name=name,
        name_key=company_key(name),
        domain=_own_domain(at_home, shared_domains) if at_home else "",
        website=at_home.website if at_home else _first(each.website for each in facts),
        slug=slug,
        linkedin=_first(each.linkedin for each, mention in zip(facts, mentions, strict=True) if mention.linkedin),
        description=_first(each.description for each in facts),
        industries=next(filter(None, (each.industries for each in facts)), ()),
        city=place.city if place else "",
        region=place.region if place else "",
        country=place.country if place else "",
        employees=_newest(each.employees for each in current) or "",
        founded=_first(each.founded for each in facts),
        funding_amount=funding.amount or None,
        funding_currency=funding.currency,
        funding_usd=funding.usd,
        last_funding_type=_newest(each.last_funding_type for each in current) or "",
        last_funding_on=_newest(each.last_funding_on for each in current) or "",
        status=_newest(each.status for each in current) or "",
        phone=_first(each.phone for each in facts),
        facts_at=max(at for at, _ in told),
        aliases=frozenset(aliases) - {name},
        keys=frozenset(keys - unsure),
        hints=frozenset({hint for mention in mentions for hint in mention.hints} | (keys & unsure)),
    )


def _place(facts: Sequence[CompanyFacts]) -> CompanyFacts | None:
    """Who says where it is: of the first country the first city, for a list of countries only blanks none."""
    home = _first_where(lambda each: bool(each.country), facts)
    country = home.country if home else ""
    return _first_where(lambda each: bool(each.city) and each.country == country, facts) or home


def _named(facts: Sequence[CompanyFacts], current: Sequence[CompanyFacts], slug: str) -> list[CompanyFacts]:
    """Whose name and domain are current, best first: under one Crunchbase page the newest export, else the first."""
    on_page = [each for each in reversed(current) if slug and crunchbase_slug(each.slug) == slug]
    return on_page or list(facts)


def _own_domain(facts: CompanyFacts, shared_domains: frozenset[str]) -> str:
    domain = company_domain(facts.website) if facts.website else ""
    return "" if domain in shared_domains else domain


# --- founders -------------------------------------------------------------------------------------


def founder_record(
    id_: int, seats: Sequence[tuple[Entry, PersonFacts, int | None]], shared_addresses: frozenset[str]
) -> FounderRecord:
    """The founder that these mentions (row, what it says, company), oldest import first, speak of."""
    current = sorted(seats, key=lambda seat: seat[0].exported_at)
    facts = [each for _, each, _ in seats]
    called = _first_where(lambda each: len(parse_name(each.full_name).words) > 1, facts) or facts[0]
    called = called if called.full_name else _first_where(lambda each: bool(each.full_name), facts) or called
    name: PersonName = parse_name(called.full_name)
    mentions = [person_mention(each, -1) for each in facts]
    return FounderRecord(
        id=id_,
        company_id=_newest(company for _, _, company in current),
        full_name=name.full,
        first_name=parse_name(called.first_name).first if called.first_name else name.first,
        last_name=called.last_name or name.last,
        name_key=name.key,
        title=_newest(each.title for _, each, _ in current) or "",
        linkedin=_first(each.linkedin for each in facts if linkedin_person(each.linkedin)),
        slug=_first(crunchbase_slug(each.slug) for each in facts),
        facts_at=max(entry.exported_at for entry, _, _ in seats),
        keys=frozenset(key for mention in mentions for key in mention.keys),
        hints=frozenset(
            [
                *(f"email:{address}" for each in facts for address in each.emails if address in shared_addresses),
                *(f"email:{address}" for mention in mentions for address in mention.folded),
            ]
        ),
    )


_WRITABLE = frozenset(("full_name", "first_name", "last_name", "title", "linkedin"))


def edited(record: FounderRecord, edits: Mapping[str, str]) -> FounderRecord:
    """As a person has written it; that outranks every list. Edits of anything else than the record's text are not of
    this place."""
    written = {name: value for name, value in edits.items() if name in _WRITABLE}
    if not written:
        return record
    name = parse_name(written.get("full_name", record.full_name))
    if "full_name" in written:
        written = {"first_name": name.first, "last_name": name.last, **written}
    return replace(
        record,
        full_name=written.get("full_name", record.full_name),
        first_name=written.get("first_name", record.first_name),
        last_name=written.get("last_name", record.last_name),
        name_key=name.key,
        title=written.get("title", record.title),
        linkedin=written.get("linkedin", record.linkedin),
    )


# --- choices --------------------------------------------------------------------------------------


def _first(values: Iterable[str]) -> str:
    return next(filter(None, values), "")


def _newest(values: Iterable[_T | None]) -> _T | None:
    """The last that says something, of values in the order of their exports."""
    return next(filter(None, [*values][::-1]), None)


def _first_where(test: Callable[[_F], bool], facts: Iterable[_F]) -> _F | None:
    return next(filter(test, facts), None)
