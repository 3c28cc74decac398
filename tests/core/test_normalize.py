"""Spellings that are one, and spellings that are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.core.cells import guarded, unguarded
from outreach.core.names import (
    alike,
    company_aliases,
    company_key,
    compatible,
    names_no_company,
    parse_name,
    split_people,
    tidy_name,
)
from outreach.core.normalize import (
    address_key,
    find_addresses,
    is_address,
    is_free_mail,
    is_plain_address,
    is_role_inbox,
    normalize_host,
    registrable_domain,
    suppression_key,
)
from outreach.core.places import parse_location
from outreach.core.records import Money
from outreach.core.urls import company_domain, crunchbase_slug, host_of, linkedin_company, linkedin_person
from outreach.core.values import (
    company_name,
    export_date,
    parse_date,
    parse_dollars,
    parse_employees,
    parse_millions,
    parse_money,
    person_name,
    text_value,
)

# --- hosts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("website", "domain"),
    [
        ("acme.example", "acme.example"),
        ("https://www.ACME.example/ar?x=1", "acme.example"),
        ("http://user@blog.acme.co.uk:8080/x", "acme.co.uk"),
        ("//acme.example.", "acme.example"),
        ("https://faß.example", "xn--fa-hia.example"),
        ("a.sa.com", "a.sa.com"),
        ("a.github.io", "a.github.io"),
        ("github.io", ""),
        ("http://bit.ly/abc", ""),
        ("sites.google.com/acme", ""),
        ("cs.uni.edu.sa", ""),
        ("university.edu", ""),
        ("192.0.2.7:80", ""),
        ("localhost", ""),
        ("", ""),
        ("not a website", ""),
    ],
)
def test_company_domain(website: str, domain: str) -> None:
    assert company_domain(website) == domain


@pytest.mark.parametrize(
    ("host", "domain"), [("Mail.Acme.CO.UK.", "acme.co.uk"), ("co.uk", ""), ("a..b", ""), ("::1", "")]
)
def test_registrable_domain(host: str, domain: str) -> None:
    assert registrable_domain(host) == domain


@pytest.mark.parametrize(
    ("url", "slug"),
    [
        ("https://www.crunchbase.com/organization/caf%C3%A9?utm=1", "café"),
        ("https://www.crunchbase.com/organization/cafe\u0301", "café"),
        ("/person/Ada-Testwell", "ada-testwell"),
        ("/company/acme", "acme"),
        ("https://www.crunchbase.com/organizationorganization/acme", "acme"),
        ("acme-d964", "acme-d964"),
        ("https://acme.example", ""),
        ("", ""),
    ],
)
def test_crunchbase_slug(url: str, slug: str) -> None:
    assert crunchbase_slug(url) == slug


@pytest.mark.parametrize(
    ("url", "company", "person"),
    [
        ("https://sa.linkedin.com/company/Acme/about?originalSubdomain=sa", "acme", ""),
        ("linkedin.com/company-beta/123/", "123", ""),
        ("https://www.linkedin.com/in/Ada-Testwell/", "", "ada-testwell"),
        ("https://www.linkedin.com/search/results", "", ""),
    ],
)
def test_linkedin_pages(url: str, company: str, person: str) -> None:
    assert (linkedin_company(url), linkedin_person(url)) == (company, person)


# --- addresses ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("ada@acme.example", "ada@acme.example"),
        (" <MAILTO:Ada@Acme.example>.", "ada@acme.example"),
        ("Ada Testwell <ada@acme.example>", "ada@acme.example"),
        ("mailto:ada@acme.example?subject=x", "ada@acme.example"),
        ("ada[at]acme[dot]example", "ada@acme.example"),
        ("a\u200bda@acme.example\ufeff", "ada@acme.example"),
        ("\uff41da\uff20acme.example", "ada@acme.example"),
        ("ada@faß.example", "ada@xn--fa-hia.example"),
        ("ada+news@acme.example", "ada+news@acme.example"),
        ("a.d.a@gmail.com", "a.d.a@gmail.com"),
        ("no address", ""),
    ],
)
def test_address_key(text: str, key: str) -> None:
    assert address_key(text) == key


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("Ada+news@acme.example", "ada@acme.example"),
        ("a.d.a+x@googlemail.com", "ada@gmail.com"),
        ("a.d.a@acme.example", "a.d.a@acme.example"),
        ("+@acme.example", "+@acme.example"),
        ("nobody", ""),
    ],
)
def test_suppression_key_is_the_widest(address: str, key: str) -> None:
    assert suppression_key(address) == key


@pytest.mark.parametrize(
    ("cell", "usable", "masked", "junk"),
    [
        ("ada@acme.example; Omar <omar@acme.example>", ("ada@acme.example", "omar@acme.example"), 0, 0),
        ("ada@acme.example ADA@acme.example", ("ada@acme.example",), 0, 0),
        ("...@acme.example", (), 1, 0),
        ("***@acme.example", (), 1, 0),
        ("a***a@acme.example|ada@acme.example", ("ada@acme.example",), 1, 0),
        ("you@example.com, logo@2x.png", (), 0, 2),
        ("ada @ acme.example", ("ada@acme.example",), 0, 0),
        ("ada(at)acme.example", ("ada@acme.example",), 0, 0),
        ("@acme", (), 0, 1),
        ("", (), 0, 0),
    ],
)
def test_find_addresses(cell: str, usable: tuple[str, ...], masked: int, junk: int) -> None:
    found = find_addresses(cell)
    assert (found.usable, len(found.masked), len(found.junk)) == (usable, masked, junk)


def test_role_inboxes_and_free_mail() -> None:
    assert is_role_inbox("Info+x@acme.example")
    assert not is_role_inbox("ada@acme.example")
    assert is_free_mail("ada@GMAIL.com")
    for host in ("gmail.com", "yahoo.co.uk", "t-online.de", "orange.fr", "btinternet.com", "tuta.com"):
        assert is_free_mail(host)
    assert not is_free_mail("acme.example")


# --- names ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("Acme", "ACME, Inc.", True),
        ("Acme AG", "Acme", True),
        ("Acme S.A.", "Acme", True),
        ("Testcorp Pte Ltd", "Testcorp", True),
        ("Café & Co", "Cafe and Co", True),
        ("Acme (formerly Zenith)", "Acme", True),
        ("Quill", "Quill Group", False),
        ("Sprout", "Sprout ag", False),
        ("Acme", "Acme Holding", False),
    ],
)
def test_company_key(left: str, right: str, same: bool) -> None:
    assert (company_key(left) == company_key(right)) is same


def test_company_names_in_brackets_are_aliases() -> None:
    assert company_aliases("Acme (formerly Zenith)") == ("Zenith",)
    assert names_no_company("Stealth Startup")
    assert names_no_company("Self-Employed")
    assert names_no_company("Career Break")
    assert names_no_company("Independent Consultant ")
    assert not names_no_company("Stealth Robotics")


@pytest.mark.parametrize(
    ("text", "first", "last", "key"),
    [
        ("Ada Testwell", "Ada", "Testwell", "adatestwell"),
        ("Dr. Jürgen Müller-Lüdenscheidt", "Jürgen", "Müller-Lüdenscheidt", "jurgenmullerludenscheidt"),
        ("ADA TESTWELL", "Ada", "Testwell", "adatestwell"),
        ("Omar Bin Sample", "Omar", "Bin Sample", "omarbinsample"),
        ("omar binsample", "Omar", "Binsample", "omarbinsample"),
        ("Rosa (she/her) Quill, PhD 🚀", "Rosa", "Quill", "rosaquill"),
        ("Testwell, Ada", "Ada", "Testwell", "adatestwell"),
        ("Omar Brightly, III", "Omar", "Brightly", "omarbrightly"),
        ("J D", "J", "D", "jd"),
        ("J.D.", "J.D.", "", "jd"),
        ("Ada", "Ada", "", "ada"),
        ("", "", "", ""),
    ],
)
def test_parse_name(text: str, first: str, last: str, key: str) -> None:
    name = parse_name(text)
    assert (name.first, name.last, name.key) == (first, last, key)


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("Ada Testwell, Omar Brightly, III", ("Ada Testwell", "Omar Brightly, III")),
        ("Rosa Quill, PhD, Ada Testwell", ("Rosa Quill, PhD", "Ada Testwell")),
        ("Ada Testwell & Rosa Quill", ("Ada Testwell", "Rosa Quill")),
        ("", ()),
    ],
)
def test_split_people(cell: str, names: tuple[str, ...]) -> None:
    assert split_people(cell) == names


@pytest.mark.parametrize(
    ("left", "right", "fit", "like"),
    [
        ("Ada Testwell", "Ada Testwell", True, True),
        ("Ada Testwell", "Ada", True, True),
        ("A. Testwell", "Ada Testwell", True, True),
        ("Mei Lin Test", "Test Mei", True, True),
        ("Dan Testwell", "Daniel Testwell", False, True),
        ("Milo Brightly", "Mila Brightly", False, True),
        ("Ada Testwell", "Ada Quill", False, False),
        ("Rosa Quill Jr", "Rosa Quill III", False, True),
        ("", "Ada Testwell", True, False),
    ],
)
def test_names_that_may_be_one_persons(left: str, right: str, fit: bool, like: bool) -> None:
    assert compatible(parse_name(left), parse_name(right)) is fit
    assert bool(alike(parse_name(left), parse_name(right))) is like


# --- values ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "precision", "date"),
    [
        ("2018-01-01", "year", "2018"),
        ("2018-03-01", "month", "2018-03"),
        ("2018-03-05", "day", "2018-03-05"),
        ("2018-03-05", "none", ""),
        ("2018-03-05", "", "2018-03-05"),
        ("2017", "", "2017"),
        ("Aug-18", "", "2018-08"),
        ("18-May", "", "2018-05"),
        ("44658", "", "2022-04-07"),
        ("11-Mar-64", "", "1964-03-11"),
        ("27-Jun-21", "", "2021-06-27"),
        ("Jan 1, 2012", "", "2012-01-01"),
        ("01-May-2022", "", "2022-05-01"),
        ("1/8/18, 6:14 PM", "", "2018-01-08"),
        ("2025-05-22T19:30:26+00:00", "", "2025-05-22"),
        ("1776-07-04", "", ""),
        ("2018-02-31", "", ""),
        ("soon", "", ""),
    ],
)
def test_parse_date(cell: str, precision: str, date: str) -> None:
    assert parse_date(cell, precision) == date


@pytest.mark.parametrize(
    ("cells", "money"),
    [
        (("$1,50,00,000.00",), Money(15_000_000, "USD")),
        (("$16M",), Money(16_000_000, "USD")),
        (("€1,500,000",), Money(1_500_000, "EUR")),
        (("SAR 1,000,000",), Money(1_000_000, "SAR")),
        (("2200000", "GBP", "2900000"), Money(2_200_000, "GBP", 2_900_000)),
        (("500M€",), Money(500_000_000, "EUR")),
        (("1,3 M€",), Money(1_300_000, "EUR")),
        (("$1,5M",), Money(1_500_000, "USD")),
        (("1.500.000,00 €",), Money(1_500_000, "EUR")),
        (("750.000 €",), Money(750_000, "EUR")),
        (("2.500,50 €",), Money(2_500, "EUR")),
        (("$1.500M",), Money(1_500_000, "USD")),
        (("0.750",), Money(1)),
        (("$2.4 million",), Money(2_400_000, "USD")),
        (("2,5 Mio. €",), Money(2_500_000, "EUR")),
        (("₩6,00,00,00,000",), Money(6_000_000_000, "KRW")),
        (("CA$600,000",), Money(600_000, "CAD")),
        (("5 MXN",), Money(5, "MXN")),
        (("10mn USD",), Money(10_000_000, "USD")),
        (("1.2.3",), None),
        (("$1M to $10M",), None),
        (("Less than $1M",), None),
        (("",), None),
    ],
)
def test_parse_money(cells: tuple[str, ...], money: Money | None) -> None:
    assert parse_money(*cells) == money


@pytest.mark.parametrize(
    ("cell", "bracket"),
    [
        ("10-Jan", "1-10"),
        ("Nov-50", "11-50"),
        ("37", "11-50"),
        ("20,000", "10001+"),
        ("51-100", "51-100"),
        ("0", ""),
        ("many", ""),
    ],
)
def test_parse_employees(cell: str, bracket: str) -> None:
    assert parse_employees(cell) == bracket


@pytest.mark.parametrize(
    ("cell", "place"),
    [
        ("Berlin, Berlin, Germany", ("Berlin", "Berlin", "Germany")),
        ("Edinburgh, Edinburgh, City of, United Kingdom", ("Edinburgh", "Edinburgh, City of", "United Kingdom")),
        ("Bahrain, Asia", ("", "", "Bahrain")),
        ("", ("", "", "")),
    ],
)
def test_parse_location(cell: str, place: tuple[str, str, str]) -> None:
    assert parse_location(cell) == place


def test_emptiness_depends_on_what_the_cell_is() -> None:
    assert [text_value(cell) for cell in ("N/A", "#REF!", "\ufffd\ufffd", "TBD", "–", "Berlin")] == [""] * 5 + [
        "Berlin"
    ]
    assert [company_name(cell) for cell in ("None", "Undisclosed", "#NAME?", "—")] == ["None", "Undisclosed", "", ""]
    assert person_name("Ada", "Na") == "Ada Na"
    assert person_name("N/A", "-") == ""


def test_the_formula_guard_comes_off_and_goes_on() -> None:
    assert [text_value(cell) for cell in ("Not Available", "not found", "Nothing Inc", "Notional")] == [
        "", "", "Nothing Inc", "Notional",
    ]  # fmt: skip
    assert text_value("'+44 20") == "+44 20"
    assert guarded("=SUM(A1)") == "'=SUM(A1)"
    assert guarded("Acme") == "Acme"
    for cell in (" =1+1", "＝1+1", "\u3000＠x", "\n=1"):
        assert (guarded(cell), unguarded(guarded(cell))) == (f"'{cell}", cell)
    assert [unguarded(cell) for cell in ("'Acme", "' Acme", "''", "'")] == ["'Acme", "' Acme", "''", "'"]


@pytest.mark.parametrize(
    ("name", "date"),
    [
        ("companies-9-24-2025 (1).csv", "2025-09-24"),
        ("companies-26-06-2018.csv", "2018-06-26"),
        ("list-2024-02-03.csv", "2024-02-03"),
        ("companies-13-13-2025.csv", None),
        ("startups.csv", None),
    ],
)
def test_export_date(name: str, date: str | None) -> None:
    found = export_date(name)
    assert (found.isoformat() if found else None) == date


# --- once is as good as twice -----------------------------------------------------------------------

_MESSY = st.text(st.characters(codec="utf-8") | st.sampled_from(" <>@.,()+-'\"[]\u200b\u0301"), max_size=30)


@given(_MESSY)
def test_normalisers_are_idempotent(text: str) -> None:
    for normalize in (address_key, suppression_key, normalize_host, text_value, company_name, host_of):
        once = normalize(text)
        assert normalize(once) == once, normalize


@given(st.lists(st.sampled_from(["www", "a", "acme", "x-y", "7", "-", "", "co", "uk"]), max_size=5).map(".".join))
def test_a_plain_address_has_the_host_of_the_same_address_in_capitals(host: str) -> None:
    for around in ("{}", "https://{}", "http://www.{}/", "www.{}", "https://www.www.{}/"):
        url = around.format(host)
        assert host_of(url) == host_of(url.upper()) == host_of(f" {url}?x=1")


@given(st.integers(0, 10**16).map(str))
def test_an_amount_in_digits_is_the_same_amount_with_a_sign(digits: str) -> None:
    assert parse_money(digits, "EUR", digits) == parse_money(f" {digits}.0 ", "EUR", f"${digits}")


@given(_MESSY)
def test_keys_of_keys_are_themselves(text: str) -> None:
    key = company_key(text)
    assert company_key(key) == key
    words = parse_name(text).key
    assert parse_name(words).key == words


@given(_MESSY)
def test_what_is_guarded_comes_back(text: str) -> None:
    assert unguarded(guarded(text)) == text or text.startswith("'")


@given(_MESSY, _MESSY)
def test_compatibility_has_no_direction(left: str, right: str) -> None:
    one, other = parse_name(left), parse_name(right)
    assert compatible(one, other) == compatible(other, one)
    assert bool(alike(one, other)) == bool(alike(other, one))


@given(_MESSY)
def test_usable_addresses_are_canonical(cell: str) -> None:
    for address in find_addresses(cell).usable:
        assert address_key(address) == address


@pytest.mark.parametrize(
    ("text", "tidy"),
    [
        ("Dr. Ada Testwell, PhD 🚀 (she/her)", "Ada Testwell"),
        ("OMAR BRIGHTLY III", "Omar Brightly, III"),
        ("Testwell, Ada", "Ada Testwell"),
        ("Rosa🚀 Quill Jr.", "Rosa Quill, Jr"),
        ("Na Null", "Na Null"),
        ("🚀", ""),
        ("", ""),
        ('James "Tyler" Testwell', "James Testwell"),
        ("“Max” Brightly", "Max Brightly"),
        ("Tom “TJ” O'Quill", "Tom O'Quill"),
        ("TOM O'QUILL-D’ARBY", "Tom O'Quill-D’Arby"),
        ("ng'ang'a quill", "Ng'ang'a Quill"),
    ],
)
def test_tidy_name(text: str, tidy: str) -> None:
    assert tidy_name(text) == tidy
    assert tidy_name(tidy) == tidy


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("Ada Testwell, Omar Brightly, III", ("Ada Testwell", "Omar Brightly, III")),
        ("Rosa Quill, PhD, MBA, Bo Sample", ("Rosa Quill, PhD, MBA", "Bo Sample")),
        ("Rosa Quill, Ph.D., Bo Sample", ("Rosa Quill, Ph.D.", "Bo Sample")),
        ("Ada Testwell,Omar Brightly", ("Ada Testwell", "Omar Brightly")),
        ("Ada Testwell; Omar Brightly & Bo Sample", ("Ada Testwell", "Omar Brightly", "Bo Sample")),
        (", ,", ()),
        ("", ()),
    ],
)
def test_split_people_with_and_without_the_short_way(cell: str, names: tuple[str, ...]) -> None:
    assert split_people(cell) == names


@given(st.from_regex(r"[a-z0-9_.+-]{1,8}@[a-z0-9.-]{1,10}\.(?:example|png|com)", fullmatch=True))
def test_the_short_way_to_an_address_agrees_with_the_long_one(text: str) -> None:
    if is_plain_address(text):
        assert (address_key(text), is_address(text)) == (text, True)
        assert find_addresses(f" {text} ").usable == (text,)


@given(st.text(max_size=60))
def test_the_short_way_to_a_value_agrees_with_the_long_one(text: str) -> None:
    assert text_value(text) == text_value(f" {text} ") or text[:1] == "'"


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("2018/5/6", "2018-05-06"),
        ("2018.0", "2018"),
        ("26/06/2018", "2018-06-26"),
        ("1/8/18, 6:14 PM", "2018-01-08"),
        ("2025-05-22T19:30:26+00:00", "2025-05-22"),
        ("30 May 2024", "2024-05-30"),
        ("01-May-2022", "2022-05-01"),
        ("Jul 10", "2010-07"),
        ("99/99/2018", ""),
    ],
)
def test_more_dates(cell: str, found: str) -> None:
    assert parse_date(cell) == found


def test_a_cell_of_lost_characters_only_is_empty() -> None:
    for cell in ("\ufffd", "\ufffd" * 40):
        assert (text_value(cell), company_name(cell)) == ("", "")
    assert text_value("\ufffd" * 12 + "x") == "\ufffd" * 12 + "x"


def test_money_in_millions_and_in_dollars() -> None:
    assert parse_millions("1.5") == Money(1_500_000, "USD", 1_500_000)
    assert parse_dollars("$16M") == Money(16_000_000, "USD", 16_000_000)
    assert parse_money("2.2E+06", "EUR") == Money(2_200_000, "EUR")
    assert parse_money("9" * 300) is None
    assert parse_money("9" * 150 + "T") is None
    assert parse_millions("") is None
