"""The only place that writes to the screen: results on stdout, narration on stderr, data always made harmless.

Nobody may be listening any more (`| head`, a closed terminal): that changes nothing in what a command does.
"""

import errno
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any, TextIO

from outreach.core.display import safe_line, safe_text
from outreach.resources import toml

if TYPE_CHECKING:
    from outreach.bootstrap import App

_MAX_CELL = 48
FEW = 10
_FULL = (errno.ENOSPC, errno.EDQUOT)
_UNWRITTEN: list[OSError] = []
_INDENT = "    "


def show(text: str = "") -> None:
    """A line of the result, on stdout."""
    _write(sys.stdout, safe_text(text))


def say(text: str = "") -> None:
    """A line of narration, on stderr."""
    _write(sys.stderr, safe_text(text))


def show_json(document: Mapping[str, Any]) -> None:
    """Exactly one JSON document, on stdout. ASCII only, so that nothing in it can reach the terminal as a control."""
    _write(sys.stdout, as_json(document))


def as_json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, default=_plain, indent=2)


def show_table(headers: Sequence[str], rows: Iterable[Sequence[object]], zone: tzinfo | None = None) -> None:
    """Columns as wide as their widest cell; long cells are cut, and times are those of the user's zone. Where the
    screen is too narrow, each row goes on in further lines."""
    lines = [list(headers), *([_cell(value, zone) for value in row] for row in rows)]
    widths = [max(_width(line[column]) for line in lines) for column in range(len(headers))]
    for line in lines:
        for at, columns in enumerate(_fitting(widths, screen_width())):
            text = "  ".join(line[column] + " " * (widths[column] - _width(line[column])) for column in columns)
            if at == 0 or text.strip():
                _write(sys.stdout, (_INDENT * (at > 0) + text).rstrip())


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person sees what is written there, or types what is read; a stream that was closed (`<&-`) is None."""
    return stream is not None and stream.isatty()


def screen_width() -> int:
    """How many columns fit beside each other; what is no screen takes any number."""
    return get_terminal_size().columns if is_terminal(sys.stdout) else sys.maxsize


def _fitting(widths: Sequence[int], screen: int) -> list[list[int]]:
    """Which columns of a table stand in each line of a row."""
    found: list[list[int]] = [[]]
    end = -2
    for column, width in enumerate(widths):
        if found[-1] and end + 2 + width > screen:
            found.append([])
            end = len(_INDENT) - 2
        found[-1].append(column)
        end += 2 + width
    return found


def show_some(lines: Iterable[str]) -> None:
    """The first of them, indented."""
    all_lines = list(lines)
    for line in all_lines[:FEW]:
        show(f"  {line}")
    if len(all_lines) > FEW:
        show(f"  … and {len(all_lines) - FEW} more (--json shows all)")


def local(at: datetime | None) -> str:
    """A time as the user reads it: in the zone of the aware value given, to the minute."""
    return f"{at:%a %d %b %Y %H:%M %Z}" if at else "-"


def in_words(reason: str) -> str:
    """What a person is told for the code at the start of a reason: `mailbox-paused: quota` and the like."""
    code, mark, detail = reason.partition(":")
    return f"{toml('reasons.toml').get(code, code)}{mark}{detail}"


def rule_in_words(reason: str) -> str:
    """The rule at the start of a reason, without whom or what it is about here."""
    code = reason.partition(":")[0]
    return str(toml("reasons.toml")["rules"].get(code) or in_words(code))


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 founder`, `2 founders`, `2 companies`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def of(box: "App", word: str = "for") -> str:
    """Which of several mailboxes is spoken of."""
    return f" {word} {box.name}" if len(box.boxes) > 1 else ""


def check_written() -> None:
    """Raises the error of a full disk, which kept a result from a file: who reads that file must know."""
    if _UNWRITTEN:
        raise _UNWRITTEN.pop()


def _write(stream: TextIO | None, text: str) -> None:
    if stream is None:  # closed by whoever started us; `print` would take stdout for it
        return
    try:
        print(text, file=stream, flush=True)
    except OSError as error:
        if error.errno in _FULL and stream is sys.stdout:
            _UNWRITTEN[:] = [OSError(error.errno, error.strerror, "the output")]
        # Whoever read it is gone. What is left in the buffer must not be complained about at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _cell(value: object, zone: tzinfo | None) -> str:
    if isinstance(value, datetime):
        return f"{value.astimezone(zone) if zone else value:%Y-%m-%d %H:%M}"
    text = safe_line("" if value is None else str(value))
    return text if len(text) <= _MAX_CELL else text[: _MAX_CELL - 1] + "…"


def _width(text: str) -> int:
    """Columns on a terminal: wide characters (CJK, emoji) take two, combining marks none."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(character) else 1 + (east_asian_width(character) in "WF") for character in text)


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else str(value)
