"""What every importer promises, shown on its samples: `tests/samples/NAME/…`, each with the rows it says.

A new importer is one file and a sample; this class finds both by itself.
"""

import io
import json
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from hypothesis import example, given, settings
from hypothesis import strategies as st

from outreach.core.ports import Importer, Mapped, Row, TableHead
from outreach.core.records import Lead, RowError
from outreach.errors import ImportRefused, UsageError
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


# --- formats --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("uuid,name,type,permalink,cb_url,investment_type,announced_on", "funding rounds"),
        ("uuid,name,type,permalink,cb_url,acquiree_uuid", "acquisitions"),
        ("Hub Name,Hub Name URL", "hubs"),
    ],
)
def test_other_files_of_the_same_makers_are_refused_by_name(header: str, kind: str) -> None:
    with pytest.raises(ImportRefused, match=kind):
        _ALL.open_list(f"{header}\nx,y,z\n".encode(), "export.csv", overrides={})


def test_a_typed_prefix_is_said() -> None:
    data = b"ok Organization Name,Organization Name URL\nAcme,https://www.crunchbase.com/organization/acme\n"
    notes = _ALL.open_list(data, "list.csv", overrides={}).notes
    assert notes == ("the column “ok Organization Name” is taken for Organization Name",)


def test_headers_that_differ_in_case_only_are_told_apart() -> None:
    data = (
        b"Organization Name,Organization Name URL,last funding type,Last Funding Type\nAcme,/organization/acme,x,Seed\n"
    )
    (row,) = _ALL.open_list(data, "list.csv", overrides={}).rows
    assert isinstance(row, Lead)
    assert row.company is not None
    assert row.company.last_funding_type == "Seed"


@pytest.mark.parametrize("format_name", [name for name in _ALL.names() if name != "generic"])
def test_a_format_asked_for_by_name_is_refused_where_its_columns_are_missing(format_name: str) -> None:
    try:
        rows = list(_ALL.open_list(b"Colour,Weight\nred,1\n", "x.csv", format_name=format_name, overrides={}).rows)
    except ImportRefused as refused:
        assert "--map" in refused.hint  # noqa: PT017  either way is right; a refusal must say what to do
    else:
        assert all(isinstance(row, RowError) for row in rows)


def test_the_fields_of_a_format_can_be_mapped_by_hand() -> None:
    found = _ALL.open_list(
        b"Firma,Seite\nAcme,/organization/acme\n",
        "x.csv",
        format_name="crunchbase",
        overrides={"company": "Firma", "slug": "Seite"},
    )
    assert [row.company.name for row in found.rows if isinstance(row, Lead) and row.company] == ["Acme"]


# --- any table, again -----------------------------------------------------------------------------

_CELLS = st.text(alphabet=st.characters(), max_size=20) | st.sampled_from(
    [
        '"',
        '""',
        'a"b',
        ",",
        ";",
        "\t",
        "\r",
        "\n",
        "\r\n",
        "\x00",
        "\ud800",
        "\ufeff",
        "'=1",
        "@",
        "a@b.example",
        "9" * 300,
    ]
)
_RAGGED = st.lists(st.lists(_CELLS, max_size=6), max_size=8)


@example([["COMPANYPERMALINK"]], ",", "utf-8", False)  # the mark of a list that is refused, in a cell of its own
@settings(deadline=None)  # tests never time anything
@given(_RAGGED, st.sampled_from([",", ";", "\t", "|"]), st.sampled_from(["utf-8", "utf-16", "cp1252"]), st.booleans())
def test_any_table_gives_leads_or_a_refusal(rows: list[list[str]], delimiter: str, codec: str, quoted: bool) -> None:
    def cell(text: str) -> str:
        return '"' + text.replace('"', '""') + '"' if quoted else text

    lines = [["Company", "Email", "Name", "Founded"], *rows]
    data = "\r\n".join(delimiter.join(map(cell, line)) for line in lines).encode(codec, "replace")
    try:
        first = list(_ALL.open_list(data, "list.csv", overrides={}).rows)
    except ImportRefused as refused:
        assert "binary" in str(refused)  # noqa: PT017  mostly control characters: the header itself always fits
        return
    assert first == list(_ALL.open_list(data, "list.csv", overrides={}).rows)
    assert all(row.line > 1 for row in first)
    for row in first:
        json.dumps(dict(row.cells)).encode()


@given(st.lists(st.recursive(st.none() | st.booleans() | st.floats() | _CELLS, st.lists, max_leaves=5), max_size=5))
def test_any_json_gives_leads_or_a_refusal(values: list[Any]) -> None:
    data = json.dumps([{"company": value, "email": "a@b.example"} for value in values]).encode()
    try:
        rows = list(_ALL.open_list(data, "list.json", overrides={}).rows)
    except ImportRefused as refused:
        assert refused.hint  # noqa: PT017  as above
    else:
        assert len(rows) == len(values)
        for row in rows:
            json.dumps(dict(row.cells), ensure_ascii=False).encode()


@given(st.binary(max_size=60), st.integers(0, 400))
def test_a_damaged_workbook_is_read_or_refused(noise: bytes, at: int) -> None:
    sound = (_SAMPLES / "generic" / "sheet.xlsx").read_bytes()
    at = at * len(sound) // 400
    try:
        list(_ALL.open_list(sound[:at] + noise + sound[at + len(noise) :], "sheet.xlsx", overrides={}).rows)
    except ImportRefused as refused:
        assert refused.hint  # noqa: PT017  as above


def test_a_million_columns_are_refused_by_name() -> None:
    header = "Company," + ",".join(map(str, range(1_000_000)))
    with pytest.raises(ImportRefused, match=r"1,000,001 columns"):
        _ALL.open_list(f"{header}\nAcme\n".encode(), "wide.csv", overrides={})


def test_a_row_of_a_million_cells_costs_only_itself() -> None:
    data = f"Company,Email\nAcme{',x' * 1_000_000}\nZenith,\n".encode()
    first, second = _ALL.open_list(data, "list.csv", overrides={}).rows
    assert isinstance(first, RowError)
    assert (first.line, second.line, isinstance(second, Lead)) == (2, 3, True)


def test_a_cell_of_twenty_megabytes_costs_only_itself() -> None:
    data = b"Company,Description\nAcme," + b"x" * 20_000_000 + b"\nZenith,\n"
    first, second = _ALL.open_list(data, "list.csv", overrides={}).rows
    assert isinstance(first, RowError)
    assert "more than 10,000,000 characters" in first.reason
    assert isinstance(second, Lead)


def test_a_line_that_does_not_end_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "endless.csv"
    with path.open("wb") as file:
        file.write(b"Company,Description\nAcme,")
        file.truncate(100_000_000)
    with pytest.raises(ImportRefused, match="line of more than 64 MB"):
        _ALL.open_list(path, path.name, overrides={})


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(b"Company,Email\nAcme,a@acme.example\n")
    found = _ALL.open_list(path, path.name, overrides={})
    with path.open("ab") as file:
        file.write(b"Zenith,z@zenith.example\n")
    with pytest.raises(ImportRefused, match="changed while it was read"):
        list(found.rows)


def test_a_quotation_mark_that_is_never_closed_swallows_nothing() -> None:
    rows = [f"Acme {number},acme{number}.example,text" for number in range(2000)]
    rows[3] = 'Broken,"broken.example,text'
    data = "\n".join(["Company,Website,Description", *rows]).encode()
    found = list(_ALL.open_list(data, "list.csv", overrides={}).rows)
    assert [(row.line, row.reason) for row in found if isinstance(row, RowError)] == [
        (5, "a quotation mark is opened and never closed")
    ]
    assert len(found) == 2000


def test_a_cell_of_many_lines_is_one_cell() -> None:
    data = ('Company,Notes\nAcme,"' + "line\n" * 1000 + '"\nZenith,"x"\n').encode()
    assert [row.line for row in _ALL.open_list(data, "list.csv", overrides={}).rows] == [2, 1003]


def test_a_short_row_with_a_line_break_in_a_cell_is_one_row() -> None:
    data = b'Company,Website,Description,Phone\nAcme,acme.example,"two\nlines"\nZenith,,,\n'
    assert [row.line for row in _ALL.open_list(data, "list.csv", overrides={}).rows] == [2, 4]


def test_a_semicolon_file_with_commas_in_its_cells() -> None:
    data = b"Company;Website;Description\nAcme;acme.example;one, two, three, four, five\n"
    (row,) = _ALL.open_list(data, "list.csv", overrides={}).rows
    assert isinstance(row, Lead)
    assert row.company is not None
    assert row.company.description == "one, two, three, four, five"


def test_the_header_is_the_line_that_fits_best() -> None:
    data = b"Portfolio\nmade in May\nCompany,Website,Email\nAcme,acme.example,\n"
    found = _ALL.open_list(data, "list.csv", overrides={})
    assert (found.headers, [row.line for row in found.rows]) == (("Company", "Website", "Email"), [4])


def test_a_row_that_holds_the_word_startup_is_no_header() -> None:
    data = b"Brand,Kind,Place\nAcme,Startup,Berlin\nZenith,Company,Paris\n"
    with pytest.raises(ImportRefused, match="no column for a company or an e-mail address: Brand, Kind, Place"):
        _ALL.open_list(data, "list.csv", overrides={})


def test_names_that_were_read_in_a_wrong_encoding_are_said() -> None:
    data = "Company,Founder\nCafé,José\nMAÇÃ,Ana\n".encode()
    assert _ALL.open_list(data, "list.csv", overrides={}).notes == ()
    again = data.decode("cp1252").encode()
    (note,) = _ALL.open_list(again, "list.csv", overrides={}).notes
    assert note.startswith("4 characters came through a wrong encoding")


def test_cells_that_are_written_as_formulas_for_excel_are_read_as_text() -> None:
    data = b'Name,Website,Employees\n="Acme",="acme.example",="1-10",\n="Zenith","=""zenith.example""",=1+1\n'
    rows = [row for row in _ALL.open_list(data, "list.csv", overrides={}).rows if isinstance(row, Lead) and row.company]
    assert [(row.company.name, row.company.website, row.company.employees) for row in rows if row.company] == [
        ("Acme", "acme.example", "1-10"), ("Zenith", "zenith.example", ""),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("Ada Testwell / Bo Sample", ["Ada Testwell", "Bo Sample"]),
        ("Ada Testwell | Bo Sample", ["Ada Testwell", "Bo Sample"]),
        ("Ada Testwell (Co-Founder & CEO) und Bo Sample (CTO)", ["Ada Testwell", "Bo Sample"]),
        ("Ada Testwell, Founder & CEO", ["Ada Testwell"]),
        ("Ada Testwell - CEO; Bo Sample - Managing Director", ["Ada Testwell", "Bo Sample"]),
        ("Ada Testwell- CEO", ["Ada Testwell"]),
        ("+1 (555) 010-0100", []),
        ("https://www.linkedin.com/in/ada-testwell", []),
        ("王小明, Ada Testwell", ["王小明", "Ada Testwell"]),
        ("Tom Quill-Coo, Mei Cho, Wei Cao", ["Tom Quill-Coo", "Mei Cho", "Wei Cao"]),
        ("Raj a/l Test, Omar Brightly, III", ["Raj a/l Test", "Omar Brightly, III"]),
    ],
)
def test_a_typed_cell_of_founders(cell: str, names: list[str]) -> None:
    (row,) = _ALL.open_list(f'Company,Founders\nAcme,"{cell}"\n'.encode(), "list.csv", overrides={}).rows
    assert isinstance(row, Lead)
    assert [each.full_name for each in row.people] == names


def test_a_refusal_shows_the_header_and_not_a_row_with_more_semicolons() -> None:
    data = b"address,batch,year\nParis,A; B; C; D; E,2020\n"
    with pytest.raises(ImportRefused, match=r"e-mail address: address, batch, year$"):
        _ALL.open_list(data, "list.csv", overrides={})


def test_a_name_beside_a_company_address_is_the_companys() -> None:
    found = _ALL.open_list(b"Name,Company Email\nAcme,info@acme.example\n", "list.csv", overrides={})
    assert found.mapping == {"company": "Name", "email": "Company Email"}


def test_headers_are_known_with_and_without_accents() -> None:
    for header in ("Société,Prénom,Nom,E-mail", "SOCIETE,prenom,NOM,email"):
        (row,) = _ALL.open_list(f"{header}\nAcmé,Léa,Testwell,lea@acme.example\n".encode(), "l.csv", overrides={}).rows
        assert isinstance(row, Lead)
        assert [(each.first_name, each.last_name) for each in row.people] == [("Léa", "Testwell")]


def test_characters_that_were_lost_before_are_said() -> None:
    found = _ALL.open_list(
        "Company,Website\nCaf\ufffd,cafe.example\n\ufffd,x.example\n".encode(), "list.csv", overrides={}
    )
    assert found.notes == ("2 characters had been lost when this file was made, shown as \ufffd",)
    assert [type(row) for row in found.rows] == [Lead, RowError]


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
        (b"{\\rtf1 Company}", "a text document"),
        (b"<?xml version='1.0'?><list/>", "an XML document"),
        (b"[1, 2, 3]", "no column|no list"),
        (b'{"a": 1}', "no column|no list"),
    ],
)
def test_what_is_no_list_is_refused_by_name(data: bytes, kind: str) -> None:
    with pytest.raises(ImportRefused, match=kind):
        _ALL.open_list(data, "list.csv", overrides={})


_FOREIGN = {
    "cp1251": ("Иван Петров/Анна Кузнецова/Сергей Иванов/Дмитрий Жуковский", "Ромашка/Вектор/Яблоко/Север"),
    "koi8-r": ("Иван Петров/Анна Кузнецова/Сергей Иванов/Дмитрий Жуковский", "Ромашка/Вектор/Яблоко/Север"),
    "cp1253": ("Γιώργος Παπαδόπουλος/Μαρία Νικολάου/Νίκος Δήμου/Ελένη Ράπτη", "Ακμή/Θάλασσα/Ήλιος/Βορράς"),
    "cp1256": ("محمد علي/فاطمة حسن/أحمد سالم/ليلى يوسف", "شركة أكمي/المستقبل/البحر/الشمال"),
    "gb18030": ("王小明/李雷雷/张伟/刘洋", "北京智能/阿克米科技有限公司/未来科技/云端"),
    "big5": ("王小明/李雷雷/張偉/劉洋", "北京智能/阿克米科技有限公司/台北實驗室/未來科技"),
    "cp932": ("山田太郎/佐藤花子/鈴木一郎/田中裕子", "ソフトウェア株式会社/アクメ/東京ラボ/みらい"),
    "cp949": ("김철수/이영희/박민수/최지우", "아크미 주식회사/서울 랩/미래/구름"),
    "cp1250": ("Łukasz Żółć/Grażyna Dąbrowska/Michał Wiśniewski/Paweł Dąbek", "Źródło/Łódź Lab/Gwiazda/Morze"),
}


@pytest.mark.parametrize("codec", _FOREIGN)
def test_letters_of_other_windows_are_read_and_said_to_be_a_guess(codec: str) -> None:
    names, companies = (listed.split("/") for listed in _FOREIGN[codec])
    lines = [f"{name},{company},me@acme.example" for name, company in zip(names, companies, strict=True)]
    found = _ALL.open_list("\r\n".join(["Full Name,Company,Email", *lines]).encode(codec), "list.csv", overrides={})
    assert [row["people"][0]["full_name"] for row in said(found.rows)] == names
    assert any("look at some names" in note for note in found.notes)


_LATIN = {
    "Czech": (
        "cp1250",
        "Jiří Dvořák/Petr Novák/Tomáš Černý/Lucie Němcová/Kateřina Horáková/Šárka Veselá/Ondřej Růžička",
    ),
    "Slovak": (
        "cp1250",
        "Ľubomír Kováč/Zuzana Tóthová/Ján Horváth/Matúš Žiačik/Mária Šťastná/Ľuboš Ďuriš/Žofia Čapková",
    ),
    "Hungarian": (
        "cp1250",
        "Kovács Győző/Szabó Erzsébet/Szűcs Márton/Hegedűs Zoltán/Fehér Bálint/Erdős Réka/Gyűrű Ödön",
    ),
    "Romanian": ("cp1250", "Ştefan Ionescu/Ioana Bălan/Mihăiţă Rădulescu/Cătălin Niţă/Răzvan Ţepeş"),
    "Croatian": ("cp1250", "Marko Horvatić/Ivana Babić/Željko Đurić/Šime Kovačević/Nikola Čačić/Žarko Perišić"),
    "Turkish": ("cp1254", "Ayşe Yılmaz/Mehmet Öztürk/Çağla Şahin/İbrahim Doğan/Gökçe Aydın/Işıl Güneş"),
    "Lithuanian": ("cp1257", "Rūta Jonaitytė/Žygimantas Šimkus/Eglė Kazlauskienė/Mindaugas Žukauskas/Jūratė Čepaitė"),
    "Latvian": ("cp1257", "Jānis Bērziņš/Līga Kalniņa/Mārtiņš Ozoliņš/Ieva Krūmiņa/Āris Kļaviņš"),
    "Portuguese": ("cp1252", "João Conceição/Antônio Gonçalves/Inês Magalhães/Luís Simões/São Paulo/São Paulo"),
    "Danish": ("cp1252", "Søren Kjær/Bjørn Østergård/Åse Lærke/Jørgen Nørgård/Pål Sæther"),
    "Icelandic": ("cp1252", "Guðrún Þórsdóttir/Björn Ægisson/Jón Sigurðsson/Hörður Þorláksson/Sigríður Ýr"),
    "French": ("cp1252", "Léa Bénédicte/Hélène Geneviève/Loïc Noël/Chloé Agnès/Françoise Côté/Jérôme Lefèvre"),
    "Catalan": ("cp1252", "Núria Puigdomènech/Martí Solà/Èric Lluís/Àlex Muñoz/Joan Miró/Òscar Peña"),
}


def _table(codec: str, names: list[str]) -> bytes:
    lines = [f"{name},Acme {at},me@acme{at}.example" for at, name in enumerate(names)]
    return "\r\n".join(["Full Name,Company,Email", *lines]).encode(codec)


@pytest.mark.parametrize("language", _LATIN)
def test_latin_letters_of_other_windows_are_told_by_how_often_they_stand_in_a_language(language: str) -> None:
    codec, listed = _LATIN[language]
    found = _ALL.open_list(_table(codec, listed.split("/")), "list.csv", overrides={})
    assert [row["people"][0]["full_name"] for row in said(found.rows)] == listed.split("/")
    assert any("--encoding" in note for note in found.notes) == (codec != "cp1252")
    assert codec.removeprefix("cp") in found.encoding


def test_few_letters_are_no_evidence() -> None:
    names = ["Petr Novák", "Ondřej Malý", "Ann Lee"]
    assert _ALL.open_list(_table("cp1250", names), "list.csv", overrides={}).encoding == "Windows-1252"


@pytest.mark.parametrize(
    "named", ["windows-1250", "Windows 1250", "cp1250", "iso-8859-2", "UTF-8", "utf-16", "mac_centeuro"]
)
def test_an_encoding_that_a_person_names_is_believed(named: str) -> None:
    names = ["Petr Novák", "Ondřej Malý", "Ann Lee"]
    data = _table(named.replace(" ", "-"), names)
    found = _ALL.open_list(data, "list.csv", overrides={}, encoding=named)
    assert [row["people"][0]["full_name"] for row in said(found.rows)] == names
    assert found.notes == ()
    wrong = _ALL.open_list(_table("cp1252", ["José"]), "list.csv", overrides={}, encoding="utf-8")
    assert any("could not be read as utf-8" in note for note in wrong.notes)


@pytest.mark.parametrize("named", ["klingon", "rot13", "base64", "idna", "unicode_escape", "a\0b"])
def test_what_is_no_encoding_is_refused(named: str) -> None:
    with pytest.raises(UsageError, match="there is no encoding"):
        _ALL.open_list(b"Company\nAcme\n", "list.csv", overrides={}, encoding=named)


@pytest.mark.parametrize(("codec", "end"), [("cp1252", "\r\n"), ("mac-roman", "\r")])
def test_western_letters_are_no_guess(codec: str, end: str) -> None:
    names = ["José Pérez", "Zoë Quill", "Jürgen Müller", "Åsa Öberg", "Søren Ågård", "François Noël"]
    lines = [f"{name},Acme,me@acme{at}.example" for at, name in enumerate(names)]
    found = _ALL.open_list(end.join(["Full Name,Company,Email", *lines]).encode(codec), "list.csv", overrides={})
    assert [row["people"][0]["full_name"] for row in said(found.rows)] == names
    assert not any("look at some names" in note for note in found.notes)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("Valid", "verified"),
        ("ok", "verified"),
        ("catchall", "risky"),
        ("catch-all", "risky"),
        ("do_not_mail", "invalid"),
        ("spam-trap", "invalid"),
        ("Not valid", "invalid"),
        ("abuse", "invalid"),
        ("", "given"),
        ("sent to Bo", "given"),
    ],
)
def test_what_a_checker_of_addresses_says_is_believed(word: str, status: str) -> None:
    data = f"Company,Full Name,Email,Email Status\nAcme,Ada Testwell,ada@acme.example,{word}\n".encode()
    (row,) = _ALL.open_list(data, "list.csv", overrides={}).rows
    assert isinstance(row, Lead)
    assert row.people[0].email_status == status


# --- JSON -----------------------------------------------------------------------------------------

_ACME = {"name": "Acme", "website": "acme.example", "founders": [{"name": "Ada Testwell"}]}
_ZENITH = {"name": "Zenith", "website": "zenith.example", "founders": [{"name": "Omar Brightly"}]}
_LISTED = {"companies": [_ACME, _ZENITH], "page": 1}


@pytest.mark.parametrize(
    "values",
    [
        pytest.param([[_ACME, _ZENITH]], id="one list"),
        pytest.param([[_ACME], [_ZENITH]], id="two lists, joined"),
        pytest.param([_ACME, _ZENITH], id="one object a line"),
        pytest.param([_LISTED], id="a list in an object"),
        pytest.param([{**_LISTED, "name": "Seed stage"}], id="a list that has a name"),
        pytest.param([{"companies": [_ACME]}, {"companies": [_ZENITH]}], id="two pages, joined"),
        pytest.param([{"acme": _ACME, "zenith": _ZENITH}], id="objects by key"),
    ],
)
def test_json_is_read_in_whichever_way_it_lists_its_rows(values: list[Any]) -> None:
    data = "\n".join(map(json.dumps, values)).encode()
    found = said(_ALL.open_list(data, "list.json", overrides={}).rows)
    assert [(row["company"]["name"], row["people"][0]["full_name"]) for row in found] == [
        ("Acme", "Ada Testwell"),
        ("Zenith", "Omar Brightly"),
    ]


def test_objects_with_objects_in_them_are_one_row_each_on_their_lines() -> None:
    data = b"\n".join(
        json.dumps({"person": {"name": who, "email": f"me@{at}.example"}, "organization": {"name": at}}).encode()
        for who, at in (("Ada Testwell", "acme"), ("Omar Brightly", "zenith"))
    )
    found = said(_ALL.open_list(data, "list.jsonl", overrides={}).rows)
    assert [(row["company"]["name"], row["people"][0]["full_name"]) for row in found] == [
        ("acme", "Ada Testwell"),
        ("zenith", "Omar Brightly"),
    ]


def test_what_follows_a_list_and_is_none_is_said() -> None:
    rows = _ALL.open_list(b'[{"company": "Acme"}] and more', "list.json", overrides={}).rows
    assert [row["skipped"] for row in said(rows)[1:]] == ["the JSON breaks here; what comes after it was not read"]


# --- Hunter ---------------------------------------------------------------------------------------


def test_a_row_of_a_sheet_that_has_no_company_above_has_none_in_the_store_either() -> None:
    head = "Organization Name,Generic Emails,Name,Email,Confidence\n"
    found = _ALL.open_list(
        f"{head},,Ada Testwell,ada@acme.example,90\nZenith,,Omar Brightly,omar@zenith.example,90\n".encode(),
        "h.csv",
        overrides={},
    )
    rows = list(found.rows)
    again = [_ALL.read_again(found.format, found.mapping, Row(row.line, dict(row.cells))) for row in reversed(rows)]
    assert again == rows[::-1]


# --- workbooks ------------------------------------------------------------------------------------


def _with_entry(name: str, data: bytes) -> bytes:
    """The sample workbook, with one of its files replaced."""
    out = io.BytesIO()
    sample = _SAMPLES / "generic" / "sheet.xlsx"
    with zipfile.ZipFile(sample) as sound, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for info in sound.infolist():
            if info.filename != name:
                made.writestr(info, sound.read(info))
        made.writestr(name, data)
    return out.getvalue()


def test_the_line_of_a_row_is_the_sheets_own() -> None:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    sheet = book.add_worksheet()
    sheet.write_row("B5", ["Company", "Email"])
    sheet.write_row("B7", ["Acme", "ada@acme.example"])
    book.close()
    (row,) = _ALL.open_list(out.getvalue(), "low.xlsx", overrides={}).rows
    assert row.line == 7


def test_two_far_cells_are_refused_wherever_the_sheet_lies() -> None:
    rows = b'<row r="1"><c r="A1"/></row><row r="1048576"><c r="XFD1048576"/></row>'
    with pytest.raises(ImportRefused, match="1,048,576 rows of 16,384 columns"):
        _ALL.open_list(_with_entry("xl/elsewhere/sheet.xml", b"<x>" + rows + b"</x>"), "wide.xlsx", overrides={})


def test_two_far_cells_are_refused_before_they_are_laid_out() -> None:
    rows = b'<row r="1"><c r="A1"/></row><row r="1048576"><c r="XFD1048576"/></row>'
    sheet = b"<worksheet><sheetData>" + rows + b"</sheetData></worksheet>"
    with pytest.raises(ImportRefused, match="1,048,576 rows of 16,384 columns"):
        _ALL.open_list(_with_entry("xl/worksheets/sheet1.xml", sheet), "wide.xlsx", overrides={})


def test_a_workbook_that_unpacks_to_too_much_is_refused() -> None:
    out = io.BytesIO((_SAMPLES / "generic" / "sheet.xlsx").read_bytes())
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as made, made.open("xl/sharedStrings.xml", "w") as entry:
        for _ in range(513):
            entry.write(bytes(1 << 20))
    assert len(out.getvalue()) < 1_000_000
    with pytest.raises(ImportRefused, match="unpacks to more than 512 MB"):
        _ALL.open_list(out.getvalue(), "bomb.xlsx", overrides={})


def test_an_archive_is_no_workbook() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("companies.csv", "Company\nAcme\n")
    with pytest.raises(ImportRefused, match="ZIP archive") as refused:
        _ALL.open_list(out.getvalue(), "list.zip", overrides={})
    assert "unpack it" in refused.value.hint
