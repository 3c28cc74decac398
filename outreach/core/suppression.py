"""Does a suppression cover this person? Keys are compared as text, so the store can ask in one statement."""

from collections.abc import Iterable

from outreach.core.normalize import suppression_key

ERASED = "erased"
"""The kind and the reason of entries that keep somebody out who was erased."""
ERASED_START = f"{ERASED}:"
"""How their values begin; a keyed hash follows."""
ADDRESS_ONLY = ("bounce", "soft_bounce")
"""Kinds of entries that are about one address, not about the person: another address of theirs may be written to."""


def suppression_keys(
    addresses: Iterable[str], *, founder_id: int | None = None, company_id: int | None = None
) -> tuple[str, ...]:
    """Every value in the suppression list that would cover this person: themselves, their company, each address in its
    widest form, and each domain above an address."""
    keys = {f"person:{founder_id}"} if founder_id is not None else set()
    if company_id is not None:
        keys.add(f"company:{company_id}")
    for address in addresses:
        key = suppression_key(address)
        keys.add(f"address:{key}")
        keys.update(f"domain:{domain}" for domain in _parents(key.rpartition("@")[2]))
    return tuple(sorted(keys))


def _parents(domain: str) -> Iterable[str]:
    labels = domain.split(".")
    return (".".join(labels[start:]) for start in range(len(labels) - 1))
