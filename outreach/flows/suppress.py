"""Puts someone on the suppression list by hand: a founder, any address, or a whole domain."""

from outreach.core.normalize import (
    address_key,
    is_address,
    is_free_mail,
    normalize_host,
    registrable_domain,
    suppression_key,
)
from outreach.core.ports import Clock
from outreach.errors import UsageError
from outreach.store.store import Store


def suppress(store: Store, who: str, *, reason: str, clock: Clock) -> tuple[str, ...]:
    """Suppress WHO; return whom that covers, in words. Raises NotFound for a name that fits nobody or several."""
    now = clock.now()
    if "@" in who:
        return _address(store, who, reason, clock)
    if "." in who and " " not in who and (domain := registrable_domain(who)):
        host = normalize_host(who)
        if is_free_mail(domain):
            raise UsageError(
                f"{domain} is a mail provider: that would cover millions of people.", hint="name one address"
            )
        store.suppressions.add_domain(host, reason, now)
        return (f"everyone at {host}",)
    founder = store.people.get_founder(who)
    store.suppressions.add_person(founder.id, reason, now)
    return (founder.full_name, *(address.address for address in founder.addresses))


def _address(store: Store, who: str, reason: str, clock: Clock) -> tuple[str, ...]:
    """An address stands for its owner where we know them."""
    key = address_key(who)
    if not is_address(key):
        raise UsageError(f"{who} is not an e-mail address.", hint="outreach suppress add ada@acme.example")
    owner = store.people.find_by_address(key)
    if owner:
        store.suppressions.add_person(owner.id, reason, clock.now())
        return (owner.full_name, *(address.address for address in owner.addresses))
    store.suppressions.add_address(suppression_key(key), reason, clock.now())
    return (key,)
