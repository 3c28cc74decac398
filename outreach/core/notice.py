"""What the first mail says about where an address comes from: who writes, why, from where, and how to object.

Data protection law (GDPR article 14) asks for it, at the latest in the first message, where the reader is in the EEA,
the United Kingdom, Switzerland or an unknown place. It is the tool's text: a template may place it, else it is added.
"""

from outreach.core.countries import JOB_SEARCH, needs_notice
from outreach.core.records import Founder, Sender
from outreach.core.text import one_line
from outreach.resources import toml


def privacy_notice(founder: Founder, address: str, sender: Sender, *, purpose: str, why: str) -> str:
    """One line for a job search, a few for anything else; empty where the law does not ask for it."""
    company = founder.company
    if not needs_notice(company.country if company else ""):
        return ""
    source = _source(founder, address)
    if purpose == JOB_SEARCH:
        return f"I have your address from {source}; tell me if I should delete it."
    reason = one_line(why, 300).rstrip(".")
    because = f" The reason: {reason}." if reason else ""
    return (
        f"Why you get this: {one_line(sender.name)} writes to founders, with your address from {source}.{because} "
        "You may object, ask for a copy of what I hold about you, or have it deleted: answer this mail."
    )


def _source(founder: Founder, address: str) -> str:
    origin = next((each.origin for each in founder.addresses if each.address == address), "")
    names = toml("sources.toml")
    return str(names.get(origin, names["other"]))
