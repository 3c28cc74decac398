"""Text for the cells of a table file that someone may open in a spreadsheet program."""

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # the full-width forms work there too


def safe_cell(text: str) -> str:
    """The text, with an apostrophe before anything that a spreadsheet would run as a formula, also after blanks."""
    return f"'{text}" if text.lstrip(" \u00a0\u3000").startswith(_FORMULA_STARTS) else text
