"""The formats of startup lists. A module in this folder is the plugin; its name is its file's name.

Exactly one module must claim a file: a tie is an error that names them. `generic` is asked last.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import cast

from outreach.core.ports import Importer, Row, TableHead
from outreach.core.records import Lead, RowError
from outreach.errors import ImportRefused, UsageError
from outreach.importers._refused import other_kind, refusal
from outreach.importers._table import GUESSED, read_table

_LAST = "generic"


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a list, as often as they are asked for.

    `raw` are as the file gives them: who knows a row by its cells need not have it read. `make_reader` gives what reads
    them in their order, one for each time they are gone through; `look` has the last word on each.
    """

    raw: Iterable[Row | RowError]
    make_reader: Callable[[], Callable[[Row], Lead | RowError]]
    look: Callable[[Lead | RowError], Lead | RowError] | None = None

    def __iter__(self) -> Iterator[Lead | RowError]:
        read = self.make_reader()
        for row in self.raw:
            told = read(row) if isinstance(row, Row) else row
            yield self.look(told) if self.look else told


@dataclass(frozen=True, slots=True)
class StartupList:
    """A list whose format is known. `cells` of each row are as the file gave them; `sha256` is of the file's bytes.

    `rows` are read from the file anew each time they are gone through, and never all held at once.
    """

    name: str
    format: str
    encoding: str
    sha256: str
    mapping: Mapping[str, str]
    headers: tuple[str, ...]
    row_limit: int
    rows: Rows
    notes: tuple[str, ...]


class Importers:
    """Every format there is."""

    def __init__(self, importers: Sequence[Importer]) -> None:
        self._by_name = {importer.name: importer for importer in importers}
        self._reader = lru_cache(maxsize=256)(self._make_reader)

    def open_list(
        self, data: bytes | Path, name: str, *, format_name: str = "", overrides: Mapping[str, str], encoding: str = ""
    ) -> StartupList:
        """Find the format of a list, given as its bytes or their place, and its encoding unless it is named; raise
        ImportRefused if nothing can read it."""
        chosen = self.get(format_name) if format_name else None
        table = read_table(data, name, rank=lambda head: self._rank(head, chosen, overrides), encoding=encoding)
        importer = chosen or self._identify(table.head)
        mapped = importer.mapping(table.head, _checked(table.head, overrides))
        return StartupList(
            name=name,
            format=importer.name,
            encoding=table.encoding,
            sha256=table.sha256,
            mapping=dict(mapped.columns),
            headers=table.head.headers,
            row_limit=importer.row_limit,
            rows=Rows(table.rows, lambda: importer.reader(mapped.columns, table.head.headers)),
            notes=(*table.notes, *mapped.notes),
        )

    def read_again(self, format_name: str, mapping: Mapping[str, str], row: Row) -> Lead | RowError:
        """What a row that is in the store already says; identity is always decided from the rows themselves."""
        return self._reader(format_name, tuple(mapping.items()), tuple(row.cells))(row)

    def get(self, name: str) -> Importer:
        if name not in self._by_name:
            raise UsageError(
                f"there is no format “{name}”.", hint=f"the formats are {', '.join(sorted(self._by_name))}"
            )
        return self._by_name[name]

    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self._by_name))

    def _make_reader(
        self, name: str, columns: tuple[tuple[str, str], ...], headers: tuple[str, ...]
    ) -> Callable[[Row], Lead | RowError]:
        return self.get(name).reader(dict(columns), headers)

    def _rank(self, head: TableHead, chosen: Importer | None, overrides: Mapping[str, str]) -> int:
        if _overridden(head, overrides):
            return 4
        if chosen:
            return 3 if chosen.claims(head) else 0
        claiming = self._claiming(head)
        several = len(head.headers) > 1  # one word that may stand in any cell is less of a header
        if (several and other_kind(head)) or (claiming and claiming[0].name != _LAST):
            return 3
        return 0 if not claiming else GUESSED if several else 1

    def _claiming(self, head: TableHead) -> list[Importer]:
        found = [importer for importer in self._by_name.values() if importer.claims(head)]
        return [importer for importer in found if importer.name != _LAST] or found

    def _identify(self, head: TableHead) -> Importer:
        if kind := other_kind(head):
            raise refusal(head, kind)
        found = self._claiming(head) or [self.get(_LAST)]
        if len(found) > 1:
            names = sorted(importer.name for importer in found)
            raise ImportRefused(
                f"{head.file_name} could be {' or '.join(names)}.", hint=f"say which it is: --format {names[0]}"
            )
        return found[0]


def all_importers() -> Importers:
    """The formats that come with the program: every public module here."""
    names = (module.name for module in iter_modules(__path__) if not module.name.startswith("_"))
    return Importers([cast("Importer", import_module(f"{__name__}.{name}")) for name in names])


def _overridden(head: TableHead, overrides: Mapping[str, str]) -> dict[str, str]:
    """The overrides whose header is there, as the file spells it."""
    if not overrides:
        return {}
    folded = {header.casefold(): header for header in reversed(head.headers)}
    return {
        field: folded[header.strip().casefold()]
        for field, header in overrides.items()
        if header.strip().casefold() in folded
    }


def _checked(head: TableHead, overrides: Mapping[str, str]) -> dict[str, str]:
    found = _overridden(head, overrides)
    if missing := next((field for field in overrides if field not in found), ""):
        raise UsageError(
            f"{head.file_name} has no column “{overrides[missing]}” to use as {missing}.",
            hint=f"its columns are {', '.join(head.headers)}",
        )
    return found
