"""Cells → values: emptiness, dates, money, head counts. Pure; what cannot be read is empty, never a guess."""

import re
from datetime import date, timedelta
from functools import lru_cache
from unicodedata import is_normalized

from outreach.core.cells import unguarded
from outreach.core.quick import MOST_KEPT
from outreach.core.records import Money
from outreach.core.text import one_line
from outreach.resources import words

_EXCEL_ERROR = re.compile(r"#(?:N/A|NAME\?|REF!|VALUE!|DIV/0!|NULL!|NUM!)|\ufffd+", re.IGNORECASE)
_SHORT = 12  # what says that there is nothing is short, or starts with Not
_NAME_IS_EMPTY = re.compile(r"(?:''|—|-|\ufffd+|#NAME\?|#N/A|)", re.IGNORECASE)


# --- emptiness ------------------------------------------------------------------------------------


def text_value(cell: str, limit: int = 200) -> str:
    """A cell as one harmless line; empty if it only says that there is nothing."""
    if not cell:
        return ""
    # The common case in the fewest steps: a list of a million rows asks this some ten million times.
    is_plain = cell.isprintable() and cell[0] not in " '" and cell[-1] != " " and "  " not in cell
    is_short = is_plain and len(cell) <= limit and (cell.isascii() or is_normalized("NFC", cell))
    value = cell if is_short else one_line(unguarded(cell), limit)
    return "" if (len(value) < _SHORT or value[0] in "\ufffdNn") and _says_nothing(value) else value


def _says_nothing(value: str) -> bool:
    return value.casefold() in words("empty_words.txt") or _EXCEL_ERROR.fullmatch(value) is not None


def company_name(cell: str) -> str:
    """A company may be called None or Undisclosed, so only marks and Excel's errors are empty (`#NAME?` is `=N+N`)."""
    value = one_line(unguarded(cell) if cell[:1] == "'" else cell)
    return "" if (len(value) < _SHORT or value[0] == "\ufffd") and _NAME_IS_EMPTY.fullmatch(value) else value


def person_name(*cells: str) -> str:
    """The parts of a name, joined; empty only if all of them are (Na and Null are surnames)."""
    return " ".join(filter(None, map(one_line, cells))) if any(map(text_value, cells)) else ""


# --- dates ----------------------------------------------------------------------------------------

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_PRECISIONS = {"year": 4, "month": 7, "none": 0}
_EXCEL_EPOCH = date(1899, 12, 30)
_ISO = re.compile(r"(\d{4})[-/.](\d\d?)(?:[-/.](\d\d?))?(?:[T ].*)?")
_YEAR = re.compile(r"(\d{4})(?:\.0)?")
_SERIAL = re.compile(r"[1-9]\d{4}")
_MONTH_YEAR = re.compile(r"([A-Za-z]{3,9})[ -](\d{2}|\d{4})|(\d{2})-([A-Za-z]{3})")
_DAY_MONTH_YEAR = re.compile(r"(\d{1,2})[ -]([A-Za-z]{3,9})[ -](\d{2}|\d{4})")
_MONTH_DAY_YEAR = re.compile(r"([A-Za-z]{3,9}) (\d{1,2}),? (\d{4})")
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{2}|\d{4})(?:[, ].*)?")


def parse_date(cell: str, precision: str = "") -> str:
    """ISO 8601, as precise as known ("2018", "2018-08", "2018-08-05"); empty for what is no date or before 1900.

    `precision` is Crunchbase's column of that name: with `year`, 2018-01-01 means 2018. `Aug-18` and `18-May` are what
    Excel makes of month and year; slashed dates are American, unless no month has that number.
    """
    return _parse_date(cell, precision) if cell else ""


@lru_cache(maxsize=MOST_KEPT)
def _parse_date(cell: str, precision: str) -> str:
    text = text_value(cell)
    year, month, day = _date_parts(text)
    found = _iso(year, month, day) if year >= 1900 else ""
    return found[: _PRECISIONS.get(precision.strip().casefold(), 10)]


def _date_parts(text: str) -> tuple[int, int, int]:
    if match := _ISO.fullmatch(text):
        return int(match[1]), int(match[2]), int(match[3] or 0)
    if match := _YEAR.fullmatch(text):
        return int(match[1]), 0, 0
    if _SERIAL.fullmatch(text):
        on = _EXCEL_EPOCH + timedelta(days=int(text))
        return on.year, on.month, on.day
    if match := _DAY_MONTH_YEAR.fullmatch(text):
        return _year(match[3]), _month(match[2]), int(match[1])
    if match := _MONTH_DAY_YEAR.fullmatch(text):
        return int(match[3]), _month(match[1]), int(match[2])
    if match := _MONTH_YEAR.fullmatch(text):
        return _year(match[2] or match[3]), _month(match[1] or match[4]), 0
    if match := _SLASHED.fullmatch(text):
        month, day = int(match[1]), int(match[2])
        return (_year(match[3]), month, day) if month <= 12 else (_year(match[3]), day, month)
    return 0, 0, 0


def _year(digits: str) -> int:
    """Two digits: nothing in a list of startups lies in the future, and `64` is 1964."""
    return int(digits) if len(digits) == 4 else int(digits) + (2000 if int(digits) < 40 else 1900)


def _month(name: str) -> int:
    short = name[:3].lower()
    return _MONTHS.index(short) + 1 if short in _MONTHS else 99


def _iso(year: int, month: int, day: int) -> str:
    try:
        date(year, month or 1, day or 1)
    except ValueError:
        return ""
    return f"{year:04}" + (f"-{month:02}" if month else "") + (f"-{day:02}" if month and day else "")


# --- money ----------------------------------------------------------------------------------------

_SIGNS = {
    "$": "USD", "US$": "USD", "€": "EUR", "£": "GBP", "₹": "INR", "¥": "JPY", "₩": "KRW", "R$": "BRL",
    "C$": "CAD", "CA$": "CAD", "A$": "AUD",
}  # fmt: skip
_SCALES = {"": 1, "k": 10**3, "m": 10**6, "b": 10**9, "t": 10**12}
_AMOUNT = re.compile(
    r"([^\d\s.,-]{0,4})\s*(\d{1,3}(?:\.\d{3})+(?:,\d+)?|\d[\d,]*(?:\.\d+)?)"
    r"\s*(million|billion|mio\.?|mln|(?:[kmbt]n?)?)\s*([A-Z]{3}|[€$£₹¥₩])?",
    re.IGNORECASE,
)
_GROUPED = re.compile(r"[1-9]\d{0,2}\.\d{3}")
_MOST_DIGITS = 15
_TOO_MUCH = 10**15  # more than all money there is
_EXPONENT = re.compile(r"\d(?:\.\d+)?E\+?\d{1,2}", re.IGNORECASE)  # what Excel makes of a large number


def parse_money(cell: str, currency: str = "", usd: str = "") -> Money | None:
    """`$1,50,00,000.00`, `€16M`, `SAR 1,000,000`, or a number with its currency in another column. A range is none."""
    if cell.isdecimal() and cell.isascii() and len(cell) <= _MOST_DIGITS:  # most lists: no amount comes twice
        named, in_usd = text_value(currency).upper(), parse_money(usd) if usd else None
        return Money(int(cell), named, in_usd.amount if in_usd else None)
    return _parse_money(cell, currency, usd) if cell else None


@lru_cache(maxsize=MOST_KEPT)
def _parse_money(cell: str, currency: str, usd: str) -> Money | None:
    text = text_value(cell)
    match = _AMOUNT.fullmatch(text) or _EXPONENT.fullmatch(text)
    if match is None:
        return None
    if match.re is _EXPONENT:
        return parse_money(f"{float(text):.0f}", currency, usd) if len(text) < 12 else None
    sign = match[1].upper()
    behind = match[4] or ""
    code = sign if len(sign) == 3 and sign.isalpha() else _SIGNS.get(behind, behind)
    named = text_value(currency) or _SIGNS.get(sign, code)
    in_usd = parse_money(usd) if usd else None
    amount = _scaled(match[2], match[3])
    return Money(amount, named.upper(), in_usd.amount if in_usd else None) if amount < _TOO_MUCH else None


def parse_millions(cell: str) -> Money | None:
    """A number of millions of US dollars, which is how PitchBook and Preqin write all money."""
    found = parse_money(f"{text_value(cell)}M", "USD") if cell else None
    return None if found is None else Money(found.amount, "USD", found.amount)


def parse_dollars(cell: str) -> Money | None:
    """An amount whose column says that it is in US dollars."""
    found = parse_money(cell)
    return None if found is None else Money(found.amount, "USD", found.amount)


def _scaled(digits: str, scale: str) -> int:
    return round(min(float(_pointed(digits, scaled=bool(scale))) * _SCALES[scale[:1].lower()], _TOO_MUCH))


def _pointed(digits: str, *, scaled: bool) -> str:
    """Without what groups the digits. `1.500.000,00`, `1.500` and `1,5` are how half of Europe writes; no one groups by
    two at the end, and only of millions are there thousandths: `1.500M`."""
    whole, comma, rest = digits.rpartition(",")
    grouped = "." in whole or digits.count(".") > 1 or (not scaled and _GROUPED.fullmatch(digits))
    if grouped or (comma and len(rest) < 3 and whole.isdecimal()):
        return digits.replace(".", "").replace(",", ".")
    return digits.replace(",", "")


# --- head counts -----------------------------------------------------------------------

_BUCKETS = (10, 50, 100, 250, 500, 1000, 5000, 10_000)
_BRACKET = re.compile(r"[0-9]+-[0-9]+|[0-9]+\+")
_EXCEL_RANGE = re.compile(r"(\d{1,2})-([A-Za-z]{3})|([A-Za-z]{3})-(\d{1,2})")


def parse_employees(cell: str) -> str:
    """Crunchbase's brackets (`11-50`, `10001+`). Excel's `10-Jan` is undone, an exact count put in its bracket."""
    return _parse_employees(cell) if cell else ""


@lru_cache(maxsize=4096)
def _parse_employees(cell: str) -> str:
    text = text_value(cell).casefold().removesuffix("employees").removesuffix(".0")
    text = text.replace("–", "-").replace("—", "-").replace(",", "").replace(" ", "").replace("to", "-")
    if match := _EXCEL_RANGE.fullmatch(text):
        low, high = _month(match[2] or match[3]), match[1] or match[4]
        return f"{low}-{int(high)}" if low < 99 else ""
    if text.isdecimal():
        return _bucket(int(text))
    return text if _BRACKET.fullmatch(text) else ""


def _bucket(count: int) -> str:
    low = 1
    for high in _BUCKETS:
        if count <= high:
            return f"{low}-{high}" if count else ""
        low = high + 1
    return f"{low}+"


# --- exports --------------------------------------------------------------------------------------

_EXPORT_NAME = re.compile(r"-(\d{1,2})-(\d{1,2})-(\d{4})(?: ?\(\d+\))?\.\w+$|(\d{4})-(\d\d)-(\d\d)")


def export_date(file_name: str) -> date | None:
    """When a list was exported, by its name: `companies-9-24-2025 (1).csv` (British: `26-06-2018`), or an ISO date."""
    match = _EXPORT_NAME.search(file_name)
    if match is None:
        return None
    if match[4]:
        year, month, day = int(match[4]), int(match[5]), int(match[6])
    else:
        year, month, day = int(match[3]), int(match[1]), int(match[2])
        month, day = (day, month) if month > 12 else (month, day)
    return date(year, month, day) if _iso(year, month, day) else None
