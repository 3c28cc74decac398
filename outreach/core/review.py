"""What a careful writer would rather avoid: long mails, several questions, shouting, words that filters know.

Nothing here holds a mail back. What depends on the data is asked of the finished mail, the rest of the template's own
words, so that no company's name in capitals is taken for the author's shouting.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from outreach.core.findings import Finding
from outreach.core.mentions import Names, names_of
from outreach.core.message import OPT_OUT
from outreach.core.records import Founder, Sender, Step
from outreach.resources import table

MOST_WORDS = {1: 150}
MOST_WORDS_LATER = 120
MOST_SUBJECT = 60
_URL = re.compile(r"\b(?:https?://|www\.)[^\s<>\"')]+", re.IGNORECASE)
_IMAGE = re.compile(r"!\[[^\]\n]*\]\([^)\n]*\)")
_JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_CAPITALS = re.compile(r"\b[A-Z]{3,}(?:[ ,-]+[A-Z]{3,})+\b|\b[A-Z]{6,}\b")
_EXCLAIMED = re.compile(r"!\s*!|[?!]{2,}")
_QUESTION = re.compile(r"\?(?=[\s\"')\]]|$)")
_PLACEHOLDER = re.compile(r"\b(?:TODO|TBD|FIXME|XXX+)\b|\[(?:insert|your) [^\]\n]{1,40}\]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a template with only the author's own words in it."""

    number: int
    text: str
    source: str


def review_template(step: Step) -> list[Finding]:
    """What the template's own words give away, line by line."""
    lines = [_Line(step.subject_line, _own_words(step.subject), step.subject), *_body_lines(step)]
    return [finding for line in lines for finding in _review_line(step, line)]


def review_names(step: Step, founders: Iterable[Founder], sender: Sender) -> list[Finding]:
    """A founder or company of the list whose name stands in the template itself: everybody would read it."""
    names, nobody = Names(names_of(founders)), Founder(0, "")
    return [
        Finding("other-name", f"{name!r} stands in the template, so everybody would read it", path=step.path,
                line=line.number, quote=name)
        for line in [_Line(step.subject_line, _own_words(step.subject), ""), *_body_lines(step)]
        for name in names.strangers(line.text, nobody, sender)
    ]  # fmt: skip


def review_message(subject: str, text: str, *, step: Step) -> list[Finding]:
    """What the finished mail gives away; the footer is not the author's."""
    own = text.partition(OPT_OUT)[0]
    said = [*_length(own, step), *_questions(own, step), *_subject(subject, step), *_links(own, step)]
    return [Finding(rule, sentence, blocks=False, quote=quote) for rule, sentence, quote in said]


def _length(text: str, step: Step) -> Iterator[tuple[str, str, str]]:
    count, most = len(text.split()), MOST_WORDS.get(step.number, MOST_WORDS_LATER)
    if count > most:
        yield "length", f"the mail has {count} words; more than {most} are rarely read", ""


def _questions(text: str, step: Step) -> Iterator[tuple[str, str, str]]:
    asked = _QUESTION.findall(text)
    if len(asked) > 1 and step.number == 1:
        last = next(line for line in reversed(text.splitlines()) if "?" in line)
        yield "question", f"the mail asks {len(asked)} questions; one is easier to answer", _tail(last)
    if not asked and step.number == 1:
        yield "question", "the mail asks nothing, so there is nothing to answer", ""


def _subject(subject: str, step: Step) -> Iterator[tuple[str, str, str]]:
    if len(subject) >= MOST_SUBJECT and step.subject:
        yield "subject-length", f"the subject has {len(subject)} characters; phones show about {MOST_SUBJECT}", ""


def _links(text: str, step: Step) -> Iterator[tuple[str, str, str]]:
    if image := _IMAGE.search(text):
        yield "image", "an image is left away; readers would see its Markdown", image[0]
    elif step.number == 1 and (link := _URL.search(text)):
        yield "link", f"the first mail holds a link ({link[0][:60]}); filters and readers distrust it", link[0]


def _review_line(step: Step, line: _Line) -> Iterator[Finding]:
    def found(rule: str, message: str, quote: str, *, blocks: bool = False) -> Finding:
        return Finding(rule, message, blocks, step.path, line.number, quote)

    if match := _PLACEHOLDER.search(line.text):
        yield found("leftover", f"{match[0]!r} was left over in the template", match[0], blocks=True)
    if match := _CAPITALS.search(line.text):
        yield found("shouting", f"{match[0]!r} is in capitals", match[0])
    if match := _EXCLAIMED.search(line.text):
        yield found("shouting", f"{match[0]!r} shouts", match[0])
    for match in _spam_words().finditer(line.text):
        yield found("spam-word", f"{match[0]!r} is what filters look for", match[0])


def _body_lines(step: Step) -> Iterator[_Line]:
    shown = _own_words(step.body).split("\n")
    for number, (text, source) in enumerate(zip(shown, step.body.split("\n"), strict=True)):
        yield _Line(step.body_line + number, text, source)


def _own_words(source: str) -> str:
    """The source with its Jinja blanked, line ends kept."""
    return _JINJA.sub(lambda match: " " + "\n" * match[0].count("\n"), source)


def _tail(line: str) -> str:
    """The last words of a line, which the template is likely to hold as they are."""
    return " ".join(line.split()[-3:])


@cache
def _spam_words() -> re.Pattern[str]:
    return re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, table("spam_words.txt"))) + r")(?!\w)", re.IGNORECASE)
