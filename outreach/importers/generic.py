"""Any table that names companies or e-mail addresses: the columns are guessed by their headers, and `--map` overrides.

The last resort of the registry. Knows what headers usually mean; knows nothing of any one source.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache

from outreach.core.names import names_no_company
from outreach.core.normalize import find_addresses
from outreach.core.places import country_name, parse_location, region_name
from outreach.core.ports import Mapped, Row, TableHead
from outreach.core.records import CompanyFacts, Lead, Money, PersonFacts, RowError
from outreach.core.urls import crunchbase_slug, linkedin_company, linkedin_person
from outreach.core.values import (
    company_name,
    parse_date,
    parse_dollars,
    parse_employees,
    parse_money,
    person_name,
    text_value,
)  # fmt: skip
from outreach.errors import ImportRefused, UsageError
from outreach.importers._fields import (
    Fields,
    Reader,
    assigned,
    by_field,
    fold,
    folded,
    kept_addresses,
    people_in,
    texts,
    told_status,
)
from outreach.importers._typed import names_in, own_columns, own_people, whose
from outreach.resources import toml

name = "generic"
row_limit = 0

_STATUS = {"active": "active", "operating": "active", "closed": "closed", "inactive": "closed", "acquired": "acquired"}


def claims(head: TableHead) -> bool:
    """Any header that names a company or an address."""
    return _is_usable(_guess(head))


def mapping(head: TableHead, overrides: Mapping[str, str]) -> Mapped:
    known = [field for field in _synonyms() if field != "name"]
    if wrong := next((field for field in overrides if field not in known), ""):
        raise UsageError(f"there is no field “{wrong}” to map.", hint=f"the fields are {', '.join(known)}")
    taken = set(overrides.values())
    guessed = {field: header for field, header in _guess(head).items() if header not in taken}
    found = {**guessed, **overrides}
    if not _is_usable(found):
        shown = ", ".join(head.headers[:_SHOWN]) + ("…" if len(head.headers) > _SHOWN else "")
        raise ImportRefused(
            f"{head.file_name} has no column for a company or an e-mail address: {shown}",
            hint="name the columns: --map company=HEADER --map email=HEADER --map person=HEADER",
        )
    return Mapped(found)


def _read(row: Row, fields: Fields, founders: Sequence[str]) -> Lead | RowError:
    company, people = _company(fields), _people(fields)
    usable, warnings = kept_addresses(fields["email"], fields["website"])
    companys, more = kept_addresses(fields["company_email"], fields["website"])
    if "@" in fields["person"] and not any(each.emails for each in people):
        usable = (*usable, *find_addresses(fields["person"]).usable)
    usable, warnings = tuple(dict.fromkeys((*usable, *companys))), (*warnings, *more)
    people, left = assigned(people, usable, has_company=company is not None, companys=companys)
    if founders:
        people, inboxes, told = own_people(fields, founders, people)
        left, warnings = (*left, *inboxes), (*warnings, *told)
    if not company and not people and not usable:
        return RowError(row.line, _nothing(f"{fields['email']} {fields['company_email']}"), row.cells)
    if (status := told_status(fields["email_status"])) != "given":
        people = tuple(replace(each, email_status=status) for each in people)
    if company:
        return Lead(row.line, row.cells, replace(company, emails=left), people, warnings)
    if not people:
        return RowError(row.line, "only a shared inbox, and no company it belongs to", row.cells)
    dropped = tuple(f"left out, since the row names no company: {address}" for address in left)
    return Lead(row.line, row.cells, None, people, warnings + dropped)


def reader(columns: Mapping[str, str], headers: Sequence[str]) -> Reader:
    founders = whose(columns)
    return by_field(lambda row, fields: _read(row, fields, founders))(columns, headers)


# --- columns --------------------------------------------------------------------------------------

_SHOWN = 30
_CONTACT = ("contactemail", "contactemails")
_FOUNDER = ("founder", "ceo")


def _guess(head: TableHead) -> dict[str, str]:
    there = folded(head)
    found = {}
    for field, synonyms in _synonyms().items():
        if header := next((there[synonym] for synonym in synonyms if synonym in there), ""):
            found[field] = header
    if called := found.pop("name", ""):
        found.setdefault(_meaning_of_name(found), called)
    _tell_whose_addresses(found)
    return {**found, **own_columns(head)}


@cache
def _synonyms() -> dict[str, tuple[str, ...]]:
    """field → its headers, folded."""
    return {field: tuple(map(fold, headers)) for field, headers in toml("generic_headers.toml").items()}


def _tell_whose_addresses(found: dict[str, str]) -> None:
    """`Company Email` beside founders is the company's; beside a person's name it is where that person works."""
    if fold(found.get("person", "")).startswith(_FOUNDER):
        if fold(found.get("email", "")) in _CONTACT:
            found.setdefault("company_email", found.pop("email"))
    elif "company_email" in found and "email" not in found:
        found["email"] = found.pop("company_email")


def _meaning_of_name(found: Mapping[str, str]) -> str:
    """`Name` is a person's beside a company column, or alone beside an address (605 of 605 in one list); beside one
    half of a person's name it is the other (Prénom, Nom)."""
    if ("first" in found) != ("last" in found):
        return "last" if "first" in found else "first"
    if "company" in found or ("email" in found and "website" not in found and "person" not in found):
        return "person"
    return "company"


def _is_usable(found: Mapping[str, str]) -> bool:
    return bool({"company", "email", "company_email"} & set(found))


# --- rows -----------------------------------------------------------------------------------------


def _company(fields: Fields) -> CompanyFacts | None:
    title = company_name(fields["company"])
    if not title or names_no_company(title):
        return None
    city, region, country = parse_location(fields["location"])
    country = country_name(text_value(fields["country"])) or country
    linkedin = (fields["company_linkedin"], fields["linkedin"])
    return CompanyFacts(
        name=title,
        website=_site(fields["website"]),
        slug=crunchbase_slug(fields["slug"]),
        linkedin=next((text_value(url) for url in linkedin if linkedin_company(url)), ""),
        description=text_value(fields["description"], limit=2000),
        industries=texts(fields["industries"]),
        city=text_value(fields["city"]) or city,
        region=region_name(text_value(fields["region"]), country) or region,
        country=country,
        employees=parse_employees(fields["employees"]),
        founded=parse_date(fields["founded"]),
        funding_total=_funding(fields["funding"]),
        last_funding_type=text_value(fields["last_funding_type"]),
        last_funding_on=parse_date(fields["last_funding_on"]),
        status=_STATUS.get(text_value(fields["status"]).casefold(), ""),
        phone=text_value(fields["phone"]),
    )


def _site(cell: str) -> str:
    """`Domain` is a line of business in some lists (EdTech), and no web address."""
    return text_value(cell) if "." in cell and " " not in cell.strip() else ""


def _funding(cell: str) -> Money | None:
    """A sheet without a currency means dollars."""
    found = parse_money(cell)
    return parse_dollars(cell) if found and not found.currency else found


def _people(fields: Fields) -> tuple[PersonFacts, ...]:
    if listed := people_in(fields["person"]):
        return listed
    first, last = text_value(fields["first"]), person_name(fields["last"])
    apart = person_name(fields["first"], fields["last"])
    names = names_in(fields["person"]) or ((apart,) if apart else ())
    title = text_value(fields["title"])
    url = text_value(fields["linkedin"])
    linkedin = url if linkedin_person(url) and len(names) == 1 else ""
    if names == (apart,):
        return (PersonFacts(apart, first, last, title, linkedin),)
    return tuple(PersonFacts(full, title=title, linkedin=linkedin) for full in names)


def _nothing(cell: str) -> str:
    found = find_addresses(cell)
    if found.masked or found.junk:
        return f"no company, no person, and no usable address ({(*found.masked, *found.junk)[0]})"
    return "no company, no person and no address"
