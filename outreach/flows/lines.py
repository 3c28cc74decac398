"""The hand-written line for each founder: out as a table to fill in, back from it, checked row by row."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from outreach.core.cells import guarded, unguarded
from outreach.core.ports import Clock
from outreach.core.records import Founder
from outreach.core.text import one_line
from outreach.store.notes import LINE
from outreach.store.store import Store

HEADERS = ("id", "founder", "title", "company", "website", "description", "line")
MAX_LINE = 500


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that cannot be used, and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class LinesReport:
    """What became of the rows: lines set, the same as before, left as they were because the cell is empty."""

    set: int
    same: int
    empty: int
    rejected: tuple[Rejected, ...]


def line_rows(founders: Iterable[Founder]) -> list[tuple[str, ...]]:
    """One row for each founder, safe to open in a spreadsheet program, their line as it is now at the end."""
    return [tuple(map(guarded, _row(founder))) for founder in founders]


def import_lines(
    store: Store, rows: Sequence[tuple[int, Mapping[str, str]]], *, clock: Clock, dry_run: bool = False
) -> LinesReport:
    """Take the lines from a filled table: (line of the file, cells by header). A row is meant for the founder of its
    id, and only if the name beside it is still theirs. An empty cell changes nothing."""
    founders = {founder.id: founder for founder in store.people.founders()}
    wanted: dict[int, str] = {}
    rejected: list[Rejected] = []
    empty = same = 0
    for number, cells in rows:
        found = {name.strip().casefold(): cell for name, cell in cells.items()}
        founder = founders.get(_id(found.get("id", "")))
        text = one_line(unguarded(found.get("line", "").strip()), MAX_LINE + 1)
        if reason := _objection(founder, found, text, wanted):
            rejected.append(Rejected(number, reason))
        elif not text:
            empty += 1
        elif founder and text == founder.line:
            same += 1
        elif founder:
            wanted[founder.id] = text
    if wanted and not dry_run:
        store.notes.set(LINE, wanted, clock.now())
    return LinesReport(len(wanted), same, empty, tuple(rejected))


def _row(founder: Founder) -> tuple[str, ...]:
    company = founder.company
    about = (company.name, company.website, company.description) if company else ("", "", "")
    return (
        str(founder.id), founder.full_name, founder.title, about[0], about[1], one_line(about[2], 300), founder.line,
    )  # fmt: skip


def _objection(founder: Founder | None, cells: Mapping[str, str], text: str, taken: Mapping[int, str]) -> str:
    if "line" not in cells or "id" not in cells:
        return "it has no column `id` or no column `line`"
    if founder is None:
        return f"there is no founder {cells['id'].strip() or '(no id)'}"
    named = one_line(unguarded(cells.get("founder", "").strip()))
    if named and named != one_line(founder.full_name):
        return f"founder {founder.id} is {founder.full_name}, not {named}"
    if len(text) > MAX_LINE:
        return f"the line is longer than {MAX_LINE} characters"
    return f"founder {founder.id} stands there twice" if founder.id in taken and text else ""


def _id(cell: str) -> int:
    """Spreadsheets make `7.0` of 7."""
    text = cell.strip().removesuffix(".0")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 18 else -1
