"""May mail go to this address? What a finder says of it, put together with syntax, DNS and what kind of host it is.

Pure: DNS was asked before. The stricter word wins, and every word stays as evidence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from email_validator import EmailNotValidError, validate_email

from outreach.core.normalize import address_key, is_free_mail, is_role_inbox
from outreach.core.ports import Candidate, MailDomain, MailHost
from outreach.core.records import AddressStatus

SENDABLE = (AddressStatus.GIVEN, AddressStatus.VERIFIED)
_BETTER = (
    AddressStatus.GIVEN,
    AddressStatus.VERIFIED,
    AddressStatus.RISKY,
    AddressStatus.UNKNOWN,
    AddressStatus.GUESSED,
    AddressStatus.INVALID,
    AddressStatus.BOUNCED,
)


@dataclass(frozen=True, slots=True)
class Checked:
    """An address with its final status."""

    key: str
    status: AddressStatus
    confidence: int
    evidence: tuple[str, ...]
    of_company: bool = False


def check(candidate: Candidate, mail: MailDomain) -> Checked:
    """The status of what a finder proposes."""
    key = address_key(candidate.address)
    fault = syntax_fault(key) or _host_fault(key, mail)
    shared = candidate.of_company or is_role_inbox(key)
    if fault:
        return Checked(key, AddressStatus.INVALID, 0, (*candidate.evidence, fault), shared)
    if mail.state is MailHost.UNKNOWN:
        doubt = f"DNS did not say whether {mail.domain} takes mail"
        return Checked(key, AddressStatus.UNKNOWN, candidate.confidence // 2, (*candidate.evidence, doubt), shared)
    evidence = (*candidate.evidence, f"{mail.domain} takes mail ({mail.hosts[0] if mail.hosts else 'MX'})")
    if is_free_mail(key) and candidate.status is AddressStatus.VERIFIED:
        doubt = "a private mailbox, which anyone can have under any name"
        return Checked(key, AddressStatus.RISKY, min(candidate.confidence, 50), (*evidence, doubt), shared)
    return Checked(key, candidate.status, candidate.confidence, evidence, shared)


def syntax_fault(key: str) -> str:
    """Why this cannot be an address; empty if it can."""
    try:
        # `.example` and `.test` are names like any other here: whether mail arrives is for DNS to say.
        validate_email(key, check_deliverability=False, test_environment=True, allow_smtputf8=False)
    except EmailNotValidError as error:
        return f"no address: {str(error).rstrip('.')}"
    return ""


def better(checked: Sequence[Checked]) -> list[Checked]:
    """The best first: by status, then by confidence."""
    return sorted(checked, key=lambda each: (_BETTER.index(each.status), -each.confidence))


def is_disposable(address: str) -> bool:
    """Whether addresses at this host are made to be thrown away."""
    domain = address.rpartition("@")[2]
    labels = domain.split(".")
    return any(".".join(labels[start:]) in _disposable_hosts() for start in range(len(labels) - 1))


def _host_fault(key: str, mail: MailDomain) -> str:
    if is_disposable(key):
        return f"{mail.domain} is a disposable mail host"
    if mail.state is MailHost.NONE:
        return f"{mail.domain} takes no mail (no MX record)"
    if mail.state is MailHost.NULL:
        return f"{mail.domain} says that it takes no mail (null MX)"
    return ""


@cache
def _disposable_hosts() -> frozenset[str]:
    from disposable_email_domains import blocklist  # ten thousand: loaded only where an address is checked

    return frozenset(blocklist)
