"""What a person wrote, without what they quoted."""

# ruff: noqa: E501  one case, one line: a table reads better wide

import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quotequail import unwrap

from outreach.core.reply_text import _MAY_QUOTE, ReplyText, read_reply
from tests.mails import OUR_TEXT, mail, read

NAMES = ("Ada Testwell", "ada@ada.example")
QUOTED = textwrap.indent(OUR_TEXT, "> ", lambda _line: True)
WRAPPED = textwrap.indent(textwrap.fill(" ".join(OUR_TEXT.split()), 50), "> ")
BARE_WRAPPED = textwrap.fill(" ".join(OUR_TEXT.split()), 44)

ATTRIBUTIONS = [
    "On Mon, Mar 2, 2026 at 9:30 AM Ada Testwell <ada@ada.example> wrote:",
    "On Mon, 2 Mar 2026 at 09:30, Ada Testwell\n<ada@ada.example> wrote:",
    "Am 02.03.2026 um 09:30 schrieb Ada Testwell:",
    "Le lun. 2 mars 2026 à 09:30, Ada Testwell <ada@ada.example> a écrit :",
    "El lun, 2 mar 2026 a las 9:30, Ada Testwell (<ada@ada.example>) escribió:",
    "Il giorno lun 2 mar 2026 alle ore 09:30 Ada Testwell <ada@ada.example> ha scritto:",
    "Op ma 2 mrt 2026 om 09:30 schreef Ada Testwell <ada@ada.example>:",
    "pon., 2 mar 2026 o 09:30 Ada Testwell <ada@ada.example> napisał(a):",
    "2026年3月2日(月) 9:30 Ada Testwell <ada@ada.example>:",
    "From: Ada Testwell <ada@ada.example>\nSent: Monday, 2 March 2026 09:30\nTo: Bo Brightly\nSubject: Engineering work\n",
    "-----Original Message-----\nFrom: Ada Testwell <ada@ada.example>\nSent: Monday, 2 March 2026 09:30\nTo: Bo\nSubject: Engineering work\n",
    "Von: Ada Testwell <ada@ada.example>\nGesendet: Montag, 2. März 2026 09:30\nAn: Bo\nBetreff: Engineering work\n",
    "________________________________\nFrom: Ada Testwell <ada@ada.example>\nSent: Monday, 2 March 2026\nTo: Bo\nSubject: x\n",
]  # fmt: skip
NEW = "Yes, we are hiring. Could you call on Thursday?\n\nBo"


def new_text(body: str, sent: tuple[str, ...] = (OUR_TEXT,)) -> ReplyText:
    return read_reply(read(mail(body)), sent, NAMES)


@pytest.mark.parametrize(
    "quote", [QUOTED, WRAPPED, OUR_TEXT, BARE_WRAPPED], ids=["quoted", "wrapped", "bare", "bare wrapped"]
)
@pytest.mark.parametrize("attribution", ATTRIBUTIONS)
def test_the_quote_goes_with_what_introduces_it(attribution: str, quote: str) -> None:
    assert new_text(f"{NEW}\n\n{attribution}\n\n{quote}") == ReplyText(
        NEW, new_text(f"{NEW}\n\n{attribution}\n\n{quote}").full
    )


@pytest.mark.parametrize("attribution", ATTRIBUTIONS[:1] + ATTRIBUTIONS[2:8])
def test_usual_quotes_go_even_if_we_do_not_know_what_was_sent(attribution: str) -> None:
    assert new_text(f"{NEW}\n\n{attribution}\n{QUOTED}", sent=()).new == NEW


def test_an_iphone_quotes_its_attribution_too() -> None:
    body = f"Sounds good\n\nSent from my iPhone\n\n> On 2 Mar 2026, at 09:30, Ada Testwell <ada@ada.example> wrote:\n> \n{QUOTED}"
    assert new_text(body).new == "Sounds good"


@pytest.mark.parametrize("attribution", ["", ATTRIBUTIONS[0], ATTRIBUTIONS[1], ATTRIBUTIONS[9]])
@pytest.mark.parametrize(
    "said",
    [
        "Ada Testwell, this is the 2nd time: remove me from your list.",
        "Hello,\nto Ada Testwell for the 3rd time: remove me.\nBo",
        "Remove me from your list. (it went to ada@ada.example)",
    ],
)
def test_an_answer_that_names_us_is_no_introduction_of_the_quote(said: str, attribution: str) -> None:
    found = new_text(f"{said}\n\n{attribution}\n{QUOTED}")
    assert found.new == said
    assert not found.inline


def test_a_line_that_ends_in_wrote_introduces_a_quote_only_with_a_date_or_an_address() -> None:
    said = 'Hi Ada,\nYou wrote:\n"Are you looking for an engineer?"\nNo, please remove me from your list.'
    assert new_text(said).new == said
    assert new_text(f"{NEW}\n\nOn 2 March 2026 Ada\nwrote:\nsomething else", sent=()).new == NEW


def test_a_short_name_of_ours_in_a_longer_word_is_not_ours() -> None:
    body = f"We are in Canada, ring me at 555 0100\n\nOn 2 March Ada wrote:\n{QUOTED}"
    assert read_reply(read(mail(body)), (OUR_TEXT,), ("Ada", "ada@ada.example")).new.endswith("555 0100")


def test_an_introduction_in_no_known_language_alone_is_no_answer() -> None:
    assert new_text(f"Tarehe 2 Machi 2026, Ada Testwell <ada@ada.example> aliandika:\n{QUOTED}").new == ""


def test_answers_between_the_lines_stay_together() -> None:
    lines = QUOTED.splitlines()
    body = "\n".join(["Hi Ada,", "", *lines[2:4], "", "Nice, where was that?", "", *lines[4:], "", "Bo"])
    found = new_text(body)
    assert found.inline
    assert found.new.split() == ["Hi", "Ada,", "Nice,", "where", "was", "that?", "Bo"]


@pytest.mark.parametrize("quote", [QUOTED, OUR_TEXT])
def test_an_answer_below_the_quote(quote: str) -> None:
    assert new_text(f"{quote}\n\nYes please, when?").new == "Yes please, when?"


def test_only_a_quote_is_no_new_text_but_something_to_show() -> None:
    found = new_text(QUOTED)
    assert found.new == ""
    assert found.shown


def test_a_phrase_of_ours_in_their_words_stays() -> None:
    text = "Are you looking for an engineer, you ask. We are!"
    assert new_text(text).new == text


def test_certain_signatures_go() -> None:
    assert new_text("No thanks.\n-- \nBo Brightly\nCEO").new == "No thanks."
    assert new_text("No thanks.\n\nGet Outlook for Android").new == "No thanks."
    assert new_text("-- \nBo").new == "-- \nBo"


def test_html_is_read_where_there_is_no_plain_text() -> None:
    quote = OUR_TEXT.replace("\n", "<br>")
    html = (
        f'<div>Yes, let us talk.<br>Bo</div><div class="gmail_quote"><div>On Mon, Mar 2, 2026 Ada Testwell wrote:</div>'
        f"<blockquote>{quote}</blockquote></div>"
    )
    arrival = read(mail(html, content_type="text/html; charset=utf-8"))
    assert read_reply(arrival, (OUR_TEXT,), NAMES).new == "Yes, let us talk.\nBo"
    assert read_reply(arrival).new == "Yes, let us talk.\nBo"


@pytest.mark.parametrize("html", ["<div>" * 5_000 + "deep", "<", "<p>&#55296;</p>", "\x00<b>x"])
def test_any_html_is_text(html: str) -> None:
    read_reply(read(mail(html, content_type="text/html"))).shown.encode("utf-8")


def test_long_quotes_do_not_hang() -> None:
    assert new_text("Hello\n" + "> x\n" * 50_000).new == "Hello"


@given(st.text(alphabet=st.sampled_from("ab OnwroteAm .,!-_/<\"'(\n@1"), max_size=120))
def test_what_holds_no_sign_of_a_quote_is_none_for_the_library_either(text: str) -> None:
    if not _MAY_QUOTE.search(text):
        assert unwrap(text) is None
