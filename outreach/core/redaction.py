"""A row of a list without one of the people it names: what it says of the company and of others stays, if it can.

What a cell says is told by reading the row without it, so no format need be known. Pure.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from outreach.core.names import parse_name
from outreach.core.normalize import suppression_key
from outreach.core.records import CompanyFacts, Lead, PersonFacts, RowError
from outreach.core.same_person import person_mention

Read = Callable[[Mapping[str, str]], Lead | RowError]
_NOTHING = "[erased]"
_HERE = "\0"
"""Where they stood."""
_SEPARATORS = r"(\s*[,;&|]\s*|\s+/\s+)"
_AROUND = re.compile(r"\([^()]*\)|https?:|www\.|[\w.-]*(?:linkedin|crunchbase)\.com|/(?:in|pub|person)\b|mailto:|\W")


@dataclass(frozen=True)
class Traces:
    """What is only one person's: their names, addresses and pages, in every spelling that is known."""

    names: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()
    pages: frozenset[str] = frozenset()
    """The names of their pages at LinkedIn and Crunchbase: `ada-testwell`."""
    companies: frozenset[str] = frozenset()
    """Names of companies, which stay what they are: one may be called after its founder."""

    @cached_property
    def _all(self) -> re.Pattern[str] | None:
        return _pattern((*self.names, *self.addresses), self.pages)

    @cached_property
    def _unique(self) -> re.Pattern[str] | None:
        return _pattern(self.addresses, self.pages)

    @cached_property
    def _kept(self) -> frozenset[str]:
        return frozenset(" ".join(name.split()).casefold() for name in self.companies)

    @property
    def unique(self) -> tuple[str, ...]:
        """What nobody else in the store can have, as it stands in texts: a name may be another's too."""
        return (*sorted(self.addresses), *(f"/{page}" for page in sorted(self.pages)))

    def in_text(self, text: str, *, names: bool = True) -> bool:
        pattern = self._pattern_for(text, names=names)
        return pattern is not None and pattern.search(text) is not None

    def cut(self, text: str, *, names: bool = True) -> str:
        """The text without them. In a list of people (`Bo Brightly, Cy Quill`) their place goes too; in a sentence it
        is marked."""
        pattern = self._pattern_for(text, names=names)
        if pattern is None or not pattern.search(text):
            return text
        lines = pattern.sub(_HERE, text.replace(_HERE, "")).split("\n")
        if len(lines) > 1:  # a person each, in some lists
            lines = [line for line in lines if not _is_only(re.split(_SEPARATORS, line)[0])]
        return "\n".join(_without_places(line).replace(_HERE, _NOTHING) for line in lines)

    def _pattern_for(self, text: str, *, names: bool) -> re.Pattern[str] | None:
        names = names and " ".join(text.split()).casefold() not in self._kept
        return self._all if names else self._unique

    def cut_all(self, data: Any, *, names: bool = True) -> Any:
        """The same for every text of a JSON document."""
        if isinstance(data, str):
            return self.cut(data, names=names)
        if isinstance(data, Mapping):
            return {self.cut(k, names=names): self.cut_all(value, names=names) for k, value in data.items()}
        return [self.cut_all(each, names=names) for each in data] if isinstance(data, list) else data

    def is_them(self, person: PersonFacts) -> bool:
        """Whether a row's person is this one, as far as names, addresses and pages tell."""
        key, mine = parse_name(person.full_name).key, {parse_name(name).key for name in self.names}
        addresses = {suppression_key(each) for each in self.addresses}
        mention = person_mention(person, -1)
        return (
            (bool(key) and key in mine)
            or any(suppression_key(each) in addresses for each in person.emails)
            or bool({mention.linkedin, mention.slug} & self.pages)
        )


def _is_only(part: str) -> bool:
    """Whether a part of a cell is nothing but them, with what stands around names, addresses and pages."""
    return _HERE in part and not _AROUND.sub("", part.replace(_HERE, ""))


def _without_places(line: str) -> str:
    """A list of people without those that are nothing but them, and without the separator before each."""
    first, *rest = re.split(_SEPARATORS, line)
    kept = [] if _is_only(first) else ["", first]
    for separator, part in zip(rest[::2], rest[1::2], strict=True):
        if not _is_only(part):
            kept += [separator, part]
    return "".join(kept[1:])


def _pattern(words: Iterable[str], pages: Iterable[str]) -> re.Pattern[str] | None:
    """Whole words only, longest first: `bo@quill.example` is not in `jumbo@quill.example`, nor `ada` in `/in/ada-2`."""
    said = [
        r"\s+".join(map(re.escape, text.split())) for text in sorted({*words}, key=len, reverse=True) if text.strip()
    ]
    paths = [re.escape(page) for page in sorted({*pages}, key=len, reverse=True) if page]
    either = [rf"(?<![\w@.+-])(?:{'|'.join(said)})"] if said else []
    either += [rf"(?<=/)(?:{'|'.join(paths)})"] if paths else []
    return re.compile(rf"(?:{'|'.join(either)})(?![\w@+-]|\.\w)", re.IGNORECASE) if either else None


# --- rows -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Redacted:
    """What is left of a row. `others`: places of the other people in the row as it was, in the order in which it names
    them now."""

    cells: dict[str, str]
    others: tuple[int, ...]


def redacted(cells: Mapping[str, str], position: int, read: Read, traces: Traces) -> Redacted | None:
    """The row without the person at `position`. None: it says nothing of anybody else, or not without them."""
    lead = read(cells)
    if not isinstance(lead, Lead):
        return None
    others = [at for at, each in enumerate(lead.people) if at != position and not traces.is_them(each)]
    if lead.company is None and not others:
        return None
    kept = _without(dict(cells), read, traces, alone=not others)
    after = read(kept)
    if not isinstance(after, Lead) or any(traces.is_them(each) for each in after.people):
        return None
    if len(after.people) != len(others):
        return None
    return Redacted(kept, tuple(others))


def _without(kept: dict[str, str], read: Read, traces: Traces, *, alone: bool) -> dict[str, str]:
    """Cell by cell: first what speaks of the person only, then their names and addresses in what is left. A row that
    names nobody else is about them: of that only what it says of the company stays."""
    company, others, them = _said(read(kept), traces)
    for header in [header for header, cell in kept.items() if cell]:
        without = {**kept, header: ""}
        *rest, changed = _said(read(without), traces)
        if rest == [company, others] and changed != them:
            kept, them = without, changed
    kept = {header: traces.cut(cell) for header, cell in kept.items()}
    company = _said(read(kept), traces)[0]
    for header in [header for header, cell in kept.items() if cell and alone]:
        if _said(read(without := {**kept, header: ""}), traces)[0] == company:
            kept = without
    return kept


def _said(
    row: Lead | RowError, traces: Traces
) -> tuple[CompanyFacts | None, Sequence[PersonFacts], Sequence[PersonFacts]]:
    """What a row says of the company, of others, and of the person."""
    if not isinstance(row, Lead):
        return None, (), ()
    mine = [traces.is_them(each) for each in row.people]
    return (
        row.company,
        [each for each, is_mine in zip(row.people, mine, strict=True) if not is_mine],
        [each for each, is_mine in zip(row.people, mine, strict=True) if is_mine],
    )
