"""Header values on the wire: encoded-words, mailboxes, and nothing that could start a header of its own.

`email.policy.SMTP` of Python 3.11 and 3.12 loses spaces of long non-ASCII subjects, splits quoted display names at
their commas and encodes long URLs. So ASCII values stay on one line, and other text becomes encoded-words (RFC 2047).
"""

import re
from functools import lru_cache
from urllib.parse import quote

from outreach.core.text import one_line

ANSWER_PREFIX = re.compile(
    r"\s*(?:re|fwd?|aw|wg|antw(?:ort)?|sv|tr|rép(?:onse)?|resp(?:uesta|osta)?|risposta|odp)(?:\d{1,3}|\s*[\[(]\d{1,3}[\])])?\s*[:：]",
    re.IGNORECASE,
)
"""What mail programs put before the subject of an answer or a forward."""
HEADER_LIMIT = 200
_LINE = 76  # RFC 2047 section 2: a line with an encoded-word
_WORD = 75  # and the word itself
_PREFIX, _SUFFIX = "=?utf-8?q?", "?="
_AROUND = len(_PREFIX + _SUFFIX)
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!*+-/")  # RFC 2047 section 5 (3)
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")
_QUOTABLE_NAME = re.compile(r"[A-Za-z0-9 !#$&+,.;=@^_`{}~()'-]*")
_QUOTABLE = re.compile(r'[^"\\@]*')


def header_text(text: str) -> str:
    """Text fit for a header: one line of at most 200 characters in which nothing reads as an encoded-word."""
    return one_line(text.replace("=?", "= ?"), HEADER_LIMIT).replace("=?", "= ?")


def encode_text(name: str, text: str) -> str:
    """The value of an unstructured header such as Subject, folded only between encoded-words."""
    return text if text.isascii() else _words(text, room=_LINE - len(name) - 2)


def encode_mailbox(name: str, display_name: str, address: str) -> str:
    """The value of From or To: one address (RFC 5322 section 3.4), with a display name if there is one."""
    shown = header_text(display_name)
    if not shown:
        return address
    if not shown.isascii() or not _QUOTABLE.fullmatch(shown):
        return f"{_words(shown, room=_LINE - len(name) - 2)}\r\n <{address}>"
    return f"{shown} <{address}>" if _ATOMS.fullmatch(shown) else f'"{shown}" <{address}>'


def encode_file_name(name: str) -> str:
    """The `filename` parameter of Content-Disposition: quoted, or by RFC 2231 where it is not plain ASCII. On a line of
    its own, as long as `file_name` lets it be."""
    if name.isascii() and _QUOTABLE_NAME.fullmatch(name):
        return f'filename="{name}"'
    return f"filename*=utf-8''{quote(name, safe='')}"


def _words(text: str, room: int) -> str:
    words: list[str] = []
    current: list[str] = []
    used = _AROUND
    for letter in map(_quoted, text):
        if used + len(letter) > min(room, _WORD):
            words.append("".join(current))
            current, used, room = [], _AROUND, _WORD
        current.append(letter)
        used += len(letter)
    return "\r\n ".join(f"{_PREFIX}{word}{_SUFFIX}" for word in [*words, "".join(current)])


@lru_cache(maxsize=4096)
def _quoted(character: str) -> str:
    if character == " ":
        return "_"
    return character if character in _PLAIN else "".join(f"={byte:02X}" for byte in character.encode())
