"""What DNS says of mail in a domain's name, as receivers read it: SPF (RFC 7208), DKIM (RFC 6376), DMARC (RFC 7489).

Records are the TXT records of a name, empty where it has none.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from outreach.resources import toml

COMMON_SELECTORS = ("default", "dkim", "mail", "s1", "s2", "k1", "google", "selector1", "selector2")
"""Where keys stand of a provider that we do not know."""
_METHOD = re.compile(r"\b(spf|dkim|dmarc)=(\w+)")
_POLICIES = ("none", "quarantine", "reject")


@dataclass(frozen=True, slots=True)
class Advice:
    """On one record; `remedy` is what to do where it is not `ok`."""

    ok: bool
    says: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Provider:
    """What a provider asks of its customers' domains, and does with their mail; empty where we do not know."""

    spf: Sequence[str] = ()
    selectors: Sequence[str] = ()
    files_sent: bool | None = None
    """Whether it puts a copy of what is sent by SMTP into the Sent folder."""


def provider_at(smtp_host: str) -> Provider:
    """The provider that this mail server belongs to."""
    for known in toml("providers.toml").values():
        if known["smtp_host"] == smtp_host.lower():
            return Provider(known.get("spf", ()), known.get("dkim", ()), known.get("files_sent"))
    return Provider()


def judge_spf(domain: str, records: Sequence[str], provider: Provider) -> Advice:
    """Whether receivers take the provider's servers for the domain's."""
    found = [record for record in records if re.match(r"v=spf1( |$)", record, re.IGNORECASE)]
    wanted = f"include:{provider.spf[0]}" if provider.spf else "what your provider asks you to include"
    if not found:
        return Advice(ok=False, says=f"{domain} has none", remedy=f'publish the TXT record "v=spf1 {wanted} ~all"')
    if len(found) > 1:
        return Advice(ok=False, says=f"{domain} has {len(found)}; receivers obey none", remedy="make one of them")
    terms = found[0].lower().split()[1:]
    if {"+all", "all"} & set(terms):
        return Advice(ok=False, says="it lets everybody write in your name", remedy="end it with ~all or -all")
    named = {term.lstrip("+").partition(":")[2] for term in terms if term.lstrip("+").startswith("include:")}
    elsewhere = any(term.startswith("redirect=") for term in terms)
    if provider.spf and not elsewhere and not named & set(provider.spf):
        return Advice(
            ok=False,
            says=f"it does not name your provider: {found[0]}",
            remedy=f"put {wanted} into it, unless it names their servers one by one",
        )
    return Advice(ok=True, says=found[0])


def judge_dkim(records: Mapping[str, Sequence[str]], provider: Provider) -> Advice:
    """Whether a key is published, by the records of each selector. Names of one's own cannot be known: no key under the
    usual ones is only wrong where the provider's are."""
    keyed = [name for name, texts in records.items() if any(map(_is_key, texts))]
    if keyed:
        return Advice(ok=True, says=f"a key stands under {', '.join(keyed)}")
    says = f"no key under {', '.join(records)}"
    if provider.selectors:
        return Advice(ok=False, says=says, remedy="turn DKIM on at your provider, and publish the record it shows you")
    return Advice(ok=True, says=f"{says}; your provider knows under which name yours stands")


def judge_seen(results: str) -> Advice | None:
    """What the owner's own provider saw of SPF, DKIM and DMARC in a mail of theirs (Authentication-Results, RFC 8601);
    None where it does not say."""
    found: list[tuple[str, str]] = _METHOD.findall(results.lower())
    passed = {method for method, result in found if result == "pass"}
    failed = {method.upper() for method, result in found if result.endswith("fail") and method not in passed}
    says = ", ".join(dict.fromkeys(f"{method}={result}" for method, result in found))
    remedy = f"mend {' and '.join(sorted(failed))} of your domain: others judge your mails by it as well"
    return Advice(not failed, says, remedy) if found else None


def _is_key(record: str) -> bool:
    return bool(re.search(r"(^|;)\s*p\s*=\s*[A-Za-z0-9+/]", record))


def judge_dmarc(domain: str, records: Sequence[str]) -> Advice:
    """Whether the domain says what is to happen to mail that fails both."""
    found = [record for record in records if re.match(r"v=DMARC1\s*(;|$)", record)]
    remedy = f'publish as _dmarc.{domain} the TXT record "v=DMARC1; p=none"'
    if not found:
        return Advice(ok=False, says=f"{domain} has none, which Gmail and Yahoo ask for", remedy=remedy)
    if len(found) > 1:
        return Advice(ok=False, says=f"{domain} has {len(found)}; receivers obey none", remedy="make one of them")
    policy = re.search(r";\s*p\s*=\s*(\w+)", found[0])
    if not policy or policy[1].lower() not in _POLICIES:
        return Advice(ok=False, says=f"it says no policy: {found[0]}", remedy=remedy)
    return Advice(ok=True, says=found[0])
