"""Text from files, mails and servers, made safe to show on a terminal.

rich strips only BEL, BS, VT, FF and CR: CSI, OSC 8/52 and C1 pass through it, so everything is made visible here first.
"""

import unicodedata

# Tab and newline keep their meaning; everything else that a terminal might act on is shown as a symbol or a code point.
_KEPT = frozenset("\t\n")
_HIDDEN = frozenset(("Cc", "Cf", "Cs", "Co", "Zl", "Zp"))
_JOINERS = frozenset("\u200c\u200d")  # needed inside Persian and Indic words and in emoji


def safe_text(text: str) -> str:
    """Text in which controls (C0, C1, DEL), bidi marks, zero-width, tag characters and lone surrogates are visible."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(character if _harmless(character) else _visible(character) for character in text)


def safe_line(text: str) -> str:
    """Like `safe_text`, on one line: for table cells and messages."""
    return safe_text(" ".join(text.split()) if "\n" in text or "\t" in text else text)


def _harmless(character: str) -> bool:
    return character in _KEPT or character in _JOINERS or unicodedata.category(character) not in _HIDDEN


def _visible(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)  # the control pictures: ␛ for ESC
    return "␡" if code == 0x7F else f"<U+{code:04X}>"
