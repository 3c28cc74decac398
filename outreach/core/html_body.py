"""HTML mail as text, with `> ` before what its mark-up says is quoted. Hostile: what the libraries give up on loses its
tags and nothing else.
"""

import re

from outreach.core.quotes import is_opening

_BLOCKQUOTE = re.compile(r"<(/?)blockquote\b([^<>]{0,2000})>", re.IGNORECASE)
_CITES = re.compile(r"cite|quote|border-left", re.IGNORECASE)
_REPLY_MARKUP = re.compile(
    r"gmail_quote|moz-cite|yahoo_quoted|divrplyfwdmsg|protonmail_quote|appendonsend|outlookmessageheader"
    r"|border-top: ?solid|type=.?cite|zmail_extra|mail-editor-reference|original message",
    re.IGNORECASE,
)
_OPEN, _CITED, _CLOSE = "\ue000", "\ue001", "\ue002"
_TAG = re.compile(r"<[^<>]{0,2000}>")


def html_as_text(html: str) -> str:
    """HTML as text. What the parser gives up on (it stops at some depth) is stripped of its tags."""
    if not html.strip():
        return ""
    from html_text import extract_text

    try:
        text = _marked(str(extract_text(_BLOCKQUOTE.sub(_with_mark, html))))
    except Exception:  # noqa: BLE001  a library over hostile text: its exceptions are not welcome
        text = ""
    return text if text.strip() else _TAG.sub(" ", html)


def html_top(html: str) -> str:
    """What the library takes for the top, if the mark-up is a mail program's; a bare blockquote is somebody's own."""
    from quotequail import unwrap_html

    if not _REPLY_MARKUP.search(html):
        return ""

    try:
        top = (unwrap_html(html) or {}).get("html_top") or ""
    except Exception:  # noqa: BLE001  as above
        return ""
    return html_as_text(str(top)).strip()


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
            open_quotes.append(mark == _CITED or is_opening(before))
        elif mark == _CLOSE:
            del open_quotes[-1:]
        elif mark.strip(_OPEN + _CITED + _CLOSE).strip() or not mark:
            kept.append(f"{'> ' * any(open_quotes)}{line}".rstrip() if mark else line)
    return re.sub(f"[{_OPEN}{_CITED}{_CLOSE}]", "", "\n".join(kept))
