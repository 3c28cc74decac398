"""SPF, DKIM and DMARC as receivers read them."""

import pytest

from outreach.core.sender_domain import Provider, judge_dkim, judge_dmarc, judge_seen, judge_spf, provider_at

GOOGLE = provider_at("smtp.gmail.com")
KEY = "v=DKIM1; k=rsa; p=MIGfMA0GCSq"


@pytest.mark.parametrize(
    ("records", "ok", "says"),
    [
        (["v=spf1 include:_spf.google.com ~all"], True, "v=spf1 include:_spf.google.com ~all"),
        (["some-site-verification=1", "V=SPF1 a include:_spf.google.com -all"], True, "V=SPF1"),
        (["v=spf1 redirect=_spf.ada.example"], True, "redirect"),
        ([], False, "ada.example has none"),
        (["v=spf10 ~all"], False, "ada.example has none"),
        (["v=spf1 ~all", "v=spf1 include:_spf.google.com ~all"], False, "has 2; receivers obey none"),
        (["v=spf1 include:_spf.google.com +all"], False, "everybody"),
        (["v=spf1 all"], False, "everybody"),
        (["v=spf1 include:mail.example -all"], False, "does not name your provider"),
    ],
)
def test_spf(records: list[str], ok: bool, says: str) -> None:
    found = judge_spf("ada.example", records, GOOGLE)
    assert (found.ok, says in found.says, bool(found.remedy)) == (ok, True, not ok)


def test_the_record_to_publish_is_said() -> None:
    assert judge_spf("ada.example", [], GOOGLE).remedy == 'publish the TXT record "v=spf1 include:_spf.google.com ~all"'


def test_any_record_will_do_for_a_provider_that_is_not_known() -> None:
    assert judge_spf("ada.example", ["v=spf1 mx -all"], provider_at("mail.ada.example")).ok


@pytest.mark.parametrize(
    ("records", "provider", "ok"),
    [
        ({"google": [KEY]}, GOOGLE, True),
        ({"google": []}, GOOGLE, False),
        ({"google": ["v=DKIM1; p="]}, GOOGLE, False),  # a key that was withdrawn
        ({"default": [], "mail": ["p=MIGf"]}, Provider(), True),
        ({"default": []}, Provider(), True),
    ],
)
def test_dkim(records: dict[str, list[str]], provider: Provider, ok: bool) -> None:
    assert judge_dkim(records, provider).ok is ok


@pytest.mark.parametrize(
    ("records", "ok"),
    [
        (["v=DMARC1; p=none; rua=mailto:dmarc@ada.example"], True),
        (["v=DMARC1;p=reject"], True),
        ([], False),
        (["v=DMARC1"], False),
        (["v=DMARC1; sp=none"], False),
        (["v=DMARC1; p=none", "v=DMARC1; p=reject"], False),
        (["v=spf1 ~all"], False),
    ],
)
def test_dmarc(records: list[str], ok: bool) -> None:
    assert judge_dmarc("ada.example", records).ok is ok


@pytest.mark.parametrize(
    ("results", "ok", "remedy"),
    [
        ("mx.ada.example; spf=pass smtp.mailfrom=ada.example; dkim=pass header.d=ada.example; dmarc=pass", True, ""),
        ("mx.ada.example; SPF=SoftFail; dkim=none", False, "mend SPF of"),
        ("mx.ada.example; dkim=fail header.d=list.example; dkim=pass header.d=ada.example", True, ""),
        ("mx.ada.example; spf=permerror; dmarc=fail (p=none)", False, "mend DMARC of"),
    ],
)
def test_what_the_own_provider_saw(results: str, ok: bool, remedy: str) -> None:
    judged = judge_seen(results)
    assert judged is not None
    assert judged.ok is ok
    assert ok or judged.remedy.startswith(remedy)


def test_a_provider_that_does_not_say() -> None:
    assert judge_seen("") is None
    assert judge_seen("mx.ada.example; none") is None
