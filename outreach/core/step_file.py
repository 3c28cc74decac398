"""One step of a sequence as a file: a block of headers, an empty line, the body.

The headers are read before anything is rendered, so no data can add one. It knows the file by its path and text only.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches

from outreach.core.encoding import ANSWER_PREFIX
from outreach.core.records import Step
from outreach.errors import TemplateError

NAMES = re.compile(r"([1-9]\d*)-([\w-]+)\.txt")
MAX_STEPS = 4
_DEFAULT_WAITS = {2: timedelta(days=3), 3: timedelta(days=6), 4: timedelta(days=12)}
_LONGEST_WAIT = timedelta(days=90)
_WAIT = re.compile(r"(\d{1,4})\s*(hour|day|week)s?", re.IGNORECASE)
_HEADERS = ("Subject", "Wait")
_EXAMPLE = "a step starts with `Subject: …` or `Wait: 3 days`, then an empty line, then the text"


@dataclass(frozen=True, slots=True)
class _Header:
    line: int
    value: str


def parse_step(number: int, name: str, path: str, text: str) -> Step:
    """The step in this file; TemplateError names the line of what is wrong with it."""
    lines = text.splitlines()
    end = next((index for index, line in enumerate(lines) if not line.strip()), len(lines))
    headers = _parse_headers(path, lines[:end])
    body = "\n".join(lines[end + 1 :]).rstrip()
    if not body.strip():
        raise TemplateError(f"{path}:{len(lines) or 1}: there is no text after the headers.", hint=_EXAMPLE)
    subject = headers.get("Subject", _Header(1, ""))
    _check_subject(path, subject, needed=number == 1)
    wait = _parse_wait(path, headers.get("Wait"), number)
    return Step(number, name, subject.value, body, wait, path, end + 2, subject.line)


def check_numbers(folder: str, numbers: list[int]) -> None:
    """Raise TemplateError unless the steps are 1, 2, 3 … without gap or repeat, and no more than four."""
    for expected, found in enumerate(sorted(numbers), start=1):
        if found < expected:
            raise TemplateError(
                f"{folder} has two steps with the number {found}.", hint="give each file its own number"
            )
        if found > expected:
            raise TemplateError(
                f"{folder} has no step {expected}, but a step {found}.", hint="number the files 1-, 2-, 3-"
            )
    if len(numbers) > MAX_STEPS:
        raise TemplateError(
            f"{folder} has {len(numbers)} steps; nobody is written to more than {MAX_STEPS} times.",
            hint=f"keep the best {MAX_STEPS}",
        )


def _parse_headers(path: str, lines: list[str]) -> dict[str, _Header]:
    found: dict[str, _Header] = {}
    for number, line in enumerate(lines, start=1):
        name, colon, value = line.partition(":")
        header = name.strip().capitalize()
        if not colon or " " in name.strip():
            raise TemplateError(f"{path}:{number}: {line.strip()!r} is not a header.", hint=_EXAMPLE)
        if header not in _HEADERS:
            near = get_close_matches(header, _HEADERS, n=1)
            meant = f"did you mean {near[0]}? " if near else ""
            raise TemplateError(
                f"{path}:{number}: {name.strip()!r} is not a header of a step.",
                hint=f"{meant}known are Subject and Wait",
            )
        if header in found:
            raise TemplateError(f"{path}:{number}: {header} is there twice.", hint="keep one of them")
        found[header] = _Header(number, value.strip())
    return found


def _check_subject(path: str, subject: _Header, *, needed: bool) -> None:
    if needed and not subject.value:
        raise TemplateError(f"{path}:1: the first mail has no subject.", hint="start the file with `Subject: …`")
    if ANSWER_PREFIX.match(subject.value):
        raise TemplateError(
            f"{path}:{subject.line}: the subject pretends to be an answer.",
            hint="drop the `Re:` or `Fwd:`; a follow-up without Subject continues the thread by itself",
        )


def _parse_wait(path: str, header: _Header | None, number: int) -> timedelta:
    if header is None:
        return _DEFAULT_WAITS.get(number, timedelta())
    match = _WAIT.fullmatch(header.value)
    if number == 1:
        raise TemplateError(f"{path}:{header.line}: the first mail waits for nothing.", hint="remove the Wait line")
    if not match or not timedelta(hours=1) <= (wait := timedelta(**{f"{match[2].lower()}s": int(match[1])})):
        raise TemplateError(f"{path}:{header.line}: {header.value!r} is not a wait.", hint="write e.g. `Wait: 3 days`")
    if wait > _LONGEST_WAIT:
        raise TemplateError(f"{path}:{header.line}: {header.value} is too long a wait.", hint="90 days at most")
    return wait
