"""What incoming mail may be about: our mails by id, token, recipient or company, and the people behind an address."""

from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from outreach.core.matching import Clues, Found, Prospect, SentMail, bare
from outreach.store.tables import AddressRow, CompanyRow, EnrollmentRow, FounderRow, OutboxRow, table

_outbox, _enrollments, _addresses = table(OutboxRow), table(EnrollmentRow), table(AddressRow)
_founders, _companies = table(FounderRow), table(CompanyRow)

_COLLEAGUES = 50


def find_sent(connection: sa.Connection, clues: Clues) -> Found:
    """Every mail and prospect that the clues may point to, newest first."""
    prospects = _prospects(connection, clues.correspondents)
    mails = _mails(connection, [*_pointed(clues), _outbox.c.founder_id.in_({each.founder_id for each in prospects})])
    if not mails and clues.domain and clues.topic:
        same = sa.or_(_companies.c.domain == clues.domain, _outbox.c.rcpt_domain == clues.domain)
        mails = _mails(connection, [sa.and_(same, _outbox.c.intent_at.is_not(None))], limit=_COLLEAGUES)
    return Found(tuple(mails), tuple(prospects))


def _pointed(clues: Clues) -> list[sa.ColumnElement[bool]]:
    ids = [spelling for clue in clues.ids for spelling in (bare(clue.value), f"<{bare(clue.value)}>")]
    keys = [clue.value for clue in clues.recipients]
    tokens = [  # `@` is followed by `A`: a range, because LIKE would not use the index
        sa.and_(_outbox.c.message_id >= f"<or.{clue.value}@", _outbox.c.message_id < f"<or.{clue.value}A")
        for clue in clues.tokens
    ]
    return [
        *tokens,
        _outbox.c.message_id.in_(ids),
        sa.and_(_outbox.c.wire_message_id != "", _outbox.c.wire_message_id.in_(ids)),
        sa.and_(_outbox.c.rcpt_key.in_(keys), _outbox.c.intent_at.is_not(None)),
    ]


def _mails(
    connection: sa.Connection, conditions: Iterable[sa.ColumnElement[bool]], limit: int | None = None
) -> list[SentMail]:
    query = (
        sa.select(_outbox, _companies.c.domain.label("company_domain"), _founders.c.company_id.label("works_at"))
        .join(_founders, _founders.c.id == _outbox.c.founder_id)
        .outerjoin(_companies, _companies.c.id == _founders.c.company_id)
        .where(sa.or_(*conditions))
        .order_by(_outbox.c.intent_at.desc().nulls_last(), _outbox.c.id.desc())
        .limit(limit)
    )
    return [_sent_mail(row) for row in connection.execute(query).mappings()]


def _sent_mail(row: sa.RowMapping) -> SentMail:
    plain = {name: row[name] for name in SentMail.__dataclass_fields__ if name in row}
    facts = {"company_id": row["works_at"], "company_domain": row["company_domain"] or ""}
    return SentMail(**{**plain, **facts, "sent_at": row["sent_at"] or row["intent_at"]})


def _prospects(connection: sa.Connection, keys: Sequence[str]) -> list[Prospect]:
    """The enrolled people behind these addresses, newest enrollment first."""
    if not keys:
        return []
    known = sa.union(
        sa.select(_addresses.c.founder_id, _addresses.c.key).where(
            _addresses.c.key.in_(keys), _addresses.c.founder_id.is_not(None)
        ),
        sa.select(_enrollments.c.founder_id, _enrollments.c.address_key).where(_enrollments.c.address_key.in_(keys)),
    )
    people: dict[int, str] = dict(connection.execute(known).all())
    if not people:
        return []
    query = (
        sa.select(_enrollments, _founders.c.company_id, _companies.c.domain.label("company_domain"))
        .join(_founders, _founders.c.id == _enrollments.c.founder_id)
        .outerjoin(_companies, _companies.c.id == _founders.c.company_id)
        .where(_enrollments.c.founder_id.in_(people))
        .order_by(_enrollments.c.enrolled_at.desc(), _enrollments.c.id.desc())
    )
    return [
        Prospect(
            row["founder_id"],
            people[row["founder_id"]],
            row["company_id"],
            row["company_domain"] or "",
            row["campaign_id"],
            row["enrolled_at"],
        )
        for row in connection.execute(query).mappings()
    ]
