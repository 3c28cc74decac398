"""What a row says: as JSON, and as a number. Both are made of the same pieces, for a million rows need both."""

import hashlib
import json
from collections.abc import Callable, Mapping
from json.encoder import encode_basestring_ascii as quoted

from outreach.core.cells import Cells
from outreach.importers import StartupList


def row_writer(of: StartupList) -> Callable[[Mapping[str, str]], tuple[str, str]]:
    """What gives the SHA-256 and the JSON of a row of this list. The same cells, read in the same way, have one number,
    whatever the order of their columns."""
    frame = json.dumps([of.format, sorted(of.mapping.items())])[:-1].replace("%", "%%")
    columns: Mapping[str, int] = {}
    said, written = f"{frame}, []]", "{}"
    order: list[int] = []

    def write(cells: Mapping[str, str]) -> tuple[str, str]:
        nonlocal columns, said, written, order
        row = Cells.of(cells)
        if row.columns is not columns:
            columns = row.columns
            headers = [quoted(header).replace("%", "%%") for header in columns]
            order = [at for _, at in sorted(columns.items())]
            said = f"{frame}, [{', '.join(f'[{headers[at]}, %s]' for at in order)}]]"
            written = f"{{{', '.join(f'{header}: %s' for header in headers)}}}"
        texts = [*map(quoted, row.texts)][: len(columns)]
        number = hashlib.sha256((said % tuple([texts[at] for at in order])).encode()).hexdigest()
        return number, written % tuple(texts)

    return write
