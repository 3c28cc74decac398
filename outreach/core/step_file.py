"""One step of a sequence as a file: a block of headers, an empty line, the body.

The headers are read before anything is rendered, so no data can add one. It knows the file by its path and text only.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from difflib import get_close_matches
from itertools import groupby

from outreach.core.encoding import ANSWER_PREFIX
from outreach.core.records import Attachment, Step
from outreach.errors import TemplateError

NAMES = re.compile(r"([1-9]\d*)-([\w-]+)(?:\.([a-z]))?\.(txt|md)")
MAX_STEPS = 4
_DEFAULT_WAITS = {2: timedelta(days=3), 3: timedelta(days=6), 4: timedelta(days=12)}
_LONGEST_WAIT = timedelta(days=90)
_WAIT = re.compile(r"(\d{1,4})\s*(hour|day|week|working\s+day)s?", re.IGNORECASE)
_ATTACH = re.compile(r"(.+?)(?:\s+as\s+(.+))?")
_SILENCE = re.compile(r"([\w-]+)\s+because\s+(\S.*)", re.IGNORECASE)
_HEADERS = ("Subject", "Wait", "Attach", "Variant", "Require", "Silence")
_MANY = frozenset(("Attach", "Silence"))
_EXAMPLE = "a step starts with `Subject: …` or `Wait: 3 days`, then an empty line, then the text"
MAX_ATTACHMENTS = 5


@dataclass(frozen=True, slots=True)
class _Header:
    line: int
    value: str


_NONE = _Header(1, "")


@dataclass(frozen=True, slots=True)
class _File:
    """The header block of one file, by name."""

    path: str
    headers: dict[str, list[_Header]]

    def one(self, name: str) -> _Header:
        return self.headers.get(name, [_NONE])[0]

    def many(self, name: str) -> list[_Header]:
        return self.headers.get(name, [])

    def error(self, line: int, message: str, hint: str) -> TemplateError:
        return TemplateError(f"{self.path}:{line}: {message}", hint=hint)


def parse_step(number: int, name: str, path: str, text: str, variant: str = "", *, markdown: bool = False) -> Step:
    """The step in this file; TemplateError names the line of what is wrong with it."""
    lines = text.splitlines()
    end = next((index for index, line in enumerate(lines) if not line.strip()), len(lines))
    file = _File(path, _parse_headers(path, lines[:end]))
    body = "\n".join(lines[end + 1 :]).rstrip()
    if not body.strip():
        raise file.error(len(lines) or 1, "there is no text after the headers.", _EXAMPLE)
    subject = file.one("Subject")
    _check_subject(file, subject, needed=number == 1)
    wait, working_days = _parse_wait(file, number)
    return Step(
        number, name, subject.value, body, wait, path,
        body_line=end + 2,
        subject_line=subject.line,
        working_days=working_days,
        variant=variant,
        label=_label(file, variant),
        markdown=markdown,
        attachments=_attachments(file),
        required=_required(file),
        silenced=_silenced(file),
    )  # fmt: skip


def arrange_steps(folder: str, files: Sequence[Step]) -> tuple[Step, ...]:
    """The steps in order, the variants of one number gathered. Raise TemplateError unless they are 1, 2, 3 … without
    gap or repeat, and no more than four."""
    ordered = sorted(files, key=lambda step: (step.number, step.variant, step.path))
    steps = tuple(
        _gathered(folder, number, tuple(those)) for number, those in groupby(ordered, key=lambda step: step.number)
    )
    for expected, step in enumerate(steps, start=1):
        if step.number != expected:
            raise TemplateError(
                f"{folder} has no step {expected}, but a step {step.number}.", hint="number the files 1-, 2-, 3-"
            )
    if len(steps) > MAX_STEPS:
        raise TemplateError(
            f"{folder} has {len(steps)} steps; nobody is written to more than {MAX_STEPS} times.",
            hint=f"keep the best {MAX_STEPS}",
        )
    return steps


def _gathered(folder: str, number: int, those: tuple[Step, ...]) -> Step:
    """One step out of the files with its number: the file itself, or a step that stands for its variants."""
    first = those[0]
    if len(those) == 1 and not first.variant:
        return first
    letters = [step.variant for step in those]
    if "" in letters or len(set(letters)) < len(letters):
        raise TemplateError(
            f"{folder} has two steps with the number {number}.",
            hint=f"give each file its own number; variants of one mail are called {number}-{first.name}.a.txt, .b.txt",
        )
    if len(those) == 1:
        raise TemplateError(
            f"{first.path} is the only variant of its step.", hint="add another, or drop the letter from its name"
        )
    for other in those[1:]:
        _check_alike(first, other)
    return replace(first, variant="", label="", variants=those)


def _check_alike(first: Step, other: Step) -> None:
    """Variants differ in what they say, not in when they go or in which thread: else more than the text is compared."""
    if (other.wait, other.working_days) != (first.wait, first.working_days):
        raise TemplateError(
            f"{other.path} waits for another time than {first.path}.", hint="give all variants of a step one Wait"
        )
    if bool(other.subject) != bool(first.subject):
        raise TemplateError(
            f"{other.path} and {first.path} must both have a Subject, or neither.",
            hint="a follow-up without Subject continues the thread",
        )


# --- headers --------------------------------------------------------------------------------------


def _parse_headers(path: str, lines: Iterable[str]) -> dict[str, list[_Header]]:
    found: dict[str, list[_Header]] = {}
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
                hint=f"{meant}known are {', '.join(_HEADERS)}",
            )
        if header in found and header not in _MANY:
            raise TemplateError(f"{path}:{number}: {header} is there twice.", hint="keep one of them")
        found.setdefault(header, []).append(_Header(number, value.strip()))
    return found


def _check_subject(file: _File, subject: _Header, *, needed: bool) -> None:
    if needed and not subject.value:
        raise file.error(1, "the first mail has no subject.", "start the file with `Subject: …`")
    if ANSWER_PREFIX.match(subject.value):
        raise file.error(
            subject.line,
            "the subject pretends to be an answer.",
            "drop the `Re:` or `Fwd:`; a follow-up without Subject continues the thread by itself",
        )


def _parse_wait(file: _File, number: int) -> tuple[timedelta, int]:
    """How long after the mail before: full days, or days of which only the working ones count."""
    headers = file.many("Wait")
    if not headers:
        return _DEFAULT_WAITS.get(number, timedelta()), 0
    header = headers[0]
    match = _WAIT.fullmatch(header.value)
    if number == 1:
        raise file.error(header.line, "the first mail waits for nothing.", "remove the Wait line")
    unit = match[2].lower().split()[0] if match else ""
    length = timedelta(**{f"{'day' if unit == 'working' else unit}s": int(match[1])}) if match else timedelta()
    if length < timedelta(hours=1) or not match:
        raise file.error(
            header.line, f"{header.value!r} is not a wait.", "write e.g. `Wait: 3 days` or `Wait: 3 working days`"
        )
    if length > _LONGEST_WAIT:
        raise file.error(header.line, f"{header.value} is too long a wait.", "90 days at most")
    return (length, int(match[1])) if unit == "working" else (length, 0)


def _label(file: _File, variant: str) -> str:
    header = file.one("Variant")
    if header.value and not variant:
        raise file.error(
            header.line, "this file is no variant.", "call it e.g. 1-intro.a.txt; then Variant may say what is tried"
        )
    return header.value


def _attachments(file: _File) -> tuple[Attachment, ...]:
    headers = file.many("Attach")
    if len(headers) > MAX_ATTACHMENTS:
        raise file.error(headers[-1].line, f"more than {MAX_ATTACHMENTS} files are attached.", "one is enough")
    return tuple(_attachment(file, header) for header in headers)


def _attachment(file: _File, header: _Header) -> Attachment:
    match = _ATTACH.fullmatch(header.value)
    if match is None:
        raise file.error(header.line, "Attach names no file.", "write e.g. `Attach: cv.pdf`")
    return Attachment(match[1], match[2] or match[1].rpartition("/")[2], header.line)


def _required(file: _File) -> tuple[str, ...]:
    return tuple(part for part in re.split(r"[,\s]+", file.one("Require").value) if part)


def _silenced(file: _File) -> dict[str, str]:
    found = {}
    for header in file.many("Silence"):
        match = _SILENCE.fullmatch(header.value)
        if match is None:
            raise file.error(
                header.line,
                f"{header.value!r} does not say which rule, and why.",
                "write e.g. `Silence: link because the demo is what I write about`",
            )
        found[match[1].lower()] = match[2]
    return found
