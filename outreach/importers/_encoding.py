"""The bytes of a list → how to read them as text, and what kind of file cannot be one. Knows nothing of cells."""

import codecs
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import TextIOWrapper

from outreach.errors import ImportRefused, UsageError
from outreach.importers import _letters
from outreach.importers._content import Content

# First bytes of what people mistake for a CSV file.
_OTHER_KINDS = (
    (b"%PDF", "a PDF document"),
    (b"\xd0\xcf\x11\xe0", "an old or password-protected Excel or Word file"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"{\\rtf", "a text document (RTF)"),
    (b"<?xml", "an XML document"),
    (b"\x89PNG", "an image"),
    (b"\xff\xd8\xff", "an image"),
    (b"SQLite format 3", "a database"),
    (b"BEGIN:VCARD", "an address book (vCard)"),
)
_ZIP = b"PK\x03\x04"
_HTML = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*<(?:!doctype|html)", re.IGNORECASE)
_BOMS = (
    (b"\xef\xbb\xbf", "utf-8-sig", "UTF-8 with BOM"),
    (b"\xff\xfe\x00\x00", "utf-32", "UTF-32"),
    (b"\xff\xfe", "utf-16", "UTF-16"),
    (b"\xfe\xff", "utf-16", "UTF-16"),
)
_BLANK = b"\xef\xbb\xbf\xff\xfe \t\r\n\x00"
_SAMPLE = 65_536
_CHUNK = 1 << 20
_FEW = 10
_LONGEST_LINE = 64 << 20
_HIGH = re.compile(rb"[\x80-\xff]+")
_CELL_ENDS = re.compile(rb"[\r\n\t,;]+")
_POLISH = re.compile(rb"(?<=[A-Za-z])[\xb9\xb3\xbf\x9f](?=[A-Za-z])")
"""The letters ą ł ż ź as Windows-1250 writes them; in Western text the same bytes are ¹ ³ ¿ Ÿ, and in no word."""
_SCRIPTS = {
    "cp1251": "Windows-1251 (Cyrillic)",
    "koi8_r": "KOI8-R (Cyrillic)",
    "cp1253": "Windows-1253 (Greek)",
    "cp1255": "Windows-1255 (Hebrew)",
    "cp1256": "Windows-1256 (Arabic)",
    "gb18030": "GB 18030 (Chinese)",
    "big5": "Big5 (Chinese)",
    "cp932": "Shift JIS (Japanese)",
    "euc_jp": "EUC-JP (Japanese)",
    "cp949": "Windows-949 (Korean)",
}
_NO_LISTS = ("idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "utf-7", "mbcs", "oem")
"""Encodings to Python, and of no file."""
_MULTIBYTE = re.compile(rb"[\xc3-\xf4][\x80-\xbf]+")
# UTF-8 that somebody's program took for Windows-1252: é became Ã©, ’ became â€™. MAÇÃ is a word.
_GARBLED_SIGNS = tuple(sign.encode() for sign in ("Ã", "Å", "Â", "â€"))
_GARBLED = re.compile("[ÃÅ][\x80-\xbf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘“•—˜™š›œžŸ]|Â[\xa0-\xbf]|â€")


@dataclass(frozen=True, slots=True)
class Survey:
    """A file gone through once. `encoding` is what a person would call it; `damaged` counts what was none of it."""

    sha256: str
    codec: str
    encoding: str
    is_archive: bool = False
    damaged: int = 0
    lost: int = 0
    """Characters that somebody else's program had replaced already."""
    garbled: int = 0
    """Characters that somebody else's program had read in a wrong encoding."""
    is_guess: bool = False


def survey(content: Content, named: str = "") -> Survey:
    """How to read a file, or ImportRefused for what is no list. `named` is the encoding that a person says it has."""
    with content.open() as file:
        sample = file.read(_SAMPLE)
    _refuse_other_kinds(content, sample)
    if sample.startswith(_ZIP):
        return Survey(_sha256(content), "", "", is_archive=True)
    if named:
        return _as_named(content, _codec(named), named)
    codec, encoding = _marked(sample) or ("utf-8", "UTF-8")
    digest, is_valid, lost, garbled = _read_through(content, codec)
    if is_valid:
        return Survey(digest, codec, encoding, lost=lost, garbled=garbled)
    if codec == "utf-8":
        codec, encoding = _legacy(content)
    is_guess = codec in _letters.NAMES or codec in _SCRIPTS
    return Survey(digest, codec, encoding, damaged=_damaged(content, codec), is_guess=is_guess)


def _as_named(content: Content, codec: str, named: str) -> Survey:
    digest, is_valid, lost, garbled = _read_through(content, codec)
    called = _letters.NAMES.get(codec) or _SCRIPTS.get(codec) or named.strip().lower()
    return Survey(
        digest, codec, called, damaged=0 if is_valid else _damaged(content, codec), lost=lost, garbled=garbled
    )


def _codec(named: str) -> str:
    """Python's name of an encoding as people call it; of UTF-8 with or without a mark at its start."""
    hint = "such as windows-1250, iso-8859-2, windows-1254, windows-1257, mac-roman, shift_jis or utf-8"
    try:
        codec = codecs.lookup(named.strip().replace(" ", "-")).name
        b"x".decode(codec, "replace")  # some codecs make no text
    except (LookupError, ValueError):
        codec = ""
    if not codec or codec in _NO_LISTS:
        raise UsageError(f"there is no encoding {named}.", hint=hint)
    return "utf-8-sig" if codec == "utf-8" else codec


def open_text(content: Content, codec: str) -> TextIOWrapper:
    """The text, with its line ends as they are."""
    return TextIOWrapper(content.open(), codec, errors="replace", newline="")


def _refuse_other_kinds(content: Content, sample: bytes) -> None:
    hint, name = "open it where it came from and export it as CSV", content.name
    if not sample.strip(_BLANK) and not any(chunk.strip(_BLANK) for chunk in _chunks(content)):
        raise ImportRefused(f"{name} is empty.", hint="export the list again, as CSV")
    for start, kind in _OTHER_KINDS:
        if sample.removeprefix(b"\xef\xbb\xbf").startswith(start):
            raise ImportRefused(f"{name} is {kind}, not a CSV file.", hint=hint)
    if _HTML.match(sample):
        raise ImportRefused(f"{name} is a web page, not a CSV file.", hint=hint)
    if not sample.startswith(_ZIP) and _is_binary(sample):
        raise ImportRefused(f"{name} is a binary file, not a CSV file.", hint=hint)


def _is_binary(sample: bytes) -> bool:
    """More control characters than a damaged list has; UTF-16 is full of NULs and still text."""
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")) or _utf16_without_bom(sample):
        return False
    return sum(byte < 9 or 13 < byte < 27 for byte in sample) > max(8, len(sample) // 20)


def _marked(sample: bytes) -> tuple[str, str] | None:
    """The codec that the first bytes give away, and its name."""
    for bom, codec, encoding in _BOMS:
        if sample.startswith(bom):
            return codec, encoding
    codec = _utf16_without_bom(sample)
    return (codec, "UTF-16") if codec else None


def _utf16_without_bom(sample: bytes) -> str:
    """Every other byte of mostly Latin text is NUL."""
    if sample[1::2].count(0) > len(sample) * 0.4:
        return "utf-16-le"
    return "utf-16-be" if sample[0::2].count(0) > len(sample) * 0.4 else ""


# --- going through --------------------------------------------------------------------------------


def _chunks(content: Content) -> Iterator[bytes]:
    with content.open() as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _sha256(content: Content) -> str:
    digest = hashlib.sha256()
    for chunk in _chunks(content):
        digest.update(chunk)
    return digest.hexdigest()


def _read_through(content: Content, codec: str) -> tuple[str, bool, int, int]:
    """The hash, whether all of it is valid, how many characters in it are U+FFFD already, and how many are garbled.

    Refuses a file whose lines have no end, which no memory would hold.
    """
    digest, decoder = hashlib.sha256(), codecs.getincrementaldecoder(codec)()
    is_valid, lost, garbled, open_line = True, 0, 0, 0
    for chunk in _chunks(content):
        digest.update(chunk)
        at = max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))
        open_line = len(chunk) - at - 1 if at >= 0 else open_line + len(chunk)
        if open_line > _LONGEST_LINE:
            raise ImportRefused(
                f"{content.name} has a line of more than {_LONGEST_LINE >> 20} MB: no list has that.",
                hint="export the list again, as CSV",
            )
        if is_valid:
            try:
                text = decoder.decode(chunk)
            except UnicodeDecodeError:
                is_valid = False
            else:
                lost += text.count("\ufffd")
                garbled += len(_GARBLED.findall(text)) if any(sign in chunk for sign in _GARBLED_SIGNS) else 0
    return digest.hexdigest(), is_valid and _ends_well(decoder), lost, garbled


def _ends_well(decoder: codecs.IncrementalDecoder) -> bool:
    try:
        decoder.decode(b"", True)
    except UnicodeDecodeError:
        return False
    return True


def _damaged(content: Content, codec: str) -> int:
    decoder = codecs.getincrementaldecoder(codec)("replace")
    texts = [
        *(decoder.decode(chunk).count("\ufffd") for chunk in _chunks(content)),
        decoder.decode(b"", True).count("\ufffd"),
    ]
    return sum(texts)


def _legacy(content: Content) -> tuple[str, str]:
    """Not valid UTF-8: damaged UTF-8 if most of what is not ASCII is valid, else what old Macs or Windows wrote."""
    multibyte = crlf = cr = lf = letters = in_words = words = polish = 0
    last, foreign = b"", bytearray()
    for chunk in _chunks(content):
        runs = [len(run) for run in _HIGH.findall(chunk)]
        words += len(runs)
        letters += sum(runs)
        in_words += sum(run for run in runs if run > 2)
        polish += len(_POLISH.findall(chunk))
        if len(foreign) < _SAMPLE:
            foreign += b"\n".join(cell for cell in _CELL_ENDS.split(chunk) if not cell.isascii())
        multibyte += len(_MULTIBYTE.findall(chunk))
        crlf += chunk.count(b"\r\n") + (last == b"\r" and chunk.startswith(b"\n"))
        cr += chunk.count(b"\r")
        lf += chunk.count(b"\n")
        last = chunk[-1:]
    if multibyte > _damaged(content, "utf-8"):
        return "utf-8", "UTF-8"
    # é stands among letters of ASCII. Words without any are of another script, which a few letters do not tell.
    if in_words > _FEW and 5 * in_words > 3 * letters and (script := _script(bytes(foreign[:_SAMPLE]))):
        return script
    # Lines that end in bare CR, or in CRLF with bare CR inside cells: Excel for Mac.
    if cr > lf:
        return "mac-roman", "Mac Roman"
    if 10 * polish > words:
        return "cp1250", "Windows-1250 (Polish)"
    latin = _letters.code_page(bytes(foreign[:_SAMPLE]))
    return latin, _letters.NAMES.get(latin, "Windows-1252")


def _script(text: bytes) -> tuple[str, str] | None:
    """The likeliest codec of another script than the Latin one."""
    from charset_normalizer import from_bytes  # hardly any list needs it

    best = from_bytes(text, cp_isolation=list(_SCRIPTS)).best()
    return (best.encoding, _SCRIPTS[best.encoding]) if best and best.encoding in _SCRIPTS else None
