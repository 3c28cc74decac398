"""What a template may say: the variables, as plain text. Objects of the program never get in."""

from collections.abc import Mapping

from outreach.core.message import OPT_OUT
from outreach.core.records import Company, Founder, Sender
from outreach.core.text import one_line, plain_text

Value = str | list[str]
Context = dict[str, Value | dict[str, Value]]

VALUE_LIMIT = 2_000
LIST_LIMIT = 50

FIELDS: Mapping[str, tuple[str, ...]] = {
    "founder": ("first_name", "last_name", "full_name", "title", "email", "linkedin"),
    "company": (
        "name", "website", "domain", "linkedin", "description", "industries", "city", "region", "country",
        "employees", "founded", "last_funding_type", "last_funding_on",
    ),
    "me": ("name", "first_name", "email", "signature", "postal_address"),
}  # fmt: skip
LISTS = frozenset(("company.industries",))
WORDS = ("campaign", "opt_out")
CELLS = "lead"
"""`lead['Any Header']`: a cell of the newest row that named the founder."""


def template_context(founder: Founder, address: str, sender: Sender, campaign: str) -> Context:
    """The variables for one mail. An empty text says that nothing is known."""
    person = {name: _text(getattr(founder, name, "")) for name in FIELDS["founder"]}
    me: dict[str, Value] = {
        "name": _text(sender.name),
        "first_name": _text(sender.name.partition(" ")[0]),
        "email": sender.address,
        "signature": plain_text(sender.signature).strip() or _text(sender.name),
        "postal_address": plain_text(sender.postal_address).strip(),
    }
    return {
        "founder": {**person, "email": address},
        "company": _company(founder.company),
        "me": me,
        "campaign": _text(campaign),
        "opt_out": OPT_OUT,
        CELLS: {name: _text(cell) for name, cell in founder.cells.items()},
    }


def _company(company: Company | None) -> dict[str, Value]:
    facts: dict[str, Value] = {name: _text(getattr(company, name, "")) for name in FIELDS["company"]}
    facts["industries"] = [_text(name) for name in company.industries[:LIST_LIMIT]] if company else []
    return facts


def _text(value: object) -> str:
    return one_line(str(value), VALUE_LIMIT)
