"""Which of our mails a message is about."""

from datetime import timedelta

import pytest

from outreach.core.classify import is_report
from outreach.core.matching import Found, Match, Prospect, clues_of, find_match, plain_address, topic
from tests.mails import ARRIVED_AT, ME, OUR_ID, OUR_TOKEN, SENT_AT, answer, mail, read, report, sent

BO = Prospect(7, "bo@bo.example", 3, "bo.example", 2, SENT_AT)


def match(raw: bytes, *mails: object, prospects: tuple[Prospect, ...] = ()) -> Match | None:
    arrival = read(raw)
    clues = clues_of(arrival, report=is_report(arrival), own=frozenset((ME,)))
    return find_match(clues, Found(tuple(mails), prospects), arrival.sent_at)  # type: ignore[arg-type]  # SentMail only


@pytest.mark.parametrize(
    "raw",
    [
        answer(),
        mail(references=f"<else@x.example> {OUR_ID}"),
        mail(in_reply_to=f"<else@x.example>\n {OUR_ID}"),
        mail(x_ms_exchange_parent_message_id=OUR_ID),
        mail(to=f"ada+{OUR_TOKEN}@ada.example"),
        mail(delivered_to=f"ada+u-{OUR_TOKEN.upper()}@ada.example"),
        mail(subject=f"unsubscribe {OUR_TOKEN}", sender="someone@else.example"),
        mail(f"forwarded\nX-Outreach-Id: {OUR_TOKEN}\n", sender="someone@else.example"),
        mail(f"This came back: {OUR_ID}", sender="someone@else.example"),
        report(recipient="else@x.example"),
    ],
)
def test_ids_and_tokens_prove(raw: bytes) -> None:
    found = match(raw, sent())
    assert found is not None
    assert (found.founder_id, found.proof) == (7, True)


def test_the_newest_id_wins_over_older_ones() -> None:
    second = sent(id=2, message_id="<or.second@ada.example>", step=2)
    found = match(mail(references=f"{OUR_ID} <or.second@ada.example>"), sent(), second)
    assert found is not None
    assert found.mail == second


def test_a_rewritten_id_is_known_too() -> None:
    from dataclasses import replace

    rewritten = replace(sent(), wire_message_id="<AM0PR01@eur.prod.example>")
    assert match(mail(in_reply_to="<AM0PR01@eur.prod.example>"), rewritten)


def test_a_colleague_in_the_thread_is_about_the_person_we_wrote_to() -> None:
    found = match(answer(sender="Cy <cy@bo.example>"), sent())
    assert found is not None
    assert found.founder_id == 7


def test_an_auto_reply_without_ids_is_matched_by_its_sender() -> None:
    found = match(mail(), sent(), prospects=(BO,))
    assert found is not None
    assert (found.mail, found.proof) == (sent(), False)


def test_of_several_mails_the_sender_answers_the_newest_before() -> None:
    later = sent(id=2, message_id="<or.x@ada.example>", step=2, sent_at=ARRIVED_AT + timedelta(days=4))
    found = match(mail(), sent(), later, prospects=(BO,))
    assert found is not None
    assert found.mail == sent()


def test_what_they_wrote_before_anything_between_us_is_not_about_us() -> None:
    early = mail(date=SENT_AT - timedelta(days=90))
    assert match(early, sent(), prospects=(BO,)) is None


def test_someone_enrolled_who_writes_first_is_a_match_without_a_mail() -> None:
    found = match(mail(), prospects=(BO,))
    assert found is not None
    assert found.mail is None
    assert found.domains == ("bo.example",)


def test_an_address_mentioned_counts_in_reports_only() -> None:
    text = "Ask bo@bo.example about it."
    assert match(mail(text, sender="x@y.example"), sent()) is None
    found = match(report(returned_id="<else@x.example>"), sent())
    assert found is not None
    assert not found.proof


def test_a_report_that_only_names_an_address_counts_for_two_weeks() -> None:
    assert match(report(returned_id="<else@x.example>"), sent(sent_at=SENT_AT - timedelta(days=30))) is None


def test_a_colleague_with_the_same_subject_is_probable_only() -> None:
    found = match(mail(sender="cy@bo.example", subject="AW: Engineering Work"), sent())
    assert found is not None
    assert found.probable


def test_free_mail_stands_for_no_company() -> None:
    for host in ("gmail.com", "yahoo.co.uk", "orange.fr"):
        free = sent(rcpt=f"bo@{host}", company_domain="")
        assert match(mail(sender=f"cy@{host}"), free) is None
    found = match(answer(), free)
    assert found is not None
    assert found.domains == ()


def test_mail_of_others_is_no_match() -> None:
    assert match(mail(sender="mum@family.example", subject="Sunday"), sent()) is None


@pytest.mark.parametrize(
    ("written", "bare"),
    [
        ("Re: Hello", "hello"),
        ("AW: RE: Fwd: Hello", "hello"),
        ("Re[2]: Hello", "hello"),
        ("RÉP : Hello", "hello"),
        ("Antw: Odp: Hello: world", "hello: world"),
        ("回复: Hello", "hello"),
        ("Hello", "hello"),
        ("", ""),
    ],
)
def test_subjects_without_prefixes(written: str, bare: str) -> None:
    assert topic(written) == bare


@pytest.mark.parametrize(
    "written",
    [
        "rfc822; bo@bo.example",
        "rfc822;<Bo@BO.example>",
        "rfc822;bo@bo.example;",
        "bo@bo.example",
        "prvs=1234abcd=bo@bo.example",
        "SRS0=xyz=AB=bo.example=bo@forward.example",
    ],
)
def test_addresses_of_reports(written: str) -> None:
    assert plain_address(written) == "bo@bo.example"
