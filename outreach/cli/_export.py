"""Writes a table of results to a file that someone may open in a spreadsheet program: CSV, TSV, XLSX or JSON.

Nothing is overwritten unasked, no half-written file is left behind, and no cell runs as a formula unless asked to.
"""

import csv
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from outreach.core.cells import guarded
from outreach.errors import UsageError

File = Annotated[Path, typer.Argument(metavar="FILE", help="A name that ends in .csv, .tsv, .xlsx or .json.")]
Raw = Annotated[bool, typer.Option("--raw", help="Write cells as they are, also those that a spreadsheet would run.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite the file if it is there.")]

Record = Mapping[str, Any]


def check_target(path: Path, *, force: bool, also: Sequence[str] = ()) -> None:
    """Raise UsageError before any work where the file cannot be written; `also` are formats of the caller's own."""
    formats = (*_WRITERS, *also)
    if path.suffix.lower() not in formats:
        raise UsageError(f"{path} does not say in which format.", hint=f"end its name in one of {', '.join(formats)}")
    if path.is_dir() or not path.parent.is_dir():
        raise UsageError(f"{path} cannot be made: its folder is not there, or it is one.", hint="name a new file")
    if path.exists() and not force:
        raise UsageError(f"{path} is there already.", hint="name another file, or overwrite it with --force")


def export(path: Path, columns: Sequence[str], records: Iterable[Record], *, raw: bool) -> int:
    """Write the records; how many there were. The file appears when it is whole."""
    partial = path.with_name(f".{path.name}.partial")
    count = 0

    def counted() -> Iterable[Record]:
        nonlocal count
        for record in records:
            count += 1
            yield record

    try:
        _WRITERS[path.suffix.lower()](partial, columns, counted(), raw)
        os.replace(partial, path)  # noqa: PTH105  the same, and says that it overwrites
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    return count


def chosen_columns(text: str, known: Sequence[str], default: Sequence[str]) -> list[str]:
    """`--columns name,company` → those columns, or UsageError for one that there is not."""
    wanted = [name.strip().replace("-", "_") for name in text.split(",") if name.strip()] or list(default)
    if wrong := next((name for name in wanted if name not in known), ""):
        raise UsageError(f"there is no column {wrong}.", hint=f"the columns are {', '.join(known)}")
    return list(dict.fromkeys(wanted))


def cell_text(value: object) -> str:
    """A value as a cell of a table shows it."""
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


# --- formats --------------------------------------------------------------------------------------


def _cells(columns: Sequence[str], record: Record, *, raw: bool) -> list[str]:
    texts = (cell_text(record[name]) for name in columns)
    return list(texts if raw else map(guarded, texts))


def _csv(path: Path, columns: Sequence[str], records: Iterable[Record], raw: bool) -> None:  # noqa: FBT001  one shape for all formats
    _separated(path, columns, records, raw=raw, delimiter=",")


def _tsv(path: Path, columns: Sequence[str], records: Iterable[Record], raw: bool) -> None:  # noqa: FBT001  one shape for all formats
    _separated(path, columns, records, raw=raw, delimiter="\t")


def _separated(path: Path, columns: Sequence[str], records: Iterable[Record], *, raw: bool, delimiter: str) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:  # the mark tells Excel that it is UTF-8
        writer = csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL)
        writer.writerow(columns)
        writer.writerows(_cells(columns, record, raw=raw) for record in records)


def _xlsx(path: Path, columns: Sequence[str], records: Iterable[Record], raw: bool) -> None:  # noqa: FBT001  one shape for all formats
    import xlsxwriter

    # Every cell is text, so that nothing is a formula or a link; rows leave memory as they are written.
    book = xlsxwriter.Workbook(str(path), {"constant_memory": True, "strings_to_urls": False})
    sheet = book.add_worksheet()
    _write_row(sheet, 0, list(columns))
    for at, record in enumerate(records, 1):
        _write_row(sheet, at, _cells(columns, record, raw=raw))
    book.close()


def _write_row(sheet: Any, at: int, cells: Sequence[str]) -> None:
    for column, text in enumerate(cells):
        sheet.write_string(at, column, text[:32_767])  # the most that a cell can hold


def _json(path: Path, columns: Sequence[str], records: Iterable[Record], _raw: bool) -> None:  # noqa: FBT001  one shape for all formats
    with path.open("w", encoding="utf-8") as file:
        file.write("[")
        for at, record in enumerate(records):
            file.write((",\n" if at else "\n") + json.dumps({name: record[name] for name in columns}, default=str))
        file.write("\n]\n")


_WRITERS: dict[str, Callable[[Path, Sequence[str], Iterable[Record], bool], None]] = {
    ".csv": _csv,
    ".tsv": _tsv,
    ".xlsx": _xlsx,
    ".json": _json,
}
