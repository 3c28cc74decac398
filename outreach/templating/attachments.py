"""Reads the files that a step attaches: from the folder of templates only, of kinds that no mail program runs."""

from base64 import b64encode
from dataclasses import replace
from pathlib import Path

from outreach.core.records import Attachment
from outreach.errors import TemplateError
from outreach.resources import toml

MAX_TOTAL = 2_000_000
_LINE = 76  # RFC 2045 section 6.8


def load_attachments(step_path: Path, named: tuple[Attachment, ...]) -> tuple[Attachment, ...]:
    """The attachments of one step with their content; TemplateError names the line of one that cannot go."""
    loaded = tuple(_load(step_path, each) for each in named)
    if sum(each.size for each in loaded) > MAX_TOTAL:
        raise TemplateError(
            f"{step_path}:{loaded[-1].line}: the attachments are larger than {MAX_TOTAL // 1_000_000} MB together.",
            hint="attach less, or offer to send it",
        )
    return loaded


def _load(step_path: Path, wanted: Attachment) -> Attachment:
    place = f"{step_path}:{wanted.line}"
    path = _inside(step_path, wanted, place)
    form = toml("attachments.toml").get(path.suffix.removeprefix(".").lower())
    if form is None:
        known = ", ".join(sorted(toml("attachments.toml")))
        raise TemplateError(f"{place}: {wanted.path} is of no kind that can be attached.", hint=f"these can: {known}")
    try:
        if path.stat().st_size > MAX_TOTAL:
            raise TemplateError(
                f"{place}: {wanted.path} is larger than {MAX_TOTAL // 1_000_000} MB.", hint="make it smaller"
            )
        data = path.read_bytes()
    except OSError as error:
        raise TemplateError(
            f"{place}: {wanted.path} cannot be attached: {error.strerror}.", hint=f"put the file at {path}"
        ) from None
    if not data.startswith(form.get("starts", "").encode("latin-1")) or not data:
        raise TemplateError(f"{place}: {wanted.path} is not what its name says.", hint="look at the file")
    return replace(wanted, kind=form["kind"], encoded=_base64(data), size=len(data))


def _inside(step_path: Path, wanted: Attachment, place: str) -> Path:
    """The file's real place: beside the step or elsewhere among the templates, and nowhere else on this machine."""
    templates = step_path.parent.parent.resolve()
    path = (step_path.parent / wanted.path).resolve()
    if not path.is_relative_to(templates):
        raise TemplateError(
            f"{place}: {wanted.path} lies outside the templates.", hint=f"copy the file to {step_path.parent}"
        )
    return path


def _base64(data: bytes) -> bytes:
    text = b64encode(data)
    return b"".join(text[start : start + _LINE] + b"\r\n" for start in range(0, len(text), _LINE))
