"""Any table that names companies or e-mail addresses: the columns are guessed by their headers, and `--map` overrides.

The last resort of the registry. Knows what headers usually mean; knows nothing of any one source.
"""

import re
from collections.abc import Mapping
from dataclasses import replace

from outreach.core.names import company_key, names_no_company, parse_name, split_people
from outreach.core.normalize import FoundAddresses, find_addresses, is_role_inbox
from outreach.core.ports import Row, TableHead
from outreach.core.records import CompanyFacts, Lead, PersonFacts, RowError
from outreach.core.urls import company_domain, crunchbase_slug, linkedin_company, linkedin_person
from outreach.core.values import company_name, parse_employees, parse_location, person_name, text_value
from outreach.errors import ImportRefused, UsageError
from outreach.resources import toml

name = "generic"
row_limit = 0

_WITH_ADDRESS = re.compile(r"<?\S*@\S*")  # "Ada Testwell <ada@acme.example>"
_MOST_ADDRESSES = 5
"""More in one cell is a scrape of a whole page, not somebody's address."""


def claims(head: TableHead) -> bool:
    """Any header that names a company or an address."""
    return _is_usable(_guess(head))


def mapping(head: TableHead, overrides: Mapping[str, str]) -> Mapping[str, str]:
    known = toml("generic_headers.toml")
    if wrong := next((field for field in overrides if field not in known), ""):
        raise UsageError(f"there is no field “{wrong}” to map.", hint=f"the fields are {', '.join(known)}")
    taken = set(overrides.values())
    guessed = {field: header for field, header in _guess(head).items() if header not in taken}
    found = {**guessed, **overrides}
    if not _is_usable(found):
        raise ImportRefused(
            f"{head.file_name} has no column for a company or an e-mail address: {', '.join(head.headers)}",
            hint="name the columns: --map company=HEADER --map email=HEADER --map person=HEADER",
        )
    return found


def read(row: Row, mapping: Mapping[str, str]) -> Lead | RowError:
    cells = {field: row.cells.get(header, "") for field, header in mapping.items()}
    found = find_addresses(cells.get("email", ""))
    company, people = _company(cells), _people(cells)
    if not company and not people and not found.usable:
        return RowError(row.line, _nothing(found), row.cells)
    usable, warnings = _kept(found, company)
    written = text_value(cells.get("email", ""))
    if written and found == FoundAddresses():
        warnings = (f"not an e-mail address: {written}",)
    people, left = _assigned(people, usable, has_company=company is not None)
    if company:
        return Lead(row.line, row.cells, replace(company, emails=left), people, warnings)
    if not people:
        return RowError(row.line, "only a shared inbox, and no company it belongs to", row.cells)
    dropped = tuple(f"left out, since the row names no company: {address}" for address in left)
    return Lead(row.line, row.cells, None, people, warnings + dropped)


# --- columns --------------------------------------------------------------------------------------


def _guess(head: TableHead) -> dict[str, str]:
    folded = {header: re.sub(r"[\W_]", "", header.casefold()) for header in head.headers}
    found: dict[str, str] = {}
    for field, synonyms in toml("generic_headers.toml").items():
        named = (header for synonym in synonyms for header, bare in folded.items() if bare == synonym)
        if header := next(named, ""):
            found[field] = header
    lone = next((header for header, bare in folded.items() if bare == "name"), "")
    if lone:
        found.setdefault(_meaning_of_name(found), lone)
    return found


def _meaning_of_name(found: Mapping[str, str]) -> str:
    """`Name` is a person's beside a company column, or alone beside an address (605 of 605 in one list)."""
    if "company" in found or ("email" in found and "website" not in found and "person" not in found):
        return "person"
    return "company"


def _is_usable(found: Mapping[str, str]) -> bool:
    return "company" in found or "email" in found


# --- rows -----------------------------------------------------------------------------------------


def _company(cells: Mapping[str, str]) -> CompanyFacts | None:
    title = company_name(cells.get("company", ""))
    if not title or names_no_company(title):
        return None
    city, region, country = parse_location(cells.get("location", ""))
    linkedin = [cells.get(field, "") for field in ("company_linkedin", "linkedin")]
    return CompanyFacts(
        name=title,
        website=text_value(cells.get("website", "")),
        slug=crunchbase_slug(cells.get("slug", "")),
        linkedin=next((text_value(url) for url in linkedin if linkedin_company(url)), ""),
        description=text_value(cells.get("description", ""), limit=2000),
        industries=tuple(filter(None, map(text_value, re.split(r"[,;|]", cells.get("industries", ""))))),
        city=text_value(cells.get("city", "")) or city,
        region=region,
        country=text_value(cells.get("country", "")) or country,
        employees=parse_employees(cells.get("employees", "")),
    )


def _people(cells: Mapping[str, str]) -> tuple[PersonFacts, ...]:
    first, last = text_value(cells.get("first", "")), person_name(cells.get("last", ""))
    apart = person_name(cells.get("first", ""), cells.get("last", ""))
    names = split_people(_WITH_ADDRESS.sub("", person_name(cells.get("person", "")))) or ((apart,) if apart else ())
    title = text_value(cells.get("title", ""))
    url = text_value(cells.get("linkedin", ""))
    linkedin = url if linkedin_person(url) and len(names) == 1 else ""
    if names == (apart,):
        return (PersonFacts(apart, first, last, title, linkedin),)
    return tuple(PersonFacts(full, title=title, linkedin=linkedin) for full in names)


def _kept(found: FoundAddresses, company: CompanyFacts | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The addresses to use, and what to say of the others."""
    warnings = [f"masked address left out: {address}" for address in found.masked[:3]]
    warnings += [f"placeholder left out: {address}" for address in found.junk[:3]]
    if len(found.usable) <= _MOST_ADDRESSES:
        return found.usable, tuple(warnings)
    domain = company_domain(company.website) if company else ""
    own = [address for address in found.usable if is_role_inbox(address) and domain and address.endswith(f"@{domain}")]
    left_out = len(found.usable) - len(own[:1])
    return tuple(own[:1]), (*warnings, f"{left_out} addresses in one cell left out: too many to be one company's")


def _nothing(found: FoundAddresses) -> str:
    if found.masked or found.junk:
        return f"no company, no person, and no usable address ({(*found.masked, *found.junk)[0]})"
    return "no company, no person and no address"


# --- whose address --------------------------------------------------------------------------------


def _assigned(
    people: tuple[PersonFacts, ...], addresses: tuple[str, ...], *, has_company: bool
) -> tuple[tuple[PersonFacts, ...], tuple[str, ...]]:
    """The people with their addresses, and what is left for the company: shared inboxes, and what no name explains."""
    personal = [address for address in addresses if not is_role_inbox(address)]
    if not people and not has_company:
        people = tuple(PersonFacts("") for _ in personal[:1])
    owners = {address: _owner(people, address) for address in personal}
    owned = tuple(
        replace(person, emails=tuple(address for address, owner in owners.items() if owner is person))
        for person in people
    )
    return owned, tuple(address for address in addresses if owners.get(address) is None)


def _owner(people: tuple[PersonFacts, ...], address: str) -> PersonFacts | None:
    """The only person of the row, else the one whose name stands in the local part."""
    if len(people) == 1:
        return people[0]
    local = company_key(address.partition("@")[0])
    named = [person for person in people if any(word in local for word in parse_name(person.full_name).words[:2])]
    return named[0] if len(named) == 1 else None
