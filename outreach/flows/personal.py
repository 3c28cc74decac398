"""All that is held about one person, from the store and from the logs beside it. Changes nothing."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from outreach.core.names import parse_name
from outreach.core.records import Founder
from outreach.store.store import Store

Log = Iterable[Mapping[str, Any]]


def everything_about(store: Store, founder: Founder, logs: Mapping[str, Log], now: datetime) -> dict[str, Any]:
    """As one document: the rows of the store by what they are, and each log's lines about them."""
    held = store.personal.held(founder, parse_name(founder.full_name).key)
    company = founder.company
    named = {str(row["value"]) for row in held["suppressions"]}
    named |= {str(row[name]) for row in held["mails"] for name in ("message_id", "rcpt_key")}
    named |= {str(row["key"]) for row in held["addresses"]} | {f"person:{founder.id}"}
    return {
        "exported_at": now,
        "id": founder.id,
        "name": founder.full_name,
        "company": {"id": company.id, "name": company.name, "domain": company.domain} if company else None,
        **held,
        **{name: [line for line in lines if _names(line, founder.id, named)] for name, lines in logs.items()},
    }


def _names(line: Mapping[str, Any], founder_id: int, named: set[str]) -> bool:
    return line.get("founder") == founder_id or any(value in named for value in line.values() if isinstance(value, str))
