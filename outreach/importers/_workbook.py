"""The first sheet of an Excel workbook (XLSX) → records. What a file says of its size is checked before it is believed:
a few kilobytes can unpack to gigabytes, and two far cells span a sheet that no memory holds."""

import re
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile, ZipInfo

from outreach.errors import ImportRefused
from outreach.importers._content import Content
from outreach.importers._records import Record

if TYPE_CHECKING:
    from python_calamine import CalamineSheet  # loads a native library: only a workbook needs it

_WORKBOOK = "xl/workbook.xml"
_MOST_BYTES = 512 << 20
_MOST_CELLS = 8_000_000
_CHUNK = 1 << 20
_PLACE = re.compile(rb"""\br\s*=\s*["'](?:([A-Za-z]{1,4})(\d{1,8})|(\d{1,8}))["']""")
_HINT = "open it, and save the sheet as CSV"


@dataclass(slots=True)
class Workbook:
    """A workbook whose sheet is read when it is first wanted, and then kept."""

    content: Content
    _sheet: "CalamineSheet | None" = field(default=None)

    def records(self, start: int = 1, *, width: int = 0) -> Iterator[Record]:  # noqa: ARG002  a sheet's rows are whole
        sheet = self._sheet = self._sheet or _first_sheet(self.content)
        for line, row in enumerate(sheet.iter_rows(), 1):
            if line >= start:
                yield Record(line, line + 1, [_text(cell) for cell in row])


def _first_sheet(content: Content) -> "CalamineSheet":
    _check(content)
    from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

    try:
        with content.open() as file, CalamineWorkbook.from_filelike(file) as workbook:
            for known in workbook.sheets_metadata:
                if known.typ is SheetTypeEnum.WorkSheet and known.visible is SheetVisibleEnum.Visible:
                    sheet = workbook.get_sheet_by_name(known.name)
                    if sheet.start is not None:
                        return sheet
    except CalamineError as error:
        raise ImportRefused(f"{content.name} is a damaged Excel file: {error}.", hint=_HINT) from None
    except ImportRefused:
        raise
    except BaseException as error:  # a panic of the native library is no Exception
        if isinstance(error, Exception) or type(error).__name__ == "PanicException":
            raise ImportRefused(f"{content.name} is a damaged Excel file.", hint=_HINT) from None
        raise
    raise ImportRefused(f"{content.name} has no visible sheet with anything in it.", hint=_HINT)


# --- sizes ----------------------------------------------------------------------------------------


def _check(content: Content) -> None:
    """Refuse what is no workbook, or more of one than memory should hold."""
    try:
        with content.open() as file, ZipFile(file) as archive:
            if _WORKBOOK not in {name.lower() for name in archive.namelist()}:
                raise ImportRefused(
                    f"{content.name} is a ZIP archive, not a CSV file.", hint="unpack it and import the list inside"
                )
            _check_sizes(content, archive)
    except ImportRefused:
        raise
    except Exception as error:  # noqa: BLE001  zipfile, zlib, bz2 and lzma have errors of their own for what is damaged
        raise ImportRefused(f"{content.name} is a damaged spreadsheet or ZIP archive: {error}.", hint=_HINT) from None


def _check_sizes(content: Content, archive: ZipFile) -> None:
    total = 0
    for info in archive.infolist():
        rows = columns = 0
        tail = b""
        for chunk in _unpacked(archive, info):
            total += len(chunk)
            if total > _MOST_BYTES:
                raise ImportRefused(f"{content.name} unpacks to more than {_MOST_BYTES >> 20} MB.", hint=_HINT)
            for column, row, alone in _PLACE.findall(tail + chunk):  # any entry may be a sheet: others name its path
                rows = max(rows, int(row or alone))
                columns = max(columns, _number(column))
            tail = chunk[-64:]
        # The rectangle from the first cell to the last is laid out in memory, however few cells are filled.
        if rows * columns > _MOST_CELLS:
            raise ImportRefused(
                f"{content.name} spans {rows:,} rows of {columns:,} columns: more than {_MOST_CELLS:,} cells.",
                hint=_HINT,
            )


def _unpacked(archive: ZipFile, info: ZipInfo) -> Iterator[bytes]:
    """All that an entry unpacks to, whatever size it declares."""
    whole = copy(info)
    whole.file_size = _MOST_BYTES + 1
    whole.CRC = None  # type: ignore[assignment]  # the library that reads the sheet checks it
    with archive.open(whole) as entry:
        while chunk := entry.read(_CHUNK):
            yield chunk


def _number(letters: bytes) -> int:
    """`A` → 1, `AA` → 27."""
    found = 0
    for letter in letters.upper():
        found = found * 26 + letter - 64
    return found


# --- cells ----------------------------------------------------------------------------------------


def _text(cell: Any) -> str:
    """As it would stand in a CSV file: `10.0` is 10, dates are ISO 8601, midnight is no time."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat()
    return cell.isoformat() if isinstance(cell, (date, time)) else str(cell) if not isinstance(cell, timedelta) else ""
