"""The new text of a reply: in any language, from any client, better than a library that does not know what was sent."""

import pytest

from outreach.core.reply_text import read_reply
from tests.labelled.replies import LANGUAGES, all_answers
from tests.labelled.texts import NAMES, measure, ours, ours_unknown, quotequail
from tests.mails import OUR_TEXT, answer, read


def test_the_set_is_wide() -> None:
    names = [each.name for each in all_answers()]
    assert len(names) == len(set(names)) >= 150
    assert len(LANGUAGES) >= 15
    assert len({name.partition("-")[2] for name in names}) >= 12


@pytest.mark.parametrize("html", [False, True])
def test_what_was_sent_is_the_best_knife(html: bool) -> None:
    found, library = measure(ours, html=html), measure(quotequail, html=html)
    assert found.near >= 0.97
    assert found.lost <= 0.01
    assert found.leaked <= 0.02
    assert found.near >= library.near + 0.2


@pytest.mark.parametrize(("html", "near", "lost"), [(False, 0.7, 0.05), (True, 0.75, 0.16)])
def test_without_knowing_what_was_sent(html: bool, near: float, lost: float) -> None:
    found = measure(ours_unknown, html=html)
    assert found.near >= near
    assert found.lost <= lost


@pytest.mark.parametrize("language", LANGUAGES)
def test_answers_between_the_lines_lose_nothing(language: str) -> None:
    wanted = LANGUAGES[language].answer.splitlines()[0]
    quoted = [f"> {line}" for line in OUR_TEXT.splitlines()]
    body = "\n".join([LANGUAGES[language].attribution, *quoted[:4], "", wanted, "", *quoted[4:], "", "Bo"])
    found = read_reply(read(answer(body)), (OUR_TEXT,), NAMES)
    assert found.inline
    assert wanted in found.new
    assert "hospital records" not in found.new
