"""How a careful writer puts things, for names and companies of many countries."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.core.wording import (
    day_in_words,
    given_name,
    in_words,
    money_in_words,
    month_in_words,
    short_company,
    weekday_in_words,
    with_article,
    years_ago,
)

TODAY = date(2026, 3, 2)

GREETED = [
    ("Ada Lovelace", "Ada"),
    ("ADA LOVELACE", "Ada"),
    ("ada lovelace", "Ada"),
    ("Dr. Müller-Lüdenscheidt", ""),  # only a family name: nobody says "Hi Müller-Lüdenscheidt"
    ("Dr. Jürgen Müller-Lüdenscheidt, PhD", "Jürgen"),
    ("Prof. Dr. Anna Schmidt", "Anna"),
    ("Herr Schmidt", ""),
    ("Ms Chen", ""),
    ("Sir Tim Berners-Lee", "Tim"),
    ("Mr. Jo Smith", "Jo"),
    ("J. Smith", ""),
    ("J.R. Ewing", ""),
    ("J Smith", ""),
    ("F. Scott Fitzgerald", "Scott"),
    ("M Night Shyamalan", "Night"),
    ("JP Morgan", "JP"),
    ("Testwell, Ada", "Ada"),
    ("Omar Brightly, III", "Omar"),
    ("DUPONT Jean", "Jean"),
    ("Jean-Luc Picard", "Jean-Luc"),
    ("jean-luc picard", "Jean-Luc"),
    ("Vincent van Gogh", "Vincent"),
    ("van Gogh", ""),
    ("de la Cruz", ""),
    ("Madonna", "Madonna"),
    ("X", ""),
    ("", ""),
    ("Nguyễn Văn An", "Nguyễn Văn An"),  # in either order: said whole
    ("Zhang Wei", "Zhang Wei"),
    ("王小明", "王小明"),
    ("김민준", "김민준"),
    ("佐藤 花子", "佐藤 花子"),
    ("יוסי כהן", "יוסי כהן"),
    ("محمد علي", "محمد علي"),
    ("प्रिया शर्मा", "प्रिया शर्मा"),
    ("Abdul Rahman Khan", "Abdul Rahman"),
    ("Abu Bakr al-Sid", "Abu Bakr"),
    ("Ада Тестова", "Ада"),
    ("Δημήτρης Παπαδόπουλος", "Δημήτρης"),
    ("Ólafur Ragnar Grímsson", "Ólafur"),
    ("Åsa Öberg", "Åsa"),
    ("María José Núñez", "María"),
    ("Ngozi Okonjo-Iweala", "Ngozi"),
    ("D'Angelo Russell", "D'Angelo"),
    ("Dr O'Brien", ""),
    ("Siân Jones", "Siân"),
    ("Włodzimierz Kowalski", "Włodzimierz"),
    ("Kim Larsen", "Kim"),
]


@pytest.mark.parametrize(("full", "first"), GREETED)
def test_how_somebody_is_greeted(full: str, first: str) -> None:
    assert given_name(full) == first


def test_what_a_list_says_of_the_first_name_is_believed_unless_it_is_none() -> None:
    assert given_name("Robert Smith", "Bob", "Smith") == "Bob"
    assert given_name("nguyen van an", "An", "Nguyen") == "An"
    assert given_name("J. Smith", "J.", "Smith") == ""
    assert given_name("Dr. Müller", "Dr.", "Müller") == ""
    assert given_name("ADA LOVELACE", "ADA", "LOVELACE") == "Ada"
    assert given_name("Dr. Müller-Lüdenscheidt", "Müller-Lüdenscheidt", "") == ""


COMPANIES = [
    ("Acme, Inc.", "Acme"), ("Acme Inc", "Acme"), ("Acme LLC", "Acme"), ("Acme (formerly Zenith)", "Acme"),
    ("Müller GmbH & Co. KG", "Müller"), ("SAP SE", "SAP"), ("Ferrari S.p.A.", "Ferrari"), ("Ferrari SpA", "Ferrari"),
    ("Equinor ASA", "Equinor"), ("Novo A/S", "Novo"), ("Spotify AB", "Spotify"), ("Kone Oyj", "Kone"),
    ("Nubank S.A.", "Nubank"), ("Embraer Ltda.", "Embraer"), ("Petronas Sdn. Bhd.", "Petronas"),
    ("Allegro sp. z o.o.", "Allegro"), ("Škoda a.s.", "Škoda"), ("Bolt Technology OÜ", "Bolt Technology"),
    ("Acme Private Limited", "Acme"), ("Huawei Technologies Co., Ltd.", "Huawei Technologies"),
    ("株式会社メルカリ", "メルカリ"), ("华为技术有限公司", "华为技术"), ("ООО «Ромашка»", "Ромашка"),
    ("PT Gojek Indonesia Tbk", "Gojek Indonesia"), ("Ben & Jerry's Inc.", "Ben & Jerry's"),
    ("Tiffany & Co.", "Tiffany & Co."), ("The Honest Company", "The Honest Company"), ("Urban Spa", "Urban Spa"),
    ("Save As", "Save As"), ("Ab Initio", "Ab Initio"), ("Quill Labs", "Quill Labs"), ("Inc.", "Inc."), ("", ""),
]  # fmt: skip


@pytest.mark.parametrize(("name", "short"), COMPANIES)
def test_a_company_as_people_call_it(name: str, short: str) -> None:
    assert short_company(name) == short


@given(st.text(max_size=40))
def test_shortening_ends_and_leaves_something(name: str) -> None:
    short = short_company(name)
    assert short_company(short) == short or len(short_company(short)) < len(short)
    assert bool(short) == bool(name.split() and short)
    assert given_name(name) == given_name(given_name(name)) or not given_name(given_name(name))


PHRASES = """
an AI company, a fintech, a European bank, an HR team, an hour, a university, a unicorn, an uninsured person,
an 8-person team, an 11-50 range, an 18th floor, an 80 person team, a 1800 m race, a 110 m race, an MBA, a NASA lab,
an honest try, a one-off, an e-bike, an X-ray, a SaaS tool, an API, a user, an Uber, a UX lab, an F1 team, an heir,
a UK startup, an urban farm, a utility, an $8 million round, a $2.5 million round, an €11 million round
"""


@pytest.mark.parametrize("phrase", [phrase.strip() for phrase in PHRASES.split(",")])
def test_a_or_an(phrase: str) -> None:
    assert with_article(phrase.partition(" ")[2]) == phrase


def test_lists_money_and_dates() -> None:
    assert in_words(["A"]) == "A"
    assert in_words(["A", "B", "C"]) == "A, B and C"
    assert in_words(["A", "B", "C"], 2, "or") == "A or B"
    said = {"$2,500,000": "$2.5 million", "16000000 EUR": "€16 million", "CHF 750000": "CHF 750,000",
            "1.05B USD": "$1.1 billion", "12": "12", "some": ""}  # fmt: skip
    assert {amount: money_in_words(amount) for amount in said} == said
    assert [years_ago(when, TODAY) for when in ("2021-05", "2025", "2026-01", "2010", "2027", "x")] == [
        "five years ago", "last year", "this year", "16 years ago", "", "",
    ]  # fmt: skip
    assert [month_in_words(when) for when in ("2024-05-03", "May-24", "2024", "")] == [
        "May 2024",
        "May 2024",
        "2024",
        "",
    ]
    assert (day_in_words("2024-05-03"), weekday_in_words("2024-05-03"), day_in_words("2024-05")) == (
        "3 May",
        "Friday",
        "",
    )
