"""Reads any table: finds its header and yields its rows with their first line.

No row ends an import: what is not a row comes out as a RowError. Knows nothing of what the columns mean.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Protocol

from outreach.core.cells import Cells
from outreach.core.ports import Row, TableHead
from outreach.core.records import RowError
from outreach.errors import ImportRefused
from outreach.importers._content import Content
from outreach.importers._encoding import Survey, survey
from outreach.importers._json import JsonList, is_json
from outreach.importers._records import DELIMITERS, Delimited, Record, has_formulas
from outreach.importers._workbook import Workbook

GUESSED = 2
"""The rank of a header whose words only happen to be known."""
_HEADER_WITHIN = 20
_MOST_COLUMNS = 16_384  # as many as Excel has
_TIDY = re.compile(r"\s+")

Rank = Callable[[TableHead], int]
"""How well a header fits what can be read; 0 if not at all."""


class Records(Protocol):
    """What a file of any kind is read as."""

    def records(self, start: int = 1, *, width: int = 0) -> Iterator[Record]: ...


@dataclass(frozen=True, slots=True)
class Table:
    """A file whose header was found. Its rows are read anew each time they are gone through."""

    head: TableHead
    encoding: str
    sha256: str
    rows: Iterable[Row | RowError]
    notes: tuple[str, ...] = ()


def read_table(source: bytes | Path, name: str, *, rank: Rank, encoding: str = "") -> Table:
    """The table in a file, in this encoding if one is named. Its header is the line among the first twenty that ranks
    highest, else the first with three filled cells."""
    content = Content.of(source, name)
    found = survey(content, encoding)
    kinds, called = _kinds(content, found)
    records, header = _find_header(kinds, name, rank)
    head = TableHead(_tidy(header.cells), name)
    if len(head.headers) > _MOST_COLUMNS:
        raise ImportRefused(
            f"{name} has {len(head.headers):,} columns; no list has more than {_MOST_COLUMNS:,}.",
            hint="export the list again, with the columns that you need",
        )
    rows = _Rows(records, header, {title: at for at, title in enumerate(head.headers)})
    return Table(head, called, found.sha256, rows, tuple(_notes(header, found)))


def _kinds(content: Content, found: Survey) -> tuple[list[Records], str]:
    """The ways in which this file could be read, and what its encoding is called."""
    if found.is_archive:
        return [Workbook(content)], "Excel"
    if is_json(content, found.codec):
        return [JsonList(content, found.codec)], f"JSON, {found.encoding}"
    formulas = has_formulas(content, found.codec)
    return [Delimited(content, found.codec, each, as_formulas=formulas) for each in DELIMITERS], found.encoding


def _notes(header: Record, found: Survey) -> Iterator[str]:
    if header.line > 1:
        yield f"the header stands on line {header.line}"
    if found.damaged:
        yield f"{_count(found.damaged)} could not be read as {found.encoding}, shown as \ufffd"
    if found.is_guess:
        yield (
            f"its letters are taken for {found.encoding}: look at some names; if they are wrong, take this import back "
            "and name the right one with --encoding"
        )
    if found.lost:
        yield f"{_count(found.lost)} had been lost when this file was made, shown as \ufffd"
    if found.garbled:
        yield f"{_count(found.garbled)} came through a wrong encoding (Ã© for é): names would be written so in mails"


def _count(number: int) -> str:
    return "1 character" if number == 1 else f"{number:,} characters"


# --- headers --------------------------------------------------------------------------------------


def _find_header(kinds: Sequence[Records], name: str, rank: Rank) -> tuple[Records, Record]:
    """The way to read the file in which some line fits best, and that line; of equals the one with more columns, and
    where none fits the first that looks like a header."""
    best: tuple[tuple[int, ...], Records, Record] | None = None
    for kind in kinds:
        records, (header, fits) = kind, _best_line(kind, name, rank)
        if isinstance(kind, Delimited) and any(cell.lstrip().startswith('"') for cell in header.cells):
            records = replace(kind, skip_blanks=True)
            header, fits = _best_line(records, name, rank)
        filled = _filled(header)
        merit = (fits, filled) if fits else (0, filled > 2, -header.line, filled)
        if best is None or merit > best[0]:
            best = merit, records, header
    assert best is not None  # noqa: S101  there is at least one kind
    return best[1], best[2]


def _best_line(records: Records, name: str, rank: Rank) -> tuple[Record, int]:
    first = [record for record in islice(records.records(), _HEADER_WITHIN) if any(map(str.strip, record.cells))]
    if not first:
        raise ImportRefused(f"{name} has nothing in its first {_HEADER_WITHIN} lines.", hint="export the list again")
    ranked = []
    for at, record in enumerate(first):
        fits = rank(TableHead(_tidy(record.cells[: _MOST_COLUMNS + 1]), name))
        ranked.append((0 if fits == GUESSED and _stands_below(record, first[:at]) else fits, record))
    fits, header = max(ranked, key=lambda pair: pair[0])
    return (header, fits) if fits else (next((each for each in first if _filled(each) >= 3), first[0]), 0)


def _stands_below(record: Record, above: Sequence[Record]) -> bool:
    """Whether a line above looks like its header: a cell that says Startup or Company may stand in any row."""
    width = len(record.cells)
    return width > 2 and any(len(each.cells) == width and _filled(each) >= _filled(record) for each in above)


def _filled(record: Record) -> int:
    return sum(map(bool, map(str.strip, record.cells)))


def _tidy(cells: Sequence[str]) -> tuple[str, ...]:
    """Without outer quotes, blanks, commas; a header that comes again, or has no name, gets a number: `Type#2`."""
    found = dict[str, None]()
    times = dict[str, int]()
    for number, cell in enumerate(cells, 1):
        name = title = _TIDY.sub(" ", cell.replace("\ufeff", "")).strip(" \"',") or f"#{number}"
        while title in found:
            times[name] = times.get(name, 1) + 1
            title = f"{name}#{times[name]}"
        found[title] = None
    return tuple(found)


# --- rows -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows below the header."""

    records: Records
    header: Record
    columns: dict[str, int]

    def __iter__(self) -> Iterator[Row | RowError]:
        columns, width, first = self.columns, len(self.columns), self.header.cells[0]
        for line, _, cells, trouble in self.records.records(self.header.end, width=width):
            if len(cells) == width and not trouble and cells[0] and cells[0] != first:
                yield Row(line, Cells(columns, cells))
            elif trouble or any(map(str.strip, cells)):
                yield self._odd(line, cells, trouble)

    def _odd(self, line: int, texts: list[str], trouble: str) -> Row | RowError:
        """A row that needs a second look."""
        extra = len(texts) - len(self.columns)
        cells = Cells(self.columns, texts if extra >= 0 else [*texts, *[""] * -extra])
        if trouble:
            return RowError(line, trouble, cells)
        if extra > 0 and any(map(str.strip, texts[-extra:])):
            return RowError(line, f"it has {len(texts)} cells where the header has {len(self.columns)}", cells)
        if texts == self.header.cells:
            return RowError(line, "the header stands here again", cells)
        return Row(line, cells)
