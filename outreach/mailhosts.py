"""Asks DNS whether a domain takes mail, and what it says of its own: the only place that knows dnspython. Never raises
for what DNS does.

Only MX counts: mail to a domain without one may still find its A record (RFC 5321 5.1), but a company that has mail
says so.
"""

from collections.abc import Sequence

import dns.exception
import dns.resolver
from dns.rdatatype import MX, TXT

from outreach.core.ports import MailDomain, MailHost

_SECONDS = 4.0


class DnsMailHosts:
    """A resolver with a time limit; `nameservers` replace this machine's, for tests."""

    def __init__(self, nameservers: Sequence[str] = (), port: int = 53, seconds: float = _SECONDS) -> None:
        try:
            self._resolver = dns.resolver.Resolver(configure=not nameservers)
        except dns.resolver.NoResolverConfiguration:
            self._resolver = dns.resolver.Resolver(configure=False)
        if nameservers:
            self._resolver.nameservers, self._resolver.port = list(nameservers), port
        self._seconds = seconds

    def look_up(self, domain: str) -> MailDomain:
        """See `core.ports.MailHosts`."""
        try:
            found = self._resolver.resolve(f"{domain}.", MX, lifetime=self._seconds, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return MailDomain(domain, MailHost.NONE)
        except (dns.exception.DNSException, ValueError, OSError):
            return MailDomain(domain, MailHost.UNKNOWN)
        ranked = sorted((record.preference, record.exchange.to_text(omit_final_dot=True).lower()) for record in found)
        hosts = tuple(host for _, host in ranked if host not in ("", "@", "."))
        return MailDomain(domain, MailHost.TAKES if hosts else MailHost.NULL, hosts)

    def texts(self, name: str) -> tuple[str, ...] | None:
        """See `core.ports.MailHosts`."""
        try:
            found = self._resolver.resolve(f"{name}.", TXT, lifetime=self._seconds, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return ()
        except (dns.exception.DNSException, ValueError, OSError):
            return None
        return tuple(b"".join(record.strings).decode("ascii", "replace") for record in found)
