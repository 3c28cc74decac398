"""Does a message concern us at all? Judged by its head, so that of a full mailbox only little is downloaded.

In doubt the answer is yes: what is read in vain costs a moment, an answer that was not read costs the conversation.
"""

from collections.abc import Collection
from dataclasses import dataclass

from outreach.core.bounces import looks_like_report
from outreach.core.inbound import MAX_READ_HEAD, Arrival
from outreach.core.matching import Clues, topic
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


def may_concern_us(head: Arrival, size: int, clues: Clues, links: Links, sent: Sent) -> bool:
    """Whether to read it whole. `size` is the head's; a long one was cut, and then nobody knows."""
    if size >= MAX_READ_HEAD or not head.headers.fields or not (head.from_address or head.subject):
        return True
    if clues.tokens or any(clue.value.strip("<>") in links.ids for clue in clues.ids):
        return True
    if any(key in links.addresses for key in clues.correspondents) or clues.domain in sent.domains:
        return True
    return looks_like_report(head) or _asks_to_stop(head) or _is_ours(topic(head.subject), sent)


def _asks_to_stop(head: Arrival) -> bool:
    """An opt-out of someone unknown counts too; so do sender checks and complaints."""
    words, sender = toml("machines.toml"), head.from_address.lower()
    if "x-apple-unsubscribe" in head.headers or "unsubscribe" in head.subject.lower():
        return True
    domain = sender.rpartition("@")[2]
    checks = any(domain == each or domain.endswith(f".{each}") for each in words["challenge_senders"])
    checks = checks or any(name in head.headers for name in words["challenge_headers"])
    return (
        checks or any(name in sender for name in words["complaint_senders"]) or sender.endswith(words["notice_domain"])
    )


def _is_ours(found: str, sent: Sent) -> bool:
    """An answer from another address, in a thread that its program has broken."""
    return bool(found) and (found in sent.topics or found.partition(": ")[2] in sent.topics)
