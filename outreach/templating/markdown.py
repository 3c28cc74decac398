"""The HTML part of a mail that is written in Markdown: no HTML of the author's, no image, nothing from elsewhere.

Markdown sees the template's own text with a token for every value; the values are put in at the end, escaped. So a
company called `**Bold** <script>` is called exactly that.
"""

import re
from collections.abc import Sequence
from functools import cache
from html import escape
from urllib.parse import quote

from markdown_it import MarkdownIt
from markdown_it.token import Token

_TOKEN = re.compile(r"OrValue(\d+)x")
_SAFE_URL = re.compile(r"(?:https?://|mailto:)[^\s<>\"']+", re.IGNORECASE)
_MAY_BE_URL = re.compile(r"https?://|mailto:|OrValue\d", re.IGNORECASE)
_PAGE = (
    '<!doctype html>\n<html><head><meta charset="utf-8"></head>\n'
    '<body style="font-family: sans-serif; font-size: 15px; line-height: 1.5">\n{}</body></html>\n'
)


def html_part(markdown: str, values: Sequence[str], footer: Sequence[str]) -> str:
    """The page for a rendered Markdown text, its tokens replaced by their values, with the footer's lines as they
    are."""
    tokens = _parser().parse(markdown)
    for token in tokens:
        _mend_links(token.children or [], values)
    body = _TOKEN.sub(lambda match: _shown(match, values), _parser().renderer.render(tokens, _parser().options, {}))
    tail = "".join(f"<p>{_escaped(line)}</p>\n" for line in footer)
    return _PAGE.format(body + tail)


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "linkify": False, "breaks": True}).disable("image")
    parser.validateLink = lambda url: _MAY_BE_URL.match(url) is not None  # type: ignore[method-assign]  # its documented hook
    return parser


def _mend_links(inline: Sequence[Token], values: Sequence[str]) -> None:
    """Values in the target of a link: a whole URL must be one, a part of one is quoted. Else it is no link."""
    for token in inline:
        if token.type == "link_open":
            url = _with_values(str(token.attrs.get("href", "")), values)
            token.attrs = {"href": url} if _SAFE_URL.fullmatch(url) else {}


def _with_values(url: str, values: Sequence[str]) -> str:
    if match := _TOKEN.fullmatch(url):
        return _value(match, values)
    return _TOKEN.sub(lambda match: quote(_value(match, values), safe=""), url)


def _value(match: re.Match[str], values: Sequence[str]) -> str:
    number = int(match[1])
    return values[number] if number < len(values) else match[0]


def _shown(match: re.Match[str], values: Sequence[str]) -> str:
    return _escaped(_value(match, values))


def _escaped(text: str) -> str:
    return escape(text).replace("\n", "<br>\n")
