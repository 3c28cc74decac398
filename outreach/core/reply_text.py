"""The new text of a reply: what they wrote, without what they quoted.

The strongest tool needs no list of languages: cut where our own sent text begins. What is left goes to quotequail and a
few certain patterns.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from outreach.core.html_body import html_as_text, html_top
from outreach.core.inbound import Arrival
from outreach.core.quotes import (
    LABELLED,
    above_attribution,
    above_introduction,
    first_line_of,
    fold_line,
    has_date,
    introduces_quote,
    is_divider,
    is_footer,
    is_furniture,
    is_label,
    is_opening,
    is_quoted,
    names_us,
)

_MAX_LINES = 2_000
_SHINGLE = 4
_QUOTED_SHOWN = 4
_LINES_SHOWN = 300
_LONGEST_LINE = 4_000
"""The library's patterns take the square of a line's length: 13 s for one of 256 kB."""
_OURS = 0.6
_RUN = 8
_LIST_RULE = 20
_WORD = re.compile(r"[^\W_]+")
_MAY_QUOTE = re.compile(r"[:>]|---|_{32}")
"""Without one of these no pattern of quotequail fits, so it need not be asked: most answers are two lines."""


@dataclass(frozen=True, slots=True)
class ReplyText:
    """What a person wrote. `new` is empty where nothing but quotes was found; `full` is the whole readable body;
    `inline`: the answers stood between quoted lines."""

    new: str
    full: str
    inline: bool = False

    @property
    def shown(self) -> str:
        """Text lost is worse than text leaked."""
        return self.new or self.full


def read_reply(arrival: Arrival, sent_texts: Sequence[str] = (), own_names: Sequence[str] = ()) -> ReplyText:
    """The new text of a message. `sent_texts` are our mails to that person, `own_names` our name and address."""
    full = body_text(arrival)
    new, inline = _without_ours(full, sent_texts, own_names)
    if new == full and any(map(is_quoted, full.splitlines())):
        new, inline = _without_marked(full, own_names)
    if new == full and not arrival.text.strip() and arrival.html:
        cut = _above_own_list(full)
        new = cut if cut != full or _has_long_line(full) else html_top(arrival.html) or full
    if not inline:
        new = _without_trailing_attribution(_without_quotes(new), own_names)
    new = _without_footers(new).strip()
    return ReplyText(new if any(map(_is_answer, new.splitlines())) else "", full, inline)


def body_text(arrival: Arrival) -> str:
    """The readable body: the plain part if it holds anything, else the HTML part as text."""
    plain = arrival.text.strip()
    return _tidy(arrival.text if plain else html_as_text(arrival.html)).strip()


def _tidy(text: str) -> str:
    return "\n".join(text.replace("\u00a0", " ").splitlines()[:_MAX_LINES])


# --- our own text -----------------------------------------------------------------------------------------------


def _without_ours(full: str, sent_texts: Sequence[str], own_names: Sequence[str]) -> tuple[str, bool]:
    lines = full.splitlines()
    ours = _our_lines(lines, sent_texts)
    cut = _cut_at(lines, ours)
    if cut is None:
        return full, False
    above = lines[: above_attribution(lines, cut, own_names)]
    after = [line for line, own in zip(lines[cut:], ours[cut:], strict=True) if not own and not is_quoted(line)]
    if any(map(is_quoted, lines[cut:])) or not _text(above):
        answers = [line for line in after if not line.strip() or not is_furniture(line, own_names)]
        if _text(answers):
            return re.sub(r"\n{3,}", "\n\n", "\n".join([*above, *answers])), True
    return "\n".join(above if _text(above) else filter(_may_be_said, lines[:cut])), False


def _may_be_said(line: str) -> bool:
    """Whether a line that was taken for an introduction may be the whole answer: "Remove ada@my.example, 2nd time"."""
    folded = fold_line(line)
    introduces = is_opening(line) or is_divider(folded) or LABELLED.match(folded)
    return bool(folded) and not introduces and not is_quoted(line)


def _our_lines(lines: Sequence[str], sent_texts: Sequence[str]) -> list[bool]:
    """For each line, whether most of its words stand in runs that we sent; re-wrapping and quote marks don't matter."""
    known = {shingle for text in sent_texts for shingle in _shingles(_words(text))}
    by_line = [_words(line) for line in lines]
    words = [word for each in by_line for word in each]
    marked = [False] * len(words)
    for start, shingle in enumerate(_shingles(words)):
        if shingle in known:
            marked[start : start + _SHINGLE] = [True] * _SHINGLE
    if True not in marked:
        return [False] * len(lines)
    run = [False] * len(words)
    _mark_runs(marked, run)
    ends = list(accumulate(map(len, by_line)))
    hits = (sum(run[end - len(each) : end]) for each, end in zip(by_line, ends, strict=True))
    return [bool(each) and hit >= _OURS * len(each) for each, hit in zip(by_line, hits, strict=True)]


def _mark_runs(marked: Sequence[bool], run: list[bool]) -> None:
    """Keep only runs of eight words and more: four alone are a phrase that anybody may use."""
    start = 0
    for end in range(len(marked) + 1):
        if end == len(marked) or not marked[end]:
            if end - start >= _RUN:
                run[start:end] = [True] * (end - start)
            start = end + 1


def _cut_at(lines: Sequence[str], ours: Sequence[bool]) -> int | None:
    """The first line of ours from which at least 60 % of the rest is ours; after a quote mark any share will do."""
    left = [bool(line.strip()) for line in lines]
    total, own = sum(left), sum(ours)
    for number, is_own in enumerate(ours):
        if is_own and (own >= _OURS * total or is_quoted(lines[number])):
            return number
        total -= left[number]
        own -= is_own
    return None


# --- everybody else's quotes ------------------------------------------------------------------------------------


def _without_marked(text: str, own_names: Sequence[str]) -> tuple[str, bool]:
    """Without the lines that are marked as quotes, and what introduces each run of them; and whether they answered
    between or below them. What lists and programs add at the very end is no answer."""
    lines = text.splitlines()
    quoted = [is_quoted(line) for line in lines]
    kept: list[str] = []
    for number, line in enumerate(lines):
        if not quoted[number]:
            kept.append(line)
        elif number == 0 or not quoted[number - 1]:
            kept = kept[: above_introduction(kept, own_names)]
    last = max(number for number, is_quoted in enumerate(quoted) if is_quoted)
    below = lines[last + 1 :]
    answers = below[: next((at for at, line in enumerate(below) if _ends_mail(line)), len(below))]
    kept = kept[: len(kept) - len(below) + len(answers)]
    if not _text(kept):
        return text, False
    first = quoted.index(True)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)), bool(_text([*answers, *_between(lines, quoted, first, last)]))


def _between(lines: Sequence[str], quoted: Sequence[bool], first: int, last: int) -> list[str]:
    return [lines[number] for number in range(first, last) if not quoted[number]]


def _ends_mail(line: str) -> bool:
    return line.rstrip() == "--" or (len(line.strip()) >= _LIST_RULE and not line.strip().strip("_-="))


def _without_quotes(text: str) -> str:
    """quotequail first, then our own list; each only if it leaves something."""
    found = _unwrapped(_down_to_quote(text))
    top = str(found.get("text_top") or found.get("text_bottom") or text)
    return _above_own_list(top)


def _unwrapped(text: str) -> Mapping[str, object]:
    if not _MAY_QUOTE.search(text) or _has_long_line(text):
        return {}
    from quotequail import unwrap

    try:
        return unwrap(text) or {}
    except Exception:  # noqa: BLE001  a library over hostile text: its opinion is welcome, its exceptions are not
        return {}


def _has_long_line(text: str) -> bool:
    return any(len(line) > _LONGEST_LINE for line in text.splitlines())


def _down_to_quote(text: str) -> str:
    """The library looks at every line several times; below the first quoted ones nothing can change its mind."""
    lines = text.splitlines()
    first = next((number for number, line in enumerate(lines) if is_quoted(line)), len(lines))
    return "\n".join(lines[: min(first + _QUOTED_SHOWN, _LINES_SHOWN)])


def _above_own_list(text: str) -> str:
    lines = text.splitlines()
    for number, line in enumerate(lines):
        labels = [is_label(fold_line(each)) for each in lines[number : number + 4]]
        block = labels[0] and sum(labels) >= 3
        if is_divider(fold_line(line)) or block or introduces_quote(lines, number):
            above = lines[: first_line_of(lines, number)]
            return "\n".join(above) if _text(above) else text
    return text


def _without_trailing_attribution(text: str, own_names: Sequence[str]) -> str:
    """Where the quote itself went with its HTML, the line that introduced it is left at the end."""
    lines = text.rstrip().splitlines()
    if len(lines) < 2:
        return text
    last = lines[-1].strip().lower()
    introduces = last.endswith((":", "：")) and has_date(last) and names_us(last, own_names)
    return "\n".join(lines[:-1]) if introduces else text


def _without_footers(text: str) -> str:
    """Only signatures that are certain: below `-- `, and what phones add."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if line.rstrip() == "--" and _text(lines[:number]):
            lines = lines[:number]
            break
    kept = [line for line in lines if not is_footer(line.strip(" *\t_").lower())]
    return "\n".join(kept if _text(kept) else lines)


# --- words ------------------------------------------------------------------------------------------------------


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _shingles(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    return zip(*(words[start:] for start in range(_SHINGLE)), strict=False)


def _is_answer(line: str) -> bool:
    return bool(line.strip()) and not is_quoted(line)


def _text(lines: Sequence[str]) -> str:
    return "".join(lines).strip()
