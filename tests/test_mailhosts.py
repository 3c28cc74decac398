"""Whether a domain takes mail, by a name server of the test's own."""

import pytest

from outreach.core.ports import MailDomain, MailHost
from outreach.mailhosts import DnsMailHosts
from tests.web_servers import HOST, name_server

DOMAINS = {
    "acme.example": "mx1.acme.example",
    "nomx.example": "none",
    "gone.example": "gone",
    "nomail.example": "null",
    "silent.example": "silent",
    "broken.example": "broken",
}


@pytest.mark.parametrize(
    ("domain", "state"),
    [
        ("acme.example", MailHost.TAKES),
        ("nomx.example", MailHost.NONE),
        ("gone.example", MailHost.NONE),
        ("nomail.example", MailHost.NULL),
        ("silent.example", MailHost.UNKNOWN),
        ("broken.example", MailHost.UNKNOWN),
        ("a" * 70 + ".example", MailHost.UNKNOWN),
        ("..", MailHost.UNKNOWN),
    ],
)
def test_every_answer_of_dns(domain: str, state: MailHost) -> None:
    with name_server(DOMAINS) as port:
        found = DnsMailHosts([HOST], port, seconds=0.5 if domain.startswith("silent") else 30).look_up(domain)
    assert (found.domain, found.state) == (domain, state)


def test_the_mail_server_is_named() -> None:
    with name_server(DOMAINS) as port:
        found = DnsMailHosts([HOST], port, seconds=30).look_up("acme.example")
    assert found == MailDomain("acme.example", MailHost.TAKES, ("mx1.acme.example",))


def test_no_name_server_at_all_is_not_known() -> None:
    assert DnsMailHosts([HOST], 9, seconds=0.2).look_up("acme.example").state is MailHost.UNKNOWN


def test_the_texts_of_a_name() -> None:
    with name_server(DOMAINS, {"acme.example": ["v=spf1 -all", "a second one"]}) as port:
        asks = DnsMailHosts([HOST], port, seconds=30)
        assert sorted(asks.texts("acme.example") or ()) == ["a second one", "v=spf1 -all"]
        assert asks.texts("other.example") == ()
        assert asks.texts("gone.example") == ()
        assert asks.texts("broken.example") is None
        assert asks.texts("a" * 70 + ".example") is None
