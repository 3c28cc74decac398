"""A JSON file that holds a list of objects, or one object a line → records, as if it were a table whose first row is
their keys. Read object by object: memory does not grow with the file."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

from outreach.errors import ImportRefused
from outreach.importers._content import Content
from outreach.importers._encoding import open_text
from outreach.importers._records import Record

_START = re.compile(r"\ufeff?\s*(?:\[\s*[\]{]|\{\s*[\"}])")
_NAMING = re.compile(r".*name|company|organi[sz]ation|startup|website|domain", re.IGNORECASE)
_BETWEEN = re.compile(r"[\s,]*")
_SAMPLE = 4096
_CHUNK = 1 << 18
_LONGEST = 32 << 20
_MOST_KEYS = 2000
_HINT = "export the list again, as CSV"

# Numbers stay as they are written.
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str, strict=False)


def is_json(content: Content, codec: str) -> bool:
    with open_text(content, codec) as text:
        return _START.match(text.read(_SAMPLE)) is not None


@dataclass(slots=True)
class JsonList:
    """The objects of a file. The line of a record is its number in the list."""

    content: Content
    codec: str
    _keys: list[str] = field(default_factory=list)

    def records(self, start: int = 1, *, width: int = 0) -> Iterator[Record]:  # noqa: ARG002  an object is whole
        self._keys = self._keys or self._all_keys()
        if start <= 1:
            yield Record(1, 2, self._keys)
        for number, item in enumerate(self._items(), 1):
            if isinstance(item, dict):
                yield Record(number, number + 1, [_text(item.get(key)) for key in self._keys])
            else:
                broken = isinstance(item, _Broken)
                trouble = item.trouble if broken else "it is no object with named fields"
                yield Record(number, number + 1, ["" if broken else _text(item)], trouble)

    def _all_keys(self) -> list[str]:
        """Every key of every object, in order of appearance; not one that is null where others hold an object."""
        found = dict[str, bool]()
        for item in self._items():
            for key, value in item.items() if isinstance(item, dict) else ():
                if not found.get(key):
                    found[key] = value is not None
            if len(found) > _MOST_KEYS:
                raise ImportRefused(f"{self.content.name} is no list: its objects have no keys in common.", hint=_HINT)
        if not found:
            raise ImportRefused(f"{self.content.name} is JSON, but no list of objects.", hint=_HINT)
        objects = {key.partition(".")[0] for key in found if "." in key}
        return [key for key, told in found.items() if told or key not in objects]

    def _items(self) -> Iterator[Any]:
        with open_text(self.content, self.codec) as text:
            yield from map(_flat, _rows(_split(iter(lambda: text.read(_CHUNK), ""))))


@dataclass(frozen=True, slots=True)
class _Broken:
    """Where the JSON breaks, nothing after it can be read."""

    trouble: str


def _split(chunks: Iterator[str]) -> Iterator[tuple[Any, bool]]:
    """Each value, and whether it stands in a list. Several lists may follow each other: pages that somebody joined."""
    buffer = next(chunks, "").lstrip("\ufeff \t\r\n")
    in_list, at = False, 0
    while True:
        at = _BETWEEN.match(buffer, at).end()  # type: ignore[union-attr]  # it matches the empty text too
        if buffer.startswith("]" if in_list else "[", at):
            in_list, at = not in_list, at + 1
            continue
        item, end = _next(buffer, at)
        if end < 0 or (end == len(buffer) and not isinstance(item, (dict, list))):
            more = next(chunks, "") if len(buffer) - at < _LONGEST else ""
            # Read as much again as is open: an object of many chunks is tried a few times only.
            while more and len(more) < len(buffer) - at and (again := next(chunks, "")):
                more += again
            if more:
                buffer, at = buffer[at:] + more, 0
                continue
            if at >= len(buffer):
                if in_list:
                    yield _Broken("the file ends before its list does"), True
                return
            if end < 0:
                yield _Broken("the JSON breaks here; what comes after it was not read"), True
                return
        yield item, in_list
        at = end


def _next(buffer: str, at: int) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(buffer, at)
    except (ValueError, RecursionError):
        return None, -1


def _rows(found: Iterator[tuple[Any, bool]]) -> Iterator[Any]:
    first = list(islice(found, 2))
    for item, in_list in chain(first, found):
        yield from [item] if in_list or not isinstance(item, dict) else _unwrapped(item, alone=len(first) == 1)


def _unwrapped(item: dict[str, Any], *, alone: bool) -> Iterable[Any]:
    """An object that holds the list in one of its fields (`{"companies": […]}`) stands for that list. One of several
    that has a name is a row, whatever it lists (`{"name": "Acme", "founders": […]}`)."""
    if alone and len(item) > 1 and all(isinstance(value, dict) for value in item.values()):
        return item.values()
    inside = [value for value in item.values() if isinstance(value, list) and value and isinstance(value[0], dict)]
    if len(inside) == 1 and len(item) <= 10 and (alone or not any(map(_NAMING.fullmatch, item))):
        return inside[0]
    return [item]


def _flat(item: Any) -> Any:
    """An object in a field is that many fields: `{"organization": {"name": …}}` has a field `organization.name`."""
    if not isinstance(item, dict) or not any(isinstance(value, dict) for value in item.values()):
        return item
    found: dict[str, Any] = {}
    for key, value in item.items():
        found |= {f"{key}.{inner}": each for inner, each in value.items()} if isinstance(value, dict) else {key: value}
    return found


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        value = "; ".join(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if text.isascii():
        return text
    # A lone surrogate is no text to any database.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
