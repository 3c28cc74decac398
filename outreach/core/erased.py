"""People who were erased, known only by keyed hashes of what a list, a mail or a finder could call them by.

A hash tells nobody anything without the workspace key; with it, the same name, page or address gives the same hash
again, so that whoever was erased is not brought back. Pure: which hashes there are is told by the store.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hmac import digest
from typing import Any

from outreach.core.names import parse_name
from outreach.core.normalize import address_key, is_role_inbox, suppression_key
from outreach.core.records import CompanyFacts, Lead, PersonFacts, RowError
from outreach.core.same_company import company_mention
from outreach.core.same_person import person_mention
from outreach.core.suppression import ERASED_START
from outreach.core.urls import linkedin_person

SKIPPED = "erased: this person is not brought back"
"""Why a row is skipped that names one of them."""
_HASH_DIGITS = 40
_PLACES = ("slug:", "domain:", "name:")
_ADDRESS = re.compile(r"[^\s<>()\[\]{}\"',;:|=*]+@[^\s<>()\[\]{}\"',;:|=*]+")


# --- what somebody can be called by ---------------------------------------------------------------


def address_word(address: str) -> str:
    """An address, by its widest key; empty for a desk's, which is nobody's own."""
    return f"address:{suppression_key(address)}" if "@" in address and not is_role_inbox(address) else ""


def page_words(keys: Iterable[str]) -> set[str]:
    """The pages and ids that are one person's alone: `linkedin:ada`, `slug:ada-testwell`, `apollo:5f…`."""
    return {f"page:{key}" for key in keys if key}


def name_words(full_name: str, places: Iterable[str]) -> set[str]:
    """A name at a company, by each key of the company; a name alone is many people's."""
    key = parse_name(full_name).key
    return {f"name:{key}@{place}" for place in places if place.startswith(_PLACES)} if key else set()


def words_of(person: PersonFacts, company: CompanyFacts | None) -> set[str]:
    """Everything by which a row can mean this person."""
    pages = page_words((*person_mention(person, -1).keys, *person.ids))
    return {word for word in map(address_word, person.emails) if word} | pages | at_company(person, company)


def at_company(person: PersonFacts, company: CompanyFacts | None) -> set[str]:
    """The name of a row's person at the row's company."""
    return name_words(person.full_name, places_of(company)) if company and person.full_name else set()


def places_of(company: CompanyFacts) -> tuple[str, ...]:
    """The keys of a company that a name can stand at."""
    mention = company_mention(company)
    return tuple(key for key in (*mention.keys, f"name:{mention.name}") if key.startswith(_PLACES) and key != "name:")


# --- who it is ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Erased:
    """Everyone who was erased: the workspace key, and the entries of the suppression list that are theirs. False where
    there are none; then the key is not needed."""

    key: bytes = b""
    marks: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.marks)

    def has(self, words: Iterable[str]) -> bool:
        """Whether one of these words is theirs."""
        return bool(self.marks) and any(mark_of(self.key, word) in self.marks for word in words)

    def has_address(self, address: str) -> bool:
        word = address_word(address) if self.marks and "@" in address else ""
        return bool(word) and mark_of(self.key, word) in self.marks

    def has_called(self, who: str) -> bool:
        """Whether an address or the page of somebody, as it is typed, is one of theirs."""
        page = linkedin_person(who)
        return self.has_address(who) or bool(page and self.has(page_words((f"linkedin:{page}",))))

    def has_name(self, full_name: str, domain: str) -> bool:
        """Whether somebody of this name at the company with this domain was erased."""
        return self.has(name_words(full_name, (f"domain:{domain}",)))

    def names(self, row: Lead | RowError) -> bool:
        """Whether a row of a list names one of them, or holds an address of theirs anywhere."""
        if isinstance(row, Lead) and any(self.has(words_of(person, row.company)) for person in row.people):
            return True
        return any(self.in_text(cell) for cell in row.cells.values() if "@" in cell)

    def in_text(self, text: str) -> bool:
        """Whether an address of theirs stands in a text."""
        return any(self.has_address(found) for found in addresses_in(text))

    def hidden(self, text: str) -> str:
        """The text with keyed hashes in the place of their addresses."""
        if not self.marks or "@" not in text:
            return text
        for found in set(addresses_in(text)):
            if self.has_address(found):
                text = text.replace(found, mark_of(self.key, address_word(found)))
        return text


def mark_of(key: bytes, word: str) -> str:
    """What stands in the suppression list for a word of somebody who was erased."""
    return ERASED_START + digest(key, f"erased {word}".encode(), "sha256").hex()[:_HASH_DIGITS]


def addresses_in(text: str) -> Iterator[str]:
    """What reads like an address, as it stands in the text."""
    for found in _ADDRESS.findall(text):
        plain = found.strip(".!?").removeprefix("mailto:")
        if address_key(plain):
            yield plain


# --- the files beside the store -------------------------------------------------------------------


def settled_line(entry: Mapping[str, Any], erased: Erased, gone: frozenset[str]) -> dict[str, Any] | None:
    """A line of `sent.log` or `suppressions.jsonl` with keyed hashes in the place of their addresses. None: a line that
    only said not to write to one of them, which their hashes say; `gone` are further entries that do (`person:12`)."""
    value = str(entry.get("value", ""))
    if value in gone or (value.startswith("address:") and erased.has((value,))):
        return None
    return {name: erased.hidden(said) if isinstance(said, str) else said for name, said in entry.items()}


# --- answers of finders ---------------------------------------------------------------------------


def thinned(data: Any, speaks_of_them: Callable[[str], bool]) -> Any:
    """A stored answer without the parts that speak of somebody: the smallest object or text that does."""
    kept = _thinned(data, speaks_of_them)
    return type(data)() if kept is _GONE else kept


_GONE = object()


def _thinned(data: Any, speaks_of_them: Callable[[str], bool]) -> Any:
    if isinstance(data, str):
        return _GONE if speaks_of_them(data) else data
    if isinstance(data, Mapping):
        if any(speaks_of_them(text) for text in (*data, *data.values()) if isinstance(text, str)):
            return _GONE
        kept = {name: _thinned(value, speaks_of_them) for name, value in data.items()}
        return {
            name: type(data[name])() if value is _GONE and isinstance(data[name], dict | list) else value
            for name, value in kept.items()
            if value is not _GONE or isinstance(data[name], dict | list)
        }
    if isinstance(data, list):
        return [each for each in (_thinned(value, speaks_of_them) for value in data) if each is not _GONE]
    return data
