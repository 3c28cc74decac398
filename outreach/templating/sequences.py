"""Reads a sequence: a folder of `1-intro.txt`, `2-follow-up.md` … and the files that all sequences share. It renders
nothing."""

from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from hashlib import sha256
from pathlib import Path

from outreach.core.records import Sequence, Step
from outreach.core.step_file import NAMES, arrange_steps, parse_step
from outreach.errors import TemplateError
from outreach.templating.attachments import load_attachments

MAX_BYTES = 100_000
SHARED = "_shared"
"""The folder beside the sequences whose files any of them may include."""
_MAX_SHARED_BYTES = 20_000


def sequence_names(templates: Path) -> tuple[str, ...]:
    """The sequences in a folder of templates."""
    if not templates.is_dir():
        return ()
    return tuple(sorted(folder.name for folder in templates.iterdir() if _is_sequence(folder)))


def sequence_folder(templates: Path, name: str) -> Path:
    """The folder of the sequence of this name, whether it is there or not. TemplateError for what would lead elsewhere:
    a name comes from the command line and from the store, and is never a path."""
    if _is_name(name):
        return templates / name
    known = sequence_names(templates)
    hint = f"it is the name of a folder in {templates}" + (f"; there are: {', '.join(known)}" if known else "")
    raise TemplateError(f"{name!r} is no name for a sequence.", hint=hint)


def load_sequence(folder: Path) -> Sequence:
    """The sequence in `folder`; TemplateError with file and line for what cannot be used."""
    if not folder.is_dir() or not _is_name(folder.name):
        raise _unknown(folder)
    shared = _load_shared(folder.parent / SHARED)
    files = [_load_step(path, shared) for path in sorted(folder.iterdir()) if _may_be_step(path)]
    if not files:
        raise TemplateError(f"{folder} holds no step.", hint=f"write the first mail to {folder / '1-intro.txt'}")
    return Sequence(folder.name, arrange_steps(str(folder), files), shared)


def _is_sequence(folder: Path) -> bool:
    return folder.is_dir() and _is_name(folder.name) and any(NAMES.fullmatch(path.name) for path in folder.iterdir())


def _is_name(name: str) -> bool:
    """A hidden folder is no sequence: programs keep what is theirs in such."""
    return (
        bool(name) and name[0] != "." and name != SHARED and not {"/", "\\"}.intersection(name) and name.isprintable()
    )


def _may_be_step(path: Path) -> bool:
    """Every .txt must be a step, so that a misnamed one is not passed over; a .md with another name is a note."""
    return path.is_file() and (path.suffix == ".txt" or NAMES.fullmatch(path.name) is not None) and path.name[0] != "."


def _load_step(path: Path, shared: Mapping[str, str]) -> Step:
    match = NAMES.fullmatch(path.name)
    if not match:
        raise TemplateError(
            f"{path} is not named like a step.", hint="call it e.g. 1-intro.txt; notes can be called NOTES.md"
        )
    text = _read(path, MAX_BYTES)
    step = parse_step(int(match[1]), match[2], str(path), text, match[3] or "", markdown=match[4] == "md")
    step = replace(step, attachments=load_attachments(path, step.attachments))
    return replace(step, digest=_digest(text, step, shared))


def _digest(text: str, step: Step, shared: Mapping[str, str]) -> str:
    """A change in anything that the mail is made from changes it. A shared file counts where its name stands in the
    text."""
    used = [content for name, content in sorted(shared.items()) if name in text]
    parts = [text.encode(), *(content.encode() for content in used), *(each.encoded for each in step.attachments)]
    whole = sha256()
    for part in parts:
        whole.update(sha256(part).digest())
    return whole.hexdigest()[:32]


def _load_shared(folder: Path) -> dict[str, str]:
    if not folder.is_dir():
        return {}
    return {path.name: _read(path, _MAX_SHARED_BYTES) for path in sorted(folder.iterdir()) if path.suffix in _TEXTS}


_TEXTS = (".txt", ".md")


def _read(path: Path, limit: int) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise TemplateError(f"{path} cannot be read: {error.strerror}.", hint="check the file's permissions") from None
    if len(raw) > limit:
        raise TemplateError(f"{path} is larger than {limit // 1000} kB.", hint="a mail is a few lines")
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
