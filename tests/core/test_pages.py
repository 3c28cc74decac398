"""Addresses on pages: what a visitor can read is found, and nothing is made up."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.core.pages import on_site, read_page, worth_reading

URL = "https://www.acme.example/"


def protected(address: str, key: int = 0x42) -> str:
    """As Cloudflare writes it."""
    return f"{key:02x}" + "".join(f"{ord(character) ^ key:02x}" for character in address)


def found(html: str) -> list[str]:
    return [seen.address for seen in read_page(html, URL).addresses]


@pytest.mark.parametrize(
    ("html", "address"),
    [
        ("<p>ada@acme.example</p>", "ada@acme.example"),
        ("<p>Ada.Testwell@ACME.example.</p>", "ada.testwell@acme.example"),
        ("<p>ada [at] acme.example</p>", "ada@acme.example"),
        ("<p>ada(at)acme(dot)example</p>", "ada@acme.example"),
        ("<p>ada {at} acme {dot} example</p>", "ada@acme.example"),
        ("<p>ada [ at ] acme [ punkt ] example</p>", "ada@acme.example"),
        ("<p>ada at acme dot example</p>", "ada@acme.example"),
        ("<p>&#97;da&#64;acme&#46;example</p>", "ada@acme.example"),
        ("<a href='mailto:ada@acme.example?subject=hi'>write</a>", "ada@acme.example"),
        ("<a href='mailto:ada%40acme.example'>write</a>", "ada@acme.example"),
        ("<a href='&#109;ailto:ada@acme.example'>write</a>", "ada@acme.example"),
        ("<p>a<b>da</b>@acme.<span>example</span></p>", "ada@acme.example"),
        ("<p>ada<!-- x -->@acme.example</p>", "ada@acme.example"),
        (f"<a class='__cf_email__' data-cfemail='{protected('ada@acme.example')}'>x</a>", "ada@acme.example"),
        (f"<a href='/cdn-cgi/l/email-protection#{protected('ada@acme.example')}'>x</a>", "ada@acme.example"),
        ("<span style='unicode-bidi:bidi-override; direction: rtl'>elpmaxe.emca@ada</span>", "ada@acme.example"),
        ("<script>var m = 'ada' + '@' + \"acme.example\";</script>", "ada@acme.example"),
        ('<script type="application/ld+json">{"email": "mailto:ada@acme.example"}</script>', "ada@acme.example"),
        ("<p>ada@bücher.example</p>", "ada@xn--bcher-kva.example"),
        ("<p>o'neil@acme.example</p>", "o'neil@acme.example"),
    ],
)  # fmt: skip
def test_what_a_visitor_can_read_is_found(html: str, address: str) -> None:
    assert found(html) == [address]


@pytest.mark.parametrize(
    "html",
    [
        "<p>meet us at acme.example</p>",
        "<p>Look at our blog dot com era</p>",
        "<p>us @ acme</p>",
        "<!-- trap@acme.example -->",
        "<p style='display:none'>trap@acme.example</p>",
        "<p style='visibility: hidden'>trap@acme.example</p>",
        "<p hidden>trap@acme.example</p>",
        "<a style='display:none' href='mailto:trap@acme.example'>x</a>",
        "<div hidden><a href='mailto:trap@acme.example'>x</a></div>",
        f"<p hidden><a data-cfemail='{protected('trap@acme.example')}'>x</a></p>",
        "<p>x@2x.png y@3x.webp z@2x.avif w@1.5x.jpeg v@2x.svg u@3x.heic</p>",
        "<template>trap@acme.example</template>",
        "<noscript>trap@acme.example</noscript>",
        "<img src='logo@2x.png'>logo@2x.png",
        "<p>***@acme.example</p>",
        "<p>name@example.com</p>",
        "<p>you@company.com</p>",
        "<a data-cfemail='zz'>x</a><a data-cfemail='4'>x</a><a data-cfemail='00'>x</a>",
        "<p>ada@</p><p>acme.example</p>",
        "<a href='mailto:'>x</a>",
    ],
)
def test_nothing_is_made_up(html: str) -> None:
    assert found(html) == []


def test_the_words_around_an_address_go_with_it() -> None:
    (seen,) = read_page(
        "<div><h3>Ada Testwell</h3><p>CEO, <a href='mailto:at@acme.example'>mail</a></p></div>", URL
    ).addresses
    assert "Ada Testwell" in seen.near


@pytest.mark.parametrize(
    "written",
    [
        "<a href='mailto:ada@acme.example'>mail</a>", "ada@acme.example", "ada [at] acme.example",
        f"<a data-cfemail='{protected('ada@acme.example')}'>[email protected]</a>",
    ],
)  # fmt: skip
def test_the_words_are_those_of_the_place_however_it_is_written(written: str) -> None:
    html = f"<p>Bo Quill {'and others ' * 30}</p><p>Ada Testwell</p>{written}<p>Cy Brightly {'and others ' * 30}</p>"
    (seen,) = read_page(html, URL).addresses
    before, _, after = seen.near.partition("ada@acme.example")
    assert before.split()[-2:] == ["Ada", "Testwell"]
    assert "Cy Brightly" in after
    assert "Bo" not in before


def test_a_name_in_a_mail_link_goes_with_it() -> None:
    (seen,) = read_page("<a href='mailto:Ada%20Testwell%20%3Cat%40acme.example%3E'>write</a>", URL).addresses
    assert seen.near == "Ada Testwell at@acme.example write"


def test_links_stay_on_the_site_and_the_best_come_first() -> None:
    html = (
        "<a href='/blog/why'>b</a><a href='contact#form'>c</a><a href='https://jobs.acme.example/team'>t</a>"
        "<a href='//evil.example/team'>e</a><a href='https://linkedin.com/in/ada'>l</a><a href='javascript:x'>j</a>"
        "<a href='http://[::1/'>bad</a><a href='/%C3%BCber-uns'>u</a>"
    )
    links = read_page(html, URL).links
    assert "https://jobs.acme.example/team" in links
    assert all(on_site(link, "acme.example") for link in links)
    assert worth_reading(links, 3) == (
        "https://jobs.acme.example/team", "https://www.acme.example/contact", "https://www.acme.example/%C3%BCber-uns",
    )  # fmt: skip


@pytest.mark.parametrize("depth", [50, 5_000, 100_000])
def test_deep_pages_are_cut(depth: int) -> None:
    assert read_page("<div>" * depth + "ada@acme.example", URL) is not None


@pytest.mark.parametrize("filler", [" ", "\n", "a ", "a at ", "( ", "'+", "a@", "a.", "<p>", "&nbsp;", "at dot "])
def test_no_page_costs_more_than_its_length(filler: str) -> None:
    """Patterns that backtrack would not come to an end here."""
    page = f"<p>{filler * 100_000}</p><script>{filler * 100_000}</script><p>ada [at] acme.example</p>"
    assert read_page(page, URL) is not None


def test_a_page_that_runs_from_right_to_left_is_not_read_backwards_again_and_again() -> None:
    """Each of many nested elements would turn all of the text round: minutes for one page."""
    inside = "elpmaxe.emca@ada " * 20_000
    assert found("<div style='direction:rtl'>" * 190 + inside) == []


def test_a_page_of_addresses_is_cut() -> None:
    repeated = "<p>ada@acme.example, Ada</p>" + "".join(f"<p>{n} ada@acme.example</p>" for n in range(9))
    assert len(read_page(repeated, URL).addresses) == 3
    html = " ".join(f"<p>a{number}@acme.example</p>" for number in range(1_000))
    assert len(read_page(html, URL).addresses) == 200


@settings(deadline=None)  # a busy machine is no fault
@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=400))
def test_any_page_is_read(text: str) -> None:
    for wrapped in (text, f"<p>{text}</p>", f"<a href='mailto:{text}'>x</a>", f"<script>{text}</script>"):
        for seen in read_page(wrapped, URL).addresses:
            assert seen.address.count("@") == 1
