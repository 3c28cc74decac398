"""How a careful writer puts things: how somebody is greeted, "a" or "an", lists, money, years, a company's short name.

Text in, text out; what is not understood comes back as it was or empty, never as a guess. Knows nothing of templates.
"""

import re
from collections.abc import Sequence
from datetime import date

from outreach.core.names import cased, letters, parse_name
from outreach.core.text import one_line
from outreach.core.values import parse_date, parse_money
from outreach.resources import words

# --- people ---------------------------------------------------------------------------------------


def given_name(full_name: str, first_name: str = "", last_name: str = "") -> str:
    """The name to greet somebody by; empty where it is not known ("Dr. Müller-Lüdenscheidt", "J. Smith").

    `first_name` and `last_name` are what a list or the import made of it. Where the whole name could stand in either
    order (Nguyễn Văn An, 王小明), it is given whole.
    """
    told, full = one_line(first_name), one_line(full_name)
    if full and _says_nothing(full):
        return ""
    guessed = parse_name(full).first if full else ""
    if told and told != guessed and not _is_initial(told) and not _says_nothing(told):
        return "" if letters(told) in words("honorifics.txt") else cased(told)
    return _from_full(full, last_name)


def _says_nothing(name: str) -> bool:
    return name.casefold() in words("empty_words.txt") | words("placeholder_names.txt")


def _from_full(full: str, last_name: str) -> str:
    shown = [word for word in _surname_first(full).split() if letters(word)]
    titled = len(shown)
    while shown and letters(shown[0]) in words("honorifics.txt"):
        shown.pop(0)
    titled -= len(shown)
    compound = len(shown) > 2 and letters(shown[0]) in words("name_beginnings.txt")
    if not shown or (letters(shown[0]) in words("name_particles.txt") and not compound):
        return ""
    if len(shown) == 1:
        return "" if titled or _is_initial(shown[0]) else cased(shown[0])
    if letters(shown[0]) in words("family_names_first.txt") or not _has_case(shown[0]):
        return " ".join(shown)
    return _given_of(shown, last_name)


def _given_of(shown: Sequence[str], last_name: str) -> str:
    if _shouts(shown[0]) and not any(map(_shouts, shown[1:])):
        shown = [*shown[1:], shown[0]]  # DUPONT Jean
    if letters(shown[0]) in words("name_beginnings.txt") and len(shown) > 2:
        return f"{cased(shown[0])} {cased(shown[1])}"
    if not _is_initial(shown[0]):
        return cased(shown[0])
    second = shown[1]
    if len(shown) > 2 and not _is_initial(second) and letters(second) not in (
        *words("name_particles.txt"), *map(letters, last_name.split()),
    ):  # fmt: skip
        return cased(second)  # F. Scott Fitzgerald goes by Scott
    return ""


def _surname_first(full: str) -> str:
    """`Testwell, Ada` in the usual order; what stands after a comma otherwise (PhD, III) is left away."""
    head, comma, rest = full.partition(",")
    if not comma:
        return full
    behind = rest.replace(",", " ").split()
    no_name = all(letters(word) in words("name_suffixes.txt") | words("name_credentials.txt") for word in behind)
    alone = len(head.split()) == 1
    return f"{rest.strip()} {head}" if alone and behind and not no_name else head


def _is_initial(word: str) -> bool:
    """`J.`, `J`, `J.R.`; `JP` and `Jo` are names people go by."""
    bare = letters(word)
    return len(bare) < 2 or ("." in word.rstrip(".") and len(bare) <= 3)


def _shouts(word: str) -> bool:
    return len(word) > 2 and word.isupper() and not _is_initial(word)


def _has_case(word: str) -> bool:
    """Whether it is written in letters that have capitals; others (王, 김, אבא) are not taken apart."""
    return word.lower() != word.upper()


# --- companies ------------------------------------------------------------------------------------

_FORM_BEFORE = re.compile(r"^(?:株式会社|有限会社|合同会社|ООО|ОАО|ЗАО|ПАО|PT\.?|CV\.?)\s*(?=\S)")
_FORM_AFTER = re.compile(r"\s*(?:株式会社|有限会社|合同会社|股份有限公司|有限责任公司|有限公司|주식회사)$")
_SP_Z_OO = re.compile(r",?\s+sp(?:\.|ółka)?\s*z\.?\s*o\.?\s*o\.?$", re.IGNORECASE)
_BRACKETED = re.compile(r"\s*[(\[][^()\[\]]*[)\]]\s*$")
_QUOTES = "«»“”\"'„"


def short_company(name: str) -> str:
    """The name people say: `Acme, Inc.` → Acme, `Müller GmbH & Co. KG` → Müller, `株式会社メルカリ` → メルカリ."""
    whole = one_line(name)
    short = _BRACKETED.sub("", whole) or whole
    bare = _SP_Z_OO.sub("", _FORM_AFTER.sub("", _FORM_BEFORE.sub("", short))).strip(_QUOTES + " ") or short
    removed = False
    while (shorter := _without_form(bare, behind_form=removed)) != bare:
        bare, removed = shorter, True
    return bare or whole


def _without_form(name: str, *, behind_form: bool) -> str:
    """Without its last word, if that is a legal form; "Co." and "Private" are part of one only before another."""
    head, gap, last = name.rpartition(" ")
    if gap and (_is_form(last, head) or (behind_form and letters(last) in _BEFORE_A_FORM)):
        return head.rstrip(" ,&+") if not _AND_AT_END.search(head) else _AND_AT_END.sub("", head)
    return name


_BEFORE_A_FORM = frozenset(("co", "company", "cia", "cie", "private", "pvt", "pte", "pty", "sdn", "sp", "z"))
_AND_AT_END = re.compile(r"\s+(?:&|\+|and|und|et|y|e)$", re.IGNORECASE)


def _is_form(word: str, head: str) -> bool:
    bare = letters(word)
    if bare in words("said_legal_forms.txt"):
        return True
    known = bare in words("legal_forms.txt") or bare in words("short_legal_forms.txt") or bare in _SHORT_FORMS
    stands_out = (
        "." in word.rstrip(".") or word.rstrip(".").isupper() or head.endswith(",") or word[1:] != word[1:].lower()
    )
    return known and stands_out


_SHORT_FORMS = frozenset(
    ("kg", "ug", "ev", "eg", "ohg", "gbr", "aps", "asa", "se", "nv", "bv", "cv", "sl", "slu", "sau", "sab", "pbc",
     "llp", "lp", "pc", "ou", "spzoo", "doo", "sro", "asbl", "ood", "ad")
)  # fmt: skip


# --- words ----------------------------------------------------------------------------------------

_AN_LETTERS = frozenset("AEFHILMNORSX")
"""Letters whose names start with a vowel: an F, an HR team, an MBA."""
_NUMBER = re.compile(r"(\d[\d.,]*)")
_SOUNDS_YOU = re.compile(r"(?:eu|u(?:ni(?!n|m)|b(?!er)[aeiou]|[cfhjkqrst][aeiou]|k\b|s\b)|ewe|one|once)", re.IGNORECASE)
_SILENT_H = re.compile(r"(?:hour|honest|honou?r|heir)", re.IGNORECASE)


def with_article(text: str) -> str:
    """`AI company` → an AI company, `fintech` → a fintech, `European bank` → a European bank."""
    shown = text.strip()
    return f"{'an' if _sounds_like_vowel(shown) else 'a'} {shown}" if shown else shown


def _sounds_like_vowel(text: str) -> bool:
    word = re.split(r"[\s/-]", text.lstrip("\"'“‘([$€£¥₹"), maxsplit=1)[0]
    if number := _NUMBER.match(word):
        digits = number[1].replace(",", "").partition(".")[0]
        return digits[0] == "8" or (digits[:2] in ("11", "18") and len(digits) % 3 == 2)
    if len(word) == 1 or (word.isupper() and not _is_spoken(word)):
        return word[:1].upper() in _AN_LETTERS
    if _SILENT_H.match(word):
        return True
    plain = letters(word)
    return plain[:1] in tuple("aeiou") and not _SOUNDS_YOU.match(plain)


def _is_spoken(capitals: str) -> bool:
    """NASA and UNESCO are said as words; SAAS, USB and AI letter by letter or with the same article either way."""
    return capitals in words("spoken_acronyms.txt")


def in_words(items: Sequence[str], limit: int = 0, conjunction: str = "and") -> str:
    """`Robotics, AI and Health`; with a limit, the first so many."""
    chosen = list(items[:limit] if limit > 0 else items)
    if len(chosen) < 2:
        return "".join(chosen)
    return f"{', '.join(chosen[:-1])} {conjunction} {chosen[-1]}"


_NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def number_in_words(number: int) -> str:
    """Up to twelve as a word, as style guides ask."""
    return _NUMBERS[number] if 0 <= number < len(_NUMBERS) else f"{number:,}"


def years_ago(when: str, today: date) -> str:
    """`2021-05` → five years ago; `last year`, `this year`. Empty for what is no date, or lies ahead."""
    found = parse_date(when)
    if not found or found > today.isoformat():
        return ""
    years = today.year - int(found[:4])
    if years < 2:
        return ("this year", "last year")[years]
    return f"{number_in_words(years)} years ago"


_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def month_in_words(when: str) -> str:
    """`2024-05-03` and `May-24` → May 2024; a year alone stays one."""
    found = parse_date(when)
    return f"{_MONTHS[int(found[5:7]) - 1]} {found[:4]}" if len(found) >= 7 else found


def day_in_words(when: str) -> str:
    """`2024-05-03` → 3 May; empty for what is not known to the day."""
    found = parse_date(when)
    return f"{int(found[8:])} {_MONTHS[int(found[5:7]) - 1]}" if len(found) == 10 else ""


def weekday_in_words(when: str) -> str:
    """`2024-05-03` → Friday."""
    found = parse_date(when)
    return _WEEKDAYS[date.fromisoformat(found).weekday()] if len(found) == 10 else ""


_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹", "ILS": "₪", "KRW": "₩"}
_SCALES = ((1_000_000_000_000, " trillion"), (1_000_000_000, " billion"), (1_000_000, " million"))


def money_in_words(amount: str) -> str:
    """`$2,500,000` → $2.5 million; `16000000 EUR` → €16 million; `CHF 750000` → CHF 750,000. Empty for what is no
    amount."""
    found = parse_money(amount)
    if found is None:
        return ""
    sign = _SIGNS.get(found.currency, f"{found.currency} " if found.currency else "")
    for scale, name in _SCALES:
        if found.amount >= scale:
            return f"{sign}{round(found.amount / scale, 1):,g}{name}"
    return f"{sign}{found.amount:,}"
