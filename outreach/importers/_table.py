"""Reads any table of text: finds its header and yields its rows with their first line.

No row ends an import: what is not a row comes out as a RowError. Knows nothing of what the columns mean.
"""

import csv
import hashlib
import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from outreach.core.cells import Cells
from outreach.core.ports import Row, TableHead
from outreach.core.records import RowError
from outreach.importers._encoding import decode

_DELIMITERS = (",", ";", "\t", "|")
_HEADER_WITHIN = 10
_MAX_LINES = 500
"""Lines that one row may span. More are a quotation mark that nobody closed."""

csv.field_size_limit(10_000_000)  # the default of 131,072 characters ends on one cell of scraped text

_SPACED_QUOTES = re.compile(r'^\s*"[^"]*"\s*,\s+"')
_QUOTED = re.compile(r'"[^"]*"')
_TIDY = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Table:
    """A file whose header was found."""

    head: TableHead
    encoding: str
    sha256: str
    rows: Iterable[Row | RowError]
    notes: tuple[str, ...] = ()


def read_table(source: bytes | Path, name: str, *, fits: Callable[[TableHead], bool]) -> Table:
    """The table in a file. Its header is the first of ten lines that `fits`, else the first with three filled cells."""
    data = source if isinstance(source, bytes) else source.read_bytes()
    decoded = decode(data, name)
    lines = list(io.StringIO(decoded.text.removeprefix("\ufeff"), newline=""))
    reader = _Reader(lines, _delimiter(lines), skip_blanks=any(map(_SPACED_QUOTES.match, lines[:_HEADER_WITHIN])))
    header = _find_header(reader, fits, name)
    head = TableHead(tidy_headers(header.cells), name)
    notes = [f"the header stands on line {header.line}"] if header.line > 1 else []
    if decoded.damaged:
        notes.append(f"{decoded.damaged} characters could not be read as {decoded.encoding}; they show as \ufffd")
    rows = _Rows(reader, header.end, head.headers)
    return Table(head, decoded.encoding, hashlib.sha256(data).hexdigest(), rows, tuple(notes))


def tidy_headers(cells: Sequence[str]) -> tuple[str, ...]:
    """Without outer quotes, blanks, commas; a header that comes again, or has no name, gets a number: `Type#2`."""
    seen: Counter[str] = Counter()
    found = []
    for number, cell in enumerate(cells, 1):
        name = _TIDY.sub(" ", cell.replace("\ufeff", "")).strip(" \"',") or f"#{number}"
        seen[name] += 1
        found.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return tuple(found)


# --- records --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Record:
    """The cells of one record, or why it is none. `line` and `end` are its first line and the first after it."""

    line: int
    end: int
    cells: list[str]
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class _Reader:
    """CSV (RFC 4180) in lines. A quotation mark that is never closed costs its own line, not the rest of the file."""

    lines: Sequence[str]
    delimiter: str
    skip_blanks: bool

    def records(self, start: int = 1, *, width: int = 0) -> Iterator[_Record]:
        """Records from line `start` on. One over several lines that has not `width` cells swallowed its neighbours."""
        line = start
        while line <= len(self.lines):
            for record in self._strict(line):
                if width and record.end - record.line > 1 and len(record.cells) != width:
                    break
                yield record
                line = record.end
            if line <= len(self.lines):
                yield self._alone(line)
                line += 1

    def _strict(self, start: int) -> Iterator[_Record]:
        """Records until the first that breaks the grammar."""
        line = used = start

        def feed() -> Iterator[str]:
            nonlocal used
            while used <= len(self.lines):
                if used - line > _MAX_LINES:
                    raise csv.Error
                used += 1
                yield self.lines[used - 2]

        reader = csv.reader(feed(), delimiter=self.delimiter, strict=True, skipinitialspace=self.skip_blanks)
        with suppress(csv.Error):
            for cells in reader:
                yield _Record(line, used, cells)
                line = used

    def _alone(self, line: int) -> _Record:
        """One line that is no whole record by the grammar, read leniently."""
        text = self.lines[line - 1]
        if text.count('"') % 2:
            return _Record(line, line + 1, [text.rstrip("\r\n")], "a quotation mark is opened and never closed")
        cells = next(csv.reader([text], delimiter=self.delimiter, skipinitialspace=self.skip_blanks), [])
        return _Record(line, line + 1, cells)


def _delimiter(lines: Sequence[str]) -> str:
    """The one that stands most often on any of the first lines, outside quotation marks."""
    bare = [_QUOTED.sub("", line) for line in lines[:_HEADER_WITHIN]]
    return max(_DELIMITERS, key=lambda delimiter: max((line.count(delimiter) for line in bare), default=0))


def _find_header(reader: _Reader, fits: Callable[[TableHead], bool], name: str) -> _Record:
    first = [record for record in islice(reader.records(), _HEADER_WITHIN) if any(map(str.strip, record.cells))]
    for record in first:
        if fits(TableHead(tidy_headers(record.cells), name)):
            return record
    return next((record for record in first if len(list(filter(str.strip, record.cells))) >= 3), first[0])


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows below the header, read anew each time they are gone through."""

    reader: _Reader
    start: int
    headers: tuple[str, ...]

    def __iter__(self) -> Iterator[Row | RowError]:
        columns = {header: at for at, header in enumerate(self.headers)}
        for record in self.reader.records(self.start, width=len(columns)):
            if any(map(str.strip, record.cells)):
                yield _row(record, columns)


def _row(record: _Record, columns: dict[str, int]) -> Row | RowError:
    extra = len(record.cells) - len(columns)
    cells = Cells(columns, record.cells if extra >= 0 else [*record.cells, *[""] * -extra])
    if record.trouble:
        return RowError(record.line, record.trouble, cells)
    if extra > 0 and any(map(str.strip, record.cells[-extra:])):
        reason = f"it has {len(record.cells)} cells where the header has {len(columns)}"
        return RowError(record.line, reason, cells)
    if record.cells == list(columns):
        return RowError(record.line, "the header stands here again", cells)
    return Row(record.line, cells)
