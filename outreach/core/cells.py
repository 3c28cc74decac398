"""The cells of one row of a table; and their text, where someone may open it in a spreadsheet program."""

from collections.abc import Iterator, Mapping, Sequence

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # the full-width forms work there too

_BLANKS = " \u00a0\u3000"


class Cells(Mapping[str, str]):
    """One row by the headers of its file. `columns` is header → position, one mapping for a whole file; `texts` are in
    the order of the file and at least as many, and what stands beyond the header has no name."""

    __slots__ = ("columns", "texts")

    def __init__(self, columns: Mapping[str, int], texts: Sequence[str]) -> None:
        self.columns = columns
        self.texts = texts

    @classmethod
    def of(cls, cells: Mapping[str, str]) -> "Cells":
        """The same cells in this form."""
        if isinstance(cells, cls):
            return cells
        return cls({header: at for at, header in enumerate(cells)}, tuple(cells.values()))

    def __getitem__(self, header: str) -> str:
        return self.texts[self.columns[header]]

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    def __repr__(self) -> str:
        return f"Cells({dict(self)!r})"


def guarded(text: str) -> str:
    """The text, with an apostrophe before anything that a spreadsheet would run as a formula, also after blanks."""
    return f"'{text}" if text.lstrip(_BLANKS).startswith(_FORMULA_STARTS) else text


def unguarded(text: str) -> str:
    """Without that apostrophe."""
    return text[1:] if text[:1] == "'" and text[1:].lstrip(_BLANKS).startswith(_FORMULA_STARTS) else text
