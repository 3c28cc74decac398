"""Text from lists and settings, made fit to stand in a mail. Knows nothing of headers, templates or tables."""

import re
import unicodedata

_BREAKING = re.compile(
    # Cc but tab and line feed (which callers have dealt with), Cf but the two joiners of Persian, Indic and emoji,
    # Cs, Zl, Zp: a test holds this list against the Unicode tables.
    "[\x00-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u2064\u2066-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0001\U000e0020-\U000e007f]"
)
_NAME_UNSAFE = re.compile(r'[\\/:*?"<>|%\s]+')


def one_line(text: str, limit: int = 200) -> str:
    """NFC on one line, cut at `limit`; controls, bidi marks, zero-width characters, lone surrogates become spaces."""
    if text.isascii() and text.isprintable():
        flat = " ".join(text.split()) if "  " in text or text[:1] == " " or text[-1:] == " " else text
    else:
        cleaned = text if text.isprintable() else _BREAKING.sub(" ", text)
        flat = " ".join(unicodedata.normalize("NFC", cleaned).split())
    return flat if len(flat) <= limit else flat[: limit - 1].rstrip() + "…"


def plain_text(text: str) -> str:
    """Lines that end in LF, without trailing blanks, of the same harmless characters; one LF at the end."""
    unified = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = [_harmless(line) for line in unified.split("\n")]
    return unicodedata.normalize("NFC", "\n".join(lines)).strip("\n") + "\n"


def file_name(text: str, path: str) -> str:
    """A name for an attachment that no mail program and no file system stumbles over, ending like the file itself."""
    suffix = "." + path.rpartition(".")[2].lower()
    stem = one_line(text, 150).removesuffix(suffix)
    safe = _NAME_UNSAFE.sub(" ", stem).strip(" .") or "attachment"
    return safe[:60].rstrip() + suffix


def _harmless(line: str) -> str:
    if line.isprintable():
        return line.rstrip()
    return _BREAKING.sub(" ", line.expandtabs(4)).rstrip()
