"""What can be said against a mail: the rules by name, and a finding as one of them says it.

A finding that blocks holds the mail back; the others warn. Some rules may be silenced for one file, with a reason, by
its author; those that protect the reader may not.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches

from outreach.core.records import Step


@dataclass(frozen=True, slots=True)
class Finding:
    """One objection: the name of the rule, a sentence for the writer, and the place in the template where it is known.
    `quote` are the words it is about."""

    rule: str
    message: str
    blocks: bool = True
    path: str = ""
    line: int = 0
    quote: str = ""

    @property
    def place(self) -> str:
        return f"{self.path}:{self.line}" if self.path else ""

    def __str__(self) -> str:
        return f"{self.rule}: {self.message}"


FIXED = frozenset(
    ("subject", "leftover", "greeting", "link-shortener", "html", "footer", "wire", "size", "trap", "silence", "empty")
)
"""Rules that nobody can silence."""
SILENCEABLE = frozenset(
    (
        "empty-value", "own-domain", "role-inbox", "other-name", "same-text", "length", "question", "subject-length",
        "link", "image", "shouting", "spam-word", "attachment",
    )
)  # fmt: skip
"""Rules that a file can silence: `Silence: link because the demo is what I write about`."""


def placed(findings: Iterable[Finding], step: Step) -> list[Finding]:
    """The findings that the file does not silence, each with its place."""
    return [_at(finding, step) for finding in findings if not _is_silenced(finding.rule, step)]


def wrong_silences(step: Step) -> list[Finding]:
    """`Silence` headers that name no rule, or one that cannot be silenced."""
    return [
        Finding("silence", _why_not(rule), path=step.path, line=1) for rule in step.silenced if rule not in SILENCEABLE
    ]


def _is_silenced(rule: str, step: Step) -> bool:
    return rule in SILENCEABLE and rule in step.silenced


def _why_not(rule: str) -> str:
    if rule in FIXED:
        return f"the rule {rule} protects the reader and cannot be silenced"
    near = get_close_matches(rule, sorted(SILENCEABLE), n=1)
    known = f"did you mean {near[0]}?" if near else "there are " + ", ".join(sorted(SILENCEABLE))
    return f"there is no rule {rule}; {known}"


def _at(finding: Finding, step: Step) -> Finding:
    if finding.path:
        return finding
    return replace(finding, path=step.path, line=_line_of(finding, step))


def _line_of(finding: Finding, step: Step) -> int:
    """The line that holds the words the finding is about; else where the subject or the text starts."""
    if finding.rule.startswith("subject") or (finding.quote and finding.quote in step.subject):
        return step.subject_line
    for number, line in enumerate(step.body.splitlines()):
        if finding.quote and finding.quote in line:
            return step.body_line + number
    return step.body_line
