"""The new text of a reply: what they wrote, without what they quoted.

The strongest tool needs no list of languages: cut where our own sent text begins. What is left goes to quotequail and a
few certain patterns.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from outreach.core.inbound import Arrival
from outreach.resources import toml

_MAX_LINES = 2_000
_SHINGLE = 4
_OURS = 0.6
_RUN = 8
_WALK = 12
_WORD = re.compile(r"[^\W_]+")
_QUOTED = re.compile(r"^[\s>|]*>[\s>|]*")
_TAG = re.compile(r"<[^<>]{0,2000}>")


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
    if new == full and not arrival.text.strip() and arrival.html:
        new = _html_top(arrival.html) or full
    if not inline:
        new = _without_quotes(new)
    new = _without_footers(new).strip()
    return ReplyText(new if any(map(_is_answer, new.splitlines())) else "", full, inline)


def body_text(arrival: Arrival) -> str:
    """The readable body: the plain part if it holds anything, else the HTML part as text."""
    plain = arrival.text.strip()
    return _tidy(arrival.text if plain else _as_text(arrival.html)).strip()


def _tidy(text: str) -> str:
    return "\n".join(text.replace("\u00a0", " ").splitlines()[:_MAX_LINES])


# --- our own text -----------------------------------------------------------------------------------------------


def _without_ours(full: str, sent_texts: Sequence[str], own_names: Sequence[str]) -> tuple[str, bool]:
    lines = full.splitlines()
    ours = _our_lines(lines, sent_texts)
    cut = _cut_at(lines, ours)
    if cut is None:
        return full, False
    above = lines[: _above_attribution(lines, cut, own_names)]
    after = [line for line, own in zip(lines[cut:], ours[cut:], strict=True) if not own and not _is_quoted(line)]
    if any(map(_is_quoted, lines[cut:])) or not _text(above):
        answers = [line for line in after if not line.strip() or not _is_furniture(line, own_names)]
        if _text(answers):
            return re.sub(r"\n{3,}", "\n\n", "\n".join([*above, *answers])), True
    return "\n".join(above), False


def _our_lines(lines: Sequence[str], sent_texts: Sequence[str]) -> list[bool]:
    """For each line, whether most of its words stand in runs that we sent; re-wrapping and quote marks don't matter."""
    known = {shingle for text in sent_texts for shingle in _shingles(_words(text))}
    words = [(number, word) for number, line in enumerate(lines) for word in _words(line)]
    marked = [False] * len(words)
    run = [False] * len(words)
    for start, shingle in enumerate(_shingles([word for _, word in words])):
        if shingle in known:
            marked[start : start + _SHINGLE] = [True] * _SHINGLE
    _mark_runs(marked, run)
    totals, hits = [0] * len(lines), [0] * len(lines)
    for (number, _), hit in zip(words, run, strict=True):
        totals[number] += 1
        hits[number] += hit
    return [total > 0 and hit >= _OURS * total for total, hit in zip(totals, hits, strict=True)]


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
        if is_own and (own >= _OURS * total or _is_quoted(lines[number])):
            return number
        total -= left[number]
        own -= is_own
    return None


def _above_attribution(lines: Sequence[str], cut: int, own_names: Sequence[str]) -> int:
    """Walk up over what introduces the quote: "On … wrote:", a block of headers, dividers, blank and quoted lines."""
    top = cut
    for number in range(cut - 1, max(-1, cut - 1 - _WALK), -1):
        line = lines[number]
        if not line.strip() or _is_quoted(line):
            continue
        if not _is_furniture(line, own_names):
            break
        top = number
    return top


def _is_furniture(line: str, own_names: Sequence[str]) -> bool:
    folded = line.strip("> *\t_").lower()
    if not folded or not any(character.isalnum() for character in folded):
        return True
    named = any(name and name.lower() in folded for name in own_names)
    if named and ("@" in folded or folded.endswith(":") or any(character.isdigit() for character in folded)):
        return True
    return _is_attribution(folded) or _is_label(folded) or _is_divider(folded) or _is_footer(folded)


def _is_attribution(folded: str) -> bool:
    words = toml("quoting.toml")
    if folded.endswith(tuple(words["attribution_ends"])):
        return True
    dated = sum(character.isdigit() for character in folded) >= 3
    return (
        dated
        and len(folded) < 200
        and folded.startswith(tuple(words["attribution_starts"]))
        and folded[-1] not in ".!?"
    )


def _is_label(folded: str) -> bool:
    label, colon, value = folded.partition(":")
    return bool(colon and value.strip()) and label.strip("* ") in _labels()


def _is_divider(folded: str) -> bool:
    return folded.strip("- ") in toml("quoting.toml")["dividers"]


def _is_footer(folded: str) -> bool:
    return folded.startswith(tuple(toml("quoting.toml")["footers"]))


@cache
def _labels() -> frozenset[str]:
    return frozenset(toml("quoting.toml")["header_labels"])


# --- everybody else's quotes ------------------------------------------------------------------------------------


def _without_quotes(text: str) -> str:
    """quotequail first, then our own list; each only if it leaves something."""
    from quotequail import unwrap

    try:
        found = unwrap(text) or {}
    except Exception:  # noqa: BLE001  a library over hostile text: its opinion is welcome, its exceptions are not
        found = {}
    top = found.get("text_top") or found.get("text_bottom") or text
    return _above_own_list(str(top))


def _above_own_list(text: str) -> str:
    lines = text.splitlines()
    for number, line in enumerate(lines):
        folded = line.strip("> *\t_").lower()
        starts = _is_divider(folded) or folded.endswith(tuple(toml("quoting.toml")["attribution_ends"]))
        block = sum(_is_label(each.strip("> *\t_").lower()) for each in lines[number : number + 4]) >= 3
        if (starts or (block and _is_label(folded))) and _text(lines[:number]):
            return "\n".join(_without_open_attribution(lines[:number]))
    return text


def _without_open_attribution(lines: Sequence[str]) -> Sequence[str]:
    """The first half of an attribution that was wrapped: `On Mon, 2 Mar 2026 at 09:30, Ada Testwell`."""
    last = lines[-1].strip().lower() if lines else ""
    wrapped = bool(last) and _is_attribution(last) and bool(_text(lines[:-1]))
    return lines[:-1] if wrapped else lines


def _without_footers(text: str) -> str:
    """Only signatures that are certain: below `-- `, and what phones add."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if line.rstrip() == "--" and _text(lines[:number]):
            lines = lines[:number]
            break
    kept = [line for line in lines if not _is_footer(line.strip(" *\t_").lower())]
    return "\n".join(kept if _text(kept) else lines)


def _html_top(html: str) -> str:
    from quotequail import unwrap_html

    try:
        top = (unwrap_html(html) or {}).get("html_top") or ""
    except Exception:  # noqa: BLE001  as above
        return ""
    return _as_text(str(top)).strip()


def _as_text(html: str) -> str:
    """HTML as text. What the parser gives up on (it stops at some depth) is stripped of its tags."""
    if not html.strip():
        return ""
    from html_text import extract_text

    try:
        text = str(extract_text(html))
    except Exception:  # noqa: BLE001  as above
        text = ""
    return text if text.strip() else _TAG.sub(" ", html)


# --- words ------------------------------------------------------------------------------------------------------


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _shingles(words: Sequence[str]) -> list[tuple[str, ...]]:
    return [tuple(words[start : start + _SHINGLE]) for start in range(len(words) - _SHINGLE + 1)]


def _is_quoted(line: str) -> bool:
    return _QUOTED.match(line) is not None


def _is_answer(line: str) -> bool:
    return bool(line.strip()) and not _is_quoted(line)


def _text(lines: Sequence[str]) -> str:
    return "".join(lines).strip()
