"""How much of a reply's new text is found: ours with and without knowing what was sent, and the best library alone."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from quotequail import unwrap, unwrap_html

from outreach.core.inbound import Arrival
from outreach.core.reply_text import body_text, read_reply
from tests.labelled.replies import Answer, all_answers
from tests.labelled.written import written_answers
from tests.mails import ME, OUR_TEXT, read, text_of

NAMES = ("Ada Testwell", ME)
_WORDS = re.compile(r"[぀-ヿ一-鿿]|\w+")
_NEAR, _MUCH_LOST, _MUCH_LEFT = 0.9, 0.1, 0.2


@dataclass(frozen=True, slots=True)
class TextFigures:
    """Shares of all answers: word F1 of at least 0.9; more than a tenth lost; more than a fifth too much."""

    answers: int
    near: float
    lost: float
    leaked: float

    def __str__(self) -> str:
        return f"near {self.near:6.1%}  lost {self.lost:6.1%}  leaked {self.leaked:6.1%}  of {self.answers}"


def ours(arrival: Arrival) -> str:
    return read_reply(arrival, (OUR_TEXT,), NAMES).shown


def ours_unknown(arrival: Arrival) -> str:
    return read_reply(arrival, (), NAMES).shown


def quotequail(arrival: Arrival) -> str:
    """The library alone, as its readme uses it."""
    if arrival.html:
        top = (unwrap_html(arrival.html) or {}).get("html_top")
        return text_of(top) if top else body_text(arrival)
    found = unwrap(arrival.text) or {}
    return str(found.get("text_top") or body_text(arrival))


def measure(way: Callable[[Arrival], str], *, html: bool) -> TextFigures:
    answers = [answer for answer in (*all_answers(), *written_answers()) if answer.html == html]
    scores = [_score(answer, way(read(answer.raw))) for answer in answers]
    near, lost, leaked = (sum(column) / len(answers) for column in zip(*scores, strict=True))
    return TextFigures(len(answers), near, lost, leaked)


def lines() -> Iterator[str]:
    for name, way in (
        ("ours, what was sent is known", ours),
        ("ours, unknown", ours_unknown),
        ("quotequail alone", quotequail),
    ):
        for html in (False, True):
            yield f"{name:30}{'HTML ' if html else 'plain'}  {measure(way, html=html)}"


def _score(answer: Answer, got: str) -> tuple[bool, bool, bool]:
    wanted, found = (Counter(_WORDS.findall(text.lower())) for text in (answer.new, got))
    common = (wanted & found).total()
    f1 = 2 * common / ((wanted.total() + found.total()) or 1)
    return f1 >= _NEAR, common < (1 - _MUCH_LOST) * wanted.total(), found.total() - common > _MUCH_LEFT * wanted.total()
