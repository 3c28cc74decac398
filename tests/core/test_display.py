"""Nothing that comes from a file, a mail or a server reaches the terminal as a control."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.core.display import safe_line, safe_text

CASES = [
    ("plain", "plain"),
    ("Łódź, 東京, مرحبا, 👩‍🚀", "Łódź, 東京, مرحبا, 👩‍🚀"),
    ("two\nlines\tand a tab", "two\nlines\tand a tab"),
    ("\x1b[31mred\x1b[0m", "␛[31mred␛[0m"),
    ("\x1b]8;;http://evil.example\x07link", "␛]8;;http://evil.example␇link"),
    ("\x9b31m", "<U+009B>31m"),
    ("a\x00b\x7f\r", "a␀b␡␍"),
    ("\u202eevil", "<U+202E>evil"),
    ("zero\u200bwidth", "zero<U+200B>width"),
    ("\ud800", "<U+D800>"),
    ("\U000e0041", "<U+E0041>"),
    ("\u2028", "<U+2028>"),
]


@pytest.mark.parametrize(("text", "shown"), CASES)
def test_safe_text(text: str, shown: str) -> None:
    assert safe_text(text) == shown


def test_a_table_cell_stays_on_one_line() -> None:
    assert safe_line("a\n  b\tc") == "a b c"


@given(st.text(st.characters(codec=None)))
def test_no_text_escapes(text: str) -> None:
    shown = safe_text(text)
    assert shown == safe_text(shown)
    shown.encode()
    allowed = "\t\n\u200c\u200d"
    assert not [c for c in shown if c not in allowed and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co")]
