"""Job titles → whether they say that somebody founded the company. A hint for the user, never a reason to skip."""

import re

_FOUNDER = re.compile(
    r"\b(?:co[- ]?)?(?:founder|founding (?:partner|member|c[et]o)|gründer(?:in)?|fondateur|fondatrice|fundador(?:a)?)\b"
    r"|(?<!product )(?<!process )(?<!data )\bowner\b",
    re.IGNORECASE,
)
_NOT_ONE = re.compile(
    r"\bfounder(?:['’]?s['’]?| )\s*(?:office|associate)\b|\bto (?:the )?(?:co-?)?founders?\b", re.IGNORECASE
)


def says_founder(title: str) -> bool:
    """`Co-Founder & CEO`, `Owner`; not `Founder's Office`, `Assistant to the Founder`, `Product Owner`."""
    return _FOUNDER.search(_NOT_ONE.sub("", title)) is not None
