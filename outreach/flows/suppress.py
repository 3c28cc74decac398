"""Puts someone on the suppression list by hand, or takes them off: a founder, any address, or a whole domain."""

from collections.abc import Iterable
from dataclasses import dataclass

from outreach.core.normalize import (
    address_key,
    is_address,
    is_free_mail,
    normalize_host,
    registrable_domain,
    suppression_key,
)
from outreach.core.ports import Clock
from outreach.core.records import Founder
from outreach.errors import NotFound, UsageError
from outreach.store.store import Store

FINAL = frozenset(("opt_out", "complaint"))
"""Kinds that a person has asked for: only their consent lifts them."""


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
    if not store.erasures.known().has_address(key):  # then it is on the list already, and not to be written down
        store.suppressions.add_address(suppression_key(key), reason, clock.now())
    return (key,)


@dataclass(frozen=True, slots=True)
class Listed:
    """What became of a list: how many lines were covered, and those that name nobody, by their number."""

    covered: int
    refused: tuple[tuple[int, str], ...]


def suppress_all(store: Store, lines: Iterable[str], *, reason: str, clock: Clock) -> Listed:
    """Addresses and domains, one to a line; the first cell of a line counts."""
    covered, refused = 0, []
    for number, line in enumerate(lines, 1):
        cell = line.replace(";", ",").replace("\t", ",").partition(",")[0].strip().strip('"')
        if not cell or (number == 1 and "@" not in cell and "." not in cell):
            continue
        try:
            if "@" not in cell and not registrable_domain(cell):
                raise UsageError("no address or domain")
            suppress(store, cell, reason=reason, clock=clock)
            covered += 1
        except UsageError as error:
            refused.append((number, f"{cell[:60]}: {error}"))
    return Listed(covered, tuple(refused))


def unsuppress(store: Store, who: str, *, consent: str, clock: Clock) -> tuple[str, ...]:
    """Take WHO off the list; what was taken off. Raises UsageError for an opt-out or complaint without consent."""
    entries = store.suppressions.find(_values(store, who))
    if not entries:
        raise NotFound(f"{who} is not on the list.", hint="outreach suppress list shows it")
    final = [entry for entry in entries if entry["kind"] in FINAL]
    if final and not consent:
        raise UsageError(
            f"{who} asked not to be written to ({final[0]['kind'].replace('_', '-')}): that is final.",
            hint=f'only if they have asked you since: outreach suppress remove {who} --i-have-consent "when and how"',
        )
    store.suppressions.remove(entries, consent or "by hand", clock.now())
    return tuple(entry["value"] for entry in entries)


def _values(store: Store, who: str) -> set[str]:
    """Every entry that WHO may have put on the list."""
    if who.startswith(("person:", "address:", "domain:", "company:")):
        return {who}
    if "@" in who:
        key = address_key(who)
        owner = store.people.find_by_address(key)
        return {f"address:{suppression_key(key)}", *(_values_of(owner) if owner else ())}
    if "." in who and " " not in who and registrable_domain(who):
        return {f"domain:{normalize_host(who)}"}
    return _values_of(store.people.get_founder(who))


def _values_of(founder: Founder) -> set[str]:
    return {f"person:{founder.id}", *(f"address:{suppression_key(address.key)}" for address in founder.addresses)}
