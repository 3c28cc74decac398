"""Does a message concern us at all? Judged by its head, so that of a full mailbox only little is downloaded.

In doubt the answer is yes: what is read in vain costs a moment, an answer that was not read costs the conversation.
Most mail of a mailbox passes here and goes no further, so this is quick: what is slow is asked last, or kept by value.
"""

from collections.abc import Collection
from dataclasses import dataclass

from outreach.core.bounces import looks_like_report
from outreach.core.classify import machine_sign
from outreach.core.inbound import MAX_READ_HEAD, Head, parse_head
from outreach.core.matching import LINKING, bare, company_domain, correspondents_of, tokens_of, topic
from outreach.core.quick import Memo, record
from outreach.resources import toml


@dataclass(frozen=True, slots=True)
class Sent:
    """What all our mails have in common with their answers: subjects (without prefixes), and domains we wrote to."""

    topics: Collection[str] = frozenset()
    domains: Collection[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Links:
    """Which of the ids (without brackets) and addresses (canonical) that some heads hold are known."""

    ids: Collection[str] = frozenset()
    addresses: Collection[str] = frozenset()


@record
class Glance:
    """What a head tells. `telling`: by itself it gives reason to read the message whole; else it matters whether one of
    its `ids` (without brackets) or `addresses` (canonical) is known. `machine`: it says that no person wrote it."""

    telling: bool
    ids: frozenset[str]
    addresses: tuple[str, ...]
    machine: bool


def glance(raw: bytes, own: frozenset[str], sent: Sent) -> Glance:
    """Look at a head. `own` are our addresses (canonical)."""
    head = parse_head(raw)
    telling = (
        len(raw) >= MAX_READ_HEAD  # it was cut, and then nobody knows
        or not head.headers.fields
        or not (head.from_address or head.subject)
        or any(True for _ in tokens_of(head.headers, head.subject))
        or _company_domains[head.from_address.rpartition("@")[2]] in sent.domains
        or looks_like_report(head)
        or _asks_to_stop(head)
        or _is_ours(topic(head.subject), sent)
    )
    return Glance(
        telling,
        frozenset(bare(each) for each in head.headers.ids(*LINKING)),
        correspondents_of(head.from_address, head.to, own),
        bool(machine_sign(head.headers, head.from_address, threaded=False)),
    )


def concerns_us(found: Glance, links: Links) -> bool:
    """Whether to read it whole."""
    return (
        found.telling
        or not found.ids.isdisjoint(links.ids)
        or any(address in links.addresses for address in found.addresses)
    )


_company_domains: Memo[str, str] = Memo(lambda host: company_domain(f"x@{host}") if host else "")


def _asks_to_stop(head: Head) -> bool:
    """An opt-out of someone unknown counts too; so do sender checks and complaints."""
    if "x-apple-unsubscribe" in head.headers or "unsubscribe" in head.subject.lower():
        return True
    words, sender = toml("machines.toml"), head.from_address.lower()
    return (
        _checks_senders[sender.rpartition("@")[2]]
        or any(name in head.headers for name in words["challenge_headers"])
        or any(name in sender for name in words["complaint_senders"])
        or sender.endswith(words["notice_domain"])
    )


def _checks(domain: str) -> bool:
    return any(domain == each or domain.endswith(f".{each}") for each in toml("machines.toml")["challenge_senders"])


_checks_senders: Memo[str, bool] = Memo(_checks)


def _is_ours(found: str, sent: Sent) -> bool:
    """An answer from another address, in a thread that its program has broken."""
    return bool(found) and (found in sent.topics or found.partition(": ")[2] in sent.topics)
