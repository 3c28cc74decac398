"""What every importer promises, shown on its samples: `tests/samples/NAME/…`, each with the rows it says.

A new importer is one file and a sample; this class finds both by itself.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.core.ports import Importer, Mapped, Row, TableHead
from outreach.core.records import Lead, RowError
from outreach.errors import ImportRefused
from outreach.importers import Importers, StartupList, all_importers

_SAMPLES = Path(__file__).parent.parent / "samples"
_ALL = all_importers()
_FILES = sorted(path for path in _SAMPLES.glob("*/*") if path.suffix != ".json" or path.stem.endswith(".input"))


def expected_path(path: Path) -> Path:
    """`companies.csv` says what `companies.json` holds; a sample that is JSON itself is `companies.input.json`."""
    return path.with_name(path.name.removesuffix(path.suffix).removesuffix(".input")).with_suffix(".json")


def opened(path: Path) -> StartupList:
    return _ALL.open_list(path.read_bytes(), path.name, overrides={})


def said(rows: Iterable[Lead | RowError]) -> list[dict[str, Any]]:
    """What rows say, as plain data, without the cells and without what they leave open."""
    return [
        {"line": row.line, "skipped": row.reason}
        if isinstance(row, RowError)
        else _told(
            {
                "line": row.line,
                "company": _told(asdict(row.company)) if row.company else None,
                "people": [_told(asdict(person)) for person in row.people],
                "warnings": list(row.warnings),
            }
        )
        for row in rows
    ]


def _told(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items() if value}


@pytest.mark.parametrize("path", _FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
class TestSample:
    """One sample of one format."""

    def test_says_the_same_from_a_path_and_each_time(self, path: Path) -> None:
        read = _ALL.open_list(path, path.name, overrides={})
        assert read.sha256 == opened(path).sha256
        assert list(read.rows) == list(read.rows) == list(opened(path).rows)

    def test_is_claimed_by_its_importer_alone(self, path: Path) -> None:
        assert opened(path).format == path.parent.name

    def test_says_what_is_expected(self, path: Path) -> None:
        expected = json.loads(expected_path(path).read_text("utf-8"))
        found = opened(path)
        assert {"encoding": found.encoding, "rows": said(found.rows)} == expected

    def test_reads_the_same_from_the_stored_cells(self, path: Path) -> None:
        found = opened(path)
        for row in found.rows:
            if isinstance(row, Lead):
                cells = json.loads(json.dumps(dict(row.cells)))
                assert _ALL.read_again(found.format, found.mapping, Row(row.line, cells)) == row


@pytest.mark.parametrize("name", _ALL.names())
class TestImporter:
    """Any importer, with cells that nobody would expect."""

    def test_has_a_sample(self, name: str) -> None:
        assert any(path.parent.name == name for path in _FILES)

    @given(data=st.data())
    def test_never_raises_for_bad_data(self, name: str, data: st.DataObject) -> None:
        importer: Importer = _ALL.get(name)
        sample = next(path for path in _FILES if path.parent.name == name)
        found = opened(sample)
        cell = st.text(max_size=40) | st.sampled_from(
            ["\x1b[31m", "=1+1", "{{ 7*7 }}", "a@b", "@", ",,", "9" * 400, "[", "//"]
        )
        cells = {header: data.draw(cell) for header in found.headers}
        row = importer.reader(found.mapping, found.headers)(Row(7, cells))
        assert row.line == 7
        assert row.cells == cells


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        (
            "Transaction Name,Transaction Name URL,Organization Name,Organization Name URL,Money Raised",
            "funding rounds",
        ),
        ("Acquiree Name,Acquiree Name URL,Acquirer Name,Price", "acquisitions"),
        ("Event Name,Event Name URL,Start Date", "events"),
        ("Organization/Person Name,Organization/Person Name URL,Investor Type", "investors"),
        ("Organization Name,Organization Name URL,School Type", "schools"),
        ("company_permalink,company_name,funding_round_type", "old data dump"),
    ],
)
def test_other_crunchbase_exports_are_refused_by_name(header: str, kind: str) -> None:
    with pytest.raises(ImportRefused, match=kind) as refused:
        _ALL.open_list(f"{header}\nx,y,z\n".encode(), "export.csv", overrides={})
    assert "export" in refused.value.hint


def test_a_name_alone_is_not_crunchbase() -> None:
    found = _ALL.open_list(b"Organization Name,Address\nAcme,Main Street 1\n", "list.csv", overrides={})
    assert found.format == "generic"


def test_a_typed_prefix_before_a_required_header_is_seen_through() -> None:
    data = b"ok Organization Name,Organization Name URL\nAcme,https://www.crunchbase.com/organization/acme\n"
    found = _ALL.open_list(data, "list.csv", overrides={})
    assert (found.format, found.mapping["company"]) == ("crunchbase", "ok Organization Name")


def test_two_importers_that_claim_one_file_are_an_error_naming_both() -> None:
    class Greedy:
        """Claims what Crunchbase has."""

        name = "greedy"
        row_limit = 0

        def claims(self, head: TableHead) -> bool:
            return "Organization Name" in head.headers

        def mapping(self, head: TableHead, overrides: Mapping[str, str]) -> Mapped:
            return Mapped({**overrides, "company": head.headers[0]})

        def reader(self, columns: Mapping[str, str], headers: Sequence[str]) -> Callable[[Row], Lead | RowError]:
            return lambda row: RowError(row.line, f"never read as {columns} of {headers}")

    importers = Importers([_ALL.get("crunchbase"), _ALL.get("generic"), Greedy()])
    data = b"Organization Name,Organization Name URL\nAcme,/organization/acme\n"
    with pytest.raises(ImportRefused, match="crunchbase or greedy") as refused:
        importers.open_list(data, "list.csv", overrides={})
    assert "--format crunchbase" in refused.value.hint
    assert importers.open_list(data, "list.csv", format_name="crunchbase", overrides={}).format == "crunchbase"


# --- any table ------------------------------------------------------------------------------------

_PLAIN = "Company,Website,Description\nAcme,acme.example,“Café”\nZenith,zenith.example,x\n"


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (_PLAIN.encode(), "UTF-8"),
        (_PLAIN.encode("utf-8-sig"), "UTF-8 with BOM"),
        (_PLAIN.replace(",", "\t").encode("utf-16"), "UTF-16"),
        (_PLAIN.encode("utf-16-le"), "UTF-16"),
        (_PLAIN.replace(",", ";").encode(), "UTF-8"),
        (_PLAIN.replace(",", "|").replace("\n", "\r\n").encode(), "UTF-8"),
        (_PLAIN.replace("\n", "\r").encode("mac-roman"), "Mac Roman"),
        (_PLAIN.encode("cp1252"), "Windows-1252"),
        (b'"Company", "Website", "Description"\n' + _PLAIN.partition("\n")[2].encode(), "UTF-8"),
        (b'"Company,",Website ,  "Description"\n' + _PLAIN.partition("\n")[2].encode(), "UTF-8"),
        (b"sep=,\n" + _PLAIN.encode(), "UTF-8"),
    ],
)
def test_every_spelling_of_a_table_says_the_same(data: bytes, encoding: str) -> None:
    found = _ALL.open_list(data, "list.csv", overrides={})
    assert found.encoding == encoding
    rows = [row.company for row in found.rows if isinstance(row, Lead)]
    assert [(each.name, each.website, each.description) for each in rows if each] == [
        ("Acme", "acme.example", "“Café”"),
        ("Zenith", "zenith.example", "x"),
    ]


@pytest.mark.parametrize(
    ("body", "outcomes"),
    [
        ('Acme,acme.example,"two\nlines"\nZenith,,', ["Acme", "Zenith"]),
        ('Acme,"acme.example,x\nZenith,zenith.example,x\nQuill,,', [2, "Zenith", "Quill"]),
        ('Acme,"x\nZenith,"quoted",x\nQuill,,', [2, "Zenith", "Quill"]),
        ("Acme,a,b,c,d\nZenith,,", [2, "Zenith"]),
        ("Acme\nZenith,,,,,", ["Acme", "Zenith"]),
        ("\n,,\nAcme,,\n\nCompany,Website,Description\n", ["Acme", 6]),
        ('Acme "The" Best,,\n"Zen "it" h",,', ['Acme "The" Best', 'Zen it" h"']),
        ("Ac\x00me,,\x00", ["Ac me"]),
        ("=HYPERLINK(1),,\n'+Acme,,", ["=HYPERLINK(1)", "+Acme"]),
    ],
)
def test_what_is_no_row_costs_only_itself(body: str, outcomes: list[str | int]) -> None:
    found = _ALL.open_list(f"Company,Website,Description\n{body}".encode(), "list.csv", overrides={})
    seen = [row.line if isinstance(row, RowError) else row.company and row.company.name for row in found.rows]
    assert seen == outcomes


def test_a_cell_longer_than_the_csv_module_allows_by_default() -> None:
    data = f"Company,Description\nAcme,{'x' * 200_000}\n".encode()
    assert len(list(_ALL.open_list(data, "list.csv", overrides={}).rows)) == 1


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        found = _ALL.open_list(b"Company,Email\n" + data, "list.csv", overrides={})
    except ImportRefused as refused:
        assert refused.hint  # noqa: PT017  either way is right; a refusal must say what to do
    else:
        assert all(row.line > 1 for row in found.rows)
