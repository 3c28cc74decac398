"""How founders and companies look: to scripts, as the columns of a table, one by one."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outreach.cli._output import say, show

if TYPE_CHECKING:
    from outreach.core.records import Address, Company, Founder

SHOWN = 50
MOST_COUNTED = 10_000
"""Counting further would cost a wait on a large store, to nobody's use."""

Limit = Annotated[int | None, typer.Option(min=1, help=f"At most so many (default: {SHOWN}; all with --json).")]


# --- to scripts -----------------------------------------------------------------------------------


def founder_json(founder: "Founder") -> dict[str, Any]:
    """A founder as scripts see one."""
    company = founder.company
    return {
        "id": founder.id,
        "full_name": founder.full_name,
        "first_name": founder.first_name,
        "last_name": founder.last_name,
        "title": founder.title,
        "company": {"id": company.id, "name": company.name, "domain": company.domain, "country": company.country}
        if company
        else None,
        "addresses": [address_json(address) for address in founder.addresses],
        "tags": list(founder.tags),
    }


def company_json(company: "Company") -> dict[str, Any]:
    """A company as scripts see one."""
    return {
        "id": company.id,
        "name": company.name,
        "aliases": list(company.aliases),
        "domain": company.domain,
        "website": company.website,
        "city": company.city,
        "region": company.region,
        "country": company.country,
        "crunchbase_slug": company.slug,
        "founders": company.founders,
    }


def company_facts(company: "Company") -> dict[str, Any]:
    funding = company.funding_total
    return {
        "description": company.description,
        "industries": list(company.industries),
        "employees": company.employees,
        "founded": company.founded,
        "funding": f"{funding.amount:,} {funding.currency}".strip() if funding else "",
        "last_funding": " ".join(filter(None, (company.last_funding_type, company.last_funding_on))),
        "status": company.status,
        "linkedin": company.linkedin,
    }


def address_json(address: "Address") -> dict[str, Any]:
    return {
        "address": address.address,
        "status": address.status,
        "origin": address.origin,
        "confidence": address.confidence,
        "evidence": list(address.evidence),
        "checked_at": address.checked_at,
    }


def row_json(number: int, file: str, line: int, exported_at: datetime) -> dict[str, Any]:
    return {"row": number, "file": file, "line": line, "exported_at": exported_at}


# --- as a table -----------------------------------------------------------------------------------


FOUNDER_COLUMNS = (
    "id", "name", "first_name", "last_name", "title", "address", "status", "source", "sure", "company", "domain",
    "website", "city", "region", "country", "industries", "employees", "founded", "funding", "linkedin", "tags",
)  # fmt: skip
COMPANY_COLUMNS = (
    "id", "name", "aliases", "domain", "website", "city", "region", "country", "industries", "employees", "founded",
    "funding", "last_funding", "status", "linkedin", "crunchbase_slug", "description", "founders",
)  # fmt: skip


def founder_columns(founder: "Founder") -> dict[str, Any]:
    """A founder as a row of a table; `address` is all of theirs, with `status` in the same order."""
    company = company_columns(founder.company) if founder.company else dict.fromkeys(COMPANY_COLUMNS, "")
    return {
        **company,
        "id": founder.id,
        "name": founder.full_name,
        "first_name": founder.first_name,
        "last_name": founder.last_name,
        "title": founder.title,
        "address": [address.address for address in founder.addresses],
        "status": [str(address.status) for address in founder.addresses],
        "source": [address.origin for address in founder.addresses],
        "sure": [_sure(address) or "-" for address in founder.addresses] if any(map(_sure, founder.addresses)) else [],
        "company": founder.company.name if founder.company else "",
        "linkedin": founder.linkedin,
        "tags": list(founder.tags),
    }


def company_columns(company: "Company") -> dict[str, Any]:
    return {**company_json(company), **company_facts(company)}


def _sure(address: "Address") -> str:
    return "" if address.confidence is None else f"{address.confidence} %"


def say_rest(shown: int, total: int) -> None:
    if total >= MOST_COUNTED:
        say(f"{shown} of {MOST_COUNTED:,} or more shown; --limit and filters (--help) show others")
    elif shown < total:
        say(f"{shown} of {total:,} shown; --limit {total} shows all, filters narrow them (--help)")


# --- one by one -----------------------------------------------------------------------------------


def show_addresses(addresses: Iterable["Address"]) -> None:
    for address in addresses:
        sure = f", {_sure(address)}" if address.confidence is not None else ""
        show(f"  address:   {address.address} ({address.status}{sure}, from {address.origin})")
        for line in address.evidence:
            show(f"             {line}")
