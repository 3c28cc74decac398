"""Text from lists and settings, made fit to stand in a mail. Knows nothing of headers, templates or tables."""

import unicodedata

_JOINERS = frozenset("\u200c\u200d")  # needed inside Persian and Indic words and in emoji
_BREAKING = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))


def one_line(text: str, limit: int = 200) -> str:
    """NFC on one line, cut at `limit`; controls, bidi marks, zero-width characters, lone surrogates become spaces."""
    if text.isascii() and text.isprintable():
        flat = " ".join(text.split()) if "  " in text or text[:1] == " " or text[-1:] == " " else text
    else:
        cleaned = text if text.isprintable() else "".join(map(_harmless, text))
        flat = " ".join(unicodedata.normalize("NFC", cleaned).split())
    return flat if len(flat) <= limit else flat[: limit - 1].rstrip() + "…"


def plain_text(text: str) -> str:
    """Lines that end in LF, without trailing blanks, of the same harmless characters; one LF at the end."""
    unified = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = ["".join(map(_harmless, line.expandtabs(4))).rstrip() for line in unified.split("\n")]
    return unicodedata.normalize("NFC", "\n".join(lines)).strip("\n") + "\n"


def _harmless(character: str) -> str:
    hidden = unicodedata.category(character) in _BREAKING and character not in _JOINERS
    return " " if hidden else character
