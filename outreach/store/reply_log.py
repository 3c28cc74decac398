"""The reply log as people read it: one query, its filters, and the record for each row."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from outreach.core.records import Reply
from outreach.store import tables as t

# What a person should read comes before the rest: people's own words, and what could not be told or read.
_waits = sa.case(
    (
        sa.and_(
            t.inbound.c.label == "",
            sa.or_(
                t.inbound.c.kind.in_(("reply", "challenge")), t.inbound.c.trouble != "", t.inbound.c.kind == "automatic"
            ),
        ),
        1,
    ),
    else_=0,
)


def select_replies() -> sa.Select[Any]:
    return (
        sa.select(t.inbound, t.campaigns.c.name.label("campaign"), t.founders.c.full_name.label("founder"))
        .outerjoin(t.campaigns, t.campaigns.c.id == t.inbound.c.campaign_id)
        .outerjoin(t.founders, t.founders.c.id == t.inbound.c.founder_id)
        .order_by(_waits.desc(), t.inbound.c.received_at.desc(), t.inbound.c.id.desc())
    )


def wanted_replies(
    kinds: Collection[str],
    campaign_id: int | None,
    founder_id: int | None,
    since: datetime | None,
    *,
    unlabelled: bool,
) -> list[sa.ColumnElement[bool]]:
    wanted: list[sa.ColumnElement[bool]] = []
    if kinds:
        wanted.append(t.inbound.c.kind.in_(kinds))
    if campaign_id is not None:
        wanted.append(t.inbound.c.campaign_id == campaign_id)
    if founder_id is not None:
        wanted.append(t.inbound.c.founder_id == founder_id)
    if since is not None:
        wanted.append(t.inbound.c.received_at >= since)
    if unlabelled:
        wanted.append(t.inbound.c.label == "")
    return wanted


def read_reply_row(row: sa.RowMapping) -> Reply:
    plain = {name: row[name] for name in Reply.__dataclass_fields__}
    texts = {
        "campaign": row["campaign"] or "",
        "founder": row["founder"] or "",
        **{name: tuple(row[name]) for name in ("evidence", "attachments", "failures")},
    }
    return Reply(**{**plain, **texts})
