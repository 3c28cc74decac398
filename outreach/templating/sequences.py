"""Reads a sequence: a folder of `1-intro.txt`, `2-follow-up.txt` … It renders nothing."""

from difflib import get_close_matches
from pathlib import Path

from outreach.core.records import Sequence, Step
from outreach.core.step_file import NAMES, check_numbers, parse_step
from outreach.errors import TemplateError

MAX_BYTES = 100_000


def sequence_names(templates: Path) -> tuple[str, ...]:
    """The sequences in a folder of templates."""
    if not templates.is_dir():
        return ()
    return tuple(sorted(folder.name for folder in templates.iterdir() if _is_sequence(folder)))


def load_sequence(folder: Path) -> Sequence:
    """The sequence in `folder`; TemplateError with file and line for what cannot be used."""
    if not folder.is_dir() or folder.name in ("", "..", "."):
        raise _unknown(folder)
    steps = [_load_step(path) for path in sorted(folder.glob("*.txt"))]
    if not steps:
        raise TemplateError(f"{folder} holds no step.", hint=f"write the first mail to {folder / '1-intro.txt'}")
    check_numbers(str(folder), [step.number for step in steps])
    return Sequence(folder.name, tuple(sorted(steps, key=lambda step: step.number)))


def _is_sequence(folder: Path) -> bool:
    return folder.is_dir() and any(NAMES.fullmatch(path.name) for path in folder.glob("*.txt"))


def _load_step(path: Path) -> Step:
    match = NAMES.fullmatch(path.name)
    if not match:
        raise TemplateError(
            f"{path} is not named like a step.", hint="call it e.g. 1-intro.txt; notes can end in .md instead"
        )
    return parse_step(int(match[1]), match[2], str(path), _read(path))


def _read(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise TemplateError(f"{path} cannot be read: {error.strerror}.", hint="check the file's permissions") from None
    if len(raw) > MAX_BYTES:
        raise TemplateError(f"{path} is larger than {MAX_BYTES // 1000} kB.", hint="a mail is a few lines")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise TemplateError(
            f"{path}:{line}: this is not UTF-8.", hint="save the file as UTF-8 in your editor"
        ) from None


def _unknown(folder: Path) -> TemplateError:
    known = sequence_names(folder.parent)
    near = get_close_matches(folder.name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(known)}" if known else "run `outreach init`"
    return TemplateError(f"there is no sequence {folder.name} in {folder.parent}.", hint=hint)
