"""Founders as people type them into sheets: several in one cell, with their roles; or each in columns of their own
(`Founder 2 Name`, `Founder 2 Email`). Knows no other column."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from outreach.core.names import parse_name, split_people
from outreach.core.normalize import is_role_inbox
from outreach.core.ports import TableHead
from outreach.core.records import PersonFacts
from outreach.core.urls import linkedin_person
from outreach.core.values import person_name, text_value
from outreach.importers._fields import Fields, fold, kept_addresses

_PLAIN = re.compile(r"[^\W\d_]+ [^\W\d_]+")  # most cells: one name, and nothing beside it
_WITH_ADDRESS = re.compile(r"<?\S*@\S*")  # "Ada Testwell <ada@acme.example>"
# What else stands between two people or behind one: "Ada Testwell (CEO) / Bo Sample, CTO".
_BETWEEN = re.compile(r"\s+(?:[/+]|und|et)\s+|\s*\|\s*")
_ROLE = (
    r"(?:co[- ]?)?(?:founder|founding partner|c[etofmp]o|president|chair(?:man|woman)?|owner"
    r"|(?:managing )?(?:director|partner))"
)
_ROLES = rf"{_ROLE}(?:\s*(?:[,&/+]|and)\s*{_ROLE})*"
_BEHIND = re.compile(
    rf"(?:(?:\s+[-–—]\s*|[-–—]\s+|\s*[:,;]\s*){_ROLES}|\s*\(\s*{_ROLES}\s*\))(?=\s*(?:[,;&\n]|$|and\b))",
    re.IGNORECASE,
)
_NO_NAME = re.compile(r"[\W\d_]*|\S*(?:://|www\.|linkedin\.com)\S*", re.IGNORECASE)
_COLUMN = re.compile(
    r"(cofounders?|(?:co)?founder[1-9]|contact[1-9])"
    r"(?:(names?|fullname|)|(email|emailaddress|emailid)|(linkedin|linkedinurl|linkedinprofile)|(title|role|position))"
)
_FIELDS = ("person", "email", "linkedin", "title")


def names_in(cell: str) -> tuple[str, ...]:
    """The names in a cell, without addresses and roles; a telephone number or a page (under `Contact`) is no name."""
    whole = person_name(cell)
    if _PLAIN.fullmatch(whole):
        return (whole,)
    listed = _BETWEEN.sub("; ", _WITH_ADDRESS.sub("", whole))
    return tuple(each for each in split_people(_BEHIND.sub("", listed)) if not _NO_NAME.fullmatch(each))


def own_columns(head: TableHead) -> dict[str, str]:
    """`person founder2`, `email founder2` … → their headers, for each founder whose name has a column of its own."""
    found: dict[str, str] = {}
    for header in head.headers:
        if match := _COLUMN.fullmatch(fold(header)):
            field = next(field for field, part in zip(_FIELDS, match.groups()[1:], strict=True) if part is not None)
            found.setdefault(f"{field} {match[1].rstrip('s')}", header)
    return {field: header for field, header in found.items() if f"person {field.partition(' ')[2]}" in found}


def whose(columns: Iterable[str]) -> tuple[str, ...]:
    """Of which founders there are columns: founder2, cofounder."""
    return tuple(field.removeprefix("person ") for field in columns if field.startswith("person "))


def own_people(
    fields: Fields, founders: Sequence[str], among: Sequence[PersonFacts]
) -> tuple[tuple[PersonFacts, ...], tuple[str, ...], tuple[str, ...]]:
    """`among` and those of these columns, what they leave for the company, and what to say."""
    found = {parse_name(each.full_name).key: each for each in among}
    left, warnings = dict[str, None](), list[str]()
    for founder in founders:
        names = names_in(fields[f"person {founder}"])
        emails, told = kept_addresses(fields[f"email {founder}"], "")
        own = tuple(each for each in emails if len(names) == 1 and not is_role_inbox(each))
        left |= dict.fromkeys(each for each in emails if each not in own)
        warnings += told
        for name in names:
            key = parse_name(name).key
            found[key] = _with(found.get(key, PersonFacts(name)), fields, founder, own)
    return tuple(found.values()), tuple(left), tuple(warnings)


def _with(known: PersonFacts, fields: Mapping[str, str], founder: str, emails: tuple[str, ...]) -> PersonFacts:
    url = text_value(fields[f"linkedin {founder}"])
    return replace(
        known,
        title=known.title or text_value(fields[f"title {founder}"]),
        linkedin=known.linkedin or (url if linkedin_person(url) else ""),
        emails=tuple(dict.fromkeys((*known.emails, *emails))),
    )
