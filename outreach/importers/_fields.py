"""What importers share: which column holds a field, and what to make of cells that hold addresses or people.

Knows no format; each format's file says what its headers are.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from operator import itemgetter

from outreach.core.cells import Cells
from outreach.core.names import company_key, parse_name, tidy_name, without_marks
from outreach.core.normalize import FoundAddresses, find_addresses, is_plain_address, is_role_inbox
from outreach.core.ports import Mapped, Row, TableHead
from outreach.core.records import CompanyFacts, Lead, PersonFacts, RowError
from outreach.core.text import one_line
from outreach.core.urls import company_domain, linkedin_person
from outreach.core.values import person_name, text_value
from outreach.errors import ImportRefused, UsageError

Headers = Mapping[str, tuple[str, ...]]
"""field → its headers; the first one present wins."""
Reader = Callable[[Row], Lead | RowError]

_MOST_ADDRESSES = 5
"""More in one cell is a scrape of a whole page, not somebody's address."""
_NO_LETTERS = re.compile(r"[\W_]+")
_LISTED: Headers = {
    "name": ("name", "fullname"),
    "first": ("firstname",),
    "last": ("lastname",),
    "title": ("title", "role", "position"),
    "linkedin": ("linkedin", "linkedinurl"),
    "email": ("email",),
}


def picker(
    columns: Mapping[str, str], headers: Sequence[str], fields: Sequence[str]
) -> Callable[[Sequence[str]], tuple[str, ...]]:
    """What takes these fields, in this order, out of the texts of a row; those without a column are empty."""
    position = {header: at for at, header in enumerate(headers)}
    take = itemgetter(*(position.get(columns.get(field, ""), -1) for field in fields))
    return lambda row: take((*row, ""))


class Fields(dict[str, str]):
    """The cells of one row by field; a field without a column is empty."""

    def __missing__(self, field: str) -> str:
        return ""


# --- columns --------------------------------------------------------------------------------------


def fold(header: str) -> str:
    """Headers that differ in case, accents, blanks and punctuation only are one."""
    return _NO_LETTERS.sub("", without_marks(header.casefold()))


def has(head: TableHead, *headers: str) -> bool:
    """Whether all of these are there, in any spelling."""
    there = folded(head)
    return all(fold(header) in there for header in headers)


@lru_cache(maxsize=256)
def folded(head: TableHead) -> Mapping[str, str]:
    """folded → as the file spells it; of several the first."""
    return {fold(header): header for header in reversed(head.headers)}


def find_header(head: TableHead, wanted: Iterable[str]) -> str:
    """The first of these headers that is there as it is written (some exports have two that differ in case only), else
    in another spelling."""
    exact = set(head.headers)
    wanted = tuple(wanted)
    there = folded(head)
    found = (header for header in wanted if header in exact)
    other = (there[fold(header)] for header in wanted if fold(header) in there)
    return next(found, "") or next(other, "")


def typed_prefix(head: TableHead, wanted: str) -> str:
    """The only header that ends with this one: somebody typed something before it (`ok Organization Name`)."""
    ending = [header for header in head.headers if header.casefold().endswith(f" {wanted.casefold()}")]
    return ending[0] if len(ending) == 1 else ""


def mapper(
    headers: Headers, *, required: Sequence[str] = (), what: str
) -> Callable[[TableHead, Mapping[str, str]], Mapped]:
    """An importer's `mapping` for a format with fixed headers. `required` fields must have a column."""

    def mapping(head: TableHead, overrides: Mapping[str, str]) -> Mapped:
        if wrong := next((field for field in overrides if field not in headers), ""):
            raise UsageError(f"there is no field “{wrong}” to map.", hint=f"the fields are {', '.join(headers)}")
        found = {field: header for field, names in headers.items() if (header := find_header(head, names))}
        typed = {
            field: header
            for field in required
            if field not in found and (header := typed_prefix(head, headers[field][0]))
        }
        chosen = {**found, **typed, **overrides}
        columns = {field: chosen[field] for field in headers if field in chosen}
        if missing := [headers[field][0] for field in required if field not in columns]:
            raise ImportRefused(
                f"{head.file_name} is no {what}: it has no column {' and no '.join(missing)}.",
                hint=f"leave --format out, or say {' '.join(f'--map {field}=HEADER' for field in required)}",
            )
        notes = [
            f"the column “{typed[field]}” is taken for {headers[field][0]}" for field in typed if field not in overrides
        ]
        return Mapped(columns, tuple(notes))

    return mapping


def by_field(read: Callable[[Row, Fields], Lead | RowError]) -> Callable[[Mapping[str, str], Sequence[str]], Reader]:
    """An importer's `reader` for rows that are read field by field."""

    def reader(columns: Mapping[str, str], headers: Sequence[str]) -> Reader:
        position = {header: at for at, header in enumerate(headers)}
        places = [(field, position[header]) for field, header in columns.items() if header in position]

        def one(row: Row) -> Lead | RowError:
            texts = Cells.of(row.cells).texts
            return read(row, Fields([(field, texts[at]) for field, at in places]))

        return one

    return reader


# --- cells ----------------------------------------------------------------------------------------


def texts(cell: str, separators: str = r"[,;|]") -> tuple[str, ...]:
    """The parts of a cell that lists several things, each once."""
    return tuple(dict.fromkeys(filter(None, map(text_value, re.split(separators, cell)))))


def last_path(url: str) -> str:
    """The last piece of a page's address: what its maker calls the thing."""
    return text_value(url).partition("?")[0].rstrip("/").rpartition("/")[2].casefold()


def source_id(source: str, cell: str) -> tuple[str, ...]:
    value = text_value(cell).casefold()
    return (f"{source}:{value}",) if value else ()


# --- people ---------------------------------------------------------------------------------------


def person(first: str, last: str, full: str = "") -> PersonFacts:
    """Somebody by the parts of a name, without titles, credentials, pronouns and pictures."""
    whole = tidy_name(person_name(full) or person_name(first, last))
    name = parse_name(whole)
    if not text_value(first) or not text_value(last):
        return PersonFacts(whole, name.first, name.last)
    given, family = tidy_name(person_name(first)), tidy_name(person_name(last))
    return PersonFacts(whole, given or name.first, family or name.last)


def people_in(cell: str) -> tuple[PersonFacts, ...]:
    """The people of a JSON list in a cell (`[{"name": …, "title": …, "linkedin": …}, …]`); nobody in any other."""
    if not cell.startswith("[{"):
        return ()
    try:
        listed = [each for each in json.loads(cell, strict=False) if isinstance(each, dict)]
    except (ValueError, RecursionError):
        return ()
    return tuple(each for each in map(_listed, listed) if each.full_name)


def _listed(told: Mapping[str, object]) -> PersonFacts:
    values = {fold(key): value for key, value in told.items() if isinstance(value, str)}
    said = {field: next((values[key] for key in keys if key in values), "") for field, keys in _LISTED.items()}
    url = text_value(said["linkedin"])
    return replace(
        person(said["first"], said["last"], said["name"]),
        title=text_value(said["title"]),
        linkedin=url if linkedin_person(url) else "",
        emails=kept_addresses(said["email"], "")[0],
    )


def nobody(row: Row, company: CompanyFacts | None, warnings: tuple[str, ...]) -> Lead | RowError:
    """A row of a list of people that names none: what it says of a company is kept."""
    if company:
        return Lead(row.line, row.cells, company, (), (*warnings, "it names nobody"))
    return RowError(row.line, "no name of a person and no address", row.cells)


# --- addresses ------------------------------------------------------------------------------------

_STATUSES = {
    "verified": ("verified", "valid", "deliverable", "safe", "safe to send", "ok"),
    "guessed": ("guessed", "likely to engage", "extrapolated"),
    "risky": (
        "risky", "riskier", "unavailable", "unverified", "unverifiable", "unknown", "error",
        "accept all", "acceptall", "catch all", "catchall", "webmail",
    ),
    "invalid": (
        "invalid", "not valid", "bounced", "hard bounce", "undeliverable", "failed", "rejected", "disabled",
        "disposable", "spamtrap", "spam trap", "abuse", "do not mail", "do not email",
    ),
}  # fmt: skip
_STATUS_OF = {word: status for status, words in _STATUSES.items() for word in words}


def told_status(cell: str, otherwise: str = "given") -> str:
    """What a list says of its addresses; `otherwise` for words that nobody knows."""
    if not cell:
        return "given"
    said = one_line(cell).casefold().replace("_", " ").replace("-", " ")
    return _STATUS_OF.get(said, otherwise if text_value(cell) else "given")


def kept_addresses(cell: str, website: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The addresses of a cell to use, and what to say of the others."""
    if not cell:
        return (), ()
    if is_plain_address(cell):
        return (cell,), ()
    found = find_addresses(cell)
    if found == FoundAddresses():
        written = text_value(cell)
        return (), ((f"not an e-mail address: {written}",) if written else ())
    warnings = [f"masked address left out: {address}" for address in found.masked[:3]]
    warnings += [f"placeholder left out: {address}" for address in found.junk[:3]]
    if len(found.usable) <= _MOST_ADDRESSES:
        return found.usable, tuple(warnings)
    domain = company_domain(website) if website else ""
    own = [address for address in found.usable if is_role_inbox(address) and domain and address.endswith(f"@{domain}")]
    left_out = len(found.usable) - len(own[:1])
    return tuple(own[:1]), (*warnings, f"{left_out} addresses in one cell left out: too many to be one company's")


def assigned(
    people: tuple[PersonFacts, ...], addresses: tuple[str, ...], *, has_company: bool, companys: Sequence[str] = ()
) -> tuple[tuple[PersonFacts, ...], tuple[str, ...]]:
    """The people with their addresses, and what is left for the company: shared inboxes, and what no name explains.
    Of addresses that are the company's by their column (`companys`) somebody has those that bear their name."""
    if not addresses:
        return people, ()
    personal = [address for address in addresses if not is_role_inbox(address)]
    if not people and not has_company:
        people = tuple(PersonFacts("") for _ in personal[:1])
    owners = {
        address: named_in(people, _local(address)) if has_company and address in companys else _owner(people, address)
        for address in personal
    }
    owned = tuple(
        replace(each, emails=(*each.emails, *(address for address, owner in owners.items() if owner is each)))
        for each in people
    )
    return owned, tuple(address for address in addresses if owners.get(address) is None)


def _owner(people: tuple[PersonFacts, ...], address: str) -> PersonFacts | None:
    """The only person of the row, else the one whose name stands in the local part."""
    return people[0] if len(people) == 1 else named_in(people, _local(address))


def _local(address: str) -> str:
    return address.partition("@")[0]


def named_in(people: Sequence[PersonFacts], text: str) -> PersonFacts | None:
    """Whose first or last name stands in an address or the name of a page; of several (siblings) whose both do."""
    bare, parts = company_key(text), set(_NO_LETTERS.split(text.casefold()))
    standing = [sum(_stands_in(word, bare, parts) for word in _names(each)) for each in people]
    most = max(standing, default=0)
    return people[standing.index(most)] if most and standing.count(most) == 1 else None


def _stands_in(name: str, bare: str, parts: set[str]) -> bool:
    """Two letters stand in many words by chance."""
    return name in parts or (len(name) > 2 and name in bare)


def _names(somebody: PersonFacts) -> tuple[str, ...]:
    return parse_name(somebody.full_name).words[:2]


def with_pages(people: Sequence[PersonFacts], urls: Iterable[str]) -> tuple[PersonFacts, ...]:
    """The people with those LinkedIn pages whose address tells whose they are; lists of them are never in step."""
    pages = {page: url for url in urls if (page := linkedin_person(url))}
    owners = {page: named_in(people, page) for page in pages}
    return tuple(
        replace(each, linkedin=next((pages[page] for page, owner in owners.items() if owner is each), each.linkedin))
        for each in people
    )
