"""Delimited text (RFC 4180) → records, one after the other. No record ends the reading: a quotation mark that is never
closed costs its own line, not the rest of the file. Knows nothing of headers."""

import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from outreach.importers._content import Content
from outreach.importers._encoding import open_text

DELIMITERS = (",", ";", "\t", "|")
_MAX_LINES = 5_000
"""Lines that one record may span. More are a quotation mark that nobody closed."""
_MAX_CELL = 10_000_000
_SAMPLE = 65_536

csv.field_size_limit(_MAX_CELL)  # the default of 131,072 characters ends on one cell of scraped text


class Record(NamedTuple):
    """The cells of one record, or why it is none. `line` is its first line, `end` the first after it."""

    line: int
    end: int
    cells: list[str]
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Delimited:
    """A file of delimited text."""

    content: Content
    codec: str
    delimiter: str
    skip_blanks: bool = False
    as_formulas: bool = False
    """Cells are written `="Acme"`, so that Excel leaves them alone."""

    def records(self, start: int = 1, *, width: int = 0) -> Iterator[Record]:
        """Records from line `start` on. Where `width` cells are expected, one over several lines that has another
        number, and holds a line that is a record by itself, has swallowed its neighbours."""
        with open_text(self.content, self.codec) as text:
            lines = iter(text)
            for _ in islice(lines, start - 1):
                pass
            found = self._split(_Lines(lines), start, width)
            yield from map(_without_formulas, found) if self.as_formulas else found

    def _split(self, lines: "_Lines", line: int, width: int) -> Iterator[Record]:
        taken = lines.taken
        while True:
            reader = csv.reader(lines, delimiter=self.delimiter, strict=True, skipinitialspace=self.skip_blanks)
            try:
                for cells in reader:
                    end = line + len(taken)
                    if end - line > 1 and len(cells) != width and self._swallowed(taken, width):
                        break
                    taken.clear()
                    yield Record(line, end, cells)
                    line = end
                else:
                    if not taken:
                        return
            except csv.Error:
                if not taken:
                    return
            yield self._alone(line, lines.give_back())
            line += 1

    def _swallowed(self, taken: list[str], width: int) -> bool:
        return width > 0 and any(len(self._lenient(text)) == width for text in taken[1:])

    def _alone(self, line: int, text: str) -> Record:
        """One line that is no whole record by the grammar, read leniently."""
        if len(text) > _MAX_CELL:
            return Record(line, line + 1, [text[:200]], f"it has a cell of more than {_MAX_CELL:,} characters")
        trouble = "a quotation mark is opened and never closed" if text.count('"') % 2 else ""
        return Record(line, line + 1, self._lenient(text), trouble)

    def _lenient(self, text: str) -> list[str]:
        try:
            found = csv.reader([text], delimiter=self.delimiter, skipinitialspace=self.skip_blanks)
            return [cell.removesuffix("\n").removesuffix("\r") for cell in next(found, [])]
        except csv.Error:
            return [text.rstrip("\r\n")]


def has_formulas(content: Content, codec: str) -> bool:
    with open_text(content, codec) as text:
        return '="' in text.read(_SAMPLE)


def _without_formulas(record: Record) -> Record:
    return record._replace(cells=[_without_formula(cell) for cell in record.cells])


def _without_formula(cell: str) -> str:
    is_one = len(cell) > 2 and cell.startswith('="') and cell.endswith('"')
    return cell[2:-1].replace('""', '"') if is_one else cell


class _Lines:
    """Lines that can be given back; `taken` are those of the record that is being read."""

    def __init__(self, lines: Iterator[str]) -> None:
        self.taken: list[str] = []
        self._lines = lines
        self._waiting: deque[str] = deque()
        self._size = 0

    def __iter__(self) -> Iterator[str]:
        taken, waiting, lines = self.taken, self._waiting, self._lines
        while waiting:
            self._refuse_too_many(waiting[0])
            taken.append(waiting.popleft())
            yield taken[-1]
        for text in lines:
            if taken:
                waiting.append(text)
                self._refuse_too_many(text)
                waiting.pop()
            taken.append(text)
            yield text

    def _refuse_too_many(self, text: str) -> None:
        self._size = self._size + len(text) if self.taken else 0
        if len(self.taken) > _MAX_LINES or self._size > _MAX_CELL:
            raise csv.Error

    def give_back(self) -> str:
        """All lines taken but the first, which is returned."""
        first, *rest = self.taken
        self.taken.clear()
        self._waiting.extendleft(reversed(rest))
        return first
