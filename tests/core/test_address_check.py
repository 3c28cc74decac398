"""What a finder says, put together with syntax, DNS and the kind of host: the stricter word wins."""

import pytest

from outreach.core.address_check import Checked, better, check, is_disposable, syntax_fault
from outreach.core.normalize import is_free_mail
from outreach.core.ports import Candidate, MailDomain, MailHost
from outreach.core.records import AddressStatus

S = AddressStatus
TAKES = MailHost.TAKES


def checked(address: str, status: AddressStatus = S.VERIFIED, state: MailHost = TAKES) -> Checked:
    domain = address.rpartition("@")[2]
    return check(Candidate(address, status, 90, ("said",)), MailDomain(domain, state, (f"mx.{domain}",)))


@pytest.mark.parametrize(
    ("address", "status", "state", "expected", "says"),
    [
        ("ada@acme.example", S.VERIFIED, TAKES, S.VERIFIED, "acme.example takes mail (mx.acme.example)"),
        ("ada@acme.example", S.RISKY, TAKES, S.RISKY, "takes mail"),
        ("ada@acme.example", S.GUESSED, TAKES, S.GUESSED, "takes mail"),
        ("ada@acme.example", S.INVALID, TAKES, S.INVALID, "takes mail"),
        ("ada@acme.example", S.VERIFIED, MailHost.NONE, S.INVALID, "no MX record"),
        ("ada@acme.example", S.VERIFIED, MailHost.NULL, S.INVALID, "null MX"),
        ("ada@acme.example", S.VERIFIED, MailHost.UNKNOWN, S.UNKNOWN, "DNS did not say"),
        ("ada@acme.example", S.GUESSED, MailHost.UNKNOWN, S.UNKNOWN, "DNS did not say"),
        ("ada@mailinator.com", S.VERIFIED, TAKES, S.INVALID, "disposable"),
        ("ada@in.mailinator.com", S.VERIFIED, TAKES, S.INVALID, "disposable"),
        ("ada@gmail.com", S.VERIFIED, TAKES, S.RISKY, "anyone can have"),
        ("ada@gmail.com", S.GUESSED, TAKES, S.GUESSED, "takes mail"),
        ("ada..b@acme.example", S.VERIFIED, TAKES, S.INVALID, "no address"),
        ("ädä@acme.example", S.VERIFIED, TAKES, S.INVALID, "no address"),
        ("ada@bücher.example", S.VERIFIED, TAKES, S.VERIFIED, "takes mail"),
        ("ada@acme", S.VERIFIED, TAKES, S.INVALID, "no address"),
    ],
)
def test_the_stricter_word_wins(
    address: str, status: AddressStatus, state: MailHost, expected: AddressStatus, says: str
) -> None:
    found = checked(address, status, state)
    assert found.status is expected
    assert says in found.evidence[-1]
    assert found.evidence[0] == "said"


def test_an_address_is_kept_in_its_canonical_form() -> None:
    assert checked("Ada@Bücher.example").key == "ada@xn--bcher-kva.example"


def test_a_desk_belongs_to_the_company() -> None:
    assert checked("info@acme.example").of_company
    assert not checked("ada@acme.example").of_company


def test_the_best_comes_first() -> None:
    some = [checked(f"{status}@acme.example", status) for status in (S.GUESSED, S.INVALID, S.VERIFIED, S.RISKY)]
    assert [each.status for each in better(some)] == [S.VERIFIED, S.RISKY, S.GUESSED, S.INVALID]


@pytest.mark.parametrize("host", ["gmail.com", "gmx.de", "hey.com", "mailbox.org", "tuta.com", "126.com"])
def test_hosts_where_anyone_can_have_an_address(host: str) -> None:
    assert is_free_mail(f"ada@{host}")
    assert not is_disposable(f"ada@{host}")


@pytest.mark.parametrize("text", ["", "@", "ada", "ada@", "@acme.example", "a b@acme.example", "ada@acme..example"])
def test_what_is_no_address(text: str) -> None:
    assert syntax_fault(text)
