"""Lines that stand around quotes: what introduces one ("On … wrote:", a block of headers), dividers, footers of phones.

In the languages of our readers by tables, in any other by our own name and address, which are in every introduction.
"""

import re
from collections.abc import Sequence
from functools import cache

from outreach.resources import toml

_WALK = 16
_OPENING_LINES = 4
_QUOTED = re.compile(r"^[\s>|]*>[\s>|]*")
LABELLED = re.compile(r"[^\s:：][^:：\n]{0,23}\s?[:：]\s*\S")
_RULED = re.compile(r"-{3,}[^-].{0,150}?-{3,}")
_LONGEST_FOOTER = 80


def above_attribution(lines: Sequence[str], cut: int, own_names: Sequence[str]) -> int:
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
        elif is_quoted(lines[number]):
            top = number
        elif lines[number].strip():
            if not is_furniture(lines[number], own_names) or (introduced and not is_divider(fold_line(lines[number]))):
                break
            introduced = introduced or fold_line(lines[number]).endswith((":", "："))
            top = number
    return _above_bare_block(lines, top, own_names)


def above_introduction(kept: Sequence[str], own_names: Sequence[str]) -> int:
    """How many of these lines stand above "On … wrote:", where a quote follows them."""
    end = len(kept)
    while end and not kept[end - 1].strip():
        end -= 1
    if not end:
        return 0
    top = _opening_block(kept, end - 1, own_names)
    if top == end - 1 and not is_opening(kept[top]):
        return len(kept)
    return top


def introduces_quote(lines: Sequence[str], number: int) -> bool:
    """`Anything <a@b>, 2 March 2026:` with a quoted line next, in any language; or "… wrote:" in a known one. A bare
    "you wrote:" is theirs."""
    line = lines[number].strip()
    said = f"{lines[number - 1] if number else ''} {line}"
    if not has_date(said) and "@" not in said:
        return False
    if fold_line(line).endswith(tuple(toml("quoting.toml")["attribution_ends"])):
        return True
    following = next((each for each in lines[number + 1 :] if each.strip()), "")
    return line.endswith((":", "：")) and not is_quoted(line) and is_quoted(following)


def first_line_of(lines: Sequence[str], number: int) -> int:
    """An attribution may be wrapped: the date then stands in the line before."""
    before = lines[number - 1].strip().lower() if number else ""
    wrapped = before and not has_date(lines[number]) and has_date(before) and len(before) < 100
    return (
        number - 1
        if wrapped and (before.startswith(_attribution_starts()) or "@" in before or before[-1] in ",")
        else number
    )


def is_furniture(line: str, own_names: Sequence[str]) -> bool:
    folded = fold_line(line)
    if not any(character.isalnum() for character in folded):
        return True
    telling = "@" in folded or folded.endswith(":") or any(character.isdigit() for character in folded)
    if telling and folded[-1] not in ".!?" and names_us(folded, own_names):
        return True
    return _is_attribution(folded) or is_label(folded) or is_divider(folded) or is_footer(folded)


def is_opening(line: str) -> bool:
    """`… wrote:`, in a language we know or with an address and a date."""
    folded = fold_line(line)
    return _is_attribution(folded) or (folded.endswith((":", "：")) and "@" in folded and has_date(folded))


def _is_attribution(folded: str) -> bool:
    words = toml("quoting.toml")
    if folded.endswith(tuple(words["attribution_ends"])):
        return True
    return (
        has_date(folded) and len(folded) < 200 and folded.startswith(_attribution_starts()) and folded[-1] not in ".!?"
    )


def is_label(folded: str) -> bool:
    label, colon, value = folded.replace("：", ":", 1).partition(":")
    return bool(colon and value.strip()) and label.strip("* ") in _labels()


def is_divider(folded: str) -> bool:
    return folded.strip("-= ") in toml("quoting.toml")["dividers"] or _RULED.fullmatch(folded) is not None


def is_footer(folded: str) -> bool:
    return len(folded) < _LONGEST_FOOTER and folded.startswith(tuple(toml("quoting.toml")["footers"]))


def is_quoted(line: str) -> bool:
    return _QUOTED.match(line) is not None


def names_us(folded: str, own_names: Sequence[str]) -> bool:
    return any(re.search(rf"(?<!\w){re.escape(name.lower())}(?!\w)", folded) for name in own_names)


def has_date(text: str) -> bool:
    return sum(character.isdigit() for character in text) >= 3


def fold_line(line: str) -> str:
    return line.strip("> *\t_").lower()


def _opening_block(lines: Sequence[str], last: int, own_names: Sequence[str]) -> int:
    """Where the few lines start that end here and together say who wrote when; else `last`. Long names wrap them."""
    if not lines[last].rstrip().endswith((":", "：")) or is_quoted(lines[last]):
        return last
    said = ""
    for number in range(last, max(-1, last - _OPENING_LINES), -1):
        line = fold_line(lines[number])
        if not line:
            break
        said = f"{line} {said}"
        starts = line.startswith(_attribution_starts()) or names_us(line, own_names)
        if starts and has_date(line) and ("@" in said or _is_attribution(said.strip())):
            return number
    return last


def _above_bare_block(lines: Sequence[str], top: int, own_names: Sequence[str]) -> int:
    """Lotus Notes writes labels and values on lines of their own, below our address and a date."""
    first = max(0, top - _WALK)
    block = [fold_line(line) for line in lines[first:top]]
    if not {"to", "subject"} <= set(block) and not {"an", "thema"} <= set(block):
        return top
    named = (number for number, line in enumerate(block) if "@" in line and names_us(line, own_names))
    return first + next(named, top - first)


def _header_block(lines: Sequence[str], last: int, own_names: Sequence[str]) -> int:
    """Where the block of three and more `Label: value` lines starts that ends here and names us; else `last`. In any
    language: what stands right above our own text and names us is no answer."""
    start = last
    while start >= 0 and LABELLED.match(lines[start].strip("> *\t_")):
        start -= 1
    named = last - start >= 3 and names_us(" ".join(lines[start + 1 : last + 1]).lower(), own_names)
    return start + 1 if named else last


@cache
def _attribution_starts() -> tuple[str, ...]:
    return tuple(toml("quoting.toml")["attribution_starts"])


@cache
def _labels() -> frozenset[str]:
    return frozenset(toml("quoting.toml")["header_labels"])
