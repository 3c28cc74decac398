"""The new text of a reply: what they wrote, without what they quoted.

The strongest tool needs no list of languages: cut where our own sent text begins. What is left goes to quotequail and a
few certain patterns.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate

from outreach.core.inbound import Arrival
from outreach.resources import toml

_MAX_LINES = 2_000
_SHINGLE = 4
_QUOTED_SHOWN = 4
_LINES_SHOWN = 300
_LONGEST_LINE = 4_000
"""The library's patterns take the square of a line's length: 13 s for one of 256 kB."""
_OURS = 0.6
_RUN = 8
_WALK = 16
_OPENING_LINES = 4
_LIST_RULE = 20
_WORD = re.compile(r"[^\W_]+")
_QUOTED = re.compile(r"^[\s>|]*>[\s>|]*")
_LABELLED = re.compile(r"[^\s:：][^:：\n]{0,23}\s?[:：]\s*\S")
_RULED = re.compile(r"-{3,}[^-].{0,150}?-{3,}")
_LONGEST_FOOTER = 80
_BLOCKQUOTE = re.compile(r"<(/?)blockquote\b([^<>]{0,2000})>", re.IGNORECASE)
_CITES = re.compile(r"cite|quote|border-left", re.IGNORECASE)
_REPLY_MARKUP = re.compile(
    r"gmail_quote|moz-cite|yahoo_quoted|divrplyfwdmsg|protonmail_quote|appendonsend|outlookmessageheader"
    r"|border-top: ?solid|type=.?cite|zmail_extra|mail-editor-reference|original message",
    re.IGNORECASE,
)
_OPEN, _CITED, _CLOSE = "\ue000", "\ue001", "\ue002"
_MAY_QUOTE = re.compile(r"[:>]|---|_{32}")
"""Without one of these no pattern of quotequail fits, so it need not be asked: most answers are two lines."""
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
    if new == full and any(map(_is_quoted, full.splitlines())):
        new, inline = _without_marked(full, own_names)
    if new == full and not arrival.text.strip() and arrival.html:
        cut = _above_own_list(full)
        new = cut if cut != full or _has_long_line(full) else _html_top(arrival.html) or full
    if not inline:
        new = _without_trailing_attribution(_without_quotes(new), own_names)
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
    return "\n".join(above if _text(above) else filter(_may_be_said, lines[:cut])), False


def _may_be_said(line: str) -> bool:
    """Whether a line that was taken for an introduction may be the whole answer: "Remove ada@my.example, 2nd time"."""
    folded = _folded(line)
    introduces = _is_opening(line) or _is_divider(folded) or _LABELLED.match(folded)
    return bool(folded) and not introduces and not _is_quoted(line)


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
        if is_own and (own >= _OURS * total or _is_quoted(lines[number])):
            return number
        total -= left[number]
        own -= is_own
    return None


def _above_attribution(lines: Sequence[str], cut: int, own_names: Sequence[str]) -> int:
    """Walk up over what introduces the quote: "On … wrote:", a block of headers, dividers, blank and quoted lines.
    Above the line that introduces it only dividers can follow: "To: be honest" further up is theirs."""
    top = number = cut
    introduced = False
    while number > max(0, cut - _WALK):
        number -= 1
        block = _header_block(lines, number, own_names)
        opening = number if introduced else _opening_block(lines, number, own_names)
        if block < number or opening < number:
            top = number = min(block, opening)
            introduced = True
        elif _is_quoted(lines[number]):
            top = number
        elif lines[number].strip():
            if not _is_furniture(lines[number], own_names) or (introduced and not _is_divider(_folded(lines[number]))):
                break
            introduced = introduced or _folded(lines[number]).endswith((":", "："))
            top = number
    return _above_bare_block(lines, top, own_names)


def _folded(line: str) -> str:
    return line.strip("> *\t_").lower()


def _opening_block(lines: Sequence[str], last: int, own_names: Sequence[str]) -> int:
    """Where the few lines start that end here and together say who wrote when; else `last`. Long names wrap them."""
    if not lines[last].rstrip().endswith((":", "：")) or _is_quoted(lines[last]):
        return last
    said = ""
    for number in range(last, max(-1, last - _OPENING_LINES), -1):
        line = _folded(lines[number])
        if not line:
            break
        said = f"{line} {said}"
        starts = line.startswith(_attribution_starts()) or _names_us(line, own_names)
        if starts and _has_date(line) and ("@" in said or _is_attribution(said.strip())):
            return number
    return last


def _above_bare_block(lines: Sequence[str], top: int, own_names: Sequence[str]) -> int:
    """Lotus Notes writes labels and values on lines of their own, below our address and a date."""
    first = max(0, top - _WALK)
    block = [_folded(line) for line in lines[first:top]]
    if not {"to", "subject"} <= set(block) and not {"an", "thema"} <= set(block):
        return top
    named = (number for number, line in enumerate(block) if "@" in line and _names_us(line, own_names))
    return first + next(named, top - first)


def _header_block(lines: Sequence[str], last: int, own_names: Sequence[str]) -> int:
    """Where the block of three and more `Label: value` lines starts that ends here and names us; else `last`. In any
    language: what stands right above our own text and names us is no answer."""
    start = last
    while start >= 0 and _LABELLED.match(lines[start].strip("> *\t_")):
        start -= 1
    named = last - start >= 3 and _names_us(" ".join(lines[start + 1 : last + 1]).lower(), own_names)
    return start + 1 if named else last


def _is_furniture(line: str, own_names: Sequence[str]) -> bool:
    folded = _folded(line)
    if not any(character.isalnum() for character in folded):
        return True
    telling = "@" in folded or folded.endswith(":") or any(character.isdigit() for character in folded)
    if telling and folded[-1] not in ".!?" and _names_us(folded, own_names):
        return True
    return _is_attribution(folded) or _is_label(folded) or _is_divider(folded) or _is_footer(folded)


def _names_us(folded: str, own_names: Sequence[str]) -> bool:
    return any(re.search(rf"(?<!\w){re.escape(name.lower())}(?!\w)", folded) for name in own_names)


def _is_attribution(folded: str) -> bool:
    words = toml("quoting.toml")
    if folded.endswith(tuple(words["attribution_ends"])):
        return True
    return (
        _has_date(folded) and len(folded) < 200 and folded.startswith(_attribution_starts()) and folded[-1] not in ".!?"
    )


def _has_date(text: str) -> bool:
    return sum(character.isdigit() for character in text) >= 3


def _is_label(folded: str) -> bool:
    label, colon, value = folded.replace("：", ":", 1).partition(":")
    return bool(colon and value.strip()) and label.strip("* ") in _labels()


def _is_divider(folded: str) -> bool:
    return folded.strip("-= ") in toml("quoting.toml")["dividers"] or _RULED.fullmatch(folded) is not None


def _is_footer(folded: str) -> bool:
    return len(folded) < _LONGEST_FOOTER and folded.startswith(tuple(toml("quoting.toml")["footers"]))


@cache
def _attribution_starts() -> tuple[str, ...]:
    return tuple(toml("quoting.toml")["attribution_starts"])


@cache
def _labels() -> frozenset[str]:
    return frozenset(toml("quoting.toml")["header_labels"])


# --- everybody else's quotes ------------------------------------------------------------------------------------


def _without_marked(text: str, own_names: Sequence[str]) -> tuple[str, bool]:
    """Without the lines that are marked as quotes, and what introduces each run of them; and whether they answered
    between or below them. What lists and programs add at the very end is no answer."""
    lines = text.splitlines()
    quoted = [_is_quoted(line) for line in lines]
    kept: list[str] = []
    for number, line in enumerate(lines):
        if not quoted[number]:
            kept.append(line)
        elif number == 0 or not quoted[number - 1]:
            kept = kept[: _above_introduction(kept, own_names)]
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


def _above_introduction(kept: Sequence[str], own_names: Sequence[str]) -> int:
    """How many of these lines stand above "On … wrote:", where a quote follows them."""
    end = len(kept)
    while end and not kept[end - 1].strip():
        end -= 1
    if not end:
        return 0
    top = _opening_block(kept, end - 1, own_names)
    if top == end - 1 and not _is_opening(kept[top]):
        return len(kept)
    return top


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
    first = next((number for number, line in enumerate(lines) if _is_quoted(line)), len(lines))
    return "\n".join(lines[: min(first + _QUOTED_SHOWN, _LINES_SHOWN)])


def _is_opening(line: str) -> bool:
    """`… wrote:`, in a language we know or with an address and a date."""
    folded = _folded(line)
    return _is_attribution(folded) or (folded.endswith((":", "：")) and "@" in folded and _has_date(folded))


def _above_own_list(text: str) -> str:
    lines = text.splitlines()
    for number, line in enumerate(lines):
        folded = _folded(line)
        starts = _is_divider(folded) or folded.endswith(tuple(toml("quoting.toml")["attribution_ends"]))
        labels = [_is_label(_folded(each)) for each in lines[number : number + 4]]
        block = labels[0] and sum(labels) >= 3
        if starts or block or _introduces_quote(lines, number):
            above = lines[: _first_line_of(lines, number)]
            return "\n".join(above) if _text(above) else text
    return text


def _without_trailing_attribution(text: str, own_names: Sequence[str]) -> str:
    """Where the quote itself went with its HTML, the line that introduced it is left at the end."""
    lines = text.rstrip().splitlines()
    if len(lines) < 2:
        return text
    last = lines[-1].strip().lower()
    introduces = last.endswith((":", "：")) and _has_date(last) and _names_us(last, own_names)
    return "\n".join(lines[:-1]) if introduces else text


def _introduces_quote(lines: Sequence[str], number: int) -> bool:
    """`Anything <a@b>, 2 March 2026:` with a quoted line next, in any language."""
    line = lines[number].strip()
    if not line.endswith((":", "：")) or _is_quoted(line):
        return False
    following = next((each for each in lines[number + 1 :] if each.strip()), "")
    said = f"{lines[number - 1] if number else ''} {line}"
    return _is_quoted(following) and (_has_date(said) or "@" in said)


def _first_line_of(lines: Sequence[str], number: int) -> int:
    """An attribution may be wrapped: the date then stands in the line before."""
    before = lines[number - 1].strip().lower() if number else ""
    wrapped = before and not _has_date(lines[number]) and _has_date(before) and len(before) < 100
    return (
        number - 1
        if wrapped and (before.startswith(_attribution_starts()) or "@" in before or before[-1] in ",")
        else number
    )


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
    """What the library takes for the top, if the mark-up is a mail program's; a bare blockquote is somebody's own."""
    from quotequail import unwrap_html

    if not _REPLY_MARKUP.search(html):
        return ""

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
        text = _marked(str(extract_text(_BLOCKQUOTE.sub(_with_mark, html))))
    except Exception:  # noqa: BLE001  as above
        text = ""
    return text if text.strip() else _TAG.sub(" ", html)


def _with_mark(tag: re.Match[str]) -> str:
    if tag[1]:
        return f"<p>{_CLOSE}</p>{tag[0]}"
    return f"{tag[0]}<p>{_CITED if _CITES.search(tag[2]) else _OPEN}</p>"


def _marked(text: str) -> str:
    """The text with `> ` before every line of a quotation: one that says so, or one that a line introduces."""
    kept: list[str] = []
    open_quotes: list[bool] = []
    for line in text.splitlines():
        mark = line.strip()
        if mark in (_OPEN, _CITED):
            before = next((each for each in reversed(kept) if each.strip()), "")
            open_quotes.append(mark == _CITED or _is_opening(before))
        elif mark == _CLOSE:
            del open_quotes[-1:]
        elif _text([mark.strip(_OPEN + _CITED + _CLOSE)]) or not mark:
            kept.append(f"{'> ' * any(open_quotes)}{line}".rstrip() if mark else line)
    return re.sub(f"[{_OPEN}{_CITED}{_CLOSE}]", "", "\n".join(kept))


# --- words ------------------------------------------------------------------------------------------------------


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _shingles(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    return zip(*(words[start:] for start in range(_SHINGLE)), strict=False)


def _is_quoted(line: str) -> bool:
    return _QUOTED.match(line) is not None


def _is_answer(line: str) -> bool:
    return bool(line.strip()) and not _is_quoted(line)


def _text(lines: Sequence[str]) -> str:
    return "".join(lines).strip()
