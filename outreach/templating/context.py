"""What a template may say: the variables, as plain text. Objects of the program never get in."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from outreach.core.message import OPT_OUT
from outreach.core.records import Company, Founder, Money, Sender, Step
from outreach.core.text import one_line, plain_text
from outreach.core.wording import given_name, short_company


class Several(list[str]):
    """Several texts, which are one where a template prints or changes them: separated by commas."""

    def __str__(self) -> str:
        return ", ".join(self)


Value = str | Several
Context = dict[str, Value | dict[str, Value]]

VALUE_LIMIT = 2_000
LIST_LIMIT = 50

FIELDS: Mapping[str, tuple[str, ...]] = {
    "founder": ("first_name", "last_name", "full_name", "title", "email", "linkedin"),
    "company": (
        "name", "short_name", "website", "domain", "linkedin", "description", "industries", "city", "region", "country",
        "employees", "founded", "funding", "last_funding_type", "last_funding_on",
    ),
    "me": ("name", "first_name", "email", "signature", "postal_address"),
    "step": ("number", "name", "variant"),
    "previous": ("subject", "sent_on", "step"),
}  # fmt: skip
LISTS = frozenset(("company.industries",))
WORDS = ("campaign", "line", "opt_out", "privacy_notice")
VARIABLES = (*WORDS, *(f"{group}.{name}" for group, names in FIELDS.items() for name in names))
NEVER_BLANK = frozenset(("privacy_notice",))
"""Empty on purpose where it is: the law of the reader's country does not ask for it."""
CELLS = "lead"
"""`lead['Any Header']`: a cell of the newest row that named the founder."""
TODAY = "_today"
"""The date of the mail, for filters such as `years_ago`. No template can name it."""


@dataclass(frozen=True, slots=True)
class Previous:
    """The mail that went to this founder before, in the same campaign."""

    step: int
    subject: str
    sent_at: datetime | None


def template_context(
    founder: Founder,
    address: str,
    sender: Sender,
    campaign: str,
    step: Step | None = None,
    previous: Previous | None = None,
    *,
    date: datetime | None = None,
    notice: str = "",
) -> Context:
    """The variables for one mail. An empty text says that nothing is known. `date` is the mail's, in the sender's
    zone."""
    return {
        "founder": _founder(founder, address),
        "company": _company(founder.company),
        "me": _me(sender),
        "step": _step(step),
        "previous": _previous(previous, date),
        "campaign": _text(campaign),
        "line": _text(founder.line),
        "opt_out": OPT_OUT,
        "privacy_notice": notice,
        CELLS: {name: _text(cell) for name, cell in founder.cells.items()},
        TODAY: date.date().isoformat() if date else "",
    }


def facts_of(context: Context, names: Iterable[str]) -> dict[str, str]:
    """What these variables say, as text: `company.city`, `line`, `lead['Header']`."""
    return {name: _fact(context, name) for name in dict.fromkeys(names)}


def _fact(context: Context, name: str) -> str:
    root, _, field = name.partition(".")
    if name.startswith(f"{CELLS}['"):
        root, field = CELLS, name.removeprefix(f"{CELLS}['").removesuffix("']")
    value = context[root]
    return str(value.get(field, "") if isinstance(value, dict) else value)


def _founder(founder: Founder, address: str) -> dict[str, Value]:
    return {
        "first_name": given_name(_text(founder.full_name), _text(founder.first_name), _text(founder.last_name)),
        "last_name": _text(founder.last_name),
        "full_name": _text(founder.full_name),
        "title": _text(founder.title),
        "email": address,
        "linkedin": _text(founder.linkedin),
    }


def _me(sender: Sender) -> dict[str, Value]:
    return {
        "name": _text(sender.name),
        "first_name": given_name(_text(sender.name)) or _text(sender.name),
        "email": sender.address,
        "signature": plain_text(sender.signature).strip() or _text(sender.name),
        "postal_address": plain_text(sender.postal_address).strip(),
    }


def _step(step: Step | None) -> dict[str, Value]:
    if step is None:
        return dict.fromkeys(FIELDS["step"], "")
    return {"number": str(step.number), "name": step.name, "variant": step.label or step.variant}


def _previous(previous: Previous | None, date: datetime | None) -> dict[str, Value]:
    if previous is None:
        return dict.fromkeys(FIELDS["previous"], "")
    zone = date.tzinfo if date else UTC
    sent_on = previous.sent_at.astimezone(zone).date().isoformat() if previous.sent_at else ""
    return {"subject": previous.subject, "sent_on": sent_on, "step": str(previous.step)}


_SAME = tuple(name for name in FIELDS["company"] if name not in ("short_name", "industries", "funding"))


def _company(company: Company | None) -> dict[str, Value]:
    if company is None:
        nothing: dict[str, Value] = dict.fromkeys(FIELDS["company"], "")
        return {**nothing, "industries": Several()}
    facts: dict[str, Value] = {name: _text(getattr(company, name)) for name in _SAME}
    facts["short_name"] = short_company(str(facts["name"]))
    facts["industries"] = Several(_text(name) for name in company.industries[:LIST_LIMIT])
    facts["funding"] = _money(company.funding_total)
    return facts


def _money(money: Money | None) -> str:
    return f"{money.amount} {money.currency}".strip() if money else ""


def _text(value: object) -> str:
    return one_line(str(value), VALUE_LIMIT) if value else ""
