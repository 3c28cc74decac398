"""Y Combinator's directory: as JSON (no founders, but former names) and as a scraped table (founders, and pages of
theirs and the company's in a list of another length)."""

import re
from collections.abc import Sequence

from outreach.core.names import parse_name, tidy_name
from outreach.core.places import parse_location
from outreach.core.ports import Row, TableHead
from outreach.core.records import CompanyFacts, Lead, PersonFacts, RowError
from outreach.core.urls import linkedin_company
from outreach.core.values import company_name, parse_date, parse_employees, person_name, text_value
from outreach.importers._fields import (
    Fields,
    by_field,
    has,
    kept_addresses,
    last_path,
    mapper,
    people_in,
    source_id,
    texts,
    with_pages,
)

name = "yc"
row_limit = 0

_HEADERS = {
    "company": ("name",),
    "former": ("former_names",),
    "website": ("website",),
    "location": ("all_locations", "address", "location"),
    "linkedin": ("linkedin", "linkedin_url"),
    "description": ("long_description", "description", "one_liner"),
    "industries": ("industry",),
    "tags": ("tags",),
    "employees": ("team_size",),
    "status": ("status",),
    "slug": ("slug",),
    "page": ("yc_url", "url"),
    "email": ("email",),
    "founded": ("founded", "year_founded"),
    "founders": ("founders_names", "founders"),
    "pages": ("founders_linkedin",),
    "batch": ("batch",),
}
_STATUS = {"active": "active", "public": "active", "acquired": "acquired", "inactive": "closed"}
_NO_FOUNDER = re.compile(
    r"founded:.*|batch:.*|team size:.*|(?:.* on )?(?:linkedin|twitter|x|facebook)|link|location:.*|https?:.*",
    re.IGNORECASE,
)


def claims(head: TableHead) -> bool:
    as_json = has(head, "one_liner") and (has(head, "all_locations") or has(head, "slug"))
    return has(head, "batch") and (has(head, "founders_names") or as_json)


def _read(row: Row, fields: Fields) -> Lead | RowError:
    called = company_name(fields["company"])
    if not called:
        return RowError(row.line, "no company name", row.cells)
    pages = re.split(r"[\s,;]+", fields["pages"])
    people = people_in(fields["founders"]) or with_pages(_founders(fields["founders"]), pages)
    emails, warnings = kept_addresses(fields["email"], fields["website"])
    listed = ("listed on a stock exchange",) if text_value(fields["status"]).casefold() == "public" else ()
    own = next((page for page in (text_value(fields["linkedin"]), *pages) if linkedin_company(page)), "")
    return Lead(row.line, row.cells, _company(fields, called, own, emails), people, (*warnings, *listed))


def _founders(cell: str) -> tuple[PersonFacts, ...]:
    """178 of 200 cells end in what stood beside the founders on the page, first names of theirs included."""
    parts = [part.strip() for part in re.split(r"[;\r\n]", cell)]
    names = [tidy_name(person_name(part)) for part in parts if not _NO_FOUNDER.fullmatch(part)]
    whole = [parse_name(name).words for name in names if " " in name]
    return tuple(PersonFacts(name) for name in dict.fromkeys(names) if name and not _is_first_name_of(name, whole))


def _is_first_name_of(name: str, whole: Sequence[tuple[str, ...]]) -> bool:
    """Whether it is one word that begins somebody's name in the same cell (Chris, Christopher)."""
    words = parse_name(name).words
    return len(words) == 1 and any(each and each[0].startswith(words[0]) for each in whole)


def _company(fields: Fields, called: str, linkedin: str, emails: tuple[str, ...]) -> CompanyFacts:
    places = [place for place in texts(fields["location"], ";") if place.casefold() != "remote"]
    city, region, country = parse_location(places[0]) if places else ("", "", "")
    return CompanyFacts(
        name=called,
        website=text_value(fields["website"]),
        linkedin=linkedin,
        description=text_value(fields["description"], limit=2000),
        industries=tuple(dict.fromkeys((*texts(fields["industries"]), *texts(fields["tags"])))),
        city=city,
        region=region,
        country=country,
        employees=parse_employees(fields["employees"]),
        founded=parse_date(fields["founded"]),
        status=_STATUS.get(text_value(fields["status"]).casefold(), ""),
        emails=emails,
        aliases=texts(fields["former"], ";"),
        ids=source_id("yc", text_value(fields["slug"]) or last_path(fields["page"])),
    )


mapping = mapper(_HEADERS, required=("company",), what="Y Combinator list")
reader = by_field(_read)
